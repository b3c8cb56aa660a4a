"""Makes the gallery, ``examples/README.md``, from the figures that full runs of the lessons left.

``python examples/gallery.py`` writes it. A lesson's figures are written by, for example,
``python examples/05_optimizers.py --figures examples/figures``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from lesson import Finding, words

HERE = Path(__file__).parent
Record: TypeAlias = dict[str, Any]

LESSONS = {
    "1. Perceptrons": ["01_perceptrons"],
    "2. Networks, forward": [
        "02_activations", "02_forward", "02_outputs", "02_readers", "02_networks_drawn",
    ],
    "3. Learning by numerical gradient": [
        "03_losses", "03_gradients", "03_two_layer", "03_regression", "03_batches", "03_fitting",
    ],
    "4. Backpropagation": ["04_graphs", "04_backpropagation"],
    "5. Training well": [
        "05_optimizers", "05_initial_weights", "05_vanishing_gradients", "05_batch_norm",
        "05_overfitting", "05_random_search", "05_input_design",
    ],
    "6. Convolution": [
        "06_windows", "06_filters", "06_shape_matters", "06_simple_conv", "06_lenet_alexnet",
    ],
    "7. Deep": [
        "07_deep_conv", "07_going_further", "07_famous_networks", "07_residual", "07_transfer",
    ],
}  # fmt: skip
"""The chapters of the course, and the lessons of each in its order."""

HEAD = """# Lessons

Each script is a lesson: what is asked, the few lines that answer, what came out. They follow the
order of the course *Deep Learning from Scratch*. Run one from a checkout of this repository, in the
environment that the first command of its [README](../README.md) makes (`python` below is that
environment's):

```sh
.venv/bin/python examples/01_perceptrons.py
```

`--quick` only shows that it runs: with the small digits that come with funcnet, and few steps,
where MNIST and minutes are asked for; `--data FOLDER` says where MNIST's four files are (without it
they are looked for as `help(funcnet.datasets.mnist)` says); `--figures FOLDER` says where figures
and pictures go, `output` unless given.

`digits.py` is the whole of a small job: train, save, load, look at the mistakes.
[Differences, measured](differences/README.md) says where the course, PyTorch and ONNX differ, and
what funcnet does. `benchmarks/` compares the time of training steps with PyTorch's.

This page is made by `gallery.py` from the figures of full runs. *Recorded* is what the course's own
code gave; *measured* is what the script gave here; "≥" and "≤" mark figures that are to be as good
or better, and the margin allowed is given where there is one.
"""


def page(folder: Path) -> str:
    """The gallery as Markdown, from the figures in ``folder``."""
    chapters = {
        chapter: [read(folder / f"{name}.json") for name in names]
        for chapter, names in LESSONS.items()
    }
    sections = [HEAD, contents(chapters)]
    for chapter, records in chapters.items():
        sections.append(f"## {chapter}\n")
        sections += [section for record in records for section in lesson(record)]
    return "\n".join(sections)


def read(file: Path) -> Record:
    record: Record = json.loads(file.read_text(encoding="utf-8"))
    return record


def contents(chapters: dict[str, list[Record]]) -> str:
    rows = [
        f"| {chapter.partition('.')[0]} | [{record['script']}](#{anchor(record)}) "
        f"| {record['title']} | {seconds(record):.0f} s |"
        for chapter, records in chapters.items()
        for record in records
    ]
    return "\n".join(["| | lesson | | full run |", "|---|---|---|---|", *rows, ""])


def anchor(record: Record) -> str:
    """Where a page of Markdown on the web has the heading of a script."""
    return str(record["script"]).replace(".", "").lower()


def seconds(record: Record) -> float:
    return float(sum(part["seconds"] for part in record["parts"]))


def lesson(record: Record) -> Iterator[str]:
    yield f"### {record['script']}\n\n{record['title']} `{record['command']}`\n"
    for part in record["parts"]:
        yield f"**{title(part)}.** {part['asks']}\n"
        yield table([Finding(**finding) for finding in part["findings"]])
        key = "" if part["key"] is None else f" (From `fn.Key({part['key']})`.)"
        yield f"{part['notice']}{key}\n"
        yield from (f"![{title(part)}](figures/{picture})\n" for picture in part["pictures"])


def title(part: Record) -> str:
    return str(part["name"]).replace("_", " ").capitalize()


def table(findings: list[Finding]) -> str:
    rows = [f"| {escaped(f.what)} | {recorded(f)} | {measured(f)} |" for f in findings]
    return "\n".join(["| | recorded | measured |", "|---|---|---|", *rows, ""])


def recorded(finding: Finding) -> str:
    if finding.rule in ("shows", "own"):
        return ""
    sign = {"equal": "", "at least": "≥ ", "at most": "≤ "}[finding.rule]
    margin = f" ± {finding.within:g}" if finding.within > 1e-4 else ""
    return sign + shown(finding.recorded, finding) + margin


def measured(finding: Finding) -> str:
    if finding.rule == "shows":
        return "yes" if finding.measured else "no"
    return shown(finding.measured, finding)


def shown(value: Any, finding: Finding) -> str:
    """A figure in a cell: to eight digits where they are claimed, to four elsewhere."""
    text = words(value, 8 if finding.rule == "equal" else 4)
    return escaped(text[1:-1] if isinstance(value, list) else text)


def escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    (HERE / "README.md").write_text(page(HERE / "figures"), encoding="utf-8")
    print(f"written: {HERE / 'README.md'}")
