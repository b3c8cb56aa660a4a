"""Batch norm's statistics, and dropout's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn
from funcnet.layers.noise import dropout_mask


def draw(*shape: int) -> Any:
    return 3 + 2 * fn.Key(1).generator().standard_normal(shape)


def init(layer: fn.AnyLayer, shape: tuple[int, ...]) -> fn.Params:
    return layer.init(fn.Key(0), shape, np.float64)


@pytest.mark.parametrize(("shape", "axes"), [((50, 4), (0,)), ((6, 4, 5, 7), (0, 2, 3))])
def test_training_normalises_by_the_batch(shape: Any, axes: Any) -> None:
    layer, x = fn.batch_norm(epsilon=1e-12), draw(*shape)
    y, _ = layer.forward(init(layer, shape[1:]), x, fn.Train(fn.Key(0)))
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-10)
    np.testing.assert_allclose(y.var(axes), 1, rtol=1e-8)


@given(st.floats(0, 1))
def test_running_statistics_keep_their_share(decay: float) -> None:
    layer, x = fn.batch_norm(decay), draw(50, 3)
    params = init(layer, (3,))
    assert (params["mean"].tolist(), params["var"].tolist()) == ([0, 0, 0], [1, 1, 1])
    for _ in range(2):
        _, cache = layer.forward(params, x, fn.Train(fn.Key(0)))
        params = layer.refresh(params, cache)
    np.testing.assert_allclose(params["mean"], (1 - decay**2) * x.mean(0), atol=1e-10)
    # The biased variance, unlike PyTorch's running one.
    expected = decay**2 + (1 - decay**2) * x.var(0)
    np.testing.assert_allclose(params["var"], expected, rtol=1e-10)


def test_inference_uses_the_running_statistics() -> None:
    layer, x = fn.batch_norm(epsilon=0.1), draw(5, 2)
    params = fn.Params(
        {
            "gamma": np.array([2.0, 3.0]),
            "beta": np.array([1.0, -1.0]),
            "mean": np.array([0.5, 0.0]),
            "var": np.array([4.0, 1.0]),
        }
    )
    y, cache = layer.forward(params, x, fn.Eval())
    expected = (x - params["mean"]) / np.sqrt(params["var"] + 0.1) * [2, 3] + [1, -1]
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    assert layer.refresh(params, cache) is params
    one, _ = layer.forward(params, x[:1], fn.Eval())
    np.testing.assert_allclose(one, expected[:1], rtol=1e-12)


def test_defaults() -> None:
    layer, x = fn.batch_norm(), draw(50, 3)
    params = init(layer, (3,))
    y, cache = layer.forward(params, x, fn.Train(fn.Key(0)))
    np.testing.assert_allclose(layer.refresh(params, cache)["mean"], 0.1 * x.mean(0))
    np.testing.assert_allclose(y, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5))


def test_float32_keeps_its_digits_far_from_zero() -> None:
    x = fn.Key(0).generator().standard_normal((8, 2, 64, 64)) + 1000
    layer = fn.batch_norm()
    y, _ = layer.forward(layer.init(fn.Key(0), (2, 64, 64)), x.astype("f4"), fn.Train(fn.Key(0)))
    wide = x.astype("f4").astype(float)
    mean, var = wide.mean((0, 2, 3), keepdims=True), wide.var((0, 2, 3), keepdims=True)
    np.testing.assert_allclose(y, (wide - mean) / np.sqrt(var + 1e-5), atol=2e-4)


def test_a_step_leaves_float16_statistics_float16() -> None:
    layer, x = fn.batch_norm(), draw(5, 3).astype("f4")
    params = layer.init(fn.Key(0), (3,), np.float16)
    _, cache = layer.forward(params, x, fn.Train(fn.Key(0)))
    assert {str(v.dtype) for _, v in fn.leaves(layer.refresh(params, cache))} == {"float16"}


def test_statistics_of_images_are_per_channel() -> None:
    layer = fn.batch_norm()
    assert {leaf.shape for _, leaf in fn.leaves(init(layer, (4, 5, 7)))} == {(4,)}


def test_images_are_normalised_as_rows_of_their_pixels_are() -> None:
    layer = fn.batch_norm()
    images = draw(6, 4, 5, 7).astype("f4")
    rows = np.ascontiguousarray(images.transpose(0, 2, 3, 1)).reshape(-1, 4)
    params = layer.init(fn.Key(0), (4,)) | {"gamma": draw(4).astype("f4")}
    for mode in (fn.Train(fn.Key(0)), fn.Eval()):
        y, cache = layer.forward(params, images, mode)
        expected, rows_cache = layer.forward(params, rows, mode)
        np.testing.assert_array_equal(y.transpose(0, 2, 3, 1).reshape(-1, 4), expected)
        assert layer.refresh(params, cache) == layer.refresh(params, rows_cache)
        dx, grads = layer.backward(cache, np.cos(y))
        expected, expected_grads = layer.backward(rows_cache, np.cos(expected))
        np.testing.assert_array_equal(dx.transpose(0, 2, 3, 1).reshape(-1, 4), expected)
        assert grads == expected_grads


@given(st.floats(0.05, 0.9))
def test_dropout_drops_its_share_and_keeps_the_mean(rate: float) -> None:
    x = np.ones((100, 400), "float32")
    y, _ = fn.dropout(rate).forward(fn.NO_PARAMS, x, fn.Train(fn.Key(0)))
    assert (y == 0).mean() == pytest.approx(rate, abs=0.02)
    assert y.mean() == pytest.approx(1, abs=0.05)
    assert len(np.unique(y)) == 2
    assert y.max() == pytest.approx(1 / (1 - rate), rel=1e-3)


def test_dropout_of_nearly_everything() -> None:
    y, _ = fn.dropout(0.999999).forward(
        fn.NO_PARAMS, np.ones((10, 10), "float32"), fn.Train(fn.Key(0))
    )
    assert np.isfinite(y).all()


def test_dropout_of_nothing_and_in_inference() -> None:
    x = draw(3, 4)
    y, _ = fn.dropout(0.0).forward(fn.NO_PARAMS, x, fn.Train(fn.Key(0)))
    np.testing.assert_array_equal(y, x)
    assert fn.dropout(0.5).apply(fn.NO_PARAMS, x) is x


def test_dropout_draws_from_the_key_and_not_from_the_memory_layout() -> None:
    x = np.ones((2, 3, 4, 5), "float32")
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    mode = fn.Train(fn.Key(0))
    y, _ = fn.dropout(0.5).forward(fn.NO_PARAMS, x, mode)
    np.testing.assert_array_equal(fn.dropout(0.5).forward(fn.NO_PARAMS, last, mode)[0], y)
    other, _ = fn.dropout(0.5).forward(fn.NO_PARAMS, x, fn.Train(fn.Key(1)))
    assert not np.array_equal(other, y)


def test_a_mask_of_dropout_lies_in_memory_as_its_input() -> None:
    x = np.ones((2, 4, 5, 3), "float32").transpose(0, 3, 1, 2)
    assert dropout_mask(0.5, fn.Key(0), x).strides == x.strides


def test_float16_parameters_are_computed_with_in_float32() -> None:
    net = fn.batch_norm(epsilon=1e-8)
    half = net.init(fn.Key(0), (1,), np.float16) | {"var": np.zeros(1, np.float16)}
    x = np.zeros((2, 1), np.float32)
    np.testing.assert_array_equal(net.apply(half, x), x)
    np.testing.assert_array_equal(net.forward(half, x, fn.Eval())[0], x)
