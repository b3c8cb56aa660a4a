"""The pure functions that a layer is, and what they are where its author gave none.

``Functions`` is the whole of what a network computes with; composites are functions of the
``Functions`` of their parts. Names, checks and types are ``layer.py``'s and ``typed.py``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .arguments import given, short
from .arrays import Array, Shape, dims
from .errors import ArgumentError, ConfigError, DtypeError, ParamsError
from .kinds import SAME, Flow, Kind, _Same, fit, meet
from .random import EVAL, Key, Mode
from .tree import NO_GRADS, Grads, Params, Tree

Initializer: TypeAlias = Callable[[Key, Shape, int, int, Any], Array]
"""``(key, shape, fan_in, fan_out, dtype) -> array``: how a parameter starts."""


class Leaf(NamedTuple):
    """A parameter before it exists: its shape, how it starts, and whether gradients train it.

    ``fan_in`` and ``fan_out`` are how many numbers feed one output and how many outputs one
    number feeds; initializers such as ``he_normal`` scale by them. Unless given, they are the two
    sizes of a matrix (in, out), and 1 for any other shape.
    """

    shape: Shape
    initializer: Initializer
    fan_in: int | None = None
    fan_out: int | None = None
    trained: bool = True

    def fans(self) -> tuple[int, int]:
        """``fan_in`` and ``fan_out``, given or not."""
        n_in, n_out = self.shape if len(self.shape) == 2 else (1, 1)
        return (
            n_in if self.fan_in is None else self.fan_in,
            n_out if self.fan_out is None else self.fan_out,
        )


Spec: TypeAlias = Mapping[str, "Leaf | Spec"]
"""A tree of ``Leaf``: the parameters of a network, known before any number."""

SpecOf: TypeAlias = Callable[[Shape], tuple[Spec, Any]]


class Functions(NamedTuple):
    """The pure functions of a layer; what each takes and gives is in ``Layer``'s docstring."""

    forward: Callable[[Params, Any, Mode], tuple[Any, Any]]
    backward: Callable[[Any, Any], tuple[Any, Grads]]
    spec: SpecOf
    refresh: Callable[[Params, Any], Params]
    pull: Callable[[Any, Any], Any]
    grads: Callable[[Any, Any], Grads]
    apply: Callable[[Params, Any], Any]
    flow: Callable[[Flow], Flow]


# ---- what a layer does by default -------------------------------------------------------------
# Composites recognise the first three and leave out the work.


def no_grads(cache: Any, dy: Any) -> Grads:
    """The ``grads`` of a layer that has nothing to train."""
    return NO_GRADS


def no_refresh(params: Params, cache: Any) -> Params:
    """The ``refresh`` of a layer all of whose parameters are trained by gradients."""
    return params


def same_shape(shape: Any) -> tuple[Spec, Any]:
    """The ``spec`` of a layer without parameters whose output has its input's shape."""
    return {}, shape


def identity_forward(params: Params, x: Any, mode: Mode) -> tuple[Any, None]:
    return x, None


def identity_backward(cache: None, dy: Any) -> tuple[Any, Grads]:
    return dy, NO_GRADS


def apply_of(forward: Callable[..., Any], params: Params, x: Any) -> Any:
    return forward(params, x, EVAL)[0]


def pull_of(backward: Callable[..., Any], cache: Any, dy: Any) -> Any:
    return backward(cache, dy)[0]


def grads_of(backward: Callable[..., tuple[Any, Grads]], cache: Any, dy: Any) -> Grads:
    return backward(cache, dy)[1]


def spec_of(takes: Flow, call: str, spec: SpecOf, shape: Any) -> tuple[Spec, Any]:
    """``spec``, behind the check that ``shape`` is what the layer takes."""
    fit(takes, shape, call)
    return spec(shape)


def flow_of(takes: Flow, gives: Flow | _Same, call: str, got: Flow) -> Flow:
    """What a layer that says what it takes and gives makes of what is known to come in."""
    meet(takes, got, call)
    return got if isinstance(gives, _Same) else gives


def functions(
    *,
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    spec: SpecOf | None = None,
    refresh: Callable[..., Params] | None = None,
    pull: Callable[..., Any] | None = None,
    grads: Callable[..., Grads] | None = None,
    apply: Callable[..., Any] | None = None,
    takes: Flow = None,
    gives: Flow | _Same = None,
    call: str = "",
) -> Functions:
    """The functions of a layer, those that were not given derived from the others."""
    bare = spec is None
    if spec is None:
        spec = same_shape
    elif not callable(spec):
        raise ArgumentError(f"spec of a layer is a function, not {short(spec)}")
    made = Functions(
        forward=forward,
        backward=backward,
        spec=partial(spec_of, takes, call, spec),
        refresh=no_refresh if refresh is None else refresh,
        pull=partial(pull_of, backward) if pull is None else pull,
        grads=(no_grads if bare else partial(grads_of, backward)) if grads is None else grads,
        apply=partial(apply_of, forward) if apply is None else apply,
        flow=partial(flow_of, takes, SAME if bare and gives is None else gives, call),
    )
    for what, f in made._asdict().items():
        if not callable(f):
            raise ArgumentError(f"{what} of a layer is a function, not {short(f)}")
    for what, kind in [("takes", takes), ("gives", gives)]:
        for part in kind if isinstance(kind, tuple) else (kind,):
            if not isinstance(part, Kind | _Same | None):
                raise ArgumentError(
                    f"{what} is a kind, Vec(784) or Image(3) say, not {short(kind)}"
                )
    return made


