"""Where the nodes of a graph go: in rows, so that every edge leads from one row to a later one.

The steps are those of Sugiyama, Tagawa and Toda 1981, "Methods for Visual Understanding of
Hierarchical System Structures": rows by the longest path, an order within each row that has few
crossings, then positions. A position is (along, across): how far in the direction of reading, and
how far to the side. All are whole numbers, so that they are written the same everywhere.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import NamedTuple, TypeAlias


class Room(NamedTuple):
    """What a node or a label takes up: along, and across to both sides of its middle."""

    along: int
    before: int
    after: int


class Link(NamedTuple):
    """An edge, with the room that its label takes."""

    start: str
    end: str
    label: Room | None = None


Point: TypeAlias = tuple[int, int]
Path: TypeAlias = tuple[Point, ...]
"""Points in pairs, the two ends of a straight piece; curves join the pairs."""


class Layout(NamedTuple):
    """Middles of nodes and of the links' texts, the links' paths, and the size of the whole."""

    nodes: Mapping[str, Point]
    labels: Sequence[Point | None]
    paths: Sequence[Path]
    along: int
    across: int


# A node by its name, or the place of a long or labelled link (its number) in a row.
_Vertex: TypeAlias = str | tuple[int, int]
_Neighbours: TypeAlias = Mapping[_Vertex, Sequence[_Vertex]]


class _Rows(NamedTuple):
    rows: Sequence[Sequence[_Vertex]]
    chains: Sequence[Sequence[_Vertex]]  # the vertices that each link passes, its ends included
    rooms: Mapping[_Vertex, Room]
    before: _Neighbours
    after: _Neighbours


_POINT = Room(0, 0, 0)
_GAP, _LABEL_GAP = 34, 22  # between rows: of nodes, and of nodes and labels
_ARROW = 12  # how far a line runs straight before it ends
_SWEEPS, _MOVES = 12, 12


def lay_out(rooms: Mapping[str, Room], links: Sequence[Link]) -> Layout:
    """The layout of nodes that take up ``rooms``, in rows that every link leads down."""
    made = _rows(rooms, links)
    made = made._replace(rows=_ordered(made))
    across = _across(made)
    starts, ends = _bands(made, across)
    middles = {
        v: ((starts[i] + ends[i]) // 2, across[v]) for i, row in enumerate(made.rows) for v in row
    }
    return Layout(
        nodes={name: middles[name] for name in rooms},
        labels=[
            None if link.label is None else middles[chain[1]]
            for link, chain in zip(links, made.chains, strict=True)
        ],
        paths=_paths(made, middles, starts, ends),
        along=ends[-1],
        across=max(across[v] + made.rooms[v].after for v in across),
    )


# ---- rows --------------------------------------------------------------------------------------


def _rows(rooms: Mapping[str, Room], links: Sequence[Link]) -> _Rows:
    """Every node in its row, and in every row between two linked nodes a vertex for the link."""
    rank = ranks(rooms, links)
    if any(link.label for link in links) or len({link[:2] for link in links}) < len(links):
        # Labels have rows of their own; and so do lines that would lie on each other.
        rank = {name: 2 * r for name, r in rank.items()}
    rows: list[list[_Vertex]] = [[] for _ in range(max(rank.values()) + 1)]
    taken: dict[_Vertex, Room] = {}
    for name, room in rooms.items():
        rows[rank[name]].append(name)
        taken[name] = room
    chains: list[list[_Vertex]] = []
    for i, link in enumerate(links):
        inner: list[_Vertex] = []
        for row in range(rank[link.start] + 1, rank[link.end]):
            inner.append((i, row))
            rows[row].append((i, row))
            taken[i, row] = link.label if link.label and len(inner) == 1 else _POINT
        chains.append([link.start, *inner, link.end])
    before: dict[_Vertex, list[_Vertex]] = {v: [] for v in taken}
    after: dict[_Vertex, list[_Vertex]] = {v: [] for v in taken}
    for chain in chains:
        for u, v in pairwise(chain):
            before[v].append(u)
            after[u].append(v)
    return _Rows(rows, chains, taken, before, after)


def ranks(names: Iterable[str], links: Sequence[Link]) -> dict[str, int]:
    """For each node, how many links the longest path to it has."""
    befores: dict[str, list[str]] = {name: [] for name in names}
    for link in links:
        befores[link.end].append(link.start)
    rank: dict[str, int] = {}
    for name in TopologicalSorter(befores).static_order():
        rank[name] = max((rank[b] + 1 for b in befores[name]), default=0)
    return rank


# ---- order within rows -------------------------------------------------------------------------


def _ordered(made: _Rows) -> Sequence[Sequence[_Vertex]]:
    """The rows in an order with few crossings; as they came, where none has fewer."""
    best, fewest = made.rows, _crossings(made, made.rows)
    rows = best
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        rows = _swept(made, rows, upward=sweep % 2 == 1)
        count = _crossings(made, rows)
        if count < fewest:
            best, fewest = rows, count
    return best


def _swept(
    made: _Rows, rows: Sequence[Sequence[_Vertex]], upward: bool
) -> Sequence[Sequence[_Vertex]]:
    """Each row sorted by the mean place of its vertices' neighbours in the row gone over before."""
    near = made.after if upward else made.before
    place = _places(rows)
    swept: list[Sequence[_Vertex]] = []
    for row in reversed(rows) if upward else rows:
        mean = {v: _mean([place[u] for u in near[v]], place[v]) for v in row}
        swept.append(sorted(row, key=mean.__getitem__))
        place |= {v: i for i, v in enumerate(swept[-1])}
    return swept[::-1] if upward else swept


