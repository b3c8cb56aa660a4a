"""The page of differences: made by its script, right of funcnet, and right of PyTorch."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import funcnet as fn

FOLDER = Path(__file__).parent.parent / "examples" / "differences"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
Y = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
T = np.array([[1.0, 2.0, 9.0], [4.0, 5.0, 6.0]])


def table(topic: str) -> list[list[str]]:
    """The rows of a topic: who, what it does, figures."""
    section = PAGE.partition(f"### {topic}\n")[2].partition("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines[2:]]


def figures(topic: str, who: str) -> list[str]:
    (row,) = (row for row in table(topic) if who in row[0])
    return row[2:]


def shown(values: Sequence[float | str]) -> list[str]:
    return [v if isinstance(v, str) else f"{v:.3g}" for v in values]


def run(script: Path, *options: str) -> str:
    command = [sys.executable, "-W", "error", str(script), *options]
    found = subprocess.run(command, capture_output=True, check=False)
    assert not found.returncode, found.stderr.decode()
    return found.stdout.decode("utf-8").replace("\r\n", "\n")


def test_the_page_is_what_the_script_prints() -> None:
    assert run(FOLDER / "measure.py").rstrip() == PAGE.rstrip()


def test_the_page_is_what_the_script_writes(tmp_path: Path) -> None:
    for module in FOLDER.glob("*.py"):
        shutil.copy(module, tmp_path)
    run(tmp_path / "measure.py", "--write")
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == PAGE


# ---- what funcnet does -------------------------------------------------------------------------
# What the page says funcnet does, worked out by hand, beside the figures, which are funcnet's own.

OURS: dict[str, list[float | str]] = {
    "The running variance of batch norm": [1, 1, 1],
    "What `momentum` means in batch norm": [1 - 0.9**10],
    "Batch norm over images": ["32", "1.85"],
    "Dropout's scaling": [1 / 0.8, 1],
    # Of x over (k + alpha / size * squares)**beta.
    "LRN's alpha": [100 / (1 + 1e-4 / 5 * 5e4) ** 0.75, 100 / (1 + 1e-4 / 2 * 2e4) ** 0.75],
    "gelu's form": ["0.84119", "0.000473"],
    "W of a dense layer": ["784x50"],
    "Initial weights": [math.sqrt(2 / 784), 1, math.sqrt(2 / 1784)],
    "Epsilon in Adam": [1e-6 / (1e-6 + 1e-8), 1e-4 / (1e-4 + 1e-8)],
    "Epsilon in AdaGrad and RMSprop": [1e-7 / (1e-7 + 1e-10), 1e-7 / (1e-8 + 1e-8)],
    "Momentum when the rate changes": [1 - 0.9**10, (1 - 0.9**11) / 10],
    "Nesterov's forms": [1 + 0.9, "-0.347"],
    "Weight decay": [1, 0],
    "1e-7 in the log": [f"{-math.log(0.6):.9f}", 20, -1],
    "Step at `> 1`": ["0, 1, 1, 1"],
    "Softmax over the wrong axis": ["1, 1", 1],
    "`/ 2*h`": [0.02 * 5 + 0.1],
    "ReLU's backward pass writing to its argument": ["1, 2"],
    "A bias gradient without the sum over the batch": ["10", "10"],
    "Optimizer state reset at every update": ["9.09", "0.915"],
    "RMSprop without the square": [10, 10, -10],
    "Adam without bias correction": [1, 1, 1],
    "Accuracy over full batches divided by all examples": [1],
    "Pooling that ignores its padding": [(28 + 2 - 3) // 2 + 1, -1],
}


@pytest.mark.parametrize("topic", OURS)
def test_figures_of_funcnet(topic: str) -> None:
    assert figures(topic, "funcnet") == shown(OURS[topic])


def test_the_mean_squared_errors() -> None:
    topic = 'The "mean squared errors"'
    for name, loss in [
        ("mean_squared_error", fn.mean_squared_error()),
        ("squared_error", fn.squared_error()),
    ]:
        value, cache = loss.forward(Y, T)
        assert figures(topic, f"`{name}`") == shown([value, loss.backward(cache)[0, 2]])


def test_batch_norm_normalises_by_the_biased_variance() -> None:
    layer, x = fn.batch_norm(epsilon=1e-12), np.array([[1.0], [5.0]])
    params = layer.init(fn.Key(0), (1,), dtype=np.float64)
    y, _ = layer.forward(params, x, fn.Train(fn.Key(0)))
    np.testing.assert_allclose(y, [[-1], [1]])


def test_the_rate_of_dropout_is_a_multiple_of_a_65536th() -> None:
    x = np.ones((1, 1000))
    y, _ = fn.dropout(0.2).forward(fn.NO_PARAMS, x, fn.Train(fn.Key(0)))
    assert y.max() == 65536 / (65536 - round(0.2 * 65536))


def test_the_layer_of_alexnets_paper_is_written_with_5_times_its_alpha() -> None:
    layer, x = fn.local_response_norm(5, alpha=5e-4, k=2.0), np.full((1, 11, 1, 1), 100.0)
    y = layer.apply(fn.NO_PARAMS, x)[0, 5, 0, 0]
    assert shown([y]) == figures("LRN's alpha", "paper")[:1]


def test_a_w_the_wrong_way_round_is_refused_unless_it_is_square() -> None:
    net = fn.dense(4, 3)
    turned = fn.Params({"W": np.ones((3, 4)), "b": np.zeros(3)})
    with pytest.raises(fn.FuncnetError):
        net.apply(turned, np.ones((2, 4)))
    assert fn.conv2d(2, 4, (3, 5)).init(fn.Key(0), (2, 8, 8))["W"].shape == (4, 2, 3, 5)


def test_convolution_does_not_flip_its_filter() -> None:
    filters = fn.Params({"W": np.array([[[[1.0, 0.0]]]]), "b": np.zeros(1)})
    x = np.array([[[[1.0, 2.0, 3.0]]]])
    np.testing.assert_array_equal(fn.conv2d(1, 1, (1, 2)).apply(filters, x), [[[[1, 2]]]])


def test_biases_start_at_0() -> None:
    assert not fn.dense(784, 50).init(fn.Key(0), (784,))["b"].any()


def test_adamw_decays_all_parameters() -> None:
    params, still = fn.Params({"b": np.ones(1)}), fn.Grads({"b": np.zeros(1)})
    optimizer = fn.adamw(0.1, weight_decay=0.1)
    updates, _ = optimizer.update(still, optimizer.init(params), params)
    np.testing.assert_allclose(updates["b"], -0.1 * 0.1)


def test_a_gradient_of_another_shape_than_its_parameter_is_refused() -> None:
    with pytest.raises(fn.ParamsError):
        fn.apply_updates(fn.Params({"b": np.ones(10)}), fn.Grads({"b": np.ones((100, 10))}))


def test_relu_leaves_its_argument_alone() -> None:
    x, dy = np.array([[-1.0, 2.0]]), np.ones((1, 2))
    layer = fn.relu()
    layer.backward(layer.forward(fn.NO_PARAMS, x, fn.Eval())[1], dy)
    np.testing.assert_array_equal(dy, [[1, 1]])


# ---- what PyTorch does -------------------------------------------------------------------------


def steps(torch: Any, kind: str, gradients: Sequence[float], **options: Any) -> list[float]:
    """How far one of PyTorch's optimizers takes one parameter downhill."""
    p = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer, at = getattr(torch.optim, kind)([p], **options), [0.0]
    for g in gradients:
        p.grad = torch.full_like(p, g)
        optimizer.step()
        at.append(p.item())
    return [before - after for before, after in pairwise(at)]


