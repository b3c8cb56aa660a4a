"""Convolution with fewer products, for kernels of a few rows that move on by one.

Two rows of output take six products of a row of input with a row of a kernel of three. Four sums
and differences of input rows, each multiplied once by a sum of kernel rows, hold them too:
Winograd's F(2, 3), here along the height. A kernel of five takes six products for ten, F(2, 5).

Along the width windows need not be copied. Rows lie in one line, with a margin of zeros between
two that ends the one and begins the next. There the kw pixels of a window's row are kw * c numbers
on end, and every kw-th window lies beside the last with neither gap nor overlap: they already are a
matrix as BLAS wants it. There are kw such matrices, one for each pixel to begin at. Windows that
lie across a margin are computed too, and left out.

A training step of a deep network of 3x3 kernels takes a fifth less time than by ``gathering``, a
layer of 5x5 half as long.

Images are (n, h, w, g, c): their channels last, in g groups. Kernels are (g, kh, kw, c, f).

Source: Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks".
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from ..arrays import Array
from ..windows import Pair, blocks, strided

# Those whose powers are short and apart round best, and a half and -2 better than 2 and -2
# (Barabasz et al. 2020, "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep
# Neural Networks").
POINTS = (0, 1, -1, 0.5, -2)
TAPS = range(3, 6)  # rows of a kernel: fewer save too little, more take more points
# Rows of output from one tile. Two give an exact 0 for a window of zeros, where relu is to stop a
# gradient; four take fewer products.
EXACT, FAST = 2, 4


class Transform(NamedTuple):
    """The sums of rows of input and of a kernel, and the rows of output from their products."""

    inputs: Array
    kernels: Array
    outputs: Array


@cache
def transform(rows: int, taps: int, dtype: np.dtype) -> Transform:
    """F(rows, taps), for so many rows of output of kernels of ``taps`` rows.

    Two polynomials with ``rows`` and ``taps`` coefficients have a product that its values at
    rows + taps - 1 points determine, of which infinity is one: Toom and Cook's multiplication.
    Convolution is its transpose.

    With two rows of output, the first takes nothing from the point infinity and the second nothing
    from 0, which leaves to each the rows of its own windows: 0 where they hold only zeros. With
    more, about 1e-7 of what is near. F(2, 3), whose factors are 1, -1 and 1/2, rounds hardly worse
    than the definition, the others three times worse.

    >>> transform(2, 3, np.dtype("float32")).outputs
    array([[ 1.,  1.,  1.,  0.],
           [ 0.,  1., -1.,  1.]], dtype=float32)
    """
    points = np.array(POINTS[: rows + taps - 2], float)
    others = [np.delete(points, i) for i in range(len(points))]
    products = [[np.prod(p - rest)] for p, rest in zip(points, others, strict=True)]
    inputs = np.zeros((len(points) + 1, len(points) + 1))
    for row, roots in zip(inputs, [*others, points], strict=True):
        row[: len(roots) + 1] = np.poly(roots)[::-1]
    kernels = np.vstack([np.vander(points, taps, increasing=True) / products, np.eye(taps)[-1]])
    outputs = np.vstack([np.vander(points, rows, increasing=True), np.eye(rows)[-1]]).T
    return Transform(inputs.astype(dtype), kernels.astype(dtype), outputs.astype(dtype))


class Rows(NamedTuple):
    """Rows in margins of zeros, to put images (m, h, w, g, c) in and to take tiles of them out.

    ``tiles`` is (m, g, tiles, rows, pitch * c): the rows that each few rows of output come from,
    one after the other.
    """

    images: Array
    tiles: Array


class Sums(NamedTuple):
    """The sums of each tile, and all of one kind in a line (kinds, m, g, pixels, c).

    ``tiles`` is (m, g, tiles, kinds, pitch * c).
    """

    tiles: Array
    line: Array


def pitch_of(width: int, left: int, kw: int, ow: int) -> int:
    """The pixels that a row takes with its margin: ``left`` before it, and what follows it.

    The margin before a row serves as the one after the row before.
    """
    return max(left + width, ow + kw - 1 - left, ow)


def winograd(y: Array, x: Array, w: Array, bias: Array | None, pad: Pair, step: int) -> None:
    """Write each window's products with the kernels, and ``bias``, to ``y`` (n, oh, ow, g, f).

    At most ``step`` rows of it come from one tile of input.
    """
    n, oh, ow, g, f = y.shape
    kh, kw, c = w.shape[1:4]
    inputs, kernels, outputs = transform(_step(step, kh), kh, x.dtype)
    step, kinds = outputs.shape
    tiles, pitch = -(-oh // step), pitch_of(x.shape[2], pad[1], kw, ow)
    parts = blocks(n, (step + kinds) * g * tiles * pitch * (c + f))
    most = parts[0].stop if parts else 0  # the largest comes first
    rows = _rows(most, step, kinds, tiles, pitch, x, pad)
    sums, products = (_sums(most, g, kinds, tiles, pitch, kw, k, x.dtype) for k in (c, f))
    found = np.empty((most, g, tiles * step, pitch, f), x.dtype)
    seen = found.transpose(0, 2, 3, 1, 4)[:, :oh, :ow]
    windows, turns = _windows(sums.line, tiles * pitch, kw)
    ends = products.line[:, :, :, : turns * kw].reshape(kinds, most, g, turns, kw, f)
    mixed = _mixed(kernels, w.swapaxes(0, 1)).reshape(kinds, 1, g, 1, kw * c, f)
    for block in parts:
        m = block.stop - block.start
        rows.images[:m] = x[block]
        np.matmul(inputs, rows.tiles[:m], out=sums.tiles[:m])
        np.matmul(windows[:, :m], mixed, out=ends[:, :m].swapaxes(3, 4))
        few = found[:m].reshape(m, g, tiles, step, pitch * f)
        np.matmul(outputs, products.tiles[:m], out=few)
        np.add(seen[:m], 0 if bias is None else bias, out=y[block])


def winograd_grads(x: Array, dy: Array, size: Pair, pad: Pair) -> Array:
    """The gradient with respect to the kernels.

    Each sum of kernel rows gets the sums of input that it met, times as many of dy; all that one
    place in a row of windows met is one stretch of the line.
    """
    n, oh, ow, g, f = dy.shape
    (kh, kw), c = size, x.shape[4]
    inputs, kernels, outputs = transform(_step(FAST, kh), kh, dy.dtype)
    step, kinds = outputs.shape
    tiles, pitch = -(-oh // step), pitch_of(x.shape[2], pad[1], kw, ow)
    stretch = tiles * pitch
    parts = blocks(n, (step + kinds) * g * stretch * (c + f) + kinds * kw * g * c * f)
    most = parts[0].stop if parts else 0  # the largest comes first
    rows = _rows(most, step, kinds, tiles, pitch, x, pad)
    upstream = _rows(most, step, step, tiles, pitch, dy, (0, 0))
    sums, products = (_sums(most, g, kinds, tiles, pitch, kw, k, dy.dtype) for k in (c, f))
    s0, s1, s2, s3, s4 = sums.line.strides
    places = strided(sums.line, (kinds, kw, most, g, c, stretch), (s0, s3, s1, s2, s4, s3))
    met = products.line[:, None, :, :, :stretch]
    dw = np.zeros((kinds, kw, g, c, f), dy.dtype)
    for block in parts:
        m = block.stop - block.start
        rows.images[:m], upstream.images[:m] = x[block], dy[block]
        np.matmul(inputs, rows.tiles[:m], out=sums.tiles[:m])
        np.matmul(outputs.T, upstream.tiles[:m], out=products.tiles[:m])
        dw += np.matmul(places[:, :, :m], met[:, :, :m]).sum(2)
    return _mixed(kernels.T, dw).transpose(2, 0, 1, 3, 4)


def _step(most: int, taps: int) -> int:
    """How many rows of output there are points for, up to ``most``."""
    return min(most, len(POINTS) + 2 - taps)


def _mixed(matrix: Array, rows: Array) -> Array:
    """Sums of ``rows`` (its first axis), with the factors of each row of ``matrix``."""
    return (matrix @ rows.reshape(len(rows), -1)).reshape(len(matrix), *rows.shape[1:])


def _rows(m: int, step: int, size: int, tiles: int, pitch: int, x: Array, pad: Pair) -> Rows:
    """Empty rows for ``m`` images of ``x``, and tiles of ``size`` of them, ``step`` apart."""
    _, h, w, g, c = x.shape
    canvas = np.zeros((m, g, step * tiles + size - step, pitch, c), x.dtype)
    s0, s1, s2, _, s4 = canvas.strides
    images = canvas[:, :, pad[0] : pad[0] + h, pad[1] : pad[1] + w].transpose(0, 2, 3, 1, 4)
    shape = (m, g, tiles, size, pitch * c)
    return Rows(images, strided(canvas, shape, (s0, s1, step * s2, s2, s4)))


def _sums(
    m: int, g: int, kinds: int, tiles: int, pitch: int, kw: int, c: int, dtype: np.dtype
) -> Sums:
    """Room for the sums of ``m`` images, and zeros after them for the windows that begin last."""
    line = np.empty((kinds, m, g, tiles * pitch + 2 * kw - 2, c), dtype)
    line[:, :, :, tiles * pitch :] = 0
    s0, s1, s2, s3, s4 = line.strides
    shape = (m, g, tiles, kinds, pitch * c)
    return Sums(strided(line, shape, (s1, s2, pitch * s3, s0, s4)), line)


def _windows(line: Array, pixels: int, kw: int) -> tuple[Array, int]:
    """The windows of a line as kw matrices (kinds, m, g, kw, turns, kw * c), and their rows."""
    turns = -(-pixels // kw)
    s0, s1, s2, s3, s4 = line.strides
    shape = (*line.shape[:3], kw, turns, kw * line.shape[4])
    return strided(line, shape, (s0, s1, s2, s3, kw * s3, s4)), turns
