"""Computational graphs: values go forward along the lines, gradients come back along them."""

from __future__ import annotations

import numpy as np
from lesson import Part, Setting, equal, shows, teach

import funcnet as fn


def apples(setting: Setting) -> Part:
    """Two apples at 100 yen, taxed by a tenth: what is paid, and what does each number do to it?"""
    apple, count, tax = fn.Scalar(100, "apple"), fn.Scalar(2, "count"), fn.Scalar(1.1, "tax")
    paid = apple * count * tax
    gradients = paid.gradients()
    return Part(
        [
            equal("paid", 220, paid.value),
            equal("d paid / d apple", 2.2, gradients[apple]),
            equal("d paid / d count", 110, gradients[count]),
            equal("d paid / d tax", 200, gradients[tax]),
        ],
        "Above each line the value that goes forward, below it the gradient that comes back. A "
        "product hands to each input what came back, times the other input.",
        {"apples": paid.named("paid").graph().svg()},
    )


def sum_and_product(setting: Setting) -> Part:
    """(2a + 3b) * 4: what are its gradients?"""
    a, b = fn.Scalar(1, "a"), fn.Scalar(1, "b")
    gradients = ((2 * a + 3 * b) * 4).gradients()
    return Part(
        [equal("by a", 8, gradients[a]), equal("by b", 12, gradients[b])],
        "A sum hands on what came back as it is. The gradients are the same for every a and b.",
    )


def apples_and_oranges(setting: Setting) -> Part:
    """Two apples at 100 yen and three oranges at 150, taxed by a tenth: and now?"""
    apple, apples = fn.Scalar(100, "apple"), fn.Scalar(2, "apples")
    orange, oranges = fn.Scalar(150, "orange"), fn.Scalar(3, "oranges")
    tax = fn.Scalar(1.1, "tax")
    paid = (apples * apple + oranges * orange) * tax
    gradients = paid.gradients()
    return Part(
        [
            equal("paid", 715, paid.value),
            equal("d paid / d apples", 110, gradients[apples]),
            equal("d paid / d apple", 2.2, gradients[apple]),
            equal("d paid / d orange", 3.3, gradients[orange]),
            equal("d paid / d oranges", 165, gradients[oranges]),
            equal("d paid / d tax", 650, gradients[tax]),
        ],
        "One pass back gives all five gradients, however many inputs there are.",
        {"apples_and_oranges": paid.named("paid").graph().svg()},
    )


def chain_rule(setting: Setting) -> Part:
    """z = (x + y)^2 is a sum and a square: how do their gradients make that of the whole?"""
    x, y = fn.Scalar(2, "x"), fn.Scalar(3, "y")
    t = (x + y).named("t")
    z = (t**2).named("z")
    gradients = z.gradients()
    return Part(
        [
            equal("dz/dt is the square's own slope, 2t", 2 * t.value, z.slopes[0]),
            equal("dt/dx and dt/dy are the sum's own, 1", [1, 1], t.slopes),
            equal("dz/dx is their product, 2(x + y)", 2 * (2 + 3), gradients[x]),
            equal("and so is dz/dy", 2 * (2 + 3), gradients[y]),
        ],
        "Below a line: what came back to the operation, times the operation's own slope there. "
        "No operation needs to know the rest of the graph.",
        {"chain_rule": z.graph().svg()},
    )


def graphs_of_layers(setting: Setting) -> Part:
    """Are layers such operations too? The apples again, by layers that multiply."""
    net = fn.both(fn.times(), fn.identity()) >> fn.times()
    apple, count, tax = (np.array([[value]]) for value in (100.0, 2.0, 1.1))
    paid, cache = net.forward(fn.NO_PARAMS, ((apple, count), tax), fn.Eval())
    (d_apple, d_count), d_tax = net.pull(cache, np.ones_like(paid))
    return Part(
        [
            equal("paid, by layers", 220, paid.item()),
            equal(
                "their gradients", [2.2, 110, 200], [d_apple.item(), d_count.item(), d_tax.item()]
            ),
            shows("each is an array of one number", d_tax.shape == (1, 1)),
        ],
        "A layer is an operation on arrays: forward gives the value and what its slopes need, "
        "backward turns the gradient of its output into those of its inputs. A network is a graph.",
        {"layers": fn.diagram(net, (((1,), (1,)), (1,))).svg()},
    )


if __name__ == "__main__":
    teach(apples, sum_and_product, apples_and_oranges, chain_rule, graphs_of_layers)
