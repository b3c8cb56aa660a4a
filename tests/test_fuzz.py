"""One bad argument at a time, in every public function: only our own errors come out."""

from __future__ import annotations

import math
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcnet as fn
from funcnet import plotting

NET = fn.dense(3, 4) >> fn.batch_norm() >> fn.dropout(0.5)
PARAMS = NET.init(fn.Key(0), (3,))
X = fn.Key(1).generator().standard_normal((6, 3), dtype=np.float32)
T = np.arange(6) % 4
LOSS, OPTIMIZER = fn.softmax_cross_entropy(), fn.adam(0.1)
START = fn.TrainState.start(PARAMS, OPTIMIZER, fn.Key(2))
STEP = fn.train_step(NET, LOSS, OPTIMIZER)


class Alone:
    """A world of one rank."""

    rank, size = 0, 1

    def Alltoall(self, sent: Any, received: Any) -> None:  # noqa: N802
        received[:] = sent

    Allgather = Alltoall


VALUE_AND_GRAD = fn.value_and_grad(NET, LOSS)
GRADS = VALUE_AND_GRAD(PARAMS, X, T, fn.Eval())[1]

MOVES, IMAGES = fn.augmentation, np.ones((2, 1, 3, 3), "f4")

JUNK: tuple[Any, ...] = (
    None, -1, 0, 1.5, 10**30, math.nan, math.inf, "x", b"", [], (), (1,), (0,), {}, object(),
    np.zeros(2), np.zeros((6, 9)), np.zeros((0, 3), "f4"), np.array(["a"]), np.float32(2), fn.relu,
    fn.relu(), fn.Key(0), fn.Vec, fn.NO_PARAMS, fn.NO_GRADS, PARAMS, GRADS, LOSS, OPTIMIZER, START,
    fn.squared_error, fn.sgd, fn.Batch(X, T), (X, X[:2]), fn.Leaf((2,), fn.ones), lambda *_: None,
)  # fmt: skip

