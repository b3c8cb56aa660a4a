"""Readers of digits: one that knows nothing, and one that has learned, saved and loaded."""

from __future__ import annotations

import tempfile
import time
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from lesson import Part, Setting, at_least, own, progress, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZES = [1, 10, 100, 1000]  # images at a time


def reader(hidden: list[int], weights: fn.Initializer) -> fn.AnyLayer:
    dense = fn.models.multi_layer(..., hidden, 10, fn.sigmoid(), weights=weights)
    return fn.flatten() >> dense


def untrained_reader(setting: Setting) -> Part:
    """What does a network read before it has learned anything?"""
    (x, t), test = setting.images()
    image = x[np.flatnonzero(t == 5)[:1]]
    net = reader([50, 100, 100], fn.normal(0.01)) >> fn.softmax()
    params = [net.init(fn.Key(k), image.shape[1:]) for k in range(5)]
    shares = np.concatenate([net.apply(p, image) for p in params])
    accuracies = [fn.accuracy(net, p, *test) for p in params]
    return Part(
        [
            shows(
                "all probabilities of a 5 lie within .02 of a tenth, for keys 0 to 4",
                np.abs(shares - 0.1).max() < 0.02,
            ),
            own("lowest and highest", [shares.min(), shares.max()]),
            own("test accuracy for keys 0 to 4", accuracies),
            shows("no better than guessing", np.median(accuracies) < 0.15),
        ],
        "Noise: the ten probabilities sum to 1, as softmax sees to, and say nothing of the image. "
        "Which digit comes out highest is an accident of the weights.",
        {
            "untrained": fn.plotting.figure(
                fn.plotting.image(image[0], title="a 5"), bars(shares[0]), size=(3.6, 2.8)
            )
        },
        key=0,
    )


def bars(shares: fn.Array) -> fn.plotting.Drawing:
    def draw(axes: Axes) -> None:
        axes.bar(range(10), shares)
        axes.axhline(0.1, color="black", linewidth=1, linestyle="--")
        axes.set(title="probabilities, untrained", xlabel="digit", xticks=range(10), ylim=(0, 0.2))

    return draw


def trained_reader(setting: Setting) -> Part:
    """How well does a saved network read, one image at a time and in batches of 100?"""
    data = setting.images()
    net = reader([50, 100], fn.xavier_normal)
    trained = learned(net, data.train, setting)
    params = saved_and_loaded(net, trained, data.train.x.shape[1:])
    one, batch = (fn.accuracy(net, params, *data.test, size=size) for size in (1, 100))
    rates = {size: images_per_second(net, params, data.test, size) for size in SIZES}
    chosen = fn.predict(net, params, data.test.x).argmax(1)
    wrong = np.flatnonzero(chosen != data.test.t)[:16]
    titles = [f"{chosen[i]} ({data.test.t[i]})" for i in wrong]
    misread = fn.plotting.images(data.test.x[wrong], titles)
    return Part(
        [
            shows("what was loaded is what was saved, to the bit", params == trained),
            at_least("test accuracy, one image at a time", 0.9352, one),
            at_least("test accuracy, in batches of 100", 0.9352, batch),
            shows("the same both ways", one == batch),
            own("images per second, 1 10 100 1000 at a time", list(rates.values())),
            own("batches of 100 are faster, times", rates[100] / rates[1]),
            shows(
                "batches of 100 are at least three times as fast",
                rates[100] > 3 * rates[1],
                full=True,
            ),
        ],
        "One product of matrices serves a batch: the weights are fetched once for a hundred "
        "images, and Python is asked once. What is read does not change.",
        {
            "rates": fn.plotting.figure(drawn(rates), size=(6.8, 2.8)),
            "misread": fn.plotting.figure(
                *misread, columns=8, size=(0.9, 1.15), title="misread: what it read, and the label"
            ),
        },
        key=0,
    )


def learned(
    net: fn.AnyLayer, train: fn.Batch[fn.Tensor4, fn.Labels], setting: Setting
) -> fn.Params:
    loss, optimizer, epochs = fn.softmax_cross_entropy(), fn.adam(0.001), setting.choose(5, 40)
    run = fn.prepare(fn.Key(0), net, loss, optimizer, *train, size=100, epochs=epochs)
    return reduce(run.step, progress(run.batches, "training"), run.start).params


def saved_and_loaded(net: fn.AnyLayer, params: fn.Params, shape: tuple[int, ...]) -> fn.Params:
    """Through a file; ``like`` makes sure that it holds this network's parameters."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "reader.npz"
        fn.save(file, params)
        return fn.load(file, like=net.init(fn.Key(0), shape))


def images_per_second(
    net: fn.AnyLayer, params: fn.Params, test: fn.Batch[fn.Tensor4, fn.Labels], size: int
) -> float:
    """Of three readings of the test images, the quickest."""

    def seconds() -> float:
        began = time.perf_counter()
        fn.predict(net, params, test.x, size)
        return time.perf_counter() - began

    return len(test.x) / min(seconds() for _ in range(3))


def drawn(rates: dict[int, float]) -> fn.plotting.Drawing:
    def draw(axes: Axes) -> None:
        axes.bar([*map(str, rates)], [rate / 1000 for rate in rates.values()])
        axes.set(title="thousands of images read in a second", xlabel="images at a time")

    return draw


if __name__ == "__main__":
    teach(untrained_reader, trained_reader)
