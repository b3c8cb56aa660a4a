"""Pooling: one number for each window of an image."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from ..arrays import Array, Shape, channels_first, channels_last
from ..errors import ConfigError
from ..functions import Spec, no_grads
from ..kinds import SAME, Image
from ..random import Mode
from ..tree import NO_GRADS, Grads, Params
from ..typed import SameImage
from ..windows import Pair, Window, inside, pair, shown


class PoolCache(NamedTuple):
    """The input and the maxima."""

    x: Array
    y: Array


def max_pool2d_apply(window: Window, params: Params, x: Array) -> Array:
    n, c, height, width = x.shape
    y = np.full((n, *window.out(height, width), c), -np.inf, x.dtype)
    images = channels_last(x)
    for on, at in _shifts(window, height, width):
        np.maximum(y[on], images[at], out=y[on])
    return channels_first(y)


def max_pool2d_forward(
    window: Window, params: Params, x: Array, mode: Mode
) -> tuple[Array, PoolCache]:
    y = max_pool2d_apply(window, params, x)
    return y, PoolCache(x, y)


def max_pool2d_backward(window: Window, cache: PoolCache, dy: Array) -> tuple[Array, Grads]:
    x, y = cache
    apart = all(s >= k for s, k in zip(window.stride, window.size, strict=True))
    unpool = _unpooled_apart if apart and not any(window.pad) else _unpooled
    dx = unpool(window, channels_last(x), channels_last(y), channels_last(dy))
    return channels_first(dx), NO_GRADS


def _unpooled(window: Window, x: Array, y: Array, dy: Array) -> Array:
    """dx, channels last: the first maximum of each window takes its dy, and leaves 0."""
    dx = np.zeros(x.shape, dy.dtype)
    left = dy.copy()
    for on, at in _shifts(window, *x.shape[1:3]):
        taken = left[on] * (x[at] == y[on])
        left[on] -= taken
        dx[at] += taken
    return dx


def _unpooled_apart(window: Window, x: Array, y: Array, dy: Array) -> Array:
    """The same for windows that neither overlap nor hang over the edge, in half the time.

    No place gets anything twice, and the last one of a window takes what is left.
    """
    dx = np.zeros(x.shape, dy.dtype)
    left = dy.copy()
    *places, last = [at for _, at in _shifts(window, *x.shape[1:3])]
    for at in places:
        taken = left * (x[at] == y)
        left -= taken
        dx[at] = taken
    dx[last] = left
    return dx


def max_pool2d_spec(window: Window, shape: Shape) -> tuple[Spec, Shape]:
    channels, height, width = shape
    return {}, (channels, *window.fit(height, width))


def max_pool2d(
    size: int | Pair, stride: int | Pair | None = None, pad: int | Pair = 0
) -> SameImage:
    """The maximum of each window, channel by channel; windows do not overlap by default.

    Output sizes are floor((n + 2*pad - size) / stride) + 1; ``stride`` is ``size`` unless given.
    Padding never wins a maximum. The first maximum of a window, row by row, takes its gradient.
    Raises ``ConfigError`` for a ``pad`` over half the ``size``.

    >>> max_pool2d(2).apply(NO_PARAMS, np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    window = Window(
        pair("max_pool2d's size", size),
        pair("max_pool2d's stride", size if stride is None else stride),
        pair("max_pool2d's pad", pad, 0),
        (1, 1),
    )
    if any(p > k // 2 for p, k in zip(window.pad, window.size, strict=True)):
        raise ConfigError(f"pad is at most half of size, so that no window is empty; {pad} is not")
    return SameImage(
        "max_pool2d",
        forward=partial(max_pool2d_forward, window),
        backward=partial(max_pool2d_backward, window),
        spec=partial(max_pool2d_spec, window),
        grads=no_grads,
        apply=partial(max_pool2d_apply, window),
        takes=Image(...),
        gives=SAME,
        call=f"max_pool2d({shown(window, stride=window.size)})",
    )


Slices = tuple[slice, slice, slice]


def _shifts(window: Window, height: int, width: int) -> Iterator[tuple[Slices, Slices]]:
    """For each place in a window, row by row: the outputs that have it inside the image, and it.

    Both index channels-last arrays. Windows that hang over the edge are left out where they do,
    so that padding takes no part.
    """
    oh, ow = window.out(height, width)
    for ky in range(window.size[0]):
        on_h, at_h = inside(ky - window.pad[0], window.stride[0], oh, height)
        for kx in range(window.size[1]):
            on_w, at_w = inside(kx - window.pad[1], window.stride[1], ow, width)
            yield (slice(None), on_h, on_w), (slice(None), at_h, at_w)
