"""VGG: stages of convolutions of 3x3."""

from __future__ import annotations

from types import EllipsisType
from typing import Final

from ..arguments import whole
from ..composition import refuse
from ..kinds import Image, M, Vec
from ..layer import AnyLayer
from ..layers.activations import relu
from ..layers.convolution import conv2d
from ..layers.pooling import max_pool2d
from ..typed import C, Layer, sequential
from .published import layout_of, three_dense

RELU = relu()

# How many convolutions each stage has: columns A, B, D and E of the paper's table 1.
LAYOUTS: Final = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


def vgg_stage(
    c_in: C | EllipsisType, c_out: M, convolutions: int, between: AnyLayer = RELU
) -> Layer[Image[C], Image[M]]:
    """So many convolutions of 3x3, ``between`` after each, and a pool that halves.

    Two of 3x3 see 5x5 pixels, three 7x7, with fewer weights than one so large and more ReLUs.

    Source: Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", section 2.3.

    >>> models.vgg_stage(3, 8, 2)
    conv2d(3, 8, 3, pad=1) >> relu() >> conv2d(8, 8, 3, pad=1) >> relu() >> max_pool2d(2)
    """
    if not isinstance(between, AnyLayer):
        refuse(between)
    more = conv2d(c_out, c_out, 3, pad=1) >> between
    repeats = whole("vgg_stage's convolutions", convolutions) - 1
    return sequential(conv2d(c_in, c_out, 3, pad=1), between, *[more] * repeats, max_pool2d(2))


def vgg(
    c_in: C | EllipsisType,
    n_out: M,
    depth: int = 16,
    width: int = 64,
    hidden: int = 4096,
    between: AnyLayer = RELU,
) -> Layer[Image[C], Vec[M]]:
    """VGG-11, 13, 16 or 19: five stages, ``stage1`` to ``stage5``, and three dense layers.

    For images of 224x224, as published, or any of at least 32x32. ``depth`` counts layers that
    have weights, ``width`` the channels of the first stage; those of the others are 2, 4, 8 and 8
    times as many. ``between`` follows each convolution: ``batch_norm() >> relu()``, say. Raises
    ``ConfigError`` for any other depth.

    Source: Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", table 1.

    >>> count(models.vgg(3, 1000, 16).spec((3, 224, 224))[0])
    138357544
    >>> net = models.vgg(1, 10, 11, width=8, hidden=64)
    >>> count(net.spec((1, 32, 32))[0]), list(net.spec((1, 32, 32))[0])[:2]
    (153386, ['stage1', 'stage2'])
    """
    one, two, three, four, five = layout_of("vgg", depth, LAYOUTS)
    width, hidden = whole("vgg's width", width), whole("vgg's hidden", hidden)
    return (
        vgg_stage(c_in, width, one, between).named("stage1")
        >> vgg_stage(width, 2 * width, two, between).named("stage2")
        >> vgg_stage(2 * width, 4 * width, three, between).named("stage3")
        >> vgg_stage(4 * width, 8 * width, four, between).named("stage4")
        >> vgg_stage(8 * width, 8 * width, five, between).named("stage5")
        >> three_dense(hidden, n_out)
    )
