"""Windows as the rows of a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn

from .layer_table import pairs
from .test_convolution import draw, windows_of

ANY: Any = fn  # to be called as the checker would not let us
arguments = st.tuples(pairs(1, 3), pairs(1, 3), pairs(0, 2), pairs(1, 2))


@pytest.mark.parametrize(("n", "shape"), [(1, (9, 75)), (10, (90, 75))])
def test_shapes_are_the_courses(n: int, shape: tuple[int, int]) -> None:
    assert fn.im2col(np.zeros((n, 3, 7, 7)), 5).shape == shape


@given(arguments, st.integers(5, 8), st.integers(5, 9))
def test_rows_are_windows_and_columns_their_numbers(
    options: tuple[Any, Any, Any, Any], height: int, width: int
) -> None:
    x = draw(2, 3, height, width)
    seen = windows_of(x, *options, 0.0)  # (n, c, oh, ow, kh, kw)
    expected = seen.transpose(0, 2, 3, 1, 4, 5).reshape(-1, 3 * seen.shape[4] * seen.shape[5])
    np.testing.assert_array_equal(fn.im2col(x, *options), expected)


@given(arguments, st.integers(5, 8), st.integers(5, 9))
def test_col2im_is_the_adjoint(options: Any, height: int, width: int) -> None:
    x = draw(2, 3, height, width)
    columns = fn.im2col(x, *options)
    other = fn.Key(2).generator().standard_normal(columns.shape)
    back = fn.col2im(other, x.shape, *options)
    assert back.shape == x.shape
    np.testing.assert_allclose((columns * other).sum(), (x * back).sum(), rtol=1e-10, atol=1e-10)


def test_a_convolution_is_a_product() -> None:
    layer = fn.conv2d(3, 4, 3, stride=2, pad=1)
    params = layer.init(fn.Key(0), (3, 7, 8), np.float64)
    x = draw(2, 3, 7, 8)
    y = fn.im2col(x, 3, 2, 1) @ params["W"].reshape(4, -1).T + params["b"]
    expected = layer.apply(params, x).transpose(0, 2, 3, 1).reshape(-1, 4)
    np.testing.assert_allclose(y, expected, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_numbers_keep_their_type(dtype: str) -> None:
    columns = ANY.im2col(np.ones((1, 1, 4, 4), dtype), 3)
    assert columns.dtype == dtype
    assert ANY.col2im(columns, (1, 1, 4, 4), 3).dtype == dtype


def test_neither_is_given_views_of_its_argument() -> None:
    x = np.ones((1, 1, 1, 1))
    columns = fn.im2col(x, 1)
    columns += 1
    fn.col2im(columns, (1, 1, 1, 1), 1)[...] = 7
    assert (x.item(), columns.item()) == (1, 2)


IMAGES = np.zeros((2, 3, 7, 7))
ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "window": (
        lambda: fn.im2col(IMAGES, 9, pad=(0, 1)),
        fn.ShapeError,
        "im2col expects images of at least 9x9, but the input gives 7x7 padded by 0x1; make the "
        "window smaller, pad more or pool less before it",
    ),
    "no channels": (
        lambda: ANY.im2col(IMAGES[:, 0], 3),
        fn.ShapeError,
        "im2col expects images (n, channels, height, width), but the input gives an array of shape "
        "(2, 7, 7); write x[:, None] of images without channels, x[None] of one image",
    ),
    "vectors": (
        lambda: ANY.im2col(np.zeros((2, 49)), 3),
        fn.ShapeError,
        "im2col expects images (n, channels, height, width), but the input gives an array of shape "
        "(2, 49); write x.reshape(-1, channels, height, width)",
    ),
    "list": (
        lambda: ANY.im2col([[1.0]], 3),
        fn.ArgumentError,
        "im2col's x is an array, not [[1.0]]",
    ),
    "dtype": (
        lambda: ANY.im2col(IMAGES > 0, 3),
        fn.DtypeError,
        "im2col's x holds numbers, not bool",
    ),
    "stride": (
        lambda: fn.im2col(IMAGES, 3, 0),
        fn.ConfigError,
        "im2col's stride is an integer of at least 1, not 0",
    ),
    "other columns": (
        lambda: fn.col2im(np.zeros((18, 75)), (2, 3, 7, 7), 3),
        fn.ShapeError,
        "col2im expects columns 50x27 for images 2x3x7x7, but the input gives 18x75; give it the "
        "arguments that im2col was given",
    ),
    "shape of one image": (
        lambda: ANY.col2im(np.zeros((9, 75)), (3, 7, 7), 5),
        fn.ArgumentError,
        "col2im's shape is x.shape, (n, channels, height, width), not (3, 7, 7)",
    ),
    "size of a shape": (
        lambda: fn.col2im(np.zeros((9, 75)), (1, 3, 7, -7), 5),
        fn.ConfigError,
        "a size in col2im's shape is an integer of at least 0, not -7",
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_says_what_is_wrong_and_what_to_write(error: str) -> None:
    call, kind, text = ERRORS[error]
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == text
