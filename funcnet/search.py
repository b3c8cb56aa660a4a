"""Hyper-parameter search: a trial is a function of the key, its number and the earlier trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from .arguments import function, given, misfit, number, short, whole
from .errors import ArgumentError, ConfigError
from .random import Key

V = TypeVar("V")
Draw: TypeAlias = Callable[[Key], V]
Run: TypeAlias = Callable[..., Iterable[float]]


class _Fields(NamedTuple):
    number: int
    values: Mapping[str, Any]
    scores: tuple[float, ...]
    stopped: bool


class Trial(_Fields):
    """One run of a search: its number, from 0, the values it was given, and its scores by epoch.

    ``stopped`` says that it was left before its end: the search's ``stop`` said so, or its last
    score was not finite. ``score`` is what trials are ranked by.

    ``json`` writes a trial as a row of its fields, of which ``Trial(*row)`` makes it again:

    >>> trial = Trial(0, {"learning_rate": 0.01}, (0.5, 0.75))
    >>> trial.score, trial.stopped
    (0.75, False)
    >>> import json
    >>> Trial(*json.loads(json.dumps(trial))) == trial
    True
    """

    __slots__ = ()

    def __new__(
        cls,
        number: int,
        values: Mapping[str, Any],
        scores: Iterable[float],
        stopped: bool = False,
    ) -> Trial:
        if not isinstance(values, Mapping):
            raise ArgumentError(f"a trial's values are a dict of names, not {short(values)}")
        if not isinstance(stopped, bool):
            raise ArgumentError(f"a trial's stopped is True or False, not {short(stopped)}")
        return super().__new__(
            cls,
            whole("a trial's number", number, 0),
            # Its own dict, which is what json can write; from json, scores come as a list.
            dict(values),
            tuple([_score("a trial's score", score) for score in _entries("a trial", scores)]),
            stopped,
        )

    @property
    def score(self) -> float:
        """The last score; -inf, below all others, where that is not finite or there is none.

        The last is what the trial's network came to; the best of many noisy ones would flatter it.
        It is there as well: ``max(trial.scores)``.
        """
        last = self.scores[-1] if self.scores else -math.inf
        return last if math.isfinite(last) else -math.inf


Stop: TypeAlias = Callable[[tuple[float, ...], Sequence[Trial]], bool]
"""``stop(scores so far, earlier trials) -> whether to leave the trial``: any function will do."""


# ---- draws -------------------------------------------------------------------------------------


def log_uniform(low: float, high: float) -> Draw[float]:
    """A draw ``key -> value`` whose logarithm is uniform: 10 ** U(log10(low), log10(high)).

    For what is sought over orders of magnitude, as are learning rates. Raises ``ConfigError``
    unless 0 < low < high.

    >>> draw = log_uniform(1e-6, 1e-2)
    >>> 1e-6 <= draw(Key(0)) <= 1e-2, draw(Key(0)) == draw(Key(0))
    (True, True)
    """
    low = number("log_uniform's low", low, "(0, inf)")
    high = number("log_uniform's high", high, "(0, inf)")
    if high <= low:
        raise ConfigError(f"log_uniform's low comes first and is below high, not {low} and {high}")
    return partial(_log_uniform, low, high)


def _log_uniform(low: float, high: float, key: Key) -> float:
    share = key.generator().random()
    value: float = low ** (1 - share) * high**share
    # Rounding can take it out of the interval by a bit.
    return min(max(value, low), high)


# ---- stopping early ----------------------------------------------------------------------------


def median_stop(trials: int = 5, epochs: int = 5) -> Stop:
    """Stops a trial that is behind the median of the earlier ones that ran to their end.

    It is behind when its best score by now is below the median of their running averages: of
    each, the mean of as many scores as the trial has. No trial is stopped before its epoch
    ``epochs``, or while fewer than ``trials`` to compare it with have got as far.
    Source: Golovin et al. 2017, "Google Vizier", the median stopping rule.

    >>> stop = median_stop(trials=2, epochs=1)
    >>> earlier = [Trial(0, {}, (0.2, 0.6)), Trial(1, {}, (0.4, 0.8))]     # means 0.4 and 0.6
    >>> stop((0.1, 0.45), earlier), stop((0.1, 0.55), earlier), stop((0.1,), earlier[:1])
    (True, False, False)
    """
    return partial(
        _behind, whole("median_stop's trials", trials), whole("median_stop's epochs", epochs)
    )


def _behind(trials: int, epochs: int, scores: tuple[float, ...], earlier: Sequence[Trial]) -> bool:
    now = len(scores)
    peers = [trial for trial in earlier if not trial.stopped and len(trial.scores) >= now]
    if now < epochs or len(peers) < trials:
        return False
    return max(scores) < float(np.median([sum(peer.scores[:now]) / now for peer in peers]))


def _never(scores: tuple[float, ...], earlier: Sequence[Trial]) -> bool:
    return False


# ---- the search --------------------------------------------------------------------------------


def random_search(
    key: Key,
    space: Mapping[str, Draw[object]],
    run: Run,
    trials: int,
    stop: Stop | None = None,
    done: Iterable[Trial] = (),
) -> Iterator[Trial]:
    """Trials of values drawn at random, up to ``trials`` in all, each given as it is finished.

    ``space`` has a draw, a function ``key -> value``, for each name: ``log_uniform(1e-6, 1e-2)``,
    or one of your own, such as ``lambda key: int(key.generator().choice([32, 64]))``.
    ``run(key, **values)`` trains and yields a score after each epoch, the higher the better:
    an accuracy, or minus a loss. A trial is left there and then, ``stopped``, at a score of nan or
    infinity, and where ``stop(scores, earlier)``, if given, says so: it is asked after each score.

    Trial i runs with ``key.child(i).child("run")`` and draws its values from
    ``key.child(i).child("values")``, each from the child of its name. Given all trials ``done`` so
    far, the search goes on after them with the very trials that it would have come to.

    Raises ``ArgumentError`` or ``ConfigError`` at the call for bad arguments, and
    ``ArgumentError``, naming the trial, for what ``run`` yields if it is not a number. Bad, too,
    is a trial of ``done`` whose values the search would not have drawn.
    Source: Bergstra and Bengio 2012, "Random Search for Hyper-Parameter Optimization".

    >>> def run(key, learning_rate):                    # gradient descent on w**2
    ...     w = 1.0
    ...     for epoch in range(20):
    ...         w -= learning_rate * 2 * w
    ...         yield -w**2
    >>> space = {"learning_rate": log_uniform(1e-4, 1)}
    >>> trials = list(random_search(Key(0), space, run, trials=30, stop=median_stop()))
    >>> best = max(trials, key=lambda trial: trial.score)
    >>> 0.1 < best.values["learning_rate"] < 0.9, sum(trial.stopped for trial in trials) > 10
    (True, True)
    >>> trials[10:] == list(random_search(Key(0), space, run, 30, median_stop(), trials[:10]))
    True
    """
    if not isinstance(key, Key):
        raise ArgumentError(f"random_search takes a Key first, not {short(key)}; write Key(0)")
    draws = _draws(key, space)
    _called_as("run", f"run({', '.join(['key', *draws])})", run, key, **draws)
    stop, earlier = _stop(stop), _made(done)
    _check_values(key, draws, earlier)
    return _search(key, draws, run, whole("trials", trials), stop, earlier)


def _search(
    key: Key,
    draws: Mapping[str, Draw[object]],
    run: Run,
    trials: int,
    stop: Stop,
    earlier: tuple[Trial, ...],
) -> Iterator[Trial]:
    while len(earlier) < trials:
        trial = _trial(key.child(len(earlier)), draws, run, stop, earlier)
        yield trial
        earlier = (*earlier, trial)


def _trial(
    key: Key,
    draws: Mapping[str, Draw[object]],
    run: Run,
    stop: Stop,
    earlier: tuple[Trial, ...],
) -> Trial:
    values = _values(key, draws)
    shown = ", ".join(f"{name}={short(value)}" for name, value in values.items())
    place = f"trial {len(earlier)} with {shown or 'no values'}"
    scores, stopped = _scores(place, run(key.child("run"), **values), stop, earlier)
    return Trial(len(earlier), values, scores, stopped)


def _values(key: Key, draws: Mapping[str, Draw[object]]) -> dict[str, object]:
    key = key.child("values")
    return {name: _plain(draw(key.child(name))) for name, draw in draws.items()}


def _scores(
    place: str, run: Iterable[float], stop: Stop, earlier: tuple[Trial, ...]
) -> tuple[tuple[float, ...], bool]:
    """The scores of a run, and whether it was left before its end."""
    scores: tuple[float, ...] = ()
    for value in _entries(f"{place}: run", run):
        scores = (*scores, _score(f"{place}: a score", value))
        if not math.isfinite(scores[-1]) or _said(stop(scores, earlier)):
            return scores, True
    if not scores:
        raise ArgumentError(f"{place}: run ended without a score; yield nan to give a trial up")
    return scores, False


# ---- what is given, checked --------------------------------------------------------------------


def _draws(key: Key, space: Any) -> dict[str, Draw[object]]:
    if not isinstance(space, Mapping):
        example = '{"learning_rate": log_uniform(1e-4, 1e-1)}'
        raise ArgumentError(f"the space is a dict of draws, {example} say, not {short(space)}")
    for name, draw in space.items():
        if not isinstance(name, str):
            raise ArgumentError(f"the space's names are strings, not {short(name)}")
        _called_as(f"the draw of {name}", "draw(key)", draw, key)
    return dict(space)


def _stop(stop: Any) -> Stop:
    if stop is median_stop:
        raise ArgumentError(f"stop is {given(stop)}")
    found: Stop = _never if stop is None else stop
    _called_as("stop", "stop(scores, earlier)", found, (), ())
    return found


def _made(done: Any) -> tuple[Trial, ...]:
    if isinstance(done, Trial):
        raise ArgumentError("done holds the trials made so far, and this is one; write [trial]")
    if not isinstance(done, Iterable):
        raise ArgumentError(f"done holds the trials made so far, not {short(done)}")
    trials = tuple(done)
    for i, trial in enumerate(trials):
        if not isinstance(trial, Trial):
            raise ArgumentError(f"done holds trials, not {short(trial)}; write Trial(*row)")
        if trial.number != i:
            raise ConfigError(
                "done holds all trials made so far in their order, 0, 1, 2, ...; "
                f"trial {trial.number} stands at {i}"
            )
    return trials


def _check_values(key: Key, draws: Mapping[str, Draw[object]], done: Iterable[Trial]) -> None:
    """Raise ``ConfigError`` for a trial whose values are not those that the search gives it."""
    for trial in done:
        for name, value in _values(key.child(trial.number), draws).items():
            had = trial.values.get(name, value)
            if not _agree(had, value):
                raise ConfigError(
                    f"trial {trial.number} of done is not of this search: it has {name} "
                    f"{short(had)}, this key and space give {short(value)}"
                )


def _agree(a: object, b: object) -> bool:
    """Whether two values may be the same, of which one has been through a file."""
    if isinstance(a, float | int) and isinstance(b, float | int):
        # Powers may differ in the last bit from one machine to another.
        return a == b or math.isclose(a, b, rel_tol=1e-9)
    # Of other values, json gives back only texts as they were.
    return not (isinstance(a, str) and isinstance(b, str)) or a == b


def _called_as(name: str, call: str, value: Any, /, *args: object, **values: object) -> None:
    """Raise ``ArgumentError`` unless ``value`` is a function that takes what it will be given."""
    function(name, value, call)
    if fault := misfit(value, *args, **values):
        raise ArgumentError(f"{name} is called as {call}: {fault}")


def _entries(name: str, scores: Any) -> Iterator[Any]:
    try:
        return iter(scores)
    except TypeError:
        raise ArgumentError(f"{name} gives a score for each epoch, not {short(scores)}") from None


def _score(name: str, value: Any) -> float:
    if isinstance(value, float | np.floating) and math.isnan(value):
        return math.nan
    return number(name, value, "[-inf, inf]")


def _said(value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise ArgumentError(f"stop gives True or False, not {short(value)}")
    return bool(value)


def _plain(value: object) -> object:
    """NumPy's scalars as Python's, which ``json`` can write."""
    return value.item() if isinstance(value, np.generic) else value
