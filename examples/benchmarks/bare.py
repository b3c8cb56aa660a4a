"""The dense workloads in bare NumPy, beside which funcnet's own share of a step is measured.

The arithmetic is funcnet's, call for call, on arrays of the step's own in place, and the weights
are new arrays after each step, as funcnet's parameters are. All else is missing: layers, trees,
keys, caches and checks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from networks import ADAM_RATE, SGD_RATE
from timing import Step
from workloads import WORKLOADS, optimizer

import funcnet as fn

Batches: TypeAlias = Sequence[fn.Batch[Any, Any]]
Arrays: TypeAlias = list[Any]


def training_step(letter: str, batches: Batches, params: fn.Params) -> Step:
    """The step of a workload, on the batches in turn, from the network's ``params``.

    Each call gives the loss, and the parameters after it as a list of arrays.
    """
    return STEPS[letter](batches, params)


def check(letter: str, batches: Batches, steps: int = 10) -> None:
    """Raise ``AssertionError`` unless these steps give funcnet's parameters, to the last bit."""
    workload = WORKLOADS[letter]
    params = workload.net.init(fn.Key(0), workload.shape)
    start = fn.TrainState.start(params, optimizer(workload.optimizer), fn.Key(1))
    step = fn.train_step(workload.net, fn.softmax_cross_entropy(), optimizer(workload.optimizer))
    final = reduce(step, [batches[i % len(batches)] for i in range(steps)], start)

    bare: Any = training_step(letter, batches, params)
    value, arrays = [bare(i) for i in range(steps)][-1]
    np.testing.assert_allclose(value, final.loss, rtol=1e-5)
    for (path, expected), found in zip(fn.leaves(final.params), arrays, strict=True):
        np.testing.assert_array_equal(found, expected, err_msg=path)


# ---- the steps ---------------------------------------------------------------------------------


def relu_sgd(batches: Batches, params: fn.Params) -> Step:
    weights = [w for _, w in fn.leaves(params)]

    def step(i: int) -> object:
        nonlocal weights
        value, gradients = relu_gradients(weights, *batches[i % len(batches)])
        weights = sgd(weights, gradients)
        return value, weights

    return step


def relu_adam(batches: Batches, params: fn.Params) -> Step:
    weights = [w for _, w in fn.leaves(params)]
    means = squares = [np.zeros_like(w) for w in weights]
    made = 0

    def step(i: int) -> object:
        nonlocal weights, means, squares, made
        value, gradients = relu_gradients(weights, *batches[i % len(batches)])
        made += 1
        weights, means, squares = adam(made, weights, gradients, means, squares)
        return value, weights

    return step


def normed_sgd(batches: Batches, params: fn.Params) -> Step:
    weights, running = split(params)

    def step(i: int) -> object:
        nonlocal weights, running
        value, gradients, seen = normed_gradients(weights, *batches[i % len(batches)])
        weights, running = sgd(weights, gradients), moved(running, seen)
        return value, joined(weights, running)

    return step


def normed_adam(batches: Batches, params: fn.Params) -> Step:
    weights, running = split(params)
    means = squares = [np.zeros_like(w) for w in weights]
    made = 0

    def step(i: int) -> object:
        nonlocal weights, running, means, squares, made
        value, gradients, seen = normed_gradients(weights, *batches[i % len(batches)])
        made += 1
        weights, means, squares = adam(made, weights, gradients, means, squares)
        running = moved(running, seen)
        return value, joined(weights, running)

    return step


STEPS: dict[str, Callable[[Batches, fn.Params], Step]] = {
    "A": relu_sgd,
    "B": relu_sgd,
    "B-Adam": relu_adam,
    "E": normed_sgd,
    "E-Adam": normed_adam,
}


# ---- gradients ---------------------------------------------------------------------------------


def relu_gradients(weights: Arrays, x: Any, t: Any) -> tuple[float, Arrays]:
    """The loss, and its gradients by W and b of each layer in turn, as the weights are."""
    inputs = [x]
    for i in range(0, len(weights) - 2, 2):
        z = affine(inputs[-1], *weights[i : i + 2])
        inputs.append(z.clip(0, np.inf, out=z))
    value, dy = cross_entropy(affine(inputs[-1], *weights[-2:]), t)

    ones = np.ones(len(x), x.dtype)
    gradients = [ones.dot(dy), inputs[-1].T.dot(dy)]
    for i in reversed(range(len(inputs) - 1)):
        dy = dy.dot(weights[2 * i + 2].T)
        dy *= inputs[i + 1] > 0
        gradients += [ones.dot(dy), inputs[i].T.dot(dy)]
    return value, gradients[::-1]


