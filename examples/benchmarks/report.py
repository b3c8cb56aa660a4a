"""Makes the page and the picture of what ``compare.py`` found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from funcnet_steps import NAME as OURS
from numpy_peers import BARE
from pages import listed, short, table
from timing import Spread, Timed, best, fastest, joined, ratios, spread
from torch_peers import NAME as TORCH
from workloads import WORKLOADS

import funcnet as fn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Record: TypeAlias = "dict[str, Any]"
PICTURE = "results.svg"
PEERS = (TORCH, "JAX", "scikit-learn", "autograd")


class Contest(NamedTuple):
    """A workload on so many cores, and each library's fastest setting."""

    workload: str
    cores: int
    fastest: dict[str, Timed]

    def middle(self, library: str) -> float:
        """Its milliseconds a step; nan where it was not timed."""
        found = self.fastest.get(library)
        return spread(found.times).middle if found else float("nan")

    def ratio(self, libraries: Iterable[str]) -> Spread | None:
        """funcnet's time over that of the fastest of ``libraries``, round by round."""
        other = best(self.fastest[name] for name in libraries if name in self.fastest)
        return other and spread(ratios(self.fastest[OURS].times, other.times))


def contests(record: Record) -> list[Contest]:
    return [
        Contest(each["workload"], each["cores"], fastest([Timed(**t) for t in each["timed"]]))
        for each in record["contests"]
    ]


# ---- the page ----------------------------------------------------------------------------------


def page(record: Record) -> str:
    """All of it as Markdown."""
    found = contests(record)
    cores = sorted({each.cores for each in found})
    return "\n".join(
        [
            *("# Benchmarks, measured\n", opening(record)),
            *beside_torch(found, cores),
            *("## Milliseconds a step\n", SETTINGS),
            *(text for n in cores for text in times([c for c in found if c.cores == n])),
            *own_share([each for each in found if each.cores == 1]),
            *("## Import, memory, disk\n", imports(record), memory(record), disk(record)),
        ]
    )


def opening(record: Record) -> str:
    plan = record["plan"]
    return f"""\
`{record["command"]}` made this page, in {record["seconds"] / 60:.0f} minutes. \
[README.md](README.md) says what is timed, and how.

Measured on: {listed(record["facts"])}. The images are {record["images"]}. Up to {plan["rounds"]} \
rounds of runs of {plan["seconds"]:g} s, in turns; figures are medians over the rounds.
"""


def beside_torch(found: list[Contest], cores: list[int]) -> list[str]:
    if not any(TORCH in each.fastest for each in found):
        return []
    rows = []
    for name in dict.fromkeys(each.workload for each in found):
        workload, places = WORKLOADS[name], {c.cores: c for c in found if c.workload == name}
        cells = [verdict(places[n], workload.target) if n in places else "" for n in cores]
        rows.append([name, workload.title, f"{workload.target:g}", *cells])
    return [
        "## funcnet beside PyTorch\n",
        "funcnet's time over PyTorch's, with the middle half of the rounds. Below 1 funcnet is "
        "faster.\n",
        table(["", "", "target", *map(on_cores, cores)], rows),
        f"![Ratios of funcnet's time to PyTorch's]({PICTURE})\n",
    ]


def verdict(contest: Contest, target: float) -> str:
    ratio = contest.ratio([TORCH])
    if ratio is None:
        return ""
    met = "met" if round(ratio.middle, 2) <= target else "missed"
    return f"**{ratio.middle:.2f}** ({ratio.low:.2f} to {ratio.high:.2f}), {met}"


SETTINGS = """\
Each library in the fastest of its settings, which is named where it is not the usual one. \
"1 thread" or "2 threads" are fewer than there were cores to run on; "workers" are threads of \
`data_parallel` or `predict`, "ranks" processes of `across_ranks`, or that each `predict` a share.
"""


def times(found: list[Contest]) -> list[str]:
    libraries = [name for name in (OURS, *PEERS) if any(name in c.fastest for c in found)]
    rows = []
    for each in found:
        cells = [cell(each.fastest.get(name)) for name in libraries]
        ratio = each.ratio(PEERS)
        rows.append([each.workload, *cells, f"{ratio.middle:.2f}" if ratio else ""])
    heads = ["", *libraries, "funcnet / fastest other"]
    return [f"### {on_cores(found[0].cores)}\n", table(heads, rows)]


def cell(timed: Timed | None) -> str:
    return joined(short(spread(timed.times).middle), timed.setting) if timed else ""


def own_share(found: list[Contest]) -> list[str]:
    rows = []
    for each in found:
        ratio = each.ratio([BARE])
        if ratio:
            share = f"{100 * (1 - 1 / ratio.middle):.0f}%"
            rows.append([each.workload, short(each.middle(OURS)), short(each.middle(BARE)), share])
    if not rows:
        return []
    return [
        "## funcnet's own share\n",
        "The same arithmetic written out in NumPy, on 1 core, and the share of a step that is "
        "funcnet's own.\n",
        table(["", "funcnet", "bare NumPy", "share"], rows),
    ]


def imports(record: Record) -> str:
    rows = []
    for each in record["imports"]:
        low, middle, high = map(short, spread(each["milliseconds"]))
        rows.append([f"`import {each['package']}`", middle, f"{low} to {high}"])
    return table(["after `import numpy`, or the first", "ms", "middle half"], rows)


def memory(record: Record) -> str:
    uses = {"training": "steps of training D", "inference": "images read by D"}
    rows = []
    for each in record["memory"]:
        above = each["peak"] - each["imported"]
        figures = [f"{mb:.0f}" for mb in (each["imported"], above, each["peak"])]
        rows.append([each["package"], f"{each['amount']:,} {uses[each['use']]}", *figures])
    return table(["most memory", "", "imported, MB", "above that", "in all"], rows)


def disk(record: Record) -> str:
    rows = []
    for each in record["disk"]:
        rest = ", ".join(name for name in each["with"] if name != each["package"])
        rows.append([each["package"], f"{each['megabytes']:.0f}", rest])
    return table(["installed", "MB", "with"], rows)


def on_cores(n: int) -> str:
    return f"{n} core{'s' * (n > 1)}"


# ---- the picture -------------------------------------------------------------------------------


def ratios_drawn(record: Record) -> fn.plotting.Drawing:
    """A bar for each workload and number of cores: funcnet's time over PyTorch's."""
    found = contests(record)
    names = list(dict.fromkeys(each.workload for each in found))
    cores = sorted({each.cores for each in found})
    width = 0.8 / len(cores)

    def drawing(axes: Axes) -> None:
        for i, n in enumerate(cores):
            shown = [(c, r) for c in found if c.cores == n and (r := c.ratio([TORCH]))]
            places = [
                names.index(c.workload) + (i - (len(cores) - 1) / 2) * width for c, _ in shown
            ]
            middles = [r.middle for _, r in shown]
            reach = [[r.middle - r.low for _, r in shown], [r.high - r.middle for _, r in shown]]
            axes.bar(places, middles, width, yerr=reach, label=on_cores(n), color=f"C{i}")
        for place, name in enumerate(names):
            axes.hlines(WORKLOADS[name].target, place - 0.45, place + 0.45, "black", "dotted")
        axes.axhline(1.0, color="black", linewidth=1)
        axes.set(ylabel="funcnet's time / PyTorch's", xticks=range(len(names)), xticklabels=names)
        axes.legend(title="dotted: the target", loc="upper left", bbox_to_anchor=(1, 1))

    return drawing
