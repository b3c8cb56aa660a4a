"""Activations: what stands between the layers, and what turns outputs into probabilities."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import log
from typing import TYPE_CHECKING

import numpy as np
from lesson import Part, Setting, equal, own, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

X = np.linspace(-10, 10, 2001)
GAINS = np.array([1, 2, 5, 20])


def function(layer: fn.AnyLayer) -> Callable[[fn.Array], fn.Array]:
    """A layer that has no parameters is a function of its input alone."""
    return partial(layer.apply, fn.NO_PARAMS)


step, sigmoid, softmax = map(function, [fn.step(), fn.sigmoid(), fn.softmax()])


def activations(setting: Setting) -> Part:
    """What do the functions between the layers, and after the last, look like?"""
    layers = {
        "step": fn.step(),
        "sigmoid": fn.sigmoid(),
        "ReLU": fn.relu(),
        "tanh": fn.tanh(),
        "identity": fn.identity(),
    }
    graphs = {name: function(layer) for name, layer in layers.items()}
    drawings = [fn.plotting.functions({name: f}, title=name) for name, f in graphs.items()]
    ends = {name: (f(X).min(), f(X).max()) for name, f in graphs.items()}
    return Part(
        [
            shows("step gives 0 and 1 alone", set(step(X)) == {0, 1}),
            shows("it gives 0 at 0, which is not above it", step(np.zeros(1))[0] == 0),
            shows("the sigmoid stays above 0 and below 1", strictly(0, ends["sigmoid"], 1)),
            shows("tanh stays above -1 and below 1", strictly(-1, ends["tanh"], 1)),
            shows("ReLU of [-10, 10] is [0, 10]", ends["ReLU"] == (0, 10)),
            shows("identity keeps [-10, 10]", ends["identity"] == (-10, 10)),
            shows("tanh(x) is 2 sigmoid(2x) - 1", np.allclose(np.tanh(X), 2 * sigmoid(2 * X) - 1)),
        ],
        "All but the identity bend or break the line, which is what makes depth worth having. "
        "Softmax looks at all its inputs together: as one of them rises, the others' shares fall.",
        {"all": fn.plotting.figure(*drawings, softmax_of_three(), columns=3, size=(3.1, 2.5))},
    )


def strictly(low: float, ends: tuple[float, float], high: float) -> bool:
    return low < ends[0] and ends[1] < high


def softmax_of_three() -> fn.plotting.Drawing:
    """The three shares of softmax(x, 0, 2), over x."""
    shares = softmax(np.column_stack([X, 0 * X, 0 * X + 2]))
    names = ["share of x", "share of 0", "share of 2"]
    lines = {name: (X, share) for name, share in zip(names, shares.T, strict=True)}
    return fn.plotting.curves(lines, title="softmax of (x, 0, 2)", x="x", y="")


def sigmoid_and_step(setting: Setting) -> Part:
    """How far is the sigmoid from the step that it smooths, and how steep is it?"""
    between = [float(np.trapezoid(np.abs(sigmoid(g * X) - step(X)), X)) for g in GAINS]
    slope = slope_of(fn.sigmoid())
    gains = {f"gain {g}": lambda x, g=g: sigmoid(g * x) for g in GAINS}
    slopes = {
        "sigmoid": slope,
        "tanh": slope_of(fn.tanh()),
        "ReLU": slope_of(fn.relu()),
    }
    both = fn.plotting.functions({"step": step, "sigmoid": sigmoid}, -6, 6)
    return Part(
        [
            own("area between sigmoid(gain x) and step(x), gains 1 2 5 20", between),
            shows(
                "the area is 2 log(2) / gain", np.allclose(between, 2 * log(2) / GAINS, atol=1e-3)
            ),
            shows("the slope of the sigmoid is nowhere above .25", slope(X).max() <= 0.25),
            equal("its slope at 0", 0.25, slope(np.zeros(1))[0], 0),
            own("what three sigmoids leave of a gradient at most", 0.25**3),
        ],
        "The larger the gain, the nearer the sigmoid is to the step; but the step's slope is 0 "
        "wherever it has one, so that nothing can be learned through it. The sigmoid has a slope "
        "everywhere, though a small one: through many layers little of a gradient is left.",
        {
            "sigmoid": fn.plotting.figure(
                fn.plotting.over(both, shaded),
                fn.plotting.functions(gains, -6, 6, title="sigmoid(gain x)"),
                fn.plotting.functions(slopes, -6, 6, title="slopes"),
                size=(3.1, 2.8),
            )
        },
    )


def shaded(axes: Axes) -> None:
    near = X[np.abs(X) <= 6]
    axes.fill_between(near, step(near), sigmoid(near), alpha=0.3, color="gray", step=None)
    axes.set_title("the area between: 2 log 2")


def slope_of(layer: fn.AnyLayer) -> Callable[[fn.Array], fn.Array]:
    """The derivative of a layer that works element by element: its own backward, fed with 1."""

    def slope(x: fn.Array) -> fn.Array:
        _, cache = layer.forward(fn.NO_PARAMS, x, fn.Eval())
        gradient: fn.Array = layer.backward(cache, np.ones_like(x))[0]
        return gradient

    return slope


def logarithm(setting: Setting) -> Part:
    """Why does a loss take the logarithm of a probability?"""
    graph = fn.plotting.functions({"log x": np.log}, 0.01, 3, title="log x")
    cost = fn.plotting.functions(
        {"-log p": lambda p: -np.log(p)},
        0.01,
        1,
        title="-log p: the cost of a probability",
        x="p, given to what was right",
    )
    return Part(
        [
            shows("log 1 is 0", np.log(1.0) == 0),
            own("-log p at p = .9, .5, .1, .01", -np.log([0.9, 0.5, 0.1, 0.01])),
            shows(
                "log turns products into sums: log 6 is log 2 + log 3",
                np.isclose(log(6), log(2) + log(3)),
            ),
        ],
        "Being sure and right costs nothing, being sure and wrong costs without bound. The chance "
        "of getting a whole batch right is a product; its logarithm is a sum, whose mean is the "
        "loss.",
        {"log": fn.plotting.figure(graph, cost, size=(4, 2.8))},
    )


def softmax_of_rows(setting: Setting) -> Part:
    """How do scores become probabilities, whatever their size?"""
    one, large, rows = (
        softmax(np.array(scores)) for scores in ([[1.0, 2, 3]], [[1.0, 2, 1e6]], [[0.0, 1], [2, 3]])
    )
    shifted = softmax(np.array([[1.0, 2, 3]]) + 1000)
    of_two = softmax(np.column_stack([X, 0 * X]))[:, 0]
    return Part(
        [
            equal("(1, 2, 3)", [0.09003057, 0.24472847, 0.66524096], one[0], 5e-9),
            equal("(1, 2, 1e6), no overflow", [0, 0, 1], large[0], 0),
            equal("[[0, 1], [2, 3]], row by row", [[0.26894142, 0.73105858]] * 2, rows, 5e-9),
            shows("adding 1000 to all three changes nothing", np.allclose(shifted, one)),
            shows("of two, softmax(x, 0) is the sigmoid of x", np.allclose(of_two, sigmoid(X))),
        ],
        "Softmax is blind to what is added to all scores, so the largest is taken off first and "
        "no exp overflows. It runs along each row: one example's shares never depend on "
        "another's scores.",
    )


if __name__ == "__main__":
    teach(activations, sigmoid_and_step, logarithm, softmax_of_rows)
