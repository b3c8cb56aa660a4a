"""Random search: a learning rate and a weight decay, found by trying out a hundred pairs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from lesson import Part, Setting, at_least, own, progress, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Search: TypeAlias = Sequence[fn.Trial]
Space: TypeAlias = Mapping[str, Callable[[fn.Key], float]]
Stop: TypeAlias = Callable[[tuple[float, ...], Search], bool]

NET = fn.flatten() >> fn.models.multi_layer(..., [100] * 6, 10)
WIDE = {"rate": fn.log_uniform(1e-6, 1e-2), "decay": fn.log_uniform(1e-8, 1e-4)}
NARROW = {"rate": fn.log_uniform(1e-3, 1e-2), "decay": fn.log_uniform(1e-8, 1e-6)}


class Task(NamedTuple):
    """500 images, of which a fifth is held out for validation; and how long a trial is."""

    train: fn.Batch[fn.Tensor4, fn.Labels]
    held: fn.Batch[fn.Tensor4, fn.Labels]
    epochs: int


def task(setting: Setting, key: fn.Key) -> Task:
    x, t = setting.images().train
    parts = fn.split(key.child("split"), x[:500], t[:500], 0.2)
    return Task(*parts, setting.choose(50, 3))


def trained(task: Task, key: fn.Key, rate: float, decay: float) -> Iterator[fn.Params]:
    """A trial: the parameters after each epoch."""
    optimizer = fn.chain(fn.weight_decay(decay), fn.sgd(rate))
    loss = fn.softmax_cross_entropy()
    run = fn.prepare(key, NET, loss, optimizer, *task.train, size=100, epochs=task.epochs)
    return (state.params for state in fn.epochs(*run))


def run(task: Task, key: fn.Key, rate: float, decay: float) -> Iterator[float]:
    """What trials are ranked by: the validation accuracy after each epoch."""
    return (fn.accuracy(NET, params, *task.held) for params in trained(task, key, rate, decay))


def search(
    setting: Setting,
    space: Space,
    key: fn.Key,
    stop: Stop | None = None,
    done: Search = (),
) -> Iterator[fn.Trial]:
    """A search of a hundred trials, with a split and with networks of its key."""
    trials = setting.choose(100, 6)
    return fn.random_search(key, space, partial(run, task(setting, key)), trials, stop, done)


def searches(setting: Setting, space: Space, stop: Stop | None = None) -> list[Search]:
    """The same search from several keys."""
    keys = [fn.Key(k) for k in range(setting.choose(5, 1))]
    return [[*progress(search(setting, space, key, stop), repr(key), 100)] for key in keys]


@cache  # all parts look at these, which take two minutes
def wide_searches(setting: Setting) -> list[Search]:
    return searches(setting, WIDE)


def ranked(trials: Search) -> list[fn.Trial]:
    return sorted(trials, key=lambda trial: trial.score, reverse=True)


def scores(found: list[Search], place: int) -> list[float]:
    """The best score (place 1), the second (place 2) or so of each search."""
    return [ranked(one)[place - 1].score for one in found]


def all_of(found: list[Search], name: str) -> fn.Matrix:
    """A value and the score (2, trials) of every trial."""
    pairs = [(trial.values[name], trial.score) for one in found for trial in one]
    return np.array(pairs).T


def follows(found: list[Search], name: str) -> float:
    """The correlation of the score with the logarithm of a value."""
    values, reached = all_of(found, name)
    return float(np.corrcoef(np.log(values), reached)[0, 1])


# ---- the parts ---------------------------------------------------------------------------------


def random_search(setting: Setting) -> Part:
    """Which learning rate, and how much weight decay, each sought over four powers of ten?"""
    found, twentieth = wide_searches(setting), setting.choose(20, 4)
    best = [[trial.values["rate"] for trial in ranked(one)[:3]] for one in found]
    read = np.array([elsewhere(setting, fn.Key(k), one) for k, one in enumerate(found)])
    return Part(
        [
            at_least("best validation accuracy", 0.78, np.median(scores(found, 1))),
            shows(
                "the three best rates of every search lie between .005 and .01",
                np.min(best) > 0.005 and np.max(best) < 0.01,
                full=True,
            ),
            own("rates of the three best, key 0 (recorded: .0084 to .0098)", best[0]),
            own("twentieth (recorded: .54)", np.median(scores(found, twentieth))),
            own("twentieth of each search", scores(found, twentieth)),
            own("share of all trials that reach .54", (all_of(found, "rate")[1] >= 0.54).mean()),
            own("correlation of the score with log rate", follows(found, "rate")),
            own("correlation of the score with log decay", follows(found, "decay")),
            own("the best: accuracy on further training images, and on test images",
                np.median(read, axis=0)),
        ],
        "The score follows the learning rate. It does not follow the decay at all: these are too "
        "small to matter in 50 epochs. The best are found where they were recorded; the twentieth "
        "is lower, by every key. For .54 it takes a rate of .004 or so, which a tenth of the draws "
        "exceed and not a fifth; PyTorch's networks of the same sizes reach no more at the same "
        "rates. The held-out fifth flatters: the best trial reads further training images hardly "
        "better than test images. (Medians over 5 keys; the pictures are those of key 0.)",
        {"best": fn.plotting.figure(*fn.plotting.search(found[0]), columns=5, size=(1.9, 1.6))},
        key=0,
    )  # fmt: skip


def elsewhere(setting: Setting, key: fn.Key, trials: Search) -> list[float]:
    """What the best trial, run once more, reads of the images after the first 500 and of test."""
    train, test = setting.images()
    best = ranked(trials)[0]
    *_, end = trained(task(setting, key), key.child(best.number).child("run"), **best.values)
    further = fn.Batch(train.x[500:10_500], train.t[500:10_500])
    return [fn.accuracy(NET, end, *images) for images in (further, test)]


def stopped_early(setting: Setting) -> Part:
    """How much is spared by leaving trials that fall behind, and is the best one still found?"""
    full = wide_searches(setting)
    found = searches(setting, WIDE, fn.median_stop(epochs=setting.choose(5, 1)))
    both = [*zip(full, found, strict=True)]
    shares = [epochs(some) / epochs(every) for every, some in both]
    kept = [
        sum(not some[trial.number].stopped for trial in ranked(every)[:5]) for every, some in both
    ]
    return Part(
        [
            own("epochs trained, as a share of all", np.median(shares)),
            own("share of each search", shares),
            shows("every search trains less than half of the epochs", max(shares) < 0.5, full=True),
            shows(
                "every search finds the same best trial as when all are trained to their end",
                all(ranked(every)[0] == ranked(some)[0] for every, some in both),
                full=True,
            ),
            own("of the best five, trained to their end: each search", kept),
        ],
        "A trial that has fallen behind the median of those before it seldom comes back: most of "
        "the time is spared, and no search of the five loses its best. Good ones that start slowly "
        "can be lost.",
        key=0,
    )


def epochs(trials: Search) -> int:
    """How many were trained in all."""
    return sum(len(trial.scores) for trial in trials)


def narrowed(setting: Setting) -> Part:
    """Is a second search, where the first one found the best, worth its time?"""
    first, found = wide_searches(setting), searches(setting, NARROW)
    twentieth = setting.choose(20, 4)
    median = [float(np.median(all_of(some, "rate")[1])) for some in (first, found)]
    drawings = [
        scattered(first, "rate", "first search"),
        scattered(first, "decay", "first search"),
        scattered(found, "rate", "narrowed"),
    ]
    return Part(
        [
            at_least("best validation accuracy", 0.78, np.median(scores(found, 1))),
            at_least("twentieth", 0.54, np.median(scores(found, twentieth))),
            own("best of each search: wide, narrowed", [scores(first, 1), scores(found, 1)]),
            shows(
                "the best of every search is as good or better, and its twentieth better",
                np.greater_equal(scores(found, 1), scores(first, 1)).all()
                and np.greater(scores(found, twentieth), scores(first, twentieth)).all(),
                full=True,
            ),
            own("median of all trials: wide, narrowed", median),
            own("correlation of the score with log rate", follows(found, "rate")),
            own("correlation of the score with log decay", follows(found, "decay")),
        ],
        "Far more of the trials come to something, and the best gain a little. That the rate was "
        "narrowed is what does it; in either search the decay could be anything. The score still "
        "rises at the end of the range: a third search would go beyond .01. (Medians over 5 keys; "
        "scores of all five searches, and the best twenty of key 0.)",
        {
            "scores": fn.plotting.figure(*drawings, size=(3.1, 2.8)),
            "narrowed": fn.plotting.figure(
                *fn.plotting.search(found[0]), columns=5, size=(1.9, 1.6)
            ),
        },
        key=0,
    )


def scattered(found: list[Search], name: str, title: str) -> fn.plotting.Drawing:
    """The score of every trial over one of its values."""

    def draw(axes: Axes) -> None:
        values, reached = all_of(found, name)
        axes.scatter(values, reached, s=6)
        axes.set(title=title, xlabel=name, ylabel="score", xscale="log", ylim=(0, 1))
        axes.grid(alpha=0.3)

    return draw


def resumed(setting: Setting) -> Part:
    """A search is broken off: what must be kept, so that it goes on as if it had not been?"""
    whole, at = wide_searches(setting)[0], setting.choose(80, 4)
    kept = json.dumps(whole[:at])
    done = [fn.Trial(*row) for row in json.loads(kept)]
    return Part(
        [
            shows(
                "from the trials done, the others come out as in the search that went on",
                [*search(setting, WIDE, fn.Key(0), done=done)] == whole[at:],
            ),
            own("trials kept, and size of the file in bytes", [at, len(kept)]),
        ],
        "The trials themselves are enough: each is a function of the search's key, its number and "
        "the trials before it, and nothing is drawn from a generator that would have to be kept.",
        key=0,
    )


if __name__ == "__main__":
    teach(random_search, stopped_early, narrowed, resumed)
