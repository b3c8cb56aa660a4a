"""What arrays are to the type checker, and how shapes are written.

This is one of the two modules in which types are more than annotations (the other is
``typed.py``): a few declarations here contradict NumPy's own on purpose, each with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Literal, Self, SupportsIndex, TypeAlias, overload

import numpy as np

Shape: TypeAlias = tuple[int, ...]
# Of one example: a shape, or one for each of a tuple.
Shapes: TypeAlias = "Shape | tuple[Shapes, ...]"

_Float: TypeAlias = np.dtype[np.floating[Any]]
_Integer: TypeAlias = np.dtype[np.integer[Any]]

Array: TypeAlias = np.ndarray[tuple[Any, ...], _Float]
Vector: TypeAlias = np.ndarray[tuple[int], _Float]
Matrix: TypeAlias = np.ndarray[tuple[int, int], _Float]
Tensor3: TypeAlias = np.ndarray[tuple[int, int, int], _Float]
Tensor4: TypeAlias = np.ndarray[tuple[int, int, int, int], _Float]
Labels: TypeAlias = np.ndarray[tuple[int], _Integer]
IntMatrix: TypeAlias = np.ndarray[tuple[int, int], _Integer]

View: TypeAlias = SupportsIndex | slice | EllipsisType | None  # indices that give views
Choice: TypeAlias = np.ndarray[Any, Any] | list[Any] | tuple[Any, ...]  # and copies
LeafName: TypeAlias = Literal["W", "b", "gamma", "beta", "mean", "var"]
LEAF_NAMES = frozenset(["W", "b", "gamma", "beta", "mean", "var"])

if TYPE_CHECKING:

    class TreesNeverChange:
        """What mypy says is not callable where a tree would be written to."""

    class Frozen(Array):
        """A leaf of a tree. At run time: a plain ndarray whose writeable flag is off.

        To the checker, whatever writes is no method, and so cannot be called.
        """

        # Each line below contradicts ndarray, which is its purpose.
        __setitem__: TreesNeverChange  # type: ignore[assignment]
        __iadd__: TreesNeverChange  # type: ignore[assignment]
        __isub__: TreesNeverChange  # type: ignore[assignment]
        __imul__: TreesNeverChange  # type: ignore[assignment]
        __imatmul__: TreesNeverChange  # type: ignore[assignment]
        __itruediv__: TreesNeverChange  # type: ignore[assignment]
        __ifloordiv__: TreesNeverChange  # type: ignore[assignment]
        __imod__: TreesNeverChange  # type: ignore[assignment]
        __ipow__: TreesNeverChange  # type: ignore[assignment]
        fill: TreesNeverChange  # type: ignore[assignment]
        partition: TreesNeverChange  # type: ignore[assignment]
        put: TreesNeverChange  # type: ignore[assignment]
        resize: TreesNeverChange  # type: ignore[assignment]
        setflags: TreesNeverChange  # type: ignore[assignment]
        sort: TreesNeverChange  # type: ignore[assignment]

        # Views of a leaf are as little to be written to; what other indices give is a new array.
        @overload  # type: ignore[override]
        def __getitem__(self, at: SupportsIndex | tuple[SupportsIndex, ...], /) -> Any: ...
        @overload
        def __getitem__(self, at: View | tuple[View, ...], /) -> Frozen: ...
        @overload
        def __getitem__(self, at: Choice, /) -> Array: ...
        def __getitem__(self, at: Any, /) -> Any: ...

        # To ndarray these give the class they are called on; here, new arrays that may be changed.
        def copy(self, order: Any = ...) -> Array: ...  # type: ignore[override]
        def round(self, decimals: Any = ..., out: None = ...) -> Array: ...  # type: ignore[override]
        def __neg__(self) -> Array: ...  # type: ignore[override]
        def __pos__(self) -> Array: ...  # type: ignore[override]
        def __abs__(self) -> Array: ...  # type: ignore[override]

    class ReadOnlyTree(Mapping[str, Any]):
        """A tree: to the checker a mapping, with no way to write."""

        # A reserved leaf name is also a str, with another result: meant so, hence the ignore.
        @overload
        def __getitem__(self, name: LeafName, /) -> Frozen: ...  # type: ignore[overload-overlap]
        @overload
        def __getitem__(self, name: str, /) -> Self: ...
        def __getitem__(self, name: str, /) -> Any: ...
        def __iter__(self) -> Iterator[str]: ...
        def __len__(self) -> int: ...
        # A dict or a tree of the same kind, so that Params | Grads is an error.
        def __or__(self, other: Self | dict[str, Any], /) -> Self: ...

        # Without this, |= would be read as | and an assignment.
        __ior__: TreesNeverChange

else:
    # At run time a tree is a dict, whose look-ups run in C.
    Frozen, ReadOnlyTree = np.ndarray, dict


def dims(shape: Any) -> str:
    """A shape as messages write it.

    >>> dims((64, 4, 4)), dims((10,)), dims(()), dims(((2,), (3, 3)))
    ('64x4x4', '10', 'a scalar', '(2, 3x3)')
    """
    if shape and isinstance(shape[0], tuple):
        return "(" + ", ".join(dims(s) for s in shape) + ")"
    return "x".join(map(str, shape)) or "a scalar"


def shape_of(x: Any) -> Any:
    """The shape of an array, or a tuple of the shapes of a tuple of arrays."""
    return tuple(map(shape_of, x)) if isinstance(x, tuple) else x.shape


def is_arrays(x: Any) -> bool:
    """Whether ``x`` is an array or a tuple of arrays."""
    return all(map(is_arrays, x)) if isinstance(x, tuple) else isinstance(x, np.ndarray)


def column_sums(x: Array) -> Array:
    """The sums over all axes but the last.

    A product with a vector of ones, which BLAS runs about twice as fast as ``x.sum(0)``.
    """
    rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
    sums: Array = ones_vector(len(rows), rows.dtype).dot(rows)
    return sums


def row_sums(x: Array) -> Array:
    """The sums over the last axis of a matrix, as fast."""
    sums: Array = x.dot(ones_vector(x.shape[1], x.dtype))
    return sums


def ones_vector(n: int, dtype: np.dtype[Any]) -> Array:
    """n ones, not to be written to."""
    ones = _ONES.get(dtype)
    return np.ones(n, dtype) if ones is None or n > len(ones) else ones[:n]


def _constant(x: Array) -> Array:
    x.setflags(write=False)
    return x


# Short vectors are parts of these: to make one takes as long as the sum that it is for. A step of
# a small network with batch norm takes 3% longer without.
_ONES = {np.dtype(t): _constant(np.ones(4096, t)) for t in (np.float32, np.float64)}


def channels_last(x: Array) -> Array:
    """A view of images (n, c, h, w) as (n, h, w, c).

    Images are kept in this order in memory, behind the shape that PyTorch made usual: then the
    products over channels read long runs, and element-wise functions keep the order.
    """
    return x.transpose(0, 2, 3, 1)


def channels_first(x: Array) -> Array:
    """A view of images (n, h, w, c) as (n, c, h, w): the inverse of ``channels_last``."""
    return x.transpose(0, 3, 1, 2)


def feature_axis(x: Array) -> int:
    """The axis of a batch that features, or the channels of images, lie along."""
    return 1 if x.ndim == 4 else -1
