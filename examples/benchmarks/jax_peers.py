"""The same networks in JAX: plain ``jax.numpy``, the whole step compiled.

Images are (n, height, width, channels) here and pools are maxima of slices: both were faster than
their alternatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from math import prod
from typing import Any, TypeAlias

import numpy as np
from networks import ADAM_RATE, DEEP, SGD_RATE, SIZES, Batches
from timing import Contestant, Step

NAME = "JAX"
READ_AT_A_TIME = 256

Arrays: TypeAlias = list[dict[str, Any]]
"""Layer by layer: what gradients train, or the mean and variance that batch norm saw."""
Outputs: TypeAlias = Callable[[Arrays, Any, Any], tuple[Any, Arrays]]
"""``(params, x, key) -> (logits, seen)``; without a key nothing is dropped."""


def parameters(letter: str) -> Arrays:
    """What is trained of a workload's network."""
    if letter in SIZES:
        return [affine(*sizes) for sizes in pairwise(SIZES[letter])]
    if letter == "E":
        *hidden, last = parameters("B")
        norms = [{"gamma": np.ones(100, "f"), "beta": np.zeros(100, "f")} for _ in hidden]
        return [*[layer | norm for layer, norm in zip(hidden, norms, strict=True)], last]
    if letter == "C":
        return [affine(5, 5, 1, 30), affine(30 * 12 * 12, 100), affine(100, 10)]
    kernels = [affine(3, 3, c_in, c_out) for c_in, c_out, _ in DEEP]
    return [*kernels, affine(64 * 4 * 4, 50), affine(50, 10)]


def affine(*sizes: int) -> dict[str, Any]:
    """A matrix or a kernel, by He's rule, and a bias."""
    draw, fan_in = np.random.default_rng(0), prod(sizes[:-1])
    W = draw.standard_normal(sizes, np.float32) * np.float32((2 / fan_in) ** 0.5)
    return {"W": W, "b": np.zeros(sizes[-1], "f")}


# ---- networks ----------------------------------------------------------------------------------


def outputs(jax: Any, letter: str) -> Outputs:
    """The network of a workload."""
    return partial({"C": simple_conv, "D": deep_conv, "F": deep_conv}.get(letter, dense), jax)


def dense(jax: Any, params: Arrays, x: Any, key: Any) -> tuple[Any, Arrays]:
    *hidden, last = params
    seen = []
    for layer in hidden:
        x = linear(layer, x)
        if "gamma" in layer:
            mean, var = x.mean(0), x.var(0)
            x = (x - mean) * jax.lax.rsqrt(var + 1e-5) * layer["gamma"] + layer["beta"]
            seen.append({"mean": mean, "var": var})
        x = jax.nn.relu(x)
    return linear(last, x), seen


def simple_conv(jax: Any, params: Arrays, x: Any, key: Any) -> tuple[Any, Arrays]:
    kernel, *layers = params
    x = pool(jax, jax.nn.relu(conv(jax, kernel, x, 0)))
    return dense(jax, layers, x.reshape(len(x), -1), key)


def deep_conv(jax: Any, params: Arrays, x: Any, key: Any) -> tuple[Any, Arrays]:
    *kernels, hidden, last = params
    for i, (layer, (_, _, pad)) in enumerate(zip(kernels, DEEP, strict=True)):
        x = jax.nn.relu(conv(jax, layer, x, pad))
        x = pool(jax, x) if i % 2 else x
    x = jax.nn.relu(linear(hidden, x.reshape(len(x), -1)))
    x = linear(last, dropout(jax, x, key, 0))
    return dropout(jax, x, key, 1), []


def linear(layer: dict[str, Any], x: Any) -> Any:
    return x @ layer["W"] + layer["b"]


def conv(jax: Any, layer: dict[str, Any], x: Any, pad: int) -> Any:
    order = ("NHWC", "HWIO", "NHWC")
    pads = [(pad, pad), (pad, pad)]
    y = jax.lax.conv_general_dilated(x, layer["W"], (1, 1), pads, dimension_numbers=order)
    return y + layer["b"]


def pool(jax: Any, x: Any) -> Any:
    rows = jax.numpy.maximum(x[:, ::2], x[:, 1::2])
    return jax.numpy.maximum(rows[:, :, ::2], rows[:, :, 1::2])