def same_flow(got: Flow) -> Flow:
    return got


# Takes tuples too, which other layers that say nothing of what they take refuse.
IDENTITY = functions(forward=identity_forward, backward=identity_backward)._replace(
    spec=same_shape, flow=same_flow
)


# ---- specs and the parameters that fit them ----------------------------------------------------


def draw(spec: Spec, key: Key, dtype: Any) -> Params:
    """The parameters that ``spec`` declares, each drawn from the key of its path."""
    return Params.fresh({name: _draw_entry(name, s, key, dtype) for name, s in spec.items()})


def _draw_entry(name: str, entry: Leaf | Spec, key: Key, dtype: Any) -> Any:
    key = key.child(name)
    if not isinstance(entry, Leaf):
        return draw(entry, key, dtype)
    try:
        value = entry.initializer(key, entry.shape, *entry.fans(), dtype)
    except TypeError as error:
        # Most often a function that returns an initializer, not called: normal for normal(0.01).
        raise ParamsError(
            f"{name}: its initializer cannot be called: {error}; it is {given(entry.initializer)}"
        ) from error
    if (
        not isinstance(value, np.ndarray)
        or value.shape != entry.shape
        or value.dtype.newbyteorder("=") != dtype
    ):
        got = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else f"{short(value)}"
        raise ParamsError(
            f"{name}: its initializer gave {got}, where {dtype} {entry.shape} was asked for"
        )
    # A copy: the initializer may have kept a hold of what it gave.
    return np.array(value, dtype)


def match(spec: Spec, params: Tree, shape: Any, path: str = "") -> None:
    """Raise ``ParamsError`` unless ``params`` has the names and shapes of ``spec``."""
    if len(spec) != len(params):
        raise ParamsError(_other_names(spec, params, path))
    for name, entry in spec.items():
        value: Any = params.get(name)
        if value is None:
            raise ParamsError(_other_names(spec, params, path))
        if isinstance(entry, Leaf):
            if value.__class__ is not np.ndarray:
                raise ParamsError(f"{path}{name} is a tree, where this network has an array")
            if value.shape != entry.shape:
                raise ParamsError(
                    f"{path}{name} is {dims(value.shape)}, but with inputs of {dims(shape)} this "
                    f"network has {dims(entry.shape)} there; are these its parameters and inputs?"
                )
        elif value.__class__ is np.ndarray:
            raise ParamsError(f"{path}{name} is an array, where this network has a tree")
        else:
            match(entry, value, shape, f"{path}{name}/")


def _other_names(spec: Spec, params: Tree, path: str) -> str:
    missing = [path + name for name in spec if name not in params]
    surplus = [path + name for name in params if name not in spec]
    found = [f"missing {', '.join(missing)}"] if missing else []
    found += [f"surplus {', '.join(surplus)}"] if surplus else []
    return f"these are not this network's parameters: {'; '.join(found)}"


# ---- at a layer's door --------------------------------------------------------------------------


def cast(x: Array, params: Params) -> Array:
    """``x`` in the dtype in which a layer with ``params`` computes: call it first in ``forward``.

    That is the parameters' own; float16 parameters are computed with in float32. ``x`` itself is
    returned where it fits already. Raises ``DtypeError`` for integers.

    >>> cast(np.zeros(2), Params({"b": np.zeros(2, "float32")})).dtype
    dtype('float32')
    """
    leaf: Any = params
    while isinstance(leaf, Tree):
        leaf = next(iter(leaf.values()), None)
    if leaf is None:  # no parameters, no dtype of theirs
        floats(x)
        return x
    dtype = leaf.dtype if leaf.dtype.itemsize > 2 else _FLOAT32
    if x.dtype == dtype:
        return x
    floats(x)
    return x.astype(dtype)


_FLOAT32 = np.dtype(np.float32)


def floats(x: Array) -> None:
    """Raise ``DtypeError`` unless ``x`` holds floats."""
    if x.dtype.kind != "f":
        scale = " / 255" if x.ndim == 4 or x.dtype == np.uint8 else ""
        raise DtypeError(f"takes floats, not {x.dtype}; write x.astype('float32'){scale}")


def float_dtype(dtype: Any) -> np.dtype[Any]:
    """``dtype`` as NumPy's, if parameters can have it."""
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except (TypeError, ValueError):
        raise ArgumentError(f"dtype is float32, float64 or float16, not {dtype!r}") from None
    if found.kind != "f" or found.itemsize > 8 or dtype is None:
        raise ConfigError(f"parameters are float32, float64 or float16, not {dtype!r}")
    return found.newbyteorder("=")
