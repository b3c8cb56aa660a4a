"""Graphs as SVG: what nodes and edges show, how much room that takes, and how it is drawn."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from .graph_columns import lay_out_columns
from .graph_layout import Layout, Link, Path, Point, Room, lay_out

Shape: TypeAlias = Literal["box", "ellipse", "circle", "text"]
Arrangement: TypeAlias = Literal["down", "right", "columns"]


class Node(NamedTuple):
    """A node: its name in the graph, the lines of text that it shows, and its shape.

    ``shape`` is "box", "ellipse", "circle" (all of one size in columns), or "text", which has no
    outline.
    """

    name: str
    lines: tuple[str, ...]
    shape: Shape = "box"


class Edge(NamedTuple):
    """An arrow between two nodes, by name, with the texts above and below its line.

    As seen in the arrow's direction: where it leads down, "above" is on the right. In columns it
    is on the line itself, and nothing is below.
    """

    start: str
    end: str
    above: str = ""
    below: str = ""


_SIZE, _LINE = 13, 17  # pixels: of letters, and from line to line
_SMALL, _SMALL_LINE = 12, 15  # of the texts of edges
_MARGIN = 16  # around the whole
_ARROW, _ARROW_SIDE = 9, 4  # an arrowhead's length, and half of its width
_MARK = "\N{REPLACEMENT CHARACTER}"
_INK, _FILL, _PAPER, _SECOND = "#222222", "#eef2f7", "white", "#b3261e"


def draw(nodes: Sequence[Node], edges: Sequence[Edge], layout: Arrangement) -> str:
    """The SVG file of a graph."""
    down = layout == "down"
    outlines = {node.name: _outline(node) for node in nodes}
    if layout == "columns":
        outlines = _alike(outlines)
    rooms = {name: _node_room(outline, down) for name, outline in outlines.items()}
    links = [Link(edge.start, edge.end, _label_room(edge, layout)) for edge in edges]
    if layout == "columns":
        placed = lay_out_columns(rooms, links)
        lines = _straight_lines(edges, placed, outlines)
    else:
        placed = lay_out(rooms, links)
        lines = _curved_lines(edges, placed, outlines, down)
    drawn = [
        part
        for node in nodes
        for part in _node(node, *_turned(placed.nodes[node.name], down), outlines[node.name])
    ]
    return _page([*lines, *drawn], *_turned((placed.along, placed.across), down))


def _page(parts: Sequence[str], width: int, height: int) -> str:
    width, height = width + 2 * _MARGIN, height + 2 * _MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="{-_MARGIN} {-_MARGIN} {width} {height}" '
        f'font-family="sans-serif" font-size="{_SIZE}">'
    )
    place = f'x="{-_MARGIN}" y="{-_MARGIN}" width="{width}" height="{height}"'
    paper = f'<rect {place} fill="{_PAPER}"/>'
    return "\n".join([head, paper, *parts, "</svg>"]) + "\n"


def _turned(point: Point, down: bool) -> tuple[int, int]:
    """(along, across) as (x, y)."""
    return (point[1], point[0]) if down else point


# ---- sizes -------------------------------------------------------------------------------------


class Outline(NamedTuple):
    """The shape of a node and its size."""

    shape: Shape
    width: int
    height: int

    @property
    def is_round(self) -> bool:
        return self.shape in ("circle", "ellipse")


def _alike(outlines: Mapping[str, Outline]) -> dict[str, Outline]:
    """Circles all as wide as the widest of them."""
    widest = max((o.width for o in outlines.values() if o.shape == "circle"), default=0)
    alike = Outline("circle", widest, widest)
    return {name: alike if o.shape == "circle" else o for name, o in outlines.items()}


def _outline(node: Node) -> Outline:
    wide = max((_width(line, _SIZE) for line in node.lines), default=0)
    high = _LINE * len(node.lines)
    if node.shape == "box":
        wide, high = wide + 22, high + 12
    elif node.shape == "ellipse":  # through the corners of the text's rectangle
        wide, high = math.ceil(1.42 * wide) + 4, math.ceil(1.42 * high) + 4
    elif node.shape == "circle":
        wide = high = max(34, math.ceil(math.hypot(wide, high)) + 4)
    else:
        wide, high = wide + 10, high + 4
    return Outline(node.shape, _even(wide), _even(high))


def _even(size: int) -> int:
    """``size``, or one more: even, so that middles are whole."""
    return (size + 1) // 2 * 2


_NARROW = frozenset("fijlrtI.,:;'`|!()[]{}/ -")
_BROAD = frozenset("mwMW@%+=<>~")


def _width(text: str, size: int) -> int:
    """How wide ``text`` may be, in the broadest of the usual sans-serif fonts."""
    ems = sum(_em(letter) for letter in text)
    return math.ceil(ems * size)


def _em(letter: str) -> float:
    if letter in _NARROW:
        return 0.42
    if letter in _BROAD or unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    return 0.64 if letter.isdigit() or letter.islower() else 0.84


def _node_room(outline: Outline, down: bool) -> Room:
    width, height = outline.width, outline.height
    along, across = (height, width) if down else (width, height)
    return Room(along, across // 2, across // 2)


def _label_room(edge: Edge, layout: Arrangement) -> Room | None:
    if not edge.above and not edge.below:
        return None
    above, below = _width(edge.above, _SMALL), _width(edge.below, _SMALL)
    if layout == "down":
        return Room(_SMALL_LINE + 4, below + 8, above + 8)
    along, high = _even(max(above, below) + 8), _SMALL_LINE + 3
    return Room(along, high if above else 2, high if below else 2)


# ---- curved lines, with texts beside them ------------------------------------------------------


def _curved_lines(
    edges: Sequence[Edge], placed: Layout, outlines: Mapping[str, Outline], down: bool
) -> list[str]:
    parts = []
    for edge, path, middle in zip(edges, placed.paths, placed.labels, strict=True):
        first, *inner, last = path
        off = first[1] - placed.nodes[edge.start][1], last[1] - placed.nodes[edge.end][1]
        start = first[0] - _inset(outlines[edge.start], off[0], down), first[1]
        end = last[0] + _inset(outlines[edge.end], off[1], down), last[1]
        parts += _curved_arrow((start, *inner, end), down)
        if middle is not None:
            parts += _label(edge, *_turned(middle, down), down)
    return parts


def _inset(outline: Outline, off: int, down: bool) -> int:
    """How far within its box a node's outline lies, ``off`` the middle of its side."""
    if not outline.is_round:
        return 0
    width, height = outline.width, outline.height
    along, across = (height, width) if down else (width, height)
    return round(along / 2 * (1 - math.sqrt(1 - (2 * off / across) ** 2)))


