"""Optimizers against PyTorch's: recorded runs everywhere, drawn ones where torch is installed.

``python -m tests.test_peers`` records anew.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn

RECORDED = Path(__file__).parent / "recorded" / "optimizers.json"

# Ours; the name and options of PyTorch's.
PEERS: dict[str, tuple[fn.Optimizer[Any], str, dict[str, Any]]] = {
    "sgd": (fn.sgd(0.1), "SGD", {"lr": 0.1}),
    "momentum": (fn.momentum(0.1, 0.8), "SGD", {"lr": 0.1, "momentum": 0.8}),
    "nesterov": (fn.nesterov(0.1, 0.8), "SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True}),
    "adagrad": (fn.adagrad(0.1), "Adagrad", {"lr": 0.1}),
    "rmsprop": (fn.rmsprop(0.01), "RMSprop", {"lr": 0.01}),
    "rmsprop .9": (fn.rmsprop(0.01, 0.9, 1e-3), "RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-3}),
    "adadelta": (fn.adadelta(), "Adadelta", {}),
    "adam": (fn.adam(0.01), "Adam", {"lr": 0.01}),
    "adam .5": (
        fn.adam(0.01, 0.5, 0.9, 1e-3),
        "Adam",
        {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-3},
    ),
    "adamw": (fn.adamw(0.01), "AdamW", {"lr": 0.01}),
    "adamw .1": (fn.adamw(0.01, weight_decay=0.1), "AdamW", {"lr": 0.01, "weight_decay": 0.1}),
    "L2": (
        fn.chain(fn.weight_decay(0.1), fn.momentum(0.1)),
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1},
    ),
}
peers = pytest.mark.parametrize("name", PEERS)


def ours(name: str, start: Any, gradients: Any) -> Any:
    """The parameters after each step."""
    optimizer = PEERS[name][0]
    params = fn.Params({"W": start})
    state = optimizer.init(params)
    path = []
    for g in gradients:
        updates, state = optimizer.update(fn.Grads({"W": g}), state, params)
        params = fn.apply_updates(params, updates)
        path.append(params["W"])
    return np.array(path)


def theirs(name: str, start: Any, gradients: Any) -> Any:
    torch = importlib.import_module("torch")
    _, kind, options = PEERS[name]
    p = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, kind)([p], **options)
    path = []
    for g in gradients:
        p.grad = torch.tensor(g)
        optimizer.step()
        path.append(p.detach().numpy().copy())
    return np.array(path)


def sequence(seed: int = 0, steps: int = 12) -> tuple[Any, Any]:
    draw = fn.Key(seed).generator()
    return draw.standard_normal(3), 3 * draw.standard_normal((steps, 3))


@peers
def test_recorded_runs(name: str) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    np.testing.assert_allclose(
        ours(name, np.array(recorded["start"]), np.array(recorded["gradients"])),
        np.array(recorded["paths"][name]),
        rtol=1e-12,
        atol=1e-12,
    )


@peers
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 30))
def test_drawn_runs(name: str, seed: int, steps: int) -> None:
    pytest.importorskip("torch", reason="torch is not installed: recorded runs only")
    start, gradients = sequence(seed, steps)
    np.testing.assert_allclose(
        ours(name, start, gradients), theirs(name, start, gradients), rtol=1e-12, atol=1e-12
    )


if __name__ == "__main__":
    start, gradients = sequence()
    contents = {
        "torch": importlib.import_module("torch").__version__,
        "start": start.tolist(),
        "gradients": gradients.tolist(),
        "paths": {name: theirs(name, start, gradients).tolist() for name in PEERS},
    }
    RECORDED.write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")
