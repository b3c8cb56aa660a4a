"""Graphs as values, their checks, and Graphviz's language."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import funcnet as fn
from funcnet import Edge, Graph, Node

ANY: Any = fn  # to be called as the checker would not let us
X, F = Node("x", ("an input",), "text"), Node("f", ("a function", "of it"), "ellipse")


def test_a_graph_is_a_value() -> None:
    graph = Graph((X, F), (Edge("x", "f"),))
    assert graph == Graph((X, F), (Edge("x", "f"),))
    assert graph != Graph((X, F), (Edge("x", "f"),), "right")
    assert len({graph, Graph((X, F), (Edge("x", "f"),))}) == 1
    assert pickle.loads(pickle.dumps(graph)) == graph
    with pytest.raises(AttributeError):
        setattr(graph, "edges", ())  # noqa: B010 (as the checker would not let us)


PROGRAM = """
import funcnet as fn
x, y = fn.Scalar(2, "x"), fn.Scalar(3, "y")
branches = fn.concat(fn.relu(), fn.tanh(), fn.dense(4, 2))
net = fn.dense(4, 4) >> fn.residual(fn.dense(4, 4)) >> branches
small = fn.dense(2, 3) >> fn.relu() >> fn.dense(3, 2)
params = small.init(fn.Key(0), (2,))
for graph in (fn.diagram(net, (4,)), fn.units(small, params), ((x * y + x).exp() / y).graph()):
    print(graph.svg(), graph.dot())
"""


def test_pictures_are_the_same_in_every_process() -> None:
    texts = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
    assert texts.pop().count(b"</svg>") == 3


def test_notebooks_show_the_picture() -> None:
    graph = Graph((X, F), (Edge("x", "f"),))
    assert graph._repr_svg_() == graph.svg()


def test_dot() -> None:
    nodes = X, F._replace(shape="circle"), Node("g", ("boxed",))
    graph = Graph(nodes, (Edge("x", "f", "1", "2"), Edge("f", "g", below="3")), "right")
    assert graph.dot().splitlines()[1:-1] == [
        "  rankdir=LR",
        '  node [fontname="sans-serif"]',
        '  edge [fontname="sans-serif"]',
        '  "x" [label="an input" shape=plaintext]',
        r'  "f" [label="a function\nof it" shape=circle]',
        '  "g" [label="boxed" shape=box]',
        r'  "x" -> "f" [label="1\n2"]',
        '  "f" -> "g" [label="3"]',
    ]
    assert "rankdir=TB" in Graph((X,), ()).dot()
    assert "rankdir=LR" in Graph((X,), (), "columns").dot()


def test_dot_escapes_what_graphviz_would_read_otherwise() -> None:
    odd = Node('a"\\', ('say "a"', r"\N", "a & b"))
    assert Graph((odd,), ()).dot().splitlines()[4] == (
        r'  "a\"\\" [label="say \"a\"\n\\N\na &amp; b" shape=box]'
    )


@pytest.mark.parametrize(
    ("nodes", "edges", "layout", "message"),
    [
        ([X], (), "down", "a graph's nodes are a tuple of Node, at least one, not"),
        ((), (), "down", r"at least one, not \(\)"),
        (("x",), (), "down", r"a graph's node is Node\(name, \(line, ...\)\), not 'x'"),
        ((ANY.Node("x", ANY.zeros),), (), "down", r"a graph's node is Node\(name"),
        ((ANY.Node("x", "text"),), (), "down", r"a graph's node is Node\(name"),
        ((ANY.Node("x", ("a", 1)),), (), "down", r"a graph's node is Node\(name"),
        (
            (ANY.Node("x", (), "star"),),
            (),
            "down",
            "is one of box, ellipse, circle, text",
        ),
        ((X, X), (), "down", "the name 'x' is used for 2 nodes; each has its own"),
        ((X,), [], "down", "a graph's edges are a tuple of Edge, not"),
        ((X,), (("x", "x"),), "down", r"a graph's edge is Edge\(start, end\), not"),
        ((X, F), (ANY.Edge("x", "f", 1.5),), "down", r"a graph's edge is Edge\(start, end\), not"),
        ((X,), (Edge("x", "y"),), "down", "from 'x' to 'y', but the graph has no node 'y'"),
        ((X, F), (Edge("x", "f"), Edge("f", "x")), "down", "in no circle: (x -> f|f -> x)"),
        ((X,), (Edge("x", "x"),), "down", "in no circle: x -> x"),
        ((X,), (), "left", "a graph's layout is one of down, right, columns, not 'left'"),
        ((X,), (), np.zeros(2), "a graph's layout is one of down, right, columns, not array"),
    ],
)
def test_what_is_no_graph_is_refused(nodes: Any, edges: Any, layout: Any, message: str) -> None:
    with pytest.raises(fn.FuncnetError, match=message):
        Graph(nodes, edges, layout)


def test_columns_are_joined_to_the_next_alone() -> None:
    g = Node("g", ("end",))
    edges = Edge("x", "f"), Edge("f", "g")
    Graph((X, F, g), edges, "columns")
    with pytest.raises(fn.ConfigError, match="'x' to 'g' skips one"):
        Graph((X, F, g), (*edges, Edge("x", "g")), "columns")
    with pytest.raises(fn.ConfigError, match="one text, on its line; 'x' to 'f' has 'b' below"):
        Graph((X, F), (Edge("x", "f", "a", "b"),), "columns")
