"""Convolution and pooling against loops over every window."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn

from .layer_table import conv2d, conv_transpose2d, local_response_norm, pooled


def draw(*shape: int) -> Any:
    return fn.Key(1).generator().standard_normal(shape)


def pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def windows_of(x: Any, size: Any, stride: Any, pad: Any, dilation: Any, fill: float) -> Any:
    """(n, c, oh, ow, kh, kw), by indexing a padded copy at every place on its own."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(pair, (size, stride, pad, dilation))
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * ph, w + 2 * pw), fill)
    padded[:, :, ph : ph + h, pw : pw + w] = x
    oh = (h + 2 * ph - dh * (kh - 1) - 1) // sh + 1
    ow = (w + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    out = np.zeros((n, c, oh, ow, kh, kw))
    for i, j, a, b in itertools.product(range(oh), range(ow), range(kh), range(kw)):
        out[:, :, i, j, a, b] = padded[:, :, i * sh + a * dh, j * sw + b * dw]
    return out


options = st.tuples(
    st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2), st.integers(1, 2)
)


@given(options, st.integers(7, 9), st.integers(7, 10))
def test_convolution_is_the_sum_over_windows(options: Any, height: int, width: int) -> None:
    size, stride, pad, dilation, groups = options
    layer = fn.conv2d(2 * groups, 3 * groups, size, stride, pad, dilation, groups)
    params = layer.init(fn.Key(0), (2 * groups, height, width), np.float64)
    params = params | {"b": draw(3 * groups)}
    x = draw(2, 2 * groups, height, width)
    seen = windows_of(x, size, stride, pad, dilation, 0.0)
    parts = [
        np.einsum("ncijab,fcab->nfij", part, w)
        for part, w in zip(
            np.split(seen, groups, axis=1), np.split(params["W"], groups), strict=True
        )
    ]
    expected = np.concatenate(parts, axis=1) + params["b"][:, None, None]
    np.testing.assert_allclose(layer.apply(params, x), expected, atol=1e-12)


