"""Overfitting: a network that knows 300 images by heart, and what holds it back."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from lesson import Part, Setting, at_least, at_most, equal, own, progress, shows, teach

import funcnet as fn

LOSS = fn.softmax_cross_entropy()
EVERY = 20  # epochs from one look at the accuracies to the next


class Runs(NamedTuple):
    """One network trained from several keys: accuracies (keys, looks, 2), and what it came to.

    The last axis is train and test.
    """

    accuracies: fn.Array
    params: list[fn.Params]

    def medians(self) -> fn.Matrix:
        """Train and test accuracy (looks, 2), over the keys."""
        return np.asarray(np.median(self.accuracies, axis=0))

    def gap(self, look: int = -1) -> float:
        """By how much train is above test at a look, the median over the keys."""
        return float(np.median(self.accuracies[:, look] @ [1, -1]))

    def spans(self, train: float, test: float, look: int = -1) -> bool:
        """Whether these two lie between the lowest and the highest of the keys."""
        seen, two = self.accuracies[:, look], np.array([train, test])
        return bool(((seen.min(0) <= two) & (two <= seen.max(0))).all())

    def test_at(self, train: float) -> float:
        """The test accuracy where the train accuracy passed ``train`` on its way up."""
        return float(np.interp(train, *self.medians().T))


def network(hidden: int, between: fn.AnyLayer) -> fn.Layer[Any, fn.Vec[Any]]:
    """So many hidden layers of 100, ``between`` after each, for images of any size."""
    return fn.flatten() >> fn.models.multi_layer(..., [100] * hidden, 10, between)


def run(
    net: fn.Layer[Any, fn.Vec[Any]],
    optimizer: fn.Optimizer[Any],
    data: fn.Dataset,
    epochs: int,
    key: fn.Key,
) -> list[fn.Params]:
    """The parameters after epochs 1, 21, 41, ..."""
    prepared = fn.prepare(key, net, LOSS, optimizer, *data.train, size=100, epochs=epochs)
    return [state.params for state in itertools.islice(fn.epochs(*prepared), 0, None, EVERY)]


def runs(
    net: fn.Layer[Any, fn.Vec[Any]],
    optimizer: fn.Optimizer[Any],
    data: fn.Dataset,
    epochs: int,
    keys: int,
) -> Runs:
    looks = [
        run(net, optimizer, data, epochs, fn.Key(k)) for k in progress(range(keys), str(optimizer))
    ]
    accuracies = [
        [[fn.accuracy(net, params, *part) for part in data] for params in look] for look in looks
    ]
    return Runs(np.array(accuracies), [look[-1] for look in looks])


def drawn(found: Mapping[str, Runs], title: str) -> list[fn.plotting.Drawing]:
    """Train and test accuracy by epoch, a panel each: the medians over the keys."""
    return [
        fn.plotting.curves(
            {name: (1 + EVERY * np.arange(len(m)), m[:, i]) for name, m in medians.items()},
            title=f"{title}: {part}",
            x="epoch",
            y="accuracy",
        )
        for medians in [{name: one.medians() for name, one in found.items()}]
        for i, part in enumerate(["train", "test"])
    ]


# ---- weight decay ------------------------------------------------------------------------------


def weight_decay(setting: Setting) -> Part:
    """Does weight decay keep a deep network from learning 300 images by heart?"""
    data, epochs, keys = setting.few(300, 100), setting.choose(201, 21), setting.choose(20, 1)

    def decayed(hidden: int, rate: float) -> Runs:
        optimizer = fn.chain(fn.weight_decay(rate, where="**/W"), fn.sgd(0.01))
        return runs(network(hidden, fn.relu()), optimizer, data, epochs, keys)

    five, five_free, six, six_free = (decayed(n, rate) for n in (5, 6) for rate in (0.1, 0.0))
    mild, reached = decayed(5, 0.03), five.medians()[-1, 0]
    return Part(
        [
            at_least("x5, lambda .1: train and test", [0.92, 0.714], five.medians()[-1], 0.02),
            at_most("x5, lambda .1: train less test", 0.206, five.gap()),
            at_least("x6, lambda .1: train and test", [0.86, 0.693], six.medians()[-1]),
            at_most("x6, lambda .1: train less test", 0.167, six.gap(), 0.02),
            shows(
                "both recorded pairs lie between the lowest and the highest of the keys",
                five.spans(0.92, 0.714) and six.spans(0.86, 0.693),
                full=True,
            ),
            own("x5, lambda 0: train and test", five_free.medians()[-1]),
            own("x6, lambda 0: train and test", six_free.medians()[-1]),
            own("lambda 0: train less test, x5 and x6", [five_free.gap(), six_free.gap()]),
            shows(
                "the gap is smaller with lambda .1 than with 0, x5 and x6",
                five.gap() < five_free.gap() and six.gap() < six_free.gap(),
                full=True,
            ),
            own(
                "x5, lambda 0: test when its train was as high as with .1",
                five_free.test_at(reached),
            ),
            shows(
                "test is higher than that with lambda .1",
                five.medians()[-1, 1] > five_free.test_at(reached),
                full=True,
            ),
            own("x5, lambda .03: train and test", mild.medians()[-1]),
        ],
        "With lambda .1 the network cannot know its images by heart, and train lies less far above "
        "test. That is no gain by itself: without decay the test accuracy ends higher. But as long "
        "as both know equally much of the training images, the one with decay reads unseen ones "
        "better. A milder .03 ends a little above none. (Medians over 20 keys; the curves too.)",
        {
            "weight_decay": fn.plotting.figure(
                *drawn({"λ .1": five, "λ 0": five_free}, "five hidden layers"),
                *drawn({"λ .1": six, "λ 0": six_free}, "six hidden layers"),
                columns=2,
            )
        },
        key=0,
    )


# ---- penalties ---------------------------------------------------------------------------------


def penalties(setting: Setting) -> Part:
    """L1 and L2 both keep weights small: where is the difference?"""
    data, epochs, keys = setting.few(300, 100), setting.choose(201, 21), setting.choose(5, 1)
    optimizers = {
        "no penalty": fn.sgd(0.01),
        "L2": fn.chain(fn.weight_decay(0.05), fn.sgd(0.01)),
        "L1": fn.chain(fn.l1_penalty(0.005), fn.sgd(0.01)),
    }
    net = network(5, fn.relu())
    found = {name: runs(net, one, data, epochs, keys) for name, one in optimizers.items()}
    zeros = {name: float(np.median([*map(near_zero, one.params)])) for name, one in found.items()}
    histograms = [
        fn.plotting.histogram(weights(one.params[0]), title=name, bins=81, between=(-0.2, 0.2))
        for name, one in found.items()
    ]
    return Part(
        [
            equal("L2 .25: (1, .3, -.2, .05) becomes",
                  [0.8, 0.24, -0.16, 0.04], shrunk(fn.weight_decay(0.25)), 1e-3),
            equal("L1 .25: it becomes", [0.75, 0.05, 0, 0], shrunk(fn.l1_penalty(0.25)), 1e-3),
            *[own(f"{name}: train and test", one.medians()[-1]) for name, one in found.items()],
            *[own(f"{name}: weights within .001 of 0", share) for name, share in zeros.items()],
            shows("L1 gives more zeros than L2", zeros["L1"] > zeros["L2"]),
            shows("it gives ten times as many", zeros["L1"] > 10 * zeros["L2"], full=True),
        ],
        "At penalties that cost the same accuracy, L1 leaves a third of the weights at 0, where L2 "
        "makes all of them smaller. L1 pulls a weight by the same amount however small it is, and "
        "so pulls it through to 0: (1, .3, -.2, .05) lose .25 each or what they have. The pull of "
        "L2 fades with the weight: each loses the same share, and none is 0. (Medians over 5 "
        "keys; the histograms are those of key 0.)",
        {"penalties": fn.plotting.figure(*histograms, size=(3.1, 2.6))},
        key=0,
    )  # fmt: skip


def weights(params: fn.Params) -> fn.Array:
    """All weights of a network, in one line."""
    return np.concatenate([w.ravel() for path, w in fn.leaves(params) if path.endswith("/W")])


def near_zero(params: fn.Params) -> float:
    """The share of weights that are 0, or as near as a descent in steps comes."""
    return float((np.abs(weights(params)) < 1e-3).mean())


def shrunk(penalty: fn.Optimizer[tuple[()]]) -> fn.Array:
    """Where descent on half of sum((W - (1, .3, -.2, .05))**2) ends under a penalty."""
    optimizer, start = fn.chain(penalty, fn.sgd(0.002)), fn.Params({"W": np.zeros(4)})

    def step(at: tuple[fn.Params, Any], _: int) -> tuple[fn.Params, Any]:
        params, state = at
        grads = fn.Grads({"W": params.leaf("W") - [1, 0.3, -0.2, 0.05]})
        updates, state = optimizer.update(grads, state, params)
        return fn.apply_updates(params, updates), state

    end, _ = functools.reduce(step, range(4000), (start, optimizer.init(start)))
    return end.leaf("W")


# ---- dropout -----------------------------------------------------------------------------------


def weaken(share: float) -> fn.Same:
    """A layer of our own: everything times ``share``."""

    def forward(params: fn.Params, x: fn.Array, mode: fn.Mode) -> tuple[fn.Array, None]:
        return x * share, None

    def backward(cache: None, dy: fn.Array) -> tuple[fn.Array, fn.Grads]:
        return dy * share, fn.NO_GRADS

    return fn.Same("weaken", forward=forward, backward=backward, grads=fn.no_grads)


def dropout(setting: Setting) -> Part:
    """Does dropout keep a deep network from learning 300 images by heart?"""
    data, epochs, keys = setting.few(300, 100), setting.choose(1201, 41), setting.choose(10, 1)
    early = setting.choose(301, 21) // EVERY
    plain, course, scaled = (
        runs(network(6, fn.relu() >> between), fn.sgd(0.01), data, epochs, keys)
        for between in [
            fn.dropout(0.0),
            # The course leaves what is kept as it is, and weakens all in inference.
            fn.dropout(0.2) >> weaken(0.8),
            fn.dropout(0.2),
        ]
    )
    reached = course.medians()[early, 0]
    better = scaled.accuracies[:, -1, 1] > plain.accuracies[:, -1, 1]
    return Part(
        [
            at_least("rate .2 as in the course, early: train and test",
                     [0.703, 0.554], course.medians()[early], 0.06),
            at_most("train less test", 0.149, course.gap(early)),
            shows("the recorded pair lies between the lowest and the highest of the keys",
                  course.spans(0.703, 0.554, early), full=True),
            own("rate 0, early: train and test", plain.medians()[early]),
            own("train less test: rate 0, fn.dropout", [plain.gap(early), scaled.gap(early)]),
            shows("the gap is smaller than with rate 0", course.gap(early) < plain.gap(early)),
            own("rate 0: test when its train was as high as this", plain.test_at(reached)),
            shows("test is higher than that with rate .2",
                  course.medians()[early, 1] > plain.test_at(reached), full=True),
            own("rate .2 of fn.dropout, early: train and test", scaled.medians()[early]),
            own("rate 0, at the end: train and test", plain.medians()[-1]),
            own("as in the course, at the end", course.medians()[-1]),
            own("fn.dropout, at the end", scaled.medians()[-1]),
            shows("it then tests better than rate 0, by every key", better.all(), full=True),
        ],
        "The course leaves what it keeps as it is and weakens all in inference; fn.dropout scales "
        "up in training instead, and differs in nothing else. Without that, numbers shrink from "
        "layer to layer, and learning is so slow that early, at epoch 301, the network is far from "
        "knowing its images. More than half of what the gap has shrunk is learning not done yet; "
        "fn.dropout, which is further on, has nearly the gap of rate 0. What dropout is good for "
        "shows at equal train accuracy, and at the end, epoch 1,201: all know their images by "
        "heart, and those who learned with units missing read unseen ones better. (Medians over 10 "
        "keys; the curves too.)",
        {
            "dropout": fn.plotting.figure(
                *drawn({"0": plain, "fn.dropout(.2)": scaled, "the course's .2": course}, "dropout")
            )
        },
        key=0,
    )  # fmt: skip


if __name__ == "__main__":
    teach(weight_decay, penalties, dropout)
