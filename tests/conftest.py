"""Settings that all tests share, and the names that examples in docstrings use."""

from __future__ import annotations

from typing import Any

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
