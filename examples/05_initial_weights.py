"""Initial weights: what deep networks make of their inputs before they have learned anything."""

from __future__ import annotations

from functools import reduce
from itertools import accumulate, product
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from lesson import Part, Setting, at_most, own, progress, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOSS = fn.softmax_cross_entropy()


# ---- activations -------------------------------------------------------------------------------


def activations(setting: Setting) -> Part:
    """What becomes of 1,000 inputs from N(0, 1) on their way through five layers of 100?"""
    weights = {
        "std 1": fn.normal(1.0),
        "std .01": fn.normal(0.01),
        "Xavier": fn.xavier_normal,
        "He": fn.he_normal,
    }
    functions = {"sigmoid": fn.sigmoid(), "ReLU": fn.relu(), "tanh": fn.tanh()}
    examples = setting.choose(1000, 100)
    x = fn.Key(0).child("x").generator().standard_normal((examples, 100), dtype=np.float32)
    outputs = {
        f"{f}, {w}": layer_outputs(functions[f], weights[w], x)
        for f, w in product(functions, weights)
    }
    spread = {name: layers.std(axis=(1, 2)) for name, layers in outputs.items()}
    growth = {name: (std[-1] / std[0]) ** (1 / 4) for name, std in spread.items()}
    flat = {name: saturated(layers[-1], *span(name)) for name, layers in outputs.items()}
    return Part(
        [
            shows(
                "std 1 saturates: of the last outputs of sigmoid and tanh, more than half are "
                "within .05 of an end",
                min(flat["sigmoid, std 1"], flat["tanh, std 1"]) > 0.5,
            ),
            shows(
                "std 1 makes ReLU's outputs about seven times as large in every layer",
                6 < growth["ReLU, std 1"] < 8,
            ),
            shows(
                "std .01 collapses: all that sigmoid's last layer gives is within .1 of one half; "
                "tanh and ReLU lose about nine tenths or more of their spread in every layer",
                np.abs(outputs["sigmoid, std .01"][-1] - 0.5).max() < 0.1
                and max(growth["tanh, std .01"], growth["ReLU, std .01"]) < 0.11,
            ),
            shows(
                "Xavier suits sigmoid and tanh: the last layer's std is a tenth and more, and "
                "less than a hundredth of its outputs are within .05 of an end",
                min(spread["sigmoid, Xavier"][-1], spread["tanh, Xavier"][-1]) > 0.1
                and max(flat["sigmoid, Xavier"], flat["tanh, Xavier"]) < 0.01,
            ),
            shows(
                "He suits ReLU: the std changes by less than a tenth in a layer, where with "
                "Xavier it falls by a quarter and more",
                0.9 < growth["ReLU, He"] < 1.1 and growth["ReLU, Xavier"] < 0.75,
            ),
            *[own(f"std of the outputs by layer: {name}", std) for name, std in spread.items()],
        ],
        "Outputs at the ends of sigmoid or tanh, where these are flat, pass no gradient back; "
        "outputs that are all the same make one unit of a hundred. Useful weights keep the spread: "
        "with std s in layers of 100, tanh near 0 multiplies it by 10 s, ReLU by about 7 s.",
        {
            "activations": fn.plotting.figure(
                *[histograms(name, layers, span(name)) for name, layers in outputs.items()],
                columns=2,
                size=(4.6, 1.35),
                title="outputs of layers 1 to 5, each from 0 to 1 (tanh: -1 to 1), and their std",
            )
        },
        key=0,
    )


def layer_outputs(function: fn.AnyLayer, weights: fn.Initializer, x: fn.Matrix) -> fn.Array:
    """What the five layers give: (5, examples, 100)."""
    net = fn.sequential(*[fn.dense(100, 100, weights=weights) >> function for _ in range(5)])
    outputs = fn.trace(net, net.init(fn.Key(0).child("init"), (100,)), x)
    return np.array([outputs[name] for name, _ in net.parts if not name.startswith("dense")])


def span(name: str) -> tuple[float, float]:
    """The range of an activation, or as much of ReLU's as is drawn."""
    return (-1, 1) if name.startswith("tanh") else (0, 1)


