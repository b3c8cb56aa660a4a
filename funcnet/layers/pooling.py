"""Pooling: one number for each window of an image."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array, Shape, channels_first, channels_last, dims
from ..errors import ConfigError, ShapeError
from ..functions import Spec, functions, no_grads
from ..kinds import SAME, Flow, Image, Vec, meet
from ..layer import Record
from ..random import Mode
from ..tree import NO_GRADS, Grads, Params
from ..typed import C, Layer, SameImage
from ..windows import Pair, Window, blocks, shifts_along, shown, window_of


class PoolCache(NamedTuple):
    """The input and the maxima."""

    x: Array
    y: Array


def max_pool2d_apply(window: Window, params: Params, x: Array) -> Array:
    n, c, height, width = x.shape
    y = np.empty((n, *window.out(height, width), c), x.dtype)
    for block in _blocks(x):
        _combine(np.maximum, -np.inf, window, channels_last(x)[block], y[block])
    return channels_first(y)


def max_pool2d_forward(
    window: Window, params: Params, x: Array, mode: Mode
) -> tuple[Array, PoolCache]:
    y = max_pool2d_apply(window, params, x)
    return y, PoolCache(x, y)


def max_pool2d_backward(window: Window, cache: PoolCache, dy: Array) -> tuple[Array, Grads]:
    x, y = cache
    dx = np.empty(channels_last(x).shape, dy.dtype)
    unpool = _unpool_tiles if _tiles(window, x.shape) else _unpool
    for block in _blocks(x, arrays=4):
        images, maxima, upstream = [channels_last(each[block]) for each in (x, y, dy)]
        unpool(window, images, maxima, upstream.copy(), dx[block])
    return channels_first(dx), NO_GRADS


def _unpool(window: Window, x: Array, y: Array, left: Array, dx: Array) -> None:
    """Write to ``dx``, channels last: the first maximum of each window takes its part of ``left``.

    It is the first in the first row that has it. So the first row takes it all, and then the first
    in that row: for 3x3, six steps in place of nine.
    """
    rows = np.empty((*x.shape[:2], *y.shape[2:]), x.dtype)
    of_rows = np.zeros(rows.shape, dx.dtype)
    dx.fill(0)
    with _small_buffers():
        _combine_along(np.maximum, -np.inf, window, 1, x, rows)
        _unpool_along(window, 0, rows, y, left, of_rows)
        _unpool_along(window, 1, x, rows, of_rows, dx)


def _unpool_along(window: Window, way: int, x: Array, y: Array, left: Array, dx: Array) -> None:
    """``_unpool`` over the windows' height (``way`` 0) or width (1) alone, added to ``dx``."""
    x, y, left, dx = (images.swapaxes(1, 1 + way) for images in (x, y, left, dx))
    *places, last = shifts_along(window, way, y.shape[1], x.shape[1])
    for on, at in places:
        # As floats first: NumPy multiplies booleans by floats half as fast as it converts them.
        taken = (x[:, at] == y[:, on]).astype(dx.dtype)
        taken *= left[:, on]
        left[:, on] -= taken
        dx[:, at] += taken
    dx[:, last[1]] += left[:, last[0]]  # where no other took it


def _unpool_tiles(window: Window, x: Array, y: Array, left: Array, dx: Array) -> None:
    """``_unpool`` where each pixel is in one window, in half the time.

    Places are put one after the other, so that only two copies go from pixel to pixel, and all
    else through whole arrays.
    """
    (n, oh, ow, c), (kh, kw) = y.shape, window.size
    places = x.reshape(n, oh, kh, ow, kw, c).transpose(2, 4, 0, 1, 3, 5).reshape(kh * kw, *y.shape)
    given = np.empty(places.shape, dx.dtype)
    for place, taken in zip(places[:-1], given, strict=False):
        taken[:] = place == y
        taken *= left
        left -= taken
    given[-1] = left
    tiles = given.reshape(kh, kw, n, oh, ow, c).transpose(2, 3, 0, 4, 1, 5)
    dx.reshape(n, oh, kh, ow, kw, c)[:] = tiles


def _tiles(window: Window, shape: Shape) -> bool:
    """Whether the windows cover images of ``shape`` with neither gap nor overlap."""
    height, width = shape[2:]
    (kh, kw), out = window.size, window.out(height, width)
    apart = window.stride == window.size and window.pad == (0, 0)
    return apart and (out[0] * kh, out[1] * kw) == (height, width)


