"""Networks of dense layers with something between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from types import EllipsisType
from typing import Any

from ..arguments import short, whole
from ..composition import refuse
from ..errors import ArgumentError
from ..functions import Initializer
from ..initializers import he_normal
from ..kinds import M, Vec
from ..layer import AnyLayer
from ..layers.activations import relu
from ..layers.dense import dense
from ..typed import C, Layer, sequential

RELU = relu()


def two_layer(
    n_in: C | EllipsisType,
    hidden: int,
    n_out: M,
    between: AnyLayer = RELU,
    *,
    weights: Initializer = he_normal,
) -> Layer[Vec[C], Vec[M]]:
    """One hidden layer of size ``hidden``, followed by ``between``.

    >>> models.two_layer(784, 50, 10, sigmoid(), weights=normal(0.01))
    dense(784, 50) >> sigmoid() >> dense(50, 10)
    """
    return multi_layer(
        n_in, (whole("two_layer's hidden", hidden),), n_out, between, weights=weights
    )


def multi_layer(
    n_in: C | EllipsisType,
    hidden: Sequence[int],
    n_out: M,
    between: AnyLayer = RELU,
    *,
    weights: Initializer = he_normal,
) -> Layer[Vec[C], Vec[M]]:
    """Dense layers of the sizes in ``hidden``, ``between`` after each, and one to ``n_out``.

    ``between`` is any layer or pipeline: batch normalisation before the activation is
    ``batch_norm() >> relu()``, dropout after it ``relu() >> dropout(0.5)``. ``weights`` draws the
    weights of all dense layers; biases start at 0.

    >>> models.multi_layer(784, [100, 100], 10, batch_norm() >> relu())
    dense(784, 100) >> batch_norm() >> relu() >> dense(100, 100) >> batch_norm() >> relu() >> \
dense(100, 10)
    """
    if isinstance(hidden, str) or not isinstance(hidden, Sequence):
        raise ArgumentError(f"multi_layer's hidden is a list of sizes, not {short(hidden)}")
    if not isinstance(between, AnyLayer):
        refuse(between)
    sizes: list[Any] = [n_in, *[whole("a size in multi_layer's hidden", n) for n in hidden]]
    hidden_layers = [dense(a, b, weights=weights) >> between for a, b in pairwise(sizes)]
    return sequential(*hidden_layers, dense(sizes[-1], n_out, weights=weights))
