"""Layouts: what stands where, and that nothing lies on anything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funcnet.graph_layout import Layout, Link, Path, Point, Room, lay_out

BOX = Room(40, 50, 50)


class Box(NamedTuple):
    low: Point
    high: Point

    def inside(self, x: float, y: float) -> bool:
        """Whether the point lies within, and not on the border."""
        (x0, y0), (x1, y1) = self.low, self.high
        return x0 + 0.01 < x < x1 - 0.01 and y0 + 0.01 < y < y1 - 0.01

    def meets(self, other: Box) -> bool:
        return all(self.low[i] < other.high[i] and other.low[i] < self.high[i] for i in (0, 1))


def box(middle: Point, room: Room) -> Box:
    low = middle[0] - room.along // 2, middle[1] - room.before
    return Box(low, (low[0] + room.along, middle[1] + room.after))


def drawn(path: Path, steps: int = 40) -> Iterator[tuple[float, float]]:
    """Points on a path, as it is drawn: straight pieces, and Bézier curves between them."""
    for i, (a, b) in enumerate(pairwise(path)):
        half = (a[0] + b[0]) / 2
        for k in range(steps + 1):
            t = k / steps
            if i % 2:
                bent = 3 * t * (1 - t) * half
                yield (1 - t) ** 3 * a[0] + bent + t**3 * b[0], a[1] + (b[1] - a[1]) * ease(t)
            else:
                yield a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])


def ease(t: float) -> float:
    return 3 * t**2 - 2 * t**3


def check(rooms: dict[str, Room], links: Sequence[Link], found: Layout) -> None:
    nodes = {name: box(found.nodes[name], room) for name, room in rooms.items()}
    labels = {
        f"label {i}": box(middle, link.label)
        for i, (link, middle) in enumerate(zip(links, found.labels, strict=True))
        if link.label and middle
    }
    assert len(labels) == sum(link.label is not None for link in links)
    everything = nodes | labels
    for (_, a), (_, b) in combinations(everything.items(), 2):
        assert not a.meets(b)
    for a in everything.values():
        assert a.low[0] >= 0 <= a.low[1]
        assert a.high[0] <= found.along
        assert a.high[1] <= found.across
    for i, (link, path) in enumerate(zip(links, found.paths, strict=True)):
        assert path[0][0] == nodes[link.start].high[0] < path[-1][0] == nodes[link.end].low[0]
        points = list(drawn(path))
        for x, y in points:
            assert 0 <= y <= found.across
            for key, other in everything.items():
                assert key == f"label {i}" or not other.inside(x, y), (link, key)
        own = labels.get(f"label {i}")
        if own:  # the line runs straight through between its label's two texts
            assert len({y for x, y in points if own.low[0] <= x <= own.high[0]}) == 1


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Room], list[Link]]:
    sides = st.integers(2, 60)
    n = draw(st.integers(1, 9))
    rooms = {
        str(i): Room(2 * draw(st.integers(5, 30)), side := draw(sides), side) for i in range(n)
    }
    some: st.SearchStrategy[Room | None] = st.builds(Room, st.integers(5, 60), sides, sides)
    labels = draw(st.sampled_from([some, st.none(), st.one_of(some, st.none())]))
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] != p[1])
    ends = draw(st.lists(pairs, max_size=14)) if n > 1 else []
    return rooms, [Link(str(min(p)), str(max(p)), draw(labels)) for p in ends]


@given(graphs())
def test_nothing_lies_on_anything_else(graph: tuple[dict[str, Room], list[Link]]) -> None:
    rooms, links = graph
    check(rooms, links, lay_out(rooms, links))


def test_a_chain_is_one_straight_line() -> None:
    rooms = {"a": BOX, "b": Room(20, 7, 7), "c": Room(60, 90, 90), "d": BOX}
    found = lay_out(rooms, [Link(*ends) for ends in pairwise(rooms)])
    assert len({across for _, across in found.nodes.values()}) == 1
    assert {across for path in found.paths for _, across in path} == {90}


@pytest.mark.parametrize("label", [None, Room(30, 18, 18)])
def test_a_shortcut_passes_by_a_body_that_stays_straight(label: Room | None) -> None:
    names = ["x", "f", "g", "plus", "y"]
    rooms = dict.fromkeys(names, BOX)
    links = [Link(*ends, label) for ends in pairwise(names)] + [Link("x", "plus", label)]
    found = lay_out(rooms, links)
    assert len({across for _, across in found.nodes.values()}) == 1
    shortcut = found.paths[-1]
    assert max(across for _, across in shortcut) > found.nodes["f"][1] + BOX.after
    check(rooms, links, found)


def test_branches_stand_beside_each_other_in_their_order() -> None:
    names = ["x", "a", "b", "c", "join"]
    rooms = dict.fromkeys(names, BOX)
    links = [Link("x", n) for n in "abc"] + [Link(n, "join") for n in "abc"]
    found = lay_out(rooms, links)
    a, b, c = (found.nodes[n][1] for n in "abc")
    assert a < b < c
    assert b - a == c - b
    assert b == found.nodes["x"][1] == found.nodes["join"][1]


def test_rows_are_ordered_so_that_lines_do_not_cross() -> None:
    names = ["a", "b", "c", "d", "e", "f"]
    rooms = dict.fromkeys(names, BOX)
    links = [Link("a", "f"), Link("b", "e"), Link("c", "d")]
    found = lay_out(rooms, links)
    pairs = [(found.nodes[link.start][1], found.nodes[link.end][1]) for link in links]
    assert [start for start, _ in sorted(pairs)] == sorted(start for start, _ in pairs)
    assert [end for _, end in sorted(pairs)] == sorted(end for _, end in pairs)


def test_an_order_that_nothing_betters_stays() -> None:
    rooms = dict.fromkeys(["a", "alone", "b", "c", "d"], BOX)
    found = lay_out(rooms, [Link(u, v) for u in "ab" for v in "cd"])
    for row in (["a", "alone", "b"], ["c", "d"]):
        places = [found.nodes[name][1] for name in row]
        assert places == sorted(places)


def test_lines_that_stay_crossed() -> None:
    rooms = dict.fromkeys("abcdef", BOX)
    links = [Link("a", "e"), Link("b", "d"), Link("b", "f"), Link("c", "e")]
    check(rooms, links, lay_out(rooms, links))


def test_a_body_stays_straight_beside_two_shortcuts() -> None:
    names = ["x", "f", "g", "h", "y"]
    rooms = dict.fromkeys(names, BOX)
    links = [*[Link(*ends) for ends in pairwise(names)], Link("x", "h"), Link("x", "y")]
    found = lay_out(rooms, links)
    assert len({across for _, across in found.nodes.values()}) == 1
    check(rooms, links, found)


def test_a_shortcut_keeps_close_to_what_it_passes() -> None:
    rooms = dict.fromkeys(["x", "f", "y", "g", "z"], BOX) | {"f": Room(40, 300, 300)}
    links = [*[Link(*ends) for ends in pairwise(rooms)], Link("x", "y"), Link("y", "z")]
    found = lay_out(rooms, links)
    distance = max(across for _, across in found.paths[-1]) - found.nodes["g"][1]
    assert BOX.after < distance < BOX.after + 40


def test_a_branch_keeps_close_to_where_it_leaves() -> None:
    names = ["x", "a", "b", "c", "y", "d", "e", "f", "z"]
    rooms = dict.fromkeys(names, BOX) | {"a": Room(40, 300, 300)}
    fans = [("x", "abc", "y"), ("y", "def", "z")]
    links = [Link(*ends) for u, fan, v in fans for n in fan for ends in ((u, n), (n, v))]
    found = lay_out(rooms, links)
    d, e, f = (found.nodes[n][1] for n in "def")
    assert e - d == f - e < BOX.after + BOX.before + 40


def test_two_lines_between_the_same_nodes_are_seen_as_two() -> None:
    rooms = {"x": BOX, "plus": BOX}
    links = [Link("x", "plus"), Link("x", "plus")]
    found = lay_out(rooms, links)
    assert found.paths[0] != found.paths[1]
    check(rooms, links, found)


def test_lines_from_one_node_leave_it_apart_and_single_ones_from_its_middle() -> None:
    rooms = dict.fromkeys(["x", "a", "b", "y"], BOX)
    found = lay_out(rooms, [Link("x", "a"), Link("x", "b"), Link("a", "y"), Link("b", "y")])
    (first, _), (second, _), *singles = (path[0][::-1] for path in found.paths)
    assert first < second
    assert [across for across, _ in singles] == [found.nodes["a"][1], found.nodes["b"][1]]
    assert found.nodes["b"][1] != found.nodes["y"][1]
