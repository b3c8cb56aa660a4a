"""What a difference is made of and how it is shown: shared by the modules of ``measure.py``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

import funcnet as fn

Figure = float | int | str
"""Shown to three digits, in full, and as it is."""


class Form(NamedTuple):
    """One way of doing a thing: whose it is, how it goes, and what comes of it."""

    who: str
    does: str
    figures: tuple[Figure, ...]


class Difference(NamedTuple):
    """A thing that is done in several ways, what is measured of each, and the ways."""

    topic: str
    measured: tuple[str, ...]
    forms: list[Form]
    note: str = ""


def markdown(difference: Difference) -> str:
    """A heading, a table of a row for each form, and the note."""
    rows = [("who", "does", *difference.measured)]
    rows += [("---", "---", *["---:"] * len(difference.measured))]
    rows += [(form.who, form.does, *map(shown, form.figures)) for form in difference.forms]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    parts = [f"### {difference.topic}", table, textwrap.fill(difference.note, 100)]
    return "\n\n".join(part for part in parts if part)


def shown(figure: Figure) -> str:
    if isinstance(figure, str):
        return figure
    return f"{figure:.3g}" if abs(figure) < 1000 else f"{figure:,.0f}"


def listed(numbers: Iterable[float]) -> str:
    """Several numbers in one cell."""
    return ", ".join(map(shown, numbers))


def sizes(array: Any) -> str:
    return "x".join(map(str, array.shape))


def steps(optimizer: fn.Optimizer[Any], gradients: Sequence[float]) -> list[float]:
    """How far each of these gradients in turn takes one parameter downhill."""
    params = fn.Params({"p": np.zeros(1)})
    state, found = optimizer.init(params), []
    for g in gradients:
        updates, state = optimizer.update(fn.Grads({"p": np.array([g])}), state, params)
        found.append(-float(updates.leaf("p")[0]))
    return found
