"""Values to try a layer with: random points, and arithmetic on arrays, tuples of them and trees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .arrays import Array, Shape
from .layer import AnyLayer
from .random import Key, Mode
from .tree import Params, Tree, leaves, tree_map

ROWS = 5
KEY = Key(20150)


class Point(NamedTuple):
    """Where a layer is tried: its parameters, a batch, a mode."""

    params: Params
    x: Any
    mode: Mode


def draw_point(layer: AnyLayer, shape: Any, x: Any, mode: Mode, dtype: Any, draw: int) -> Point:
    """Parameters away from where they start (zeros hide faults) and a random batch."""
    key = KEY.child(draw)
    params = tree_map(
        lambda leaf: leaf + 0.1 * normals(key.child("params"), leaf.shape),
        layer.init(key, shape, np.float64),
    )
    params = tree_map(lambda leaf: leaf.astype(dtype), params)
    if x is None:
        return Point(params, batch_of(key, shape, dtype), mode)
    if holds_integers(x):
        return Point(params, x.copy(), mode)
    nearby = x + 1e-3 * draw * normals(key.child("x"), x.shape)
    return Point(params, nearby.astype(dtype), mode)


def batch_of(key: Key, shape: Any, dtype: Any) -> Any:
    if shape and isinstance(shape[0], tuple):
        return tuple(batch_of(key.child(i), s, dtype) for i, s in enumerate(shape))
    return normals(key.child("x"), (ROWS, *shape)).astype(dtype)


def normals(key: Key, shape: Shape) -> Array:
    return key.generator().standard_normal(shape)


def map_arrays(f: Callable[..., Any], value: Any) -> Any:
    """``f`` on the arrays of an array, a tuple or a tree."""
    if isinstance(value, tuple):
        return tuple(map_arrays(f, part) for part in value)
    return tree_map(f, value) if isinstance(value, Tree) else f(value)


def arrays(value: Any) -> list[Array]:
    if isinstance(value, tuple):
        return [a for part in value for a in arrays(part)]
    if isinstance(value, Tree):
        return [a for _, a in leaves(value)]
    return [] if value is None else [value]


def random_like(value: Any, draw: int) -> Any:
    return map_arrays(
        lambda a: normals(KEY.child("dy").child(draw), a.shape).astype(a.dtype), value
    )


def copied(value: Any) -> Any:
    return map_arrays(lambda a: None if a is None else np.array(a), value)


def cast_to(value: Any, dtype: Any) -> Any:
    return map_arrays(lambda a: a.astype(dtype), value)


def absolute(value: Any) -> Any:
    return map_arrays(np.abs, value)


def first_rows(value: Any, count: int) -> Any:
    return map_arrays(lambda a: a[:count], value)


def move(value: Any, direction: Any, step: float) -> Any:
    if isinstance(value, tuple):
        return tuple(move(v, d, step) for v, d in zip(value, direction, strict=True))
    return value + step * direction


def dot(a: Any, b: Any) -> float:
    return sum(float(np.vdot(u, v)) for u, v in zip(arrays(a), arrays(b), strict=True))


def same_bits(a: Any, b: Any) -> bool:
    pairs = zip(arrays(a), arrays(b), strict=True)
    return all(u.dtype == v.dtype and u.tobytes() == v.tobytes() for u, v in pairs)


def close(a: Any, b: Any) -> bool:
    ours, theirs = arrays(a), arrays(b)
    return len(ours) == len(theirs) and all(
        u.shape == v.shape and np.allclose(u, v, rtol=1e-9, atol=1e-9)
        for u, v in zip(ours, theirs, strict=True)
    )


def dtypes(value: Any) -> set[np.dtype[Any]]:
    return {a.dtype for a in arrays(value)}


def names(value: Any) -> str:
    return " and ".join(sorted(map(str, dtypes(value))))


def holds_integers(x: Any) -> bool:
    return any(a.dtype.kind != "f" for a in arrays(x))


def row_count(x: Any) -> int:
    return len(arrays(x)[0])


def examples(x: Any) -> Any:
    return tuple(examples(part) for part in x) if isinstance(x, tuple) else x.shape[1:]


def batched(rows: int, shape: Any) -> Any:
    if shape and isinstance(shape[0], tuple):
        return tuple(batched(rows, s) for s in shape)
    return (rows, *shape)


def with_leaf(params: Params, path: str, value: Array) -> Params:
    name, _, rest = path.partition("/")
    return params | {name: with_leaf(params[name], rest, value) if rest else value}
