"""Perceptrons: gates of two weights and a bias, and why XOR needs two layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from lesson import Part, Setting, equal, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
OR, AND, NAND = ((0.5, 0.5), -0.2), ((0.5, 0.5), -0.7), ((-0.5, -0.5), 0.7)

perceptron = fn.dense(2, 1) >> fn.step()


def weights(w: tuple[float, float], b: float) -> fn.Params:
    return fn.Params({"dense1": {"W": np.array(w)[:, None], "b": np.array([b])}})


def gates(setting: Setting) -> Part:
    """Which weights w and bias b make step(w.x + b) the gates AND, OR and NAND?"""
    seen = {
        name: fn.trace(perceptron, weights(*gate), INPUTS)
        for name, gate in {"OR": OR, "AND": AND, "NAND": NAND}.items()
    }
    sums = {name: outputs["dense1"].ravel() for name, outputs in seen.items()}
    truth = {name: outputs["step1"].ravel() for name, outputs in seen.items()}
    return Part(
        [
            equal("OR's sums at 00 01 10 11", [-0.2, 0.3, 0.3, 0.8], sums["OR"]),
            equal("AND's sums", [-0.7, -0.2, -0.2, 0.3], sums["AND"]),
            equal("NAND's sums", [0.7, 0.2, 0.2, -0.3], sums["NAND"]),
            equal("OR", [0, 1, 1, 1], truth["OR"]),
            equal("AND", [0, 0, 0, 1], truth["AND"]),
            equal("NAND", [1, 1, 1, 0], truth["NAND"]),
        ],
        "The three gates are one network; only their numbers differ.",
        {"and": fn.units(perceptron, weights(*AND)).svg()},
    )


def gates_by_threshold(setting: Setting) -> Part:
    """With equal weights of .5, which threshold makes which gate?"""
    total = INPUTS @ np.array([0.5, 0.5])
    return Part(
        [
            equal("AND: above .6", [0, 0, 0, 1], (total > 0.6) * 1),
            equal("OR: above .4", [0, 1, 1, 1], (total > 0.4) * 1),
            equal("NAND: not above .6", [1, 1, 1, 0], ~(total > 0.6) * 1),
            equal("NOR: not above .4", [1, 0, 0, 0], ~(total > 0.4) * 1),
        ],
        "A bias is a threshold with its sign turned, moved to the other side.",
    )


def xor(setting: Setting) -> Part:
    """XOR is AND of NAND and OR: two layers. Can one layer do it?"""
    net = fn.dense(2, 2) >> fn.step() >> fn.dense(2, 1) >> fn.step()
    first = {"W": np.array([NAND[0], OR[0]]).T, "b": np.array([NAND[1], OR[1]])}
    params = fn.Params({"dense1": first, "dense2": weights(*AND)["dense1"]})
    truth = net.apply(params, INPUTS).ravel()
    right = best_single_layer(truth)
    planes = fn.plotting.figure(
        plane(perceptron, weights(*OR), "OR: one line parts it"),
        plane(perceptron, weights(*AND), "AND: one line parts it"),
        plane(net, params, "XOR: two layers, two lines"),
        size=(3.2, 3.2),
    )
    return Part(
        [
            equal("XOR at 00 01 10 11", [0, 1, 1, 0], truth),
            shows(
                "no single layer in a fine grid of 9,261 gets more than 3 of 4 right", right == 3
            ),
        ],
        "One perceptron parts the plane by one line; no line has 01 and 10 on one side, 00 and 11 "
        "on the other. A second layer combines two lines.",
        {
            "planes": planes,
            "xor": fn.units(net, params).svg(),
        },
    )


def best_single_layer(truth: fn.Array) -> int:
    """How many of the four a single perceptron gets right at best, over a grid of its numbers."""
    grid = np.linspace(-1, 1, 21)
    w1, w2, b = (axis.ravel() for axis in np.meshgrid(grid, grid, grid))
    # Half a grid step beside the rounding of the sums, so that none of them is 0 by chance.
    sums = INPUTS @ np.array([w1, w2]) + b + 0.01
    return int(((sums > 0) == truth[:, None]).sum(0).max())


def plane(net: fn.AnyLayer, params: fn.Params, title: str) -> fn.plotting.Drawing:
    """Where in the plane a gate is 1, and the four inputs, full where its answer is 1."""

    def draw(axes: Axes) -> None:
        x, y = np.meshgrid(np.linspace(-0.5, 1.5, 201), np.linspace(-0.5, 1.5, 201))
        answer = net.apply(params, np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
        axes.contourf(x, y, answer, levels=[-0.5, 0.5, 1.5], colors=["white", "#cfe3f3"])
        corners = net.apply(params, INPUTS).ravel()
        x1, x2 = INPUTS.T
        axes.scatter(x1, x2, c=corners, cmap="gray_r", edgecolors="black", s=60, zorder=2)
        axes.set(title=title, xlabel="$x_1$", ylabel="$x_2$", xticks=[0, 1], yticks=[0, 1])

    return draw


if __name__ == "__main__":
    teach(gates, gates_by_threshold, xor)
