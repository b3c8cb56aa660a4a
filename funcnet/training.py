"""Training: the gradient of a loss, and the step that a fold repeats."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import nan
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from .arguments import given, misfit, one_number, short
from .composition import refuse
from .errors import ArgumentError, ConfigError
from .functions import no_grads
from .layer import AnyLayer
from .losses import Loss, gradient_of, value_of
from .random import Key, Mode, Train
from .tree import Grads, Params
from .typed import A, B, Fixed, Net, T
from .updates import Optimizer, moved

S = TypeVar("S")
A_co = TypeVar("A_co", covariant=True)
A_contra = TypeVar("A_contra", contravariant=True)
T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)


class Batch(NamedTuple, Generic[A_co, T_co]):
    """Inputs and their targets, as many of each."""

    x: A_co
    t: T_co


class TrainState(NamedTuple, Generic[S]):
    """All that training is at one moment: a value to keep, compare, save and go on from.

    ``step`` counts the steps made; ``loss`` is that of the last one's batch, nan at the start.
    """

    params: Params
    optimizer_state: S
    key: Key
    step: int = 0
    loss: float = nan

    @classmethod
    def start(cls, params: Params, optimizer: Optimizer[T], key: Key) -> TrainState[T]:
        """The state before the first step. What draws in step k draws from ``key.child(k)``."""
        if not isinstance(params, Params) or not isinstance(optimizer, Optimizer):
            got = f"{type(params).__name__} and {type(optimizer).__name__}"
            raise ArgumentError(f"start takes (params, optimizer, key), not {got} first")
        if not isinstance(key, Key):
            raise ArgumentError(f"the third argument is a Key, not {short(key)}; write Key(0)")
        return TrainState(params, optimizer.init(params), key)


class ValueAndGrad(Protocol[A_contra, T_contra]):
    """``(params, x, t, mode) -> (value, grads, params)``."""

    def __call__(
        self, params: Params, x: A_contra, t: T_contra, mode: Mode
    ) -> tuple[float, Grads, Params]: ...


StepFunction: TypeAlias = Callable[[TrainState[S], Batch[A, T]], TrainState[S]]
"""What ``train_step`` and ``gradient_step`` give: ``(TrainState, Batch) -> TrainState``."""


def value_and_grad(net: Net[A, Fixed[B]], loss: Loss[B, T]) -> ValueAndGrad[A, T]:
    """The function ``(params, x, t, mode) -> (value, grads, params)`` of a network and a loss.

    The parameters come back with running statistics brought up to date (in Eval, unchanged).

    >>> f = value_and_grad(dense(2, 1), mean_squared_error())
    >>> params = Params({"W": np.zeros((2, 1)), "b": np.zeros(1)})
    >>> value, grads, _ = f(params, np.ones((1, 2)), np.ones((1, 1)), Eval())
    >>> value, grads["b"]
    (1.0, array([-2.]))
    """
    return partial(_value_and_grad, _layer(net, loss), loss)


def _value_and_grad(
    net: AnyLayer, loss: Loss[Any, Any], params: Params, x: Any, t: Any, mode: Mode
) -> tuple[float, Grads, Params]:
    y, cache = net.forward(params, x, mode)
    value, seen = value_of(loss, y, t)
    dy = gradient_of(loss, seen, y, t)
    return value, net.grads(cache, dy), net.refresh(params, cache)


def train_step(
    net: Net[A, Fixed[B]], loss: Loss[B, T], optimizer: Optimizer[S]
) -> StepFunction[S, A, T]:
    """The pure function ``(TrainState, Batch) -> TrainState`` that training folds.

    ``functools.reduce(step, batches, start)`` trains; ``itertools.accumulate`` watches.

    >>> net, optimizer = dense(2, 1), sgd(0.1)
    >>> step = train_step(net, mean_squared_error(), optimizer)
    >>> start = TrainState.start(net.init(Key(0), (2,)), optimizer, Key(1))
    >>> step(start, Batch(np.ones((1, 2)), np.ones((1, 1)))).step
    1
    """
    layer = _layer(net, loss)
    step = gradient_step(value_and_grad(net, loss), optimizer)
    if layer.functions.grads is no_grads:
        raise ConfigError(f"nothing in {short(layer)} has parameters to train")
    return step


def gradient_step(
    value_and_grad: ValueAndGrad[A, T], optimizer: Optimizer[S]
) -> StepFunction[S, A, T]:
    """The step of a value-and-gradient function: ``train_step`` is that of ``value_and_grad``.

    For a function made of another, by ``data_parallel`` say, or of your own. What it returns as
    parameters, with running statistics brought up to date, is what the updates are added to.

    >>> def towards(params, x, t, mode):
    ...     d = params["b"] - t
    ...     return float((d**2).sum()), Grads({"b": 2 * d}), params
    >>> step, start = gradient_step(towards, sgd(0.5)), Params({"b": np.zeros(1)})
    >>> state = step(TrainState.start(start, sgd(0.5), Key(0)), Batch(np.ones(1), np.ones(1)))
    >>> state.loss, state.params["b"]
    (1.0, array([1.]))
    """
    check_gradient_function("gradient_step", value_and_grad)
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError(f"the optimizer is one like adam(1e-3), not {given(optimizer)}")
    if optimizer.transforms:
        shown = f"{optimizer}"
        parts = shown[len("chain(") : -1] if shown.startswith("chain(") else shown
        raise ConfigError(f"{shown} only changes gradients; write chain({parts}, sgd(0.1)), say")
    return partial(_step, value_and_grad, optimizer)


def check_gradient_function(owner: str, value_and_grad: Any) -> None:
    """Raise ``ArgumentError`` for what cannot be called as ``(params, x, t, mode)``."""
    # A call of a network or a loss says what to write in its place, and no more.
    if not callable(value_and_grad) or isinstance(value_and_grad, AnyLayer | Loss):
        example = "value_and_grad(net, loss)"
        raise ArgumentError(f"{owner} takes a function, {example} say, not {short(value_and_grad)}")
    if fault := misfit(value_and_grad, "params", "x", "t", "mode"):
        call = f"{owner}'s function is called as f(params, x, t, mode)"
        raise ArgumentError(f"{call}: {fault}; it is {given(value_and_grad)}")


def _step(
    value_and_grad: ValueAndGrad[Any, Any],
    optimizer: Optimizer[S],
    state: TrainState[S],
    batch: Any,
    *surplus: Any,
) -> TrainState[S]:
    if surplus:
        raise ArgumentError("a step takes two arguments: write step(state, Batch(x, t))")
    if not isinstance(state, TrainState):
        raise ArgumentError(f"a step takes a TrainState first, not {type(state).__name__}")
    if not isinstance(batch, tuple) or len(batch) != 2:
        raise ArgumentError(f"a step takes Batch(x, t) second, not {type(batch).__name__}")
    mode = Train(state.key.child(state.step))
    value, grads, params = checked_gradient(value_and_grad(state.params, *batch, mode))
    if not grads:
        raise ConfigError("there are no gradients: nothing in the network has parameters to train")
    params, optimizer_state = moved(optimizer, grads, state.optimizer_state, params)
    return TrainState(params, optimizer_state, state.key, state.step + 1, value)


def checked_gradient(found: Any) -> tuple[float, Grads, Params]:
    """What a value-and-gradient function gave, which may be one of the user's own."""
    what = "a value-and-gradient function returns (value, grads, params)"
    if not isinstance(found, tuple) or len(found) != 3:
        raise ArgumentError(f"{what}, not {short(found)}")
    value, grads, params = found
    if not isinstance(grads, Grads) or not isinstance(params, Params):
        raise ArgumentError(f"{what}, not {type(grads).__name__} and {type(params).__name__} last")
    return float(one_number("the value is a number", value)), grads, params


def _layer(net: Any, loss: Any) -> AnyLayer:
    if not isinstance(net, AnyLayer):
        refuse(net)
    if not isinstance(loss, Loss):
        raise ArgumentError(f"the loss is one like mean_squared_error(), not {given(loss)}")
    last, layer = net.parts[-1] if net.is_pipeline else (net.name, net)
    if loss.inside and layer.record.shown == loss.inside:
        raise ConfigError(
            f"{loss} has {loss.inside} inside, and takes what comes before it; leave out {last}"
        )
    return net