@given(options, st.integers(2, 5), st.integers(2, 5), st.data())
def test_a_transposed_convolution_spreads_each_number_over_a_window(
    options: Any, height: int, width: int, data: st.DataObject
) -> None:
    size, stride, pad, dilation, groups = options
    pad, more = min(pad, size // 2), data.draw(st.integers(0, max(stride, dilation) - 1))
    layer = fn.conv_transpose2d(2 * groups, 3 * groups, size, stride, pad, dilation, groups, more)
    params = layer.init(fn.Key(0), (2 * groups, height, width), np.float64)
    params = params | {"b": draw(3 * groups)}
    x = draw(2, 2 * groups, height, width)
    n, m = ((k - 1) * stride - 2 * pad + dilation * (size - 1) + more + 1 for k in (height, width))
    y = np.zeros((2, 3 * groups, n, m))
    for i, j, a, b in itertools.product(range(height), range(width), range(size), range(size)):
        row, column = i * stride + a * dilation - pad, j * stride + b * dilation - pad
        if 0 <= row < n and 0 <= column < m:
            inputs = np.split(x[:, :, i, j], groups, axis=1)
            parts = zip(inputs, np.split(params["W"][:, :, a, b], groups), strict=True)
            y[:, :, row, column] += np.concatenate([u @ w for u, w in parts], axis=1)
    y += params["b"][:, None, None]
    np.testing.assert_allclose(layer.apply(params, x), y, atol=1e-12)


@given(options, st.integers(7, 9), st.integers(7, 10))
def test_a_transposed_convolution_is_the_adjoint_of_convolution(
    options: Any, height: int, width: int
) -> None:
    size, stride, pad, dilation, groups = options
    down = fn.conv2d(2 * groups, 3 * groups, size, stride, pad, dilation, groups, bias=False)
    params = down.init(fn.Key(0), (2 * groups, height, width), np.float64)
    _, *small = down.spec((2 * groups, height, width))[1]
    reach = (size - 1) * dilation + 1
    more: Any = tuple((n + 2 * pad - reach) % stride for n in (height, width))
    up = fn.conv_transpose2d(
        3 * groups, 2 * groups, size, stride, pad, dilation, groups, more, bias=False
    )
    x, y = draw(2, 2 * groups, height, width), draw(2, 3 * groups, *small)
    # <down(x), y> = <x, up(y)>, with the very same W.
    np.testing.assert_allclose(
        (down.apply(params, x) * y).sum(), (x * up.apply(params, y)).sum(), rtol=1e-10
    )


def test_an_initial_transposed_convolution_keeps_the_size_of_what_passes() -> None:
    layer = fn.conv_transpose2d(64, 64, 4, stride=2, pad=1, weights=fn.normal(1.0))
    spec: Any = layer.spec((64, 16, 16))[0]["W"]
    assert spec.fans() == (64 * 4, 64 * 16)
    he = fn.conv_transpose2d(64, 64, 4, stride=2, pad=1)
    x = np.sqrt(2) * np.maximum(draw(4, 64, 16, 16), 0)  # of mean square 1
    y = he.apply(he.init(fn.Key(0), (64, 16, 16), np.float64), x)
    assert 1.8 < np.square(y[..., 1:-1, 1:-1]).mean() < 2.2  # which ReLU halves


@given(st.data())
def test_average_pooling_takes_the_mean_of_each_window_and_its_padding(data: st.DataObject) -> None:
    size, stride = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    pad = data.draw(st.integers(0, size // 2))
    x = draw(2, 3, data.draw(st.integers(3, 8)), data.draw(st.integers(3, 8)))
    seen = windows_of(x, size, stride, pad, 1, 0.0)
    y = fn.avg_pool2d(size, stride, pad).apply(fn.NO_PARAMS, x)
    np.testing.assert_allclose(y, seen.mean((4, 5)), atol=1e-14)


def test_global_pooling_takes_the_mean_of_each_channel() -> None:
    x = draw(2, 3, 5, 4)
    y = fn.global_avg_pool2d().apply(fn.NO_PARAMS, x)
    np.testing.assert_allclose(y, x.mean((2, 3)), atol=1e-14)
    ones = np.ones((1, 2, 7, 7), "float32")  # 49 times 1 / 49 is not 1 in float32
    np.testing.assert_array_equal(fn.global_avg_pool2d().apply(fn.NO_PARAMS, ones), [[1, 1]])


@given(st.data())
def test_pooling_takes_the_maximum_of_each_window(data: st.DataObject) -> None:
    size, stride = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    pad = data.draw(st.integers(0, size // 2))
    x = draw(2, 3, data.draw(st.integers(3, 8)), data.draw(st.integers(3, 8)))
    seen = windows_of(x, size, stride, pad, 1, -np.inf)
    y = fn.max_pool2d(size, stride, pad).apply(fn.NO_PARAMS, x)
    np.testing.assert_array_equal(y, seen.max((4, 5)))


@given(st.data())
def test_each_window_gives_its_gradient_to_its_first_maximum(data: st.DataObject) -> None:
    numbers = st.integers(1, 3)
    (kh, kw), (sh, sw) = data.draw(st.tuples(*[st.tuples(numbers, numbers)] * 2))
    ph, pw = data.draw(st.tuples(st.integers(0, kh // 2), st.integers(0, kw // 2)))
    height, width = data.draw(st.tuples(st.integers(3, 7), st.integers(3, 7)))
    # Few different values, so that most windows hold their maximum several times.
    key = fn.Key(data.draw(st.integers(0, 99)))
    x: Any = key.generator().integers(-2, 1, (2, 2, height, width)).astype(float)
    layer = fn.max_pool2d((kh, kw), (sh, sw), (ph, pw))
    y, cache = layer.forward(fn.NO_PARAMS, x, fn.Eval())
    dy = draw(*y.shape)
    expected = np.zeros_like(x)
    for n, c, i, j in np.ndindex(*y.shape):
        places = [
            (i * sh + a - ph, j * sw + b - pw) for a, b in itertools.product(range(kh), range(kw))
        ]
        inside = [(r, s) for r, s in places if 0 <= r < height and 0 <= s < width]
        first = next(p for p in inside if x[n, c][p] == y[n, c, i, j])
        expected[n, c][first] += dy[n, c, i, j]
    dx, _ = layer.backward(cache, dy)
    np.testing.assert_allclose(dx, expected, atol=1e-12)


@pytest.mark.parametrize("pool", [fn.max_pool2d(2), fn.max_pool2d(3, 2, 1)], ids=repr)
def test_relu_and_a_maximum_change_places(pool: fn.AnyLayer) -> None:
    x: Any = fn.Key(0).generator().integers(-3, 3, (4, 3, 8, 6)).astype(float)  # with many ties
    found = []
    for net in (pool >> fn.relu(), fn.relu() >> pool):
        y, cache = net.forward(fn.NO_PARAMS, x, fn.Eval())
        found.append((y, net.pull(cache, draw(*y.shape))))
    assert found[0][1].any()
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("layer", [fn.max_pool2d(3, 1, 1), fn.avg_pool2d(3, 1, 1)], ids=repr)
def test_pooling_leaves_the_size_of_buffers_as_it_was(layer: fn.AnyLayer) -> None:
    x = draw(2, 3, 5, 5)
    with np.errstate():
        np.setbufsize(4096)
        y, cache = layer.forward(fn.NO_PARAMS, x, fn.Eval())
        layer.backward(cache, y)
        assert np.getbufsize() == 4096


def test_padding_never_wins() -> None:
    x = np.full((1, 1, 4, 4), -np.inf)
    x[0, 0, 0, 0] = -1e30
    layer = fn.max_pool2d(3, 2, 1)
    y, cache = layer.forward(fn.NO_PARAMS, x, fn.Eval())
    assert y[0, 0, 0, 0] == -1e30
    dx, _ = layer.backward(cache, np.ones_like(y))
    assert dx.sum() == y.size  # no gradient is lost to the padding


def test_a_stride_that_does_not_divide_leaves_the_rest_out() -> None:
    layer = fn.conv2d(1, 1, 3, stride=2)
    params = layer.init(fn.Key(0), (1, 8, 8))
    x = np.zeros((1, 1, 8, 8), "float32")
    y, cache = layer.forward(params, x, fn.Eval())
    assert y.shape == (1, 1, 3, 3)
    dx, _ = layer.backward(cache, np.ones_like(y))
    assert not dx[..., 7].any()
    assert not dx[..., 7, :].any()


@given(
    st.one_of(
        conv2d(),
        conv_transpose2d(),
        pooled(fn.max_pool2d),
        pooled(fn.avg_pool2d),
        local_response_norm(),
    )
)
def test_images_lie_channels_last_in_memory(drawn: Any) -> None:
    layer, shape = drawn
    params = layer.init(fn.Key(0), shape)
    x = fn.Key(2).generator().standard_normal((2, *shape), dtype=np.float32)
    y, cache = layer.forward(params, x, fn.Eval())
    dx, _ = layer.backward(cache, y)
    for images in (y, dx):
        assert images.transpose(0, 2, 3, 1).flags.c_contiguous
    assert np.maximum(y, 0).transpose(0, 2, 3, 1).flags.c_contiguous


def test_flatten_gives_channels_first_order() -> None:
    layer = fn.conv2d(1, 2, 1) >> fn.flatten()
    params = layer.init(fn.Key(0), (1, 2, 2))
    x = draw(1, 1, 2, 2).astype("float32")
    y = fn.conv2d(1, 2, 1).apply(params["conv2d1"], x)
    np.testing.assert_array_equal(layer.apply(params, x)[0], [*y[0, 0].flat, *y[0, 1].flat])


def test_means_of_many_float16_numbers() -> None:
    x = np.full((1, 1, 300, 300), 0.5, np.float16)
    for layer in (fn.avg_pool2d(300), fn.global_avg_pool2d()):
        y, cache = layer.forward(fn.NO_PARAMS, x, fn.Eval())
        assert y.dtype == np.float16
        assert y.ravel() == [0.5]
        dx, _ = layer.backward(cache, np.full_like(y, 30_000))
        np.testing.assert_allclose(dx, 1 / 3, rtol=1e-3)


def test_reprs_show_what_was_written() -> None:
    assert repr(fn.conv2d(4, 8, (3, 5), stride=2, pad=(1, 2), groups=2)) == (
        "conv2d(4, 8, (3, 5), stride=2, pad=(1, 2), groups=2)"
    )
    assert repr(fn.conv2d(4, 8, 1, bias=False)) == "conv2d(4, 8, 1, bias=False)"
    assert repr(fn.dense(4, 8, bias=False)) == "dense(4, 8, bias=False)"
    assert repr(fn.max_pool2d(2)) == "max_pool2d(2)"
    assert repr(fn.max_pool2d(3, 2, 1)) == "max_pool2d(3, stride=2, pad=1)"
    assert repr(fn.avg_pool2d(3, 1, 1)) == "avg_pool2d(3, stride=1, pad=1)"
    assert repr(fn.global_avg_pool2d()) == "global_avg_pool2d()"
    assert repr(fn.conv_transpose2d(4, 8, 4, 2, (1, 0), groups=2, output_pad=1)) == (
        "conv_transpose2d(4, 8, 4, stride=2, pad=(1, 0), groups=2, output_pad=1)"
    )
