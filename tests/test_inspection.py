"""Counting, summaries, traces and numerical gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcnet as fn

ANY: Any = fn  # to be called as the checker would not let us


def deep() -> fn.Layer[Any, Any]:
    return (
        fn.conv2d(1, 16, 3, pad=1)
        >> fn.batch_norm()
        >> fn.relu()
        >> fn.max_pool2d(2)
        >> fn.residual(fn.conv2d(16, 16, 3, pad=1) >> fn.relu()).named("block")
        >> fn.flatten()
        >> fn.dense(..., 10)
    )


def test_counts() -> None:
    net = deep()
    spec, out = net.spec((1, 28, 28))
    params = net.init(fn.Key(0), (1, 28, 28))
    expected = (16 * 9 + 16) + 4 * 16 + (16 * 16 * 9 + 16) + (16 * 14 * 14 * 10 + 10)
    assert out == (10,)
    assert fn.count(params) == expected
    assert fn.count(spec) == expected - 2 * 16
    with pytest.raises(fn.ArgumentError, match="count takes parameters or a spec"):
        ANY.count(3)


def test_a_spec_of_a_huge_network_allocates_nothing() -> None:
    net = fn.dense(10**6, 10**6) >> fn.relu() >> fn.dense(..., 10**6)
    assert fn.count(net.spec((10**6,))[0]) == 2 * (10**12 + 10**6)


SUMMARY = """\
part             output    parameters
conv2d1          16x28x28         160
batch_norm1      16x28x28          64
relu1            16x28x28           0
max_pool2d1      16x14x14           0
block/0/conv2d1  16x14x14       2,320
block/0/relu1    16x14x14           0
block/1          16x14x14           0
flatten1         3136               0
dense1           10            31,370
total                          33,914
not trained                        32"""


def test_summary() -> None:
    assert fn.summary(deep(), (1, 28, 28)) == SUMMARY


def test_summary_of_a_lone_and_of_a_frozen_layer() -> None:
    assert fn.summary(fn.dense(3, 2), (3,)).splitlines()[1].split() == ["dense", "2", "8"]
    lines = fn.summary(fn.freeze(fn.dense(3, 2)) >> fn.relu(), (3,)).splitlines()
    assert lines[1].split() == ["dense1", "2", "8*"]
    assert lines[-1].split() == ["not", "trained", "8"]
    with pytest.raises(fn.ShapeError, match="dense1 in dense1 >> relu1 expects 3 features"):
        fn.summary(fn.dense(3, 2) >> fn.relu(), (4,))


def test_trace_gives_every_output_composites_included() -> None:
    net = deep()
    params = net.init(fn.Key(0), (1, 28, 28))
    x = fn.Key(1).generator().standard_normal((2, 1, 28, 28), dtype=np.float32)
    outputs = fn.trace(net, params, x)
    assert list(outputs) == [
        "conv2d1", "batch_norm1", "relu1", "max_pool2d1", "block/0/conv2d1", "block/0/relu1",
        "block/0", "block/1", "block", "flatten1", "dense1",
    ]  # fmt: skip
    for k in range(1, 8):
        head = net[:k]
        np.testing.assert_array_equal(
            head.apply(params.only(head), x), outputs[net.parts[k - 1][0]]
        )
    assert list(fn.trace(fn.relu(), fn.NO_PARAMS, x)) == ["relu"]


def test_numerical_gradient_of_arrays() -> None:
    def curve(x: Any) -> float:
        return float((0.01 * x**2 + 0.1 * x).sum())

    for at, slope in [(5.0, 0.2), (15.0, 0.4), (-10.0, -0.1)]:
        found = fn.numerical_gradient(curve, np.array(at), h=1e-4)
        assert found == pytest.approx(slope, abs=1e-9)


def test_numerical_gradient_of_trees() -> None:
    params = fn.Params({"a": {"W": np.array([[1.0, 2.0]])}, "b": np.array([3.0])})

    def f(p: fn.Params) -> float:
        return float((p["a"]["W"] ** 3).sum() + p["b"][0] * p["a"]["W"][0, 0])

    found = fn.numerical_gradient(f, params)
    np.testing.assert_allclose(found["a"]["W"], [[3 + 3, 12]], atol=1e-8)
    np.testing.assert_allclose(found["b"], [1.0], atol=1e-8)
    with pytest.raises(fn.ArgumentError, match="numerical_gradient takes an array of floats"):
        ANY.numerical_gradient(f, [1.0])
    with pytest.raises(fn.ArgumentError, match=r"f gives one number, not an array of shape \(1,\)"):
        ANY.numerical_gradient(lambda x: x, np.ones(1))
    with pytest.raises(fn.ArgumentError, match="f gives one number, not None"):
        ANY.numerical_gradient(lambda x: None, np.ones(1))
