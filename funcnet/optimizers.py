"""Optimizers: stateless functions that make updates of gradients.

Formulas, defaults and the place of epsilon are PyTorch's. The first argument of each is the
learning rate, a number or a schedule; every one counts its steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from .arguments import number
from .arrays import Array
from .schedules import Schedule, schedule_of, shown_rate
from .transforms import check_matches, pattern, penalised
from .tree import Grads, Params, tree_map
from .updates import (
    Optimizer,
    add_scaled,
    check_state,
    map_leaves,
    move_leaves,
    scaled,
)

T = TypeVar("T")


Leaf: TypeAlias = Callable[..., tuple[Array, ...]]
"""``(g, *state leaves) -> (update, *new state leaves)``: one parameter's share of an update."""

Rule: TypeAlias = Callable[[int, float], Leaf]
"""``(step, rate) -> leaf function``: what an optimizer does to every leaf alike."""


def _by_leaves(
    name: str,
    kind: type[T],
    init: Callable[[Params], T],
    rule: Rule,
    learning_rate: float | Schedule,
    shown: str,
) -> Optimizer[T]:
    """The optimizer whose state is the count of steps and then trees with a leaf a parameter."""
    schedule = schedule_of(learning_rate)
    return Optimizer(
        init,
        partial(_update, name, kind, rule, schedule),
        shown,
        move=partial(_move, name, kind, rule, schedule),
    )


def _update(
    name: str, kind: Any, rule: Rule, schedule: Schedule, grads: Grads, state: Any, params: Params
) -> tuple[Grads, Any]:
    check_state(name, kind, state)
    step, *trees = state
    updates, *trees = map_leaves(rule(step, schedule(step)), grads, *trees)
    return updates, kind(step + 1, *trees)


def _move(
    name: str, kind: Any, rule: Rule, schedule: Schedule, grads: Grads, state: Any, params: Params
) -> tuple[Params, Any]:
    check_state(name, kind, state)
    step, *trees = state
    params, *trees = move_leaves(rule(step, schedule(step)), grads, params, *trees)
    return params, kind(step + 1, *trees)


def _steady(leaf: Leaf, step: int, rate: float) -> Leaf:
    """The rule of ``leaf(-rate, g, *state leaves)``, the same at every step."""
    return partial(leaf, -rate)


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
    schedule = schedule_of(learning_rate)
    return Optimizer(
        _first_step,
        partial(_update, "sgd", Step, partial(_steady, scaled), schedule),
        f"sgd({shown_rate(learning_rate)})",
        move=partial(_sgd_move, schedule),
    )


def _sgd_move(schedule: Schedule, grads: Grads, state: Step, params: Params) -> tuple[Params, Step]:
    # Not by move_leaves, whose states are none here: it takes 3% more of a dense network's step.
    check_state("sgd", Step, state)
    return add_scaled(params, grads, -schedule(state.step)), Step(state.step + 1)


def _first_step(params: Params) -> Step:
    return Step(0)


def momentum(learning_rate: float | Schedule, momentum: float = 0.9) -> Optimizer[Momentum]:
    """Gradient descent with velocity: v <- momentum * v + g, p <- p - rate * v.

    Source: Polyak 1964; the form is PyTorch's (``SGD(momentum=...)``, no dampening).

    >>> momentum(0.1).init(Params({"b": np.ones(1)})).velocity["b"]
    array([0.])
    """
    share = number("momentum's momentum", momentum, "[0, 1)")
    shown = f"momentum({shown_rate(learning_rate)}, {share})"
    rule = partial(_steady, partial(_momentum_leaf, share))
    return _by_leaves("momentum", Momentum, _momentum_init, rule, learning_rate, shown)


def _momentum_init(params: Params) -> Momentum:
    return Momentum(0, tree_map(np.zeros_like, params))


def _momentum_leaf(share: float, factor: float, g: Array, v: Array) -> tuple[Array, Array]:
    new = v * share
    new += g
    return new * factor, new


