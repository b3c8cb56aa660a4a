"""Residual networks: a shortcut around each block, at depths where plain networks fail."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from itertools import accumulate, product
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from lesson import Part, Setting, own, shows, side_by_side, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHANNELS = 8
Block: TypeAlias = fn.Layer[fn.Image[int], fn.Image[int]]


def body(
    norm: fn.Same, first: fn.Initializer = fn.he_normal, last: fn.Initializer = fn.he_normal
) -> Block:
    """Two convolutions of 3x3; ``first`` and ``last`` draw their weights."""
    return (
        fn.conv2d(CHANNELS, CHANNELS, 3, pad=1, weights=first)
        >> norm
        >> fn.relu()
        >> fn.conv2d(CHANNELS, CHANNELS, 3, pad=1, weights=last)
        >> norm
    )


def rescaled(
    key: fn.Key, shape: tuple[int, ...], fan_in: int, fan_out: int, dtype: np.dtype[np.floating]
) -> fn.Array:
    """He's rule, made up for the zeros around images of 7x7: of 21 x 21 inputs 19 x 19 are real."""
    return fn.he_normal(key, shape, fan_in, fan_out, dtype) * dtype.type(21 / 19)


PLAIN, PLAIN_NORM, SHORT_NORM, SHORT_ZERO = TRAINED = (
    "plain",
    "plain + norm",
    "residual + norm",
    "residual + zeros",
)
SCALED, SHORT = "plain, rescaled", "residual"
BLOCKS: Mapping[str, Block] = {
    PLAIN: body(fn.identity()),
    PLAIN_NORM: body(fn.batch_norm()),
    SHORT_NORM: fn.residual(body(fn.batch_norm())),
    SHORT_ZERO: fn.residual(body(fn.identity(), last=fn.zeros)),
    SCALED: body(fn.identity(), rescaled, rescaled),
    SHORT: fn.residual(body(fn.identity())),
}
"""The same two convolutions in each."""

DEPTHS, KEYS, RATE, OTHER_RATES = (4, 16, 48), (0, 1, 2), 0.001, (0.0003, 0.003)
LOSS = fn.softmax_cross_entropy()
Case: TypeAlias = tuple[str, int, int, float]
"""What is trained: the block, how many of it, the key, the rate."""


def network(block: str, depth: int) -> fn.Layer[fn.Image[int], fn.Vec[int]]:
    """So many blocks, each followed by ReLU, on images of a sixteenth of the pixels."""
    blocks = [BLOCKS[block] >> fn.relu()] * depth
    return fn.sequential(
        fn.max_pool2d(2),
        fn.conv2d(1, CHANNELS, 3, pad=1),
        fn.relu(),
        fn.max_pool2d(2),
        *blocks,
        fn.flatten(),
        fn.dense(..., 10),
    )


# ---- before training ---------------------------------------------------------------------------


