"""Optimizers and losses that the course, PyTorch and ONNX define in different ways, measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import accumulate
from math import sqrt
from typing import Any

import numpy as np
from table import Difference, Figure, Form, steps

import funcnet as fn


def epsilon_in_adam() -> Difference:
    def uncorrected(g: float, epsilon: float) -> float:
        m, v = 0.1 * g, 0.001 * g * g  # after one step from 0, beta1 .9 and beta2 .999
        return sqrt(0.001) / 0.1 * m / (sqrt(v) + epsilon)

    at = (1e-6, 1e-4)
    ours = tuple(steps(fn.adam(1.0), [g])[0] for g in at)
    course, onnx = (tuple(uncorrected(g, epsilon) for g in at) for epsilon in (1e-7, 1e-6))
    return Difference(
        "Epsilon in Adam",
        ("first step over rate, gradient 1e-6", "gradient 1e-4"),
        [
            Form("funcnet, PyTorch", "1e-8, added to `sqrt(v / (1 - beta2**t))`", ours),
            Form("course", "1e-7, added to `sqrt(v)`: as good as 32e-7 at step 1", course),
            Form("ONNX", "1e-6, added to `sqrt(v)`", onnx),
        ],
        "The step should be the rate, whatever the size of the gradient. The paper has both forms: "
        "algorithm 1 is the first, and the faster one it mentions is the second.",
    )


def epsilon_in_adagrad_and_rmsprop() -> Difference:
    g = 1e-7

    def adagrad(epsilon: float) -> float:
        return g / (g + epsilon)

    def rmsprop(epsilon: float) -> float:
        return g / (sqrt(0.01 * g * g) + epsilon)

    ours = (steps(fn.adagrad(1.0), [g])[0], steps(fn.rmsprop(1.0), [g])[0])
    return Difference(
        "Epsilon in AdaGrad and RMSprop",
        ("AdaGrad's first step over rate, gradient 1e-7", "RMSprop's"),
        [
            Form("funcnet, PyTorch", "1e-10 in AdaGrad, 1e-8 in RMSprop", ours),
            Form("course", "1e-7 in both", (adagrad(1e-7), rmsprop(1e-7))),
            Form("ONNX", "1e-6 in AdaGrad; it has no RMSprop", (adagrad(1e-6), "none")),
        ],
        "All add it to the root. For gradients far above epsilon the steps are 1 and 10.",
    )


def momentum_when_the_rate_changes() -> Difference:
    rate, gradients = fn.step_decay(0.1, every=10, factor=0.1), [1.0] * 11

    def course(v: float, step: int) -> float:
        return 0.9 * v + rate(step) * gradients[step]

    ours = tuple(steps(fn.momentum(rate), gradients)[-2:])
    theirs = tuple(accumulate(range(11), course, initial=0.0))[-2:]
    return Difference(
        "Momentum when the rate changes",
        ("step at rate .1", "next step, at rate .01"),
        [
            Form("funcnet, PyTorch, ONNX", "`v <- momentum * v + g`, `p <- p - rate * v`", ours),
            Form("course", "`v <- momentum * v - rate * g`, `p <- p + v`", theirs),
        ],
        "Ten gradients of 1, then one more at a tenth of the rate, which in the first form counts "
        "at once and in the second for new gradients only. At a constant rate they are the same.",
    )


def forms_of_nesterov() -> Difference:
    rate, mu = 0.1, 0.9  # down p**2 / 2, whose gradient at p is p
    optimizer = fn.nesterov(rate, mu)

    def ours(p: float, state: Any) -> tuple[float, Any]:
        params, grads = fn.Params({"p": np.array([p])}), fn.Grads({"p": np.array([p])})
        updates, state = optimizer.update(grads, state, params)
        return float(fn.apply_updates(params, updates).leaf("p")[0]), state

    def paper(p: float, v: float) -> tuple[float, float]:
        v = mu * v - rate * (p + mu * v)
        return p + v, v

    def course(p: float, v: float) -> tuple[float, float]:
        g, v = p, mu * v - rate * p
        return p + mu**2 * v - (1 + mu) * rate * g, v

    def path(move: Callable[..., tuple[float, Any]], state: Any) -> list[tuple[float, Any]]:
        return list(accumulate(range(10), lambda at, _: move(*at), initial=(1.0, state)))

    def figures(path: list[float]) -> tuple[float, float]:
        return (path[0] - path[1]) / rate, path[10]

    papers = path(paper, 0.0)
    ours_seen = figures([p for p, _ in path(ours, optimizer.init(fn.Params({"p": np.ones(1)})))])
    paper_seen, paper_ahead = (figures([p + a * mu * v for p, v in papers]) for a in (0, 1))
    course_seen = figures([p for p, _ in path(course, 0.0)])
    torch = "`v <- momentum * v + g`, `p <- p - rate * (g + momentum * v)`; g at p"
    sutskever = "`v <- momentum * v - rate * g`, `p <- p + v`; g at `p + momentum * v`"
    book = "the same v, `p <- p + momentum**2 * v - (1 + momentum) * rate * g`; g at p"
    return Difference(
        "Nesterov's forms",
        ("first step over rate * gradient", "p after 10 steps from 1 down p**2 / 2"),
        [
            Form("funcnet, PyTorch, ONNX", torch, ours_seen),
            Form("paper", sutskever, paper_seen),
            Form("paper, seen from ahead", "its `p + momentum * v` is funcnet's p", paper_ahead),
            Form("course", book, course_seen),
        ],
        "Rate .1, momentum .9; the paper is Sutskever et al. 2013. The course's form would be "
        "funcnet's with the v of the step before; with the new one, g counts once more.",
    )


def weight_decay() -> Difference:
    decay, rate, count = 0.1, 0.1, 100
    start = fn.Params({"W": np.ones((10, 10)), "b": np.ones(1)})
    optimizer = fn.chain(fn.weight_decay(decay), fn.sgd(rate))
    still = fn.Grads({"W": np.zeros((10, 10)), "b": np.zeros(1)})

    def move(params: fn.Params, _: int) -> fn.Params:
        updates, _state = optimizer.update(still, optimizer.init(params), params)
        return fn.apply_updates(params, updates)

    ours = float(reduce(move, range(count), start)["b"][0])
    everything = (1 - rate * decay) ** count
    penalty = decay / 2 * float((start["W"] ** 2).sum())
    return Difference(
        "Weight decay",
        ("a bias of 1 after 100 steps", "added to the loss that is shown"),
        [
            Form("funcnet `weight_decay`", "W only, `**/W`, unless told otherwise", (ours, 0)),
            Form("PyTorch, ONNX", "all parameters", (everything, 0)),
            Form("course", "W only; the loss shown includes the penalty", (1, penalty)),
        ],
        "Rate .1, decay .1, gradients 0; W has 100 ones. All add `decay * W` to the gradient. "
        "`adamw` decays all parameters unless told otherwise, as PyTorch's does.",
    )


def log_of_a_probability() -> Difference:
    def ours(y: Any) -> float:
        return fn.softmax_cross_entropy().forward(y, np.array([0]))[0]

    def course(y: Any) -> float:
        return -float(np.log(fn.softmax().apply(fn.NO_PARAMS, y)[0, 0] + 1e-7))

    def figures(loss: Callable[[Any], float]) -> tuple[Figure, ...]:
        likely, unlikely = np.log([[0.6, 0.4]]), np.array([[0.0, 20.0]])
        slope = fn.numerical_gradient(loss, unlikely)[0, 0]
        return f"{loss(likely):.9f}", loss(unlikely), float(slope)

    return Difference(
        "1e-7 in the log",
        ("loss at p = .6", "loss of class 0 at logits 0, 20", "its slope there"),
        [
            Form("funcnet, PyTorch, ONNX", "`log p` from the logits, exact", figures(ours)),
            Form("course", "`log(p + 1e-7)` of the softmax p", figures(course)),
        ],
        "The course's loss never passes 16.1 and is flat where the error is greatest. Its backward "
        "pass is the exact loss's, so a gradient check fails there.",
    )


def mean_squared_errors() -> Difference:
    y = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    t = y + np.array([[0, 0, 6], [0, 0, 0]])

    def ours(loss: fn.Loss[Any, Any]) -> tuple[float, float]:
        value, cache = loss.forward(y, t)
        return value, float(loss.backward(cache)[0, 2])

    whole = (float(((y - t) ** 2).sum() / 2), float((y - t)[0, 2]))
    mean = (whole[0] / y.size, whole[1] / y.size)
    torch, each = ours(fn.mean_squared_error()), ours(fn.squared_error())
    return Difference(
        'The "mean squared errors"',
        ("value", "gradient at the wrong output"),
        [
            Form("funcnet `mean_squared_error`, PyTorch", "the mean of all elements", torch),
            Form("funcnet `squared_error`, course", "half the sum, averaged over examples", each),
            Form("course", "half the sum of all", whole),
            Form("course", "half the mean of all elements", mean),
        ],
        "Two examples of three outputs, one of which is 6 too small. The larger the gradient, the "
        "smaller the learning rate that suits it. ONNX has no such operator.",
    )


TRAINING = (
    epsilon_in_adam,
    epsilon_in_adagrad_and_rmsprop,
    momentum_when_the_rate_changes,
    forms_of_nesterov,
    weight_decay,
    log_of_a_probability,
    mean_squared_errors,
)