def nesterov(learning_rate: float | Schedule, momentum: float = 0.9) -> Optimizer[Momentum]:
    """Momentum that looks ahead: v <- momentum * v + g, p <- p - rate * (g + momentum * v).

    Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep
    learning"; the form, in which gradients are taken at p itself, is PyTorch's.

    >>> nesterov(0.1)
    nesterov(0.1, 0.9)
    """
    share = number("nesterov's momentum", momentum, "[0, 1)")
    shown = f"nesterov({shown_rate(learning_rate)}, {share})"
    rule = partial(_steady, partial(_nesterov_leaf, share))
    return _by_leaves("nesterov", Momentum, _momentum_init, rule, learning_rate, shown)


def _nesterov_leaf(share: float, factor: float, g: Array, v: Array) -> tuple[Array, Array]:
    new = v * share
    new += g
    ahead = new * share
    ahead += g
    return ahead * factor, new


class Squares(NamedTuple):
    """Steps made, and the sum or running mean of each squared gradient."""

    step: int
    square: Params


def adagrad(learning_rate: float | Schedule, epsilon: float = 1e-10) -> Optimizer[Squares]:
    """Rates that fall with use: s <- s + g**2, p <- p - rate * g / (sqrt(s) + epsilon).

    Source: Duchi et al. 2011, "Adaptive Subgradient Methods".

    >>> adagrad(0.01)
    adagrad(0.01)
    """
    epsilon = number("adagrad's epsilon", epsilon, "[0, inf)")
    shown = f"adagrad({shown_rate(learning_rate)})"
    rule = partial(_steady, partial(_adagrad_leaf, epsilon))
    return _by_leaves("adagrad", Squares, _squares_init, rule, learning_rate, shown)


def _squares_init(params: Params) -> Squares:
    return Squares(0, tree_map(np.zeros_like, params))


def _adagrad_leaf(epsilon: float, factor: float, g: Array, s: Array) -> tuple[Array, Array]:
    new = g * g
    new += s
    return _by_size(g * factor, new, epsilon), new


def _by_size(u: Array, square: Array, epsilon: float) -> Array:
    """``u / (sqrt(square) + epsilon)``, in the array ``u``, which its caller has just made."""
    size = np.sqrt(square)
    size += epsilon
    u /= size
    return u


def rmsprop(
    learning_rate: float | Schedule, decay: float = 0.99, epsilon: float = 1e-8
) -> Optimizer[Squares]:
    """Gradients by their running size.

    s <- decay * s + (1 - decay) * g**2, p <- p - rate * g / (sqrt(s) + epsilon).
    Source: Hinton 2012, "Neural Networks for Machine Learning", lecture 6e.

    >>> rmsprop(0.01)
    rmsprop(0.01)
    """
    decay = number("rmsprop's decay", decay, "[0, 1)")
    epsilon = number("rmsprop's epsilon", epsilon, "[0, inf)")
    shown = f"rmsprop({shown_rate(learning_rate)})"
    rule = partial(_steady, partial(_rmsprop_leaf, decay, epsilon))
    return _by_leaves("rmsprop", Squares, _squares_init, rule, learning_rate, shown)


def _rmsprop_leaf(
    decay: float, epsilon: float, factor: float, g: Array, s: Array
) -> tuple[Array, Array]:
    new = _mean_square(decay, s, g)
    return _by_size(g * factor, new, epsilon), new


def _mean_square(decay: float, mean: Array, x: Array) -> Array:
    """``decay * mean + (1 - decay) * x**2``."""
    new = x * x
    new *= 1 - decay
    new += mean * decay
    return new


class Adadelta(NamedTuple):
    """Steps made, and the running means of each squared gradient and squared move."""

    step: int
    square: Params
    move: Params


