"""Schedules at their corners."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn


@given(st.floats(0, 10), st.integers(0, 10**9))
def test_constant(rate: float, step: int) -> None:
    assert fn.constant(rate)(step) == rate


@given(st.integers(1, 1000), st.floats(0, 1))
def test_cosine_decay_starts_at_the_rate_and_ends_at_final(steps: int, final: float) -> None:
    schedule = fn.cosine_decay(1.0, steps, final)
    assert schedule(0) == pytest.approx(1.0)
    assert schedule(steps) == final
    assert schedule(steps + 7) == final
    values = [schedule(k) for k in range(steps + 1)]
    assert all(a >= b - 1e-12 for a, b in pairwise(values))


def test_cosine_decay_follows_the_cosine() -> None:
    schedule = fn.cosine_decay(0.1, 100)
    for k in (10, 25, 50, 99):
        assert schedule(k) == pytest.approx(0.05 * (1 + math.cos(math.pi * k / 100)))


def test_refuses() -> None:
    with pytest.raises(fn.ConfigError, match="steps is an integer of at least 1, not 0"):
        fn.cosine_decay(0.1, 0)
    with pytest.raises(fn.ConfigError, match=r"rate is a number in \[0, inf\), not nan"):
        fn.constant(math.nan)
    with pytest.raises(fn.ConfigError, match="final is a number"):
        fn.cosine_decay(0.1, 10, final=-1)