def _crossings(made: _Rows, rows: Sequence[Sequence[_Vertex]]) -> int:
    place = _places(rows)
    total = 0
    for row in rows:
        ends: list[int] = []  # of the lines from what stands before in the row
        for u in row:
            own = [place[v] for v in made.after[u]]
            total += sum(len(ends) - bisect_right(ends, end) for end in own)
            for end in own:
                insort(ends, end)
    return total


def _places(rows: Sequence[Sequence[_Vertex]]) -> dict[_Vertex, int]:
    return {v: i for row in rows for i, v in enumerate(row)}


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


# ---- positions across --------------------------------------------------------------------------


def _across(made: _Rows) -> dict[_Vertex, int]:
    """A position for each vertex: near its neighbours', with room for all in the row.

    Vertices that a straight line is to run through share one position, and move as one.
    """
    block = _blocks(made)
    apart = _separations(made, block)
    pulls: dict[_Vertex, list[_Vertex]] = {b: [] for b in apart}
    for v, others in made.after.items():
        for u in others:
            if block[u] != block[v]:
                pulls[block[u]].append(block[v])
                pulls[block[v]].append(block[u])
    at = _packed(apart)
    for _ in range(_MOVES):
        at = _drawn_near(at, apart, pulls)
    whole = {v: round(at[b]) for v, b in block.items()}
    least = min(whole[v] - made.rooms[v].before for v in whole)
    return {v: x - least for v, x in whole.items()}


def _blocks(made: _Rows) -> dict[_Vertex, _Vertex]:
    """For each vertex, the first one on the straight line that it is on."""
    place = _places(made.rows)
    block: dict[_Vertex, _Vertex] = {}
    for row in made.rows:
        straight: dict[_Vertex, _Vertex] = {}
        # The bends of long edges come first: a straight line matters most there.
        for v in sorted(row, key=lambda v: isinstance(v, str)):
            u = _middle(made.before[v], place)
            if u is not None and _middle(made.after[u], place) == v:
                crossing = any(
                    (place[v] - place[w]) * (place[u] - place[t]) <= 0 for w, t in straight.items()
                )
                if not crossing:
                    straight[v] = u
        block |= {v: block[straight[v]] if v in straight else v for v in row}
    return block