def adadelta(
    learning_rate: float | Schedule = 1.0, decay: float = 0.9, epsilon: float = 1e-6
) -> Optimizer[Adadelta]:
    """Moves whose size follows from earlier moves, so that the rate can be 1.

    s <- decay * s + (1 - decay) * g**2, d = g * sqrt(m + epsilon) / sqrt(s + epsilon),
    m <- decay * m + (1 - decay) * d**2, p <- p - rate * d.
    Source: Zeiler 2012, "ADADELTA".

    >>> adadelta()
    adadelta(1.0)
    """
    decay = number("adadelta's decay", decay, "[0, 1)")
    epsilon = number("adadelta's epsilon", epsilon, "(0, inf)")
    shown = f"adadelta({shown_rate(learning_rate)})"
    rule = partial(_steady, partial(_adadelta_leaf, decay, epsilon))
    return _by_leaves("adadelta", Adadelta, _adadelta_init, rule, learning_rate, shown)


def _adadelta_init(params: Params) -> Adadelta:
    return Adadelta(0, tree_map(np.zeros_like, params), tree_map(np.zeros_like, params))


def _adadelta_leaf(
    decay: float, epsilon: float, factor: float, g: Array, s: Array, m: Array
) -> tuple[Array, Array, Array]:
    new = _mean_square(decay, s, g)
    d = g * (np.sqrt(m + epsilon) / np.sqrt(new + epsilon))
    return d * factor, new, _mean_square(decay, m, d)


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
    shares = number("adam's beta1", beta1, "[0, 1)"), number("adam's beta2", beta2, "[0, 1)")
    epsilon = number("adam's epsilon", epsilon, "[0, inf)")
    shown = f"adam({shown_rate(learning_rate)})"
    rule = partial(_adam_rule, *shares, epsilon)
    return _by_leaves("adam", Adam, _adam_init, rule, learning_rate, shown)


def _adam_init(params: Params) -> Adam:
    return Adam(0, tree_map(np.zeros_like, params), tree_map(np.zeros_like, params))


def _adam_rule(beta1: float, beta2: float, epsilon: float, step: int, rate: float) -> Leaf:
    # The square's correction is drawn out of the root, and costs no pass over the numbers.
    t = step + 1
    root = math.sqrt(1 - beta2**t)
    return partial(_adam_leaf, -rate * root / (1 - beta1**t), beta1, beta2, epsilon * root)


def _adam_leaf(
    factor: float, beta1: float, beta2: float, epsilon: float, g: Array, m: Array, v: Array
) -> tuple[Array, Array, Array]:
    # Three new arrays and no more: `u` holds each term in turn. (asarray, because a product of
    # arrays of no dimension is a scalar, which cannot be written to.)
    m, v, u = np.asarray(m * beta1), np.asarray(v * beta2), np.asarray(g * (1 - beta1))
    m += u
    np.multiply(g, g, out=u)
    u *= 1 - beta2
    v += u
    np.sqrt(v, out=u)
    u += epsilon
    np.divide(m, u, out=u)
    u *= factor
    return u, m, v


def adamw(
    learning_rate: float | Schedule,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.01,
    where: str = "**",
) -> Optimizer[Adam]:
    """Adam with weight decay apart from its means: p <- p - rate * weight_decay * p, then Adam.

    ``where`` says which parameters decay, as for the function ``weight_decay``; all, as in PyTorch,
    unless given. Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization",
    algorithm 2.

    >>> adamw(1e-3, weight_decay=0.1)
    adamw(0.001, weight_decay=0.1)
    """
    plain = adam(learning_rate, beta1, beta2, epsilon)
    rate = number("adamw's weight_decay", weight_decay, "[0, inf)")
    where = pattern("adamw", where)
    return Optimizer(
        partial(_adamw_init, where),
        partial(_adamw_update, schedule_of(learning_rate), rate, where, plain),
        f"adamw({shown_rate(learning_rate)}, weight_decay={rate})",
    )


def _adamw_init(where: str, params: Params) -> Adam:
    check_matches(where, params)
    return _adam_init(params)


def _adamw_update(
    schedule: Schedule,
    rate: float,
    where: str,
    plain: Optimizer[Adam],
    grads: Grads,
    state: Adam,
    params: Params,
) -> tuple[Grads, Adam]:
    check_state("adamw", Adam, state)
    updates, new = plain.update(grads, state, params)
    shrink = partial(np.multiply, -schedule(state.step) * rate)
    return penalised(shrink, where, updates, params), new
