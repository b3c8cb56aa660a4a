"""Data in batches: an immutable sequence that a fold runs over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from typing import Any, Generic, NamedTuple, TypeVar, overload

import numpy as np

from .arguments import function, given, misfit, number, short, whole
from .arrays import Labels, Matrix
from .errors import ArgumentError, ConfigError, ShapeError
from .functions import floats, match
from .kinds import Tokens
from .losses import Loss
from .random import Key
from .training import Batch, StepFunction, TrainState, train_step
from .tree import NO_PARAMS, Params, refuse_params
from .typed import B, Fixed, Net
from .updates import Optimizer

A = TypeVar("A")
T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, repr=False, eq=False)
class Minibatches(Sequence[Batch[A, T]], Generic[A, T]):
    """What ``minibatches`` gives: batch i is a function of the key and i alone."""

    key: Key
    x: A
    t: T
    size: int
    per_epoch: int
    steps: range
    transform: Callable[[Key, A], A] | None = None

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, index: int) -> Batch[A, T]: ...
    @overload
    def __getitem__(self, index: slice) -> Minibatches[A, T]: ...
    def __getitem__(self, index: int | slice) -> Batch[A, T] | Minibatches[A, T]:
        if isinstance(index, slice):
            return replace(self, steps=self.steps[index])
        return self._batch(self.steps[index])

    def __iter__(self) -> Iterator[Batch[A, T]]:
        return map(self._batch, self.steps)

    def since(self, step: int) -> Minibatches[A, T]:
        """Those that remain for a run that has made ``step`` steps."""
        return replace(self, steps=range(max(step, self.steps.start), self.steps.stop))

    def _batch(self, step: int) -> Batch[A, T]:
        epoch, i = divmod(step, self.per_epoch)
        xs: Any = self.x
        ts: Any = self.t
        rows = _order(self.key.child(epoch), len(xs))[i * self.size : (i + 1) * self.size]
        x: A = xs[rows]
        if self.transform is not None:
            x = _transformed(self.transform, self.key.child(epoch).child(i), x)
        return Batch(x, ts[rows])

    def __repr__(self) -> str:
        return f"Minibatches({len(self)} batches of {self.size}, {self.per_epoch} an epoch)"


def _transformed(transform: Callable[[Key, A], A], key: Key, x: Any) -> A:
    y = transform(key, x)
    shape: tuple[int, ...] = getattr(y, "shape", ())
    if not shape:
        raise ArgumentError(f"transform gives an array of examples, not {short(y)}")
    if shape[0] != len(x):
        error = ShapeError(f"{len(x)} examples, one for each target", f"{shape[0]}")
        raise error.within("minibatches", before="transform")
    return y


@lru_cache(maxsize=4)
def _order(key: Key, n: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The order of one epoch; remembered, as every batch of the epoch asks for it."""
    order = key.generator().permutation(n)
    order.setflags(write=False)
    return order


def minibatches(
    key: Key,
    x: A,
    t: T,
    size: int,
    epochs: int = 1,
    drop_last: bool = False,
    transform: Callable[[Key, A], A] | None = None,
) -> Minibatches[A, T]:
    """The batches of ``epochs`` passes over the data, each in an order of its own.

    An immutable sequence: it has a length and an index, and a slice of it resumes a run,
    ``reduce(step, batches[state.step:], state)``. Epoch e is ordered by ``key.child(e)``; its
    last batch is smaller where ``size`` does not divide the data, or left out with ``drop_last``.
    ``transform(key, x)`` is applied to each batch's inputs (augmentation, say), with the key
    ``key.child(e).child(i)`` for batch i.

    Raises ``ShapeError`` where x and t are not as many, or no batch can be made, and at a batch of
    which ``transform`` does not give as many examples as it got.

    >>> batches = minibatches(Key(0), np.arange(10.0), np.arange(10), size=4, epochs=2)
    >>> len(batches), [len(batch.x) for batch in batches[:3]]
    (6, [4, 4, 2])
    """
    _key("minibatches", key)
    if not isinstance(drop_last, bool):
        raise ArgumentError(f"drop_last is True or False, not {short(drop_last)}")
    size, epochs = whole("size", size), whole("epochs", epochs)
    n = _pairs("minibatches", x, t)
    per_epoch = n // size if drop_last else -(-n // size)
    if not per_epoch:
        raise ShapeError(f"data for one batch of {size}", f"{n}").within("minibatches", before="x")
    if transform is not None and not callable(transform):
        raise ArgumentError(f"transform is a function of a key and a batch, not {short(transform)}")
    if transform is not None and (fault := misfit(transform, key, x)):
        raise ArgumentError(
            f"transform is called as transform(key, x): {fault}; it is {given(transform)}"
        )
    return Minibatches(key, x, t, size, per_epoch, range(epochs * per_epoch), transform)


