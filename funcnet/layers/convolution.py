"""Convolution of images."""

from __future__ import annotations

from functools import partial
from types import EllipsisType
from typing import Any, NamedTuple, overload

import numpy as np

from ..arguments import function, size_of, whole
from ..arrays import Array, Shape, channels_first, channels_last
from ..errors import ConfigError, ShapeError
from ..functions import Initializer, Leaf, Spec, cast
from ..initializers import he_normal, zeros
from ..kernels.correlation import correlate, correlate_grads, correlate_pull
from ..kernels.winograd import EXACT, FAST
from ..kinds import Image, M, N
from ..random import Mode
from ..tree import Grads, Params
from ..typed import Layer
from ..windows import Pair, Window, pair_shown, shown, window_of

_DIVISOR = "make groups a divisor of the channels"


class ConvCache(NamedTuple):
    """The input, and the parameters it met."""

    x: Array
    params: Params


def conv2d_forward(
    window: Window, groups: int, params: Params, x: Array, mode: Mode
) -> tuple[Array, ConvCache]:
    x = cast(x, params)
    return _convolved(EXACT, window, groups, params, x), ConvCache(x, params)


def conv2d_apply(window: Window, groups: int, params: Params, x: Array) -> Array:
    return _convolved(FAST, window, groups, params, cast(x, params))


def _convolved(step: int, window: Window, groups: int, params: Params, x: Array) -> Array:
    kernels, out = kernels_of(params, x.dtype, groups), window.out(*x.shape[2:])
    y = correlate(grouped(x, groups), kernels, window, out, params.get("b"), step)
    return ungrouped(y)


def conv2d_backward(
    window: Window, groups: int, cache: ConvCache, dy: Array
) -> tuple[Array, Grads]:
    return conv2d_pull(window, groups, cache, dy), conv2d_grads(window, groups, cache, dy)


def conv2d_pull(window: Window, groups: int, cache: ConvCache, dy: Array) -> Array:
    x, params = cache
    kernels = kernels_of(params, dy.dtype, groups)
    height, width = x.shape[2:]
    return ungrouped(correlate_pull(kernels, grouped(dy, groups), window, (height, width)))


def conv2d_grads(window: Window, groups: int, cache: ConvCache, dy: Array) -> Grads:
    x, params = cache
    dw, db = correlate_grads(grouped(x, groups), grouped(dy, groups), window, "b" in params)
    grads = {"W": weights_of(dw)}
    if db is not None:
        grads["b"] = db.reshape(-1)
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
    with ``bias=False``. ``c_in`` may be ``...``. ``apply`` rounds otherwise than ``forward``, by
    about 1e-6 of what there is in float32. Raises ``ConfigError`` for sizes out of range,
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


def grouped(x: Array, groups: int) -> Array:
    """A view of images (n, c, h, w) as (n, h, w, groups, c / groups)."""
    n, c, h, w = x.shape
    return channels_last(x).reshape(n, h, w, groups, c // groups)


def ungrouped(y: Array) -> Array:
    """A view of images (n, h, w, groups, c) as (n, groups * c, h, w)."""
    n, h, w, groups, c = y.shape
    return channels_first(y.reshape(n, h, w, groups * c))


def kernels_of(params: Params, dtype: np.dtype[Any], groups: int) -> Array:
    """W as (groups, kh, kw, its second size, its first / groups)."""
    w = params["W"].astype(dtype, copy=False)
    split = w.reshape(groups, -1, *w.shape[1:])
    return np.ascontiguousarray(split.transpose(0, 3, 4, 2, 1))


def weights_of(kernels: Array) -> Array:
    """The inverse of ``kernels_of``: (groups, kh, kw, c, f) as W (groups * f, c, kh, kw)."""
    g, kh, kw, c, f = kernels.shape
    return kernels.transpose(0, 4, 3, 1, 2).reshape(g * f, c, kh, kw)


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
