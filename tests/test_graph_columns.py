"""Columns of units: texts on straight lines, none on another, nor on a line of others."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest

from funcnet.arrays import Array
from funcnet.graph_columns import lay_out_columns
from funcnet.graph_layout import Layout, Link, Point, Room

RADIUS, WIDTH, HEIGHT = 30, 50, 11  # of units, and of texts: "-0.0123" in small letters
UNIT, TEXT = Room(60, 30, 30), Room(WIDTH, 7, 7)


def net(*sizes: int) -> tuple[dict[str, Room], list[Link]]:
    columns = [[f"{c}.{i}" for i in range(n)] for c, n in enumerate(sizes)]
    rooms = {name: UNIT for column in columns for name in column}
    return rooms, [Link(a, b, TEXT) for u, v in pairwise(columns) for a in u for b in v]


def corners(found: Layout, i: int) -> Array:
    """The corners of text ``i``, which stands along its line."""
    middle, (a, b) = found.labels[i], found.paths[i]
    assert middle is not None
    along = np.subtract(b, a) / math.dist(a, b)
    across = np.array([-along[1], along[0]])
    signs = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    return np.array([middle + s * WIDTH / 2 * along + t * HEIGHT / 2 * across for s, t in signs])


def apart(p: Array, q: Array) -> bool:
    """Whether a side of one of two rectangles parts them."""
    for rectangle in (p, q):
        for side in (rectangle[1] - rectangle[0], rectangle[2] - rectangle[1]):
            a, b = p @ side, q @ side
            if a.max() < b.min() or b.max() < a.min():
                return True
    return False


def cuts(a: Point, b: Point, rectangle: Array) -> bool:
    """Whether the line from ``a`` to ``b`` runs through the rectangle."""
    if rectangle[:, 0].max() < a[0] or rectangle[:, 0].min() > b[0]:
        return False
    sides = (rectangle - a) @ np.array([a[1] - b[1], b[0] - a[0]])
    return bool(sides.min() < 0 < sides.max())


@pytest.mark.parametrize(
    "sizes", [(2, 1), (1, 1), (2, 3), (2, 3, 3, 1), (3, 5, 6), (4, 4), (10, 3), (2, 10), (10, 10)]
)
def test_every_text_can_be_read(sizes: tuple[int, ...]) -> None:
    rooms, links = net(*sizes)
    found = lay_out_columns(rooms, links)
    texts = [corners(found, i) for i in range(len(links))]
    for p, q in combinations(texts, 2):
        assert apart(p, q)
    for i, text in enumerate(texts):
        for node in found.nodes.values():
            assert np.hypot(*(text - node).T).min() > RADIUS
        for j, (a, b) in enumerate(found.paths):
            assert i == j or not cuts(a, b, text)


@pytest.mark.parametrize("sizes", [(2, 3, 3, 1), (1, 4), (3, 2)])
def test_columns_are_even_and_centred(sizes: tuple[int, ...]) -> None:
    rooms, links = net(*sizes)
    found = lay_out_columns(rooms, links)
    columns = [[found.nodes[f"{c}.{i}"] for i in range(n)] for c, n in enumerate(sizes)]
    steps = {b[1] - a[1] for column in columns for a, b in pairwise(column)}
    assert len(steps) == 1
    assert min(steps) > 2 * RADIUS
    assert len({column[0][1] + column[-1][1] for column in columns}) == 1
    assert all(len({along for along, _ in column}) == 1 for column in columns)
    for along, across in found.nodes.values():
        assert RADIUS <= along <= found.along - RADIUS
        assert RADIUS <= across <= found.across - RADIUS


def test_lines_without_texts_need_no_room_for_them() -> None:
    rooms, links = net(3, 3)
    bare = lay_out_columns(rooms, [link._replace(label=None) for link in links])
    assert bare.labels == [None] * 9
    assert bare.along < lay_out_columns(rooms, links).along
