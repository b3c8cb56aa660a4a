"""The types of layers: how the checker sees that two of them fit.

At run time there is one class. To the checker, ``Layer[X, Y]`` leads from kind X to kind Y, and
``Same`` and ``SameImage`` keep the kind that comes in, whatever it is; their reflected
``__rrshift__`` is what lets mypy infer a whole network with no annotation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

from .arrays import Array, IntMatrix, Matrix, Tensor3, Tensor4
from .composition import compose, refuse
from .functions import SpecOf
from .kinds import Image, N, Seq, Tokens, Vec, _Same
from .layer import AnyLayer, Cache, CacheT, InputT, OutputT
from .random import Mode
from .tree import Grads, Params

P = TypeVar("P")
Q = TypeVar("Q")
S = TypeVar("S")
X = TypeVar("X")
Y = TypeVar("Y")
Z = TypeVar("Z")
A_contra = TypeVar("A_contra", contravariant=True)
B_co = TypeVar("B_co", covariant=True)
A = TypeVar("A")
B = TypeVar("B")


class Net(Protocol[A_contra, B_co]):
    """A network, by the arrays it takes and gives: what functions of any network ask for."""

    def _takes(self, x: A_contra, /) -> None: ...
    def _gives(self) -> B_co: ...


if TYPE_CHECKING:

    class Untyped:
        """A kind that only ``Any`` matches: what a network made by ``sequential`` takes."""

    class Layer(AnyLayer, Generic[X, Y]):
        """A layer from kind ``X`` to kind ``Y``."""

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
            takes: X | None = None,
            gives: Y | _Same | None = None,
            call: str = "",
        ) -> None: ...
        def _invariant(self, x: X, y: Y) -> tuple[X, Y]: ...

        def __rshift__(self, other: Layer[Y, Z]) -> Layer[X, Z]: ...

        # Tried where __rshift__ does not fit: a size known only at run time (int) matches any
        # size, both ways.
        @overload
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
        def _gives(self: Layer[Q, tuple[P, S, Z]]) -> tuple[Array, Array, Array]: ...
        def _gives(self) -> Any: ...

        def forward(self: Net[A, B], params: Params, x: A, mode: Mode) -> tuple[B, Cache]: ...
        def apply(self: Net[A, B], params: Params, x: A) -> B: ...

        @overload
        def __getitem__(self, index: str) -> Layer[Any, Any]: ...
        @overload
        def __getitem__(self, index: slice[None, int, None]) -> Layer[X, Any]: ...
        def __getitem__(self, index: Any) -> Any: ...

    class SameImage(AnyLayer):
        """From images to images of as many channels: ``max_pool2d``."""

        def __rrshift__(self, other: Layer[X, Image[N]]) -> Layer[X, Image[N]]: ...
        @overload
        def __rshift__(self, other: Same | SameImage) -> SameImage: ...
        @overload
        def __rshift__(self, other: Layer[Image[N], Y]) -> Layer[Image[N], Y]: ...
        def __rshift__(self, other: Any) -> Any: ...
        def _takes(self, x: Tensor4, /) -> None: ...
        def _gives(self) -> Tensor4: ...
        def forward(self, params: Params, x: Tensor4, mode: Mode) -> tuple[Tensor4, Cache]: ...
        def apply(self, params: Params, x: Tensor4) -> Tensor4: ...

    class Same(AnyLayer):
        """From any kind to the same kind and size: ``relu``, ``dropout``, ``batch_norm``."""

        def __rrshift__(self, other: Layer[X, Y]) -> Layer[X, Y]: ...
        @overload
        def __rshift__(self, other: Same) -> Same: ...
        @overload
        def __rshift__(self, other: SameImage) -> SameImage: ...
        @overload
        def __rshift__(self, other: Layer[X, Y]) -> Layer[X, Y]: ...
        def __rshift__(self, other: Any) -> Any: ...
        def _takes(self, x: Array, /) -> None: ...
        def _gives(self) -> Any: ...
        def forward(self, params: Params, x: FloatsT, mode: Mode) -> tuple[FloatsT, Cache]: ...
        def apply(self, params: Params, x: FloatsT) -> FloatsT: ...

    class Merge(AnyLayer):
        """From a tuple of one kind to that kind: ``plus``."""

        @overload
        def __rrshift__(self, other: Layer[X, tuple[Y, Y]]) -> Layer[X, Y]: ...
        @overload
        def __rrshift__(self, other: Layer[X, tuple[Y, Y, Y]]) -> Layer[X, Y]: ...
        @overload
        def __rrshift__(self, other: Layer[X, tuple[Y, ...]]) -> Layer[X, Y]: ...
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

    Same = SameImage = Merge = Layer


def sequential(*layers: AnyLayer) -> Layer[Any, Any]:
    """The pipeline of layers listed in code: ``sequential(f, g, h)`` is ``f >> g >> h``.

    The checker does not see into it; ``>>`` checks every joint.

    >>> sequential(identity(), relu(), relu())
    relu() >> relu()
    """
    return compose(Layer, layers)
