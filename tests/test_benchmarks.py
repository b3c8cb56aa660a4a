"""The benchmarks: they run, they write what they say, and peers build the networks that we do."""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import funcnet as fn

from .conftest import BENCHMARKS, Import

SCRIPTS = sorted(file.stem for file in BENCHMARKS.glob("*.py"))
PAGES = {"results": "report", "kernels": "kernels", "scaling": "scaling", "tricks": "tricks"}
"""What is written, and the module whose ``page`` makes it of its figures."""


def run(script: str, *options: str) -> str:
    """What a script prints, warnings counted as errors."""
    command = [sys.executable, "-W", "error", str(BENCHMARKS / script), *options]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout


# ---- whole runs, without what funcnet is compared with -----------------------------------------


def test_compare_quickly(module: Import, tmp_path: Path) -> None:
    out = run("compare.py", "--quick", "--peers", "--out", str(tmp_path))
    record, page = written(module, tmp_path, "results")
    cores = {each["cores"] for each in record["contests"]}
    for name in module("workloads").WORKLOADS:
        assert len(re.findall(rf"^  {name} +ms: funcnet [\d.]+", out, re.MULTILINE)) == len(cores)
        assert len(re.findall(rf"^\| {name} \| [\d.]+", page, re.MULTILINE)) >= len(cores)
    assert "| funcnet | bare NumPy | share |" in page
    assert "| `import funcnet` |" in page
    assert b"<svg" in (tmp_path / "results.svg").read_bytes()[:1000]


def test_layers_quickly(module: Import, tmp_path: Path) -> None:
    run("kernels.py", "--quick", "--alone", "--out", str(tmp_path))
    record, page = written(module, tmp_path, "kernels")
    passes = {(row["title"], row["name"]) for row in record["rows"]}
    assert ("batch_norm()", "backward") in passes
    assert all(f"| `{title}` |" in page for title, _ in passes)


def test_scaling_quickly(module: Import, tmp_path: Path) -> None:
    run("scaling.py", "--quick", "--alone", "--out", str(tmp_path))
    record, page = written(module, tmp_path, "scaling")
    assert {row["curve"] for row in record["rows"]} == set(module("scaling").CURVES)
    assert all(f"| {curve} | funcnet |" in page for curve in module("scaling").CURVES)
    assert b"<svg" in (tmp_path / "scaling.svg").read_bytes()[:1000]


def test_tricks_quickly(module: Import, tmp_path: Path) -> None:
    run("tricks.py", "--quick", "--out", str(tmp_path))
    record, page = written(module, tmp_path, "tricks")
    cases = module("trick_cases")
    titles = [each.title for each in cases.TRICKS]
    assert list(dict.fromkeys(row["title"] for row in record["rows"])) == titles
    assert [page.count(f"\n| {title} |") for title in titles] == [1] * len(titles)
    assert list(record["steps"]) == list(cases.NETWORKS)


def written(module: Import, folder: Path, name: str) -> tuple[dict[str, Any], str]:
    """The figures and the page in a folder: the page is made of them, its tables are whole."""
    record: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    page = (folder / f"{name}.md").read_text(encoding="utf-8")
    assert page == module(PAGES[name]).page(record)
    for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        assert len({row.count("|") for row in table.splitlines()}) == 1, table
        assert table.count("\n") >= 3, table
    return record, page


@pytest.mark.parametrize("name", PAGES)
def test_pages_here_are_made_of_the_figures_here(module: Import, name: str) -> None:
    record, page = written(module, BENCHMARKS, name)
    assert "--quick" not in record["command"]
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", page)
    assert all((BENCHMARKS / picture).exists() for picture in pictures)


