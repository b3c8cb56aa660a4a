"""A batch divided among threads: what stays as it is, and what changes."""

from __future__ import annotations

import functools
import pickle
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import funcnet as fn
from funcnet.parallel import DataParallel

ANY: Any = fn  # to be called as the checker would not let us
N = 7  # examples: neither 2 nor 3 divides them
PARAMS = fn.Params({"b": np.zeros(1)})


def normal(*shape: int) -> Any:
    return fn.Key(len(shape)).child(shape[-1]).generator().standard_normal(shape, dtype="f4")


def heads_forward(y: Any, t: Any) -> tuple[float, Any]:
    each = [fn.mean_squared_error().forward(*pair) for pair in zip(y, t, strict=True)]
    return sum(value for value, _ in each), [cache for _, cache in each]


def heads_backward(caches: Any) -> Any:
    return tuple([fn.mean_squared_error().backward(cache) for cache in caches])


LABELS = np.arange(N) % 3
# A network, a loss, inputs and targets.
CASES: dict[str, tuple[Any, Any, Any, Any]] = {
    "dense": (
        fn.dense(4, 5) >> fn.relu() >> fn.dense(5, 3),
        fn.softmax_cross_entropy(),
        normal(N, 4),
        LABELS,
    ),
    "images": (
        fn.conv2d(2, 4, 3) >> fn.relu() >> fn.max_pool2d(2) >> fn.flatten() >> fn.dense(..., 3),
        fn.softmax_cross_entropy(0.1),
        normal(N, 2, 6, 6),
        LABELS,
    ),
    "tuples": (
        fn.both(fn.dense(4, 5), fn.dense(3, 5)) >> fn.both(fn.tanh(), fn.dense(5, 2)),
        ANY.Loss(heads_forward, heads_backward),
        (normal(N, 4), normal(N, 3)),
        (normal(N, 5), normal(N, 2)),
    ),
}
# What gives another result for a chunk than for its examples in the whole batch.
DRAWN = fn.dense(4, 6) >> fn.batch_norm(0.5) >> fn.dropout(0.4) >> fn.dense(6, 3)


def drawn() -> tuple[Any, fn.Params, Any, Any]:
    f = fn.value_and_grad(DRAWN, fn.softmax_cross_entropy())
    return f, DRAWN.init(fn.Key(0), (4,)), normal(N, 4), LABELS


def close(a: fn.Grads | fn.Params, b: fn.Grads | fn.Params, tolerance: float = 1e-5) -> bool:
    pairs = zip(fn.leaves(a), fn.leaves(b), strict=True)
    return all(p == q and np.allclose(v, w, atol=tolerance) for (p, v), (q, w) in pairs)


def counted(params: fn.Params, x: Any, t: Any, mode: fn.Mode) -> tuple[float, fn.Grads, fn.Params]:
    """The number of examples, and their sum."""
    return float(len(x)), fn.Grads({"b": x.sum(0)}), params


def blas_threads() -> set[int]:
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }


# ---- what stays --------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 3, 20])
@pytest.mark.parametrize("case", CASES)
def test_gives_what_the_undivided_function_gives(case: str, workers: int) -> None:
    net, loss, x, t = CASES[case]
    shape = tuple([a.shape[1:] for a in x]) if isinstance(x, tuple) else x.shape[1:]
    f, params = fn.value_and_grad(net, loss), net.init(fn.Key(0), shape)
    for mode in (fn.Eval(), fn.Train(fn.Key(1))):
        value, grads, same = f(params, x, t, mode)
        found = fn.data_parallel(f, workers)(params, x, t, mode)
        assert found[0] == pytest.approx(value, rel=1e-5)
        assert close(found[1], grads)
        assert found[2] is same is params
        assert {g.dtype for _, g in fn.leaves(found[1])} == {np.dtype("f4")}