def adam(torch: Any) -> list[float | str]:
    return [steps(torch, "Adam", [g], lr=1.0)[0] for g in (1e-6, 1e-4)]


def adagrad_and_rmsprop(torch: Any) -> list[float | str]:
    return [steps(torch, kind, [1e-7], lr=1.0)[0] for kind in ("Adagrad", "RMSprop")]


def changing_rate(torch: Any) -> list[float | str]:
    p = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer, found = torch.optim.SGD([p], lr=0.1, momentum=0.9), [0.0]
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 10, 0.1)
    for _ in range(11):
        p.grad = torch.ones_like(p)
        optimizer.step()
        schedule.step()
        found.append(-p.item())
    return [found[10] - found[9], found[11] - found[10]]


def nesterov(torch: Any) -> list[float | str]:
    p = torch.ones(1, dtype=torch.float64, requires_grad=True)
    optimizer, found = torch.optim.SGD([p], lr=0.1, momentum=0.9, nesterov=True), [1.0]
    for _ in range(10):
        optimizer.zero_grad()
        (p**2 / 2).backward()
        optimizer.step()
        found.append(p.item())
    return [(found[0] - found[1]) / 0.1, found[10]]


def decay_of_a_bias(torch: Any) -> list[float | str]:
    b = torch.ones(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([b], lr=0.1, weight_decay=0.1)
    for _ in range(100):
        b.grad = torch.zeros_like(b)
        optimizer.step()
    return [b.item(), 0]


def running_variance(torch: Any) -> list[float | str]:
    def after(n: int, batches: int) -> float:
        layer = torch.nn.BatchNorm1d(1).double()
        for _ in range(batches):
            layer(torch.tensor(np.resize([[1.0], [-1.0]], (n, 1))))
        return float(layer.running_var)

    return [after(2, 1), after(2, 100), after(100, 100)]


def momentum_of_batch_norm(torch: Any) -> list[float | str]:
    layer = torch.nn.BatchNorm1d(1).double()
    for _ in range(10):
        layer(torch.ones(2, 1, dtype=torch.float64))
    return [float(layer.running_mean)]


def batch_norm_of_images(torch: Any) -> list[float | str]:
    trained = sum(p.numel() for p in torch.nn.BatchNorm2d(16).parameters())
    layer = torch.nn.BatchNorm2d(1, momentum=1.0).double()
    layer(torch.tensor(fn.datasets.digits().train.x, dtype=torch.float64))
    return [
        str(trained),
        layer.eval()(torch.ones(1, 1, 8, 8, dtype=torch.float64))[0, 0, 0, 0].item(),
    ]


def dropout(torch: Any) -> list[float | str]:
    layer, x = torch.nn.Dropout(0.2), torch.ones(1000)
    return [layer(x).max().item(), layer.eval()(x).max().item()]


def lrn(torch: Any) -> list[float | str]:
    eleven, even = torch.full((1, 11, 1), 100.0), torch.tensor([[[100.0], [100.0], [0.0]]])
    paper = torch.nn.LocalResponseNorm(5, alpha=5e-4, k=2)
    assert shown([paper(eleven)[0, 5, 0].item()]) == figures("LRN's alpha", "paper")[:1]
    five, two = torch.nn.LocalResponseNorm(5), torch.nn.LocalResponseNorm(2)
    return [five(eleven)[0, 5, 0].item(), two(even)[0, 1, 0].item()]


def gelu(torch: Any) -> list[float | str]:
    one, apply = torch.ones(1, dtype=torch.float64), torch.nn.functional.gelu
    assert [f"{apply(one, approximate='tanh').item():.5f}"] == figures("gelu's form", "funcnet")[:1]
    return [f"{apply(one).item():.5f}", 0]


def shape_of_w(torch: Any) -> list[float | str]:
    return ["x".join(map(str, torch.nn.Linear(784, 50).weight.shape))]


def initial_weights(torch: Any) -> list[float | str]:
    layer = torch.nn.Linear(784, 1000)
    assert layer.bias.abs().max().item() == pytest.approx(1 / 28, rel=0.02)
    std = layer.weight.abs().max().item() / math.sqrt(3)  # of so many, the largest is the bound
    xavier = torch.nn.init.xavier_normal_(torch.empty(1000, 784, dtype=torch.float64))
    assert xavier.std().item() == pytest.approx(math.sqrt(2 / 1784), rel=0.01)
    return [std, 784 * std**2 / 2, math.sqrt(2 / 1784)]


def cross_entropy(torch: Any) -> list[float | str]:
    def at(logits: Any) -> tuple[float, float]:
        y = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
        loss = torch.nn.CrossEntropyLoss()(y, torch.tensor([0]))
        loss.backward()
        return loss.item(), y.grad[0, 0].item()

    return [f"{at(np.log([[0.6, 0.4]]))[0]:.9f}", *at([[0.0, 20.0]])]


def mean_squared_error(torch: Any) -> list[float | str]:
    y = torch.tensor(Y, requires_grad=True)
    loss = torch.nn.MSELoss()(y, torch.tensor(T))
    loss.backward()
    return [loss.item(), y.grad[0, 2].item()]


def max_pool(torch: Any) -> list[float | str]:
    y = torch.nn.MaxPool2d(3, 2, 1)(-torch.ones(1, 1, 28, 28))
    return [y.shape[2], y[0, 0, 0, 0].item()]


THEIRS: dict[str, Callable[[Any], list[float | str]]] = {
    "The running variance of batch norm": running_variance,
    "What `momentum` means in batch norm": momentum_of_batch_norm,
    "Batch norm over images": batch_norm_of_images,
    "Dropout's scaling": dropout,
    "LRN's alpha": lrn,
    "gelu's form": gelu,
    "W of a dense layer": shape_of_w,
    "Initial weights": initial_weights,
    "Epsilon in Adam": adam,
    "Epsilon in AdaGrad and RMSprop": adagrad_and_rmsprop,
    "Momentum when the rate changes": changing_rate,
    "Nesterov's forms": nesterov,
    "Weight decay": decay_of_a_bias,
    "1e-7 in the log": cross_entropy,
    'The "mean squared errors"': mean_squared_error,
    "Pooling that ignores its padding": max_pool,
}


def test_no_topic_is_left_out() -> None:
    topics = [line.removeprefix("### ") for line in PAGE.splitlines() if line.startswith("### ")]
    assert {t for t in topics if any("PyTorch" in row[0] for row in table(t))} == set(THEIRS)
    assert set(topics) == {*OURS, 'The "mean squared errors"'}


@pytest.mark.parametrize("topic", THEIRS)
def test_figures_of_pytorch(topic: str) -> None:
    torch: Any = pytest.importorskip("torch", reason="torch is not installed")
    assert figures(topic, "PyTorch") == shown(THEIRS[topic](torch))
