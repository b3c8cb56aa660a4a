"""Batch normalisation: sixteen sizes of initial weights, its place, and a larger rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from lesson import Part, Setting, at_least, own, progress, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOSS = fn.softmax_cross_entropy()
PLAIN = fn.relu()
# The course adds 1e-6 to the variance. funcnet's usual 1e-5, PyTorch's, is more than the variance
# itself where the weights are smallest.
NORM = fn.batch_norm(epsilon=1e-6) >> fn.relu()

WITHOUT = [0.116, 0.097, 0.950, 0.839, 0.279, 0.146, 0.116, 0.116,
           0.116, 0.117, 0.116, 0.117, 0.116, 0.116, 0.117, 0.117]  # fmt: skip
WITH = [0.416, 0.464, 0.620, 0.764, 0.872, 0.963, 0.988, 0.997,
        1.000, 0.998, 0.992, 0.935, 0.782, 0.618, 0.525, 0.523]  # fmt: skip


def deviations(setting: Setting) -> fn.Array:
    """The weights' standard deviations, from 1 to .0001; of the sixteen, quick runs take four."""
    return np.logspace(0, -4, 16)[:: setting.choose(1, 5)]


def learn(setting: Setting, between: fn.AnyLayer, keys: int, rate: float = 0.01) -> fn.Array:
    """Train accuracies of 784-100x5-10 on 1,000 images: (deviations, keys, epochs)."""
    (x, t), _ = setting.images()
    few, epochs = fn.Batch(x[:1000], t[:1000]), setting.choose(20, 1)
    runs = [
        [accuracies(between, std, few, epochs, rate, fn.Key(n)) for n in range(keys)]
        for std in progress(deviations(setting), f"{between}, rate {rate}")
    ]
    return np.array(runs)


def accuracies(
    between: fn.AnyLayer,
    std: float,
    train: fn.Batch[fn.Tensor4, fn.Labels],
    epochs: int,
    rate: float,
    key: fn.Key,
) -> list[float]:
    """Train accuracy after each epoch of SGD with batches of 100."""
    net = fn.flatten() >> fn.models.multi_layer(..., [100] * 5, 10, between, weights=fn.normal(std))
    run = fn.prepare(key, net, LOSS, fn.sgd(rate), *train, size=100, epochs=epochs)
    # Large weights blow up without batch norm, to numbers that are none: what is to be seen here.
    with np.errstate(over="ignore", invalid="ignore"):
        return [fn.accuracy(net, state.params, *train) for state in fn.epochs(*run)]


def final(runs: fn.Array) -> fn.Array:
    """The accuracy after the last epoch, the median of the keys, for each deviation."""
    return np.median(runs[..., -1], axis=1)


# ---- with and without --------------------------------------------------------------------------


def sixteen(setting: Setting) -> Part:
    """From which sizes of initial weights does 784-100x5-10 learn, with batch norm and without?"""
    keys, stds = setting.choose(5, 1), deviations(setting)
    without, norm = learn(setting, PLAIN, keys), learn(setting, NORM, keys)
    usual = learn(setting, fn.batch_norm() >> fn.relu(), keys)
    better = final(norm) > final(without)
    return Part(
        [
            at_least("without, std from 1 down to .0001", WITHOUT, final(without), 0.04),
            at_least("with batch norm", WITH, final(norm), 0.1),
            at_least("with batch norm, mean of the sixteen", np.mean(WITH), final(norm).mean()),
            shows(
                "with batch norm each recorded figure is within .04 of the range of five keys",
                setting.quick or outside(WITH, norm[..., -1]).max() < 0.04,
                full=True,
            ),
            shows(
                "batch norm is ahead for all but the third and the fourth, std .29 and .16, as "
                "in the course",
                np.flatnonzero(~better).tolist() == [2, 3],
                full=True,
            ),
            shows(
                "without it three of the sixteen get beyond .2; with it all get beyond .4",
                (final(without) > 0.2).sum() == 3 and final(norm).min() > 0.4,
                full=True,
            ),
            own("with batch norm of funcnet's usual epsilon, 1e-5", final(usual)),
        ],
        "Figures are medians of the keys 0 to 4. Batch norm makes up for weights too small or too "
        "large by a hundred times. For the smallest what is learned depends on epsilon, which the "
        "course has at 1e-6: at 1e-5 it outweighs the variance, and std .0001 learns nothing. "
        "Accuracies near .1 are guesses, of one class for all images; the first two without batch "
        "norm have overflowed, and what is no number counts as a 0.",
        {
            "sixteen": fn.plotting.figure(
                *[
                    panel(f"std {std:.2g}", a, b)
                    for std, a, b in zip(
                        stds, np.median(norm, 1), np.median(without, 1), strict=True
                    )
                ],
                columns=4,
                size=(2.2, 1.5),
                title="train accuracy by epoch: with batch norm (orange), without (blue, dashed)",
            )
        },
        key=0,
    )


