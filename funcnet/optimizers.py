"""Optimizers: stateless functions from gradients to updates.

``Optimizer(init, update)``: ``init(params) -> state``; ``update(grads, state, params) ->
(updates, state)``; ``apply_updates(params, updates)`` adds. ``chain`` runs several in turn, each
on what the one before it made. Formulas, defaults and the place of epsilon are PyTorch's.

A parameter that is absent from the gradients is left as it is, and so is its state.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Generic, NamedTuple, TypeVar, overload

import numpy as np

from .arguments import number
from .arrays import Array, dims
from .errors import ArgumentError, ConfigError, ParamsError
from .schedules import Schedule, schedule_of
from .tree import Grads, Params, Tree, leaves, tree_map

S_co = TypeVar("S_co", covariant=True)
S1 = TypeVar("S1")
S2 = TypeVar("S2")
S3 = TypeVar("S3")


@dataclass(frozen=True, slots=True)
class Optimizer(Generic[S_co]):
    """A pair of pure functions: ``init(params) -> state`` and ``update(grads, state, params)``.

    The style is optax's (DeepMind 2020, "The DeepMind JAX Ecosystem").
    """

    # To mypy, optimizers of several kinds in one list or dict have in common that they are
    # optimizers, which with an invariant state they would not.
    init: Callable[[Params], S_co]
    update: Callable[[Grads, S_co, Params], tuple[Grads, S_co]]


class Step(NamedTuple):
    """The state of an optimizer that remembers nothing but how many steps it made."""

    step: int


class Momentum(NamedTuple):
    """Steps made, and the velocity of each parameter."""

    step: int
    velocity: Params


class Adam(NamedTuple):
    """Steps made, and the running means of each gradient and of its square."""

    step: int
    mean: Params
    square: Params


def sgd(learning_rate: float | Schedule) -> Optimizer[Step]:
    """Gradient descent: p <- p - rate * g.

    >>> params, optimizer = Params({"b": np.ones(1)}), sgd(0.1)
    >>> grads = Grads({"b": np.full(1, 2.0)})
    >>> updates, state = optimizer.update(grads, optimizer.init(params), params)
    >>> apply_updates(params, updates)["b"], state
    (array([0.8]), Step(step=1))
    """
    return Optimizer(_first_step, partial(_sgd_update, schedule_of(learning_rate)))


def _first_step(params: Params) -> Step:
    return Step(0)


def _sgd_update(
    schedule: Schedule, grads: Grads, state: Step, params: Params
) -> tuple[Grads, Step]:
    (updates,) = map_leaves(partial(_scaled, -schedule(state.step)), grads)
    return updates, Step(state.step + 1)


def _scaled(factor: float, g: Array) -> tuple[Array]:
    return (g * factor,)


def momentum(learning_rate: float | Schedule, momentum: float = 0.9) -> Optimizer[Momentum]:
    """Gradient descent with velocity: v <- momentum * v + g, p <- p - rate * v.

    Source: Polyak 1964; the form is PyTorch's (``SGD(momentum=...)``, no dampening).

    >>> momentum(0.1).init(Params({"b": np.ones(1)})).velocity["b"]
    array([0.])
    """
    share = number("momentum", momentum, "[0, 1)")
    return Optimizer(_momentum_init, partial(_momentum_update, schedule_of(learning_rate), share))


def _momentum_init(params: Params) -> Momentum:
    return Momentum(0, tree_map(np.zeros_like, params))


def _momentum_update(
    schedule: Schedule, share: float, grads: Grads, state: Momentum, params: Params
) -> tuple[Grads, Momentum]:
    leaf = partial(_momentum_leaf, -schedule(state.step), share)
    updates, velocity = map_leaves(leaf, grads, state.velocity)
    return updates, Momentum(state.step + 1, velocity)


def _momentum_leaf(factor: float, share: float, g: Array, v: Array) -> tuple[Array, Array]:
    new = v * share
    new += g
    return new * factor, new


def adam(
    learning_rate: float | Schedule,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> Optimizer[Adam]:
    """Adam: running means of the gradient and of its square, corrected for their start at 0.

    m <- beta1 * m + (1 - beta1) * g, v <- beta2 * v + (1 - beta2) * g**2, and at step t from 1:
    p <- p - rate * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + epsilon).
    Source: Kingma and Ba 2015, "Adam", algorithm 1.

    >>> optimizer = adam(0.001)
    >>> params = Params({"b": np.ones(1)})
    >>> updates, _ = optimizer.update(Grads({"b": np.ones(1)}), optimizer.init(params), params)
    >>> updates["b"].round(6)
    array([-0.001])
    """
    shares = number("beta1", beta1, "[0, 1)"), number("beta2", beta2, "[0, 1)")
    epsilon = number("epsilon", epsilon, "[0, inf)")
    return Optimizer(
        _adam_init, partial(_adam_update, schedule_of(learning_rate), *shares, epsilon)
    )


def _adam_init(params: Params) -> Adam:
    return Adam(0, tree_map(np.zeros_like, params), tree_map(np.zeros_like, params))


def _adam_update(
    schedule: Schedule,
    beta1: float,
    beta2: float,
    epsilon: float,
    grads: Grads,
    state: Adam,
    params: Params,
) -> tuple[Grads, Adam]:
    t = state.step + 1
    factor = -schedule(state.step) / (1 - beta1**t)
    leaf = partial(_adam_leaf, factor, 1 / (1 - beta2**t), beta1, beta2, epsilon)
    updates, mean, square = map_leaves(leaf, grads, state.mean, state.square)
    return updates, Adam(t, mean, square)


def _adam_leaf(
    factor: float,
    correction: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    g: Array,
    m: Array,
    v: Array,
) -> tuple[Array, Array, Array]:
    # Three new arrays and no more: `u` holds each term in turn. (asarray, because a product of
    # arrays of no dimension is a scalar, which cannot be written to.)
    m, v, u = np.asarray(m * beta1), np.asarray(v * beta2), np.asarray(g * (1 - beta1))
    m += u
    np.multiply(g, g, out=u)
    u *= 1 - beta2
    v += u
    np.multiply(v, correction, out=u)
    np.sqrt(u, out=u)
    u += epsilon
    np.divide(m, u, out=u)
    u *= factor
    return u, m, v


# ---- what goes before an optimizer in a chain --------------------------------------------------


def clip_by_global_norm(limit: float) -> Optimizer[tuple[()]]:
    """Scales all gradients down together so that their common norm is at most ``limit``.

    Source: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks".

    >>> clip = clip_by_global_norm(1.0)
    >>> clip.update(Grads({"b": np.array([3.0, 4.0])}), (), Params())[0]["b"]
    array([0.6, 0.8])
    """
    return Optimizer(_no_state, partial(_clip_update, number("limit", limit, "(0, inf]")))


def _no_state(params: Params) -> tuple[()]:
    return ()


def _clip_update(
    limit: float, grads: Grads, state: tuple[()], params: Params
) -> tuple[Grads, tuple[()]]:
    norm = math.hypot(*[_norm(g) for _, g in leaves(grads)])
    if norm <= limit:
        return grads, state
    (clipped,) = map_leaves(partial(_scaled, limit / norm), grads)
    return clipped, state


def _norm(g: Array) -> float:
    square = float(np.vdot(g, g))
    # Gradients that explode are what clipping is for: their squares may pass float32's range.
    return math.sqrt(square if math.isfinite(square) else np.square(g, dtype=np.float64).sum())


def weight_decay(rate: float, where: str = "**/W") -> Optimizer[tuple[()]]:
    """Adds rate * p to the gradient of each parameter whose path matches ``where``.

    That is the gradient of rate / 2 * sum(p**2), the L2 penalty. ``where`` is a glob on
    ``/``-joined paths: ``*`` stays within one name, ``**/`` stands for any parts or none. ``init``
    raises ``ConfigError`` where nothing matches.

    >>> decay = weight_decay(0.1)
    >>> params, grads = Params({"W": np.ones(1)}), Grads({"W": np.zeros(1)})
    >>> decay.update(grads, decay.init(params), params)[0]["W"]
    array([0.1])
    """
    if not isinstance(where, str):
        raise ArgumentError(f"where is a pattern like '**/W', not {where!r:.60}")
    rate = number("rate", rate, "[0, inf)")
    return Optimizer(partial(_decay_init, where), partial(_decay_update, rate, where))


def _decay_init(where: str, params: Params) -> tuple[()]:
    paths = [path for path, _ in leaves(params)]
    if not any(matches(where, path) for path in paths):
        have = ", ".join(paths[:6]) + (", ..." if len(paths) > 6 else "")
        raise ConfigError(f"no parameter matches {where!r}; there are {have or 'none'}")
    return ()


def _decay_update(
    rate: float, where: str, grads: Grads, state: tuple[()], params: Params
) -> tuple[Grads, tuple[()]]:
    return _decayed(rate, where, grads, params, ""), state


def _decayed(rate: float, where: str, grads: Grads, params: Params, path: str) -> Grads:
    new: dict[str, Any] = {}
    for name, g in grads.items():
        if isinstance(g, Tree):
            new[name] = _decayed(rate, where, grads[name], params[name], f"{path}{name}/")
        elif matches(where, path + name):
            new[name] = g + params.leaf(name) * rate
        else:
            new[name] = g
    return Grads.fresh(new)


@lru_cache(maxsize=4096)
def matches(where: str, path: str) -> bool:
    """Whether the glob ``where`` matches a ``/``-joined path.

    >>> [matches("**/W", path) for path in ("W", "dense1/W", "residual1/0/dense1/W", "dense1/b")]
    [True, True, True, False]
    """
    tokens = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", where)
    return re.fullmatch("".join(tokens.get(p, re.escape(p)) for p in pieces), path) is not None


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
    """Several in turn: each gets as gradients what the one before it gave as updates.

    >>> optimizer = chain(weight_decay(1e-4), clip_by_global_norm(1.0), adam(1e-3))
    """
    for part in optimizers:
        if not isinstance(part, Optimizer):
            name = getattr(part, "__name__", repr(part))
            raise ArgumentError(f"chain takes optimizers, not {name}; did you mean {name}(...)?")
    return Optimizer(partial(_chain_init, optimizers), partial(_chain_update, optimizers))


def _chain_init(parts: tuple[Optimizer[Any], ...], params: Params) -> tuple[Any, ...]:
    return tuple([part.init(params) for part in parts])


def _chain_update(
    parts: tuple[Optimizer[Any], ...], grads: Grads, states: tuple[Any, ...], params: Params
) -> tuple[Grads, tuple[Any, ...]]:
    new = []
    for part, state in zip(parts, states, strict=True):
        grads, state = part.update(grads, state, params)
        new.append(state)
    return grads, tuple(new)


# ---- trees -------------------------------------------------------------------------------------


def map_leaves(
    f: Callable[..., tuple[Array, ...]], grads: Grads, *states: Params
) -> tuple[Any, ...]:
    """``f(g, *state leaves) -> (update, *new state leaves)`` on every gradient, as trees.

    State leaves without a gradient stay as they are, by reference.
    """
    updates: dict[str, Any] = {}
    new: list[dict[str, Any]] = [dict(state) for state in states]
    for name, g in grads.items():
        here = [state[name] for state in states]
        both = map_leaves(f, grads[name], *here) if isinstance(g, Tree) else f(g, *here)
        updates[name], *rest = both
        for tree, leaf in zip(new, rest, strict=True):
            tree[name] = leaf
    return Grads.fresh(updates), *[Params.fresh(tree) for tree in new]


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
