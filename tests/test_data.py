"""Minibatches: an immutable sequence, a function of its key."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from functools import reduce
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn

ANY: Any = fn  # to be called as the checker would not let us
ONES = np.ones((2, 1))


def make(n: int = 10, **options: Any) -> Any:
    return fn.minibatches(fn.Key(0), np.arange(float(n)), np.arange(n), **options)


@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 3), st.booleans())
def test_every_epoch_holds_every_example_once(
    n: int, size: int, epochs: int, drop_last: bool
) -> None:
    if drop_last and size > n:
        with pytest.raises(fn.ShapeError, match="data for one batch"):
            make(n, size=size, drop_last=True)
        return
    batches = make(n, size=size, epochs=epochs, drop_last=drop_last)
    per_epoch = n // size if drop_last else -(-n // size)
    assert len(batches) == per_epoch * epochs
    for e in range(epochs):
        rows = np.concatenate([b.t for b in batches[e * per_epoch : (e + 1) * per_epoch]])
        assert len(set(rows.tolist())) == len(rows)
        assert len(rows) == (per_epoch * size if drop_last else n)
    for b in batches:
        np.testing.assert_array_equal(b.x, b.t)


@given(st.integers(-8, 8), st.integers(-8, 8))
def test_is_a_sequence_like_any_other(start: int, stop: int) -> None:
    batches = make(size=4, epochs=2)
    whole = list(batches)
    assert isinstance(batches, Sequence)
    assert same(list(batches[start:stop]), whole[start:stop])
    assert same(list(batches[start:][:2]), whole[start:][:2])
    if -6 <= start < 6:
        assert same([batches[start]], [whole[start]])
    assert same(list(reversed(batches)), whole[::-1])


def same(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(np.array_equal(u.x, v.x) for u, v in zip(a, b, strict=True))


def test_the_key_alone_decides_the_order() -> None:
    assert same(list(make(size=3)), list(make(size=3)))
    other = fn.minibatches(fn.Key(1), np.arange(10.0), np.arange(10), size=3)
    assert not same(list(make(size=3)), list(other))
    first, second = make(size=10, epochs=2)
    assert not np.array_equal(first.x, second.x)
    order = fn.Key(0).child(1).generator().permutation(10)
    np.testing.assert_array_equal(second.t, order)


def test_transform_gets_a_key_of_its_own_for_each_batch() -> None:
    def jitter(key: fn.Key, x: Any) -> Any:
        return x + key.generator().random()

    plain, moved = make(size=5, epochs=2), make(size=5, epochs=2, transform=jitter)
    shifts = [float((b.x - a.x)[0]) for a, b in zip(plain, moved, strict=True)]
    assert len(set(shifts)) == 4
    assert shifts[3] == pytest.approx(fn.Key(0).child(1).child(1).generator().random())
    assert same(list(moved), list(moved))


def test_pickles_and_shows_itself() -> None:
    batches = make(size=4, epochs=3)
    assert same(list(pickle.loads(pickle.dumps(batches))), list(batches))
    assert repr(batches) == "Minibatches(9 batches of 4, 3 an epoch)"
    with pytest.raises(AttributeError):
        batches.size = 3


@given(st.integers(2, 50), st.floats(0.05, 0.95))
def test_split_cuts_in_two_and_loses_nothing(n: int, fraction: float) -> None:
    x, t = np.arange(float(n)), np.arange(n)
    if not 0 < round(n * fraction) < n:
        with pytest.raises(fn.ShapeError, match="split expects data for two parts"):
            fn.split(fn.Key(0), x, t, fraction)
        return
    rest, held = fn.split(fn.Key(0), x, t, fraction)
    assert len(held.x) == round(n * fraction)
    assert sorted([*rest.t, *held.t]) == list(range(n))
    for part in (rest, held):
        np.testing.assert_array_equal(part.x, part.t)
        assert list(part.t) == sorted(part.t)
    again = fn.split(fn.Key(0), x, t, fraction)
    np.testing.assert_array_equal(again[1].t, held.t)


def test_one_hot() -> None:
    rows = fn.one_hot(np.array([2, 0, 1]), 4)
    assert str(rows.dtype) == "float32"
    np.testing.assert_array_equal(rows.argmax(1), [2, 0, 1])
    np.testing.assert_array_equal(rows.sum(1), 1)
    with pytest.raises(fn.ConfigError, match=r"labels lie in \[0, 2\); these reach from 0 to 2"):
        fn.one_hot(np.array([2, 0]), 2)
    with pytest.raises(fn.ArgumentError, match="one_hot takes labels"):
        ANY.one_hot(np.array([0.5]), 2)


def test_standardise_scales_all_by_the_first() -> None:
    draw = fn.Key(0).generator()
    train, test = draw.normal(5, 3, (200, 4)).astype("f4"), draw.normal(5, 3, (50, 4)).astype("f4")
    ours, theirs = fn.standardise(train, test)
    np.testing.assert_allclose(ours.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(ours.std(0), 1, rtol=1e-5)
    np.testing.assert_allclose(theirs, (test - train.mean(0)) / train.std(0), rtol=1e-4, atol=1e-5)
    assert {str(ours.dtype), str(theirs.dtype)} == {"float32"}
    (same,) = fn.standardise(np.full((3, 2), 7.0))
    assert not same.any()
    with pytest.raises(fn.ShapeError, match="standardise expects examples of shape"):
        fn.standardise(train, test[:, :2])


@given(st.integers(0, 12), st.integers(0, 12), st.integers(1, 12))
def test_epochs_are_the_fold_seen_at_their_ends(first: int, start: int, stop: int) -> None:
    def step(state: Any, batch: Any) -> Any:
        return state._replace(step=state.step + 1, loss=float(batch.x.sum()))

    def begin(made: int) -> Any:
        return fn.TrainState(fn.NO_PARAMS, (), fn.Key(0), made)

    batches = make(10, size=3, epochs=3)
    every = [*accumulate(batches[start:], step, initial=begin(start))][1:]
    ends = [state for state in every if state.step in (4, 8, 12)]
    assert [*fn.epochs(step, batches, begin(start))] == ends
    # The first batches of a run: it stops where they do.
    short = [state for state in ends if state.step <= stop]
    assert [*fn.epochs(step, batches[:stop], begin(start))] == short
    # The last ones: a run that has made fewer steps begins with the first of them.
    late = [*accumulate(batches[first:], step, initial=begin(first))][1:]
    late = [state for state in late if state.step in (4, 8, 12)]
    assert [*fn.epochs(step, batches[first:], begin(first))] == late


def test_prepare_is_what_one_would_write() -> None:
    x, t = fn.Key(3).generator().standard_normal((9, 4), np.float32), np.arange(9) % 3
    net, loss = fn.dense(4, 3) >> fn.dropout(0.5), fn.softmax_cross_entropy()
    key, optimizer = fn.Key(7), fn.adam(0.1)
    step = fn.train_step(net, loss, optimizer)
    start = fn.TrainState.start(net.init(key.child("init"), (4,)), optimizer, key.child("train"))
    batches = fn.minibatches(key.child("batches"), x, t, size=2, epochs=3)
    run = fn.prepare(key, net, loss, optimizer, x, t, size=2, epochs=3)
    assert reduce(*run) == reduce(step, batches, start)
    assert [*fn.epochs(*run)][-1].step == 15
    doubled = fn.prepare(key, net, loss, optimizer, x, t, 2, transform=lambda key, x: 2 * x)
    np.testing.assert_array_equal(doubled.batches[3].x, 2 * batches[3].x)


def test_prepare_draws_parameters_for_examples_as_the_batches_hold_them() -> None:
    x, t = np.ones((4, 1, 9, 9), np.float32), np.zeros(4, int)
    net, crop = fn.flatten() >> fn.dense(36, 2), fn.augmentation.crop(6)
    run = fn.prepare(
        fn.Key(0), net, fn.softmax_cross_entropy(), fn.sgd(0.1), x, t, 2, transform=crop
    )
    assert reduce(*run).step == 2


def test_prepare_goes_on_from_parameters_that_are_there() -> None:
    x, t = np.ones((4, 3), np.float32), np.zeros(4, int)
    body = fn.dense(3, 5) >> fn.relu()
    net, key = body >> fn.dense(5, 2).named("head"), fn.Key(0)
    loss, momentum = fn.softmax_cross_entropy(), fn.momentum(0.1)
    trained = net.init(fn.Key(9), (3,))
    start = fn.prepare(key, net, loss, momentum, x, t, 2, params=trained.only(body)).start
    assert start.params["dense1"]["W"] is trained["dense1"]["W"]
    assert start.params["head"] == net.init(key.child("init"), (3,))["head"]
    assert fn.prepare(key, net, loss, momentum, x, t, 2, params=trained).start.params == trained
    other = (fn.dense(3, 5) >> fn.dense(5, 5)).init(key, (3,))
    with pytest.raises(fn.ParamsError, match="surplus dense2"):
        fn.prepare(key, net, loss, momentum, x, t, 2, params=other)
    wider = (fn.dense(3, 6) >> fn.relu()).init(key, (3,))
    with pytest.raises(fn.ParamsError, match="dense1/W is 3x6"):
        fn.prepare(key, net, loss, momentum, x, t, 2, params=wider)
    with pytest.raises(fn.FuncnetError, match="Params"):
        ANY.prepare(key, net, loss, momentum, x, t, 2, params={"dense1": 3})


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "key": (
        lambda: ANY.minibatches(0, np.zeros(3), np.zeros(3), 2),
        fn.ArgumentError,
        "minibatches takes a Key first, not 0; write Key(0)",
    ),
    "lengths": (
        lambda: fn.minibatches(fn.Key(0), np.zeros(3), np.zeros(4), 2),
        fn.ShapeError,
        "minibatches expects 3 targets, one for each input, but t gives 4",
    ),
    "size": (lambda: make(size=0), fn.ConfigError, "size is an integer of at least 1, not 0"),
    "epochs": (lambda: make(size=1, epochs=0), fn.ConfigError, "epochs is an integer"),
    "list": (
        lambda: ANY.minibatches(fn.Key(0), [1.0], np.zeros(1), 1),
        fn.ArgumentError,
        "x is an array with one entry for each example, not [1.0]",
    ),
    "transform": (
        lambda: make(size=1, transform=3),
        fn.ArgumentError,
        "transform is a function of a key and a batch, not 3",
    ),
    "a transform that is not called": (
        lambda: make(size=1, transform=fn.augmentation.flip),
        fn.ArgumentError,
        "transform is called as transform(key, x): too many positional arguments; it is flip; "
        "did you mean flip()?",
    ),
    "a transform that returns nothing": (
        lambda: make(size=4, transform=lambda key, x: None)[0],
        fn.ArgumentError,
        "transform gives an array of examples, not None",
    ),
    "a transform that loses an example": (
        lambda: make(size=4, transform=lambda key, x: x[1:])[0],
        fn.ShapeError,
        "minibatches expects 4 examples, one for each target, but transform gives 3",
    ),
    "prepare's key": (
        lambda: ANY.prepare(0, fn.dense(1, 1), fn.squared_error(), fn.sgd(0.1), ONES, ONES, 1),
        fn.ArgumentError,
        "prepare takes a Key first, not 0; write Key(0)",
    ),
    "prepare of a network first": (
        lambda: ANY.prepare(fn.dense(1, 1), fn.Key(0), fn.squared_error(), fn.sgd(0.1), 3, 3, 1),
        fn.ArgumentError,
        "prepare takes (key, net, loss, optimizer, x, t, size), in this order",
    ),
    "prepare of integers": (
        lambda: ANY.prepare(
            fn.Key(0), fn.dense(1, 1), fn.squared_error(), fn.sgd(0.1), ONES.astype(int), ONES, 1
        ),
        fn.DtypeError,
        "takes floats, not int64; write x.astype('float32')",
    ),
    "prepare of sizes that do not fit": (
        lambda: fn.prepare(
            fn.Key(0), fn.dense(3, 1), fn.squared_error(), fn.sgd(0.1), ONES, ONES, 1
        ),
        fn.ShapeError,
        "dense expects 3 features, but the input gives 1",
    ),
    "epochs of a list": (
        lambda: ANY.epochs(abs, [1], 3),
        fn.ArgumentError,
        "epochs takes what minibatches gives second, not [1]",
    ),
    "epochs from parameters": (
        lambda: ANY.epochs(abs, make(size=1), fn.NO_PARAMS),
        fn.ArgumentError,
        "epochs takes a TrainState third, not Params(0 numbers)",
    ),
    "epochs of no step": (
        lambda: ANY.epochs(fn.adam(0.1), make(size=1), 3),
        fn.ArgumentError,
        "epochs' step is a function, train_step(net, loss, optimizer) say",
    ),
    "empty": (
        lambda: make(0, size=1),
        fn.ShapeError,
        "minibatches expects data for one batch of 1, but x gives 0",
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_says_what_is_wrong(error: str) -> None:
    call, kind, text = ERRORS[error]
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)
