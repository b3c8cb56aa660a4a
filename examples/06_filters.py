"""Filters: what they answer to, what training makes of them, and what the layers after them see."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from lesson import Finding, Part, Setting, equal, own, progress, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VERTICAL = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
EDGES = {
    "vertical edges": VERTICAL,
    "horizontal edges": VERTICAL.T,
    "diagonal edges": np.array([[0.0, 1, 2], [-1, 0, 1], [-2, -1, 0]]),
    "edges of all directions": np.array([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
}
"""Filters by hand: the first two are Sobel's, the last is Laplace's."""


def trained(setting: Setting, net: fn.AnyLayer, key: int) -> tuple[fn.Params, fn.Params]:
    """The parameters before and after one epoch: Adam, batches of 100."""
    train, loss, optimizer = setting.images().train, fn.softmax_cross_entropy(), fn.adam(0.001)
    step, batches, start = fn.prepare(fn.Key(key), net, loss, optimizer, *train, size=100)
    steps = progress(batches[: setting.choose(len(batches), 5)], "training")
    return start.params, reduce(step, steps, start).params


def titled(drawing: fn.plotting.Drawing, title: str) -> fn.plotting.Drawing:
    """The drawing under a title, which may reach over the panels to its right."""

    def name(axes: Axes) -> None:
        axes.set_title(title, fontsize="small", loc="left")

    return fn.plotting.over(drawing, name)


# ---- filters by hand ---------------------------------------------------------------------------


def ring(size: int = 64) -> tuple[fn.Tensor4, fn.Matrix, fn.Matrix]:
    """A picture (1, 1, size, size) with edges in all directions, and where: radius and angle.

    The ring of ink ends within four pixels on each side.
    """
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    radius = np.hypot(x, y)
    ink = np.clip((0.4 * size - radius) / 4, 0, 1) * np.clip((radius - 0.15 * size) / 4, 0, 1)
    return ink[None, None], radius, np.arctan2(y, x)


def filtered(x: fn.Tensor4) -> fn.Tensor4:
    """What each filter of ``EDGES`` makes of images (n, 1, h, w): (n, 4, h, w)."""
    net = fn.conv2d(1, len(EDGES), 3, pad=1, bias=False)
    return net.apply(fn.Params({"W": np.stack([*EDGES.values()])[:, None]}), x)


def filters_on_a_picture(setting: Setting) -> Part:
    """What does a filter of 3x3 see in a picture?"""
    step = np.zeros((1, 1, 5, 6))
    step[..., 3:] = 1
    picture, radius, angle = ring()
    digit = setting.images().test.x[:1].astype(float)
    across, down = filtered(picture)[0, :2]
    strength = np.hypot(across, down)
    rim = (strength > 0.5 * strength.max()) & (radius > 0.3 * len(radius))
    off = np.abs(-across[rim] / strength[rim] - np.cos(angle[rim])).max()
    drawings = [
        titled(drawing, title)
        for x in (picture, digit)
        for drawing, title in zip(
            [fn.plotting.image(x[0]), *fn.plotting.filters(filtered(x).swapaxes(0, 1))],
            ["picture", *EDGES],
            strict=True,
        )
    ]
    return Part(
        [
            equal(
                "where 0 turns to 1 from left to right: vertical, horizontal, diagonal, all",
                [4, 0, 3, 3],
                filtered(step)[0, :, 2, 3],
            ),
            equal("where all is 1: each of them", [0, 0, 0, 0], filtered(step)[0, :, 2, 4]),
            own(
                "outer rim: vertical over the edge's strength, and the cosine: largest difference",
                off,
            ),
            shows("that is the cosine of the edge's direction, within .05", off < 0.05),
        ],
        "Red is positive, blue negative, white 0. A filter is a small picture of what it looks "
        "for, and its output says where that is: as much as the edge lies in its direction. "
        "Where the picture is flat all of these say 0, as their weights sum to 0.",
        {"by_hand": fn.plotting.figure(*drawings, columns=5, size=(1.55, 1.65))},
    )


# ---- filters that were learned -----------------------------------------------------------------


def neighbours(W: fn.Tensor4) -> float:
    """How alike weights beside and above each other are, from -1 to 1; of noise, about 0."""
    pairs = [(W[..., 1:], W[..., :-1]), (W[..., 1:, :], W[..., :-1, :])]
    return float(
        np.mean([(a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()) for a, b in pairs])
    )


def blob_or_edge(W: fn.Tensor4) -> float:
    """The share of the squares of filters that is a constant and a slope; of noise, 3 in 25."""
    h, w = W.shape[2:]
    y, x = np.mgrid[:h, :w].reshape(2, -1)
    basis, _ = np.linalg.qr(np.stack([np.ones(h * w), y, x], axis=1))
    flat = W.reshape(-1, h * w)
    return float(((flat @ basis) ** 2).sum() / (flat**2).sum())


STARTS = {"N(0, .01)": fn.normal(0.01), "He": fn.he_normal}


def before_and_after(setting: Setting, start: str, key: int) -> list[fn.Tensor4]:
    """The filters of a simple conv net (30, 1, 5, 5), and what one epoch makes of them."""
    net = fn.models.simple_conv(1, 10, weights=STARTS[start])
    return [params["conv2d1"].leaf("W") for params in trained(setting, net, key)]


def learned_filters(setting: Setting) -> Part:
    """What does training make of filters that start as noise?"""
    keys = range(setting.choose(3, 1))
    runs = {start: [before_and_after(setting, start, key) for key in keys] for start in STARTS}
    alike, plain = (
        {start: np.array([[f(W) for W in run] for run in runs[start]]) for start in STARTS}
        for f in (neighbours, blob_or_edge)
    )
    small, he = STARTS
    return Part(
        [
            *medians("likeness of weights next to each other", alike),
            shows(
                "from N(0, .01) their likeness comes above .6, for every key",
                least(alike[small]) > 0.6,
                full=True,
            ),
            *medians("share of the squares that is a blob or a straight edge", plain),
            shows(
                "from N(0, .01) the share comes above .5, for every key",
                least(plain[small]) > 0.5,
                full=True,
            ),
            shows(
                "from He's start, 28 times as large, the share stays below .2, for every key",
                plain[he][:, 1].max() < 0.2,
                full=True,
            ),
        ],
        "From small weights, what is learned outgrows the noise: filters become smooth, blobs and "
        "edges of some direction, much like those by hand. From He's start what is learned is "
        "smaller than the noise, and hidden by it. (Medians over three keys. The picture shows the "
        "first ten filters of key 0; each row has a scale of its own.)",
        {
            "learned": fn.plotting.figure(
                *first(runs[small][0][0], f"{small}: before"),
                *first(runs[small][0][1], f"{small}: after"),
                *first(runs[he][0][0], f"{he}: before"),
                *first(runs[he][0][1], f"{he}: after"),
                columns=10,
                size=(0.68, 0.82),
            )
        },
        key=0,
    )


def first(W: fn.Tensor4, title: str) -> list[fn.plotting.Drawing]:
    """The first 10 filters, on one scale, under a title."""
    head, *tail = fn.plotting.filters(W[:10])
    return [titled(head, title), *tail]


def medians(what: str, found: Mapping[str, fn.Array]) -> list[Finding]:
    """Of arrays (keys, 2): before and after training, for each start."""
    return [
        own(f"{what}, from {start}: before and after", np.median(each, axis=0))
        for start, each in found.items()
    ]


def least(found: fn.Array) -> float:
    """The lowest of the keys after training."""
    return float(found[:, 1].min())


# ---- feature maps ------------------------------------------------------------------------------

LAYERS = [f"relu{i}" for i in range(1, 7)]
"""What the six convolutions of the deep net make of an image, their ReLU included."""


def feature_maps(setting: Setting) -> Part:
    """What do the layers of a deep network make of an image?"""
    net, (train, test), n = fn.models.deep_conv(1, 10), setting.images(), setting.choose(500, 100)
    _, params = trained(setting, net, 0)
    known, unseen = ({"pixels": x[:n]} | fn.trace(net, params, x[:n]) for x in (train.x, test.x))
    read = {
        name: nearest_mean(fn.Batch(known[name], train.t[:n]), fn.Batch(unseen[name], test.t[:n]))
        for name in ["pixels", *LAYERS]
    }
    deeper = [read[name] for name in LAYERS]
    active = [float((unseen[name] > 0).mean()) for name in LAYERS]
    return Part(
        [
            own("share of each layer's maps that is not 0", active),
            own("test images read by the nearest mean, pixels", read["pixels"]),
            own("by the nearest mean of the maps, layer by layer", deeper),
            shows(
                "the last maps are read better than the pixels, by .1 at least",
                deeper[-1] - read["pixels"] > 0.1,
                full=True,
            ),
            shows(
                "the last maps before a pool are read better than those before the pool before",
                deeper[1] < deeper[3] < deeper[5],
                full=True,
            ),
        ],
        "The first layers draw the digit by its edges; later ones say where in it something larger "
        "is, in fewer and fewer pixels. What a map says is more and more about the class: with "
        "nothing but the mean of each class over 500 images, and the nearest of the ten, more "
        "digits are read the deeper one looks. (The deep net of the next chapter, after one epoch; "
        "the first 500 test images.)",
        {
            "maps": fn.plotting.figure(
                *[one for name in LAYERS for one in row(name, unseen[name][0])],
                columns=8,
                size=(0.85, 0.95),
            ),
        },
        key=0,
    )


def nearest_mean(
    known: fn.Batch[fn.Tensor4, fn.Labels], unseen: fn.Batch[fn.Tensor4, fn.Labels]
) -> float:
    """The share of unseen examples that are nearest to the mean of the known of their class."""
    flat, others = (x.reshape(len(x), -1) for x in (known.x, unseen.x))
    means = np.stack([flat[known.t == label].mean(0) for label in range(10)])
    squares = (means**2).sum(1) - 2 * others @ means.T  # of distances, less what all have in common
    return float((squares.argmin(1) == unseen.t).mean())


def row(name: str, maps: fn.Array) -> list[fn.plotting.Drawing]:
    """The first 8 maps of a layer, under its name."""
    head, *tail = fn.plotting.images(maps[:8, None])
    count, height, width = maps.shape
    return [titled(head, f"{name}: 8 of {count} maps of {height}x{width}"), *tail]


if __name__ == "__main__":
    teach(filters_on_a_picture, learned_filters, feature_maps)
