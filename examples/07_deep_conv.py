"""The deep convolutional network: over 99 of 100 digits, with decay, an ensemble, 16 bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from statistics import median
from typing import Any

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

NET = fn.models.deep_conv(1, 10)
KEYS, FURTHER = (0, 1, 2), (3, 4, 5, 6)
RATE = 0.001
RECIPES: Mapping[str, Callable[[int], fn.Schedule]] = {
    "constant": lambda steps: fn.constant(RATE),
    "cosine": lambda steps: fn.cosine_decay(RATE, steps),
}
"""The learning rate of a run of so many steps."""


def train(setting: Setting, recipe: str, key: int) -> Learned:
    """Adam, batches of 100, 20 epochs."""
    data, epochs = setting.images(), setting.choose(20, 1)
    optimizer = fn.adam(RECIPES[recipe](epochs * len(data.train.x) // 100))
    loss = fn.softmax_cross_entropy()
    run = fn.prepare(fn.Key(key), NET, loss, optimizer, *data.train, size=100, epochs=epochs)
    return learn(run, NET, data.test)


@cache
def trained(setting: Setting, recipe: str) -> list[Learned]:
    """The network trained from each key, once for all parts of this lesson."""
    return side_by_side(setting, partial(train, setting, recipe), KEYS)


def members(setting: Setting, recipe: str) -> list[tuple[fn.Layer[Any, Any], fn.Params]]:
    """The trained networks, giving probabilities."""
    return [(NET >> fn.softmax(), one.params) for one in trained(setting, recipe)]


def last(setting: Setting, recipe: str) -> list[float]:
    """The test accuracy after the last epoch, for each key."""
    return [one.accuracies[-1] for one in trained(setting, recipe)]


def deep_conv_net(setting: Setting) -> Part:
    """How well are digits read by six convolutions, three pools and two dense layers?"""
    reached, runs = last(setting, "constant"), trained(setting, "constant")
    more = side_by_side(setting, partial(train, setting, "constant"), FURTHER)
    seven = reached + [one.accuracies[-1] for one in more]
    late = [float(np.mean(one.accuracies[-10:])) for one in runs]
    return Part(
        [
            at_least(
                "test accuracy at the last epoch, median of three keys", 0.99, median(reached)
            ),
            own("keys 0, 1 and 2", reached),
            own("keys 3 to 6", seven[3:]),
            shows("the median of the seven is at least .992", median(seven) >= 0.992, full=True),
            own("means of the last ten epochs, keys 0, 1 and 2", late),
            own("trained parameters", fn.count(NET.spec(setting.images().train.x.shape[1:])[0])),
        ],
        "Each key as it came: no run was chosen. Adam's steps are as large at the end as at the "
        "start, so that from one epoch to the next the accuracy still moves by a thousandth, and "
        "where a run ends is partly luck. PyTorch, given the weights of keys 0, 1 and 2 to start "
        "from and the same batches, came to .9926, .9934 and .9923.",
        {"net": fn.diagram(NET, (1, 28, 28)).svg()},
        key=0,
    )


def decay(setting: Setting) -> Part:
    """Does it help to let the learning rate fall to nothing?"""
    constant, cosine = last(setting, "constant"), last(setting, "cosine")
    return Part(
        [
            own("a constant rate, keys 0, 1 and 2", constant),
            own("cosine decay, keys 0, 1 and 2", cosine),
            shows("with decay the median is at least .994", median(cosine) >= 0.994, full=True),
            shows("decay raises the median", median(cosine) > median(constant), full=True),
        ],
        "The same networks, from the same keys, see the same batches. Small steps at the end let "
        "each settle where it is, and the last epoch is about as good as the best.",
        {
            "decay": fn.plotting.figure(
                *[curves_by_key(trained(setting, recipe), f"{recipe} rate") for recipe in RECIPES],
                size=(4.2, 3.2),
            )
        },
        key=0,
    )


def ensemble(setting: Setting) -> Part:
    """Do three networks together read better than each alone?"""
    (x, t), findings = setting.images().test, []
    for recipe in RECIPES:
        together = fn.ensemble_predict(members(setting, recipe), x)
        share = float((together.argmax(1) == t).mean())
        alone = last(setting, recipe)
        findings.append(own(f"{recipe} rate: the mean of their probabilities", share))
        findings.append(own(f"{recipe} rate: each alone", alone))
        findings.append(
            shows(f"{recipe} rate: it is above the best of them", share > max(alone), full=True)
        )
    return Part(
        findings,
        "What one misreads another often reads, and where they disagree the surest counts most. It "
        "costs three times the work.",
    )


def misread(setting: Setting) -> Part:
    """What does the network of key 0, trained with decay, misread?"""
    x, t = setting.images().test
    params = trained(setting, "cosine")[0].params
    read = fn.predict(NET, params, x).argmax(1)
    return Part(
        [own("test images misread", int((read != t).sum())), own("of", len(x))],
        "The first 24: the label, then what was read. Many of them a person would have to think "
        "about; a few are plain mistakes.",
        {"misread": misread_images(x, t, read)},
        key=0,
    )


def half_precision(setting: Setting) -> Part:
    """Are 16 bits enough for the parameters of a trained network?"""
    test, params = setting.images().test, trained(setting, "cosine")[0].params
    half = fn.tree_map(lambda w: w.astype(np.float16), params)
    full_outputs, half_outputs = (fn.predict(NET, each, test.x) for each in (params, half))
    share = [fn.accuracy(NET, each, *test) for each in (params, half)]
    sizes = [sum(w.nbytes for _, w in fn.leaves(each)) for each in (params, half)]
    return Part(
        [
            own("accuracy with float32 and float16 parameters", share),
            shows("equal to three digits", abs(share[0] - share[1]) < 0.0005, full=True),
            own("bytes of parameters", sizes),
            shows("half the bytes", sizes[0] == 2 * sizes[1]),
            own(
                "largest difference of an output", float(np.abs(full_outputs - half_outputs).max())
            ),
            shows("outputs are float32 with either", half_outputs.dtype == np.float32),
        ],
        "float16 keeps 11 bits of a number, about three digits. The parameters are stored in it; "
        "products and sums are computed in float32.",
        key=0,
    )


if __name__ == "__main__":
    teach(deep_conv_net, decay, ensemble, misread, half_precision)
