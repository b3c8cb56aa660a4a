"""Drawings of arrays in the plane: images, filters, confusion matrices, contour maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import function
from ..arrays import Array, IntMatrix, Tensor4
from ..errors import ShapeError
from .panels import Drawing, interval, numbers, texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 201  # along each side of a contour map
_LEVELS = 20  # of its lines


def image(x: Array, *, title: str = "") -> Drawing:
    """One image, (h, w) or (channels, h, w): ink on paper for one channel, colours for three.

    >>> drawing = plotting.image(datasets.digits().test.x[0], title="an 8")
    """
    pixels = numbers("image", x, "(h, w) or (channels, h, w)", 2, 3)
    if pixels.ndim == 3:
        if len(pixels) not in (1, 3):
            raise ShapeError("1 channel or 3", f"{len(pixels)}", "draw them one by one").within(
                "image"
            )
        pixels = pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, 2)
    return partial(_picture, pixels, {"cmap": "gray_r"}, title)


def images(x: Tensor4, titles: Sequence[object] = ()) -> list[Drawing]:
    """A drawing for each image of a batch (n, channels, h, w), with its title where it has one.

    >>> test = datasets.digits().test
    >>> grid = plotting.figure(*plotting.images(test.x[:8], test.t[:8]), columns=4, size=(1, 1.2))
    """
    batch = numbers("images", x, "(n, channels, h, w)", 4)
    words = [*texts("images", titles), *[""] * len(batch)]
    return [image(one, title=title) for one, title in zip(batch, words, strict=False)]


def filters(W: Tensor4) -> list[Drawing]:
    """A drawing for each filter of W (out, in, h, w) and each channel that it looks at.

    Blue is negative, red positive, white 0. What a unit of a dense layer looks for is seen by
    ``filters(W.T.reshape(-1, 1, 28, 28))``.

    >>> W = conv2d(1, 16, 3).init(Key(0), (1, 8, 8)).leaf("W")
    >>> grid = plotting.figure(*plotting.filters(W), columns=8, size=(0.8, 0.8))
    """
    weights = numbers("filters", W, "(out, in, h, w)", 4)
    reach = float(np.abs(weights).max(initial=0.0)) or 1.0
    look = {"cmap": "RdBu_r", "vmin": -reach, "vmax": reach}
    return [partial(_picture, one, look, "") for each in weights for one in each]


def _picture(pixels: Array, look: dict[str, Any], title: str, axes: Axes) -> None:
    axes.imshow(pixels, **look)
    axes.set_title(title, fontsize="small")
    axes.set_axis_off()


def confusion(matrix: IntMatrix, names: Sequence[object] = (), *, title: str = "") -> Drawing:
    """A confusion matrix: rows are labels, columns what was read, numbers how often.

    Colour is by the square root of the share of a row, so that rare mistakes show.

    >>> drawing = plotting.confusion(np.array([[9, 1], [0, 8]]), ["cat", "dog"])
    """
    counts: Any = numbers("confusion", matrix, "(classes, classes)", 2)
    if counts.shape[0] != counts.shape[1]:
        raise ShapeError("as many columns as rows", f"{counts.shape}").within("confusion")
    labels = texts("confusion", names) or texts("confusion", range(len(counts)))
    if len(labels) != len(counts):
        raise ShapeError(f"{len(counts)} names", f"{len(labels)}").within("confusion")
    return partial(_confusion, counts, labels, title)


def _confusion(counts: IntMatrix, names: list[str], title: str, axes: Axes) -> None:
    share = np.sqrt(counts / np.maximum(counts.sum(1, keepdims=True), 1))
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (i, j), n in np.ndenumerate(counts):
        if n:
            colour = "white" if share[i, j] > 0.5 else "black"
            axes.text(j, i, str(n), ha="center", va="center", fontsize="x-small", color=colour)
    ticks = range(len(names))
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)
    axes.set(title=title, xlabel="read as", ylabel="label")


def contours(
    f: Callable[[Array, Array], Array],
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    title: str = "",
) -> Drawing:
    """Lines of equal f(x, y) over the ranges ``x`` and ``y``; ``f`` is a function of two arrays.

    >>> drawing = plotting.contours(lambda x, y: x**2 + y**2, (-4, 4), (-4, 4))
    """
    function("contours' f", f, "lambda x, y: x**2 + y**2")
    across, up = (np.linspace(*interval("contours", ends), _POINTS) for ends in (x, y))
    grid_x, grid_y = np.meshgrid(across, up)
    return partial(_contours, grid_x, grid_y, np.asarray(f(grid_x, grid_y)), title)


def _contours(x: Array, y: Array, z: Array, title: str, axes: Axes) -> None:
    axes.contour(x, y, z, levels=_LEVELS, colors="0.75", linewidths=0.7)
    axes.set(title=title, xlabel="x", ylabel="y")


def path(points: Sequence[tuple[float, float]] | Array, *, title: str = "") -> Drawing:
    """The way that a descent took: points (x, y), joined in their order.

    >>> drawing = plotting.path([(-3.0, 4.0), (-2.4, 3.2), (-1.9, 2.6)])
    """
    way = numbers("path", points, "(n, 2)", 2)
    if way.shape[1] != 2 or not len(way):
        raise ShapeError("points (n, 2)", f"{way.shape}").within("path")
    return partial(_path, way, title)


def _path(way: Array, title: str, axes: Axes) -> None:
    axes.plot(way[:, 0], way[:, 1], marker=".", linewidth=1)
    axes.plot(*way[0], marker="o", color="black")
    if title:
        axes.set_title(title)
