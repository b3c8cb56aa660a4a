"""What optimizers are, how several make one, and how their updates are applied.

``Optimizer(init, update)``: ``init(params) -> state``; ``update(grads, state, params) ->
(updates, state)``; ``apply_updates(params, updates)`` adds. A parameter that is absent from the
gradients is left as it is, and so is its state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, overload

import numpy as np

from .arguments import function, given, short
from .arrays import Array, dims
from .errors import ArgumentError, ConfigError, ParamsError
from .tree import Grads, Params, Tree

S_co = TypeVar("S_co", covariant=True)
S1 = TypeVar("S1")
S2 = TypeVar("S2")
S3 = TypeVar("S3")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Optimizer(Generic[S_co]):
    """A pair of pure functions: ``init(params) -> state`` and ``update(grads, state, params)``.

    ``shown`` is how ``repr`` writes it. ``transforms`` says that it only changes gradients, as
    ``weight_decay`` does, and stands in a ``chain`` before one that makes updates of them.
    ``move``, which an optimizer need not have, is ``update`` and ``apply_updates`` in one, with the
    same result, ``move(grads, state, params) -> (params, state)``: training takes it where it is,
    as it saves the updates' own tree, which is 2 to 5% of a dense network's step.
    The style is optax's (DeepMind 2020, "The DeepMind JAX Ecosystem").
    """

    # To mypy, optimizers of several kinds in one list or dict have in common that they are
    # optimizers, which with an invariant state they would not.
    init: Callable[[Params], S_co]
    update: Callable[[Grads, S_co, Params], tuple[Grads, S_co]]
    shown: str = "Optimizer(...)"
    transforms: bool = False
    move: Callable[[Grads, S_co, Params], tuple[Params, S_co]] | None = None

    def __post_init__(self) -> None:
        function("an optimizer's init", self.init, "init(params)")
        function("an optimizer's update", self.update, "update(grads, state, params)")
        if self.move is not None:
            function("an optimizer's move", self.move, "move(grads, state, params)")

    def __repr__(self) -> str:
        return self.shown


def check_state(owner: str, kind: type[Any], state: object) -> None:
    """Raise ``ArgumentError`` where ``state`` is another optimizer's."""
    if not isinstance(state, kind):
        raise ArgumentError(
            f"{owner} goes on from its own state, {kind.__name__}, not {short(state)}; "
            "begin with TrainState.start(params, optimizer, key)"
        )


@overload
def chain(first: Optimizer[S1], /) -> Optimizer[tuple[S1]]: ...
@overload
def chain(first: Optimizer[S1], second: Optimizer[S2], /) -> Optimizer[tuple[S1, S2]]: ...
@overload
def chain(
    first: Optimizer[S1], second: Optimizer[S2], third: Optimizer[S3], /
) -> Optimizer[tuple[S1, S2, S3]]: ...
@overload
def chain(*optimizers: Optimizer[Any]) -> Optimizer[tuple[Any, ...]]: ...
def chain(*optimizers: Optimizer[Any]) -> Optimizer[Any]:
    """Several in turn: each gets as gradients what the one before it gave.

    What changes gradients comes first, in the order in which it is to happen, and one optimizer
    that makes updates of them last. Raises ``ConfigError`` for another order.

    >>> chain(weight_decay(1e-4), clip_by_global_norm(1.0), adam(1e-3))
    chain(weight_decay(0.0001), clip_by_global_norm(1.0), adam(0.001))
    """
    for part in optimizers:
        if not isinstance(part, Optimizer):
            raise ArgumentError(f"chain takes optimizers, not {_mended(part)}")
    if not optimizers:
        raise ArgumentError("chain takes optimizers, at least one")
    for part in optimizers[:-1]:
        if not part.transforms:
            raise ConfigError(
                f"{part} makes the updates, so it comes last in a chain and once; "
                f"write chain(..., {part})"
            )
    return Optimizer(
        partial(_chain_init, optimizers),
        partial(_chain_update, optimizers),
        f"chain({', '.join(map(repr, optimizers))})",
        optimizers[-1].transforms,
        partial(_chain_move, optimizers),
    )


def _mended(part: object) -> str:
    if isinstance(part, list | tuple):
        return f"a {type(part).__name__}; write chain(*optimizers)"
    return given(part)


def _chain_init(parts: tuple[Optimizer[Any], ...], params: Params) -> tuple[Any, ...]:
    return tuple([part.init(params) for part in parts])


def _chain_update(
    parts: tuple[Optimizer[Any], ...], grads: Grads, states: tuple[Any, ...], params: Params
) -> tuple[Grads, tuple[Any, ...]]:
    _check_states(parts, states)
    new = []
    for part, state in zip(parts, states, strict=True):
        grads, state = part.update(grads, state, params)
        new.append(state)
    return grads, tuple(new)


def _chain_move(
    parts: tuple[Optimizer[Any], ...], grads: Grads, states: tuple[Any, ...], params: Params
) -> tuple[Params, tuple[Any, ...]]:
    _check_states(parts, states)
    grads, new = _chain_update(parts[:-1], grads, states[:-1], params)
    params, last = moved(parts[-1], grads, states[-1], params)
    return params, (*new, last)


def _check_states(parts: tuple[Optimizer[Any], ...], states: Any) -> None:
    if type(states) is not tuple or len(states) != len(parts):
        raise ArgumentError(
            f"a chain of {len(parts)} goes on from as many states in a tuple, not "
            f"{short(states)}; begin with TrainState.start(params, optimizer, key)"
        )


