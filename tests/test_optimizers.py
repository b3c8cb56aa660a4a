"""Optimizers: hand-computed steps, closed forms, trees, and what has no gradient."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn
from funcnet.updates import moved

OPTIMIZERS: dict[str, Any] = {
    "sgd": fn.sgd(0.1),
    "momentum": fn.momentum(0.1),
    "nesterov": fn.nesterov(0.1),
    "adagrad": fn.adagrad(0.1),
    "rmsprop": fn.rmsprop(0.1),
    "adadelta": fn.adadelta(),
    "adamw": fn.adamw(0.1, where="**/W"),
    "l1": fn.l1_penalty(0.1),
    "adam": fn.adam(0.1),
    "clip": fn.clip_by_global_norm(0.5),
    "decay": fn.weight_decay(0.1),
    "chain": fn.chain(fn.weight_decay(0.1), fn.clip_by_global_norm(0.5), fn.adam(0.1)),
    "schedule": fn.momentum(fn.cosine_decay(0.1, 10)),
}
optimizers = pytest.mark.parametrize("name", OPTIMIZERS)
gradients = st.lists(st.floats(-10, 10), min_size=1, max_size=8)


def params(dtype: Any = np.float32) -> fn.Params:
    draw = fn.Key(0).generator().standard_normal
    return fn.Params(
        {
            "dense1": {"W": draw((2, 3)).astype(dtype), "b": draw(3).astype(dtype)},
            "batch_norm1": {"gamma": draw(3).astype(dtype), "mean": draw(3).astype(dtype)},
            "scale": np.ones((), dtype),
        }
    )


def grads(dtype: Any = np.float32, seed: int = 1) -> fn.Grads:
    """Gradients for all but the running mean."""
    draw = fn.Key(seed).generator().standard_normal
    return fn.Grads(
        {
            "dense1": {"W": draw((2, 3)).astype(dtype), "b": draw(3).astype(dtype)},
            "batch_norm1": {"gamma": draw(3).astype(dtype)},
            "scale": np.ones((), dtype),
        }
    )


def run(optimizer: Any, start: float, gradients: list[float]) -> float:
    """One number, moved by one gradient after another."""
    here = fn.Params({"W": np.array([start])})
    state = optimizer.init(here)
    for g in gradients:
        updates, state = optimizer.update(fn.Grads({"W": np.array([g])}), state, here)
        here = fn.apply_updates(here, updates)
    return float(here["W"][0])


@given(gradients)
def test_sgd(gs: list[float]) -> None:
    assert run(fn.sgd(0.1), 1.0, gs) == pytest.approx(1.0 - 0.1 * sum(gs), abs=1e-9)


@given(gradients, st.floats(0, 0.99))
def test_momentum_is_the_weighted_sum_of_all_gradients(gs: list[float], share: float) -> None:
    n = len(gs)
    # Gradient i is part of the velocity in each later step k, weighted by share**(k - i).
    moved = sum(g * sum(share ** (k - i) for k in range(i, n)) for i, g in enumerate(gs))
    assert run(fn.momentum(0.1, share), 1.0, gs) == pytest.approx(1.0 - 0.1 * moved, abs=1e-9)


def test_momentum_with_a_constant_gradient_reaches_its_terminal_velocity() -> None:
    state: Any = fn.momentum(0.1, 0.9).init(fn.Params({"W": np.zeros(1)}))
    for _ in range(400):
        _, state = fn.momentum(0.1, 0.9).update(
            fn.Grads({"W": np.ones(1)}), state, fn.Params({"W": np.zeros(1)})
        )
    np.testing.assert_allclose(state.velocity["W"], 1 / (1 - 0.9), rtol=1e-12)


@given(gradients)
def test_adam_against_its_definition(gs: list[float]) -> None:
    p, m, v = 1.0, 0.0, 0.0
    for t, g in enumerate(gs, 1):
        m = 0.9 * m + (1 - 0.9) * g
        v = 0.999 * v + (1 - 0.999) * g * g
        p -= 0.1 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
    assert run(fn.adam(0.1), 1.0, gs) == pytest.approx(p, abs=1e-9)


@given(st.floats(1e-3, 1e3), st.integers(1, 20))
def test_adam_with_a_constant_gradient_moves_by_the_rate(g: float, steps: int) -> None:
    assert run(fn.adam(0.01), 0.0, [g] * steps) == pytest.approx(-0.01 * steps, rel=1e-4)


def test_epsilon_stands_outside_the_root() -> None:
    assert run(fn.adam(0.1, epsilon=1.0), 0.0, [1.0]) == pytest.approx(-0.1 / 2)


@given(st.floats(0.1, 10))
def test_clipping_scales_all_together(limit: float) -> None:
    given_grads = grads(np.float64)
    clipped, _ = fn.clip_by_global_norm(limit).update(given_grads, (), params())
    norm = math.sqrt(sum(float((g**2).sum()) for _, g in fn.leaves(given_grads)))
    new = math.sqrt(sum(float((g**2).sum()) for _, g in fn.leaves(clipped)))
    assert new == pytest.approx(min(norm, limit))
    factor = min(1.0, limit / norm)
    for (_, a), (_, b) in zip(fn.leaves(clipped), fn.leaves(given_grads), strict=True):
        np.testing.assert_allclose(a, b * factor, rtol=1e-12)


def test_clipping_holds_for_gradients_whose_squares_overflow() -> None:
    huge = fn.Grads({"W": np.array([3e30, 4e30], "float32")})
    with np.errstate(over="ignore"):
        clipped, _ = fn.clip_by_global_norm(1.0).update(huge, (), params())
    np.testing.assert_allclose(clipped["W"], [0.6, 0.8], rtol=1e-6)


def test_weight_decay_adds_the_gradient_of_the_penalty_where_it_matches() -> None:
    p, g = params(np.float64), grads(np.float64)
    decayed, _ = fn.weight_decay(0.1).update(g, (), p)

    def penalised(q: fn.Params) -> float:
        return 0.05 * float((q["dense1"]["W"] ** 2).sum())

    penalty = fn.numerical_gradient(penalised, p)
    np.testing.assert_allclose(
        decayed["dense1"]["W"], g["dense1"]["W"] + penalty["dense1"]["W"], atol=1e-9
    )
    assert decayed["dense1"]["b"] is g["dense1"]["b"]
    assert decayed["batch_norm1"] == g["batch_norm1"]


MATCHES = [
    ("**/W", "W", True),
    ("**/W", "dense1/W", True),
    ("**/W", "residual1/0/dense1/W", True),
    ("**/W", "dense1/b", False),
    ("**/W", "xW", False),
    ("*/W", "dense1/W", True),
    ("*/W", "a/b/W", False),
    ("*/W", "W", False),
    ("dense*/W", "dense12/W", True),
    ("dense?/W", "dense12/W", False),
    ("**", "a/b/W", True),
    ("head/**", "head/dense1/W", True),
    ("head/**", "body/dense1/W", False),
    ("a.b/W", "axb/W", False),
]


@pytest.mark.parametrize(("where", "path", "expected"), MATCHES)
def test_patterns(where: str, path: str, expected: bool) -> None:
    parts = path.split("/")
    tree: Any = np.ones(1)
    for name in reversed(parts):
        tree = {name: tree}
    init = fn.weight_decay(0.1, where).init
    if expected:
        assert init(fn.Params(tree)) == ()
    else:
        with pytest.raises(fn.ConfigError, match="no parameter matches"):
            init(fn.Params(tree))


@optimizers
def test_dtypes_stay_and_what_has_no_gradient_stays_by_reference(name: str) -> None:
    optimizer, here = OPTIMIZERS[name], params()
    state = optimizer.init(here)
    for seed in range(3):
        updates, new_state = optimizer.update(grads(seed=seed), state, here)
        new = fn.apply_updates(here, updates)
        assert all(v.dtype == np.float32 for _, v in fn.leaves(new))
        assert all(v.dtype == np.float32 for _, v in fn.leaves(updates))
        assert new["batch_norm1"]["mean"] is here["batch_norm1"]["mean"]
        for old_tree, tree in zip(trees(state), trees(new_state), strict=True):
            assert all(v.dtype == np.float32 for _, v in fn.leaves(tree))
            assert tree["batch_norm1"]["mean"] is old_tree["batch_norm1"]["mean"]
        here, state = new, new_state


@optimizers
def test_updates_are_pure(name: str) -> None:
    optimizer, here, g = OPTIMIZERS[name], params(), grads()
    state = optimizer.init(here)
    _, state = optimizer.update(g, state, here)
    before = [v.tobytes() for tree in [*trees(state), here, g] for _, v in fn.leaves(tree)]
    first, second = optimizer.update(g, state, here), optimizer.update(g, state, here)
    assert first[0] == second[0]
    assert [v.tobytes() for tree in [*trees(state), here, g] for _, v in fn.leaves(tree)] == before


@optimizers
def test_an_empty_tree_is_no_gradient_at_all(name: str) -> None:
    optimizer, here = OPTIMIZERS[name], params()
    updates, _ = optimizer.update(fn.NO_GRADS, optimizer.init(here), here)
    assert fn.apply_updates(here, updates) == here


def trees(state: Any) -> list[fn.Params]:
    """The trees in a state."""
    if isinstance(state, fn.Params):
        return [state]
    return [tree for part in state for tree in trees(part)] if isinstance(state, tuple) else []


@pytest.mark.parametrize(
    "make",
    [fn.sgd, fn.momentum, fn.nesterov, fn.adagrad, fn.rmsprop, fn.adadelta, fn.adam, fn.adamw],
)
def test_every_optimizer_counts_its_steps(make: Any) -> None:
    seen: list[int] = []

    def schedule(step: int) -> float:
        seen.append(step)
        return 0.1

    run(make(schedule), 0.0, [1.0, 1.0, 1.0])
    assert sorted(set(seen)) == [0, 1, 2]


def test_l1_adds_the_gradient_of_the_penalty_where_it_matches() -> None:
    p, g = params(np.float64), grads(np.float64)
    found, _ = fn.l1_penalty(0.1).update(g, (), p)

    def penalty(q: fn.Params) -> float:
        return 0.1 * float(np.abs(q["dense1"]["W"]).sum())

    expected = fn.numerical_gradient(penalty, p)["dense1"]["W"]
    np.testing.assert_allclose(found["dense1"]["W"] - g["dense1"]["W"], expected, atol=1e-9)
    assert found["dense1"]["b"] is g["dense1"]["b"]


def test_adamw_decays_only_where_it_is_told_to() -> None:
    p = params()
    plain, adamw = fn.adam(0.1), fn.adamw(0.1, weight_decay=0.5, where="**/W")
    without, _ = plain.update(grads(), plain.init(p), p)
    updates, _ = adamw.update(grads(), adamw.init(p), p)
    assert updates["dense1"]["b"].tobytes() == without["dense1"]["b"].tobytes()
    np.testing.assert_allclose(
        updates["dense1"]["W"], without["dense1"]["W"] - 0.1 * 0.5 * p["dense1"]["W"], rtol=1e-6
    )


def test_defaults() -> None:
    assert run(fn.momentum(0.1), 0.0, [1.0, 1.0]) == pytest.approx(-0.1 * (1 + 1.9))
    expected = run(fn.adam(0.1, 0.9, 0.999, 1e-8), 0.0, [1.0, -2.0, 3.0])
    assert run(fn.adam(0.1), 0.0, [1.0, -2.0, 3.0]) == expected


def test_decay_by_paths_of_parts() -> None:
    params = fn.Params({"body": {"a": {"W": np.ones(1)}}, "head": {"a": {"W": np.ones(1)}}})
    zeros = fn.Grads({"body": {"a": {"W": np.zeros(1)}}, "head": {"a": {"W": np.zeros(1)}}})
    decayed, _ = fn.weight_decay(0.5, "body/**").update(zeros, (), params)
    assert decayed["body"]["a"]["W"] == 0.5
    assert decayed["head"]["a"]["W"] == 0


def test_a_schedule_sees_the_steps_from_0() -> None:
    seen: list[int] = []

    def schedule(step: int) -> float:
        seen.append(step)
        return 0.1 / (step + 1)

    assert run(fn.sgd(schedule), 0.0, [1.0, 1.0]) == pytest.approx(-0.1 - 0.05)
    assert seen == [0, 0, 1]  # tried once at 0, when the optimizer was made
    assert run(fn.adam(fn.constant(0.1)), 0.0, [1.0]) == run(fn.adam(0.1), 0.0, [1.0])


def test_chain_hands_on_what_each_made() -> None:
    one = run(fn.chain(fn.weight_decay(0.5), fn.sgd(0.1)), 2.0, [1.0])
    assert one == pytest.approx(2.0 - 0.1 * (1.0 + 0.5 * 2.0))


ANY: Any = fn
ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "no match": (
        lambda: fn.weight_decay(0.1, "**/V").init(params()),
        fn.ConfigError,
        "no parameter matches '**/V'; there are dense1/W, dense1/b, batch_norm1/gamma",
    ),
    "unknown": (
        lambda: fn.apply_updates(params(), fn.Grads({"dense2": {"W": np.ones(1)}})),
        fn.ParamsError,
        "an update for dense2, which is no parameter",
    ),
    "shape": (
        lambda: fn.apply_updates(params(), fn.Grads({"dense1": {"W": np.ones((3, 2))}})),
        fn.ParamsError,
        "the update for dense1/W is 3x2, the parameter 2x3",
    ),
    "swapped": (
        lambda: ANY.apply_updates(grads(), params()),
        fn.ArgumentError,
        "takes Params and then Grads, not Grads and Params",
    ),
    "state of another": (
        lambda: fn.adam(0.1).update(
            fn.Grads({"x": np.ones(1)}), fn.adam(0.1).init(params()), params()
        ),
        fn.ParamsError,
        "the optimizer's state has nothing for x, whose gradient is 1; a state goes with the "
        "parameters it began with: write TrainState.start(params, optimizer, key)",
    ),
    "rate": (lambda: ANY.sgd("0.1x"), fn.ArgumentError, "learning rate is a number in [0, inf)"),
    "negative": (
        lambda: fn.adam(-1.0),
        fn.ConfigError,
        "in [0, inf), not -1",
    ),
    "momentum": (lambda: fn.momentum(0.1, 1.0), fn.ConfigError, "momentum is a number in [0, 1)"),
    "beta": (lambda: fn.adam(0.1, beta2=1.0), fn.ConfigError, "beta2 is a number in [0, 1)"),
    "epsilon": (lambda: fn.adam(0.1, epsilon=-1), fn.ConfigError, "epsilon is a number"),
    "limit": (lambda: fn.clip_by_global_norm(0), fn.ConfigError, "limit is a number in (0, inf]"),
    "where": (lambda: ANY.weight_decay(0.1, 3), fn.ArgumentError, "where is a pattern"),
    "order": (
        lambda: fn.chain(fn.adam(0.01), fn.weight_decay(0.1)),
        fn.ConfigError,
        "adam(0.01) makes the updates, so it comes last in a chain and once; write chain(...,",
    ),
    "list": (
        lambda: ANY.chain([fn.adam(0.1)]),
        fn.ArgumentError,
        "chain takes optimizers, not a list; write chain(*optimizers)",
    ),
    "no chain": (lambda: ANY.chain(), fn.ArgumentError, "at least one"),
    "chain's state": (
        lambda: ANY.chain(fn.adam(0.1)).update(grads(), fn.adam(0.1).init(params()), params()),
        fn.ArgumentError,
        "a chain of 1 goes on from as many states in a tuple, not Adam(step=0,",
    ),
    "not called": (
        lambda: ANY.chain(fn.weight_decay(0.1), fn.adam),
        fn.ArgumentError,
        "chain takes optimizers, not adam; did you mean adam(...)?",
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_says_what_is_wrong(error: str) -> None:
    call, kind, text = ERRORS[error]
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


@pytest.mark.parametrize("name", ["momentum", "adagrad", "adadelta", "adam", "adamw"])
def test_a_state_of_other_parameters_is_named_as_what_does_not_fit(name: str) -> None:
    optimizer, own = OPTIMIZERS[name], params()
    wide = own | {"dense1": {"W": np.ones((4, 3), "f4"), "b": own["dense1"]["b"]}}
    flat = own | {"dense1": np.ones(3, "f4")}
    for other, has in [(wide, "4x3 for dense1/W, whose gradient is 2x3"), (flat, "3 for dense1")]:
        state = optimizer.init(other) if name != "adamw" else fn.adam(0.1).init(other)
        for call in (optimizer.update, partial(moved, optimizer)):
            with pytest.raises(fn.ParamsError) as caught:
                call(grads(), state, own)
            assert f"the optimizer's state has {has}" in str(caught.value)


def test_a_state_that_holds_no_trees_is_refused() -> None:
    optimizer: Any = fn.momentum(0.1)
    own = params()
    state = optimizer.init(own)._replace(velocity=np.ones(3))
    for call in (optimizer.update, partial(moved, optimizer)):
        with pytest.raises(fn.ParamsError, match="gradients of the parts of what is one array"):
            call(grads(), state, own)