def _curved_arrow(path: Path, down: bool) -> list[str]:
    tip, back = path[-1], path[-1][0] - _ARROW
    ends = [*path[:-1], (back, tip[1])]
    data = [f"M {_points(ends[:1], down)}"]
    # A straight piece that goes on straight is one with the next.
    for before, after in zip(ends[1::2], ends[2::2], strict=False):
        if before[1] != after[1]:
            half = (before[0] + after[0]) // 2
            curve = [(half, before[1]), (half, after[1]), after]
            data += [f"L {_points([before], down)}", f"C {_points(curve, down)}"]
    data.append(f"L {_points(ends[-1:], down)}")
    head = [tip, (back, tip[1] - _ARROW_SIDE), (back, tip[1] + _ARROW_SIDE)]
    return [_stroke(" ".join(data)), _solid(_points(head, down))]


def _points(points: Sequence[Point], down: bool) -> str:
    return " ".join(f"{x},{y}" for x, y in (_turned(point, down) for point in points))


def _label(edge: Edge, x: int, y: int, down: bool) -> list[str]:
    if down:
        above = _text(edge.above, f'x="{x + 6}" y="{y + 4}"', "start", _INK)
        below = _text(edge.below, f'x="{x - 6}" y="{y + 4}"', "end", _SECOND)
    else:
        above = _text(edge.above, f'x="{x}" y="{y - 5}"', "middle", _INK)
        below = _text(edge.below, f'x="{x}" y="{y + 14}"', "middle", _SECOND)
    return [*above, *below]