def moved(optimizer: Optimizer[T], grads: Grads, state: T, params: Params) -> tuple[Params, T]:
    """The parameters and the state after one update of ``optimizer``: what training repeats."""
    if optimizer.move is not None:
        return optimizer.move(grads, state, params)
    updates, state = optimizer.update(grads, state, params)
    return apply_updates(params, updates), state


# ---- on trees ----------------------------------------------------------------------------------


def map_leaves(
    f: Callable[..., tuple[Array, ...]], grads: Grads, *states: Params
) -> tuple[Any, ...]:
    """``f(g, *state leaves) -> (update, *new state leaves)`` on every gradient, as trees.

    State leaves without a gradient stay as they are, by reference.
    """
    if not isinstance(grads, Grads):
        raise ArgumentError(f"an optimizer updates by Grads, not {type(grads).__name__}")
    return _replaced(f, lambda _, u: u, grads, grads, states, "")


def move_leaves(
    f: Callable[..., tuple[Array, ...]], grads: Grads, params: Params, *states: Params
) -> tuple[Any, ...]:
    """``map_leaves``, with each update added to its parameter at once."""
    _check_trees("an optimizer takes Params and Grads", params, grads)
    try:
        return _replaced(f, _sum, grads, params, states, "")
    except ParamsError:
        apply_updates(params, grads)  # says where, if it is their names or shapes that differ
        raise


def _replaced(
    f: Callable[..., tuple[Array, ...]],
    put: Callable[[Array, Array], Array],
    grads: Tree,
    first: Tree,
    states: Sequence[Tree],
    path: str,
) -> tuple[Any, ...]:
    """``first`` and the states, with new leaves wherever there is a gradient.

    ``f(g, *state leaves)`` gives them; the first one is ``put(old leaf, update)``.
    """
    for tree in (first, *states):
        if not isinstance(tree, Tree):
            raise ParamsError("gradients of the parts of what is one array")
    lead: dict[str, Any] = dict(first)
    new: list[dict[str, Any]] = [dict(state) for state in states]
    for name, g in grads.items():
        old: Any = first[name]
        here: list[Any] = [state.get(name) for state in states]
        for entry in here:
            if not fits(entry, g):
                raise _stale(entry, g, path + name)
        if isinstance(g, Tree):
            lead[name], *rest = _replaced(f, put, g, old, here, f"{path}{name}/")
        else:
            if not fits(old, g):
                raise mismatch(old, g, path + name)
            update, *rest = f(g, *here)
            lead[name] = put(old, update)
        for i, leaf in enumerate(rest):
            new[i][name] = leaf
    return first.fresh(lead), *[Params.fresh(tree) for tree in new]


def scaled(factor: float, g: Array) -> tuple[Array]:
    """For ``map_leaves``: the update ``factor * g``, and no state."""
    return (g * factor,)


def apply_updates(params: Params, updates: Grads) -> Params:
    """``params + updates``, each in its parameter's dtype; those without an update as they are.

    Raises ``ParamsError`` for an update that is nobody's or has another shape.

    >>> apply_updates(Params({"W": np.ones(2), "b": np.ones(1)}), Grads({"b": np.ones(1)}))["b"]
    array([2.])
    """
    _check_trees("apply_updates takes Params and then Grads", params, updates)
    return _updated(lambda p, u: (p + u).astype(p.dtype, copy=False), params, updates)


def add_scaled(params: Params, grads: Grads, factor: float) -> Params:
    """``params + factor * grads``: what ``apply_updates`` makes of the products."""
    _check_trees("an optimizer takes Params and Grads", params, grads)
    return _updated(lambda p, g: _sum(p, g * factor), params, grads)


def _sum(p: Array, u: Array) -> Array:
    """``p + u`` in the dtype of ``p``, for a ``u`` that its caller has just made."""
    if u.dtype != p.dtype:
        return (p + u).astype(p.dtype)
    u += p  # in its own array: a new one costs sgd a sixth more
    return u


def _check_trees(takes: str, params: object, grads: object) -> None:
    if not isinstance(params, Params) or not isinstance(grads, Grads):
        raise ArgumentError(f"{takes}, not {type(params).__name__} and {type(grads).__name__}")


def _updated(
    add: Callable[[Array, Array], Array], params: Params, updates: Grads, *path: str
) -> Params:
    new: dict[str, Any] = dict(params)
    for name, u in updates.items():
        p: Any = new.get(name)
        if not fits(p, u):
            raise mismatch(p, u, "/".join([*path, name]))
        leaf = u.__class__ is np.ndarray
        new[name] = add(p, u) if leaf else _updated(add, p, updates[name], *path, name)
    return Params.fresh(new)


def fits(p: Any, u: Any) -> bool:
    """Whether ``u`` is a leaf of the shape of ``p``, or both are trees."""
    if u.__class__ is np.ndarray:  # as are all leaves; isinstance asks longer
        return p.__class__ is np.ndarray and bool(u.shape == p.shape)
    return isinstance(p, Tree)


def mismatch(p: Any, u: Any, path: str) -> ParamsError:
    """The error that says how ``u`` does not fit the parameter ``p``."""
    if p is None:
        return ParamsError(f"an update for {path}, which is no parameter")
    return ParamsError(f"the update for {path} is {_size(u)}, the parameter {_size(p)}")


def _stale(s: Any, g: Any, path: str) -> ParamsError:
    """The error that says how ``g`` does not fit an optimizer's state ``s``."""
    return ParamsError(
        f"the optimizer's state has {_size(s)} for {path}, whose gradient is {_size(g)}; a state "
        "goes with the parameters it began with: write TrainState.start(params, optimizer, key)"
    )


def _size(entry: Any) -> str:
    if entry is None:
        return "nothing"
    return "a tree" if isinstance(entry, Tree) else dims(entry.shape)