CALLS: dict[str, tuple[Any, list[Any]]] = {
    "accuracy": (fn.accuracy, [NET, PARAMS, X, T, 4]),
    "adam": (fn.adam, [0.1, 0.9, 0.999, 1e-8]),
    "adamw": (fn.adamw, [0.1, 0.9, 0.999, 1e-8, 0.1, "**"]),
    "adadelta": (fn.adadelta, [1.0, 0.9, 1e-6]),
    "adagrad": (fn.adagrad, [0.1, 1e-6]),
    "rmsprop": (fn.rmsprop, [0.1, 0.9, 1e-6]),
    "nesterov": (fn.nesterov, [0.1, 0.9]),
    "l1_penalty": (fn.l1_penalty, [0.1, "**/W"]),
    "exponential_decay": (fn.exponential_decay, [0.1, 10, 0.5]),
    "step_decay": (fn.step_decay, [0.1, 10, 0.5]),
    "warmup": (fn.warmup, [10, 0.1]),
    "im2col": (fn.im2col, [np.zeros((2, 3, 5, 5)), 3, 1, 1, 1]),
    "col2im": (fn.col2im, [np.zeros((50, 27)), (2, 3, 5, 5), 3, 1, 1, 1]),
    "adam.init": (OPTIMIZER.init, [PARAMS]),
    "adam.update": (OPTIMIZER.update, [GRADS, START.optimizer_state, PARAMS]),
    "augmentation.blur": (lambda *a: MOVES.blur(a[0])(*a[1:]), [1.0, fn.Key(0), IMAGES]),
    "augmentation.compose": (lambda *a: MOVES.compose(*a[:2])(*a[2:]),
                             [MOVES.flip(), MOVES.noise(0.1), fn.Key(0), IMAGES]),
    "augmentation.crop": (lambda *a: MOVES.crop(*a[:2])(*a[2:]), [2, 1, fn.Key(0), IMAGES]),
    "augmentation.flip": (lambda *a: MOVES.flip(a[0])(*a[1:]), [0.5, fn.Key(0), IMAGES]),
    "augmentation.noise": (lambda *a: MOVES.noise(a[0])(*a[1:]), [0.1, fn.Key(0), IMAGES]),
    "augmentation.rotate": (lambda *a: MOVES.rotate(a[0])(*a[1:]), [9.0, fn.Key(0), IMAGES]),
    "augmentation.scale": (lambda *a: MOVES.scale(a[0])(*a[1:]), [0.1, fn.Key(0), IMAGES]),
    "augmentation.shift": (lambda *a: MOVES.shift(a[0])(*a[1:]), [1, fn.Key(0), IMAGES]),
    "augmentation.sometimes": (lambda *a: MOVES.sometimes(*a[:2])(*a[2:]),
                               [0.5, MOVES.noise(0.1), fn.Key(0), IMAGES]),
    "add": (fn.add, [fn.relu(), fn.tanh()]),
    "apply_updates": (fn.apply_updates, [PARAMS, GRADS]),
    "chain": (fn.chain, [fn.weight_decay(0.1), OPTIMIZER]),
    "check_layer": (fn.check_layer, [fn.relu(), (3,), X]),
    "checked": (fn.checked, [NET]),
    "clip_by_global_norm": (fn.clip_by_global_norm, [1.0]),
    "confusion_matrix": (fn.confusion_matrix, [NET, PARAMS, X, T, 4]),
    "constant": (fn.constant, [0.1]),
    "cosine_decay": (fn.cosine_decay, [0.1, 10, 0.0]),
    "count": (fn.count, [PARAMS]),
    "cross entropy forward": (LOSS.forward, [np.zeros((6, 4)), T]),
    "prepare": (fn.prepare, [fn.Key(0), NET, LOSS, OPTIMIZER, X, T, 4, 2, None, PARAMS]),
    "ensemble_predict": (fn.ensemble_predict, [[(NET, PARAMS), (NET, PARAMS)], X, 4]),
    "ensemble_predict's members": (lambda *a: fn.ensemble_predict([(NET, PARAMS), a], X),
                                   [NET, PARAMS]),
    "epochs": (lambda *a: [*fn.epochs(*a)], [STEP, fn.minibatches(fn.Key(0), X, T, 4), START]),
    "evaluate": (fn.evaluate, [NET, LOSS, PARAMS, X, T, 4]),
    "fan_out": (fn.fan_out, [fn.relu(), fn.tanh()]),
    "freeze": (fn.freeze, [NET]),
    "leaves": (lambda tree: list(fn.leaves(tree)), [PARAMS]),
    "mean_squared_error forward": (fn.mean_squared_error().forward, [X, X]),
    "minibatches": (fn.minibatches, [fn.Key(0), X, T, 4, 2, False]),
    "momentum": (fn.momentum, [0.1, 0.9]),
    "normal": (fn.normal, [0.1]),
    "huber": (fn.huber, [1.0]),
    "huber forward": (fn.huber().forward, [X, X]),
    "sigmoid_cross_entropy forward": (fn.sigmoid_cross_entropy().forward, [X, X]),
    "split": (fn.split, [fn.Key(0), X, T, 0.5]),
    "one_hot": (fn.one_hot, [T, 4]),
    "standardise": (fn.standardise, [X, X]),
    "only": (PARAMS.only, [NET[:1]]),
    "predict": (fn.predict, [NET, PARAMS, X, 4, 2]),
    "recompute": (fn.recompute, [NET]),
    "residual": (fn.residual, [fn.relu(), fn.tanh()]),
    "sequential": (fn.sequential, [fn.relu(), NET]),
    "sgd": (fn.sgd, [0.1]),
    "sgd.update": (fn.sgd(0.1).update, [GRADS, fn.sgd(0.1).init(PARAMS), PARAMS]),
    "soft_cross_entropy forward": (fn.soft_cross_entropy().forward, [X, X]),
    "softmax_cross_entropy": (fn.softmax_cross_entropy, [0.1]),
    "squared_error forward": (fn.squared_error().forward, [X, X]),
    "step": (fn.train_step(NET, LOSS, OPTIMIZER), [START, fn.Batch(X, T)]),
    "summary": (fn.summary, [NET, (3,)]),
    "trace": (fn.trace, [NET, PARAMS, X]),
    "multi_layer": (fn.models.multi_layer, [3, [4, 5], 2, fn.relu()]),
    "two_layer": (fn.models.two_layer, [3, 4, 2, fn.relu()]),
    "lenet5": (fn.models.lenet5, [3, 2]),
    "alexnet": (fn.models.alexnet, [3, 2, 6, 4]),
    "vgg": (fn.models.vgg, [3, 2, 11, 1, 4, fn.relu()]),
    "vgg_stage": (fn.models.vgg_stage, [3, 2, 2, fn.relu()]),
    "googlenet": (fn.models.googlenet, [3, 2, 4]),
    "inception": (fn.models.inception, [3, 1, 1, 1, 1, 1, 1]),
    "resnet": (fn.models.resnet, [3, 2, 18, 1]),
    "resnet's stem": (lambda stem: fn.models.resnet(3, 2, 18, 4, stem=stem), [fn.conv2d(3, 4, 3)]),
    "basic_block": (fn.models.basic_block, [3, 4, 2]),
    "bottleneck": (fn.models.bottleneck, [3, 4, 2]),
    "plotting.figure": (plotting.figure, [plotting.image(X), plotting.image(X)]),
    "plotting.figure's": (lambda n, size: plotting.figure(plotting.image(X), columns=n, size=size),
                          [1, (1.0, 1.0)]),
    "plotting.over": (plotting.over, [plotting.image(X)]),
    "plotting.functions": (plotting.functions, [{"tanh": np.tanh}, -1.0, 1.0]),
    "plotting.curves": (plotting.curves, [{"train": [1.0]}]),
    "plotting.histogram": (lambda x, n, ends: plotting.histogram(x, bins=n, between=ends),
                           [X, 3, (0, 1)]),
    "plotting.histograms": (plotting.histograms, [{"x": X}]),
    "plotting.image": (plotting.image, [X]),
    "plotting.images": (plotting.images, [np.ones((2, 1, 3, 3)), T[:2]]),
    "plotting.filters": (plotting.filters, [np.ones((2, 1, 3, 3))]),
    "plotting.confusion": (plotting.confusion, [np.eye(2, dtype=int), ["a", "b"]]),
    "plotting.contours": (plotting.contours, [lambda x, y: x + y, (0, 1), (0, 1)]),
    "plotting.path": (plotting.path, [X[:, :2]]),
    "plotting.points": (plotting.points, [X[:, :2], T]),
    "plotting.regions": (plotting.regions, [lambda xy: xy[:, 0] > 0, (0, 1), (0, 1)]),
    "plotting.search": (plotting.search, [[fn.Trial(0, {"rate": 0.1}, (0.5,))], 5]),
    "log_uniform": (fn.log_uniform, [0.1, 1.0]),
    "median_stop": (fn.median_stop, [5, 5]),
    "random_search": (lambda *a: [*islice(fn.random_search(*a), 3)],
                      [fn.Key(0), {"rate": fn.log_uniform(0.1, 1)}, lambda key, rate: [0.0], 3,
                       fn.median_stop(1, 1), [fn.Trial(0, {}, (1.0,))]]),
    "random_search's run": (lambda found: [*fn.random_search(fn.Key(0), {}, lambda key: found, 2)],
                            [[0.5]]),
    "Trial": (fn.Trial, [0, {"rate": 0.1}, (0.5,), False]),
    "train_step": (fn.train_step, [NET, LOSS, OPTIMIZER]),
    "TrainState.start": (fn.TrainState.start, [PARAMS, OPTIMIZER, fn.Key(0)]),
    "tree_map": (fn.tree_map, [np.add, PARAMS, PARAMS]),
    "value_and_grad": (fn.value_and_grad, [NET, LOSS]),
    "value_and_grad's": (VALUE_AND_GRAD, [PARAMS, X, T, fn.Eval()]),
    "gradient_step": (fn.gradient_step, [VALUE_AND_GRAD, OPTIMIZER]),
    "gradient_step's": (lambda f, *a: fn.gradient_step(f, OPTIMIZER)(*a),
                        [VALUE_AND_GRAD, START, fn.Batch(X, T)]),
    "across_ranks": (fn.across_ranks, [VALUE_AND_GRAD, Alone()]),
    "across_ranks'": (fn.across_ranks(VALUE_AND_GRAD, Alone()), [PARAMS, X, T, fn.Eval()]),
    "data_parallel": (fn.data_parallel, [VALUE_AND_GRAD, 2]),
    "data_parallel's": (lambda f, *a: fn.data_parallel(f)(*a),
                        [VALUE_AND_GRAD, PARAMS, X, T, fn.Train(fn.Key(3))]),
    "weight_decay": (fn.weight_decay, [0.1, "**/W"]),
    "weight_decay.init": (fn.weight_decay(0.1).init, [PARAMS]),
    "weight_decay.update": (fn.weight_decay(0.1).update, [GRADS, (), PARAMS]),
    "diagram": (fn.diagram, [NET, (3,)]),
    "units": (fn.units, [fn.dense(3, 4), fn.dense(3, 4).init(fn.Key(0), (3,))]),
    "Graph": (fn.Graph, [(fn.Node("a", ("x",)), fn.Node("b", ())), (fn.Edge("a", "b"),), "right"]),
    "Node": (lambda *a: fn.Graph((fn.Node(*a),), ()), ["a", ("x",), "text"]),
    "Scalar": (fn.Scalar, [1.0, "x"]),
    "Scalar's operators": (lambda a, b, c: (a - fn.Scalar(2) * b) / fn.Scalar(3) ** c, [1, 2.0, 3]),
    "Layer": (lambda *a: fn.sequential(fn.Layer("mine", forward=a[0], backward=a[1], spec=a[2])),
              [lambda p, x, m: (x, None), lambda c, dy: (dy, fn.NO_GRADS), lambda s: ({}, s)]),
    "Params": (fn.Params, [{"W": np.zeros(3)}]),
    "Params |": (lambda other: PARAMS | other, [{"a": {"W": np.zeros(2)}}]),
    "Key": (fn.Key, [3]),
    "child": (fn.Key(0).child, ["a"]),
    "Train": (fn.Train, [fn.Key(0)]),
    "Vec": (fn.Vec, [3]),
    "Loss": (fn.Loss, [lambda y, t: (0.0, y), lambda y: y]),
    "Optimizer": (fn.Optimizer, [lambda p: None, lambda g, s, p: (g, s)]),
    "numerical_gradient": (fn.numerical_gradient, [lambda x: float(x.sum()), np.zeros(2), 1e-5]),
}  # fmt: skip

