"""What the lessons share: their arguments, and the record of what came out.

A lesson is a script of parts; a part is a function of the ``Setting`` that gives a ``Part``: what
was found, beside what the course recorded. ``teach`` runs them, prints them, draws them, and leaves
their figures as a JSON file, from which ``gallery.py`` makes the page that shows all lessons.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

import funcnet as fn

try:
    from tqdm import tqdm
except ImportError:
    sys.exit("tqdm is missing; install the extra: pip install '.[examples]'")

if TYPE_CHECKING:
    from matplotlib.figure import Figure

S = TypeVar("S")
T = TypeVar("T")
ResultT = TypeVar("ResultT")
Value: TypeAlias = "float | str | Sequence[Value] | Mapping[str, Value]"
"""What JSON can hold, and what a finding is about."""


class Setting(NamedTuple):
    """How a lesson is run."""

    quick: bool = False
    folder: Path | None = None

    def images(self) -> fn.Dataset:
        """MNIST; in a quick run the digits that come with funcnet."""
        return fn.datasets.digits() if self.quick else fn.datasets.mnist(self.folder)

    def few(self, full: int, quick: int) -> fn.Dataset:
        """So many images to learn from, the first, and all that there are to be tested on."""
        n, (train, test) = self.choose(full, quick), self.images()
        return fn.Dataset(fn.Batch(train.x[:n], train.t[:n]), test)

    def choose(self, full: int, quick: int) -> int:
        """``full``, or what a quick run has in its place: steps, epochs, trials."""
        return quick if self.quick else full


class Finding(NamedTuple):
    """A figure: what it is, what the course recorded, what was measured, and how they compare.

    ``rule`` is "equal" (within ``within``), "at least" or "at most" (the recorded figure, with a
    margin of ``within``), "shows" (``what`` is seen to hold) or "own" (the course recorded none).
    ``full`` marks what is claimed of full runs alone.
    """

    what: str
    rule: str
    measured: Any
    recorded: Any = None
    within: float = 0.0
    full: bool = False


class Part(NamedTuple):
    """What came out of one part of a lesson, what to notice, and pictures: figures, or SVG text."""

    findings: Sequence[Finding]
    notice: str
    pictures: Mapping[str, Figure | str] = {}
    key: int | None = None


# ---- what can be found -------------------------------------------------------------------------


def equal(what: str, recorded: Any, measured: Any, within: float = 1e-8) -> Finding:
    """Each number is as recorded, to ``within``; words and truth values are the same."""
    return Finding(what, "equal", plain(measured), plain(recorded), within)


def at_least(what: str, recorded: Any, measured: Any, within: float = 0.0) -> Finding:
    """Each number is as high as recorded, or at most ``within`` lower: claimed of full runs."""
    return Finding(what, "at least", plain(measured), plain(recorded), within, full=True)


def at_most(what: str, recorded: Any, measured: Any, within: float = 0.0) -> Finding:
    """Each number is as low as recorded, or at most ``within`` higher: claimed of full runs."""
    return Finding(what, "at most", plain(measured), plain(recorded), within, full=True)


def shows(what: str, seen: Any, *, full: bool = False) -> Finding:
    """``what`` is a sentence, and true; with ``full``, claimed of full runs alone."""
    return Finding(what, "shows", bool(seen), True, full=full)


def own(what: str, measured: Any) -> Finding:
    """A figure that the course did not record."""
    return Finding(what, "own", plain(measured), full=True)


def holds(finding: Finding) -> bool:
    """Whether what was measured compares with what was recorded as its rule says."""
    if finding.rule == "own":
        return True
    if finding.rule == "shows":
        return finding.measured is True
    if _words(finding.recorded):
        return bool(finding.measured == finding.recorded)
    measured, recorded = np.array(finding.measured, float), np.array(finding.recorded, float)
    if measured.shape != recorded.shape:
        return False
    above = {"equal": np.abs(measured - recorded), "at least": recorded - measured,
             "at most": measured - recorded}[finding.rule]  # fmt: skip
    # Decimal figures are no exact floats: .989 - .988 is more than .001 by 1e-18. No margin at all
    # stays none.
    return bool((above <= finding.within * (1 + 1e-9)).all())


def _words(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_words, value))
    return isinstance(value, str | bool)


def plain(value: Any) -> Any:
    """Arrays and NumPy's numbers as Python's, which JSON holds."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return [plain(v) for v in value] if isinstance(value, list | tuple) else value


