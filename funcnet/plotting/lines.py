"""Drawings of numbers: functions, curves, histograms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..arguments import function, whole
from ..arrays import Array
from ..errors import ShapeError
from .panels import Drawing, interval, named, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers: TypeAlias = "Array | np.ndarray[tuple[Any, ...], np.dtype[np.integer[Any]]]"
Line: TypeAlias = "Sequence[float | Sequence[float] | Numbers] | Numbers"
"""Numbers at 0, 1, 2, ..., or a pair: where they are, and the numbers."""

_POINTS = 401  # of a drawn function


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
    for name, f in named("functions", graphs).items():
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
    axis by powers of ten; ``markers`` are matplotlib's, ``"."`` say, at every point.

    >>> drawing = plotting.curves({"train": [0.5, 0.8], "test": ([0, 1], [0.4, 0.6])}, y="accuracy")
    """
    checked = {name: _line(name, line) for name, line in named("curves", lines).items()}
    labels = {"title": title, "xlabel": x, "ylabel": y, "yscale": "log" if log else "linear"}
    return partial(_curves, checked, markers, labels)


def _curves(
    lines: dict[str, tuple[Array, Array]], markers: str, labels: dict[str, str], axes: Axes
) -> None:
    for name, (xs, ys) in lines.items():
        axes.plot(xs, ys, label=name, marker=markers or None)
    axes.set(**labels)
    axes.grid(alpha=0.3)
    if any(lines):
        axes.legend(fontsize="small")


def _line(name: str, line: Any) -> tuple[Array, Array]:
    owner = f"curve {name!r}"
    if not isinstance(line, tuple) or len(line) != 2 or not np.ndim(line[0]):
        ys = numbers(owner, line, "(n,)", 1)
        return np.arange(float(len(ys))), ys
    xs, ys = (numbers(owner, half, "(n,)", 1) for half in line)
    if len(xs) != len(ys):
        raise ShapeError(f"{len(xs)} numbers, one for each place", f"{len(ys)}").within(owner)
    return xs, ys


def histogram(
    values: Array,
    *,
    title: str = "",
    bins: int = 30,
    between: tuple[float, float] | None = None,
) -> Drawing:
    """How often each value is met in an array of any shape.

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
        for name, values in named("histograms", arrays).items()
    ]


def _histogram(
    values: Array, bins: int, span: tuple[float, float] | None, title: str, axes: Axes
) -> None:
    axes.hist(values, bins=bins, range=span)
    axes.set(title=title, yticks=[])
