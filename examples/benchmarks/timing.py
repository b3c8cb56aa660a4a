"""Timing in turns: contestants run a little each, so that a machine's noise meets all alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from time import perf_counter
from typing import NamedTuple, TypeAlias

import numpy as np

Step: TypeAlias = Callable[[int], object]
"""Makes one training step, on the i-th batch; what it gives is of no interest."""

TRIED = 3  # rounds, before settings are chosen
NEAR = 1.05  # times its library's best: too near to be told from it in a trial


class Contestant(NamedTuple):
    """One library in one of its settings. A call of ``step`` makes ``per_call`` steps."""

    library: str
    setting: str
    step: Step
    threads: int = 1
    per_call: int = 1


def on_threads(
    library: str, setting: str, step: Step, threads: Sequence[int], per_call: int = 1
) -> list[Contestant]:
    """The step on each number of threads; of several, the one for all cores is the usual one.

    >>> [each.setting for each in on_threads("funcnet", "", print, [1, 2, 4])]
    ['1 thread', '2 threads', '']
    """
    fewer = {n: f"{n} thread{'s' * (n > 1)}" for n in threads if n < max(threads)}
    return [
        Contestant(library, joined(setting, fewer.get(n, "")), step, n, per_call) for n in threads
    ]


def joined(*settings: str) -> str:
    return ", ".join(filter(None, settings))


class Plan(NamedTuple):
    """How long to time: so many rounds of runs of so many seconds, and at most ``budget`` seconds.

    ``fewest`` rounds are run whatever they take.
    """

    rounds: int = 9
    seconds: float = 0.2
    budget: float = 20.0
    fewest: int = 5


class Timed(NamedTuple):
    """Milliseconds a step, by round: of the trial that chooses settings, and of the contest.

    ``times`` is empty where a faster setting of the same library went on in its place.
    """

    library: str
    setting: str
    threads: int
    trial: list[float]
    times: list[float]


class Spread(NamedTuple):
    """The middle half of figures, and their median."""

    low: float
    middle: float
    high: float


def spread(figures: Sequence[float]) -> Spread:
    """
    >>> spread([1.0, 2.0, 3.0, 4.0, 50.0])
    Spread(low=2.0, middle=3.0, high=4.0)
    """
    low, middle, high = np.percentile(figures, [25, 50, 75])
    return Spread(float(low), float(middle), float(high))


def contest(
    contestants: Sequence[Contestant], plan: Plan, set_threads: Callable[[int], object]
) -> list[Timed]:
    """Time all in a short trial, and in rounds of their own then those whose settings are fast.

    The trial's times are not reported: the luckiest of many equal settings would look faster than
    it is.
    """
    counts = []
    for each in contestants:
        set_threads(each.threads)
        counts.append(calls(each.step, plan.seconds))
    halves = [max(1, count // 2) for count in counts]
    trial = milliseconds(contestants, halves, plan._replace(rounds=TRIED, fewest=1), set_threads)
    kept = fast([each.library for each in contestants], trial)
    found = milliseconds(
        [contestants[i] for i in kept], [counts[i] for i in kept], plan, set_threads
    )
    times = dict(zip(kept, found, strict=True))
    return [
        Timed(each.library, each.setting, each.threads, tried, times.get(i, []))
        for i, (each, tried) in enumerate(zip(contestants, trial, strict=True))
    ]


def fast(libraries: Sequence[str], trial: Sequence[Sequence[float]]) -> list[int]:
    """The places of each library's best by its best time, and of the second if it is near.

    >>> fast(["a", "a", "b", "a"], [[3.0, 2.0], [2.05, 4.0], [9.0, 9.0], [2.04, 2.4]])
    [0, 2, 3]
    """
    own = [min(times) for times in trial]
    kept = []
    for name in dict.fromkeys(libraries):
        places = sorted((i for i, n in enumerate(libraries) if n == name), key=own.__getitem__)
        kept += [i for i in places[:2] if own[i] <= NEAR * own[places[0]]]
    return sorted(kept)


def milliseconds(
    contestants: Sequence[Contestant],
    counts: Sequence[int],
    plan: Plan,
    set_threads: Callable[[int], object],
) -> list[list[float]]:
    """For each contestant its milliseconds a step, one figure for each round of so many calls.

    A quarter as many go before them untimed, one at least where they are several: threads of the
    contestant before, which wait actively for more work, have then gone to sleep.
    """
    times: list[list[float]] = [[] for _ in contestants]
    began, rounds = perf_counter(), plan.rounds
    while len(times[0]) < rounds:
        for each, count, own in zip(contestants, counts, times, strict=True):
            set_threads(each.threads)
            run(each.step, (count + 2) // 4)
            own.append(1e3 * run(each.step, count) / (count * each.per_call))
        rounds = min(rounds, affordable(perf_counter() - began, len(times[0]), plan))
    return times


def affordable(spent: float, done: int, plan: Plan) -> int:
    """How many rounds the budget allows, where ``done`` took ``spent`` seconds.

    >>> affordable(4.0, 2, Plan(rounds=99, budget=30.0)), affordable(50.0, 1, Plan(fewest=5))
    (15, 5)
    """
    return max(plan.fewest, done, int(plan.budget * done / max(spent, 1e-9)))


def calls(step: Step, seconds: float) -> int:
    """How many calls take about so many seconds, one at least; found after an untimed one."""
    run(step, 1)
    count, took = 1, run(step, 1)
    while took < seconds / 8:
        count *= 2
        took = run(step, count)
    return max(1, round(count * seconds / took))


def run(step: Step, count: int) -> float:
    """Seconds that so many calls take."""
    start = perf_counter()
    for i in range(count):
        step(i)
    return perf_counter() - start


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round, ours over theirs.

    >>> ratios([1.0, 3.0], [2.0, 2.0])
    [0.5, 1.5]
    """
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def best(timed: Iterable[Timed]) -> Timed | None:
    """The fastest by its median over the contest; None where nobody was timed."""
    return min((t for t in timed if t.times), key=lambda t: float(np.median(t.times)), default=None)


def fastest(timed: Iterable[Timed]) -> dict[str, Timed]:
    """Of each library that was timed its fastest setting."""
    found = {name: best(each) for name, each in groupby(timed, lambda t: t.library)}
    return {name: each for name, each in found.items() if each}
