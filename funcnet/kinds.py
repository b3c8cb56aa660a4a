"""What flows between layers: vectors, images, sequences, tokens; as types and as values.

``Vec[Literal[784]]`` is what the type checker sees, ``Vec(784)`` what a layer is given at run time
to say what it takes and gives. Both are checked where two layers are joined by ``>>``, before any
array exists.
"""

from __future__ import annotations

from types import EllipsisType
from typing import Any, ClassVar, Final, Generic, Literal, TypeAlias, TypeVar, overload

from .arguments import size_of
from .arrays import Shape, dims
from .errors import ImmutableError, ShapeError

# A bound that mentions a Literal makes mypy infer Literal[784] where it would infer int, so that
# sizes become part of a layer's type with no annotation by the user.
N = TypeVar("N", bound=int | Literal[0])
M = TypeVar("M", bound=int | Literal[0])

Size: TypeAlias = int | EllipsisType


class Kind:
    """What one example is: base of ``Vec``, ``Image``, ``Seq`` and ``Tokens``."""

    __slots__ = ("size",)
    size: Size
    unit: ClassVar[str] = "numbers"
    layout: ClassVar[str] = ""

    def words(self) -> str:
        """The kind as messages write it: ``784 features``."""
        if self.size is ...:
            return self.layout
        return f"1 {self.unit[:-1]}" if self.size == 1 else f"{self.size} {self.unit}"

    def __setattr__(self, name: str, value: object) -> None:
        raise ImmutableError(f"a kind never changes; make a new {type(self).__name__}(...)")

    def __reduce__(self) -> tuple[Any, ...]:
        return _measured, (type(self), self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'...' if self.size is ... else self.size})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Kind) and other.size == self.size

    def __hash__(self) -> int:
        return hash((type(self), self.size))


class Vec(Kind, Generic[N]):
    """Vectors: arrays (batch, N). ``Vec(...)`` is a vector of whatever size comes in."""

    __slots__ = ()
    unit = "features"
    layout = "vectors (batch, features)"

    @overload
    def __init__(self, size: N) -> None: ...
    @overload
    def __init__(self: Vec[Any], size: EllipsisType) -> None: ...
    def __init__(self, size: Any) -> None:
        object.__setattr__(self, "size", size_of("size", size))

    def _invariant(self, n: N) -> N:
        return n


class Image(Kind, Generic[N]):
    """Images: arrays (batch, N channels, height, width)."""

    __slots__ = ()
    unit = "channels"
    layout = "images (batch, channels, height, width)"

    @overload
    def __init__(self, size: N) -> None: ...
    @overload
    def __init__(self: Image[Any], size: EllipsisType) -> None: ...
    def __init__(self, size: Any) -> None:
        object.__setattr__(self, "size", size_of("size", size))

    def _invariant(self, n: N) -> N:
        return n


class Seq(Kind, Generic[N]):
    """Sequences of vectors: arrays (batch, time, N)."""

    __slots__ = ()
    unit = "features"
    layout = "sequences (batch, time, features)"

    @overload
    def __init__(self, size: N) -> None: ...
    @overload
    def __init__(self: Seq[Any], size: EllipsisType) -> None: ...
    def __init__(self, size: Any) -> None:
        object.__setattr__(self, "size", size_of("size", size))

    def _invariant(self, n: N) -> N:
        return n


class Tokens(Kind, Generic[N]):
    """Sequences of integers below N: arrays (batch, time)."""

    __slots__ = ()
    unit = "tokens"
    layout = "integers (batch, time)"

    @overload
    def __init__(self, size: N) -> None: ...
    @overload
    def __init__(self: Tokens[Any], size: EllipsisType) -> None: ...
    def __init__(self, size: Any) -> None:
        object.__setattr__(self, "size", size_of("size", size))

    def _invariant(self, n: N) -> N:
        return n


class _Same:
    """The type of ``SAME``."""

    def __repr__(self) -> str:
        return "SAME"

    def __reduce__(self) -> str:
        return "SAME"


SAME: Final = _Same()
"""What a layer gives that gives the kind it takes: ``gives=SAME``."""

# What is known of what flows at one point: a kind, one for each of a tuple, or nothing.
Flow: TypeAlias = "Kind | tuple[Flow, ...] | None"


