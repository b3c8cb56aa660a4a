"""Element-wise functions between the layers that learn."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..random import Mode
from ..tree import NO_GRADS, Grads, Params
from ..typed import Same


def relu_apply(params: Params, x: Array) -> Array:
    y: Array = np.maximum(x, 0)
    return y


def relu_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, Array]:
    y = relu_apply(params, x)
    return y, y


def relu_backward(y: Array, dy: Array) -> tuple[Array, Grads]:
    return dy * (y > 0), NO_GRADS


def relu() -> Same:
    """max(x, 0), the rectified linear unit; its gradient at 0 is 0.

    >>> relu().apply(NO_PARAMS, np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """
    return Same("relu", forward=relu_forward, backward=relu_backward, apply=relu_apply)


def sigmoid_apply(params: Params, x: Array) -> Array:
    # exp(-|x|) never overflows, and keeps the digits of both tails.
    e: Array = np.exp(-np.abs(x))
    y: Array = np.where(x >= 0, 1, e)
    e += 1
    y /= e
    return y


def sigmoid_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, Array]:
    y = sigmoid_apply(params, x)
    return y, y


def sigmoid_backward(y: Array, dy: Array) -> tuple[Array, Grads]:
    return dy * (y * (1 - y)), NO_GRADS


def sigmoid() -> Same:
    """1 / (1 + exp(-x)), between 0 and 1.

    >>> sigmoid().apply(NO_PARAMS, np.array([[0.0, 1000.0]]))
    array([[0.5, 1. ]])
    """
    return Same("sigmoid", forward=sigmoid_forward, backward=sigmoid_backward, apply=sigmoid_apply)


def tanh_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, Array]:
    y: Array = np.tanh(x)
    return y, y


def tanh_backward(y: Array, dy: Array) -> tuple[Array, Grads]:
    return dy * (1 - y * y), NO_GRADS


def tanh() -> Same:
    """The hyperbolic tangent, between -1 and 1.

    >>> tanh().apply(NO_PARAMS, np.array([[0.0, 1000.0]]))
    array([[0., 1.]])
    """
    return Same("tanh", forward=tanh_forward, backward=tanh_backward)
