"""Embeddings, and the layers around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcnet as fn

TOKENS: Any = np.array([[0, 2, 2], [4, 1, 0]])


def test_looks_rows_up() -> None:
    net = fn.embedding(5, 2)
    params = net.init(fn.Key(0), (3,))
    np.testing.assert_array_equal(net.apply(params, TOKENS), params["W"][TOKENS])


def test_rows_used_twice_get_both_gradients() -> None:
    net = fn.embedding(5, 2)
    params = net.init(fn.Key(0), (3,))
    y, cache = net.forward(params, TOKENS, fn.Eval())
    dx, grads = net.backward(cache, np.ones_like(y))
    assert dx is None
    np.testing.assert_array_equal(grads["W"][:, 0], [2, 1, 2, 0, 1])


def test_trains_in_a_pipeline_and_in_a_sum() -> None:
    average = fn.Layer(
        "average",
        forward=lambda params, x, mode: (x.mean(1), x.shape[1]),
        backward=lambda n, dy: (np.repeat(dy[:, None] / n, n, 1), fn.NO_GRADS),
        spec=lambda shape: ({}, shape[1:]),
        grads=fn.no_grads,
        takes=fn.Seq(...),
        gives=fn.Vec(...),
    )
    summed: Any = fn.add(fn.embedding(5, 4), fn.embedding(5, 4))
    net = summed >> fn.layer_norm() >> average >> fn.dense(..., 2)
    optimizer = fn.adam(0.1)
    step = fn.train_step(net, fn.softmax_cross_entropy(), optimizer)
    state = fn.TrainState.start(net.init(fn.Key(0), (3,)), optimizer, fn.Key(1))
    for _ in range(30):
        state = step(state, fn.Batch(TOKENS, np.array([0, 1])))
    assert state.loss < 0.1
    y, cache = net.forward(state.params, TOKENS, fn.Eval())
    assert net.backward(cache, y)[0] is None


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (TOKENS + 1, "tokens are integers in [0, 5), these are from 1 to 5"),
        (TOKENS - 1, "these are from -1 to 3"),
        (TOKENS.astype("float32"), "these are float32"),
    ],
)
def test_refuses_what_is_no_token(tokens: Any, text: str) -> None:
    net = fn.embedding(5, 2)
    with pytest.raises(fn.ConfigError) as caught:
        net.apply(net.init(fn.Key(0), (3,)), tokens)
    assert text in str(caught.value)
