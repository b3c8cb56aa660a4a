"""Convolution with two thirds of the products, for kernels of three rows that move on by one.

Two rows of output take six products of a row of input with a row of a kernel. Four sums and
differences of input rows, each multiplied once by a sum of kernel rows, hold them too: Winograd's
F(2, 3), here along the height. All its sums are of a few terms with factors 1, -1 and 1/2, so that
it rounds hardly worse than the definition, and gives an exact 0 where a window holds only zeros
(larger tiles save more products and do neither).

Along the width windows need not be copied. Rows lie in one line, with a margin of zeros between
two that ends the one and begins the next. There the kw pixels of a window's row are kw * c numbers
on end, and every kw-th window lies beside the last with neither gap nor overlap: they already are a
matrix as BLAS wants it. There are kw such matrices, one for each pixel to begin at. Windows that
lie across a margin are computed too, and left out.

A training step of a deep network of 3x3 kernels takes a sixth less time than by ``gathering``.

Images are (n, h, w, g, c): their channels last, in g groups. Kernels are (g, 3, kw, c, f).

Source: Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..arrays import Array
from ..windows import Pair, blocks

# The four sums of four rows of input, of three of a kernel, and two rows of output of the products.
INPUTS = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
KERNELS = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
OUTPUTS = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])


class Rows(NamedTuple):
    """Rows in margins of zeros, to put images (m, h, w, g, c) in and to take tiles of them out.

    ``tiles`` is (m, g, tiles, rows, pitch * c): the rows of each two rows of output, one after
    the other.
    """

    images: Array
    tiles: Array


class Sums(NamedTuple):
    """The four sums of each tile, and all of one kind in a line (4, m, g, pixels, c).

    ``tiles`` is (m, g, tiles, 4, pitch * c).
    """

    tiles: Array
    line: Array


def pitch_of(width: int, left: int, kw: int, ow: int) -> int:
    """The pixels that a row takes with its margin: ``left`` before it, and what follows it.

    The margin before a row serves as the one after the row before.
    """
    return max(left + width, ow + kw - 1 - left, ow)


def winograd(y: Array, x: Array, w: Array, bias: Array | None, pad: Pair) -> None:
    """Write each window's products with the kernels, and ``bias``, to ``y`` (n, oh, ow, g, f)."""
    n, oh, ow, g, f = y.shape
    kw, c = w.shape[2:4]
    tiles, pitch = -(-oh // 2), pitch_of(x.shape[2], pad[1], kw, ow)
    parts = blocks(n, 6 * g * tiles * pitch * (c + f))
    most = max((part.stop - part.start for part in parts), default=0)
    rows = _rows(most, 4, tiles, pitch, x, pad)
    sums, products = (_sums(most, g, tiles, pitch, kw, k, x.dtype) for k in (c, f))
    outputs = np.empty((most, g, tiles * 2, pitch, f), x.dtype)
    seen = outputs.transpose(0, 2, 3, 1, 4)[:, :oh, :ow]
    windows, turns = _windows(sums.line, tiles * pitch, kw)
    ends = products.line[:, :, :, : turns * kw].reshape(4, most, g, turns, kw, f).swapaxes(3, 4)
    kernels = _mixed(KERNELS, w.swapaxes(0, 1)).reshape(4, 1, g, 1, kw * c, f)
    for block in parts:
        m = block.stop - block.start
        rows.images[:m] = x[block]
        np.matmul(INPUTS.astype(x.dtype), rows.tiles[:m], out=sums.tiles[:m])
        np.matmul(windows[:, :m], kernels, out=ends[:, :m])
        pairs = outputs[:m].reshape(m, g, tiles, 2, pitch * f)
        np.matmul(OUTPUTS.astype(x.dtype), products.tiles[:m], out=pairs)
        np.add(seen[:m], 0 if bias is None else bias, out=y[block])


def winograd_grads(x: Array, dy: Array, kw: int, pad: Pair) -> Array:
    """The gradient with respect to the kernels.

    Each sum of kernel rows gets the sums of input that it met, times as many of dy; all that one
    place in a row of windows met is one stretch of the line.
    """
    n, oh, ow, g, f = dy.shape
    c = x.shape[4]
    tiles, pitch = -(-oh // 2), pitch_of(x.shape[2], pad[1], kw, ow)
    parts = blocks(n, 6 * g * tiles * pitch * (c + f) + 4 * kw * g * c * f)
    most = max((part.stop - part.start for part in parts), default=0)
    rows, upstream = _rows(most, 4, tiles, pitch, x, pad), _rows(most, 2, tiles, pitch, dy, (0, 0))
    sums, products = (_sums(most, g, tiles, pitch, kw, k, dy.dtype) for k in (c, f))
    stretch = tiles * pitch
    s0, s1, s2, s3, s4 = sums.line.strides
    places = as_strided(
        sums.line, (4, kw, most, g, c, stretch), (s0, s3, s1, s2, s4, s3), writeable=False
    )
    met = products.line[:, None, :, :, :stretch]
    dw = np.zeros((4, kw, g, c, f), dy.dtype)
    for block in parts:
        m = block.stop - block.start
        rows.images[:m], upstream.images[:m] = x[block], dy[block]
        np.matmul(INPUTS.astype(dy.dtype), rows.tiles[:m], out=sums.tiles[:m])
        np.matmul(OUTPUTS.T.astype(dy.dtype), upstream.tiles[:m], out=products.tiles[:m])
        dw += np.matmul(places[:, :, :m], met[:, :, :m]).sum(2)
    return _mixed(KERNELS.T, dw).transpose(2, 0, 1, 3, 4)


def _mixed(matrix: Array, rows: Array) -> Array:
    """Sums of ``rows`` (its first axis), with the factors of each row of ``matrix``."""
    flat = rows.reshape(len(rows), -1)
    return (matrix.astype(rows.dtype) @ flat).reshape(len(matrix), *rows.shape[1:])


def _rows(m: int, size: int, tiles: int, pitch: int, x: Array, pad: Pair) -> Rows:
    """Empty rows for ``m`` images of ``x``, and tiles of ``size`` rows, each two below the last."""
    _, h, w, g, c = x.shape
    canvas = np.zeros((m, g, 2 * tiles + size - 2, pitch, c), x.dtype)
    s0, s1, s2, _, s4 = canvas.strides
    images = canvas[:, :, pad[0] : pad[0] + h, pad[1] : pad[1] + w].transpose(0, 2, 3, 1, 4)
    shape = (m, g, tiles, size, pitch * c)
    return Rows(images, as_strided(canvas, shape, (s0, s1, 2 * s2, s2, s4), writeable=False))


def _sums(m: int, g: int, tiles: int, pitch: int, kw: int, c: int, dtype: np.dtype) -> Sums:
    """Room for the sums of ``m`` images, and zeros after them for the windows that begin last."""
    line = np.zeros((4, m, g, tiles * pitch + 2 * kw - 2, c), dtype)
    s0, s1, s2, s3, s4 = line.strides
    shape = (m, g, tiles, 4, pitch * c)
    return Sums(as_strided(line, shape, (s1, s2, pitch * s3, s0, s4)), line)


def _windows(line: Array, pixels: int, kw: int) -> tuple[Array, int]:
    """The windows of a line as kw matrices (4, m, g, kw, turns, kw * c), and the rows of each."""
    turns = -(-pixels // kw)
    s0, s1, s2, s3, s4 = line.strides
    shape = (*line.shape[:3], kw, turns, kw * line.shape[4])
    return as_strided(line, shape, (s0, s1, s2, s3, kw * s3, s4), writeable=False), turns
