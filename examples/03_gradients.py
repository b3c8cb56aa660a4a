"""Gradients by differences, and going down along them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from lesson import Part, Setting, equal, own, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NumberT = TypeVar("NumberT", float, fn.Array)


def curve(x: NumberT) -> NumberT:
    return 0.01 * x**2 + 0.1 * x


def slope(x: float, h: float = 1e-4) -> float:
    """The derivative of ``curve`` at x: how much it rises from h before to h behind, per 2h."""
    return (curve(x + h) - curve(x - h)) / (2 * h)


def derivative(setting: Setting) -> Part:
    """How steep is .01 x² + .1 x at 5, at 15 and at -10?"""
    points = [5.0, 15.0, -10.0]
    numerical = [fn.numerical_gradient(lambda x: float(curve(x)), np.array(x)) for x in points]

    def tangent(at: float) -> Callable[[fn.Array], fn.Array]:
        return lambda x: curve(at) + slope(at) * (x - at)

    def touching(axes: Axes) -> None:
        axes.plot(points, [curve(x) for x in points], "o", color="black")

    tangents = {f"tangent at {x:g}, slope {slope(x):.1f}": tangent(x) for x in points}
    lines = fn.plotting.functions(
        {"f": curve, **tangents}, -20, 20, title="f(x) = .01 x² + .1 x", y="f(x)"
    )
    return Part(
        [
            equal("central difference, h = 1e-4", [0.2, 0.4, -0.1], [*map(slope, points)], 1e-9),
            equal("fn.numerical_gradient", [0.2, 0.4, -0.1], numerical, 1e-9),
        ],
        "The derivative is the slope of the tangent. Its sign says on which side the ground falls.",
        {"tangents": fn.plotting.figure(fn.plotting.over(lines, touching), size=(6.5, 4.0))},
    )


def bowl(x: fn.Array) -> float:
    """The sum of squares: x0² + x1², or of many such points together."""
    return float((x**2).sum())


def gradient(setting: Setting) -> Part:
    """How steep is x0² + x1² in each direction, at (3, 4), at (0, 2), and all over the plane?"""
    along = np.linspace(-2, 2, 17)
    points = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
    # Each point adds to the sum of all on its own, so that one gradient is the points' gradients.
    down = -fn.numerical_gradient(bowl, points)

    def arrows(axes: Axes) -> None:
        axes.quiver(*points.T, *down.T, angles="xy", color="C0")
        axes.set(title="minus the gradient", xlabel="$x_0$", ylabel="$x_1$", aspect="equal")

    return Part(
        [
            equal("at (3, 4)", [6, 8], fn.numerical_gradient(bowl, np.array([3.0, 4])), 1e-9),
            equal("at (0, 2)", [0, 4], fn.numerical_gradient(bowl, np.array([0.0, 2])), 1e-9),
            shows(
                "every arrow of the field points at the minimum, and is twice as long as the way",
                np.allclose(down, -2 * points, atol=1e-6),
            ),
        ],
        "The gradient points where the ground rises most. The arrows, turned round, lead down; "
        "they are shorter where it is flatter.",
        {"field": fn.plotting.figure(arrows, size=(5.5, 5.5))},
    )


def descent_on_a_line(setting: Setting) -> Part:
    """From 0, how far down .01 x² + .1 x do 150,000 steps of .002 times the slope lead?"""
    way = [*accumulate(range(150_000), lambda x, _: x - 0.002 * slope(x), initial=0.0)]
    at = [10_000, 20_000, 40_000, 120_000, 150_000]
    recorded = [-1.6484, -2.7534, -3.9905, -4.9589, -4.9876]
    thousands, far = np.arange(0, 150.5, 0.5), [x + 5 for x in way[::500]]
    return Part(
        [
            equal(f"x after {steps:,} steps", x, way[steps], 5e-5)
            for steps, x in zip(at, recorded, strict=True)
        ],
        "The minimum is at -5. The nearer, the flatter, and the smaller the steps: each takes the "
        "same share, .00004, of the way that is left.",
        {
            "line": fn.plotting.figure(
                fn.plotting.curves(
                    {"x": (thousands, way[::500])},
                    title="where it is",
                    x="thousands of steps",
                    y="x",
                ),
                fn.plotting.curves(
                    {"x + 5": (thousands, far)},
                    title="how far from the minimum",
                    x="thousands of steps",
                    y="x + 5",
                    log=True,
                ),
            )
        },
    )


def descend(rate: float, steps: int = 20) -> fn.Array:
    """The points from (-3, 4) on, each a step of ``rate`` times the gradient further down."""

    def step(x: fn.Array, _: int) -> fn.Array:
        return x - rate * fn.numerical_gradient(bowl, x)

    return np.array([*accumulate(range(steps), step, initial=np.array([-3.0, 4.0]))])


def descend_by_sgd(rate: float, steps: int = 20) -> fn.Array:
    """The same by the optimizer that trains networks: what it moves are named parameters."""
    optimizer = fn.sgd(rate)

    def step(params: fn.Params, _: int) -> fn.Params:
        grads = fn.Grads({"x": fn.numerical_gradient(bowl, params.leaf("x"))})
        updates, _state = optimizer.update(grads, optimizer.init(params), params)
        return fn.apply_updates(params, updates)

    start = fn.Params({"x": np.array([-3.0, 4.0])})
    return np.array([params.leaf("x") for params in accumulate(range(steps), step, initial=start)])


def descent_in_a_plane(setting: Setting) -> Part:
    """From (-3, 4), how near to the minimum of x0² + x1² do 20 steps lead, at which rate?"""
    ways = {rate: descend(rate) for rate in (10, 0.1, 1e-10)}
    away = {rate: np.hypot(*way.T) for rate, way in ways.items()}
    hills = fn.plotting.contours(lambda x, y: x**2 + y**2, (-4, 4), (-4.5, 4.5))
    path = fn.plotting.path(ways[0.1], title="20 steps at rate 0.1")
    distances = fn.plotting.curves(
        {f"rate {rate:g}": far for rate, far in away.items()},
        title="distance from the minimum",
        y="",
        log=True,
    )
    return Part(
        [
            equal("rate .1 ends at", [-0.0346, 0.0461], ways[0.1][-1], 5e-5),
            equal(
                "fn.sgd's way, apart from this one",
                0,
                np.abs(descend_by_sgd(0.1) - ways[0.1]).max(),
                1e-12,
            ),
            own("rate 10 ends at", ways[10][-1]),
            shows("rate 10, far too large, diverges", away[10][-1] > 1e9),
            equal("rate 1e-10, far too small, stays at", [-3, 4], ways[1e-10][-1], 1e-7),
        ],
        "A step at rate .1 takes a fifth of the way to the minimum. One at 10 jumps over it, and "
        "lands 19 times as far away, until at 1e12 a nudge of 1e-5 is lost in rounding, and with "
        "it the slope. One at 1e-10 hardly moves.",
        {"plane": fn.plotting.figure(fn.plotting.over(hills, path), distances, size=(3.8, 3.5))},
    )


def one_layer_net(setting: Setting) -> Part:
    """How does the loss of a net of one layer change with each of its six weights?"""
    W = [[-0.29987897, -2.12317372, 0.47065595], [-0.39304798, -0.98756266, -0.75852701]]
    recorded = [[0.25654033, 0.05031211, -0.30685244], [0.38481049, 0.07546816, -0.46027865]]
    net, loss = fn.dense(2, 3, bias=False), fn.softmax_cross_entropy()
    x, t, params = np.array([[0.6, 0.9]]), np.array([2]), fn.Params({"W": np.array(W)})

    def course(params: fn.Params) -> float:
        y = fn.softmax().apply(fn.NO_PARAMS, net.apply(params, x))
        return -float(np.log(y[0, 2] + 1e-7))

    numerical = fn.numerical_gradient(lambda p: fn.evaluate(net, loss, p, x, t), params)
    value, grads, _params = fn.value_and_grad(net, loss)(params, x, t, fn.Eval())
    return Part(
        [
            own("outputs", net.apply(params, x)[0]),
            own("loss", value),
            equal("dW by differences", recorded, numerical["W"], 1e-7),
            equal("dW by backward", recorded, grads["W"], 1e-7),
            equal(
                "dW by differences, of the course's loss with 1e-7 in the log",
                recorded,
                fn.numerical_gradient(course, params)["W"],
                1e-8,
            ),
            own("the two apart by", np.abs(numerical["W"] - grads["W"]).max()),
            shows("each row sums to 0", np.allclose(grads["W"].sum(1), 0, atol=1e-12)),
        ],
        "More weight to the label's output lowers the loss, more to the others raises it. "
        "Differences take two passes through the net for each weight, backward one for all. What "
        "is left between these and the recorded figures is the course's 1e-7.",
        {"net": fn.units(net, params).svg()},
    )


if __name__ == "__main__":
    teach(derivative, gradient, descent_on_a_line, descent_in_a_plane, one_layer_net)
