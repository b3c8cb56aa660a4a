"""Input design: missing values, scales and answers, as numbers that a network can learn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from lesson import Part, Setting, equal, own, shows, teach

import funcnet as fn

NAN = np.nan
PEOPLE = np.array([[170, 65, 31], [158, NAN, 24], [181, 90, 45], [165, 54, NAN]])
"""Height in cm, weight in kg, age in years."""

CODES: dict[str, fn.Matrix] = {
    "1 0 -1 -1": np.array([[1], [0], [-1], [-1]], "float32"),
    "1 0 -1 -2": np.array([[1], [0], [-1], [-2]], "float32"),
    "one-hot": fn.one_hot(np.arange(4), 4),
}
"""What stands for yes, no, neither and unanswered."""

NETS: dict[str, fn.Layer[fn.Vec[Any], fn.Vec[int]]] = {
    "one layer": fn.dense(..., 2),
    "two layers": fn.models.two_layer(..., 20, 2),
}


def missing_values(setting: Setting) -> Part:
    """What stands in for a number that is not known?"""
    lost = np.isnan(PEOPLE)
    zeros = np.where(lost, 0, PEOPLE)
    rows = PEOPLE[~lost.any(1)]
    columns = PEOPLE[:, ~lost.any(0)]
    means = np.where(lost, np.nanmean(PEOPLE, axis=0), PEOPLE)
    return Part(
        [
            equal("zero", [[170, 65, 31], [158, 0, 24], [181, 90, 45], [165, 54, 0]], zeros, 0),
            equal("rows left out", [[170, 65, 31], [181, 90, 45]], rows, 0),
            equal("columns left out", [[170], [158], [181], [165]], columns, 0),
            equal("the column's mean", [209 / 3, 100 / 3], means[lost], 1e-12),
        ],
        "A zero is a number like any other: to the network, somebody weighs nothing. Rows left out "
        "cost examples, columns left out cost what they tell of everybody. Where inputs are "
        "standardised, a zero put in afterwards is the column's mean.",
    )


def scaling(setting: Setting) -> Part:
    """How do features of different sizes come to lie in [0, 1], or in [-1, 1]?"""
    pixels = np.array([0, 51, 102, 255])
    people = PEOPLE[[0, 2], :2]
    taller = np.array([192, 77.5])
    low, high = people.min(0), people.max(0)
    unit, third = (people - low) / (high - low), (taller - low) / (high - low)
    return Part(
        [
            equal("pixels, to [0, 1]", [0, 0.2, 0.4, 1], pixels / 255, 1e-12),
            equal("pixels, to [-1, 1]", [-1, -0.6, -0.2, 1], pixels / 255 * 2 - 1, 1e-12),
            equal("two people, to [0, 1]", [[0, 0], [1, 1]], unit, 1e-12),
            equal("to [-1, 1]", [[-1, -1], [1, 1]], unit * 2 - 1, 1e-12),
            equal("a third, by their scale", [2, 0.5], third, 1e-12),
        ],
        "The ends are those of the training data, so what comes later may lie outside them: one "
        "outlier in training squeezes all others together.",
    )


def standardising(setting: Setting) -> Part:
    """What do mean 0 and deviation 1 change, and whose mean is it?"""
    train = np.array([[150.0, 50.0], [170.0, 60.0], [190.0, 100.0]])
    test = np.array([[190.0, 100.0]])
    scaled, apart = fn.standardise(train, test)
    (alone,) = fn.standardise(test)
    epochs, keys = setting.choose(20, 5), [fn.Key(k) for k in range(setting.choose(5, 1))]
    raw, standard = np.array([heavy(key, epochs) for key in keys])[:, :, -1].T
    a, b = np.sqrt([3 / 2, 3 / 14])
    return Part(
        [
            equal("train", [[-a, -2 * b], [0, -b], [a, 3 * b]], scaled, 1e-12),
            equal("test, by train's statistics", [[a, 3 * b]], apart, 1e-12),
            equal("test, by its own", [[0, 0]], alone, 0),
            own("heavy for their height, in mm and tonnes: test accuracy", np.median(raw)),
            own("the same, standardised", np.median(standard)),
            shows("standardised is learned better, by every key", (standard > raw).all()),
        ],
        "One layer tells who is heavy for their height once both features have the same size. "
        "In mm and tonnes the height drowns the weight: the one is 1,700 or so, the other .07. By "
        "statistics of its own a test of one person is always 0, whoever it is. (Medians over the "
        "keys.)",
        key=0,
    )


def heavy(key: fn.Key, epochs: int) -> list[list[float]]:
    """The test accuracies of one layer: is weight / height**2 above 24? Raw, and standardised."""
    draw = key.child("people").generator()
    metres, kilograms = draw.normal(1.7, 0.1, 1000), draw.normal(70, 14, 1000)
    t = (kilograms / metres**2 > 24).astype(int)
    raw = np.column_stack([metres * 1000, kilograms / 1000])
    ways = (raw[:500], raw[500:]), fn.standardise(raw[:500], raw[500:])
    return [
        learned(key, NETS["one layer"], fn.Batch(train, t[:500]), fn.Batch(test, t[500:]), epochs)
        for train, test in ways
    ]


def learned(
    key: fn.Key,
    net: fn.Layer[fn.Vec[Any], fn.Vec[int]],
    train: fn.Batch[fn.Matrix, fn.Labels],
    test: fn.Batch[fn.Matrix, fn.Labels],
    epochs: int,
) -> list[float]:
    """The test accuracy after each epoch of Adam."""
    loss = fn.softmax_cross_entropy()
    run = fn.prepare(key, net, loss, fn.adam(0.01), *train, size=50, epochs=epochs)
    return [fn.accuracy(net, state.params, *test) for state in fn.epochs(*run)]


def answers(setting: Setting) -> Part:
    """Yes, no, neither, unanswered: one number for each answer, or one input for each?"""
    epochs, keys = setting.choose(60, 4), [fn.Key(k) for k in range(setting.choose(5, 2))]
    curves = {
        net: {code: [survey(key, NETS[net], CODES[code], epochs) for key in keys] for code in CODES}
        for net in NETS
    }
    last = {
        net: {code: np.array(found)[:, -1] for code, found in by_code.items()}
        for net, by_code in curves.items()
    }
    return Part(
        [
            shows(
                f"{net}: yes no neither unanswered as 1 0 -1 -1 learns worse than one-hot, "
                "by every key",
                (last[net]["1 0 -1 -1"] < last[net]["one-hot"]).all(),
            )
            for net in NETS
        ]
        + [
            own(f"{net}, {code}: test accuracy", np.median(last[net][code]))
            for net in NETS
            for code in CODES
        ],
        "A code of one number says two things that are not so: that neither and unanswered are the "
        "same, and that no lies halfway between yes and them. A fourth number, -2, mends the first "
        "and not the second: one layer can only weigh it, and a hidden layer has to undo it first. "
        "One-hot says nothing beyond which answer it was, and one layer is enough. (Six questions, "
        "500 people to learn from; each answer has a worth, and the label is whether their sum is "
        "above the median. Medians over the keys.)",
        {"answers": fn.plotting.figure(*map(drawn, curves, curves.values()), size=(4.5, 3.4))},
        key=0,
    )


def drawn(net: str, by_code: Mapping[str, list[list[float]]]) -> fn.plotting.Drawing:
    """The test accuracy after each epoch, the median over the keys."""
    lines = {
        code: (np.arange(1.0, len(found[0]) + 1), np.median(found, axis=0))
        for code, found in by_code.items()
    }
    return fn.plotting.curves(lines, title=net, x="epoch", y="test accuracy")


def survey(
    key: fn.Key, net: fn.Layer[fn.Vec[Any], fn.Vec[int]], code: fn.Matrix, epochs: int
) -> list[float]:
    """Test accuracies on six questions: each answer has a worth; is their sum above the median?"""
    draw = key.child("survey").generator()
    worth, given = draw.standard_normal((6, 4)), draw.integers(4, size=(2500, 6))
    total = worth[np.arange(6), given].sum(1)
    x, t = code[given].reshape(2500, -1), (total > np.median(total)).astype(int)
    return learned(key, net, fn.Batch(x[:500], t[:500]), fn.Batch(x[500:], t[500:]), epochs)


if __name__ == "__main__":
    teach(missing_values, scaling, standardising, answers)