def dropout(jax: Any, x: Any, key: Any, place: int) -> Any:
    if key is None:
        return x
    kept = jax.random.bernoulli(jax.random.fold_in(key, place), 0.5, x.shape)
    return jax.numpy.where(kept, 2 * x, 0)


# ---- what is timed -----------------------------------------------------------------------------


def training(
    jax: Any, letter: str, optimizer: str, batches: Batches, threads: int
) -> list[Contestant]:
    data = [(jax.numpy.asarray(channels_last(x)), jax.numpy.asarray(t)) for x, t in batches]
    return [Contestant(NAME, "", training_step(jax, letter, optimizer, data), threads)]


def channels_last(x: Any) -> Any:
    """A batch with its channels last, where it has channels."""
    return x.transpose(0, 2, 3, 1) if x.ndim == 4 else x


def training_step(jax: Any, letter: str, optimizer: str, data: Sequence[tuple[Any, Any]]) -> Step:
    gradient = jax.value_and_grad(loss_of(jax, outputs(jax, letter)), has_aux=True)
    update = OPTIMIZERS[optimizer]

    def step(state: Any, x: Any, t: Any) -> tuple[Any, Any]:
        params, moments, running, count, key = state
        (value, seen), grads = gradient(params, x, t, jax.random.fold_in(key, count))
        params, moments = update(jax, params, grads, moments, count + 1.0)
        running = jax.tree.map(lambda r, s: 0.9 * r + 0.1 * s, running, seen)
        return (params, moments, running, count + 1, key), value

    compiled = jax.jit(step, donate_argnums=0)
    state = start(jax, letter)

    def run(i: int) -> object:
        nonlocal state
        state, value = compiled(state, *data[i % len(data)])
        return float(value)

    run(0)  # compiles
    return run


def start(jax: Any, letter: str) -> Any:
    """Parameters, Adam's two moments, running statistics, the number of steps made, and a key."""
    params = jax.tree.map(jax.numpy.asarray, parameters(letter))
    moments = tuple(jax.tree.map(jax.numpy.zeros_like, params) for _ in range(2))
    norms = [layer for layer in params if "gamma" in layer]
    running = [{"mean": 0 * layer["beta"], "var": 1 * layer["gamma"]} for layer in norms]
    return params, moments, running, jax.numpy.zeros((), int), jax.random.key(0)


def loss_of(jax: Any, network: Outputs) -> Callable[..., tuple[Any, Arrays]]:
    def loss(params: Arrays, x: Any, t: Any, key: Any) -> tuple[Any, Arrays]:
        y, seen = network(params, x, key)
        return -jax.nn.log_softmax(y)[jax.numpy.arange(len(t)), t].mean(), seen

    return loss


def sgd(jax: Any, params: Any, grads: Any, moments: Any, step: Any) -> tuple[Any, Any]:
    return jax.tree.map(lambda p, g: p - SGD_RATE * g, params, grads), moments


def adam(jax: Any, params: Any, grads: Any, moments: Any, step: Any) -> tuple[Any, Any]:
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], grads)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], grads)
    rate, correction = ADAM_RATE / (1 - 0.9**step), 1 / (1 - 0.999**step)

    def moved(p: Any, m: Any, v: Any) -> Any:
        return p - rate * m / (jax.numpy.sqrt(v * correction) + 1e-8)

    return jax.tree.map(moved, params, m, v), (m, v)


OPTIMIZERS = {"sgd": sgd, "adam": adam}


def inference(jax: Any, letter: str, images: Any, threads: int) -> list[Contestant]:
    network = outputs(jax, letter)
    params = jax.tree.map(jax.numpy.asarray, parameters(letter))
    read = jax.jit(lambda x: network(params, x, None)[0])
    x = jax.numpy.asarray(channels_last(images))
    parts = [x[i : i + READ_AT_A_TIME] for i in range(0, len(x), READ_AT_A_TIME)]

    def step(_: int) -> object:
        return jax.numpy.concatenate([read(part) for part in parts]).block_until_ready()

    step(0)  # compiles
    return [Contestant(NAME, f"{READ_AT_A_TIME} at a time", step, threads)]
