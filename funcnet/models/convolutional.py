"""The course's two convolutional networks."""

from __future__ import annotations

from types import EllipsisType

from ..functions import Initializer
from ..initializers import he_normal
from ..kinds import Image, M, Vec
from ..layers.activations import relu
from ..layers.convolution import conv2d
from ..layers.dense import dense
from ..layers.noise import dropout
from ..layers.pooling import max_pool2d
from ..layers.shape import flatten
from ..typed import C, Layer


def simple_conv(
    c_in: C | EllipsisType,
    n_out: M,
    filters: int = 30,
    hidden: int = 100,
    *,
    weights: Initializer = he_normal,
) -> Layer[Image[C], Vec[M]]:
    """One convolution of 5x5, a pool that halves, and two dense layers.

    For images of at least 6x6. Source: the course *Deep Learning from Scratch*, whose weights start
    at ``normal(0.01)`` here.

    >>> net = models.simple_conv(1, 10)
    >>> count(net.spec((1, 28, 28))[0])
    433890
    """
    return (
        conv2d(c_in, filters, 5, weights=weights)
        >> relu()
        >> max_pool2d(2)
        >> flatten()
        >> dense(..., hidden, weights=weights)
        >> relu()
        >> dense(hidden, n_out, weights=weights)
    )


def deep_conv(
    c_in: C | EllipsisType, n_out: M, rate: float = 0.5, *, weights: Initializer = he_normal
) -> Layer[Image[C], Vec[M]]:
    """Six convolutions of 3x3, a pool after every second, and two dense layers with dropout.

    The fourth pads by 2: the 14x14 pixels that the first pool leaves of 28x28 become 16x16, and
    halve twice more. Dropout of ``rate`` follows the last layer too, as in the course.

    Source: the course *Deep Learning from Scratch*.

    >>> net = models.deep_conv(1, 10)
    >>> count(net.spec((1, 28, 28))[0]), net.spec((1, 28, 28))[1]
    (123552, (10,))
    """
    return (
        conv2d(c_in, 16, 3, pad=1, weights=weights)
        >> relu()
        >> conv2d(16, 16, 3, pad=1, weights=weights)
        >> relu()
        >> max_pool2d(2)
        >> conv2d(16, 32, 3, pad=1, weights=weights)
        >> relu()
        >> conv2d(32, 32, 3, pad=2, weights=weights)
        >> relu()
        >> max_pool2d(2)
        >> conv2d(32, 64, 3, pad=1, weights=weights)
        >> relu()
        >> conv2d(64, 64, 3, pad=1, weights=weights)
        >> relu()
        >> max_pool2d(2)
        >> flatten()
        >> dense(..., 50, weights=weights)
        >> relu()
        >> dropout(rate)
        >> dense(50, n_out, weights=weights)
        >> dropout(rate)
    )
