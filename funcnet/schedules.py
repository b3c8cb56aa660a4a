"""Learning rates that change: functions of the step, which counts from 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from .arguments import number, whole

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


def _constant(rate: float, step: int) -> float:
    return rate


def _cosine(rate: float, steps: int, final: float, step: int) -> float:
    if step >= steps:
        return final
    return final + (rate - final) * (1 + math.cos(math.pi * step / steps)) / 2


def schedule_of(learning_rate: float | Schedule) -> Schedule:
    """A number as a constant schedule; a schedule with what it gives checked."""
    if callable(learning_rate):
        return partial(_checked, learning_rate)
    return partial(_constant, number("the learning rate", learning_rate, "[0, inf)"))


def shown_rate(learning_rate: float | Schedule) -> str:
    """A learning rate as a ``repr`` writes it."""
    if not callable(learning_rate):
        return str(learning_rate)
    return getattr(learning_rate, "__name__", "schedule")


def _checked(schedule: Schedule, step: int) -> float:
    return number(f"the schedule's rate at step {step}", schedule(step), "[0, inf)")
