"""Convolution of images."""

from __future__ import annotations

from functools import partial
from types import EllipsisType
from typing import Any, NamedTuple, overload

import numpy as np

from ..arguments import function, size_of, whole
from ..arrays import Array, Shape, channels_first, channels_last, column_sums
from ..errors import ConfigError, ShapeError
from ..functions import Initializer, Leaf, Spec, cast
from ..initializers import he_normal, zeros
from ..kinds import Image, M, N
from ..random import Mode
from ..tree import Grads, Params
from ..typed import Layer
from ..windows import (
    Pair,
    Window,
    correlate_grads,
    correlate_into,
    correlate_pull,
    pair_shown,
    shown,
    window_of,
)

_DIVISOR = "make groups a divisor of the channels"


class ConvCache(NamedTuple):
    """The input, and the parameters it met."""

    x: Array
    params: Params


def conv2d_apply(window: Window, groups: int, params: Params, x: Array) -> Array:
    x = channels_last(cast(x, params))
    kernels = kernels_of(params, x.dtype, groups)
    n, height, width, _ = x.shape
    y = np.empty((n, *window.out(height, width), len(params["W"])), x.dtype)
    inputs, outputs = (np.split(images, groups, axis=3) for images in (x, y))
    for part, w, out in zip(inputs, kernels, outputs, strict=True):
        correlate_into(out, part, w, window)
    if "b" in params:
        y += params["b"]
    return channels_first(y)


def conv2d_forward(
    window: Window, groups: int, params: Params, x: Array, mode: Mode
) -> tuple[Array, ConvCache]:
    x = cast(x, params)
    return conv2d_apply(window, groups, params, x), ConvCache(x, params)


def conv2d_backward(
    window: Window, groups: int, cache: ConvCache, dy: Array
) -> tuple[Array, Grads]:
    return conv2d_pull(window, groups, cache, dy), conv2d_grads(window, groups, cache, dy)


def conv2d_pull(window: Window, groups: int, cache: ConvCache, dy: Array) -> Array:
    x, params = cache
    kernels = kernels_of(params, dy.dtype, groups)
    outputs = np.split(np.ascontiguousarray(channels_last(dy)), groups, axis=3)
    height, width = x.shape[2:]
    each = [
        correlate_pull(w, d, height, width, window) for w, d in zip(kernels, outputs, strict=True)
    ]
    return channels_first(each[0] if groups == 1 else np.concatenate(each, axis=3))


def conv2d_grads(window: Window, groups: int, cache: ConvCache, dy: Array) -> Grads:
    x, params = cache
    d = np.ascontiguousarray(channels_last(dy))
    grads = {"W": kernel_grads(channels_last(x), d, window, groups)}
    if "b" in params:
        grads["b"] = column_sums(d)
    return Grads.fresh(grads)