# ---- straight lines, with texts on them --------------------------------------------------------


def _straight_lines(
    edges: Sequence[Edge], placed: Layout, outlines: Mapping[str, Outline]
) -> list[str]:
    lines, texts = [], []
    for edge, (a, b), middle in zip(edges, placed.paths, placed.labels, strict=True):
        length = math.dist(a, b)
        along, across = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        turned = f'<g transform="translate({a[0]} {a[1]}) rotate({_degrees(along, across)})">'
        start = _reach(outlines[edge.start], along, across)
        tip = length - _reach(outlines[edge.end], along, across)
        lines += [turned, *_flat_arrow(start, tip), "</g>"]
        if middle is not None:
            texts += [turned, *_on_line(edge.above, math.dist(a, middle)), "</g>"]
    return [*lines, *texts]


def _degrees(along: float, across: float) -> str:
    return f"{math.degrees(math.atan2(across, along)):.2f}"


def _reach(outline: Outline, along: float, across: float) -> float:
    """How far it is from a node's middle to its outline in a direction."""
    x, y = 2 * along / outline.width, 2 * across / outline.height
    return 1 / (math.hypot(x, y) if outline.is_round else max(abs(x), abs(y)))


def _flat_arrow(start: float, tip: float) -> list[str]:
    back = tip - _ARROW
    head = f"{tip:.1f},0 {back:.1f},{-_ARROW_SIDE} {back:.1f},{_ARROW_SIDE}"
    return [_stroke(f"M {start:.1f},0 L {back:.1f},0"), _solid(head)]


def _on_line(text: str, at: float) -> list[str]:
    wide = _width(text, _SMALL) + 4
    place = f'x="{at - wide / 2:.1f}" y="-6" width="{wide}" height="12"'
    return [f'<rect {place} fill="{_PAPER}"/>', *_text(text, f'x="{at:.1f}" y="4"', "middle", _INK)]


# ---- texts and outlines ------------------------------------------------------------------------


def _stroke(data: str) -> str:
    return f'<path d="{data}" fill="none" stroke="{_INK}"/>'


def _solid(points: str) -> str:
    return f'<polygon points="{points}" fill="{_INK}"/>'


def _text(text: str, place: str, anchor: str, colour: str) -> list[str]:
    if not text:
        return []
    style = f'text-anchor="{anchor}" font-size="{_SMALL}" fill="{colour}"'
    return [f"<text {place} {style}>{_xml(text)}</text>"]


def _node(node: Node, x: int, y: int, outline: Outline) -> list[str]:
    top = y - _LINE * (len(node.lines) - 1) // 2 + 5
    titled = len(node.lines) > 1 and node.shape != "circle"
    weights = ["bold" if titled else "normal"] + ["normal"] * len(node.lines)
    texts = [
        f'<text x="{x}" y="{top + i * _LINE}" text-anchor="middle" font-weight="{weights[i]}" '
        f'fill="{_INK}">{_xml(line)}</text>'
        for i, line in enumerate(node.lines)
    ]
    return [*_drawn(outline, x, y), *texts]


def _drawn(outline: Outline, x: int, y: int) -> list[str]:
    paint = f'fill="{_FILL}" stroke="{_INK}"'
    half_width, half_height = outline.width // 2, outline.height // 2
    if outline.shape == "text":
        return []
    if outline.is_round:
        return [f'<ellipse cx="{x}" cy="{y}" rx="{half_width}" ry="{half_height}" {paint}/>']
    place = f'x="{x - half_width}" y="{y - half_height}"'
    return [f'<rect {place} width="{outline.width}" height="{outline.height}" rx="5" {paint}/>']


_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _xml(text: str) -> str:
    return legible(text).translate(_MARKUP)


def legible(text: str) -> str:
    """``text`` with a mark for each character that no file can hold: control characters, say."""
    return "".join(_MARK if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