def saturated(outputs: fn.Array, low: float, high: float) -> float:
    """The share of outputs within .05 of the ends of their range."""
    return float(((outputs < low + 0.05) | (outputs > high - 0.05)).mean())


def histograms(title: str, layers: fn.Array, between: tuple[float, float]) -> fn.plotting.Drawing:
    """The layers' histograms side by side, each over the same range, cut at a tenth of all."""

    def draw(axes: Axes) -> None:
        for i, outputs in enumerate(layers):
            counts, _ = np.histogram(outputs, 30, between)
            axes.stairs(counts / outputs.size, np.linspace(i, i + 0.9, 31), fill=True)
        axes.set_xticks([i + 0.45 for i in range(5)], [f"{one.std():.2g}" for one in layers])
        axes.set(title=title, ylim=(0, 0.1), yticks=[])

    return draw


# ---- on MNIST ----------------------------------------------------------------------------------


def on_mnist(setting: Setting) -> Part:
    """How fast does 784-100-100-100-100-10 learn from each, by SGD with rate .01?"""
    weights = {
        "std .01": fn.normal(0.01),
        "Xavier by inputs": by_inputs,
        "He": fn.he_normal,
        "Xavier": fn.xavier_normal,
    }
    at_100, at_1900 = [2.302, 2.258, 1.633], [2.296, 0.305, 0.213]
    train, steps, keys = setting.images().train, setting.choose(2000, 20), setting.choose(5, 1)
    runs = np.array(
        [
            [losses(one, fn.Key(n), train, steps) for n in range(keys)]
            for one in progress(weights.values(), "initial weights")
        ]
    )
    reach, places = setting.choose(20, 2), (setting.choose(100, 4), setting.choose(1900, 18))
    early, late = (runs[..., step - reach : step + reach] for step in places)
    return Part(
        [
            at_most(
                "loss around step 100: std .01, Xavier by inputs, He",
                at_100,
                early[:3].mean((1, 2)),
                within=0.001,
            ),
            at_most("loss around step 1,900", at_1900, late[:3].mean((1, 2)), within=0.02),
            shows(
                "all six recorded losses are within the range of the 200 losses around their step",
                among(early, at_100) and among(late, at_1900),
                full=True,
            ),
            shows(
                "in each run He is ahead of Xavier, and that of std .01, around both steps",
                all((np.diff(part[:3].mean(2), axis=0) < 0).all() for part in (early, late)),
                full=True,
            ),
            own(
                "Xavier by inputs and outputs, around steps 100 and 1,900",
                [early[3].mean(), late[3].mean()],
            ),
        ],
        "From std .01 outputs and gradients die out on their way through five layers: after 2,000 "
        "steps the net still guesses. The course's Xavier has std sqrt(1 / inputs); funcnet's, as "
        "PyTorch's and the paper's, sqrt(2 / (inputs + outputs)): .048 for 784-100, not .036. "
        "Figures are means over 40 steps and the keys 0 to 4.",
        {
            "losses": fn.plotting.figure(
                fn.plotting.curves(
                    {
                        name: np.convolve(run.mean(0), np.full(10, 0.1), "valid")
                        for name, run in zip(weights, runs, strict=True)
                    },
                    title="initial weights, ReLU, SGD .01",
                ),
                size=(6, 3.8),
            )
        },
        key=0,
    )


def by_inputs(key: fn.Key, shape: tuple[int, ...], n_in: int, n_out: int, dtype: Any) -> fn.Array:
    """Xavier's rule by the inputs alone, as the course has it: an initializer of our own."""
    return fn.normal(sqrt(1 / n_in))(key, shape, n_in, n_out, dtype)


def losses(
    weights: fn.Initializer, key: fn.Key, train: fn.Batch[fn.Tensor4, fn.Labels], steps: int
) -> list[float]:
    """The loss of each step's batch, from such weights."""
    net = fn.flatten() >> fn.models.multi_layer(..., [100] * 4, 10, fn.relu(), weights=weights)
    run = fn.prepare(key, net, LOSS, fn.sgd(0.01), *train, size=128, epochs=5)
    states = accumulate(run.batches[:steps], run.step, initial=run.start)
    return [state.loss for state in states][1:]


