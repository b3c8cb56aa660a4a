"""Layers that the course, PyTorch and ONNX define in different ways, measured."""

from __future__ import annotations

from functools import reduce
from math import erf, sqrt
from typing import Any

import numpy as np
from table import Difference, Form, sizes

import funcnet as fn

KEY = fn.Key(0)


def seen(layer: fn.Same, params: fn.Params, x: Any) -> fn.Params:
    """``params`` after a training pass over ``x``."""
    return layer.refresh(params, layer.forward(params, x, fn.Train(KEY))[1])


def running(layer: fn.Same, x: Any, batches: int) -> fn.Params:
    """The parameters of a new batch norm of one feature after so many passes over ``x``."""
    start = layer.init(KEY, (1,), dtype=np.float64)
    return reduce(lambda params, _: seen(layer, params, x), range(batches), start)


def running_variance() -> Difference:
    def ours(size: int, batches: int) -> float:
        x = np.resize([[1.0], [-1.0]], (size, 1))  # whose biased variance is 1
        return float(running(fn.batch_norm(), x, batches)["var"][0])

    def theirs(start: float, batch: float, batches: int) -> float:
        return batch + (start - batch) * 0.9**batches

    cases = ((2, 1), (2, 100), (100, 100))
    biased = tuple(ours(n, batches) for n, batches in cases)
    unbiased = tuple(theirs(1, n / (n - 1), batches) for n, batches in cases)
    from_zero = tuple(theirs(0, 1, batches) for _, batches in cases)
    return Difference(
        "The running variance of batch norm",
        tuple(f"after {batches} batch{'es' * (batches > 1)} of {n}" for n, batches in cases),
        [
            Form("funcnet, ONNX", "biased (the squares over n), from 1", biased),
            Form("PyTorch", "unbiased (over n - 1), from 1", unbiased),
            Form("course", "biased, from 0", from_zero),
        ],
        "Batches of 1 and -1 in turn. All normalise by the biased variance in training.",
    )


def momentum_of_batch_norm() -> Difference:
    def ours(decay: float) -> tuple[float]:
        return (float(running(fn.batch_norm(decay), np.ones((2, 1)), 10)["mean"][0]),)

    return Difference(
        "What `momentum` means in batch norm",
        ("running mean after 10 batches of mean 1",),
        [
            Form("funcnet", "`decay=.9`, the share that is kept", ours(0.9)),
            Form("ONNX, course", "`momentum=.9`, the share that is kept", (1 - 0.9**10,)),
            Form("PyTorch", "`momentum=.1`, the share of the new", (1 - (1 - 0.1) ** 10,)),
            Form("the mistake", "PyTorch's .1 taken for a share that is kept", ours(0.1)),
        ],
    )


def batch_norm_of_images() -> Difference:
    x = fn.datasets.digits().train.x.astype(np.float64)
    stroke = np.zeros((1, 1, 8, 8))
    stroke[..., 0, 0] = 1  # where no training digit has ink
    layer = fn.batch_norm(decay=0)  # running statistics are those of the last batch
    params = seen(layer, layer.init(KEY, (1, 8, 8), dtype=np.float64), x)
    ours = (fn.count(layer.spec((16, 28, 28))[0]), float(layer.apply(params, stroke).max()))
    by_pixel = (stroke - x.mean(0)) / np.sqrt(x.var(0) + 1e-6)
    course = (fn.count(layer.spec((16 * 28 * 28,))[0]), float(by_pixel.max()))
    return Difference(
        "Batch norm over images",
        ("numbers trained for 16x28x28", "what ink becomes on a pixel always blank before"),
        [
            Form("funcnet, PyTorch, ONNX", "for each channel; epsilon 1e-5", ours),
            Form("course", "for each pixel of each channel; epsilon 1e-6", course),
        ],
        "Trained on the bundled digits, whose corners are blank. Statistics by pixel also undo "
        "what a convolution gains by treating all places alike.",
    )


def scaling_of_dropout() -> Difference:
    rate, x = 0.2, np.ones((1, 1000))
    training, _ = fn.dropout(rate).forward(fn.NO_PARAMS, x, fn.Train(KEY))
    inference = fn.dropout(rate).apply(fn.NO_PARAMS, x)
    ours = (float(training.max()), float(inference.max()))
    return Difference(
        "Dropout's scaling",
        ("a 1 that is kept, in training", "a 1 in inference"),
        [
            Form("funcnet, PyTorch, ONNX", "times `1 / (1 - rate)` in training", ours),
            Form("course", "times `1 - rate` in inference", (1, 1 - rate)),
        ],
        "Rate .2. What was trained in one form and is used in the other meets inputs wrong by that "
        "factor. funcnet rounds the rate to a multiple of 1/65536.",
    )


