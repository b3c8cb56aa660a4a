"""Every example that is written anywhere runs: in docstrings and in the README."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import funcnet as fn

ROOT = Path(__file__).parent.parent
MODULES = sorted(m.name for m in pkgutil.walk_packages(fn.__path__, "funcnet."))
PUBLIC = {name: value for name, value in vars(fn).items() if not name.startswith("_")}
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    """Examples read as after ``from funcnet import *``, with NumPy as ``np``."""
    module = importlib.import_module(name)
    names = {**PUBLIC, **vars(module), "np": np}
    result = doctest.testmod(module, extraglobs=names, verbose=False)
    assert not result.failed


@pytest.mark.parametrize(
    "name", [n for n, v in PUBLIC.items() if inspect.isfunction(v) or inspect.isclass(v)]
)
def test_every_public_name_is_documented(name: str) -> None:
    value = PUBLIC[name]
    text = inspect.getdoc(value) or ""
    assert len(text) > 15
    if inspect.isfunction(value) and name not in WITHOUT_EXAMPLE:
        assert ">>>" in text, f"{name} has no example"


# What the example beside each shows as well.
WITHOUT_EXAMPLE = {"xavier_normal", "zeros", "ones", "no_grads", "no_refresh"}


def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's Python blocks, run one after the other as one program."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = [code for language, code in BLOCK.findall(text) if language == "python"]
    assert len(blocks) > 5
    names: dict[str, Any] = {}
    for code in blocks:
        line = text[: text.index(code)].count("\n")
        exec(compile("\n" * line + code, "README.md", "exec"), names)


def test_readme_recipes_are_short() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    recipes = text.partition("## Recipes")[2].partition("\n## ")[0]
    for _, code in BLOCK.findall(recipes):
        assert len(code.strip().splitlines()) <= 6, code
