"""What the benchmarks run on: cores and threads, and what to say of them beside a figure."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What libraries read, as they start, for the size of their pools of threads."""
BRIEFLY = {"OPENBLAS_THREAD_TIMEOUT": "24"}
"""OpenBLAS's threads wait actively for more work: 2**24 cycles, some milliseconds, which is longer
than they get none within a step. It is 2**28 by default, a tenth of a second: they would keep the
cores busy in the turns of others."""


def optional(name: str) -> Any:
    """The module ``name``, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def limited_to(n: int) -> Iterator[dict[str, str]]:
    """Processes started meanwhile run on ``n`` cores; gives the environment to start them with.

    The last cores are taken, since the first is often the busiest with interrupts. Where a system
    cannot bind processes to cores, only the environment limits them.
    """
    environment = {**os.environ, **dict.fromkeys(POOLS, str(n)), **BRIEFLY}
    if not hasattr(os, "sched_setaffinity"):
        yield environment
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[-n:])
    try:
        yield environment
    finally:
        os.sched_setaffinity(0, allowed)


def thread_setter(torch: Any = None) -> Callable[[int], object] | None:
    """A function that sets the threads of NumPy's products, and of PyTorch where it is given.

    None where threadpoolctl, which it takes, is not installed.
    """
    control = optional("threadpoolctl")
    if control is None:
        return None
    pools = control.ThreadpoolController()

    def set_threads(n: int) -> None:
        pools.limit(limits=n, user_api="blas")
        if torch is not None:
            torch.set_num_threads(n)

    return set_threads


def facts(packages: Sequence[str]) -> dict[str, str]:
    """The machine and what is installed on it, by name."""
    found = {
        "processor": processor(),
        "cores": str(cores()),
        "system": f"{platform.system()} {platform.machine()}",
        "load at the start": load(),
        "Python": platform.python_version(),
        "BLAS of NumPy": blas(),
    }
    return found | {name: text for name in packages if (text := installed(name))}


def installed(package: str) -> str:
    """The version of a package, empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def load() -> str:
    """Processes that ran or waited for a core, the mean of the last minute."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def blas() -> str:
    """The library of NumPy's matrix products."""
    config: Any = np.show_config(mode="dicts")
    found = config["Build Dependencies"]["blas"]
    return f"{found['name']} {found['version']}"


def peak() -> float:
    """The most memory that this process has had so far, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what `resource` says counts that of the process which started this one
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    usage = optional("resource")
    if usage is None:
        return float("nan")
    largest: int = usage.getrusage(usage.RUSAGE_SELF).ru_maxrss
    return largest / (2**20 if platform.system() == "Darwin" else 1024)
