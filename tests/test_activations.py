"""Activations against their definitions, and at the ends of the floats."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import funcnet as fn


def gelu(x: float) -> float:
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


DEFINITIONS: dict[str, tuple[fn.AnyLayer, Any]] = {
    "relu": (fn.relu(), lambda x: max(x, 0)),
    "leaky_relu": (fn.leaky_relu(), lambda x: x if x > 0 else 0.01 * x),
    "steep leaky_relu": (fn.leaky_relu(2.0), lambda x: x if x > 0 else 2 * x),
    "turning leaky_relu": (fn.leaky_relu(-0.5), lambda x: x if x > 0 else -0.5 * x),
    "elu": (fn.elu(), lambda x: x if x > 0 else math.expm1(x)),
    "gelu": (fn.gelu(), gelu),
    "silu": (fn.silu(), lambda x: x / (1 + math.exp(-x))),
    "softplus": (fn.softplus(), lambda x: math.log1p(math.exp(x))),
    "sigmoid": (fn.sigmoid(), lambda x: 1 / (1 + math.exp(-x))),
    "tanh": (fn.tanh(), math.tanh),
    "step": (fn.step(), lambda x: float(x > 0)),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_definitions(name: str) -> None:
    layer, definition = DEFINITIONS[name]
    x = np.array([[-30.0, -3.0, -1e-3, 0.0, 1e-3, 0.5, 3.0, 30.0]])
    expected = [[definition(float(v)) for v in x[0]]]
    np.testing.assert_allclose(layer.apply(fn.NO_PARAMS, x), expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", DEFINITIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_overflows_where_the_result_is_finite(name: str, dtype: str) -> None:
    layer, _ = DEFINITIONS[name]
    x = np.array([[-1e30, -1e4, 1e4]], dtype)
    if name == "gelu":
        x = x.clip(-1e4)  # its cube overflows, rightly
    y, cache = layer.forward(fn.NO_PARAMS, x, fn.Eval())
    assert np.isfinite(y).all()
    dx, _ = layer.backward(cache, np.ones_like(y))
    assert np.isfinite(dx).all()


def test_softmax_by_rows_and_by_channels() -> None:
    x = np.array([[0.0, 1.0], [2.0, 3.0]])
    y = fn.softmax().apply(fn.NO_PARAMS, x)
    np.testing.assert_allclose(y, [[0.26894142, 0.73105858]] * 2, rtol=1e-7)
    images = fn.Key(0).generator().standard_normal((2, 3, 4, 5))
    shares = fn.softmax().apply(fn.NO_PARAMS, images)
    np.testing.assert_allclose(shares.sum(1), 1)
    np.testing.assert_allclose(np.exp(fn.log_softmax().apply(fn.NO_PARAMS, images)), shares)
    steps = fn.Key(0).generator().standard_normal((2, 3, 4))
    np.testing.assert_allclose(fn.softmax().apply(fn.NO_PARAMS, steps).sum(-1), 1)
    far = np.array([[0.0, 1000.0, -3e38]])
    np.testing.assert_allclose(fn.log_softmax().apply(fn.NO_PARAMS, far), [[-1000, 0, -3e38]])
