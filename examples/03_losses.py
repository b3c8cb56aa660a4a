"""Losses: one number for how wrong a network is, and why it is not the accuracy."""

from __future__ import annotations

import numpy as np
from lesson import Part, Setting, equal, own, shows, teach

import funcnet as fn

LABEL = np.array([2])
SURE_OF_2 = np.array([[0.1, 0.05, 0.6, 0, 0.05, 0.1, 0, 0.1, 0, 0]])
SURE_OF_7 = np.array([[0.1, 0.05, 0.1, 0, 0.05, 0.1, 0, 0.6, 0, 0]])


def squared_error(setting: Setting) -> Part:
    """How far are outputs from their targets, by half the sum of the squared differences?"""

    def loss(y: fn.Matrix, t: fn.Matrix) -> float:
        return fn.squared_error().forward(y, t)[0]

    y, right = np.array([[1.0, 2, 3]]), fn.one_hot(LABEL, 10)
    return Part(
        [
            equal("probabilities with .6 on the label", 0.0975, loss(SURE_OF_2, right)),
            own("probabilities with .1 on the label", loss(SURE_OF_7, right)),
            equal("(1, 2, 3) against (1, 2, 4)", 0.5, loss(y, np.array([[1.0, 2, 4]]))),
            equal("(1, 2, 3) against (1, 2, 10)", 24.5, loss(y, np.array([[1.0, 2, 10]]))),
            equal("(1, 2, 3) against itself", 0, loss(y, y)),
        ],
        "It counts every output, and large differences most: 7 times as far is 49 times as wrong. "
        "It takes outputs as they are; the targets of labels are one-hot rows.",
    )


def logits(probabilities: fn.Matrix) -> fn.Matrix:
    """What softmax makes these very probabilities of: their logarithms."""
    with np.errstate(divide="ignore"):  # of a probability 0, -inf, of which softmax makes 0 again
        found: fn.Matrix = np.log(probabilities)
    return found


def cross_entropy(setting: Setting) -> Part:
    """How surprising is the label, by the logarithm of the probability that it was given?"""

    def loss(probabilities: fn.Matrix) -> float:
        return fn.softmax_cross_entropy().forward(logits(probabilities), LABEL)[0]

    def course(probabilities: fn.Matrix) -> float:
        return -float(np.log(probabilities[0, 2] + 1e-7))

    back = fn.softmax().apply(fn.NO_PARAMS, logits(SURE_OF_2))
    slope = fn.plotting.figure(
        fn.plotting.functions(
            {
                "-log p": lambda p: -np.log(p),
                "(1 - p)² / 2, its term of the squared error": lambda p: (1 - p) ** 2 / 2,
            },
            0.005,
            1,
            title="what a label costs that got the probability p",
            x="p",
            y="loss",
        ),
        size=(6.5, 3.2),
    )
    return Part(
        [
            equal("softmax of log y, away from y", 0, np.abs(back - SURE_OF_2).max(), 1e-15),
            equal(".6 on the label", 0.510825624, loss(SURE_OF_2), 5e-10),
            equal(".1 on the label", 2.302585093, loss(SURE_OF_7), 5e-10),
            equal(".6, with the course's 1e-7 in the log", 0.510825457, course(SURE_OF_2), 5e-10),
            equal(".1, with the course's 1e-7 in the log", 2.302584093, course(SURE_OF_7), 5e-10),
        ],
        "The course's loss takes probabilities y, and adds 1e-7 lest it take the log of 0. "
        "funcnet's take the sums that softmax gets, and stay exact however far apart these are. "
        "Probabilities go in as log y, since softmax(log y) = y.",
        {"slope": slope},
    )


NET, PIXEL, CLASS = fn.dense(64, 10), 18, 3


def nudged(params: fn.Params, by: float) -> fn.Params:
    """The parameters with one weight changed: that of the sum for 3 by one pixel."""
    W = params["W"].copy()
    W[PIXEL, CLASS] += by
    return params | {"W": W}


def loss_not_accuracy(setting: Setting) -> Part:
    """Why descend the loss, when it is the accuracy that is wanted? Nudge a weight and see."""
    test = fn.datasets.digits().test
    x, t = test.x[:100].reshape(100, 64).astype(float), test.t[:100]
    start = NET.init(fn.Key(0), (64,), float)

    def accuracy(params: fn.Params) -> float:
        return fn.accuracy(NET, params, x, t)

    def loss(params: fn.Params) -> float:
        return fn.evaluate(NET, fn.softmax_cross_entropy(), params, x, t)

    by_accuracy, by_loss = (fn.numerical_gradient(f, start, 1e-6) for f in (accuracy, loss))
    inked = x.max(0) > 0  # the others are blank in all 100 images: their weights do nothing
    by = np.linspace(-2, 2, 801)
    right, lost = (np.array([f(nudged(start, one)) for one in by]) for f in (accuracy, loss))
    move, half = (float(np.abs(np.diff(seen)).max()) for seen in (lost[::2], lost))
    jumps = np.abs(np.diff(right))
    about = f"one weight nudged, pixel {PIXEL} to class {CLASS}"
    return Part(
        [
            own("accuracy on 100 digits, untrained", accuracy(start)),
            shows(
                "the accuracy's slope is 0 in each of 650 numbers",
                not any(slope.any() for _, slope in fn.leaves(by_accuracy)),
            ),
            shows(
                "the loss has a slope in each, but for pixels that are blank in all images",
                (by_loss["W"].any(1) == inked).all() and by_loss["b"].all(),
            ),
            own("values of the accuracy at 801 nudges", len(set(right))),
            own("values of the loss", len(set(lost))),
            shows(
                "the accuracy is stepwise: it stays, or jumps by whole images",
                np.allclose(jumps * 100, np.rint(jumps * 100)) and (jumps == 0).mean() > 0.9,
            ),
            own("the loss's largest move from one nudge to the next", half),
            shows(
                "the loss is smooth: it moves half as far in half a nudge",
                0.49 < half / move < 0.51,
            ),
        ],
        "The accuracy does not say which way to go: a small nudge leaves it where it is, a large "
        "one lets it jump. The loss answers the smallest nudge, also where no image changes sides.",
        {
            "nudge": fn.plotting.figure(
                fn.plotting.curves({"accuracy": (by, right)}, title=about, x="nudge", y="accuracy"),
                fn.plotting.curves({"loss": (by, lost)}, title=about, x="nudge"),
            )
        },
        key=0,
    )


if __name__ == "__main__":
    teach(squared_error, cross_entropy, loss_not_accuracy)
