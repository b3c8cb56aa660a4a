"""The examples run as a user runs them."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
PNG = b"\x89PNG\r\n"


def run(script: str, *options: str) -> str:
    """What an example prints, warnings counted as errors."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / script), *options]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_digits_quickly(tmp_path: Path) -> None:
    out = run("digits.py", "--quick", "--out", str(tmp_path))
    assert re.search(r"^conv2d1 +24x8x8 +240$", out, re.MULTILINE)
    assert "epoch  2" in out
    accuracy = re.search(r"test accuracy (0\.\d+) after", out)
    assert accuracy is not None
    assert float(accuracy[1]) > 0.7
    assert f"loaded in a fresh process: test accuracy {accuracy[1]}" in out
    rows = re.findall(r"^ ?\[+ *(\d+(?: +\d+){9})\]", out, re.MULTILINE)
    assert sum(int(n) for row in rows for n in row.split()) == 360
    for picture in ("digits_curves.png", "digits_misread.png"):
        assert (tmp_path / picture).read_bytes().startswith(PNG)
        assert (tmp_path / picture).stat().st_size > 5000


@pytest.mark.slow
@pytest.mark.skipif("FUNCNET_DATA" not in os.environ, reason="FUNCNET_DATA names no MNIST")
def test_the_deep_net_learns_in_200_steps() -> None:
    out = run("benchmarks/deep_net.py")
    print(out)
    share = re.search(r"last 50 [\d.]+, ([\d.]+) of it", out)
    assert share is not None
    assert float(share[1]) < 0.8


@pytest.mark.slow
def test_digits_reach_98_percent(tmp_path: Path) -> None:
    found = []
    for key in range(5):
        out = run("digits.py", "--key", str(key), "--out", str(tmp_path))
        found.append(float(out.partition("test accuracy ")[2].split()[0]))
        print(f"key {key}: {found[-1]:.4f}")
    assert statistics.median(found) >= 0.98
