"""Slips in the course material that are easily repeated, each measured against funcnet."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from table import Difference, Form, listed, sizes, steps

import funcnet as fn


def step_above_one() -> Difference:
    corners = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    gate = fn.Params({"W": np.full((2, 1), 0.5), "b": np.array([-0.2])})
    sums = fn.dense(2, 1).apply(gate, corners)
    ours = fn.step().apply(fn.NO_PARAMS, sums)
    return Difference(
        "Step at `> 1`",
        ("OR of 00, 10, 01, 11",),
        [
            Form("funcnet", "1 where x > 0", (listed(ours.ravel()),)),
            Form("slip", "1 where x > 1", (listed((sums > 1).ravel() * 1.0),)),
        ],
        f"The gate's sums are {listed(sums.ravel())}.",
    )


def softmax_over_the_wrong_axis() -> Difference:
    rows, image = np.array([[0.0, 1.0], [2.0, 3.0]]), np.zeros((1, 3, 8, 8))

    def over(axis: int | None, x: Any) -> Any:
        e = np.exp(x - x.max())
        return e / e.sum(axis, keepdims=True)

    def figures(p: Any, pixels: Any) -> tuple[str, float]:
        return listed(p.sum(1)), float(pixels.sum(1)[0, 0, 0])

    ours = (fn.softmax().apply(fn.NO_PARAMS, rows), fn.softmax().apply(fn.NO_PARAMS, image))
    return Difference(
        "Softmax over the wrong axis",
        ("sums of the rows of (0, 1), (2, 3)", "sum over channels, image 3x8x8"),
        [
            Form("funcnet", "over features, or channels of images", figures(*ours)),
            Form(
                "ONNX", "over the last axis, if not told", figures(over(-1, rows), over(-1, image))
            ),
            Form("slip", "over the whole batch", figures(over(None, rows), over(None, image))),
            Form("slip", "over the examples", figures(over(0, rows), over(0, image))),
        ],
        "PyTorch asks for the axis.",
    )


def two_h_without_brackets() -> Difference:
    def f(x: Any) -> float:
        return float(0.01 * x[0] ** 2 + 0.1 * x[0])

    x, h = np.array([5.0]), 1e-4
    ours = float(fn.numerical_gradient(f, x, h)[0])
    slip = (f(x + h) - f(x)) / 2 * h
    return Difference(
        "`/ 2*h`",
        ("derivative of 0.01 x**2 + 0.1 x at 5",),
        [
            Form("funcnet", "`(f(x + h) - f(x - h)) / (2 * h)`", (ours,)),
            Form("slip", "`(f(x + h) - f(x)) / 2*h`", (slip,)),
        ],
        "With h = 1e-4: the slip multiplies by h, and takes one step of h for two.",
    )


def relu_that_overwrites() -> Difference:
    x, dy = np.array([[-1.0, 2.0]]), np.ones((1, 2))
    net = fn.residual(fn.relu())
    _, cache = net.forward(fn.NO_PARAMS, x, fn.Eval())
    ours, _ = net.backward(cache, dy)

    shortcut = dy.copy()
    through = shortcut  # both branches get the same array
    through[x <= 0] = 0
    return Difference(
        "ReLU's backward pass writing to its argument",
        ("gradient of x + relu(x) at -1, 2",),
        [
            Form("funcnet", "`dy * (y > 0)`, a new array", (listed(ours[0]),)),
            Form("slip", "`dy[x <= 0] = 0`, of both branches", (listed((shortcut + through)[0]),)),
        ],
    )


def bias_gradient_without_the_sum() -> Difference:
    layer, x, dy = fn.dense(20, 10), np.ones((100, 20)), np.ones((100, 10))
    params = layer.init(fn.Key(0), (20,), dtype=np.float64)
    _, cache = layer.forward(params, x, fn.Eval())
    _, grads = layer.backward(cache, dy)
    ours = (sizes(grads["b"]), sizes(fn.apply_updates(params, grads)["b"]))
    return Difference(
        "A bias gradient without the sum over the batch",
        ("its shape, 100 examples to 10 outputs", "b's after one step of SGD"),
        [
            Form("funcnet", "`dy.sum(0)`; `apply_updates` refuses other shapes", ours),
            Form("slip", "`dy`", (sizes(dy), sizes(params["b"] - dy))),
        ],
        "NumPy broadcasts, so nothing fails until there is a batch of another size.",
    )


def state_that_is_reset() -> Difference:
    gradients, momentum, adam = [1.0] * 99 + [0.1], fn.momentum(0.01), fn.adam(1.0)

    def reset(optimizer: fn.Optimizer[Any]) -> list[float]:
        return [steps(optimizer, [g])[0] for g in gradients]

    ours = (sum(steps(momentum, gradients)), steps(adam, gradients)[-1])
    slip = (sum(reset(momentum)), reset(adam)[-1])
    return Difference(
        "Optimizer state reset at every update",
        ("way made by momentum, rate .01", "Adam's last step over rate"),
        [
            Form("funcnet", "state goes into `update` and comes out of it", ours),
            Form("slip", "state begins anew", slip),
        ],
        "99 gradients of 1, then one of .1. Without state, momentum is plain descent and Adam the "
        "sign of the gradient.",
    )


def rmsprop_without_the_square() -> Difference:
    at = (0.01, 100.0, -1.0)

    def unsquared(g: float) -> float:
        root = sqrt(0.01 * g) if g >= 0 else float("nan")
        return g / (root + 1e-8)

    ours = tuple(steps(fn.rmsprop(1.0), [g])[0] for g in at)
    return Difference(
        "RMSprop without the square",
        ("first step over rate, gradient .01", "gradient 100", "gradient -1"),
        [
            Form("funcnet", "`s <- decay * s + (1 - decay) * g**2`", ours),
            Form("slip", "`s <- decay * s + (1 - decay) * g`", tuple(unsquared(g) for g in at)),
        ],
    )


def adam_without_correction() -> Difference:
    at, path = (1, 10, 1000), steps(fn.adam(1.0), [1.0] * 1000)
    ours = tuple(path[t - 1] for t in at)
    slip = tuple((1 - 0.9**t) / (sqrt(1 - 0.999**t) + 1e-8) for t in at)
    return Difference(
        "Adam without bias correction",
        tuple(f"step {t:,} over rate" for t in at),
        [
            Form("funcnet", "means over `1 - beta**t`, for having started at 0", ours),
            Form("slip", "the means as they are", slip),
        ],
        "Gradients of 1.",
    )


def accuracy_over_full_batches() -> Difference:
    labels = fn.datasets.digits().test.t
    outputs = fn.one_hot(labels, 10)  # of a network that makes no mistake
    ours = fn.accuracy(fn.identity(), fn.NO_PARAMS, outputs, labels, size=100)
    n = len(labels)
    full = n - n % 100
    right = int((outputs[:full].argmax(1) == labels[:full]).sum())
    return Difference(
        "Accuracy over full batches divided by all examples",
        (f"accuracy of {n} right of {n}",),
        [
            Form("funcnet", "all examples count", (ours,)),
            Form("slip", f"{full} are looked at, in batches of 100", (right / n,)),
        ],
    )


def pooling_and_padding() -> Difference:
    n, size, stride, pad = 28, 3, 2, 1
    x = np.full((1, 1, n, n), -1.0)
    y = fn.max_pool2d(size, stride, pad).apply(fn.NO_PARAMS, x)
    corner = np.pad(x[0, 0], pad)[:size, :size]
    ours = (y.shape[2], float(y[0, 0, 0, 0]))
    slip = ((n - size) // stride + 1, float(corner.max()))
    return Difference(
        "Pooling that ignores its padding",
        ("height of 28, size 3, stride 2, pad 1", "a corner of an image of -1"),
        [
            Form("funcnet, PyTorch, ONNX", "`(n + 2*pad - size) // stride + 1`", ours),
            Form("slip", "`(n - size) // stride + 1`, of an image padded by 0", slip),
        ],
        "Padding never wins a maximum; 0 would, over -1.",
    )


SLIPS = (
    step_above_one,
    softmax_over_the_wrong_axis,
    two_h_without_brackets,
    relu_that_overwrites,
    bias_gradient_without_the_sum,
    state_that_is_reset,
    rmsprop_without_the_square,
    adam_without_correction,
    accuracy_over_full_batches,
    pooling_and_padding,
)
