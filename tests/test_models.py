"""Networks by name."""

from __future__ import annotations

from typing import Any

import pytest

import funcnet as fn
from funcnet.models import multi_layer, two_layer

ANY: Any = fn.models  # to be called as the checker would not let us


def test_multi_layer_is_what_one_would_write() -> None:
    between = fn.batch_norm() >> fn.relu() >> fn.dropout(0.5)
    net = multi_layer(784, [100, 50], 10, between, weights=fn.normal(0.01))
    written = (
        fn.dense(784, 100) >> fn.batch_norm() >> fn.relu() >> fn.dropout(0.5)
        >> fn.dense(100, 50) >> fn.batch_norm() >> fn.relu() >> fn.dropout(0.5)
        >> fn.dense(50, 10)
    )  # fmt: skip
    assert repr(net) == repr(written)
    assert [name for name, _ in net.parts] == [name for name, _ in written.parts]
    assert float(net.init(fn.Key(0), (784,))["dense1"]["W"].std()) == pytest.approx(0.01, rel=0.02)


def test_no_hidden_layer_is_one_dense_layer() -> None:
    assert repr(multi_layer(4, (), 2)) == "dense(4, 2)"


def test_whatever_comes_in() -> None:
    net = two_layer(..., 50, 10, fn.sigmoid())
    assert repr(net) == "dense(..., 50) >> sigmoid() >> dense(50, 10)"
    assert fn.count(net.init(fn.Key(0), (64,))) == 64 * 50 + 50 + 510


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ANY.multi_layer(784, 100, 10), "a list of sizes, not 100"),
        (lambda: ANY.multi_layer(784, "100", 10), "a list of sizes, not '100'"),
        (lambda: ANY.multi_layer(784, [0], 10), "integer of at least 1, not 0"),
        (lambda: ANY.multi_layer(784, [5], 10, fn.relu), r"did you mean relu\(\)"),
        (lambda: ANY.two_layer(784, [5], 10), r"two_layer's hidden is an integer, not \[5\]"),
        (lambda: ANY.multi_layer(784, [5], 10, fn.dense(6, 6)), "expects 6 features, but dense1"),
    ],
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(fn.FuncnetError, match=text):
        call()
