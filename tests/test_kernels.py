"""Every technique of convolution on its own, against products with the matrix of all windows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn
from funcnet import windows
from funcnet.kernels import correlation, gathering, places, winograd

from .layer_table import conv2d, conv_transpose2d

BLOCK, SHORT, FEW, SHARE, CHANNELS, MANY, PHASES = (
    [(windows, "BLOCK")],
    [(correlation, "SHORT")],
    [(gathering, "FEW"), (correlation, "FEW")],
    [(correlation, "SHARE")],
    [(correlation, "CHANNELS")],
    [(correlation, "MANY")],
    [(correlation, "PHASES")],
)
NEVER = 10**9
WINOGRAD = [(MANY, NEVER), (SHARE, NEVER), (CHANNELS, 1), (SHORT, 1), (FEW, 1)]
ROWS = [(MANY, NEVER), (SHARE, 0), (SHORT, 1), (FEW, 1)]
TALL = [(MANY, NEVER), (SHARE, 0), (SHORT, 1), (FEW, NEVER)]
PLACES = [(MANY, NEVER), (SHARE, 0), (SHORT, NEVER)]
DEPTHWISE = [(MANY, 0)]
# The limits that lead to each technique, and the function that shows that it was taken.
TECHNIQUES: dict[str, tuple[Any, Any, str]] = {
    "Winograd": (WINOGRAD, correlation, "winograd"),
    "rows of windows": (ROWS, gathering, "_rows"),
    "whole windows, tall": (TALL, gathering, "_tall"),
    "places": (PLACES, places, "_places"),
    "depthwise": (DEPTHWISE, correlation, "depthwise"),
}


@contextmanager
def limits(settings: Any) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        for homes, value in settings:
            for module, name in homes:
                patch.setattr(module, name, value)
        yield patch


def noted(calls: list[str], name: str, function: Any) -> Any:
    """``function``, which also adds its name to ``calls``."""

    def called(*arguments: Any) -> Any:
        calls.append(name)
        return function(*arguments)

    return called


def everything(layer: fn.AnyLayer, params: fn.Params, x: Any) -> list[Any]:
    y, cache = layer.forward(params, x, fn.Eval())
    dx, grads = layer.backward(cache, y)
    return [y, dx, *[g for _, g in fn.leaves(grads)]]


@pytest.mark.parametrize("block", [1, 300, 1000, 9000])
@pytest.mark.parametrize("name", TECHNIQUES)
@given(data=st.data())
def test_whatever_the_technique_and_the_blocks_the_result_is_the_same(
    name: str, block: int, data: st.DataObject
) -> None:
    layer, shape = data.draw(st.one_of(conv2d(), conv_transpose2d()))
    params = layer.init(fn.Key(0), shape)
    x = fn.Key(2).generator().standard_normal((5, *shape), dtype=np.float32)
    whole = everything(layer, params, x)
    with limits([*TECHNIQUES[name][0], (BLOCK, block)]):
        parts = everything(layer, params, x)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def drawn(*shape: int) -> Any:
    return fn.Key(3).generator().standard_normal(shape, dtype=np.float32)


def read_only(x: Any) -> Any:
    x.flags.writeable = False
    return x


# How seven images of 4 channels may come: odd sizes, 11x9 and so 11x9 windows with pad 1.
INPUTS: dict[str, Any] = {
    "channels last": drawn(7, 11, 9, 4).transpose(0, 3, 1, 2),
    "channels first": drawn(7, 4, 11, 9),
    "every other image and row": drawn(14, 4, 22, 9)[::2, :, ::2],
    "backwards": drawn(7, 4, 11, 9)[:, ::-1, ::-1, ::-1],
    "broadcast": np.broadcast_to(drawn(1, 4, 11, 9), (7, 4, 11, 9)),
    "read-only": read_only(drawn(7, 4, 11, 9)),
    "float64": drawn(7, 4, 11, 9).astype(float),
    "one image": drawn(1, 4, 11, 9),
}
# Kernel, pad and groups of layers from 4 channels to 6.
LAYERS: list[tuple[Any, Any, int]] = [(3, 1, 1), (3, (0, 2), 2), ((4, 3), 1, 1), (5, (2, 1), 2)]


def by_definition(case: Any, params: fn.Params, x: Any, dy: Any) -> list[Any]:
    """Outputs and the gradients of x, W, b, from products with the matrix of all windows."""
    size, pad, groups = case
    ys, dxs, dws = [], [], []
    parts = [np.split(each, groups, axis=1) for each in (x.astype(float), dy.astype(float))]
    for part, d, w in zip(*parts, np.split(params["W"].astype(float), groups), strict=True):
        rows = fn.im2col(part, size, pad=pad)
        upstream = d.transpose(0, 2, 3, 1).reshape(len(rows), -1)
        n, f, oh, ow = d.shape
        ys.append((rows @ w.reshape(f, -1).T).reshape(n, oh, ow, f).transpose(0, 3, 1, 2))
        dxs.append(fn.col2im(upstream @ w.reshape(f, -1), part.shape, size, pad=pad))
        dws.append((upstream.T @ rows).reshape(w.shape))
    y = np.concatenate(ys, axis=1) + params["b"][:, None, None]
    return [y, np.concatenate(dxs, axis=1), np.concatenate(dws), dy.sum((0, 2, 3))]


@pytest.mark.parametrize("case", LAYERS, ids=repr)
@pytest.mark.parametrize("given_as", INPUTS)
@pytest.mark.parametrize("name", TECHNIQUES)
def test_however_images_come_the_result_is_the_definition(
    name: str, given_as: str, case: Any
) -> None:
    size, pad, groups = case
    layer = fn.conv2d(4, 6, size, pad=pad, groups=groups)
    x = INPUTS[given_as]
    before = x.copy()
    params = layer.init(fn.Key(0), (4, 11, 9), x.dtype) | {"b": np.arange(6.0).astype(x.dtype)}
    settings, module, technique = TECHNIQUES[name]
    calls: list[str] = []
    with limits([*settings, (BLOCK, 3000)]) as patch:
        function = getattr(module, technique)
        patch.setattr(module, technique, noted(calls, technique, function))
        y, cache = layer.forward(params, x, fn.Eval())
        dy = np.asfortranarray(drawn(*y.shape).astype(x.dtype))
        dx, grads = layer.backward(cache, dy)
        again = [layer.forward(params, x, fn.Eval())[0], layer.pull(cache, dy)]
        grads_again, applied = layer.grads(cache, dy), layer.apply(params, x)
    assert calls
    np.testing.assert_array_equal(x, before)
    found = [y, dx, grads["W"], grads["b"]]
    for a, b in zip(found, [*again, grads_again["W"], grads_again["b"]], strict=True):
        np.testing.assert_array_equal(a, b)
    digits = 1e-12 if x.dtype == np.float64 else 1e-5
    for a, b in zip(found, by_definition(case, params, x, dy), strict=True):
        assert a.dtype == x.dtype
        np.testing.assert_allclose(a, b, rtol=digits, atol=digits * np.abs(b).max())
    assert applied.dtype == x.dtype
    np.testing.assert_allclose(applied, y, rtol=digits, atol=digits * np.abs(y).max())


@pytest.mark.parametrize("size", [3, 4, 5])
@pytest.mark.parametrize("name", TECHNIQUES)
@pytest.mark.parametrize("kind", [fn.conv2d, fn.conv_transpose2d])
def test_in_training_windows_of_zeros_give_an_exact_zero(kind: Any, name: str, size: int) -> None:
    layer = kind(4, 6, size, bias=False)
    params = layer.init(fn.Key(0), (4, 16, 16))
    # The windows of a convolution begin at their pixel, those of a transposed one end there.
    shift = 0 if kind is fn.conv2d else size - 1
    for start in range(1, 5):
        x, end = np.abs(drawn(2, 4, 16, 16)), start + 8
        x[:, :, start:end, 2:10] = 0
        with limits(TECHNIQUES[name][0]):
            y, _ = layer.forward(params, x, fn.Train(fn.Key(0)))
        first, last = start + shift, end - size + shift
        zero = y[:, :, first : last + 1, 2 + shift : 11 - size + shift]
        np.testing.assert_array_equal(zero, np.zeros_like(zero))
        assert np.abs(y[:, :, [first - 1, last + 1]]).min() > 0


@pytest.mark.parametrize(("size", "training", "inference"), [(3, 2, 4), (4, 4, 4), (5, 4, 4)])
def test_how_much_worse_than_the_definition_winograd_rounds(
    size: int, training: int, inference: int
) -> None:
    x, layer = drawn(8, 32, 28, 28), fn.conv2d(32, 32, size, pad=size // 2)
    params = layer.init(fn.Key(0), (32, 28, 28))
    exact = layer.apply(fn.tree_map(lambda w: w.astype(float), params), x.astype(float))

    def error(y: Any) -> float:
        return float(np.square(y - exact).mean() ** 0.5)

    with limits(TECHNIQUES["rows of windows"][0]):
        plain = error(layer.apply(params, x))
    assert 0 < plain < error(layer.forward(params, x, fn.Eval())[0]) < training * plain
    assert error(layer.apply(params, x)) < inference * plain


@pytest.mark.parametrize(("rows", "taps"), [(2, 3), (4, 3), (2, 4), (3, 4), (2, 5)])
def test_a_transform_gives_what_a_kernel_of_so_many_rows_gives(rows: int, taps: int) -> None:
    inputs, kernels, outputs = winograd.transform(rows, taps, np.dtype(float))
    w, d = drawn(taps).astype(float), drawn(rows + taps - 1).astype(float)
    y = outputs @ ((kernels @ w) * (inputs @ d))
    np.testing.assert_allclose(y, np.correlate(d, w), rtol=1e-12)


@pytest.mark.parametrize(("channels", "out"), [(3, 16), (8, 16), (8, 32), (16, 1)])
@pytest.mark.parametrize("size", [(3, 3), (3, 5), (2, 3), (5, 5), (6, 3)])
def test_which_technique_is_taken_depends_on_sizes_alone(
    monkeypatch: pytest.MonkeyPatch, size: Any, channels: int, out: int
) -> None:
    calls: list[str] = []
    for name in ("winograd", "by_places", "gather"):
        function = getattr(correlation, name)
        monkeypatch.setattr(correlation, name, noted(calls, name, function))
    layer = fn.conv2d(channels, out, size, pad=1)
    for images in (1, 9):
        x = drawn(images, channels, 16, 16)
        layer.apply(layer.init(fn.Key(0), x.shape[1:]), x)
    wide = channels == 16 or out == 32
    taken = "winograd" if 3 <= size[0] <= 5 and wide else "gather"
    taken = "by_places" if channels == 3 else taken
    assert calls == [taken, taken]


@pytest.mark.parametrize("groups", [1, 8, 16])
@pytest.mark.parametrize(("c", "f"), [(1, 1), (1, 2), (2, 1)])
def test_many_groups_of_few_channels_are_taken_at_once(
    monkeypatch: pytest.MonkeyPatch, c: int, f: int, groups: int
) -> None:
    calls: list[str] = []
    for name in ("depthwise", "depthwise_grads"):
        function = getattr(correlation, name)
        monkeypatch.setattr(correlation, name, noted(calls, name, function))
    layer = fn.conv2d(groups * c, groups * f, 3, groups=groups)
    x = drawn(2, groups * c, 8, 8)
    everything(layer, layer.init(fn.Key(0), x.shape[1:]), x)
    many = groups >= (4 if c * f == 1 else 16)
    assert calls == ["depthwise", "depthwise", "depthwise_grads"] * many


@given(data=st.data())
def test_a_gradient_by_phases_is_the_gradient_scattered(data: st.DataObject) -> None:
    layer, shape = data.draw(st.one_of(conv2d(), conv_transpose2d()))
    params = layer.init(fn.Key(0), shape)
    x = drawn(3, *shape)
    found = []
    for phases, block in [(0, NEVER), (NEVER, NEVER), (NEVER, 1)]:
        with limits([(MANY, NEVER), (PHASES, phases), (BLOCK, block)]):
            found.append(everything(layer, params, x))
    for scattered, *others in zip(*found, strict=True):
        for other in others:
            np.testing.assert_allclose(other, scattered, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "groups", "stride", "taken"),
    [
        (2, 1, 2, "_interleave"),
        (2, 1, 3, "scatter"),
        (1, 1, 2, "scatter"),
        (4, 4, 3, "_interleave"),
    ],
)
def test_few_phases_are_taken_one_by_one(
    monkeypatch: pytest.MonkeyPatch, channels: int, groups: int, stride: int, taken: str
) -> None:
    calls: list[str] = []
    for name in ("scatter", "_interleave"):
        function = getattr(correlation, name)
        monkeypatch.setattr(correlation, name, noted(calls, name, function))
    layer = fn.conv2d(channels, 4, 3, stride, groups=groups)
    x = drawn(2, channels, 9, 9)
    everything(layer, layer.init(fn.Key(0), x.shape[1:]), x)
    assert calls == [taken]
