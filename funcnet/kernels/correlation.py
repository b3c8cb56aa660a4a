"""Correlation of images with kernels, and its two gradients: by whichever technique is fastest.

Images are (n, h, w, g, c): their channels last, as they lie in memory, in g groups. Kernels are
(g, kh, kw, c, f).
"""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..windows import Pair, Window, inside
from .gathering import FEW, SHORT, gather, gather_grads, scatter
from .winograd import pitch_of, winograd, winograd_grads

# How many products ``winograd`` may make for one that ``gather`` makes; beyond, gather is faster.
SHARE = 0.9


def correlate(x: Array, w: Array, window: Window, out: Pair, bias: Array | None = None) -> Array:
    """y[i, j] = bias + sum over ky, kx of x[i*stride + ky*dilation - pad, ...] @ w[ky, kx].

    y has ``out`` rows and columns; what it needs beyond the edges of ``x`` is zero.
    """
    x, pad = _needed(x, window, out)
    g, f = w.shape[0], w.shape[4]
    y = np.empty((len(x), *out, g, f), x.dtype)
    # A bias for each pixel of a row: runs of ow * f numbers are added in half the time.
    row = None if bias is None else np.tile(bias.reshape(g, f), (out[1], 1, 1))
    if _saves(x, window, pad, out):
        winograd(y, x, w, row, pad)
    else:
        gather(y, x, w, row, window._replace(pad=pad))
    return y


def correlate_grads(x: Array, dy: Array, window: Window) -> Array:
    """The gradient of ``correlate`` with respect to ``w``."""
    out = dy.shape[1:3]
    x, pad = _needed(x, window, out)
    if _saves(x, window, pad, out):
        return winograd_grads(x, dy, window.size[1], pad)
    return gather_grads(x, dy, window._replace(pad=pad))


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


def _saves(x: Array, window: Window, pad: Pair, out: Pair) -> bool:
    """Whether ``winograd`` can be used, and saves time."""
    (kh, kw), (oh, ow), c = window.size, out, x.shape[4]
    if kh != 3 or not window.stride == window.dilation == (1, 1):
        return False
    made = 4 * -(-oh // 2) * pitch_of(x.shape[2], pad[1], kw, ow)
    return kw * c >= SHORT and oh * ow >= FEW and made <= SHARE * 3 * oh * ow
