"""``check_layer``: everything that the contract asks of a layer, tried out on one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .arrays import Array, Shape, shape_of
from .composition import refuse
from .errors import ArgumentError, LayerCheckError
from .functions import Leaf, Spec
from .initializers import zeros
from .layer import AnyLayer, example_shape
from .random import EVAL, Key, Mode, Train
from .tree import Grads, Params, Tree, leaves, tree_map

_ROWS = 5
_STEP = 1e-5  # of the differences; float64 leaves about 10 digits of them
_TOLERANCE = 1e-5
_DRAWS = 30  # points tried before a layer counts as nowhere smooth
_KEY = Key(20150)


class Point(NamedTuple):
    """Where a layer is tried: its parameters, a batch, a mode."""

    params: Params
    x: Any
    mode: Mode


def check_layer(layer: AnyLayer, shape: Shape, x: Any = None) -> None:
    """Raise ``LayerCheckError``, naming what fails, unless ``layer`` keeps the contract.

    In Eval, and in Train with one fixed key, for examples of ``shape``: the declared shapes are
    the real ones; gradients of input and parameters agree with differences along random
    directions in float64 (drawn again where they cross a kink); nothing that was passed in is
    written to; nothing that was handed out changes later; the same call gives the same bits;
    float32 stays float32, and inputs of another width are cast to the parameters'; ``apply`` is
    ``forward`` in Eval, and ``backward`` is ``pull`` and ``grads``. ``x`` is a batch to use in
    place of random numbers: for layers that take integers, say.

    >>> check_layer(dense(3, 2) >> tanh(), (3,))
    """
    if not isinstance(layer, AnyLayer):
        refuse(layer)
    shape = example_shape(shape)
    if x is not None and (not isinstance(x, np.ndarray) or x.shape[1:] != shape or not len(x)):
        raise ArgumentError(f"x is a batch of examples of shape {shape}, not {x!r:.60}")
    try:
        _check_declared(layer, shape)
        for mode in (EVAL, Train(_KEY)):
            narrow = _point(layer, shape, x, mode, np.float32, 0)
            _check_passes(layer, narrow, _point(layer, shape, x, mode, np.float32, 1))
            _check_dtypes(layer, narrow)
            wide = _point(layer, shape, x, mode, np.float64, 0)
            _check_halves(layer, wide)
            _check_gradients(layer, shape, x, mode)
    except LayerCheckError as error:
        raise error.within(layer.name) from None


# ---- what is declared --------------------------------------------------------------------------


def _check_declared(layer: AnyLayer, shape: Shape) -> None:
    (spec, out), (spec_again, out_again) = layer.spec(shape), layer.spec(shape)
    if out != out_again or _sizes(spec) != _sizes(spec_again):
        _fail("spec gives something else each time")
    if layer.init(_KEY, shape) != layer.init(_KEY, shape):
        _fail("init draws other parameters from the same key")


def _check_output(layer: AnyLayer, point: Point, y: Any, grads: Grads) -> None:
    rows, shape = _rows(point.x), _examples(point.x)
    spec, out = layer.spec(shape)
    want = _batched(rows, out)
    if shape_of(y) != want:
        _fail(f"spec declares outputs of shape {want}, forward gives {shape_of(y)}", point)
    trained = {path: leaf.shape for path, leaf in _leaves_of(spec) if leaf.trained}
    given = {path: g.shape for path, g in leaves(grads)}
    if trained != given:
        _fail(f"spec declares trained leaves {trained}, backward gives gradients {given}", point)


# ---- purity ------------------------------------------------------------------------------------


def _check_passes(layer: AnyLayer, point: Point, other: Point) -> None:
    """One pass, another at a different point, and the first again: all must be as it was."""
    params, x, mode = point
    before = _copy(x)
    y, cache = layer.forward(params, x, mode)
    if not _same(x, before):
        _fail("forward writes to its input", point)
    dy = _like(y, 0)
    dy_before, y_before = _copy(dy), _copy(y)
    dx, grads = layer.backward(cache, dy)
    if not _same(dy, dy_before):
        _fail("backward writes to the gradient it is given", point)
    if not _same(x, before) or not _same(y, y_before):
        _fail("backward writes to the input or the output", point)
    _check_output(layer, point, y, grads)
    refreshed = layer.refresh(params, cache)
    _check_refreshed(params, refreshed, mode, point)
    first = (y_before, _copy(dx), _copy(grads), _copy(refreshed))

    other_y, other_cache = layer.forward(*other)
    layer.backward(other_cache, _like(other_y, 1))
    layer.apply(other.params, other.x)
    if not _same((y, dx, grads, refreshed), first):
        _fail("what an earlier pass handed out was changed by a later one", point)
    if not _same(layer.backward(cache, dy), first[1:3]):
        _fail("a cache was changed by a later pass: backward gives another gradient", point)

    y_again, cache_again = layer.forward(params, x, mode)
    again = (y_again, *layer.backward(cache_again, dy), layer.refresh(params, cache_again))
    if not _same(again, first):
        _fail("the same call gives other results: there is hidden state or randomness", point)


def _check_refreshed(params: Params, refreshed: Params, mode: Mode, point: Point) -> None:
    kept = [(path, v.shape, v.dtype) for path, v in leaves(params)]
    if [(path, v.shape, v.dtype) for path, v in leaves(refreshed)] != kept:
        _fail("refresh changes names, shapes or dtypes", point)
    if mode == EVAL and refreshed != params:
        _fail("refresh changes parameters after a pass in Eval", point)


# ---- dtypes ------------------------------------------------------------------------------------


def _check_dtypes(layer: AnyLayer, point: Point) -> None:
    params, x, mode = point
    _check_width(layer, point, np.float32, "float32 parameters and inputs")
    if not params or _holds_integers(x):
        return
    _check_width(layer, Point(params, _cast(x, np.float64), mode), np.float32, "float64 inputs")
    wide = tree_map(lambda leaf: leaf.astype(np.float64), params)
    _check_width(layer, Point(wide, x, mode), np.float64, "float64 parameters")
    half = tree_map(lambda leaf: leaf.astype(np.float16), params)
    y = layer.apply(half, x)
    if _dtypes(y) != {np.dtype(np.float32)}:
        _fail(f"float16 parameters give {_names(y)}; they are computed with in float32", point)


def _check_width(layer: AnyLayer, point: Point, dtype: Any, given: str) -> None:
    y, cache = layer.forward(*point)
    dx, grads = layer.backward(cache, _like(y, 0))
    results = {
        "outputs": y,
        "outputs of apply": layer.apply(point.params, point.x),
        "input gradients": None if _holds_integers(point.x) else dx,
        "parameter gradients": grads,
        "refreshed parameters": layer.refresh(point.params, cache),
    }
    for what, values in results.items():
        if _dtypes(values) - {np.dtype(dtype)}:
            mend = "; call x = cast(x, params) first" if "inputs" in given else ""
            _fail(f"{given} give {what} of {_names(values)}, not {np.dtype(dtype)}{mend}", point)


# ---- the passes agree --------------------------------------------------------------------------


def _check_halves(layer: AnyLayer, point: Point) -> None:
    params, x, mode = point
    y, cache = layer.forward(params, x, mode)
    dy = _like(y, 0)
    dx, grads = layer.backward(cache, dy)
    if not _holds_integers(x) and not _close(layer.pull(cache, dy), dx):
        _fail("pull is not the first half of backward", point)
    if not _close(layer.grads(cache, dy), grads):
        _fail("grads is not the second half of backward", point)
    if mode == EVAL and not _close(layer.apply(params, x), y):
        _fail("apply is not forward in Eval", point)
    none = _first(x, 0)
    if mode == EVAL and shape_of(layer.apply(params, none)) != _batched(
        0, layer.spec(_examples(x))[1]
    ):
        _fail("apply on no examples does not give no outputs", point)


# ---- gradients ---------------------------------------------------------------------------------


def _check_gradients(layer: AnyLayer, shape: Any, x: Any, mode: Mode) -> None:
    point = _point(layer, shape, x, mode, np.float64, 0)
    trained = [path for path, leaf in _leaves_of(layer.spec(shape)[0]) if leaf.trained]
    inputs = [] if _holds_integers(point.x) else [""]
    for path in [*inputs, *trained]:
        for draw in range(_DRAWS):
            point = _point(layer, shape, x, mode, np.float64, draw)
            if _agrees(layer, point, path, draw):
                break
        else:
            _fail(f"no point found where {path or 'the input'} has a gradient", point)


def _agrees(layer: AnyLayer, point: Point, path: str, draw: int) -> bool:
    """Whether gradient and differences agree along a direction; False where there is a kink."""
    params, x, mode = point
    y, cache = layer.forward(params, x, mode)
    dy = _like(y, draw)
    dx, grads = layer.backward(cache, dy)
    at = dict(leaves(params))[path] if path else x
    gradient = dict(leaves(grads))[path] if path else dx
    direction = _like(at, draw + 1000)

    def along(step: float) -> float:
        moved = _moved(at, direction, step)
        here = (_with(params, path, moved), x) if path else (params, moved)
        return _dot(dy, layer.forward(*here, mode)[0])

    wide, close = [(along(h) - along(-h)) / (2 * h) for h in (_STEP, _STEP / 2)]
    analytic = _dot(gradient, direction)
    size = abs(close) + abs(analytic) + 1e-4 * _dot(_absolute(dy), _absolute(y)) + 1e-6
    if abs(wide - close) > _TOLERANCE * size:
        return False
    if abs(close - analytic) > _TOLERANCE * size:
        of = path or "the input"
        _fail(
            f"backward gives a wrong gradient of {of}: {analytic:.8g} along a random direction, "
            f"where differences give {close:.8g}",
            point,
        )
    return True


# ---- points, and arithmetic on arrays, tuples of them and trees --------------------------------


def _point(layer: AnyLayer, shape: Any, x: Any, mode: Mode, dtype: Any, draw: int) -> Point:
    """Parameters away from where they start (zeros hide faults) and a random batch."""
    key = _KEY.child(draw)
    params = tree_map(
        lambda leaf: leaf + 0.1 * _normal(key.child("params"), leaf.shape),
        layer.init(key, shape, np.float64),
    )
    params = tree_map(lambda leaf: leaf.astype(dtype), params)
    if x is None:
        return Point(params, _batch(key, shape, dtype), mode)
    if _holds_integers(x):
        return Point(params, x.copy(), mode)
    nearby = x + 1e-3 * draw * _normal(key.child("x"), x.shape)
    return Point(params, nearby.astype(dtype), mode)


def _batch(key: Key, shape: Any, dtype: Any) -> Any:
    if shape and isinstance(shape[0], tuple):
        return tuple(_batch(key.child(i), s, dtype) for i, s in enumerate(shape))
    return _normal(key.child("x"), (_ROWS, *shape)).astype(dtype)


def _normal(key: Key, shape: Shape) -> Array:
    return key.generator().standard_normal(shape)


def _map(f: Callable[..., Any], value: Any) -> Any:
    """``f`` on the arrays of an array, a tuple or a tree."""
    if isinstance(value, tuple):
        return tuple(_map(f, part) for part in value)
    return tree_map(f, value) if isinstance(value, Tree) else f(value)


def _arrays(value: Any) -> list[Array]:
    if isinstance(value, tuple):
        return [a for part in value for a in _arrays(part)]
    if isinstance(value, Tree):
        return [a for _, a in leaves(value)]
    return [] if value is None else [value]


def _like(value: Any, draw: int) -> Any:
    return _map(lambda a: _normal(_KEY.child("dy").child(draw), a.shape).astype(a.dtype), value)


def _copy(value: Any) -> Any:
    return _map(lambda a: None if a is None else np.array(a), value)


def _cast(value: Any, dtype: Any) -> Any:
    return _map(lambda a: a.astype(dtype), value)


def _absolute(value: Any) -> Any:
    return _map(np.abs, value)


def _first(value: Any, count: int) -> Any:
    return _map(lambda a: a[:count], value)


def _moved(value: Any, direction: Any, step: float) -> Any:
    if isinstance(value, tuple):
        return tuple(_moved(v, d, step) for v, d in zip(value, direction, strict=True))
    return value + step * direction


def _dot(a: Any, b: Any) -> float:
    return sum(float(np.vdot(u, v)) for u, v in zip(_arrays(a), _arrays(b), strict=True))


def _same(a: Any, b: Any) -> bool:
    pairs = zip(_arrays(a), _arrays(b), strict=True)
    return all(u.dtype == v.dtype and u.tobytes() == v.tobytes() for u, v in pairs)


def _close(a: Any, b: Any) -> bool:
    ours, theirs = _arrays(a), _arrays(b)
    return len(ours) == len(theirs) and all(
        u.shape == v.shape and np.allclose(u, v, rtol=1e-9, atol=1e-9)
        for u, v in zip(ours, theirs, strict=True)
    )


def _dtypes(value: Any) -> set[np.dtype[Any]]:
    return {a.dtype for a in _arrays(value)}


def _names(value: Any) -> str:
    return " and ".join(sorted(map(str, _dtypes(value))))


def _holds_integers(x: Any) -> bool:
    return any(a.dtype.kind != "f" for a in _arrays(x))


def _rows(x: Any) -> int:
    return len(_arrays(x)[0])


def _examples(x: Any) -> Any:
    return tuple(_examples(part) for part in x) if isinstance(x, tuple) else x.shape[1:]


def _batched(rows: int, shape: Any) -> Any:
    if shape and isinstance(shape[0], tuple):
        return tuple(_batched(rows, s) for s in shape)
    return (rows, *shape)


def _leaves_of(spec: Spec, path: str = "") -> list[tuple[str, Leaf]]:
    found: list[tuple[str, Leaf]] = []
    for name, entry in spec.items():
        if isinstance(entry, Leaf):
            found.append((path + name, entry))
        else:
            found += _leaves_of(entry, f"{path}{name}/")
    return found


def _sizes(spec: Spec) -> list[Any]:
    return [(path, leaf._replace(initializer=zeros)) for path, leaf in _leaves_of(spec)]


def _with(params: Params, path: str, value: Array) -> Params:
    name, _, rest = path.partition("/")
    return params | {name: _with(params[name], rest, value) if rest else value}


def _fail(text: str, point: Point | None = None) -> None:
    mode = "" if point is None else f" (in {type(point.mode).__name__})"
    raise LayerCheckError(text + mode)
