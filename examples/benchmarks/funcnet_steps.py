"""The settings of funcnet that are timed: the fastest counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from timing import Contestant, Step, joined, on_threads

import funcnet as fn

NAME = "funcnet"
LOSS = fn.softmax_cross_entropy()
PREDICTED_AT_A_TIME = (100, 256)


def training(
    net: fn.Layer[Any, Any],
    optimizer: fn.Optimizer[Any],
    batches: Sequence[fn.Batch[Any, Any]],
    shape: tuple[int, ...],
    threads: Sequence[int],
) -> list[Contestant]:
    """The step with BLAS on each number of ``threads``, and divided among threads."""
    start = fn.TrainState.start(net.init(fn.Key(0), shape), optimizer, fn.Key(1))
    whole = fn.train_step(net, LOSS, optimizer)
    found = on_threads(NAME, "", repeated(whole, start, batches), threads)
    for workers in divisions(threads):
        parallel = fn.data_parallel(fn.value_and_grad(net, LOSS), workers=workers)
        step = repeated(fn.gradient_step(parallel, optimizer), start, batches)
        found.append(Contestant(NAME, f"data_parallel, {workers} workers", step))
    return found


def repeated(
    step: Callable[[fn.TrainState[Any], fn.Batch[Any, Any]], fn.TrainState[Any]],
    start: fn.TrainState[Any],
    batches: Sequence[fn.Batch[Any, Any]],
) -> Step:
    """One training step a call; the state goes from call to call, as in a loop."""
    state = start

    def run(i: int) -> object:
        nonlocal state
        state = step(state, batches[i % len(batches)])
        return state.loss

    return run


def divisions(threads: Sequence[int]) -> list[int]:
    """Into how many shares to divide: two, and one for each core.

    Each share has BLAS on one thread of its own, so there are none where those cannot be set.

    >>> divisions([1, 4]), divisions([1, 2]), divisions([1]), divisions([4])
    ([2, 4], [2], [], [])
    """
    return sorted({2, max(threads)}) if 1 in threads and max(threads) > 1 else []


def inference(
    net: fn.Layer[Any, Any], shape: tuple[int, ...], x: fn.Tensor4, threads: int
) -> list[Contestant]:
    """``predict`` by parts of several sizes, in one thread and in as many as there are cores."""
    params, found = net.init(fn.Key(0), shape), []
    for size in PREDICTED_AT_A_TIME:
        for workers in sorted({1, threads}):
            setting = joined(f"{size} at a time", f"{workers} workers" if workers > 1 else "")
            read = reading(net, params, x, size, workers)
            found.append(Contestant(NAME, setting, read, threads))
    return found


def reading(
    net: fn.Layer[Any, Any], params: fn.Params, x: fn.Tensor4, size: int, workers: int
) -> Step:
    return lambda _: fn.predict(net, params, x, size, workers)
