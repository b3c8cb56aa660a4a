"""Windows that slide over images: their sizes, and where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .arguments import whole
from .arrays import Array, Shape, dims
from .errors import ArgumentError, ShapeError

Pair: TypeAlias = tuple[int, int]

# Numbers of scratch that one block of a batch may take: 4 MB of float32, which stays in cache.
# Without blocks a training step of a deep network takes a quarter longer.
BLOCK = 1 << 20

# glibc's malloc returns a large array to the system when it is freed, and the next one is made of
# fresh pages, thousands a training step: a fifth of the step's time. It keeps what is no larger
# than the largest array it ever saw freed, up to 32 MB. So here it sees one, of which no page is
# touched. Other allocators take no notice.
np.empty((32 << 20) - (64 << 10), np.uint8)


class Window(NamedTuple):
    """How a window slides: each of height and width."""

    size: Pair
    stride: Pair
    pad: Pair
    dilation: Pair

    def reach(self) -> Pair:
        """The rows and columns that one window spans, gaps included."""
        (kh, kw), (dh, dw) = self.size, self.dilation
        return (kh - 1) * dh + 1, (kw - 1) * dw + 1

    def span(self, out: Pair) -> Pair:
        """The rows and columns that ``out`` windows span together."""
        (rh, rw), (sh, sw) = self.reach(), self.stride
        return (out[0] - 1) * sh + rh, (out[1] - 1) * sw + rw

    def out(self, height: int, width: int) -> Pair:
        """How many windows fit: floor((n + 2 pad - reach) / stride) + 1 each way."""
        (rh, rw), (sh, sw), (ph, pw) = self.reach(), self.stride, self.pad
        return (height + 2 * ph - rh) // sh + 1, (width + 2 * pw - rw) // sw + 1

    def fit(self, height: int, width: int) -> Pair:
        """``out``, where at least one window fits; else ``ShapeError``."""
        out = self.out(height, width)
        if min(*out, height, width) < 1:
            padded = f" padded by {dims(self.pad)}" if any(self.pad) else ""
            raise ShapeError(
                f"images of at least {dims(self.reach())}",
                f"{dims((height, width))}{padded}",
                "make the window smaller, pad more or pool less before it",
            )
        return out


def pair(name: str, value: Any, smallest: int = 1) -> Pair:
    """``value`` as (height, width): one integer serves for both.

    >>> pair("size", 3), pair("size", (3, 5))
    ((3, 3), (3, 5))
    """
    if not isinstance(value, tuple | list):
        n = whole(name, value, smallest)
        return n, n
    if len(value) != 2:
        raise ArgumentError(f"{name} is an integer or a pair (height, width), not {value!r}")
    return whole(name, value[0], smallest), whole(name, value[1], smallest)


def window_of(name: str, size: Any, stride: Any, pad: Any, dilation: Any = 1) -> Window:
    """The window that the arguments of ``name`` describe, each an integer or a pair."""
    return Window(
        pair(f"{name}'s size", size),
        pair(f"{name}'s stride", stride),
        pair(f"{name}'s pad", pad, 0),
        pair(f"{name}'s dilation", dilation),
    )


def blocks(count: int, numbers: int) -> list[slice]:
    """A batch of ``count`` images, which take ``numbers`` of scratch each, in equal blocks."""
    most = max(1, BLOCK // max(1, numbers))
    size = -(-count // max(1, -(-count // most)))
    return [slice(i, min(i + size, count)) for i in range(0, count, size or 1)]


def inside(offset: int, stride: int, count: int, room: int) -> tuple[slice, slice]:
    """The i < count for which i * stride + offset lies in [0, room), and those places."""
    first = max(0, -(offset // stride))
    last = max(first, min(count, (room - 1 - offset) // stride + 1))
    start = first * stride + offset
    return slice(first, last), slice(start, start + (last - first) * stride, stride)


Slices: TypeAlias = tuple[slice, slice, slice]


def shifts(window: Window, size: Pair, out: Pair) -> Iterator[tuple[Slices, Slices]]:
    """For each place in a window, row by row: the windows that have it inside the image, and it.

    The first index arrays of ``out`` windows (n, oh, ow, ...), the second images of ``size``
    (n, h, w, ...). Windows that hang over the edge are left out where they do, so that padding
    takes no part.
    """
    high, wide = (shifts_along(window, way, out[way], size[way]) for way in (0, 1))
    for (on_h, at_h), (on_w, at_w) in product(high, wide):
        yield (slice(None), on_h, on_w), (slice(None), at_h, at_w)


def shifts_along(window: Window, way: int, windows: int, pixels: int) -> list[tuple[slice, slice]]:
    """``shifts`` along the height (``way`` 0) or the width (1) alone."""
    size, stride, pad, dilation = (each[way] for each in window)
    return [inside(i * dilation - pad, stride, windows, pixels) for i in range(size)]


def strided(x: Array, shape: Shape, strides: Shape) -> Array:
    """A view of the numbers of ``x``, a new array, in steps of as many bytes each way.

    NumPy's ``as_strided`` takes five times as long to make one and checks no bounds.
    """
    return np.ndarray(shape, x.dtype, x, strides=strides)


def shown(window: Window, stride: Pair = (1, 1)) -> str:
    """A window as the arguments of a call, those that are the default left out.

    >>> shown(Window((3, 3), (2, 2), (0, 1), (1, 1)))
    '3, stride=2, pad=(0, 1)'
    """
    defaults = {"stride": stride, "pad": (0, 0), "dilation": (1, 1)}
    options = [
        f"{name}={pair_shown(getattr(window, name))}"
        for name, default in defaults.items()
        if getattr(window, name) != default
    ]
    return ", ".join([pair_shown(window.size), *options])


def pair_shown(value: Pair) -> str:
    """A pair as it is written: one number where both are the same."""
    return str(value[0] if value[0] == value[1] else value)
