"""A layer's door: what is checked of a call, and what a layer remembers."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import funcnet as fn

from .test_composition import WIDTH, batch

ANY: Any = fn  # to be called as the checker would not let us


def net_and_params() -> tuple[Any, fn.Params, Any]:
    net = fn.dense(WIDTH, 3) >> fn.relu() >> fn.dense(3, 2)
    return net, net.init(fn.Key(0), (WIDTH,)), batch()


DOOR: dict[str, tuple[Any, type[Exception], str]] = {
    "missing": (
        lambda net, p, x: net.apply(p.only(net[:1]), x),
        fn.ParamsError,
        "these are not this network's parameters: missing dense2",
    ),
    "surplus": (
        lambda net, p, x: net.apply(p | {"dense3": p["dense2"]}, x),
        fn.ParamsError,
        "surplus dense3",
    ),
    "leaf": (
        lambda net, p, x: net.apply(p | {"dense2": {"W": p["dense2"]["W"]}}, x),
        fn.ParamsError,
        "missing dense2/b",
    ),
    "shape": (
        lambda net, p, x: net.forward(p | {"dense2": p["dense1"]}, x, fn.Eval()),
        fn.ParamsError,
        "dense2/W is 4x3, but with inputs of 4 this network has 3x2 there",
    ),
    "dict": (
        lambda net, p, x: net.apply(dict(p), x),
        fn.ArgumentError,
        "the network takes parameters, Params as init gives them, not dict; write Params(...)",
    ),
    "state": (
        lambda net, p, x: net.apply(fn.TrainState.start(p, fn.sgd(0.1), fn.Key(0)), x),
        fn.ArgumentError,
        "Params as init gives them, not TrainState; write state.params",
    ),
    "list": (
        lambda net, p, x: net.apply(p, x.tolist()),
        fn.ArgumentError,
        "the input is an array, not list; write np.array(x, 'float32')",
    ),
    "batch": (
        lambda net, p, x: net.apply(p, fn.Batch(x, x)),
        fn.ArgumentError,
        "dense1 in dense1 >> relu1 >> dense2: the input is an array, not a Batch; write batch.x",
    ),
    "one example": (
        lambda net, p, x: net.apply(p, x[0]),
        fn.ShapeError,
        "expects 4 features, but the input gives examples of shape (), one number each; "
        "of one example of 4 features write x[None]",
    ),
    "examples of one number": (
        lambda net, p, x: (fn.dense(1, 2) >> fn.tanh()).apply(p, x[:, 0]),
        fn.ShapeError,
        "dense1 in dense1 >> tanh1 expects 1 feature, but the input gives examples of shape (), "
        "one number each; of one feature write x[:, None]",
    ),
    "of any width": (
        lambda net, p, x: fn.dense(..., 2).apply(p, x[0]),
        fn.ShapeError,
        "of one feature write x[:, None], of one example x[None]",
    ),
    "one sequence": (
        lambda net, p, x: ANY.embedding(9, 2).apply(p, np.arange(6)),
        fn.ShapeError,
        "examples of shape (), one number each; of one example write x[None]",
    ),
    "width": (
        lambda net, p, x: net.apply(p, x[:, :3]),
        fn.ShapeError,
        "dense1 in dense1 >> relu1 >> dense2 expects 4 features, but the input gives 3",
    ),
    "integers": (
        lambda net, p, x: net.apply(p, x.astype(int)),
        fn.DtypeError,
        "dense1 in dense1 >> relu1 >> dense2: takes floats, not int64; write x.astype('float32')",
    ),
    "key for mode": (
        lambda net, p, x: net.forward(p, x, fn.Key(0)),
        fn.ArgumentError,
        "mode is Train(key) or Eval(), not Key(0)",
    ),
    "no examples": (
        lambda net, p, x: net.forward(p, x[:0], fn.Train(fn.Key(0))),
        fn.ShapeError,
        "expects at least one example to train on, but the input gives none",
    ),
    "dy": (
        lambda net, p, x: net.backward(net.forward(p, x, fn.Eval())[1], x),
        fn.ShapeError,
        "expects a gradient of its output's shape (6, 2), but dy gives (6, 4)",
    ),
    "cache": (
        lambda net, p, x: net.backward(net[:1].forward(p.only(net[:1]), x, fn.Eval())[1], x),
        fn.ArgumentError,
        "this cache was not made by the forward of dense(4, 3) >> relu() >> dense(3, 2)",
    ),
    "refresh": (
        lambda net, p, x: net.refresh(p.only(net[:1]), net.forward(p, x, fn.Eval())[1]),
        fn.ArgumentError,
        "refresh takes the very parameters that forward was given",
    ),
}


@pytest.mark.parametrize("error", DOOR)
def test_the_door_refuses(error: str) -> None:
    call, kind, text = DOOR[error]
    with pytest.raises(kind) as caught:
        call(*net_and_params())
    assert text in str(caught.value)


def test_inference_on_no_examples_gives_none() -> None:
    net, params, x = net_and_params()
    assert net.apply(params, x[:0]).shape == (0, 2)


def test_layers_are_immutable_values() -> None:
    net: Any = net_and_params()[0]
    with pytest.raises(fn.ImmutableError):
        net.name = "other"
    with pytest.raises(fn.ImmutableError):
        del net.record
    assert copy.deepcopy(net) is net
    assert repr(pickle.loads(pickle.dumps(net))) == "dense(4, 3) >> relu() >> dense(3, 2)"
    assert repr(net.named("body") >> fn.tanh()) == (
        "(dense(4, 3) >> relu() >> dense(3, 2)).named('body') >> tanh()"
    )


def test_float64_data_is_cast_once_at_the_door() -> None:
    net = fn.tanh() >> fn.dense(WIDTH, 3)
    params, x = net.init(fn.Key(0), (WIDTH,)), batch().astype(np.float64)
    y, cache = net.forward(params, x, fn.Eval())
    np.testing.assert_array_equal(net.apply(params, x), y)
    np.testing.assert_array_equal(net.apply(params, x.astype(np.float32)), y)
    dx, grads = net.backward(cache, y.astype(np.float64))
    assert {dx.dtype, *(g.dtype for _, g in fn.leaves(grads))} == {np.dtype(np.float32)}
    with pytest.raises(fn.DtypeError, match="takes floats, not int64"):
        net.backward(cache, y.astype(int))


def test_memory_of_specs_goes_with_the_network() -> None:
    net: Any = fn.dense(..., 2) >> fn.relu()
    for n in range(1, 300):
        net.apply(net.init(fn.Key(0), (n,)), np.ones((1, n), "float32"))
    assert len(net.known) <= 100


def test_outputs_that_trace_saw_are_not_kept() -> None:
    net = fn.dense(WIDTH, 3) >> fn.relu()
    outputs = fn.trace(net, net.init(fn.Key(0), (WIDTH,)), batch())
    gone = weakref.ref(outputs["relu1"])
    del outputs
    gc.collect()
    assert gone() is None
