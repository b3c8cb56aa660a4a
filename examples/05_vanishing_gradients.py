"""Vanishing gradients: sigmoid or ReLU, three initial weights, with batch norm and without."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate, product
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from lesson import Part, Setting, own, progress, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Case: TypeAlias = tuple[str, str, str]
"""With batch norm or without, the activation, and how weights start: keys of these three."""

NORMS = {"without": fn.identity(), "with": fn.batch_norm()}
ACTIVATIONS = {"sigmoid": fn.sigmoid(), "ReLU": fn.relu()}
WEIGHTS = {"N(0, .01)": fn.normal(0.01), "Xavier": fn.xavier_normal, "He": fn.he_normal}
CASES: list[Case] = list(product(NORMS, ACTIVATIONS, WEIGHTS))

LOSS = fn.softmax_cross_entropy()


def network(case: Case, hidden: int) -> fn.Layer[fn.Image[Any], fn.Vec[int]]:
    """784-100-...-100-10 with so many hidden layers."""
    norm, activation, weights = case
    between = NORMS[norm] >> ACTIVATIONS[activation]
    return fn.flatten() >> fn.models.multi_layer(
        ..., [100] * hidden, 10, between, weights=WEIGHTS[weights]
    )


# ---- before training ---------------------------------------------------------------------------


def gradient_by_layer(setting: Setting) -> Part:
    """How large is the gradient of each layer's weights, before a net of five hidden layers learns?

    The size is the mean of its absolute values, over a batch of 100 images.
    """
    train = setting.images().train
    batch = fn.Batch(train.x[:100], train.t[:100])
    sizes = {case: gradient_sizes(network(case, 5), batch) for case in CASES}
    sigmoid, relu = ([sizes["without", f, w] for w in WEIGHTS] for f in ACTIVATIONS)
    return Part(
        [
            shows(
                "sigmoid + N(0, .01): in every layer less than a tenth of the next one's",
                (sigmoid[0][:-1] < sigmoid[0][1:] / 10).all(),
            ),
            shows(
                "sigmoid + Xavier and sigmoid + He: in the first layer less than a hundredth of "
                "the last one's",
                max(reach(sigmoid[1]), reach(sigmoid[2])) < 0.01,
            ),
            shows(
                "ReLU + N(0, .01): below a millionth in every layer, the last one included",
                relu[0].max() < 1e-6,
            ),
            shows(
                "ReLU + Xavier and ReLU + He: in the first layer a tenth of the last one's or more",
                min(reach(relu[1]), reach(relu[2])) > 0.1,
            ),
            shows(
                "batch norm keeps that share above a fortieth in all six",
                min(map(reach, of("with", sizes).values())) > 1 / 40,
            ),
            *[
                own(
                    f"first layer's, {norm} batch norm: sigmoid, then ReLU, x {', '.join(WEIGHTS)}",
                    [size[0] for size in of(norm, sizes).values()],
                )
                for norm in NORMS
            ],
        ],
        "Each sigmoid multiplies what comes back through it by .25 at most, and small weights by "
        "less still: five layers down nothing is left. With ReLU and N(0, .01) it is the outputs "
        "that have vanished on the way up. Batch norm brings every layer's inputs back to size.",
        {
            "gradients": fn.plotting.figure(
                *[
                    panel(
                        {name: (np.arange(1.0, 7), size) for name, size in of(norm, sizes).items()},
                        f"{norm} batch norm",
                        ("layer", "mean size of gradient"),
                        (1e-14, 1),
                    )
                    for norm in NORMS
                ],
                size=(4.6, 3.8),
            )
        },
        key=0,
    )


def gradient_sizes(
    net: fn.Layer[fn.Image[Any], fn.Vec[int]], batch: fn.Batch[fn.Tensor4, fn.Labels]
) -> fn.Array:
    """The mean absolute gradient of the weights of each dense layer."""
    params = net.init(fn.Key(0).child("init"), batch.x.shape[1:])
    _, grads, _ = fn.value_and_grad(net, LOSS)(params, *batch, fn.Train(fn.Key(0).child("train")))
    sizes = [np.abs(g).mean() for path, g in fn.leaves(grads) if path.endswith("/W")]
    return np.array(sizes, float)


def of(norm: str, found: Mapping[Case, fn.Array]) -> dict[str, fn.Array]:
    """What was found with batch norm or without, by activation and initial weights."""
    return {f"{f} + {w}": found[norm, f, w] for f, w in product(ACTIVATIONS, WEIGHTS)}


def panel(
    lines: Mapping[str, fn.plotting.Line],
    title: str,
    labels: tuple[str, str],
    span: tuple[float, float],
) -> fn.plotting.Drawing:
    """Curves on a scale of powers of ten that spans the same range in all panels."""

    def same_range(axes: Axes) -> None:
        axes.set_ylim(*span)

    x, y = labels
    return fn.plotting.over(fn.plotting.curves(lines, title=title, x=x, y=y, log=True), same_range)


def reach(sizes: fn.Array) -> float:
    """How much of the last layer's gradient is left in the first."""
    return float(sizes[0] / sizes[-1])


# ---- training ----------------------------------------------------------------------------------


