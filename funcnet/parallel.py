"""A batch divided among threads of one process: its gradient, sooner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from .arguments import whole
from .errors import ParamsError
from .metrics import count_pairs, take_examples
from .random import Mode, Train
from .threads import at_once, blas_for, split_evenly
from .training import (
    A_contra,
    T_contra,
    ValueAndGrad,
    check_gradient_function,
    checked_gradient,
)
from .tree import Grads, Params, Tree

# Not those of ``typed``, with whose defaults mypy would let anything pass for a function here.
A = TypeVar("A")
T = TypeVar("T")


def data_parallel(value_and_grad: ValueAndGrad[A, T], workers: int = 2) -> ValueAndGrad[A, T]:
    """The function that cuts a batch into chunks and computes them at the same time.

    It is called as ``value_and_grad`` is, and goes to ``gradient_step``. The chunks, ``workers``
    of them or as many as there are examples, follow each other in the batch and differ by one
    example at most. Each runs in a thread of its own. Value and gradients are the means over the
    chunks, weighted by their sizes. For a loss that is a mean over the batch they are those of the
    whole batch, up to rounding, but for what a network draws or computes across examples:

    * chunk i draws from ``key.child(i)``: dropout's mask is another one;
    * ``batch_norm`` normalises by the statistics of the chunk, as for a smaller batch;
    * what ``refresh`` moves, running statistics, becomes the weighted mean over the chunks.

    A batch that makes one chunk, with one worker or one example, goes to ``value_and_grad`` as it
    is. The same arguments give the same result to the bit, however the threads take turns. An
    error in a chunk is raised as it is; of several, that of the first chunk.

    Meanwhile BLAS, whose own threads would be in the way, is limited to one, as a rule for the
    whole process. So a network of convolutions, whose many small products these threads do not
    speed up, gains most, and one of large dense layers little. It pays for steps of some
    milliseconds: a thread costs about a tenth of one. A third worker gains little, and four are
    slower than two, as workers wait for each other where Python itself runs.

    Raises ``MissingExtraError`` where threadpoolctl, which limits it, is not installed, and at a
    call ``ShapeError`` where x and t are not as many.

    >>> net, optimizer = dense(2, 1), sgd(0.1)
    >>> f = data_parallel(value_and_grad(net, mean_squared_error()))
    >>> params = Params({"W": np.zeros((2, 1)), "b": np.zeros(1)})
    >>> value, grads, _ = f(params, np.ones((5, 2)), np.ones((5, 1)), Eval())
    >>> value, grads["b"]
    (1.0, array([-2.]))
    >>> step = gradient_step(f, optimizer)
    >>> start = TrainState.start(params, optimizer, Key(0))
    >>> step(start, Batch(np.ones((5, 2)), np.ones((5, 1)))).params["b"]
    array([0.2])
    """
    check_gradient_function("data_parallel", value_and_grad)
    workers = whole("data_parallel's workers", workers)
    return DataParallel(value_and_grad, workers, blas_for("data_parallel"))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class DataParallel(Generic[A_contra, T_contra]):
    """What ``data_parallel`` gives; ``blas`` controls the libraries that it limits."""

    value_and_grad: ValueAndGrad[A_contra, T_contra]
    workers: int
    blas: Any

    def __call__(
        self, params: Params, x: A_contra, t: T_contra, mode: Mode
    ) -> tuple[float, Grads, Params]:
        n = count_pairs("data_parallel", x, t)
        chunks = split_evenly(n, self.workers)
        if len(chunks) < 2:
            return self.value_and_grad(params, x, t, mode)
        chunk = partial(chunk_gradient, self.value_and_grad, params, x, t, mode, chunks)
        found = at_once([partial(chunk, i) for i in range(len(chunks))], self.blas)
        return _combined(found, shares_of(chunks))

    def __reduce__(self) -> tuple[Any, ...]:
        # The libraries are of this process; another looks for its own.
        return data_parallel, (self.value_and_grad, self.workers)


def chunk_gradient(
    value_and_grad: ValueAndGrad[A, T],
    params: Params,
    x: A,
    t: T,
    mode: Mode,
    chunks: Sequence[slice],
    i: int,
) -> tuple[float, Grads, Params]:
    """What the function gives of chunk i. A single chunk draws what the whole batch would."""
    if isinstance(mode, Train) and len(chunks) > 1:
        mode = Train(mode.key.child(i))
    x, t = take_examples(x, chunks[i]), take_examples(t, chunks[i])
    return value_and_grad(params, x, t, mode)


def shares_of(chunks: Sequence[slice]) -> list[float]:
    """Which share of the examples each chunk has, of chunks that follow each other."""
    return [(chunk.stop - chunk.start) / chunks[-1].stop for chunk in chunks]


def _combined(found: Sequence[Any], shares: Sequence[float]) -> tuple[float, Grads, Params]:
    values, grads, params = zip(*map(checked_gradient, found), strict=True)
    value = sum(share * value for share, value in zip(shares, values, strict=True))
    return value, _mean(grads, shares), _mean(params, shares)


def _mean(values: Sequence[Any], shares: Sequence[float]) -> Any:
    """The mean of trees or leaves, weighted by ``shares``; what they all share, as it is."""
    first = values[0]
    if all(value is first for value in values):
        return first
    forms = [tuple(value) if isinstance(value, Tree) else value.shape for value in values]
    if any(form != forms[0] for form in forms):
        raise ParamsError(f"the chunks of a batch give trees of one form; these hold {forms}")
    if isinstance(first, Tree):
        return first.fresh({k: _mean([value[k] for value in values], shares) for k in first})
    total = first * shares[0]
    for value, share in zip(values[1:], shares[1:], strict=True):
        total += value * share
    return total
