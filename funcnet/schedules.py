"""Learning rates that change: functions of the step, which counts from 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from .arguments import given, number, whole
from .errors import ArgumentError

Schedule: TypeAlias = Callable[[int], float]
"""``step -> learning rate``: any function will do."""


def constant(rate: float) -> Schedule:
    """The same rate at every step.

    >>> constant(0.1)(1000)
    0.1
    """
    return partial(_constant, number("the rate", rate, "[0, inf)"))


def cosine_decay(rate: float, steps: int, final: float = 0.0) -> Schedule:
    """From ``rate`` at step 0 to ``final`` at ``steps`` along half a cosine; ``final`` after it.

    final + (rate - final) * (1 + cos(pi * step / steps)) / 2.
    Source: Loshchilov and Hutter 2017, "SGDR", equation 5, without restarts.

    >>> schedule = cosine_decay(0.1, steps=100)
    >>> schedule(0), round(schedule(50), 6), schedule(100), schedule(1000)
    (0.1, 0.05, 0.0, 0.0)
    """
    return partial(
        _cosine,
        number("the rate", rate, "[0, inf)"),
        whole("steps", steps),
        number("final", final, "[0, inf)"),
    )


def exponential_decay(rate: float, steps: int, factor: float) -> Schedule:
    """``rate`` times ``factor`` for every ``steps`` steps, smoothly: rate * factor**(step/steps).

    >>> schedule = exponential_decay(0.1, steps=100, factor=0.5)
    >>> schedule(0), round(schedule(50), 4), schedule(200)
    (0.1, 0.0707, 0.025)
    """
    return partial(_exponential, *_decaying(rate, factor), whole("steps", steps))


def step_decay(rate: float, every: int, factor: float) -> Schedule:
    """``rate`` times ``factor`` for every ``every`` steps, at once: rate * factor**(step//every).

    >>> schedule = step_decay(0.1, every=100, factor=0.5)
    >>> schedule(0), schedule(99), schedule(200)
    (0.1, 0.1, 0.025)
    """
    return partial(_stairs, *_decaying(rate, factor), whole("every", every))


def warmup(steps: int, schedule: float | Schedule) -> Schedule:
    """A straight rise over ``steps`` steps to the start of ``schedule``, which then begins.

    schedule(0) * (step + 1) / steps before ``steps``, then schedule(step - steps).
    Source: Goyal et al. 2017, "Accurate, Large Minibatch SGD".

    >>> rate = warmup(4, cosine_decay(0.1, steps=10))
    >>> rate(0), rate(3), rate(4), rate(14)
    (0.025, 0.1, 0.1, 0.0)
    """
    return partial(_warmup, whole("steps", steps), schedule_of(schedule))


def _decaying(rate: float, factor: float) -> tuple[float, float]:
    return number("the rate", rate, "[0, inf)"), number("the factor", factor, "(0, inf)")


def _exponential(rate: float, factor: float, steps: int, step: int) -> float:
    return float(rate * factor ** (step / steps))


def _stairs(rate: float, factor: float, every: int, step: int) -> float:
    return float(rate * factor ** (step // every))


def _warmup(steps: int, schedule: Schedule, step: int) -> float:
    if step < steps:
        return schedule(0) * (step + 1) / steps
    return schedule(step - steps)


def _constant(rate: float, step: int) -> float:
    return rate


def _cosine(rate: float, steps: int, final: float, step: int) -> float:
    if step >= steps:
        return final
    return final + (rate - final) * (1 + math.cos(math.pi * step / steps)) / 2


def schedule_of(learning_rate: float | Schedule) -> Schedule:
    """A number as a constant schedule; a schedule with what it gives checked."""
    if callable(learning_rate):
        schedule = partial(_checked, learning_rate)
        try:
            # Step 0 comes first in any case, so what cannot give its rate is known before any step.
            schedule(0)
        except TypeError as fault:
            # Most often a function that makes a schedule, not called: constant for constant(0.1).
            raise ArgumentError(
                f"a schedule is called as schedule(step): {fault}; it is {given(learning_rate)}"
            ) from None
        return schedule
    return partial(_constant, number("the learning rate", learning_rate, "[0, inf)"))


def shown_rate(learning_rate: float | Schedule) -> str:
    """A learning rate as a ``repr`` writes it."""
    if not callable(learning_rate):
        return str(learning_rate)
    return getattr(learning_rate, "__name__", "schedule")


def _checked(schedule: Schedule, step: int) -> float:
    return number(f"the schedule's rate at step {step}", schedule(step), "[0, inf)")
