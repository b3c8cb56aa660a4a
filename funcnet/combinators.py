"""Networks that branch: a fan hands one input to several layers, a merge brings tuples together."""

from __future__ import annotations

from functools import partial
from typing import Any, overload

from .composition import refuse
from .errors import ArgumentError, FuncnetError
from .fans import both_functions, fan_functions
from .functions import Functions, Spec, no_grads, no_refresh
from .kinds import Flow, Image, N, Seq, Vec
from .layer import AnyLayer, Parts, Record
from .layers.shape import identity
from .merges import join, plus
from .random import Mode
from .tree import NO_PARAMS, Grads, Params
from .typed import Beside, Branch, Keeps, Layer, P, Q, Same, SameImage, X, Y, Z


@overload
def fan_out(f: Layer[X, Y], g: Branch[X, Z], /) -> Layer[X, tuple[Y, Z]]: ...
@overload
def fan_out(f: Layer[X, Y], g: Branch[X, Z], h: Branch[X, P], /) -> Layer[X, tuple[Y, Z, P]]: ...
@overload
def fan_out(
    f: Layer[X, Y], g: Branch[X, Z], h: Branch[X, P], i: Branch[X, Q], /
) -> Layer[X, tuple[Y, Z, P, Q]]: ...
@overload
def fan_out(f: Same, g: Layer[X, Y], /) -> Layer[X, tuple[X, Y]]: ...
@overload
def fan_out(f: SameImage, g: Layer[Image[N], Y], /) -> Layer[Image[N], tuple[Image[N], Y]]: ...
@overload
def fan_out(f: Same | SameImage, g: Same | SameImage, /) -> Layer[Any, tuple[Any, Any]]: ...
@overload
def fan_out(
    f: Same | SameImage, g: AnyLayer, h: AnyLayer, /, *more: AnyLayer
) -> Layer[Any, Any]: ...
@overload
def fan_out(
    f: AnyLayer, g: AnyLayer, h: AnyLayer, i: AnyLayer, j: AnyLayer, /, *more: AnyLayer
) -> Layer[Any, Any]: ...
def fan_out(*layers: Any) -> Layer[Any, Any]:
    """The layer that hands its input to every one of ``layers`` and gives the tuple of outputs.

    Its parts are "0", "1", ... unless named. End it with ``plus()``.

    >>> net = fan_out(dense(3, 2), dense(3, 4))
    >>> net.spec((3,))[1]
    ((2,), (4,))
    """
    net: Layer[Any, Any] = _fan("fan_out", fan_of, layers)
    return net


@overload
def both(f: Layer[X, Y], g: Layer[Z, P], /) -> Layer[tuple[X, Z], tuple[Y, P]]: ...
@overload
def both(f: Layer[X, Y], g: Same, /) -> Layer[tuple[X, Any], tuple[Y, Any]]: ...
@overload
def both(f: Same, g: Layer[X, Y], /) -> Layer[tuple[Any, X], tuple[Any, Y]]: ...
@overload
def both(f: AnyLayer, g: AnyLayer, /, *more: AnyLayer) -> Layer[Any, Any]: ...
def both(*layers: Any) -> Layer[Any, Any]:
    """Layers side by side: the first on the first array of a tuple, the second on the second, ...

    Its parts are "0", "1", ... unless named. ``fan_out(f, g)`` is ``both(f, g)`` on an input twice.

    >>> net = both(dense(3, 2), dense(5, 2)) >> plus()
    >>> net.spec(((3,), (5,)))[1]
    (2,)
    """
    net: Layer[Any, Any] = _fan("both", both_of, layers)
    return net


@overload
def add(f: Same, g: Same) -> Same: ...
@overload
def add(f: SameImage, g: Same | SameImage) -> SameImage: ...
@overload
def add(f: Same, g: SameImage) -> SameImage: ...
@overload
def add(f: Layer[X, Y], g: Beside[X, Y]) -> Layer[X, Y]: ...
@overload
def add(f: Keeps[X, Y], g: Same) -> Layer[X, Y]: ...
@overload
def add(f: Same, g: Keeps[X, Y]) -> Layer[X, Y]: ...
@overload
def add(f: Keeps[Image[N], Y], g: SameImage) -> Layer[Image[N], Y]: ...
@overload
def add(f: SameImage, g: Keeps[Image[N], Y]) -> Layer[Image[N], Y]: ...
def add(f: Any, g: Any) -> Any:
    """f(x) + g(x): ``fan_out(f, g) >> plus()`` as one part, whose parts are "0" and "1".

    >>> add(dense(3, 2), dense(3, 2))
    add(dense(3, 2), dense(3, 2))
    """
    return _fan("add", sum_of, (f, g))


@overload
def residual(body: Same, shortcut: Same = ...) -> Same: ...
@overload
def residual(body: SameImage, shortcut: Same | SameImage = ...) -> SameImage: ...
@overload
def residual(body: Same, shortcut: SameImage) -> SameImage: ...
@overload
def residual(body: Layer[X, Y], shortcut: Beside[X, Y]) -> Layer[X, Y]: ...
@overload
def residual(body: Keeps[X, Y], shortcut: Same = ...) -> Layer[X, Y]: ...
@overload
def residual(body: Keeps[Image[N], Y], shortcut: SameImage) -> Layer[Image[N], Y]: ...
def residual(body: Any, shortcut: Any = None) -> Any:
    """body(x) + shortcut(x); without a shortcut, x itself is added.

    Source: He et al. 2016, "Deep Residual Learning for Image Recognition".

    >>> block = residual(dense(8, 8) >> relu() >> dense(8, 8))
    >>> list(block.init(Key(0), (8,))["0"])
    ['dense1', 'dense2']
    """
    return _fan("residual", sum_of, (body, identity() if shortcut is None else shortcut))


