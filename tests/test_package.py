"""The package as a whole: what it imports, and how it is laid out."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "funcnet"
FILES = sorted(PACKAGE.rglob("*.py"))

# The house: a file imports only from those above it.
ORDER = """
errors files arguments arrays kinds random tree functions pipeline fans layer composition typed
initializers layers/dense layers/activations layers/softmax layers/embedding layers/shape
layers/noise layers/normalization
windows kernels/gathering kernels/places kernels/winograd kernels/depthwise kernels/correlation
patches layers/convolution layers/transposed layers/pooling layers/response
merges combinators wrappers losses schedules updates transforms optimizers threads metrics training
parallel ranks data resampling augmentation datasets
checkpoint inspection probing checking search
graph_layout graph_columns graph_svg graph diagrams scalars
plotting/panels plotting/lines plotting/trials plotting/pictures plotting/planes
models/perceptrons models/convolutional
models/published models/lenet models/alexnet models/vgg models/googlenet models/resnet
__init__
""".split()


def test_importing_loads_nothing_but_numpy_and_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import funcnet;"
        "print(*{n.partition('.')[0] for n in set(sys.modules) - before})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = set(found.stdout.split()) - set(sys.stdlib_module_names)
    assert {n for n in names if not n.startswith("_")} == {"funcnet", "numpy"}


def test_importing_costs_little_beside_numpy(tmp_path: Path) -> None:
    code = (
        "import numpy, time; t = time.thread_time(); import funcnet;print(time.thread_time() - t)"
    )
    # Compiled once, as an installation is; the first run compiles.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", code]
    runs = [
        float(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)
        for _ in range(6)
    ]
    assert min(runs[1:]) < 0.1


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_files_are_short_and_import_only_from_above(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    name = str(file.relative_to(PACKAGE).with_suffix(""))
    if name.endswith("__init__"):
        return
    here = ORDER.index(name)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            target = (node.module or "").replace(".", "/")
            if "/" in name and node.level == 1:
                target = f"{name.partition('/')[0]}/{target}"
            assert ORDER.index(target) < here, f"{name} imports {target}"
