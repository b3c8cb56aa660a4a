"""Networks, forward: products of matrices, with a function between them."""

from __future__ import annotations

from functools import reduce

import numpy as np
from lesson import Part, Setting, equal, own, shows, teach

import funcnet as fn

LAYER = fn.dense(..., 3) >> fn.sigmoid()


def affine(W: object, b: object) -> dict[str, fn.Array]:
    """The parameters of a dense layer: row i of W is what input i gives to each unit."""
    return {"W": np.array(W, float), "b": np.array(b, float)}


def row(*numbers: float) -> fn.Matrix:
    """A batch of one example."""
    return np.array([numbers], float)


def products(setting: Setting) -> Part:
    """What is a layer without bias and activation?"""
    A = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [0, -1, -2, -3]], float)
    B = np.array([[1, 2, 3], [5, 6, 7], [0, -1, -2], [4, 5, 6]], float)
    W = np.array([[1, 3, 5], [2, 4, 6]], float)
    by_layer = fn.dense(4, 3, bias=False).apply(fn.Params({"W": B}), A)
    square = [[27, 31, 35], [67, 79, 91], [-17, -19, -21]]
    return Part(
        [
            equal("(1, 2) by 2x3", [[5, 11, 17]], row(1, 2) @ W, 0),
            equal("3x4 by 4x3", square, A @ B, 0),
            equal("the same by a dense layer", square, by_layer, 0),
        ],
        "A dense layer is a product: rows of inputs by columns of weights, so that one product "
        "serves a whole batch.",
    )


def one_unit(setting: Setting) -> Part:
    """What does one unit give: its inputs, weighted and summed, and its bias?"""
    unit = fn.dense(..., 1) >> fn.relu()

    def output(x: fn.Matrix, w: list[float], b: float) -> float:
        params = fn.Params({"dense1": affine(np.array(w)[:, None], [b])})
        return unit.apply(params, x).item()

    return Part(
        [
            equal("x (2, 3), w (.1, .2), b .5", 1.3, output(row(2, 3), [0.1, 0.2], 0.5), 1e-12),
            equal(
                "x (2, 3), w (3, 4), b .6915546644",
                18.6915546644,
                output(row(2, 3), [3, 4], 0.6915546644),
                1e-12,
            ),
            equal(
                "x (1, 1, 1, 1), w (.1, .2, .3, .4), b 0",
                1.0,
                output(row(1, 1, 1, 1), [0.1, 0.2, 0.3, 0.4], 0),
                1e-12,
            ),
        ],
        "A perceptron with ReLU in place of the step: what comes out is an amount, not yes or no.",
    )


def three_units(setting: Setting) -> Part:
    """How do three units read the same four inputs?"""
    first, second, third = (
        fn.trace(LAYER, fn.Params({"dense1": affine(W, [0.1, 0.2, 0.3])}), row(1, 5, 2, -1))
        for W in (
            [[0.1, 0.2, 0.3], [0.2, 0.3, 0.4], [0.3, 0.4, 0.5], [0.4, 0.5, 0.6]],
            [[3, 3, 4], [2, 0, 2], [2, 0, 4], [4, 1, 1]],
            [[3, 1, 4], [3, 1, 0], [4, 2, 3], [0, 3, 4]],
        )
    )
    return Part(
        [
            equal("sums, first weights", [[1.4, 2.2, 3.0]], first["dense1"], 1e-12),
            equal("sums, second weights", [[13.1, 2.2, 21.3]], second["dense1"], 1e-12),
            equal(
                "outputs, second weights", [[0.99999795, 0.90024951, 1]], second["sigmoid1"], 5e-9
            ),
            equal("sums, third weights", [[26.1, 7.2, 6.3]], third["dense1"], 1e-12),
            equal("outputs, third weights", [[1, 0.99925397, 0.99816706]], third["sigmoid1"], 5e-9),
            own("outputs, first weights", first["sigmoid1"]),
        ],
        "Three units side by side are one matrix of three columns. Large sums leave a sigmoid "
        "stuck at 1: it saturates.",
    )


