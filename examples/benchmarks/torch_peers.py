"""The same networks in PyTorch, run eagerly, in each of the settings that may be its fastest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from networks import ADAM_RATE, DEEP, SGD_RATE, SIZES, Batches
from timing import Contestant, Step, joined, on_threads

NAME = "PyTorch"
READ_AT_A_TIME = (100, 256)
OPTIMIZERS: dict[str, dict[str, bool]] = {
    "": {},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}


# ---- networks, with PyTorch's own initial weights ----------------------------------------------


def model(torch: Any, letter: str) -> Any:
    """The network of a workload."""
    nn = torch.nn
    if letter in SIZES:
        return dense(nn, SIZES[letter])
    if letter == "E":
        return dense(nn, SIZES["B"], nn.BatchNorm1d)
    return simple_conv(nn) if letter == "C" else deep_conv(nn)


def dense(nn: Any, sizes: Sequence[int], norm: Callable[[int], Any] | None = None) -> Any:
    *hidden, last = [nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes)]
    layers: list[Any] = []
    for each in hidden:
        layers += [each, *([norm(each.out_features)] if norm else []), nn.ReLU()]
    return nn.Sequential(*layers, last)


def simple_conv(nn: Any) -> Any:
    return nn.Sequential(
        *(nn.Conv2d(1, 30, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(30 * 12 * 12, 100), nn.ReLU(), nn.Linear(100, 10)),
    )


def deep_conv(nn: Any) -> Any:
    features: list[Any] = []
    for i, (c_in, c_out, pad) in enumerate(DEEP):
        features += [nn.Conv2d(c_in, c_out, 3, padding=pad), nn.ReLU()]
        if i % 2:
            features.append(nn.MaxPool2d(2))
    return nn.Sequential(
        *(*features, nn.Flatten()),
        *(nn.Linear(64 * 4 * 4, 50), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(50, 10), nn.Dropout(0.5)),
    )


# ---- what is timed -----------------------------------------------------------------------------


def training(
    torch: Any,
    make: Callable[[], Any],
    optimizer: str,
    batches: Batches,
    threads: Sequence[int],
) -> list[Contestant]:
    """The step of the network that ``make`` makes: with each optimizer, layout and threads."""
    found = []
    for layout, form in layouts(torch, batches[0][0].ndim):
        data = [
            (torch.tensor(x).contiguous(memory_format=form), torch.tensor(t)) for x, t in batches
        ]
        for setting, options in OPTIMIZERS.items():
            net = make().to(memory_format=form)
            step = training_step(torch, net, made(torch, net, optimizer, options), data)
            found += on_threads(NAME, joined(layout, setting), step, threads)
    return found


def layouts(torch: Any, rank: int) -> list[tuple[str, Any]]:
    """What batches of so many axes may lie in memory as."""
    usual = ("", torch.contiguous_format)
    return [usual, ("channels_last", torch.channels_last)] if rank == 4 else [usual]


def made(torch: Any, net: Any, optimizer: str, options: dict[str, bool]) -> Any:
    if optimizer == "sgd":
        return torch.optim.SGD(net.parameters(), lr=SGD_RATE, **options)
    return torch.optim.Adam(net.parameters(), lr=ADAM_RATE, **options)


def training_step(torch: Any, net: Any, optimizer: Any, data: Sequence[tuple[Any, Any]]) -> Step:
    loss = torch.nn.CrossEntropyLoss()

    def step(i: int) -> object:
        x, t = data[i % len(data)]
        value = loss(net(x), t)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value.item()

    return step


def inference(torch: Any, make: Callable[[], Any], images: Any, threads: int) -> list[Contestant]:
    """The images read so many at a time, in each layout."""
    found = []
    for layout, form in layouts(torch, images.ndim):
        net = make().to(memory_format=form).eval()
        x = torch.tensor(images).contiguous(memory_format=form)
        for size in READ_AT_A_TIME:
            setting = joined(f"{size} at a time", layout)
            found.append(Contestant(NAME, setting, reading(torch, net, x, size), threads))
    return found


def reading(torch: Any, net: Any, x: Any, size: int) -> Step:
    def step(_: int) -> object:
        with torch.inference_mode():
            return torch.cat([net(part) for part in x.split(size)])

    return step
