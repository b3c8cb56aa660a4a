"""Vectors looked up for integers."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..arguments import function, whole
from ..arrays import Array, Shape
from ..errors import ConfigError
from ..functions import Initializer, Leaf, Spec
from ..initializers import normal
from ..kinds import M, N, Seq, Tokens
from ..random import Mode
from ..tree import Grads, Params
from ..typed import Layer

STANDARD = normal(1.0)
Integers = np.ndarray[Any, np.dtype[np.integer[Any]]]


def embedding_apply(params: Params, x: Integers) -> Array:
    w = params["W"]
    if x.dtype.kind not in "iu" or (x.size and not 0 <= x.min() <= x.max() < len(w)):
        got = f"from {x.min()} to {x.max()}" if x.dtype.kind in "iu" else str(x.dtype)
        raise ConfigError(f"tokens are integers in [0, {len(w)}), these are {got}")
    y: Array = w[x]
    return y if y.dtype.itemsize > 2 else y.astype(np.float32)


def embedding_forward(
    params: Params, x: Integers, mode: Mode
) -> tuple[Array, tuple[Integers, Shape]]:
    return embedding_apply(params, x), (x, params["W"].shape)


def embedding_backward(cache: tuple[Integers, Shape], dy: Array) -> tuple[Any, Grads]:
    return None, embedding_grads(cache, dy)


def embedding_grads(cache: tuple[Integers, Shape], dy: Array) -> Grads:
    x, shape = cache
    w = np.zeros(shape, dy.dtype)
    np.add.at(w, x, dy)
    return Grads.fresh({"W": w})


def embedding_spec(
    vocabulary: int, n_out: int, weights: Initializer, shape: Shape
) -> tuple[Spec, Shape]:
    return {"W": Leaf((vocabulary, n_out), weights)}, (*shape, n_out)


def embedding(
    vocabulary: N, n_out: M, *, weights: Initializer = STANDARD
) -> Layer[Tokens[N], Seq[M]]:
    """The row of ``W`` for each token: from (batch, time) to (batch, time, n_out).

    Parameters: ``W`` of shape (vocabulary, n_out), drawn from a standard normal as PyTorch does.
    The gradient with respect to the tokens, which are integers, is None. Raises ``ConfigError`` for
    tokens outside [0, vocabulary).

    >>> net = embedding(10, 4)
    >>> net.apply(net.init(Key(0), (3,)), np.array([[1, 2, 1]])).shape
    (1, 3, 4)
    """
    tokens, width = whole("embedding's vocabulary", vocabulary), whole("embedding's n_out", n_out)
    function("embedding's weights", weights, "normal(0.01)")
    return Layer(
        "embedding",
        forward=embedding_forward,
        backward=embedding_backward,
        spec=partial(embedding_spec, tokens, width, weights),
        grads=embedding_grads,
        apply=embedding_apply,
        takes=Tokens(vocabulary),
        gives=Seq(n_out),
        call=f"embedding({tokens}, {width})",
    )
