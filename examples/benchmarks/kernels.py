"""Times single layers, pass by pass, and optimizers, on one core, beside PyTorch's.

    python examples/benchmarks/kernels.py
    python examples/benchmarks/kernels.py --quick    # see it run

It writes ``kernels.md`` and ``kernels.json`` into the folder ``--out``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import machine
import numpy as np
import torch_peers
from funcnet_steps import NAME as OURS
from kernel_cases import CASES, OPTIMIZERS, Case
from pages import listed, short, table, write
from timing import Contestant, Plan, Step, Timed, contest, fastest, ratios, run, spread

import funcnet as fn

Row: TypeAlias = dict[str, Any]

FULL, QUICK = Plan(rounds=7, seconds=0.06), Plan(rounds=1, seconds=1e-3, fewest=1)
VERSIONS = ("funcnet", "numpy", "torch")


class Timing(NamedTuple):
    """A pass of a layer: what it is, what it has to do at least, and who does it."""

    group: str
    title: str
    shape: tuple[int, ...]
    name: str
    operations: int
    bytes: int
    contestants: list[Contestant]


# ---- layers ------------------------------------------------------------------------------------


def layers(torch: Any) -> Iterator[Timing]:
    for group, cases in CASES.items():
        for case in cases:
            steps = {name: [Contestant(OURS, "", step)] for name, step in ours(case).items()}
            for layout, form in torch_peers.layouts(torch, len(case.shape)) if torch else []:
                for name, step in theirs(torch, case, form).items():
                    steps[name].append(Contestant(torch_peers.NAME, layout, step))
            about = group, repr(case.layer), case.shape
            for name in case.passes:
                yield Timing(*about, name, case.operations, case.bytes, steps[name])


def ours(case: Case) -> dict[str, Step]:
    """The passes, on images that lie channels-last in memory, as layers leave them."""
    layer, mode = case.layer, fn.Train(fn.Key(0))
    params, x = layer.init(fn.Key(0), case.shape[1:]), channels_last(case.shape)
    y, cache = layer.forward(params, x, mode)
    dy = channels_last(y.shape)
    return {
        "forward": lambda _: layer.forward(params, x, mode),
        "pull": lambda _: layer.pull(cache, dy),
        "grads": lambda _: layer.grads(cache, dy),
        "backward": lambda _: layer.backward(cache, dy),
    }


def channels_last(shape: tuple[int, ...]) -> Any:
    n, c, height, width = shape
    draw = np.random.default_rng(0)
    return draw.standard_normal((n, height, width, c), np.float32).transpose(0, 3, 1, 2)


def theirs(torch: Any, case: Case, form: Any) -> dict[str, Step]:
    """The passes in PyTorch; forward keeps what backward needs, as ours does."""
    module = case.peer(torch.nn).to(memory_format=form)
    x = torch.randn(case.shape).contiguous(memory_format=form).requires_grad_()
    y, weights = module(x), list(module.parameters())
    dy = torch.randn(y.shape).contiguous(memory_format=form)

    def gradients(*inputs: Any) -> Step:
        return lambda _: torch.autograd.grad(y, inputs, dy, retain_graph=True)

    return {
        "forward": lambda _: module(x),
        "pull": gradients(x),
        "grads": gradients(*weights),
        "backward": gradients(x, *weights),
    }


# ---- optimizers --------------------------------------------------------------------------------


def optimizers(torch: Any) -> Iterator[Timing]:
    """New parameters of the simple conv net, from gradients."""
    net = fn.models.simple_conv(1, 10)
    params = net.init(fn.Key(0), (1, 28, 28))
    y, cache = net.forward(params, channels_last((2, 1, 28, 28)), fn.Eval())
    grads, size = net.grads(cache, y), fn.count(params)
    for title, (optimizer, peer, arrays) in OPTIMIZERS.items():
        contestants = [Contestant(OURS, "", updating(optimizer, grads, params))]
        for setting, how in torch_peers.OPTIMIZERS.items() if torch else []:
            weights = list(torch_peers.model(torch, "C").parameters())
            for w in weights:
                w.grad = torch.ones_like(w)
            contestants.append(
                Contestant(torch_peers.NAME, setting, stepping(peer(torch.optim, weights, **how)))
            )
        bytes_moved = 4 * size * arrays
        yield Timing("Optimizers", title, (size,), "update", 0, bytes_moved, contestants)


def updating(optimizer: fn.Optimizer[Any], grads: fn.Grads, params: fn.Params) -> Step:
    start = optimizer.init(params)

    def step(_: int) -> object:
        updates, state = optimizer.update(grads, start, params)
        return fn.apply_updates(params, updates), state

    return step


def stepping(optimizer: Any) -> Step:
    return lambda _: optimizer.step()


# ---- the page ----------------------------------------------------------------------------------


def peaks() -> dict[str, float]:
    """What one core does at best: GFLOP/s of a product of matrices, GB/s of a copy.

    The copy is of as many numbers as the layers have that memory bounds.
    """
    a = np.random.default_rng(0).random((1536, 1536), np.float32)
    x, y = np.ones((2, 100, 16, 28, 28), np.float32)
    product = min(run(lambda _: a @ a, 1) for _ in range(10))
    copy = min(run(lambda _: np.copyto(y, x), 10) for _ in range(10)) / 10
    return {"GFLOP/s": 2e-9 * 1536**3 / product, "GB/s": 2e-9 * x.nbytes / copy}


def page(record: Row) -> str:
    peak = record["peaks"]
    parts = [
        "# Layers and optimizers, measured\n",
        f"`{record['command']}` made this page. Measured on one core of: "
        f"{listed(record['facts'])}.\n",
        f"A product of matrices of 1536x1536 ran at {short(peak['GFLOP/s'])} GFLOP/s, a copy of 5 "
        f"MB at {short(peak['GB/s'])} GB/s. These are the peaks that rates are set beside. A rate "
        "counts the operations of a direct convolution, of which some algorithms need fewer, or "
        "the bytes of an input and an output, once each. `pull` gives the gradient of the input, "
        "`grads` those of the parameters, `backward` both. PyTorch counts with the fastest of its "
        "layouts, and of its three kinds of each optimizer.\n",
    ]
    for group, rows in groupby(record["rows"], lambda row: row["group"]):
        heads = ["", "input, or parameters", "", "ms", "rate", "of peak", "PyTorch, ms", "ratio"]
        parts += [f"## {group}\n", table(heads, [cells(row, peak) for row in rows])]
    return "\n".join(parts)


def cells(row: Row, peak: dict[str, float]) -> list[str]:
    found = fastest([Timed(**each) for each in row["contestants"]])
    mine, other = found[OURS], found.get(torch_peers.NAME)
    ms = spread(mine.times).middle
    unit = "GFLOP/s" if row["operations"] else "GB/s"
    rate = (row["operations"] or row["bytes"]) / ms / 1e6
    beside = ["", ""]
    if other:
        ratio = spread(ratios(mine.times, other.times)).middle
        beside = [short(spread(other.times).middle), f"{ratio:.2f}"]
    of_peak = f"{100 * rate / peak[unit]:.0f}%"
    shape = "x".join(map(str, row["shape"]))
    return [f"`{row['title']}`", shape, row["name"], short(ms), f"{short(rate)} {unit}",
            of_peak, *beside]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="see it run; the figures mean little")
    parser.add_argument("--alone", action="store_true", help="without PyTorch")
    parser.add_argument("--out", type=Path, default=Path("output"), help="(default: output)")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    torch = None if options.alone else machine.optional("torch")
    set_threads = machine.thread_setter(torch) or (lambda n: None)
    set_threads(1)
    record: Row = {
        "command": " ".join(["python examples/benchmarks/kernels.py", *sys.argv[1:]]),
        "facts": machine.facts(VERSIONS),
        "peaks": peaks(),
        "rows": [],
    }
    for each in chain(layers(torch), optimizers(torch)):
        *about, contestants = each
        timed = [t._asdict() for t in contest(contestants, plan, set_threads)]
        record["rows"].append(dict(zip(Timing._fields, [*about, timed], strict=True)))
    write(options.out, "kernels", record, page)


if __name__ == "__main__":
    main()
