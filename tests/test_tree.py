"""Trees: immutable, exact, and helpful."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import funcnet as fn

names = st.text("abcW", min_size=1, max_size=3)
floats = arrays.arrays(
    st.sampled_from([np.float32, np.float64, np.float16]), arrays.array_shapes(min_dims=0)
)
trees: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(names, floats, max_size=3),
    lambda inner: st.dictionaries(names, st.one_of(inner, floats), max_size=3),
    max_leaves=6,
)


def small() -> fn.Params:
    return fn.Params({"dense1": {"W": np.ones((2, 3), "float32"), "b": np.zeros(3, "float32")}})


WRITES: dict[str, Any] = {
    "item": lambda p: p.__setitem__("x", 1),
    "del": lambda p: p.__delitem__("dense1"),
    "update": lambda p: p.update({}),
    "pop": lambda p: p.pop("dense1"),
    "popitem": lambda p: p.popitem(),
    "clear": lambda p: p.clear(),
    "setdefault": lambda p: p.setdefault("x", 1),
    "ior": lambda p: p.__ior__({}),
}


@pytest.mark.parametrize("write", WRITES)
def test_writing_raises(write: str) -> None:
    params = small()
    with pytest.raises(fn.ImmutableError, match="make a new tree"):
        WRITES[write](params)
    assert params == small()


def test_leaves_are_read_only() -> None:
    w: Any = small()["dense1"]["W"]
    with pytest.raises(ValueError, match="read-only"):
        w[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        w += 1


def test_a_tree_does_not_follow_the_array_it_was_made_of() -> None:
    w = np.zeros(3)
    params = fn.Params({"W": w})
    w[0] = 1
    assert params["W"][0] == 0
    view = w.view()
    view.setflags(write=False)  # read-only itself, but a view of what can be written to
    params = fn.Params({"W": view})
    w[1] = 1
    assert params["W"][1] == 0


def test_read_only_arrays_are_taken_by_reference() -> None:
    params = small()
    again = fn.Params({"dense1": {"W": params["dense1"]["W"]}})
    assert again["dense1"]["W"] is params["dense1"]["W"]


def test_union_is_shallow_and_makes_a_new_tree() -> None:
    params = small()
    new = params | {"head": {"W": np.ones((1, 1), "float32")}}
    assert list(new) == ["dense1", "head"]
    assert new["dense1"] is params["dense1"]
    assert list(params) == ["dense1"]
    assert isinstance(new["head"], fn.Params)
    plain: Any = {"z": {"W": np.ones(1)}}
    assert list(plain | params) == ["z", "dense1"]


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "list": ({"W": [1.0]}, fn.ArgumentError, r"W is an array, not list; write np\.array"),
    "ints": ({"W": np.ones(2, int)}, fn.DtypeError, "W holds floats, not int64"),
    "grads inside": ({"a": fn.Grads({"W": np.ones(1)})}, fn.ArgumentError, "inside a Params"),
    "name": ({1: np.ones(1)}, fn.ArgumentError, "names in a tree are strings"),
    "slash": ({"a/b": np.ones(1)}, fn.ConfigError, "'a/b' is no name"),
    "no mapping": ([("W", 1)], fn.ArgumentError, "made of a mapping"),
}


@pytest.mark.parametrize("bad", BAD)
def test_refuses_what_is_no_tree(bad: str) -> None:
    items, error, text = BAD[bad]
    with pytest.raises(error, match=text):
        fn.Params(items)


def test_parameters_and_gradients_do_not_mix() -> None:
    params: Any = small()
    with pytest.raises(fn.ArgumentError, match=r"Params \| Grads mixes two kinds of tree"):
        params | fn.Grads({"b": np.ones(1)})


def test_missing_names_say_what_there_is() -> None:
    with pytest.raises(fn.ParamsError, match="no 'dense2' in this Params; it holds 'dense1'"):
        small()["dense2"]
    with pytest.raises(KeyError):
        small()["dense2"]
    with pytest.raises(fn.ParamsError, match="'dense1' is a part, not a leaf; it holds W, b"):
        small().leaf("dense1")


@given(trees)
def test_pickles_copies_and_equals(items: Any) -> None:
    params = fn.Params(items)
    again = pickle.loads(pickle.dumps(params))
    assert type(again) is fn.Params
    assert [p for p, _ in fn.leaves(again)] == [p for p, _ in fn.leaves(params)]
    for (_, a), (_, b) in zip(fn.leaves(again), fn.leaves(params), strict=True):
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes()
        assert not a.flags.writeable
    assert copy.deepcopy(params) is params
    assert fn.Params(items) != fn.Grads(items) or not items
    whole = fn.tree_map(np.nan_to_num, params)
    assert whole == fn.tree_map(np.nan_to_num, params)


@given(trees)
def test_tree_map_follows_the_first_tree(items: Any) -> None:
    params = fn.tree_map(np.nan_to_num, fn.Params(items))
    more = params | {"more": {"W": np.ones(1)}}
    doubled = fn.tree_map(lambda a, b: np.equal(a, b).astype(a.dtype), params, more)
    assert [p for p, _ in fn.leaves(doubled)] == [p for p, _ in fn.leaves(params)]


def test_tree_map_names_what_the_others_lack() -> None:
    with pytest.raises(fn.ParamsError, match="no 'dense1' in this Params; it holds nothing"):
        fn.tree_map(np.add, small(), fn.Params())


def test_tree_map_leaves_what_f_returns_writable_to_its_owner() -> None:
    mine = np.ones(3)
    fn.tree_map(lambda leaf: mine, fn.Params({"b": np.zeros(3)}))
    mine[0] = 2
    assert mine[0] == 2


def test_equality_sees_names_values_and_dtypes() -> None:
    assert small() == small()
    assert small() != fn.Params({"dense1": small()["dense1"] | {"b": np.ones(3, "float32")}})
    assert small() != fn.tree_map(lambda a: a.astype("float64"), small())
    assert small() != fn.Params({"dense2": small()["dense1"]})


def test_repr_shows_names_and_shapes_and_no_numbers() -> None:
    text = repr(fn.Params({f"dense{i}": small()["dense1"] for i in range(30)}))
    assert text.startswith("Params(270 numbers\n  dense0/W   2x3  float32\n")
    assert text.endswith("... and 20 more)")


def test_only_takes_the_entries_of_a_networks_parts() -> None:
    net = fn.dense(2, 3) >> fn.relu() >> fn.dense(3, 4)
    params = net.init(fn.Key(0), (2,))
    assert list(params.only(net[:2])) == ["dense1"]
    assert params.only(net) == params
    with pytest.raises(fn.ArgumentError, match="takes a pipeline; of a lone layer"):
        params.only(fn.dense(2, 3))


def test_scalars_stay_arrays() -> None:
    grads = fn.Grads.fresh({"scale": np.ones((2, 2)).sum()})
    assert isinstance(grads.leaf("scale"), np.ndarray)
    assert grads.leaf("scale").shape == ()
