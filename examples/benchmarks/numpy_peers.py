"""The dense networks in what else runs on NumPy: scikit-learn, autograd, and NumPy alone."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import bare
import numpy as np
from networks import ADAM_RATE, SGD_RATE, SIZES, Batches
from timing import Contestant, on_threads
from workloads import WORKLOADS

import funcnet as fn

BARE = "bare NumPy"
Arrays: TypeAlias = list[Any]


def without_a_library(
    name: str, batches: Sequence[fn.Batch[Any, Any]], threads: Sequence[int]
) -> list[Contestant]:
    """The steps written out for each network, beside which funcnet's own share is seen."""
    workload = WORKLOADS[name]
    params = workload.net.init(fn.Key(0), workload.shape)
    step = bare.training_step(name, batches, params)
    return on_threads(BARE, "", step, threads)


# ---- scikit-learn ------------------------------------------------------------------------------


def classifier(letter: str, optimizer: str, batch: int) -> Any:
    """Its classifier, without the momentum and the penalty that it has by default."""
    options: dict[str, Any] = {"learning_rate_init": ADAM_RATE}
    if optimizer == "sgd":
        options = {"learning_rate_init": SGD_RATE, "momentum": 0.0}
    return importlib.import_module("sklearn.neural_network").MLPClassifier(
        SIZES[letter][1:-1],
        solver=optimizer,
        alpha=0.0,
        batch_size=batch,
        shuffle=False,
        **options,
    )


def scikit_learn(
    letter: str, optimizer: str, batches: Batches, threads: Sequence[int]
) -> list[Contestant]:
    """``partial_fit`` on all batches a call, so that it checks its input but once for all."""
    x = np.concatenate([x for x, _ in batches])
    t = np.concatenate([t for _, t in batches])
    made = classifier(letter, optimizer, len(batches[0][0]))

    def step(_: int) -> object:
        return made.partial_fit(x, t, classes=range(10))

    return on_threads("scikit-learn", "", step, threads, len(batches))


# ---- autograd ----------------------------------------------------------------------------------


def autograd(
    letter: str, optimizer: str, batches: Batches, threads: Sequence[int]
) -> list[Contestant]:
    update = {"sgd": sgd, "adam": adam}[optimizer]
    gradient = importlib.import_module("autograd").value_and_grad(loss_function())
    params = parameters(letter)
    state = params, [np.zeros_like(w) for w in params], [np.zeros_like(w) for w in params], 0

    def step(i: int) -> object:
        nonlocal state
        value, grads = gradient(state[0], *batches[i % len(batches)])
        state = update(grads, *state)
        return value

    return on_threads("autograd", "", step, threads)


def parameters(letter: str) -> Arrays:
    """Weights by He's rule and biases, in turn."""
    draw, found = np.random.default_rng(0), []
    for n_in, n_out in pairwise(SIZES[letter]):
        W = draw.standard_normal((n_in, n_out), np.float32) * np.float32((2 / n_in) ** 0.5)
        found += [W, np.zeros(n_out, "f")]
    return found


def loss_function() -> Callable[[Arrays, Any, Any], Any]:
    """The cross entropy of a dense network with ReLU, in autograd's NumPy."""
    anp = importlib.import_module("autograd.numpy")
    special = importlib.import_module("autograd.scipy.special")

    def loss(params: Arrays, x: Any, t: Any) -> Any:
        for W, b in zip(params[:-2:2], params[1:-2:2], strict=True):
            z = anp.dot(x, W) + b
            x = z * (z > 0)  # half the time of a maximum, whose gradient looks for ties
        y = anp.dot(x, params[-2]) + params[-1]
        return anp.mean(special.logsumexp(y, axis=1) - y[np.arange(len(t)), t])

    return loss


def sgd(
    grads: Arrays, params: Arrays, means: Arrays, squares: Arrays, count: int
) -> tuple[Arrays, Arrays, Arrays, int]:
    moved = [w - SGD_RATE * g for w, g in zip(params, grads, strict=True)]
    return moved, means, squares, count + 1


def adam(
    grads: Arrays, params: Arrays, means: Arrays, squares: Arrays, count: int
) -> tuple[Arrays, Arrays, Arrays, int]:
    count += 1
    rate, correction = ADAM_RATE / (1 - 0.9**count), 1 / (1 - 0.999**count)
    means = [0.9 * m + 0.1 * g for m, g in zip(means, grads, strict=True)]
    squares = [0.999 * v + 0.001 * g * g for v, g in zip(squares, grads, strict=True)]
    moved = [
        w - rate * m / (np.sqrt(v * correction) + 1e-8)
        for w, m, v in zip(params, means, squares, strict=True)
    ]
    return moved, means, squares, count
