"""``check_layer`` must catch every way of breaking the contract that we can think of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcnet as fn

BUFFER = np.zeros((100, 3), np.float32)


def forward(params: Any, x: Any, mode: Any) -> Any:
    x = fn.cast(x, params)
    return x * params["W"], (x, params["W"])


def backward(cache: Any, dy: Any) -> Any:
    x, w = cache
    return dy * w, fn.Grads({"W": (x * dy).sum(0)})


def spec(shape: Any) -> Any:
    return {"W": fn.Leaf(shape, fn.ones)}, shape


def broken(**parts: Any) -> fn.AnyLayer:
    """The scaling layer with some of its functions replaced by faulty ones."""
    good: dict[str, Any] = {"forward": forward, "backward": backward, "spec": spec}
    return fn.Layer[fn.Vec[int], fn.Vec[int]]("scale", **good | parts)


def wrong_sign(cache: Any, dy: Any) -> Any:
    dx, grads = backward(cache, dy)
    return -dx, grads


def wrong_parameter_gradient(cache: Any, dy: Any) -> Any:
    dx, grads = backward(cache, dy)
    return dx, fn.Grads({"W": grads["W"] * 2})


def mean_for_sum(cache: Any, dy: Any) -> Any:
    dx, grads = backward(cache, dy)
    return dx, fn.Grads({"W": grads["W"] / len(dy)})


def writes_to_input(params: Any, x: Any, mode: Any) -> Any:
    y, cache = forward(params, x.copy(), mode)
    x *= 2
    return y, cache


def writes_to_dy(cache: Any, dy: Any) -> Any:
    result = backward(cache, dy.copy())
    dy *= 0
    return result


def writes_to_cache(cache: Any, dy: Any) -> Any:
    result = backward(cache, dy)
    cache[0][...] = 0
    return result


def hands_out_a_buffer(params: Any, x: Any, mode: Any) -> Any:
    x = fn.cast(x, params)
    y = BUFFER[: len(x)] if x.dtype == np.float32 else np.empty_like(x)
    np.multiply(x, params["W"], out=y)
    return y, (x, params["W"])


def keeps_a_buffer(params: Any, x: Any, mode: Any) -> Any:
    y, (x, w) = forward(params, x, mode)
    if x.dtype == np.float32:
        kept = BUFFER[: len(x)]
        kept[...] = x
        return y, (kept, w)
    return y, (x, w)


def leaks_float64(params: Any, x: Any, mode: Any) -> Any:
    y, cache = forward(params, x, mode)
    return y * np.sqrt(np.float64(1.0)), cache


def leaks_float64_backward(cache: Any, dy: Any) -> Any:
    dx, grads = backward(cache, dy)
    return dx.astype(np.float64), grads


def forgets_to_cast(params: Any, x: Any, mode: Any) -> Any:
    return x * params["W"], (x, params["W"])


class Counter:
    """A forward that depends on how often it was called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, params: Any, x: Any, mode: Any) -> Any:
        self.calls += 1
        y, cache = forward(params, x, mode)
        return y + y.dtype.type(self.calls), cache


def draws_globally(params: Any, x: Any, mode: Any) -> Any:
    y, cache = forward(params, x, mode)
    return y + np.random.default_rng().random(y.shape, y.dtype), cache


def declares_another_shape(shape: Any) -> Any:
    return spec(shape)[0], (shape[0] + 1,)


def declares_untrained(shape: Any) -> Any:
    return {"W": fn.Leaf(shape, fn.ones, trained=False)}, shape


def random_start(key: Any, shape: Any, fan_in: Any, fan_out: Any, dtype: Any) -> Any:
    return np.random.default_rng().random(shape).astype(dtype)


def refresh_in_eval(params: Any, cache: Any) -> Any:
    return fn.Params({"W": params["W"] * 2})


def kinked_forward(params: Any, x: Any, mode: Any) -> Any:
    return np.sign(np.sin(x * 1e7)), x


def no_gradient(cache: Any, dy: Any) -> Any:
    return np.zeros_like(dy), fn.NO_GRADS


