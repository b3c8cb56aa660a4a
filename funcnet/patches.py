"""Windows of images as the rows of a matrix, and back: how a convolution becomes a product."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .arguments import short, whole
from .arrays import Matrix, Shape, Tensor4, channels_first, channels_last, dims
from .errors import ArgumentError, DtypeError, ShapeError
from .windows import Pair, Window, shifts, window_of


def im2col(
    x: Tensor4,
    size: int | Pair,
    stride: int | Pair = 1,
    pad: int | Pair = 0,
    dilation: int | Pair = 1,
) -> Matrix:
    """The windows of images (n, c, h, w) as rows: a matrix (n * oh * ow, c * kh * kw).

    Rows go through the images and, in each, through its windows row by row; columns through
    channels and, in each, through the places of a window row by row. So a convolution is a product:
    ``im2col(x, size) @ W.reshape(c_out, -1).T`` has the outputs (n * oh * ow, c_out). ``conv2d``
    itself never makes the whole matrix, which is kh * kw times as large as ``x``.

    The arguments are ``conv2d``'s. Raises ``ShapeError`` for a window larger than its padded image
    and for arrays that are no images, ``ConfigError`` for sizes out of range.

    >>> im2col(np.arange(9.0).reshape(1, 1, 3, 3), 2)
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.],
           [3., 4., 6., 7.],
           [4., 5., 7., 8.]])
    >>> im2col(np.zeros((10, 3, 7, 7)), 5).shape
    (90, 75)
    """
    window = window_of("im2col", size, stride, pad, dilation)
    n, c, height, width = _image_sizes(_numbers("im2col", "x", x))
    rows = np.zeros((n, *_fitted("im2col", window, height, width), c, *window.size), x.dtype)
    for (ky, kx), (on, at) in zip(
        np.ndindex(window.size), shifts(window, (height, width), rows.shape[1:3]), strict=True
    ):
        rows[on][..., ky, kx] = channels_last(x)[at]
    return rows.reshape(_matrix(rows.shape))


def col2im(
    columns: Matrix,
    shape: tuple[int, int, int, int],
    size: int | Pair,
    stride: int | Pair = 1,
    pad: int | Pair = 0,
    dilation: int | Pair = 1,
) -> Tensor4:
    """The adjoint of ``im2col``: adds each window up where it lies in images of ``shape``.

    It is what a gradient of ``im2col``'s rows becomes for the images (n, c, h, w): a pixel gets the
    sum over all windows that hold it, and padding is dropped. It is no inverse: where windows
    overlap, numbers count more than once. Raises ``ShapeError`` for ``columns`` of another shape
    than ``im2col`` makes of such images.

    >>> x = np.ones((1, 1, 3, 3))
    >>> col2im(im2col(x, 2), x.shape, 2)[0, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    window = window_of("col2im", size, stride, pad, dilation)
    n, c, height, width = _sizes(shape)
    split = (n, *_fitted("col2im", window, height, width), c, *window.size)
    if _numbers("col2im", "columns", columns).shape != _matrix(split):
        raise ShapeError(
            f"columns {dims(_matrix(split))} for images {dims((n, c, height, width))}",
            dims(columns.shape),
            "give it the arguments that im2col was given",
        ).within("col2im")
    rows = columns.reshape(split)
    x = np.zeros((n, height, width, c), columns.dtype)
    for (ky, kx), (on, at) in zip(
        np.ndindex(window.size), shifts(window, (height, width), rows.shape[1:3]), strict=True
    ):
        x[at] += rows[on][..., ky, kx]
    return channels_first(x)


def _matrix(split: Shape) -> tuple[int, int]:
    """The shape of the matrix of windows (n, oh, ow, c, kh, kw)."""
    return math.prod(split[:3]), math.prod(split[3:])


def _fitted(owner: str, window: Window, height: int, width: int) -> Pair:
    try:
        return window.fit(height, width)
    except ShapeError as error:
        raise error.within(owner) from None


def _numbers(owner: str, name: str, value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        raise ArgumentError(f"{owner}'s {name} is an array, not {short(value)}")
    if value.dtype.kind not in "fiu":
        raise DtypeError(f"{owner}'s {name} holds numbers, not {value.dtype}")
    return value


def _image_sizes(x: Any) -> tuple[int, int, int, int]:
    if x.ndim != 4:
        mend = "x.reshape(-1, channels, height, width)"
        if x.ndim == 3:
            mend = "x[:, None] of images without channels, x[None] of one image"
        raise ShapeError(
            "images (n, channels, height, width)", f"an array of shape {x.shape}", f"write {mend}"
        ).within("im2col")
    n, c, height, width = x.shape
    return n, c, height, width


def _sizes(shape: Any) -> tuple[int, int, int, int]:
    if not isinstance(shape, tuple | list) or len(shape) != 4:
        raise ArgumentError(
            f"col2im's shape is x.shape, (n, channels, height, width), not {short(shape)}"
        )
    n, c, height, width = (whole("a size in col2im's shape", size, 0) for size in shape)
    return n, c, height, width