def three_layers(setting: Setting) -> Part:
    """How does a signal pass through layers 2-3-2-2?"""
    x, b3 = row(1, 0.5), [0.1, 0.2]
    smooth = fn.trace(fn.models.multi_layer(2, [3, 2], 2, fn.sigmoid()), three(b3), x)
    bent = fn.models.multi_layer(2, [3, 2], 2, fn.relu())
    output = bent.apply(three([1, 2]), row(1, 2))
    return Part(
        [
            equal("first sums", [[0.3, 0.7, 1.1]], smooth["dense1"], 1e-12),
            equal("output, sigmoid", [[0.31682708, 0.69627909]], smooth["dense3"], 5e-9),
            equal("output for (1, 2), b3 (1, 2), ReLU", [[1.56, 3.222]], output, 1e-12),
        ],
        "What comes out of one layer goes into the next, and nothing else is remembered: a "
        "network is a composition of functions.",
    )


def three(b3: list[float]) -> fn.Params:
    return fn.Params(
        {
            "dense1": affine([[0.1, 0.3, 0.5], [0.2, 0.4, 0.6]], [0.1, 0.2, 0.3]),
            "dense2": affine([[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]], [0.1, 0.2]),
            "dense3": affine([[0.1, 0.3], [0.2, 0.4]], b3),
        }
    )


# fmt: off
MULTI_CLASS = fn.Params(
    {
        "dense1": affine(
            [[0.65185593, 0.61783815, 0.65618437, 0.17001171, 0.91929471],
             [0.9645046, 0.24218416, 0.43222158, 0.73825968, 0.1115167],
             [0.67421734, 0.94860998, 0.46684688, 0.34572872, 0.29138966]],
            [0.58396708, 0.5215466, 0.63804672, 0.17060858, 0.16649218],
        ),
        "dense2": affine(
            [[0.34092631, 0.83664867, 0.38053219, 0.78345288, 0.3710336, 0.48325922],
             [0.77639755, 0.10304212, 0.98995038, 0.73330654, 0.97831841, 0.37334055],
             [0.05110077, 0.05552997, 0.34178351, 0.63990519, 0.45536779, 0.72549272],
             [0.78322786, 0.01154058, 0.36928999, 0.48003021, 0.14457613, 0.78056733],
             [0.42227951, 0.50427782, 0.40788063, 0.07742269, 0.88411554, 0.63592993]],
            [0.22051696, 0.18513746, 0.98114737, 0.58562907, 0.69020381, 0.48970382],
        ),
    }
)
# fmt: on


def multi_class(setting: Setting) -> Part:
    """How probable does a network 3-5-6 hold each of six classes, and what does that cost?"""
    net = fn.models.two_layer(3, 5, 6, fn.relu())
    logits = net.apply(MULTI_CLASS, row(1, 2, 3))
    shares = fn.softmax().apply(fn.NO_PARAMS, logits)
    loss, _ = fn.softmax_cross_entropy().forward(logits, np.array([3]))
    # The course guards the logarithm by 1e-7; its weights, in eight digits, leave 6e-8 open.
    guarded = -np.log(shares[0, 3] + 1e-7)
    recorded = [0.02363635, 0.00197676, 0.13496552, 0.44959018, 0.20342389, 0.1864073]
    return Part(
        [
            equal("probabilities for (1, 2, 3)", [recorded], shares),
            equal("-log(p + 1e-7) for class 3, the course's loss", 0.79941861, guarded, 6e-8),
            own("cross entropy, exact", loss),
            shows("it is -log p", np.isclose(loss, -np.log(shares[0, 3]), rtol=1e-12)),
        ],
        "Softmax makes probabilities of six sums, whatever they are; the loss asks only for that "
        "of the class that was right. It is computed from the sums, so that no probability rounds "
        "to 0 on the way, and needs no 1e-7 inside the logarithm.",
    )


