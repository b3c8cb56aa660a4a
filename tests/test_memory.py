"""What image layers hold in memory: activations and a block of scratch, no matrix of windows."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import funcnet as fn
from funcnet import windows

LITTLE = 100_000  # bytes of Python's own: names, tuples, the tracing itself


class Traced(NamedTuple):
    """Bytes above what was there before a call: still held after it, and at most during it."""

    held: int
    peak: int
    value: Any


def traced(call: Callable[[], Any]) -> Traced:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        value = call()
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Traced(held - before, peak - before, value)


def images(n: int, channels: int = 1) -> Any:
    return fn.Key(1).generator().standard_normal((n, channels, 28, 28), dtype=np.float32)


NET = (
    fn.conv2d(1, 16, 5, pad=2)
    >> fn.relu()
    >> fn.conv2d(16, 16, 3, pad=1)
    >> fn.batch_norm()
    >> fn.local_response_norm()
    >> fn.max_pool2d(2)
    >> fn.conv_transpose2d(16, 16, 2, stride=2)
    >> fn.avg_pool2d(2)
    >> fn.global_avg_pool2d()
    >> fn.dense(16, 10)
)
LAYERS = (
    fn.conv2d(4, 4, 5, pad=2),
    fn.conv2d(4, 4, 5, pad=2, groups=2),
    fn.conv_transpose2d(4, 4, 4, stride=2),
    fn.max_pool2d(3, stride=1),
    fn.avg_pool2d(3, stride=1),
    fn.global_avg_pool2d(),
    fn.local_response_norm(),
)


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> int:
    """The bytes that windows may take, of blocks made small: a few, as one is made from another."""
    monkeypatch.setattr(windows, "BLOCK", 1 << 16)
    return 4 * 4 * windows.BLOCK


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_a_cache_holds_inputs_and_outputs_alone(layer: fn.AnyLayer) -> None:
    x = images(16, 4)
    params = layer.init(fn.Key(0), x.shape[1:])
    layer.forward(params, x, fn.Eval())  # what is made once, at the first call
    found = traced(lambda: layer.forward(params, x, fn.Train(fn.Key(0))))
    y, _ = found.value
    assert found.held < y.nbytes + LITTLE / 10


def test_a_network_keeps_no_more_than_its_activations() -> None:
    x = images(32)
    params = NET.init(fn.Key(0), (1, 28, 28))
    activations = sum(y.nbytes for y in fn.trace(NET, params, x).values())
    found = traced(lambda: NET.forward(params, x, fn.Train(fn.Key(0))))
    assert found.held < activations + LITTLE


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_apply_holds_input_output_and_scratch(layer: fn.AnyLayer, scratch: int) -> None:
    x = images(256, 4)
    params = layer.init(fn.Key(0), x.shape[1:])
    layer.apply(params, x[:1])
    found = traced(lambda: layer.apply(params, x))
    assert found.peak < found.value.nbytes + scratch < x.nbytes * 5


def test_a_network_holds_two_neighbouring_activations_and_scratch(scratch: int) -> None:
    x = images(64)
    params = NET.init(fn.Key(0), (1, 28, 28))
    sizes = [y.nbytes for y in fn.trace(NET, params, x).values()]
    neighbours = max(a + b for a, b in zip([x.nbytes, *sizes[:-1]], sizes, strict=True))
    # Scratch is blocks of float32: one is gathered while the last is held, and its product made.
    scratch = 4 * 4 * windows.BLOCK
    assert scratch < neighbours / 6
    assert traced(lambda: NET.apply(params, x)).peak < neighbours + scratch


def test_prediction_holds_a_chunk_however_many_images_there_are() -> None:
    net = fn.conv2d(1, 4, 5, stride=2) >> fn.relu() >> fn.conv2d(4, 8, 3) >> fn.global_avg_pool2d()
    params = net.init(fn.Key(0), (1, 28, 28))
    x = np.zeros((10_000, 1, 28, 28), np.float32)
    chunk = traced(lambda: fn.predict(net, params, x[:256]))
    found = traced(lambda: fn.predict(net, params, x))
    outputs = found.value.nbytes
    assert found.peak < chunk.peak + 2 * outputs + LITTLE
    assert found.peak < x.nbytes / 3
