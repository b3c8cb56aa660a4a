"""Optimizers: seven ways to make steps of gradients, on MNIST and in a long valley."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, islice
from typing import Any

import numpy as np
from lesson import Part, Setting, at_most, equal, own, progress, shows, teach

import funcnet as fn

LOSS = fn.softmax_cross_entropy()
COURSE = ["SGD", "Momentum", "AdaGrad", "Adam"]
OTHERS = ["Nesterov", "RMSprop", "AdaDelta"]
AT_100 = [1.604, 0.397, 0.213, 0.381]
AT_1900 = [0.204, 0.040, 0.020, 0.022]

net = fn.flatten() >> fn.models.multi_layer(..., [100] * 4, 10, fn.relu(), weights=fn.he_normal)


def on_mnist(setting: Setting) -> Part:
    """Which optimizer brings the loss of 784-100-100-100-100-10 down fastest, in 2,000 steps?"""
    optimizers: Mapping[str, fn.Optimizer[Any]] = {
        "SGD": fn.sgd(0.01),
        "Momentum": fn.momentum(0.01, 0.9),
        "AdaGrad": fn.adagrad(0.01),
        "Adam": fn.adam(0.001),
        "Nesterov": fn.nesterov(0.01, 0.9),
        "RMSprop": fn.rmsprop(0.001),
        "AdaDelta": fn.adadelta(),
    }
    train, steps, keys = setting.images().train, setting.choose(2000, 20), setting.choose(5, 1)
    runs = {
        name: np.array([losses(optimizer, fn.Key(n), train, steps) for n in range(keys)])
        for name, optimizer in progress(optimizers.items(), "optimizers")
    }
    reach, places = setting.choose(20, 2), (setting.choose(100, 4), setting.choose(1900, 18))
    early, late = (
        {name: run[:, step - reach : step + reach] for name, run in runs.items()} for step in places
    )
    return Part(
        [
            at_most(
                "loss around step 100: SGD, Momentum, AdaGrad, Adam", AT_100, after(early, COURSE)
            ),
            at_most("loss around step 1,900", AT_1900, after(late, COURSE), within=0.025),
            shows(
                "all eight recorded losses lie between the 5th and the 95th percentile of the "
                "200 around their step",
                [*within(early, AT_100), *within(late, AT_1900)] == [True] * 8,
                full=True,
            ),
            shows(
                "around step 100 AdaGrad is lowest, then Adam, Momentum, SGD: in each of the "
                "five runs",
                all(
                    ranks(early, one) == ["AdaGrad", "Adam", "Momentum", "SGD"]
                    for one in range(keys)
                ),
                full=True,
            ),
            own("around step 100: Nesterov, RMSprop, AdaDelta", after(early, OTHERS)),
            own("around step 1,900: Nesterov, RMSprop, AdaDelta", after(late, OTHERS)),
            own("around 1,900, before the step: the course's four", before(late, COURSE)),
            own("around 1,900, before the step: the three others", before(late, OTHERS)),
        ],
        "A figure of the course's is the loss of one batch of 128, after the step that the batch "
        "was for. Such losses scatter widely; ours are means over 40 steps (81 to 120, 1,881 to "
        "1,920) and the keys 0 to 4. After the step RMSprop and AdaDelta look best: they have just "
        "learned that batch. Before it all but SGD are nearly alike. The curves fall at steps 470, "
        "939, 1,408 and 1,877: from there on every image has been seen once more.",
        {
            "losses": fn.plotting.figure(
                drawing(runs, COURSE, "the course's four"),
                drawing(runs, [COURSE[0], *OTHERS], "SGD and three more"),
                size=(4.6, 3.5),
            )
        },
        key=0,
    )


def losses(
    optimizer: fn.Optimizer[Any], key: fn.Key, train: fn.Batch[fn.Tensor4, fn.Labels], steps: int
) -> list[tuple[float, float]]:
    """The loss of each step's batch, before the step and after it."""
    step, batches, start = fn.prepare(key, net, LOSS, optimizer, *train, size=128, epochs=5)
    batches = batches[:steps]
    states = accumulate(batches, step, initial=start)
    return [
        (state.loss, fn.evaluate(net, LOSS, state.params, *batch))
        for state, batch in zip(islice(states, 1, None), batches, strict=True)
    ]


def before(runs: Mapping[str, fn.Array], names: Sequence[str]) -> list[float]:
    """The mean loss before the step of the runs called ``names``."""
    return [float(runs[name][..., 0].mean()) for name in names]


def after(runs: Mapping[str, fn.Array], names: Sequence[str]) -> list[float]:
    """The mean loss after the step of the runs called ``names``."""
    return [float(runs[name][..., 1].mean()) for name in names]


