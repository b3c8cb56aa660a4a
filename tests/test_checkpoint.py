"""Checkpoints: exact, whole or not there at all, and clear about what does not fit."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any, NamedTuple, assert_type

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import funcnet as fn
from funcnet.checkpoint import load, save
from funcnet.optimizers import Adam

DTYPES = ["float16", "float32", "float64", ">f4", "int8", "uint16", "int64", "bool", "complex64"]
FLOATS = st.sampled_from([np.float16, np.float32, np.float64])


class Pair(NamedTuple):
    first: Any
    second: Any


class Other(NamedTuple):
    first: Any
    second: Any


def same(a: Any, b: Any) -> bool:
    """Whether two values are of one type and structure, and equal to the last bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[name], b[name]) for name in a)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def kept(tmp_path: Path, value: Any, like: Any = None) -> Any:
    save(tmp_path / "value.npz", value)
    return load(tmp_path / "value.npz", like=value if like is None else like)


def zeros(**shapes: int) -> fn.Params:
    return fn.Params({name: np.zeros(n, "float32") for name, n in shapes.items()})


def net() -> Any:
    return fn.flatten() >> fn.dense(..., 4) >> fn.batch_norm() >> fn.dropout(0.5) >> fn.dense(4, 2)


def trained() -> tuple[Any, Any]:
    """The start of a run, and its state after two steps."""
    optimizer = fn.chain(fn.clip_by_global_norm(1.0), fn.adam(fn.cosine_decay(0.1, 9)))
    params = net().init(fn.Key(0), (1, 3, 3))
    start = fn.TrainState.start(params, optimizer, fn.Key(2**100).child("run").child(3))
    step = fn.train_step(net(), fn.softmax_cross_entropy(), optimizer)
    x = fn.Key(1).generator().normal(size=(6, 1, 3, 3)).astype("float32")
    batch = fn.Batch(x, np.arange(6) % 2)
    return start, step(step(start, batch), batch)


# ---- what is saved comes back ------------------------------------------------------------------


def test_parameters_come_back_without_like(tmp_path: Path) -> None:
    params = net().init(fn.Key(0), (1, 3, 3))
    save(tmp_path / "net.npz", params)
    loaded = load(tmp_path / "net.npz")
    assert same(loaded, params)
    assert repr(loaded) == repr(params)


def test_a_state_of_training_comes_back(tmp_path: Path) -> None:
    start, state = trained()
    loaded = kept(tmp_path, state, like=start)
    assert same(loaded, state)
    assert type(loaded) is fn.TrainState
    assert type(loaded.optimizer_state[1]) is type(state.optimizer_state[1])
    assert loaded.step == 2
    assert same(kept(tmp_path, start), start)
    assert math.isnan(load(tmp_path / "value.npz", like=start).loss)


@pytest.mark.parametrize(
    "value",
    [
        (),
        ((), ((),), (1, ())),
        Pair(None, Pair(True, False)),
        (0, -1, 2**63, -(2**1000)),
        (0.0, -0.0, math.inf, -math.nan, 5e-324),
        ("", "a/b\\", "\0 é \ud800 '", "5"),
        (fn.Key(0), fn.Key(2**128 - 1).child("3").child(3).child("")),
        (np.float32(0.1), np.float64(0.1), np.int8(-1), np.bool_(True), np.complex128(1j)),
        (fn.Params(), fn.Grads(), fn.Params({"a": {}, "b": {"c": {}}})),
        (fn.Grads({"dense1": {"W": np.ones((2, 2))}}),),
        7,
        "a word",
        fn.Key(5),
        np.arange(6).reshape(2, 3),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_values_of_every_kind_come_back(tmp_path: Path, value: Any) -> None:
    assert same(kept(tmp_path, value), value)


def test_names_and_numbers_in_a_key_are_kept_apart(tmp_path: Path) -> None:
    name, number = fn.Key(0).child("3"), fn.Key(0).child(3)
    assert kept(tmp_path, name) == name != number
    assert kept(tmp_path, number) == number
    assert type(kept(tmp_path, number)) is fn.Key
    assert kept(tmp_path, number).generator().random() == number.generator().random()


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_keep_every_bit_and_are_read_only(tmp_path: Path, dtype: str) -> None:
    bits = np.frombuffer(bytes(range(48)) * 4, np.uint8)
    value = (bits > 99) if dtype == "bool" else bits.view(dtype)
    shapes = [value, value.reshape(2, -1).T, value[:0], value[:0].reshape(3, 0), value[3:4][0, ...]]
    loaded = kept(tmp_path, (*shapes,))
    assert same(loaded, (*shapes,))
    for array in loaded:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize("special", [np.nan, -np.nan, -0.0, np.inf, 1e-45])
def test_special_numbers_keep_their_bits(tmp_path: Path, special: float) -> None:
    params = fn.Params(
        {"b": np.array(special, "float32"), "W": np.full((2, 1), special, "float64")}
    )
    assert same(kept(tmp_path, params), params)


def test_leaves_of_loaded_parameters_are_read_only(tmp_path: Path) -> None:
    params = zeros(b=3)
    for loaded in (kept(tmp_path, params), load(tmp_path / "value.npz")):
        w: Any = loaded["b"]
        with pytest.raises(ValueError, match="read-only"):
            w[0] = 1
        # No other array shares the memory, through which it could be written to.
        assert w.base is None


characters = st.characters(exclude_characters="/") | st.sampled_from("%\\.\0")
names = st.text(characters, min_size=1, max_size=4)
floats = arrays.arrays(FLOATS, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0))
trees: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(names, floats, max_size=3),
    lambda inner: st.dictionaries(names, st.one_of(inner, floats), max_size=3),
    max_leaves=6,
)


