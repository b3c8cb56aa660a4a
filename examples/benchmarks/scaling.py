"""What a training step costs as batches, widths, depths and images grow, beside PyTorch's.

    python examples/benchmarks/scaling.py
    python examples/benchmarks/scaling.py --quick    # see it run

On one core, by SGD. It writes ``scaling.md``, ``scaling.json`` and ``scaling.svg`` into ``--out``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import funcnet_steps
import machine
import numpy as np
import torch_peers
from pages import listed, save, short, table, write
from timing import Contestant, Plan, Timed, contest, fastest, ratios, spread
from workloads import optimizer

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row: TypeAlias = dict[str, Any]

FULL, QUICK = Plan(rounds=5, seconds=0.1, fewest=3), Plan(rounds=1, seconds=1e-3, fewest=1)
VERSIONS = ("funcnet", "numpy", "torch")
OURS, TORCH = funcnet_steps.NAME, torch_peers.NAME


class Point(NamedTuple):
    """A network, ours and PyTorch's (made of ``torch.nn``), and the shape of a batch."""

    net: fn.Layer[Any, Any]
    peer: Callable[[Any], Any]
    shape: tuple[int, ...]


def dense(batch: int = 128, width: int = 100, depth: int = 4) -> Point:
    """784 inputs, ``depth`` hidden layers of ``width`` with ReLU, 10 outputs."""
    hidden = [width] * depth
    net = fn.models.multi_layer(784, hidden, 10)
    return Point(net, lambda nn: torch_peers.dense(nn, [784, *hidden, 10]), (batch, 784))


def convolutional(pixels: int) -> Point:
    """Two convolutions of 3x3, each with a pool, on 32 images in colour."""
    net = (
        *(fn.conv2d(3, 16, 3, pad=1), fn.relu(), fn.max_pool2d(2)),
        *(fn.conv2d(16, 32, 3, pad=1), fn.relu(), fn.max_pool2d(2)),
        *(fn.flatten(), fn.dense(..., 10)),
    )
    n = 32 * (pixels // 4) ** 2

    def peer(nn: Any) -> Any:
        return nn.Sequential(
            *(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(n, 10)),
        )

    return Point(fn.sequential(*net), peer, (32, 3, pixels, pixels))


CURVES: dict[str, tuple[Callable[[int], Point], Sequence[int]]] = {
    "batch": (lambda n: dense(batch=n), (1, 4, 16, 64, 256, 1024)),
    "width": (lambda n: dense(width=n), (16, 32, 64, 128, 256, 512, 1024)),
    "depth": (lambda n: dense(depth=n), (1, 2, 4, 8, 16, 32)),
    "pixels": (convolutional, (8, 16, 32, 64)),
}
"""What grows, the network that is trained there, and where it is timed."""
EXPLAINED = {
    "batch": "The size of the batch: 784-100x4-10.",
    "width": "The width of four hidden layers: 784-?x4-10, batch 128.",
    "depth": "The number of hidden layers of 100: 784-100x?-10, batch 128.",
    "pixels": "The pixels of an image each way: two convolutions of 3x3, to 16 and 32 channels, "
    "each with ReLU and a pool, and a dense layer; batches of 32 images in colour.",
}


# ---- what is timed -----------------------------------------------------------------------------


def contestants(point: Point, torch: Any) -> list[Contestant]:
    draw = fn.Key(0).child("batches").generator()
    x = draw.standard_normal((2, *point.shape), np.float32)
    x *= np.float32(0.1)  # small, so that the deepest and the widest do not diverge
    t = draw.integers(10, size=(2, point.shape[0]))
    batches = [fn.Batch(x[i], t[i]) for i in range(2)]
    found = funcnet_steps.training(point.net, optimizer("sgd"), batches, point.shape[1:], [1])
    if torch:
        found += torch_peers.training(torch, partial(point.peer, torch.nn), "sgd", batches, [1])
    return found


def measure(torch: Any, plan: Plan) -> list[Row]:
    set_threads = machine.thread_setter(torch) or (lambda n: None)
    set_threads(1)
    rows = []
    for curve, (make, places) in CURVES.items():
        print(EXPLAINED[curve], flush=True)
        for at in places[: 2 if plan is QUICK else None]:
            timed = contest(contestants(make(at), torch), plan, set_threads)
            rows.append({"curve": curve, "at": at, "timed": [each._asdict() for each in timed]})
    return rows


# ---- the page and the picture ------------------------------------------------------------------


def page(record: Row) -> str:
    parts = [
        "# Scaling, measured\n",
        f"`{record['command']}` made this page. Measured on one core of: "
        f"{listed(record['facts'])}.\n",
        "Milliseconds of a training step by SGD, medians over the rounds.\n",
        "![Milliseconds a step](scaling.svg)\n",
    ]
    for curve, rows in groupby(record["rows"], lambda row: str(row["curve"])):
        heads = [curve, OURS, TORCH, "ratio"]
        parts += [EXPLAINED[curve] + "\n", table(heads, [cells(row) for row in rows])]
    return "\n".join(parts)


def cells(row: Row) -> list[str]:
    found = fastest([Timed(**each) for each in row["timed"]])
    mine, other = found[OURS], found.get(TORCH)
    first = [str(row["at"]), short(spread(mine.times).middle)]
    if other is None:
        return [*first, "", ""]
    ratio = spread(ratios(mine.times, other.times)).middle
    return [*first, short(spread(other.times).middle), f"{ratio:.2f}"]


def drawings(record: Row) -> list[fn.plotting.Drawing]:
    """A panel for each curve, both of its axes by powers."""
    found = []
    for curve, group in groupby(record["rows"], lambda row: str(row["curve"])):
        rows = [(row["at"], fastest([Timed(**each) for each in row["timed"]])) for row in group]
        lines = {}
        for name in (OURS, TORCH):
            there = [(at, spread(each[name].times).middle) for at, each in rows if name in each]
            if there:
                at, ms = zip(*there, strict=True)
                lines[name] = (at, ms)
        drawn = fn.plotting.curves(lines, x=curve, y="ms a step", markers=".")
        found.append(fn.plotting.over(drawn, by_powers_of_two))
    return found


def by_powers_of_two(axes: Axes) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="see it run; the figures mean little")
    parser.add_argument("--alone", action="store_true", help="without PyTorch")
    parser.add_argument("--out", type=Path, default=Path("output"), help="(default: output)")
    options = parser.parse_args()
    record: Row = {
        "command": " ".join(["python examples/benchmarks/scaling.py", *sys.argv[1:]]),
        "facts": machine.facts(VERSIONS),
        "rows": measure(
            None if options.alone else machine.optional("torch"), QUICK if options.quick else FULL
        ),
    }
    write(options.out, "scaling", record, page)
    save(fn.plotting.figure(*drawings(record), columns=2), options.out / "scaling.svg")


if __name__ == "__main__":
    main()
