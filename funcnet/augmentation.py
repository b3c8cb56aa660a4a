"""Augmentation: random changes of images, for ``minibatches(transform=...)``.

A transform is a pure function ``(key, x) -> x`` of images (n, channels, height, width), floats.
Each image has its own draw, and the same key gives the same draws. What comes out has the dtype
and the order in memory of what came in, and its shape (but for ``crop``).

All raise ``ConfigError`` for numbers out of range, and the transforms ``ShapeError`` or
``DtypeError`` for arrays that are no images of floats.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .arguments import given, misfit, number, short
from .arrays import Array, Tensor4, dims
from .errors import ArgumentError, FuncnetError, ShapeError
from .functions import floats
from .initializers import draw_normal
from .random import Key
from .resampling import affine
from .windows import Pair, pair

Transform: TypeAlias = Callable[[Key, Tensor4], Tensor4]
"""``(key, x) -> x``: any function will do."""

# ---- whole pixels ------------------------------------------------------------------------------


def shift(pixels: int | Pair) -> Transform:
    """Moves each image by up to ``pixels`` whole pixels each way; zeros move in.

    ``pixels`` is an integer or a pair (height, width); all moves are equally likely, none among
    them. It is ``crop`` to the images' own size with ``pad=pixels``. Raises ``ShapeError`` for
    images that are no larger than ``pixels``.

    >>> x = np.tile([1.0, 2.0, 3.0], (3, 1, 1, 1))
    >>> shift((0, 1))(Key(10), x)[:, 0, 0]
    array([[0., 1., 2.],
           [2., 3., 0.],
           [1., 2., 3.]])
    """
    return partial(_applied, "shift", partial(_shifted, pair("shift's pixels", pixels, 0)))


def crop(size: int | Pair, pad: int | Pair = 0) -> Transform:
    """Cuts a window of ``size`` pixels out of each image, padded with zeros, at a random place.

    ``size`` and ``pad``, which is added on all sides, are an integer or a pair (height, width).
    Images (n, c, h, w) become (n, c, *size). Raises ``ShapeError`` for padded images smaller than
    ``size``.

    Source: He et al. 2016, "Deep Residual Learning", section 4.2, has ``crop(32, pad=4)`` and
    ``flip()`` for the images of CIFAR, 32x32.

    >>> crop(24)(Key(0), np.ones((2, 3, 32, 32))).shape
    (2, 3, 24, 24)
    """
    size, pad = pair("crop's size", size), pair("crop's pad", pad, 0)
    return partial(_applied, "crop", partial(_cropped, size, pad))


def flip(rate: float = 0.5) -> Transform:
    """Turns each image left to right with probability ``rate``.

    >>> flip(1.0)(Key(0), np.array([[[[1.0, 2.0, 3.0]]]]))
    array([[[[3., 2., 1.]]]])
    """
    rate = number("flip's rate", rate, "[0, 1]")
    return partial(_applied, "flip", partial(_sometimes, rate, _mirrored))


# ---- between the pixels ------------------------------------------------------------------------


def rotate(degrees: float) -> Transform:
    """Turns each image about its centre by an angle uniform in [-degrees, degrees].

    Values between the pixels are bilinear, and 0 outside the image. ``degrees`` is in [0, 180].

    >>> rotate(0)(Key(0), np.array([[[[1.0, 2.0, 3.0]]]]))
    array([[[[1., 2., 3.]]]])
    """
    limit = np.deg2rad(number("rotate's degrees", degrees, "[0, 180]"))
    return partial(_applied, "rotate", partial(_rotated, float(limit)))


def scale(factor: float) -> Transform:
    """Zooms each image about its centre, to a size uniform in [1 - factor, 1 + factor] of its own.

    Values between the pixels are bilinear, and 0 outside the image. ``factor`` is in [0, 1).

    >>> scale(0.5)(Key(0), np.ones((3, 1, 1, 6)))[:, 0, 0].round(1)
    array([[1. , 1. , 1. , 1. , 1. , 1. ],
           [0.1, 1. , 1. , 1. , 1. , 0.1],
           [0.7, 1. , 1. , 1. , 1. , 0.7]])
    """
    factor = number("scale's factor", factor, "[0, 1)")
    return partial(_applied, "scale", partial(_scaled, factor))


# ---- values ------------------------------------------------------------------------------------


def blur(std: float) -> Transform:
    """Blurs each image by a Gaussian of standard deviation uniform in [0, std] pixels.

    At the edges the weights of the pixels inside are scaled up to add to 1, so that an even image
    stays as it is.

    >>> blur(1.0)(Key(2), np.array([[[[0.0, 0.0, 1.0, 0.0, 0.0]]]])).round(2)
    array([[[[0.02, 0.23, 0.52, 0.23, 0.02]]]])
    """
    return partial(_applied, "blur", partial(_blurred, number("blur's std", std, "[0, inf)")))


def noise(std: float) -> Transform:
    """Adds normal noise of standard deviation ``std`` to every number, which may leave [0, 1].

    >>> noise(0.1)(Key(0), np.zeros((100, 1, 8, 8))).std().round(2)
    np.float64(0.1)
    """
    return partial(_applied, "noise", partial(_noisy, number("noise's std", std, "[0, inf)")))


# ---- transforms of transforms ------------------------------------------------------------------


def compose(*transforms: Transform) -> Transform:
    """One transform after the other; number i draws from ``key.child(i)``.

    >>> both, x = compose(shift(1), noise(0.1)), np.ones((2, 1, 3, 3))
    >>> moved = shift(1)(Key(0).child(0), x)
    >>> np.array_equal(both(Key(0), x), noise(0.1)(Key(0).child(1), moved))
    True
    """
    for transform in transforms:
        _transform("compose", transform)
    return partial(_composed, transforms)


def sometimes(rate: float, transform: Transform) -> Transform:
    """``transform`` for each image with probability ``rate``; the others stay as they are.

    >>> x = sometimes(0.3, noise(0.1))(Key(0), np.zeros((1000, 1, 1, 1)))
    >>> (x != 0).mean().round(1)
    np.float64(0.3)
    """
    _transform("sometimes", transform)
    rate = number("sometimes' rate", rate, "[0, 1]")
    return partial(_applied, "sometimes", partial(_sometimes, rate, transform))


# ---- what the transforms do --------------------------------------------------------------------


def _applied(name: str, change: Transform, key: Key, x: Tensor4) -> Tensor4:
    """The images, changed, with the dtype and the order in memory of ``x``."""
    _key(name, key)
    try:
        _images(x)
        changed = change(key, x)
    except FuncnetError as error:
        raise error.within(name) from None
    y: Tensor4 = np.empty_like(x, shape=changed.shape, subok=False)
    y[...] = changed
    return y


def _shifted(pixels: Pair, key: Key, x: Tensor4) -> Tensor4:
    height, width = x.shape[2:]
    if height <= pixels[0] or width <= pixels[1]:
        raise ShapeError(f"images larger each way than {dims(pixels)}", dims((height, width)))
    return _cropped((height, width), pixels, key, x)


def _cropped(size: Pair, pad: Pair, key: Key, x: Tensor4) -> Tensor4:
    (n, c, height, width), (ph, pw) = x.shape, pad
    room = height + 2 * ph - size[0], width + 2 * pw - size[1]
    if min(room) < 0:
        padded = f" padded by {dims(pad)}" if any(pad) else ""
        raise ShapeError(f"images of at least {dims(size)}", f"{dims((height, width))}{padded}")
    canvas = np.zeros((n, c, height + 2 * ph, width + 2 * pw), x.dtype)
    canvas[:, :, ph : ph + height, pw : pw + width] = x
    top, left = key.generator().integers(0, [[room[0]], [room[1]]], (2, n), endpoint=True)
    windows: Any = sliding_window_view(canvas, size, axis=(2, 3))
    cut: Tensor4 = windows[np.arange(n), :, top, left]
    return cut


def _mirrored(key: Key, x: Tensor4) -> Tensor4:
    return x[..., ::-1]


def _rotated(limit: float, key: Key, x: Tensor4) -> Tensor4:
    angle = key.generator().uniform(-limit, limit, len(x))
    cos, sin = np.cos(angle), np.sin(angle)
    return affine(np.array([[cos, sin], [-sin, cos]]), x)


def _scaled(factor: float, key: Key, x: Tensor4) -> Tensor4:
    # The pixel at a place comes from nearer to the centre in an enlarged image.
    nearer = 1 / key.generator().uniform(1 - factor, 1 + factor, len(x))
    none = np.zeros(len(x))
    return affine(np.array([[nearer, none], [none, nearer]]), x)


def _blurred(std: float, key: Key, x: Tensor4) -> Tensor4:
    real = np.result_type(x, np.float32)
    stds = key.generator().uniform(0, std, len(x))
    # A deviation of 0 is one so small that no weight but a pixel's own is left.
    sharpness = (1 / np.maximum(stds, 1e-3)).astype(real)
    down, across = (_gaussians(sharpness, size) for size in x.shape[2:])
    # Only of images that lie row by row does BLAS make the products.
    y: Tensor4 = down @ np.ascontiguousarray(x) @ across.transpose(0, 1, 3, 2)
    return y


def _gaussians(sharpness: Array, size: int) -> Array:
    """Matrices (n, 1, size, size) that blur rows of ``size`` pixels; sharpness is 1 / std."""
    places = np.arange(size, dtype=sharpness.dtype)
    apart = places - places[:, None]
    weights: Array = np.exp(-0.5 * (apart * sharpness[:, None, None, None]) ** 2)
    weights /= weights.sum(-1, keepdims=True)
    return weights


def _noisy(std: float, key: Key, x: Tensor4) -> Tensor4:
    return x + draw_normal(std, key, x.shape, x.dtype)


def _composed(transforms: tuple[Transform, ...], key: Key, x: Tensor4) -> Tensor4:
    _key("compose", key)
    for i, transform in enumerate(transforms):
        x = transform(key.child(i), x)
    return x


def _sometimes(rate: float, transform: Transform, key: Key, x: Tensor4) -> Tensor4:
    changed: Any = transform(key.child("transform"), x)
    if not isinstance(changed, np.ndarray) or changed.shape != x.shape:
        got = f"{changed.shape}" if isinstance(changed, np.ndarray) else short(changed)
        raise ArgumentError(f"its transform keeps the shape of images, {x.shape}, but gives {got}")
    chosen = key.child("chosen").generator().random((len(x), 1, 1, 1)) < rate
    y: Tensor4 = np.where(chosen, changed, x)
    return y


# ---- checks ------------------------------------------------------------------------------------


def _transform(owner: str, value: Any) -> None:
    """Raise ``ArgumentError`` unless ``value`` can be called with a key and images."""
    # A plain function of this file makes a transform, and was not called: flip for flip().
    uncalled = getattr(value, "__module__", "") == __name__
    if not callable(value) or uncalled or misfit(value, Key(0), None):
        raise ArgumentError(f"{owner} takes functions of a key and a batch, not {given(value)}")


def _key(owner: str, key: Any) -> None:
    if not isinstance(key, Key):
        raise ArgumentError(f"{owner} is called with a Key first, not {short(key)}; write Key(0)")


def _images(x: Any) -> None:
    if not isinstance(x, np.ndarray):
        raise ArgumentError(f"takes images (n, channels, height, width), not {short(x)}")
    if x.ndim != 4:
        mend = "write x[:, None] for grey images" if x.ndim == 3 else ""
        raise ShapeError("images (n, channels, height, width)", f"{x.shape}", mend)
    floats(x)
