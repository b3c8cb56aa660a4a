"""`>>`: names, laws and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn

WIDTH = 4
blocks: st.SearchStrategy[fn.AnyLayer] = st.sampled_from(
    [
        fn.dense(WIDTH, WIDTH),
        fn.dense(..., WIDTH),
        fn.relu(),
        fn.tanh(),
        fn.sigmoid(),
        fn.batch_norm(),
        fn.dropout(0.3),
        fn.identity(),
        fn.residual(fn.dense(WIDTH, WIDTH) >> fn.tanh()),
        fn.dense(WIDTH, WIDTH) >> fn.relu(),
        fn.freeze(fn.dense(WIDTH, WIDTH)),
        fn.recompute(fn.dense(WIDTH, WIDTH) >> fn.batch_norm()),
        fn.add(fn.dense(WIDTH, WIDTH), fn.batch_norm()),
    ]
)
nets = st.lists(blocks, min_size=1, max_size=4)


def batch() -> Any:
    return fn.Key(5).generator().standard_normal((6, WIDTH), dtype=np.float32)


def behaviour(net: fn.AnyLayer) -> Any:
    """All that can be seen of a network."""
    params = net.init(fn.Key(0), (WIDTH,))
    mode = fn.Train(fn.Key(1))
    y, cache = net.forward(params, batch(), mode)
    dx, grads = net.backward(cache, y)
    return [
        [name for name, _ in net.parts],
        params,
        [a.tobytes() for a in (y, dx, net.apply(params, batch()))],
        grads,
        net.refresh(params, cache),
    ]


@given(nets, nets, nets)
def test_joining_is_associative(f: Any, g: Any, h: Any) -> None:
    f, g, h = fn.sequential(*f), fn.sequential(*g), fn.sequential(*h)
    assert behaviour((f >> g) >> h) == behaviour(f >> (g >> h))


@given(nets)
def test_identity_is_neutral(layers: Any) -> None:
    net = fn.sequential(*layers)
    assert behaviour(net >> fn.identity()) == behaviour(net)
    assert behaviour(fn.identity() >> net) == behaviour(net)


@given(nets)
def test_random_networks_keep_the_contract(layers: Any) -> None:
    fn.check_layer(fn.sequential(*layers), (WIDTH,))


@given(nets)
def test_sequential_is_the_chain(layers: Any) -> None:
    net = layers[0]
    for layer in layers[1:]:
        net = net >> layer
    assert behaviour(net) == behaviour(fn.sequential(*layers))


@given(nets, st.integers(0, 4))
def test_prefixes_keep_names_and_parameters(layers: Any, k: int) -> None:
    net: Any = fn.sequential(fn.dense(WIDTH, WIDTH), fn.relu(), *layers)
    k = min(max(k, 1), len(net.parts))
    head = net[:k]
    assert [n for n, _ in head.parts] == [n for n, _ in net.parts][:k]
    params = net.init(fn.Key(0), (WIDTH,))
    assert head.init(fn.Key(0), (WIDTH,)) == params.only(head)
    last = [n for n, _ in net.parts][k - 1]
    np.testing.assert_array_equal(
        head.apply(params.only(head), batch()), fn.trace(net, params, batch())[last]
    )
    assert [n for n, _ in (head >> fn.sigmoid()).parts][:k] == [n for n, _ in net.parts][:k]


def test_parts_are_numbered_per_kind() -> None:
    net = fn.dense(3, 4) >> fn.relu() >> fn.dense(4, 4) >> fn.relu() >> fn.dense(4, 2)
    assert [name for name, _ in net.parts] == ["dense1", "relu1", "dense2", "relu2", "dense3"]
    wider = fn.dense(3, 4) >> fn.batch_norm() >> fn.relu() >> fn.dense(4, 2)
    assert [name for name, _ in wider.parts] == ["dense1", "batch_norm1", "relu1", "dense2"]


def test_named_parts_keep_their_names_and_named_composites_nest() -> None:
    body = (fn.dense(3, 4) >> fn.relu()).named("body")
    net = body >> fn.dense(4, 2).named("head")
    assert [name for name, _ in net.parts] == ["body", "head"]
    params = net.init(fn.Key(0), (3,))
    assert [path for path, _ in fn.leaves(params)] == [
        "body/dense1/W", "body/dense1/b", "head/W", "head/b",
    ]  # fmt: skip
    assert net["body/dense1"].apply(params["body"]["dense1"], batch()[:, :3]).shape == (6, 4)


def test_a_lone_layer_has_its_leaves_at_the_top() -> None:
    net = fn.identity() >> fn.dense(3, 4) >> fn.identity()
    assert list(net.init(fn.Key(0), (3,))) == ["W", "b"]
    assert net.parts == ()
    assert net.name == "dense"


def test_a_named_identity_stays() -> None:
    net = fn.dense(3, 4) >> fn.identity().named("tap")
    assert [name for name, _ in net.parts] == ["dense1", "tap"]


def test_the_same_layer_twice_draws_differently() -> None:
    noise = fn.dropout(0.5)
    net = fn.sequential(noise, noise)
    x = np.ones((1, 64), "float32")
    y, _ = net.forward(fn.NO_PARAMS, x, fn.Train(fn.Key(0)))
    first, second = (
        noise.forward(fn.NO_PARAMS, x, fn.Train(fn.Key(0).child(name)))[0]
        for name in ("dropout1", "dropout2")
    )
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(y, first * second)
    twice = fn.dense(4, 4) >> fn.dense(4, 4)
    params = twice.init(fn.Key(0), (4,))
    assert params["dense1"] != params["dense2"]


def test_parameters_are_drawn_from_the_keys_of_their_paths() -> None:
    net = fn.dense(3, 4) >> fn.relu() >> fn.dense(4, 2)
    params = net.init(fn.Key(0), (3,))
    alone = fn.dense(4, 2).init(fn.Key(0).child("dense2"), (4,))
    assert params["dense2"] == alone


def test_a_prefix_of_nothing_is_the_identity() -> None:
    net: Any = fn.dense(3, 4) >> fn.relu()
    assert repr(net[:0]) == "identity()"
    assert [name for name, _ in (net[:0] >> net).parts] == ["dense1", "relu1"]
    with pytest.raises(fn.ArgumentError, match="a prefix"):
        net[:"dense1"]


def test_long_pipelines_do_not_cost_much_to_join() -> None:
    net = fn.dense(5, 5)
    for _ in range(599):
        net = net >> fn.dense(5, 5)
    assert len(net.parts) == 600


def function() -> None: ...


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "size": (
        lambda: fn.sequential(fn.dense(784, 50), fn.relu(), fn.dense(100, 10)),
        fn.ShapeError,
        "dense2 in dense1 >> relu1 >> dense2 expects 100 features, but relu1 gives 50; "
        "write dense(50, 10) or dense(..., 10)",
    ),
    "flatten": (
        lambda: (fn.conv2d(1, 64, 5) >> fn.relu() >> fn.flatten() >> fn.dense(1000, 10)).init(
            fn.Key(0), (1, 8, 8)
        ),
        fn.ShapeError,
        "dense1 in conv2d1 >> relu1 >> flatten1 >> dense1 expects 1000 features, but flatten1 "
        "gives 1024 (64x4x4); write dense(1024, 10) or dense(..., 10)",
    ),
    "kind": (
        lambda: fn.sequential(fn.conv2d(1, 2, 3), fn.dense(4, 5)),
        fn.ShapeError,
        "dense1 in conv2d1 >> dense1 expects 4 features, but conv2d1 gives 2 channels; "
        "put flatten() before it",
    ),
    "channels last": (
        lambda: fn.conv2d(3, 2, 3).init(fn.Key(0), (8, 8, 3)),
        fn.ShapeError,
        "conv2d expects 3 channels, but the input gives 8 (8x8x3); "
        "channels come first: (3, 8, 8), or x.transpose(0, 3, 1, 2)",
    ),
    "batch axis": (
        lambda: fn.dense(3, 2).init(fn.Key(0), (10, 3)),
        fn.ShapeError,
        "dense expects 3 features, but the input gives one example of shape (10, 3); "
        "a shape is of one example, without the batch axis: (3,)",
    ),
    "one image": (
        lambda: ANY.conv2d(1, 2, 3).init(fn.Key(0), (8, 8)),
        fn.ShapeError,
        "conv2d expects 1 channel, but the input gives one example of shape (8, 8); "
        "one channel is an axis too, (1, 8, 8) or x[:, None]; of one image, x[None]",
    ),
    "array for shape": (
        lambda: ANY.dense(3, 2).init(fn.Key(0), np.zeros((4, 3))),
        fn.ArgumentError,
        "a shape is a tuple, not an array; of a batch x write x.shape[1:]",
    ),
    "tuple": (
        lambda: ANY.sequential(fn.fan_out(fn.dense(3, 4), fn.dense(3, 4)), fn.relu()),
        fn.ShapeError,
        "relu1 in fan_out1 >> relu1 expects one array, but fan_out1 gives a tuple of 2; "
        "end the fan with plus()",
    ),
    "needs arguments": (
        lambda: ANY.relu() >> fn.dense,
        fn.ArgumentError,
        "dense is a function, not a layer; did you mean dense(...)?",
    ),
    "not ours": (
        lambda: ANY.relu() >> np.tanh,
        fn.ArgumentError,
        "tanh is a function, not a layer; a layer of your own is Layer(name, forward=..., ",
    ),
    "list": (
        lambda: ANY.sequential([fn.relu(), fn.tanh()]),
        fn.ArgumentError,
        "a network is made of layers, not a list; write sequential(*layers)",
    ),
    "called": (
        lambda: ANY.relu()(np.zeros((2, 3))),
        fn.ArgumentError,
        "a network is not called: write net.apply(params, x)",
    ),
    "window": (
        lambda: (fn.conv2d(1, 2, 3) >> fn.max_pool2d(8)).init(fn.Key(0), (1, 9, 9)),
        fn.ShapeError,
        "max_pool2d1 in conv2d1 >> max_pool2d1 expects images of at least 8x8, but conv2d1 gives "
        "7x7; make the window smaller, pad more or pool less before it",
    ),
    "function": (
        lambda: fn.dense(3, 4) >> relu,
        fn.ArgumentError,
        "relu is a function, not a layer; did you mean relu()?",
    ),
    "function first": (
        lambda: relu >> fn.dense(3, 4),
        fn.ArgumentError,
        "relu is a function, not a layer; did you mean relu()?",
    ),
    "array": (
        lambda: np.zeros(2) >> ANY.dense(3, 4),
        fn.ArgumentError,
        "a network is made of layers, not array([0., 0.])",
    ),
    "twice": (
        lambda: fn.dense(3, 3).named("a") >> fn.dense(3, 3).named("a"),
        fn.ConfigError,
        "the name 'a' is used twice in a >> a; give one .named(...)",
    ),
    "leaf name": (
        lambda: fn.dense(3, 3).named("W"),
        fn.ConfigError,
        "'W' is the name of a leaf or of all pipelines; take another",
    ),
    "slash": (
        lambda: fn.dense(3, 3).named("a/b"),
        fn.ConfigError,
        "'/' cannot be part of a layer's name: 'a/b'",
    ),
    "no part": (
        lambda: (fn.dense(3, 3) >> fn.relu())["dense2"],
        fn.ConfigError,
        "no part 'dense2' in dense(3, 3) >> relu(); it has dense1, relu1",
    ),
    "suffix": (
        lambda: ANY.sequential(fn.dense(3, 3), fn.relu())[1:],
        fn.ArgumentError,
        "a network's parts are net[name], a name or a path, and its prefixes net[:k]",
    ),
    "lone prefix": (
        lambda: fn.dense(3, 3)[:1],
        fn.ArgumentError,
        "only a pipeline has prefixes, dense(3, 3) is none",
    ),
    "shape": (
        lambda: ANY.dense(3, 3).init(fn.Key(0), 3),
        fn.ArgumentError,
        "a shape is a tuple, not 3; write (3,)",
    ),
    "initializer": (
        lambda: ANY.dense(3, 3, weights=fn.normal).init(fn.Key(0), (3,)),
        fn.ParamsError,
        "W: its initializer cannot be called: normal() takes 1 positional argument but 5 were "
        "given; it is normal; did you mean normal(...)?",
    ),
    "dtype": (
        lambda: fn.dense(3, 3).init(fn.Key(0), (3,), np.int32),
        fn.ConfigError,
        "parameters are float32, float64 or float16",
    ),
}
ANY: Any = fn  # to be called as the checker would not let us
relu: Any = fn.relu


@pytest.mark.parametrize("error", ERRORS)
def test_says_what_is_wrong_and_what_to_write(error: str) -> None:
    call, kind, text = ERRORS[error]
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


def test_an_error_in_a_users_layer_is_placed_too() -> None:
    def forward(params: Any, x: Any, mode: Any) -> Any:
        raise fn.ConfigError("no good")

    def backward(cache: Any, dy: Any) -> Any:
        return dy, fn.NO_GRADS

    net = fn.relu() >> fn.residual(fn.Same("mine", forward=forward, backward=backward))
    with pytest.raises(fn.ConfigError, match=r"residual1/0 in relu1 >> residual1: no good"):
        net.forward(fn.NO_PARAMS, batch(), fn.Eval())


def test_sizes_pass_through_a_same_of_ones_own() -> None:
    def spec(shape: Any) -> Any:
        return {"b": fn.Leaf(shape, fn.ones)}, shape

    swish = fn.Same(
        "swish",
        forward=lambda params, x, mode: (x, None),
        backward=lambda cache, dy: (dy, fn.NO_GRADS),
        spec=spec,
    )
    with pytest.raises(fn.ShapeError, match="dense2 in dense1 >> swish1 >> dense2 expects 100"):
        ANY.dense(784, 50) >> swish >> fn.dense(100, 10)