def outside(recorded: Sequence[float], runs: fn.Array) -> fn.Array:
    """By how much each recorded figure is below the lowest or above the highest of its runs."""
    gap: fn.Array = np.maximum(runs.min(1) - recorded, recorded - runs.max(1))
    return gap


def panel(title: str, norm: fn.Array, without: fn.Array) -> fn.plotting.Drawing:
    """Accuracy by epoch, over the same range in all panels."""

    def draw(axes: Axes) -> None:
        epochs = np.arange(1, len(norm) + 1)
        axes.plot(epochs, without, linestyle="--")
        axes.plot(epochs, norm)
        axes.set(title=title, ylim=(0, 1.05))

    return draw


# ---- its place, and the rate -------------------------------------------------------------------


def place(setting: Setting) -> Part:
    """Does batch norm belong before the activation or after it?"""
    keys = setting.choose(3, 1)
    before = final(learn(setting, NORM, keys))
    after = final(learn(setting, fn.relu() >> fn.batch_norm(epsilon=1e-6), keys))
    return Part(
        [
            own("before ReLU, std from 1 down to .0001", before),
            own("after ReLU", after),
            shows(
                "both learn from all sixteen; after ReLU is as good everywhere, to .01, and "
                "better by a tenth on average where the weights are large (std .1 and more) or "
                "small (.001 and less)",
                min(before.min(), after.min()) > 0.4
                and (after > before - 0.01).all()
                and (after - before)[[0, 1, 2, 3, -4, -3, -2, -1]].mean() > 0.1,
                full=True,
            ),
        ],
        "The paper puts it before the activation, and so does the course. On these few images it "
        "does more after ReLU, where the next layer takes numbers of mean 0 and deviation 1.",
        {"place": drawing(setting, {"before ReLU": before, "after ReLU": after})},
        key=0,
    )


def larger_rate(setting: Setting) -> Part:
    """What does a rate ten times as large do, with batch norm and without?"""
    keys = setting.choose(3, 1)
    slow, fast = (learn(setting, NORM, keys, rate) for rate in (0.01, 0.1))
    slow_without, fast_without = (learn(setting, PLAIN, keys, rate) for rate in (0.01, 0.1))
    ends = {
        "rate .1, with": final(fast),
        "rate .01, with": final(slow),
        "rate .1, without": final(fast_without),
        "rate .01, without": final(slow_without),
    }
    return Part(
        [
            own("rate .1 with batch norm, std from 1 down to .0001", final(fast)),
            own("rate .1 without", final(fast_without)),
            own(
                "mean of the sixteen: rate .01 without, with; rate .1 without, with",
                [final(runs).mean() for runs in (slow_without, slow, fast_without, fast)],
            ),
            shows(
                "with batch norm rate .1 gets beyond .9 from all sixteen",
                final(fast).min() > 0.9,
                full=True,
            ),
            shows(
                "without it rate .1 is lost from std .29, where rate .01 was best",
                final(slow_without).argmax() == 2 and final(fast_without)[2] < 0.2,
                full=True,
            ),
            shows(
                "with batch norm, after five epochs rate .1 is where rate .01 is after twenty, or "
                "further, on average",
                np.median(fast[:, :, :5], 1)[:, -1].mean() > final(slow).mean(),
                full=True,
            ),
        ],
        "A layer's inputs keep their size whatever the layers below do, so a step that is too "
        "large for one layer does not blow up the next.",
        {"rate": drawing(setting, ends)},
        key=0,
    )


def drawing(setting: Setting, ends: Mapping[str, fn.Array]) -> Figure:
    """Final accuracies by the weights' standard deviation."""
    where = np.log10(deviations(setting))
    return fn.plotting.figure(
        fn.plotting.curves(
            {name: (where, accuracy) for name, accuracy in ends.items()},
            title="train accuracy after 20 epochs",
            x="log10 of the weights' std",
            y="accuracy",
            markers=".",
        ),
        size=(6, 3.6),
    )


if __name__ == "__main__":
    teach(sixteen, place, larger_rate)
