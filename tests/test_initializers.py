"""Initializers: their spread, dtype and determinism."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcnet as fn

SPREAD: dict[str, tuple[Any, float]] = {
    "he": (fn.he_normal, (2 / 300) ** 0.5),
    "xavier": (fn.xavier_normal, (2 / 500) ** 0.5),
    "normal": (fn.normal(0.3), 0.3),
    "zeros": (fn.zeros, 0.0),
    "ones": (fn.ones, 0.0),
}


@pytest.mark.parametrize("name", SPREAD)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_spread_and_dtype(name: str, dtype: Any) -> None:
    initializer, std = SPREAD[name]
    w = initializer(fn.Key(0), (300, 200), 300, 200, np.dtype(dtype))
    assert w.dtype == dtype
    assert w.shape == (300, 200)
    assert float(w.std(dtype=float)) == pytest.approx(std, rel=0.02, abs=1e-12)
    assert float(w.mean(dtype=float)) == pytest.approx(1.0 if name == "ones" else 0, abs=0.01)
    again = initializer(fn.Key(0), (300, 200), 300, 200, np.dtype(dtype))
    assert w.tobytes() == again.tobytes()


def test_fans_of_the_affine_layers() -> None:
    spec, _ = fn.dense(30, 20).spec((30,))
    leaf: Any = spec["W"]
    assert (leaf.shape, leaf.fans()) == ((30, 20), (30, 20))
    spec, _ = fn.conv2d(4, 6, (3, 5), groups=2).spec((4, 9, 9))
    assert spec["W"] == fn.Leaf((6, 2, 3, 5), fn.he_normal, 2 * 15, 3 * 15)


def test_fans_of_a_leaf_of_ones_own() -> None:
    assert fn.Leaf((30, 20), fn.he_normal).fans() == (30, 20)
    assert fn.Leaf((30, 20), fn.he_normal, fan_in=7).fans() == (7, 20)
    assert fn.Leaf((30,), fn.he_normal).fans() == (1, 1)


def test_what_an_initializer_kept_is_not_what_parameters_are() -> None:
    mine = np.ones((3, 2), "float32")
    params = fn.dense(3, 2, weights=lambda *_: mine).init(fn.Key(0), (3,))
    mine[0] = 7
    assert params["W"][0, 0] == 1


@pytest.mark.parametrize("wrong", [np.ones((2, 3), "float32"), np.ones((3, 2))])
def test_refuses_what_another_shape_or_dtype_was_asked_for(wrong: Any) -> None:
    with pytest.raises(fn.ParamsError, match="W: its initializer gave"):
        fn.dense(3, 2, weights=lambda *_: wrong).init(fn.Key(0), (3,))


def test_refuses_a_spread_that_is_none() -> None:
    with pytest.raises(fn.ConfigError, match=r"std is a number in \[0, inf\), not -1"):
        fn.normal(-1)
