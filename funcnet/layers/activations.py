"""Functions between the layers that learn: element by element, or over the features."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from ..arguments import number
from ..arrays import Array
from ..random import Mode
from ..tree import NO_GRADS, NO_PARAMS, Grads, Params
from ..typed import Same

# By clip: NumPy's maximum and minimum with a number take two to three times as long.


def positive(x: Array) -> Array:
    """x where x > 0, else 0."""
    return x.clip(0, math.inf)


def negative(x: Array) -> Array:
    """x where x < 0, else 0."""
    return x.clip(-math.inf, 0)


def relu_apply(params: Params, x: Array) -> Array:
    return positive(x)


def relu_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, Array]:
    y = positive(x)
    return y, y


def relu_backward(y: Array, dy: Array) -> tuple[Array, Grads]:
    # As floats first: NumPy multiplies booleans by floats a sixth slower than it converts them.
    dx: Array = (y > 0).astype(dy.dtype)
    dx *= dy
    return dx, NO_GRADS


def relu() -> Same:
    """max(x, 0), the rectified linear unit; its gradient at 0 is 0.

    >>> relu().apply(NO_PARAMS, np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """
    return Same("relu", forward=relu_forward, backward=relu_backward, apply=relu_apply)


def leaky_relu_forward(slope: float, params: Params, x: Array, mode: Mode) -> tuple[Array, Array]:
    # By sums: np.where takes ten times as long, as it asks at each number which it is.
    y = negative(x)
    y *= slope
    y += positive(x)
    return y, x


def leaky_relu_backward(slope: float, x: Array, dy: Array) -> tuple[Array, Grads]:
    dx: Array = np.multiply(x <= 0, slope, dtype=x.dtype)
    dx += x > 0
    dx *= dy
    return dx, NO_GRADS


def leaky_relu(slope: float = 0.01) -> Same:
    """x where x > 0, else slope * x.

    Source: Maas et al. 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic Models".

    >>> leaky_relu(0.1).apply(NO_PARAMS, np.array([[-1.0, 2.0]]))
    array([[-0.1,  2. ]])
    """
    slope = number("leaky_relu's slope", slope, "(-inf, inf)")
    return Same(
        "leaky_relu",
        forward=partial(leaky_relu_forward, slope),
        backward=partial(leaky_relu_backward, slope),
        call=f"leaky_relu({slope})",
    )


def elu_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, Array]:
    # expm1 keeps the digits of a small exp(x) - 1; of x > 0 it would overflow.
    y: Array = np.expm1(negative(x))
    y += positive(x)
    return y, y


def elu_backward(y: Array, dy: Array) -> tuple[Array, Grads]:
    dx = negative(y)
    dx += 1
    dx *= dy
    return dx, NO_GRADS


def elu() -> Same:
    """x where x > 0, else exp(x) - 1: the exponential linear unit.

    Source: Clevert et al. 2016, "Fast and Accurate Deep Network Learning by Exponential Linear
    Units".

    >>> elu().apply(NO_PARAMS, np.array([[-1000.0, 2.0]]))
    array([[-1.,  2.]])
    """
    return Same("elu", forward=elu_forward, backward=elu_backward)


_GELU = math.sqrt(2 / math.pi)
_CUBE = 0.044715


def gelu_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, tuple[Array, Array]]:
    # _GELU * (x + _CUBE * x**3), by products: a power takes fifty times as long.
    t: Array = x * x
    t *= _GELU * _CUBE
    t += _GELU
    t *= x
    np.tanh(t, out=t)
    y = t + 1
    y *= 0.5
    y *= x
    return y, (x, t)


def gelu_backward(cache: tuple[Array, Array], dy: Array) -> tuple[Array, Grads]:
    x, t = cache
    inner = _GELU * (1 + 3 * _CUBE * x * x)
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner), NO_GRADS


def gelu() -> Same:
    """x times the share of a normal distribution below x, in its tanh form.

    0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x**3))): PyTorch's ``approximate="tanh"``.
    Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units".

    >>> gelu().apply(NO_PARAMS, np.array([[-10.0, 0.0, 10.0]]))
    array([[-0.,  0., 10.]])
    """
    return Same("gelu", forward=gelu_forward, backward=gelu_backward)


def sigmoid_apply(params: Params, x: Array) -> Array:
    # exp(-|x|) never overflows, and keeps the digits of both tails.
    e: Array = np.exp(-np.abs(x))
    y: Array = np.maximum(e, x >= 0)  # 1 where x >= 0, else e
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


def silu_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, tuple[Array, Array]]:
    s = sigmoid_apply(params, x)
    return x * s, (x, s)


def silu_backward(cache: tuple[Array, Array], dy: Array) -> tuple[Array, Grads]:
    x, s = cache
    return dy * (s * (1 + x * (1 - s))), NO_GRADS


def silu() -> Same:
    """x * sigmoid(x), also called swish.

    Source: Elfwing et al. 2018, "Sigmoid-Weighted Linear Units for Neural Network Function
    Approximation in Reinforcement Learning".

    >>> silu().apply(NO_PARAMS, np.array([[0.0, 1000.0]]))
    array([[   0., 1000.]])
    """
    return Same("silu", forward=silu_forward, backward=silu_backward)


def softplus_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, Array]:
    # log(1 + exp(x)), with the larger of 0 and x taken out so that nothing overflows.
    y: Array = np.log1p(np.exp(-np.abs(x)))
    y += positive(x)
    return y, x


def softplus_backward(x: Array, dy: Array) -> tuple[Array, Grads]:
    return dy * sigmoid_apply(NO_PARAMS, x), NO_GRADS


def softplus() -> Same:
    """log(1 + exp(x)), a smooth relu; its gradient is the sigmoid.

    >>> softplus().apply(NO_PARAMS, np.array([[0.0, 1000.0]])).round(4)
    array([[6.931e-01, 1.000e+03]])
    """
    return Same("softplus", forward=softplus_forward, backward=softplus_backward)


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


def step_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, None]:
    return (x > 0).astype(x.dtype), None


def step_backward(cache: None, dy: Array) -> tuple[Array, Grads]:
    return np.zeros_like(dy), NO_GRADS


def step() -> Same:
    """1 where x > 0, else 0: the perceptron's. Its gradient is 0 everywhere.

    Source: Rosenblatt 1958, "The Perceptron".

    >>> step().apply(NO_PARAMS, np.array([[-1.0, 0.0, 1.0]]))
    array([[0., 0., 1.]])
    """
    return Same("step", forward=step_forward, backward=step_backward)