def at_the_start(setting: Setting) -> Part:
    """Before anything is learned: what comes through to the first layer, and to the last?

    The gradient is that of the first convolution's weights over 100 images, its size the root of
    the sum of squares. Directions are those in which the last block's outputs for them vary,
    counted by the participation ratio of the variances: (sum v)^2 / sum v^2.
    """
    depths = DEPTHS[: setting.choose(3, 2)]
    looked = {
        block: np.median([[look(setting, block, d, key) for d in depths] for key in KEYS], 0)
        for block in BLOCKS
    }
    gradient = {block: sizes[:, 0] for block, sizes in looked.items()}
    spread = {block: sizes[:, 1] for block, sizes in looked.items()}
    return Part(
        [
            own("blocks", depths),
            *[own(f"{block}: gradient, median of three keys", gradient[block]) for block in BLOCKS],
            *[own(f"{block}: directions", spread[block]) for block in BLOCKS],
            shows(
                "plain: with 48 blocks the gradient is less than a hundredth of that with 4",
                gradient[PLAIN][-1] < gradient[PLAIN][0] / 100,
                full=True,
            ),
            shows(
                "plain + norm: more than ten thousand times that with 4",
                gradient[PLAIN_NORM][-1] > 1e4 * gradient[PLAIN_NORM][0],
                full=True,
            ),
            shows(
                "residual + norm: less than twenty times",
                gradient[SHORT_NORM][-1] < 20 * gradient[SHORT_NORM][0],
                full=True,
            ),
            shows(
                "residual + zeros: the same at every depth",
                np.ptp(gradient[SHORT_ZERO]) < 1e-5 * gradient[SHORT_ZERO][0],
            ),
            shows(
                "residual alone: more than ten thousand times",
                gradient[SHORT][-1] > 1e4 * gradient[SHORT][0],
                full=True,
            ),
            shows(
                "plain, with norm or without: with 48 blocks less than half the directions of 4",
                all(spread[block][-1] < spread[block][0] / 2 for block in (PLAIN, PLAIN_NORM)),
                full=True,
            ),
            shows(
                "residual + norm, residual + zeros: no fewer",
                all(spread[b][-1] > 0.99 * spread[b][0] for b in (SHORT_NORM, SHORT_ZERO)),
                full=True,
            ),
        ],
        "He's rule leaves out the zeros around the images, and by 19/21 a convolution the signal "
        "shrinks; batch norm, which makes up for it, blows gradients up instead. Whatever their "
        "size, plain blocks squeeze all images into a few directions. A shortcut passes images and "
        "gradients on as they are, if what a block adds is small beside it: by He's rule alone "
        "the sum's variance doubles at every block. Zeros for its second convolution let a block "
        "start as the identity; batch norm keeps what it adds to one size beside a growing sum.",
        {
            "block": fn.diagram(BLOCKS[SHORT_NORM] >> fn.relu(), (CHANNELS, 7, 7)).svg(),
            "start": fn.plotting.figure(
                by_depth(depths, gradient, "gradient of the first layer", "size", log=True),
                fn.plotting.over(
                    by_depth(depths, spread, "directions after the last block", "directions"),
                    lambda axes: axes.legend().remove(),  # that of the other panel would hide lines
                ),
                size=(4.6, 3.6),
            ),
        },
        key=0,
    )


def look(setting: Setting, block: str, depth: int, n: int) -> tuple[float, float]:
    """The size of the first gradient, and the number of directions after the last block."""
    (x, t), net, key = setting.images().train, network(block, depth), fn.Key(n)
    x, t, params = x[:100], t[:100], net.init(key, x.shape[1:])
    _, grads, _ = fn.value_and_grad(net, LOSS)(params, x, t, fn.Train(key))
    features = net[:-1]
    rows, _ = features.forward(params.only(features), x, fn.Train(key))
    flat = rows.reshape(len(x), -1)
    variances = np.linalg.svd(flat - flat.mean(0), compute_uv=False).astype(float) ** 2
    directions = variances.sum() ** 2 / (variances**2).sum()
    return float(np.linalg.norm(grads["conv2d1"]["W"])), float(directions)


def by_depth(
    depths: tuple[int, ...], lines: Mapping[str, fn.Array], title: str, y: str, log: bool = False
) -> fn.plotting.Drawing:
    """A line for each block, over the depth in powers of two."""

    def scaled(axes: Axes) -> None:
        axes.set_xscale("log", base=2)
        axes.set_xticks(depths, [str(n) for n in depths])
        axes.minorticks_off()

    drawn = {block: (np.array(depths), line) for block, line in lines.items()}
    curves = fn.plotting.curves(drawn, title=title, x="blocks", y=y, log=log, markers="o")
    return fn.plotting.over(curves, scaled)


# ---- training ----------------------------------------------------------------------------------


class Run(NamedTuple):
    """The loss of each batch, and the accuracy on the first 2,000 test images."""

    losses: list[float]
    accuracy: float


def train(setting: Setting, case: Case) -> Run:
    """Adam's 200 steps with batches of 50."""
    block, depth, key, rate = case
    data, net = setting.images(), network(block, depth)
    run = fn.prepare(fn.Key(key), net, LOSS, fn.adam(rate), *data.train, size=50)
    batches = run.batches[: setting.choose(200, 2)]
    _, *states = accumulate(batches, run.step, initial=run.start)
    x, t = data.test
    reached = fn.accuracy(net, states[-1].params, x[:2000], t[:2000])
    return Run([state.loss for state in states], reached)


