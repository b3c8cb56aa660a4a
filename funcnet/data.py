"""Data in batches: an immutable sequence that a fold runs over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Generic, TypeVar, overload

import numpy as np

from .arguments import short, whole
from .errors import ArgumentError, ShapeError
from .random import Key
from .training import Batch

A = TypeVar("A")
T = TypeVar("T")


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

    def _batch(self, step: int) -> Batch[A, T]:
        epoch, i = divmod(step, self.per_epoch)
        xs: Any = self.x
        ts: Any = self.t
        rows = _order(self.key.child(epoch), len(xs))[i * self.size : (i + 1) * self.size]
        x: A = xs[rows]
        if self.transform is not None:
            x = self.transform(self.key.child(epoch).child(i), x)
        return Batch(x, ts[rows])

    def __repr__(self) -> str:
        return f"Minibatches({len(self)} batches of {self.size}, {self.per_epoch} an epoch)"


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

    Raises ``ShapeError`` where x and t are not as many, or no batch can be made.

    >>> batches = minibatches(Key(0), np.arange(10.0), np.arange(10), size=4, epochs=2)
    >>> len(batches), [len(batch.x) for batch in batches[:3]]
    (6, [4, 4, 2])
    """
    if not isinstance(key, Key):
        raise ArgumentError(f"minibatches takes a Key first, not {short(key)}; write Key(0)")
    if not isinstance(drop_last, bool):
        raise ArgumentError(f"drop_last is True or False, not {short(drop_last)}")
    size, epochs = whole("size", size), whole("epochs", epochs)
    n, targets = _rows("x", x), _rows("t", t)
    if n != targets:
        raise ShapeError(f"{n} targets, one for each input", f"{targets}").within(
            "minibatches", before="t"
        )
    per_epoch = n // size if drop_last else -(-n // size)
    if not per_epoch:
        raise ShapeError(f"data for one batch of {size}", f"{n}").within("minibatches", before="x")
    if transform is not None and not callable(transform):
        raise ArgumentError(f"transform is a function of a key and a batch, not {short(transform)}")
    return Minibatches(key, x, t, size, per_epoch, range(epochs * per_epoch), transform)


def _rows(name: str, x: Any) -> int:
    if not isinstance(x, np.ndarray) or not x.ndim:
        raise ArgumentError(
            f"{name} is an array with one entry for each example, not {short(x)}; "
            f"write np.array({name})"
        )
    return len(x)
