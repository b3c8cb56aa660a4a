"""Drawings: what they put on the axes, and what they say of bad input."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import funcnet as fn
from funcnet import plotting

ANY: Any = plotting  # to be called as the checker would not let us


def panels(made: Figure) -> Any:
    """The axes of a figure that has been drawn to the end."""
    made.savefig(io.BytesIO(), format="png")
    return made.axes


def test_a_figure_has_a_panel_for_each_drawing() -> None:
    seen: list[Any] = []
    made = plotting.figure(*[seen.append] * 5, columns=2, size=(3, 2), title="five")
    assert tuple(made.get_size_inches()) == (6, 6)
    assert seen == panels(made)[:5]
    assert [axes.axison for axes in made.axes] == [True] * 5 + [False]
    assert made.get_suptitle() == "five"


def test_rows_have_eight_panels_where_nothing_is_said() -> None:
    drawings = plotting.images(np.ones((10, 1, 2, 2)))
    assert tuple(plotting.figure(*drawings, size=(1, 1)).get_size_inches()) == (8, 2)
    assert tuple(plotting.figure(*drawings, size=(1, 1), columns=10).get_size_inches()) == (10, 1)


def test_a_long_title_stays_in_the_figure() -> None:
    made = plotting.figure(plotting.curves({"a": [1, 2]}), title="a title of many words " * 5)
    panels(made)
    (title,) = made.texts
    box = title.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= made.bbox.width


def test_over_draws_in_one_panel() -> None:
    seen: list[Any] = []
    (axes,) = panels(plotting.figure(plotting.over(seen.append, seen.append)))
    assert seen == [axes, axes]


def test_curves() -> None:
    lines = {"train": [0.5, 0.8, 0.9], "test": ([0.0, 10.0], np.array([0.4, 0.6]))}
    (axes,) = panels(plotting.figure(plotting.curves(lines, title="a", x="b", y="c", log=True)))
    train, test = axes.lines
    assert train.get_xdata().tolist() == [0, 1, 2]
    assert train.get_ydata().tolist() == [0.5, 0.8, 0.9]
    assert test.get_xdata().tolist() == [0, 10]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["train", "test"]
    labels = axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()
    assert labels == ("a", "b", "c", "log")


def test_curves_take_columns() -> None:
    x, y = np.linspace(0, 1, 3)[:, None], np.array([[3.0], [1.0], [2.0]])
    lines: dict[str, plotting.Line] = {"net": (x, y), "alone": y}
    (axes,) = panels(plotting.figure(plotting.curves(lines)))
    assert [line.get_ydata().tolist() for line in axes.lines] == [[3, 1, 2]] * 2
    assert axes.lines[0].get_xdata().tolist() == [0, 0.5, 1]


def test_a_point_that_stands_alone_is_marked() -> None:
    lines: dict[str, plotting.Line] = {
        "one": [1.0],
        "gaps": [1, np.nan, 2, np.nan, 3, 4],
        "whole": [1, 2],
    }
    (axes,) = panels(plotting.figure(plotting.curves(lines)))
    one, gaps, whole = axes.lines
    assert one.get_marker() == gaps.get_marker() == "."
    assert one.get_markevery() == [True]
    assert gaps.get_markevery() == [True, False, True, False, False, False]
    assert whole.get_marker() == "None"
    (axes,) = panels(plotting.figure(plotting.curves(lines, markers="o")))
    assert {(line.get_marker(), line.get_markevery()) for line in axes.lines} == {("o", None)}


def test_ticks_are_whole_where_the_numbers_are() -> None:
    y = [0.5, 0.4, 0.3, 0.2, 0.1, 0.0]
    drawings = [
        plotting.curves({"a": y}),
        plotting.curves({"a": (range(1, 7), y)}),
        plotting.curves({"a": [1.0]}),
        *plotting.search([fn.Trial(0, {}, (0.1,))]),
        plotting.curves({"a": (np.linspace(0, 1, 6), y), "b": y[:2]}),
    ]
    *whole, real = panels(plotting.figure(*drawings, size=(2, 2)))
    for axes in whole:
        ticks = axes.get_xticks()
        assert len(ticks)
        assert (ticks == np.round(ticks)).all()
    assert (real.get_xticks() % 1).any()


def test_a_scale_of_ones_own_is_left_as_it_is() -> None:
    def logarithmic(axes: Any) -> None:
        axes.set_xscale("log")

    panels(plotting.figure(plotting.over(logarithmic, plotting.curves({"a": ([1, 10], [1, 2])}))))


@pytest.mark.parametrize(
    ("names", "beside"),
    [("abcdef", False), ("abcdefg", True), (["a name that is long for a legend"], True)],
)
def test_a_large_legend_hides_no_lines(names: Any, beside: bool) -> None:
    (axes,) = panels(plotting.figure(plotting.curves({name: [1, 2] for name in names})))
    assert (axes.get_legend().get_window_extent().x0 >= axes.bbox.x1) == beside


def test_functions() -> None:
    (axes,) = panels(plotting.figure(plotting.functions({"square": np.square}, -2, 3)))
    x, y = axes.lines[0].get_data()
    assert (x[0], x[-1]) == (-2, 3)
    np.testing.assert_array_equal(y, x**2)


def test_histograms() -> None:
    arrays = {"a": np.array([[0.1, 0.2], [0.3, 0.9]]), "b": np.zeros(3, np.float32)}
    axes = panels(plotting.figure(*plotting.histograms(arrays, bins=2, between=(0, 1))))
    assert [[bar.get_height() for bar in one.patches] for one in axes] == [[3, 1], [3, 0]]
    assert [one.get_title() for one in axes] == ["a", "b"]


def test_a_histogram_says_what_it_leaves_out() -> None:
    drawing = plotting.histogram(np.array([1, 2, np.nan, -np.inf]), title="w", bins=2)
    (axes,) = panels(plotting.figure(drawing))
    assert [bar.get_height() for bar in axes.patches] == [1, 1]
    assert axes.get_title() == "w (2 not finite)"


def test_images_are_drawn_one_by_one() -> None:
    x = np.arange(24.0).reshape(2, 3, 2, 2) / 24
    first, second = panels(plotting.figure(*plotting.images(x, [7, 8])))
    np.testing.assert_array_equal(first.images[0].get_array(), np.moveaxis(x[0], 0, 2))
    assert (first.get_title(), second.get_title()) == ("7", "8")
    (one,) = panels(plotting.figure(plotting.image(x[0, :1])))
    np.testing.assert_array_equal(one.images[0].get_array(), x[0, 0])


def test_filters_share_their_colours() -> None:
    W = np.array([[[[1.0]], [[-3.0]]], [[[0.5]], [[2.0]]]])
    axes = panels(plotting.figure(*plotting.filters(W)))
    assert [one.images[0].get_array().item() for one in axes] == [1, -3, 0.5, 2]
    assert {one.images[0].get_clim() for one in axes} == {(-3.0, 3.0)}


def test_confusion() -> None:
    drawing = plotting.confusion(np.array([[9, 1], [0, 8]]), ["cat", "dog"])
    (axes,) = panels(plotting.figure(drawing))
    assert [(t.get_text(), t.get_position()) for t in axes.texts] == [
        ("9", (0, 0)),
        ("1", (1, 0)),
        ("8", (1, 1)),
    ]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["cat", "dog"]


def test_confusion_of_shares() -> None:
    counts = np.array([[2, 1], [0, 3]])
    whole, shares = panels(
        plotting.figure(plotting.confusion(counts), plotting.confusion(counts / 6))
    )
    assert [text.get_text() for text in shares.texts] == ["0.33", "0.17", "0.5"]
    np.testing.assert_allclose(shares.images[0].get_array(), whole.images[0].get_array())


def test_words_below_a_confusion_matrix_stand_upright() -> None:
    numbers, words = panels(
        plotting.figure(
            plotting.confusion(np.eye(2, dtype=int), [10, 11]),
            plotting.confusion(np.eye(2, dtype=int), ["cat", "an elephant"]),
        )
    )
    assert {name.get_rotation() for name in numbers.get_xticklabels()} == {0}
    assert {name.get_rotation() for name in words.get_xticklabels()} == {90}


def test_a_confusion_matrix_has_numbers_where_they_can_be_read() -> None:
    drawing = plotting.confusion(np.full((20, 20), 123))
    (small,), (large,) = (panels(plotting.figure(drawing, size=(n, n))) for n in (3, 8))
    assert (len(small.texts), len(large.texts)) == (0, 400)
    assert small.get_yticklabels()[0].get_fontsize() < large.get_yticklabels()[0].get_fontsize()


def test_a_way_over_contours() -> None:
    bowl = plotting.contours(lambda x, y: x**2 + y**2, (-4, 4), (-3, 3), title="bowl")
    (axes,) = panels(plotting.figure(plotting.over(bowl, plotting.path([(1, 2), (3, 1)]))))
    assert axes.lines[0].get_xydata().tolist() == [[1, 2], [3, 1]]
    assert axes.get_xlim() == (-4, 4)
    assert axes.get_title() == "bowl"


def test_points_have_the_colours_of_their_regions() -> None:
    x = np.array([[0.5, 0.5], [-0.5, 0.5], [7.0, -8.0]])  # the last beyond the map
    regions = plotting.regions(
        lambda xy: np.where(xy[:, 0] > 0, 2, 0), (-1, 1), (-2, 3), title="halves"
    )
    drawing = plotting.over(regions, plotting.points(x, np.array([2, 0, 2])))
    (axes,) = panels(plotting.figure(drawing))
    left, right, points = axes.collections
    assert points.get_offsets().tolist() == x.tolist()
    colours = points.get_facecolors()[:, :3].tolist()
    one, other = (area.get_facecolor()[0, :3].tolist() for area in (left, right))
    assert one != other
    assert colours == [other, one, other]
    assert left.get_paths()[0].get_extents().x1 == pytest.approx(0, abs=0.01)
    assert right.get_paths()[0].get_extents().x0 == pytest.approx(0, abs=0.01)
    assert (axes.get_xlim(), axes.get_ylim(), axes.get_title()) == ((-1, 1), (-2, 3), "halves")


def test_points_without_labels() -> None:
    (axes,) = panels(plotting.figure(plotting.points(np.zeros((5, 2)), title="five")))
    assert len(axes.collections[0].get_facecolors()) == 1
    assert axes.get_title() == "five"


def test_the_best_trials_of_a_search() -> None:
    nan = float("nan")
    trials = [
        fn.Trial(0, {"rate": 0.0123, "size": 128}, (0.2, 0.5)),
        fn.Trial(1, {"rate": 0.1, "size": 32}, (0.3, 0.4, 0.789)),
        fn.Trial(2, {"rate": 1.0, "size": 32}, (0.1, nan), stopped=True),
        fn.Trial(3, {"rate": 0.001, "size": 64}, (0.45,)),
    ]
    first, second, third = panels(plotting.figure(*plotting.search(iter(trials), best=3)))
    assert first.lines[0].get_xydata().tolist() == [[1, 0.3], [2, 0.4], [3, 0.789]]
    assert second.lines[0].get_ydata().tolist() == [0.2, 0.5]
    assert first.get_title() == "rank 1: 0.79\nrate 0.1, size 32"
    assert second.get_title() == "rank 2: 0.5\nrate 0.012, size 128"
    assert third.lines[0].get_xydata().tolist() == [[1, 0.45]]
    low, high = first.get_ylim()
    assert low < 0.2 < 0.789 < high
    assert second.get_ylim() == third.get_ylim() == (low, high)


def test_a_search_that_came_to_nothing_is_drawn() -> None:
    failed = fn.Trial(0, {"rate": 1e9}, (float("nan"),), stopped=True)
    (axes,) = panels(plotting.figure(*plotting.search([failed])))
    assert axes.get_title() == "rank 1: -inf, stopped\nrate 1e+09"


def test_nothing_global_is_touched() -> None:
    code = (
        "import sys, funcnet as fn; assert 'matplotlib' not in sys.modules;"
        "fn.plotting.figure(fn.plotting.curves({'a': [1.0]}));"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_matplotlib_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'funcnet\[plot\]'") as caught:
        plotting.figure(plotting.curves({"a": [1.0]}))
    assert isinstance(caught.value, fn.MissingExtraError)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ANY.figure(), "one drawing or more"),
        (lambda: ANY.figure(plotting.filters(np.ones((1, 1, 2, 2)))), r"write \*drawings"),
        (lambda: ANY.figure(len, size=3), "a width and a height in inches, not 3"),
        (lambda: ANY.figure(plotting.curves), r"did you mean curves\(...\)\?"),
        (lambda: ANY.over(plotting.points), r"did you mean points\(...\)\?"),
        (lambda: ANY.curves({}), "curves takes one line or more"),
        (lambda: ANY.curves({"a": []}), "curve 'a' takes one number or more"),
        (lambda: ANY.curves({"a": np.ones((3, 2))}), "draw its columns one by one"),
        (lambda: ANY.functions({}), "functions takes one function or more"),
        (lambda: ANY.curves([0.5]), r"a dict from names, not \[0.5\]"),
        (lambda: ANY.curves({"a": "b"}), r"curve 'a' takes numbers \(n,\), not 'b'"),
        (lambda: ANY.curves({"a": ([1.0, 2.0], [1.0])}), "curve 'a' expects 2 numbers"),
        (lambda: ANY.functions({"tanh": np.tanh}, 3, -3), "not from 3 to -3"),
        (lambda: ANY.functions({"tanh": 3}), "np.tanh say, not 3"),
        (lambda: ANY.histogram(np.array(["a"])), "histogram takes numbers"),
        (lambda: ANY.image(np.ones((2, 4, 4))), "1 channel or 3, but the input gives 2"),
        (lambda: ANY.images(np.ones((4, 4))), r"\(n, channels, h, w\)"),
        (lambda: ANY.images(np.ones((4, 4))), r"write image\(x\) for one image"),
        (lambda: ANY.images(np.ones((3, 1, 2, 2)), [1, 2, 3, 4]), "3 titles, .* gives 4"),
        (lambda: ANY.images(np.ones((3, 1, 2, 2)), [1, 2]), "3 titles, .* gives 2"),
        (lambda: ANY.image(np.ones((3, 1, 2, 2))), r"write \*images\(x\)"),
        (lambda: ANY.filters(np.ones((4, 4))), r"write filters\(W.T.reshape"),
        (lambda: ANY.confusion(np.ones((2, 3), int)), "as many columns as rows"),
        (lambda: ANY.confusion(np.ones((2, 2), int), ["a"]), "2 names"),
        (
            lambda: ANY.contours(lambda x, y: 1, (0, 1), (0, 1)),
            r"shape of x and y, but f gives \(\)",
        ),
        (lambda: ANY.contours(lambda x, y: "a", (0, 1), (0, 1)), "contours' f takes numbers"),
        (lambda: ANY.contours(lambda x: x, (0, 1), (0, 1)), "of 2 arrays; write lambda x, y"),
        (lambda: ANY.regions(lambda x, y: x, (0, 1), (0, 1)), "of one array; write lambda xy"),
        (
            lambda: ANY.regions(lambda xy: xy, (0, 1), (0, 1)),
            r"regions' classes expects .*argmax\(1\)",
        ),
        (lambda: ANY.regions(lambda xy: xy[:, 0], (0, 1), (0, 1)), r"integers, .*or > 0 of scores"),
        (lambda: ANY.regions(lambda xy: np.array([1]), (0, 1), (0, 1)), "one for each point"),
        (lambda: ANY.points(np.ones((3, 3))), r"points \(n, 2\)"),
        (lambda: ANY.points(np.ones((3, 2)), np.ones(3)), "points' labels are integers"),
        (lambda: ANY.points(np.ones((3, 2)), np.ones(2, int)), "3 labels, one for each point"),
        (lambda: ANY.contours(lambda x, y: x, 3, (0, 1)), r"a range \(low, high\), not 3"),
        (lambda: ANY.images(np.ones((1, 1, 2, 2)), 7), "a list of names, not 7"),
        (lambda: ANY.path(np.ones((3, 3))), r"points \(n, 2\)"),
        (lambda: ANY.search(fn.Trial(0, {}, (0.5,))), r"this is one trial; write \[trial\]"),
        (lambda: ANY.search(3), "the trials of random_search, not 3"),
        (lambda: ANY.search([(0, {}, ())]), r"the trials of random_search, not \(0, {}, \(\)\)"),
    ],
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(fn.FuncnetError, match=text):
        call()