def within(runs: Mapping[str, fn.Array], recorded: Sequence[float]) -> list[bool]:
    """Whether each loss of the course's four is one of the middle nine tenths of ours."""
    spans = [np.percentile(runs[name][..., 1], [5, 95]) for name in COURSE]
    return [bool(low <= loss <= high) for loss, (low, high) in zip(recorded, spans, strict=True)]


def ranks(runs: Mapping[str, fn.Array], one: int) -> list[str]:
    """The course's four by their mean loss in one run, the lowest first."""
    return sorted(COURSE, key=lambda name: float(runs[name][one, :, 1].mean()))


def drawing(runs: Mapping[str, fn.Array], names: Sequence[str], title: str) -> fn.plotting.Drawing:
    """Losses after the step, a mean of all runs and of ten steps around each."""
    lines = {
        name: np.convolve(runs[name][..., 1].mean(0), np.full(10, 0.1), "valid") for name in names
    }
    return fn.plotting.curves(lines, title=title, log=True)


# ---- in a valley -------------------------------------------------------------------------------


def paths(setting: Setting) -> Part:
    """Which way do they take from (-7, 2) down the valley x^2/20 + y^2?"""
    optimizers: Mapping[str, fn.Optimizer[Any]] = {
        "SGD 0.95": fn.sgd(0.95),
        "Momentum 0.1": fn.momentum(0.1),
        "Nesterov 0.1": fn.nesterov(0.1),
        "AdaGrad 1.5": fn.adagrad(1.5),
        "RMSprop 0.3": fn.rmsprop(0.3, decay=0.9),
        "AdaDelta, epsilon 0.1": fn.adadelta(epsilon=0.1),
        "Adam 0.3": fn.adam(0.3),
    }
    ways = {name: descend(optimizer) for name, optimizer in optimizers.items()}
    k = np.array([10, 20, 30])
    closed = np.column_stack([-7 * (1 - 0.095) ** k, 2 * (1 - 1.9) ** k])
    crossings = (np.diff(np.sign(ways["SGD 0.95"][:, 1])) != 0).sum()
    lowest = {name: way[:, 1].min() for name, way in ways.items()}
    return Part(
        [
            equal(
                "SGD after 10, 20, 30 steps is at (-7 * .905^k, 2 * (-.9)^k)",
                closed,
                ways["SGD 0.95"][k],
                1e-12,
            ),
            shows("SGD crosses the valley's floor in each of its 30 steps", crossings == 30),
            shows("Momentum overshoots the minimum", ways["Momentum 0.1"][:, 0].max() > 0.5),
            shows(
                "Nesterov's momentum swings across the floor less far than Momentum",
                lowest["Nesterov 0.1"] > lowest["Momentum 0.1"] + 0.3,
            ),
            shows(
                "AdaGrad, RMSprop and AdaDelta stay on their side, to a thousandth",
                min(lowest["AdaGrad 1.5"], lowest["RMSprop 0.3"], lowest["AdaDelta, epsilon 0.1"])
                > -0.001,
            ),
            *[own(f"{name}, after 30 steps", way[-1]) for name, way in ways.items()],
            own("AdaDelta as it is, epsilon 1e-6, after 30 steps", descend(fn.adadelta())[-1]),
        ],
        "The slope across the valley is twenty times that along it. SGD must take one rate for "
        "both; those that divide by the size of past gradients take one for each. AdaDelta's first "
        "moves are as small as its epsilon: as it is, it has hardly left in 30 steps.",
        {
            "paths": fn.plotting.figure(
                *[
                    fn.plotting.over(
                        fn.plotting.contours(valley, (-8, 8), (-3, 3)),
                        fn.plotting.path(way, title=name),
                    )
                    for name, way in ways.items()
                ],
                columns=4,
                size=(2.5, 1.9),
            )
        },
    )


def valley(x: fn.Array, y: fn.Array) -> fn.Array:
    """Where the paths lead down."""
    floor: fn.Array = x**2 / 20 + y**2
    return floor


def descend(optimizer: fn.Optimizer[Any]) -> fn.Array:
    """The points (31, 2) of 30 steps down the valley from (-7, 2)."""
    start = fn.Params({"point": np.array([-7.0, 2.0])})

    def step(at: tuple[fn.Params, Any], _: int) -> tuple[fn.Params, Any]:
        params, state = at
        slope = fn.Grads({"point": params.leaf("point") * [0.1, 2.0]})
        updates, state = optimizer.update(slope, state, params)
        return fn.apply_updates(params, updates), state

    states = accumulate(range(30), step, initial=(start, optimizer.init(start)))
    return np.array([params.leaf("point") for params, _ in states])


if __name__ == "__main__":
    teach(on_mnist, paths)
