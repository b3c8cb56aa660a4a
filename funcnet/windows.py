"""Windows that slide over images: their sizes, and the products that convolution is made of.

Arrays here have their channels last, (n, h, w, c), as images lie in memory, and kernels are
(kh, kw, c_in, c_out).
"""

from __future__ import annotations

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


def correlate(x: Array, w: Array, window: Window) -> Array:
    """y[n, i, j] = sum over ky, kx of x[n, i*stride + ky*dilation - pad, ...] @ w[ky, kx].

    Row im2col: a window's columns are gathered next to each other (a copy kw times the input, and
    not kh*kw times), then each of its kh rows is one product, added up in place.
    """
    n, h, width, c = x.shape
    kh, kw, _, f = w.shape
    oh, ow = window.out(h, width)
    y = np.empty((n, oh, ow, f), x.dtype)
    kernels = w.reshape(kh, kw * c, f)
    for start, stop in _blocks(n, (h + 2 * window.pad[0]) * ow * kw * c):
        rows = _gathered(x[start:stop], ow, window)
        out = y[start:stop].reshape(stop - start, oh * ow, f)
        np.matmul(_row(rows, 0, oh, window), kernels[0], out=out)
        for ky in range(1, kh):
            out += np.matmul(_row(rows, ky, oh, window), kernels[ky])
    return y


def correlate_grads(x: Array, dy: Array, window: Window) -> Array:
    """The gradient of ``correlate`` with respect to ``w``; gathers again rather than keep it."""
    n, h, _, c = x.shape
    _, oh, ow, f = dy.shape
    kh, kw = window.size
    dw = np.zeros((kh, kw * c, f), dy.dtype)
    for start, stop in _blocks(n, (h + 2 * window.pad[0]) * ow * kw * c):
        rows = _gathered(x[start:stop], ow, window)
        d = dy[start:stop].reshape(-1, f)
        for ky in range(kh):
            dw[ky] += _row(rows, ky, oh, window).reshape(-1, kw * c).T @ d
    return dw.reshape(kh, kw, c, f)


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


def inside(offset: int, stride: int, count: int, room: int) -> tuple[slice, slice]:
    """The i < count for which i * stride + offset lies in [0, room), and those places."""
    first = max(0, -(offset // stride))
    last = max(first, min(count, (room - 1 - offset) // stride + 1))
    start = first * stride + offset
    return slice(first, last), slice(start, start + (last - first) * stride, stride)


def _blocks(n: int, numbers: int) -> list[Pair]:
    """(start, stop) of blocks of a batch of n, at ``numbers`` of scratch an example."""
    size = max(1, BLOCK // max(1, numbers))
    return [(start, min(start + size, n)) for start in range(0, n, size)]


def _gathered(x: Array, ow: int, window: Window) -> Array:
    """(n, padded h, ow, kw * c): for each window position the columns it covers, side by side."""
    x = _padded(x, window.pad)
    n, h, _, c = x.shape
    kw, sw, dw = window.size[1], window.stride[1], window.dilation[1]
    s0, s1, s2, s3 = x.strides
    view = as_strided(x, (n, h, ow, kw, c), (s0, s1, sw * s2, dw * s2, s3), writeable=False)
    return view.reshape(n, h, ow, kw * c)


def _row(rows: Array, ky: int, oh: int, window: Window) -> Array:
    """(n, oh * ow, kw * c): row ``ky`` of every window; a view where the stride is 1."""
    n, _, ow, k = rows.shape
    first, stride = ky * window.dilation[0], window.stride[0]
    return rows[:, first : first + (oh - 1) * stride + 1 : stride].reshape(n, oh * ow, k)


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
        f"{name}={_short(getattr(window, name))}"
        for name, default in defaults.items()
        if getattr(window, name) != default
    ]
    return ", ".join([_short(window.size), *options])


def _short(value: Pair) -> str:
    return str(value[0] if value[0] == value[1] else value)
