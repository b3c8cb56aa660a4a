"""Layers around layers. Each keeps the names and the parameter tree of what it wraps."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .arguments import given
from .composition import map_functions
from .errors import ArgumentError, NonFiniteError
from .functions import Functions, Leaf, Spec, no_grads, no_refresh
from .layer import PIPELINE, AnyLayer, LayerT, Parts, Record
from .random import EVAL, Mode
from .tree import NO_GRADS, Grads, Params, leaves

# ---- freeze ------------------------------------------------------------------------------------


def freeze(net: LayerT) -> LayerT:
    """``net`` with nothing to train: its parts run as in inference, and get no gradients.

    Where a frozen part comes first, training runs nothing of it backward. Further back, the
    gradient is passed on through it, with no work for parameters. Parameters, names and ``init``
    are those of ``net``.

    >>> net = freeze(dense(3, 4) >> relu()) >> dense(4, 2)
    >>> net
    freeze(dense(3, 4)) >> freeze(relu()) >> dense(4, 2)
    >>> count(net.spec((3,))[0])
    10
    """
    return map_functions(_frozen, _layer("freeze", net), "freeze")


def _frozen(path: str, f: Functions) -> Functions:
    return Functions(
        forward=partial(freeze_forward, f),
        backward=partial(freeze_backward, f),
        spec=partial(freeze_spec, f),
        refresh=no_refresh,
        pull=partial(freeze_pull, f),
        grads=no_grads,
        apply=f.apply,
        flow=f.flow,
    )


def freeze_forward(f: Functions, params: Params, x: Any, mode: Mode) -> tuple[Any, Any]:
    return f.apply(params, x), (params, x)


def freeze_backward(f: Functions, cache: Any, dy: Any) -> tuple[Any, Grads]:
    return freeze_pull(f, cache, dy), NO_GRADS


def freeze_pull(f: Functions, cache: Any, dy: Any) -> Any:
    # Only a gradient that must pass through needs a cache, so it is made here and not before.
    params, x = cache
    return f.pull(f.forward(params, x, EVAL)[1], dy)


def freeze_spec(f: Functions, shape: Any) -> tuple[Spec, Any]:
    spec, out = f.spec(shape)
    return _untrained(spec), out


def _untrained(spec: Spec) -> Spec:
    return {
        name: entry._replace(trained=False) if isinstance(entry, Leaf) else _untrained(entry)
        for name, entry in spec.items()
    }


# ---- recompute ---------------------------------------------------------------------------------


class RecomputeCache(NamedTuple):
    """What it takes to run forward again, and what ``refresh`` will be asked for."""

    params: Params
    x: Any
    mode: Mode
    refreshed: Params


def recompute(net: LayerT) -> LayerT:
    """``net`` as one part that keeps no cache but its input, and runs forward again in backward.

    Memory for time: inside it, nothing is kept between the passes. Results are the same to the
    bit. A pipeline becomes one part, ``recompute1``, under which its parts nest.

    >>> recompute(dense(3, 3) >> relu()) >> dense(3, 2)
    recompute(dense(3, 3) >> relu()) >> dense(3, 2)
    """
    record = _layer("recompute", net).record
    name = "recompute" if record.name == PIPELINE else record.name
    return net.of(
        Record(
            name,
            _recomputed(record.functions),
            f"recompute({record.shown or repr(net)})",
            record.parts,
            None if record.rebuild is None else partial(_recompute_of, net),
            record.given,
            record.takes,
        )
    )


def _recompute_of(net: AnyLayer, parts: Parts) -> AnyLayer:
    assert net.record.rebuild is not None
    return recompute(net.record.rebuild(parts))


def _recomputed(f: Functions) -> Functions:
    return Functions(
        forward=partial(recompute_forward, f),
        backward=partial(recompute_backward, f),
        spec=f.spec,
        refresh=no_refresh if f.refresh is no_refresh else recompute_refresh,
        pull=partial(recompute_pull, f),
        grads=no_grads if f.grads is no_grads else partial(recompute_grads, f),
        apply=f.apply,
        flow=f.flow,
    )


def recompute_forward(
    f: Functions, params: Params, x: Any, mode: Mode
) -> tuple[Any, RecomputeCache]:
    y, cache = f.forward(params, x, mode)
    return y, RecomputeCache(params, x, mode, f.refresh(params, cache))


def recompute_backward(f: Functions, cache: RecomputeCache, dy: Any) -> tuple[Any, Grads]:
    return f.backward(_again(f, cache), dy)


def recompute_pull(f: Functions, cache: RecomputeCache, dy: Any) -> Any:
    return f.pull(_again(f, cache), dy)


def recompute_grads(f: Functions, cache: RecomputeCache, dy: Any) -> Grads:
    return f.grads(_again(f, cache), dy)


def recompute_refresh(params: Params, cache: RecomputeCache) -> Params:
    return cache.refreshed


def _again(f: Functions, cache: RecomputeCache) -> Any:
    return f.forward(cache.params, cache.x, cache.mode)[1]


# ---- checked -----------------------------------------------------------------------------------


def checked(net: LayerT) -> LayerT:
    """``net`` with every part's output and gradients checked for nan and infinity.

    Raises ``NonFiniteError`` that names the first part at fault. For the hunt after a fault: the
    checks cost a pass over every array.

    >>> net = checked(dense(1, 1) >> relu())
    >>> params = Params({"dense1": {"W": np.array([[np.inf]]), "b": np.zeros(1)}})
    >>> net.apply(params, np.ones((1, 1)))
    Traceback (most recent call last):
    funcnet.errors.NonFiniteError: dense1 in dense1 >> relu1: its output holds nan or infinity
    """
    return map_functions(_checked, _layer("checked", net), "checked", composites=True)


def _checked(path: str, f: Functions) -> Functions:
    return f._replace(
        forward=partial(checked_forward, f),
        backward=partial(checked_backward, f),
        pull=partial(checked_pull, f),
        grads=no_grads if f.grads is no_grads else partial(checked_grads, f),
        apply=partial(checked_apply, f),
    )


def checked_forward(f: Functions, params: Params, x: Any, mode: Mode) -> tuple[Any, Any]:
    y, cache = f.forward(params, x, mode)
    _finite(y, "its output")
    return y, cache


def checked_apply(f: Functions, params: Params, x: Any) -> Any:
    y = f.apply(params, x)
    _finite(y, "its output")
    return y


def checked_backward(f: Functions, cache: Any, dy: Any) -> tuple[Any, Grads]:
    dx, grads = f.backward(cache, dy)
    _finite(dx, "the gradient of its input")
    _finite_grads(grads)
    return dx, grads


def checked_pull(f: Functions, cache: Any, dy: Any) -> Any:
    dx = f.pull(cache, dy)
    _finite(dx, "the gradient of its input")
    return dx


def checked_grads(f: Functions, cache: Any, dy: Any) -> Grads:
    grads = f.grads(cache, dy)
    _finite_grads(grads)
    return grads


def _finite(x: Any, what: str) -> None:
    for part in x if isinstance(x, tuple) else (x,):
        if part is not None and not np.isfinite(part).all():
            raise NonFiniteError(f"{what} holds nan or infinity")


def _finite_grads(grads: Grads) -> None:
    for path, g in leaves(grads):
        _finite(g, f"the gradient of {path}")


def _layer(owner: str, net: LayerT) -> LayerT:
    if not isinstance(net, AnyLayer):
        raise ArgumentError(f"{owner} takes a layer or network, not {given(net)}")
    return net