def among(losses: fn.Array, recorded: list[float]) -> bool:
    """Whether each recorded loss is between the lowest and the highest of those measured."""
    ends = [(run.min(), run.max()) for run in losses[:3]]
    return all(low <= loss <= high for loss, (low, high) in zip(recorded, ends, strict=True))


# ---- equal weights -----------------------------------------------------------------------------


def equal_weights(setting: Setting) -> Part:
    """Why not let all weights start at 0, or at one number?"""
    nets = {
        "0": two_layer(50, fn.sigmoid(), fn.zeros),
        ".01": two_layer(50, fn.sigmoid(), hundredths),
        "N(0, .01)": two_layer(50, fn.sigmoid(), fn.normal(0.01)),
        "0 with ReLU": two_layer(50, fn.relu(), fn.zeros),
        "N(0, .01) with one hidden unit": two_layer(1, fn.sigmoid(), fn.normal(0.01)),
    }
    train, test = setting.images()
    found = {name: trained(net, train, setting.choose(2, 1)) for name, net in nets.items()}
    apart = {name: unlike(params) for name, params in found.items()}
    return Part(
        [
            shows(
                "from 0 and from .01 all 50 hidden units stay the same, to 1e-9",
                max(apart["0"], apart[".01"]) < 1e-9,
            ),
            shows("from N(0, .01) they differ", apart["N(0, .01)"] > 0.01),
            shows(
                "from 0 with ReLU no weight ever moves",
                not any(found["0 with ReLU"][layer]["W"].any() for layer in ("dense1", "dense2")),
            ),
            *[
                own(
                    f"test accuracy after 1,200 steps from {name}",
                    fn.accuracy(net, found[name], *test),
                )
                for name, net in nets.items()
            ],
        ],
        "Units that start alike see the same inputs, get the same gradients and take the same "
        "steps: fifty of them are one. With ReLU and zeros only the last biases have a gradient. "
        "What makes units differ is chance.",
        {
            "equal": fn.plotting.figure(
                *[
                    drawing
                    for name in ("0", ".01", "N(0, .01)")
                    for drawing in fn.plotting.filters(
                        found[name]["dense1"]["W"].T[:5].reshape(-1, *train.x.shape[1:])
                    )
                ],
                columns=5,
                size=(1.2, 1.2),
                title="first weights of five hidden units: from 0, from .01, from N(0, .01)",
            )
        },
        key=0,
    )


def hundredths(key: fn.Key, shape: tuple[int, ...], n_in: int, n_out: int, dtype: Any) -> fn.Array:
    """.01 everywhere, whatever the key."""
    return np.full(shape, 0.01, dtype)


def two_layer(
    hidden: int, between: fn.AnyLayer, weights: fn.Initializer
) -> fn.Layer[fn.Image[Any], fn.Vec[int]]:
    return fn.flatten() >> fn.models.two_layer(..., hidden, 10, between, weights=weights)


def trained(
    net: fn.Layer[fn.Image[Any], fn.Vec[int]],
    train: fn.Batch[fn.Tensor4, fn.Labels],
    epochs: int,
) -> fn.Params:
    """The parameters after ``epochs`` of SGD with rate .1 and batches of 100."""
    key, optimizer = fn.Key(0), fn.sgd(0.1)
    batches = fn.minibatches(key.child("batches"), *train, size=100, epochs=epochs)
    # In float64, so that rounding, which tells equal units apart in time, stays small.
    params = net.init(key.child("init"), train.x.shape[1:], np.float64)
    start = fn.TrainState.start(params, optimizer, key.child("train"))
    return reduce(fn.train_step(net, LOSS, optimizer), batches, start).params


def unlike(params: fn.Params) -> float:
    """By how much the weights of the hidden units differ at most."""
    into, out = params["dense1"]["W"], params["dense2"]["W"]
    return float(max(np.ptp(into, axis=1).max(), np.ptp(out, axis=0).max()))


if __name__ == "__main__":
    teach(activations, on_mnist, equal_weights)
