"""VGG, GoogLeNet and ResNet: their blocks, their sizes, and what they learn from few images."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from lesson import (
    Learned,
    Part,
    Setting,
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
IMAGENET = (3, 224, 224)
VGG = {11: 132_863_336, 13: 133_047_848, 16: 138_357_544, 19: 143_667_240}
RESNET = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160, 152: 60_192_808}
PUBLISHED: Mapping[str, tuple[fn.AnyLayer, tuple[int, ...], int]] = {
    "LeNet-5": (fn.models.lenet5(1, 10), (1, 32, 32), 61_706),
    "AlexNet": (fn.models.alexnet(3, 1000), (3, 227, 227), 60_965_224),
    **{f"VGG-{n}": (fn.models.vgg(3, 1000, n), IMAGENET, VGG[n]) for n in VGG},
    "GoogLeNet": (fn.models.googlenet(3, 1000), IMAGENET, 6_998_552),
    **{f"ResNet-{n}": (fn.models.resnet(3, 1000, n), IMAGENET, RESNET[n]) for n in RESNET},
}
"""The network, one of its images, and how many parameters it is known to have."""


def counts(setting: Setting) -> Part:
    """How many parameters do the famous networks have?"""
    return Part(
        [
            equal(name, parameters, fn.count(net.spec(shape)[0]))
            for name, (net, shape, parameters) in PUBLISHED.items()
        ],
        "The spec of a network is known before any number is drawn, so that counting costs no "
        "memory. VGG keeps about nine tenths of its parameters in three dense layers; GoogLeNet "
        "and "
        "ResNet have a global mean and one dense layer in their place.",
    )


# ---- two of 3x3 for one of 5x5 -----------------------------------------------------------------


def convolutions(size: int, number: int) -> fn.AnyLayer:
    """So many in a row, from one channel to one."""
    return fn.sequential(*[fn.conv2d(1, 1, size, pad=size // 2, bias=False)] * number)


def sight(net: fn.AnyLayer) -> fn.Array:
    """What each pixel of a 9x9 image, alone, gives in the middle of the output."""
    alone = np.eye(81).reshape(81, 1, 9, 9)
    outputs: fn.Array = net.apply(net.init(fn.Key(0), (1, 9, 9)), alone)
    return outputs[:, 0, 4, 4].reshape(9, 9)


def small_filters(setting: Setting) -> Part:
    """What do two convolutions of 3x3 see, and what do they cost, beside one of 5x5?"""
    nets = {
        "one of 5x5": convolutions(5, 1),
        "two of 3x3": convolutions(3, 2),
        "one of 7x7": convolutions(7, 1),
        "three of 3x3": convolutions(3, 3),
    }
    seen = np.array([sight(net) for net in nets.values()])
    weights = [fn.count(net.spec((1, 9, 9))[0]) for net in nets.values()]
    rows = [int(image.any(1).sum()) for image in seen]
    names = ", ".join(nets)
    return Part(
        [
            equal("weights for each pair of channels: two of 3x3, one of 5x5", [18, 25],
                  [weights[1], weights[0]]),
            equal(f"weights: {names}", [25, 18, 49, 27], weights),
            equal(f"pixels seen, each way: {names}", [5, 5, 7, 7], rows),
        ],
        "The same sight with 28% fewer weights, and one ReLU more; three in place of 7x7, with 45% "
        "fewer.",
        key=0,
    )  # fmt: skip


# ---- blocks ------------------------------------------------------------------------------------


def sound(block: fn.AnyLayer, shape: tuple[int, ...]) -> bool:
    """Whether gradients are as differences say, and all else as a layer should be."""
    try:
        fn.check_layer(block, shape)
    except fn.LayerCheckError:
        return False
    return True


def blocks(setting: Setting) -> Part:
    """What are the networks made of, and are their gradients right?"""
    models = fn.models
    tiny: Mapping[str, tuple[fn.AnyLayer, tuple[int, ...]]] = {
        "two convolutions of VGG": (models.vgg_stage(2, 3, 2), (2, 4, 4)),
        "inception": (models.inception(3, 1, 2, 3, 2, 2, 1), (3, 4, 4)),
        "residual block": (models.basic_block(2, 2), (2, 4, 4)),
        "residual block that changes sizes": (models.basic_block(2, 4, stride=2), (2, 5, 5)),
        "bottleneck": (models.bottleneck(4, 8, stride=2), (4, 5, 5)),
    }
    wide, narrow = models.basic_block(256, 256), models.bottleneck(256, 256)
    return Part(
        [
            *[shows(f"{name}: gradients as differences say", sound(*one))
              for name, one in tiny.items()],
            equal("parameters of a bottleneck and a basic block, 256 channels",
                  [70_400, 1_180_672],
                  [fn.count(block.spec((256, 14, 14))[0]) for block in (narrow, wide)]),
        ],
        "An inception module looks at several sizes at once and lets the next layer choose. A "
        "residual block adds to what comes in, so that to do nothing takes weights of 0, not a "
        "learned copy. A bottleneck works on a quarter of the channels.",
        {
            "inception": fn.diagram(models.inception(192, 64, 96, 128, 16, 32, 32),
                                    (192, 28, 28)).svg(),
            "residual": fn.diagram(models.basic_block(64, 128, stride=2), (64, 56, 56)).svg(),
            "bottleneck": fn.diagram(models.bottleneck(256, 256), (256, 56, 56)).svg(),
        },
    )  # fmt: skip


# ---- trained -----------------------------------------------------------------------------------


def stem(channels: int) -> fn.Layer[Any, Any]:
    """In place of the published stems, which are made for larger images: it halves these."""
    return fn.conv2d(1, channels, 3, stride=2, pad=1) >> fn.batch_norm() >> fn.relu()


def scaled_down(setting: Setting) -> dict[str, fn.AnyLayer]:
    """A quarter of the published channels, an eighth in GoogLeNet; in a quick run fewer."""
    wide, narrow = setting.choose(16, 2), setting.choose(8, 4)
    return {
        "VGG-11": fn.models.vgg(1, 10, 11, width=wide, hidden=8 * wide),
        "GoogLeNet": fn.models.googlenet(1, 10, width=narrow, stem=stem(3 * narrow)),
        "ResNet-18": fn.models.resnet(1, 10, 18, width=wide, stem=stem(wide)),
    }


def few(setting: Setting, known: int, unseen: int) -> fn.Dataset:
    """The first images, in the middle of 32x32."""
    train, test = setting.images()
    return fn.Dataset(
        fn.Batch(in_32_pixels(train.x[:known]), train.t[:known]),
        fn.Batch(in_32_pixels(test.x[:unseen]), test.t[:unseen]),
    )


def train(setting: Setting, name: str) -> Learned:
    """Five epochs of Adam on 10,000 images, in batches of 50."""
    data = few(setting, setting.choose(10_000, 50), setting.choose(10_000, 50))
    net, epochs = scaled_down(setting)[name], setting.choose(5, 1)
    optimizer = fn.adam(fn.cosine_decay(0.001, epochs * len(data.train.x) // 50))
    run = fn.prepare(fn.Key(0), net, LOSS, optimizer, *data.train, size=50, epochs=epochs)
    return learn(run, net, data.test)


def trained(setting: Setting) -> Part:
    """How well do the networks read digits, scaled down, after five looks at 10,000 of them?"""
    nets = scaled_down(setting)
    runs = dict(zip(nets, side_by_side(setting, partial(train, setting), list(nets)), strict=True))
    sizes = [fn.count(net.spec((1, 32, 32))[0]) for net in nets.values()]
    lines = {name: run.curve() for name, run in runs.items()}
    return Part(
        [
            *[own(f"{name}: test accuracy by epoch", run.accuracies) for name, run in runs.items()],
            own(f"trained parameters: {', '.join(nets)}", sizes),
            shows(
                "each reads at least .96 of the 10,000 test images",
                min(run.accuracies[-1] for run in runs.values()) >= 0.96,
                full=True,
            ),
        ],
        "The parts and their order are the published ones, with fewer channels. The stems of "
        "GoogLeNet and ResNet, which would leave 4x4 and 8x8 pixels of 32x32, are one convolution "
        "that leaves 16x16.",
        {
            "trained": fn.plotting.figure(
                fn.plotting.curves(
                    lines, title="scaled down, on digits", x="epoch", y="test accuracy", markers="."
                ),
                size=(6.4, 3.4),
            )
        },
        key=0,
    )


# ---- full size ---------------------------------------------------------------------------------


def full_size(setting: Setting) -> Part:
    """What do one forward and one backward pass of one image cost at the published sizes?"""
    one = {
        "LeNet-5": (fn.models.lenet5(1, 10), (1, 32, 32)),
        "AlexNet": (fn.models.alexnet(3, 10, 6, 8), (3, 67, 67)),
        "VGG-16": (fn.models.vgg(3, 10, 16, 2, 8), (3, 32, 32)),
        "GoogLeNet": (fn.models.googlenet(3, 10, 4), (3, 32, 32)),
        "ResNet-18": (fn.models.resnet(3, 10, 18, 2), (3, 32, 32)),
        "ResNet-50": (fn.models.resnet(3, 10, 50, 2), (3, 32, 32)),
    }
    full = {name: PUBLISHED[name][:2] for name in one}
    costs = {name: cost(*each) for name, each in (one if setting.quick else full).items()}
    return Part(
        [
            *[own(f"{name}: seconds, and most megabytes at once", [seconds, megabytes])
              for name, (seconds, megabytes, _) in costs.items()],
            shows("each has a gradient for every trained parameter, and all are finite",
                  all(complete for _, _, complete in costs.values())),
        ],
        "In float32. Memory is what NumPy held at once, as tracemalloc counts it: "
        "the parameters, their gradients, and what the forward pass keeps for the backward pass. "
        "Seconds are the processor's, all cores added, of a second pass without that count.",
        key=0,
    )  # fmt: skip


def cost(net: fn.AnyLayer, shape: tuple[int, ...]) -> tuple[float, float, bool]:
    """Seconds, megabytes, and whether gradients are complete, of a forward and a backward pass."""
    image = fn.Key(0).child("image").generator().standard_normal((1, *shape), dtype=np.float32)
    label, mode = np.zeros(1, int), fn.Train(fn.Key(0).child("pass"))
    tracemalloc.start()
    params = net.init(fn.Key(0), shape)
    fn.value_and_grad(net, LOSS)(params, image, label, mode)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    began = time.process_time()
    _, grads, _ = fn.value_and_grad(net, LOSS)(params, image, label, mode)
    seconds = time.process_time() - began
    finite = all(np.isfinite(g).all() for _, g in fn.leaves(grads))
    complete = finite and fn.count(grads) == fn.count(net.spec(shape)[0])
    return round(seconds, 3), round(most / 1e6, 1), complete


if __name__ == "__main__":
    teach(counts, small_filters, blocks, trained, full_size)
