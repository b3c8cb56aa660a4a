"""Errors: what they are to a caller, and that they travel between processes."""

from __future__ import annotations

import pickle

import pytest

import funcnet as fn

ALSO = {
    fn.ArgumentError: TypeError,
    fn.CheckpointError: ValueError,
    fn.ConfigError: ValueError,
    fn.DataError: ValueError,
    fn.DtypeError: TypeError,
    fn.ImmutableError: TypeError,
    fn.LayerCheckError: AssertionError,
    fn.MissingExtraError: ImportError,
    fn.MissingFileError: FileNotFoundError,
    fn.NonFiniteError: ArithmeticError,
    fn.ParamsError: KeyError,
    fn.ShapeError: ValueError,
}


@pytest.mark.parametrize("error", ALSO, ids=lambda e: e.__name__)
def test_each_is_also_the_builtin_that_a_caller_expects(error: type[fn.FuncnetError]) -> None:
    assert issubclass(error, fn.FuncnetError)
    assert issubclass(error, ALSO[error])


@pytest.mark.parametrize("error", [e for e in ALSO if e is not fn.ShapeError])
def test_texts_grow_with_the_place(error: type[fn.FuncnetError]) -> None:
    caught = error("no good").within("dense1").within("0").within("residual1", "a >> residual1")
    assert str(caught) == "residual1/0/dense1 in a >> residual1: no good"
    assert str(pickle.loads(pickle.dumps(caught))) == str(caught)


def test_shape_errors_say_expected_got_and_mend() -> None:
    error = fn.ShapeError("3 features", "4", "write 4")
    assert str(error) == "expects 3 features, but the input gives 4; write 4"
    placed = error.within("dense2", "dense1 >> dense2", "dense1")
    assert str(placed) == (
        "dense2 in dense1 >> dense2 expects 3 features, but dense1 gives 4; write 4"
    )
    assert str(pickle.loads(pickle.dumps(placed))) == str(placed)


def test_every_error_is_tested() -> None:
    public = {v for v in vars(fn).values() if isinstance(v, type) and issubclass(v, Exception)}
    assert public == {*ALSO, fn.FuncnetError}
