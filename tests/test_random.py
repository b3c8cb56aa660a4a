"""Keys name streams of random numbers, for ever and everywhere the same."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn

steps = st.one_of(st.integers(0, 2**31 - 1), st.text(max_size=5))
paths = st.lists(steps, max_size=4)


def key_of(path: list[int | str], seed: int = 0) -> fn.Key:
    key = fn.Key(seed)
    for step in path:
        key = key.child(step)
    return key


@given(paths, paths)
def test_different_paths_draw_different_numbers(a: list[int | str], b: list[int | str]) -> None:
    same = key_of(a).generator().integers(2**63) == key_of(b).generator().integers(2**63)
    assert same == (a == b)
    assert (key_of(a) == key_of(b)) == (a == b)


@given(paths, st.integers(0, 2**128 - 1))
def test_keys_pickle(path: list[int | str], seed: int) -> None:
    key = key_of(path, seed)
    again = pickle.loads(pickle.dumps(key))
    assert again == key
    assert type(again) is fn.Key
    assert again.generator().integers(2**63) == key.generator().integers(2**63)
    assert eval(repr(key), {"Key": fn.Key}) == key


def test_a_number_and_its_name_are_two_streams() -> None:
    assert key_of([1]).generator().random() != key_of(["1"]).generator().random()


def test_streams_do_not_change_between_versions() -> None:
    key = fn.Key(42).child("dropout1").child(3)
    assert key.generator().bytes(8).hex() == "86e69e9c6c51cfa4"


KEY: Any = fn.Key  # to be called as the checker would not let us
TRAIN: Any = fn.Train

BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "text": (lambda: KEY("a"), fn.ArgumentError, "a seed is an integer, not 'a'"),
    "negative": (lambda: fn.Key(-1), fn.ConfigError, r"a seed lies in \[0, 2\*\*128\), -1"),
    "child": (lambda: fn.Key(0).child(2**31), fn.ConfigError, r"lies in \[0, 2\*\*31\)"),
    "float": (lambda: KEY(0).child(1.5), fn.ArgumentError, "integer or a name, not 1.5"),
    "mode": (lambda: TRAIN(3), fn.ArgumentError, r"write Train\(Key\(0\)\)"),
}


@pytest.mark.parametrize("bad", BAD)
def test_refuses(bad: str) -> None:
    call, error, text = BAD[bad]
    with pytest.raises(error, match=text):
        call()


def test_modes_are_immutable_values() -> None:
    mode: Any = fn.Train(fn.Key(0))
    with pytest.raises(fn.ImmutableError):
        mode.key = fn.Key(1)
    assert mode == fn.Train(fn.Key(0))
    assert mode != fn.Train(fn.Key(1))
    assert hash(mode) == hash(fn.Train(fn.Key(0)))
    assert pickle.loads(pickle.dumps(mode)) == mode
    assert mode.child("a") == fn.Train(fn.Key(0).child("a"))
    assert fn.Eval() == fn.Eval()
    assert fn.Eval().child("a") == fn.Eval()


def test_nothing_touches_the_global_generator() -> None:
    state: Any = np.random.mtrand._rand  # the generator behind np.random.seed
    before = state.get_state()[1].copy()
    net = fn.dense(3, 4) >> fn.dropout(0.5)
    net.forward(net.init(fn.Key(0), (3,)), np.ones((2, 3), "float32"), fn.Train(fn.Key(0)))
    np.testing.assert_array_equal(before, state.get_state()[1])
