"""One small family of errors: each is also the built-in that a caller would expect.

An error is raised where the fact is known, by code that does not know where in a network it
stands; each composite that it passes on its way up adds its part's name to the place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

# What a message may say that a size comes from, where it is not a part.
_SOURCES = ("what comes in", "dy", "t", "x", "the loss")


class FuncnetError(Exception):
    """Base of all errors raised by funcnet.

    ``place`` is the ``/``-path of the layer concerned and ``whole`` the pipeline around it; both
    are empty where the error concerns no layer.
    """

    place: str = ""
    whole: str = ""
    before: str = ""

    def within(self, name: str, whole: str = "", before: str = "") -> Self:
        """The same error, seen from the composite that holds the part ``name``."""
        if self.place and self.before and not self.before.startswith(_SOURCES):
            # What stood before it stands in the same part as it.
            self.before = f"{name}/{self.before}"
        self.place = f"{name}/{self.place}" if self.place else name
        self.whole = whole or self.whole
        self.before = self.before or before
        return self

    @property
    def where(self) -> str:
        return f"{self.place} in {self.whole}" if self.whole else self.place

    def __str__(self) -> str:
        text = str(self.args[0]) if self.args else ""
        return f"{self.where}: {text}" if self.where else text


class ShapeError(FuncnetError, ValueError):
    """A size, rank or kind that does not fit: what was expected, what came, and the mend.

    >>> str(ShapeError("784 features", "100", "write 100").within("dense1"))
    'dense1 expects 784 features, but the input gives 100; write 100'
    """

    def __init__(self, expected: str, got: str, mend: str = "") -> None:
        super().__init__(expected, got, mend)
        self.expected, self.got, self.mend = expected, got, mend

    def __str__(self) -> str:
        source = self.before or "the input"
        text = f"expects {self.expected}, but {source} gives {self.got}"
        return f"{self.where} {text}".strip() + (f"; {self.mend}" if self.mend else "")


class ConfigError(FuncnetError, ValueError):
    """A hyper-parameter out of range, or a name that cannot be used."""


class ArgumentError(FuncnetError, TypeError):
    """An argument of the wrong type: no key, no layer, no mode, no array."""


class DtypeError(FuncnetError, TypeError):
    """An array whose numbers are of the wrong type: integers where floats are needed, say."""


class ImmutableError(FuncnetError, TypeError):
    """An attempt to write to a value that never changes."""


class ParamsError(FuncnetError, KeyError, ValueError):
    """A tree that is not this network's: names missing or surplus, or leaves of other shapes."""


class NonFiniteError(FuncnetError, ArithmeticError):
    """nan or infinity: in a layer's output or gradient (by ``checked``), or of a ``Scalar``."""


class CheckpointError(FuncnetError, ValueError):
    """A file that is not a checkpoint, or not of what it is loaded into."""


class DataError(FuncnetError, ValueError):
    """A data file that is truncated, foreign, or cannot be had."""


class MissingFileError(DataError, CheckpointError, FileNotFoundError):
    """A file that is not there; the text says where it was looked for."""


class MissingExtraError(FuncnetError, ImportError):
    """A package that only some users want is not installed; the text says how to get it."""


class LayerCheckError(FuncnetError, AssertionError):
    """``check_layer`` found a layer that breaks the contract."""


def excerpt(names: Sequence[str], at: int, around: int = 3) -> str:
    """The names of a pipeline near position ``at``, for a message: ``... >> relu1 >> dense2``.

    >>> excerpt(["a", "b", "c", "d", "e", "f"], 4, around=2)
    '... >> c >> d >> e >> f'
    """
    first, last = max(0, at - around), min(len(names), at + around + 1)
    shown = list(names[first:last])
    return " >> ".join(["..."] * (first > 0) + shown + ["..."] * (last < len(names)))
