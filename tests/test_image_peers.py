"""Image layers against PyTorch's: recorded cases everywhere, drawn ones where torch is installed.

``python -m tests.test_image_peers`` records anew.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn

from .layer_table import pairs

RECORDED = Path(__file__).parent / "recorded" / "images.json"


class Case(NamedTuple):
    """A layer's constructor, the arguments it is given by name, and a batch's shape."""

    layer: str
    shape: tuple[int, ...]
    options: dict[str, Any]

    def made(self) -> Any:
        return getattr(fn, self.layer)(**self.options)


def numbers(shape: tuple[int, ...], start: int = 0) -> Any:
    """Numbers in [-1, 1), no two near ones alike, that every machine has to the last bit."""
    return ((np.arange(math.prod(shape)) * 7919 + start) % 997 / 498.5 - 1).reshape(shape)


def trained(case: Case) -> dict[str, Any]:
    """Parameters for the layer of ``case``: of numbers, not as they start."""
    spec, _ = case.made().spec(case.shape[1:])
    leaves = {name: leaf for name, leaf in spec.items() if leaf.trained}
    return {name: numbers(leaf.shape, 1 + i) for i, (name, leaf) in enumerate(leaves.items())}


def ours(case: Case) -> dict[str, Any]:
    """The output, and the gradients of input and parameters, for a gradient that is given."""
    layer, x = case.made(), numbers(case.shape)
    params = layer.init(fn.Key(0), case.shape[1:], np.float64) | trained(case)
    y, cache = layer.forward(params, x, fn.Train(fn.Key(0)))
    dx, grads = layer.backward(cache, numbers(y.shape, 5))
    return {"y": y, "x": dx, **grads}


def theirs(case: Case) -> dict[str, Any]:
    torch = importlib.import_module("torch")

    def given(value: Any) -> Any:
        return torch.tensor(value, requires_grad=True)

    x, params = given(numbers(case.shape)), {k: given(v) for k, v in trained(case).items()}
    y = THEIRS[case.layer](torch.nn.functional, x, params, case.options)
    y.backward(torch.tensor(numbers(tuple(y.shape), 5)))
    grads = {name: p.grad for name, p in params.items()}
    return {name: v.detach().numpy() for name, v in {"y": y, "x": x.grad, **grads}.items()}


def window(options: dict[str, Any]) -> list[Any]:
    """size, stride and pad, as they are where they are not given."""
    return [options["size"], options.get("stride", options["size"]), options.get("pad", 0)]


THEIRS: dict[str, Callable[[Any, Any, dict[str, Any], dict[str, Any]], Any]] = {
    "conv2d": lambda f, x, params, o: f.conv2d(
        x, params["W"], params.get("b"), o["stride"], o["pad"], o["dilation"], o["groups"]
    ),
    "conv_transpose2d": lambda f, x, params, o: f.conv_transpose2d(
        x, params["W"], params.get("b"),
        o["stride"], o["pad"], o["output_pad"], o["groups"], o["dilation"],
    ),
    "max_pool2d": lambda f, x, params, o: f.max_pool2d(x, *window(o)),
    "avg_pool2d": lambda f, x, params, o: f.avg_pool2d(x, *window(o)),
    "global_avg_pool2d": lambda f, x, params, o: f.adaptive_avg_pool2d(x, 1).flatten(1),
    "local_response_norm": lambda f, x, params, o: f.local_response_norm(x, **o),
    "batch_norm": lambda f, x, params, o: f.batch_norm(
        x, None, None, params["gamma"], params["beta"], training=True, eps=o["epsilon"]
    ),
}  # fmt: skip

PLAIN = {"stride": 1, "pad": 0, "dilation": 1, "groups": 1}


def conv(c_in: int, c_out: int, size: Any, **options: Any) -> dict[str, Any]:
    return {"c_in": c_in, "c_out": c_out, "size": size, **PLAIN, **options}


CASES = {
    "conv2d": Case("conv2d", (2, 3, 5, 5), conv(3, 4, 3)),
    "conv2d, rectangular": Case(
        "conv2d",
        (2, 2, 7, 4),
        conv(2, 3, (3, 2), stride=(2, 1), pad=(1, 2), dilation=(1, 2)),
    ),
    "conv2d, groups": Case("conv2d", (1, 4, 5, 6), conv(4, 6, 3, groups=2, pad=1, bias=False)),
    "conv2d, one pixel": Case("conv2d", (2, 3, 1, 1), conv(3, 2, 1)),
    "conv2d, one padded pixel": Case("conv2d", (2, 1, 1, 1), conv(1, 2, 3, pad=1, stride=2)),
    "conv_transpose2d": Case(
        "conv_transpose2d", (2, 3, 3, 3), conv(3, 2, 4, stride=2, pad=1, output_pad=0)
    ),
    "conv_transpose2d, rectangular": Case(
        "conv_transpose2d",
        (1, 4, 3, 2),
        conv(4, 2, (2, 3), stride=(3, 2), pad=(0, 1), groups=2, output_pad=(2, 1)),
    ),
    "conv_transpose2d, padded by more than a stride": Case(
        "conv_transpose2d", (1, 2, 3, 4), conv(2, 1, 2, dilation=(3, 1), output_pad=(2, 0))
    ),
    "conv_transpose2d, one pixel": Case(
        "conv_transpose2d", (2, 2, 1, 1), conv(2, 3, 3, stride=2, output_pad=1, bias=False)
    ),
    "max_pool2d": Case("max_pool2d", (2, 2, 7, 5), {"size": 3, "stride": 2, "pad": 1}),
    "max_pool2d, apart": Case("max_pool2d", (2, 2, 5, 6), {"size": (2, 3)}),
    "max_pool2d, one pixel": Case("max_pool2d", (2, 2, 1, 1), {"size": 2, "pad": 1}),
    "avg_pool2d": Case("avg_pool2d", (2, 2, 7, 5), {"size": 3, "stride": 2, "pad": 1}),
    "avg_pool2d, apart": Case("avg_pool2d", (2, 2, 5, 6), {"size": (2, 3)}),
    "avg_pool2d, one pixel": Case("avg_pool2d", (2, 2, 1, 1), {"size": 2, "pad": 1}),
    "global_avg_pool2d": Case("global_avg_pool2d", (2, 3, 5, 4), {}),
    "global_avg_pool2d, one pixel": Case("global_avg_pool2d", (2, 3, 1, 1), {}),
    "local_response_norm": Case(
        "local_response_norm", (2, 7, 2, 3), {"size": 5, "alpha": 0.5, "beta": 0.75, "k": 1.0}
    ),
    "local_response_norm, even": Case(
        "local_response_norm", (2, 5, 3, 1), {"size": 4, "alpha": 2.0, "beta": 0.5, "k": 2.0}
    ),
    "local_response_norm, wide": Case("local_response_norm", (1, 3, 2, 2), {"size": 9}),
    "batch_norm": Case("batch_norm", (3, 4, 3, 2), {"epsilon": 1e-5}),
    "batch_norm, rows of pixels": Case("batch_norm", (2, 3, 1, 5), {"epsilon": 1e-3}),
}

sizes = st.integers(1, 9)


@st.composite
def sides(draw: st.DrawFn, *least: int) -> tuple[int, ...]:
    """A batch and height and width of its images: odd, even, single pixels where they fit."""
    return draw(st.integers(1, 3)), *(max(1, n) + draw(st.integers(0, 5)) for n in least)


@st.composite
def convolutions(draw: st.DrawFn, layer: str) -> Case:
    groups = draw(st.integers(1, 3))
    c_in, c_out = (groups * draw(st.integers(1, 3)) for _ in range(2))
    size, stride, dilation = (draw(st.tuples(*[st.integers(1, n)] * 2)) for n in (4, 3, 3))
    pad = draw(st.tuples(*[st.integers(0, 3)] * 2))
    options = {"stride": stride, "pad": pad, "dilation": dilation, "groups": groups}
    each = list(zip(size, stride, pad, dilation, strict=True))
    if layer == "conv2d":
        least = [(k - 1) * d + 1 - 2 * p for k, _, p, d in each]
    else:
        options["output_pad"] = tuple(draw(st.integers(0, max(s, d) - 1)) for _, s, _, d in each)
        least = [1 + -(-max(0, 2 * p - (k - 1) * d) // s) for k, s, p, d in each]
    n, height, width = draw(sides(*least))
    made = conv(c_in, c_out, size, **options, bias=draw(st.booleans()))
    return Case(layer, (n, c_in, height, width), made)


@st.composite
def pools(draw: st.DrawFn, layer: str) -> Case:
    size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    pad = tuple(draw(st.integers(0, k // 2)) for k in size)
    n, height, width = draw(sides(*(k - 2 * p for k, p in zip(size, pad, strict=True))))
    options = {"size": size, "stride": draw(pairs(1, 4)), "pad": pad}
    return Case(layer, (n, draw(st.integers(1, 4)), height, width), options)


@st.composite
def global_pools(draw: st.DrawFn, layer: str) -> Case:
    return Case(layer, (draw(sizes), draw(sizes), draw(sizes), draw(sizes)), {})


@st.composite
def responses(draw: st.DrawFn, layer: str) -> Case:
    alpha, beta, k = (draw(st.floats(low, 2)) for low in (0, 0, 0.1))
    options = {"size": draw(sizes), "alpha": alpha, "beta": beta, "k": k}
    return Case(layer, (draw(st.integers(1, 3)), draw(sizes), draw(sizes), draw(sizes)), options)


@st.composite
def batch_norms(draw: st.DrawFn, layer: str) -> Case:
    shape = (draw(st.integers(2, 5)), draw(sizes), draw(sizes), draw(sizes))
    return Case(layer, shape, {"epsilon": draw(st.sampled_from([1e-5, 1e-3, 0.1]))})


DRAWN: dict[str, Callable[[str], st.SearchStrategy[Case]]] = {
    "conv2d": convolutions,
    "conv_transpose2d": convolutions,
    "max_pool2d": pools,
    "avg_pool2d": pools,
    "global_avg_pool2d": global_pools,
    "local_response_norm": responses,
    "batch_norm": batch_norms,
}


def assert_alike(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert a.keys() == b.keys()
    for name, value in a.items():
        assert value.shape == b[name].shape
        np.testing.assert_allclose(value, b[name], rtol=1e-10, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("name", CASES)
def test_recorded_cases(name: str) -> None:
    found = ours(CASES[name])
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))["cases"][name]
    shaped = {k: np.reshape(v, found[k].shape) for k, v in recorded.items()}
    assert_alike(found, shaped)


@pytest.mark.parametrize("layer", DRAWN)
@given(data=st.data())
def test_drawn_cases(layer: str, data: st.DataObject) -> None:
    pytest.importorskip("torch", reason="torch is not installed: recorded cases only")
    case = data.draw(DRAWN[layer](layer))
    assert_alike(ours(case), theirs(case))


def test_every_layer_is_recorded_and_drawn() -> None:
    assert {case.layer for case in CASES.values()} == set(DRAWN) == set(THEIRS)
    assert RECORDED.stat().st_size < 200_000


if __name__ == "__main__":
    lines = [
        f"  {json.dumps(name)}: "
        + json.dumps({k: [float(f"{n:.13g}") for n in v.flat] for k, v in theirs(case).items()})
        for name, case in CASES.items()
    ]
    version = json.dumps(importlib.import_module("torch").__version__)
    text = ",\n".join(lines)
    RECORDED.write_text(f'{{\n "torch": {version},\n "cases": {{\n{text}\n }}\n}}\n', "utf-8")
