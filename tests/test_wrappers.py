"""freeze, recompute and checked keep what they wrap, and do what they say."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import pytest

import funcnet as fn
from funcnet.layers import normalization


def features() -> fn.Layer[Any, Any]:
    return (
        fn.conv2d(1, 4, 3)
        >> fn.batch_norm()
        >> fn.relu()
        >> fn.max_pool2d(2)
        >> fn.flatten()
        >> fn.dropout(0.3)
    )


def images() -> Any:
    return fn.Key(1).generator().standard_normal((6, 1, 8, 8), dtype=np.float32)


def counting(calls: Counter[str]) -> fn.Same:
    """An affine layer that counts the calls of its functions: impure, for tests alone."""

    def count(name: str, f: Any, *arguments: Any) -> Any:
        calls[name] += 1
        return f(*arguments)

    def forward(params: Any, x: Any, mode: Any) -> Any:
        return x * params["W"], (x, params["W"])

    def backward(cache: Any, dy: Any) -> Any:
        x, w = cache
        return dy * w, fn.Grads({"W": np.sum(dy * x)})

    def spec(shape: Any) -> Any:
        return {"W": fn.Leaf((), fn.ones)}, shape

    return fn.Same(
        "counting",
        forward=partial(count, "forward", forward),
        backward=partial(count, "backward", backward),
        pull=partial(count, "pull", lambda cache, dy: backward(cache, dy)[0]),
        grads=partial(count, "grads", lambda cache, dy: backward(cache, dy)[1]),
        apply=partial(count, "apply", lambda params, x: x * params["W"]),
        spec=spec,
    )


def train_one(net: Any, params: fn.Params) -> fn.Params:
    t = np.arange(6) % 3
    f = fn.value_and_grad(net, fn.softmax_cross_entropy())
    _, grads, params = f(params, images(), t, fn.Train(fn.Key(2)))
    return fn.apply_updates(params, fn.tree_map(lambda g: -0.1 * g, grads))


@pytest.mark.parametrize("wrap", [fn.freeze, fn.recompute, fn.checked])
def test_wrapping_keeps_parameters(wrap: Any) -> None:
    net = features()
    assert wrap(net).init(fn.Key(0), (1, 8, 8)) == net.init(fn.Key(0), (1, 8, 8))


@pytest.mark.parametrize("wrap", [fn.freeze, fn.checked])
def test_wrapping_keeps_names(wrap: Any) -> None:
    net = (features() >> fn.residual(fn.dense(..., 36)).named("block")).named("whole")
    wrapped = wrap(net)
    assert wrapped.name == net.name
    assert [name for name, _ in wrapped.parts] == [name for name, _ in net.parts]
    assert wrapped["block"].name == "block"


@pytest.mark.parametrize("wrap", [fn.recompute, fn.checked])
def test_wrapping_changes_no_bit_of_training(wrap: Any) -> None:
    head = fn.dense(..., 3)
    plain = features().named("features") >> head
    wrapped = wrap(features()).named("features") >> head
    params = plain.init(fn.Key(0), (1, 8, 8))
    assert train_one(wrapped, params) == train_one(plain, params)


def test_frozen_parts_stay_as_they_are_by_reference() -> None:
    net = fn.freeze(features()) >> fn.dense(..., 3)
    params = net.init(fn.Key(0), (1, 8, 8))
    new = train_one(net, params)
    for name in ("conv2d1", "batch_norm1"):
        assert new[name] is params[name]
    assert new["dense1"] != params["dense1"]


def test_a_frozen_front_runs_nothing_backward() -> None:
    calls: Counter[str] = Counter()
    front = fn.freeze(counting(calls) >> fn.conv2d(1, 2, 3) >> counting(calls) >> fn.flatten())
    net = front >> fn.dense(..., 3)
    params = net.init(fn.Key(0), (1, 8, 8))
    train_one(net, params)
    assert calls == {"apply": 2}


FRONTS: dict[str, Any] = {
    "residual": lambda layer: fn.freeze(fn.residual(layer >> fn.tanh())),
    "inside a residual": lambda layer: fn.residual(fn.freeze(layer)),
    "fan": lambda layer: fn.freeze(fn.sequential(fn.fan_out(layer, fn.tanh()), fn.plus())),
    "recompute": lambda layer: fn.recompute(fn.freeze(layer >> fn.relu())),
    "checked": lambda layer: fn.checked(fn.freeze(layer >> fn.relu())),
    "named": lambda layer: fn.freeze((layer >> fn.relu()).named("body")),
    "behind what has nothing to train": lambda layer: fn.max_pool2d(1) >> fn.freeze(layer),
}


@pytest.mark.parametrize("front", FRONTS)
def test_whatever_the_frozen_front_is_it_runs_nothing_backward(front: str) -> None:
    calls: Counter[str] = Counter()
    net = FRONTS[front](counting(calls)) >> fn.flatten() >> fn.dense(..., 3)
    train_one(net, net.init(fn.Key(0), (1, 8, 8)))
    assert calls == {"apply": 1}
    first = net.parts[0][1]
    assert first.functions.grads is fn.no_grads


def test_what_has_nothing_to_train_says_so() -> None:
    for layer in (fn.relu(), fn.flatten(), fn.max_pool2d(2), fn.dropout(0.5), fn.plus()):
        assert layer.functions.grads is fn.no_grads
        assert layer.functions.refresh is fn.no_refresh


def test_a_frozen_batch_norm_in_the_middle_makes_no_gradients_of_parameters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = fn.dense(3, 3) >> fn.freeze(fn.batch_norm()) >> fn.dense(3, 2)
    params = net.init(fn.Key(0), (3,))
    y, cache = net.forward(params, np.ones((2, 3), "float32"), fn.Train(fn.Key(0)))
    monkeypatch.setattr(normalization, "column_sums", None)
    net.grads(cache, y)


def test_the_counting_layer_counts() -> None:
    calls: Counter[str] = Counter()
    net = counting(calls) >> fn.flatten() >> fn.dense(..., 3)
    train_one(net, net.init(fn.Key(0), (1, 8, 8)))
    assert calls == {"forward": 1, "grads": 1}


def test_a_frozen_middle_passes_the_gradient_on_without_work_for_parameters() -> None:
    calls: Counter[str] = Counter()
    front = fn.conv2d(1, 2, 3)
    net = front >> fn.freeze(counting(calls)) >> fn.flatten() >> fn.dense(..., 3)
    plain = front >> counting(Counter()) >> fn.flatten() >> fn.dense(..., 3)
    params = net.init(fn.Key(0), (1, 8, 8))
    new = train_one(net, params)
    assert calls == {"apply": 1, "forward": 1, "pull": 1}
    assert new["counting1"] is params["counting1"]
    assert new["conv2d1"] == train_one(plain, params)["conv2d1"]


def test_frozen_parts_run_as_in_inference() -> None:
    net = fn.freeze(fn.batch_norm() >> fn.dropout(0.5))
    params = net.init(fn.Key(0), (3,))
    x = np.ones((4, 3), "float32")
    y, cache = net.forward(params, x, fn.Train(fn.Key(0)))
    np.testing.assert_allclose(y, x, rtol=1e-4)
    assert net.refresh(params, cache) is params


def test_freeze_marks_every_leaf_untrained() -> None:
    spec, _ = fn.freeze(features() >> fn.residual(fn.dense(..., 36))).spec((1, 8, 8))
    assert fn.count(spec) == 0


def test_what_freeze_leaves_out_nobody_decays_or_moves() -> None:
    net = fn.freeze(fn.dense(3, 3)) >> fn.dense(3, 2)
    optimizer = fn.chain(fn.weight_decay(0.1), fn.adam(0.1))
    step = fn.train_step(net, fn.mean_squared_error(), optimizer)
    start = fn.TrainState.start(net.init(fn.Key(0), (3,)), optimizer, fn.Key(1))
    batch = fn.Batch(np.ones((2, 3), "float32"), np.zeros((2, 2), "float32"))
    state = step(start, batch)
    assert state.params["dense1"] is start.params["dense1"]
    assert state.optimizer_state[1].mean["dense1"] is start.optimizer_state[1].mean["dense1"]
    assert state.params["dense2"] != start.params["dense2"]


def test_recompute_is_one_part_and_keeps_no_cache_inside() -> None:
    net = fn.recompute(fn.dense(3, 3) >> fn.relu()) >> fn.dense(3, 2)
    assert [name for name, _ in net.parts] == ["recompute1", "dense1"]
    assert net["recompute1/dense1"].name == "dense"
    calls: Counter[str] = Counter()
    counted = fn.recompute(counting(calls))
    assert counted.name == "counting"
    params = counted.init(fn.Key(0), (3,))
    y, cache = counted.forward(params, np.ones((2, 3), "float32"), fn.Train(fn.Key(0)))
    counted.grads(cache, y)
    assert calls == {"forward": 2, "grads": 1}


def test_recompute_refreshes_with_what_the_first_pass_saw() -> None:
    net = fn.recompute(features())
    params = net.init(fn.Key(0), (1, 8, 8))
    mode = fn.Train(fn.Key(3))
    _, cache = net.forward(params, images(), mode)
    _, plain = features().forward(params, images(), mode)
    assert net.refresh(params, cache) == _refresh(params, mode)
    assert plain is not None


def _refresh(params: fn.Params, mode: fn.Train) -> fn.Params:
    net = features()
    return net.refresh(params, net.forward(params, images(), mode)[1])


def test_checked_names_the_first_part_at_fault() -> None:
    net = fn.checked(fn.dense(3, 3) >> fn.residual(fn.dense(3, 3) >> fn.relu()) >> fn.dense(3, 2))
    params = net.init(fn.Key(0), (3,))
    bad = fn.Params({"W": np.full((3, 3), np.nan, "float32"), "b": np.zeros(3, "float32")})
    broken = params | {"residual1": {"0": {"dense1": bad}}}
    x = np.ones((2, 3), "float32")
    for run in (
        lambda: net.apply(broken, x),
        lambda: net.forward(broken, x, fn.Train(fn.Key(0))),
    ):
        with pytest.raises(fn.NonFiniteError) as caught:
            run()
        assert caught.value.place == "residual1/0/dense1"
        assert "its output holds nan or infinity" in str(caught.value)


def test_checked_names_gradients_too() -> None:
    def backward(cache: Any, dy: Any) -> Any:
        return dy * np.float32(np.inf), fn.NO_GRADS

    def forward(params: Any, x: Any, mode: Any) -> Any:
        return x, None

    bad = fn.Same("bad", forward=forward, backward=backward)
    net = fn.checked(fn.dense(3, 3) >> fn.relu() >> bad >> fn.dense(3, 2))
    params = net.init(fn.Key(0), (3,))
    y, cache = net.forward(params, np.ones((2, 3), "float32"), fn.Eval())
    for run in (net.backward, net.pull, net.grads):
        with pytest.raises(fn.NonFiniteError, match=r"bad1 in .*the gradient of its input"):
            run(cache, y + 1)


def test_checked_sees_a_sum_that_overflows() -> None:
    big = np.full((1, 2), 3e38, "float32")
    with pytest.raises(fn.NonFiniteError, match="residual"), np.errstate(over="ignore"):
        fn.checked(fn.residual(fn.relu())).apply(fn.NO_PARAMS, big)


def test_wrappers_refuse_what_is_no_layer() -> None:
    wrong: Any = fn.relu
    for wrap in (fn.freeze, fn.recompute, fn.checked):
        mend = rf"^{wrap.__name__} takes a layer or network, not relu; did you mean relu\(\)\?"
        with pytest.raises(fn.ArgumentError, match=mend):
            wrap(wrong)


def test_transfer_works_by_values(tmp_path: Any) -> None:
    """Features trained, saved, loaded into another network, frozen; a new head trained."""
    net = features() >> fn.dense(..., 3)
    trained = train_one(net, net.init(fn.Key(0), (1, 8, 8)))
    body = net[:6]
    fn.save(tmp_path / "features.npz", trained.only(body))

    calls: Counter[str] = Counter()
    target = counting(calls) >> fn.freeze(body) >> fn.dense(..., 2).named("head")
    params = target.init(fn.Key(9), (1, 8, 8))
    params = params | fn.load(tmp_path / "features.npz", like=params.only(fn.freeze(body)))
    frozen = fn.freeze(target[:7]) >> fn.dense(..., 2).named("head")
    f = fn.value_and_grad(frozen, fn.softmax_cross_entropy())
    _, grads, refreshed = f(params, images(), np.arange(6) % 2, fn.Train(fn.Key(2)))
    assert list(grads) == ["head"]
    assert calls == {"apply": 1}
    assert refreshed is params
    assert params["conv2d1"] == trained["conv2d1"]
