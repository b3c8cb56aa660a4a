"""A network of two layers learns to read digits, by small steps down the loss of small batches."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from lesson import Part, Run, Setting, at_least, own, progress, shows, teach, watch

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RECORDED = [
    *[0.098, 0.793, 0.878, 0.901, 0.910, 0.916, 0.919, 0.926, 0.929],
    *[0.933, 0.933, 0.937, 0.939, 0.940, 0.941, 0.943, 0.946],
]


def learn(key: fn.Key, setting: Setting) -> Run:
    data, loss = setting.images(), fn.softmax_cross_entropy()
    net = fn.flatten() >> fn.models.two_layer(..., 50, 10, fn.sigmoid(), weights=fn.normal(0.01))
    epochs, steps = setting.choose(17, 3), setting.choose(10_000, 45)
    run = fn.prepare(key, net, loss, fn.sgd(0.1), *data.train, size=100, epochs=epochs)
    batches = progress(run.batches[:steps], "training")
    states = itertools.accumulate(batches, run.step, initial=run.start)
    return watch(states, run.batches.per_epoch, net, data)


def two_layer_net(setting: Setting) -> Part:
    """How well does 784-50-10 learn MNIST in 10,000 steps? And digits that it was not shown?"""
    runs = [learn(fn.Key(seed), setting) for seed in range(setting.choose(5, 1))]
    train, test = (np.array([run.accuracies[:, i] for run in runs]) for i in (0, 1))
    return Part(
        [
            at_least(
                "test accuracy at epochs 0 to 16, median of keys 0 to 4",
                RECORDED,
                np.median(test, axis=0),
                0.003,
            ),
            own("the same with key 0", test[0].round(4)),
            own("training accuracy with key 0", train[0].round(4)),
            own("test accuracy at the last epoch, by key", test[:, -1]),
            shows(
                "training and test accuracy rise together, never 2 in 100 apart",
                np.abs(train - test).max() < 0.02,
                full=True,
            ),
        ],
        "What it learned of 60,000 digits holds for 10,000 others: it has not learned by heart. "
        "The loss jumps about, as each batch is other digits, and falls all the same.",
        {"learning": picture(runs[0])},
        key=0,
    )


def picture(run: Run) -> Figure:
    train, test = run.accuracies.T
    accuracies = {"train": train, "test": test, "test, recorded": np.array(RECORDED)}
    late = {name: (range(2, len(line)), line[2:]) for name, line in accuracies.items()}
    return fn.plotting.figure(
        fn.plotting.curves({"each batch": run.losses}, title="loss"),
        fn.plotting.curves(accuracies, title="accuracy", x="epoch", y="", markers="."),
        fn.plotting.curves(late, title="from epoch 2 on", x="epoch", y="", markers="."),
        size=(3.6, 3.2),
    )


if __name__ == "__main__":
    teach(two_layer_net)
