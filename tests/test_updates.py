"""Moves, which are updates applied, and how parameters and their gradients must fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcnet as fn
from funcnet.updates import moved

from .test_optimizers import OPTIMIZERS, grads, params, trees

movers = pytest.mark.parametrize("name", [name for name, o in OPTIMIZERS.items() if o.move])


@movers
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_a_move_is_the_update_applied(name: str, dtype: Any) -> None:
    optimizer, here = OPTIMIZERS[name], params(dtype)
    state = optimizer.init(here)
    for seed in range(3):
        g = grads(np.float32, seed)
        updates, after = optimizer.update(g, state, here)
        moved, after_move = optimizer.move(g, state, here)
        assert moved == fn.apply_updates(here, updates)
        assert after_move == after
        assert moved["batch_norm1"]["mean"] is here["batch_norm1"]["mean"]
        here, state = moved, after


@movers
def test_moves_are_pure(name: str) -> None:
    optimizer, here, g = OPTIMIZERS[name], params(), grads()
    state = optimizer.init(here)
    _, state = optimizer.move(g, state, here)
    before = [v.tobytes() for tree in [*trees(state), here, g] for _, v in fn.leaves(tree)]
    assert optimizer.move(g, state, here) == optimizer.move(g, state, here)
    assert [v.tobytes() for tree in [*trees(state), here, g] for _, v in fn.leaves(tree)] == before


@movers
def test_moves_say_which_gradient_is_nobodys(name: str) -> None:
    optimizer, here = OPTIMIZERS[name], params()
    state = optimizer.init(here)
    wrong: dict[str, tuple[Any, str]] = {
        "name": ({"dense2": {"W": np.ones(1)}}, "an update for dense2, which is no parameter"),
        "shape": ({"dense1": {"W": np.ones((3, 2))}}, "dense1/W is 3x2, the parameter 2x3"),
        "wide": ({"dense1": {"b": np.ones((2, 3))}}, "dense1/b is 2x3, the parameter 3"),
        "leaf": ({"dense1": np.ones(1)}, "dense1 is 1, the parameter a tree"),
        "tree": ({"scale": {"W": np.ones(1)}}, "scale is a tree, the parameter a scalar"),
    }
    for gradients, text in wrong.values():
        # Some meet their own state before a parameter, and say that it lacks the name.
        with pytest.raises(fn.ParamsError, match=f"{text}|no 'dense2' in this"):
            optimizer.move(fn.Grads(gradients), state, here)
    with pytest.raises(fn.ArgumentError, match=r"takes .*Params.*, not .* and"):
        optimizer.move(here, state, grads())


def test_an_optimizer_without_a_move_moves_by_its_updates() -> None:
    plain = fn.sgd(0.1)
    own: fn.Optimizer[Any] = fn.Optimizer(plain.init, plain.update)
    for optimizer in (own, fn.chain(fn.weight_decay(0.1), own)):
        state = optimizer.init(params())
        updates, after = optimizer.update(grads(), state, params())
        expected = fn.apply_updates(params(), updates), after
        assert moved(optimizer, grads(), state, params()) == expected


def test_apply_updates_keeps_each_parameters_dtype() -> None:
    here = fn.Params({"W": np.ones(2, np.float16), "b": np.ones(2, np.float64)})
    updates = fn.Grads({"W": np.full(2, 0.5), "b": np.full(2, 0.5, np.float32)})
    new = fn.apply_updates(here, updates)
    assert [str(new[name].dtype) for name in ("W", "b")] == ["float16", "float64"]
    np.testing.assert_array_equal(new["W"], 1.5)
