"""Optimizers: stateless functions that make updates of gradients.

Formulas, defaults and the place of epsilon are PyTorch's. The first argument of each is the
learning rate, a number or a schedule; every one counts its steps.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from .arguments import number
from .arrays import Array
from .schedules import Schedule, schedule_of, shown_rate
from .tree import Grads, Params, tree_map
from .updates import Optimizer, check_state, map_leaves, scaled


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
    update = partial(_sgd_update, schedule_of(learning_rate))
    return Optimizer(_first_step, update, f"sgd({shown_rate(learning_rate)})")


def _first_step(params: Params) -> Step:
    return Step(0)


def _sgd_update(
    schedule: Schedule, grads: Grads, state: Step, params: Params
) -> tuple[Grads, Step]:
    check_state("sgd", Step, state)
    (updates,) = map_leaves(partial(scaled, -schedule(state.step)), grads)
    return updates, Step(state.step + 1)


def momentum(learning_rate: float | Schedule, momentum: float = 0.9) -> Optimizer[Momentum]:
    """Gradient descent with velocity: v <- momentum * v + g, p <- p - rate * v.

    Source: Polyak 1964; the form is PyTorch's (``SGD(momentum=...)``, no dampening).

    >>> momentum(0.1).init(Params({"b": np.ones(1)})).velocity["b"]
    array([0.])
    """
    share = number("momentum's momentum", momentum, "[0, 1)")
    update = partial(_momentum_update, schedule_of(learning_rate), share)
    return Optimizer(_momentum_init, update, f"momentum({shown_rate(learning_rate)}, {share})")


def _momentum_init(params: Params) -> Momentum:
    return Momentum(0, tree_map(np.zeros_like, params))


def _momentum_update(
    schedule: Schedule, share: float, grads: Grads, state: Momentum, params: Params
) -> tuple[Grads, Momentum]:
    check_state("momentum", Momentum, state)
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
    shares = number("adam's beta1", beta1, "[0, 1)"), number("adam's beta2", beta2, "[0, 1)")
    epsilon = number("adam's epsilon", epsilon, "[0, inf)")
    update = partial(_adam_update, schedule_of(learning_rate), *shares, epsilon)
    return Optimizer(_adam_init, update, f"adam({shown_rate(learning_rate)})")


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
    check_state("adam", Adam, state)
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