def test_the_readme_leads_to_files_that_exist() -> None:
    text = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\((?!http|#)([^)]+)\)", text))
    assert len(links) > 10
    assert [link for link in links if not (BENCHMARKS / link).exists()] == []


def test_an_unknown_workload_is_refused() -> None:
    command = [sys.executable, str(BENCHMARKS / "compare.py"), "A", "G"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "no workload G; there are A, B" in found.stderr


# ---- peers do the same work --------------------------------------------------------------------


@pytest.mark.parametrize("letter", "ABCDE")
def test_networks_of_pytorch_compute_what_ours_do(module: Import, letter: str) -> None:
    torch = pytest.importorskip("torch")
    workload = module("workloads").WORKLOADS[letter]
    params = workload.net.init(fn.Key(0), workload.shape)
    trained = [w for path, w in fn.leaves(params) if not path.endswith(("/mean", "/var"))]
    other = module("torch_peers").model(torch, letter).eval()
    with torch.no_grad():
        for theirs, ours in zip(other.parameters(), trained, strict=True):
            theirs.copy_(torch.tensor(ours.T if ours.ndim == 2 else ours))
    x = module("workloads").images(3).x.reshape(3, *workload.shape)
    y = other(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(y, workload.net.apply(params, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("letter", "ABCDE")
def test_networks_of_jax_have_as_many_parameters(module: Import, letter: str) -> None:
    workload = module("workloads").WORKLOADS[letter]
    layers = module("jax_peers").parameters(letter)
    found = sum(leaf.size for layer in layers for leaf in layer.values())
    assert found == fn.count(workload.net.spec(workload.shape)[0])


STEPS = {
    "": ("A", "B", "B-Adam", "C", "E", "E-Adam"),
    "torch": ("A", "B-Adam", "C", "E"),
    "jax": ("A", "B-Adam", "C", "E"),
    "sklearn": ("A", "B", "B-Adam"),
    "autograd": ("A", "B", "B-Adam"),
}
"""Workloads whose steps are tried: funcnet's and bare NumPy's, and each peer's."""


@pytest.mark.parametrize(
    ("peer", "name"), [(p, name) for p, names in STEPS.items() for name in names]
)
def test_every_setting_learns(module: Import, peer: str, name: str) -> None:
    peers = {peer: pytest.importorskip(peer)} if peer else {}
    data = module("workloads").images(128)
    for each in module("contest").contestants(name, data, peers, [1, 2]):
        losses = [loss(each.step(0)) for _ in range(30)]
        assert losses[-1] < 0.9 * losses[0], (each.library, each.setting)


def loss(made: Any) -> float:
    """That of a step's batch, where each library has it."""
    if hasattr(made, "loss_"):  # scikit-learn's classifier
        return float(made.loss_)
    return float(made[0] if isinstance(made, tuple) else made)


@pytest.mark.parametrize("peer", ["", "torch", "jax"])
def test_every_setting_reads_all_images(module: Import, peer: str) -> None:
    peers = {peer: pytest.importorskip(peer)} if peer else {}
    for each in module("contest").contestants("F", module("workloads").images(203), peers, [1, 2]):
        assert each.step(0).shape == (203, 10), each.setting


# ---- timing ------------------------------------------------------------------------------------


class Clock:
    """Time that goes on only as steps say."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def step(self, seconds: float) -> Callable[[int], object]:
        def run(i: int) -> None:
            self.now += seconds

        return run


@pytest.fixture
def clock(module: Import, monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module("timing"), "perf_counter", made)
    return made


def test_a_contest_keeps_the_fast_settings_of_each_library(module: Import, clock: Clock) -> None:
    timing = module("timing")
    costs = {"a": {"slow": 0.004, "fast": 0.002, "near": 0.00205}, "b": {"fast": 0.5, "slow": 0.6}}
    settings = {(name, how): s for name, each in costs.items() for how, s in each.items()}
    everybody = [timing.Contestant(*who, clock.step(cost)) for who, cost in settings.items()]
    found = timing.contest(everybody, timing.Plan(rounds=4), lambda n: None)
    assert [len(each.times) for each in found] == [0, 4, 4, 4, 0]
    for each, cost in zip(found, settings.values(), strict=True):
        assert each.trial == pytest.approx([1e3 * cost] * 3)
        assert each.times == pytest.approx([1e3 * cost] * len(each.times))
    fastest = timing.fastest(found)
    assert [(name, each.setting) for name, each in fastest.items()] == [
        ("a", "fast"),
        ("b", "fast"),
    ]


def test_steps_made_in_one_call_share_its_time(module: Import, clock: Clock) -> None:
    timing = module("timing")
    [found] = timing.contest(
        [timing.Contestant("a", "", clock.step(0.1), per_call=20)], timing.Plan(), lambda n: None
    )
    assert found.times == pytest.approx([5.0] * timing.Plan().rounds)


def test_each_runs_on_its_threads_for_as_long_as_planned(module: Import, clock: Clock) -> None:
    timing, running = module("timing"), [0]
    seen: dict[int, float] = {1: 0.0, 4: 0.0}

    def step(i: int) -> None:
        clock.now += 0.01
        seen[running[0]] += 0.01

    def set_threads(n: int) -> None:
        running[0] = n

    everybody = timing.on_threads("a", "", step, [1, 4])
    timing.contest(everybody, timing.Plan(rounds=5, seconds=0.2), set_threads)
    # Three rounds of .1 s and five of .2, a quarter more before each, and what finding out took.
    assert seen == pytest.approx(dict.fromkeys([1, 4], 1.25 * (3 * 0.1 + 5 * 0.2)), abs=0.1)


def test_the_budget_bounds_the_rounds(module: Import, clock: Clock) -> None:
    timing = module("timing")
    slow = [timing.Contestant("a", "", clock.step(3.0))]
    plan = timing.Plan(rounds=50, seconds=0.2, budget=30.0, fewest=4)
    assert len(timing.contest(slow, plan, lambda n: None)[0].times) == 10
    assert len(timing.contest(slow, plan._replace(budget=1.0), lambda n: None)[0].times) == 4


# ---- what a figure is beside -------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
def test_processes_are_limited_to_so_many_cores(module: Import) -> None:
    machine, before = module("machine"), os.sched_getaffinity(0)
    code = "import os; print(len(os.sched_getaffinity(0)), os.environ['OPENBLAS_NUM_THREADS'])"
    with machine.limited_to(1) as environment:
        command = [sys.executable, "-c", code]
        found = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    assert found.stdout.split() == [b"1", b"1"]
    assert os.sched_getaffinity(0) == before


def test_a_package_counts_with_what_it_needs(module: Import) -> None:
    [found] = module("footprint").disk(["funcnet"])
    assert found["with"] == ["funcnet", "numpy"]
    assert found["megabytes"] > 10


def test_verdicts_and_shares(module: Import) -> None:
    """Of times that are known, what the page says."""
    report, timed = module("report"), module("timing").Timed

    def times(library: str, *ms: float) -> Any:
        return timed(library, "", 1, [], list(ms))

    ours, torch = times("funcnet", 1.0, 3.0, 4.0), times("PyTorch", 2.0, 4.0, 8.0)
    contest = report.Contest("A", 1, {each.library: each for each in (ours, torch)})
    assert report.verdict(contest, 0.5) == "**0.50** (0.50 to 0.62), met"
    assert report.verdict(contest, 0.49) == "**0.50** (0.50 to 0.62), missed"
    bare = contest.fastest | {"bare NumPy": times("bare NumPy", 0.8, 2.4, 3.0)}
    assert "| A | 3 | 2.4 | 20% |" in "".join(report.own_share([contest._replace(fastest=bare)]))


@pytest.mark.parametrize("name", SCRIPTS)
def test_examples_in_docstrings(module: Import, name: str) -> None:
    assert not doctest.testmod(module(name)).failed