def cases(setting: Setting) -> list[Case]:
    """All blocks, depths and keys at one rate; the deepest plain ones in others too."""
    depths, keys = DEPTHS[: setting.choose(3, 1)], KEYS[: setting.choose(3, 1)]
    usual = product(TRAINED, depths, keys, [RATE])
    others = product([PLAIN, PLAIN_NORM], depths[-1:], [0], OTHER_RATES)
    scaled = product([SCALED], depths[-1:], keys, [RATE])
    return sorted([*usual, *others, *scaled], key=lambda case: -case[1])  # the longest first


@cache
def trained(setting: Setting) -> dict[Case, Run]:
    """Every case trained, once for all parts of this lesson."""
    todo = cases(setting)
    return dict(zip(todo, side_by_side(setting, partial(train, setting), todo), strict=True))


def with_depth(setting: Setting) -> Part:
    """Which networks still learn when they are deep: 4, 16 and 48 blocks of two convolutions?"""
    runs = trained(setting)
    depths = DEPTHS[: setting.choose(3, 1)]
    keys = KEYS[: setting.choose(3, 1)]
    reached = {
        block: np.array([[runs[block, d, key, RATE].accuracy for d in depths] for key in keys])
        for block in TRAINED
    }
    middle = {block: np.median(found, 0) for block, found in reached.items()}
    deep_plain, deep_short = (
        np.array([reached[block][:, -1] for block in blocks])
        for blocks in (TRAINED[:2], TRAINED[2:])
    )
    scaled = [runs[SCALED, depths[-1], key, RATE].accuracy for key in keys]
    others = [runs[b, depths[-1], 0, rate].accuracy for b in TRAINED[:2] for rate in OTHER_RATES]
    return Part(
        [
            own("blocks", depths),
            *[own(f"{block}: median of three keys", middle[block]) for block in TRAINED],
            *[own(f"{block}: the deepest, each key", reached[block][:, -1]) for block in TRAINED],
            shows(
                "with 4 blocks all four learn: every median is above .8",
                min(line[0] for line in middle.values()) > 0.8,
                full=True,
            ),
            shows(
                "with 48 both plain ones stay below .25, with every key",
                deep_plain.max() < 0.25,
                full=True,
            ),
            shows(
                "with 48 both residual ones are above .7, with every key",
                deep_short.min() > 0.7,
                full=True,
            ),
            shows(
                "with zeros to start from, more blocks are no worse: 48 are ahead of 4",
                middle[SHORT_ZERO][-1] > middle[SHORT_ZERO][0],
                full=True,
            ),
            own("plain, rescaled: 48 blocks, each key", scaled),
            own("plain, then with batch norm, 48 blocks, rates .0003 and .003, key 0", others),
            shows("these stay below .25 too", max(scaled + others) < 0.25, full=True),
        ],
        "The same convolutions in all, Adam at .001, 200 steps of 50 images. Some plain networks "
        "of 16 blocks still learn, slowly; of 48 none does, neither with batch norm nor with "
        "weights rescaled for the padding, nor at other rates. Both kinds of residual ones learn "
        "at every depth, and with nothing to add at the start, depth even helps.",
        {
            "losses": fn.plotting.figure(
                *[losses(setting, depth) for depth in depths],
                by_depth(depths, middle, "test accuracy, median of three keys", "accuracy"),
                columns=2,
                size=(3.9, 2.8),
            )
        },
        key=0,
    )


def losses(setting: Setting, depth: int) -> fn.plotting.Drawing:
    """Means of three keys, and of ten steps."""
    keys, steps = KEYS[: setting.choose(3, 1)], setting.choose(10, 1)
    lines = {}
    for block in TRAINED:
        run = np.mean([trained(setting)[block, depth, key, RATE].losses for key in keys], 0)
        means = run.reshape(-1, steps).mean(1)
        lines[block] = ((np.arange(len(means)) + 0.5) * steps, means)
    curves = fn.plotting.curves(lines, title=f"{depth} blocks: {2 * depth} convolutions")
    return fn.plotting.over(curves, lambda axes: axes.set_ylim(0, 4))


if __name__ == "__main__":
    teach(at_the_start, with_depth)
