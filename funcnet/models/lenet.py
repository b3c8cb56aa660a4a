"""LeNet-5, for handwritten digits."""

from __future__ import annotations

from types import EllipsisType

from ..initializers import xavier_normal
from ..kinds import Image, M, Vec
from ..layers.activations import tanh
from ..layers.convolution import conv2d
from ..layers.dense import dense
from ..layers.pooling import avg_pool2d
from ..layers.shape import flatten
from ..typed import C, Layer


def lenet5(c_in: C | EllipsisType, n_out: M) -> Layer[Image[C], Vec[M]]:
    """LeNet-5: two convolutions of 5x5, a pool after each, and three dense layers.

    For images of 32x32, as published, or 28x28. In the paper not all maps of the second
    convolution see all of the first, pools have a weight and a bias for each channel, and the
    outputs are distances from a fixed code of each class. Here all see all, pools are means, and
    the outputs are affine, as a cross entropy wants them. Weights start by Xavier's rule, which is
    tanh's.

    Source: LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition".

    >>> net = models.lenet5(1, 10)
    >>> count(net.spec((1, 32, 32))[0])
    61706
    """
    return (
        conv2d(c_in, 6, 5, weights=xavier_normal)
        >> tanh()
        >> avg_pool2d(2)
        >> conv2d(6, 16, 5, weights=xavier_normal)
        >> tanh()
        >> avg_pool2d(2)
        >> flatten()
        >> dense(..., 120, weights=xavier_normal)
        >> tanh()
        >> dense(120, 84, weights=xavier_normal)
        >> tanh()
        >> dense(84, n_out, weights=xavier_normal)
    )
