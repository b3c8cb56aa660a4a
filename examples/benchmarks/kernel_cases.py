"""The layers and optimizers whose passes ``kernels.py`` times, ours and PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from networks import DEEP

import funcnet as fn

CONVOLUTIONS = ("forward", "pull", "grads")


class Case(NamedTuple):
    """A layer, PyTorch's (made of ``torch.nn``), the shape of a batch, and what to time of it.

    ``pull`` is the half of the backward pass that gives the gradient of the input, ``grads`` the
    half that gives those of the parameters. Each takes so many ``operations``, with floating-point
    numbers, or moves so many ``bytes`` at least, whichever bounds it.
    """

    layer: Any
    peer: Callable[[Any], Any]
    shape: tuple[int, ...]
    passes: tuple[str, ...]
    operations: int = 0
    bytes: int = 0


def conv(images: int, pixels: int, *arguments: int) -> Case:
    """A convolution of square images.

    ``arguments`` are both libraries': channels in and out, size, stride, padding, dilation, groups.
    """
    make: Any = fn.conv2d
    layer, shape = make(*arguments), (images, arguments[0], pixels, pixels)
    spec, (_, height, width) = layer.spec(shape[1:])
    operations = 2 * images * height * width * prod(spec["W"].shape)
    return Case(layer, lambda nn: nn.Conv2d(*arguments), shape, CONVOLUTIONS, operations)


def transposed(images: int, pixels: int, *arguments: int) -> Case:
    make: Any = fn.conv_transpose2d
    layer, shape = make(*arguments), (images, arguments[0], pixels, pixels)
    operations = 2 * images * pixels**2 * prod(layer.spec(shape[1:])[0]["W"].shape)
    return Case(layer, lambda nn: nn.ConvTranspose2d(*arguments), shape, CONVOLUTIONS, operations)


def plain(layer: fn.AnyLayer, peer: Callable[[Any], Any], back: str = "pull") -> Case:
    """A layer that memory bounds, on images as D has them after its second convolution."""
    shape = (100, 16, 28, 28)
    numbers = prod(shape) + shape[0] * prod(layer.spec(shape[1:])[1])
    return Case(layer, peer, shape, ("forward", back), bytes=4 * numbers)


PIXELS = (28, 28, 14, 14, 8, 8)
"""Of the images that D's convolutions get."""

CASES = {
    "The deep net's convolutions": [
        conv(100, pixels, c_in, c_out, 3, 1, pad)
        for pixels, (c_in, c_out, pad) in zip(PIXELS, DEEP, strict=True)
    ],
    "Other convolutions": [
        conv(100, 28, 1, 30, 5),
        conv(100, 14, 32, 32, 5, 1, 2),
        conv(32, 28, 64, 64, 1),
        conv(32, 28, 32, 64, 3, 2, 1),
        conv(32, 14, 128, 128, 3, 1, 1),
        conv(8, 112, 3, 64, 7, 2, 3),
        conv(32, 28, 64, 64, 3, 1, 1, 1, 4),
        conv(32, 28, 64, 64, 3, 1, 1, 1, 64),
        transposed(32, 14, 64, 32, 2, 2),
        transposed(32, 14, 32, 16, 4, 2, 1),
    ],
    "Layers bound by memory": [
        plain(fn.max_pool2d(2), lambda nn: nn.MaxPool2d(2)),
        plain(fn.max_pool2d(3, 1, 1), lambda nn: nn.MaxPool2d(3, 1, 1)),
        plain(fn.max_pool2d(3, 2), lambda nn: nn.MaxPool2d(3, 2)),
        plain(fn.avg_pool2d(2), lambda nn: nn.AvgPool2d(2)),
        plain(fn.batch_norm(), lambda nn: nn.BatchNorm2d(16), "backward"),
        plain(fn.relu(), lambda nn: nn.ReLU()),
        plain(fn.dropout(0.5), lambda nn: nn.Dropout(0.5)),
    ],
}

OPTIMIZERS: dict[str, tuple[fn.Optimizer[Any], Callable[..., Any], int]] = {
    "sgd(0.1)": (fn.sgd(0.1), lambda o, p, **how: o.SGD(p, 0.1, **how), 3),
    "momentum(0.1)": (fn.momentum(0.1), lambda o, p, **how: o.SGD(p, 0.1, 0.9, **how), 5),
    "adam(0.001)": (fn.adam(1e-3), lambda o, p, **how: o.Adam(p, 1e-3, **how), 7),
}
"""Ours, PyTorch's (made of ``torch.optim``), and how many arrays as large as the parameters are
read or written."""
