"""Drawings and the figures that they make: a drawing is a function of axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from ..arguments import called, function, number, short, whole
from ..arrays import Array
from ..errors import ArgumentError, ConfigError, MissingExtraError, ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ValueT = TypeVar("ValueT")
Drawing: TypeAlias = "Callable[[Axes], object]"
"""What is drawn in one panel: a function of matplotlib's ``Axes``, of your own too."""

_COLUMNS = 8  # of panels, at most, where their number is not given
_HERE = __name__.rpartition(".")[0]


def figure(
    *drawings: Drawing,
    columns: int = 0,
    size: tuple[float, float] = (4.0, 3.0),
    title: str = "",
) -> Figure:
    """A figure with one panel for each drawing, ``columns`` beside each other.

    With 0 columns all panels stand beside each other, or rows of 8 where there are more.

    ``size`` is the width and height of one panel in inches.

    Raises ``MissingExtraError`` where matplotlib is not installed.

    >>> losses = [2.3, 1.1, 0.6, 0.4]
    >>> plotting.figure(plotting.curves({"train": losses})).get_size_inches()
    array([4., 3.])
    """
    if not _drawings(drawings):
        raise ConfigError("figure takes one drawing or more, and was given none")
    columns = min(whole("figure's columns", columns, 0) or _COLUMNS, len(drawings))
    rows = ceil(len(drawings) / columns)
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise ArgumentError(f"figure's size is a width and a height in inches, not {short(size)}")
    width, height = (number("a side of figure's size", side, "(0, inf)") for side in size)
    made = _empty((width * columns, height * rows))
    panels = made.subplots(rows, columns, squeeze=False).ravel()
    for axes, drawing in zip(panels, drawings, strict=False):
        drawing(axes)
    for axes in panels[len(drawings) :]:
        axes.set_axis_off()
    if title:
        made.suptitle(title, wrap=True)
    return made


def _empty(size: tuple[float, float]) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError(
            "plotting needs matplotlib; install the extra: pip install 'funcnet[plot]'"
        ) from None
    return Figure(figsize=size, layout="constrained")


def over(*drawings: Drawing) -> Drawing:
    """The drawings one over the other, in the same panel.

    >>> def bowl(x, y):
    ...     return x**2 / 20 + y**2
    >>> way = plotting.path([(-7.0, 2.0), (-6.0, 0.0), (-5.0, -1.0)])
    >>> drawing = plotting.over(plotting.contours(bowl, (-8, 8), (-3, 3)), way)
    """
    return partial(_over, _drawings(drawings))


def _over(drawings: Sequence[Drawing], axes: Axes) -> None:
    for drawing in drawings:
        drawing(axes)


def _drawings(drawings: Sequence[Drawing]) -> Sequence[Drawing]:
    for drawing in drawings:
        if isinstance(drawing, list):
            raise ArgumentError("drawings come one by one; write *drawings for a list of them")
        function("a drawing", drawing, "plotting.curves({'train': losses})")
        if str(getattr(drawing, "__module__", "")).startswith(_HERE):
            raise ArgumentError(
                f"{drawing.__name__} makes drawings and is none; did you mean {called(drawing)}?"
            )
    return drawings


# ---- what is drawn, checked --------------------------------------------------------------------


def named(owner: str, things: Mapping[str, ValueT], one: str) -> Mapping[str, ValueT]:
    """``things``, if it is a mapping from names to one thing or more; ``one`` is what it is."""
    if not isinstance(things, Mapping) or not all(isinstance(name, str) for name in things):
        raise ArgumentError(f"{owner} takes a dict from names, not {short(things)}")
    if not things:
        raise ConfigError(f"{owner} takes one {one} or more, and was given none")
    return things


def numbers(owner: str, values: Any, sizes: str, *ranks: int, mend: str = "") -> Array:
    """``values`` as an array of real numbers of one of the ``ranks``, which ``sizes`` describes.

    ``mend`` is what an error says of other ranks.
    """
    try:
        found: Array = np.asarray(values)
    except ValueError:
        raise ArgumentError(f"{owner} takes numbers {sizes}, not {short(values)}") from None
    if found.dtype.kind not in "fiub":
        raise ArgumentError(f"{owner} takes numbers {sizes}, not {short(values)}")
    if ranks and found.ndim not in ranks:
        raise ShapeError(f"numbers {sizes}", f"{found.shape}", mend).within(owner)
    return found


def column(owner: str, values: Any, mend: str) -> Array:
    """``values`` (n,) or (n, 1), as (n,); ``mend`` is what an error says of several columns."""
    found = numbers(owner, values, "(n,)", 1, 2)
    if found.ndim == 2 and found.shape[1] != 1:
        raise ShapeError("numbers (n,) or (n, 1)", f"{found.shape}", mend).within(owner)
    return found.ravel()


def texts(owner: str, titles: Sequence[object]) -> list[str]:
    """``titles`` as what is written above or beside drawings."""
    if isinstance(titles, str) or not isinstance(titles, Sequence | np.ndarray):
        raise ArgumentError(f"{owner} takes a list of names, not {short(titles)}")
    return [str(title) for title in titles]


def interval(owner: str, ends: Any) -> tuple[float, float]:
    """``ends`` as (low, high), in this order."""
    if not isinstance(ends, tuple | list) or len(ends) != 2:
        raise ArgumentError(f"{owner} takes a range (low, high), not {short(ends)}")
    low, high = (number(f"an end of {owner}'s range", end, "(-inf, inf)") for end in ends)
    if low >= high:
        raise ConfigError(f"{owner}'s range goes from low to high, not from {low:g} to {high:g}")
    return low, high


# ---- axes --------------------------------------------------------------------------------------


def whole_ticks(axes: Axes) -> None:
    """No ticks between whole numbers on the horizontal axis."""
    from matplotlib.ticker import MaxNLocator

    locator = axes.xaxis.get_major_locator()
    if isinstance(locator, MaxNLocator):  # and not that of a logarithmic scale, or chosen ticks
        locator.set_params(integer=True, min_n_ticks=1)
