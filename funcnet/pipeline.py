"""The functions of composites, made from the functions of their parts.

A pipeline hands each part's output to the next; a fan hands its input to every part and gives the
tuple of what they make of it. Both keep the parameters of the part ``name`` under that name, and
hand it the mode's child of that name, so that no two parts draw the same numbers.
"""

from __future__ import annotations

from functools import partial
from typing import Any, TypeAlias

from .arrays import dims
from .errors import FuncnetError, ShapeError, excerpt
from .functions import Functions, Spec, cast, no_grads, no_refresh
from .kinds import Flow
from .random import Mode
from .tree import NO_PARAMS, Grads, Params, nest

Parts: TypeAlias = tuple[tuple[str, Functions], ...]


def pipeline_functions(parts: Parts) -> Functions:
    trained = [i for i, (_, f) in enumerate(parts) if f.grads is not no_grads]
    return Functions(
        forward=partial(pipeline_forward, parts),
        backward=partial(pipeline_backward, parts),
        spec=partial(pipeline_spec, parts),
        refresh=partial(pipeline_refresh, parts) if moves(parts) else no_refresh,
        pull=partial(pipeline_pull, parts),
        grads=partial(pipeline_grads, parts, trained[0]) if trained else no_grads,
        apply=partial(pipeline_apply, parts),
        flow=partial(pipeline_flow, parts),
    )


def pipeline_forward(parts: Parts, params: Params, x: Any, mode: Mode) -> tuple[Any, list[Any]]:
    x = cast_floats(x, params)
    caches: list[Any] = []
    keep, get, child = caches.append, params.get, mode.child
    try:
        for name, f in parts:
            x, cache = f.forward(get(name, NO_PARAMS), x, child(name))
            keep(cache)
    except FuncnetError as error:
        raise _placed(error, parts, len(caches)) from None
    except Exception as error:
        _note(error, parts, len(caches))
        raise
    return x, caches


def pipeline_backward(parts: Parts, caches: list[Any], dy: Any) -> tuple[Any, Grads]:
    dy, grads = _back_to(0, parts, caches, dy)
    return dy, nest(Grads, reversed(grads.items()))


def _back_to(first: int, parts: Parts, caches: list[Any], dy: Any) -> tuple[Any, dict[str, Grads]]:
    """``backward`` of the parts from the last to ``first``: dx, and gradients, last part first."""
    grads: dict[str, Grads] = {}
    i = len(parts)
    try:
        while i > first:
            i -= 1
            name, f = parts[i]
            dy, grads[name] = f.backward(caches[i], dy)
    except FuncnetError as error:
        raise _placed(error, parts, i) from None
    except Exception as error:
        _note(error, parts, i)
        raise
    return dy, grads


def pipeline_pull(parts: Parts, caches: list[Any], dy: Any) -> Any:
    i = len(parts)
    try:
        while i:
            i -= 1
            dy = parts[i][1].pull(caches[i], dy)
    except FuncnetError as error:
        raise _placed(error, parts, i) from None
    return dy


def pipeline_grads(parts: Parts, first: int, caches: list[Any], dy: Any) -> Grads:
    """The gradients alone: ``first`` is the first part with something to train.

    Nobody asks for the gradient of that part's input, so its ``grads`` is run, ``backward`` of
    those after it, and nothing of those before it.
    """
    dy, grads = _back_to(first + 1, parts, caches, dy)
    name, f = parts[first]
    try:
        grads[name] = f.grads(caches[first], dy)
    except FuncnetError as error:
        raise _placed(error, parts, first) from None
    return nest(Grads, reversed(grads.items()))


def pipeline_apply(parts: Parts, params: Params, x: Any) -> Any:
    x = cast_floats(x, params)
    at = 0
    try:
        for name, f in parts:
            x = f.apply(params.get(name, NO_PARAMS), x)
            at += 1
    except FuncnetError as error:
        raise _placed(error, parts, at) from None
    return x


def pipeline_refresh(parts: Parts, params: Params, caches: list[Any]) -> Params:
    return refreshed(parts, params, caches)


def pipeline_spec(parts: Parts, shape: Any) -> tuple[Spec, Any]:
    specs: dict[str, Spec] = {}
    before: Any = shape
    for i, (name, f) in enumerate(parts):
        try:
            spec, after = f.spec(shape)
        except ShapeError as error:
            if i and len(before) != len(shape):
                # The part before changed the rank (flatten, say): show what it made it from.
                error.got += f" ({dims(before)})"
            raise _placed(error, parts, i) from None
        except FuncnetError as error:
            raise _placed(error, parts, i) from None
        before, shape = shape, after
        if spec:
            specs[name] = spec
    return specs, shape


def pipeline_flow(parts: Parts, flow: Flow) -> Flow:
    at = 0
    try:
        for _, f in parts:
            flow = f.flow(flow)
            at += 1
    except FuncnetError as error:
        raise _placed(error, parts, at) from None
    return flow


def _placed(error: FuncnetError, parts: Parts, i: int) -> FuncnetError:
    names = [name for name, _ in parts]
    return error.within(names[i], excerpt(names, i), names[i - 1] if i else "")


def _note(error: Exception, parts: Parts, i: int) -> None:
    """Say in which part an error that is not ours was raised: a layer of the user's own."""
    names = [name for name, _ in parts]
    error.add_note(
        f"raised in {names[i]} in {excerpt(names, i)}; of a layer of your own, "
        "check_layer(layer, shape) tells what is wrong"
    )


# ---- what composites share ----------------------------------------------------------------------


def cast_floats(x: Any, params: Params) -> Any:
    """``x`` in the parameters' dtype, for those parts too that have no parameters of their own.

    Else an activation before the first affine layer would compute in float64, and a shortcut pass
    it on beside a body that computes in float32.
    """
    if isinstance(x, tuple):
        return tuple([cast_floats(part, params) for part in x])
    return cast(x, params) if params and x.dtype.kind == "f" else x


def moves(parts: Parts) -> bool:
    return any(f.refresh is not no_refresh for _, f in parts)


def refreshed(parts: Parts, params: Params, caches: list[Any]) -> Params:
    new: dict[str, Any] = {}
    for (name, f), cache in zip(parts, caches, strict=True):
        if f.refresh is not no_refresh:
            old = params.get(name, NO_PARAMS)
            if (part := f.refresh(old, cache)) is not old:
                new[name] = part
    return Params.fresh({**params, **new}) if new else params
