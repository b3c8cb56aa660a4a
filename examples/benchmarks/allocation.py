"""Times steps in processes of their own, with memory kept from step to step and without.

``python allocation.py D kept 20`` is one: it prints the milliseconds of a step of D, the median of
20. With ``default`` in place of ``kept`` a line of ``funcnet/windows.py`` does nothing, which
bids glibc keep memory.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from importlib import import_module
from unittest.mock import patch

WAYS = ("kept", "default")
WARM_UP = 3


def measured(
    name: str, rounds: int, steps: int, environment: dict[str, str]
) -> dict[str, list[float]]:
    """Milliseconds a step each way, one figure a round."""
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, own in times.items():
            command = [sys.executable, __file__, name, way, str(steps)]
            found = subprocess.run(
                command, stdout=subprocess.PIPE, text=True, check=True, env=environment
            )
            own.append(float(found.stdout))
    return times


def child(name: str, way: str, steps: int) -> None:
    # The line makes an array while funcnet is imported, and nothing else does.
    with patch("numpy.empty") if way == "default" else nullcontext():
        import_module("funcnet")
    tricks, workloads, timing = map(import_module, ["tricks", "workloads", "timing"])
    # Few, and none from a file: an array so large as MNIST's bids glibc the same once it is freed.
    step = tricks.step_of(name, workloads.random_images(tricks.READ))
    timing.run(step, WARM_UP)
    times = [timing.run(step, 1) for _ in range(steps)]
    print(1e3 * timing.spread(times).middle)


if __name__ == "__main__":
    child(sys.argv[1], sys.argv[2], int(sys.argv[3]))
