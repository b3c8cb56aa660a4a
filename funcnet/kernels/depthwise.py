"""Convolution of many groups of few channels, each group on its own: depthwise, or nearly.

Products of matrices as small as theirs are a waste of BLAS. Here a row of the output is the sum,
over the places in a window, of a row of the input times a row of weights, number by number.
``einsum`` multiplies and adds in one go, in runs as long as the row.

The c channels of a group are c rows one after the other, in which each number stands f times.
Images are (n, h, w, g, c): their channels last, in g groups. Kernels are (g, kh, kw, c, f).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import Array
from ..windows import Pair, Window, blocks, strided


def depthwise(y: Array, x: Array, w: Array, bias: Array | None, window: Window) -> None:
    """Write each window's products with the kernels, and ``bias``, to ``y`` (n, oh, ow, g, f)."""
    _, oh, ow, g, f = y.shape
    kh, kw, c = w.shape[1:4]
    runs = _runs(window, ow, g * f)
    weights = np.tile(w.transpose(1, 2, 3, 0, 4).reshape(kh, kw, c, g * f), ow)
    weights = weights.reshape(kh, kw, c, *runs)
    for block, rows in _rows(x, window, (oh, ow), f):
        sums = y[block].reshape(-1, oh, *runs)
        np.einsum("niyxcjr,yxcjr->nijr", rows, weights, out=sums)
        if bias is not None:
            y[block] += bias


def depthwise_grads(x: Array, dy: Array, window: Window) -> Array:
    """The gradient with respect to the kernels."""
    _, oh, ow, g, f = dy.shape
    (kh, kw), c, runs = window.size, x.shape[4], _runs(window, ow, g * f)
    dw = np.zeros((kh, kw, c, *runs), dy.dtype)
    for block, rows in _rows(x, window, (oh, ow), f):
        upstream = dy[block].reshape(-1, oh, *runs)
        # Place by place: what one sums up stays in cache, which all of them would overflow.
        for ky, kx, i in np.ndindex(kh, kw, c):
            dw[ky, kx, i] += np.einsum("nijr,nijr->jr", rows[:, :, ky, kx, i], upstream)
    kernels: Array = dw.reshape(kh, kw, c, ow, g, f).sum(3)
    return kernels.transpose(3, 0, 1, 2, 4)


def _rows(x: Array, window: Window, out: Pair, f: int) -> Iterator[tuple[slice, Array]]:
    """For each block of a batch, (images, oh, kh, kw, c, runs, run), a view of images on zeros.

    These are the rows of input that the places in a row of windows see.
    """
    n, h, w, g, c = x.shape
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = window
    height, width = window.span(out)
    for block in blocks(n, c * height * width * g * f):
        images = x[block].transpose(0, 1, 4, 2, 3)
        canvas = np.zeros((len(images), height, c, width, g, f), x.dtype)
        canvas[:, ph : ph + h, :, pw : pw + w] = images[..., None]
        s0, s1, s2, s3, _, s5 = canvas.strides
        shape = (len(images), out[0], kh, kw, c, *_runs(window, out[1], g * f))
        yield block, strided(canvas, shape, (s0, sh * s1, dh * s1, dw * s3, s2, sw * s3, s5))


def _runs(window: Window, ow: int, numbers: int) -> Pair:
    """How many runs a row of ``ow`` pixels of ``numbers`` is, and how long: one, without stride."""
    return (1, ow * numbers) if window.stride[1] == 1 else (ow, numbers)
