"""Times whole training steps (forward, loss, backward, optimizer) beside PyTorch's.

    python examples/benchmarks/baseline.py                # all workloads, on all cores
    python examples/benchmarks/baseline.py D --threads 1  # one workload, on one thread

The contestants take turns in short runs, so that whatever else the machine does meets all alike.
PyTorch runs eagerly, with fused optimizers and in both of its memory layouts; the ratio is to the
faster one. Without PyTorch, funcnet is timed alone.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import Any

import numpy as np
from torch_peers import Step, optional, training_step
from workloads import WORKLOADS, Workload, training_images

import funcnet as fn

BATCH = 100


def funcnet_step(workload: Workload, batches: Sequence[fn.Batch[Any, Any]]) -> Step:
    """One training step a call; the state goes from call to call, as in a loop."""
    net, optimizer = workload.net, workload.optimizer
    step = fn.train_step(net, fn.softmax_cross_entropy(), optimizer)
    state = fn.TrainState.start(net.init(fn.Key(0), workload.shape), optimizer, fn.Key(1))

    def run(i: int) -> object:
        nonlocal state
        state = step(state, batches[i % len(batches)])
        return state.loss

    return run


def contestants(letter: str, images: fn.Batch[Any, Any], torch: Any) -> dict[str, Step]:
    workload = WORKLOADS[letter]()
    x = images.x.reshape(-1, *workload.shape)
    batches = [fn.Batch(x[i : i + BATCH], images.t[i : i + BATCH]) for i in range(0, len(x), BATCH)]
    steps = {"funcnet": funcnet_step(workload, batches)}
    if torch is not None:
        steps["torch"] = training_step(torch, letter, batches, channels_last=False)
        if len(workload.shape) == 3:
            steps["torch, channels last"] = training_step(torch, letter, batches, True)
    return steps


def milliseconds(steps: Mapping[str, Step], rounds: int, seconds: float) -> dict[str, Any]:
    """For each contestant its milliseconds a step, one figure for each round.

    A run lasts about ``seconds``. A quarter as much goes before it untimed: threads of the
    contestant before, which wait actively for more work, have then gone to sleep.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    counts = {name: max(1, round(seconds / _seconds(step, 3))) for name, step in steps.items()}
    for _ in range(rounds):
        for name, step in steps.items():
            _seconds(step, -(-counts[name] // 4))
            times[name].append(1e3 * _seconds(step, counts[name]))
    return {name: np.array(each) for name, each in times.items()}


def _seconds(step: Step, count: int) -> float:
    """Seconds a step, over ``count`` of them."""
    start = perf_counter()
    for i in range(count):
        step(i)
    return (perf_counter() - start) / count


def report(letter: str, times: Mapping[str, Any]) -> None:
    """A line for each contestant, then the median over the rounds of the ratio to the best."""
    print(f"{letter}: {WORKLOADS[letter]().title}")
    for name, each in times.items():
        low, middle, high = np.percentile(each, [25, 50, 75])
        print(f"   {name:22}{middle:9.3f} ms a step   (middle half {low:.3f} to {high:.3f})")
    peers = [name for name in times if name != "funcnet"]
    if peers:
        best = min(peers, key=lambda name: float(np.median(times[name])))
        low, middle, high = np.percentile(times["funcnet"] / times[best], [25, 50, 75])
        print(f"   {f'funcnet / {best}':22}   {middle:.2f}   (middle half {low:.2f} to {high:.2f})")


def blas_threads(threads: int) -> AbstractContextManager[Any]:
    """NumPy's products on that many threads, where threadpoolctl is there to say so."""
    control = optional("threadpoolctl")
    if control is None:
        print("NumPy uses its own number of threads; pip install 'funcnet[bench]' to set it")
        return nullcontext()
    limits: AbstractContextManager[Any] = control.threadpool_limits(threads, user_api="blas")
    return limits


def cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main() -> None:
    parser = argparse.ArgumentParser(description="Times training steps beside PyTorch's.")
    parser.add_argument("workloads", nargs="*", metavar="A C D", help="which; all by default")
    parser.add_argument("--threads", type=int, default=cores(), help="all cores by default")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.2, help="length of one run")
    options = parser.parse_args()
    letters = options.workloads or list(WORKLOADS)
    if unknown := set(letters) - set(WORKLOADS):
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    if options.threads < 1:
        parser.error("--threads is at least 1")

    images, source = training_images(20 * BATCH)
    torch = optional("torch")
    if torch is None:
        print("PyTorch is not installed: funcnet alone. pip install 'funcnet[bench]' to compare")
    else:
        torch.set_num_threads(options.threads)
    with blas_threads(options.threads):
        print(f"batches of {BATCH}, {options.threads} threads, {source}")
        for letter in letters:
            steps = contestants(letter, images, torch)
            report(letter, milliseconds(steps, options.rounds, options.seconds))


if __name__ == "__main__":
    main()
