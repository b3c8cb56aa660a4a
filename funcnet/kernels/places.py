"""Convolution by the places in a window: ``gathering`` the other way round.

The numbers that all windows have in one place are copied in one go, in runs as long as a row of
the output. That is faster where the rows of a window are short: the first layer, which sees one
channel or three. A last row of ones makes the bias one more weight, and its gradient one more of
the product: without passes of their own over all that comes out.

Images are (n, h, w, g, c): their channels last, in g groups. Kernels are (g, kh, kw, c, f).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import Array
from ..windows import Pair, Window, blocks
from .gathering import framed, windows_of


def by_places(y: Array, x: Array, w: Array, bias: Array | None, window: Window) -> None:
    """Write each window's products with the kernels, and ``bias`` (g, f), to ``y``."""
    _, oh, ow, g, f = y.shape
    kernels = w.reshape(g, -1, f)
    if bias is not None:
        kernels = np.concatenate([kernels, bias[:, None]], axis=1)
    for block, matrix in _places(x, window, (oh, ow), bias is not None):
        products = y[block].reshape(-1, oh * ow, g, f).swapaxes(1, 2)
        np.matmul(matrix.swapaxes(2, 3), kernels, out=products)


def by_places_grads(x: Array, dy: Array, window: Window, bias: bool) -> tuple[Array, Array | None]:
    """The gradients with respect to the kernels and, where there is one, the bias."""
    _, oh, ow, g, f = dy.shape
    shape = (g, *window.size, x.shape[4], f)
    dw = np.zeros((g, shape[1] * shape[2] * shape[3] + bias, f), dy.dtype)
    for block, matrix in _places(x, window, (oh, ow), bias):
        dw += np.matmul(matrix, dy[block].reshape(-1, oh * ow, g, f).swapaxes(1, 2)).sum(0)
    return (dw[:, :-1].reshape(shape), dw[:, -1]) if bias else (dw.reshape(shape), None)


def _places(x: Array, window: Window, out: Pair, ones: bool) -> Iterator[tuple[slice, Array]]:
    """For each block of a batch, (images, g, kh * kw * c, oh * ow), and a last row of ones."""
    (kh, kw), (oh, ow), (g, c) = window.size, out, x.shape[3:]
    numbers = kh * kw * c
    for block in blocks(len(x), g * (numbers + 1) * oh * ow):
        view = windows_of(framed(x[block], window.pad, *window.span(out)), window, out)
        matrix = np.empty((len(view), g, numbers + ones, oh * ow), x.dtype)
        rows = matrix[:, :, :numbers].reshape(len(view), g, kh, kw, c, oh, ow)
        rows[:] = view.transpose(0, 5, 3, 4, 6, 1, 2)
        matrix[:, :, numbers:] = 1
        yield block, matrix
