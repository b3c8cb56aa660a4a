"""Drawn graphs, as values: networks and computations to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import get_args

from .arguments import short
from .errors import ArgumentError, ConfigError
from .graph_layout import Link, ranks
from .graph_svg import Arrangement, Edge, Node, Shape, draw, legible


@dataclass(frozen=True)
class Graph:
    """Nodes and the edges between them, drawn: ``diagram``, ``units``, ``Scalar.graph`` make them.

    ``layout`` is how the edges lead: "down", or to the "right", round what stands between; or
    straight from each of the "columns" to the next. ``svg()`` is the picture, which notebooks
    show; ``dot()`` is the graph in Graphviz's language. Both are text, the same for the same graph;
    ``Path("net.svg").write_text(graph.svg(), encoding="utf-8")`` makes a file of it.

    Raises ``ArgumentError`` for what is no node or edge, ``ConfigError`` for a name used twice, an
    edge of a node that is not there, edges that lead round in a circle, and in columns an edge
    that skips one or has a text below.

    >>> nodes = Node("x", ("an input",), "text"), Node("f", ("a function",))
    >>> graph = Graph(nodes, (Edge("x", "f", "1.5"),), "right")
    >>> graph.svg()[:53]
    '<svg xmlns="http://www.w3.org/2000/svg" width="268" h'
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    layout: Arrangement = "down"

    def __post_init__(self) -> None:
        _check_nodes(self.nodes)
        _check_edges(self.edges, {node.name for node in self.nodes})
        _check_one_of("a graph's layout", self.layout, get_args(Arrangement))
        if self.layout == "columns":
            _check_columns(self.edges, [node.name for node in self.nodes])

    def svg(self) -> str:
        """The graph as an SVG file, in dark ink on white paper."""
        return draw(self.nodes, self.edges, self.layout)

    def _repr_svg_(self) -> str:
        return self.svg()

    def dot(self) -> str:
        """The graph in Graphviz's language, for ``dot -Tsvg``.

        >>> print(Graph((Node("a", ("x",)), Node("b", ("y",))), (Edge("a", "b", "1"),)).dot())
        digraph {
          rankdir=TB
          node [fontname="sans-serif"]
          edge [fontname="sans-serif"]
          "a" [label="x" shape=box]
          "b" [label="y" shape=box]
          "a" -> "b" [label="1"]
        }
        """
        return "\n".join(
            [
                "digraph {",
                f"  rankdir={'TB' if self.layout == 'down' else 'LR'}",
                '  node [fontname="sans-serif"]',
                '  edge [fontname="sans-serif"]',
                *[f"  {_dot_node(node)}" for node in self.nodes],
                *[f"  {_dot_edge(edge)}" for edge in self.edges],
                "}",
            ]
        )


_DOT_SHAPES = {"box": "box", "ellipse": "ellipse", "circle": "circle", "text": "plaintext"}


def _dot_node(node: Node) -> str:
    return f"{_quoted(node.name)} [label={_quoted(*node.lines)} shape={_DOT_SHAPES[node.shape]}]"


def _dot_edge(edge: Edge) -> str:
    ends = f"{_quoted(edge.start)} -> {_quoted(edge.end)}"
    texts = [text for text in (edge.above, edge.below) if text]
    return f"{ends} [label={_quoted(*texts)}]" if texts else ends


def _quoted(*lines: str) -> str:
    # Graphviz reads "&" as the start of the name of a character.
    escapes = str.maketrans({"\\": r"\\", '"': r"\"", "&": "&amp;"})
    return '"' + r"\n".join(legible(line).translate(escapes) for line in lines) + '"'


# ---- checks ------------------------------------------------------------------------------------


def _check_nodes(nodes: object) -> None:
    if not isinstance(nodes, tuple) or not nodes:
        raise ArgumentError(
            f"a graph's nodes are a tuple of Node, at least one, not {short(nodes)}"
        )
    for node in nodes:
        if not isinstance(node, Node) or not _are_texts(node.name, node.lines):
            raise ArgumentError(f"a graph's node is Node(name, (line, ...)), not {short(node)}")
        _check_one_of(f"the shape of node {node.name!r}", node.shape, get_args(Shape))
    for name, times in Counter(node.name for node in nodes).items():
        if times > 1:
            raise ConfigError(f"the name {name!r} is used for {times} nodes; each has its own")


def _are_texts(name: object, lines: object) -> bool:
    return (
        isinstance(name, str)
        and isinstance(lines, tuple)
        and all(isinstance(line, str) for line in lines)
    )


def _check_one_of(what: str, value: object, known: Sequence[str]) -> None:
    if not isinstance(value, str) or value not in known:
        raise ConfigError(f"{what} is one of {', '.join(known)}, not {short(value)}")


def _check_edges(edges: object, names: set[str]) -> None:
    if not isinstance(edges, tuple):
        raise ArgumentError(f"a graph's edges are a tuple of Edge, not {short(edges)}")
    befores: dict[str, list[str]] = {}
    for edge in edges:
        if not isinstance(edge, Edge) or not all(isinstance(text, str) for text in edge):
            raise ArgumentError(f"a graph's edge is Edge(start, end), not {short(edge)}")
        for name in (edge.start, edge.end):
            if name not in names:
                raise ConfigError(
                    f"an edge leads from {edge.start!r} to {edge.end!r}, "
                    f"but the graph has no node {name!r}"
                )
        befores.setdefault(edge.end, []).append(edge.start)
    try:
        TopologicalSorter(befores).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ConfigError(f"the edges of a graph lead round in no circle: {circle}") from None


def _check_columns(edges: Sequence[Edge], names: Sequence[str]) -> None:
    rank = ranks(names, [Link(edge.start, edge.end) for edge in edges])
    for edge in edges:
        if rank[edge.end] - rank[edge.start] > 1:
            raise ConfigError(
                f"an edge in columns leads from one to the next; {edge.start!r} to {edge.end!r} "
                'skips one: write "right"'
            )
        if edge.below:
            raise ConfigError(
                f"an edge in columns has one text, on its line; {edge.start!r} to {edge.end!r} has "
                f"{short(edge.below)} below"
            )