def epochs(
    step: StepFunction[S, A, T], batches: Minibatches[A, T], start: TrainState[S]
) -> Iterator[TrainState[S]]:
    """Train by ``step`` on ``batches``: the states after each epoch, as they come.

    The fold ``accumulate(batches, step, initial=start)``, seen once an epoch. A ``start`` that was
    saved in the middle of a run goes on from its step.

    >>> net, optimizer = dense(2, 1), sgd(0.1)
    >>> step = train_step(net, mean_squared_error(), optimizer)
    >>> start = TrainState.start(net.init(Key(0), (2,)), optimizer, Key(1))
    >>> batches = minibatches(Key(2), np.ones((6, 2)), np.ones((6, 1)), size=2, epochs=3)
    >>> [state.step for state in epochs(step, batches, start)]
    [3, 6, 9]
    """
    function("epochs' step", step, "train_step(net, loss, optimizer)")
    if not isinstance(batches, Minibatches):
        raise ArgumentError(f"epochs takes what minibatches gives second, not {short(batches)}")
    if not isinstance(start, TrainState):
        raise ArgumentError(f"epochs takes a TrainState third, not {short(start)}")
    states = accumulate(batches.since(start.step), step, initial=start)
    return _at_ends(states, start.step, batches.per_epoch)


def _at_ends(
    states: Iterable[TrainState[S]], first: int, per_epoch: int
) -> Iterator[TrainState[S]]:
    return (state for state in states if state.step > first and not state.step % per_epoch)


class Prepared(NamedTuple, Generic[S, A, T]):
    """What ``prepare`` gives: the arguments of ``functools.reduce``, and of ``epochs``."""

    step: StepFunction[S, A, T]
    batches: Minibatches[A, T]
    start: TrainState[S]


def prepare(
    key: Key,
    net: Net[A, Fixed[B]],
    loss: Loss[B, T],
    optimizer: Optimizer[S],
    x: Fixed[A],
    t: Fixed[T],
    size: int,
    epochs: int = 1,
    transform: Fixed[Callable[[Key, A], A]] | None = None,
    params: Params = NO_PARAMS,
) -> Prepared[S, A, T]:
    """All that a run of training folds, from one key: ``(step, batches, start)``.

    The parameters are drawn from ``key.child("init")`` for examples as the batches hold them, the
    ``minibatches``, with their ``transform``, from ``key.child("batches")``, and what the steps
    draw from ``key.child("train")``. The entries of ``params`` stand in place of drawn ones: all
    of a trained network to go on with it, or those of its features.

    Raises ``ParamsError`` for ``params`` that are not this network's.

    >>> data = datasets.digits().train
    >>> net, optimizer = flatten() >> dense(..., 10), sgd(0.5)
    >>> run = prepare(Key(0), net, softmax_cross_entropy(), optimizer, *data, size=100, epochs=2)
    >>> from functools import reduce
    >>> reduce(*run).step, [state.step for state in epochs(*run)]
    (30, [15, 30])
    """
    layer: Any = net
    inputs: Any = x
    targets: Any = t
    change: Any = transform
    if isinstance(net, Key):
        raise ArgumentError("prepare takes (key, net, loss, optimizer, x, t, size), in this order")
    _key("prepare", key)
    step = train_step(net, loss, optimizer)
    if not isinstance(layer.record.takes, Tokens) and isinstance(inputs, np.ndarray):
        floats(inputs)
    batches = minibatches(key.child("batches"), inputs, targets, size, epochs, transform=change)
    if not isinstance(params, Params):
        refuse_params(params)
    shape = inputs.shape[1:] if change is None else batches[0].x.shape[1:]
    begin = layer.init(key.child("init"), shape) | params
    match(layer.spec(shape)[0], begin, shape)
    return Prepared(step, batches, TrainState.start(begin, optimizer, key.child("train")))