# What Python itself refuses, as it does of every operator and every call of a user's function.
EXPECTED: dict[str, tuple[type[Exception], ...]] = {
    "Params |": (TypeError,),
    "numerical_gradient": (TypeError, ValueError, AttributeError),
    "epochs": (TypeError, ValueError, AttributeError),
    "plotting.contours": (TypeError, ValueError),
    "plotting.figure": (TypeError, AttributeError),
    "plotting.functions": (TypeError, ValueError),
    "tree_map": (TypeError, ValueError),
}


@pytest.mark.parametrize("name", CALLS)
@given(data=st.data())
def test_only_our_errors_come_out(name: str, data: st.DataObject) -> None:
    call, good = CALLS[name]
    at = data.draw(st.integers(0, len(good) - 1), "argument")
    arguments = [*good[:at], data.draw(st.sampled_from(JUNK), "junk"), *good[at + 1 :]]
    with np.errstate(all="ignore"):
        try:
            call(*arguments)
        except fn.FuncnetError:
            pass
        except EXPECTED.get(name, ()):
            pass


@pytest.mark.parametrize("junk", JUNK, ids=lambda j: type(j).__name__)
def test_files_too(junk: Any, tmp_path: Path) -> None:
    with pytest.raises(fn.FuncnetError):
        fn.load(junk)
    if not isinstance(junk, tuple | dict | float | int | str | None | np.ndarray | fn.Params):
        return
    try:
        fn.save(tmp_path / "junk.npz", junk)
    except fn.FuncnetError:
        return
    assert isinstance(fn.load(tmp_path / "junk.npz", like=junk), type(junk))
