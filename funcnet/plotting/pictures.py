"""Drawings of arrays: images, filters, confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Array, IntMatrix, Matrix, Tensor4
from ..errors import ShapeError
from .panels import Drawing, numbers, texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NUMBER, _NAME = 7.0, 10.0  # points: the height of a confusion matrix's letters at most
_READABLE = 5.0  # and of its numbers at least


def image(x: Array, *, title: str = "") -> Drawing:
    """One image, (h, w) or (channels, h, w): ink on paper for one channel, colours for three.

    >>> drawing = plotting.image(datasets.digits().test.x[0], title="an 8")
    """
    mend = "write *images(x) for a batch of them"
    pixels = numbers("image", x, "(h, w) or (channels, h, w)", 2, 3, mend=mend)
    if pixels.ndim == 3:
        if len(pixels) not in (1, 3):
            raise ShapeError("1 channel or 3", f"{len(pixels)}", "draw them one by one").within(
                "image"
            )
        pixels = pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, 2)
    return partial(_picture, pixels, {"cmap": "gray_r"}, title)


def images(x: Tensor4, titles: Sequence[object] = ()) -> list[Drawing]:
    """A drawing for each image of a batch (n, channels, h, w): without titles, or one for each.

    >>> test = datasets.digits().test
    >>> grid = plotting.figure(*plotting.images(test.x[:8], test.t[:8]), columns=4, size=(1, 1.2))
    """
    mend = "write image(x) for one image, images(x[:, None]) for a batch (n, h, w)"
    batch = numbers("images", x, "(n, channels, h, w)", 4, mend=mend)
    words = texts("images", titles) or [""] * len(batch)
    if len(words) != len(batch):
        raise ShapeError(f"{len(batch)} titles", f"{len(words)}").within("images")
    return [image(one, title=title) for one, title in zip(batch, words, strict=True)]


def filters(W: Tensor4) -> list[Drawing]:
    """A drawing for each filter of W (out, in, h, w) and each channel that it looks at.

    Blue is negative, red positive, white 0. What a unit of a dense layer looks for is seen by
    ``filters(W.T.reshape(-1, 1, 28, 28))``.

    >>> W = conv2d(1, 16, 3).init(Key(0), (1, 8, 8)).leaf("W")
    >>> grid = plotting.figure(*plotting.filters(W), columns=8, size=(0.8, 0.8))
    """
    mend = "write filters(W.T.reshape(-1, 1, h, w)) for a dense layer's W"
    weights = numbers("filters", W, "(out, in, h, w)", 4, mend=mend)
    reach = float(np.abs(weights).max(initial=0.0)) or 1.0
    look = {"cmap": "RdBu_r", "vmin": -reach, "vmax": reach}
    return [partial(_picture, one, look, "") for each in weights for one in each]


def _picture(pixels: Array, look: dict[str, Any], title: str, axes: Axes) -> None:
    axes.imshow(pixels, **look)
    axes.set_title(title, fontsize="small")
    axes.set_axis_off()


def confusion(
    matrix: IntMatrix | Matrix, names: Sequence[object] = (), *, title: str = ""
) -> Drawing:
    """A confusion matrix: rows are labels, columns what was read, numbers how often, or shares.

    Colour is by the square root of the share of a row, so that rare mistakes show. Numbers are
    left out where cells are too small for them to be read: a larger ``size`` of the figure helps.

    >>> drawing = plotting.confusion(np.array([[9, 1], [0, 8]]), ["cat", "dog"])
    """
    counts: Any = numbers("confusion", matrix, "(classes, classes)", 2)
    if counts.shape[0] != counts.shape[1]:
        raise ShapeError("as many columns as rows", f"{counts.shape}").within("confusion")
    labels = texts("confusion", names) or texts("confusion", range(len(counts)))
    if len(labels) != len(counts):
        raise ShapeError(f"{len(counts)} names", f"{len(labels)}").within("confusion")
    return partial(_confusion, counts, labels, title)


def _confusion(counts: Array, names: list[str], title: str, axes: Axes) -> None:
    total = counts.sum(1, keepdims=True)
    share = np.sqrt(counts / np.where(total > 0, total, 1))
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    cell = _inches(axes) * 72 / max(len(names), 1)
    _write(counts, share, cell, axes)
    ticks, height = range(len(names)), min(cell, _NAME)
    turned = any(len(name) > 2 for name in names)
    axes.set_xticks(ticks, names, fontsize=height, rotation=90 if turned else 0)
    axes.set_yticks(ticks, names, fontsize=height)
    axes.set(title=title, xlabel="read as", ylabel="label")


def _write(counts: Array, share: Array, cell: float, axes: Axes) -> None:
    """The numbers that are not 0, in cells of so many points, if they can be read there."""
    written = {at: f"{round(n, 2):g}" for at, n in np.ndenumerate(counts) if n}
    # A digit is about 0.6 as wide as high, and names take some of a cell's room.
    height = min(_NUMBER, 1.2 * cell / max(map(len, written.values()), default=1))
    for (i, j), text in written.items() if height >= _READABLE else ():
        colour = "white" if share[i, j] > 0.5 else "black"
        axes.text(j, i, text, ha="center", va="center", fontsize=height, color=colour)


def _inches(axes: Axes) -> float:
    """The shorter side of a panel, before names take their room."""
    return float(min(axes.bbox.size) / axes.figure.dpi)
