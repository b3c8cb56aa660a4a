"""What image layers say of images that they cannot take: the place, and what to write."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcnet as fn

ANY: Any = fn  # to be called as the checker would not let us
PHOTO = (3, 32, 32)


def made(layer: Any, shape: Any = PHOTO) -> Any:
    """Parameters for a network of a convolution, ReLU, and ``layer``."""
    return fn.sequential(fn.conv2d(3, 4, 3), fn.relu(), layer).init(fn.Key(0), shape)


def applied(layer: Any, *shape: int) -> Any:
    return fn.sequential(layer).apply(fn.NO_PARAMS, np.zeros(shape, "float32"))


WINDOW = "make the window smaller, pad more or pool less before it"
DIVISOR = "make groups a divisor of the channels"
IMAGES = "images (batch, channels, height, width)"
EARLY = "a flatten() comes too early, or images are missing"

# Windows that are larger than what they slide over, and channels that no groups divide.
SIZES: dict[str, tuple[Any, str]] = {
    "conv2d's window": (
        lambda: made(fn.conv2d(4, 2, (40, 3))),
        "conv2d2 in conv2d1 >> relu1 >> conv2d2 expects images of at least 40x3, but relu1 gives "
        f"30x30; {WINDOW}",
    ),
    "conv2d's dilated window": (
        lambda: made(fn.conv2d(4, 2, 3, pad=1, dilation=16)),
        "conv2d2 in conv2d1 >> relu1 >> conv2d2 expects images of at least 33x33, but relu1 gives "
        f"30x30 padded by 1x1; {WINDOW}",
    ),
    "max_pool2d's window": (
        lambda: made(fn.max_pool2d(40)),
        "max_pool2d1 in conv2d1 >> relu1 >> max_pool2d1 expects images of at least 40x40, but "
        f"relu1 gives 30x30; {WINDOW}",
    ),
    "avg_pool2d's window": (
        lambda: made(fn.avg_pool2d(40)),
        "avg_pool2d1 in conv2d1 >> relu1 >> avg_pool2d1 expects images of at least 40x40, but "
        f"relu1 gives 30x30; {WINDOW}",
    ),
    "global_avg_pool2d of nothing": (
        lambda: applied(fn.global_avg_pool2d(), 2, 3, 0, 4),
        "global_avg_pool2d expects images of at least 1x1, but the input gives 0x4; "
        "pool less before it",
    ),
    "conv_transpose2d's pad": (
        lambda: made(fn.conv_transpose2d(4, 2, 3, stride=2, pad=(1, 40))),
        "conv_transpose2d1 in conv2d1 >> relu1 >> conv_transpose2d1 expects images of at least "
        "1x40, but relu1 gives 30x30; pad less or make the window larger",
    ),
    "conv2d's groups": (
        lambda: made(fn.conv2d(..., 6, 3, groups=3)),
        "conv2d2 in conv2d1 >> relu1 >> conv2d2 expects channels in 3 equal groups, but relu1 "
        f"gives 4; {DIVISOR}",
    ),
    "conv_transpose2d's groups": (
        lambda: made(fn.conv_transpose2d(..., 6, 3, groups=3)),
        "conv_transpose2d1 in conv2d1 >> relu1 >> conv_transpose2d1 expects channels in 3 equal "
        f"groups, but relu1 gives 4; {DIVISOR}",
    ),
}

# Arrays that are no images, or have their channels elsewhere than where they belong.
LAYOUTS: dict[str, tuple[Any, str]] = {
    "grey images, channels last": (
        lambda: applied(fn.conv2d(1, 8, 3), 5, 28, 28, 1),
        "conv2d expects 1 channel, but the input gives 28 (28x28x1); "
        "channels come first: (1, 28, 28), or x.transpose(0, 3, 1, 2)",
    ),
    "photographs, channels last": (
        lambda: made(fn.max_pool2d(2), (32, 32, 3)),
        "conv2d1 in conv2d1 >> relu1 >> max_pool2d1 expects 3 channels, but the input gives 32 "
        "(32x32x3); channels come first: (3, 32, 32), or x.transpose(0, 3, 1, 2)",
    ),
    "behind another layer, channels last": (
        lambda: fn.sequential(fn.batch_norm(), fn.conv2d(3, 8, 3)).init(fn.Key(0), (32, 32, 3)),
        "conv2d1 in batch_norm1 >> conv2d1 expects 3 channels, but batch_norm1 gives 32 (32x32x3); "
        "channels come first: (3, 32, 32), or x.transpose(0, 3, 1, 2)",
    ),
    "conv_transpose2d, channels last": (
        lambda: applied(fn.conv_transpose2d(16, 3, 4, 2), 5, 7, 8, 16),
        "conv_transpose2d expects 16 channels, but the input gives 7 (7x8x16); "
        "channels come first: (16, 7, 8), or x.transpose(0, 3, 1, 2)",
    ),
    "no axis of channels": (
        lambda: applied(ANY.conv2d(1, 8, 3), 5, 28, 28),
        "conv2d expects 1 channel, but the input gives one example of shape (28, 28); "
        "one channel is an axis too, (1, 28, 28) or x[:, None]; of one image, x[None]",
    ),
    "one photograph": (
        lambda: applied(ANY.conv2d(3, 8, 3), 3, 32, 32),
        "conv2d expects 3 channels, but the input gives one example of shape (32, 32); "
        "channels are an axis too: (3, 32, 32); of one image write x[None]",
    ),
    "a pool without channels": (
        lambda: applied(ANY.max_pool2d(2), 5, 28, 28),
        f"max_pool2d expects {IMAGES}, but the input gives one example of shape (28, 28); "
        "one channel is an axis too, (1, 28, 28) or x[:, None]; of one image, x[None]",
    ),
    "vectors": (
        lambda: applied(ANY.conv2d(1, 8, 3), 5, 784),
        "conv2d expects 1 channel, but the input gives one example of shape (784,); "
        "make images of vectors: x.reshape(-1, channels, height, width)",
    ),
    "avg_pool2d of vectors": (
        lambda: applied(ANY.avg_pool2d(2), 5, 784),
        f"avg_pool2d expects {IMAGES}, but the input gives one example of shape (784,); "
        "make images of vectors: x.reshape(-1, channels, height, width)",
    ),
    "a batch for a shape": (
        lambda: fn.local_response_norm().init(fn.Key(0), (5, *PHOTO)),
        f"local_response_norm expects {IMAGES}, but the input gives one example of shape "
        "(5, 3, 32, 32); a shape is of one example, without the batch axis: (3, 32, 32)",
    ),
    "features": (
        lambda: ANY.sequential(fn.dense(3, 4), fn.global_avg_pool2d()),
        f"global_avg_pool2d1 in dense1 >> global_avg_pool2d1 expects {IMAGES}, but dense1 gives "
        f"4 features; {EARLY}",
    ),
    "pooled twice": (
        lambda: ANY.sequential(
            fn.conv2d(3, 8, 3), fn.global_avg_pool2d(), fn.local_response_norm()
        ),
        "local_response_norm1 in conv2d1 >> global_avg_pool2d1 >> local_response_norm1 expects "
        f"{IMAGES}, but global_avg_pool2d1 gives 8 features; {EARLY}",
    ),
    "channels that become features": (
        lambda: fn.sequential(
            fn.conv2d(3, 8, 3), fn.max_pool2d(2), fn.global_avg_pool2d(), fn.dense(9, 2)
        ),
        "dense1 in conv2d1 >> max_pool2d1 >> global_avg_pool2d1 >> dense1 expects 9 features, but "
        "global_avg_pool2d1 gives 8; write dense(8, 2) or dense(..., 2)",
    ),
    "channels known with the shape": (
        lambda: (fn.global_avg_pool2d() >> fn.dense(9, 2)).init(fn.Key(0), PHOTO),
        "dense1 in global_avg_pool2d1 >> dense1 expects 9 features, but global_avg_pool2d1 gives "
        "3 (3x32x32); write dense(3, 2) or dense(..., 2)",
    ),
}

ARGUMENTS: dict[str, tuple[Any, str]] = {
    "conv2d's c_in": (
        lambda: fn.conv2d(4, 6, 3, groups=3),
        f"conv2d's c_in is a multiple of groups (3), 4 is not; {DIVISOR}",
    ),
    "conv_transpose2d's c_out": (
        lambda: fn.conv_transpose2d(6, 4, 3, groups=3),
        f"conv_transpose2d's c_out is a multiple of groups (3), 4 is not; {DIVISOR}",
    ),
    "max_pool2d's pad": (
        lambda: fn.max_pool2d(3, pad=(1, 2)),
        "max_pool2d's pad is at most half of size, so that no window is empty; (1, 2) is not",
    ),
    "avg_pool2d's pad": (
        lambda: fn.avg_pool2d(2, pad=2),
        "avg_pool2d's pad is at most half of size, so that no window is empty; 2 is not",
    ),
    "conv_transpose2d's output_pad": (
        lambda: fn.conv_transpose2d(3, 4, 3, stride=(3, 2), output_pad=2),
        "conv_transpose2d's output_pad is less than stride or dilation, but 2 is not less than 2",
    ),
    "local_response_norm's k": (
        lambda: fn.local_response_norm(k=0.0),
        "local_response_norm's k is a number in (0, inf), not 0.0",
    ),
}


@pytest.mark.parametrize("error", [*SIZES, *LAYOUTS])
def test_says_which_layer_cannot_take_what_and_what_to_write(error: str) -> None:
    call, text = (SIZES | LAYOUTS)[error]
    with pytest.raises(fn.ShapeError) as caught:
        call()
    assert str(caught.value) == text


@pytest.mark.parametrize("error", ARGUMENTS)
def test_says_which_argument_is_out_of_range(error: str) -> None:
    call, text = ARGUMENTS[error]
    with pytest.raises(fn.ConfigError) as caught:
        call()
    assert str(caught.value) == text