def alpha_of_lrn() -> Difference:
    def lrn(x: Any, at: int, before: int, after: int, alpha: float, k: float, beta: float) -> float:
        squares = (x[max(0, at - before) : at + after + 1] ** 2).sum()
        return float(x[at] / (k + alpha * squares) ** beta)

    even, odd = np.array([100.0, 100.0, 0.0]), np.full(11, 100.0)

    def ours(size: int, x: Any, at: int) -> float:
        y = fn.local_response_norm(size).apply(fn.NO_PARAMS, x.reshape(1, -1, 1, 1))
        return float(y[0, at, 0, 0])

    here = (ours(5, odd, 5), ours(2, even, 1))
    onnx = (lrn(odd, 5, 2, 2, 1e-4 / 5, 1, 0.75), lrn(even, 1, 0, 1, 1e-4 / 2, 1, 0.75))
    paper = (lrn(odd, 5, 2, 2, 1e-4, 2, 0.75), "none")
    tensorflow = (lrn(odd, 5, 5, 5, 1, 1, 0.5), "none")
    return Difference(
        "LRN's alpha",
        ("the middle of 11 channels of 100", "size 2: the second of 100, 100, 0"),
        [
            Form("funcnet, PyTorch", "`(k + alpha / size * squares)**beta`", here),
            Form("ONNX", "the same; an even size has its odd channel after, not before", onnx),
            Form("AlexNet's paper", "`(k + alpha * squares)**beta`", paper),
            Form("TensorFlow", "as the paper", tensorflow),
        ],
        "What x is divided by: alpha 1e-4, beta .75, size 5, k 1. The paper has k 2: its layer is "
        "funcnet's with k 2 and alpha 5e-4. TensorFlow has alpha 1, beta .5, k 1, and 5 channels "
        "to each side.",
    )


def form_of_gelu() -> Difference:
    x = np.linspace(-10, 10, 20_001)
    exact = np.array([v / 2 * (1 + erf(v / sqrt(2))) for v in x])
    tanh = fn.gelu().apply(fn.NO_PARAMS, x[None])[0]
    at = int(np.abs(x - 1).argmin())
    farthest = float(np.abs(tanh - exact).max())
    return Difference(
        "gelu's form",
        ("gelu(1)", "farthest from exact"),
        [
            Form("funcnet", "by tanh, `approximate='tanh'`", (f"{tanh[at]:.5f}", farthest)),
            Form("PyTorch, ONNX", "exact, by erf, unless told otherwise", (f"{exact[at]:.5f}", 0)),
        ],
    )


def transposition_of_w() -> Difference:
    layer, x = fn.dense(100, 100), KEY.child("x").generator().standard_normal((100, 100))
    params = layer.init(KEY, (100,), dtype=np.float64)
    y, wrong = (layer.apply(params | {"W": W}, x) for W in (params["W"], params["W"].T))
    error = float(np.linalg.norm(wrong - y) / np.linalg.norm(y))
    ours = sizes(fn.dense(784, 50).init(KEY, (784,))["W"])
    return Difference(
        "W of a dense layer",
        ("784 in, 50 out",),
        [
            Form("funcnet, course", "(in, out): `x @ W + b`", (ours,)),
            Form("PyTorch", "(out, in): `x @ W.T + b`", ("50x784",)),
            Form("ONNX", "Gemm: (in, out), or (out, in) with `transB=1`", ("784x50",)),
        ],
        "A W the wrong way round is refused, unless it is square: then the outputs are wrong by "
        f"{error:.1f} times their size. W of a convolution is (out, in, height, width) everywhere, "
        "and none of them flips it.",
    )


def initial_weights() -> Difference:
    def std(weights: fn.Initializer) -> float:
        net = fn.dense(784, 1000, weights=weights)
        return float(net.init(KEY, (784,), dtype=np.float64)["W"].std())

    def figures(std: float, xavier: float) -> tuple[float, ...]:
        return std, 784 * std**2 / 2, xavier  # ReLU lets half of the mean square through

    ours = figures(std(fn.he_normal), std(fn.xavier_normal))
    torch = figures(1 / sqrt(3 * 784), sqrt(2 / (784 + 1000)))
    return Difference(
        "Initial weights",
        (
            "standard deviation, 784 to 1,000",
            "mean square after it and ReLU, of 1 before",
            "by Xavier's rule",
        ),
        [
            Form("funcnet", "normal, `sqrt(2 / in)` (He); biases 0", ours),
            Form("PyTorch", "uniform within `1 / sqrt(in)`, biases too", torch),
            Form("course", "normal, .01 at first; biases 0", figures(0.01, sqrt(1 / 784))),
        ],
        "Xavier's is `sqrt(2 / (in + out))`, and `sqrt(1 / in)` in the course.",
    )


LAYERS = (
    running_variance,
    momentum_of_batch_norm,
    batch_norm_of_images,
    scaling_of_dropout,
    alpha_of_lrn,
    form_of_gelu,
    transposition_of_w,
    initial_weights,
)
