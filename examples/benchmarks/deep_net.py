"""Trains the deep conv net on MNIST for 200 steps: how long a step takes, and that it learns.

FUNCNET_DATA=<folder with MNIST> python examples/benchmarks/deep_net.py
"""

from __future__ import annotations

from functools import reduce
from itertools import accumulate
from statistics import fmean
from time import perf_counter

from workloads import WORKLOADS, optimizer

import funcnet as fn

STEPS = 200


def main() -> None:
    train = fn.datasets.mnist().train
    net, adam = WORKLOADS["D"].net, optimizer(WORKLOADS["D"].optimizer)
    step = fn.train_step(net, fn.softmax_cross_entropy(), adam)
    start = fn.TrainState.start(net.init(fn.Key(0), (1, 28, 28)), adam, fn.Key(2))
    batches = fn.minibatches(fn.Key(1), train.x, train.t, size=100)[:STEPS]

    reduce(step, batches[:5], start)  # a first run, untimed; it leaves no trace in `start`
    began = perf_counter()
    states = accumulate(batches, step, initial=start)
    losses = [state.loss for state in states][1:]
    print(f"{1e3 * (perf_counter() - began) / STEPS:.1f} ms a step")

    first, last = fmean(losses[:50]), fmean(losses[-50:])
    print(f"mean loss: first 50 steps {first:.3f}, last 50 {last:.3f}, {last / first:.2f} of it")
    if last > 0.8 * first:
        raise SystemExit("it should be at most 0.8 of it")


if __name__ == "__main__":
    main()