def meet(takes: Flow, got: Flow, call: str = "") -> None:
    """Raise ``ShapeError`` where a layer that takes ``takes`` would be given ``got``.

    A layer that says nothing takes any array, but no tuple. ``call`` is how the layer is written
    with another size: ``dense({}, 10)``.
    """
    if isinstance(takes, tuple) and isinstance(got, tuple) and len(takes) == len(got):
        for ours, theirs in zip(takes, got, strict=True):
            meet(ours, theirs)
    elif isinstance(takes, tuple) or isinstance(got, tuple):
        _meet_tuple(takes, got)
    elif takes is None or got is None or isinstance(takes, Tokens):
        return
    elif type(got) is not type(takes):
        raise ShapeError(takes.words(), got.words(), _other_kind(takes, got))
    elif takes.size is not ... and got.size is not ... and takes.size != got.size:
        raise ShapeError(takes.words(), f"{got.size}", _other_size(got.size, call))


def fit(takes: Flow, shape: Any, call: str) -> None:
    """Raise ``ShapeError`` where one example of ``shape`` is not what ``takes`` says."""
    got = kind_of(shape)
    if not isinstance(takes, Kind) or isinstance(got, tuple):
        meet(takes, got, call)
    elif isinstance(takes, Tokens):
        if len(shape) != 1:
            raise ShapeError(takes.words(), _example(shape), _other_rank(takes, shape))
    elif type(got) is not type(takes):
        raise ShapeError(takes.words(), _example(shape), _other_rank(takes, shape))
    else:
        try:
            meet(takes, got, call)
        except ShapeError as error:
            if isinstance(takes, Image) and shape[-1] == takes.size:
                # The last axis fits where the first does not: an image with its channels last.
                first = (shape[-1], *shape[:-1])
                error.got = f"{error.got} ({dims(shape)})"
                error.mend = f"channels come first: {first}, or x.transpose(0, 3, 1, 2)"
            raise


def kind_of(shape: Any) -> Flow:
    """What one example of ``shape`` is, as far as its rank tells."""
    if shape and isinstance(shape[0], tuple):
        return tuple([kind_of(part) for part in shape])
    if len(shape) == 1:
        return _measured(Vec, shape[0])
    if len(shape) == 2:
        return _measured(Seq, shape[1])
    return _measured(Image, shape[0]) if len(shape) == 3 else None


def _measured(kind: type[Kind], size: Size) -> Kind:
    """A kind of a size that was measured, not written: it may be 0."""
    made = object.__new__(kind)
    object.__setattr__(made, "size", size)
    return made


def _meet_tuple(takes: Flow, got: Flow) -> None:
    if isinstance(takes, tuple):
        if got is None:
            return
        count = f"a tuple of {len(got)}" if isinstance(got, tuple) else got.words()
        raise ShapeError(f"a tuple of {len(takes)}", count)
    expected = "one array" if takes is None else takes.words()
    size = len(got) if isinstance(got, tuple) else 1
    raise ShapeError(expected, f"a tuple of {size}", "end the fan with plus()")


def _example(shape: Shape) -> str:
    return f"one example of shape {shape}" if shape else "examples of shape (), one number each"


def _other_size(size: Size, call: str) -> str:
    return f"write {call.replace('{}', str(size))} or {call.replace('{}', '...')}" if call else ""


def _other_kind(takes: Kind, got: Kind) -> str:
    if isinstance(takes, Vec) and isinstance(got, Image):
        return "put flatten() before it"
    if isinstance(takes, Image) and isinstance(got, Vec):
        return "a flatten() comes too early, or images are missing"
    return ""


def _other_rank(takes: Kind, shape: Shape) -> str:
    """What to write in place of one example of the wrong rank."""
    if not shape:
        return _other_vector(takes)
    if isinstance(takes, Vec) and len(shape) == 3:
        return "put flatten() before it"
    if isinstance(takes, Image) and len(shape) == 1:
        return "make images of vectors: x.reshape(-1, channels, height, width)"
    if isinstance(takes, Image) and len(shape) == 2 and takes.size in (1, ...):
        return f"one channel is an axis too, {(1, *shape)} or x[:, None]; of one image, x[None]"
    if isinstance(takes, Image) and len(shape) == 2:
        return f"channels are an axis too: {(takes.size, *shape)}; of one image write x[None]"
    return f"a shape is of one example, without the batch axis: {shape[1:]}"


def _other_vector(takes: Kind) -> str:
    """What to write in place of an array (batch,), whose examples have no axis of their own."""
    if not isinstance(takes, Vec):
        return "of one example write x[None]" if isinstance(takes, Tokens) else ""
    if takes.size is ...:
        return "of one feature write x[:, None], of one example x[None]"
    if takes.size == 1:
        return "of one feature write x[:, None]"
    return f"of one example of {takes.words()} write x[None]"
