"""Regression: a small net learns a sum of two numbers, from one example at a time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from lesson import Part, Setting, own, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RUNAWAY = 1e6  # a loss from which there is no way back


class Case(NamedTuple):
    """What follows the ten hidden sums, between which ends the inputs lie, and the rate."""

    hidden: fn.AnyLayer
    ends: tuple[float, float]
    rate: float = 0.07

    def net(self) -> fn.Layer[fn.Vec[int], fn.Vec[int]]:
        return fn.models.two_layer(2, 10, 1, self.hidden, weights=fn.normal(1.0))

    def inputs(self, key: fn.Key) -> fn.Matrix:
        x: fn.Matrix = key.child("inputs").generator().uniform(*self.ends, (1000, 2))
        return x.astype(np.float32)

    def params(self, key: fn.Key) -> fn.Params:
        """Those of ``init``, but for the biases, which are N(0, 1) as the weights are."""
        params, draw = self.net().init(key, (2,)), fn.normal(1.0)

        def bias(part: str) -> dict[str, fn.Array]:
            shape = params[part]["b"].shape
            return {"b": draw(key.child(part).child("b"), shape, 1, 1, np.float32)}

        return fn.Params({part: params[part] | bias(part) for part in params})


CASES = {
    "ReLU, U[0, 1]": Case(fn.relu(), (0, 1)),
    "ReLU, U[-5, 5]": Case(fn.relu(), (-5, 5)),
    "ReLU, U[-5, 5], rate .005": Case(fn.relu(), (-5, 5), 0.005),
    "sigmoid, U[0, 1]": Case(fn.sigmoid(), (0, 1)),
    "sigmoid, U[-5, 5]": Case(fn.sigmoid(), (-5, 5)),
}
RUNS_AWAY = "ReLU, U[-5, 5]"


def keys(setting: Setting) -> list[fn.Key]:
    return [fn.Key(seed) for seed in range(setting.choose(5, 1))]


def learn(case: Case, key: fn.Key) -> fn.Array:
    """The loss at each of 1,000 examples of 3a + 2b, learned from one by one, till it runs away."""
    net, x, optimizer = case.net(), case.inputs(key), fn.sgd(case.rate)
    t = x @ np.array([[3], [2]], np.float32)
    step = fn.train_step(net, fn.squared_error(), optimizer)
    start = fn.TrainState.start(case.params(key.child("init")), optimizer, key.child("train"))
    batches = fn.minibatches(key.child("batches"), x, t, size=1)
    states = itertools.islice(itertools.accumulate(batches, step, initial=start), 1, None)
    losses = (state.loss for state in states)
    return np.array([*itertools.takewhile(lambda loss: loss < RUNAWAY, losses)])


def steps_down(losses: fn.Array) -> int:
    """How many steps until the next 20 losses have a mean under .05."""
    means = np.convolve(losses, np.full(20, 1 / 20), "valid")
    return int(np.argmax(means < 0.05))


def regression(setting: Setting) -> Part:
    """Can 2-10-1 learn 3a + 2b from single examples? With ReLU or sigmoid, from wider inputs?"""
    runs = {name: [learn(case, key) for key in keys(setting)] for name, case in CASES.items()}
    down = {
        hidden: [*map(steps_down, runs[f"{hidden}, U[0, 1]"])] for hidden in ("ReLU", "sigmoid")
    }
    spread = {
        name: float(np.median([losses[-200:].std() for losses in each]))
        for name, each in runs.items()
        if name != RUNS_AWAY
    }
    return Part(
        [
            own("steps until 20 losses have a mean under .05, by key: ReLU", down["ReLU"]),
            own("the same: sigmoid", down["sigmoid"]),
            shows(
                "ReLU falls in fewer steps, with each key",
                all(np.less(down["ReLU"], down["sigmoid"])),
            ),
            *[
                own(f"scatter of the last 200 losses (median of keys): {name}", round(each, 5))
                for name, each in spread.items()
            ],
            shows(
                "the wider input scatters over ten times as much",
                spread["sigmoid, U[-5, 5]"] > 10 * spread["sigmoid, U[0, 1]"]
                and spread["ReLU, U[-5, 5], rate .005"] > 10 * spread["ReLU, U[0, 1]"],
            ),
        ],
        "Every example is a step, and every step's loss another example's: that is the scatter. "
        "From the wider inputs ReLU learns at rate .005; at the .07 of all others it runs away.",
        {"scatter": fn.plotting.figure(dots(runs, "ReLU"), dots(runs, "sigmoid"), size=(4.5, 3.4))},
        key=0,
    )


def dots(runs: Mapping[str, list[fn.Array]], hidden: str) -> fn.plotting.Drawing:
    """The losses with the first key."""

    def draw(axes: Axes) -> None:
        for name, (losses, *_others) in runs.items():
            if name.startswith(hidden):
                axes.plot(losses, ".", markersize=3, label=name.removeprefix(f"{hidden}, "))
        axes.set(title=f"{hidden}: loss of each example", xlabel="step", ylabel="loss")
        axes.set(yscale="log", ylim=(1e-8, 1e6))
        axes.legend(fontsize="small", loc="upper right")

    return draw


def gains(case: Case, key: fn.Key) -> fn.Array:
    """Of 200 examples, by which share of its error each one's first step would move its output.

    A step moves the output by rate * |dy/dparams|² times the error, as long as slopes hold.
    """
    net, params = case.net(), case.params(key.child("init"))

    def gain(x: fn.Matrix) -> float:
        y, cache = net.forward(params, x, fn.Eval())
        slopes = net.grads(cache, np.ones_like(y))
        return case.rate * sum(float((slope**2).sum()) for _, slope in fn.leaves(slopes))

    return np.array([gain(x[None]) for x in case.inputs(key)[:200]])


def running_away(setting: Setting) -> Part:
    """Why does the loss run away with ReLU and the wider inputs, at the rate of the others?"""
    lengths = [len(learn(CASES[RUNS_AWAY], key)) for key in keys(setting)]
    too_far = {
        name: np.mean([gains(case, key) > 2 for key in keys(setting)])
        for name, case in CASES.items()
    }
    return Part(
        [
            own("steps until the loss is over a million, by key", lengths),
            shows("it runs away with each key", max(lengths) < 20),
            *[
                own(f"share of examples at which the first step goes too far: {name}", share)
                for name, share in too_far.items()
            ],
            shows(
                "that is the case at nearly all examples where it runs away",
                too_far[RUNS_AWAY] > 0.8,
            ),
            shows("at none with the sigmoid", too_far["sigmoid, U[-5, 5]"] == 0),
        ],
        "A step that moves an output by twice its error, or more, leaves it as far off as before, "
        "or further. ReLU's slopes grow with the inputs; a sigmoid's hardly do, since it is flat "
        "where sums are large. PyTorch does the same: five such nets ran away in 3 to 7 steps.",
        key=0,
    )


if __name__ == "__main__":
    teach(regression, running_away)
