"""The networks that the benchmarks time, and the images they are fed."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import funcnet as fn


class Workload(NamedTuple):
    """A network, the optimizer that trains it and the shape of one of its inputs."""

    title: str
    net: fn.Layer[Any, Any]
    optimizer: fn.Optimizer[Any]
    shape: tuple[int, ...]


def two_layers() -> Workload:
    net = fn.dense(784, 50) >> fn.relu() >> fn.dense(50, 10)
    return Workload("two dense layers, SGD", net, fn.sgd(0.1), (784,))


def simple_conv() -> Workload:
    net = fn.models.simple_conv(1, 10)
    return Workload("simple conv net, Adam", net, fn.adam(1e-3), (1, 28, 28))


def deep_conv() -> Workload:
    net = fn.models.deep_conv(1, 10)
    return Workload("deep conv net, Adam", net, fn.adam(1e-3), (1, 28, 28))


WORKLOADS: dict[str, Callable[[], Workload]] = {"A": two_layers, "C": simple_conv, "D": deep_conv}


def training_images(n: int) -> tuple[fn.Batch[Any, Any], str]:
    """n images (n, 1, 28, 28) with their labels, and what they are.

    MNIST where the environment variable ``FUNCNET_DATA`` names a folder that has it; else random
    numbers of its shape, which take as long to compute with.
    """
    if os.environ.get("FUNCNET_DATA"):
        train = fn.datasets.mnist().train
        return fn.Batch(train.x[:n], train.t[:n]), "MNIST"
    draw = fn.Key(0).child("images").generator()
    x = draw.random((n, 1, 28, 28), np.float32)
    return fn.Batch(x, draw.integers(10, size=n)), "random images (FUNCNET_DATA is not set)"
