"""Fitting: a curve, a line and a border between two clouds, learned from examples."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

import numpy as np
from lesson import Part, Setting, own, progress, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def descend(
    net: fn.AnyLayer,
    loss: fn.Loss[fn.Matrix, fn.Matrix],
    optimizer: fn.Optimizer[object],
    data: fn.Batch[fn.Matrix, fn.Matrix],
    steps: int,
    key: fn.Key,
) -> fn.Params:
    """The parameters after so many steps, each by all examples."""
    params = net.init(key.child("init"), data.x.shape[1:], data.x.dtype)
    start = fn.TrainState.start(params, optimizer, key.child("train"))
    step = fn.train_step(net, loss, optimizer)
    return functools.reduce(step, itertools.repeat(data, steps), start).params


def universal_approximation(setting: Setting) -> Part:
    """Can one hidden layer follow any curve, if it is wide enough?"""
    x = np.linspace(-1, 1, 100, dtype=np.float32)[:, None]
    curve = fn.Batch(x, np.sin(6 * x) * (1 + x) + np.cos(11 * x) / 2)
    keys = [fn.Key(seed) for seed in range(setting.choose(5, 1))]
    steps, loss = setting.choose(4000, 20), fn.mean_squared_error()
    optimizer = fn.adam(fn.cosine_decay(0.1, steps))
    fits, errors = {}, {}
    for width in progress([1, 2, 4, 8, 32], "widths"):
        net = fn.models.two_layer(1, width, 1, fn.tanh())
        found = [descend(net, loss, optimizer, curve, steps, key) for key in keys]
        fits[width] = net.apply(found[0], x)[:, 0]
        errors[width] = [fn.evaluate(net, loss, params, *curve) ** 0.5 for params in found]
    median = [float(np.median(each)) for each in errors.values()]
    lines = {"curve": curve.t[:, 0]} | {f"{n} hidden": fits[n] for n in (2, 4, 32)}
    shown = {name: (x[:, 0], y) for name, y in lines.items()}
    return Part(
        [
            own("hidden units", list(errors)),
            own("error (root of the mean square), median of keys 0 to 4", np.round(median, 4)),
            own("the largest of these keys", [round(max(each), 4) for each in errors.values()]),
            shows("the error falls with the width", (np.diff(median) < 0).all(), full=True),
            shows(
                "32 units fit to a twentieth of 1 unit's error",
                median[-1] < median[0] / 20,
                full=True,
            ),
        ],
        "Each tanh is one bend, moved, stretched and turned by its weights; more of them follow "
        "more bends. That a good fit exists does not say that descent finds it: with 4 or 8 units "
        "some starts end with twice the error of others.",
        {
            "approximation": fn.plotting.figure(
                fn.plotting.curves(shown, title="fits, key 0", x="x", y="y"),
                fn.plotting.curves(
                    {"median of 5 keys": ([*errors], median)},
                    title="error",
                    x="hidden units",
                    y="",
                    log=True,
                    markers="o",
                ),
                size=(5.0, 3.4),
            )
        },
        key=0,
    )


def linear_regression(setting: Setting) -> Part:
    """One affine unit and squared error: does descent find the line of least squares?"""
    draw = fn.Key(0).child("data").generator()
    x = draw.uniform(-1, 1, (100, 1))
    t = 2 * x + 1 + 0.3 * draw.standard_normal(x.shape)
    net, data = fn.dense(1, 1), fn.Batch(x, t)
    params = descend(net, fn.squared_error(), fn.sgd(0.5), data, 300, fn.Key(0))
    found = [params["W"].item(), params["b"].item()]

    def fit(axes: Axes) -> None:
        ends = np.array([[-1.0], [1.0]])
        axes.scatter(x, t, s=8, color="0.6", label="2x + 1, and noise")
        axes.plot(
            ends, net.apply(params, ends), color="C1", label=f"{found[0]:.3f} x + {found[1]:.3f}"
        )
        axes.set(title="linear regression", xlabel="x", ylabel="y")
        axes.legend(fontsize="small")

    return Part(
        [
            own("slope and height at 0", found),
            shows(
                "they are those of least squares, to 1e-9",
                np.allclose(found, np.polyfit(x[:, 0], t[:, 0], 1), rtol=0, atol=1e-9),
            ),
        ],
        "The loss is a bowl with one minimum, so that every start ends there. The data were made "
        "with 2 and 1; the rest is the noise's.",
        {"linear": fn.plotting.figure(fit, size=(5.0, 3.4))},
        key=0,
    )


def logistic_regression(setting: Setting) -> Part:
    """One affine unit and cross entropy: does descent find the border between two clouds?"""
    draw = fn.Key(0).child("data").generator()
    t = np.repeat([[0.0], [1.0]], 200, axis=0)
    x = draw.standard_normal((400, 2)) + 2 * t - 1
    net, loss, data = fn.dense(2, 1), fn.sigmoid_cross_entropy(), fn.Batch(x, t)
    params = descend(net, loss, fn.sgd(1.0), data, 500, fn.Key(0))
    _, grads, _ = fn.value_and_grad(net, loss)(params, x, t, fn.Eval())
    right = float(((net.apply(params, x) > 0) == t).mean())
    best = float(((x.sum(1, keepdims=True) > 0) == t).mean())

    def border(axes: Axes) -> None:
        across, up = np.meshgrid(np.linspace(-4, 4, 101), np.linspace(-4, 4, 101))
        sums = net.apply(params, np.column_stack([across.ravel(), up.ravel()]))
        p = fn.sigmoid().apply(fn.NO_PARAMS, sums).reshape(across.shape)
        lines = axes.contour(across, up, p, [0.1, 0.5, 0.9], colors="black", linewidths=1)
        axes.clabel(lines)
        axes.scatter(x[:, 0], x[:, 1], c=t[:, 0], s=8, cmap="coolwarm")
        axes.set(title="logistic regression: p(red)", xlabel="$x_0$", ylabel="$x_1$")

    return Part(
        [
            own("weights", params["W"][:, 0]),
            own("bias", params["b"].item()),
            shows(
                "the gradient there is 0, to 1e-6",
                all(np.abs(g).max() < 1e-6 for _, g in fn.leaves(grads)),
            ),
            own("share on the right side", right),
            own("the same of x0 + x1 = 0, the best border for such clouds", best),
            shows("it is as good, to 1 in 100", right > best - 0.01),
        ],
        "With ever more points the weights would come to 2, 2 and the bias to 0. The output is a "
        "probability: it says how sure it is, less the nearer to the border.",
        {"logistic": fn.plotting.figure(border, size=(5.0, 3.8))},
        key=0,
    )


if __name__ == "__main__":
    teach(universal_approximation, linear_regression, logistic_regression)
