"""``check_layer``: everything that the contract asks of a layer, tried out on one."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arguments import short
from .arrays import Shapes, shape_of
from .composition import refuse
from .errors import ArgumentError, LayerCheckError, ShapeError
from .functions import Leaf, Spec
from .initializers import zeros
from .kinds import kind_of, meet
from .layer import AnyLayer, example_shape
from .probing import (
    KEY,
    Point,
    absolute,
    arrays,
    batched,
    cast_to,
    close,
    copied,
    dot,
    draw_point,
    dtypes,
    examples,
    first_rows,
    holds_integers,
    move,
    names,
    random_like,
    row_count,
    same_bits,
    with_leaf,
)
from .random import EVAL, Mode, Train
from .tree import Grads, Params, leaves, tree_map

_STEP = 1e-5  # of the differences; float64 leaves about 10 digits of them
_TOLERANCE = 1e-5
_DRAWS = 30  # points tried before a layer counts as nowhere smooth


def check_layer(layer: AnyLayer, shape: Shapes, x: Any = None) -> None:
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
        raise ArgumentError(f"x is a batch of examples of shape {shape}, not {short(x)}")
    try:
        _check_returns(layer, shape, x)
        _check_declared(layer, shape)
        for mode in (EVAL, Train(KEY)):
            narrow = draw_point(layer, shape, x, mode, np.float32, 0)
            _check_passes(layer, narrow, draw_point(layer, shape, x, mode, np.float32, 1))
            _check_dtypes(layer, narrow)
            wide = draw_point(layer, shape, x, mode, np.float64, 0)
            _check_halves(layer, wide)
            _check_gradients(layer, shape, x, mode)
    except LayerCheckError as error:
        raise error.within(layer.name) from None
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        text = "it writes to its parameters, or to what another pass gave"
        raise LayerCheckError(text).within(layer.name) from error


# ---- what is declared --------------------------------------------------------------------------


def _check_returns(layer: AnyLayer, shape: Shapes, x: Any) -> None:
    """What the functions return is of the kinds that they should return."""
    given: Any = shape
    declared: Any = layer.functions.spec(given)
    if not isinstance(declared, tuple) or len(declared) != 2 or not isinstance(declared[0], dict):
        _fail(f"spec returns ({{name: Leaf}}, shape of one output), not {short(declared)}")
    spec, out = declared
    _check_leaves(spec, "")
    if not isinstance(out, tuple):
        _fail(f"spec returns the shape of one output second, a tuple, not {short(out)}")
    point = draw_point(layer, shape, x, EVAL, np.float32, 0)
    result: Any = layer.functions.forward(*point)
    if not isinstance(result, tuple) or len(result) != 2:
        _fail(f"forward returns (y, cache), not {_kind(result)}")
    y, cache = result
    if not all(isinstance(a, np.ndarray) for a in arrays(y)):
        _fail(f"forward returns (y, cache), y an array, not {_kind(y)}")
    result = layer.functions.backward(cache, random_like(y, 0))
    if not isinstance(result, tuple) or len(result) != 2:
        _fail(f"backward returns (dx, grads), not {_kind(result)}; write dx, NO_GRADS")
    dx, grads = result
    if not isinstance(grads, Grads):
        _fail(f"backward returns (dx, grads), grads a Grads, not {_kind(grads)}; write Grads(...)")
    if not holds_integers(point.x) and _shape(dx) != shape_of(point.x):
        _fail(f"backward gives dx of shape {_shape(dx)} for inputs of {shape_of(point.x)}")


def _check_leaves(spec: Any, path: str) -> None:
    for name, entry in spec.items():
        if isinstance(entry, dict):
            _check_leaves(entry, f"{path}{name}/")
        elif not isinstance(entry, Leaf):
            _fail(f"spec: {path}{name} is a Leaf(shape, initializer), not {short(entry)}")


def _kind(value: Any) -> str:
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else short(value)


def _shape(value: Any) -> Any:
    return shape_of(value) if isinstance(value, np.ndarray | tuple) else short(value)


def _check_declared(layer: AnyLayer, shape: Shapes) -> None:
    (spec, out), (spec_again, out_again) = layer.spec(shape), layer.spec(shape)
    if out != out_again or _sizes(spec) != _sizes(spec_again):
        _fail("spec gives something else each time")
    flow, real = layer.functions.flow(kind_of(shape)), kind_of(out)
    try:
        meet(real if flow is None else flow, real)
    except ShapeError as error:
        _fail(f"it says that it gives {error.expected}, where spec gives {error.got}")
    if layer.init(KEY, shape) != layer.init(KEY, shape):
        _fail("init draws other parameters from the same key")


def _check_output(layer: AnyLayer, point: Point, y: Any, grads: Grads) -> None:
    rows, shape = row_count(point.x), examples(point.x)
    spec, out = layer.spec(shape)
    want = batched(rows, out)
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
    before = copied(x)
    y, cache = layer.forward(params, x, mode)
    if not same_bits(x, before):
        _fail("forward writes to its input", point)
    dy = random_like(y, 0)
    dy_before, y_before = copied(dy), copied(y)
    dx, grads = layer.backward(cache, dy)
    if not same_bits(dy, dy_before):
        _fail("backward writes to the gradient it is given", point)
    if not same_bits(x, before) or not same_bits(y, y_before):
        _fail("backward writes to the input or the output", point)
    for half, run in (("pull", layer.pull), ("grads", layer.grads)):
        run(cache, dy)
        if not same_bits(dy, dy_before):
            _fail(f"{half} writes to the gradient it is given", point)
    layer.apply(params, x)
    if not same_bits(x, before):
        _fail("apply writes to its input", point)
    _check_output(layer, point, y, grads)
    refreshed = layer.refresh(params, cache)
    _check_refreshed(params, refreshed, mode, point)
    first = (y_before, copied(dx), copied(grads), copied(refreshed))

    other_y, other_cache = layer.forward(*other)
    layer.backward(other_cache, random_like(other_y, 1))
    layer.apply(other.params, other.x)
    if not same_bits((y, dx, grads, refreshed), first):
        _fail("what an earlier pass handed out was changed by a later one", point)
    if not same_bits(layer.backward(cache, dy), first[1:3]):
        _fail("a cache was changed by a later pass: backward gives another gradient", point)

    y_again, cache_again = layer.forward(params, x, mode)
    again = (y_again, *layer.backward(cache_again, dy), layer.refresh(params, cache_again))
    if not same_bits(again, first):
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
    if not params or holds_integers(x):
        return
    _check_width(layer, Point(params, cast_to(x, np.float64), mode), np.float32, "float64 inputs")
    wide = tree_map(lambda leaf: leaf.astype(np.float64), params)
    _check_width(layer, Point(wide, x, mode), np.float64, "float64 parameters")
    half = tree_map(lambda leaf: leaf.astype(np.float16), params)
    y, cache = layer.forward(half, x, mode)
    if dtypes(y) != {np.dtype(np.float32)} or dtypes(layer.apply(half, x)) != dtypes(y):
        _fail(f"float16 parameters give {names(y)}; they are computed with in float32", point)
    if dtypes(layer.refresh(half, cache)) != {np.dtype(np.float16)}:
        _fail("refresh changes the dtype of float16 parameters", point)


def _check_width(layer: AnyLayer, point: Point, dtype: Any, given: str) -> None:
    y, cache = layer.forward(*point)
    dx, grads = layer.backward(cache, random_like(y, 0))
    results = {
        "outputs": y,
        "outputs of apply": layer.apply(point.params, point.x),
        "input gradients": None if holds_integers(point.x) else dx,
        "parameter gradients": grads,
        "refreshed parameters": layer.refresh(point.params, cache),
    }
    for what, values in results.items():
        if dtypes(values) - {np.dtype(dtype)}:
            mend = "; call x = cast(x, params) first" if given == "float64 inputs" else ""
            _fail(f"{given} give {what} of {names(values)}, not {np.dtype(dtype)}{mend}", point)


# ---- the passes agree --------------------------------------------------------------------------


def _check_halves(layer: AnyLayer, point: Point) -> None:
    params, x, mode = point
    y, cache = layer.forward(params, x, mode)
    dy = random_like(y, 0)
    dx, grads = layer.backward(cache, dy)
    if not holds_integers(x) and not close(layer.pull(cache, dy), dx):
        _fail("pull is not the first half of backward", point)
    if not close(layer.grads(cache, dy), grads):
        _fail("grads is not the second half of backward", point)
    if mode == EVAL and not close(layer.apply(params, x), y):
        _fail("apply is not forward in Eval", point)
    none = first_rows(x, 0)
    if mode == EVAL and shape_of(layer.apply(params, none)) != batched(
        0, layer.spec(examples(x))[1]
    ):
        _fail("apply on no examples does not give no outputs", point)


# ---- gradients ---------------------------------------------------------------------------------


def _check_gradients(layer: AnyLayer, shape: Any, x: Any, mode: Mode) -> None:
    point = draw_point(layer, shape, x, mode, np.float64, 0)
    trained = [path for path, leaf in _leaves_of(layer.spec(shape)[0]) if leaf.trained]
    inputs = [] if holds_integers(point.x) else [""]
    for path in [*inputs, *trained]:
        for draw in range(_DRAWS):
            point = draw_point(layer, shape, x, mode, np.float64, draw)
            if _agrees(layer, point, path, draw):
                break
        else:
            _fail(f"no point found where {path or 'the input'} has a gradient", point)


def _agrees(layer: AnyLayer, point: Point, path: str, draw: int) -> bool:
    """Whether gradient and differences agree along a direction; False where there is a kink."""
    params, x, mode = point
    y, cache = layer.forward(params, x, mode)
    dy = random_like(y, draw)
    dx, grads = layer.backward(cache, dy)
    at = dict(leaves(params))[path] if path else x
    gradient = dict(leaves(grads))[path] if path else dx
    direction = random_like(at, draw + 1000)

    def along(step: float) -> float:
        moved = move(at, direction, step)
        here = (with_leaf(params, path, moved), x) if path else (params, moved)
        return dot(dy, layer.forward(*here, mode)[0])

    wide, close = [(along(h) - along(-h)) / (2 * h) for h in (_STEP, _STEP / 2)]
    analytic = dot(gradient, direction)
    size = abs(close) + abs(analytic) + 1e-4 * dot(absolute(dy), absolute(y)) + 1e-6
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


# ---- specs --------------------------------------------------------------------------------------


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


def _fail(text: str, point: Point | None = None) -> None:
    mode = "" if point is None else f" (in {type(point.mode).__name__})"
    raise LayerCheckError(text + mode)
