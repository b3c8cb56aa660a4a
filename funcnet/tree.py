"""Immutable trees of named arrays: parameters and gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self, TypeVar

import numpy as np

from .arguments import short
from .arrays import Array, Frozen, ReadOnlyTree, dims
from .errors import ArgumentError, ConfigError, DtypeError, ImmutableError, ParamsError

T = TypeVar("T", bound="Tree")
_SHOWN = 40  # lines of a tree's repr
_ARRAY = np.ndarray  # read for each leaf of each step, where one look-up less shows


class HasParts(Protocol):
    """A network, as far as a tree needs to know it."""

    @property
    def parts(self) -> tuple[tuple[str, Any], ...]: ...


def refuse_params(given: object, owner: str = "the network") -> NoReturn:
    """Say what to write where ``given`` stands for parameters."""
    mend = ""
    if isinstance(given, dict) and not isinstance(given, Tree):
        mend = "; write Params(...)"
    elif isinstance(getattr(given, "params", None), Params):
        mend = "; write state.params"
    kind = type(given).__name__
    raise ArgumentError(f"{owner} takes parameters, Params as init gives them, not {kind}{mend}")


def _refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
    name = type(self).__name__
    raise ImmutableError(f"{name} never changes; make a new tree: tree | {{name: value}}")


def _refuse_arithmetic(self: Any, *args: Any) -> Any:
    name = type(self).__name__
    raise ArgumentError(
        f"{name} is no number; write apply_updates(params, updates), or tree_map(f, tree, ...)"
    )


class Tree(ReadOnlyTree):
    """What ``Params`` and ``Grads`` have in common; use those.

    A tree is built from a mapping of names to read-only float arrays, trees of the same kind or
    plain mappings. Arrays that somebody could still write to are copied.
    """

    __slots__ = ()

    def __init__(self, items: Mapping[str, Any] | None = None) -> None:
        if not TYPE_CHECKING:
            if not isinstance(items, Mapping | None):
                raise ArgumentError(f"a tree is made of a mapping of names, not {short(items)}")
            super().__init__({k: self._entry(k, v) for k, v in (items or {}).items()})

    @classmethod
    def fresh(cls, items: dict[str, Any]) -> Self:
        """A tree of arrays (and trees) that the caller has just made and keeps no hold of.

        They are marked read-only instead of being copied, which is what a backward pass wants:

        >>> Grads.fresh({"b": np.ones(3)})
        Grads(3 numbers
          b  3  float64)
        """
        for name, value in items.items():
            kind = value.__class__
            if kind is _ARRAY:
                # By position, as by name (write=False) it takes twice as long.
                value.setflags(False)
            elif not isinstance(value, Tree):
                # Arithmetic on arrays of no dimension gives NumPy scalars.
                items[name] = _read_only(np.array(value))
        tree = cls.__new__(cls)
        dict.update(tree, items)
        return tree

    @classmethod
    def _entry(cls, name: str, value: Any) -> Any:
        if not isinstance(name, str):
            raise ArgumentError(f"the names in a tree are strings, not {short(name)}")
        if not name or "/" in name:
            raise ConfigError(f"{name!r} is no name: empty, or with a '/', which joins names")
        if isinstance(value, Tree):
            if type(value) is not cls:
                raise ArgumentError(f"{name} is a {type(value).__name__}, inside a {cls.__name__}")
            return value
        if isinstance(value, Mapping):
            return cls(value)
        if isinstance(value, np.floating):
            value = np.array(value)
        if not isinstance(value, np.ndarray):
            kind = type(value).__name__
            raise ArgumentError(f"{name} is an array, not {kind}; write np.array(..., 'float32')")
        if value.dtype.kind != "f":
            mend = "write .astype('float32')"
            raise DtypeError(f"{name} holds floats, not {value.dtype}; {mend}")
        return value if _is_frozen(value) else _read_only(np.array(value))

    def leaf(self, name: str) -> Frozen:
        """The array called ``name``: for leaf names of your own, which the checker cannot know.

        >>> Params({"scale": np.ones(3)}).leaf("scale")
        array([1., 1., 1.])
        """
        value = self[name]
        if not isinstance(value, np.ndarray):
            inside = ", ".join(value)
            raise ParamsError(f"{name!r} is a part, not a leaf; it holds {inside}")
        return value

    def only(self, net: HasParts) -> Self:
        """The entries that belong to the parts of ``net``, a prefix ``net[:k]`` say."""
        if not getattr(net, "parts", None):
            raise ArgumentError("only() takes a pipeline; of a lone layer's part, take tree[name]")
        return self.fresh({name: self[name] for name, _ in net.parts if name in self})

    if not TYPE_CHECKING:

        def __missing__(self, name):
            here = ", ".join(map(repr, self)) or "nothing"
            mend = ""
            if isinstance(name, str) and "/" in name:
                mend = "; write tree" + "".join(f"[{part!r}]" for part in name.split("/"))
            raise ParamsError(f"no {name!r} in this {type(self).__name__}; it holds {here}{mend}")

        def __or__(self, other):
            if not isinstance(other, Mapping):
                return NotImplemented
            if isinstance(other, Tree) and type(other) is not type(self):
                ours, theirs = type(self).__name__, type(other).__name__
                raise ArgumentError(f"{ours} | {theirs} mixes two kinds of tree")
            return self.fresh({**self, **type(self)(other)})

        def __ror__(self, other):
            return type(self)(other) | self if isinstance(other, Mapping) else NotImplemented

        __setitem__ = __delitem__ = __ior__ = _refuse
        update = pop = popitem = clear = setdefault = _refuse
        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse_arithmetic
        __truediv__ = __neg__ = _refuse_arithmetic

        def copy(self):
            return self

        def __copy__(self):
            return self

        def __deepcopy__(self, memo):
            return self

        def __reduce__(self):
            return _restored, (type(self), dict(self))

        def __eq__(self, other):
            if other is self:
                return True
            if type(other) is not type(self):
                return NotImplemented
            return self.keys() == other.keys() and all(_equal(v, other[k]) for k, v in self.items())

        def __ne__(self, other):
            equal = self.__eq__(other)
            return equal if equal is NotImplemented else not equal

        __hash__ = None

    def __repr__(self) -> str:
        rows = [(path, dims(v.shape), str(v.dtype)) for path, v in leaves(self)]
        wide = [max((len(row[i]) for row in rows), default=0) for i in (0, 1)]
        lines = [f"  {a:{wide[0]}}  {b:{wide[1]}}  {c}" for a, b, c in rows[:_SHOWN]]
        more = [f"  ... and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else []
        return (
            "\n".join([f"{type(self).__name__}({count_numbers(self):,} numbers", *lines, *more])
            + ")"
        )


class Params(Tree):
    """Parameters: an immutable nested mapping of names to read-only arrays.

    ``params["dense1"]["W"]`` reads; ``params | {"dense1": ...}`` makes a new tree with that entry
    replaced as a whole. Writing to the tree raises ``ImmutableError``, writing to one of its arrays
    NumPy's own error; both are errors to mypy too.

    >>> params = Params({"dense1": {"W": np.zeros((2, 3), "float32")}})
    >>> params
    Params(6 numbers
      dense1/W  2x3  float32)
    >>> params["dense1"]["W"][0] = 1
    Traceback (most recent call last):
    ValueError: assignment destination is read-only
    """

    __slots__ = ()

    # What makes Params and Grads different types to the checker, which compares mappings by shape.
    def _is_params(self) -> None: ...


class Grads(Tree):
    """Gradients (or updates): the shape of ``Params``, and another type.

    A leaf that nothing trains is absent.
    """

    __slots__ = ()

    def _is_grads(self) -> None: ...


NO_PARAMS = Params()
NO_GRADS = Grads()


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, Array]]:
    """Every leaf with its ``/``-joined path, in order.

    >>> [path for path, _ in leaves(Params({"a": {"W": np.zeros(2), "b": np.zeros(1)}}))]
    ['a/W', 'a/b']
    """
    if not isinstance(tree, Tree):
        raise ArgumentError(f"leaves takes a tree, Params or Grads, not {short(tree)}")
    for name, value in tree.items():
        if isinstance(value, Tree):
            yield from leaves(value, f"{path}{name}/")
        else:
            yield path + name, value


def tree_map(f: Callable[..., Any], tree: T, *others: Tree) -> T:
    """The tree of ``f(leaf, *leaves of the others)``; names follow the first tree.

    The others may hold more than the first; ``ParamsError`` names what they lack.

    >>> tree_map(np.add, Params({"b": np.ones(2)}), Params({"b": np.ones(2)}))["b"]
    array([2., 2.])
    """
    for one in (tree, *others):
        if not isinstance(one, Tree):
            raise ArgumentError(f"tree_map takes trees, Params or Grads, not {short(one)}")
    new = {}
    for name, value in tree.items():
        there = [other[name] for other in others]
        new[name] = tree_map(f, value, *there) if isinstance(value, Tree) else f(value, *there)
    return type(tree)(new)


def count_numbers(tree: Tree) -> int:
    """How many numbers a tree holds."""
    return sum(v.size for _, v in leaves(tree))


def nest(kind: type[T], entries: Iterable[tuple[str, Tree]]) -> T:
    """The tree of a composite: the trees of its parts by name, the empty ones left out."""
    return kind.fresh({name: tree for name, tree in entries if tree})


def _is_frozen(x: Array) -> bool:
    """Whether nobody can write to ``x``, through it or through what it is a view of."""
    holder: Any = x
    while isinstance(holder, np.ndarray) and not holder.flags.writeable:
        holder = holder.base
    return holder is None


def _read_only(x: Array) -> Array:
    x.setflags(write=False)
    return x


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, Tree) or isinstance(b, Tree):
        return bool(a == b)
    return a.dtype == b.dtype and np.array_equal(a, b)


def _restored(kind: type[T], items: dict[str, Any]) -> T:
    return kind.fresh(items)