@given(trees)
@example(
    {"a\\b": np.zeros(1), "a": {"b": np.ones(1)}, "a%005cb": np.ones(2), "%": {"0": np.ones(3)}}
)
@example({"a.npy": np.ones(1), "a": np.ones(2), "funcnet.json": np.ones(1)})
def test_any_tree_comes_back_under_any_names(
    tmp_path_factory: pytest.TempPathFactory, tree: Any
) -> None:
    params, path = fn.Params(tree), tmp_path_factory.mktemp("tree") / "tree.npz"
    save(path, params)
    assert same(load(path), params)
    assert same(load(path, like=params), params)


def test_numpy_reads_the_arrays_by_their_paths(tmp_path: Path) -> None:
    _, state = trained()
    save(tmp_path / "run.npz", state)
    with np.load(tmp_path / "run.npz") as stored:
        assert same(stored["params/dense1/W"], state.params["dense1"]["W"])
        assert same(
            stored["optimizer_state/1/mean/dense2/b"], state.optimizer_state[1].mean["dense2"]["b"]
        )
        assert stored["loss"] == state.loss


def test_what_was_a_number_of_numpy_is_one_of_python_where_that_is_expected(tmp_path: Path) -> None:
    value = (np.float32(0.5), np.int16(3), np.bool_(True))
    assert same(kept(tmp_path, value, like=(1.0, 0, False)), (0.5, 3, True))
    with pytest.raises(fn.CheckpointError, match="0 is of type number, not int"):
        load(tmp_path / "value.npz", like=(1, 0, False))


def test_like_gives_the_order_of_names(tmp_path: Path) -> None:
    assert list(kept(tmp_path, zeros(a=1, b=2), like=zeros(b=2, a=1))) == ["b", "a"]


# ---- values that do not fit --------------------------------------------------------------------


def test_all_that_does_not_fit_is_listed(tmp_path: Path) -> None:
    save(
        tmp_path / "net.npz",
        fn.Params(
            {
                "dense1": {"W": np.zeros((2, 3), "float32"), "b": np.zeros(3, "float64")},
                "dense2": {"W": np.zeros((3, 1), "float16"), "b": np.zeros(1, "float32")},
                "dense3": {"W": np.zeros(1, "float32"), "b": np.zeros(1, "float32")},
                "gain": np.zeros(1, "float32"),
            }
        ),
    )
    like = fn.Params(
        {
            "dense0": {"W": np.zeros(1, "float32"), "b": np.zeros(1, "float32")},
            "dense1": {"W": np.zeros((2, 4), "float32"), "b": np.zeros(3, "float32")},
            "dense2": {"W": np.zeros((3, 2), "float32"), "b": np.zeros(1, "float32")},
            "gain": {"W": np.zeros(1, "float32")},
        }
    )
    with pytest.raises(fn.CheckpointError) as caught:
        load(tmp_path / "net.npz", like=like)
    assert str(caught.value).splitlines() == [
        f"{tmp_path / 'net.npz'} does not hold what like= is:",
        "  missing: dense0/W, dense0/b, gain/W",
        "  surplus: dense3/W, dense3/b",
        "  dense1/W has shape 2x3, not 2x4",
        "  dense1/b has dtype float64, not float32",
        "  dense2/W has shape 3x1, not 3x2",
        "  dense2/W has dtype float16, not float32",
        "  gain is of type array, not Params",
    ]


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [
        ((1, 2), (1, 2.0), "1 is of type int, not float"),
        ((1, True), (1, 2), "1 is of type bool, not int"),
        ((1, ()), (1,), "surplus: 1"),
        ((1,), (1, fn.Params()), "missing: 1"),
        ((1, None), (1, (2,)), "1 is of type None, not tuple"),
        ((zeros(b=1),), (fn.Grads(zeros(b=1)),), "0 is of type Params, not Grads"),
        (zeros(b=1), fn.Grads(zeros(b=1)), "holds Params, not Grads as like= is"),
        ((Pair(1, 2),), (Other(1, 2),), "0 is of type Pair, not Other"),
        (Pair(1, 2), (1, 2), "holds Pair, not tuple as like= is"),
        (np.zeros(2), np.zeros(3), "the value has shape 2, not 3"),
        (np.float32(1), np.float64(1), "the value has dtype float32, not float64"),
        ((np.float32(1),), (np.zeros(()),), "0 is of type number, not array"),
        (("x",), (fn.Key(0),), "0 is of type str, not Key"),
    ],
    ids=str,
)
def test_values_of_other_structure_are_refused(
    tmp_path: Path, value: Any, like: Any, text: str
) -> None:
    with pytest.raises(fn.CheckpointError) as caught:
        kept(tmp_path, value, like=like)
    assert text in str(caught.value)


