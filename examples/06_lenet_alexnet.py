"""LeNet-5 and AlexNet: their parts, their sizes, and what they learn."""

from __future__ import annotations

from functools import partial
from statistics import median
from typing import Any

import numpy as np
from lesson import (
    Learned,
    Part,
    Setting,
    curves_by_key,
    equal,
    in_32_pixels,
    learn,
    own,
    shows,
    side_by_side,
    teach,
)

import funcnet as fn

LOSS = fn.softmax_cross_entropy()
KEYS = (0, 1, 2)

# The norm as the paper has it: alpha 1e-4 for each of the five channels that are summed.
NORM = fn.local_response_norm(5, alpha=5e-4, beta=0.75, k=2.0)


# ---- LeNet-5 -----------------------------------------------------------------------------------

LENET = fn.models.lenet5(1, 10)


def train_lenet(setting: Setting, key: int) -> Learned:
    """Adam with a falling rate, batches of 100, six epochs of all images."""
    data, epochs = setting.images(), setting.choose(6, 1)
    optimizer = fn.adam(fn.cosine_decay(0.002, epochs * len(data.train.x) // 100))
    x = in_32_pixels(data.train.x)
    run = fn.prepare(fn.Key(key), LENET, LOSS, optimizer, x, data.train.t, size=100, epochs=epochs)
    return learn(run, LENET, data.test._replace(x=in_32_pixels(data.test.x)))


def lenet_5(setting: Setting) -> Part:
    """How well does the network of 1998 read digits, at its published size?"""
    keys = KEYS[: setting.choose(3, 1)]
    runs = side_by_side(setting, partial(train_lenet, setting), keys)
    reached = [run.accuracies[-1] for run in runs]
    return Part(
        [
            equal("parameters", 61_706, fn.count(LENET.spec((1, 32, 32))[0])),
            own("test accuracy after the last epoch, each key", reached),
            shows("the median is at least .98", median(reached) >= 0.98, full=True),
        ],
        "Tanh and means, where later networks have ReLU and maxima. The paper reports .9905 after "
        "twenty looks at the images; these are six. There not all maps of the second convolution "
        "see all of the first, pools have weights, and the outputs are distances from fixed codes.",
        {
            "lenet": fn.diagram(LENET, (1, 32, 32)).svg(),
            "learning": fn.plotting.figure(curves_by_key(runs, "LeNet-5"), size=(5.6, 3.2)),
        },
        key=0,
    )


# ---- AlexNet -----------------------------------------------------------------------------------


def response_norm(setting: Setting) -> Part:
    """What does local response norm do to a channel beside a loud one?"""
    quiet, loud = np.ones(7), np.array([1.0, 1, 1, 100, 1, 1, 1])
    pixels = np.array([quiet, loud])[:, :, None, None]
    after = NORM.apply(fn.NO_PARAMS, pixels)[:, :, 0, 0]
    # Two neighbours on each side, fewer at the ends: sums of squares by hand.
    sums = [3, 4, 5, 5, 5, 4, 3], [3, 10_003, 10_004, 10_004, 10_004, 10_003, 3]
    by_hand = [
        x / (2 + 1e-4 * np.array(s)) ** 0.75 for x, s in zip((quiet, loud), sums, strict=True)
    ]
    return Part(
        [
            equal("seven channels of 1: as by hand", by_hand[0], after[0]),
            equal("one of them 100: as by hand", by_hand[1], after[1]),
            shows("the loud one's neighbours lose over a quarter, the two at the ends nothing",
                  (1 - after[1, [1, 2, 4, 5]] / after[0, [1, 2, 4, 5]] > 0.25).all()
                  and np.allclose(after[1, [0, 6]], after[0, [0, 6]])),
        ],
        "x / (k + alpha * sum of squares)^beta, the sum over five channels at the same pixel, with "
        "k 2, alpha 1e-4, beta .75. PyTorch and funcnet divide alpha by the five, so that it is "
        "given as 5e-4.",
    )  # fmt: skip


def alexnet(setting: Setting) -> fn.AnyLayer:
    """Fewer channels and hidden units, and a stem for small images: 5x5 at stride 2, no pool."""
    width, hidden = setting.choose(24, 6), setting.choose(256, 16)
    first: fn.Layer[Any, Any] = fn.conv2d(1, width, 5, stride=2, pad=2)
    return fn.models.alexnet(1, 10, width=width, hidden=hidden, stem=first >> fn.relu() >> NORM)


def train_alexnet(setting: Setting, key: int) -> Learned:
    """Adam with a falling rate, batches of 50, six epochs of the first 10,000 images."""
    data, net, epochs = setting.images(), alexnet(setting), setting.choose(6, 1)
    few = setting.choose(10_000, 100)
    optimizer = fn.adam(fn.cosine_decay(0.001, epochs * few // 50))
    x, t = in_32_pixels(data.train.x[:few]), data.train.t[:few]
    run = fn.prepare(fn.Key(key), net, LOSS, optimizer, x, t, size=50, epochs=epochs)
    return learn(run, net, fn.Batch(in_32_pixels(data.test.x), data.test.t))


def alex_net(setting: Setting) -> Part:
    """Does the network of 2012 learn at a size that trains here?"""
    net, full = alexnet(setting), fn.models.alexnet(3, 1000)
    (run,) = side_by_side(setting, partial(train_alexnet, setting), [0])
    return Part(
        [
            equal("parameters at the published size", 60_965_224,
                  fn.count(full.spec((3, 227, 227))[0])),
            equal("pixels after each pool, at the published size", [27, 13, 6], pooled(full)),
            own("parameters here", fn.count(net.spec((1, 32, 32))[0])),
            own("test accuracy after each epoch", run.accuracies),
            shows("at the end it is at least .975", run.accuracies[-1] >= 0.975, full=True),
        ],
        "The published first convolution, of 11x11 at stride 4, and its pool would leave 2x2 "
        "pixels of 32x32. In their place stands one of 5x5 at stride 2; all else is as published, "
        "groups, norm, overlapping pools and dropout, but with a quarter of the channels, and "
        "dense "
        "layers of 256 for 4,096.",
        {
            "alexnet": fn.diagram(full, (3, 227, 227)).svg(),
            "narrow": fn.plotting.figure(curves_by_key([run], "AlexNet, narrow"), size=(5.6, 3.2)),
        },
        key=0,
    )  # fmt: skip


def pooled(net: fn.Layer[Any, Any]) -> list[int]:
    """The height of images after each pool."""
    ends = [i for i, (name, _) in enumerate(net.parts, 1) if name.startswith("max_pool2d")]
    return [net[:i].spec((3, 227, 227))[1][1] for i in ends]


if __name__ == "__main__":
    teach(lenet_5, response_norm, alex_net)
