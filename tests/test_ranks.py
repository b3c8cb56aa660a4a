"""A batch divided among ranks: threads stand in for processes, and exchange what those would."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import Any

import numpy as np
import pytest

import funcnet as fn

ANY: Any = fn  # to be called as the checker would not let us
NET = fn.dense(4, 6) >> fn.batch_norm(0.5) >> fn.dropout(0.4) >> fn.dense(6, 3)
F = fn.value_and_grad(NET, fn.softmax_cross_entropy())
PARAMS = NET.init(fn.Key(0), (4,))
X: Any = fn.Key(1).generator().standard_normal((7, 4), dtype="f4")
T = np.arange(7) % 3


class World:
    """As many ranks as threads, which meet at each exchange."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.board: list[Any] = [None] * size
        self.meeting = threading.Barrier(size, timeout=20)

    def exchange(self, rank: int, sent: Any) -> list[Any]:
        self.board[rank] = sent.copy()
        self.meeting.wait()
        seen = [each.copy() for each in self.board]
        self.meeting.wait()
        return seen

    def run(self, program: Callable[[Any], Any]) -> list[Any]:
        """What ``program`` gives in each rank, called with its communicator."""
        with ThreadPoolExecutor(self.size) as threads:
            return list(threads.map(program, [Rank(self, i) for i in range(self.size)]))


class Rank:
    def __init__(self, world: World, rank: int) -> None:
        self.world, self.rank, self.size = world, rank, world.size

    def Alltoall(self, sent: Any, received: Any) -> None:  # noqa: N802
        assert sent.flags.c_contiguous
        assert sent.shape == received.shape
        for i, each in enumerate(self.world.exchange(self.rank, sent)):
            received[i] = each[self.rank]

    def Allgather(self, sent: Any, received: Any) -> None:  # noqa: N802
        assert sent.dtype == received.dtype
        received[:] = self.world.exchange(self.rank, sent)

    def gather(self, sent: Any) -> list[Any] | None:
        found = self.world.exchange(self.rank, sent)
        return found if self.rank == 0 else None


@pytest.mark.parametrize("mode", [fn.Eval(), fn.Train(fn.Key(5))], ids=repr)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_every_rank_gets_what_as_many_workers_give(size: int, mode: fn.Mode) -> None:
    expected = fn.data_parallel(F, size)(PARAMS, X, T, mode)
    found = World(size).run(lambda comm: fn.across_ranks(F, comm)(PARAMS, X, T, mode))
    assert all(each == expected for each in found)  # to the bit
    assert all(isinstance(each[0], float) for each in found)


def test_each_rank_computes_its_own_chunk() -> None:
    seen: dict[int, list[int]] = {}

    def program(comm: Any) -> None:
        def f(params: Any, x: Any, t: Any, mode: Any) -> Any:
            seen[comm.rank] = t.tolist()
            return 0.0, fn.Grads({"b": x.sum(0)}), params

        fn.across_ranks(f, comm)(fn.Params({"b": np.zeros(4, "f4")}), X, np.arange(7), fn.Eval())

    World(3).run(program)
    assert seen == {0: [0, 1], 1: [2, 3], 2: [4, 5, 6]}


def test_parameters_that_nobody_refreshed_are_passed_on() -> None:
    params, mode = PARAMS, fn.Train(fn.Key(2))
    for _, _, moved in World(2).run(lambda comm: fn.across_ranks(F, comm)(params, X, T, mode)):
        assert moved["dense1"] is params["dense1"]
        assert moved["batch_norm1"]["gamma"] is params["batch_norm1"]["gamma"]
        assert not np.array_equal(moved["batch_norm1"]["mean"], params["batch_norm1"]["mean"])
    for _, _, moved in World(2).run(lambda comm: fn.across_ranks(F, comm)(params, X, T, fn.Eval())):
        assert moved is params


def test_leaves_of_several_dtypes_keep_theirs() -> None:
    def f(params: Any, x: Any, t: Any, mode: Any) -> Any:
        wide = x.astype(float).sum(0)
        return 0.0, fn.Grads({"a": {"W": x[:1] * 2}, "b": wide, "c": {"b": x[0]}}), params

    params = fn.Params({"b": np.zeros(4)})
    expected = fn.data_parallel(f, 2)(params, X, T, fn.Eval())[1]
    for _, grads, _ in World(2).run(lambda comm: fn.across_ranks(f, comm)(params, X, T, fn.Eval())):
        assert grads == expected
        assert [(v.dtype, v.shape) for _, v in fn.leaves(grads)] == [
            (np.dtype("f4"), (1, 4)),
            (np.dtype("f8"), (4,)),
            (np.dtype("f4"), (4,)),
        ]


