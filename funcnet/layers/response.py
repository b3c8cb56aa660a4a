"""Local response normalisation: channels that damp their neighbours."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np

from ..arguments import number, whole
from ..arrays import Array, channels_first, channels_last
from ..kinds import SAME, Image
from ..random import Mode
from ..tree import NO_GRADS, Grads, Params
from ..typed import SameImage
from ..windows import blocks


class Response(NamedTuple):
    """The numbers of the formula."""

    size: int
    alpha: float
    beta: float
    k: float

    def reach(self) -> tuple[int, int]:
        """How many channels count before one and after it: the odd one of an even size before."""
        return self.size // 2, (self.size - 1) // 2

    def base(self, x: Array) -> Array:
        """What the formula raises to a power, of images with their channels last."""
        base = _band_sums(x * x, *self.reach())
        base *= self.alpha / self.size
        base += self.k
        return base


def response_apply(response: Response, params: Params, x: Array) -> Array:
    images = channels_last(x)
    y = np.empty(images.shape, x.dtype)
    for block in _blocks(x):
        part = images[block]
        np.multiply(part, response.base(part) ** -response.beta, out=y[block])
    return channels_first(y)


def response_forward(
    response: Response, params: Params, x: Array, mode: Mode
) -> tuple[Array, Array]:
    return response_apply(response, params, x), x


def response_backward(response: Response, x: Array, dy: Array) -> tuple[Array, Grads]:
    """Works out the powers again, block by block, rather than keep them."""
    before, after = response.reach()
    images, d = channels_last(x), channels_last(dy)
    dx = np.empty(images.shape, dy.dtype)
    for block in _blocks(x):
        part = images[block]
        base = response.base(part)
        direct = np.multiply(d[block], base**-response.beta, out=dx[block])
        through = direct * part
        through /= base
        # A channel is in the sums of those that it counts for: its reach, turned around.
        sums = _band_sums(through, after, before)
        sums *= part
        sums *= 2 * response.alpha * response.beta / response.size
        direct -= sums
    return channels_first(dx), NO_GRADS


def _band_sums(x: Array, before: int, after: int) -> Array:
    """For each channel, the last axis, the sum of it, those before and those after."""
    channels = x.shape[-1]
    sums = x.copy()
    for i in range(1, min(before, channels - 1) + 1):
        sums[..., i:] += x[..., :-i]
    for i in range(1, min(after, channels - 1) + 1):
        sums[..., :-i] += x[..., i:]
    return sums


def _blocks(x: Array) -> list[slice]:
    """Blocks of images, of which four arrays are at work at a time."""
    return blocks(len(x), 4 * math.prod(x.shape[1:]))


def local_response_norm(
    size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> SameImage:
    """Divides each number of an image by the size of those in channels beside it, at its pixel.

    y = x / (k + alpha / size * s) ** beta, where s is the sum of x**2 over ``size`` channels, from
    ``size // 2`` before to ``(size - 1) // 2`` after; channels beyond the first and last count as
    zeros. No parameters; the same in training and inference.

    The formula is PyTorch's. The source does not divide alpha by size: its layer, alpha 1e-4 and
    k 2, is ``local_response_norm(5, alpha=5e-4, k=2.0)`` here. Raises ``ConfigError`` for an
    ``alpha`` or ``beta`` below 0, or a ``k`` that is not positive.

    Source: Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural
    Networks", section 3.3.

    >>> x = np.full((1, 3, 1, 1), 2.0)
    >>> local_response_norm(3, alpha=3.0, beta=1.0).apply(NO_PARAMS, x).ravel()  # 9, 13 and 9
    array([0.22222222, 0.15384615, 0.22222222])
    """
    response = Response(
        whole("local_response_norm's size", size),
        number("local_response_norm's alpha", alpha, "[0, inf)"),
        number("local_response_norm's beta", beta, "[0, inf)"),
        number("local_response_norm's k", k, "(0, inf)"),
    )
    return SameImage(
        "local_response_norm",
        forward=partial(response_forward, response),
        backward=partial(response_backward, response),
        apply=partial(response_apply, response),
        takes=Image(...),
        gives=SAME,
        call=f"local_response_norm({', '.join(map(str, response))})",
    )
