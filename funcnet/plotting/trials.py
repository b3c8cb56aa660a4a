"""Drawings of a search: what its best trials came to, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING

from ..arguments import short, whole
from ..errors import ArgumentError
from ..search import Trial
from .panels import Drawing, whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def search(trials: Iterable[Trial], best: int = 20) -> list[Drawing]:
    """A drawing for each of the ``best`` trials, the best first: its scores by epoch.

    Above it are its rank, its score, whether it was stopped, and the values it was given, to two
    digits. All have the same scales.

    >>> trials = [Trial(0, {"rate": 0.01}, (0.2, 0.5)), Trial(1, {"rate": 0.1}, (0.3, 0.8))]
    >>> len(plotting.search(trials)), len(plotting.search(trials, best=1))
    (2, 1)
    >>> grid = plotting.figure(*plotting.search(trials), columns=5, size=(2, 1.8))
    """
    best = whole("search's best", best)
    ranked = sorted(_trials(trials), key=lambda trial: trial.score, reverse=True)[:best]
    scores = [score for trial in ranked for score in trial.scores if isfinite(score)] or [0.0]
    low, high = min(scores), max(scores)
    margin = 0.05 * (high - low) or 1.0
    ends = low - margin, high + margin
    epochs = max([len(trial.scores) for trial in ranked], default=1)
    return [partial(_trial, rank, trial, epochs, ends) for rank, trial in enumerate(ranked, 1)]


def _trials(trials: object) -> list[Trial]:
    if isinstance(trials, Trial):
        raise ArgumentError("search draws a list of trials, and this is one trial; write [trial]")
    if not isinstance(trials, Iterable):
        raise ArgumentError(f"search draws the trials of random_search, not {short(trials)}")
    found = list(trials)
    for trial in found:
        if not isinstance(trial, Trial):
            raise ArgumentError(f"search draws the trials of random_search, not {short(trial)}")
    return found


def _trial(rank: int, trial: Trial, epochs: int, ends: tuple[float, float], axes: Axes) -> None:
    # A point at each end, so that one score alone is seen.
    axes.plot(range(1, len(trial.scores) + 1), trial.scores, marker=".", markevery=[0, -1])
    axes.set_xlim(0.5, epochs + 0.5)
    axes.set_ylim(*ends)
    values = ", ".join(f"{name} {_short(value)}" for name, value in trial.values.items())
    stopped = ", stopped" * trial.stopped
    axes.set_title(f"rank {rank}: {_short(trial.score)}{stopped}\n{values}", fontsize="x-small")
    axes.tick_params(labelsize="x-small")
    axes.grid(alpha=0.3)
    whole_ticks(axes)


def _short(value: object) -> str:
    return f"{value:.2g}" if isinstance(value, float) else short(value)
