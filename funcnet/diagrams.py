"""Networks as graphs: part by part, or unit by unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .arguments import short
from .arrays import Array, Shape, Shapes, dims
from .composition import map_functions, refuse
from .errors import ArgumentError, ConfigError, FuncnetError, ParamsError
from .functions import IDENTITY, Functions, Spec, match
from .graph import Graph
from .graph_svg import Edge, Node
from .inspection import count, count_all
from .kinds import Vec
from .layer import AnyLayer, example_shape
from .layers.dense import dense_apply
from .tree import NO_PARAMS, Params, refuse_params

# ---- part by part ------------------------------------------------------------------------------


def diagram(net: AnyLayer, shape: Shapes) -> Graph:
    """The parts of a network for one example of ``shape``, as a graph that leads down.

    Each part shows its path, how it is written, the shape of its output, and how many parameters
    it has: "frozen", where nothing trains them. Parts of a fan stand side by side, and its merge
    brings them together; what ``residual`` adds unchanged is a line that passes by. Nothing is
    allocated.

    Raises ``ArgumentError`` for what is no network, ``ShapeError`` where the sizes do not fit.

    >>> graph = diagram(residual(dense(3, 3) >> tanh()) >> dense(3, 1), (3,))
    >>> for node in graph.nodes: print(*node.lines, sep=" | ")
    input | 3
    residual1/0/dense1 | dense(3, 3) | 3 · 12 parameters
    residual1/0/tanh1 | tanh() | 3
    residual1: plus() | 3
    dense1 | dense(3, 1) | 1 · 4 parameters
    output | 1
    """
    if isinstance(shape, AnyLayer):
        raise ArgumentError("diagram takes (net, shape), in this order")
    if not isinstance(net, AnyLayer):
        refuse(net)
    net.spec(shape)  # What does not fit is an error here, at its place.
    drawing = _Drawing(net, [], [], {})
    inputs = _inputs(drawing, example_shape(shape))
    traced = map_functions(partial(_drawing_spec, drawing), net, "", composites=True)
    _outputs(drawing, traced.functions.spec(inputs)[1])
    return Graph(tuple(drawing.nodes), tuple(drawing.edges))


class _Wire(tuple[int, ...]):
    """The shape of an array that knows the node which the array comes from.

    Handed through a network's ``spec`` in place of the shape, it shows what is joined to what,
    however the parts are composed.
    """

    source: str

    @classmethod
    def of(cls, source: str, shape: Any) -> _Wire:
        wire = cls(shape)
        wire.source = source
        return wire


class _Drawing(NamedTuple):
    """What is drawn so far, and what each part gives."""

    net: AnyLayer
    nodes: list[Node]
    edges: list[Edge]
    outputs: dict[str, Any]

    def draw(self, node: Node, shapes: Any) -> None:
        self.nodes.append(node)
        self.edges.extend(Edge(wire.source, node.name) for wire in _arrays(shapes))


def _drawing_spec(drawing: _Drawing, path: str, f: Functions) -> Functions:
    part = drawing.net._item(path) if path else drawing.net
    node = Node(path or "[net]", (path or part.name,))

    def spec_and_draw(shapes: Any) -> tuple[Spec, Any]:
        spec, out = f.spec(shapes)
        if part.parts:
            ends = tuple([drawing.outputs[_below(path, name)] for name, _ in part.parts])
            out = _merged(drawing, node, ends, out)
        elif part.functions.apply is IDENTITY.apply:
            out = _map(lambda wire: _Wire.of(wire.source, wire), out)
        else:
            drawing.draw(_detailed(node, part, shapes, spec, out), shapes)
            out = _map(partial(_Wire.of, node.name), out)
        drawing.outputs[path] = out
        return spec, out

    return f._replace(spec=spec_and_draw)


def _merged(drawing: _Drawing, node: Node, ends: tuple[Any, ...], out: Any) -> Any:
    """What a composite gives: by a merge, where that is not what the last of its parts gives."""
    if _is_tuple(out) or out is ends[-1]:
        return out
    merge = "plus()" if out == ends[0] else "join()"
    lines = f"{node.lines[0]}: {merge}", dims(out)
    drawing.draw(node._replace(lines=lines, shape="ellipse"), ends)
    return _Wire.of(node.name, out)


def _detailed(node: Node, part: AnyLayer, shapes: Any, spec: Spec, out: Any) -> Node:
    shown, numbers = " ".join(part.record.shown.split()), _numbers(spec, out)
    if _is_tuple(shapes):
        lines = f"{node.lines[0]}: {shown}", numbers
        return node._replace(lines=lines, shape="ellipse")
    return node._replace(lines=(*node.lines, shown, numbers))


def _below(path: str, name: str) -> str:
    return f"{path}/{name}".lstrip("/")


def _numbers(spec: Spec, out: Any) -> str:
    """The shape of an output, and how many parameters there are."""
    if not spec:
        return dims(out)
    return f"{dims(out)} · {count_all(spec):,} parameters" + ("" if count(spec) else ", frozen")


def _inputs(drawing: _Drawing, shapes: Any) -> Any:
    names = iter(_end_names("input", shapes))

    def one(shape: Any) -> _Wire:
        text = next(names)
        drawing.nodes.append(Node(f"[{text}]", (text, dims(shape)), "text"))
        return _Wire.of(f"[{text}]", shape)

    return _map(one, shapes)


def _outputs(drawing: _Drawing, shapes: Any) -> None:
    for text, wire in zip(_end_names("output", shapes), _arrays(shapes), strict=True):
        drawing.draw(Node(f"[{text}]", (text, dims(wire)), "text"), wire)


def _end_names(word: str, shapes: Any) -> list[str]:
    if not _is_tuple(shapes):
        return [word]
    return [f"{word} {i}" for i, _ in enumerate(_arrays(shapes))]


def _is_tuple(shapes: Any) -> bool:
    return bool(shapes) and isinstance(shapes[0], tuple)


def _map(f: Callable[[Any], _Wire], shapes: Any) -> Any:
    return tuple([_map(f, s) for s in shapes]) if _is_tuple(shapes) else f(shapes)


def _arrays(shapes: Any) -> list[Any]:
    return [a for s in shapes for a in _arrays(s)] if _is_tuple(shapes) else [shapes]


# ---- unit by unit ------------------------------------------------------------------------------

_MOST = 10  # units side by side


def units(net: AnyLayer, params: Params) -> Graph:
    """A small network of dense layers unit by unit, as a graph in columns.

    Every unit is a circle with its bias and its activation, every weight an edge with its value,
    to three digits. A part without parameters that keeps its vector's size counts as activation.

    Raises ``ConfigError`` for a network with other parts or with more than 10 units in a layer,
    ``ParamsError`` for another network's parameters.

    >>> net = dense(2, 1) >> step()
    >>> params = Params({"dense1": {"W": np.array([[0.5], [0.5]]), "b": np.array([-0.7])}})
    >>> graph = units(net, params)
    >>> [node.lines for node in graph.nodes]
    [('x1',), ('x2',), ('b -0.7', 'step'), ('y1',)]
    >>> [edge.above for edge in graph.edges]
    ['0.5', '0.5', '']
    """
    if not isinstance(net, AnyLayer):
        refuse(net)
    if params.__class__ is not Params:
        refuse_params(params, "units")
    parts = list(_chain(net, params, ""))
    shape = (_first_size(parts),)
    _check_parts(parts, shape)
    match(net.spec(shape)[0], params, shape)
    columns = [tuple([Node(f"x{i + 1}", (f"x{i + 1}",), "circle") for i in range(shape[0])])]
    edges: list[Edge] = []
    for _, part, own in parts:
        if part.functions.apply is dense_apply:
            columns.append(_sums(len(columns), own))
            edges += _weights(columns[-2], columns[-1], own["W"])
        else:
            text = part.record.shown.removesuffix("()")
            columns[-1] = tuple([n._replace(lines=(*n.lines, text)) for n in columns[-1]])
    names = [f"y{i + 1}" for i in range(len(columns[-1]))]
    edges += [Edge(unit.name, name) for unit, name in zip(columns[-1], names, strict=True)]
    columns.append(tuple([Node(name, (name,), "text") for name in names]))
    return Graph(tuple(chain.from_iterable(columns)), tuple(edges), "columns")


def _chain(net: AnyLayer, params: Params, path: str) -> Iterator[tuple[str, AnyLayer, Params]]:
    """The lone parts of a pipeline in turn: their paths, and their parameters."""
    if not net.is_pipeline:
        yield path or net.name, net, params
        return
    for name, part in net.parts:
        own: Any = params.get(name)
        own = own if isinstance(own, Params) else NO_PARAMS
        yield from _chain(part, own, _below(path, name))


_Chained: TypeAlias = Sequence[tuple[str, AnyLayer, Params]]


def _first_size(parts: _Chained) -> int:
    """How many inputs there are: what the first dense layer says, or its weights."""
    for path, part, own in parts:
        if part.functions.apply is dense_apply:
            takes = part.record.takes
            if isinstance(takes, Vec) and takes.size is not ...:
                return int(takes.size)
            W = own.get("W")
            if isinstance(W, np.ndarray) and W.ndim == 2:
                return len(W)
            raise ParamsError(f"{path}/W is missing; are these this network's parameters?")
    raise ConfigError(f"units draws dense layers, and there is none here; {_OTHERWISE}")


_OTHERWISE = "diagram(net, shape) draws every network"


def _check_parts(parts: _Chained, shape: Shape) -> None:
    for path, part, _ in parts:
        dense = part.functions.apply is dense_apply
        try:
            spec, out = part.functions.spec(shape)
        except FuncnetError:
            spec, out = {}, None
        if out is None or (not dense and (spec or out != shape)):
            raise ConfigError(
                f"units draws dense layers and activations; {path} is {short(part)}; {_OTHERWISE}"
            )
        for size in (*shape, *out):
            if size > _MOST:
                raise ConfigError(
                    f"units draws up to {_MOST} units side by side; {path}, {short(part)}, has "
                    f"{size}; {_OTHERWISE}"
                )
        shape = out


def _sums(column: int, own: Params) -> tuple[Node, ...]:
    biases = [(f"b {_digits(b)}",) for b in own["b"]] if "b" in own else [()] * own["W"].shape[1]
    return tuple([Node(f"{column}.{i + 1}", b, "circle") for i, b in enumerate(biases)])


def _weights(before: Sequence[Node], after: Sequence[Node], W: Array) -> list[Edge]:
    return [
        Edge(u.name, v.name, _digits(W[i, j]))
        for i, u in enumerate(before)
        for j, v in enumerate(after)
    ]


def _digits(number: float) -> str:
    return f"{number:.3g}"
