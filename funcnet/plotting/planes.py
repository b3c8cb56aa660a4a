"""Drawings in the plane: contour maps, ways, points, and the regions that a classifier makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..arguments import function, misfit
from ..arrays import Array, Labels, Matrix
from ..errors import ArgumentError, DtypeError, ShapeError
from .panels import Drawing, column, interval, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Classes: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[np.integer[Any] | np.bool_]]

_POINTS = 201  # along each side of a map
_LEVELS = 20  # of lines of equal height


def contours(
    f: Callable[[Array, Array], Array],
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    title: str = "",
) -> Drawing:
    """Lines of equal f(x, y) over the ranges ``x`` and ``y``.

    ``f`` is a function of two arrays, and gives an array of their shape.

    >>> drawing = plotting.contours(lambda x, y: x**2 + y**2, (-4, 4), (-4, 4))
    """
    _takes("contours' f", f, 2, "lambda x, y: x**2 + y**2")
    grid_x, grid_y = _grid("contours", x, y)
    z = numbers("contours' f", f(grid_x, grid_y), "of the shape of x and y")
    if z.shape != grid_x.shape:
        raise ShapeError(
            f"{grid_x.shape}, the shape of x and y", f"{z.shape}", "x * 0 + 1 is 1 everywhere"
        ).within("contours", before="f")
    return partial(_contours, grid_x, grid_y, z, title)


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


def points(x: Matrix, labels: Labels | None = None, *, title: str = "") -> Drawing:
    """Points (n, 2) in the plane, coloured by their ``labels`` (n,), integers.

    The fewer they are, the larger. Labels have the colours that ``regions`` gives them.

    >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> drawing = plotting.points(x, np.array([0, 1, 1, 0]), title="XOR")
    """
    where = numbers("points", x, "(n, 2)", 2)
    if where.shape[1] != 2:
        raise ShapeError("points (n, 2)", f"{where.shape}").within("points")
    if labels is None:
        return partial(_points, where, "C0", title)
    classes = _classes("points' labels", labels, len(where))
    return partial(_points, where, [_colour(label) for label in classes], title)


def _points(where: Array, colours: str | list[str], title: str, axes: Axes) -> None:
    axes.scatter(where[:, 0], where[:, 1], c=colours, s=np.clip(1000 / max(len(where), 1), 6, 40))
    _label(axes, title)


def regions(
    f: Callable[[Matrix], Classes],
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    title: str = "",
) -> Drawing:
    """The plane over the ranges ``x`` and ``y``, coloured by the class that ``f`` gives.

    ``f`` is a function of points (n, 2), and gives (n,) integers or truth values. The plane
    around some points shows what a classifier learned of them.

    >>> net = dense(2, 3)
    >>> params = net.init(Key(0), (2,))
    >>> x, t = np.array([[0.5, 0.5], [-0.5, 0.5]], "float32"), np.array([0, 2])
    >>> best = plotting.regions(lambda xy: net.apply(params, xy).argmax(1), (-1, 1), (-1, 1))
    >>> drawing = plotting.over(best, plotting.points(x, t))
    """
    _takes("regions' f", f, 1, "lambda xy: net.apply(params, xy).argmax(1)")
    grid_x, grid_y = _grid("regions", x, y)
    answers = f(np.stack([grid_x.ravel(), grid_y.ravel()], 1))
    classes = _classes("regions' classes", answers, grid_x.size).reshape(grid_x.shape)
    return partial(_regions, grid_x, grid_y, classes, title)


def _regions(x: Array, y: Array, classes: Classes, title: str, axes: Axes) -> None:
    for one in np.unique(classes):
        # One by one: with all in one map, 1 would have a seam wherever 0 meets 2.
        here = (classes == one).astype(float)
        axes.contourf(x, y, here, [0.5, 1.5], colors=[_colour(one)], alpha=0.25, zorder=0)
    axes.set(xlim=(x[0, 0], x[0, -1]), ylim=(y[0, 0], y[-1, 0]))
    _label(axes, title)


def _colour(label: Any) -> str:
    return f"C{int(label) % 10}"


def _label(axes: Axes, title: str) -> None:
    axes.set(xlabel="$x_1$", ylabel="$x_2$")
    if title:
        axes.set_title(title)


def _takes(name: str, f: Callable[..., Any], count: int, example: str) -> None:
    """Raise ``ArgumentError`` unless ``f`` is a function of so many arrays, as ``example`` is."""
    function(name, f, example)
    if misfit(f, *range(count)):
        arrays = "one array" if count == 1 else f"{count} arrays"
        raise ArgumentError(f"{name} is a function of {arrays}; write {example}, say")


def _grid(owner: str, x: tuple[float, float], y: tuple[float, float]) -> tuple[Array, Array]:
    across, up = (np.linspace(*interval(owner, ends), _POINTS) for ends in (x, y))
    grid_x, grid_y = np.meshgrid(across, up)
    return grid_x, grid_y


def _classes(owner: str, labels: Any, n: int) -> Classes:
    """``labels`` as one integer or truth value for each of n points."""
    one = isinstance(labels, np.ndarray) and labels.shape[1:] in ((), (1,))
    mend = (
        "write .astype(int) of classes, or > 0 of scores" if one else "write .argmax(1) of scores"
    )
    found: Any = column(owner, labels, mend)
    if found.dtype.kind not in "iub":
        raise DtypeError(f"{owner} are integers, not {found.dtype}; {mend}")
    if len(found) != n:
        raise ShapeError(f"{n} labels, one for each point", f"{len(found)}").within(owner)
    classes: Classes = found
    return classes
