"""What all libraries are to build: sizes, rates and batches, in no library's terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

SIZES = {"A": (784, 50, 10), "B": (784, 100, 100, 100, 100, 10)}
"""Of dense networks with ReLU between the layers. E is B with batch norm before each ReLU."""

DEEP = [(1, 16, 1), (16, 16, 1), (16, 32, 1), (32, 32, 2), (32, 64, 1), (64, 64, 1)]
"""Channels in, channels out and padding of D's convolutions; a pool follows every second."""

SGD_RATE, ADAM_RATE = 0.1, 1e-3

Batches: TypeAlias = Sequence[tuple[Any, Any]]
"""Inputs and labels, as NumPy arrays."""
