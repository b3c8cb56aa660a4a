"""Softmax and its logarithm: over the features, or over the channels of images."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, Shape, feature_axis
from ..errors import ShapeError
from ..functions import Spec, no_grads
from ..kinds import SAME
from ..random import Mode
from ..tree import NO_GRADS, Grads, Params
from ..typed import Same


def features_spec(shape: Shape) -> tuple[Spec, Shape]:
    """The same shape, where there are features to normalise over and not just a batch."""
    if not shape:
        raise ShapeError("features", "one number for each example", "write x[:, None]")
    return {}, shape


def log_softmax_apply(params: Params, x: Array) -> Array:
    axis = feature_axis(x)
    # Logits further apart than the dtype reaches: their difference is -inf, rightly.
    with np.errstate(over="ignore"):
        y: Array = x - x.max(axis, keepdims=True)
    y -= np.log(np.exp(y).sum(axis, keepdims=True))
    return y


def log_softmax_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, Array]:
    y = log_softmax_apply(params, x)
    return y, y


def log_softmax_backward(y: Array, dy: Array) -> tuple[Array, Grads]:
    return dy - np.exp(y) * dy.sum(feature_axis(dy), keepdims=True), NO_GRADS


def log_softmax() -> Same:
    """log(softmax(x)), exact where the softmax itself would be 0.

    >>> log_softmax().apply(NO_PARAMS, np.array([[0.0, 1000.0]]))
    array([[-1000.,     0.]])
    """
    return Same(
        "log_softmax",
        forward=log_softmax_forward,
        backward=log_softmax_backward,
        spec=features_spec,
        grads=no_grads,
        apply=log_softmax_apply,
        gives=SAME,
    )


def softmax_apply(params: Params, x: Array) -> Array:
    axis = feature_axis(x)
    with np.errstate(over="ignore"):
        y: Array = x - x.max(axis, keepdims=True)
    np.exp(y, out=y)
    y /= y.sum(axis, keepdims=True)
    return y


def softmax_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, Array]:
    y = softmax_apply(params, x)
    return y, y


def softmax_backward(y: Array, dy: Array) -> tuple[Array, Grads]:
    return y * (dy - (y * dy).sum(feature_axis(y), keepdims=True)), NO_GRADS


def softmax() -> Same:
    """exp(x) / sum(exp(x)) over the features, or over the channels of images.

    To train a classifier, leave it out and use ``softmax_cross_entropy``, which starts from what
    would go into it.

    >>> softmax().apply(NO_PARAMS, np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 1e6]])).round(8)
    array([[0.09003057, 0.24472847, 0.66524096],
           [0.        , 0.        , 1.        ]])
    """
    return Same(
        "softmax",
        forward=softmax_forward,
        backward=softmax_backward,
        spec=features_spec,
        grads=no_grads,
        apply=softmax_apply,
        gives=SAME,
    )
