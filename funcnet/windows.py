"""Windows that slide over images: their sizes, and the products that convolution is made of.

Arrays here have their channels last, (n, h, w, c), as images lie in memory, and kernels are
(kh, kw, c_in, c_out).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .arguments import whole
from .arrays import Array, dims
from .errors import ArgumentError, ShapeError

Pair: TypeAlias = tuple[int, int]

# Numbers of scratch that one block of a batch may take: 2 MB of float32, which stays in cache.
# Without blocks a training step of a deep network takes about 45% longer.
BLOCK = 1 << 19

# How windows are gathered, see ``_im2col``; both limits were found by timing layers of all sizes.
SHORT = 16  # a window's row of fewer numbers is short
FEW = 50  # an image with fewer windows has few

# glibc's malloc returns a large array to the system when it is freed, and the next one is made of
# fresh pages, thousands a training step: a fifth of the step's time. It keeps what is no larger
# than the largest array it ever saw freed, up to 32 MB. So here it sees one, of which no page is
# touched. Other allocators take no notice.
np.empty((32 << 20) - (64 << 10), np.uint8)


class Window(NamedTuple):
    """How a window slides: each of height and width."""

    size: Pair
    stride: Pair
    pad: Pair
    dilation: Pair

    def reach(self) -> Pair:
        """The rows and columns that one window spans, gaps included."""
        (kh, kw), (dh, dw) = self.size, self.dilation
        return (kh - 1) * dh + 1, (kw - 1) * dw + 1

    def out(self, height: int, width: int) -> Pair:
        """How many windows fit: floor((n + 2 pad - reach) / stride) + 1 each way."""
        (rh, rw), (sh, sw), (ph, pw) = self.reach(), self.stride, self.pad
        return (height + 2 * ph - rh) // sh + 1, (width + 2 * pw - rw) // sw + 1

    def fit(self, height: int, width: int) -> Pair:
        """``out``, where at least one window fits; else ``ShapeError``."""
        out = self.out(height, width)
        if min(*out, height, width) < 1:
            padded = f" padded by {dims(self.pad)}" if any(self.pad) else ""
            raise ShapeError(
                f"images of at least {dims(self.reach())}",
                f"{dims((height, width))}{padded}",
                "make the window smaller, pad more or pool less before it",
            )
        return out


def pair(name: str, value: Any, smallest: int = 1) -> Pair:
    """``value`` as (height, width): one integer serves for both.

    >>> pair("size", 3), pair("size", (3, 5))
    ((3, 3), (3, 5))
    """
    if not isinstance(value, tuple | list):
        n = whole(name, value, smallest)
        return n, n
    if len(value) != 2:
        raise ArgumentError(f"{name} is an integer or a pair (height, width), not {value!r}")
    return whole(name, value[0], smallest), whole(name, value[1], smallest)


def window_of(name: str, size: Any, stride: Any, pad: Any, dilation: Any = 1) -> Window:
    """The window that the arguments of ``name`` describe, each an integer or a pair."""
    return Window(
        pair(f"{name}'s size", size),
        pair(f"{name}'s stride", stride),
        pair(f"{name}'s pad", pad, 0),
        pair(f"{name}'s dilation", dilation),
    )


def correlate(x: Array, w: Array, window: Window) -> Array:
    """y[n, i, j] = sum over ky, kx of x[n, i*stride + ky*dilation - pad, ...] @ w[ky, kx]."""
    n, h, width, _ = x.shape
    y = np.empty((n, *window.out(h, width), w.shape[3]), x.dtype)
    correlate_into(y, x, w, window)
    return y


def correlate_into(y: Array, x: Array, w: Array, window: Window) -> None:
    """``correlate``, written to ``y``: a new array, or some of the channels of one."""
    f = w.shape[3]
    for block, matrices in _im2col(x, window):
        kernels = w.reshape(len(matrices), -1, f)
        out = y[block].reshape(len(matrices[0]), -1, f)
        np.matmul(matrices[0], kernels[0], out=out)
        for matrix, kernel in zip(matrices[1:], kernels[1:], strict=True):
            out += np.matmul(matrix, kernel)


def correlate_grads(x: Array, dy: Array, window: Window) -> Array:
    """The gradient of ``correlate`` with respect to ``w``; gathers again rather than keep it."""
    c, f = x.shape[3], dy.shape[3]
    dw = np.zeros((*window.size, c, f), dy.dtype)
    for block, matrices in _im2col(x, window):
        kernels = dw.reshape(len(matrices), -1, f)
        d = dy[block].reshape(len(matrices[0]), -1, f)
        for matrix, kernel in zip(matrices, kernels, strict=True):
            kernel += np.matmul(matrix.transpose(0, 2, 1), d).sum(0)
    return dw


def correlate_pull(w: Array, dy: Array, height: int, width: int, window: Window) -> Array:
    """The gradient of ``correlate`` with respect to ``x``.

    It is itself a correlation: of dy, its rows and columns set ``stride`` apart on a canvas of
    zeros, with the kernel turned around.
    """
    n, oh, ow, f = dy.shape
    rh, rw = window.reach()
    canvas = np.zeros((n, height + rh - 1, width + rw - 1, f), dy.dtype)
    of_h, on_h = inside(rh - 1 - window.pad[0], window.stride[0], oh, canvas.shape[1])
    of_w, on_w = inside(rw - 1 - window.pad[1], window.stride[1], ow, canvas.shape[2])
    canvas[:, on_h, on_w] = dy[:, of_h, of_w]
    turned = np.ascontiguousarray(w[::-1, ::-1].transpose(0, 1, 3, 2))
    return correlate(canvas, turned, window._replace(stride=(1, 1), pad=(0, 0)))


def blocks(count: int, numbers: int) -> Iterator[slice]:
    """The slices of a batch of ``count`` whose images, of ``numbers`` each, are one block."""
    size = max(1, BLOCK // max(1, numbers))
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def inside(offset: int, stride: int, count: int, room: int) -> tuple[slice, slice]:
    """The i < count for which i * stride + offset lies in [0, room), and those places."""
    first = max(0, -(offset // stride))
    last = max(first, min(count, (room - 1 - offset) // stride + 1))
    start = first * stride + offset
    return slice(first, last), slice(start, start + (last - first) * stride, stride)


Slices: TypeAlias = tuple[slice, slice, slice]


def shifts(window: Window, height: int, width: int) -> Iterator[tuple[Slices, Slices]]:
    """For each place in a window, row by row: the windows that have it inside the image, and it.

    The first index arrays (n, oh, ow, ...), the second images (n, h, w, ...). Windows that hang
    over the edge are left out where they do, so that padding takes no part.
    """
    (sh, sw), (ph, pw), (dh, dw) = window.stride, window.pad, window.dilation
    oh, ow = window.out(height, width)
    for ky in range(window.size[0]):
        on_h, at_h = inside(ky * dh - ph, sh, oh, height)
        for kx in range(window.size[1]):
            on_w, at_w = inside(kx * dw - pw, sw, ow, width)
            yield (slice(None), on_h, on_w), (slice(None), at_h, at_w)


def _im2col(x: Array, window: Window) -> Iterator[tuple[slice, list[Array]]]:
    """For each block of a batch, its windows as matrices that have a row for each window.

    The matrices are arrays (images, oh * ow, k). There is one whose columns are the kh * kw * c
    numbers of a window, or there are kh, one for each row of the windows. Their products with as
    many equal parts of a kernel are to be added up.

    All images of a block stand in one tall matrix where each has few windows. Else each is a
    matrix of its own: BLAS is faster at such small products, and a sum over the images costs
    little.
    """
    n, h, width, c = x.shape
    (kh, kw), ((oh, ow), (ph, _)) = window.size, (window.out(h, width), window.pad)
    by_rows = kw * c >= SHORT and window.stride[0] == 1 and oh * ow >= FEW
    numbers = ow * kw * c * ((h + 2 * ph) if by_rows else oh * kh)
    for block in blocks(n, numbers):
        images = _padded(x[block], window.pad)
        if kw * c < SHORT:
            yield block, [_places(images, window, oh, ow).transpose(0, 2, 1)]
        elif by_rows:
            yield block, _rows(images, window, oh, ow)
        else:
            matrix = _whole(images, window, oh, ow)
            yield block, [matrix.reshape(1, -1, kh * kw * c) if oh * ow < FEW else matrix]


def _whole(x: Array, window: Window, oh: int, ow: int) -> Array:
    """(n, oh * ow, kh * kw * c): the numbers of each window side by side."""
    n, c = len(x), x.shape[3]
    view = _windows(x, window, oh, ow)
    return view.reshape(n, oh * ow, window.size[0] * window.size[1] * c)


def _places(x: Array, window: Window, oh: int, ow: int) -> Array:
    """(n, kh * kw * c, oh * ow): ``_whole`` the other way round.

    The numbers that all windows have in one place are copied in one go. That is faster where the
    rows of a window are short: the first layer, which sees one channel or three.
    """
    n, c = len(x), x.shape[3]
    view = _windows(x, window, oh, ow).transpose(0, 3, 4, 5, 1, 2)
    return view.reshape(n, window.size[0] * window.size[1] * c, oh * ow)


def _rows(x: Array, window: Window, oh: int, ow: int) -> list[Array]:
    """kh times (n, oh * ow, kw * c): each row of the windows.

    Where windows move on by one row, the second row of one is the first row of a later one. So
    one copy, kw times the input and not kh * kw times, holds them all: the result is views of it.
    """
    (n, h, _, c), (kh, kw) = x.shape, window.size
    view = _windows(x, window._replace(size=(1, kw)), h, ow)
    rows = view.reshape(n, h * ow, kw * c)
    starts = [ky * window.dilation[0] * ow for ky in range(kh)]
    return [rows[:, start : start + oh * ow] for start in starts]


def _windows(x: Array, window: Window, oh: int, ow: int) -> Array:
    """(n, oh, ow, kh, kw, c): all windows of padded images, a view."""
    (kh, kw), (sh, sw), (dh, dw) = window.size, window.stride, window.dilation
    s0, s1, s2, s3 = x.strides
    return as_strided(
        x,
        (len(x), oh, ow, kh, kw, x.shape[3]),
        (s0, sh * s1, sw * s2, dh * s1, dw * s2, s3),
        writeable=False,
    )


def _padded(x: Array, pad: Pair) -> Array:
    if not any(pad):
        return np.ascontiguousarray(x)
    (ph, pw), (n, h, w, c) = pad, x.shape
    canvas = np.zeros((n, h + 2 * ph, w + 2 * pw, c), x.dtype)
    canvas[:, ph : ph + h, pw : pw + w] = x
    return canvas


def shown(window: Window, stride: Pair = (1, 1)) -> str:
    """A window as the arguments of a call, those that are the default left out.

    >>> shown(Window((3, 3), (2, 2), (0, 1), (1, 1)))
    '3, stride=2, pad=(0, 1)'
    """
    defaults = {"stride": stride, "pad": (0, 0), "dilation": (1, 1)}
    options = [
        f"{name}={pair_shown(getattr(window, name))}"
        for name, default in defaults.items()
        if getattr(window, name) != default
    ]
    return ", ".join([pair_shown(window.size), *options])


def pair_shown(value: Pair) -> str:
    """A pair as it is written: one number where both are the same."""
    return str(value[0] if value[0] == value[1] else value)
