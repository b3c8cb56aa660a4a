"""Fans, sums and residuals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcnet as fn

ANY: Any = fn  # to be called as the checker would not let us


def batch(*shape: int) -> Any:
    return fn.Key(1).generator().standard_normal(shape, dtype=np.float32)


def test_fan_out_gives_the_tuple_of_what_its_parts_give() -> None:
    f, g = fn.dense(3, 2), fn.tanh()
    net = fn.fan_out(f, g)
    params, x = net.init(fn.Key(0), (3,)), batch(5, 3)
    assert list(params) == ["0"]
    y, z = net.apply(params, x)
    np.testing.assert_array_equal(y, f.apply(params["0"], x))
    np.testing.assert_array_equal(z, np.tanh(x))


def test_the_gradient_of_a_sum_is_the_sum_of_gradients() -> None:
    f, g = fn.dense(3, 2) >> fn.tanh(), fn.dense(3, 2)
    net = fn.fan_out(f, g) >> fn.plus()
    params, x = net.init(fn.Key(0), (3,), np.float64), batch(5, 3).astype(float)
    inner = params["fan_out1"]
    y, cache = net.forward(params, x, fn.Eval())
    dx, grads = net.backward(cache, y)
    dxs = []
    for name, layer in [("0", f), ("1", g)]:
        _, part_cache = layer.forward(inner[name], x, fn.Eval())
        part_dx, part_grads = layer.backward(part_cache, y)
        dxs.append(part_dx)
        assert grads["fan_out1"][name] == part_grads
    np.testing.assert_allclose(dx, dxs[0] + dxs[1], rtol=1e-12)


def test_add_is_one_part_whose_tree_is_the_fans() -> None:
    two = fn.fan_out(fn.dense(3, 2), fn.dense(3, 2)) >> fn.plus()
    one = fn.add(fn.dense(3, 2), fn.dense(3, 2))
    params, x = one.init(fn.Key(0), (3,)), batch(5, 3)
    assert [path for path, _ in fn.leaves(params)] == ["0/W", "0/b", "1/W", "1/b"]
    np.testing.assert_array_equal(
        one.apply(params, x), two.apply(fn.Params({"fan_out1": params}), x)
    )


def test_residual_adds_what_comes_in() -> None:
    net = fn.dense(3, 4) >> fn.residual(fn.dense(4, 4) >> fn.relu())
    params, x = net.init(fn.Key(0), (3,)), batch(5, 3)
    assert [path for path, _ in fn.leaves(params)][2:] == [
        "residual1/0/dense1/W",
        "residual1/0/dense1/b",
    ]
    outputs = fn.trace(net, params, x)
    np.testing.assert_allclose(
        outputs["residual1"], outputs["dense1"] + outputs["residual1/0/relu1"]
    )


def test_residual_with_a_shortcut() -> None:
    net = fn.residual(fn.conv2d(2, 4, 3, pad=1) >> fn.relu(), fn.conv2d(2, 4, 1))
    fn.check_layer(net, (2, 5, 5))
    assert set(net.init(fn.Key(0), (2, 5, 5))) == {"0", "1"}


def test_named_children_keep_their_names() -> None:
    net = fn.add(fn.dense(3, 2).named("body"), fn.dense(3, 2))
    assert list(net.init(fn.Key(0), (3,))) == ["body", "1"]


def test_running_statistics_inside_a_fan_are_refreshed() -> None:
    net = fn.residual(fn.batch_norm(decay=0.5))
    params, x = net.init(fn.Key(0), (3,)), batch(50, 3)
    _, cache = net.forward(params, x, fn.Train(fn.Key(0)))
    refreshed = net.refresh(params, cache)
    np.testing.assert_allclose(refreshed["0"]["mean"], 0.5 * x.mean(0), rtol=1e-5, atol=1e-7)


def test_fans_nest_and_branches_keep_their_dtypes() -> None:
    net: Any = fn.fan_out(fn.fan_out(fn.dense(3, 2), fn.relu()), fn.dense(3, 1))
    params, x = net.init(fn.Key(0), (3,)), batch(5, 3)
    (a, b), c = net.apply(params, x)
    assert [y.shape for y in (a, b, c)] == [(5, 2), (5, 3), (5, 1)]
    y, cache = net.forward(params, x, fn.Eval())
    dx, grads = net.backward(cache, y)
    assert dx.shape == x.shape
    assert [path for path, _ in fn.leaves(grads)] == ["0/0/W", "0/0/b", "1/W", "1/b"]
    mixed: Any = fn.fan_out(fn.dense(3, 2), fn.dense(3, 2))
    wide = mixed.init(fn.Key(0), (3,), np.float64)["1"]
    y, cache = mixed.forward(mixed.init(fn.Key(0), (3,)) | {"1": wide}, x, fn.Eval())
    assert [str(part.dtype) for part in y] == ["float32", "float64"]
    grads = mixed.backward(cache, y)[1]
    assert [str(g.dtype) for _, g in fn.leaves(grads)] == ["float32"] * 2 + ["float64"] * 2


def test_parts_of_a_fan_draw_differently() -> None:
    net = fn.fan_out(fn.dropout(0.5), fn.dropout(0.5))
    (a, b), _ = net.forward(fn.NO_PARAMS, np.ones((1, 64), "float32"), fn.Train(fn.Key(0)))
    assert not np.array_equal(a, b)


@pytest.mark.parametrize(
    "net",
    [
        fn.fan_out(fn.dense(3, 2), fn.relu()),
        ANY.fan_out(fn.dense(3, 2), fn.relu(), fn.dense(3, 1)),
        ANY.fan_out(fn.batch_norm(), fn.dropout(0.4)) >> fn.plus(),
        fn.add(fn.add(fn.dense(3, 3), fn.relu()), fn.residual(fn.tanh())),
        fn.freeze(fn.add(fn.dense(3, 2), fn.dense(3, 2))),
        fn.concat(fn.dense(3, 2), fn.dense(3, 4) >> fn.tanh()),
        fn.fan_out(fn.dense(3, 2), fn.dense(3, 2) >> fn.sigmoid()) >> fn.times(),
        fn.fan_out(fn.dense(3, 2), fn.batch_norm())
        >> fn.both(fn.tanh(), fn.dense(3, 2))
        >> fn.plus(),
    ],
    ids=repr,
)
def test_keeps_the_contract(net: fn.AnyLayer) -> None:
    fn.check_layer(net, (3,))


def test_both_runs_each_on_its_own_input() -> None:
    f, g = fn.dense(3, 2), fn.conv2d(1, 2, 3)
    net = fn.both(f, g)
    params = net.init(fn.Key(0), ((3,), (1, 5, 5)))
    x, images = batch(4, 3), batch(4, 1, 5, 5)
    y, z = net.apply(params, (x, images))
    np.testing.assert_array_equal(y, f.apply(params["0"], x))
    np.testing.assert_array_equal(z, g.apply(params["1"], images))
    fn.check_layer(net, ((3,), (1, 5, 5)))


def test_a_fan_is_both_on_copies_of_its_input() -> None:
    fan, side = fn.fan_out(fn.dense(3, 2), fn.tanh()), fn.both(fn.dense(3, 2), fn.tanh())
    params, x = fan.init(fn.Key(0), (3,)), batch(4, 3)
    ys, cache = fan.forward(params, x, fn.Eval())
    same_ys, side_cache = side.forward(params, (x, x), fn.Eval())
    assert [y.tobytes() for y in ys] == [y.tobytes() for y in same_ys]
    dx, grads = fan.backward(cache, ys)
    dxs, side_grads = side.backward(side_cache, ys)
    np.testing.assert_allclose(dx, dxs[0] + dxs[1], rtol=1e-6)
    assert grads == side_grads


@pytest.mark.parametrize("shape", [(3,), (2, 5, 5)])
def test_concat_puts_features_and_channels_in_a_row(shape: tuple[int, ...]) -> None:
    net: Any = ANY.concat(fn.relu(), fn.tanh())
    x = batch(4, *shape)
    y, cache = net.forward(fn.NO_PARAMS, x, fn.Eval())
    np.testing.assert_array_equal(y, np.concatenate([np.maximum(x, 0), np.tanh(x)], 1))
    assert net.spec(shape)[1] == (2 * shape[0], *shape[1:])
    dx, _ = net.backward(cache, np.ones_like(y))
    np.testing.assert_allclose(dx, (x > 0) + 1 - np.tanh(x) ** 2, rtol=1e-5, atol=1e-6)


def test_sizes_are_known_through_a_join() -> None:
    joined = fn.concat(fn.dense(3, 2), fn.dense(3, 4))
    assert (joined >> fn.dense(6, 1)).spec((3,))[1] == (1,)
    with pytest.raises(fn.ShapeError, match="dense1 in concat1 >> dense1 expects 5 features, but"):
        joined >> fn.dense(5, 1)


ERRORS: dict[str, tuple[Any, str]] = {
    "sizes written": (
        lambda: ANY.residual(fn.dense(3, 4)),
        "residual expects outputs of one shape to add, "
        "but what comes in gives 4 features and 3 features",
    ),
    "sizes known": (
        lambda: fn.sequential(fn.residual(ANY.dense(..., 4))).init(fn.Key(0), (3,)),
        "residual expects outputs of one shape to add, but what comes in gives 4 and 3",
    ),
    "two written": (
        lambda: ANY.add(fn.dense(3, 4), fn.dense(3, 5)),
        "add expects outputs of one shape to add, but what comes in gives 4 features and 5",
    ),
    "inside": (
        lambda: fn.relu() >> ANY.residual(fn.sequential(fn.dense(..., 4), fn.conv2d(1, 2, 3))),
        "conv2d1 in dense1 >> conv2d1 expects 1 channel, but dense1 gives 4 features",
    ),
    "both on one": (
        lambda: fn.sequential(fn.dense(3, 2), fn.both(fn.relu(), fn.tanh())),
        "both1 in dense1 >> both1 expects a tuple of 2, an input for each, but dense1 gives 2 feat",
    ),
    "join of kinds": (
        lambda: ANY.concat(fn.dense(..., 2), fn.embedding(3, 4)),
        "concat expects outputs of one kind to join, but what comes in gives 2 features and 4",
    ),
    "join of sizes": (
        lambda: ANY.concat(fn.conv2d(1, 2, 3), fn.conv2d(1, 2, 1)).init(fn.Key(0), (1, 5, 5)),
        "concat expects outputs that differ in their features alone, to join, but what comes in "
        "gives 2x3x3 and 2x5x5",
    ),
    "plus alone": (
        lambda: fn.sequential(fn.dense(3, 2), fn.plus()),
        "plus1 in dense1 >> plus1 expects a tuple, as fan_out gives, but dense1 gives 2 features",
    ),
    "fan into dense": (
        lambda: fn.sequential(ANY.fan_out(fn.relu(), fn.tanh()), fn.dense(3, 2)),
        "dense1 in fan_out1 >> dense1 expects 3 features, but fan_out1 gives a tuple of 2; "
        "end the fan with plus()",
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_says_what_does_not_fit(error: str) -> None:
    call, text = ERRORS[error]
    with pytest.raises(fn.ShapeError) as caught:
        call()
    assert text in str(caught.value)


def test_refuses_functions_and_nothing() -> None:
    with pytest.raises(fn.ArgumentError, match=r"did you mean relu\(\)"):
        ANY.add(fn.dense(3, 3), fn.relu)
    with pytest.raises(fn.ArgumentError, match="at least one"):
        ANY.fan_out()
    with pytest.raises(fn.ArgumentError, match="'a' is used twice in add"):
        fn.add(fn.tanh().named("a"), fn.relu().named("a"))
