"""Random changes of images: pure functions of a key, each image with a draw of its own."""

from __future__ import annotations

import math
import pickle
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn
from funcnet import augmentation
from funcnet.resampling import affine

ANY: Any = augmentation  # to be called as the checker would not let us

# Each keeps the shape of images of 4x4 pixels or more.
KEEPING: dict[str, fn.augmentation.Transform] = {
    "shift": augmentation.shift((2, 1)),
    "flip": augmentation.flip(),
    "rotate": augmentation.rotate(40),
    "scale": augmentation.scale(0.4),
    "blur": augmentation.blur(1.5),
    "noise": augmentation.noise(0.1),
    "sometimes": augmentation.sometimes(0.5, augmentation.rotate(40)),
    "compose": augmentation.compose(augmentation.shift(1), augmentation.scale(0.2)),
}
EVERY = {**KEEPING, "crop": augmentation.crop((3, 4), pad=1)}
# At these settings, none changes anything.
NONE = {
    "shift": augmentation.shift(0),
    "flip": augmentation.flip(0),
    "rotate": augmentation.rotate(0),
    "scale": augmentation.scale(0),
    "blur": augmentation.blur(0),
    "noise": augmentation.noise(0),
    "sometimes": augmentation.sometimes(0, augmentation.noise(1)),
    "compose": augmentation.compose(),
}


def drawn(n: int, c: int, h: int, w: int, dtype: Any = np.float64) -> Any:
    return fn.Key(9).generator().random((n, c, h, w)).astype(dtype)


