"""AlexNet: five convolutions, local response norm, dropout."""

from __future__ import annotations

from types import EllipsisType
from typing import Any

from ..arguments import whole
from ..kinds import Image, M, Vec
from ..layers.activations import relu
from ..layers.convolution import conv2d
from ..layers.pooling import max_pool2d
from ..layers.response import local_response_norm
from ..typed import C, Layer
from .published import stem_of, three_dense, width_of

# The paper's k 2 and alpha 1e-4 for each of five channels.
NORM = local_response_norm(5, alpha=5e-4, beta=0.75, k=2.0)


def alexnet(
    c_in: C | EllipsisType,
    n_out: M,
    width: int = 96,
    hidden: int = 4096,
    *,
    stem: Layer[Image[C], Image[Any]] | None = None,
) -> Layer[Image[C], Vec[M]]:
    """AlexNet: five convolutions, of which three are in two groups, and three dense layers.

    For images of 227x227 (the paper says 224, from which its sizes do not follow). ``width``, a
    multiple of 6, is how many channels the first convolution gives; the next have 8/3, 4, 4 and
    8/3 times as many. ``hidden`` is the size of the dense layers. ``stem`` stands in place of the
    first convolution, norm and pool, which leave little of a small image: it gives ``width``
    channels, at best of 27x27 or 28x28. Raises ``ConfigError`` for any other width.

    Source: Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural
    Networks"; the groups are what ran on its two processors.

    >>> count(models.alexnet(3, 1000).spec((3, 227, 227))[0])
    60965224
    >>> stem = conv2d(1, 24, 5, pad=2) >> relu()
    >>> net = models.alexnet(1, 10, width=24, hidden=256, stem=stem)
    >>> count(net.spec((1, 28, 28))[0])
    803002
    """
    width, hidden = width_of("alexnet", width, 6), whole("alexnet's hidden", hidden)
    second, third = width * 8 // 3, width * 4
    return (
        stem_of("alexnet", c_in, width, _stem(c_in, width) if stem is None else stem)
        >> conv2d(width, second, 5, pad=2, groups=2)
        >> relu()
        >> NORM
        >> max_pool2d(3, 2)
        >> conv2d(second, third, 3, pad=1)
        >> relu()
        >> conv2d(third, third, 3, pad=1, groups=2)
        >> relu()
        >> conv2d(third, second, 3, pad=1, groups=2)
        >> relu()
        >> max_pool2d(3, 2)
        >> three_dense(hidden, n_out)
    )


def _stem(c_in: C | EllipsisType, width: int) -> Layer[Image[C], Image[Any]]:
    """The first convolution, which keeps a sixteenth of the pixels, its norm and its pool."""
    return conv2d(c_in, width, 11, 4) >> relu() >> NORM >> max_pool2d(3, 2)