@overload
def concat(f: Layer[X, Vec[Any]], g: Branch[X, Vec[Any]], /) -> Layer[X, Vec[Any]]: ...
@overload
def concat(f: Layer[X, Image[Any]], g: Branch[X, Image[Any]], /) -> Layer[X, Image[Any]]: ...
@overload
def concat(f: Layer[X, Seq[Any]], g: Branch[X, Seq[Any]], /) -> Layer[X, Seq[Any]]: ...
@overload
def concat(f: AnyLayer, g: AnyLayer, /, *more: AnyLayer) -> Layer[Any, Any]: ...
def concat(*layers: Any) -> Layer[Any, Any]:
    """f(x) and g(x) in a row: ``fan_out(f, g) >> join()`` as one part, channels for images.

    >>> concat(conv2d(3, 8, 1), conv2d(3, 4, 3, pad=1)).spec((3, 6, 6))[1]
    (12, 6, 6)
    """
    net: Layer[Any, Any] = _fan("concat", join_of, layers)
    return net


def both_of(name: str, parts: Parts) -> Layer[Any, Any]:
    return _composite(name, parts, both_functions(_inside(parts)), partial(both_of, name))


def join_of(name: str, parts: Parts) -> Layer[Any, Any]:
    merged = merged_functions(fan_functions(_inside(parts)), join().functions)
    return _composite(name, parts, merged, partial(join_of, name))


def fan_of(name: str, parts: Parts) -> Layer[Any, Any]:
    return _composite(name, parts, fan_functions(_inside(parts)), partial(fan_of, name))


def sum_of(name: str, parts: Parts) -> Layer[Any, Any]:
    merged = merged_functions(fan_functions(_inside(parts)), plus().functions)
    return _composite(name, parts, merged, partial(sum_of, name))


# ---- a fan and its merge as one part -----------------------------------------------------------
# The parameters are the fan's, under the names that they have there.


def merged_functions(fan: Functions, merge: Functions) -> Functions:
    return Functions(
        forward=partial(merged_forward, fan, merge),
        backward=partial(merged_backward, fan, merge),
        spec=partial(merged_spec, fan, merge),
        refresh=no_refresh if fan.refresh is no_refresh else partial(merged_refresh, fan),
        pull=partial(merged_pull, fan, merge),
        grads=no_grads if fan.grads is no_grads else partial(merged_grads, fan, merge),
        apply=partial(merged_apply, fan, merge),
        flow=partial(merged_flow, fan, merge),
    )


def merged_forward(
    fan: Functions, merge: Functions, params: Params, x: Any, mode: Mode
) -> tuple[Any, tuple[Any, Any]]:
    ys, fan_cache = fan.forward(params, x, mode)
    y, merge_cache = merge.forward(NO_PARAMS, ys, mode)
    return y, (fan_cache, merge_cache)


def merged_backward(
    fan: Functions, merge: Functions, cache: tuple[Any, Any], dy: Any
) -> tuple[Any, Grads]:
    return fan.backward(cache[0], merge.pull(cache[1], dy))


def merged_pull(fan: Functions, merge: Functions, cache: tuple[Any, Any], dy: Any) -> Any:
    return fan.pull(cache[0], merge.pull(cache[1], dy))


def merged_grads(fan: Functions, merge: Functions, cache: tuple[Any, Any], dy: Any) -> Grads:
    return fan.grads(cache[0], merge.pull(cache[1], dy))


def merged_refresh(fan: Functions, params: Params, cache: tuple[Any, Any]) -> Params:
    return fan.refresh(params, cache[0])


def merged_apply(fan: Functions, merge: Functions, params: Params, x: Any) -> Any:
    return merge.apply(NO_PARAMS, fan.apply(params, x))


def merged_spec(fan: Functions, merge: Functions, shape: Any) -> tuple[Spec, Any]:
    spec, shapes = fan.spec(shape)
    return spec, merge.spec(shapes)[1]


def merged_flow(fan: Functions, merge: Functions, flow: Flow) -> Flow:
    return merge.flow(fan.flow(flow))


# ---- helpers -----------------------------------------------------------------------------------


def _fan(name: str, build: Any, layers: tuple[AnyLayer, ...]) -> Any:
    if not layers:
        raise ArgumentError(f"{name} takes layers, at least one")
    parts: dict[str, AnyLayer] = {}
    for i, layer in enumerate(layers):
        if not isinstance(layer, AnyLayer):
            refuse(layer)
        part = layer.name if layer.record.given else str(i)
        if part in parts:
            raise ArgumentError(f"the name {part!r} is used twice in {name}")
        parts[part] = layer
    return build(name, tuple(parts.items()))


def _composite(name: str, parts: Parts, made: Functions, rebuild: Any) -> Layer[Any, Any]:
    shown = f"{name}({', '.join(repr(layer) for _, layer in parts)})"
    known = [layer.record.takes for _, layer in parts]
    first = next((kind for kind in known if kind is not None), None)
    takes: Flow = tuple(known) if name == "both" else first
    try:
        made.flow(takes)
    except FuncnetError as error:
        raise error.within(name) from None
    return Layer.of(Record(name, made, shown, parts, rebuild, takes=takes))


def _inside(parts: Parts) -> tuple[tuple[str, Functions], ...]:
    return tuple([(name, layer.functions) for name, layer in parts])