def test_running_statistics_stay_as_they_are_in_eval() -> None:
    f, params, x, t = drawn()
    value, grads, _ = f(params, x, t, fn.Eval())
    found = fn.data_parallel(f, 3)(params, x, t, fn.Eval())
    assert found[0] == pytest.approx(value, rel=1e-5)
    assert close(found[1], grads)
    assert found[2] is params


@pytest.mark.parametrize(("workers", "n"), [(1, N), (2, 1), (9, 1)])
def test_one_chunk_is_the_function_itself(workers: int, n: int) -> None:
    f, params, x, t = drawn()
    mode = fn.Train(fn.Key(3))
    found = fn.data_parallel(f, workers)(params, x[:n], t[:n], mode)
    assert found == f(params, x[:n], t[:n], mode)


def test_no_examples_are_refused_as_the_function_refuses_them() -> None:
    f, params, x, t = drawn()
    for g in (f, fn.data_parallel(f)):
        with pytest.raises(fn.ShapeError, match="at least one example"):
            g(params, x[:0], t[:0], fn.Eval())


def test_the_same_arguments_give_the_same_bits_and_stay_as_they_are() -> None:
    f, params, x, t = drawn()
    given = [a.tobytes() for a in (x, t, *[v for _, v in fn.leaves(params)])]
    g, mode = fn.data_parallel(f, 3), fn.Train(fn.Key(3))
    first = g(params, x, t, mode)
    assert all(g(params, x, t, mode) == first for _ in range(30))
    assert [a.tobytes() for a in (x, t, *[v for _, v in fn.leaves(params)])] == given


# ---- what changes ------------------------------------------------------------------------------


def test_chunks_follow_each_other_and_weigh_as_much_as_they_are_long() -> None:
    x = np.arange(1.0, 9.0)[:, None]
    value, grads, _ = fn.data_parallel(counted, 3)(PARAMS, x, x, fn.Eval())
    assert value == pytest.approx((2 * 2 + 3 * 3 + 3 * 3) / 8)
    expected = (2 * (1 + 2) + 3 * (3 + 4 + 5) + 3 * (6 + 7 + 8)) / 8
    assert grads["b"] == pytest.approx(expected)


def test_each_chunk_is_normalised_and_drawn_for_on_its_own() -> None:
    f, params, x, t = drawn()
    key = fn.Key(3)
    value, grads, moved = fn.data_parallel(f)(params, x, t, fn.Train(key))
    chunks = [slice(0, 3), slice(3, 7)]
    each = [f(params, x[c], t[c], fn.Train(key.child(i))) for i, c in enumerate(chunks)]

    def mean(a: Any, b: Any) -> Any:
        return (3 * a + 4 * b) / 7

    assert value == pytest.approx(mean(each[0][0], each[1][0]))
    assert close(grads, fn.tree_map(mean, each[0][1], each[1][1]))
    assert close(moved, fn.tree_map(mean, each[0][2], each[1][2]))
    assert value != pytest.approx(f(params, x, t, fn.Train(key))[0], rel=1e-3)


def test_only_leaves_that_a_chunk_refreshed_are_new() -> None:
    f, params, x, t = drawn()
    moved = fn.data_parallel(f)(params, x, t, fn.Train(fn.Key(3)))[2]
    assert moved["dense1"] is params["dense1"]
    old, new = params["batch_norm1"], moved["batch_norm1"]
    same = {name for name in old if new.leaf(name) is old.leaf(name)}
    assert same == {"gamma", "beta"}
    assert {v.dtype for _, v in fn.leaves(moved)} == {np.dtype("f4")}


def test_a_chunk_of_chunks() -> None:
    def draws(params: Any, x: Any, t: Any, mode: Any) -> Any:
        return float(mode.key.generator().random()), fn.NO_GRADS, params

    key, x = fn.Key(5), np.zeros((8, 1))
    twice = fn.data_parallel(fn.data_parallel(draws))
    paths = [key.child(i).child(k) for i in (0, 1) for k in (0, 1)]
    expected = np.mean([path.generator().random() for path in paths])
    assert twice(PARAMS, x, x, fn.Train(key))[0] == pytest.approx(expected)


