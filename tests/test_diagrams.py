"""Networks drawn part by part and unit by unit: the right nodes, joined as the parts are."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import funcnet as fn
from funcnet import Graph, Params

ANY: Any = fn  # to be called as the checker would not let us


def joints(graph: Graph) -> list[tuple[str, str]]:
    return [(edge.start, edge.end) for edge in graph.edges]


def lines(graph: Graph) -> list[str]:
    return [" | ".join(node.lines) for node in graph.nodes]


def chain(*names: str) -> list[tuple[str, str]]:
    return list(pairwise(names))


IN, OUT = "[input]", "[output]"
CONV = (
    fn.conv2d(1, 16, 3, pad=1)
    >> fn.batch_norm()
    >> fn.relu()
    >> fn.max_pool2d(2)
    >> fn.flatten()
    >> fn.dense(..., 10)
)


# ---- part by part ------------------------------------------------------------------------------


def test_a_pipeline_is_a_chain_that_shows_what_summary_shows() -> None:
    graph = fn.diagram(CONV, (1, 8, 8))
    assert graph.layout == "down"
    assert lines(graph) == [
        "input | 1x8x8",
        "conv2d1 | conv2d(1, 16, 3, pad=1) | 16x8x8 · 160 parameters",
        "batch_norm1 | batch_norm() | 16x8x8 · 64 parameters",
        "relu1 | relu() | 16x8x8",
        "max_pool2d1 | max_pool2d(2) | 16x4x4",
        "flatten1 | flatten() | 256",
        "dense1 | dense(..., 10) | 10 · 2,570 parameters",
        "output | 10",
    ]
    assert joints(graph) == chain(IN, *[name for name, _ in CONV.parts], OUT)


def test_a_lone_layer_has_its_own_name() -> None:
    graph = fn.diagram(fn.dense(3, 2).named("head"), (3,))
    assert lines(graph) == ["input | 3", "head | dense(3, 2) | 2 · 8 parameters", "output | 2"]
    assert joints(graph) == chain(IN, "[net]", OUT)
    assert joints(fn.diagram(fn.identity(), (3,))) == [(IN, OUT)]


def test_a_residual_is_a_line_that_passes_by() -> None:
    net = fn.residual(fn.dense(4, 4) >> fn.relu()) >> fn.dense(4, 2)
    graph = fn.diagram(net, (4,))
    body = chain(IN, "residual1/0/dense1", "residual1/0/relu1", "residual1")
    assert joints(graph) == [*body, (IN, "residual1"), *chain("residual1", "dense1", OUT)]
    merge = graph.nodes[3]
    assert (merge.lines, merge.shape) == (("residual1: plus()", "4"), "ellipse")


def test_residuals_in_residuals_with_names_and_a_shortcut() -> None:
    inner = fn.residual(fn.dense(4, 4), fn.relu()).named("inner")
    net = fn.relu() >> fn.residual(inner >> fn.tanh()).named("outer")
    graph = fn.diagram(net, (4,))
    assert joints(graph) == [
        (IN, "relu1"),
        ("relu1", "outer/0/inner/0"),
        ("relu1", "outer/0/inner/1"),
        ("outer/0/inner/0", "outer/0/inner"),
        ("outer/0/inner/1", "outer/0/inner"),
        ("outer/0/inner", "outer/0/tanh1"),
        ("outer/0/tanh1", "outer"),
        ("relu1", "outer"),
        ("outer", OUT),
    ]


def test_what_is_added_to_itself_has_two_lines() -> None:
    graph = fn.diagram(fn.add(fn.identity(), fn.identity()), (4,))
    assert joints(graph) == [(IN, "[net]"), (IN, "[net]"), ("[net]", OUT)]


def test_branches_are_joined() -> None:
    net = fn.concat(fn.dense(4, 2), fn.dense(4, 3) >> fn.relu(), fn.identity().named("same"))
    graph = fn.diagram(net, (4,))
    assert joints(graph) == [
        (IN, "0"),
        *chain(IN, "1/dense1", "1/relu1"),
        *[(end, "[net]") for end in ("0", "1/relu1", IN)],
        ("[net]", OUT),
    ]
    assert graph.nodes[-2].lines == ("concat: join()", "9")


@pytest.mark.parametrize(("merge", "out"), [(fn.plus(), "2"), (fn.times(), "2"), (fn.join(), "4")])
def test_fans_and_their_merges(merge: fn.Layer[Any, Any], out: str) -> None:
    net = fn.fan_out(fn.dense(3, 2), fn.tanh() >> fn.dense(3, 2)) >> merge
    graph = fn.diagram(net, (3,))
    name = f"{merge.name}1"
    assert joints(graph)[-3:] == [
        ("fan_out1/0", name),
        ("fan_out1/1/dense1", name),
        (name, OUT),
    ]
    assert graph.nodes[-2].lines == (f"{name}: {merge!r}", out)


def test_several_inputs_and_outputs() -> None:
    crossed = fn.both(fn.dense(3, 4), fn.both(fn.relu(), fn.identity()))
    graph = fn.diagram(crossed, ((3,), ((5,), (2, 2))))
    assert lines(graph) == [
        "input 0 | 3",
        "input 1 | 5",
        "input 2 | 2x2",
        "0 | dense(3, 4) | 4 · 16 parameters",
        "1/0 | relu() | 5",
        "output 0 | 4",
        "output 1 | 5",
        "output 2 | 2x2",
    ]
    assert joints(graph) == [
        ("[input 0]", "0"),
        ("[input 1]", "1/0"),
        ("0", "[output 0]"),
        ("1/0", "[output 1]"),
        ("[input 2]", "[output 2]"),
    ]


NET = fn.dense(4, 4) >> fn.residual(fn.dense(4, 4) >> fn.relu(), fn.tanh())


@pytest.mark.parametrize("wrap", [fn.freeze, fn.checked])
def test_wrappers_keep_the_inside_in_sight(wrap: Any) -> None:
    graph = fn.diagram(wrap(NET), (4,))
    assert joints(graph) == joints(fn.diagram(NET, (4,)))
    assert graph.nodes[1].lines[1] == f"{wrap.__name__}(dense(4, 4))"


def test_so_does_one_part_that_is_recomputed() -> None:
    whole = fn.diagram(fn.relu() >> fn.recompute(NET), (4,))
    first, *rest = joints(whole)
    assert first == (IN, "relu1")
    inside = [(f"recompute1/{a}", f"recompute1/{b}") for a, b in joints(fn.diagram(NET, (4,)))]
    ends = {f"recompute1/{IN}": "relu1", f"recompute1/{OUT}": OUT}
    assert rest == [(ends.get(a, a), ends.get(b, b)) for a, b in inside]


def test_a_name_may_be_that_of_a_part_inside() -> None:
    graph = fn.diagram(fn.add(fn.relu(), fn.tanh()).named("0"), (4,))
    assert lines(graph)[1:-1] == ["0 | relu() | 4", "1 | tanh() | 4", "0: plus() | 4"]


def test_frozen_parts_say_so() -> None:
    net = fn.freeze(fn.dense(4, 3) >> fn.residual(fn.relu())) >> fn.dense(3, 2).named("head")
    assert lines(fn.diagram(net, (4,)))[1:-1] == [
        "dense1 | freeze(dense(4, 3)) | 3 · 15 parameters, frozen",
        "residual1/0 | freeze(relu()) | 3",
        "residual1: plus() | 3",
        "head | dense(3, 2) | 2 · 8 parameters",
    ]


def test_layers_of_a_users_own() -> None:
    def pair_forward(params: Params, xs: Any, mode: fn.Mode) -> Any:
        return (xs[0] + xs[1], xs[0] - xs[1]), None

    def pair_backward(cache: None, dys: Any) -> Any:
        return (dys[0] + dys[1], dys[0] - dys[1]), fn.NO_GRADS

    def pair_spec(shapes: Any) -> tuple[fn.Spec, Any]:
        return {"scale": fn.Leaf((2,), fn.ones)}, (shapes[0], shapes[1])

    pair = fn.Layer("pair", forward=pair_forward, backward=pair_backward, spec=pair_spec,
                    takes=(fn.Vec(...), fn.Vec(...)), call="pair(3)")  # fmt: skip
    graph = fn.diagram(fn.fan_out(fn.relu(), fn.tanh()) >> pair, (4,))
    assert joints(graph)[2:] == [
        ("fan_out1/0", "pair1"),
        ("fan_out1/1", "pair1"),
        ("pair1", "[output 0]"),
        ("pair1", "[output 1]"),
    ]
    assert "pair1: pair(3) | (4, 4) · 2 parameters" in lines(graph)


def test_nothing_is_allocated() -> None:
    graph = fn.diagram(fn.dense(10**6, 10**6) >> fn.relu(), (10**6,))
    assert graph.nodes[1].lines[2] == "1000000 · 1,000,001,000,000 parameters"


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(fn.ArgumentError, match="relu is a function, not a layer; did you mean"):
        ANY.diagram(fn.relu, (3,))
    with pytest.raises(fn.ArgumentError, match=r"diagram takes \(net, shape\), in this order"):
        ANY.diagram((3,), fn.relu())
    with pytest.raises(fn.ShapeError, match=r"^dense1 in dense1 >> relu1 expects 3 features"):
        fn.diagram(fn.dense(3, 2) >> fn.relu(), (4,))
    with pytest.raises(fn.ShapeError, match=r"^dense expects 3 features"):
        fn.diagram(fn.dense(3, 2), (4,))
    with pytest.raises(fn.ArgumentError, match="a shape is a tuple"):
        ANY.diagram(fn.relu(), 3)


# ---- unit by unit ------------------------------------------------------------------------------


def test_the_units_of_a_gate() -> None:
    gate = fn.dense(2, 1) >> fn.step()
    params = Params({"dense1": {"W": np.array([[0.5], [-0.25]]), "b": np.array([-0.7])}})
    graph = fn.units(gate, params)
    assert graph.layout == "columns"
    assert [(node.lines, node.shape) for node in graph.nodes] == [
        (("x1",), "circle"),
        (("x2",), "circle"),
        (("b -0.7", "step"), "circle"),
        (("y1",), "text"),
    ]
    assert graph.edges == (
        fn.Edge("x1", "1.1", "0.5"),
        fn.Edge("x2", "1.1", "-0.25"),
        fn.Edge("1.1", "y1"),
    )


def test_the_units_of_a_deep_network() -> None:
    nested = (fn.dense(3, 3, bias=False) >> fn.tanh()).named("g")
    net = fn.dense(..., 3) >> fn.sigmoid() >> nested >> fn.dense(3, 1)
    params = net.init(fn.Key(0), (2,))
    graph = fn.units(net, params)
    weights = [params["dense1"]["W"], params["g"]["dense1"]["W"], params["dense2"]["W"]]
    assert [e.above for e in graph.edges[:-1]] == [f"{w:.3g}" for W in weights for w in W.flat]
    names = {node.name: node.lines for node in graph.nodes}
    assert names["1.2"] == ("b 0", "sigmoid")
    assert names["2.3"] == ("tanh",)
    assert names["3.1"] == ("b 0",)
    assert len(graph.nodes) == 2 + 3 + 3 + 1 + 1


@pytest.mark.parametrize("wrap", [lambda net: net, fn.freeze])
def test_units_of_lone_and_frozen_layers_and_of_activations_first(wrap: Any) -> None:
    W = np.ones((2, 3), np.float32)
    graph = fn.units(wrap(fn.dense(2, 3, bias=False)), Params({"W": W}))
    assert [edge.above for edge in graph.edges] == ["1"] * 6 + [""] * 3
    net = fn.leaky_relu(0.1) >> fn.dense(2, 3, bias=False) >> fn.softmax() >> fn.dropout(0.5)
    first, *_, unit, _, _, _ = fn.units(net, Params({"dense1": {"W": W}})).nodes
    assert first.lines == ("x1", "leaky_relu(0.1)")
    assert unit.lines == ("softmax", "dropout(0.5)")


DENSE = fn.dense(2, 3)
GOOD = DENSE.init(fn.Key(0), (2,))


@pytest.mark.parametrize(
    ("net", "params", "message"),
    [
        (fn.relu(), fn.NO_PARAMS, "units draws dense layers, and there is none here; diagram"),
        (CONV, CONV.init(fn.Key(0), (1, 8, 8)), "conv2d1 is conv2d.1, 16, 3, pad=1.; diagram"),
        (DENSE >> fn.batch_norm(), GOOD, r"batch_norm1 is batch_norm\(\); diagram\(net, shape\)"),
        (fn.residual(fn.dense(2, 2)) >> DENSE, GOOD, r"residual1 is residual\(dense\(2, 2\)"),
        (DENSE >> fn.reshape((3, 1)), GOOD, r"reshape1 is reshape\(\(3, 1\)\); diagram"),
        ((DENSE >> fn.relu()).named("g"), Params({"dense1": np.zeros(2)}), "dense1 is an array"),
        (
            fn.tanh() >> (fn.dense(..., 3) >> fn.relu()).named("g"),
            Params({"g": np.zeros(2)}),
            "g/dense1/W is missing",
        ),
        (DENSE >> fn.dense(3, 11), GOOD, r"10 units side by side; dense2, dense\(3, 11\), has 11"),
        (fn.dense(50, 2), GOOD, r"10 units side by side; dense, dense\(50, 2\), has 50"),
        (DENSE, fn.NO_PARAMS, "missing W, b"),
        (fn.dense(..., 3), fn.NO_PARAMS, "dense/W is missing; are these this network's"),
        (DENSE >> fn.relu(), GOOD, "missing dense1; surplus W, b"),
        (DENSE, fn.dense(4, 3).init(fn.Key(0), (4,)), "W is 4x3, but .* has 2x3 there"),
        (DENSE >> fn.relu(), Params({"dense1": np.zeros(2)}), "dense1 is an array, where"),
    ],
)
def test_what_has_no_units_to_draw(net: fn.AnyLayer, params: Params, message: str) -> None:
    with pytest.raises(fn.FuncnetError, match=message):
        fn.units(net, params)


def test_units_takes_a_network_and_parameters() -> None:
    with pytest.raises(fn.ArgumentError, match="relu is a function"):
        ANY.units(fn.relu, fn.NO_PARAMS)
    with pytest.raises(fn.ArgumentError, match="units takes parameters, Params as init gives"):
        ANY.units(DENSE, None)
