"""Keys: immutable names for streams of random numbers; and the mode of a forward pass.

Nothing in funcnet draws from a global generator. What draws is given a :class:`Key`, and the same
key always draws the same numbers.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from operator import index
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .errors import ArgumentError, ConfigError, ImmutableError

# A name becomes two 32-bit words whose top bits are set and an integer one word whose top bit is
# not, so that no path of names and integers can be mistaken for another.
_NAME_BITS = 0x8000_0000_8000_0000
_INTEGERS = 2**31

_new = tuple.__new__
_make = object.__new__
_set = object.__setattr__


@lru_cache(maxsize=4096)
def _word(name: str) -> int:
    digest = blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") | _NAME_BITS


class Key(tuple[Any, ...]):
    """A seed and a path of names and numbers: a value that names one stream of random numbers.

    ``key.child(name_or_int)`` names an independent stream. A NumPy ``Generator`` is made only
    where something draws, from ``SeedSequence(seed, spawn_key=path)`` (SFC64).

    Raises ``ArgumentError`` for a seed or child that is no integer (or name), ``ConfigError`` for
    a seed outside [0, 2**128) or a child number outside [0, 2**31).

    >>> key = Key(0).child("dropout1").child(3)
    >>> key
    Key(0).child('dropout1').child(3)
    >>> key.generator().random() == key.generator().random()
    True
    """

    __slots__ = ()

    def __new__(cls, seed: int) -> Key:
        return _new(cls, (_integer("a seed", seed, 2**128),))

    def child(self, name: str | int) -> Key:
        """The key named ``name`` below this one: a stream of its own."""
        # Every part of every pass asks for a child, by its name: names take the short way.
        if name.__class__ is not str:
            name = _integer("a child's number", name, _INTEGERS)
        return _new(Key, (*self, name))

    def generator(self) -> np.random.Generator:
        """A fresh NumPy generator at the start of this key's stream."""
        seed, *path = self
        words = tuple([p if p.__class__ is int else _word(p) for p in path])
        return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=words)))

    def __repr__(self) -> str:
        return f"Key({self[0]})" + "".join(f".child({p!r})" for p in self[1:])

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (tuple(self),)


def _restored(path: tuple[Any, ...]) -> Key:
    return _new(Key, path)


def _integer(what: str, value: Any, end: int) -> int:
    try:
        number = index(value)
    except TypeError:
        also = " or a name" if end == _INTEGERS else ""
        raise ArgumentError(f"{what} is an integer{also}, not {value!r}") from None
    if not 0 <= number < end:
        raise ConfigError(f"{what} lies in [0, 2**{end.bit_length() - 1}), {number} does not")
    return number


class Train:
    """The mode of a training pass: what draws, draws from ``key``.

    >>> Train(Key(0)).child("dropout1").key
    Key(0).child('dropout1')
    """

    __slots__ = ("key",)
    if TYPE_CHECKING:

        @property
        def key(self) -> Key: ...

    def __init__(self, key: Key) -> None:
        if not isinstance(key, Key):
            raise ArgumentError(f"Train takes a Key, not {key!r}; write Train(Key(0))")
        _set(self, "key", key)

    def child(self, name: str) -> Train:
        """The mode that a composite hands to its part ``name``."""
        # The constructor's check and Key.child's are spared here: a pass does this for each part.
        mode = _make(Train)
        _set(mode, "key", _new(Key, (*self.key, name)))
        return mode

    def __setattr__(self, name: str, value: object) -> None:
        raise ImmutableError("a mode never changes; make a new Train(key)")

    def __delattr__(self, name: str) -> None:
        raise ImmutableError("a mode never changes; make a new Train(key)")

    def __repr__(self) -> str:
        return f"Train({self.key!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Train) and self.key == other.key

    def __hash__(self) -> int:
        return hash((Train, self.key))

    def __reduce__(self) -> tuple[Any, ...]:
        return Train, (self.key,)


class Eval:
    """The mode of inference: nothing is random, running statistics are used as they are.

    >>> Eval().child("dropout1") == Eval()
    True
    """

    __slots__ = ()

    def child(self, name: str) -> Eval:
        """The mode that a composite hands to its part ``name``: this one."""
        return self

    def __repr__(self) -> str:
        return "Eval()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Eval)

    def __hash__(self) -> int:
        return hash(Eval)


Mode: TypeAlias = Train | Eval
EVAL = Eval()
