"""What holds for every layer, run over the rows of the table."""

from __future__ import annotations

import contextlib
import inspect
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn

from .layer_table import TABLE, Row

COMBINATORS = {
    "sequential",
    "fan_out",
    "both",
    "concat",
}  # made of layers; tested in test_combinators
KINDS = ("Layer", "Same", "SameImage", "Merge", "Join")

rows = pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])


def constructors() -> set[str]:
    """The public names whose call gives a layer."""
    found = set()
    for name, value in vars(fn).items():
        if not inspect.isfunction(value) or name.startswith("_"):
            continue
        gives = str(value.__annotations__.get("return", ""))
        if gives.partition("[")[0] in KINDS:
            found.add(name)
    return found - COMBINATORS


def test_every_public_constructor_has_a_row() -> None:
    assert constructors() == {row.name for row in TABLE}


@rows
@given(data=st.data())
def test_keeps_the_contract(row: Row, data: st.DataObject) -> None:
    layer, shape = data.draw(row.layers)
    fn.check_layer(layer, shape, batch(layer, shape) if takes_integers(layer) else None)


@rows
@given(data=st.data())
def test_spec_tells_the_parameters(row: Row, data: st.DataObject) -> None:
    layer, shape = data.draw(row.layers)
    spec, _ = layer.spec(shape)
    params = layer.init(fn.Key(0), shape)
    declared = {name: leaf.shape for name, leaf in spec.items() if isinstance(leaf, fn.Leaf)}
    assert declared == {path: v.shape for path, v in fn.leaves(params)}
    assert {v.dtype for _, v in fn.leaves(params)} <= {np.dtype(np.float32)}
    assert all(not v.flags.writeable for _, v in fn.leaves(params))


@rows
@given(data=st.data())
def test_pickles_and_copies(row: Row, data: st.DataObject) -> None:
    layer, shape = data.draw(row.layers)
    again = pickle.loads(pickle.dumps(layer))
    params = layer.init(fn.Key(0), shape)
    x = batch(layer, shape)
    assert_same(again.apply(params, x), layer.apply(params, x))
    assert repr(again) == repr(layer)
    assert pickle.loads(pickle.dumps(params)) == params


@rows
@given(data=st.data())
def test_memory_layout_of_the_input_changes_nothing(row: Row, data: st.DataObject) -> None:
    layer, shape = data.draw(row.layers)
    params, x = layer.init(fn.Key(0), shape), batch(layer, shape)
    if isinstance(x, tuple):
        return
    mode = fn.Train(fn.Key(1))
    y, cache = layer.forward(params, x, mode)
    dx, grads = layer.backward(cache, y)
    for other in (np.asfortranarray(x), np.repeat(x, 2, axis=-1)[..., ::2], _read_only(x)):
        y2, cache2 = layer.forward(params, other, mode)
        np.testing.assert_allclose(y2, y, rtol=1e-5, atol=1e-6)
        dx2, grads2 = layer.backward(cache2, np.asfortranarray(y))
        if dx is not None:
            np.testing.assert_allclose(dx2, dx, rtol=1e-4, atol=1e-5)
        for (_, a), (_, b) in zip(fn.leaves(grads), fn.leaves(grads2), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


@rows
def test_refuses_shapes_that_it_cannot_take(row: Row) -> None:
    layer = example(row)
    for shape in row.refused:
        with pytest.raises(fn.ShapeError) as caught:
            layer.init(fn.Key(0), shape)
        text = str(caught.value)
        assert text.startswith(row.name), text
        assert " expects " in text, text
        assert ", but the input gives " in text, text


@rows
def test_refuses_bad_arguments(row: Row) -> None:
    for call in row.bad:
        with pytest.raises((fn.ConfigError, fn.ArgumentError)) as caught:
            call()
        assert len(str(caught.value)) > 20


JUNK: tuple[Any, ...] = (
    None, -1, 0, 1.5, 10**30, math.nan, math.inf, "x", b"", [], (), (1,), (1, 2, 3), {}, object(),
    np.zeros(2), np.float32(2), fn.relu, fn.relu(), fn.Key(0), fn.Vec,
)  # fmt: skip


@rows
@given(data=st.data())
def test_fuzzed_constructors_raise_only_our_errors(row: Row, data: st.DataObject) -> None:
    arguments = list(row.arguments)
    if arguments:
        arguments[data.draw(st.integers(0, len(arguments) - 1))] = data.draw(st.sampled_from(JUNK))
    try:
        layer = getattr(fn, row.name)(*arguments)
    except fn.FuncnetError:
        return
    assert isinstance(layer, fn.AnyLayer)


@rows
@given(data=st.data())
def test_fuzzed_calls_raise_only_our_errors(row: Row, data: st.DataObject) -> None:
    layer, shape = data.draw(row.layers)
    params, x, mode = layer.init(fn.Key(0), shape), batch(layer, shape), fn.Train(fn.Key(0))
    y, cache = layer.forward(params, x, mode)
    calls: list[tuple[Any, list[Any]]] = [
        (layer.init, [fn.Key(0), shape, np.float32]),
        (layer.spec, [shape]),
        (layer.forward, [params, x, mode]),
        (layer.apply, [params, x]),
        (layer.backward, [cache, y]),
        (layer.pull, [cache, y]),
        (layer.grads, [cache, y]),
        (layer.refresh, [params, cache]),
        (layer.named, ["mine"]),
    ]
    call, arguments = data.draw(st.sampled_from(calls))
    junk = [*JUNK, np.zeros((2, 9, 9)), np.array(1.0), np.array(["a"]), fn.Grads(), shape[:-1]]
    arguments[data.draw(st.integers(0, len(arguments) - 1))] = data.draw(st.sampled_from(junk))
    with np.errstate(all="ignore"), contextlib.suppress(fn.FuncnetError):
        call(*arguments)


def takes_integers(layer: fn.AnyLayer) -> bool:
    return isinstance(layer.record.takes, fn.Tokens)


def batch(layer: fn.AnyLayer, shape: Any) -> Any:
    """A batch of random numbers that ``layer`` takes, for examples of ``shape``."""
    takes: Any = layer.record.takes
    if isinstance(takes, fn.Tokens):
        size: Any = takes.size
        return fn.Key(7).generator().integers(0, size, (4, *shape))
    return floats_of(shape)


def floats_of(shape: Any) -> Any:
    if shape and isinstance(shape[0], tuple):
        return tuple(floats_of(s) for s in shape)
    return fn.Key(7).generator().standard_normal((4, *shape), dtype=np.float32)


def example(row: Row) -> fn.AnyLayer:
    """The row's constructor, called with its good arguments."""
    layer = getattr(fn, row.name)(*row.arguments)
    assert isinstance(layer, fn.AnyLayer)
    return layer


def assert_same(a: Any, b: Any) -> None:
    for u, v in zip(a, b, strict=True) if isinstance(a, tuple) else [(a, b)]:
        np.testing.assert_array_equal(u, v)


def _read_only(x: Any) -> Any:
    copy = x.copy()
    copy.setflags(write=False)
    return copy


def test_sigmoid_keeps_the_digits_of_both_tails() -> None:
    x = np.array([[-80.0, -20.0, 0.0, 20.0]])
    exact = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(fn.sigmoid().apply(fn.NO_PARAMS, x), exact, rtol=1e-14)
    narrow = fn.sigmoid().apply(fn.NO_PARAMS, x.astype("f4"))
    np.testing.assert_allclose(narrow, exact, rtol=1e-6)
