"""Searches: what a trial is a function of, when it is left, and how a search goes on."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import funcnet as fn

ANY: Any = fn  # to be called as the checker would not let us
KEY = fn.Key(7)
SPACE = {"rate": fn.log_uniform(1e-4, 1), "size": lambda key: key.generator().integers(9)}
EPOCHS = 12


def descent(key: fn.Key, rate: float, size: int) -> Iterator[float]:
    """Gradient descent on w**2 with noise, from a w that the key draws."""
    rng = key.generator()
    w = rng.normal()
    for _ in range(EPOCHS):
        w -= rate * (2 * w + 0.01 * rng.normal())
        yield -(w**2)


def yielding(*scores: float) -> Callable[[fn.Key], Iterable[float]]:
    return lambda key: iter(scores)


# ---- draws -------------------------------------------------------------------------------------


@example(0.1, 0.1, 30)
@example(0.1, 0.1, 52)
@given(
    st.floats(1e-320, 1.7e308, exclude_max=True),
    st.floats(1e-320, 1.7e308, exclude_max=True),
    st.integers(0, 100),
)
def test_log_uniform_draws_floats_of_its_interval(a: float, b: float, seed: int) -> None:
    low, high = min(a, b), np.nextafter(max(a, b), math.inf)
    value = fn.log_uniform(low, high)(fn.Key(seed))
    assert type(value) is float
    assert low <= value <= high


def test_log_uniform_is_uniform_in_the_logarithm() -> None:
    draw = pickle.loads(pickle.dumps(fn.log_uniform(1e-6, 1e-2)))
    logs = np.log10([draw(KEY.child(i)) for i in range(2000)])
    shares = np.histogram(logs, bins=4, range=(-6, -2))[0] / 2000
    # Four standard deviations of a share of 1/4 among 2000.
    assert shares == pytest.approx([0.25] * 4, abs=0.04)


def test_log_uniform_refuses() -> None:
    with pytest.raises(fn.ConfigError, match=r"low is a number in \(0, inf\), not 0"):
        fn.log_uniform(0, 1)
    for high in (math.inf, math.nan):
        with pytest.raises(fn.ConfigError, match=r"high is a number in \(0, inf\), not"):
            fn.log_uniform(0.5, high)
    for high in (0.1, 0.5):
        with pytest.raises(fn.ConfigError, match=f"low comes first .* not 0.5 and {high}"):
            fn.log_uniform(0.5, high)


# ---- trials ------------------------------------------------------------------------------------


def test_a_trial_is_ranked_by_its_last_score_below_all_others_if_not_finite() -> None:
    assert fn.Trial(0, {}, (0.5, 0.9, 0.7)).score == 0.7
    for scores in ((0.5, math.nan), (math.inf,), (-math.inf,), ()):
        assert fn.Trial(0, {}, scores).score == -math.inf
    last = (0.2, math.nan, 0.9, math.inf, 0.4)
    trials = [fn.Trial(i, {}, (1.0, score)) for i, score in enumerate(last)]
    best = sorted(trials, key=lambda trial: trial.score, reverse=True)
    assert [trial.number for trial in best] == [2, 4, 0, 1, 3]


def test_a_trial_is_made_again_of_its_row() -> None:
    trial = next(fn.random_search(KEY, SPACE, descent, 1))
    again = fn.Trial(*json.loads(json.dumps(trial)))
    assert again == trial == pickle.loads(pickle.dumps(trial))
    assert type(again.scores) is tuple
    assert type(trial.values["size"]) is int


def test_a_trial_refuses() -> None:
    with pytest.raises(fn.ArgumentError, match=r"values are a dict of names, not 0\.1"):
        ANY.Trial(0, 0.1, ())
    with pytest.raises(fn.ArgumentError, match=r"score is a number in .*, not 'x'"):
        ANY.Trial(0, {}, "x")
    with pytest.raises(fn.ArgumentError, match="gives a score for each epoch, not 5"):
        ANY.Trial(0, {}, 5)
    with pytest.raises(fn.ArgumentError, match="stopped is True or False, not 1"):
        ANY.Trial(0, {}, (), 1)
    with pytest.raises(fn.ConfigError, match="number is an integer of at least 0, not -1"):
        fn.Trial(-1, {}, ())


# ---- the search --------------------------------------------------------------------------------


def test_trials_are_functions_of_the_key_and_their_number() -> None:
    seen: list[fn.Key] = []

    def run(key: fn.Key, rate: float) -> Iterable[float]:
        seen.append(key)
        return [rate]

    draw = fn.log_uniform(1e-4, 1)
    trials = list(fn.random_search(KEY, {"rate": draw}, run, 3))
    assert seen == [KEY.child(i).child("run") for i in range(3)]
    drawn = [draw(KEY.child(i).child("values").child("rate")) for i in range(3)]
    assert trials == [fn.Trial(i, {"rate": rate}, (rate,)) for i, rate in enumerate(drawn)]


def test_each_name_draws_its_own_numbers() -> None:
    draw = fn.log_uniform(1e-4, 1)

    def run(key: fn.Key, **values: float) -> list[float]:
        return [0.0]

    alone = next(fn.random_search(KEY, {"a": draw}, run, 1)).values
    both = next(fn.random_search(KEY, {"b": draw, "a": draw}, run, 1)).values
    assert alone["a"] == both["a"] != both["b"]


def test_a_trial_is_given_before_the_next_begins() -> None:
    begun: list[fn.Key] = []

    def run(key: fn.Key) -> Iterator[float]:
        begun.append(key)
        yield 0.0

    search = fn.random_search(KEY, {}, run, 5)
    assert not begun
    assert [next(search).number, next(search).number] == [0, 1]
    assert len(begun) == 2


def test_a_trial_is_left_when_stop_says_so() -> None:
    epochs: list[int] = []

    def run(key: fn.Key) -> Iterator[float]:
        try:
            for epoch in range(5):
                epochs.append(epoch)
                yield epoch / 2
        finally:
            epochs.append(-1)

    asked: list[tuple[tuple[float, ...], list[int]]] = []

    def stop(scores: tuple[float, ...], earlier: Sequence[fn.Trial]) -> bool:
        asked.append((scores, [trial.number for trial in earlier]))
        return len(earlier) == 1 and len(scores) == 2

    first, second = fn.random_search(KEY, {}, run, 2, stop)
    assert first == fn.Trial(0, {}, (0.0, 0.5, 1.0, 1.5, 2.0), stopped=False)
    assert second == fn.Trial(1, {}, (0.0, 0.5), stopped=True)
    assert epochs == [0, 1, 2, 3, 4, -1, 0, 1, -1]
    assert asked[4:] == [((0.0, 0.5, 1.0, 1.5, 2.0), []), ((0.0,), [0]), ((0.0, 0.5), [0])]


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, np.float32(math.nan)])
def test_a_score_that_is_not_finite_ends_its_trial(score: float) -> None:
    (trial,) = fn.random_search(KEY, {}, yielding(0.5, score, 0.6), 1)
    assert trial.stopped
    assert len(trial.scores) == 2
    assert trial.scores[0] == 0.5
    assert not math.isfinite(trial.scores[1])


@given(st.integers(0, 30))
def test_a_search_goes_on_with_the_trials_it_would_have_come_to(cut: int) -> None:
    whole = list(fn.random_search(KEY, SPACE, descent, 30, fn.median_stop(3, 2)))
    assert any(trial.stopped for trial in whole[:10])
    done = [fn.Trial(*row) for row in json.loads(json.dumps(whole[:cut]))]
    rest = fn.random_search(KEY, SPACE, descent, 30, fn.median_stop(3, 2), iter(done))
    assert [*done, *rest] == whole


def test_what_is_done_later_to_the_arguments_changes_nothing() -> None:
    (first,) = fn.random_search(KEY, SPACE, descent, 1)
    values = dict(first.values)
    space, done = dict(SPACE), [fn.Trial(0, values, (1.0,))]
    values.clear()
    assert done[0].values == first.values
    search = fn.random_search(KEY, space, descent, 2, None, done)
    space.clear()
    done.clear()
    assert [(trial.number, set(trial.values)) for trial in search] == [(1, {"rate", "size"})]


# ---- what is refused at the call, and what a run gives -----------------------------------------


def test_refuses_keys_spaces_and_draws() -> None:
    with pytest.raises(fn.ArgumentError, match=r"takes a Key first, not 7; write Key\(0\)"):
        ANY.random_search(7, SPACE, descent, 3)
    with pytest.raises(fn.ArgumentError, match=r"space is a dict of draws, .* not \['rate'\]"):
        ANY.random_search(KEY, ["rate"], descent, 3)
    with pytest.raises(fn.ArgumentError, match="names are strings, not 1"):
        ANY.random_search(KEY, {1: fn.log_uniform(1, 2)}, descent, 3)
    with pytest.raises(fn.ArgumentError, match=r"draw of rate is a function, .* not 0\.1"):
        ANY.random_search(KEY, {"rate": 0.1}, descent, 3)
    with pytest.raises(fn.ArgumentError, match=r"draw of rate is called as draw\(key\): .*'high'"):
        ANY.random_search(KEY, {"rate": fn.log_uniform}, descent, 3)
    with pytest.raises(fn.ConfigError, match="trials is an integer of at least 1, not 0"):
        fn.random_search(KEY, SPACE, descent, 0)


def test_refuses_functions_that_do_not_take_what_they_will_be_given() -> None:
    with pytest.raises(fn.ArgumentError, match=r"run is a function, run\(key, rate, size\) say"):
        ANY.random_search(KEY, SPACE, None, 3)
    with pytest.raises(fn.ArgumentError, match=r"run is called as run\(key, speed\): .*'rate'"):
        fn.random_search(KEY, {"speed": SPACE["rate"]}, descent, 3)
    with pytest.raises(fn.ArgumentError, match=r"stop is called as stop\(scores, earlier\): too"):
        ANY.random_search(KEY, SPACE, descent, 3, lambda scores: False)
    with pytest.raises(fn.ArgumentError, match=r"stop is median_stop; did you mean median_stop\("):
        ANY.random_search(KEY, SPACE, descent, 3, fn.median_stop)
    # What built-in functions take, Python cannot always tell: they are tried.
    (trial,) = fn.random_search(KEY, {"path": iter}, lambda key, path: [next(path)], 1)
    assert trial.score == 7.0


def test_refuses_trials_that_are_not_all_those_made_so_far() -> None:
    trials = curves((0.0,), (0.0,), (0.0,))
    with pytest.raises(fn.ConfigError, match=r"in their order, .* trial 2 stands at 1"):
        fn.random_search(KEY, SPACE, descent, 5, None, trials[::2])
    with pytest.raises(fn.ArgumentError, match=r"done holds trials, .*; write Trial\(\*row\)"):
        ANY.random_search(KEY, SPACE, descent, 5, None, [[0, {}, [0.5], False]])
    with pytest.raises(fn.ArgumentError, match="done holds the trials made so far, not 5"):
        ANY.random_search(KEY, SPACE, descent, 5, None, 5)
    with pytest.raises(fn.ArgumentError, match=r"and this is one; write \[trial\]"):
        ANY.random_search(KEY, SPACE, descent, 5, None, trials[0])
    assert not list(fn.random_search(KEY, SPACE, descent, 2, None, trials))


def test_refuses_trials_of_another_search() -> None:
    done = list(fn.random_search(KEY, SPACE, descent, 2))
    text = r"trial 0 of done is not of this search: it has rate 0\.\d+, this key and space give "
    with pytest.raises(fn.ConfigError, match=text):
        fn.random_search(fn.Key(99), SPACE, descent, 5, None, done)
    space: dict[str, Any] = {"kind": lambda key: "tanh"}
    trial = fn.Trial(0, {"kind": "relu"}, (1.0,))
    with pytest.raises(fn.ConfigError, match="it has kind 'relu', this key and space give 'tanh'"):
        ANY.random_search(KEY, space, lambda key, kind: [1.0], 5, None, [trial])
    # Of values that are no numbers or texts, nothing is said.
    space = {"kind": lambda key: np.zeros(2)}
    trial = fn.Trial(0, {"kind": np.ones(2)}, (1.0,))
    assert ANY.random_search(KEY, space, lambda key, kind: [1.0], 5, None, [trial])
    # The last bit is the machine's.
    near = {**done[0].values, "rate": math.nextafter(done[0].values["rate"], 1)}
    assert fn.random_search(KEY, SPACE, descent, 5, None, [fn.Trial(0, near, (1.0,))])


def test_what_a_run_yields_is_refused_with_the_trial_and_its_values() -> None:
    def first(run: Any, stop: Any = None) -> fn.Trial:
        return next(fn.random_search(KEY, {"n": lambda key: 3}, run, 5, stop, curves((1.0,))))

    with pytest.raises(fn.ArgumentError, match=r"trial 1 with n=3: a score is a number.* not 'x'"):
        first(lambda key, n: ["x"])
    with pytest.raises(fn.ArgumentError, match=r"trial 1 with n=3: run gives a score .* not None"):
        first(lambda key, n: None)
    with pytest.raises(fn.ArgumentError, match="trial 1 with n=3: run ended without a score"):
        first(lambda key, n: [])
    with pytest.raises(fn.ArgumentError, match="stop gives True or False, not None"):
        first(lambda key, n: [0.0], lambda scores, earlier: None)
    assert first(lambda key, n: [np.float32(0.5)], lambda *_: np.True_).scores == (0.5,)


# ---- the median stopping rule ------------------------------------------------------------------


def curves(*scores: tuple[float, ...], stopped: bool = False) -> list[fn.Trial]:
    return [fn.Trial(i, {}, s, stopped) for i, s in enumerate(scores)]


def test_median_stop_compares_the_best_with_the_median_of_averages() -> None:
    stop = fn.median_stop(trials=3, epochs=1)
    # Averages after two epochs: 2, 3.5, 10.
    earlier = curves((1, 3, 99), (5, 2, 99), (9, 11, 99))
    assert stop((3.25, 1.0), earlier)
    assert stop((1.0, 3.25), earlier)
    assert not stop((3.5, 1.0), earlier)
    assert not stop((1.0, 4.0), earlier)
    # After one epoch: 1, 5, 9; after three, above 30.
    assert stop((4.5,), earlier)
    assert not stop((5.0,), earlier)
    assert stop((4.5, 4.5, 4.5), earlier)


def test_median_stop_compares_with_those_that_ended_and_got_as_far() -> None:
    stop = fn.median_stop(trials=2, epochs=1)
    ended = curves((5, 5), (5, 5))
    assert stop((4.0, 4.0), ended)
    assert not stop((4.0, 4.0), ended + curves((0, 0), (0, 0), (0, 0)))
    assert stop((4.0, 4.0), ended + curves((0, 0), (0, 0), (0, 0), stopped=True))
    assert stop((4.0, 4.0), ended + curves((0,), (0,), (0,)))
    assert not stop((4.0, 4.0, 4.0), ended)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 8), st.integers(1, 8))
def test_median_stop_waits_for_trials_and_epochs(
    trials: int, epochs: int, before: int, now: int
) -> None:
    earlier = curves(*[(1.0,) * 8] * before)
    stopped = fn.median_stop(trials, epochs)((0.0,) * now, earlier)
    assert stopped == (before >= trials and now >= epochs)


def test_median_stop_saves_epochs_and_keeps_the_best() -> None:
    full = list(fn.random_search(KEY, SPACE, descent, 60))
    short = list(fn.random_search(KEY, SPACE, descent, 60, fn.median_stop()))
    run = sum(len(trial.scores) for trial in short)
    assert run < 0.8 * sum(len(trial.scores) for trial in full)
    best, kept = (max(trials, key=lambda trial: trial.score) for trials in (full, short))
    assert best == kept
    assert not kept.stopped


def test_median_stop_refuses() -> None:
    with pytest.raises(fn.ConfigError, match="trials is an integer of at least 1, not 0"):
        fn.median_stop(0)
    with pytest.raises(fn.ArgumentError, match=r"epochs is an integer, not 2\.5"):
        ANY.median_stop(5, 2.5)
