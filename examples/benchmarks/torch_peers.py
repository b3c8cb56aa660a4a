"""The same networks in PyTorch, and one training step of each.

PyTorch is imported by name at run time, so that this file runs and type-checks without it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import funcnet as fn

# Makes one training step, on the i-th batch; what it gives is of no interest.
Step = Callable[[int], object]


def optional(name: str) -> Any:
    """The module ``name``, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def model(torch: Any, letter: str) -> Any:
    """The network of workload ``letter``, with PyTorch's own initial weights."""
    nn = torch.nn
    if letter == "A":
        return nn.Sequential(nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 10))
    if letter == "C":
        return nn.Sequential(
            nn.Conv2d(1, 30, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(30 * 12 * 12, 100),
            nn.ReLU(),
            nn.Linear(100, 10),
        )
    convolutions: list[Any] = []
    for c_in, c_out, pad in [(1, 16, 1), (16, 16, 1), (16, 32, 1), (32, 32, 2), (32, 64, 1)]:
        convolutions += [nn.Conv2d(c_in, c_out, 3, padding=pad), nn.ReLU()]
        if c_in == c_out:
            convolutions.append(nn.MaxPool2d(2))
    return nn.Sequential(
        *convolutions,
        *(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(64 * 4 * 4, 50), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(50, 10), nn.Dropout(0.5)),
    )


def training_step(
    torch: Any, letter: str, batches: Sequence[fn.Batch[Any, Any]], channels_last: bool
) -> Step:
    """The step that trains the network of workload ``letter``, on the batches in turn."""
    net = model(torch, letter)
    data = [(torch.tensor(x), torch.tensor(t)) for x, t in batches]
    if channels_last:
        net = net.to(memory_format=torch.channels_last)
        data = [(x.contiguous(memory_format=torch.channels_last), t) for x, t in data]
    if letter == "A":
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, fused=True)
    else:
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    loss = torch.nn.CrossEntropyLoss()

    def step(i: int) -> object:
        x, t = data[i % len(data)]
        value = loss(net(x), t)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value.item()

    return step
