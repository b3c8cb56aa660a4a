"""Windows: how convolution and pooling go over an image, and what sizes come out."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from lesson import Part, Setting, equal, own, shows, teach

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ["tab:blue", "tab:orange", "tab:green", "tab:red"]


# ---- windows as rows ---------------------------------------------------------------------------


def im2col(setting: Setting) -> Part:
    """How does a convolution become a product of matrices?"""
    x = drawn("x", (10, 3, 7, 7))
    net = fn.conv2d(3, 4, 5)
    params = fn.tree_map(np.float64, net.init(fn.Key(0), x.shape[1:]))
    columns, W = fn.im2col(x, 5), params.leaf("W")
    product = columns @ W.reshape(4, -1).T + params.leaf("b")  # (10 * 3 * 3, 4)
    outputs = product.reshape(10, 3, 3, 4).transpose(0, 3, 1, 2)
    other = drawn("y", columns.shape)
    forth, back = (columns * other).sum(), (x * fn.col2im(other, x.shape, 5)).sum()
    small = np.arange(16.0).reshape(1, 1, 4, 4)
    held = fn.col2im(np.ones_like(fn.im2col(small, 3)), small.shape, 3)
    return Part(
        [
            equal("images (1, 3, 7, 7), windows of 5x5", [9, 75], fn.im2col(x[:1], 5).shape),
            equal("images (10, 3, 7, 7), windows of 5x5", [90, 75], columns.shape),
            equal(
                "largest difference between rows times filters and conv2d",
                0.0,
                np.abs(outputs - net.apply(params, x)).max(),
                1e-12,
            ),
            equal(
                "sum of im2col(x) times y, less that of x times col2im(y)", 0.0, forth - back, 1e-10
            ),
            shows(
                "the gradient of conv2d for x is col2im of that for the rows",
                pulled(net, params, x),
            ),
        ],
        "Each window is laid out as a row, and each filter as a column: a convolution is one "
        "product. A pixel that several windows hold stands in several rows. On the way back "
        "col2im adds up what all windows say of a pixel; of ones, the sums are how many windows "
        "hold each pixel.",
        {
            "im2col": fn.plotting.figure(
                grid(small[0, 0], "an image and its four windows of 3x3", frames()),
                grid(fn.im2col(small, 3), "im2col: a window a row", row_frames()),
                grid(held[0, 0], "col2im of ones"),
                size=(3.1, 2.5),
            )
        },
        key=0,
    )


def drawn(name: str, shape: tuple[int, ...]) -> fn.Array:
    return fn.Key(0).child(name).generator().standard_normal(shape)


def pulled(net: fn.AnyLayer, params: fn.Params, x: fn.Tensor4) -> bool:
    """Whether the gradient for x is that of the rows, brought back by ``col2im``."""
    y, cache = net.forward(params, x, fn.Eval())
    dy = drawn("dy", y.shape)
    dx, _ = net.backward(cache, dy)
    W = params.leaf("W")
    rows = dy.transpose(0, 2, 3, 1).reshape(-1, len(W)) @ W.reshape(len(W), -1)
    return np.allclose(dx, fn.col2im(rows, x.shape, W.shape[2]), rtol=0, atol=1e-12)


Frame = tuple[tuple[float, float], float, float]
"""Its left upper corner (x, y), width and height."""


def frames() -> list[Frame]:
    """Around the windows of 3x3 in 4x4, each a little smaller than the one before."""
    inset = [0.04 + 0.07 * k for k in range(4)]
    corners = itertools.product(range(2), range(2))
    return [
        ((x - 0.5 + d, y - 0.5 + d), 3 - 2 * d, 3 - 2 * d)
        for d, (y, x) in zip(inset, corners, strict=True)
    ]


def row_frames() -> list[Frame]:
    return [((-0.45, y - 0.45), 8.9, 0.9) for y in range(4)]


def grid(numbers: fn.Array, title: str, frames: list[Frame] | None = None) -> fn.plotting.Drawing:
    """The numbers of a matrix in cells, with coloured frames."""

    def draw(axes: Axes) -> None:
        from matplotlib.patches import Rectangle

        axes.imshow(numbers, cmap="Greys", vmin=numbers.min(), vmax=2.5 * numbers.max())
        for (y, x), value in np.ndenumerate(numbers):
            axes.text(x, y, f"{value:g}", ha="center", va="center", fontsize=8)
        for colour, (corner, width, height) in zip(COLOURS, frames or [], strict=False):
            axes.add_patch(
                Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=2)
            )
        axes.set_title(title, fontsize="small")
        axes.set_axis_off()

    return draw


# ---- sizes -------------------------------------------------------------------------------------


def out(height: int, size: int, stride: int, pad: int) -> int:
    """(H + 2P - FH) / S + 1, rounded down."""
    return (height + 2 * pad - size) // stride + 1


def output_size(setting: Setting) -> Part:
    """How many windows are there, and what if the stride does not divide?"""
    cases = [
        case
        for case in itertools.product(range(1, 11), range(1, 6), range(1, 5), range(3))
        if out(*case) >= 1
    ]
    agree = [
        fn.conv2d(1, 1, size, stride, pad).spec((1, height, height))[1][1:]
        == (out(height, size, stride, pad),) * 2
        for height, size, stride, pad in cases
    ]
    uneven = [(height + 2 * pad - size) % stride > 0 for height, size, stride, pad in cases]
    wide = fn.conv2d(1, 1, 5, stride=3, pad=2).spec((1, 28, 31))[1]
    reached = fn.col2im(np.ones((4, 9)), (1, 1, 7, 7), 3, stride=3)[0, 0, 0]
    return Part(
        [
            equal("H 4, FH 3, S 1, P 1", 4, out(4, 3, 1, 1)),
            equal("H 7, FH 3, S 2, P 0", 3, out(7, 3, 2, 0)),
            equal("(28, 31), filter 5x5, S 3, P 2, by conv2d", [1, 10, 11], wide),
            shows(
                f"conv2d follows the formula, rounded down, for all {len(cases)} sizes tried",
                all(agree),
            ),
            shows(f"in {sum(uneven)} of them the stride does not divide", any(uneven)),
            equal("H 7, FH 3, S 3, P 0: 7/3 = 2.33, and so", 2, out(7, 3, 3, 0)),
            equal("windows that hold each pixel of a row", [1, 1, 1, 1, 1, 1, 0], reached),
            shows("a window larger than its padded image is refused", refused()),
        ],
        "The rule is: round down. Windows are placed from the left for as long as one fits, and "
        "what is left over on the right and below is seen by none, as the last of 7 pixels with a "
        "stride of 3. Whoever wants it seen pads, or chooses a stride that divides.",
        {
            "strides": fn.plotting.figure(
                *[strides(stride) for stride in (1, 2, 3)], size=(2.6, 2.2)
            )
        },
    )


def refused() -> bool:
    try:
        fn.conv2d(1, 1, 5).spec((1, 4, 4))
    except fn.ShapeError:
        return True
    return False


def strides(stride: int) -> fn.plotting.Drawing:
    """A row of 7 pixels, and below it the windows of 3 that lie in it."""
    starts = [stride * i for i in range(out(7, 3, stride, 0))]
    seen = {pixel for start in starts for pixel in range(start, start + 3)}

    def draw(axes: Axes) -> None:
        for pixel in range(7):
            face = "white" if pixel in seen else "lightgrey"
            axes.barh(0, 1, left=pixel, color=face, edgecolor="black")
        for i, start in enumerate(starts, 1):
            axes.barh(i, 3, left=start, height=0.6, color="tab:blue")
        axes.set_title(f"stride {stride}: {len(starts)} windows", fontsize="small")
        axes.set(xlim=(-0.1, 7.1), ylim=(5.6, -0.6))
        axes.set_axis_off()

    return draw


# ---- pooling -----------------------------------------------------------------------------------

POOLS: dict[str, fn.AnyLayer] = {
    "maximum of 2x2": fn.max_pool2d(2),
    "average of 2x2": fn.avg_pool2d(2),
    "maximum of 4x4": fn.max_pool2d(4),
    "average of 4x4": fn.avg_pool2d(4),
}


def shifted(x: fn.Tensor4) -> fn.Tensor4:
    """Images moved to the right by one pixel."""
    return np.pad(x, ((0, 0), (0, 0), (0, 0), (1, 0)))[..., :-1]


def alike(x: fn.Array, y: fn.Array) -> float:
    """The cosine of the angle between two images, the median over pairs: 1 where all are alike."""
    a, b = x.reshape(len(x), -1), y.reshape(len(y), -1)
    return float(np.median((a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))))


def pooled(x: fn.Tensor4) -> dict[str, fn.Tensor4]:
    return {name: pool.apply(fn.NO_PARAMS, x) for name, pool in POOLS.items()}


def pooling(setting: Setting) -> Part:
    """What does pooling do, and what does it have to learn?"""
    x = np.array([[1.0, 2, 0, 1], [4, 3, 5, 0], [0, 6, 2, 2], [1, 1, 8, 4]])[None, None]
    shapes = [y.shape for y in pooled(np.zeros((2, 3, 8, 8))).values()]
    held = [fn.count(pool.init(fn.Key(0), (3, 8, 8))) for pool in POOLS.values()]
    return Part(
        [
            equal("maximum of 2x2", [4, 5, 6, 8], pooled(x)["maximum of 2x2"].ravel()),
            equal("average of 2x2", [2.5, 1.5, 2, 4], pooled(x)["average of 2x2"].ravel()),
            equal(
                "images (2, 3, 8, 8) become, with as many channels",
                [[2, 3, 4, 4]] * 2 + [[2, 3, 2, 2]] * 2,
                shapes,
            ),
            equal("parameters", [0, 0, 0, 0], held),
        ],
        "Pooling works on each channel alone, and there is nothing to learn. By default windows "
        "lie side by side: the stride is their size.",
    )


def shift(setting: Setting) -> Part:
    """How much does the output of pooling change when the image moves by a pixel?"""
    points = np.zeros((1, 1, 6, 6))
    points[0, 0, [1, 1, 4], [0, 4, 3]] = [3, 5, 7]
    before, after = (fn.max_pool2d(3).apply(fn.NO_PARAMS, x) for x in (points, shifted(points)))
    x = setting.images().test.x[: setting.choose(1000, 100)].astype(np.float64)
    moved, inside = shifted(x), ~x[..., -1].any((1, 2))  # no ink to be pushed out on the right
    whole = [fn.global_avg_pool2d().apply(fn.NO_PARAMS, each) for each in (x, moved)]
    pairs = {"pixels": (x, moved)} | {
        name: (y, pooled(moved)[name]) for name, y in pooled(x).items()
    }
    likeness = {name: alike(*pair) for name, pair in pairs.items()}
    return Part(
        [
            shows(
                "three points moved within their windows: the maxima are the same",
                (before == after).all(),
            ),
            *[own(f"digits, cosine of before and after: {k}", v) for k, v in likeness.items()],
            shows(
                "the larger the window, the more alike",
                all(
                    likeness["pixels"] < likeness[f"{kind} of 2x2"] < likeness[f"{kind} of 4x4"]
                    for kind in ("maximum", "average")
                ),
            ),
            shows(
                "with windows of 4x4 the cosine is above .93",
                min(likeness["maximum of 4x4"], likeness["average of 4x4"]) > 0.93,
                full=True,
            ),
            shows(
                "the average of the whole image is the same, where no ink was pushed out",
                np.allclose(whole[0][inside], whole[1][inside], rtol=0, atol=1e-12),
            ),
        ],
        "A stroke that moves within its window changes nothing, and one that moves over an edge "
        "changes two windows: the output is nearly the same, and the more so the larger the "
        "windows. What it costs is to know where in its window something was. (Cosines are "
        "medians over images.)",
        {"shifted": fn.plotting.figure(*beside(pairs), columns=5, size=(1.35, 1.5))},
    )


def beside(pairs: dict[str, tuple[fn.Array, fn.Array]]) -> list[fn.plotting.Drawing]:
    """The first image of each pair: above as it was, below moved."""
    above = [fn.plotting.image(before[0], title=name) for name, (before, _) in pairs.items()]
    return above + [fn.plotting.image(after[0], title="moved") for _, after in pairs.values()]


if __name__ == "__main__":
    teach(im2col, output_size, pooling, shift)
