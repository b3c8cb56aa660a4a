"""funcnet's workloads across the ranks of MPI, as one more setting of the contest.

The contest runs in rank 0 of as many ranks as it has cores, all free to run on any of them. The
other ranks make some steps when rank 0 calls for them, and sleep in between: MPI's own way to wait
would keep the cores busy that others are timed on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from shutil import which
from time import perf_counter, sleep
from typing import Any, NamedTuple

import machine
import numpy as np
from funcnet_steps import LOSS, NAME, divisions, repeated
from timing import Contestant, Step
from workloads import WORKLOADS, Images, optimizer

import funcnet as fn

STEPS = 8  # of training, that ranks make at one call: a training loop has nobody who calls
AWAKE = 0.005  # seconds after a step in which a rank looks for the next one all the time
NAP = 0.005  # seconds it sleeps later on, from look to look: less than a hundredth of a core


class Ranks(NamedTuple):
    """MPI's world, and of each number of ranks the communicator of the first so many."""

    world: Any
    groups: dict[int, Any]


class Order(NamedTuple):
    """What to do: of which workload, divided among how many ranks, and the how-manieth time."""

    workload: str
    ranks: int
    call: int


# ---- starting them -----------------------------------------------------------------------------


def mpiexec(n: int, environment: dict[str, str]) -> list[str]:
    """The command that runs a Python program in ``n`` ranks, empty where a trial of it fails.

    Its options are Open MPI's. Empty as well without threadpoolctl, by which ranks compute in one
    thread each.
    """
    beside = Path(sys.executable).parent  # where pip puts it
    program = which("mpiexec", path=os.pathsep.join([str(beside), os.environ.get("PATH", "")]))
    if program is None or not all(map(machine.optional, ["mpi4py", "threadpoolctl"])):
        return []
    as_root = ["--allow-run-as-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    free = ["--bind-to", "none", "--oversubscribe"]
    # By mpi4py, so that one rank that fails ends all.
    command = [program, *as_root, *free, "-n", str(n), sys.executable, "-m", "mpi4py"]
    trial = [*command, "-c", "from mpi4py import MPI; print(MPI.COMM_WORLD.size)"]
    tried = subprocess.run(trial, env=environment, capture_output=True, text=True, check=False)
    return command if tried.stdout.split() == [str(n)] * n else []


def join(n: int) -> Ranks:
    """What this rank of ``n`` takes part in; all of them call it."""
    world = import_module("mpi4py.MPI").COMM_WORLD
    sizes = divisions([1, n])
    return Ranks(world, {size: world.Split(world.rank < size, world.rank) for size in sizes})


# ---- rank 0 ------------------------------------------------------------------------------------


def contestants(name: str, data: Images, ranks: Ranks) -> list[Contestant]:
    """The steps of a workload across each number of ranks."""
    how, steps = ("across_ranks", STEPS) if WORKLOADS[name].optimizer else ("predict", 1)
    return [
        Contestant(NAME, f"{how}, {n} ranks", led(name, n, data, ranks), per_call=steps)
        for n in ranks.groups
    ]


def led(name: str, n: int, data: Images, ranks: Ranks) -> Step:
    own = own_step(data, ranks, name, n)

    def step(i: int) -> object:
        for rank in range(1, n):
            ranks.world.send(Order(name, n, i), rank)
        return own(i)

    return step


def dismiss(ranks: Ranks) -> None:
    """Let the other ranks end."""
    for rank in range(1, ranks.world.size):
        ranks.world.send(None, rank)


# ---- the others --------------------------------------------------------------------------------


def follow(data: Images, ranks: Ranks) -> None:
    """Make the steps that rank 0 calls for, until it calls for no more."""
    if set_threads := machine.thread_setter():
        set_threads(1)
    step = lru_cache(partial(own_step, data, ranks))
    while order := called_for(ranks.world):
        step(order.workload, order.ranks)(order.call)


def own_step(data: Images, ranks: Ranks, name: str, n: int) -> Step:
    made = training_step if WORKLOADS[name].optimizer else reading_step
    return made(name, data, ranks.groups[n])


def called_for(world: Any) -> Order | None:
    """What rank 0 sends next."""
    began = perf_counter()
    while not world.iprobe(source=0):
        if perf_counter() - began > AWAKE:
            sleep(NAP)
    order: Order | None = world.recv(source=0)
    return order


# ---- all of them -------------------------------------------------------------------------------


def training_step(name: str, data: Images, comm: Any) -> Step:
    """The steps that all ranks of ``comm`` make together, from the same start on the same data."""
    workload = WORKLOADS[name]
    net, how = workload.net, optimizer(workload.optimizer)
    start = fn.TrainState.start(net.init(fn.Key(0), workload.shape), how, fn.Key(1))
    across = fn.across_ranks(fn.value_and_grad(net, LOSS), comm)
    batches = data.batches(workload.batch, workload.shape)
    one = repeated(fn.gradient_step(across, how), start, batches)
    return lambda call: [one(STEPS * call + i) for i in range(STEPS)]


def reading_step(name: str, data: Images, comm: Any) -> Step:
    """Each rank of ``comm`` reads its share of the images, and the first gets what all found."""
    workload = WORKLOADS[name]
    params = workload.net.init(fn.Key(0), workload.shape)
    own = np.array_split(data.x[: workload.batch], comm.size)[comm.rank]
    return lambda _: comm.gather(fn.predict(workload.net, params, own))
