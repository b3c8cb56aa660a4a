"""Times the workloads on so many cores, in this process.

``compare.py`` starts it once for each number of cores: pools of threads get their size as a process
starts, and "one core" is one only where the process may run on no other. With ``--ranks`` it is one
of as many ranks of MPI; rank 0 times, the others take part in the steps that are divided.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import bare
import funcnet_steps
import jax_peers
import machine
import numpy_peers
import ranked
import torch_peers
from networks import SIZES
from pages import short
from timing import Contestant, Plan, Timed, contest, fastest, ratios, spread
from workloads import WORKLOADS, Batches, Images, images, optimizer

PEERS = ("torch", "jax", "sklearn", "autograd")
FULL, QUICK = Plan(), Plan(rounds=2, seconds=0.005, budget=1.0, fewest=1)
AT_ONCE = 20  # batches that scikit-learn gets in a call


def contestants(
    name: str,
    data: Images,
    peers: Mapping[str, Any],
    threads: Sequence[int],
    ranks: ranked.Ranks | None = None,
) -> list[Contestant]:
    """Everybody who has the workload, in all settings.

    ``threads`` are the numbers to try. Fewer than there are cores are tried of what may be too
    small to be divided among all: not of PyTorch on images, nor of inference.
    """
    workload = WORKLOADS[name]
    found = ranked.contestants(name, data, ranks) if ranks else []
    if not workload.optimizer:
        return found + inference(name, data.x[: workload.batch], peers, max(threads))
    return found + training(name, data.batches(workload.batch, workload.shape), peers, threads)


def training(
    name: str, batches: Batches, peers: Mapping[str, Any], threads: Sequence[int]
) -> list[Contestant]:
    workload, letter, n = WORKLOADS[name], name[0], max(threads)
    how = workload.optimizer
    found = funcnet_steps.training(workload.net, optimizer(how), batches, workload.shape, threads)
    if torch := peers.get("torch"):
        make = partial(torch_peers.model, torch, letter)
        dense = len(workload.shape) == 1
        found += torch_peers.training(torch, make, how, batches, threads if dense else [n])
    if jax := peers.get("jax"):
        found += jax_peers.training(jax, letter, how, batches, n)
    if "sklearn" in peers and letter in SIZES:
        found += numpy_peers.scikit_learn(letter, how, batches[:AT_ONCE], threads)
    if "autograd" in peers and letter in SIZES:
        found += numpy_peers.autograd(letter, how, batches, threads)
    if name in bare.STEPS:
        found += numpy_peers.without_a_library(name, batches, threads)
    return found


def inference(name: str, x: Any, peers: Mapping[str, Any], threads: int) -> list[Contestant]:
    workload = WORKLOADS[name]
    found = funcnet_steps.inference(workload.net, workload.shape, x, threads)
    if torch := peers.get("torch"):
        found += torch_peers.inference(torch, partial(torch_peers.model, torch, name), x, threads)
    if jax := peers.get("jax"):
        found += jax_peers.inference(jax, name, x, threads)
    return found


def line(name: str, timed: Sequence[Timed]) -> str:
    """Each library's best, in milliseconds, and the ratio to PyTorch's."""
    found = fastest(timed)
    shown = [f"{library} {short(spread(t.times).middle)}" for library, t in found.items()]
    if torch_peers.NAME in found:
        ours, theirs = found[funcnet_steps.NAME], found[torch_peers.NAME]
        ratio = spread(ratios(ours.times, theirs.times)).middle
        shown.append(f"{ratio:.2f} of {torch_peers.NAME}'s")
    return f"  {name:7} ms: {', '.join(shown)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", type=int, default=machine.cores())
    parser.add_argument("--ranks", action="store_true", help="in as many ranks of MPI")
    parser.add_argument("--json", type=Path, required=True, help="the file to write")
    add_options(parser)
    options = parser.parse_args()
    check(parser, options)
    data = images(300 if options.quick else 20_000)
    ranks = ranked.join(options.threads) if options.ranks else None
    if ranks and ranks.world.rank:
        ranked.follow(data, ranks)
        return
    record = measured(options, data, ranks)
    options.json.write_text(json.dumps(record), encoding="utf-8")
    if ranks:
        ranked.dismiss(ranks)


def measured(
    options: argparse.Namespace, data: Images, ranks: ranked.Ranks | None
) -> dict[str, Any]:
    modules = {name: machine.optional(name) for name in options.peers}
    peers = {name: module for name, module in modules.items() if module is not None}

    set_threads = machine.thread_setter(peers.get("torch"))
    n = options.threads
    threads = sorted({1, min(2, n), n}) if set_threads else [n]
    print(f"{options.threads} core{'s' * (options.threads > 1)}, {data.source}", flush=True)
    found = []
    for name in options.workloads:
        everybody = contestants(name, data, peers, threads, ranks)
        timed = contest(everybody, plan(options), set_threads or (lambda n: None))
        print(line(name, timed), flush=True)
        found.append(
            {"workload": name, "cores": options.threads, "timed": [t._asdict() for t in timed]}
        )
    return {"images": data.source, "contests": found}


def add_options(parser: argparse.ArgumentParser) -> None:
    """What ``compare.py`` is asked, and asks in turn."""
    names = ", ".join(WORKLOADS)
    parser.add_argument("workloads", nargs="*", metavar="A", help=f"of {names}; all by default")
    parser.add_argument("--quick", action="store_true", help="see it run; the figures mean little")
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS, help="beside funcnet")
    parser.add_argument("--rounds", type=int, help=f"(default: {FULL.rounds})")
    parser.add_argument("--seconds", type=float, help=f"of a run (default: {FULL.seconds})")


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Fill in the workloads, all where none is named, and refuse unknown ones."""
    options.workloads = options.workloads or list(WORKLOADS)
    if unknown := set(options.workloads) - set(WORKLOADS):
        there = ", ".join(WORKLOADS)
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {there}")


def arguments(options: argparse.Namespace, threads: int, ranks: bool) -> list[str]:
    """The options, as they are written for another process."""
    found = [*options.workloads, "--threads", str(threads)]
    found += ["--ranks"] if ranks else []
    found += ["--quick"] if options.quick else []
    found += ["--rounds", str(options.rounds)] if options.rounds else []
    found += ["--seconds", str(options.seconds)] if options.seconds else []
    return [*found, "--peers", *options.peers]


def plan(options: argparse.Namespace) -> Plan:
    usual = QUICK if options.quick else FULL
    return usual._replace(
        rounds=options.rounds or usual.rounds, seconds=options.seconds or usual.seconds
    )


if __name__ == "__main__":
    main()