def split(key: Key, x: A, t: T, fraction: float) -> tuple[Batch[A, T], Batch[A, T]]:
    """The data cut in two at random: the rest first, then ``fraction`` of it, held out.

    >>> rest, held = split(Key(0), np.arange(10.0), np.arange(10), 0.2)
    >>> len(rest.x), len(held.x)
    (8, 2)
    """
    _key("split", key)
    fraction = number("split's fraction", fraction, "(0, 1)")
    n = _pairs("split", x, t)
    count = round(n * fraction)
    if not 0 < count < n:
        raise ShapeError("data for two parts", f"{n}").within("split", before="x")
    xs: Any = x
    ts: Any = t
    order = key.generator().permutation(n)
    # Sorted, so that each part keeps the order of the data.
    rest, held = np.sort(order[count:]), np.sort(order[:count])
    return Batch(xs[rest], ts[rest]), Batch(xs[held], ts[held])


def one_hot(t: Labels, classes: int) -> Matrix:
    """Rows (n, classes) of float32 that are 1 at the label and 0 elsewhere.

    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    classes = whole("one_hot's classes", classes)
    if not isinstance(t, np.ndarray) or t.dtype.kind not in "iu" or t.ndim != 1:
        raise ArgumentError(f"one_hot takes labels, integers (n,), not {short(t)}")
    if t.size and not 0 <= t.min() <= t.max() < classes:
        raise ConfigError(f"labels lie in [0, {classes}); these reach from {t.min()} to {t.max()}")
    rows = np.zeros((len(t), classes), np.float32)
    rows[np.arange(len(t)), t] = 1
    return rows


def standardise(train: A, *others: A) -> tuple[A, ...]:
    """All arrays with each feature brought to mean 0 and deviation 1 of the first one's.

    The statistics are those of ``train`` over its examples, also for the others: what a network is
    tested on must be scaled as what it learned from. A feature that does not vary stays 0.

    >>> train, test = standardise(np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[5.0, 6.0]]))
    >>> train, test
    (array([[-1.,  0.],
           [ 1.,  0.]]), array([[3., 1.]]))
    """
    arrays: list[Any] = [train, *others]
    for x in arrays:
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f" or not x.ndim:
            raise ArgumentError(f"standardise takes arrays of floats, not {short(x)}")
        if x.shape[1:] != arrays[0].shape[1:]:
            shapes = f"{arrays[0].shape[1:]}", f"{x.shape[1:]}"
            raise ShapeError(f"examples of shape {shapes[0]}", shapes[1]).within("standardise")
    if not len(arrays[0]):
        raise ShapeError("at least one example", "none").within("standardise")
    # Accumulated in float64, whatever the arrays hold.
    mean = arrays[0].mean(0, dtype=np.float64)
    std = arrays[0].std(0, dtype=np.float64)
    std[std == 0] = 1
    return tuple([((x - mean) / std).astype(x.dtype) for x in arrays])


def _key(owner: str, key: Any) -> Key:
    if not isinstance(key, Key):
        raise ArgumentError(f"{owner} takes a Key first, not {short(key)}; write Key(0)")
    return key


def _pairs(owner: str, x: Any, t: Any) -> int:
    """How many examples there are, as many in ``x`` as in ``t``."""
    n, targets = _rows("x", x), _rows("t", t)
    if n != targets:
        raise ShapeError(f"{n} targets, one for each input", f"{targets}").within(owner, before="t")
    return n


def _rows(name: str, x: Any) -> int:
    if not isinstance(x, np.ndarray) or not x.ndim:
        raise ArgumentError(
            f"{name} is an array with one entry for each example, not {short(x)}; "
            f"write np.array({name})"
        )
    return len(x)
