"""Residual networks: blocks that add to what comes in."""

from __future__ import annotations

from collections.abc import Callable
from types import EllipsisType
from typing import Any, Final

from ..arguments import whole
from ..combinators import residual
from ..errors import ConfigError
from ..kinds import Image, M, N, Vec
from ..layers.activations import relu
from ..layers.convolution import conv2d
from ..layers.dense import dense
from ..layers.normalization import batch_norm
from ..layers.pooling import global_avg_pool2d, max_pool2d
from ..layers.shape import identity
from ..typed import C, Layer, Same, sequential
from .published import layout_of, stem_of


def basic_block(c_in: N, c_out: M, stride: int = 1) -> Layer[Image[N], Image[M]]:
    """Two convolutions of 3x3, to which the input is added: relu(body(x) + shortcut(x)).

    The first takes the ``stride``. The shortcut is x itself, or where sizes change a convolution
    of 1x1. The parts of the residual are "body" and "shortcut".

    Source: He et al. 2016, "Deep Residual Learning for Image Recognition", figure 2 and equation 2.

    >>> block = models.basic_block(64, 128, stride=2)
    >>> block.spec((64, 56, 56))[1]
    (128, 28, 28)
    """
    whole("basic_block's c_in", c_in)
    stride = whole("basic_block's stride", stride)
    body = (
        conv2d(c_in, c_out, 3, stride, pad=1, bias=False)
        >> batch_norm()
        >> relu()
        >> conv2d(c_out, c_out, 3, pad=1, bias=False)
        >> batch_norm()
    )
    return _added(body, c_in, c_out, stride)


def bottleneck(c_in: N, c_out: M, stride: int = 1) -> Layer[Image[N], Image[M]]:
    """A convolution of 3x3 between two of 1x1, on a quarter of the channels, and a shortcut.

    The convolution of 3x3 takes the ``stride``, as in torchvision, so that weights fit both; in
    the paper the first of 1x1 does. The shortcut is ``basic_block``'s. Raises ``ConfigError`` for
    a ``c_out`` that is no multiple of 4.

    Source: He et al. 2016, "Deep Residual Learning for Image Recognition", figure 5.

    >>> models.bottleneck(256, 512, stride=2).spec((256, 56, 56))[1]
    (512, 28, 28)
    """
    whole("bottleneck's c_in", c_in)
    stride = whole("bottleneck's stride", stride)
    if whole("bottleneck's c_out", c_out) % 4:
        raise ConfigError(f"bottleneck's c_out is a multiple of 4, {c_out} is not")
    inner = c_out // 4
    body = (
        conv2d(c_in, inner, 1, bias=False)
        >> batch_norm()
        >> relu()
        >> conv2d(inner, inner, 3, stride, pad=1, bias=False)
        >> batch_norm()
        >> relu()
        >> conv2d(inner, c_out, 1, bias=False)
        >> batch_norm()
    )
    return _added(body, c_in, c_out, stride)


Block = Callable[[int, int, int], Layer[Image[Any], Image[Any]]]

# The paper's table 1: the block, its channels in the first stage to the stem's, and the blocks of
# each stage.
LAYOUTS: Final[dict[int, tuple[Block, int, tuple[int, int, int, int]]]] = {
    18: (basic_block, 1, (2, 2, 2, 2)),
    34: (basic_block, 1, (3, 4, 6, 3)),
    50: (bottleneck, 4, (3, 4, 6, 3)),
    101: (bottleneck, 4, (3, 4, 23, 3)),
    152: (bottleneck, 4, (3, 8, 36, 3)),
}


def resnet(
    c_in: C | EllipsisType,
    n_out: M,
    depth: int = 18,
    width: int = 64,
    *,
    stem: Layer[Image[C], Image[Any]] | None = None,
) -> Layer[Image[C], Vec[M]]:
    """ResNet-18, 34, 50, 101 or 152: a stem, four stages of residual blocks, a global mean.

    For images of 224x224, as published, or any other size. ``depth`` counts layers that have
    weights, ``width`` the channels of the stem. Up to 34, blocks are ``basic_block`` and the first
    stage has ``width`` channels; from 50 on they are ``bottleneck`` and it has 4 times as many.
    Each further stage has twice the channels of the one before, and half its height and width.
    ``stem`` stands in place of the first convolution and pool, which leave a quarter of an image's
    height and width; it gives ``width`` channels. The parts are ``stem``, ``stage1`` to
    ``stage4``, and a dense layer; blocks are ``stage1/residual1``, ... Raises ``ConfigError`` for
    any other depth.

    Source: He et al. 2016, "Deep Residual Learning for Image Recognition", table 1.

    >>> count(models.resnet(3, 1000, 50).spec((3, 224, 224))[0])
    25557032
    >>> stem = conv2d(1, 8, 3, pad=1, bias=False) >> batch_norm() >> relu()
    >>> net = models.resnet(1, 10, 18, width=8, stem=stem)
    >>> count(net.spec((1, 28, 28))[0])
    176258
    """
    block, ratio, (one, two, three, four) = layout_of("resnet", depth, LAYOUTS)
    width = whole("resnet's width", width)
    first = stem_of("resnet", c_in, width, _stem(c_in, width) if stem is None else stem)
    c = ratio * width
    return (
        first.named("stem")
        >> _stage(block, width, c, 1, one).named("stage1")
        >> _stage(block, c, 2 * c, 2, two).named("stage2")
        >> _stage(block, 2 * c, 4 * c, 2, three).named("stage3")
        >> _stage(block, 4 * c, 8 * c, 2, four).named("stage4")
        >> global_avg_pool2d()
        >> dense(8 * c, n_out)
    )


def _stem(c_in: C | EllipsisType, width: int) -> Layer[Image[C], Image[Any]]:
    """A convolution and a pool, each of which halves height and width."""
    return (
        conv2d(c_in, width, 7, 2, pad=3, bias=False)
        >> batch_norm()
        >> relu()
        >> max_pool2d(3, 2, pad=1)
    )


def _stage(
    block: Block, c_in: int, c_out: int, stride: int, blocks: int
) -> Layer[Image[Any], Image[Any]]:
    """Blocks in a row, of which the first changes sizes."""
    return sequential(block(c_in, c_out, stride), *[block(c_out, c_out, 1)] * (blocks - 1))


def _added(
    body: Layer[Any, Any], c_in: int, c_out: int, stride: int
) -> Layer[Image[Any], Image[Any]]:
    """relu(body(x) + x), where sizes change with x through a convolution of 1x1."""
    shortcut: Layer[Any, Any] | Same = identity()
    if c_in != c_out or stride != 1:
        shortcut = conv2d(c_in, c_out, 1, stride, bias=False) >> batch_norm()
    return residual(body.named("body"), shortcut.named("shortcut")) >> relu()
