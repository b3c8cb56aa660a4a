"""Convolution by gathering: windows are copied into matrices, and BLAS multiplies those.

It serves any stride and dilation. Images are (n, h, w, g, c): their channels last, in g groups.
Kernels are (g, kh, kw, c, f).

Source: Chellapilla et al. 2006, "High Performance Convolutional Neural Networks for Document
Processing".
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import Array
from ..windows import Pair, Window, blocks, shifts, strided

FEW = 50  # an image with fewer windows has few; found by timing layers of all sizes


def gather(y: Array, x: Array, w: Array, bias: Array | None, window: Window) -> None:
    """Write each window's products with the kernels, and ``bias``, to ``y`` (n, oh, ow, g, f)."""
    _, oh, ow, g, f = y.shape
    for block, matrices in _im2col(x, window, (oh, ow)):
        kernels = w.reshape(g, len(matrices), -1, f)
        products = y[block].reshape(len(matrices[0]), -1, g, f).swapaxes(1, 2)
        np.matmul(matrices[0], kernels[:, 0], out=products)
        for i, matrix in enumerate(matrices[1:], 1):
            products += np.matmul(matrix, kernels[:, i])
        if bias is not None:
            y[block] += bias


def gather_grads(x: Array, dy: Array, window: Window) -> Array:
    """The gradient with respect to the kernels; gathers again rather than keep the matrices."""
    _, oh, ow, g, f = dy.shape
    dw = np.zeros((g, *window.size, x.shape[4], f), dy.dtype)
    for block, matrices in _im2col(x, window, (oh, ow)):
        kernels = dw.reshape(g, len(matrices), -1, f)
        d = dy[block].reshape(len(matrices[0]), -1, g, f).swapaxes(1, 2)
        for i, matrix in enumerate(matrices):
            kernels[:, i] += np.matmul(matrix.swapaxes(2, 3), d).sum(0)
    return dw


def scatter(dx: Array, dy: Array, w: Array, window: Window) -> None:
    """Add to ``dx`` what each window's products say: the adjoint of ``gather``, col2im."""
    n, oh, ow, g, f = dy.shape
    kh, kw, c = w.shape[1:4]
    columns = w.reshape(g, kh * kw * c, f).swapaxes(1, 2)
    places = list(shifts(window, dx.shape[1:3], (oh, ow)))
    for block in blocks(n, oh * ow * g * kh * kw * c):
        d = dy[block].reshape(-1, oh * ow, g, f).swapaxes(1, 2)
        parts = np.matmul(d, columns).reshape(-1, g, oh, ow, kh * kw, c).transpose(4, 0, 2, 3, 1, 5)
        for part, (on, at) in zip(parts, places, strict=True):
            dx[block][at] += part[on]


def _im2col(x: Array, window: Window, out: Pair) -> Iterator[tuple[slice, list[Array]]]:
    """For each block of a batch, its windows as matrices that have a row for each window.

    The matrices are arrays (images, g, oh * ow, k). There is one whose columns are the kh * kw * c
    numbers of a window, or there are kh, one for each row of the windows. Their products with as
    many equal parts of a kernel are to be added up.

    All images of a block stand in one tall matrix where each has few windows. Else each is a
    matrix of its own: BLAS is faster at such small products, and a sum over the images costs
    little.
    """
    n, g, c = len(x), *x.shape[3:]
    (kh, kw), (oh, ow) = window.size, out
    height, width = window.span(out)
    by_rows = window.stride[0] == 1 and oh * ow >= FEW and kh > 1
    numbers = ow * kw * g * c * (height if by_rows else oh * kh)
    for block in blocks(n, numbers):
        images = framed(x[block], window.pad, height, width)
        if by_rows:
            yield block, _rows(images, window, out)
        elif oh * ow < FEW:
            yield block, [_tall(images, window, out)]
        else:
            yield block, [_whole(images, window, out)]


def _whole(x: Array, window: Window, out: Pair) -> Array:
    """(n, g, oh * ow, kh * kw * c): the numbers of each window side by side."""
    view = windows_of(x, window, out).transpose(0, 5, 1, 2, 3, 4, 6)
    return view.reshape(*view.shape[:2], out[0] * out[1], -1)


def _tall(x: Array, window: Window, out: Pair) -> Array:
    """(1, g, n * oh * ow, kh * kw * c): ``_whole`` of all images in one matrix."""
    view = windows_of(x, window, out).transpose(5, 0, 1, 2, 3, 4, 6)
    return view.reshape(1, len(view), len(x) * out[0] * out[1], -1)


def _rows(x: Array, window: Window, out: Pair) -> list[Array]:
    """kh times (n, g, oh * ow, kw * c): each row of the windows.

    Where windows move on by one row, the second row of one is the first row of a later one. So
    one copy, kw times the input and not kh * kw times, holds them all: the result is views of it.
    """
    (n, height, _, g, _), (kh, kw), (oh, ow) = x.shape, window.size, out
    view = windows_of(x, window._replace(size=(1, kw)), (height, ow)).transpose(0, 5, 1, 2, 3, 4, 6)
    rows = view.reshape(n, g, height * ow, -1)
    starts = [ky * window.dilation[0] * ow for ky in range(kh)]
    return [rows[:, :, start : start + oh * ow] for start in starts]


def windows_of(x: Array, window: Window, out: Pair) -> Array:
    """(n, oh, ow, kh, kw, g, c): all windows of framed images, a view."""
    (kh, kw), (sh, sw), (dh, dw) = window.size, window.stride, window.dilation
    s0, s1, s2, s3, s4 = x.strides
    return strided(
        x,
        (len(x), *out, kh, kw, *x.shape[3:]),
        (s0, sh * s1, sw * s2, dh * s1, dw * s2, s3, s4),
    )


def framed(x: Array, pad: Pair, height: int, width: int) -> Array:
    """``x`` on zeros (height, width), ``pad`` from the upper left corner."""
    n, h, w, g, c = x.shape
    if (h, w) == (height, width):
        return np.ascontiguousarray(x)
    canvas = np.zeros((n, height, width, g, c), x.dtype)
    canvas[:, pad[0] : pad[0] + h, pad[1] : pad[1] + w] = x
    return canvas