def random_weights(setting: Setting) -> Part:
    """Whatever the weights are, are the outputs probabilities?"""
    return Part(
        [
            equal("2-3-4: sums of outputs for 5 inputs", [1] * 5, sums(2, 3, 4), 1e-12),
            equal("3-5-4: sums of outputs for 5 inputs", [1] * 5, sums(3, 5, 4), 1e-12),
        ],
        "For each example the outputs sum to 1 before anything is learned: softmax sees to it.",
        key=0,
    )


def sums(n_in: int, hidden: int, n_out: int) -> fn.Array:
    """What a network with random weights gives to all classes together, for 5 random inputs."""
    key = fn.Key(0)
    net = fn.models.two_layer(n_in, hidden, n_out) >> fn.softmax()
    params = net.init(key.child("init"), (n_in,), np.float64)
    x = key.child("x").generator().standard_normal((5, n_in))
    total: fn.Array = net.apply(params, x).sum(1)
    return total


def linear_activation(setting: Setting) -> Part:
    """What do several layers gain if the function between them is the identity?"""
    deep = fn.models.multi_layer(5, [8, 8], 3, fn.identity())
    params = random_numbers(deep, 5)
    product = fn.Params(reduce(then, layers(params)))
    x = fn.Key(0).child("x").generator().standard_normal((100, 5))
    away = np.abs(deep.apply(params, x) - fn.dense(5, 3).apply(product, x))
    X = np.linspace(-2, 2, 401)
    straight, bent = output_over(X, fn.identity()), output_over(X, fn.relu())
    lines = {"identity between": (X, straight), "ReLU between": (X, bent)}
    title = "1-8-8-1, the same weights, two functions between"
    drawing = fn.plotting.curves(lines, title=title, x="x", y="output")
    return Part(
        [
            equal("5-8-8-3 less its one product, greatest", 0, away.max(), 1e-12),
            shows("1-8-8-1 with identity is a straight line", off_line(X, straight) < 1e-12),
            shows("1-8-8-1 with ReLU is none", off_line(X, bent) > 0.1),
            own("how far: rms distance from the nearest line", off_line(X, bent)),
        ],
        "A product of matrices is one matrix, so that layers with only the identity between them "
        "are one layer: depth without a non-linear function is useless.",
        {"linear": fn.plotting.figure(drawing, size=(7, 3))},
        key=0,
    )


def layers(params: fn.Params) -> list[fn.Params]:
    """What each of the dense layers holds, first to last."""
    return [fn.Params(layer) for layer in params.values()]


def then(first: fn.Params, second: fn.Params) -> fn.Params:
    """The one dense layer that does what two do: (x W1 + b1) W2 + b2."""
    W, b = second["W"], second["b"]
    return fn.Params({"W": first["W"] @ W, "b": first["b"] @ W + b})


def random_numbers(net: fn.AnyLayer, n_in: int) -> fn.Params:
    """Parameters that are all N(0, 1), biases too."""
    numbers = fn.Key(0).child("init").generator()
    start = net.init(fn.Key(0), (n_in,), np.float64)
    return fn.tree_map(lambda leaf: numbers.standard_normal(leaf.shape), start)


def output_over(X: fn.Array, between: fn.AnyLayer) -> fn.Array:
    net = fn.models.multi_layer(1, [8, 8], 1, between)
    output: fn.Array = net.apply(random_numbers(net, 1), X[:, None])[:, 0]
    return output


def off_line(X: fn.Array, y: fn.Array) -> float:
    """The root of the mean square of y less its best straight line."""
    residual = y - np.polyval(np.polyfit(X, y, 1), X)
    return float(np.sqrt(np.mean(residual**2)))


if __name__ == "__main__":
    teach(
        products,
        one_unit,
        three_units,
        three_layers,
        multi_class,
        random_weights,
        linear_activation,
    )
