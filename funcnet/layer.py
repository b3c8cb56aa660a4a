"""A layer: a named record of pure functions, and the door through which they are called.

A call from outside (``net.forward(params, x, mode)``) is checked once, here, against what the
layer's ``spec`` says of the shape of ``x``. Composites call the functions of their parts directly,
so that the inside of a network pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias, TypeVar

import numpy as np

from .arguments import short
from .arrays import LEAF_NAMES, Shapes, dims, is_arrays, shape_of
from .errors import (
    ArgumentError,
    ConfigError,
    FuncnetError,
    ImmutableError,
    ShapeError,
    excerpt,
)
from .functions import (
    Functions,
    Spec,
    SpecOf,
    draw,
    float_dtype,
    floats,
    functions,
    match,
)
from .kinds import Flow, Kind, Tokens, _Same
from .random import Eval, Key, Mode, Train
from .tree import Grads, Params, refuse_params

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")
CacheT = TypeVar("CacheT")
LayerT = TypeVar("LayerT", bound="AnyLayer")
Parts: TypeAlias = "tuple[tuple[str, AnyLayer], ...]"

PIPELINE = "pipeline"
_KNOWN = 100  # shapes whose specs a layer remembers
_set = object.__setattr__


class Record(NamedTuple):
    """All that a layer is.

    ``shown`` is how ``repr`` writes it (a pipeline has none: it is its parts' joined); ``rebuild``
    makes the same composite of other parts, which is how wrappers reach inside one; ``given`` says
    that the name was given by a user, and is not to be numbered; ``takes`` is what it says of its
    input.
    """

    name: str
    functions: Functions
    shown: str = ""
    parts: Parts = ()
    rebuild: Callable[[Parts], AnyLayer] | None = None
    given: bool = False
    takes: Flow = None


class Cache:
    """What ``forward`` keeps for ``backward``: opaque, and good for the layer that made it."""

    __slots__ = ("dtype", "functions", "kept", "params", "shape")

    def __init__(self, functions: Functions, params: Params, kept: Any, y: Any) -> None:
        self.functions, self.params, self.kept, self.shape = functions, params, kept, shape_of(y)
        self.dtype = _dtypes(y)

    def __repr__(self) -> str:
        return f"Cache(of an output of shape {self.shape})"


class AnyLayer:
    """What every layer and network is. See ``Layer``, which types it, for the arguments."""

    __slots__ = ("functions", "known", "record")
    record: Record
    functions: Functions
    known: dict[Any, Spec]

    def __init__(
        self,
        name: str,
        *,
        forward: Callable[[Params, InputT, Mode], tuple[OutputT, CacheT]],
        backward: Callable[[CacheT, OutputT], tuple[InputT, Grads]],
        spec: SpecOf | None = None,
        refresh: Callable[[Params, CacheT], Params] | None = None,
        pull: Callable[[CacheT, OutputT], InputT] | None = None,
        grads: Callable[[CacheT, OutputT], Grads] | None = None,
        apply: Callable[[Params, InputT], OutputT] | None = None,
        takes: Flow = None,
        gives: Flow | _Same = None,
        call: str = "",
    ) -> None:
        made = functions(
            forward=forward,
            backward=backward,
            spec=spec,
            refresh=refresh,
            pull=pull,
            grads=grads,
            apply=apply,
            takes=takes,
            gives=gives,
            call=call,
        )
        size = takes.size if isinstance(takes, Kind) else ...
        shown = call.replace("{}", "..." if size is ... else str(size)) or f"{name}()"
        self._fill(Record(_checked(name), made, shown, takes=takes))

    def _fill(self, record: Record) -> Self:
        _set(self, "record", record)
        # Read at every call, where one look-up less shows.
        _set(self, "functions", record.functions)
        # What `spec` gave for the shapes met so far: remembered, not part of the value.
        _set(self, "known", {})
        return self

    if TYPE_CHECKING:
        # What is only known to be a layer goes with every other, and takes and gives any array.
        def __rshift__(self, other: AnyLayer) -> AnyLayer: ...
        def __rrshift__(self, other: AnyLayer) -> AnyLayer: ...
        def _takes(self, x: Any, /) -> None: ...
        def _gives(self) -> Any: ...
    else:

        def __call__(self, *arguments, **options):
            raise ArgumentError(
                "a network is not called: write net.apply(params, x) for its outputs, or "
                "net.forward(params, x, mode) to train"
            )

    @classmethod
    def of(cls, record: Record) -> Self:
        """The layer that ``record`` describes: for combinators."""
        return cls.__new__(cls)._fill(record)

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def parts(self) -> Parts:
        """The (name, layer) pairs of a composite; empty for a lone layer."""
        return self.record.parts

    @property
    def is_pipeline(self) -> bool:
        return bool(self.parts) and not self.record.shown

    # ---- before numbers exist

    def spec(self, shape: Shapes) -> tuple[Spec, Any]:
        """The parameters for one example of ``shape`` (no batch axis), and the output's shape.

        Nothing is allocated. Raises ``ShapeError`` where the sizes do not fit.
        """
        try:
            return self.functions.spec(example_shape(shape))
        except FuncnetError as error:
            raise self._placed(error) from None

    def init(self, key: Key, shape: Shapes, dtype: Any = np.float32) -> Params:
        """Parameters for examples of ``shape``, drawn leaf by leaf from ``key``'s children.

        ``shape`` is that of one example, without the batch axis. The same key gives the same
        parameters.
        """
        if not isinstance(key, Key):
            raise ArgumentError(
                f"init takes a Key first, not {short(key)}; write init(Key(0), ...)"
            )
        return draw(self.spec(shape)[0], key, float_dtype(dtype))

    # ---- the passes

    def forward(self, params: Params, x: Any, mode: Mode) -> tuple[Any, Cache]:
        """The output for a batch ``x``, and what ``backward`` will need."""
        rows = self._enter(params, x)
        if mode.__class__ is Train:
            if not rows:
                raise self._at_first(ShapeError("at least one example to train on", "none"))
        elif mode.__class__ is not Eval:
            raise ArgumentError(f"mode is Train(key) or Eval(), not {short(mode)}")
        try:
            y, kept = self.functions.forward(params, x, mode)
        except FuncnetError as error:
            raise self._placed(error) from None
        return y, Cache(self.functions, params, kept, y)

    def apply(self, params: Params, x: Any) -> Any:
        """The output alone, for inference: no cache, nothing random."""
        self._enter(params, x)
        try:
            return self.functions.apply(params, x)
        except FuncnetError as error:
            raise self._placed(error) from None

    def backward(self, cache: Cache, dy: Any) -> tuple[Any, Grads]:
        """The gradients with respect to the input and the parameters, from that of the output."""
        both: tuple[Any, Grads] = self._back(self.functions.backward, cache, dy)
        return both

    def pull(self, cache: Cache, dy: Any) -> Any:
        """The first half of ``backward``: the gradient with respect to the input alone."""
        return self._back(self.functions.pull, cache, dy)

    def grads(self, cache: Cache, dy: Any) -> Grads:
        """The second half of ``backward``: the gradients of the parameters alone."""
        grads: Grads = self._back(self.functions.grads, cache, dy)
        return grads

    def refresh(self, params: Params, cache: Cache) -> Params:
        """The very ``params`` that ``forward`` got, with running statistics brought up to date."""
        kept = self._kept(cache)
        if params.__class__ is not Params or params != cache.params:
            raise ArgumentError("refresh takes the very parameters that forward was given")
        return self.functions.refresh(params, kept)

    def _enter(self, params: Params, x: Any) -> int:
        """Check ``params`` and ``x``; give the number of examples."""
        if params.__class__ is not Params:
            refuse_params(params)
        try:
            rows, shape = _rows(x, isinstance(self.record.takes, Tokens))
        except FuncnetError as error:
            raise self._at_first(error) from None
        match(self.known.get(shape) or self._remembered(shape), params, shape)
        return rows

    def _remembered(self, shape: Any) -> Spec:
        """The parameters for examples of ``shape``: every pass asks, mostly for the same one."""
        try:
            spec = self.functions.spec(shape)[0]
        except FuncnetError as error:
            raise self._placed(error) from None
        if len(self.known) >= _KNOWN:
            self.known.clear()
        self.known[shape] = spec
        return spec

    def _back(self, run: Callable[[Any, Any], Any], cache: Cache, dy: Any) -> Any:
        kept = self._kept(cache)
        if not is_arrays(dy) or shape_of(dy) != cache.shape:
            got = str(shape_of(dy)) if is_arrays(dy) else f"{short(dy)}"
            raise ShapeError(f"a gradient of its output's shape {cache.shape}", got).within(
                self.name, before="dy"
            )
        try:
            return run(kept, _cast_all(dy, cache.dtype))
        except FuncnetError as error:
            raise self._placed(error) from None

    def _kept(self, cache: Cache) -> Any:
        if cache.__class__ is not Cache:
            raise ArgumentError(f"a cache is what forward returned second, not {short(cache)}")
        if cache.functions is not self.functions:
            raise ArgumentError(f"this cache was not made by the forward of {short(self)}")
        return cache.kept

    def _placed(self, error: FuncnetError) -> FuncnetError:
        # A pipeline without a name of its own has placed the error already.
        return error if self.name == PIPELINE else error.within(self.name)

    def _at_first(self, error: FuncnetError) -> FuncnetError:
        """The error, placed at the part that would have met the input first."""
        if not self.is_pipeline or self.record.given:
            return error.within(self.name)
        names = [name for name, _ in self.parts]
        return error.within(names[0], excerpt(names, 0))

    # ---- names and parts

    def named(self, name: str) -> Self:
        """The same layer under a name that numbering leaves alone; a named composite nests.

        Raises ``ConfigError`` for a name that holds ``/`` or a wildcard, or is a leaf's.
        """
        return self.of(self.record._replace(name=_checked(name), given=True))

    def _item(self, index: Any) -> AnyLayer:
        if isinstance(index, str):
            layer: AnyLayer = self
            for name in index.split("/"):
                found = dict(layer.parts)
                if name not in found:
                    have = ", ".join(found) or "no parts"
                    raise ConfigError(f"no part {name!r} in {short(layer)}; it has {have}")
                layer = found[name]
            return layer
        if not isinstance(index, slice) or index.start or index.step not in (None, 1):
            raise ArgumentError(
                "a network's parts are net[name], a name or a path, and its prefixes net[:k]"
            )
        if not self.is_pipeline or self.record.rebuild is None:
            raise ArgumentError(f"only a pipeline has prefixes, {short(self)} is none")
        if not isinstance(index.stop, int | None):
            raise ArgumentError(f"a prefix net[:k] counts parts, {short(index.stop)} does not")
        return self.record.rebuild(self.parts[index])

    def __repr__(self) -> str:
        shown = self.record.shown or " >> ".join(repr(layer) for _, layer in self.parts)
        if not self.record.given:
            return shown
        whole = f"({shown})" if self.is_pipeline else shown
        return f"{whole}.named({self.name!r})"

    def __setattr__(self, name: str, value: object) -> None:
        raise ImmutableError("a layer never changes; make a new one")

    def __delattr__(self, name: str) -> None:
        raise ImmutableError("a layer never changes; make a new one")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.record)


def example_shape(shape: Any) -> Any:
    """``shape`` as a tuple of integers, or of such tuples."""
    if isinstance(shape, np.ndarray):
        raise ArgumentError("a shape is a tuple, not an array; of a batch x write x.shape[1:]")
    if isinstance(shape, int | np.integer):
        raise ArgumentError(f"a shape is a tuple, not {shape}; write ({shape},)")
    try:
        sizes = [n if isinstance(n, tuple | list) else int(n.__index__()) for n in shape]
    except (TypeError, AttributeError):
        raise ArgumentError(f"a shape is a tuple of integers, not {short(shape)}") from None
    if any(not isinstance(n, tuple | list) and n < 0 for n in sizes):
        raise ConfigError(f"the sizes in a shape are not negative: {dims(tuple(sizes))}")
    return tuple([example_shape(n) if isinstance(n, tuple | list) else n for n in sizes])


def _rows(x: Any, integers: bool) -> tuple[int, Any]:
    """How many examples ``x`` holds, an array or a tuple of them, and the shape of one."""
    if x.__class__ is not np.ndarray:
        if isinstance(x, tuple) and x and not hasattr(x, "_fields"):
            rows, shapes = zip(*[_rows(part, integers) for part in x], strict=True)
            if len(set(rows)) > 1:
                raise ShapeError("as many examples in each of a tuple", f"{[*rows]}")
            return rows[0], shapes
        _check_array(x)
    if not x.ndim:
        raise ShapeError("a batch of examples", "an array of no dimension", "write x[None]")
    if not integers:
        floats(x)
    return len(x), x.shape[1:]


def _check_array(x: Any) -> None:
    kind = type(x).__name__
    if hasattr(x, "_fields"):
        raise ArgumentError(f"the input is an array, not a {kind}; write batch.x")
    if not isinstance(x, np.ndarray) or isinstance(x, np.matrix | np.ma.MaskedArray):
        raise ArgumentError(f"the input is an array, not {kind}; write np.array(x, 'float32')")


def _dtypes(y: Any) -> Any:
    return tuple(map(_dtypes, y)) if isinstance(y, tuple) else y.dtype


def _cast_all(dy: Any, dtype: Any) -> Any:
    if isinstance(dy, tuple):
        return tuple([_cast_all(d, t) for d, t in zip(dy, dtype, strict=True)])
    floats(dy)
    return dy if dy.dtype == dtype else dy.astype(dtype)


def _checked(given: Any) -> str:
    if not isinstance(given, str) or not given:
        raise ArgumentError(f"a layer's name is a text, not {short(given)}")
    name = str(given)  # of a subclass, NumPy's or an enumeration's, the plain text
    if name in LEAF_NAMES or name == PIPELINE:
        raise ConfigError(f"{name!r} is the name of a leaf or of all pipelines; take another")
    if wrong := sorted(set("/*?[]{}") & set(name)):
        raise ConfigError(f"{wrong[0]!r} cannot be part of a layer's name: {name!r}")
    return name


def _restored(kind: type[LayerT], record: Record) -> LayerT:
    return kind.of(record)
