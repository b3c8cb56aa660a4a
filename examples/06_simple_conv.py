"""The simple convolutional network: almost 99 of 100 digits, with one convolution."""

from __future__ import annotations

import tempfile
from functools import cache, partial
from pathlib import Path
from statistics import median

import numpy as np
from lesson import (
    Learned,
    Part,
    Setting,
    at_least,
    curves_by_key,
    learn,
    misread_images,
    own,
    shows,
    side_by_side,
    teach,
)

import funcnet as fn

NET = fn.models.simple_conv(1, 10, weights=fn.normal(0.01))
KEYS = (0, 1, 2)


def train(setting: Setting, key: int) -> Learned:
    """Adam, batches of 100, 20 epochs."""
    data, epochs = setting.images(), setting.choose(20, 2)
    loss, optimizer = fn.softmax_cross_entropy(), fn.adam(0.001)
    run = fn.prepare(fn.Key(key), NET, loss, optimizer, *data.train, size=100, epochs=epochs)
    return learn(run, NET, data.test)


@cache
def trained(setting: Setting) -> list[Learned]:
    """The network trained from each key, once for all parts of this lesson."""
    return side_by_side(setting, partial(train, setting), KEYS)


def simple_conv_net(setting: Setting) -> Part:
    """How well are digits read by one convolution, a pool and two dense layers?"""
    data, runs = setting.images(), trained(setting)
    reached = [one.accuracies[-1] for one in runs]
    known = [fn.accuracy(NET, one.params, *data.train) for one in runs]
    spec, _ = NET.spec(data.train.x.shape[1:])
    return Part(
        [
            at_least(
                "test accuracy at the last epoch, median of three keys",
                0.989,
                median(reached),
                0.001,
            ),
            own("keys 0, 1 and 2", reached),
            own("train accuracy, keys 0, 1 and 2", known),
            own("trained parameters", fn.count(spec)),
        ],
        "Three keys, and each as it came: no run was chosen. Most of what there is to gain comes "
        "in the first five epochs. At the end the training images are known almost by heart, and "
        "the test accuracy only wavers.",
        {
            "net": fn.diagram(NET, (1, 28, 28)).svg(),
            "learning": fn.plotting.figure(curves_by_key(runs, "learning"), size=(6.8, 3.0)),
        },
        key=0,
    )


def saved_and_loaded(setting: Setting) -> Part:
    """Does a network read the same after its parameters went through a file?"""
    test, params = setting.images().test, trained(setting)[0].params
    like = NET.init(fn.Key(1), test.x.shape[1:])  # refuses a file of another network
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "params.npz"
        fn.save(file, params)
        loaded, size = fn.load(file, like=like), file.stat().st_size
    before, after = (fn.predict(NET, each, test.x) for each in (params, loaded))
    return Part(
        [
            shows("the same outputs for all test images, to the bit", (before == after).all()),
            shows("the same parameters", params == loaded),
            own("bytes of the file", size),
            own("bytes of the parameters", sum(w.nbytes for _, w in fn.leaves(params))),
        ],
        "The file holds each array under its name, and a list of the names; no network is in it: "
        "that is the line of Python that made it.",
        key=0,
    )


def misread(setting: Setting) -> Part:
    """What does the network of key 0 misread, and what for what?"""
    (x, t), params = setting.images().test, trained(setting)[0].params
    read = fn.predict(NET, params, x).argmax(1)
    matrix = fn.confusion_matrix(NET, params, x, t)
    wrong = np.flatnonzero(read != t)
    mistakes = matrix - np.diag(np.diag(matrix))
    label, taken = np.unravel_index(mistakes.argmax(), mistakes.shape)
    return Part(
        [
            own("test images misread", len(wrong)),
            own("of", len(x)),
            own("the commonest mistake", f"{label} read as {taken}"),
            own("how often", mistakes.max()),
            shows("the matrix counts every image once", matrix.sum() == len(x)),
            shows("what is off its diagonal was misread", mistakes.sum() == len(wrong)),
        ],
        "The first 24 of them; the label first, then what was read. Mistakes are few and spread "
        "over many pairs: no two digits are mixed up as a rule.",
        {
            "misread": misread_images(x, t, read),
            "confusion": fn.plotting.figure(fn.plotting.confusion(matrix), size=(5.6, 5.0)),
        },
        key=0,
    )


if __name__ == "__main__":
    teach(simple_conv_net, saved_and_loaded, misread)