def max_pool2d(
    size: int | Pair, stride: int | Pair | None = None, pad: int | Pair = 0
) -> SameImage:
    """The maximum of each window, channel by channel; windows do not overlap by default.

    Output sizes are floor((n + 2*pad - size) / stride) + 1; ``stride`` is ``size`` unless given.
    Padding never wins a maximum. The first maximum of a window, row by row, takes its gradient.
    A ``relu()`` may come before or after: the numbers are the same, and after it has less to do.
    Raises ``ConfigError`` for a ``pad`` over half the ``size``.

    >>> max_pool2d(2).apply(NO_PARAMS, np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    return _pool(
        "max_pool2d", (size, stride, pad), max_pool2d_apply, max_pool2d_forward, max_pool2d_backward
    )


def avg_pool2d_apply(window: Window, params: Params, x: Array) -> Array:
    n, c, height, width = x.shape
    y = np.empty((n, *window.out(height, width), c), x.dtype)
    for block in _blocks(x):
        sums = np.empty(y[block].shape, _sums(x))
        _combine(np.add, 0, window, channels_last(x)[block], sums)
        np.multiply(sums, 1 / _area(window), out=y[block], casting="same_kind")
    return channels_first(y)


def avg_pool2d_forward(window: Window, params: Params, x: Array, mode: Mode) -> tuple[Array, Shape]:
    return avg_pool2d_apply(window, params, x), x.shape


def avg_pool2d_backward(window: Window, shape: Shape, dy: Array) -> tuple[Array, Grads]:
    n, c, height, width = shape
    dx = np.empty((n, height, width, c), dy.dtype)
    spread = _spread_tiles if _tiles(window, shape) else _spread
    for block in _blocks(dx):
        share = channels_last(dy)[block] * _sums(dy).type(1 / _area(window))
        spread(window, share, dx[block])
    return channels_first(dx), NO_GRADS


def _spread(window: Window, share: Array, dx: Array) -> None:
    """Write to ``dx``, channels last, the sums of the shares of all windows that a pixel is in."""
    rows = np.zeros((*dx.shape[:2], *share.shape[2:]), share.dtype)
    dx.fill(0)
    with _small_buffers():
        _spread_along(window, 0, share, rows)
        _spread_along(window, 1, rows, dx)


def _spread_along(window: Window, way: int, share: Array, dx: Array) -> None:
    """``_spread`` over the windows' height (``way`` 0) or width (1) alone, added to ``dx``."""
    share, dx = (images.swapaxes(1, 1 + way) for images in (share, dx))
    for on, at in shifts_along(window, way, share.shape[1], dx.shape[1]):
        dx[:, at] += share[:, on]


def _spread_tiles(window: Window, share: Array, dx: Array) -> None:
    """``_spread`` where each pixel is in one window."""
    n, oh, ow, c = share.shape
    tiles = dx.reshape(n, oh, window.size[0], ow, window.size[1], c)
    tiles[:] = share[:, :, None, :, None]


