"""Outputs: which last function goes with which loss, and what the two give together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from lesson import Finding, Part, Setting, equal, own, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

T = TypeVar("T")
KEY = fn.Key(0)


class Run(NamedTuple):
    """The loss before training and after each epoch, and the parameters at the end."""

    losses: list[float]
    params: fn.Params


def train(
    net: fn.AnyLayer, loss: fn.Loss[fn.Matrix, T], x: fn.Matrix, t: T, setting: Setting
) -> Run:
    epochs = setting.choose(300, 10)
    run = fn.prepare(KEY, net, loss, fn.adam(0.01), x, t, size=20, epochs=epochs)
    states = [run.start, *fn.epochs(*run)]
    return Run([fn.evaluate(net, loss, s.params, x, t) for s in states], states[-1].params)


def learned(run: Run) -> list[Finding]:
    first, last = run.losses[0], run.losses[-1]
    return [
        shows("it trains: the loss falls", last < first),
        shows("the loss falls to a tenth or less", last <= first / 10, full=True),
        own("loss before and after", [first, last]),
    ]


class Pairing(NamedTuple):
    """What turns the last sums into outputs y, the loss that starts from the sums, and dL/dy.

    ``slope`` is the derivative of one example's loss, as the textbook writes it, by y.
    """

    output: fn.AnyLayer
    loss: fn.Loss[fn.Matrix, fn.Matrix]
    slope: Callable[[fn.Matrix, fn.Matrix], fn.Matrix]


REGRESSION = Pairing(fn.identity(), fn.squared_error(), lambda y, t: y - t)
BINARY = Pairing(fn.sigmoid(), fn.sigmoid_cross_entropy(), lambda y, t: (1 - t) / (1 - y) - t / y)
MULTI_CLASS = Pairing(fn.softmax(), fn.soft_cross_entropy(), lambda y, t: -t / y)


def through(output: fn.AnyLayer, sums: fn.Matrix, dy: fn.Matrix) -> fn.Matrix:
    """The gradient at the sums, from the one at the outputs."""
    _, cache = output.forward(fn.NO_PARAMS, sums, fn.Eval())
    gradient: fn.Matrix = output.backward(cache, dy)[0]
    return gradient


def gradients(pairing: Pairing, t: fn.Matrix) -> list[Finding]:
    """At random sums: (y - t) / n beside the loss's gradient, the chain rule's and differences."""
    sums, n = KEY.child("sums").generator().standard_normal(t.shape), len(t)
    y = pairing.output.apply(fn.NO_PARAMS, sums)
    expected = (y - t) / n
    by_loss = pairing.loss.backward(pairing.loss.forward(sums, t)[1])
    by_chain = through(pairing.output, sums, pairing.slope(y, t) / n)
    by_differences = fn.numerical_gradient(lambda s: pairing.loss.forward(s, t)[0], sums)

    def away(gradient: fn.Matrix) -> float:
        return float(np.abs(gradient - expected).max())

    return [
        equal("gradient at the last sums, away from (y - t) / n", 0, away(by_loss), 1e-15),
        equal("the same, by the chain rule", 0, away(by_chain), 1e-15),
        equal("the same, by differences", 0, away(by_differences), 1e-9),
    ]


def regression(setting: Setting) -> Part:
    """An amount: identity and squared error. Does it train, and what reaches the last sums?"""
    draw = KEY.child("data").generator()
    x = draw.uniform(-2, 2, (200, 1)).astype(np.float32)
    t = np.sin(2 * x) + 0.1 * draw.standard_normal(x.shape, np.float32)
    net = fn.models.two_layer(1, 20, 1, fn.tanh())
    run = train(net, REGRESSION.loss, x, t, setting)

    def fit(axes: Axes) -> None:
        X = np.linspace(-2, 2, 201)[:, None]
        axes.scatter(x, t, s=6, color="0.6", label="data")
        axes.plot(X, net.apply(run.params, X), color="C1", label="network")
        axes.set(title="sin 2x and noise, by 1-20-1", xlabel="x", ylabel="y")
        axes.legend(fontsize="small", loc="lower right")

    return Part(
        [*gradients(REGRESSION, draw.standard_normal((5, 2))), *learned(run)],
        "What goes back is how far each output is from its target, and nothing else.",
        {"regression": beside(run, fit)},
        key=0,
    )


def binary(setting: Setting) -> Part:
    """Yes or no: sigmoid and cross entropy. And why not sigmoid and squared error?"""
    draw = KEY.child("data").generator()
    x = draw.uniform(-1.5, 1.5, (300, 2)).astype(np.float32)
    inside = np.hypot(*x.T) < 1
    net = fn.models.two_layer(2, 16, 1)
    run = train(net, BINARY.loss, x, inside[:, None].astype(np.float32), setting)

    def yes(points: fn.Matrix) -> fn.Labels:
        return (net.apply(run.params, points)[:, 0] > 0).astype(int)

    wrong = np.array([[-10.0]])
    error = fn.sigmoid().apply(fn.NO_PARAMS, wrong) - 1
    return Part(
        [
            *gradients(BINARY, np.array([[0.0], [1], [1], [0], [1]])),
            *learned(run),
            own("accuracy", (yes(x) == inside).mean()),
            own("gradient where the sum is -10 and the answer yes", error.item()),
            own("the same with squared error", through(fn.sigmoid(), wrong, error).item()),
        ],
        "Cross entropy is steep just where the sigmoid is flat, and the two cancel. With squared "
        "error, a unit that is sure and wrong would hardly be told so.",
        {"binary": beside(run, plane(x, inside.astype(int), yes, "inside the circle? by 2-16-1"))},
        key=0,
    )


def multi_class(setting: Setting) -> Part:
    """One of several: softmax and cross entropy. Labels, or rows that are 1 at the label?"""
    x, t = spiral(KEY.child("data"))
    net, loss = fn.models.two_layer(2, 32, 3), fn.softmax_cross_entropy()
    run = train(net, loss, x, t, setting)

    def best(points: fn.Matrix) -> fn.Labels:
        classes: fn.Labels = net.apply(run.params, points).argmax(1)
        return classes

    sums = KEY.child("sums").generator().standard_normal((len(t), 3))
    by_labels = loss.backward(loss.forward(sums, t)[1])
    by_rows = MULTI_CLASS.loss.backward(MULTI_CLASS.loss.forward(sums, fn.one_hot(t, 3))[1])
    return Part(
        [
            *gradients(MULTI_CLASS, fn.one_hot(np.array([0, 2, 1, 1, 2]), 3).astype(float)),
            shows(
                "labels and one-hot rows give one gradient",
                np.allclose(by_labels, by_rows, 0, 1e-15),
            ),
            *learned(run),
            own("accuracy", (best(x) == t).mean()),
        ],
        "softmax_cross_entropy takes labels, soft_cross_entropy rows of probabilities. Either way "
        "what goes back is the same y - t, whose three numbers sum to 0 in each example.",
        {"multi_class": beside(run, plane(x, t, best, "three arms, by 2-32-3"))},
        key=0,
    )


def spiral(key: fn.Key) -> tuple[fn.Matrix, fn.Labels]:
    """Three arms of 100 points each, and which arm each is of."""
    t = np.repeat(np.arange(3), 100)
    radius = np.tile(np.linspace(0, 1, 100), 3)
    angle = 4 * radius + t * 2 * np.pi / 3 + 0.15 * key.generator().standard_normal(300)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]).astype("float32"), t


def beside(run: Run, drawing: fn.plotting.Drawing) -> Figure:
    curve = fn.plotting.curves({"train": run.losses}, title="loss", x="epoch")
    return fn.plotting.figure(curve, drawing, size=(3.8, 3))


def plane(
    x: fn.Matrix, t: fn.Labels, answer: Callable[[fn.Matrix], fn.Labels], title: str
) -> fn.plotting.Drawing:
    """The examples, and what the network answers around them."""

    reach = 1.05 * float(np.abs(x).max())
    around = fn.plotting.regions(answer, (-reach, reach), (-reach, reach), title=title)
    return fn.plotting.over(around, fn.plotting.points(x, t))


if __name__ == "__main__":
    teach(regression, binary, multi_class)
