"""What the published networks share: tables of depths, widths, stems, and what comes last."""

from __future__ import annotations

from collections.abc import Mapping
from types import EllipsisType
from typing import Any, TypeVar

from ..arguments import size_of, whole
from ..composition import refuse
from ..errors import ConfigError, FuncnetError, ShapeError
from ..kinds import Image, M, Vec, meet
from ..layer import AnyLayer, LayerT
from ..layers.activations import relu
from ..layers.dense import dense
from ..layers.noise import dropout
from ..layers.shape import flatten
from ..typed import Layer

LayoutT = TypeVar("LayoutT")


def layout_of(network: str, depth: Any, layouts: Mapping[int, LayoutT]) -> LayoutT:
    """What ``layouts`` has for ``depth``.

    >>> layout_of("vgg", 12, {11: "A", 13: "B", 16: "D"})
    Traceback (most recent call last):
    funcnet.errors.ConfigError: vgg's depth is 11, 13 or 16, not 12
    """
    found = layouts.get(whole(f"{network}'s depth", depth))
    if found is None:
        *first, last = map(str, layouts)
        raise ConfigError(f"{network}'s depth is {', '.join(first)} or {last}, not {depth}")
    return found


def width_of(network: str, width: Any, unit: int) -> int:
    """``width``, if it is a multiple of ``unit``, as the channels of ``network`` need.

    >>> width_of("googlenet", 10, 4)
    Traceback (most recent call last):
    funcnet.errors.ConfigError: googlenet's width is a multiple of 4, 10 is not
    """
    channels = whole(f"{network}'s width", width)
    if channels % unit:
        raise ConfigError(f"{network}'s width is a multiple of {unit}, {width} is not")
    return channels


def stem_of(network: str, c_in: Any, width: int | EllipsisType, stem: LayerT) -> LayerT:
    """``stem``, if it is a layer from images of ``c_in`` channels to images of ``width``."""
    size_of(f"{network}'s c_in", c_in)
    if not isinstance(stem, AnyLayer):
        refuse(stem)
    try:
        gives = stem.functions.flow(Image(c_in))
    except FuncnetError as error:
        raise error.within(f"{network}'s stem", before=f"{network}'s c_in") from None
    try:
        meet(Image(width), gives)
    except ShapeError as error:
        mend = error.mend or f"write width={error.got}, or let the stem give {width}"
        again = ShapeError(error.expected, error.got, mend)
        raise again.within(f"{network}'s width", before=f"{network}'s stem") from None
    return stem


def three_dense(hidden: int, n_out: M) -> Layer[Image[Any], Vec[M]]:
    """What AlexNet and VGG end in: dense layers, dropout after the first two."""
    return (
        flatten()
        >> dense(..., hidden)
        >> relu()
        >> dropout(0.5)
        >> dense(hidden, hidden)
        >> relu()
        >> dropout(0.5)
        >> dense(hidden, n_out)
    )
