"""What mypy promises: right code passes, each mistake is reported, with words that help."""

from __future__ import annotations

import ast
import itertools
import re
import runpy
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from mypy import api

import funcnet

ROOT = Path(__file__).parents[1]
FOLDER = Path("tests/typing")
PASS = sorted(path.name for path in (ROOT / FOLDER).glob("must_pass*.py"))
FAIL = "must_fail.py"


class Report(NamedTuple):
    """What mypy says of one line."""

    file: str
    line: int
    message: str


def mypy(*targets: str | Path) -> tuple[str, list[Report]]:
    """mypy's last line, and its errors without the notes."""
    # No configuration but --strict, as a user may have it; a cache of its own, for speed.
    options = ["--strict", "--config-file=", "--cache-dir=.mypy_cache/promises", "--no-pretty"]
    out, fault, _ = api.run([*options, *map(str, targets)])
    assert not fault
    *lines, last = out.splitlines()
    found = [re.fullmatch(r"(.+?):(\d+): error: (.+)", line) for line in lines]
    return last, [Report(Path(m[1]).name, int(m[2]), m[3]) for m in found if m]


@pytest.fixture(autouse=True)
def _as_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    # With PYTHONPATH, mypy takes the library for an installed one and hides its errors.
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.delenv("MYPYPATH", raising=False)


class Mistake(NamedTuple):
    """A line of ``must_fail.py`` that is wrong, and what mypy is to say of it."""

    group: str
    line: int
    expected: str


def mistakes() -> Iterator[Mistake]:
    group = ""
    for line, text in enumerate((ROOT / FOLDER / FAIL).read_text("utf-8").splitlines(), 1):
        if heading := re.fullmatch(r"# ---- (.+?) -+", text):
            group = heading[1]
        elif mark := re.search(r"# E: (.+)", text):
            yield Mistake(group, line, mark[1])


def test_right_code_and_the_library_pass() -> None:
    last, errors = mypy("funcnet", *(FOLDER / name for name in PASS))
    assert errors == []
    assert last.startswith("Success")


def test_each_mistake_is_reported() -> None:
    _, errors = mypy(FOLDER / FAIL)
    said: dict[int, list[str]] = {}
    for error in errors:
        assert error.file == FAIL
        said.setdefault(error.line, []).append(error.message)
    marked = {mistake.line: mistake for mistake in mistakes()}
    unmarked = {line: messages for line, messages in said.items() if line not in marked}
    assert unmarked == {}
    missed = [
        (line, mistake.expected, said.get(line, []))
        for line, mistake in marked.items()
        if not any(mistake.expected in message for message in said.get(line, []))
    ]
    assert missed == []


def test_there_are_mistakes_of_all_groups() -> None:
    counts = Counter(mistake.group for mistake in mistakes())
    assert counts.total() >= 200
    assert min(counts.values()) >= 6
    assert len(counts) >= 12


@pytest.mark.parametrize("name", PASS)
def test_right_code_runs(name: str) -> None:
    runpy.run_path(str(FOLDER / name))


def test_right_code_shows_every_public_name() -> None:
    text = "".join((FOLDER / name).read_text("utf-8") for name in PASS)
    tree = ast.parse(Path(funcnet.__file__).read_text("utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    public = {alias.asname or alias.name for node in imports for alias in node.names}
    assert len(public) > 80
    assert [name for name in sorted(public) if not re.search(rf"\bfn\.{name}\b", text)] == []


def test_long_networks_are_checked_fast(tmp_path: Path) -> None:
    sizes = np.random.default_rng(0).integers(1, 1000, 301)
    layers = "\n    >> ".join(
        f"fn.dense({n_in}, {n_out})\n    >> fn.relu()" for n_in, n_out in itertools.pairwise(sizes)
    )
    kinds = f"fn.Layer[fn.Vec[Literal[{sizes[0]}]], fn.Vec[Literal[{sizes[-1]}]]]"
    path = tmp_path / "long_network.py"
    path.write_text(
        "from typing import Literal, assert_type\n\nimport funcnet as fn\n\n"
        f"net = (\n    {layers}\n)\nassert_type(net, {kinds})\nnet >> fn.dense(1001, 2)\n"
    )
    mypy("funcnet")
    started = time.perf_counter()
    _, errors = mypy(path)
    # It takes about half a second; what is excluded is a time that grows with the square.
    assert time.perf_counter() - started < 20
    assert len(errors) == 1
    assert '"Literal[1001]"; expected "Literal' in errors[0].message


def test_nothing_is_ignored_outside_the_modules_of_types() -> None:
    typed = {Path("funcnet/typed.py"), Path("funcnet/arrays.py")}
    files = {p for folder in ("funcnet", "tests", "examples") for p in Path(folder).rglob("*.py")}
    marks = ("# type" + ": ignore", "# pyright" + ": ignore", "# mypy" + ": ignore")
    ignoring = [p for p in files - typed if any(m in p.read_text("utf-8") for m in marks)]
    assert ignoring == []