# ---- running a lesson --------------------------------------------------------------------------

Lesson: TypeAlias = Callable[[Setting], Part]


def teach(*parts: Lesson) -> None:
    """Run the parts of the script that calls this, as its arguments say."""
    script = Path(sys.argv[0])
    title = (sys.modules["__main__"].__doc__ or "").partition("\n")[0]
    options = _options(title)
    options.figures.mkdir(parents=True, exist_ok=True)
    name = options.figures / (script.stem + "_quick" * options.quick)
    print(title)
    if options.quick:
        print("(A quick run: small digits and few steps, too few for what the lesson shows.)")
    try:
        rows = [_row(part, Setting(options.quick, options.data), name) for part in parts]
    except fn.MissingFileError as error:
        sys.exit(f"{error}\nWithout MNIST, --quick runs on the digits that come with funcnet.")
    command = f"python examples/{script.name}" + " --quick" * options.quick
    record = {"script": script.name, "title": title, "command": command, "parts": rows}
    file = name.with_suffix(".json")
    file.write_text(_json(record) + "\n", encoding="utf-8")
    print(f"\nfigures: {file}")


def _json(record: Any) -> str:
    """JSON over several lines, with lists of numbers on one."""
    text = json.dumps(record, indent=1, ensure_ascii=False)
    return re.sub(r"\[[^\[\]{}]*\]", lambda found: re.sub(r"\s+", " ", found[0]), text)