def normed_gradients(weights: Arrays, x: Any, t: Any) -> tuple[float, Arrays, Arrays]:
    """The same with batch norm, by W, b, gamma and beta; and the means and variances it saw."""
    n, ones = len(x), np.ones(len(x), x.dtype)
    inputs, kept, seen = [x], [], []
    for i in range(0, len(weights) - 2, 4):
        W, b, gamma, beta = weights[i : i + 4]
        z = affine(inputs[-1], W, b)
        mean = ones.dot(z) / n
        z -= mean
        rest = ones.dot(z) / n  # what rounding left of the mean
        mean += rest
        z -= rest
        var = ones.dot(z * z) / n
        inverse = 1 / np.sqrt(var + 1e-5)
        scale = gamma * inverse
        y = z * scale
        y += beta
        inputs.append(y.clip(0, np.inf, out=y))
        kept.append((z, inverse, scale))
        seen += [mean, var]
    value, dy = cross_entropy(affine(inputs[-1], *weights[-2:]), t)

    gradients = [ones.dot(dy), inputs[-1].T.dot(dy)]
    for i in reversed(range(len(kept))):
        dy = dy.dot(weights[4 * i + 4].T)
        dy *= inputs[i + 1] > 0
        z, inverse, scale = kept[i]
        dbeta = ones.dot(dy)
        dgamma = ones.dot(dy * z) * inverse
        z *= dgamma * inverse / -n
        dy += z
        dy -= dbeta / n
        dy *= scale
        gradients += [dbeta, dgamma, ones.dot(dy), inputs[i].T.dot(dy)]
    return value, gradients[::-1], seen


def affine(x: Any, W: Any, b: Any) -> Any:
    y = x.dot(W)
    y += b
    return y


def cross_entropy(y: Any, t: Any) -> tuple[float, Any]:
    """The mean of -log softmax(y) at the labels, and its gradient."""
    n, classes = y.shape
    starts = np.arange(0, y.size, classes)
    at = starts + t
    top = y.take(starts + y.argmax(1))
    p = y - top[:, None]
    picked = p.take(at)
    np.exp(p, out=p)
    total = p.dot(np.ones(classes, p.dtype))
    value = float((np.log(total) - picked).sum()) / n
    p /= total[:, None]
    p.ravel()[at] -= 1
    p *= 1 / n
    return value, p


# ---- new weights -------------------------------------------------------------------------------


def sgd(weights: Arrays, gradients: Arrays) -> Arrays:
    for w, g in zip(weights, gradients, strict=True):
        g *= -SGD_RATE
        g += w
    return gradients


def adam(
    step: int, weights: Arrays, gradients: Arrays, means: Arrays, squares: Arrays
) -> tuple[Arrays, Arrays, Arrays]:
    beta1, beta2 = 0.9, 0.999
    root = math.sqrt(1 - beta2**step)
    factor, epsilon = -ADAM_RATE * root / (1 - beta1**step), 1e-8 * root
    after: tuple[Arrays, Arrays, Arrays] = ([], [], [])
    for w, g, m, v in zip(weights, gradients, means, squares, strict=True):
        m, v, u = m * beta1, v * beta2, g * (1 - beta1)
        m += u
        np.multiply(g, g, out=u)
        u *= 1 - beta2
        v += u
        np.sqrt(v, out=u)
        u += epsilon
        np.divide(m, u, out=u)
        u *= factor
        u += w
        for arrays, new in zip(after, (u, m, v), strict=True):
            arrays.append(new)
    return after


# ---- batch norm's leaves -----------------------------------------------------------------------


def split(params: fn.Params) -> tuple[Arrays, Arrays]:
    """The leaves that gradients train, and the running means and variances."""
    leaves, running = list(fn.leaves(params)), ("/mean", "/var")
    return (
        [w for path, w in leaves if not path.endswith(running)],
        [w for path, w in leaves if path.endswith(running)],
    )


def moved(running: Arrays, seen: Arrays) -> Arrays:
    return [r * 0.9 + s * (1 - 0.9) for r, s in zip(running, seen, strict=True)]


def joined(weights: Arrays, running: Arrays) -> Arrays:
    """``split`` undone: all in the order of the parameters."""
    layers = [
        weights[4 * i : 4 * i + 4] + running[2 * i : 2 * i + 2] for i in range(len(running) // 2)
    ]
    return [*(w for layer in layers for w in layer), *weights[-2:]]
