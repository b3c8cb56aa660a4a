"""Layers that change no number, only how numbers are arranged."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, overload

from ..arguments import whole
from ..arrays import Array, Shape, dims
from ..composition import NEUTRAL
from ..errors import ShapeError
from ..functions import Spec, no_grads
from ..kinds import Image, Seq, Vec, kind_of
from ..layer import example_shape
from ..random import Mode
from ..tree import NO_GRADS, Grads, Params
from ..typed import Layer, Same


def identity() -> Same:
    """The layer that does nothing: the neutral element of ``>>``, which drops it.

    >>> relu() >> identity() >> tanh()
    relu() >> tanh()
    """
    return Same.of(NEUTRAL)


def flatten_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, Shape]:
    return x.reshape(len(x), math.prod(x.shape[1:])), x.shape


def flatten_backward(shape: Shape, dy: Array) -> tuple[Array, Grads]:
    return dy.reshape(shape), NO_GRADS


def flatten_spec(shape: Shape) -> tuple[Spec, Shape]:
    return {}, (math.prod(shape),)


def flatten() -> Layer[Image[Any], Vec[Any]]:
    """Images (batch, c, h, w) as vectors (batch, c*h*w), in that order, which is PyTorch's.

    >>> flatten().spec((64, 4, 4))
    ({}, (1024,))
    """
    return Layer(
        "flatten",
        forward=flatten_forward,
        backward=flatten_backward,
        spec=flatten_spec,
        grads=no_grads,
        gives=Vec(...),
    )


def reshape_forward(shape: Shape, params: Params, x: Array, mode: Mode) -> tuple[Array, Shape]:
    return x.reshape(len(x), *shape), x.shape


def reshape_spec(shape: Shape, given: Shape) -> tuple[Spec, Shape]:
    if math.prod(shape) != math.prod(given):
        raise ShapeError(
            f"{math.prod(shape)} numbers, for {dims(shape)}", f"{math.prod(given)} ({dims(given)})"
        )
    return {}, shape


@overload
def reshape(shape: tuple[int]) -> Layer[Any, Vec[Any]]: ...
@overload
def reshape(shape: tuple[int, int]) -> Layer[Any, Seq[Any]]: ...
@overload
def reshape(shape: tuple[int, int, int]) -> Layer[Any, Image[Any]]: ...
@overload
def reshape(shape: Shape) -> Layer[Any, Any]: ...
def reshape(shape: Shape) -> Layer[Any, Any]:
    """Each example's numbers, in order, in another shape (without the batch axis).

    >>> net = reshape((1, 28, 28)) >> conv2d(1, 8, 3)
    >>> net.spec((784,))[1]
    (8, 26, 26)
    """
    wanted = tuple([whole("reshape's size", n) for n in example_shape(shape)])
    return Layer(
        "reshape",
        forward=partial(reshape_forward, wanted),
        backward=flatten_backward,
        spec=partial(reshape_spec, wanted),
        grads=no_grads,
        gives=kind_of(wanted),
        call=f"reshape({wanted})",
    )