# ---- threads -----------------------------------------------------------------------------------


def test_chunks_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=30)  # breaks unless all three are there

    def meets(params: Any, x: Any, t: Any, mode: Any) -> Any:
        meeting.wait()
        return counted(params, x, t, mode)

    x = np.ones((3, 1))
    before = threading.active_count()
    assert fn.data_parallel(meets, 3)(PARAMS, x, x, fn.Eval())[0] == 1
    assert threading.active_count() == before


def fails(params: Any, x: Any, t: Any, mode: Any) -> Any:
    """Raises for examples that are negative."""
    if x.min() < 0:
        raise LookupError(x.min())
    return counted(params, x, t, mode)


@pytest.mark.parametrize(("rows", "heard"), [([-1, 1, 1], -1), ([1, 1, -3], -3), ([1, -2, -3], -2)])
def test_the_first_error_is_raised_as_it_is(rows: list[int], heard: int) -> None:
    x = np.array(rows, float)[:, None]
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with pytest.raises(LookupError, match=f"^{heard}.0$"):
            fn.data_parallel(fails, 3)(PARAMS, x, x, fn.Eval())
        assert blas_threads() == before


def test_errors_of_arithmetic_are_raised_in_all_threads_or_in_none() -> None:
    def doubles(params: Any, x: Any, t: Any, mode: Any) -> Any:
        return counted(params, 2 * x, t, mode)

    x = np.array([[1.0], [1e38]], "f4") * np.float32(3)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        fn.data_parallel(doubles)(PARAMS, x, x, fn.Eval())
    with np.errstate(over="ignore"):
        assert fn.data_parallel(doubles)(PARAMS, x, x, fn.Eval())[0] == 1


def limits_seen(params: Any, x: Any, t: Any, mode: Any) -> Any:
    return float(max(blas_threads(), default=1)), fn.NO_GRADS, params


def test_blas_runs_on_one_thread_meanwhile_and_on_as_many_as_before_after() -> None:
    x = np.zeros((4, 1))
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        for g in (fn.data_parallel(limits_seen), fn.data_parallel(fn.data_parallel(limits_seen))):
            assert g(PARAMS, x, x, fn.Eval())[0] == 1
            assert blas_threads() == before


class Blas:
    """A library as threadpoolctl shows it, with one number of threads for the process."""

    threads = 4

    def info(self) -> list[dict[str, Any]]:
        return [{"num_threads": self.threads}]

    @contextmanager
    def limit(self, limits: int) -> Iterator[None]:
        before, self.threads = self.threads, limits
        yield
        self.threads = before


class BlasOfThreads(Blas, threading.local):
    """One with a number for each thread."""


@pytest.mark.parametrize("blas", [Blas(), BlasOfThreads()])
def test_blas_is_limited_in_each_thread(blas: Blas) -> None:
    def sees(params: Any, x: Any, t: Any, mode: Any) -> Any:
        return float(blas.threads), fn.NO_GRADS, params

    x = np.zeros((3, 1))
    assert DataParallel(sees, 3, blas)(PARAMS, x, x, fn.Eval())[0] == 1
    assert blas.threads == 4


def test_calls_that_overlap_leave_blas_as_it_was() -> None:
    blas, x = Blas(), np.zeros((2, 1))
    entered, leave = threading.Event(), threading.Event()

    def waits(params: Any, x: Any, t: Any, mode: Any) -> Any:
        entered.set()
        assert leave.wait(30)
        return counted(params, x, t, mode)

    def outlasts(params: Any, x: Any, t: Any, mode: Any) -> Any:
        leave.set()
        first.join(30)
        return counted(params, x, t, mode)

    arguments = PARAMS, x, x, fn.Eval()
    first = threading.Thread(target=DataParallel(waits, 2, blas), args=arguments)
    first.start()
    assert entered.wait(30)
    DataParallel(outlasts, 2, blas)(*arguments)
    assert blas.threads == 4


