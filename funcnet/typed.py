"""The types of layers: how the checker sees that two of them fit.

At run time there is one class. To the checker, ``Layer[X, Y]`` leads from kind X to kind Y, and
``Same`` and ``SameImage`` keep the kind that comes in, whatever it is; their reflected
``__rrshift__`` is what lets mypy infer a whole network with no annotation.

This is one of the two modules in which types are more than annotations (the other is
``arrays.py``). Methods whose names start with an underscore exist for the checker alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypeVar, overload

from .arrays import Array, IntMatrix, Matrix, Tensor3, Tensor4
from .composition import compose, refuse
from .functions import SpecOf
from .kinds import SAME, Image, Kind, M, N, Seq, Tokens, Vec, _Same
from .layer import AnyLayer, Cache, CacheT, InputT, OutputT
from .random import Mode
from .tree import Grads, Params

Flows: TypeAlias = Kind | tuple[Any, ...]  # the tuples are of kinds, and of such tuples
P = TypeVar("P", bound=Flows)
Q = TypeVar("Q", bound=Flows)
S = TypeVar("S", bound=Flows)
X = TypeVar("X", bound=Flows)
Y = TypeVar("Y", bound=Flows)
Z = TypeVar("Z", bound=Flows)
A_contra = TypeVar("A_contra", contravariant=True)
B_co = TypeVar("B_co", covariant=True)
X_contra = TypeVar("X_contra", bound=Flows, contravariant=True)
Y_contra = TypeVar("Y_contra", bound=Flows, contravariant=True)
Y_co = TypeVar("Y_co", bound=Flows, covariant=True)

if TYPE_CHECKING:
    import typing_extensions

    # The default is what mypy takes where one argument is at fault, instead of Never, which would
    # make it report the sound ones too.
    A = typing_extensions.TypeVar("A", default=Any)
    B = typing_extensions.TypeVar("B", default=Any)
    T = typing_extensions.TypeVar("T", default=Any)
    # What a layer of one's own takes and gives, where its author does not say.
    In = typing_extensions.TypeVar("In", bound=Flows, default=Any)
    Out = typing_extensions.TypeVar("Out", bound=Flows, default=Any)
    # The channels of what comes in, which mypy finds in the layer before; alone, of any number.
    C = typing_extensions.TypeVar("C", bound=int | Literal[0], default=Any)
else:
    A, B, T, C = TypeVar("A"), TypeVar("B"), TypeVar("T"), TypeVar("C")


class Net(Protocol[A_contra, B_co]):
    """A network, by the arrays it takes and gives: what functions of any network ask for."""

    def _takes(self, x: A_contra, /) -> None: ...
    def _gives(self) -> B_co: ...


class Impossible(Protocol[A]):
    """What nothing is: an object that counts its bytes in what it takes as a format."""

    # object has other types here, which is the point.
    def __sizeof__(self) -> A: ...  # type: ignore[override]
    def __format__(self, spec: A, /) -> str: ...  # type: ignore[override]


Fixed: TypeAlias = A | Impossible[A]
"""``A``, where other arguments say what it is.

