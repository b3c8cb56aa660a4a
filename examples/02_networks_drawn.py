"""Networks, drawn: unit by unit where they are small, part by part whatever they are."""

from __future__ import annotations

import re

import numpy as np
from lesson import Part, Setting, own, shows, teach

import funcnet as fn

NETS: dict[str, tuple[fn.AnyLayer, tuple[int, ...]]] = {
    "batch_norm": (
        fn.models.multi_layer(784, [100, 100], 10, fn.batch_norm() >> fn.relu()),
        (784,),
    ),
    "conv": (fn.models.simple_conv(1, 10), (1, 28, 28)),
    "branches": (
        fn.concat(fn.conv2d(3, 8, 1), fn.conv2d(3, 8, 3, pad=1))
        >> fn.relu()
        >> fn.residual(fn.conv2d(16, 16, 3, pad=1) >> fn.batch_norm() >> fn.relu())
        >> fn.flatten()
        >> fn.dense(..., 10),
        (3, 8, 8),
    ),
}
"""Networks, and the shape of one of their inputs."""


def unit_by_unit(setting: Setting) -> Part:
    """Where in a network is each of its weights?"""
    perceptron = fn.dense(2, 1) >> fn.step()
    gate = fn.Params({"dense1": {"W": np.array([[0.5], [0.5]]), "b": np.array([-0.7])}})
    layer = fn.dense(2, 3, bias=False)
    numbers = fn.Params({"W": np.array([[1.0, 3, 5], [2, 4, 6]])})
    small = fn.models.multi_layer(2, [3, 3], 1, fn.sigmoid(), weights=fn.xavier_normal)
    start = small.init(fn.Key(0), (2,))
    graphs = {
        "perceptron": fn.units(perceptron, gate),
        "2-3": fn.units(layer, numbers),
        "2-3-3-1": fn.units(small, start),
    }
    weights = {name: [e.above for e in g.edges if e.above] for name, g in graphs.items()}
    return Part(
        [
            shows(
                "the perceptron is drawn with its .5 and .5",
                weights["perceptron"] == ["0.5", "0.5"],
            ),
            shows("2-3 with 1 3 5 from x1, 2 4 6 from x2", "".join(weights["2-3"]) == "135246"),
            shows("2-3-3-1 with 2x3 + 3x3 + 3x1 weights", len(weights["2-3-3-1"]) == 6 + 9 + 3),
            own("2-3-3-1: parameters, biases too", fn.count(start)),
        ],
        "A line is a weight: between two layers there are as many as the product of their sizes. "
        "A circle adds up what comes in and its bias, and what its function makes of that goes on.",
        {name.replace("-", "_"): graph.svg() for name, graph in graphs.items()},
        key=0,
    )


def part_by_part(setting: Setting) -> Part:
    """How are the parts of any network joined, and where are its parameters?"""
    graphs = {name: fn.diagram(net, shape) for name, (net, shape) in NETS.items()}
    drawn = {name: parameters_in(graph.svg()) for name, graph in graphs.items()}
    held = {name: fn.count(net.init(fn.Key(0), shape)) for name, (net, shape) in NETS.items()}
    return Part(
        [
            shows("the parameters beside the parts add up to the network's", drawn == held),
            own("parameters of batch_norm (statistics too), conv, branches", [*held.values()]),
        ],
        "Most parameters of the convolutional net are in one dense layer. Lines that part and meet "
        "again are what concat and residual do: the one puts side by side, the other adds.",
        {name: graph.svg() for name, graph in graphs.items()},
    )


def parameters_in(svg: str) -> int:
    """All numbers of parameters that a picture shows, added up."""
    return sum(int(n.replace(",", "")) for n in re.findall(r"([\d,]+) parameters", svg))


if __name__ == "__main__":
    teach(unit_by_unit, part_by_part)
