"""The lessons: quick runs of every script, and the figures that full runs left."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
FIGURES = EXAMPLES / "figures"
SCRIPTS = sorted(file.name for file in EXAMPLES.glob("0*.py"))
PNG, SVG = b"\x89PNG\r\n", b"<svg"


@pytest.fixture(scope="module")
def lesson() -> Any:
    """The module that the lessons share, imported as they do."""
    sys.path.insert(0, str(EXAMPLES))
    yield importlib.import_module("lesson")
    sys.path.remove(str(EXAMPLES))


def run(script: str, folder: Path, *options: str) -> dict[str, Any]:
    """What a lesson leaves, warnings counted as errors."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / script), "--figures", str(folder)]
    found = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return read(folder / f"{Path(script).stem}{'_quick' * ('--quick' in options)}.json")


def read(file: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return record


def findings(lesson: Any, record: dict[str, Any]) -> dict[tuple[str, str], Any]:
    found = {
        (part["name"], each["what"]): lesson.Finding(**each)
        for part in record["parts"]
        for each in part["findings"]
    }
    assert len(found) == sum(len(part["findings"]) for part in record["parts"]), "names used twice"
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_quick_run(script: str, lesson: Any, tmp_path: Path) -> None:
    record = run(script, tmp_path, "--quick")
    found, full = findings(lesson, record), findings(lesson, read(FIGURES / f"{script[:-3]}.json"))
    assert set(found) == set(full)
    for place, finding in found.items():
        if finding.full:
            continue
        assert lesson.holds(finding), (place, finding)
        # The full run's figure was made by this script: it is the same.
        assert lesson.holds(finding._replace(recorded=full[place].measured)), place
    for picture in (name for part in record["parts"] for name in part["pictures"]):
        drawn = (tmp_path / picture).read_bytes()
        assert drawn.startswith(PNG if picture.endswith("png") else SVG)
        assert len(drawn) > 1000


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_full_run_reached_what_the_course_recorded(script: str, lesson: Any) -> None:
    record = read(FIGURES / f"{script[:-3]}.json")
    assert record["command"] == f"python examples/{script}"
    for place, finding in findings(lesson, record).items():
        assert lesson.holds(finding), (place, finding)
    for picture in (name for part in record["parts"] for name in part["pictures"]):
        assert (FIGURES / picture).exists()


@pytest.mark.slow
@pytest.mark.skipif("FUNCNET_DATA" not in os.environ, reason="FUNCNET_DATA names no MNIST")
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_full_run(script: str, lesson: Any, tmp_path: Path) -> None:
    for place, finding in findings(lesson, run(script, tmp_path)).items():
        assert lesson.holds(finding), (place, finding)


def test_every_picture_is_some_lessons() -> None:
    records = [read(FIGURES / f"{script[:-3]}.json") for script in SCRIPTS]
    named = {name for record in records for part in record["parts"] for name in part["pictures"]}
    assert {f.name for f in FIGURES.iterdir() if f.suffix != ".json"} == named
    assert {f.stem for f in FIGURES.glob("*.json")} == {script[:-3] for script in SCRIPTS}


def test_the_gallery_is_made_from_the_figures(lesson: Any) -> None:
    gallery = importlib.import_module("gallery")
    names = [f"{name}.py" for names in gallery.LESSONS.values() for name in names]
    assert sorted(names) == SCRIPTS
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert text == gallery.page(FIGURES)
    links = re.findall(r"\]\((figures/[^)]+)\)", text)
    assert all((EXAMPLES / link).exists() for link in links)


@pytest.mark.parametrize("script", SCRIPTS)
def test_lessons_use_what_is_public(script: str) -> None:
    """No module of the library but the public ones, and nothing with an underscore."""
    text = (EXAMPLES / script).read_text(encoding="utf-8")
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("funcnet"):
            raise AssertionError(f"{script} imports from {node.module}; write fn.name")
    assert not re.search(r"\bfn\.(\w+\.)?_\w", text)


@pytest.mark.parametrize(
    ("rule", "recorded", "measured", "within", "holds"),
    [
        ("equal", 1.0, 1.0 + 1e-9, 1e-8, True),
        ("equal", 1.0, 1.0 + 1e-7, 1e-8, False),
        ("equal", [1.0, 2.0], [1.0, 2.0], 0.0, True),
        ("equal", [1.0, 2.0], [1.0], 0.0, False),
        ("equal", 1.0, 1.0 + 1e-15, 0.0, False),
        ("equal", "a", "a", 0.0, True),
        ("equal", ["a", 1], ["b", 1], 0.0, False),
        ("equal", 1.0, float("nan"), 9.0, False),
        ("at least", 0.9, 0.95, 0.0, True),
        ("at least", 0.9, 0.89, 0.0, False),
        ("at least", 0.989, 0.988, 0.001, True),
        ("at least", 0.989, 0.9879, 0.001, False),
        ("at least", [0.9, 0.5], [0.89, 0.6], 0.02, True),
        ("at least", [0.9, 0.5], [0.87, 0.6], 0.02, False),
        ("at most", 0.1, 0.05, 0.0, True),
        ("at most", 0.1, 0.2, 0.05, False),
        ("shows", True, True, 0.0, True),
        ("shows", True, False, 0.0, False),
        ("own", None, 3.0, 0.0, True),
    ],
)
def test_findings_compare(
    lesson: Any, rule: str, recorded: Any, measured: Any, within: float, holds: bool
) -> None:
    assert lesson.holds(lesson.Finding("a", rule, measured, recorded, within)) is holds