def learning(setting: Setting) -> Part:
    """Which of the three matters most: the activation, the initial weights, or batch norm?"""
    train, steps, keys = setting.images().train, setting.choose(2000, 10), setting.choose(3, 1)

    def trained(hidden: int, rate: float) -> dict[Case, fn.Array]:
        return {
            case: np.array(
                [losses(network(case, hidden), rate, fn.Key(n), train, steps) for n in range(keys)]
            )
            for case in progress(CASES, f"{hidden} hidden layers, rate {rate}")
        }

    runs, slow = {hidden: trained(hidden, 0.1) for hidden in (1, 2, 3, 5)}, trained(2, 0.01)
    falls = {hidden: factors(found) for hidden, found in runs.items()}
    hard = [found["without", "sigmoid", "N(0, .01)"] for found in runs.values()]
    mended = [found["with", "sigmoid", "N(0, .01)"] for found in runs.values()]
    he, xavier = (
        [found["without", "ReLU", w] for found in runs.values()] for w in ("He", "Xavier")
    )
    return Part(
        [
            shows(
                "sigmoid + N(0, .01) hardly learns with two hidden layers and more: the loss stays "
                "above 2.2",
                min(map(end, hard[1:])) > 2.2,
            ),
            shows(
                "with batch norm it does, at every depth: the loss falls below .35",
                max(map(end, mended)) < 0.35,
                full=True,
            ),
            shows(
                "rate .1, one and two hidden layers: ReLU matters most, it lowers the loss by a "
                "larger factor than batch norm or He",
                all(falls[hidden].argmax() == 0 for hidden in (1, 2)),
                full=True,
            ),
            shows(
                "with three and five hidden layers, and with two at rate .01, batch norm does",
                all(fall.argmax() == 1 for fall in (falls[3], falls[5], factors(slow))),
                full=True,
            ),
            shows(
                "ReLU + He is a little ahead of ReLU + Xavier: at every depth in each run, over "
                "all steps, by less than a quarter of its loss",
                all(
                    ((ratio > 0.75) & (ratio < 1)).all()
                    for ratio in (a.mean(1) / b.mean(1) for a, b in zip(he, xavier, strict=True))
                ),
                full=True,
            ),
            *[
                own(f"{hidden} hidden: factors of ReLU, batch norm, He", fall)
                for hidden, fall in falls.items()
            ],
            own("2 hidden, rate .01: factors of ReLU, batch norm, He", factors(slow)),
            *[
                own(
                    f"{hidden} hidden, {norm} batch norm: last losses",
                    [end(run) for run in of(norm, found).values()],
                )
                for hidden, found in runs.items()
                for norm in NORMS
            ],
        ],
        "Factors are geometric means over the settings of the two others: ReLU for sigmoid, batch "
        "norm for none, He for N(0, .01). The course found that ReLU matters most. That is so here "
        "in shallow nets that learn by a large rate, .1; in deeper ones, or by a rate of .01, more "
        "of the nets without batch norm learn nothing in 2,000 steps, and it matters more. Last "
        "losses, of rate .1: sigmoid, then ReLU, each with N(0, .01), Xavier, He; means over the "
        "keys 0 to 2.",
        {
            f"{hidden}_hidden": fn.plotting.figure(
                *[
                    drawing(runs[hidden], norm, f"{hidden} hidden layers, {norm} batch norm")
                    for norm in NORMS
                ],
                size=(4.6, 3.6),
            )
            for hidden in (2, 5)
        },
        key=0,
    )


def losses(
    net: fn.Layer[fn.Image[Any], fn.Vec[int]],
    rate: float,
    key: fn.Key,
    train: fn.Batch[fn.Tensor4, fn.Labels],
    steps: int,
) -> list[float]:
    """The losses of SGD with batches of 100."""
    run = fn.prepare(key, net, LOSS, fn.sgd(rate), *train, size=100, epochs=4)
    states = accumulate(run.batches[:steps], run.step, initial=run.start)
    return [state.loss for state in states][1:]


def end(run: fn.Array) -> float:
    """The mean loss of the last 100 steps."""
    return float(run[:, -100:].mean())


def factors(runs: Mapping[Case, fn.Array]) -> fn.Array:
    """By what factor the last losses fall with ReLU for sigmoid, batch norm, He for N(0, .01)."""
    ends = np.log([end(run) for run in runs.values()]).reshape(2, 2, 3)
    relu = ends[:, 0].mean() - ends[:, 1].mean()
    norm = ends[0].mean() - ends[1].mean()
    he = ends[..., 0].mean() - ends[..., 2].mean()
    fall: fn.Array = np.exp([relu, norm, he])
    return fall


def drawing(runs: Mapping[Case, fn.Array], norm: str, title: str) -> fn.plotting.Drawing:
    """Losses with batch norm or without: means of all runs and of 20 steps."""
    lines = {name: means(run.mean(0), 20) for name, run in of(norm, runs).items()}
    return panel(lines, title, ("step", "loss"), (0.003, 4))


def means(losses: fn.Array, steps: int) -> tuple[fn.Array, fn.Array]:
    """Where so many steps have their middle, and their mean loss."""
    steps = min(steps, len(losses))
    blocks = losses.reshape(-1, steps)
    return (np.arange(len(blocks)) + 0.5) * steps, blocks.mean(1)


if __name__ == "__main__":
    teach(gradient_by_layer, learning)
