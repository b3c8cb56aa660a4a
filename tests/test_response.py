"""Local response normalisation against its formula, channel by channel."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn


@given(
    size=st.integers(1, 8),
    channels=st.integers(1, 7),
    alpha=st.floats(0, 3),
    beta=st.floats(0, 2),
    k=st.floats(0.1, 3),
)
def test_each_number_is_divided_by_those_beside_it(
    size: int, channels: int, alpha: float, beta: float, k: float
) -> None:
    x: Any = fn.Key(0).generator().standard_normal((2, channels, 3, 2))
    expected = np.empty_like(x)
    for c in range(channels):
        beside = x[:, max(0, c - size // 2) : c + (size - 1) // 2 + 1]
        expected[:, c] = x[:, c] / (k + alpha / size * (beside**2).sum(1)) ** beta
    y = fn.local_response_norm(size, alpha, beta, k).apply(fn.NO_PARAMS, x)
    np.testing.assert_allclose(y, expected, rtol=1e-12)


def test_channels_far_from_an_infinite_one_stay_as_they_were() -> None:
    x = np.ones((1, 9, 1, 1))
    x[0, 0] = 1e200  # whose square is infinite
    layer = fn.local_response_norm(3, 1.0)
    with np.errstate(over="ignore"):
        y, cache = layer.forward(fn.NO_PARAMS, x, fn.Eval())
        dx, _ = layer.backward(cache, np.ones_like(y))
    assert y[0, 1, 0, 0] == 0
    np.testing.assert_allclose(y[0, 2:-1].ravel(), 2**-0.75)
    assert np.isfinite(dx[0, 3:]).all()


def test_alexnets_layer_is_written_with_its_alpha_times_size() -> None:
    x = np.full((1, 5, 1, 1), 10.0)
    y = fn.local_response_norm(5, alpha=5e-4, k=2.0).apply(fn.NO_PARAMS, x)
    assert y[0, 2, 0, 0] == 10 / (2 + 1e-4 * 500) ** 0.75
