"""Batch, mini-batch, online: how many examples should say where each step goes?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from lesson import Part, Setting, own, progress, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

S = TypeVar("S")
B = TypeVar("B")

KEY, LOSS, GOAL = fn.Key(0), fn.softmax_cross_entropy(), 0.3
NET = fn.flatten() >> fn.models.two_layer(..., 50, 10, fn.sigmoid())


class Watched(NamedTuple):
    """How far a run is: steps, epochs, seconds spent on training, the loss over all data."""

    steps: int
    epochs: float
    seconds: float
    loss: float


class Run(NamedTuple):
    """Updates in an epoch, the loss of each step's batch, and what was seen now and then."""

    per_epoch: int
    losses: fn.Array
    watched: Sequence[Watched]

    def noise(self) -> float:
        """How much the loss changes from step to step, in the second half of the run."""
        return float(np.diff(self.losses[len(self.losses) // 2 :]).std())

    def at_goal(self) -> Watched:
        """The first look at which the loss over all data was below the goal; else the last."""
        return next((seen for seen in self.watched if seen.loss < GOAL), self.watched[-1])

    def seconds_an_epoch(self) -> float:
        return self.watched[-1].seconds / self.watched[-1].epochs

    def milliseconds_an_update(self) -> float:
        return 1000 * self.watched[-1].seconds / self.watched[-1].steps


def timed(step: Callable[[S, B], S], batches: Sequence[B], state: S) -> Iterator[tuple[S, float]]:
    """The states of the fold, each with the seconds that it took to get there."""
    seconds = 0.0
    for i in progress(range(len(batches)), "training"):
        began = time.perf_counter()
        state = step(state, batches[i])
        seconds += time.perf_counter() - began
        yield state, seconds


def train(size: int, rate: float, epochs: int, data: fn.Batch[fn.Tensor4, fn.Labels]) -> Run:
    """Train so, with a look at the loss over all data some 20 times an epoch, or at each step."""
    step, batches, start = fn.prepare(KEY, NET, LOSS, fn.sgd(rate), *data, size, epochs)
    losses, watched = [], []
    for state, seconds in timed(step, batches, start):
        losses.append(state.loss)
        if state.step % max(1, batches.per_epoch // 20) == 0:
            loss = fn.evaluate(NET, LOSS, state.params, *data)
            watched.append(Watched(state.step, state.step / batches.per_epoch, seconds, loss))
    return Run(batches.per_epoch, np.array(losses), watched)


def regimes(setting: Setting) -> Part:
    """One step an example, one a hundred, or one for all: which gets the loss down soonest?"""
    count = setting.choose(2000, 200)
    images, _ = setting.images()
    data = fn.Batch(images.x[:count], images.t[:count])
    runs = {
        "online": train(1, 0.1, setting.choose(4, 1), data),
        "mini-batch": train(100, 3.0, setting.choose(20, 4), data),
        "batch": train(count, 3.0, setting.choose(80, 4), data),
    }

    def each(which: Callable[[Run], float], digits: int) -> list[float]:
        return [round(which(run), digits) for run in runs.values()]

    def falls(which: Callable[[Run], float]) -> bool:
        return which(runs["online"]) > which(runs["mini-batch"]) > which(runs["batch"])

    ends = [run.at_goal().seconds for run in runs.values()]
    return Part(
        [
            own("updates an epoch: online, mini-batch, batch", each(lambda run: run.per_epoch, 0)),
            own("seconds an epoch", each(Run.seconds_an_epoch, 4)),
            own("milliseconds an update", each(Run.milliseconds_an_update, 2)),
            own("change of the loss from step to step (deviation)", each(Run.noise, 4)),
            own("updates until the loss is .3", each(lambda run: run.at_goal().steps, 0)),
            own("epochs until then", each(lambda run: run.at_goal().epochs, 2)),
            own("seconds until then", each(lambda run: run.at_goal().seconds, 3)),
            shows("online is the noisiest, the batch the smoothest", falls(Run.noise), full=True),
            shows(
                "an epoch takes longest online, least with the batch",
                falls(Run.seconds_an_epoch),
                full=True,
            ),
            shows(
                "online gets there in the fewest epochs, the batch in the most",
                falls(lambda run: -run.at_goal().epochs),
                full=True,
            ),
            shows("the mini-batch gets there first by the clock", min(ends) == ends[1], full=True),
        ],
        "The batch knows the way best, but spends an epoch on each step. Online makes many steps, "
        "each led astray by its one example, so that they must be small. The mini-batch is the "
        "compromise: an update costs two or three times one example's, and a hundred agree on it. "
        "(Each at that one of the rates .1, .3, 1, 3 and 10 at which it was fastest.)",
        {"regimes": picture(runs)},
        key=0,
    )


def picture(runs: Mapping[str, Run]) -> Figure:
    shown = max(len(runs["mini-batch"].losses), 100)
    steps = {name: run.losses[:shown] for name, run in runs.items()}

    def over(x: Callable[[Watched], float], label: str) -> fn.plotting.Drawing:
        lines = {
            name: ([*map(x, run.watched)], [seen.loss for seen in run.watched])
            for name, run in runs.items()
        }
        return fn.plotting.curves(
            lines, title=f"loss over all data, by {label}", x=label, y="", log=True
        )

    return fn.plotting.figure(
        fn.plotting.curves(steps, title="loss of each step's batch", log=True),
        over(lambda seen: seen.epochs, "epochs"),
        over(lambda seen: seen.seconds, "seconds"),
        size=(3.6, 3.2),
    )


if __name__ == "__main__":
    teach(regimes)