def test_a_state_is_not_its_parameters(tmp_path: Path) -> None:
    _, state = trained()
    save(tmp_path / "run.npz", state)
    with pytest.raises(fn.CheckpointError) as caught:
        load(tmp_path / "run.npz", like=state.params)
    assert str(caught.value) == (
        f"{tmp_path / 'run.npz'} holds TrainState, not Params as like= is; give like= such a "
        "value, TrainState.start(params, optimizer, key) say, and take .params of what you get"
    )
    with pytest.raises(fn.CheckpointError, match=r"holds TrainState, not Params; write load\(path"):
        load(tmp_path / "run.npz")
    save(tmp_path / "net.npz", state.params)
    with pytest.raises(
        fn.CheckpointError, match=r"holds Params, not TrainState.* write load\(path"
    ):
        load(tmp_path / "net.npz", like=state)


def test_another_optimizers_state_is_refused(tmp_path: Path) -> None:
    params = zeros(b=1)
    one, other = (
        fn.TrainState.start(params, optimizer, fn.Key(0))
        for optimizer in (fn.adam(0.1), fn.momentum(0.1))
    )
    save(tmp_path / "run.npz", one)
    with pytest.raises(fn.CheckpointError) as caught:
        load(tmp_path / "run.npz", like=other)
    lines = str(caught.value).splitlines()[1:]
    assert lines == [
        "  missing: optimizer_state/velocity/b",
        "  surplus: optimizer_state/mean/b, optimizer_state/square/b",
        "  optimizer_state is of type Adam, not Momentum",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (print, "the value is of type builtin_function_or_method, which cannot be saved"),
        (Pair(1, (2, print)), "second/1 is of type builtin_function_or_method"),
        ((fn.Trial(0, {}, ()),), r"0/values is of type dict, .* json\.dump\(trials, file\)"),
        ([1], r"the value is of type list, .*; write tuple\(\.\.\.\)"),
        (({"a": 1},), r"0 is of type dict, .*; write Params\(\.\.\.\)"),
        (fn.relu(), "the value is of type Same, which cannot be saved; what can are Params,"),
        (Pair(np.array(["a"]), 1), "first holds <U1; what is saved are numbers"),
        (np.array([None]), "the value holds object"),
        (np.ma.masked_array([1.0], [True]), "the value is of type MaskedArray"),
        ((1, 2**1025), "1 is an integer of more than 1024 bits"),
        (1j, "the value is of type complex"),
        (None, "there is nothing to save"),
    ],
    ids=repr,
)
def test_what_cannot_be_saved_is_named(tmp_path: Path, value: Any, text: str) -> None:
    with pytest.raises(fn.ArgumentError, match=text):
        save(tmp_path / "value.npz", value)
    assert not list(tmp_path.iterdir())
    if value is not None:
        save(tmp_path / "value.npz", 1)
        with pytest.raises(fn.ArgumentError, match=f"like is a value of the same .* say; {text}"):
            load(tmp_path / "value.npz", like=value)


def test_the_checker_knows_what_is_loaded(tmp_path: Path) -> None:
    params, path = zeros(b=1), tmp_path / "value.npz"
    start = fn.TrainState.start(params, fn.adam(0.1), fn.Key(0))
    save(path, params)
    assert_type(load(path), fn.Params)
    assert_type(load(path, like=params), fn.Params)
    save(path, start)
    assert_type(load(path, like=start), fn.TrainState[Adam])
    save(str(path), (1, "a"))
    assert_type(load(str(path), (0, "")), tuple[int, str])
