"""What libraries cost besides time: their import, memory and disk.

Imports and memory are measured in processes of their own. ``python footprint.py torch training 30``
is one: it prints the megabytes that it had once PyTorch was imported, and the most it ever had.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import machine
import numpy as np

Row = dict[str, Any]

BATCH, READ_AT_A_TIME = 100, 256
AMOUNTS = {"training": 30, "inference": 10_000}  # steps, images
QUICK = {"training": 2, "inference": 300}


# ---- imports -----------------------------------------------------------------------------------


def imports(rounds: int, packages: Sequence[str]) -> list[Row]:
    """Milliseconds that importing each takes once NumPy is there; NumPy's own, from nothing."""
    for name in packages:
        importing(name)  # compiles, and brings the files into memory
    times: dict[str, list[float]] = {name: [] for name in packages}
    for _ in range(rounds):
        for name in packages:
            times[name].append(importing(name))
    return [{"package": name, "milliseconds": each} for name, each in times.items()]


def importing(package: str) -> float:
    before = "" if package == "numpy" else "import numpy"
    clock = "from time import perf_counter as now"
    code = f"{clock}\n{before}\nbegan = now()\nimport {package}\nprint(1e3 * (now() - began))"
    return float(printed("-c", code))


def printed(*arguments: str) -> str:
    # Python may keep what it compiles, as an installation has it.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *arguments]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return found.stdout


# ---- memory ------------------------------------------------------------------------------------


def memory(packages: Sequence[str], amounts: dict[str, int]) -> list[Row]:
    """Megabytes of training the deep net for some steps, and of reading images with it."""
    return [
        {"package": package, "use": use, "amount": amount, "imported": imported, "peak": peak}
        for use, amount in amounts.items()
        for package in packages
        for imported, peak in [map(float, printed(__file__, package, use, str(amount)).split())]
    ]


def child(package: str, use: str, amount: int) -> None:
    import_module(package)
    imported = machine.peak()
    run = {"funcnet": run_funcnet, "torch": run_torch}[package]
    run(use, amount)
    print(imported, machine.peak())


def random_images(n: int) -> tuple[Any, Any]:
    draw = np.random.default_rng(0)
    return draw.random((n, 1, 28, 28), np.float32), draw.integers(10, size=n)


def run_funcnet(use: str, amount: int) -> None:
    import funcnet as fn

    net = fn.models.deep_conv(1, 10)
    params = net.init(fn.Key(0), (1, 28, 28))
    if use == "inference":
        fn.predict(net, params, random_images(amount)[0], READ_AT_A_TIME)
        return
    optimizer, batch = fn.adam(1e-3), fn.Batch(*random_images(BATCH))
    step = fn.train_step(net, fn.softmax_cross_entropy(), optimizer)
    state = fn.TrainState.start(params, optimizer, fn.Key(1))
    for _ in range(amount):
        state = step(state, batch)


def run_torch(use: str, amount: int) -> None:
    """With the layout and the optimizer that are its fastest."""
    import torch_peers

    torch = import_module("torch")
    net = torch_peers.model(torch, "D").to(memory_format=torch.channels_last)
    if use == "inference":
        x = torch.from_numpy(random_images(amount)[0])
        torch_peers.reading(torch, net.eval(), x, READ_AT_A_TIME)(0)
        return
    optimizer = torch_peers.made(torch, net, "adam", {"fused": True})
    x, t = map(torch.from_numpy, random_images(BATCH))
    step = torch_peers.training_step(torch, net, optimizer, [(x, t)])
    for i in range(amount):
        step(i)


# ---- disk --------------------------------------------------------------------------------------


def disk(packages: Sequence[str]) -> list[Row]:
    """Megabytes of each as installed, with all that it needs."""
    found = []
    for package in packages:
        needed = closure(package)
        size = sum(map(size_of, needed)) / 1e6
        names = sorted(each.name for each in needed)
        found.append({"package": package, "with": names, "megabytes": size})
    return found


def closure(package: str) -> list[Distribution]:
    """The package and what it needs, directly and indirectly, as far as it is installed."""
    found: dict[str, Distribution] = {}
    names = [package]
    while names:
        name = names.pop()
        try:
            each = distribution(name)
        except PackageNotFoundError:  # asked for on other systems only
            continue
        if each.name not in found:
            found[each.name] = each
            names += required(each.requires or [])
    return list(found.values())


def required(lines: Iterable[str]) -> Iterator[str]:
    """The names in requirements, without those of extras.

    >>> list(required(["numpy>=2.3", "opt_einsum", "torch>=2.4; extra == 'bench'"]))
    ['numpy', 'opt_einsum']
    """
    for line in lines:
        if "extra ==" not in line:
            found = re.match(r"[\w.-]+", line)
            yield found[0] if found else line


def size_of(package: Distribution) -> int:
    """Bytes of its files, without what Python compiles of them.

    Of funcnet installed from a checkout, those of its folder, which the installation points to.
    """
    if package.name == "funcnet":
        folder = Path(str(import_module("funcnet").__file__)).parent
        files: Iterable[Path] = folder.rglob("*.*")
    else:
        files = [Path(str(package.locate_file(file))) for file in package.files or []]
    return sum(f.stat().st_size for f in files if f.suffix != ".pyc" and f.is_file())


if __name__ == "__main__":
    child(sys.argv[1], sys.argv[2], int(sys.argv[3]))