def channels_last(x: Any) -> Any:
    """The same images, with their channels last in memory."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


# ---- what holds of all -------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
@given(
    st.integers(0, 4),
    st.integers(1, 3),
    st.integers(4, 7),
    st.integers(4, 7),
    st.sampled_from(["f2", "f4", "f8", ">f4"]),
)
def test_pure_and_kept_in_shape_and_dtype(
    name: str, n: int, c: int, h: int, w: int, dtype: str
) -> None:
    transform, x = EVERY[name], drawn(n, c, h, w, dtype)
    before = x.copy()
    x.setflags(write=False)
    y = transform(fn.Key(3), x)
    assert y.shape == ((n, c, 3, 4) if name == "crop" else x.shape)
    assert y.dtype == x.dtype
    assert y.flags.writeable
    assert not np.shares_memory(x, y)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(transform(fn.Key(3), x), y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(transform))(fn.Key(3), x), y)


@pytest.mark.parametrize("name", EVERY)
def test_the_order_in_memory_is_kept_and_changes_nothing(name: str) -> None:
    x = drawn(5, 3, 6, 7, np.float32)
    y, z = EVERY[name](fn.Key(0), x), EVERY[name](fn.Key(0), channels_last(x))
    assert y.flags.c_contiguous
    assert z.transpose(0, 2, 3, 1).flags.c_contiguous
    np.testing.assert_array_equal(y, z)


@pytest.mark.parametrize("name", EVERY)
def test_each_image_and_each_key_has_a_draw_of_its_own(name: str) -> None:
    x = np.repeat(drawn(1, 1, 6, 6), 60, axis=0)
    y = EVERY[name](fn.Key(0), x)
    assert len(np.unique(y.reshape(60, -1), axis=0)) > 1
    assert not np.array_equal(EVERY[name](fn.Key(1), x), y)


@pytest.mark.parametrize("name", sorted({*EVERY} - {"noise"}))
def test_channels_move_together(name: str) -> None:
    x = np.repeat(drawn(4, 1, 6, 6), 3, axis=1)
    y = EVERY[name](fn.Key(0), x)
    np.testing.assert_allclose(y, y[:, :1].repeat(3, axis=1), rtol=1e-12)


@pytest.mark.parametrize("name", NONE)
@pytest.mark.parametrize("shape", [(3, 2, 5, 4), (2, 1, 1, 1), (0, 1, 3, 3)])
def test_may_change_nothing(name: str, shape: tuple[int, int, int, int]) -> None:
    for dtype in (np.float32, np.float64):
        x = drawn(*shape, dtype)
        np.testing.assert_allclose(NONE[name](fn.Key(0), x), x, rtol=1e-6)


@pytest.mark.parametrize("name", sorted({*EVERY} - {"shift", "compose"}))
def test_images_of_one_pixel(name: str) -> None:
    x = np.ones((3, 2, 1, 1))
    y = augmentation.crop(1, pad=1)(fn.Key(0), x) if name == "crop" else EVERY[name](fn.Key(0), x)
    assert y.shape == x.shape
    if name not in ("crop", "noise"):
        np.testing.assert_allclose(y, x)


# ---- each --------------------------------------------------------------------------------------


def test_shift_moves_a_pixel_to_all_places_in_reach() -> None:
    x = np.zeros((500, 1, 7, 8))
    x[:, :, 3, 4] = 1
    y = augmentation.shift((2, 1))(fn.Key(0), x)
    np.testing.assert_array_equal(y.sum((1, 2, 3)), 1)
    _, _, rows, columns = np.nonzero(y)
    places, counts = np.unique(np.stack([rows, columns], 1), axis=0, return_counts=True)
    assert places.tolist() == [[i, j] for i in range(1, 6) for j in range(3, 6)]
    assert counts.min() > 15  # of 33 expected


def test_shift_leaves_zeros_behind() -> None:
    y = augmentation.shift(1)(fn.Key(0), np.ones((200, 1, 2, 2)))
    assert set(y.sum((1, 2, 3)).tolist()) == {1, 2, 4}


def test_shift_is_crop_of_the_own_size() -> None:
    x = drawn(20, 2, 5, 6)
    moved = augmentation.shift((1, 2))(fn.Key(0), x)
    np.testing.assert_array_equal(augmentation.crop((5, 6), (1, 2))(fn.Key(0), x), moved)


def test_crop_cuts_windows_at_all_places() -> None:
    image = np.arange(30.0).reshape(1, 1, 5, 6)
    y = augmentation.crop((3, 4))(fn.Key(0), np.repeat(image, 200, axis=0))
    assert set(y[:, 0, 0, 0].tolist()) == {0, 1, 2, 6, 7, 8, 12, 13, 14}
    for cut in y[:, 0]:
        top, left = divmod(int(cut[0, 0]), 6)
        np.testing.assert_array_equal(cut, image[0, 0, top : top + 3, left : left + 4])


def test_flip_turns_its_share_left_to_right() -> None:
    x = drawn(1000, 2, 3, 4)
    y = augmentation.flip(0.3)(fn.Key(0), x)
    turned = (y == x[..., ::-1]).all((1, 2, 3))
    kept = (y == x).all((1, 2, 3))
    np.testing.assert_array_equal(turned, ~kept)
    assert turned.mean() == pytest.approx(0.3, abs=0.05)
    always = augmentation.flip(1)
    np.testing.assert_array_equal(always(fn.Key(1), always(fn.Key(2), x)), x)


def test_rotate_and_scale_draw_angles_and_zooms() -> None:
    x, key, limit = drawn(6, 2, 5, 8), fn.Key(4), math.radians(70)
    angles = key.generator().uniform(-limit, limit, 6)
    turns = np.array([[np.cos(angles), np.sin(angles)], [-np.sin(angles), np.cos(angles)]])
    np.testing.assert_array_equal(augmentation.rotate(70)(key, x), affine(turns, x))
    zooms = key.generator().uniform(0.4, 1.6, 6)
    matrices = np.eye(2)[..., None] / zooms
    np.testing.assert_array_equal(augmentation.scale(0.6)(key, x), affine(matrices, x))


def bump(width: float) -> Any:
    """A round image, which is almost 0 at its edges."""
    squares = (np.arange(25) - 12.0) ** 2
    return np.exp(-(squares[:, None] + squares) / (2 * width**2))


def test_rotate_leaves_a_round_image_as_it_is() -> None:
    x = np.tile(bump(3.0), (20, 1, 1, 1))
    y = augmentation.rotate(180)(fn.Key(0), x)
    np.testing.assert_allclose(y, x, atol=0.03)
    assert np.abs(y - x).max() > 1e-4


def test_scale_makes_larger_and_smaller() -> None:
    y = augmentation.scale(0.5)(fn.Key(0), np.tile(bump(2.5), (300, 1, 1, 1)))
    zooms = np.sqrt(y.sum((1, 2, 3)) / bump(2.5).sum())
    assert zooms.min() == pytest.approx(0.5, abs=0.02)
    assert zooms.max() == pytest.approx(1.5, abs=0.02)
    assert zooms.mean() == pytest.approx(1, abs=0.05)


def test_blur_is_gaussian_and_keeps_the_total() -> None:
    x = np.zeros((300, 1, 25, 21))
    x[:, :, 12, 10] = 1
    y = augmentation.blur(2.0)(fn.Key(0), x)[:, 0]
    np.testing.assert_allclose(y.sum((1, 2)), 1, atol=3e-4)
    np.testing.assert_allclose(y[:, 12, 8:13], y[:, 10:15, 10], rtol=1e-4, atol=1e-12)
    # A sampled Gaussian has the deviation it was made with, unless it is below half a pixel.
    stds = np.sqrt(y.sum(2) @ (np.arange(25) - 12.0) ** 2)
    expected = fn.Key(0).generator().uniform(0, 2, 300)
    wide = expected > 0.6
    np.testing.assert_allclose(stds[wide], expected[wide], rtol=0.02)
    assert stds[~wide].max() < 0.6


def test_blur_leaves_an_even_image_as_it_is() -> None:
    x = np.full((5, 2, 6, 3), 0.7)
    np.testing.assert_allclose(augmentation.blur(30.0)(fn.Key(0), x), x)


def test_noise_has_its_deviation_and_is_not_clipped() -> None:
    x = np.full((100, 1, 20, 20), 0.5, np.float32)
    added = augmentation.noise(0.25)(fn.Key(0), x) - x
    assert added.std() == pytest.approx(0.25, rel=0.02)
    assert added.mean() == pytest.approx(0, abs=0.005)
    assert (x + added).min() < 0
    assert (x + added).max() > 1


# ---- together ----------------------------------------------------------------------------------


def test_compose_gives_each_a_key_of_its_own() -> None:
    parts = [augmentation.shift(1), augmentation.noise(0.1), augmentation.noise(0.1)]
    x, key = drawn(4, 1, 5, 5), fn.Key(2)
    by_hand = x
    for i, part in enumerate(parts):
        by_hand = part(key.child(i), by_hand)
    np.testing.assert_array_equal(augmentation.compose(*parts)(key, x), by_hand)


def test_sometimes_changes_its_share_and_leaves_the_others() -> None:
    x, noise = drawn(1000, 1, 2, 2), augmentation.noise(0.1)
    y = augmentation.sometimes(0.2, noise)(fn.Key(0), x)
    changed = (y != x).all((1, 2, 3))
    np.testing.assert_array_equal(y[~changed], x[~changed])
    assert changed.mean() == pytest.approx(0.2, abs=0.04)
    every = augmentation.sometimes(1, noise)(fn.Key(0), x)
    np.testing.assert_array_equal(y[changed], every[changed])


def test_sometimes_keeps_the_dtype_whatever_the_function_gives() -> None:
    doubled = augmentation.sometimes(0.5, lambda key, x: x.astype(np.float64) * 2)
    assert doubled(fn.Key(0), drawn(3, 1, 2, 2, np.float32)).dtype == np.float32


def test_batches_are_functions_of_the_key_and_can_be_resumed() -> None:
    x, t = drawn(10, 1, 4, 4, np.float32), np.arange(10)
    batches = fn.minibatches(fn.Key(0), x, t, size=4, epochs=2, transform=KEEPING["compose"])
    plain = fn.minibatches(fn.Key(0), x, t, size=4, epochs=2)
    whole = list(batches)
    for a, b in zip(whole[4:], batches[4:], strict=True):
        np.testing.assert_array_equal(a.x, b.x)
    for a, b in zip(whole, plain, strict=True):
        np.testing.assert_array_equal(a.t, b.t)
        assert not np.array_equal(a.x, b.x)


def test_trains() -> None:
    train, _ = fn.datasets.digits()
    net = fn.conv2d(1, 4, 3) >> fn.relu() >> fn.flatten() >> fn.dense(..., 10)
    moves = augmentation.compose(augmentation.shift(1), augmentation.rotate(10))
    optimizer = fn.adam(0.01)
    step = fn.train_step(net, fn.softmax_cross_entropy(), optimizer)
    start = fn.TrainState.start(net.init(fn.Key(0), (1, 8, 8)), optimizer, fn.Key(1))
    batches = fn.minibatches(fn.Key(2), train.x, train.t, size=100, epochs=3, transform=moves)
    assert batches[0].x.dtype == np.float32
    final = reduce(step, batches, start)
    assert fn.accuracy(net, final.params, train.x, train.t) > 0.8


# ---- errors ------------------------------------------------------------------------------------

KEY, IMAGES = fn.Key(0), np.ones((2, 1, 3, 4), np.float32)

ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "no key": (
        lambda: ANY.flip()(0, IMAGES),
        fn.ArgumentError,
        "flip is called with a Key first, not 0; write Key(0)",
    ),
    "no key for several": (
        lambda: ANY.compose(augmentation.flip())(IMAGES, KEY),
        fn.ArgumentError,
        "compose is called with a Key first, not array(",
    ),
    "a list": (
        lambda: ANY.rotate(3)(KEY, [1.0]),
        fn.ArgumentError,
        "rotate: takes images (n, channels, height, width), not [1.0]",
    ),
    "grey images": (
        lambda: ANY.rotate(3)(KEY, IMAGES[:, 0]),
        fn.ShapeError,
        "rotate expects images (n, channels, height, width), but the input gives (2, 3, 4); "
        "write x[:, None] for grey images",
    ),
    "vectors": (
        lambda: ANY.noise(3)(KEY, IMAGES[:, 0, 0]),
        fn.ShapeError,
        "noise expects images (n, channels, height, width), but the input gives (2, 4)",
    ),
    "bytes": (
        lambda: ANY.blur(1)(KEY, IMAGES.astype(np.uint8)),
        fn.DtypeError,
        "blur: takes floats, not uint8; write x.astype('float32') / 255",
    ),
    "shift too far": (
        lambda: augmentation.shift((1, 4))(KEY, IMAGES),
        fn.ShapeError,
        "shift expects images larger each way than 1x4, but the input gives 3x4",
    ),
    "shift too far down": (
        lambda: augmentation.shift((3, 1))(KEY, IMAGES),
        fn.ShapeError,
        "shift expects images larger each way than 3x1, but the input gives 3x4",
    ),
    "crop too large": (
        lambda: augmentation.crop(6, pad=1)(KEY, IMAGES),
        fn.ShapeError,
        "crop expects images of at least 6x6, but the input gives 3x4 padded by 1x1",
    ),
    "crop too large without padding": (
        lambda: augmentation.crop((3, 5))(KEY, IMAGES),
        fn.ShapeError,
        "crop expects images of at least 3x5, but the input gives 3x4",
    ),
    "degrees": (
        lambda: ANY.rotate("15"),
        fn.ArgumentError,
        "rotate's degrees is a number in [0, 180], not '15'",
    ),
    "not called": (
        lambda: ANY.compose(augmentation.shift(1), augmentation.flip),
        fn.ArgumentError,
        "compose takes functions of a key and a batch, not flip; did you mean flip()?",
    ),
    "not called, of two arguments": (
        lambda: ANY.sometimes(0.5, augmentation.crop),
        fn.ArgumentError,
        "sometimes takes functions of a key and a batch, not crop; did you mean crop(...)?",
    ),
    "a function of one argument": (
        lambda: ANY.compose(lambda x: x),
        fn.ArgumentError,
        "compose takes functions of a key and a batch, not <function",
    ),
    "no function": (
        lambda: ANY.compose([augmentation.flip()]),
        fn.ArgumentError,
        "compose takes functions of a key and a batch, not [functools.partial",
    ),
    "another shape": (
        lambda: augmentation.sometimes(0.5, augmentation.crop(2))(KEY, IMAGES),
        fn.ArgumentError,
        "sometimes: its transform keeps the shape of images, (2, 1, 3, 4), but gives (2, 1, 2, 2)",
    ),
    "no result": (
        lambda: ANY.sometimes(0.5, lambda key, x: None)(KEY, IMAGES),
        fn.ArgumentError,
        "its transform keeps the shape of images, (2, 1, 3, 4), but gives None",
    ),
}


# The constructor, an argument out of range, and what the error says of it.
RANGES: list[tuple[Any, Any, str]] = [
    (augmentation.shift, (0, -1), "shift's pixels is an integer of at least 0, not -1"),
    (augmentation.crop, 0, "crop's size is an integer of at least 1, not 0"),
    (augmentation.flip, 2, "flip's rate is a number in [0, 1], not 2"),
    (augmentation.rotate, 181, "rotate's degrees is a number in [0, 180], not 181"),
    (augmentation.scale, 1, "scale's factor is a number in [0, 1), not 1"),
    (augmentation.blur, -1, "blur's std is a number in [0, inf), not -1"),
    (augmentation.noise, math.nan, "noise's std is a number in [0, inf), not nan"),
]


@pytest.mark.parametrize(("make", "value", "text"), RANGES)
def test_says_what_is_out_of_range(make: Any, value: Any, text: str) -> None:
    with pytest.raises(fn.ConfigError) as caught:
        make(value)
    assert str(caught.value) == text


@pytest.mark.parametrize("error", ERRORS)
def test_says_what_is_wrong(error: str) -> None:
    call, kind, text = ERRORS[error]
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)
