"""What brings the arrays of a tuple together: their sum, their product, all of them in a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .arrays import Array, channels_first, channels_last, dims, feature_axis
from .errors import ShapeError
from .fans import total
from .functions import Spec, functions, no_grads
from .kinds import Flow, Image, Kind, Seq, Vec
from .layer import Record
from .random import Mode
from .tree import NO_GRADS, Grads, Params
from .typed import Join, Merge


def plus_forward(params: Params, xs: tuple[Any, ...], mode: Mode) -> tuple[Any, int]:
    return total(xs), len(xs)


def plus_backward(count: int, dy: Any) -> tuple[tuple[Any, ...], Grads]:
    return (dy,) * count, NO_GRADS


def plus() -> Merge:
    """The sum of the arrays in a tuple: what ends a fan.

    >>> net = fan_out(dense(3, 2), dense(3, 2)) >> plus()
    >>> net.spec((3,))[1]
    (2,)
    """
    made = functions(forward=plus_forward, backward=plus_backward, grads=no_grads)
    return Merge.of(Record("plus", made._replace(spec=alike_spec, flow=alike_flow), "plus()"))


def times_forward(
    params: Params, xs: tuple[Array, ...], mode: Mode
) -> tuple[Array, tuple[Array, ...]]:
    return _product(xs), xs


def times_backward(xs: tuple[Array, ...], dy: Array) -> tuple[tuple[Array, ...], Grads]:
    others = [xs[:i] + xs[i + 1 :] for i in range(len(xs))]
    return tuple([dy * _product(rest) if rest else dy for rest in others]), NO_GRADS


def _product(xs: tuple[Array, ...]) -> Array:
    y = xs[0] * xs[1] if len(xs) > 1 else xs[0].copy()
    for x in xs[2:]:
        y *= x
    return y


def times() -> Merge:
    """The product of the arrays in a tuple, element by element: a gate.

    >>> net = fan_out(dense(3, 2), dense(3, 2) >> sigmoid()) >> times()
    >>> net.spec((3,))[1]
    (2,)
    """
    made = functions(forward=times_forward, backward=times_backward, grads=no_grads)
    return Merge.of(Record("times", made._replace(spec=alike_spec, flow=alike_flow), "times()"))


def join_forward(params: Params, xs: tuple[Array, ...], mode: Mode) -> tuple[Array, list[int]]:
    ends = np.cumsum([x.shape[feature_axis(x)] for x in xs]).tolist()
    if xs[0].ndim == 4:  # so that the result lies channels-last in memory, as its parts do
        return channels_first(np.concatenate([channels_last(x) for x in xs], axis=3)), ends
    return np.concatenate(xs, axis=-1), ends


def join_backward(ends: list[int], dy: Array) -> tuple[tuple[Array, ...], Grads]:
    return tuple(np.split(dy, ends[:-1], axis=feature_axis(dy))), NO_GRADS


def join_spec(shapes: Any) -> tuple[Spec, Any]:
    _check_tuple(shapes)
    axis = 0 if len(shapes[0]) == 3 else -1
    rests = [tuple(np.delete(np.array(shape, int), axis).tolist()) for shape in shapes if shape]
    if len(rests) < len(shapes) or len({(len(r), r) for r in rests}) > 1:
        raise _unlike("outputs that differ in their features alone, to join", map(dims, shapes))
    out = list(shapes[0])
    out[axis] = sum(shape[axis] for shape in shapes)
    return {}, tuple(out)


def join_flow(flow: Flow) -> Flow:
    kinds = _kinds(flow)
    if not kinds or not all(type(kind) is type(kinds[0]) for kind in kinds):
        if len({type(kind) for kind in kinds}) > 1:
            raise _unlike("outputs of one kind to join", map(_words, kinds))
        return None
    sizes = [kind.size for kind in kinds if isinstance(kind, Vec | Image | Seq)]
    known = isinstance(flow, tuple) and len(sizes) == len(flow) and ... not in sizes
    made: Any = type(kinds[0])
    joined: Flow = made(sum(n for n in sizes if n is not ...) if known else ...) if sizes else None
    return joined


def join() -> Join:
    """The arrays in a tuple in a row: along the features, or the channels of images.

    >>> net = fan_out(dense(3, 2), dense(3, 4)) >> join()
    >>> net.spec((3,))[1]
    (6,)
    """
    made = functions(forward=join_forward, backward=join_backward, grads=no_grads)
    return Join.of(Record("join", made._replace(spec=join_spec, flow=join_flow), "join()"))


# ---- what they take ----------------------------------------------------------------------------


def alike_spec(shapes: Any) -> tuple[Spec, Any]:
    _check_tuple(shapes)
    if len(set(shapes)) > 1:
        raise _unlike("outputs of one shape to add", map(dims, shapes))
    return {}, shapes[0]


def alike_flow(flow: Flow) -> Flow:
    known = _kinds(flow)
    for kind in known[1:]:
        if not _addable(known[0], kind):
            raise _unlike("outputs of one shape to add", map(_words, known))
    return known[0] if known else None


def _check_tuple(shapes: Any) -> None:
    if not shapes or not isinstance(shapes[0], tuple):
        raise ShapeError("a tuple, as fan_out gives", f"one example of shape {dims(shapes)}")


def _kinds(flow: Flow) -> list[Flow]:
    """What is known of the parts of a tuple."""
    if not isinstance(flow, tuple):
        if flow is not None:
            raise ShapeError("a tuple, as fan_out gives", flow.words())
        return []
    return [kind for kind in flow if kind is not None]


def _unlike(expected: str, sizes: Iterable[str]) -> ShapeError:
    error = ShapeError(expected, " and ".join(sizes))
    error.before = "what comes in"
    return error


def _addable(a: Flow, b: Flow) -> bool:
    if isinstance(a, Kind) and isinstance(b, Kind):
        sizes = [kind.size for kind in (a, b) if kind.size is not ...]
        return type(a) is type(b) and len(set(sizes)) < 2
    return isinstance(a, tuple) == isinstance(b, tuple)


def _words(flow: Flow) -> str:
    return flow.words() if isinstance(flow, Kind) else "a tuple"
