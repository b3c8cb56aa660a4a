"""Images looked up between their pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array, Tensor4


def affine(matrices: Array, x: Tensor4) -> Tensor4:
    """Images whose value at p is that of ``x`` at M @ p; p = (row, column), from the centre.

    ``matrices`` (2, 2, n) hold M for each image. Values between the pixels are bilinear, and 0
    outside the image.
    """
    height, width = x.shape[2:]
    real = np.result_type(x, np.float32)
    down = (np.arange(height) - (height - 1) / 2).astype(real)[:, None]
    right = (np.arange(width) - (width - 1) / 2).astype(real)
    (a, b), (c, d) = matrices.astype(real)[..., None, None]
    row, column = a * down + b * right, c * down + d * right
    row += real.type((height - 1) / 2)
    column += real.type((width - 1) / 2)
    return _bilinear(x, row, column)


def _bilinear(x: Tensor4, row: Array, column: Array) -> Tensor4:
    """The images' values at places (n, h, w) between the pixels; 0 outside."""
    n, c, height, width = x.shape
    canvas = np.zeros((n, c, height + 2, width + 2), x.dtype)
    canvas[:, :, 1:-1, 1:-1] = x
    i, down = _between(row, height)
    j, right = _between(column, width)
    planes = np.arange(n * c).reshape(n, c, 1, 1) * ((height + 2) * (width + 2))
    at = planes + (i * (width + 2) + j)
    values = canvas.reshape(-1)
    above = _mean(values[at], values[at + 1], right)
    at += width + 2
    y: Tensor4 = _mean(above, _mean(values[at], values[at + 1], right), down)
    return y


def _between(place: Array, size: int) -> tuple[np.ndarray[Any, np.dtype[np.intp]], Array]:
    """The pixel before each place, in a row that has one of zeros at each end, and how far on.

    For all channels: (n, 1, h, w).
    """
    place = np.clip(place[:, None], -1, size) + 1
    # A place on the last pixel is one pixel after the last but one.
    before = np.minimum(place.astype(np.intp), size)
    return before, place - before.astype(place.dtype)


def _mean(a: Array, b: Array, share: Array) -> Array:
    """``a`` and ``share`` of the way to ``b``."""
    return a + share * (b - a)
