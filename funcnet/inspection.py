"""Looking into networks: sizes, outputs of every part, and gradients by differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar, overload

import numpy as np

from .arguments import number, one_number, short
from .arrays import Array, Shapes, dims
from .composition import map_functions, refuse
from .errors import ArgumentError
from .functions import Functions, Leaf, Spec
from .layer import AnyLayer
from .tree import Params, Tree, count_numbers

TreeT = TypeVar("TreeT", bound=Tree)


def count(tree: Tree | Spec) -> int:
    """How many numbers parameters hold; of a spec, how many of them are trained.

    >>> net = batch_norm()
    >>> count(net.init(Key(0), (3,))), count(net.spec((3,))[0])
    (12, 6)
    """
    if isinstance(tree, Tree):
        return count_numbers(tree)
    if not isinstance(tree, Mapping):
        raise ArgumentError(f"count takes parameters or a spec, not {short(tree)}")
    return sum(
        _numbers(entry) * entry.trained if isinstance(entry, Leaf) else count(entry)
        for entry in tree.values()
    )


def _numbers(leaf: Leaf) -> int:
    size = 1
    for n in leaf.shape:
        size *= n
    return size


def summary(net: AnyLayer, shape: Shapes) -> str:
    """A table of the parts for one example of ``shape``: output shapes and parameter counts.

    Nothing is allocated. ``*`` marks parts whose parameters nothing trains.

    >>> print(summary(dense(784, 50) >> relu() >> dense(50, 10), (784,)))
    part    output  parameters
    dense1  50          39,250
    relu1   50               0
    dense2  10             510
    total               39,760
    """
    if not isinstance(net, AnyLayer):
        refuse(net)
    rows: list[tuple[str, str, int, int]] = []
    spec, _ = map_functions(partial(_noting_spec, rows), net, "").spec(shape)
    rows.append(("total", "", count_all(spec), count(spec)))
    cells = [("part", "output", "parameters")]
    cells += [
        (path or net.name, out, f"{total:,}" + ("" if trained or not total else "*"))
        for path, out, total, trained in rows
    ]
    if (untrained := count_all(spec) - count(spec)) > 0:
        cells.append(("not trained", "", f"{untrained:,}"))
    wide = [max(len(row[i]) for row in cells) for i in range(3)]
    return "\n".join(f"{a:{wide[0]}}  {b:{wide[1]}}  {c:>{wide[2]}}" for a, b, c in cells)


def _noting_spec(rows: list[tuple[str, str, int, int]], path: str, f: Functions) -> Functions:
    def spec_and_note(shape: Any) -> tuple[Spec, Any]:
        spec, out = f.spec(shape)
        rows.append((path, dims(out), count_all(spec), count(spec)))
        return spec, out

    return f._replace(spec=spec_and_note)


def count_all(spec: Spec) -> int:
    """How many numbers the parameters of a spec are, trained or not."""
    return sum(_numbers(e) if isinstance(e, Leaf) else count_all(e) for e in spec.values())


def trace(net: AnyLayer, params: Params, x: Any) -> dict[str, Any]:
    """The output of every part in inference, by ``/``-path; of composites too, after their parts.

    >>> net = dense(2, 3) >> relu()
    >>> outputs = trace(net, net.init(Key(0), (2,)), np.ones((5, 2), "float32"))
    >>> {path: y.shape for path, y in outputs.items()}
    {'dense1': (5, 3), 'relu1': (5, 3)}
    """
    if not isinstance(net, AnyLayer):
        refuse(net)
    outputs: dict[str, Any] = {}
    watched = map_functions(partial(_noting_output, outputs), net, "", composites=True)
    y = watched.apply(params, x)
    whole = outputs.pop("", y)
    return outputs or {net.name: whole}


def _noting_output(outputs: dict[str, Any], path: str, f: Functions) -> Functions:
    def apply_and_note(params: Params, x: Any) -> Any:
        outputs[path] = y = f.apply(params, x)
        return y

    return f._replace(apply=apply_and_note)


@overload
def numerical_gradient(f: Callable[[TreeT], float], params: TreeT, h: float = ...) -> TreeT: ...
@overload
def numerical_gradient(f: Callable[[Array], float], params: Array, h: float = ...) -> Array: ...
def numerical_gradient(f: Callable[[Any], float], params: Any, h: float = 1e-5) -> Any:
    """The gradient of ``f`` at ``params`` (an array or a tree) by central differences.

    (f(p + h) - f(p - h)) / 2h, one number at a time: two calls of ``f`` each. Use float64.

    >>> numerical_gradient(lambda x: float((x**2).sum()), np.array([3.0, 4.0])).round(6)
    array([6., 8.])
    """
    h = number("numerical_gradient's h", h, "(0, inf)")
    if isinstance(params, Tree):
        return _tree_gradient(f, params, h)
    if not isinstance(params, np.ndarray) or params.dtype.kind != "f":
        raise ArgumentError(
            f"numerical_gradient takes an array of floats or a tree, not {short(params)}"
        )
    what = "numerical_gradient's f gives one number"
    gradient = np.zeros_like(params)
    for i in np.ndindex(params.shape):
        moved = params.copy()
        moved[i] = params[i] + h
        above = one_number(what, f(moved))
        moved = params.copy()
        moved[i] = params[i] - h
        gradient[i] = (above - one_number(what, f(moved))) / (2 * h)
    return gradient


def _tree_gradient(f: Callable[[Any], float], tree: Tree, h: float) -> Tree:
    new = {}
    for name, value in tree.items():

        def of_this(v: Any, name: str = name) -> float:
            return f(tree | {name: v})

        new[name] = numerical_gradient(of_this, value, h)
    return type(tree)(new)
