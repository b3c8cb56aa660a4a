"""Arguments of constructors: checked where they are written, and named in what errors say."""

from __future__ import annotations

from operator import index
from typing import Any

from .errors import ArgumentError, ConfigError


def whole(name: str, value: Any, smallest: int = 1) -> int:
    """``value`` as an ``int`` of at least ``smallest``; ``name`` is what errors call it.

    >>> whole("stride", 0)
    Traceback (most recent call last):
    funcnet.errors.ConfigError: stride is an integer of at least 1, not 0
    """
    try:
        number = index(value)
    except TypeError:
        raise ArgumentError(f"{name} is an integer, not {value!r:.60}") from None
    if number < smallest:
        raise ConfigError(f"{name} is an integer of at least {smallest}, not {number}")
    return number


def size_of(name: str, value: Any) -> Any:
    """``value`` if it is ``...`` (whatever comes in) or an integer of at least 1."""
    return value if value is ... else whole(name, value)


def number(name: str, value: Any, interval: str) -> float:
    """``value`` as a ``float`` in ``interval``, whose ends are in it or not as brackets say.

    >>> number("rate", 0.5, "[0, 1)")
    0.5
    >>> number("rate", 1, "[0, 1)")
    Traceback (most recent call last):
    funcnet.errors.ConfigError: rate is a number in [0, 1), not 1
    """
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(f"{name} is a number in {interval}, not {value!r:.60}") from None
    low, high = map(float, interval[1:-1].split(","))
    above = found >= low if interval[0] == "[" else found > low
    below = found <= high if interval[-1] == "]" else found < high
    if not (above and below):
        raise ConfigError(f"{name} is a number in {interval}, not {value}")
    return found


def function(name: str, value: Any, example: str) -> None:
    """Raise ``ArgumentError`` unless ``value`` can be called, naming an ``example`` that can."""
    if not callable(value):
        raise ArgumentError(f"{name} is a function, {example} say, not {value!r:.60}")
