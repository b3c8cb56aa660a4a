"""Settings that all tests share, and the names that examples in docstrings use."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import funcnet

settings.register_profile(
    "funcnet",
    deadline=None,  # machines are shared: a slow moment is no fault
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("funcnet")


@pytest.fixture(autouse=True)
def _names_of_docstrings(doctest_namespace: dict[str, Any]) -> None:
    """Examples in docstrings read as after ``from funcnet import *``, with NumPy as ``np``."""
    doctest_namespace.update({k: v for k, v in vars(funcnet).items() if not k.startswith("_")})
    doctest_namespace["np"] = np


BENCHMARKS = Path(__file__).parent.parent / "examples" / "benchmarks"
Import: TypeAlias = Callable[[str], Any]


@pytest.fixture(scope="module")
def module() -> Iterator[Import]:
    """The function that imports a script of the benchmarks, as they do each other."""
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module
    sys.path.remove(str(BENCHMARKS))
