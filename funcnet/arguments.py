"""Arguments of constructors: checked where they are written, and named in what errors say."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import index
from sys import maxsize
from types import FunctionType
from typing import Any

import numpy as np

from .errors import ArgumentError, ConfigError


def short(value: object) -> str:
    """``repr(value)`` on one line of a message.

    >>> short([1] * 100)
    '[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,...'
    """
    line = " ".join(repr(value).split())
    return line if len(line) <= 60 else f"{line[:57]}..."


def called(function: Callable[..., Any]) -> str:
    """A call of ``function`` as messages suggest it: with dots where it needs arguments.

    >>> def relu(): ...
    >>> def dense(n_in, n_out): ...
    >>> called(relu), called(dense)
    ('relu()', 'dense(...)')
    """
    from inspect import Parameter, signature

    needs = any(
        p.default is Parameter.empty and p.kind is not Parameter.KEYWORD_ONLY
        for p in signature(function).parameters.values()
    )
    return f"{function.__name__}({'...' if needs else ''})"


def given(value: object) -> str:
    """``value`` as messages show what was given: a function, with the call that was meant.

    >>> given(adam), given(3)
    ('adam; did you mean adam(...)?', '3')
    """
    if isinstance(value, FunctionType) and value.__name__.isidentifier():
        return f"{value.__name__}; did you mean {called(value)}?"
    return short(value)


def misfit(function: Callable[..., Any], /, *args: object, **values: object) -> str:
    """Why ``function`` cannot be called so; empty where it can, or where C code does not say.

    >>> misfit(lambda x: x, 1), misfit(lambda x: x, 1, 2)
    ('', 'too many positional arguments')
    """
    from inspect import signature

    try:
        signature(function).bind(*args, **values)
    except TypeError as fault:
        return str(fault)
    except ValueError:  # no signature to read
        return ""
    return ""


def one_number(what: str, value: Any, mend: str = "") -> Any:
    """``value``, if it is one real number; errors say ``what`` it should be, and the ``mend``.

    >>> one_number("the value", np.float32(2))
    np.float32(2.0)
    """
    if value.__class__ is float:
        return value
    if np.ndim(value) or np.asarray(value).dtype.kind not in "fiu":
        got = f"an array of shape {np.shape(value)}" if np.ndim(value) else short(value)
        raise ArgumentError(f"{what}, not {got}{mend}")
    return value


def whole(name: str, value: Any, smallest: int = 1) -> int:
    """``value`` as an ``int`` of at least ``smallest``; ``name`` is what errors call it.

    >>> whole("conv2d's stride", 0)
    Traceback (most recent call last):
    funcnet.errors.ConfigError: conv2d's stride is an integer of at least 1, not 0
    """
    try:
        number = index(value)
    except TypeError:
        raise ArgumentError(f"{name} is an integer, not {short(value)}") from None
    if number < smallest:
        raise ConfigError(f"{name} is an integer of at least {smallest}, not {number}")
    if number > maxsize:
        raise ConfigError(f"{name} is an integer of at most {maxsize}, not {short(number)}")
    return number


def size_of(name: str, value: Any) -> Any:
    """``value`` if it is ``...`` (whatever comes in) or an integer of at least 1."""
    return value if value is ... else whole(name, value)


def number(name: str, value: Any, interval: str) -> float:
    """``value`` as a ``float`` in ``interval``, whose ends are in it or not as brackets say.

    >>> number("dropout's rate", 0.5, "[0, 1)")
    0.5
    >>> number("dropout's rate", 1, "[0, 1)")
    Traceback (most recent call last):
    funcnet.errors.ConfigError: dropout's rate is a number in [0, 1), not 1
    """
    if not isinstance(value, int | float | np.number):
        raise ArgumentError(f"{name} is a number in {interval}, not {short(value)}")
    try:
        found = float(value)
    except (TypeError, OverflowError):
        found = math.nan
    low, high = map(float, interval[1:-1].split(","))
    above = found >= low if interval[0] == "[" else found > low
    below = found <= high if interval[-1] == "]" else found < high
    if not (above and below):
        raise ConfigError(f"{name} is a number in {interval}, not {short(value)}")
    return found


def function(name: str, value: Any, example: str) -> None:
    """Raise ``ArgumentError`` unless ``value`` can be called, naming an ``example`` that can."""
    if not callable(value):
        raise ArgumentError(f"{name} is a function, {example} say, not {short(value)}")