def avg_pool2d(
    size: int | Pair, stride: int | Pair | None = None, pad: int | Pair = 0
) -> SameImage:
    """The mean of each window, channel by channel; windows do not overlap by default.

    Output sizes are ``max_pool2d``'s. Padding counts as zeros: every sum is divided by the numbers
    of a whole window. Raises ``ConfigError`` for a ``pad`` over half the ``size``.

    >>> avg_pool2d(2).apply(NO_PARAMS, np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    return _pool(
        "avg_pool2d", (size, stride, pad), avg_pool2d_apply, avg_pool2d_forward, avg_pool2d_backward
    )


def global_avg_pool2d_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, Shape]:
    n, c, height, width = x.shape
    pixels = channels_last(x).reshape(n, height * width, c)
    # A product with ones is the sum, and BLAS runs it: see ``column_sums``.
    sums = np.ones(height * width, _sums(x)) @ pixels
    return (sums * (1 / (height * width))).astype(x.dtype, copy=False), x.shape


def global_avg_pool2d_backward(shape: Shape, dy: Array) -> tuple[Array, Grads]:
    n, c, height, width = shape
    dx = np.empty((n, height, width, c), dy.dtype)
    dx[:] = (dy * _sums(dy).type(1 / (height * width)))[:, None, None]
    return channels_first(dx), NO_GRADS


def global_avg_pool2d_spec(shape: Shape) -> tuple[Spec, Shape]:
    channels, height, width = shape
    if not (height and width):
        raise ShapeError("images of at least 1x1", dims((height, width)), "pool less before it")
    return {}, (channels,)


def global_avg_pool2d_flow(got: Flow) -> Flow:
    meet(Image(...), got)
    return Vec(got.size) if isinstance(got, Image) else Vec(...)


def global_avg_pool2d() -> Layer[Image[C], Vec[C]]:
    """The mean of each channel: images (batch, c, h, w) as vectors (batch, c), of any h and w.

    What stands between the last convolution and the classes in place of large dense layers. mypy
    finds the channels in the layer before it; where it stands alone, they are any number.

    Source: Lin et al. 2014, "Network In Network".

    >>> net = conv2d(3, 16, 3) >> relu() >> global_avg_pool2d() >> dense(16, 10)
    >>> net.spec((3, 32, 32))[1], net.spec((3, 20, 24))[1]
    ((10,), (10,))
    """
    made = functions(
        forward=global_avg_pool2d_forward,
        backward=global_avg_pool2d_backward,
        spec=global_avg_pool2d_spec,
        grads=no_grads,
        takes=Image(...),
    )
    known = made._replace(flow=global_avg_pool2d_flow)  # as many features as there are channels
    name = "global_avg_pool2d"
    return Layer.of(Record(name, known, f"{name}()", takes=Image(...)))


def _pool(
    name: str,
    arguments: tuple[Any, Any, Any],
    apply: Callable[[Window, Params, Array], Array],
    forward: Callable[[Window, Params, Array, Mode], tuple[Array, Any]],
    backward: Callable[[Window, Any, Array], tuple[Array, Grads]],
) -> SameImage:
    """A layer of functions whose first argument is the window that ``arguments`` describe."""
    window = _window(name, *arguments)
    return SameImage(
        name,
        forward=partial(forward, window),
        backward=partial(backward, window),
        spec=partial(pool_spec, window),
        grads=no_grads,
        apply=partial(apply, window),
        takes=Image(...),
        gives=SAME,
        call=f"{name}({shown(window, stride=window.size)})",
    )


def pool_spec(window: Window, shape: Shape) -> tuple[Spec, Shape]:
    channels, height, width = shape
    return {}, (channels, *window.fit(height, width))


def _window(name: str, size: Any, stride: Any, pad: Any) -> Window:
    window = window_of(name, size, size if stride is None else stride, pad)
    if any(p > k // 2 for p, k in zip(window.pad, window.size, strict=True)):
        raise ConfigError(
            f"{name}'s pad is at most half of size, so that no window is empty; {pad} is not"
        )
    return window


def _combine(ufunc: np.ufunc, padding: float, window: Window, x: Array, y: Array) -> None:
    """Write to ``y`` what ``ufunc`` makes of all numbers of each window, channels last."""
    # Down the columns first, where runs are whole rows: for 2x2, half of the steps in runs of c
    # numbers that there are over both ways at once.
    columns = np.empty((*y.shape[:2], *x.shape[2:]), y.dtype)
    with _small_buffers():
        _combine_along(ufunc, padding, window, 0, x, columns)
        _combine_along(ufunc, padding, window, 1, columns, y)


def _combine_along(
    ufunc: np.ufunc, padding: float, window: Window, way: int, x: Array, y: Array
) -> None:
    """``_combine`` over the windows' height (``way`` 0) or width (1) alone."""
    x, y = (images.swapaxes(1, 1 + way) for images in (x, y))
    first, *places = shifts_along(window, way, y.shape[1], x.shape[1])
    if window.pad[way]:
        y.fill(padding)
    y[:, first[0]] = x[:, first[1]]
    for on, at in places:
        ufunc(y[:, on], x[:, at], out=y[:, on])


@contextmanager
def _small_buffers() -> Iterator[None]:
    """A context in which NumPy's element-wise functions have buffers of 1024 numbers, not 8192.

    They copy through them what comes in shorter runs: images of which each row is cut, as most
    places in a window cut them. Large buffers double the time, and more.
    """
    with np.errstate():  # which also restores the size
        np.setbufsize(1024)
        yield


def _blocks(x: Array, arrays: int = 1) -> list[slice]:
    """Blocks of images that stay in cache with so many arrays worked out for them."""
    return blocks(len(x), arrays * math.prod(x.shape[1:]))


def _sums(x: Array) -> np.dtype[Any]:
    """The dtype in which means of ``x`` are worked out: float16 ends at 65,504."""
    return np.result_type(x, np.float32)


def _area(window: Window) -> int:
    return window.size[0] * window.size[1]
