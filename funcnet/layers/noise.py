"""Layers that draw random numbers in training and do nothing in inference."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..arguments import number
from ..arrays import Array
from ..functions import identity_backward
from ..initializers import draw_normal
from ..random import Eval, Key, Mode
from ..tree import NO_GRADS, Grads, Params
from ..typed import Same


def dropout_mask(rate: float, key: Key, x: Array) -> Array:
    """0 with probability ``rate`` and 1 / (1 - rate) otherwise, so that the mean stays.

    Two random bytes a number are compared with a threshold, many times faster than drawing
    floats. The rate is thereby rounded to a multiple of 2**-16, and the scale made to match.
    """
    dropped = min(round(rate * 65536), 65535)
    # The raw words: the generator's bytes() hands out the same bits, at a third of the speed.
    words = key.generator().bit_generator.random_raw(-(-x.size // 4))
    kept = words.view(np.uint16)[: x.size].reshape(x.shape) >= dropped
    # In the memory layout of x: a product of two layouts takes several times as long.
    keep: Array = np.empty_like(x)
    np.multiply(kept, 65536 / (65536 - dropped), out=keep, dtype=x.dtype)
    return keep


def dropout_forward(
    rate: float, params: Params, x: Array, mode: Mode
) -> tuple[Array, Array | None]:
    if isinstance(mode, Eval):
        return x, None
    mask = dropout_mask(rate, mode.key, x)
    return x * mask, mask


def dropout_backward(mask: Array | None, dy: Array) -> tuple[Array, Grads]:
    return (dy if mask is None else dy * mask), NO_GRADS


def noiseless_apply(params: Params, x: Array) -> Array:
    return x


def dropout(rate: float) -> Same:
    """Sets each number to 0 with probability ``rate`` in training, and scales the others up.

    They are multiplied by 1 / (1 - rate), so that inference needs no correction. Raises
    ``ConfigError`` for a rate outside [0, 1).

    Source: Srivastava et al. 2014, "Dropout"; scaled in training, as PyTorch does.

    >>> y, _ = dropout(0.5).forward(NO_PARAMS, np.ones((1, 6), "float32"), Train(Key(1)))
    >>> sorted(set(y[0].tolist()))
    [0.0, 2.0]
    """
    rate = number("dropout's rate", rate, "[0, 1)")
    return Same(
        "dropout",
        forward=partial(dropout_forward, rate),
        backward=dropout_backward,
        apply=noiseless_apply,
        call=f"dropout({rate})",
    )


def gaussian_noise_forward(std: float, params: Params, x: Array, mode: Mode) -> tuple[Array, None]:
    if isinstance(mode, Eval):
        return x, None
    return x + draw_normal(std, mode.key, x.shape, x.dtype), None


def gaussian_noise(std: float) -> Same:
    """Adds normal noise of standard deviation ``std`` in training; does nothing in inference.

    Raises ``ConfigError`` for a ``std`` that is negative or not finite.
    Source: Bishop 1995, "Training with Noise is Equivalent to Tikhonov Regularization".

    >>> y, _ = gaussian_noise(0.1).forward(NO_PARAMS, np.zeros((1, 1000)), Train(Key(0)))
    >>> y.std().round(2)
    np.float64(0.1)
    """
    std = number("gaussian_noise's std", std, "[0, inf)")
    return Same(
        "gaussian_noise",
        forward=partial(gaussian_noise_forward, std),
        backward=identity_backward,
        apply=noiseless_apply,
        call=f"gaussian_noise({std})",
    )
