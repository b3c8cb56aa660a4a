"""What optimizers are, how several make one, and how their updates are applied.

``Optimizer(init, update)``: ``init(params) -> state``; ``update(grads, state, params) ->
(updates, state)``; ``apply_updates(params, updates)`` adds. A parameter that is absent from the
gradients is left as it is, and so is its state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, overload

from .arguments import function, given, short
from .arrays import Array, dims
from .errors import ArgumentError, ConfigError, ParamsError
from .tree import Grads, Params, Tree

S_co = TypeVar("S_co", covariant=True)
S1 = TypeVar("S1")
S2 = TypeVar("S2")
S3 = TypeVar("S3")


@dataclass(frozen=True, slots=True, repr=False)
class Optimizer(Generic[S_co]):
    """A pair of pure functions: ``init(params) -> state`` and ``update(grads, state, params)``.

    ``shown`` is how ``repr`` writes it. ``transforms`` says that it only changes gradients, as
    ``weight_decay`` does, and stands in a ``chain`` before one that makes updates of them.
    The style is optax's (DeepMind 2020, "The DeepMind JAX Ecosystem").
    """

    # To mypy, optimizers of several kinds in one list or dict have in common that they are
    # optimizers, which with an invariant state they would not.
    init: Callable[[Params], S_co]
    update: Callable[[Grads, S_co, Params], tuple[Grads, S_co]]
    shown: str = "Optimizer(...)"
    transforms: bool = False

    def __post_init__(self) -> None:
        function("an optimizer's init", self.init, "init(params)")
        function("an optimizer's update", self.update, "update(grads, state, params)")

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
    if type(states) is not tuple or len(states) != len(parts):
        raise ArgumentError(
            f"a chain of {len(parts)} goes on from as many states in a tuple, not "
            f"{short(states)}; begin with TrainState.start(params, optimizer, key)"
        )
    new = []
    for part, state in zip(parts, states, strict=True):
        grads, state = part.update(grads, state, params)
        new.append(state)
    return grads, tuple(new)


# ---- on trees ----------------------------------------------------------------------------------


def map_leaves(
    f: Callable[..., tuple[Array, ...]], grads: Grads, *states: Params
) -> tuple[Any, ...]:
    """``f(g, *state leaves) -> (update, *new state leaves)`` on every gradient, as trees.

    State leaves without a gradient stay as they are, by reference.
    """
    if not isinstance(grads, Grads):
        raise ArgumentError(f"an optimizer updates by Grads, not {type(grads).__name__}")
    updates: dict[str, Any] = {}
    new: list[dict[str, Any]] = [dict(state) for state in states]
    for name, g in grads.items():
        here = [state[name] for state in states]
        both = map_leaves(f, grads[name], *here) if isinstance(g, Tree) else f(g, *here)
        updates[name], *rest = both
        for tree, leaf in zip(new, rest, strict=True):
            tree[name] = leaf
    return Grads.fresh(updates), *[Params.fresh(tree) for tree in new]


def scaled(factor: float, g: Array) -> tuple[Array]:
    """For ``map_leaves``: the update ``factor * g``, and no state."""
    return (g * factor,)


def apply_updates(params: Params, updates: Grads) -> Params:
    """``params + updates``, each in its parameter's dtype; those without an update as they are.

    Raises ``ParamsError`` for an update that is nobody's or has another shape.

    >>> apply_updates(Params({"W": np.ones(2), "b": np.ones(1)}), Grads({"b": np.ones(1)}))["b"]
    array([2.])
    """
    if not isinstance(params, Params) or not isinstance(updates, Grads):
        kinds = f"{type(params).__name__} and {type(updates).__name__}"
        raise ArgumentError(f"apply_updates takes Params and then Grads, not {kinds}")
    return _updated(params, updates, "")


def _updated(params: Params, updates: Grads, path: str) -> Params:
    new: dict[str, Any] = dict(params)
    for name, u in updates.items():
        if name not in params:
            raise ParamsError(f"an update for {path}{name}, which is no parameter")
        p = new[name]
        if isinstance(p, Tree) and isinstance(u, Tree):
            new[name] = _updated(params[name], updates[name], f"{path}{name}/")
        elif isinstance(p, Tree) or isinstance(u, Tree) or u.shape != p.shape:
            got, has = [dims(v.shape) if not isinstance(v, Tree) else "a tree" for v in (u, p)]
            raise ParamsError(f"the update for {path}{name} is {got}, the parameter {has}")
        else:
            moved = p + u
            new[name] = moved if moved.dtype == p.dtype else moved.astype(p.dtype)
    return Params.fresh(new)
