"""Backpropagation: training by backward passes, a check of every gradient, and what it saves."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from lesson import Part, Run, Setting, at_least, at_most, own, progress, shows, teach, watch

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T")

LOSS = fn.softmax_cross_entropy()
RECORDED = [
    *[0.908, 0.924, 0.934, 0.944, 0.947, 0.952, 0.956, 0.961],
    *[0.963, 0.963, 0.966, 0.966, 0.968, 0.969, 0.970, 0.968],
]


def two_layer(hidden: int) -> fn.AnyLayer:
    return fn.flatten() >> fn.models.two_layer(..., hidden, 10, weights=fn.normal(0.01))


def learn(key: fn.Key, setting: Setting) -> Run:
    data, net = setting.images(), two_layer(50)
    epochs = setting.choose(16, quick=10)
    run = fn.prepare(key, net, LOSS, fn.sgd(0.1), *data.train, size=100, epochs=epochs)
    batches = progress(run.batches, "training")
    states = itertools.accumulate(batches, run.step, initial=run.start)
    return watch(states, run.batches.per_epoch, net, data)


def two_layer_net(setting: Setting) -> Part:
    """How well does a two-layer net with ReLU learn MNIST, its gradients from backward passes?"""
    runs = [learn(fn.Key(seed), setting) for seed in range(setting.choose(5, quick=1))]
    train, test = np.median([run.accuracies for run in runs], axis=0).T
    last = runs[0].losses[-600:]
    return Part(
        [
            shows("before training it guesses: near one in ten", test[0] < 0.2),
            at_least(
                "test accuracy after epochs 1 to 16, median of keys 0 to 4",
                RECORDED,
                test[1:],
                0.003,
            ),
            own("training accuracy after the last epoch", train[-1]),
            own("loss, mean over the last epoch", float(np.mean(last))),
            shows(
                "the recorded loss of the batch at step 9,600, .048, is one as in the last epoch",
                np.quantile(last, 0.05) < 0.048 < np.quantile(last, 0.95),
                full=True,
            ),
        ],
        "With ReLU in place of the sigmoid, the first epoch gets as far as the fourth did before. "
        "Training and test accuracy rise together, and part a little at the end.",
        {"training": training_figure(runs[0].losses, {"train": train, "test": test})},
        key=0,
    )


def training_figure(losses: list[float], accuracies: dict[str, fn.Array]) -> Figure:
    after = {
        **{name: line[1:] for name, line in accuracies.items()},
        "recorded": np.array(RECORDED),
    }
    lines = {name: (range(1, len(line) + 1), line) for name, line in after.items()}
    return fn.plotting.figure(
        fn.plotting.curves({"each batch": losses}, title="loss", log=True),
        fn.plotting.curves(lines, title="accuracy", x="epoch", y="", markers="."),
    )


def gradient_check(setting: Setting) -> Part:
    """Is what backward gives the gradient, and what does it save, beside nudging each number?"""
    train, _ = setting.images()
    net = two_layer(setting.choose(50, quick=5))
    x, t = train.x[:3].astype(np.float64), train.t[:3]
    params = net.init(fn.Key(0), x.shape[1:], np.float64)

    numerical, slow = timed(
        lambda: fn.numerical_gradient(lambda p: fn.evaluate(net, LOSS, p, x, t), params)
    )
    (_, grads, _), fast = timed(lambda: fn.value_and_grad(net, LOSS)(params, x, t, fn.Eval()))
    by_nudging = dict(fn.leaves(numerical))
    apart = {
        path: float(np.abs(exact - by_nudging[path]).max()) for path, exact in fn.leaves(grads)
    }
    return Part(
        [at_most(f"furthest apart in {path}", 1e-9, distance) for path, distance in apart.items()]
        + [
            own("parameters", fn.count(params)),
            own("evaluations of the loss, by nudging", 2 * fn.count(params)),
            own("seconds, by nudging", round(slow, 2)),
            own("seconds, by one backward pass", round(fast, 6)),
            shows("one backward pass is over 1,000 times as fast", slow > 1000 * fast, full=True),
        ],
        "Nudging costs two evaluations of the loss for each parameter, backward one pass for all "
        "of them. So nudging is for checking, as fn.check_layer does for layers of your own.",
        key=0,
    )


def timed(run: Callable[[], T]) -> tuple[T, float]:
    """What ``run`` gives, and the seconds it took, the least of three where it is quick."""
    tries = []
    for _ in range(3):
        began = time.perf_counter()
        found = run()
        tries.append(time.perf_counter() - began)
        if tries[-1] > 0.1:
            break
    return found, min(tries)


if __name__ == "__main__":
    teach(two_layer_net, gradient_check)
