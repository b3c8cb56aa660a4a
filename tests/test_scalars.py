"""Scalars: values, gradients against differences, errors, and drawn computations."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import funcnet as fn
from funcnet import Scalar

ANY: Any = fn  # to be called as the checker would not let us
TIMES, MINUS = "\N{MULTIPLICATION SIGN}", "\N{MINUS SIGN}"


def test_two_apples_with_tax() -> None:
    apple, count, tax = Scalar(100, "apple"), Scalar(2, "count"), Scalar(1.1, "tax")
    total = apple * count * tax
    gradients = total.gradients()
    assert total.value == pytest.approx(220)
    assert [gradients[x] for x in (apple, count, tax)] == pytest.approx([2.2, 110, 200])
    assert gradients[total] == 1


def test_apples_and_oranges() -> None:
    apple, apples, orange, oranges = (Scalar(v) for v in (100, 2, 150, 3))
    tax = Scalar(1.1)
    total = (apple * apples + orange * oranges) * tax
    gradients = total.gradients()
    assert total.value == pytest.approx(715)
    expected = {apples: 110, apple: 2.2, orange: 3.3, oranges: 165, tax: 650}
    assert {x: gradients[x] for x in expected} == pytest.approx(expected)


def test_with_plain_numbers() -> None:
    a, b = Scalar(1.0), Scalar(2.0)
    gradients = ((2 * a + 3 * b) * 4).gradients()
    assert (gradients[a], gradients[b]) == (8, 12)


def test_the_chain_rule() -> None:
    x, y = Scalar(2.0), Scalar(-5.0)
    t = x + y
    z = t**2
    gradients = z.gradients()
    assert (z.value, t.slopes, z.slopes) == (9, (1, 1), (-6,))
    assert (gradients[x], gradients[y], gradients[t]) == (-6, -6, -6)


# Each runs on Scalars and on plain numbers.
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: x + y + 1 + x,
    "-": lambda x, y: 3 - (x - y) - 1,
    "negative": lambda x, y: -x * y,
    "*": lambda x, y: x * y * x * 2,
    "/": lambda x, y: x / y / 2 + 1 / y,
    "** number": lambda x, y: x**3 + y**0.5 + x**0 + x**-2,
    "** Scalar": lambda x, y: y**x + 2**x,
}
METHODS: dict[str, tuple[Callable[[Scalar], Scalar], Callable[[float], float]]] = {
    "exp": (Scalar.exp, math.exp),
    "tanh": (Scalar.tanh, math.tanh),
    "relu": (Scalar.relu, lambda x: max(x, 0.0)),
    "sigmoid": (Scalar.sigmoid, lambda x: 1 / (1 + math.exp(-x))),
}
H = 1e-5


@pytest.mark.parametrize("name", ARITHMETIC)
@given(a=st.floats(-3, 3), b=st.floats(0.2, 3))
def test_gradients_of_operators_are_those_of_differences(name: str, a: float, b: float) -> None:
    assume(abs(a) > 0.1)
    f = ARITHMETIC[name]
    x, y = Scalar(a, "x"), Scalar(b, "y")
    result = f(x, y)
    assert result.value == pytest.approx(f(a, b))
    by_x = (f(a + H, b) - f(a - H, b)) / (2 * H)
    by_y = (f(a, b + H) - f(a, b - H)) / (2 * H)
    assert result.gradients()[x] == pytest.approx(by_x, rel=1e-5, abs=1e-6)
    assert result.gradients()[y] == pytest.approx(by_y, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("name", METHODS)
@given(a=st.floats(-5, 5))
def test_gradients_of_functions_are_those_of_differences(name: str, a: float) -> None:
    assume(abs(a) > 1e-3)
    ours, plain = METHODS[name]
    x = Scalar(a)
    assert ours(x).value == pytest.approx(plain(a))
    slope = (plain(a + H) - plain(a - H)) / (2 * H)
    assert (ours(x) * 2).gradients()[x] == pytest.approx(2 * slope, rel=1e-5, abs=1e-7)


@given(st.floats(0.1, 10))
def test_the_logarithm(a: float) -> None:
    x = Scalar(a)
    assert x.log().value == math.log(a)
    assert x.log().gradients()[x] == pytest.approx(1 / a)


STEPS: tuple[Callable[[Scalar, Scalar], Scalar], ...] = (
    lambda a, b: a + b,
    lambda a, b: (a - b).tanh(),
    lambda a, b: (a * b).tanh(),
    lambda a, b: a / (b.exp() + 1),
    lambda a, b: a.sigmoid() ** 2,
)


@st.composite
def computations(draw: st.DrawFn) -> tuple[list[Scalar], Scalar]:
    """Leaves, and something made of them with results used again and again."""
    leaves = [Scalar(draw(st.floats(-2, 2)), f"x{i}") for i in range(draw(st.integers(1, 4)))]
    made = list(leaves)
    for step in draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=12)):
        made.append(step(draw(st.sampled_from(made)), draw(st.sampled_from(made))))
    return leaves, made[-1]


def again(result: Scalar, leaf: Scalar, value: float) -> float:
    """The result, computed anew with another value of a leaf."""
    known: dict[Scalar, Scalar] = {leaf: Scalar(value)}
    rules: dict[str, Callable[..., Scalar]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "**2": lambda a: a**2,
        "exp": Scalar.exp,
        "tanh": Scalar.tanh,
        "sigmoid": Scalar.sigmoid,
    }

    def run(node: Scalar) -> Scalar:
        if node not in known:
            inputs = [run(x) for x in node.inputs]
            known[node] = rules[node.op](*inputs) if node.op else node
        return known[node]

    return run(result).value


@given(computations())
def test_gradients_of_shared_results_are_those_of_differences(
    drawn: tuple[list[Scalar], Scalar],
) -> None:
    leaves, result = drawn
    found = result.gradients()
    for leaf in leaves:
        above, below = again(result, leaf, leaf.value + H), again(result, leaf, leaf.value - H)
        expected = (above - below) / (2 * H)
        assert found.get(leaf, 0.0) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_what_is_used_twice_gets_the_sum_and_nothing_is_kept() -> None:
    x = Scalar(3.0)
    y = x * x
    assert y.gradients()[x] == 6
    assert y.gradients()[x] == 6
    assert (y + x).gradients()[x] == 7
    assert x.gradients() == {x: 1}


def test_long_computations() -> None:
    x = Scalar(1.0)
    y = x
    for _ in range(20_000):
        y = y + 1e-3
    assert y.gradients()[x] == 1
    assert len(repr(y)) < 60


def test_functions_are_exact_far_out() -> None:
    assert Scalar(-800).sigmoid().value == 0
    assert Scalar(800).sigmoid().value == 1
    assert Scalar(-30.0).sigmoid().value == pytest.approx(math.exp(-30), rel=1e-12)
    assert Scalar(-800).exp().value == 0
    assert Scalar(800).tanh().slopes == (0,)
    assert Scalar(0.0).relu().slopes == (0,)
    assert (Scalar(0) ** 0).value == 1
    assert (Scalar(0) ** 0).slopes == (0,)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda x: x / 0, r"1.0 / 0.0 has no finite value and slope; divide by what is not 0"),
        (lambda x: 1 / Scalar(0, "n"), "1.0 / n=0.0 has no finite value"),
        (lambda x: (x - 1).log(), r"log\(0.0\) has no .*; take the logarithm of a number above 0"),
        (lambda x: Scalar(-2, "a").log(), r"log\(a=-2.0\) has no finite value"),
        (lambda x: Scalar(0) ** -1, r"\(0.0\)\*\*-1 has no finite value"),
        (lambda x: Scalar(0) ** 0.5, r"\(0.0\)\*\*0.5 has no finite value and slope; the base"),
        (lambda x: Scalar(-8) ** (1 / 3), r"\(-8.0\)\*\*0.333333 .* a negative base takes whole"),
        (lambda x: Scalar(-2) ** x, "-2.0 .. 1.0 has .*; an exponent that is a Scalar needs"),
        (lambda x: Scalar(1000).exp(), r"exp\(1000.0\) .*slope; the result is too large for a"),
        (lambda x: 1 / Scalar(1e-200), "slope; the result is too large for a float"),
        (lambda x: Scalar(1e200) * 1e200, "too large for a float"),
        (lambda x: Scalar(10) ** 400, "too large for a float"),
        (lambda x: (Scalar(1e-200, "a") * 1e150 * 1e150 * 1e150).gradients(), "of .*a.* is beyond"),
    ],
)
def test_what_has_no_value_is_refused(run: Callable[[Scalar], Scalar], message: str) -> None:
    with pytest.raises(fn.NonFiniteError, match=message):
        run(Scalar(1.0))


@pytest.mark.parametrize("value", ["1", None, [1.0], np.zeros(2), 1j])
def test_other_values_are_refused(value: Any) -> None:
    x = ANY.Scalar(1.0)
    calls: list[Callable[[], Any]] = [
        lambda: ANY.Scalar(value),
        lambda: x + value,
        lambda: value * x,
        lambda: x**value,
    ]
    for call in calls:
        with pytest.raises(fn.FuncnetError, match="is a number in"):
            call()
    with pytest.raises(fn.ConfigError, match="not nan"):
        Scalar(math.nan)
    with pytest.raises(fn.ArgumentError, match="a Scalar's name is a text, not 3"):
        ANY.Scalar(1.0, 3)


def test_what_takes_plain_numbers_is_told_of_the_value() -> None:
    x = ANY.Scalar(2.0)
    for call in (float, math.log):
        with pytest.raises(fn.ArgumentError, match=r"no plain number; its value is x\.value"):
            call(x)
    calls: list[Callable[[], Any]] = [
        lambda: x < 3,
        lambda: x >= 3,
        lambda: max(x, Scalar(1)),
    ]
    for compare in calls:
        with pytest.raises(fn.ArgumentError, match="not ordered; compare their values"):
            compare()


def test_numbers_of_numpy_are_numbers() -> None:
    x = ANY.Scalar(np.float32(2))
    for y in (np.float64(3) * x, x * np.int64(3), np.float32(3) * x):
        assert isinstance(y, Scalar)
        assert (y.value, y.gradients()[x]) == (6, 3)


def test_scalars_never_change_and_are_themselves_alone() -> None:
    x, same = Scalar(2.0, "x"), Scalar(2.0, "x")
    assert x != same
    assert len({x, same, copy.copy(x), copy.deepcopy(x)}) == 2
    with pytest.raises(fn.ImmutableError, match="never changes"):
        x.value = 3.0
    with pytest.raises(fn.ImmutableError, match="never changes"):
        del x.name
    product = pickle.loads(pickle.dumps(x * same))
    assert (product.value, [i.name for i in product.inputs]) == (4, ["x", "x"])
    named = (x * same).named("z")
    assert (named.name, named.value, named.inputs) == ("z", 4, (x, same))


def test_reprs() -> None:
    x = Scalar(2.0, "x")
    assert repr(x) == "Scalar(2.0, 'x')"
    assert repr(x * 3) == "Scalar(6.0: x=2.0 * 3.0)"
    assert repr((x * 3).exp().log()) == "Scalar(6.0: log(403.4287934927351))"
    assert repr((x**2).named("z")) == "Scalar(4.0, 'z': (x=2.0)**2)"


# ---- drawn -------------------------------------------------------------------------------------


def shown(graph: fn.Graph) -> list[tuple[str, str, str, str]]:
    texts = {node.name: node.lines[0] for node in graph.nodes}
    return [(texts[e.start], texts[e.end], e.above, e.below) for e in graph.edges]


def test_the_graph_of_two_apples() -> None:
    total = Scalar(100, "apple") * Scalar(2, "count") * Scalar(1.1, "tax")
    graph = total.named("total").graph()
    assert graph.layout == "right"
    assert shown(graph) == [
        ("apple", TIMES, "100", f"1.1 {TIMES} 2 = 2.2"),
        ("count", TIMES, "2", f"1.1 {TIMES} 100 = 110"),
        (TIMES, TIMES, "200", f"1 {TIMES} 1.1 = 1.1"),
        ("tax", TIMES, "1.1", f"1 {TIMES} 200 = 200"),
        (TIMES, "total", "220", "1"),
    ]
    assert [node.shape for node in graph.nodes] == [
        "text",
        "text",
        "circle",
        "text",
        "circle",
        "text",
    ]


def test_numbers_named_results_and_sums_of_gradients_are_shown() -> None:
    x = Scalar(3.0, "x")
    t = (2 - x).named("t")
    graph = (t**2 + x).graph()
    assert shown(graph) == [
        ("2", MINUS, "", f"-2 {TIMES} 1 = -2"),
        ("x", MINUS, "3", f"-2 {TIMES} -1 = 2"),
        (MINUS, "**2", "t = -1", f"1 {TIMES} -2 = -2"),
        ("**2", "+", "1", f"1 {TIMES} 1 = 1"),
        ("x", "+", "3", f"1 {TIMES} 1 = 1"),
        ("+", "result", "4", "1"),
    ]
    assert [n.lines for n in graph.nodes if n.lines[0] in ("x", "2")] == [
        ("2",),
        ("x", "gradient 3"),
    ]


def test_the_graph_of_a_number_alone() -> None:
    assert shown(Scalar(12345.678, "x").graph()) == [("x", "x", "12,346", "1")]