def _middle(neighbours: Sequence[_Vertex], place: Mapping[_Vertex, int]) -> _Vertex | None:
    """The middle one of the neighbours, or the first of two: of nodes, where there are any."""
    found = [v for v in neighbours if isinstance(v, str)] or neighbours
    return sorted(found, key=place.__getitem__)[(len(found) - 1) // 2] if found else None


_Separations: TypeAlias = dict[_Vertex, dict[_Vertex, int]]


def _separations(made: _Rows, block: Mapping[_Vertex, _Vertex]) -> _Separations:
    """For each block, those that stand before it in some row, and how far they are apart.

    In an order in which every block comes after those before it.
    """
    apart: dict[_Vertex, dict[_Vertex, int]] = {b: {} for b in block.values()}
    for row in made.rows:
        for u, v in pairwise(row):
            distance = made.rooms[u].after + _margin(made, u) + _margin(made, v)
            distance += made.rooms[v].before
            known = apart[block[v]].get(block[u], 0)
            apart[block[v]][block[u]] = max(known, distance)
    return {b: apart[b] for b in TopologicalSorter(apart).static_order()}


def _margin(made: _Rows, v: _Vertex) -> int:
    if isinstance(v, str):
        return 14
    return 12 if made.rooms[v] == _POINT else 4


def _packed(apart: _Separations) -> dict[_Vertex, float]:
    """Each block as near to 0 as those before it let it come."""
    at: dict[_Vertex, float] = {}
    for b, befores in apart.items():
        at[b] = max([at[a] + distance for a, distance in befores.items()], default=0.0)
    return at


def _drawn_near(
    start: Mapping[_Vertex, float], apart: _Separations, pulls: _Neighbours
) -> dict[_Vertex, float]:
    """Each block in turn as near to what it is joined to as those beside it let it come."""
    at = dict(start)
    others: _Separations = {b: {} for b in apart}
    for b, befores in apart.items():
        for a, distance in befores.items():
            others[a][b] = distance
    for b in reversed(apart):  # The last first: it makes room for those packed before it.
        low = max([at[a] + distance for a, distance in apart[b].items()], default=-math.inf)
        high = min([at[c] - distance for c, distance in others[b].items()], default=math.inf)
        at[b] = max(low, min(high, _mean([at[p] for p in pulls[b]], at[b])))
    return at


# ---- positions along, and lines ----------------------------------------------------------------


def _bands(made: _Rows, across: Mapping[_Vertex, int]) -> tuple[list[int], list[int]]:
    """Where each row starts and ends: further from the last one where lines must go far across."""
    starts: list[int] = []
    ends: list[int] = []
    labelled = any(made.rooms[v] != _POINT for v in made.rooms if not isinstance(v, str))
    for row in made.rows:
        steps = [abs(across[v] - across[u]) for v in row for u in made.before[v]]
        gap = (_LABEL_GAP if labelled else _GAP) + min(max(steps, default=0) // 4, 80)
        starts.append(ends[-1] + gap if ends else 0)
        # Even, so that middles are whole.
        ends.append(starts[-1] + max((made.rooms[v].along + 1) // 2 * 2 for v in row))
    return starts, ends


def _paths(
    made: _Rows, middles: Mapping[_Vertex, Point], starts: Sequence[int], ends: Sequence[int]
) -> list[Path]:
    """The line of each link: straight through the rows, curved in the gaps between them."""
    row_of = {v: i for i, row in enumerate(made.rows) for v in row}
    leaving = _ports(made, middles, [(chain[0], chain[1]) for chain in made.chains])
    arriving = _ports(made, middles, [(chain[-1], chain[-2]) for chain in made.chains])
    paths = []
    for i, (first, *inner, last) in enumerate(made.chains):
        x = middles[first][1] + leaving[i]
        points = [(middles[first][0] + made.rooms[first].along // 2, x), (ends[row_of[first]], x)]
        for v in inner:
            points += [(starts[row_of[v]], middles[v][1]), (ends[row_of[v]], middles[v][1])]
        x = middles[last][1] + arriving[i]
        tip = middles[last][0] - made.rooms[last].along // 2
        points += [(starts[row_of[last]] - _ARROW, x), (tip, x)]
        paths.append(tuple(points))
    return paths


def _ports(
    made: _Rows, middles: Mapping[_Vertex, Point], ends: Sequence[tuple[_Vertex, _Vertex]]
) -> dict[int, int]:
    """How far from the middle of its node each of the ``ends`` (node, neighbour) touches it.

    On the side that its line goes to; a line of its own in the middle.
    """
    lines: dict[_Vertex, dict[int, int]] = {}
    for i, (node, other) in enumerate(ends):
        lines.setdefault(node, {})[i] = middles[other][1] - middles[node][1]
    ports: dict[int, int] = {}
    for node, steps in lines.items():
        room = min(made.rooms[node].before, made.rooms[node].after, 60) * 0.6
        furthest = max(abs(step) for step in steps.values())
        scale = min(0.5, room / max(furthest, 1)) if len(steps) > 1 else 0.0
        ports |= {i: round(step * scale) for i, step in steps.items()}
    return ports
