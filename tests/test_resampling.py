"""Images looked up between their pixels, against a loop over all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn
from funcnet.resampling import affine


@given(
    st.integers(0, 99), st.integers(0, 3), st.integers(1, 3), st.integers(1, 6), st.integers(1, 6)
)
def test_affine_is_bilinear_about_the_centre(seed: int, n: int, c: int, h: int, w: int) -> None:
    draw = fn.Key(seed).generator()
    x, matrices = draw.random((n, c, h, w)), draw.normal(0, 1, (2, 2, n))
    slow = looked_up(matrices, x)
    np.testing.assert_allclose(affine(matrices, x), slow, rtol=1e-9, atol=1e-12)
    in_float32 = affine(matrices, x.astype(np.float32))
    assert str(in_float32.dtype) == "float32"
    np.testing.assert_allclose(in_float32, slow, atol=1e-4)


def looked_up(matrices: Any, x: Any) -> Any:
    n, _, h, w = x.shape
    y, centre = np.zeros_like(x), np.array([(h - 1) / 2, (w - 1) / 2])
    for image, row, column in np.ndindex(n, h, w):
        at = matrices[..., image] @ (np.array([row, column]) - centre) + centre
        for i, j in np.ndindex(h, w):
            near = max(0.0, 1 - abs(at[0] - i)) * max(0.0, 1 - abs(at[1] - j))
            y[image, :, row, column] += near * x[image, :, i, j]
    return y


def test_known_places() -> None:
    x = np.arange(1.0, 7).reshape(1, 1, 2, 3)
    turned = affine(np.array([[-1.0, 0], [0, -1]])[..., None], x)
    np.testing.assert_array_equal(turned, x[..., ::-1, ::-1])
    half = affine(np.array([[1.0, 0], [0, 0.5]])[..., None], x)
    np.testing.assert_array_equal(half, [[[[1.5, 2, 2.5], [4.5, 5, 5.5]]]])
    # Further out than one pixel from the edge there is nothing.
    away = affine(np.array([[1.0, 0], [0, 2.5]])[..., None], x)
    np.testing.assert_array_equal(away, [[[[0, 2, 0], [0, 5, 0]]]])