def conv2d_spec(
    c_out: int, window: Window, groups: int, bias: bool, weights: Initializer, shape: Shape
) -> tuple[Spec, Shape]:
    c_in, height, width = shape
    check_groups(c_in, groups)
    out = window.fit(height, width)
    area = window.size[0] * window.size[1]
    spec = {
        "W": Leaf(
            (c_out, c_in // groups, *window.size),
            weights,
            fan_in=c_in // groups * area,
            fan_out=c_out // groups * area,
        )
    }
    if bias:
        spec["b"] = Leaf((c_out,), zeros)
    return spec, (c_out, *out)


@overload
def conv2d(
    c_in: N,
    c_out: M,
    size: int | Pair,
    stride: int | Pair = 1,
    pad: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
    *,
    bias: bool = True,
    weights: Initializer = he_normal,
) -> Layer[Image[N], Image[M]]: ...
@overload
def conv2d(
    c_in: EllipsisType,
    c_out: M,
    size: int | Pair,
    stride: int | Pair = 1,
    pad: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
    *,
    bias: bool = True,
    weights: Initializer = he_normal,
) -> Layer[Image[Any], Image[M]]: ...
def conv2d(
    c_in: Any,
    c_out: Any,
    size: int | Pair,
    stride: int | Pair = 1,
    pad: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
    *,
    bias: bool = True,
    weights: Initializer = he_normal,
) -> Layer[Any, Any]:
    """Cross-correlation of images (batch, c_in, h, w) with c_out kernels, as in every library.

    Output sizes are floor((n + 2*pad - dilation*(size - 1) - 1) / stride) + 1 each way; rows and
    columns that no window reaches are left out. ``size``, ``stride``, ``pad`` and ``dilation`` are
    an integer or a pair (height, width). With ``groups``, channels are cut into that many equal
    parts, each seen by c_out / groups kernels.

    Parameters: ``W`` of shape (c_out, c_in / groups, kh, kw) and ``b`` of shape (c_out,), absent
    with ``bias=False``. ``c_in`` may be ``...``. Raises ``ConfigError`` for sizes out of range,
    ``ShapeError`` for a window larger than its padded input.

    >>> conv2d(3, 16, 5, stride=2, pad=2).spec((3, 32, 32))[1]
    (16, 16, 16)
    """
    c_out, groups = checked_channels("conv2d", c_in, c_out, groups)
    function("conv2d's weights", weights, "he_normal or normal(0.01)")
    window = window_of("conv2d", size, stride, pad, dilation)
    return Layer(
        "conv2d",
        forward=partial(conv2d_forward, window, groups),
        backward=partial(conv2d_backward, window, groups),
        spec=partial(conv2d_spec, c_out, window, groups, bias, weights),
        pull=partial(conv2d_pull, window, groups),
        grads=partial(conv2d_grads, window, groups),
        apply=partial(conv2d_apply, window, groups),
        takes=Image(c_in),
        gives=Image(c_out),
        call=f"conv2d({{}}, {c_out}, {shown(window)}{options_shown(groups, bias)})",
    )


def kernels_of(params: Params, dtype: np.dtype[Any], groups: int) -> list[Array]:
    """W as one (kh, kw, its second size, its first / groups) for each group."""
    w = params["W"].astype(dtype, copy=False).transpose(2, 3, 1, 0)
    return [np.ascontiguousarray(part) for part in np.split(w, groups, axis=3)]


def kernel_grads(x: Array, dy: Array, window: Window, groups: int) -> Array:
    """The gradient of W, where windows slide over ``x`` and ``dy`` is that of what they give."""
    inputs, outputs = (np.split(images, groups, axis=3) for images in (x, dy))
    each = [correlate_grads(part, d, window) for part, d in zip(inputs, outputs, strict=True)]
    return np.concatenate([dw.transpose(3, 2, 0, 1) for dw in each])


def options_shown(groups: int, bias: bool, output_pad: Pair = (0, 0)) -> str:
    """The further arguments of a convolution, those that are the default left out."""
    more = f", output_pad={pair_shown(output_pad)}" * any(output_pad)
    return f", groups={groups}" * (groups > 1) + more + ", bias=False" * (not bias)


def checked_channels(layer: str, c_in: Any, c_out: Any, groups: Any) -> tuple[int, int]:
    """``c_out`` and ``groups`` of a convolution, whose channels can be cut into ``groups``."""
    size_of(f"{layer}'s c_in", c_in)
    c_out, groups = whole(f"{layer}'s c_out", c_out), whole(f"{layer}'s groups", groups)
    for name, channels in [("c_in", c_in), ("c_out", c_out)]:
        if channels is not ... and channels % groups:
            raise ConfigError(
                f"{layer}'s {name} is a multiple of groups ({groups}), {channels} is not; "
                f"{_DIVISOR}"
            )
    return c_out, groups


def check_groups(channels: int, groups: int) -> None:
    """Raise ``ShapeError`` unless the channels that came can be cut into ``groups``."""
    if channels % groups:
        raise ShapeError(f"channels in {groups} equal groups", f"{channels}", _DIVISOR)
