"""Compares funcnet with PyTorch, JAX, scikit-learn and autograd, as far as they are installed.

    python examples/benchmarks/compare.py              # all of it, on 1, 2 and all cores
    python examples/benchmarks/compare.py A D --cores 1
    python examples/benchmarks/compare.py --quick      # see it run

It writes ``results.md``, ``results.json`` and ``results.svg`` into the folder ``--out``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import contest
import footprint
import machine
import ranked
import report
from pages import save, write
from timing import TRIED, Plan

import funcnet as fn

HERE = Path(__file__).parent
VERSIONS = ("funcnet", "numpy", "torch", "jax", "scikit-learn", "autograd", "mpi4py")


def main() -> None:
    options = read_options()
    began, plan, facts = time.perf_counter(), contest.plan(options), machine.facts(VERSIONS)
    if not options.quick:
        minutes = expected(len(options.workloads) * len(options.cores), plan) / 60
        print(f"This takes about {minutes:.0f} minutes. What else runs meanwhile is measured, too.")
    found = [timed(cores, options) for cores in options.cores]
    print("import, memory, disk")
    record = {
        "command": " ".join(["python examples/benchmarks/compare.py", *sys.argv[1:]]),
        "facts": facts,
        "plan": plan._asdict(),
        "images": found[0]["images"],
        "contests": [each for part in found for each in part["contests"]],
        **footprints(options.peers, options.quick),
    }
    record["seconds"] = round(time.perf_counter() - began)
    write(options.out, "results", record, report.page)
    picture = fn.plotting.figure(report.ratios_drawn(record), size=(9.0, 3.5))
    save(picture, options.out / report.PICTURE)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = sorted({n for n in (1, 2, machine.cores()) if n <= machine.cores()})
    contest.add_options(parser)
    parser.add_argument("--cores", type=int, nargs="+", default=every, help="1, 2 and all of them")
    parser.add_argument("--out", type=Path, default=Path("output"), help="(default: output)")
    options = parser.parse_args()
    contest.check(parser, options)
    options.cores = sorted(set(options.cores))
    if not all(1 <= n <= machine.cores() for n in options.cores):
        parser.error(f"--cores are 1 to {machine.cores()}")
    if machine.optional("matplotlib") is None:
        parser.error("matplotlib is missing; install the extra: pip install '.[bench]'")
    return options


def expected(contests: int, plan: Plan) -> float:
    """Seconds: of each contest, about 12 settings on trial and then 7 in rounds of their own.

    Networks and data are to be made before, and some steps are longer than a run is to be.
    """
    runs = 12 * TRIED / 2 + 7 * plan.rounds
    return 60 + contests * (5 + 1.25 * runs * plan.seconds)


def timed(cores: int, options: argparse.Namespace) -> Any:
    """What ``contest.py`` finds, in a fresh process on so many cores, or in as many of MPI's."""
    with tempfile.TemporaryDirectory() as folder, machine.limited_to(cores) as environment:
        file = Path(folder) / "found.json"
        ranks = ranked.mpiexec(cores, environment) if cores > 1 else []
        command = [*(ranks or [sys.executable]), str(HERE / "contest.py")]
        command += [*contest.arguments(options, cores, bool(ranks)), "--json", str(file)]
        subprocess.run(command, env=environment, check=True)
        return json.loads(file.read_text(encoding="utf-8"))


def footprints(peers: Sequence[str], quick: bool) -> dict[str, Any]:
    there = [name for name in ("torch", "jax") if name in peers and machine.installed(name)]
    trained = ["funcnet", *[name for name in there if name == "torch"]]
    amounts = footprint.QUICK if quick else footprint.AMOUNTS
    with machine.limited_to(1):
        return {
            "imports": footprint.imports(1 if quick else 7, ["numpy", "funcnet", *there]),
            "memory": footprint.memory(trained, amounts),
            "disk": footprint.disk(["funcnet", *there]),
        }


if __name__ == "__main__":
    main()
