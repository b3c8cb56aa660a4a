"""Outputs, loss, accuracy and confusion over data of any length."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn

ANY: Any = fn  # to be called as the checker would not let us


def setup(n: int = 7) -> tuple[Any, fn.Params, Any, Any]:
    net = fn.dense(3, 4) >> fn.batch_norm() >> fn.dropout(0.5)
    draw = fn.Key(0).generator()
    x = draw.standard_normal((n, 3), dtype=np.float32)
    return net, net.init(fn.Key(1), (3,)), x, draw.integers(0, 4, n)


@given(st.integers(1, 9), st.integers(1, 12))
def test_chunks_change_nothing(n: int, size: int) -> None:
    net, params, x, t = setup(n)
    y = net.apply(params, x)
    np.testing.assert_allclose(fn.predict(net, params, x, size), y, rtol=1e-5, atol=1e-6)
    loss = fn.softmax_cross_entropy()
    whole = loss.forward(y, t)[0]
    assert fn.evaluate(net, loss, params, x, t, size) == pytest.approx(whole, rel=1e-5)
    assert fn.accuracy(net, params, x, t, size) == (y.argmax(1) == t).mean()


def test_predict_on_no_examples_and_on_tuples() -> None:
    net, params, x, _ = setup()
    assert fn.predict(net, params, x[:0]).shape == (0, 4)
    both = fn.fan_out(fn.dense(3, 2), fn.dense(3, 1))
    y, z = fn.predict(both, both.init(fn.Key(0), (3,)), x, size=2)
    assert (y.shape, z.shape) == ((7, 2), (7, 1))


@pytest.mark.parametrize("workers", [2, 3, 99])
def test_several_workers_predict_what_one_does(workers: int) -> None:
    net, params, x, _ = setup(7)
    both = fn.fan_out(fn.dense(3, 2), fn.dense(3, 1))
    pair = both.init(fn.Key(0), (3,))
    for size in (1, 2, 256):
        np.testing.assert_allclose(
            fn.predict(net, params, x, size, workers), net.apply(params, x), rtol=1e-6
        )
        found = fn.predict(both, pair, x, size, workers)
        for a, b in zip(found, both.apply(pair, x), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
    assert fn.predict(net, params, x[:0], workers=workers).shape == (0, 4)


def test_workers_predict_at_the_same_time() -> None:
    meet = threading.Barrier(3)

    def forward(params: Any, x: Any, mode: Any) -> Any:
        meet.wait(timeout=10)  # until all three are here
        return x, None

    net = fn.Same("meet", forward=forward, backward=lambda cache, dy: (dy, fn.NO_GRADS))
    x = np.zeros((6, 2))
    np.testing.assert_array_equal(fn.predict(net, fn.NO_PARAMS, x, workers=3), x)


def test_several_workers_need_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    net, params, x, _ = setup()
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with pytest.raises(fn.MissingExtraError, match=r"predict needs .*'funcnet\[parallel\]'"):
        fn.predict(net, params, x, workers=2)
    assert fn.predict(net, params, x).shape == (7, 4)
    with pytest.raises(fn.ConfigError, match="predict's workers is an integer of at least 1"):
        fn.predict(net, params, x, workers=0)


@given(st.integers(0, 9), st.integers(1, 12), st.integers(1, 4))
def test_an_ensemble_gives_the_mean_of_its_members(n: int, size: int, count: int) -> None:
    net, _, x, _ = setup(n)
    members = [(net >> fn.softmax(), net.init(fn.Key(k), (3,))) for k in range(count)]
    by_hand = sum(each.apply(params, x) for each, params in members) / count
    together = fn.ensemble_predict(members, x, size)
    np.testing.assert_allclose(together, by_hand, rtol=1e-5)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together.sum(1), 1, rtol=1e-5)


def test_members_of_an_ensemble_may_differ_and_give_tuples() -> None:
    x = setup()[2]
    wide, one = fn.dense(3, 9) >> fn.relu() >> fn.dense(9, 4), fn.dense(3, 4)
    pairs = [(net, net.init(fn.Key(0), (3,))) for net in (wide, one)]
    by_hand = (fn.predict(*pairs[0], x) + fn.predict(*pairs[1], x)) / 2
    np.testing.assert_allclose(fn.ensemble_predict(pairs, x), by_hand, rtol=1e-6)
    heads = fn.fan_out(fn.identity(), fn.relu())
    doubled = fn.fan_out(fn.relu(), fn.identity())
    y, z = fn.ensemble_predict([(heads, fn.NO_PARAMS), (doubled, fn.NO_PARAMS)], x, size=2)
    np.testing.assert_array_equal(y, (x + np.maximum(x, 0)) / 2)
    np.testing.assert_array_equal(z, y)


def test_confusion_matrix_counts_labels_in_rows() -> None:
    net, params, x, t = setup(50)
    matrix = fn.confusion_matrix(net, params, x, t)
    read = net.apply(params, x).argmax(1)
    assert matrix.shape == (4, 4)
    for i in range(4):
        for j in range(4):
            assert matrix[i, j] == ((t == i) & (read == j)).sum()


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "function": (lambda n, p, x, t: ANY.predict(fn.relu, p, x), fn.ArgumentError, "relu()"),
    "one-hot": (
        lambda n, p, x, t: ANY.accuracy(n, p, x, np.eye(4)[t]),
        fn.DtypeError,
        "accuracy takes labels, an array of integers, not float64 (7, 4); "
        "of one-hot rows write t.argmax(1)",
    ),
    "floats": (
        lambda n, p, x, t: ANY.accuracy(n, p, x, t > 1),
        fn.DtypeError,
        "not bool (7,); write t.astype(int)",
    ),
    "column": (
        lambda n, p, x, t: ANY.confusion_matrix(n, p, x, t[:, None] / 1),
        fn.DtypeError,
        "not float64 (7, 1); write t[:, 0].astype(int)",
    ),
    "one output": (
        lambda n, p, x, t: ANY.accuracy(fn.identity(), fn.NO_PARAMS, x[:, :1], t[:, None] / 4),
        fn.ShapeError,
        "accuracy expects an output for each class, but the network gives 1; of yes or no, in "
        "logits, write ((predict(net, params, x) > 0) == (t > 0.5)).mean()",
    ),
    "one output and flat targets": (
        lambda n, p, x, t: fn.accuracy(fn.identity(), fn.NO_PARAMS, x[:, :1], t),
        fn.ShapeError,
        "((predict(net, params, x)[:, 0] > 0) == (t > 0.5)).mean()",
    ),
    "images": (
        lambda n, p, x, t: ANY.accuracy(fn.relu(), fn.NO_PARAMS, x[:, :, None, None], t),
        fn.ShapeError,
        "accuracy expects outputs (examples, classes), but the network gives (7, 3, 1, 1)",
    ),
    "fewer": (
        lambda n, p, x, t: fn.accuracy(n, p, x, t[:3]),
        fn.ShapeError,
        "accuracy expects 7 labels, but t gives shape (3,)",
    ),
    "none": (
        lambda n, p, x, t: fn.accuracy(n, p, x[:0], t[:0]),
        fn.ShapeError,
        "expects at least one example",
    ),
    "evaluate": (
        lambda n, p, x, t: fn.evaluate(n, fn.softmax_cross_entropy(), p, x, t[:3]),
        fn.ShapeError,
        "evaluate expects 7 targets, but t gives 3",
    ),
    "label": (
        lambda n, p, x, t: fn.confusion_matrix(n, p, x, t * 0 - 1),
        fn.ShapeError,
        "confusion_matrix expects labels in [0, 4), but t gives -1 to -1",
    ),
    "accuracy's label": (
        lambda n, p, x, t: fn.accuracy(n, p, x, np.arange(7) - 1),
        fn.ShapeError,
        "accuracy expects labels in [0, 4), but t gives -1 to 5",
    ),
    "tuple": (
        lambda n, p, x, t: fn.predict(fn.plus(), fn.NO_PARAMS, (x, x[:3])),
        fn.ShapeError,
        "predict expects as many examples in each of a tuple",
    ),
    "loss": (
        lambda n, p, x, t: ANY.evaluate(n, fn.squared_error, p, x, t),
        fn.ArgumentError,
        "not squared_error; did you mean squared_error()?",
    ),
    "no members": (
        lambda n, p, x, t: ANY.ensemble_predict([], x),
        fn.ArgumentError,
        "ensemble_predict takes a list of pairs (net, params), at least one, not []",
    ),
    "one member alone": (
        lambda n, p, x, t: ANY.ensemble_predict((fn.relu(), fn.NO_PARAMS), x),
        fn.ArgumentError,
        "ensemble_predict takes a list of pairs (net, params); relu() is no pair",
    ),
    "members without parameters": (
        lambda n, p, x, t: ANY.ensemble_predict([p], x),
        fn.ArgumentError,
        "ensemble_predict takes a list of pairs (net, params); Params(",
    ),
    "a network for members": (
        lambda n, p, x, t: ANY.ensemble_predict(fn.relu(), x),
        fn.ArgumentError,
        "ensemble_predict takes a list of pairs (net, params), not relu()",
    ),
    "a member's function": (
        lambda n, p, x, t: ANY.ensemble_predict([(fn.relu, p)], x),
        fn.ArgumentError,
        "relu is a function, not a layer; did you mean relu()?",
    ),
    "members that differ": (
        lambda n, p, x, t: fn.ensemble_predict([(fn.identity(), fn.NO_PARAMS), (n, p)], x),
        fn.ShapeError,
        "ensemble_predict expects outputs of shape (7, 3), as its first member's, but member 1 "
        "gives (7, 4)",
    ),
    "size": (lambda n, p, x, t: fn.predict(n, p, x, 0), fn.ConfigError, "size is an integer"),
    "list": (
        lambda n, p, x, t: ANY.predict(n, p, [1.0]),
        fn.ArgumentError,
        "predict takes arrays of examples, not [1.0]",
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_says_what_is_wrong(error: str) -> None:
    call, kind, text = ERRORS[error]
    with pytest.raises(kind) as caught:
        call(*setup())
    assert text in str(caught.value)
