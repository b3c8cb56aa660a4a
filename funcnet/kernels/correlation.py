"""Correlation of images with kernels, and its two gradients: by whichever technique is fastest.

Images are (n, h, w, g, c): their channels last, as they lie in memory, in g groups. Kernels are
(g, kh, kw, c, f).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import gcd, prod
from typing import NamedTuple

import numpy as np

from ..arrays import Array, column_sums
from ..windows import Pair, Window, blocks, inside
from .depthwise import depthwise, depthwise_grads
from .gathering import FEW, gather, gather_grads, scatter
from .places import by_places, by_places_grads
from .winograd import FAST, TAPS, pitch_of, winograd, winograd_grads

SHORT = 16  # a window's row of fewer numbers is short; found by timing layers of all sizes
# ``winograd`` is faster than ``gather`` with at most so many products for one of its, and where a
# group has so many channels, in or as the mean of in and out; with fewer, sums take too long.
SHARE = 0.85
CHANNELS = 16
# Groups are many from so many times the square of the products that each takes in a place.
MANY = 4
PHASES = 4  # a stride of more phases than these is better scattered


class Phase(NamedTuple):
    """Every s-th row (or column) of an image, with every row of a kernel that ever meets it.

    Over these, windows of stride s move on by one, with a pad and dilation of their own.
    """

    rows: slice
    taps: slice
    pad: int
    dilation: int


def correlate(
    x: Array,
    w: Array,
    window: Window,
    out: Pair,
    bias: Array | None = None,
    step: int = FAST,
) -> Array:
    """y[i, j] = bias + sum over ky, kx of x[i*stride + ky*dilation - pad, ...] @ w[ky, kx].

    y has ``out`` rows and columns; what it needs beyond the edges of ``x`` is zero. ``step`` is
    ``winograd``'s, where it serves.
    """
    x, pad = _needed(x, window, out)
    framed = window._replace(pad=pad)
    g, c, f = w.shape[0], w.shape[3], w.shape[4]
    y = np.empty((len(x), *out, g, f), x.dtype)
    bias = None if bias is None else bias.reshape(g, f)
    many = _many(g, c * f)
    if _short(x, window) and not many:
        by_places(y, x, w, bias, framed)
        return y
    # A bias for each pixel of a row: runs of ow * f numbers are added in half the time.
    row = None if bias is None else np.tile(bias, (out[1], 1, 1))
    if many:
        depthwise(y, x, w, row, framed)
    elif _saves(x, framed, out, f):
        winograd(y, x, w, row, pad, step)
    else:
        gather(y, x, w, row, framed)
    return y


def correlate_grads(
    x: Array, dy: Array, window: Window, bias: bool = False
) -> tuple[Array, Array | None]:
    """The gradients of ``correlate`` with respect to ``w`` and, where there is one, ``bias``."""
    out = dy.shape[1:3]
    x, pad = _needed(x, window, out)
    framed = window._replace(pad=pad)
    if _many(x.shape[3], x.shape[4] * dy.shape[4]):
        dw = depthwise_grads(x, dy, framed)
    elif _short(x, window):
        return by_places_grads(x, dy, framed, bias)
    elif _saves(x, framed, out, dy.shape[4]):
        dw = winograd_grads(x, dy, window.size, pad)
    else:
        dw = gather_grads(x, dy, framed)
    return dw, column_sums(dy.reshape(*dy.shape[:3], -1)) if bias else None


def correlate_pull(w: Array, dy: Array, window: Window, size: Pair, step: int = FAST) -> Array:
    """The gradient of ``correlate`` with respect to ``x``, whose height and width are ``size``.

    Where windows move on by one it is itself a correlation: of dy, with the kernels turned around.
    With a stride it is as many as there are phases.

    Source: Shi et al. 2016, "Is the deconvolution layer the same as a convolutional layer?"
    """
    if window.stride == (1, 1):
        return _turned(w, dy, window, size, step)
    g, c, f = w.shape[0], w.shape[3], w.shape[4]
    dx = np.zeros((len(dy), *size, g, c), dy.dtype)
    if _many(g, c * f) or (c > 1 and prod(window.stride) <= PHASES):
        _interleave(dx, dy, w, window, step)
    else:
        scatter(dx, dy, w, window)
    return dx


def _interleave(dx: Array, dy: Array, w: Array, window: Window, step: int) -> None:
    """``scatter``, phase by phase."""
    phases = list(product(_phases(window, 0), _phases(window, 1)))
    for block, (high, wide) in product(blocks(len(dx), prod(dx.shape[1:])), phases):
        part, kernels = dx[block, high.rows, wide.rows], w[:, high.taps, wide.taps]
        pad, dilation = (high.pad, wide.pad), (high.dilation, wide.dilation)
        by_one = Window(kernels.shape[1:3], (1, 1), pad, dilation)
        if part.size:
            part[:] = _turned(kernels, dy[block], by_one, part.shape[1:3], step)


def _turned(w: Array, dy: Array, window: Window, size: Pair, step: int) -> Array:
    """``correlate_pull`` where windows move on by one."""
    (rh, rw), (ph, pw) = window.reach(), window.pad
    turned = np.ascontiguousarray(w[:, ::-1, ::-1].swapaxes(3, 4))
    around = window._replace(pad=(rh - 1 - ph, rw - 1 - pw))
    return correlate(dy, turned, around, size, step=step)


def _phases(window: Window, way: int) -> Iterator[Phase]:
    """The phases of the height (``way`` 0) or width (1) that windows see anything of."""
    k, s, p, d = (each[way] for each in window)
    apart = s // gcd(s, d)
    for tap in range(min(k, apart)):
        start = (tap * d - p) % s
        pad = (start + p - tap * d) // s
        yield Phase(slice(start, None, s), slice(tap, None, apart), pad, d * apart // s)


def _needed(x: Array, window: Window, out: Pair) -> tuple[Array, Pair]:
    """The part of ``x`` that ``out`` windows see, and how much zero is before it each way."""
    span = window.span(out)
    of_h, on_h = inside(window.pad[0], 1, x.shape[1], span[0])
    of_w, on_w = inside(window.pad[1], 1, x.shape[2], span[1])
    return x[:, of_h, of_w], (on_h.start, on_w.start)


def _many(groups: int, products: int) -> bool:
    """Whether groups are so many, for the products of each, that they are best taken at once."""
    return groups >= MANY * products**2


def _short(x: Array, window: Window) -> bool:
    width: int = window.size[1] * x.shape[4]
    return width < SHORT


def _saves(x: Array, window: Window, out: Pair, f: int) -> bool:
    """Whether ``winograd`` can be used, and saves time."""
    (kh, kw), (oh, ow), c = window.size, out, x.shape[4]
    moves_by_one = window.stride == window.dilation == (1, 1)
    few = c < CHANNELS and c * f < CHANNELS**2
    if kh not in TAPS or not moves_by_one or oh * ow < FEW or few:
        return False
    made: int = (kh + 1) * -(-oh // 2) * pitch_of(x.shape[2], window.pad[1], kw, ow)
    return made <= SHARE * kh * oh * ow
