"""Drawings of numbers: functions, curves, histograms."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..arguments import function, whole
from ..arrays import Array
from ..errors import ConfigError, ShapeError
from .panels import Drawing, column, interval, named, numbers, whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers: TypeAlias = "Array | np.ndarray[tuple[Any, ...], np.dtype[np.integer[Any]]]"
Line: TypeAlias = "Sequence[float | Sequence[float] | Numbers] | Numbers"
"""Numbers at 0, 1, 2, ..., or a pair: where they are, and the numbers. Each (n,) or (n, 1)."""

_POINTS = 401  # of a drawn function
_MOST, _LONGEST = 6, 24  # lines, and letters of a name, of a legend among the lines


def functions(
    graphs: Mapping[str, Callable[[Array], Array]],
    low: float = -10.0,
    high: float = 10.0,
    *,
    title: str = "",
    x: str = "x",
    y: str = "",
) -> Drawing:
    """The graphs of functions of an array, each under its name, over [``low``, ``high``].

    >>> drawing = plotting.functions({"tanh": np.tanh, "x": lambda x: x}, -3, 3)
    """
    xs = np.linspace(*interval("functions", (low, high)), _POINTS)
    for name, f in named("functions", graphs, "function").items():
        function(f"functions' {name!r}", f, "np.tanh")
    return curves({name: (xs, f(xs)) for name, f in graphs.items()}, title=title, x=x, y=y)


def curves(
    lines: Mapping[str, Line],
    *,
    title: str = "",
    x: str = "step",
    y: str = "loss",
    log: bool = False,
    markers: str = "",
) -> Drawing:
    """Learning curves and their like: each line under its name.

    A line is the numbers at 0, 1, 2, ..., or a pair (where, numbers). ``log`` scales the vertical
    axis by powers of ten; ``markers`` are matplotlib's, ``"."`` say, at every point. Without them
    a point is marked only where it stands alone: the one of its line, or between nans. A legend of
    more than 6 lines, or of long names, stands beside the panel.

    >>> drawing = plotting.curves({"train": [0.5, 0.8], "test": ([0, 1], [0.4, 0.6])}, y="accuracy")
    """
    checked = {name: _line(name, line) for name, line in named("curves", lines, "line").items()}
    labels = {"title": title, "xlabel": x, "ylabel": y, "yscale": "log" if log else "linear"}
    return partial(_curves, checked, markers, labels)


def _curves(
    lines: dict[str, tuple[Array, Array]], markers: str, labels: dict[str, str], axes: Axes
) -> None:
    for name, (xs, ys) in lines.items():
        look = {"marker": markers} if markers else _dots(np.isfinite(xs) & np.isfinite(ys))
        axes.plot(xs, ys, label=name, **look)
    axes.set(**labels)
    axes.grid(alpha=0.3)
    if all((xs == np.round(xs)).all() for xs, _ in lines.values()):
        whole_ticks(axes)
    if any(lines):
        _legend(lines, axes)


def _dots(finite: np.ndarray[tuple[Any, ...], np.dtype[np.bool_]]) -> dict[str, Any]:
    """A dot wherever a point has no neighbour, so that no line goes through it."""
    padded = np.pad(finite, 1)
    alone = finite & ~padded[:-2] & ~padded[2:]
    return {"marker": ".", "markevery": alone.tolist()} if alone.any() else {}


def _legend(names: Collection[str], axes: Axes) -> None:
    """Among the lines, or beside the panel where it would hide them."""
    beside = len(names) > _MOST or max(map(len, names)) > _LONGEST
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1, 1)} if beside else {}
    axes.legend(fontsize="small", **place)


def _line(name: str, line: Any) -> tuple[Array, Array]:
    owner = f"curve {name!r}"
    halves = line if isinstance(line, tuple) and len(line) == 2 else ()
    if not halves or isinstance(halves[0], float | int | np.number):
        ys = _some(owner, line)
        return np.arange(float(len(ys))), ys
    xs, ys = (_some(owner, half) for half in halves)
    if len(xs) != len(ys):
        raise ShapeError(f"{len(xs)} numbers, one for each place", f"{len(ys)}").within(owner)
    return xs, ys


def _some(owner: str, values: Any) -> Array:
    found = column(owner, values, "draw its columns one by one, y[:, 0] say")
    if not len(found):
        raise ConfigError(f"{owner} takes one number or more, and was given none")
    return found


def histogram(
    values: Array,
    *,
    title: str = "",
    bins: int = 30,
    between: tuple[float, float] | None = None,
) -> Drawing:
    """How often each value is met in an array of any shape.

    Of nan and infinities the title says how many there are.

    >>> drawing = plotting.histogram(np.zeros((3, 4)), title="weights", between=(-1, 1))
    """
    bins = whole("histogram's bins", bins)
    span = None if between is None else interval("histogram", between)
    return partial(
        _histogram, numbers("histogram", values, "of any shape").ravel(), bins, span, title
    )


def histograms(
    arrays: Mapping[str, Array],
    *,
    bins: int = 30,
    between: tuple[float, float] | None = None,
) -> list[Drawing]:
    """A histogram for each array, its name above it: of a ``trace``, say, layer by layer.

    >>> net = dense(2, 3) >> tanh()
    >>> outputs = trace(net, net.init(Key(0), (2,)), np.ones((5, 2), "float32"))
    >>> drawn = plotting.figure(*plotting.histograms(outputs))
    """
    return [
        histogram(values, title=name, bins=bins, between=between)
        for name, values in named("histograms", arrays, "array").items()
    ]


def _histogram(
    values: Array, bins: int, span: tuple[float, float] | None, title: str, axes: Axes
) -> None:
    finite = values[np.isfinite(values)]
    lost = len(values) - len(finite)
    axes.hist(finite, bins=bins, range=span)
    axes.set(title=f"{title} ({lost} not finite)".strip() if lost else title, yticks=[])
