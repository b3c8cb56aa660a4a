"""Transposed convolution: images made larger by the adjoint of ``conv2d``.

A convolution from the larger image to the smaller is linear, and its gradient with respect to its
input leads back. That is this layer's forward pass, and the convolution itself is its ``pull``: it
is made of the same three functions as ``conv2d``, in other places.
"""

from __future__ import annotations

from functools import partial
from types import EllipsisType
from typing import NamedTuple

from ..arguments import function
from ..arrays import Array, Shape, channels_last, column_sums, dims
from ..errors import ConfigError, ShapeError
from ..functions import Initializer, Leaf, Spec, cast
from ..initializers import he_normal, zeros
from ..kernels.correlation import correlate, correlate_grads, correlate_pull
from ..kernels.winograd import EXACT, FAST
from ..kinds import Image, M
from ..random import Mode
from ..tree import Grads, Params
from ..typed import C, Layer
from ..windows import Pair, Window, pair, shown, window_of
from .convolution import (
    ConvCache,
    check_groups,
    checked_channels,
    grouped,
    kernels_of,
    options_shown,
    ungrouped,
    weights_of,
)


class Spread(NamedTuple):
    """How numbers spread over a larger image: the window and groups of the convolution back."""

    window: Window
    groups: int
    output_pad: Pair

    def out(self, height: int, width: int) -> Pair:
        """(n - 1) * stride - 2 * pad + reach + output_pad, each way."""
        (sh, sw), (ph, pw), (rh, rw) = self.window.stride, self.window.pad, self.window.reach()
        more_h, more_w = self.output_pad
        return (
            (height - 1) * sh - 2 * ph + rh + more_h,
            (width - 1) * sw - 2 * pw + rw + more_w,
        )

    def least(self) -> Pair:
        """The smallest image of which ``pad`` leaves something."""
        missing_h, missing_w = (max(0, 1 - n) for n in self.out(1, 1))
        sh, sw = self.window.stride
        return 1 + -(-missing_h // sh), 1 + -(-missing_w // sw)


def conv_transpose2d_apply(spread: Spread, params: Params, x: Array) -> Array:
    return _spread_out(FAST, spread, params, cast(x, params))


def conv_transpose2d_forward(
    spread: Spread, params: Params, x: Array, mode: Mode
) -> tuple[Array, ConvCache]:
    x = cast(x, params)
    return _spread_out(EXACT, spread, params, x), ConvCache(x, params)


def _spread_out(step: int, spread: Spread, params: Params, x: Array) -> Array:
    kernels = kernels_of(params, x.dtype, spread.groups)
    size = spread.out(*x.shape[2:])
    y = ungrouped(correlate_pull(kernels, grouped(x, spread.groups), spread.window, size, step))
    if "b" in params:
        channels_last(y)[:] += params["b"]
    return y


def conv_transpose2d_backward(spread: Spread, cache: ConvCache, dy: Array) -> tuple[Array, Grads]:
    return conv_transpose2d_pull(spread, cache, dy), conv_transpose2d_grads(spread, cache, dy)


def conv_transpose2d_pull(spread: Spread, cache: ConvCache, dy: Array) -> Array:
    x, params = cache
    kernels = kernels_of(params, dy.dtype, spread.groups)
    height, width = x.shape[2:]
    return ungrouped(correlate(grouped(dy, spread.groups), kernels, spread.window, (height, width)))


def conv_transpose2d_grads(spread: Spread, cache: ConvCache, dy: Array) -> Grads:
    x, params = cache
    dw, _ = correlate_grads(grouped(dy, spread.groups), grouped(x, spread.groups), spread.window)
    grads = {"W": weights_of(dw)}
    if "b" in params:
        grads["b"] = column_sums(channels_last(dy))
    return Grads.fresh(grads)


def conv_transpose2d_spec(
    c_out: int, spread: Spread, bias: bool, weights: Initializer, shape: Shape
) -> tuple[Spec, Shape]:
    c_in, height, width = shape
    (kh, kw), (sh, sw) = spread.window.size, spread.window.stride
    check_groups(c_in, spread.groups)
    out = spread.out(height, width)
    if min(*out, height, width) < 1:
        raise ShapeError(
            f"images of at least {dims(spread.least())}",
            dims((height, width)),
            "pad less or make the window larger",
        )
    spec = {
        "W": Leaf(
            (c_in, c_out // spread.groups, kh, kw),
            weights,
            # With a stride, the numbers of a window feed one output in turns: so many on average.
            fan_in=max(1, round(c_in // spread.groups * kh * kw / (sh * sw))),
            fan_out=c_out // spread.groups * kh * kw,
        )
    }
    if bias:
        spec["b"] = Leaf((c_out,), zeros)
    return spec, (c_out, *out)


def conv_transpose2d(
    c_in: C | EllipsisType,
    c_out: M,
    size: int | Pair,
    stride: int | Pair = 1,
    pad: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
    output_pad: int | Pair = 0,
    *,
    bias: bool = True,
    weights: Initializer = he_normal,
) -> Layer[Image[C], Image[M]]:
    """The adjoint of ``conv2d(c_out, c_in, ...)``: each number spreads over a window of the output.

    Output sizes are (n - 1)*stride - 2*pad + dilation*(size - 1) + output_pad + 1 each way:
    ``stride`` is how many times larger images become, and ``pad`` is cut off, not added. A
    convolution with a stride leaves rows out, and so gives images of several sizes the same size;
    ``output_pad`` says which of them to make. All sizes are an integer or a pair (height, width).

    Parameters: ``W`` of shape (c_in, c_out / groups, kh, kw), as PyTorch's, and ``b`` of shape
    (c_out,), absent with ``bias=False``. Initializers are given as ``fan_in`` the numbers that feed
    one output, c_in / groups * kh * kw / stride**2 on average, so that ``he_normal`` keeps the size
    of what passes. ``c_in`` may be ``...``. ``apply`` rounds otherwise than ``forward``, as
    ``conv2d``'s does. Raises ``ConfigError`` for sizes out of range and for an ``output_pad`` that
    is not below ``stride`` or ``dilation``, ``ShapeError`` where ``pad`` leaves nothing.

    Source: Zeiler et al. 2010, "Deconvolutional Networks"; Dumoulin and Visin 2016, "A guide to
    convolution arithmetic for deep learning", section 4.

    >>> conv_transpose2d(16, 3, 4, stride=2, pad=1).spec((16, 8, 8))[1]
    (3, 16, 16)
    """
    channels, groups = checked_channels("conv_transpose2d", c_in, c_out, groups)
    function("conv_transpose2d's weights", weights, "he_normal or normal(0.01)")
    window = window_of("conv_transpose2d", size, stride, pad, dilation)
    spread = Spread(window, groups, pair("conv_transpose2d's output_pad", output_pad, 0))
    for more, s, d in zip(spread.output_pad, window.stride, window.dilation, strict=True):
        if more >= max(s, d):
            raise ConfigError(
                f"conv_transpose2d's output_pad is less than stride or dilation, but {more} is "
                f"not less than {max(s, d)}"
            )
    options = options_shown(groups, bias, spread.output_pad)
    return Layer(
        "conv_transpose2d",
        forward=partial(conv_transpose2d_forward, spread),
        backward=partial(conv_transpose2d_backward, spread),
        spec=partial(conv_transpose2d_spec, channels, spread, bias, weights),
        pull=partial(conv_transpose2d_pull, spread),
        grads=partial(conv_transpose2d_grads, spread),
        apply=partial(conv_transpose2d_apply, spread),
        takes=Image(c_in),
        gives=Image(c_out),
        call=f"conv_transpose2d({{}}, {c_out}, {shown(window)}{options})",
    )
