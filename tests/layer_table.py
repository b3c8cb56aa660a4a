"""One row for each public constructor of a layer; the generic tests run over them.

A row says how to draw layers of the kind with a shape that they take, which shapes they refuse,
and which arguments are no good.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st

import funcnet as fn

Drawn = st.SearchStrategy[tuple[fn.AnyLayer, Any]]


class Row(NamedTuple):
    """A constructor: ``layers`` draws (layer, shape of an example that it takes)."""

    name: str
    layers: Drawn
    refused: tuple[tuple[int, ...], ...]  # shapes that the first drawn layer must refuse
    arguments: tuple[Any, ...]  # good ones, of which the fuzz replaces one at a time
    bad: tuple[Callable[[], object], ...] = ()  # calls that must raise


sizes = st.integers(1, 5)


@st.composite
def vectors(draw: st.DrawFn) -> tuple[int, ...]:
    return (draw(sizes),)


@st.composite
def images(draw: st.DrawFn, smallest: int = 1) -> tuple[int, ...]:
    side = st.integers(smallest, 8)
    return draw(st.integers(1, 4)), draw(side), draw(side)


anything = st.one_of(vectors(), images(), st.tuples(sizes, sizes))


def keeping(layer: Callable[[], fn.AnyLayer], shapes: st.SearchStrategy[Any]) -> Drawn:
    """Layers without sizes of their own."""
    return st.tuples(st.builds(layer), shapes)


@st.composite
def dense(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    n = draw(sizes)
    n_in: Any = draw(st.sampled_from([n, ...]))
    weights = draw(st.sampled_from([fn.he_normal, fn.xavier_normal, fn.normal(0.5)]))
    return fn.dense(n_in, draw(sizes), bias=draw(st.booleans()), weights=weights), (n,)


def pairs(smallest: int, largest: int) -> st.SearchStrategy[Any]:
    one = st.integers(smallest, largest)
    return st.one_of(one, st.tuples(one, one))


def _pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


@st.composite
def conv2d(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    groups = draw(st.integers(1, 3))
    c_in, c_out = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    size, stride = draw(pairs(1, 4)), draw(pairs(1, 3))
    pad, dilation = draw(pairs(0, 3)), draw(pairs(1, 3))
    reach = [(k - 1) * d + 1 for k, d in zip(_pair(size), _pair(dilation), strict=True)]
    least = [max(1, r - 2 * p) for r, p in zip(reach, _pair(pad), strict=True)]
    height, width = (draw(st.integers(n, n + 4)) for n in least)
    written: Any = draw(st.sampled_from([c_in, ...]))
    layer = fn.conv2d(
        written,
        c_out,
        size,
        stride,
        pad,
        dilation,
        groups,
        bias=draw(st.booleans()),
    )
    return layer, (c_in, height, width)


@st.composite
def conv_transpose2d(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    groups = draw(st.integers(1, 3))
    c_in, c_out = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    size, stride, pad = draw(pairs(1, 4)), draw(pairs(1, 3)), draw(pairs(0, 2))
    dilation = draw(pairs(1, 3))
    limits = [max(s, d) - 1 for s, d in zip(_pair(stride), _pair(dilation), strict=True)]
    more: Any = tuple(draw(st.integers(0, limit)) for limit in limits)
    each = zip(_pair(size), _pair(stride), _pair(pad), _pair(dilation), more, strict=True)
    missing = [2 * p - (k - 1) * d - m for k, s, p, d, m in each]
    least = [1 + -(-max(0, m) // s) for m, s in zip(missing, _pair(stride), strict=True)]
    height, width = (draw(st.integers(n, n + 3)) for n in least)
    written: Any = draw(st.sampled_from([c_in, ...]))
    layer = fn.conv_transpose2d(
        written, c_out, size, stride, pad, dilation, groups, more, bias=draw(st.booleans())
    )
    return layer, (c_in, height, width)


@st.composite
def pooled(draw: st.DrawFn, pool: Callable[..., fn.AnyLayer]) -> tuple[fn.AnyLayer, Any]:
    size = draw(pairs(1, 3))
    stride = draw(st.one_of(st.none(), pairs(1, 3)))
    pad = draw(st.integers(0, min(_pair(size)) // 2))
    channels, side = draw(st.integers(1, 3)), st.integers(max(_pair(size)), 7)
    return pool(size, stride, pad), (channels, draw(side), draw(side))


@st.composite
def local_response_norm(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    alpha, beta, k = (draw(st.floats(low, 2)) for low in (0, 0, 0.5))
    return fn.local_response_norm(draw(st.integers(1, 9)), alpha, beta, k), draw(images())


@st.composite
def dropout(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    return fn.dropout(draw(st.floats(0, 0.95))), draw(anything)


@st.composite
def batch_norm(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    layer = fn.batch_norm(draw(st.floats(0, 1)), draw(st.floats(1e-6, 0.1)))
    return layer, draw(st.one_of(vectors(), images()))


@st.composite
def leaky_relu(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    return fn.leaky_relu(draw(st.floats(-1, 1))), draw(anything)


@st.composite
def gaussian_noise(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    return fn.gaussian_noise(draw(st.floats(0, 2))), draw(anything)


@st.composite
def layer_norm(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    shape = draw(st.one_of(vectors(), st.tuples(sizes, sizes)))
    return fn.layer_norm(draw(st.floats(1e-3, 0.1))), shape


@st.composite
def reshape(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    a, b, c = draw(st.tuples(sizes, sizes, sizes))
    shapes = st.sampled_from([(a, b, c), (a * b, c), (c, a, b), (a * b * c,)])
    return fn.reshape(draw(shapes)), draw(shapes)


@st.composite
def embedding(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    return fn.embedding(draw(sizes), draw(sizes)), (draw(sizes),)


@st.composite
def plus(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    return fn.plus(), (draw(anything),) * draw(st.integers(1, 3))


@st.composite
def times(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    return fn.times(), (draw(anything),) * draw(st.integers(1, 3))


@st.composite
def join(draw: st.DrawFn) -> tuple[fn.AnyLayer, Any]:
    shape, counts = draw(anything), draw(st.lists(sizes, min_size=1, max_size=3))
    if len(shape) == 3:
        return fn.join(), tuple((n, *shape[1:]) for n in counts)
    return fn.join(), tuple((*shape[:-1], n) for n in counts)


TABLE = (
    Row(
        "dense",
        dense(),
        refused=((2, 3, 4), (2, 3), ()),
        arguments=(3, 2),
        bad=(
            lambda: fn.dense(0, 2),
            lambda: fn.dense(3, -1),
        ),
    ),
    Row(
        "conv2d",
        conv2d(),
        refused=((3,), (3, 4), (3, 0, 0)),
        arguments=(2, 4, 3, 1, 1, 1, 2),
        bad=(
            lambda: fn.conv2d(3, 4, 3, groups=2),
            lambda: fn.conv2d(4, 3, 3, groups=2),
            lambda: fn.conv2d(1, 1, 0),
            lambda: fn.conv2d(1, 1, 3, pad=-1),
        ),
    ),
    Row(
        "conv_transpose2d",
        conv_transpose2d(),
        refused=((3,), (3, 4), (2, 0, 0)),
        arguments=(2, 4, 3, 2, 1, 1, 2, 1),
        bad=(
            lambda: fn.conv_transpose2d(3, 4, 3, groups=2),
            lambda: fn.conv_transpose2d(1, 1, 0),
            lambda: fn.conv_transpose2d(1, 1, 3, 2, output_pad=2),
        ),
    ),
    Row(
        "max_pool2d",
        pooled(fn.max_pool2d),
        refused=((3,), (3, 4), (3, 0, 0)),
        arguments=(2, 2, 1),
        bad=(lambda: fn.max_pool2d(0), lambda: fn.max_pool2d(2, pad=2)),
    ),
    Row(
        "avg_pool2d",
        pooled(fn.avg_pool2d),
        refused=((3,), (3, 4), (3, 0, 0)),
        arguments=(2, 2, 1),
        bad=(lambda: fn.avg_pool2d(0), lambda: fn.avg_pool2d(2, pad=2)),
    ),
    Row(
        "global_avg_pool2d",
        keeping(fn.global_avg_pool2d, images()),
        refused=((3,), (3, 4), (3, 0, 4)),
        arguments=(),
    ),
    Row(
        "local_response_norm",
        local_response_norm(),
        refused=((3,), (3, 4)),
        arguments=(5, 1e-4, 0.75, 1.0),
        bad=(
            lambda: fn.local_response_norm(0),
            lambda: fn.local_response_norm(alpha=-1.0),
            lambda: fn.local_response_norm(beta=-1.0),
            lambda: fn.local_response_norm(k=0.0),
        ),
    ),
    Row(
        "batch_norm",
        batch_norm(),
        refused=((), (2, 3), (2, 3, 4, 5)),
        arguments=(0.9, 1e-5),
        bad=(lambda: fn.batch_norm(1.5), lambda: fn.batch_norm(epsilon=0.0)),
    ),
    Row(
        "dropout",
        dropout(),
        refused=(),
        arguments=(0.5,),
        bad=(lambda: fn.dropout(1.0), lambda: fn.dropout(-0.1)),
    ),
    Row(
        "embedding",
        embedding(),
        refused=((), (3, 4), (3, 0, 0)),
        arguments=(5, 2),
        bad=(lambda: fn.embedding(0, 2), lambda: fn.embedding(5, 0)),
    ),
    Row(
        "layer_norm",
        layer_norm(),
        refused=((), (2, 3, 4)),
        arguments=(1e-5,),
        bad=(lambda: fn.layer_norm(0.0),),
    ),
    Row(
        "gaussian_noise",
        gaussian_noise(),
        refused=(),
        arguments=(0.5,),
        bad=(lambda: fn.gaussian_noise(-1.0),),
    ),
    Row(
        "leaky_relu",
        leaky_relu(),
        refused=(),
        arguments=(0.1,),
        bad=(lambda: fn.leaky_relu(float("nan")),),
    ),
    Row(
        "reshape",
        reshape(),
        refused=((5,), (2, 2)),
        arguments=((2, 3),),
        bad=(lambda: fn.reshape((0, 3)), lambda: fn.reshape((-1, 3))),
    ),
    Row("softmax", keeping(fn.softmax, anything), refused=((),), arguments=()),
    Row("log_softmax", keeping(fn.log_softmax, anything), refused=((),), arguments=()),
    Row("elu", keeping(fn.elu, anything), refused=(), arguments=()),
    Row("gelu", keeping(fn.gelu, anything), refused=(), arguments=()),
    Row("silu", keeping(fn.silu, anything), refused=(), arguments=()),
    Row("softplus", keeping(fn.softplus, anything), refused=(), arguments=()),
    Row("step", keeping(fn.step, anything), refused=(), arguments=()),
    Row("flatten", keeping(fn.flatten, anything), refused=(), arguments=()),
    Row("identity", keeping(fn.identity, anything), refused=(), arguments=()),
    Row("relu", keeping(fn.relu, anything), refused=(), arguments=()),
    Row("sigmoid", keeping(fn.sigmoid, anything), refused=(), arguments=()),
    Row("tanh", keeping(fn.tanh, anything), refused=(), arguments=()),
    Row("times", times(), refused=((3,), (3, 4)), arguments=()),
    Row("join", join(), refused=((3,), (3, 4)), arguments=()),
    Row("plus", plus(), refused=((3,), (3, 4)), arguments=()),
)