Where two arguments disagree on a type variable, mypy says that it cannot infer it, and names
neither. It infers nothing from a union of this form, so that one argument gives the type, and the
other is checked against it and named.
"""


class Fits:
    """What the methods of the next three protocols give where layers fit."""


class Branch(Protocol[X_contra, Y_co]):
    """A layer that takes ``X``, and then gives ``Y``: a further branch of a fan."""

    def _starts(self, x: X_contra, /) -> Fits: ...
    def _through(self, x: X_contra, /) -> Y_co: ...


class Beside(Protocol[X_contra, Y_contra]):
    """A layer whose output adds to that of a layer from ``X`` to ``Y``."""

    def _starts(self, x: X_contra, /) -> Fits: ...
    def _ends(self, y: Y_contra, /) -> Fits: ...


class Keeps(Protocol[X, Y_co]):
    """A layer from ``X`` to ``Y`` whose output adds to its own input."""

    def _both(self) -> tuple[X, Y_co]: ...
    def _ends(self, x: X, /) -> Fits: ...


if TYPE_CHECKING:

    class JustObject(Protocol):
        """What mypy knows to be an object and no more, as it does the items of a list of layers.

        It looks for what they have in common and, where sizes differ, does not find ``AnyLayer``.
        """

        # An attribute that can be set has just the type it is declared to have, and every class
        # but object gives this one another.
        @property
        def __class__(self) -> type[object]: ...
        @__class__.setter
        def __class__(self, kind: type[object], /) -> None: ...

    class Untyped(Kind):
        """A kind that only ``Any`` matches: what a network made by ``sequential`` takes."""

    class Layer(AnyLayer, Generic[In, Out]):
        """A layer from kind ``In`` to kind ``Out``."""

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
            takes: In | None = None,
            gives: Out | _Same | None = None,
            call: str = "",
        ) -> None: ...

        # Here and below, what >> takes is narrower than in AnyLayer, whose sizes nobody knows.
        def __rshift__(self, other: Layer[Out, Z]) -> Layer[In, Z]: ...  # type: ignore[override]

        # Tried where __rshift__ does not fit: a size known only at run time (int) matches any
        # size, both ways.
        @overload  # type: ignore[override]
        def __rrshift__(self: Layer[S, Q], other: Layer[P, S]) -> Layer[P, Q]: ...
        @overload
        def __rrshift__(self: Layer[Vec[N], Q], other: Layer[P, Vec[int]]) -> Layer[P, Q]: ...
        @overload
        def __rrshift__(self: Layer[Vec[int], Q], other: Layer[P, Vec[N]]) -> Layer[P, Q]: ...
        @overload
        def __rrshift__(self: Layer[Image[N], Q], other: Layer[P, Image[int]]) -> Layer[P, Q]: ...
        @overload
        def __rrshift__(self: Layer[Image[int], Q], other: Layer[P, Image[N]]) -> Layer[P, Q]: ...
        @overload
        def __rrshift__(self: Layer[Seq[N], Q], other: Layer[P, Seq[int]]) -> Layer[P, Q]: ...
        @overload
        def __rrshift__(self: Layer[Seq[int], Q], other: Layer[P, Seq[N]]) -> Layer[P, Q]: ...
        def __rrshift__(self, other: Any) -> Any: ...

        # For fans and sums, again with sizes known only at run time. The overload for objects fits
        # nothing and is there for inference: mypy infers from the one that would take anything, and
        # so learns nothing here. Types come from the first layer, and errors name the second.
        @overload
        def _starts(self: Layer[P, Q], x: P, /) -> Fits: ...
        @overload
        def _starts(self: Layer[Vec[N], Q], x: Vec[int], /) -> Fits: ...
        @overload
        def _starts(self: Layer[Vec[int], Q], x: Vec[N], /) -> Fits: ...
        @overload
        def _starts(self: Layer[Image[N], Q], x: Image[int], /) -> Fits: ...
        @overload
        def _starts(self: Layer[Image[int], Q], x: Image[N], /) -> Fits: ...
        @overload
        def _starts(self: Layer[Seq[N], Q], x: Seq[int], /) -> Fits: ...
        @overload
        def _starts(self: Layer[Seq[int], Q], x: Seq[N], /) -> Fits: ...
        @overload
        def _starts(self, x: object, /) -> object: ...
        def _starts(self, x: Any, /) -> Any: ...
        @overload
        def _ends(self: Layer[P, Q], y: Q, /) -> Fits: ...
        @overload
        def _ends(self: Layer[P, Vec[N]], y: Vec[int], /) -> Fits: ...
        @overload
        def _ends(self: Layer[P, Vec[int]], y: Vec[N], /) -> Fits: ...
        @overload
        def _ends(self: Layer[P, Image[N]], y: Image[int], /) -> Fits: ...
        @overload
        def _ends(self: Layer[P, Image[int]], y: Image[N], /) -> Fits: ...
        @overload
        def _ends(self: Layer[P, Seq[N]], y: Seq[int], /) -> Fits: ...
        @overload
        def _ends(self: Layer[P, Seq[int]], y: Seq[N], /) -> Fits: ...
        @overload
        def _ends(self, y: object, /) -> object: ...
        def _ends(self, y: Any, /) -> Any: ...
        def _through(self, x: object, /) -> Out: ...
        def _both(self) -> tuple[In, Out]: ...
        def _invariant(self, x: In, y: Out) -> None: ...

        @overload
        def _takes(self: Layer[Untyped, Q], x: Any, /) -> None: ...
        @overload
        def _takes(self: Layer[Vec[N], Q], x: Matrix, /) -> None: ...
        @overload
        def _takes(self: Layer[Image[N], Q], x: Tensor4, /) -> None: ...
        @overload
        def _takes(self: Layer[Seq[N], Q], x: Tensor3, /) -> None: ...
        @overload
        def _takes(self: Layer[Tokens[N], Q], x: IntMatrix, /) -> None: ...
        @overload
        def _takes(self: Layer[tuple[P, S], Q], x: tuple[Array, Array], /) -> None: ...
        @overload
        def _takes(self: Layer[tuple[Any, ...], Q], x: tuple[Array, ...], /) -> None: ...
        def _takes(self, x: Any, /) -> None: ...

        @overload
        def _gives(self: Layer[Q, Untyped]) -> Any: ...
        @overload
        def _gives(self: Layer[Q, Vec[N]]) -> Matrix: ...
        @overload
        def _gives(self: Layer[Q, Image[N]]) -> Tensor4: ...
        @overload
        def _gives(self: Layer[Q, Seq[N]]) -> Tensor3: ...
        @overload
        def _gives(self: Layer[Q, tuple[P, S]]) -> tuple[Array, Array]: ...
        @overload
        def _gives(self: Layer[Q, tuple[Any, ...]]) -> tuple[Array, ...]: ...
        def _gives(self) -> Any: ...

        def forward(self: Net[A, B], params: Params, x: A, mode: Mode) -> tuple[B, Cache]: ...
        def apply(self: Net[A, B], params: Params, x: A) -> B: ...

        @overload
        def __getitem__(self, index: str) -> Layer[Any, Any]: ...
        @overload
        def __getitem__(self, index: slice[None, int, None]) -> Layer[In, Any]: ...
        def __getitem__(self, index: Any) -> Any: ...

    class SameImage(AnyLayer):
        """From images to images of as many channels: ``max_pool2d``."""

        def __rrshift__(self, other: Layer[X, Image[N]]) -> Layer[X, Image[N]]: ...  # type: ignore[override]
        @overload  # type: ignore[override]
        def __rshift__(self, other: Same | SameImage) -> SameImage: ...
        @overload
        def __rshift__(self, other: Layer[Image[N], Y]) -> Layer[Image[N], Y]: ...
        def __rshift__(self, other: Any) -> Any: ...
        def _starts(self, x: object, /) -> Fits: ...
        def _through(self, x: Image[N], /) -> Image[N]: ...
        def _takes(self, x: Tensor4, /) -> None: ...
        def _gives(self) -> Tensor4: ...
        def forward(self, params: Params, x: Tensor4, mode: Mode) -> tuple[Tensor4, Cache]: ...
        def apply(self, params: Params, x: Tensor4) -> Tensor4: ...

    class Same(AnyLayer):
        """From any kind to the same kind and size: ``relu``, ``dropout``, ``batch_norm``."""

        def __rrshift__(self, other: Layer[X, Y]) -> Layer[X, Y]: ...  # type: ignore[override]
        @overload  # type: ignore[override]
        def __rshift__(self, other: Same) -> Same: ...
        @overload
        def __rshift__(self, other: SameImage) -> SameImage: ...
        @overload
        def __rshift__(self, other: Layer[X, Y]) -> Layer[X, Y]: ...
        def __rshift__(self, other: Any) -> Any: ...
        def _starts(self, x: object, /) -> Fits: ...
        def _through(self, x: P, /) -> P: ...
        def _takes(self, x: Array, /) -> None: ...
        def _gives(self) -> Any: ...
        def forward(self, params: Params, x: FloatsT, mode: Mode) -> tuple[FloatsT, Cache]: ...
        def apply(self, params: Params, x: FloatsT) -> FloatsT: ...

    class Merge(AnyLayer):
        """From a tuple of one kind to that kind: ``plus``."""

        @overload  # type: ignore[override]
        def __rrshift__(self, other: Layer[X, tuple[Y, Y]]) -> Layer[X, Y]: ...
        @overload
        def __rrshift__(self, other: Layer[X, tuple[Vec[N], Vec[int]]]) -> Layer[X, Vec[N]]: ...
        @overload
        def __rrshift__(self, other: Layer[X, tuple[Vec[int], Vec[N]]]) -> Layer[X, Vec[N]]: ...
        @overload
        def __rrshift__(
            self, other: Layer[X, tuple[Image[N], Image[int]]]
        ) -> Layer[X, Image[N]]: ...
        @overload
        def __rrshift__(
            self, other: Layer[X, tuple[Image[int], Image[N]]]
        ) -> Layer[X, Image[N]]: ...
        @overload
        def __rrshift__(self, other: Layer[X, tuple[Y, Y, Y]]) -> Layer[X, Y]: ...
        @overload
        def __rrshift__(self, other: Layer[X, tuple[Y, Y, Y, Y]]) -> Layer[X, Y]: ...
        @overload
        def __rrshift__(self, other: Layer[X, tuple[Y, ...]]) -> Layer[X, Y]: ...
        def __rrshift__(self, other: Any) -> Any: ...
        def _takes(self, x: tuple[Array, ...], /) -> None: ...
        def _gives(self) -> Any: ...

    class Join(AnyLayer):
        """From a tuple of one kind to that kind, of as many features as all have: ``join``."""

        @overload  # type: ignore[override]
        def __rrshift__(self, other: Layer[X, tuple[Vec[N], Vec[M]]]) -> Layer[X, Vec[Any]]: ...
        @overload
        def __rrshift__(
            self, other: Layer[X, tuple[Image[N], Image[M]]]
        ) -> Layer[X, Image[Any]]: ...
        @overload
        def __rrshift__(self, other: Layer[X, tuple[Seq[N], Seq[M]]]) -> Layer[X, Seq[Any]]: ...
        @overload
        def __rrshift__(self, other: Layer[X, tuple[Y, Y, Y]]) -> Layer[X, Any]: ...
        @overload
        def __rrshift__(self, other: Layer[X, Any]) -> Layer[X, Any]: ...
        def __rrshift__(self, other: Any) -> Any: ...
        def _takes(self, x: tuple[Array, ...], /) -> None: ...
        def _gives(self) -> Any: ...

    FloatsT = TypeVar("FloatsT", bound=Array)

else:

    class Layer(AnyLayer):
        """A layer: pure functions, a name, and what it says of its parameters.

        forward: ``(params, x, mode) -> (y, cache)``, pure.
        backward: ``(cache, dy) -> (dx, grads)``, for caches of both modes.
        spec: ``(shape of one example) -> ({name: Leaf or nested}, shape of one output)``. Without
            it: no parameters, same shape.
        refresh: ``(params, cache) -> params``, for leaves that no gradient trains.
        pull, grads, apply: halves of the above, given where they save work.
        takes, gives: kinds, ``Vec(784)`` or ``Image(...)``, checked where the layer is joined to
            others; ``gives=SAME`` passes on what comes in.
        call: how the layer is written with another size, ``"dense({}, 10)"``, for messages.

        >>> def double_forward(params, x, mode): return 2 * x, None
        >>> def double_backward(cache, dy): return 2 * dy, NO_GRADS
        >>> double = Layer("double", forward=double_forward, backward=double_backward)
        >>> double.apply(NO_PARAMS, np.ones((1, 3), "float32"))
        array([[2., 2., 2.]], dtype=float32)
        """

        __slots__ = ()
        __array_ufunc__ = None  # so that `array >> layer` is ours to refuse

        def __class_getitem__(cls, kinds):
            return cls

        def __rshift__(self, other):
            return compose(Layer, (self, other))

        def __rrshift__(self, other):
            refuse(other)

        def __getitem__(self, index):
            return self._item(index)

    class Same(Layer):
        """A ``Layer`` that gives the kind and size that it takes: ``>>`` sees through it."""

        __slots__ = ()

        def __init__(self, name, *, gives=SAME, **functions):
            super().__init__(name, gives=gives, **functions)

    SameImage = Merge = Join = Layer


def sequential(*layers: AnyLayer | JustObject) -> Layer[Any, Any]:
    """The pipeline of layers listed in code: ``sequential(f, g, h)`` is ``f >> g >> h``.

    The checker does not see into it; ``>>`` checks every joint.

    >>> sequential(identity(), relu(), relu())
    relu() >> relu()
    """
    known: tuple[Any, ...] = layers
    return compose(Layer, known)
