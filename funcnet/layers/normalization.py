"""Layers that bring what flows to mean 0 and variance 1."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np

from ..arguments import number
from ..arrays import (
    Array,
    Shape,
    channels_first,
    channels_last,
    column_sums,
    dims,
    ones_vector,
)
from ..errors import ShapeError
from ..functions import Leaf, Spec, cast
from ..initializers import ones, zeros
from ..kinds import SAME
from ..random import Mode, Train
from ..tree import Grads, Params
from ..typed import Same


class BatchNormCache(NamedTuple):
    """Rows as ``_rows`` has them, less their mean, and what they were then multiplied by."""

    centred: Array
    inverse: Array  # 1 / standard deviation
    scale: Array  # gamma / standard deviation
    seen: tuple[Array, Array] | None  # mean and variance of the batch, in Train
    params: Params


def batch_norm_forward(
    epsilon: float, params: Params, x: Array, mode: Mode
) -> tuple[Array, BatchNormCache]:
    x = cast(x, params)
    rows = _rows(x)
    mean: Array
    var: Array
    if isinstance(mode, Train):
        mean = _means(rows, x)
        centred = rows - _wide(mean, x)
        # Sums over many rows lose digits in float32; what is left of the mean makes up for them.
        rest = _means(centred, x)
        mean += rest
        centred -= _wide(rest, x)
        var = _means(centred * centred, x)
        seen = (mean, var)
    else:
        mean, var, seen = params["mean"], params["var"].astype(x.dtype, copy=False), None
        centred = rows - _wide(mean, x)
    inverse = 1 / np.sqrt(var + epsilon)
    scale = params["gamma"] * inverse
    y = centred * _wide(scale, x)
    y += _wide(params["beta"], x)
    return _like(x, y), BatchNormCache(centred, inverse, scale, seen, params)


def batch_norm_apply(epsilon: float, params: Params, x: Array) -> Array:
    """``forward`` in inference, in one array."""
    x = cast(x, params)
    y = _rows(x) - _wide(params["mean"], x)
    deviation = np.sqrt(params["var"].astype(x.dtype, copy=False) + epsilon)
    y *= _wide(params["gamma"] / deviation, x)
    y += _wide(params["beta"], x)
    return _like(x, y)


def batch_norm_backward(cache: BatchNormCache, dy: Array) -> tuple[Array, Grads]:
    centred, inverse, scale, seen, _ = cache
    d = _rows(dy)
    dbeta = _sums(d, dy)
    dgamma = _sums(d * centred, dy) * inverse
    if seen is None:
        dx = d * _wide(scale, dy)
    else:
        # The batch's own mean and variance move with x: take out their parts.
        n = dy.size // dy.shape[1]
        dx = centred * _wide(dgamma * inverse / -n, dy)
        dx += d
        dx -= _wide(dbeta / n, dy)
        dx *= _wide(scale, dy)
    return _like(dy, dx), Grads.fresh({"gamma": dgamma, "beta": dbeta})


def batch_norm_pull(cache: BatchNormCache, dy: Array) -> Array:
    if cache.seen is None:  # frozen: nothing moves with x, and nobody asks for dgamma and dbeta
        return _like(dy, _rows(dy) * _wide(cache.scale, dy))
    return batch_norm_backward(cache, dy)[0]


def batch_norm_refresh(decay: float, params: Params, cache: BatchNormCache) -> Params:
    if cache.seen is None:
        return params
    mean, var = cache.seen
    moved = {
        "mean": _blend(params["mean"], mean, decay),
        "var": _blend(params["var"], var, decay),
    }
    return Params.fresh({**params, **moved})


def _blend(running: Array, seen: Array, decay: float) -> Array:
    moved: Array = running * decay
    moved += seen * (1 - decay)
    return moved


def batch_norm_spec(shape: Shape) -> tuple[Spec, Shape]:
    if len(shape) not in (1, 3):
        raise ShapeError("vectors or images", f"one example of shape {dims(shape)}")
    n = (shape[0],)
    learned: Spec = {"gamma": Leaf(n, ones), "beta": Leaf(n, zeros)}
    seen: Spec = {"mean": Leaf(n, zeros, trained=False), "var": Leaf(n, ones, trained=False)}
    return {**learned, **seen}, shape


def batch_norm(decay: float = 0.9, epsilon: float = 1e-5) -> Same:
    """Normalises each feature, or each channel of images, then scales and shifts it.

    y = gamma * (x - mean) / sqrt(var + epsilon) + beta. In training, mean and (biased) variance
    are the batch's, over the rows and, for images, all pixels; ``refresh`` moves the running ones:
    running = decay * running + (1 - decay) * batch. Inference uses the running ones.

    Parameters: ``gamma``, ``beta``, and ``mean``, ``var``, which no gradient trains; each (n,).
    Raises ``ConfigError`` for a ``decay`` outside [0, 1] or an ``epsilon`` that is not positive.

    Source: Ioffe and Szegedy 2015, "Batch Normalization".

    >>> sorted(batch_norm().init(Key(0), (3, 8, 8)))
    ['beta', 'gamma', 'mean', 'var']
    """
    decay = number("batch_norm's decay", decay, "[0, 1]")
    epsilon = number("batch_norm's epsilon", epsilon, "(0, inf)")
    return Same(
        "batch_norm",
        forward=partial(batch_norm_forward, epsilon),
        backward=batch_norm_backward,
        spec=batch_norm_spec,
        refresh=partial(batch_norm_refresh, decay),
        pull=batch_norm_pull,
        apply=partial(batch_norm_apply, epsilon),
        gives=SAME,
    )


class LayerNormCache(NamedTuple):
    """What was normalised, one over its standard deviation, and the parameters it met."""

    normalised: Array
    inverse: Array
    params: Params


def layer_norm_forward(
    epsilon: float, params: Params, x: Array, mode: Mode
) -> tuple[Array, LayerNormCache]:
    x = cast(x, params)
    normalised = x - _row_means(x, ones_vector(x.shape[-1], x.dtype))
    inverse = 1 / np.sqrt(_row_means(normalised, normalised) + epsilon)
    normalised *= inverse
    y = normalised * params["gamma"]
    y += params["beta"]
    return y, LayerNormCache(normalised, inverse, params)


def layer_norm_backward(cache: LayerNormCache, dy: Array) -> tuple[Array, Grads]:
    normalised, inverse, params = cache
    grads = {"gamma": column_sums(dy * normalised), "beta": column_sums(dy)}
    # The mean and variance of a row move with it: take out their parts.
    dx = dy * params["gamma"]
    along = _row_means(dx, normalised)
    dx -= _row_means(dx, ones_vector(dx.shape[-1], dx.dtype))
    dx -= normalised * along
    dx *= inverse
    return dx, Grads.fresh(grads)


def _row_means(x: Array, weights: Array) -> Array:
    """The mean of ``x * weights`` over the last axis, as a column: by BLAS, three times faster."""
    means: Array = np.vecdot(x, weights)[..., None] / x.shape[-1]
    return means


def layer_norm_spec(shape: Shape) -> tuple[Spec, Shape]:
    if len(shape) not in (1, 2):
        raise ShapeError("vectors or sequences", f"one example of shape {shape}")
    n = shape[-1:]
    return {"gamma": Leaf(n, ones), "beta": Leaf(n, zeros)}, shape


def layer_norm(epsilon: float = 1e-5) -> Same:
    """Normalises each example over its features, then scales and shifts them.

    y = gamma * (x - mean) / sqrt(var + epsilon) + beta, with the (biased) mean and variance of
    the last axis of vectors (batch, n) or sequences (batch, time, n). The same in training and
    inference. Parameters: ``gamma`` and ``beta``, each (n,).

    Source: Ba et al. 2016, "Layer Normalization".

    >>> net = layer_norm()
    >>> net.apply(net.init(Key(0), (2,)), np.array([[1.0, 3.0]], "float32")).round(2)
    array([[-1.,  1.]], dtype=float32)
    """
    epsilon = number("layer_norm's epsilon", epsilon, "(0, inf)")
    return Same(
        "layer_norm",
        forward=partial(layer_norm_forward, epsilon),
        backward=layer_norm_backward,
        spec=layer_norm_spec,
        gives=SAME,
    )


# ---- features, and channels of images -----------------------------------------------------------


def _rows(x: Array) -> Array:
    """A row for each example: its features, or its pixels, channels last."""
    return x if x.ndim == 2 else channels_last(x).reshape(len(x), math.prod(x.shape[1:]))


def _like(x: Array, rows: Array) -> Array:
    """``_rows`` undone: of the shape of ``x``."""
    if x.ndim == 2:
        return rows
    n, c, h, w = x.shape
    return channels_first(rows.reshape(n, h, w, c))


def _wide(each: Array, x: Array) -> Array:
    """One number a feature or channel as a row: of images, repeated for each pixel.

    Else NumPy would take each pixel's channels as a run of their own, which for 16 of them takes
    four times as long.
    """
    return each if x.ndim == 2 else np.tile(each, x.shape[2] * x.shape[3])


def _sums(rows: Array, x: Array) -> Array:
    """The sum for each feature or channel of ``x``, whose rows these are."""
    return column_sums(rows if x.ndim == 2 else rows.reshape(-1, x.shape[1]))


def _means(rows: Array, x: Array) -> Array:
    means: Array = _sums(rows, x) / (x.size // x.shape[1])
    return means
