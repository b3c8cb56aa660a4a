"""Where the course, PyTorch and ONNX differ, what funcnet does, and what it changes, in figures.

Run it with ``python examples/differences/measure.py``: it measures everything and prints the page;
``--write`` writes it to ``examples/differences/README.md``. NumPy and funcnet are all it needs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from layers import LAYERS
from slips import SLIPS
from table import Difference, markdown
from training import TRAINING

PAGE = Path(__file__).with_name("README.md")

OPENING = """\
# Differences, measured

Where the course, PyTorch and ONNX differ, what funcnet does, and what it changes, in figures.
funcnet's are what it computes; the others follow from the documented formulas, and the tests hold
PyTorch's against PyTorch itself where it is installed. All are in float64, with everybody's
defaults unless a table says otherwise.

The course is *Deep Learning from Scratch* and the lectures beside it. ONNX means its operators of
opset 22, and for optimizers those of `ai.onnx.preview.training`, version 1.

`python examples/differences/measure.py --write` makes this page."""


def page() -> str:
    return "\n\n".join(
        [
            OPENING,
            section("Layers", LAYERS),
            section("Losses and optimizers", TRAINING),
            section("Slips in the course material", SLIPS),
        ]
    )


def section(title: str, differences: Sequence[Callable[[], Difference]]) -> str:
    return "\n\n".join([f"## {title}", *(markdown(difference()) for difference in differences)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write the page to {PAGE.name}")
    if parser.parse_args().write:
        PAGE.write_text(page() + "\n", encoding="utf-8")
        print(f"wrote {PAGE.name}")
    else:
        print(page())


if __name__ == "__main__":
    main()
