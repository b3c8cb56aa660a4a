"""What the scripts here write: figures as JSON, and tables in Markdown made of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write(
    folder: Path, name: str, record: dict[str, Any], page: Callable[[dict[str, Any]], str]
) -> None:
    """The record with its figures to four digits, and the page that is made of it."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = rounded(record)
    (folder / f"{name}.json").write_text(as_json(kept), encoding="utf-8")
    (folder / f"{name}.md").write_text(page(kept), encoding="utf-8")
    print(f"written: {folder / name}.md and .json")


def save(figure: Figure, file: Path) -> None:
    """A picture that the same figures make again to the letter."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "funcnet"}):
        figure.savefig(file, metadata={"Date": None})
    print(f"written: {file}")


def rounded(record: dict[str, Any]) -> dict[str, Any]:
    """The record with its figures to four digits.

    >>> rounded({"times": [1.23456, 12345.6], "rounds": 12345})
    {'times': [1.235, 12350.0], 'rounds': 12345}
    """
    text = json.dumps(record)
    found: dict[str, Any] = json.loads(text, parse_float=lambda each: float(f"{float(each):.4g}"))
    return found


def as_json(record: dict[str, Any]) -> str:
    """JSON over several lines, with lists of numbers on one."""
    text = json.dumps(record, indent=1)
    return re.sub(r"\[[^\[\]{}]*\]", lambda found: re.sub(r"\s+", " ", found[0]), text) + "\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown.

    >>> print(table(["what", "ms"], [["step", "0.5"]]), end="")
    | what | ms |
    |---|---|
    | step | 0.5 |
    """
    lines = ["| " + " | ".join(row) + " |" for row in [heads, *rows]]
    return "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:], ""])


def short(figure: float) -> str:
    """To three digits, and not in powers of ten.

    >>> short(0.12345), short(54.321), short(1973.4)
    ('0.123', '54.3', '1970')
    """
    return f"{float(f'{figure:.3g}'):.10g}"


def listed(facts: dict[str, str]) -> str:
    """The machine and what is installed, in a sentence."""
    return ", ".join(f"{name} {value}" for name, value in facts.items())
