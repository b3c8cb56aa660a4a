"""How parameters start. Each initializer is ``(key, shape, fan_in, fan_out, dtype) -> array``."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from .arguments import number
from .arrays import Array, Shape
from .functions import Initializer
from .random import Key


def he_normal(key: Key, shape: Shape, fan_in: int, fan_out: int, dtype: Any) -> Array:
    """Normal with standard deviation sqrt(2 / fan_in): for layers that ReLU follows.

    Source: He et al. 2015, "Delving Deep into Rectifiers", equation 10.

    >>> he_normal(Key(0), (200, 100), 200, 100, np.float32).std().round(2)
    np.float32(0.1)
    """
    return draw_normal(math.sqrt(2 / max(fan_in, 1)), key, shape, dtype)


def xavier_normal(key: Key, shape: Shape, fan_in: int, fan_out: int, dtype: Any) -> Array:
    """Normal with standard deviation sqrt(2 / (fan_in + fan_out)): for sigmoid and tanh.

    Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward
    neural networks", equation 12; the form is PyTorch's.
    """
    return draw_normal(math.sqrt(2 / max(fan_in + fan_out, 1)), key, shape, dtype)


def normal(std: float) -> Initializer:
    """An initializer: normal with standard deviation ``std`` and mean 0.

    Raises ``ConfigError`` for a ``std`` that is negative or not finite.

    >>> weights = normal(0.01)
    >>> weights(Key(0), (3, 2), 3, 2, np.float32).shape
    (3, 2)
    """
    return partial(_normal, number("normal's std", std, "[0, inf)"))


def zeros(key: Key, shape: Shape, fan_in: int, fan_out: int, dtype: Any) -> Array:
    """0 everywhere, whatever the key: how biases start."""
    return np.zeros(shape, dtype)


def ones(key: Key, shape: Shape, fan_in: int, fan_out: int, dtype: Any) -> Array:
    """1 everywhere, whatever the key: how scales (gamma) start."""
    return np.ones(shape, dtype)


def _normal(std: float, key: Key, shape: Shape, fan_in: int, fan_out: int, dtype: Any) -> Array:
    return draw_normal(std, key, shape, dtype)


def draw_normal(std: float, key: Key, shape: Shape, dtype: Any) -> Array:
    """Normal numbers of mean 0 and standard deviation ``std``."""
    # float64 parameters get numbers of full precision; all others are drawn in float32.
    wide = np.float64 if np.dtype(dtype).itemsize == 8 else np.float32
    values = key.generator().standard_normal(shape, dtype=wide)
    values *= wide(std)
    return values.astype(dtype, copy=False)
