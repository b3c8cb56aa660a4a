"""Losses: values, gradients, and exactness at the edges of float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import funcnet as fn

ANY: Any = fn  # to be called as the checker would not let us


def labels(n: int) -> Any:
    return np.arange(n) % 3


def targets(n: int) -> Any:
    return fn.Key(3).generator().random((n, 3))


def rows_of_probabilities(n: int) -> Any:
    t = targets(n)
    return t / t.sum(1, keepdims=True)


LOSSES: dict[str, tuple[Any, Any]] = {
    "softmax_cross_entropy": (fn.softmax_cross_entropy(), labels),
    "smoothed": (fn.softmax_cross_entropy(label_smoothing=0.3), labels),
    "soft_cross_entropy": (fn.soft_cross_entropy(), rows_of_probabilities),
    "unnormalised": (fn.soft_cross_entropy(), targets),
    "mean_squared_error": (fn.mean_squared_error(), targets),
    "squared_error": (fn.squared_error(), targets),
    "sigmoid_cross_entropy": (fn.sigmoid_cross_entropy(), targets),
    "huber": (fn.huber(), targets),
    "wide huber": (fn.huber(2.5), targets),
}
losses = pytest.mark.parametrize("name", LOSSES)


@losses
@given(n=st.integers(1, 5), seed=st.integers(0, 99))
def test_gradients_agree_with_differences(name: str, n: int, seed: int) -> None:
    loss, make = LOSSES[name]
    y, t = 3 * fn.Key(seed).generator().standard_normal((n, 3)), make(n)
    numerical = fn.numerical_gradient(lambda y: loss.forward(y, t)[0], y)
    np.testing.assert_allclose(loss.backward(loss.forward(y, t)[1]), numerical, atol=1e-8)


@losses
def test_float32_stays_float32_and_nothing_is_written_to(name: str) -> None:
    loss, make = LOSSES[name]
    y, t = fn.Key(0).generator().standard_normal((4, 3), np.float32), make(4)
    kept_y, kept_t = y.copy(), t.copy()
    value, cache = loss.forward(y, t)
    dy, again = loss.backward(cache), loss.backward(cache)
    assert type(value) is float
    assert dy.dtype == np.float32
    assert dy.shape == y.shape
    assert dy.tobytes() == again.tobytes()
    np.testing.assert_array_equal(y, kept_y)
    np.testing.assert_array_equal(t, kept_t)


@losses
def test_is_a_mean_over_the_batch(name: str) -> None:
    loss, make = LOSSES[name]
    y, t = fn.Key(0).generator().standard_normal((4, 3)), make(4)
    twice = loss.forward(np.concatenate([y, y]), np.concatenate([t, t]))[0]
    assert twice == pytest.approx(loss.forward(y, t)[0], rel=1e-12)


def test_known_values() -> None:
    y = np.array([[0.1, 0.05, 0.6, 0.0, 0.05, 0.1, 0.0, 0.1, 0.0, 0.0]])
    t = np.zeros((1, 10))
    t[0, 2] = 1
    assert fn.squared_error().forward(y, t)[0] == pytest.approx(0.0975, abs=1e-12)
    assert fn.mean_squared_error().forward(y, t)[0] == pytest.approx(0.0195, abs=1e-12)
    # A softmax of logarithms gives the probabilities back.
    p = np.array([[0.1, 0.3, 0.6]])
    value, cache = fn.softmax_cross_entropy().forward(np.log(p), np.array([2]))
    assert value == pytest.approx(-np.log(0.6), abs=1e-12)
    np.testing.assert_allclose(fn.softmax_cross_entropy().backward(cache), p - [[0, 0, 1]])


def test_sigmoid_cross_entropy_is_softmax_over_two() -> None:
    y, t = 3 * fn.Key(0).generator().standard_normal((6, 1)), (np.arange(6) % 2)[:, None]
    pairs = np.concatenate([np.zeros_like(y), y], 1)
    value, cache = fn.sigmoid_cross_entropy().forward(y, t.astype(float))
    expected, pair_cache = fn.softmax_cross_entropy().forward(pairs, t[:, 0])
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(
        fn.sigmoid_cross_entropy().backward(cache)[:, 0],
        fn.softmax_cross_entropy().backward(pair_cache)[:, 1],
        atol=1e-15,
    )
    far = np.array([[3e38], [-3e38]], "float32")
    value, cache = fn.sigmoid_cross_entropy().forward(far, np.array([[1.0], [0.0]], "f4"))
    assert value == 0.0
    assert not fn.sigmoid_cross_entropy().backward(cache).any()


def test_huber_is_squared_near_and_straight_far() -> None:
    y = np.array([[0.3, -0.3, 5.0, -5.0]])
    value, cache = fn.huber(2.0).forward(y, np.zeros_like(y))
    assert value == pytest.approx((2 * 0.5 * 0.09 + 2 * 2 * (5 - 1)) / 4)
    np.testing.assert_allclose(fn.huber(2.0).backward(cache), np.array([[0.3, -0.3, 2, -2]]) / 4)


def test_smoothing_is_cross_entropy_with_smoothed_rows() -> None:
    y, t = fn.Key(0).generator().standard_normal((4, 3)), labels(4)
    rows = np.full((4, 3), 0.3 / 3)
    rows[np.arange(4), t] += 0.7
    smooth, soft = fn.softmax_cross_entropy(0.3), fn.soft_cross_entropy()
    value, cache = smooth.forward(y, t)
    soft_value, soft_cache = soft.forward(y, rows)
    assert value == pytest.approx(soft_value, rel=1e-12)
    np.testing.assert_allclose(smooth.backward(cache), soft.backward(soft_cache), atol=1e-12)


finite = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 3), st.integers(1, 4)),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


@given(finite)
@example(np.array([[-3e38, 3e38], [3e38, -3e38]], "float32"))
def test_cross_entropy_is_exact_for_any_finite_logits(y: Any) -> None:
    t = np.zeros(len(y), int)
    for loss in (fn.softmax_cross_entropy(), fn.softmax_cross_entropy(0.1)):
        value, cache = loss.forward(y, t)
        wide = y.astype(np.float64) - y.max(1, keepdims=True)
        expected, _ = loss.forward(wide, t)
        assert np.isfinite(value)
        assert value == pytest.approx(expected, rel=1e-5, abs=1e-6)
        assert np.isfinite(loss.backward(cache)).all()


@pytest.mark.parametrize("kind", ["uint8", "uint64", "int32", "int64"])
def test_labels_are_integers_of_any_kind_and_outputs_lie_as_they_like(kind: str) -> None:
    y, t = fn.Key(0).generator().standard_normal((4, 3), np.float32), labels(4)
    for loss in (fn.softmax_cross_entropy(), fn.softmax_cross_entropy(0.3)):
        value, cache = loss.forward(y, t)
        other, other_cache = loss.forward(np.asfortranarray(y), t.astype(kind))
        assert other == value
        np.testing.assert_array_equal(loss.backward(other_cache), loss.backward(cache))


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "one-hot": (
        lambda: ANY.softmax_cross_entropy().forward(np.zeros((2, 3)), np.zeros((2, 3))),
        fn.DtypeError,
        "of one-hot rows take t.argmax(1), and for rows of probabilities use soft_cross_entropy()",
    ),
    "labels that are floats": (
        lambda: ANY.softmax_cross_entropy().forward(np.zeros((2, 3)), np.zeros((2, 1))),
        fn.DtypeError,
        "not float64 (2, 1); write t.ravel().astype(int)",
    ),
    "labels of one output": (
        lambda: fn.softmax_cross_entropy().forward(np.zeros((2, 1)), np.array([0, 1])),
        fn.ShapeError,
        "expects an output for each class, but the network gives 1; of yes or no, use sigmoid",
    ),
    "integers for a column of floats": (
        lambda: ANY.mean_squared_error().forward(np.zeros((2, 1)), np.array([0, 1])),
        fn.DtypeError,
        "write t[:, None].astype('float32')",
    ),
    "called": (
        lambda: ANY.squared_error()(np.zeros((2, 1)), np.zeros((2, 1))),
        fn.ArgumentError,
        "a loss is not called: write loss.forward(y, t)[0]",
    ),
    "integer one-hot": (
        lambda: ANY.softmax_cross_entropy().forward(np.zeros((2, 3)), np.zeros((2, 3), int)),
        fn.ShapeError,
        "the loss expects 2 labels, of shape (2,), but t gives (2, 3)",
    ),
    "too large": (
        lambda: fn.softmax_cross_entropy().forward(np.zeros((2, 3)), np.array([1, 3])),
        fn.ConfigError,
        "labels lie in [0, 3), as there are 3 outputs; these reach from 1 to 3",
    ),
    "negative": (
        lambda: fn.softmax_cross_entropy().forward(np.zeros((2, 3)), np.array([-1, 2])),
        fn.ConfigError,
        "these reach from -1 to 2",
    ),
    "list": (
        lambda: ANY.softmax_cross_entropy().forward(np.zeros((2, 3)), [0, 1]),
        fn.ArgumentError,
        "labels are an array of integers, not [0, 1]; write np.array(t)",
    ),
    "column": (
        lambda: fn.mean_squared_error().forward(np.zeros((2, 1)), np.zeros(2)),
        fn.ShapeError,
        "targets of the outputs' shape (2, 1), but t gives (2,); write t[:, None]",
    ),
    "integers": (
        lambda: ANY.squared_error().forward(np.zeros((2, 1)), np.zeros((2, 1), int)),
        fn.DtypeError,
        "targets are floats, not int64; write t.astype('float32')",
    ),
    "nothing": (
        lambda: fn.squared_error().forward(np.zeros((0, 1)), np.zeros((0, 1))),
        fn.ShapeError,
        "the loss expects at least one example",
    ),
    "rank": (
        lambda: ANY.softmax_cross_entropy().forward(np.zeros((2, 3, 4, 4)), np.zeros(2, int)),
        fn.ShapeError,
        "the loss expects outputs (batch, classes), but the input gives (2, 3, 4, 4)",
    ),
    "probability": (
        lambda: fn.sigmoid_cross_entropy().forward(np.zeros((1, 1)), np.full((1, 1), 2.0)),
        fn.ConfigError,
        "targets lie in [0, 1]; these reach from 2.0 to 2.0",
    ),
    "delta": (lambda: fn.huber(0), fn.ConfigError, "huber's delta is a number in (0, inf), not 0"),
    "smoothing": (lambda: fn.softmax_cross_entropy(1.0), fn.ConfigError, "label_smoothing"),
    "outputs": (
        lambda: ANY.squared_error().forward([1.0], np.zeros((1, 1))),
        fn.ArgumentError,
        "the loss takes a network's outputs first",
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_says_what_is_wrong(error: str) -> None:
    call, kind, text = ERRORS[error]
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)