NO_PAIR = "forward returns (y, cache), not an array of shape"


def only_in_train(fault: Any) -> Any:
    """A forward that has ``fault`` in Train alone."""
    return lambda params, x, mode: (fault if isinstance(mode, fn.Train) else forward)(
        params, x, mode
    )


def twice(params: Any, x: Any, mode: Any) -> Any:
    y, cache = forward(params, x, mode)
    return 2 * y, cache


def apply_in_place(params: Any, x: Any) -> Any:
    return np.multiply(x, params["W"], out=x) if x.dtype == np.float32 else x * params["W"]


def pull_in_place(cache: Any, dy: Any) -> Any:
    dy *= cache[1]
    return dy


def grads_in_place(cache: Any, dy: Any) -> Any:
    dy *= cache[0]
    return fn.Grads({"W": dy.sum(0)})


def writes_to_params(params: Any, x: Any, mode: Any) -> Any:
    params["W"][...] = 0
    return forward(params, x, mode)


def always_float32(params: Any, x: Any, mode: Any) -> Any:
    y, cache = forward(params, x, mode)
    return y.astype(np.float32), cache


def stays_float16(params: Any, x: Any, mode: Any) -> Any:
    y, cache = forward(params, x, mode)
    return y.astype(params["W"].dtype), cache


def needs_examples(params: Any, x: Any) -> Any:
    y = fn.cast(x, params) * params["W"]
    return y if len(x) else np.zeros((1, 3), y.dtype)


def refresh_to_float64(params: Any, cache: Any) -> Any:
    return fn.tree_map(lambda leaf: leaf.astype(np.float64), params)


def refresh_other_names(params: Any, cache: Any) -> Any:
    return params | {"more": np.ones(3, np.float32)}


