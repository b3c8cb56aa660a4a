"""Times training steps with each of funcnet's tricks switched off, on one core.

    python examples/benchmarks/tricks.py
    python examples/benchmarks/tricks.py --quick    # see it run

It writes ``tricks.md`` and ``tricks.json`` into the folder ``--out``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

import allocation
import machine
from funcnet_steps import LOSS, reading, repeated
from pages import listed, short, table, write
from timing import Contestant, Plan, Step, calls, milliseconds, ratios, spread
from trick_cases import KEPT, NETWORKS, TRICKS, Switch, Trick, switched
from workloads import WORKLOADS, Images, images, optimizer

import funcnet as fn

Row: TypeAlias = dict[str, Any]

FULL, QUICK = Plan(rounds=13, seconds=0.12, budget=40.0), Plan(rounds=1, seconds=1e-3, fewest=1)
READ = 1000  # images in a call of F
VERSIONS = ("funcnet", "numpy")


# ---- what is timed -----------------------------------------------------------------------------


def step_of(name: str, data: Images) -> Step:
    """A training step, or for F the reading of some images."""
    workload = WORKLOADS.get(name, WORKLOADS[name[0]])
    net, shape = NETWORKS[name](), workload.shape
    params = net.init(fn.Key(0), shape)
    if not workload.optimizer:
        return reading(net, params, data.x[:READ], 256, 1)
    how = optimizer(workload.optimizer)
    start = fn.TrainState.start(params, how, fn.Key(1))
    batches = data.batches(workload.batch, shape)
    return repeated(fn.train_step(net, LOSS, how), start, batches)


def under(switches: Sequence[Switch], make: Callable[[], Step]) -> Step:
    """The step that is made and run while ``switches`` are set."""
    with switched(switches):
        own = make()

    def step(i: int) -> object:
        with switched(switches):
            return own(i)

    return step


def switches(trick: Trick) -> list[Switch]:
    over = [each for each in TRICKS if each.title == trick.under]
    return [switch for each in [*over, trick] for switch in each.off]


def measure(name: str, data: Images, plan: Plan) -> tuple[list[float], list[Row]]:
    """Milliseconds a step by round, as it is, and without each trick; all in turns."""
    tricks = [each for each in TRICKS if each.off and name in each.workloads.split()]
    make = partial(step_of, name, data)
    contestants = [Contestant("", "", under([], make))]
    contestants += [Contestant(t.title, "", under(switches(t), make)) for t in tricks]
    counts = [calls(each.step, plan.seconds) for each in contestants]
    found = milliseconds(contestants, counts, plan, lambda n: None)
    times = {each.library: own for each, own in zip(contestants, found, strict=True)}
    return times[""], [row(t, name, times[t.under], times[t.title]) for t in tricks]


def kept(rounds: int, steps: dict[str, int]) -> list[Row]:
    """The same of memory that is kept, which takes a new process for each figure."""
    with machine.limited_to(1) as environment:
        found = {
            name: allocation.measured(name, rounds, n, environment) for name, n in steps.items()
        }
    return [row(KEPT, name, each["kept"], each["default"]) for name, each in found.items()]


def row(trick: Trick, name: str, there: list[float], without: list[float]) -> Row:
    about = {key: getattr(trick, key) for key in ("group", "title", "instead", "where")}
    return {**about, "workload": name, "there": there, "without": without}


# ---- the page ----------------------------------------------------------------------------------


def page(record: Row) -> str:
    steps = ", ".join(f"{name} {short(spread(t).middle)}" for name, t in record["steps"].items())
    parts = [
        "# How the speed is had, measured\n",
        f"`{record['command']}` made this page. Measured on one core of: "
        f"{listed(record['facts'])}.\n",
        "The time of a step without a trick over that with it, and the middle half of the rounds: "
        "1.5 says that without it a step takes half as long again. All else is as it is. "
        "[README.md](README.md) says what the letters mean, and what each trick is about. "
        f"B-dropout is B with dropout after each ReLU; F reads {READ:,} images.\n",
        f"Milliseconds of a step as it is: {steps}.\n",
    ]
    for group, rows in groupby(record["rows"], lambda each: str(each["group"])):
        parts += [f"## {group}\n", tricks_of(list(rows))]
    return "\n".join(parts)


def tricks_of(rows: list[Row]) -> str:
    names = [name for name in NETWORKS if any(each["workload"] == name for each in rows)]
    lines = []
    for title, group in groupby(rows, lambda each: str(each["title"])):
        own = {each["workload"]: each for each in group}
        first = next(iter(own.values()))
        cells = [ratio(own[name]) if name in own else "" for name in names]
        lines.append([title, first["instead"], link(first["where"]), *cells])
    return table(["with", "without", "where", *names], lines)


def ratio(row: Row) -> str:
    low, middle, high = spread(ratios(row["without"], row["there"]))
    return f"**{middle:.2f}** ({low:.2f} to {high:.2f})"


def link(where: str) -> str:
    """A file, and the function there.

    >>> link("tree.py: Tree.fresh")
    '[tree.py](../../funcnet/tree.py) `Tree.fresh`'
    """
    file, _, function = where.partition(": ")
    return f"[{file}](../../funcnet/{file})" + f" `{function}`" * bool(function)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="see it run; the figures mean little")
    parser.add_argument("--out", type=Path, default=Path("output"), help="(default: output)")
    options = parser.parse_args()
    plan, data = (QUICK, images(300)) if options.quick else (FULL, images(20_000))
    record: Row = {
        "command": " ".join(["python examples/benchmarks/tricks.py", *sys.argv[1:]]),
        "facts": machine.facts(VERSIONS),
        "steps": {},
    }
    (machine.thread_setter() or (lambda n: None))(1)
    rows = kept(1, {"C": 1}) if options.quick else kept(5, {"C": 60, "D": 20, "F": 5})
    for name in NETWORKS:
        print(name, flush=True)
        record["steps"][name], found = measure(name, data, plan)
        rows += found
    titles = [each.title for each in TRICKS]
    record["rows"] = sorted(rows, key=lambda each: titles.index(each["title"]))
    write(options.out, "tricks", record, page)


if __name__ == "__main__":
    main()
