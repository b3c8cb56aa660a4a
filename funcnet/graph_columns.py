"""Where the nodes of a graph go whose edges join neighbouring columns alone: layers of units.

Lines are straight, with texts on them. All columns have one distance between their nodes, so that
the texts, each at the same share of its line's way, stand one below the other at even distances.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from .graph_layout import Layout, Link, Point, Room, ranks

_PITCH = 20  # between texts of lines from one node
_GAP = 16  # between nodes, at least


class _Column(NamedTuple):
    """The nodes of a column, and what leads from them to the next one."""

    names: Sequence[str]
    links: Sequence[Link]

    @property
    def share(self) -> float:
        """How far along their lines the texts stand.

        Of n lines from each node of a column, the texts of one node's lines take n of n + 2 parts
        of the distance to the next node's texts.
        """
        return 1 / (self.fan + 2) if self.fan > 1 else 0.5

    @property
    def fan(self) -> int:
        """How many lines with texts lead from one node, at most."""
        return max(Counter(link.start for link in self.links if link.label).values(), default=0)


def lay_out_columns(rooms: Mapping[str, Room], links: Sequence[Link]) -> Layout:
    """The layout of nodes in columns; paths lead straight from middle to middle."""
    rank = ranks(rooms, links)
    columns = [
        _Column(
            [name for name in rooms if rank[name] == i],
            [link for link in links if rank[link.start] == i],
        )
        for i in range(max(rank.values()) + 1)
    ]
    widest = max(room.before + room.after for room in rooms.values())
    fan = max(column.fan for column in columns)
    apart = max(widest + _GAP, _PITCH * (fan + 2)) // 2 * 2
    most = max(len(column.names) for column in columns)
    across = {
        name: widest // 2 + (2 * i + most - len(column.names)) * apart // 2
        for column in columns
        for i, name in enumerate(column.names)
    }
    along = _along(columns, rooms, across)
    middles = {name: (along[rank[name]], across[name]) for name in rooms}
    last = max(rooms[name].along for name in columns[-1].names)
    return Layout(
        nodes=middles,
        labels=[
            _between(middles[link.start], middles[link.end], columns[rank[link.start]].share)
            if link.label
            else None
            for link in links
        ],
        paths=[(middles[link.start], middles[link.end]) for link in links],
        along=along[-1] + last // 2,
        across=widest + (most - 1) * apart,
    )


def _along(
    columns: Sequence[_Column], rooms: Mapping[str, Room], across: Mapping[str, int]
) -> list[int]:
    """The middles of the columns: with room for texts, and no line steeper than 4 in 5."""
    halves = [max(rooms[name].along for name in column.names) // 2 for column in columns]
    middles = [halves[0]]
    for column, (half, next_half) in zip(columns, pairwise(halves), strict=False):
        text = max(link.label.along if link.label else 0 for link in column.links)
        free = half + text + next_half + 40
        near = round((half + text / 2 + 14) / column.share)
        steepest = max(abs(across[link.end] - across[link.start]) for link in column.links)
        middles.append(middles[-1] + max(free, near, steepest * 5 // 4))
    return middles


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + round(share * (b[0] - a[0])), a[1] + round(share * (b[1] - a[1]))