class OtherSpec:
    """A spec that depends on how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, shape: Any) -> Any:
        self.calls += 1
        return {"W": fn.Leaf(shape, fn.ones, fan_in=self.calls)}, shape


FAULTS: dict[str, tuple[fn.AnyLayer, str]] = {
    "in Train alone": (
        broken(forward=only_in_train(twice)),
        "backward gives a wrong gradient of the input",
    ),
    "float64 in Train alone": (
        broken(forward=only_in_train(leaks_float64)),
        "outputs of float64, not float32 (in Train)",
    ),
    "apply in place": (broken(apply=apply_in_place), "apply writes to its input"),
    "pull in place": (broken(pull=pull_in_place), "pull writes to the gradient"),
    "grads in place": (broken(grads=grads_in_place), "grads writes to the gradient"),
    "writes to params": (broken(forward=writes_to_params), "it writes to its parameters"),
    "never float64": (
        broken(forward=always_float32),
        "float64 parameters give outputs of float32, not float64",
    ),
    "float16 out": (broken(forward=stays_float16), "float16 parameters give float16"),
    "no examples": (broken(apply=needs_examples), "apply on no examples does not give no"),
    "refresh to float64": (broken(refresh=refresh_to_float64), "refresh changes names, shapes"),
    "refresh names": (broken(refresh=refresh_other_names), "refresh changes names, shapes"),
    "other spec": (broken(spec=OtherSpec()), "spec gives something else each time"),
    "y alone": (broken(forward=lambda params, x, mode: x), NO_PAIR),
    "dx alone": (broken(backward=lambda cache, dy: dy), "backward returns (dx, grads), not an"),
    "dict": (
        broken(backward=lambda cache, dy: (dy, {"W": dy.sum(0)})),
        "grads a Grads, not {'W'",
    ),
    "short dx": (
        broken(backward=lambda cache, dy: (dy.sum(0), fn.NO_GRADS)),
        "backward gives dx of shape (3,) for inputs of (5, 3)",
    ),
    "spec alone": (broken(spec=lambda shape: {"W": shape}), "spec returns ({name: Leaf}, shape"),
    "no leaf": (
        broken(spec=lambda shape: ({"W": shape}, shape)),
        "spec: W is a Leaf(shape, initializer), not (3,)",
    ),
    "output's size": (
        broken(spec=lambda shape: (spec(shape)[0], 3)),
        "spec returns the shape of one output second, a tuple, not 3",
    ),
    "gives": (
        broken(gives=fn.Vec(4)),
        "it says that it gives 4 features, where spec gives 3",
    ),
    "wrong sign": (broken(backward=wrong_sign), "wrong gradient of the input"),
    "wrong dW": (broken(backward=wrong_parameter_gradient), "wrong gradient of W"),
    "mean for sum": (broken(backward=mean_for_sum), "wrong gradient of W"),
    "writes to input": (broken(forward=writes_to_input), "forward writes to its input"),
    "writes to dy": (broken(backward=writes_to_dy), "backward writes to the gradient"),
    "writes to cache": (broken(backward=writes_to_cache), "writes to the input"),
    "buffer out": (broken(forward=hands_out_a_buffer), "was changed by a later"),
    "buffer kept": (broken(forward=keeps_a_buffer), "cache was changed by a later"),
    "float64 out": (broken(forward=leaks_float64), "give outputs of float64"),
    "float64 dx": (broken(backward=leaks_float64_backward), "input gradients of float64"),
    "no cast": (broken(forward=forgets_to_cast), "cast(x, params)"),
    "state": (broken(forward=Counter()), "hidden state"),
    "global draw": (broken(forward=draws_globally), "hidden state or randomness"),
    "other shape": (broken(spec=declares_another_shape), "spec declares outputs"),
    "untrained": (broken(spec=declares_untrained), "spec declares trained leaves"),
    "random init": (
        broken(spec=lambda shape: ({"W": fn.Leaf(shape, random_start)}, shape)),
        "init draws other parameters",
    ),
    "wrong pull": (broken(pull=lambda cache, dy: dy), "pull is not the first half"),
    "wrong grads": (
        broken(grads=lambda cache, dy: fn.Grads({"W": dy.sum(0)})),
        "grads is not the second half",
    ),
    "wrong apply": (broken(apply=lambda params, x: fn.cast(x, params)), "apply is not forward"),
    "refresh in Eval": (broken(refresh=refresh_in_eval), "refresh changes parameters"),
    "nowhere smooth": (
        fn.Same("noise", forward=kinked_forward, backward=no_gradient),
        "no point found",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_catches(fault: str) -> None:
    layer, expected = FAULTS[fault]
    with pytest.raises(fn.LayerCheckError) as caught:
        fn.check_layer(layer, (3,))
    text = str(caught.value)
    assert expected in text
    assert text.startswith(f"{layer.name}: ")


def test_passes_the_unbroken_layer() -> None:
    fn.check_layer(broken(), (3,))


def test_takes_a_batch_of_integers() -> None:
    def look_up(params: Any, x: Any, mode: Any) -> Any:
        return params["W"][x], (x, params["W"].shape)

    def look_up_backward(cache: Any, dy: Any) -> Any:
        x, shape = cache
        dw = np.zeros(shape, dy.dtype)
        np.add.at(dw, x, dy)
        return None, fn.Grads({"W": dw})

    def look_up_spec(shape: Any) -> Any:
        return {"W": fn.Leaf((7, 2), fn.normal(1.0))}, (*shape, 2)

    table = fn.Layer(
        "look_up",
        forward=look_up,
        backward=look_up_backward,
        spec=look_up_spec,
        takes=fn.Tokens(7),
        gives=fn.Seq(2),
    )
    fn.check_layer(table, (3,), np.array([[0, 1, 6], [2, 2, 5]]))


def test_refuses_a_batch_of_another_shape() -> None:
    with pytest.raises(fn.ArgumentError, match=r"x is a batch of examples of shape \(3,\)"):
        fn.check_layer(fn.relu(), (3,), np.zeros((2, 4)))
    function: Any = fn.relu
    with pytest.raises(fn.ArgumentError, match=r"did you mean relu\(\)"):
        fn.check_layer(function, (3,))