def _options(title: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument(
        "--quick", action="store_true", help="small digits and few steps: see it run"
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where MNIST's files are")
    parser.add_argument(
        "--figures",
        type=Path,
        default=Path("output"),
        metavar="FOLDER",
        help="where figures and pictures go (default: output)",
    )
    return parser.parse_args()


def _row(part: Lesson, setting: Setting, file: Path) -> dict[str, Any]:
    """Run one part; print and draw what came out; give what the JSON file keeps of it."""
    asks = " ".join((inspect.getdoc(part) or "").split())
    print(f"\n{part.__name__.replace('_', ' ')}: {asks}")
    began = time.perf_counter()
    found = part(setting)
    seconds = time.perf_counter() - began
    for finding in found.findings:
        print("  " + line(finding, setting.quick))
    claims = any(finding.full and finding.rule != "own" for finding in found.findings)
    print(f"  {'In a full run: ' * (setting.quick and claims)}{found.notice}")
    pictures = [_draw(picture, f"{file}_{name}") for name, picture in found.pictures.items()]
    if pictures:
        print(f"  pictures: {', '.join(map(str, pictures))}")
    return {
        "name": part.__name__,
        "asks": asks,
        "findings": [finding._asdict() for finding in found.findings],
        "notice": found.notice,
        "pictures": [picture.name for picture in pictures],
        "key": found.key,
        "seconds": round(seconds, 1),
    }


def line(finding: Finding, quick: bool = False) -> str:
    """A finding in a line of text; of what is claimed of full runs alone, no verdict in others."""
    unclaimed = quick and finding.full and finding.rule != "own"
    if finding.rule == "shows":
        verdict = "yes" if finding.measured else "no"
        return f"{finding.what}: {'(seen in a full run)' if unclaimed else verdict}"
    text = f"{finding.what}: {words(finding.measured)}"
    if finding.rule == "own" or unclaimed:
        return text
    margin = f" ± {finding.within:g}" if finding.within > 1e-4 else ""
    rule = "" if finding.rule == "equal" else f"{finding.rule} "
    mark = "" if holds(finding) else "  DIFFERS"
    return f"{text}  (recorded: {rule}{words(finding.recorded)}{margin}){mark}"


def words(value: Any, digits: int = 8) -> str:
    """A figure as text: numbers to so many digits."""
    if isinstance(value, list):
        return "[" + " ".join(words(one, digits) for one in value) + "]"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if 10**digits <= abs(value) < 1e9 else f"{value:.{digits}g}"


def _draw(picture: Figure | str, name: str) -> Path:
    file = Path(f"{name}.svg" if isinstance(picture, str) else f"{name}.png")
    if isinstance(picture, str):
        file.write_text(picture, encoding="utf-8")
    else:
        picture.savefig(file, dpi=90)
    return file


class Run(NamedTuple):
    """The loss of each batch, and accuracies (train, test) at the start and after each epoch."""

    losses: list[float]
    accuracies: fn.Array


def watch(
    states: Iterable[fn.TrainState[S]], per_epoch: int, net: fn.AnyLayer, data: fn.Dataset
) -> Run:
    """What the states of a fold have to show, the start included; no state is kept."""
    losses, seen = [], []
    for state in states:
        losses.append(state.loss)
        if state.step % per_epoch == 0:
            seen.append([fn.accuracy(net, state.params, *part) for part in data])
    return Run(losses[1:], np.array(seen))  # the first state has no batch behind it


class Learned(NamedTuple):
    """The parameters at the end of a run, and the test accuracy after each of its epochs."""

    params: fn.Params
    accuracies: list[float]

    def curve(self) -> tuple[fn.Array, fn.Array]:
        """A line to draw: the epochs, from 1, and the accuracies."""
        return 1.0 + np.arange(len(self.accuracies)), np.array(self.accuracies)


def curves_by_key(runs: Sequence[Learned], title: str = "") -> fn.plotting.Drawing:
    """The test accuracies of runs from the keys 0, 1, 2, ..."""
    lines = {f"key {key}": run.curve() for key, run in enumerate(runs)}
    return fn.plotting.curves(lines, title=title, x="epoch", y="test accuracy", markers=".")


def misread_images(x: fn.Tensor4, t: fn.Labels, read: fn.Labels) -> Figure:
    """The first 24 images that were misread: the label, and what was read."""
    wrong = np.flatnonzero(read != t)[:24]
    titles = [f"{t[i]} read as {read[i]}" for i in wrong]
    return fn.plotting.figure(*fn.plotting.images(x[wrong], titles), columns=8, size=(0.95, 1.1))


def in_32_pixels(images: fn.Tensor4) -> fn.Tensor4:
    """Each image in the middle of one of 32x32, which the older networks were made for."""
    edge = (32 - images.shape[-1]) // 2
    return np.pad(images, ((0, 0), (0, 0), (edge, edge), (edge, edge)))


def learn(run: fn.Prepared[S, Any, Any], net: fn.AnyLayer, test: fn.Batch[Any, Any]) -> Learned:
    """Train to the end, looking at ``test`` after each epoch."""
    params, accuracies = run.start.params, []
    for state in fn.epochs(*run):
        params = state.params
        accuracies.append(fn.accuracy(net, params, *test))
    return Learned(params, accuracies)


def side_by_side(
    setting: Setting, run: Callable[[T], ResultT], arguments: Sequence[T]
) -> list[ResultT]:
    """``run`` of each argument: in a full run side by side, a process each.

    Nothing is shared or hidden, so each gives what it would give alone. ``run`` and what it takes
    and gives go from process to process: it is a function of a module, or a ``partial`` of one.
    """
    if setting.quick:
        return [run(argument) for argument in arguments]
    # Read by NumPy as it starts in the new processes, which share the processor's cores.
    os.environ.update(dict.fromkeys(["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"], "1"))
    workers = min(len(arguments), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(run, arguments))


def progress(things: Iterable[T], what: str, total: int | None = None) -> Iterable[T]:
    """``things``, with a bar that shows how far a long run is."""
    return tqdm(things, what, total=total, leave=False, disable=None)
