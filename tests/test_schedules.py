"""Schedules at their corners."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn

ANY: Any = fn  # to be called as the checker would not let us


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


def test_refuses_what_makes_a_schedule_and_was_not_called() -> None:
    with pytest.raises(fn.ArgumentError, match=r"'steps'; .* did you mean cosine_decay\(\.\.\.\)"):
        ANY.adam(fn.cosine_decay)
    with pytest.raises(fn.ArgumentError, match=r"at step 0 .*; .* did you mean constant\(\.\.\.\)"):
        ANY.sgd(fn.constant)
    with pytest.raises(fn.ConfigError, match="the schedule's rate at step 0 is a number"):
        fn.warmup(10, lambda step: -1.0)


@given(st.integers(0, 1000), st.integers(1, 100), st.floats(0.1, 1))
def test_exponential_and_step_decay(step: int, every: int, factor: float) -> None:
    smooth, stairs = fn.exponential_decay(2.0, every, factor), fn.step_decay(2.0, every, factor)
    assert smooth(step) == pytest.approx(2.0 * factor ** (step / every))
    assert stairs(step) == pytest.approx(2.0 * factor ** (step // every))
    assert smooth(0) == stairs(0) == 2.0
    assert stairs(every - 1) == 2.0
    assert stairs(every) == smooth(every) == pytest.approx(2.0 * factor)


@given(st.integers(1, 50))
def test_warmup_rises_to_the_start_of_the_schedule_which_then_begins(steps: int) -> None:
    schedule = fn.warmup(steps, fn.cosine_decay(0.4, 100))
    assert [schedule(k) for k in range(steps)] == pytest.approx(
        [0.4 * (k + 1) / steps for k in range(steps)]
    )
    assert schedule(steps - 1) == pytest.approx(0.4)
    assert schedule(steps) == pytest.approx(0.4)
    assert schedule(steps + 100) == 0.0
    assert fn.warmup(steps, 0.4)(steps + 5) == 0.4


def test_refuses_factors_and_counts() -> None:
    with pytest.raises(fn.ConfigError, match=r"factor is a number in \(0, inf\), not 0"):
        fn.step_decay(0.1, 10, 0)
    with pytest.raises(fn.ConfigError, match="every is an integer of at least 1"):
        fn.step_decay(0.1, 0, 0.5)
    with pytest.raises(fn.ConfigError, match="steps is an integer of at least 1"):
        fn.warmup(0, 0.1)