# ---- use ---------------------------------------------------------------------------------------


def test_learns_the_digits() -> None:
    train, test = fn.datasets.digits()
    net = fn.flatten() >> fn.dense(64, 32) >> fn.batch_norm() >> fn.relu() >> fn.dense(32, 10)
    loss, optimizer = fn.softmax_cross_entropy(), fn.adam(0.01)
    step = fn.gradient_step(fn.data_parallel(fn.value_and_grad(net, loss)), optimizer)
    start = fn.TrainState.start(net.init(fn.Key(0), (1, 8, 8)), optimizer, fn.Key(1))
    batches = fn.minibatches(fn.Key(2), train.x, train.t, size=50, epochs=5)
    final = functools.reduce(step, batches, start)
    assert fn.accuracy(net, start.params, test.x, test.t) < 0.3
    assert fn.accuracy(net, final.params, test.x, test.t) > 0.85


def test_travels_to_other_processes() -> None:
    f, params, x, t = drawn()
    there = pickle.loads(pickle.dumps(fn.data_parallel(f, 3)))
    arguments = params, x, t, fn.Train(fn.Key(3))
    assert there(*arguments) == fn.data_parallel(f, 3)(*arguments)


def test_names_the_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with pytest.raises(fn.MissingExtraError, match=r"pip install 'funcnet\[parallel\]'"):
        fn.data_parallel(counted)


def uneven(params: Any, x: Any, t: Any, mode: Any) -> Any:
    return 0.0, fn.Grads({"b": x}), params


ERRORS: dict[str, tuple[Any, str]] = {
    "no workers": (
        lambda: fn.data_parallel(counted, 0),
        "data_parallel's workers is an integer of at least 1, not 0",
    ),
    "half a worker": (lambda: ANY.data_parallel(counted, 1.5), "workers is an integer, not 1.5"),
    "a network": (
        lambda: ANY.data_parallel(fn.relu()),
        "data_parallel takes a function, value_and_grad(net, loss) say, not relu()",
    ),
    "not called": (
        lambda: ANY.data_parallel(fn.value_and_grad),
        "f(params, x, t, mode): too many positional arguments; it is value_and_grad; did you mean",
    ),
    "fewer targets": (
        lambda: fn.data_parallel(counted)(PARAMS, normal(N, 1), normal(3, 1), fn.Eval()),
        "data_parallel expects 7 targets, but t gives 3",
    ),
    "uneven tuple": (
        lambda: fn.data_parallel(counted)(PARAMS, (normal(2, 1), LABELS), LABELS, fn.Eval()),
        "data_parallel expects as many examples in each of a tuple, but the input gives [2, 7]",
    ),
    "a list": (
        lambda: fn.data_parallel(counted)(PARAMS, [1, 2], LABELS, fn.Eval()),
        "data_parallel takes arrays of examples, not [1, 2]",
    ),
    "a key for a mode": (
        lambda: ANY.data_parallel(drawn()[0])(*drawn()[1:], fn.Key(0)),
        "Train(key)",
    ),
    "no triple": (
        lambda: ANY.data_parallel(lambda p, x, t, mode: 1.0)(PARAMS, LABELS, LABELS, fn.Eval()),
        "a value-and-gradient function returns (value, grads, params), not 1.0",
    ),
    "other shapes": (
        lambda: fn.data_parallel(uneven)(PARAMS, normal(N, 1), LABELS, fn.Eval()),
        "the chunks of a batch give trees of one form; these hold [(3, 1), (4, 1)]",
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_says_what_is_wrong(error: str) -> None:
    call, text = ERRORS[error]
    with pytest.raises(fn.FuncnetError) as caught:
        call()
    assert text in str(caught.value)
