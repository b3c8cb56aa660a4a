"""Correlation of images with kernels, and its two gradients: by whichever technique is fastest.

Images are (n, h, w, g, c): their channels last, as they lie in memory, in g groups. Kernels are
(g, kh, kw, c, f).
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array, column_sums
from ..windows import Pair, Window, inside
from .gathering import FEW, gather, gather_grads, scatter
from .places import by_places, by_places_grads
from .winograd import F2, Transform, pitch_of, winograd, winograd_grads

SHORT = 16  # a window's row of fewer numbers is short; found by timing layers of all sizes
# How many products ``winograd`` may make for one that ``gather`` makes; beyond, gather is faster.
SHARE = 0.9


def correlate(
    x: Array,
    w: Array,
    window: Window,
    out: Pair,
    bias: Array | None = None,
    transform: Transform = F2,
) -> Array:
    """y[i, j] = bias + sum over ky, kx of x[i*stride + ky*dilation - pad, ...] @ w[ky, kx].

    y has ``out`` rows and columns; what it needs beyond the edges of ``x`` is zero. ``transform``
    is Winograd's, where kernels are fit for it.
    """
    x, pad = _needed(x, window, out)
    framed = window._replace(pad=pad)
    g, f = w.shape[0], w.shape[4]
    y = np.empty((len(x), *out, g, f), x.dtype)
    bias = None if bias is None else bias.reshape(g, f)
    if _short(x, window):
        by_places(y, x, w, bias, framed)
        return y
    # A bias for each pixel of a row: runs of ow * f numbers are added in half the time.
    row = None if bias is None else np.tile(bias, (out[1], 1, 1))
    if _saves(x, framed, out):
        winograd(y, x, w, row, pad, transform)
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
    if _short(x, window):
        return by_places_grads(x, dy, framed, bias)
    if _saves(x, framed, out):
        dw = winograd_grads(x, dy, window.size[1], pad, F2)
    else:
        dw = gather_grads(x, dy, framed)
    return dw, column_sums(dy.reshape(*dy.shape[:3], -1)) if bias else None


def correlate_pull(w: Array, dy: Array, window: Window, size: Pair) -> Array:
    """The gradient of ``correlate`` with respect to ``x``, whose height and width are ``size``.

    Where windows move on by one it is itself a correlation: of dy, with the kernels turned around.
    """
    if window.stride == (1, 1):
        (rh, rw), (ph, pw) = window.reach(), window.pad
        turned = np.ascontiguousarray(w[:, ::-1, ::-1].swapaxes(3, 4))
        return correlate(dy, turned, window._replace(pad=(rh - 1 - ph, rw - 1 - pw)), size)
    g, c = w.shape[0], w.shape[3]
    dx = np.zeros((len(dy), *size, g, c), dy.dtype)
    scatter(dx, dy, w, window)
    return dx


def _needed(x: Array, window: Window, out: Pair) -> tuple[Array, Pair]:
    """The part of ``x`` that ``out`` windows see, and how much zero is before it each way."""
    span = window.span(out)
    of_h, on_h = inside(window.pad[0], 1, x.shape[1], span[0])
    of_w, on_w = inside(window.pad[1], 1, x.shape[2], span[1])
    return x[:, of_h, of_w], (on_h.start, on_w.start)


def _short(x: Array, window: Window) -> bool:
    width: int = window.size[1] * x.shape[4]
    return width < SHORT


def _saves(x: Array, window: Window, out: Pair) -> bool:
    """Whether ``winograd`` can be used, and saves time."""
    (kh, kw), (oh, ow) = window.size, out
    if kh != 3 or not window.stride == window.dilation == (1, 1) or oh * ow < FEW:
        return False
    made: int = 4 * -(-oh // 2) * pitch_of(x.shape[2], window.pad[1], kw, ow)
    return made <= SHARE * 3 * oh * ow
