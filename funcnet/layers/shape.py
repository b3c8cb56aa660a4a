"""Layers that change no number, only how numbers are arranged."""

from __future__ import annotations

import math
from typing import Any

from ..arrays import Array, Shape
from ..composition import NEUTRAL
from ..functions import Spec, no_grads
from ..kinds import Image, Vec
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
