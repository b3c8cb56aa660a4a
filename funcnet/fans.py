"""The functions of composites on tuples: side by side, or fanned out from one input.

Layers side by side take a tuple with an input for each and give the tuple of outputs. A fan is the
same with one input handed to all, whose gradient is then the sum of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from .errors import FuncnetError, ShapeError
from .functions import Functions, Spec, no_grads, no_refresh
from .kinds import Flow
from .pipeline import Parts, cast_floats, moves, refreshed
from .random import Mode
from .tree import NO_PARAMS, Grads, Params, nest


def both_functions(parts: Parts) -> Functions:
    trained = any(f.grads is not no_grads for _, f in parts)
    return Functions(
        forward=partial(both_forward, parts),
        backward=partial(both_backward, parts),
        spec=partial(both_spec, parts),
        refresh=partial(refreshed, parts) if moves(parts) else no_refresh,
        pull=partial(both_pull, parts),
        grads=partial(both_grads, parts) if trained else no_grads,
        apply=partial(both_apply, parts),
        flow=partial(both_flow, parts),
    )


def both_forward(
    parts: Parts, params: Params, xs: Any, mode: Mode
) -> tuple[tuple[Any, ...], list[Any]]:
    xs = cast_floats(xs, params)

    def one(i: int, name: str, f: Functions) -> tuple[Any, Any]:
        return f.forward(params.get(name, NO_PARAMS), xs[i], mode.child(name))

    results = _each(parts, one)
    return tuple([y for y, _ in results]), [cache for _, cache in results]


def both_backward(
    parts: Parts, caches: list[Any], dys: Sequence[Any]
) -> tuple[tuple[Any, ...], Grads]:
    results = _each(parts, lambda i, _, f: f.backward(caches[i], dys[i]))
    grads = [(name, g) for (name, _), (_, g) in zip(parts, results, strict=True)]
    return tuple([dx for dx, _ in results]), nest(Grads, grads)


def both_pull(parts: Parts, caches: list[Any], dys: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_each(parts, lambda i, _, f: f.pull(caches[i], dys[i])))


def both_grads(parts: Parts, caches: list[Any], dys: Sequence[Any]) -> Grads:
    return nest(Grads, _each(parts, lambda i, name, f: (name, f.grads(caches[i], dys[i]))))


def both_apply(parts: Parts, params: Params, xs: Any) -> tuple[Any, ...]:
    xs = cast_floats(xs, params)
    return tuple(_each(parts, lambda i, name, f: f.apply(params.get(name, NO_PARAMS), xs[i])))


def both_spec(parts: Parts, shapes: Any) -> tuple[Spec, tuple[Any, ...]]:
    if not shapes or not isinstance(shapes[0], tuple) or len(shapes) != len(parts):
        got = (
            f"a tuple of {len(shapes)}" if shapes and isinstance(shapes[0], tuple) else "one array"
        )
        raise ShapeError(f"a tuple of {len(parts)}, an input for each", got)
    return _specs(parts, shapes)


def _specs(parts: Parts, shapes: tuple[Any, ...]) -> tuple[Spec, tuple[Any, ...]]:
    results = _each(parts, lambda i, _, f: f.spec(shapes[i]))
    specs = {name: spec for (name, _), (spec, _) in zip(parts, results, strict=True) if spec}
    return specs, tuple([after for _, after in results])


def both_flow(parts: Parts, flow: Flow) -> Flow:
    if flow is None:
        flow = (None,) * len(parts)
    if not isinstance(flow, tuple) or len(flow) != len(parts):
        got = f"a tuple of {len(flow)}" if isinstance(flow, tuple) else flow.words()
        raise ShapeError(f"a tuple of {len(parts)}, an input for each", got)
    inputs = flow
    return tuple(_each(parts, lambda i, _, f: f.flow(inputs[i])))


# ---- one input for all --------------------------------------------------------------------------


def fan_functions(parts: Parts) -> Functions:
    return both_functions(parts)._replace(
        forward=partial(fan_forward, parts),
        backward=partial(fan_backward, parts),
        spec=partial(fan_spec, parts),
        pull=partial(fan_pull, parts),
        apply=partial(fan_apply, parts),
        flow=partial(fan_flow, parts),
    )


def fan_forward(parts: Parts, params: Params, x: Any, mode: Mode) -> tuple[Any, list[Any]]:
    return both_forward(parts, params, (cast_floats(x, params),) * len(parts), mode)


def fan_backward(parts: Parts, caches: list[Any], dys: Sequence[Any]) -> tuple[Any, Grads]:
    dxs, grads = both_backward(parts, caches, dys)
    return total(dxs), grads


def fan_pull(parts: Parts, caches: list[Any], dys: Sequence[Any]) -> Any:
    return total(both_pull(parts, caches, dys))


def fan_apply(parts: Parts, params: Params, x: Any) -> tuple[Any, ...]:
    return both_apply(parts, params, (cast_floats(x, params),) * len(parts))


def fan_spec(parts: Parts, shape: Any) -> tuple[Spec, tuple[Any, ...]]:
    return _specs(parts, (shape,) * len(parts))


def fan_flow(parts: Parts, flow: Flow) -> Flow:
    return both_flow(parts, (flow,) * len(parts))


def total(xs: Sequence[Any]) -> Any:
    """The sum of arrays, or of tuples of arrays element by element; always a new array."""
    if isinstance(xs[0], tuple):
        return tuple(total(column) for column in zip(*xs, strict=True))
    xs = [x for x in xs if x is not None]  # the gradients of integers
    if not xs:
        return None
    y = xs[0] + xs[1] if len(xs) > 1 else xs[0].copy()
    for x in xs[2:]:
        y += x
    return y


def _each(parts: Parts, run: Callable[[int, str, Functions], Any]) -> list[Any]:
    """What ``run`` gives for every part; an error in one is placed there."""
    results = []
    for i, (name, f) in enumerate(parts):
        try:
            results.append(run(i, name, f))
        except FuncnetError as error:
            raise error.within(name) from None
    return results