def test_ranks_train_side_by_side() -> None:
    data = fn.datasets.digits().train
    x, t = data.x.reshape(-1, 64), data.t
    net = fn.dense(64, 20) >> fn.relu() >> fn.dense(20, 10)
    loss, optimizer = fn.softmax_cross_entropy(), fn.adam(0.01)
    start = fn.TrainState.start(net.init(fn.Key(0), (64,)), optimizer, fn.Key(1))
    batches = fn.minibatches(fn.Key(2), x, t, size=50, epochs=2)

    def program(comm: Any) -> Any:
        f = fn.across_ranks(fn.value_and_grad(net, loss), comm)
        return reduce(fn.gradient_step(f, optimizer), batches, start)

    one, two = World(2).run(program)
    assert one == two
    assert one.step == len(batches)
    assert fn.accuracy(net, one.params, x, t) > 0.9


ERRORS: dict[str, tuple[Any, str]] = {
    "no communicator": (
        lambda comm: ANY.across_ranks(F, 4),
        "across_ranks takes a communicator like MPI.COMM_WORLD, not 4",
    ),
    "a network": (
        lambda comm: ANY.across_ranks(NET, comm),
        "across_ranks takes a function, value_and_grad(net, loss) say, not dense(4, 6)",
    ),
    "fewer examples than ranks": (
        lambda comm: fn.across_ranks(F, comm)(PARAMS, X[:1], T[:1], fn.Eval()),
        "across_ranks expects at least 2 examples, one a rank, but the batch gives 1; leave out a "
        "last small batch by minibatches(..., drop_last=True)",
    ),
    "targets that are not as many": (
        lambda comm: fn.across_ranks(F, comm)(PARAMS, X, T[:5], fn.Eval()),
        "across_ranks expects 7 targets, but t gives 5",
    ),
    "targets in a list": (
        lambda comm: ANY.across_ranks(F, comm)(PARAMS, X, T.tolist(), fn.Eval()),
        "across_ranks takes arrays of examples, not [0, 1, 2, 0, 1, 2, 0]; write np.array(t)",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_say_what_to_do(case: str) -> None:
    call, text = ERRORS[case]
    with pytest.raises(fn.FuncnetError) as caught:
        World(2).run(call)
    assert text in str(caught.value)


# What rank 1 has otherwise than rank 0, as (params, x, t, mode).
DIFFERENT: dict[str, tuple[Any, Any, Any, Any]] = {
    "parameters": (NET.init(fn.Key(1), (4,)), X, T, fn.Eval()),
    "parameters' names, shapes or dtypes": (NET.init(fn.Key(0), (4,), float), X, T, fn.Eval()),
    "number of examples": (PARAMS, X[:6], T[:6], fn.Eval()),
    "inputs": (PARAMS, X + 1, T, fn.Eval()),
    "targets": (PARAMS, X, (T + 1) % 3, fn.Eval()),
    "mode or key": (PARAMS, X, T, fn.Train(fn.Key(5))),
}


@pytest.mark.parametrize("fact", DIFFERENT)
def test_ranks_whose_arguments_differ_are_told_so_in_all_of_them(fact: str) -> None:
    def program(comm: Any) -> str:
        arguments = DIFFERENT[fact] if comm.rank else (PARAMS, X, T, fn.Eval())
        with pytest.raises(fn.ArgumentError) as caught:
            fn.across_ranks(F, comm)(*arguments)
        return str(caught.value)

    for text in World(2).run(program):
        assert f"across_ranks: rank 1 has other {fact} than rank 0; all ranks run the same" in text


def test_parameters_that_have_run_away_are_the_same_in_all_ranks() -> None:
    params = fn.Params({"b": np.array([np.nan, np.inf, -np.inf])})

    def f(params: Any, x: Any, t: Any, mode: Any) -> Any:
        return np.nan, fn.Grads({"b": np.ones(3)}), params

    for value, grads, _ in World(2).run(
        lambda comm: fn.across_ranks(f, comm)(params, X, T, fn.Eval())
    ):
        assert np.isnan(value)
        np.testing.assert_array_equal(grads["b"], 1)
