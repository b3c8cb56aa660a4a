"""The steps that benchmarks add to the library's: across ranks, and without each trick."""

from __future__ import annotations

import importlib
import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from operator import attrgetter
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest

import funcnet as fn

from .conftest import BENCHMARKS, Import
from .test_ranks import Rank, World

# ---- funcnet across ranks ----------------------------------------------------------------------


def test_ranks_take_part_in_a_contest(module: Import, tmp_path: Path) -> None:
    ranked, machine, file = module("ranked"), module("machine"), tmp_path / "found.json"
    with machine.limited_to(2) as environment:
        start = ranked.mpiexec(2, environment)
        if not start:
            pytest.skip("no MPI here")
        options = ["C", "F", "--quick", "--peers", "--threads", "2", "--ranks", "--json", str(file)]
        subprocess.run(
            [*start, str(BENCHMARKS / "contest.py"), *options], env=environment, check=True
        )
    contests = json.loads(file.read_text(encoding="utf-8"))["contests"]
    for found, setting in zip(contests, ("across_ranks", "predict"), strict=True):
        trials = {each["setting"]: each["trial"] for each in found["timed"]}
        assert min(trials[f"{setting}, 2 ranks"]) > 0


class Desk:
    """What is used of MPI's world by one rank of three."""

    size = 3

    def __init__(self, rank: int, letters: list[SimpleQueue[Any]]) -> None:
        self.rank, self.letters = rank, letters

    def send(self, what: Any, to: int) -> None:
        self.letters[to].put(what)

    def iprobe(self, source: int) -> bool:
        return not self.letters[self.rank].empty()

    def recv(self, source: int) -> Any:
        return self.letters[self.rank].get()


def test_other_ranks_follow_the_first(module: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads stand in for ranks. The third is in no group, and waits to be let go."""
    ranked, data = module("ranked"), module("workloads").images(300)
    monkeypatch.setattr(module("machine"), "thread_setter", lambda: None)
    letters: list[SimpleQueue[Any]] = [SimpleQueue() for _ in range(3)]
    pair = World(2)
    first, second, third = [
        ranked.Ranks(Desk(rank, letters), {2: Rank(pair, rank)}) for rank in range(3)
    ]
    turns = [("A", 0), ("B", 0), ("A", 1), ("A", 0), ("B", 1)]
    with ThreadPoolExecutor(2) as threads:
        following = [threads.submit(ranked.follow, data, each) for each in (second, third)]
        try:
            steps = {name: ranked.contestants(name, data, first)[0].step for name in "AB"}
            losses = [steps[name](call) for name, call in turns]
        finally:
            ranked.dismiss(first)
        assert [each.result(timeout=20) for each in following] == [None, None]
    alone, steps = {name: two_workers(module, name, data) for name in "AB"}, ranked.STEPS
    for (name, call), found in zip(turns, losses, strict=True):
        expected = [alone[name](steps * call + i) for i in range(steps)]
        assert found == pytest.approx(expected, rel=1e-6)


def test_ranks_divide_inference(module: Import) -> None:
    ranked, data, world = module("ranked"), module("workloads").images(5), World(2)
    steps = [ranked.reading_step("F", data, Rank(world, rank)) for rank in (0, 1)]
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda step: step(0), steps)
    workload = module("workloads").WORKLOADS["F"]
    params = workload.net.init(fn.Key(0), workload.shape)
    found, whole = np.concatenate(first), fn.predict(workload.net, params, data.x)
    np.testing.assert_allclose(found, whole, rtol=1e-5, atol=1e-6)
    assert [len(part) for part in first] == [3, 2]
    assert second is None


def two_workers(module: Import, name: str, data: Any) -> Callable[[int], object]:
    """The step by ``data_parallel``, whose figures are those of two ranks."""
    workload, steps = module("workloads").WORKLOADS[name], module("funcnet_steps")
    optimizer = module("workloads").optimizer(workload.optimizer)
    f = fn.data_parallel(fn.value_and_grad(workload.net, steps.LOSS), 2)
    params = workload.net.init(fn.Key(0), workload.shape)
    start = fn.TrainState.start(params, optimizer, fn.Key(1))
    batches = data.batches(workload.batch, workload.shape)
    step: Callable[[int], object] = steps.repeated(fn.gradient_step(f, optimizer), start, batches)
    return step


# ---- tricks ------------------------------------------------------------------------------------


def second(step: Callable[[int], Any]) -> Any:
    """What the second of two steps gives."""
    return [step(i) for i in (0, 1)][-1]


def noting(calls: list[str], name: str, function: Any) -> Any:
    """``function``, which also adds its name to ``calls``."""

    def noted(*arguments: Any) -> Any:
        calls.append(name)
        return function(*arguments)

    return noted


def test_without_a_trick_steps_compute_the_same(module: Import) -> None:
    tricks, data = module("tricks"), module("workloads").images(256)
    usual = lru_cache(lambda name: second(tricks.step_of(name, data)))
    for trick in module("trick_cases").TRICKS:
        calls: list[str] = []
        off = [
            each._replace(value=noting(calls, each.name, each.value))
            if callable(each.value)
            else each
            for each in tricks.switches(trick)
        ]
        before = [vars(each.owner)[each.name] for each in off]
        for name in trick.workloads.split():
            calls.clear()
            ours, theirs = (
                usual(name),
                second(tricks.under(off, partial(tricks.step_of, name, data))),
            )
            if name != "B-dropout":  # which draws another mask
                np.testing.assert_allclose(theirs, ours, 1e-4, 1e-4, err_msg=trick.title)
            assert calls or not any(callable(each.value) for each in trick.off), trick.title
            assert [vars(each.owner)[each.name] for each in off] == before


def test_tricks_are_where_the_table_says(module: Import) -> None:
    for trick in module("trick_cases").TRICKS:
        file, _, function = trick.where.partition(": ")
        name = f"funcnet.{file.removesuffix('.py').replace('/', '.')}"
        found = importlib.import_module(name)
        assert not function or attrgetter(function)(found)
