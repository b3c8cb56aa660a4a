"""Training is a fold: however it is run, and wherever it is cut off, it ends in the same bits."""

from __future__ import annotations

import functools
import itertools
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import funcnet as fn
from funcnet.checkpoint import load, save
from funcnet.data import Minibatches
from funcnet.datasets import digits

from .test_checkpoint import same

STEPS, PER_EPOCH = 12, 4


class Run(NamedTuple):
    """A run of twelve small steps in three epochs, whose last batches are smaller."""

    step: Any
    batches: Minibatches[Any, Any]
    start: fn.TrainState[Any]


def run() -> Run:
    net = (
        fn.conv2d(1, 4, 3)
        >> fn.batch_norm()
        >> fn.relu()
        >> fn.flatten()
        >> fn.dropout(0.3)
        >> fn.dense(..., 16)
        >> fn.batch_norm()
        >> fn.relu()
        >> fn.dropout(0.2)
        >> fn.dense(16, 10)
    )
    train, _ = digits()
    optimizer = fn.adam(fn.cosine_decay(0.01, STEPS))
    return Run(
        fn.train_step(net, fn.softmax_cross_entropy(), optimizer),
        fn.minibatches(fn.Key(1), train.x[:150], train.t[:150], size=40, epochs=3),
        fn.TrainState.start(net.init(fn.Key(0), (1, 8, 8)), optimizer, fn.Key(2)),
    )


# ---- what a process of its own does: train on, saving every step, unless it is killed ----------


def train_on(path: str, fate: str, at: int) -> None:
    """Goes on from the checkpoint, if there is one; is killed at step ``at``.

    ``fate`` says when: "before" the step's state is saved, "during" that, or "after" it; a run
    whose fate is "none" ends well.
    """
    step, batches, start = run()
    state = load(path, like=start) if os.path.exists(path) else start
    if at == 0 and fate != "none":
        kill()
    for batch in batches[state.step :]:
        state = step(state, batch)
        if (fate, at) == ("before", state.step):
            kill()
        if (fate, at) == ("during", state.step):
            os.fsync = kill_half_written
        save(path, state)
        if (fate, at) == ("after", state.step):
            kill()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_half_written(fd: Any) -> None:
    """In the place of fsync: half of the bytes have reached the disk when the process dies."""
    os.ftruncate(fd, os.fstat(fd).st_size // 2)
    kill()


def in_a_process(path: Path, fate: str, at: int = 0) -> int:
    """Trains in a process of its own and gives its exit code."""
    threads = ("OPENBLAS", "OMP", "MKL", "VECLIB", "BLIS", "NUMEXPR")
    process = subprocess.run(
        [sys.executable, "-m", "tests.test_resume", str(path), fate, str(at)],
        cwd=Path(__file__).parents[1],
        env=os.environ | {f"{name}_NUM_THREADS": "1" for name in threads},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode in (0, -signal.SIGKILL), process.stderr
    return process.returncode


# ---- tests -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("uninterrupted") / "run.npz"
    assert in_a_process(path, "none") == 0
    return path


def test_the_run_is_one_that_learns() -> None:
    """Otherwise the same bits would prove nothing."""
    step, batches, start = run()
    assert (len(batches), len(batches[3].x)) == (STEPS, 30)
    assert batches.per_epoch == PER_EPOCH
    states = list(itertools.accumulate(batches, step, initial=start))
    losses = [state.loss for state in states[1:]]
    assert losses[-1] < 0.7 * losses[0]
    for (path, before), (_, after) in zip(
        fn.leaves(start.params), fn.leaves(states[-1].params), strict=True
    ):
        assert before.tobytes() != after.tobytes(), path


def test_every_way_to_fold_gives_the_same_bits() -> None:
    step, batches, start = run()
    reduced = functools.reduce(step, batches, start)
    *_, accumulated = itertools.accumulate(batches, step, initial=start)
    looped = start
    for batch in batches:
        looped = step(looped, batch)
    cut = functools.reduce(step, batches[5:], functools.reduce(step, batches[:5], start))
    assert reduced.step == STEPS
    for state in (accumulated, looped, cut, functools.reduce(*run())):
        assert same(state, reduced)


def test_a_run_resumed_from_a_checkpoint_gives_the_same_bits(tmp_path: Path) -> None:
    step, batches, start = run()
    final = functools.reduce(step, batches, start)
    for at in (0, 1, PER_EPOCH, STEPS - 1, STEPS):
        save(tmp_path / "run.npz", functools.reduce(step, batches[:at], start))
        state = load(tmp_path / "run.npz", like=start)
        assert state.step == at
        assert same(functools.reduce(step, batches[state.step :], state), final)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
@settings(max_examples=4)
@given(
    st.lists(
        st.tuples(st.sampled_from(["before", "during", "after"]), st.integers(1, STEPS)),
        min_size=1,
        max_size=2,
        unique_by=lambda kill: kill[1],
    )
)
@example([("before", 0)])
@example([("after", PER_EPOCH), ("during", 2 * PER_EPOCH)])
@example([("during", 1)])
@example([("after", STEPS)])
@example([("during", STEPS)])
def test_a_run_that_is_killed_and_resumed_gives_the_same_bits(
    uninterrupted: Path, kills: list[tuple[str, int]]
) -> None:
    *_, start = run()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.npz")
        for fate, at in sorted(kills, key=lambda kill: kill[1]):
            assert in_a_process(path, fate, at) == -signal.SIGKILL
            # The last state that was wholly saved is there, or no file where there was none.
            saved = at if fate == "after" else at - 1
            assert path.exists() == (saved > 0)
            assert not path.exists() or load(path, like=start).step == saved
        assert in_a_process(path, "none") == 0
        assert path.read_bytes() == uninterrupted.read_bytes()
        assert same(load(path, like=start), load(uninterrupted, like=start))
        half_written = [p for p in path.parent.iterdir() if p != path]
        assert len(half_written) == sum(fate == "during" for fate, _ in kills)


if __name__ == "__main__":
    train_on(sys.argv[1], sys.argv[2], int(sys.argv[3]))
