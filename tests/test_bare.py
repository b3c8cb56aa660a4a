"""The benchmarks' bare NumPy computes what funcnet does, so that their times may be compared."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import funcnet as fn

FOLDER = Path(__file__).parent.parent / "examples" / "benchmarks"


@pytest.fixture(scope="module")
def bare() -> Iterator[Any]:
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("bare")
    sys.path.remove(str(FOLDER))


def batches(n: int) -> list[fn.Batch[Any, Any]]:
    draw = fn.Key(0).generator()
    return [
        fn.Batch(draw.random((n, 784), np.float32), draw.integers(10, size=n)) for _ in range(3)
    ]


@pytest.mark.parametrize("letter", ["A", "B", "B-Adam", "E", "E-Adam"])
def test_steps_in_bare_numpy_are_funcnets_to_the_bit(bare: Any, letter: str) -> None:
    bare.check(letter, batches(16))


def test_what_differs_is_told(bare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bare, "SGD_RATE", 0.11)
    with pytest.raises(AssertionError, match="dense1/W"):
        bare.check("A", batches(16), steps=1)
