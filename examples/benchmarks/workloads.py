"""The training steps and the inference that are timed, and the images they are fed."""

from __future__ import annotations

import os
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from networks import ADAM_RATE, SGD_RATE, SIZES

import funcnet as fn

Batches: TypeAlias = list[fn.Batch[Any, Any]]

FLAT, IMAGE = (784,), (1, 28, 28)


class Workload(NamedTuple):
    """A network, how it is trained ("" for inference), and the ratio to PyTorch that is aimed at.

    ``shape`` is that of one input, ``batch`` how many of them a step takes.
    """

    title: str
    net: fn.Layer[Any, Any]
    optimizer: str
    shape: tuple[int, ...]
    batch: int
    target: float


def dense(letter: str, between: fn.AnyLayer) -> fn.Layer[Any, Any]:
    n_in, *hidden, n_out = SIZES[letter]
    return fn.models.multi_layer(n_in, hidden, n_out, between)


A, B = dense("A", fn.relu()), dense("B", fn.relu())
E = dense("B", fn.batch_norm() >> fn.relu())
C, D = fn.models.simple_conv(1, 10), fn.models.deep_conv(1, 10)

WORKLOADS = {
    "A": Workload("784-50-10, batch 100, SGD", A, "sgd", FLAT, 100, 0.6),
    "B": Workload("784-100x4-10, batch 128, SGD", B, "sgd", FLAT, 128, 0.75),
    "B-Adam": Workload("784-100x4-10, batch 128, Adam", B, "adam", FLAT, 128, 0.75),
    "E": Workload("B with batch norm, SGD", E, "sgd", FLAT, 128, 0.8),
    "E-Adam": Workload("B with batch norm, Adam", E, "adam", FLAT, 128, 0.8),
    "C": Workload("simple conv net, batch 100, Adam", C, "adam", IMAGE, 100, 0.8),
    "D": Workload("deep conv net, batch 100, Adam", D, "adam", IMAGE, 100, 1.2),
    "F": Workload("D's inference on 10,000 images", D, "", IMAGE, 10_000, 1.0),
}
"""By name, of which the first letter says the network; F's is D's."""


def optimizer(name: str) -> fn.Optimizer[Any]:
    return fn.sgd(SGD_RATE) if name == "sgd" else fn.adam(ADAM_RATE)


class Images(NamedTuple):
    """Images (n, 1, 28, 28) and their labels, and what they are."""

    x: fn.Tensor4
    t: fn.Labels
    source: str

    def batches(self, size: int, shape: tuple[int, ...]) -> Batches:
        """Whole batches of inputs of ``shape``, one after the other."""
        x, t = self.x.reshape(-1, *shape), self.t
        starts = range(0, len(x) - size + 1, size)
        return [fn.Batch(x[i : i + size], t[i : i + size]) for i in starts]


def images(n: int) -> Images:
    """n images: MNIST's, where the environment variable ``FUNCNET_DATA`` names a folder that has
    them; else random numbers of their shape, which take as long to compute with.
    """
    if os.environ.get("FUNCNET_DATA"):
        x, t = fn.datasets.mnist().train
        return Images(x[:n], t[:n], "MNIST")
    return random_images(n)


def random_images(n: int) -> Images:
    draw = fn.Key(0).child("images").generator()
    x = draw.random((n, 1, 28, 28), np.float32)
    return Images(x, draw.integers(10, size=n), "random images (FUNCNET_DATA is not set)")
