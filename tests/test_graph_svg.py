"""Pictures: well-formed, complete, and with every text in its place."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

import funcnet as fn
from funcnet import Edge, Graph, Node
from funcnet.graph_svg import Arrangement, _width

SVG = "{http://www.w3.org/2000/svg}"
LAYOUTS: tuple[Arrangement, ...] = ("down", "right", "columns")


def parsed(graph: Graph) -> ET.Element:
    return ET.fromstring(graph.svg())


def texts(graph: Graph) -> list[str]:
    return [element.text or "" for element in parsed(graph).iter(f"{SVG}text")]


def numbers(element: ET.Element, *names: str) -> list[float]:
    return [float(element.attrib[name]) for name in names]


X, F, Y = Node("x", ("x",), "text"), Node("f", ("f", "of x"), "circle"), Node("y", ("y", "2"))
EDGES = Edge("x", "f", "0.5"), Edge("f", "y")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_everything_is_shown(layout: Arrangement) -> None:
    graph = Graph((X, F, Y), EDGES, layout)
    assert sorted(texts(graph)) == sorted(["x", "f", "of x", "y", "2", "0.5"])
    root = parsed(graph)
    assert len(list(root.iter(f"{SVG}polygon"))) == 2  # arrowheads
    assert len(list(root.iter(f"{SVG}path"))) == 2
    assert len(list(root.iter(f"{SVG}ellipse"))) == 1


@pytest.mark.parametrize("layout", ["down", "right"])
def test_texts_stand_on_both_sides_of_a_line(layout: Arrangement) -> None:
    root = parsed(Graph((X, Y), (Edge("x", "y", "above", "below"),), layout))
    above, below = (e for e in root.iter(f"{SVG}text") if e.text in ("above", "below"))
    assert above.text == "above"
    line = next(root.iter(f"{SVG}path")).attrib["d"].split()[1].split(",")
    axis, side = ("x", 0) if layout == "down" else ("y", 1)
    gaps = [float(e.attrib[axis]) - float(line[side]) for e in (above, below)]
    assert min(gaps) < 0 < max(gaps)
    assert (gaps[0] > 0) == (layout == "down")
    assert above.attrib["fill"] != below.attrib["fill"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_picture_stands_alone_on_white_paper(layout: Arrangement) -> None:
    root = parsed(Graph((X, F, Y), EDGES, layout))
    assert root.tag == f"{SVG}svg"
    box = root.attrib["viewBox"].split()
    assert [root.attrib["width"], root.attrib["height"]] == box[2:]
    paper = root[0]
    assert paper.attrib["fill"] == "white"
    assert [paper.attrib[name] for name in ("x", "y", "width", "height")] == box


BLOCK = fn.residual(fn.conv2d(4, 4, 3, pad=1) >> fn.batch_norm() >> fn.relu())
BRANCHES = fn.concat(
    fn.conv2d(4, 2, 1),
    fn.conv2d(4, 2, 1) >> fn.relu() >> fn.conv2d(2, 8, 3, pad=1),
    fn.max_pool2d(3, 1, 1) >> fn.conv2d(4, 2, 1),
)
SMALL = fn.dense(2, 3) >> fn.sigmoid() >> fn.dense(3, 1)
APPLE, COUNT, TAX = fn.Scalar(100, "apple"), fn.Scalar(2, "count"), fn.Scalar(1.1, "tax")
GRAPHS = {
    "chain": fn.diagram(fn.dense(9, 99) >> fn.relu() >> fn.dense(..., 10), (9,)),
    "residual": fn.diagram(BLOCK >> BLOCK >> fn.relu() >> fn.flatten(), (4, 8, 8)),
    "concat": fn.diagram(fn.conv2d(3, 4, 1) >> BRANCHES, (3, 8, 8)),
    "both": fn.diagram(fn.both(fn.dense(3, 4), fn.dense(5, 4)) >> fn.plus(), ((3,), (5,))),
    "units": fn.units(SMALL, SMALL.init(fn.Key(0), (2,))),
    "scalars": (APPLE * COUNT * TAX).graph(),
    "shared scalars": (APPLE * APPLE * APPLE + TAX).graph(),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_texts_lie_within_the_picture(name: str) -> None:
    root = parsed(GRAPHS[name])
    x0, y0, width, height = map(float, root.attrib["viewBox"].split())
    for element in root.findall(f"{SVG}text"):
        x, y = numbers(element, "x", "y")
        size = int(element.get("font-size", "13"))
        wide = _width(element.text or "", size)
        left = {"start": x, "middle": x - wide / 2, "end": x - wide}[element.attrib["text-anchor"]]
        assert x0 <= left
        assert left + wide <= x0 + width
        assert y0 <= y - size
        assert y <= y0 + height


@pytest.mark.parametrize("name", GRAPHS)
def test_outlines_do_not_meet_and_hold_their_texts(name: str) -> None:
    graph = GRAPHS[name]
    root = parsed(graph)
    boxes = []
    for element in root.findall(f"{SVG}rect")[1:]:
        x, y, width, height = numbers(element, "x", "y", "width", "height")
        boxes.append((x, y, x + width, y + height))
    for element in root.findall(f"{SVG}ellipse"):
        x, y, rx, ry = numbers(element, "cx", "cy", "rx", "ry")
        boxes.append((x - rx, y - ry, x + rx, y + ry))
    assert len(boxes) == sum(node.shape != "text" for node in graph.nodes)
    for a, b in combinations(boxes, 2):
        assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]
    in_nodes = [e for e in root.findall(f"{SVG}text") if "font-weight" in e.attrib]
    held = 0
    for element in in_nodes:
        x, y = numbers(element, "x", "y")
        half = _width(element.text or "", 13) / 2
        held += any(
            a <= x - half and x + half <= c and b <= y - 9 and y + 3 <= d for a, b, c, d in boxes
        )
    assert held == sum(len(node.lines) for node in graph.nodes if node.shape != "text")


@pytest.mark.parametrize("name", ["scalars", "shared scalars"])
def test_texts_of_edges_lie_on_nothing(name: str) -> None:
    root = parsed(GRAPHS[name])
    boxes = []
    for element in root.findall(f"{SVG}text"):
        x, y = numbers(element, "x", "y")
        half = _width(element.text or "", 12) / 2
        boxes.append((x - half, y - 9, x + half, y + 2))
    for a, b in combinations(boxes, 2):
        assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


def test_ellipses_hold_the_corners_of_their_texts() -> None:
    root = parsed(Graph((Node("m", ("a longer text", "and more"), "ellipse"),), ()))
    cx, cy, rx, ry = numbers(next(root.iter(f"{SVG}ellipse")), "cx", "cy", "rx", "ry")
    for element in root.findall(f"{SVG}text"):
        x, y = numbers(element, "x", "y")
        half = _width(element.text or "", 13) / 2
        for corner in ((x - half, y - 9), (x + half, y - 9), (x - half, y + 3), (x + half, y + 3)):
            assert math.hypot((corner[0] - cx) / rx, (corner[1] - cy) / ry) < 1


def test_lines_reach_round_outlines() -> None:
    ends = tuple(Node(name, (name,)) for name in "abcdef")
    middle = Node("m", ("in the middle",), "ellipse")
    edges = *[Edge(name, "m") for name in "abc"], *[Edge("m", name) for name in "def"]
    root = parsed(Graph((*ends, middle), edges))
    cx, cy, rx, ry = numbers(next(root.iter(f"{SVG}ellipse")), "cx", "cy", "rx", "ry")
    tips = [p.attrib["points"].split()[0] for p in root.iter(f"{SVG}polygon")][:3]
    starts = [p.attrib["d"].split()[1] for p in root.iter(f"{SVG}path")][3:]
    for touching in (tips, starts):
        assert len(set(touching)) == 3
        for point in touching:
            x, y = map(float, point.split(","))
            assert math.hypot((x - cx) / rx, (y - cy) / ry) == pytest.approx(1, abs=0.03)


def test_straight_lines_reach_outlines() -> None:
    graph = Graph((X, F, Y), EDGES, "columns")
    line = next(parsed(graph).iter(f"{SVG}path")).attrib["d"]
    start = float(line.split()[1].split(",")[0])
    assert start == pytest.approx(_width("x", 13) / 2 + 5, abs=1)  # half of the text's rectangle


def test_circles_in_columns_are_of_one_size() -> None:
    wide = Node("g", ("a long text",), "circle")
    sizes = {
        layout: {e.attrib["rx"] for e in parsed(Graph((F, wide), (), layout)).iter(f"{SVG}ellipse")}
        for layout in LAYOUTS
    }
    assert len(sizes["columns"]) == 1
    assert len(sizes["right"]) == 2


@pytest.mark.parametrize(
    "text", ["a < b & c > d", 'say "a"', "]]>", "りんご", "é", "\N{GRINNING FACE}"]
)
def test_texts_are_shown_as_they_are(text: str) -> None:
    graph = Graph((Node("x", (text,)), Node(text, ("y",))), (Edge("x", text, text),))
    assert texts(graph) == [text, text, "y"]


def test_what_no_file_can_hold_is_marked() -> None:
    graph = Graph((Node("x", ("a\0b\x1b\ud800",)),), ())
    graph.svg().encode("utf-8")
    graph.dot().encode("utf-8")
    assert texts(graph) == ["a\N{REPLACEMENT CHARACTER}b" + 2 * "\N{REPLACEMENT CHARACTER}"]


def test_wide_letters_get_more_room() -> None:
    def width(text: str) -> int:
        return int(parsed(Graph((Node("x", (text,)),), ())).attrib["width"])

    assert width("iiiiii") < width("aaaaaa") < width("AAAAAA") < width("りりりりりり")
