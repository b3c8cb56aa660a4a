"""The bundled digits are the real ones; MNIST is found, fetched and checked."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import pytest

import funcnet as fn
from funcnet import datasets
from funcnet.arrays import Labels, Tensor4
from funcnet.datasets import Dataset, digits, mnist

NAMES = list(datasets._SHA256)
DATA = os.environ.get("FUNCNET_DATA")  # as it was before any test


def pixels(n: int, seed: int = 0, size: int = 28) -> Any:
    shape = (n, size, size)
    return fn.Key(seed).generator().integers(0, 256, shape).astype("uint8")


def idx(array: Any) -> bytes:
    """An array of bytes in MNIST's format."""
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + bytes(array.astype("uint8").ravel().tolist())


def contents() -> dict[str, bytes]:
    """A tiny MNIST: five images to train on and three to test on."""
    return {
        "train-images-idx3-ubyte": idx(pixels(5)),
        "train-labels-idx1-ubyte": idx(np.array([5, 0, 4, 1, 9])),
        "t10k-images-idx3-ubyte": idx(pixels(3, seed=1)),
        "t10k-labels-idx1-ubyte": idx(np.array([7, 2, 1])),
    }


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def put(folder: Path, other: Mapping[str, bytes] = {}, plain: bool = False) -> Path:
    """The files of the tiny MNIST in a folder; some of them with other bytes, as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents().items():
        path = folder / (name if plain else f"{name}.gz")
        path.write_bytes(data if plain else packed(data))
    for name, data in other.items():
        (path,) = folder.glob(f"{name}-*")
        path.write_bytes(data)
    return folder


def check_form(batch: fn.Batch[Tensor4, Labels], n: int, size: int) -> None:
    """That the arrays are what networks and losses take, and cannot be written to."""
    x: Any = batch.x
    t: Any = batch.t
    assert (x.shape, x.dtype) == ((n, 1, size, size), np.float32)
    assert (t.shape, t.dtype) == ((n,), np.int64)
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        t[0] = 0


def check_tiny(found: Dataset) -> None:
    np.testing.assert_array_equal(found.train.x[:, 0], pixels(5).astype("float32") / 255)
    np.testing.assert_array_equal(found.test.x[:, 0], pixels(3, seed=1).astype("float32") / 255)
    assert found.train.t.tolist() == [5, 0, 4, 1, 9]
    assert found.test.t.tolist() == [7, 2, 1]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no mirrors: no test reaches out to the network or the user's files."""
    monkeypatch.delenv("FUNCNET_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets, "_MIRRORS", ())
    return tmp_path / "cache" / "funcnet" / "mnist"


# ---- digits ------------------------------------------------------------------------------------


def test_digits_are_ready_to_train_on() -> None:
    found = digits()
    assert_type(found, Dataset)
    assert_type(found.train, fn.Batch[Tensor4, Labels])
    assert isinstance(found.train, fn.Batch)
    for batch, n in ((found.train, 1437), (found.test, 360)):
        check_form(batch, n, 8)
        assert (batch.x.min(), batch.x.max()) == (0, 1)
        sixteenths = batch.x * 16
        assert (sixteenths == sixteenths.round()).all()


def test_digits_are_the_same_at_each_call() -> None:
    one, other = digits(), digits()
    assert one.train.x is not other.train.x
    assert one.train.x.tobytes() == other.train.x.tobytes()


def test_digits_are_split_by_class() -> None:
    train, test = digits()
    # A fifth of 178, 182, 177, 183, 181, 182, 181, 179, 174 and 180, by the largest remainder.
    assert np.bincount(test.t).tolist() == [36, 37, 35, 37, 36, 36, 36, 36, 35, 36]
    assert np.bincount(train.t).tolist() == [142, 145, 142, 146, 145, 146, 145, 143, 139, 144]


def test_digits_are_those_of_uci() -> None:
    train, test = digits()
    # The first lines of the file, which every course on the subject prints.
    assert train.t[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert (train.x[0, 0] * 16).astype(int)[:3].tolist() == [
        [0, 0, 5, 13, 9, 1, 0, 0],
        [0, 0, 13, 15, 10, 15, 5, 0],
        [0, 3, 15, 2, 0, 11, 8, 0],
    ]
    # And the last ones.
    assert test.t[-5:].tolist() == [9, 0, 8, 9, 8]
    halves = [(b.x * 16).astype("uint8").tobytes() + bytes(b.t.tolist()) for b in (train, test)]
    assert hashlib.sha256(b"".join(halves)).hexdigest() == (
        "f316f70b94858daab9a162ae4b46c194c66ca321eb8d35f6615cffe5ad27a630"
    )


def test_digits_are_those_of_scikit_learn_in_its_order() -> None:
    source = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    images, labels = source.load_digits(return_X_y=True)
    seen = dict.fromkeys(range(10), 0)
    tested = dict(enumerate(np.bincount(digits().test.t).tolist()))
    have = np.bincount(labels)
    train: list[int] = []
    test: list[int] = []
    for row, label in enumerate(labels.tolist()):
        seen[label] += 1
        (test if seen[label] > have[label] - tested[label] else train).append(row)
    for rows, batch in ((train, digits().train), (test, digits().test)):
        np.testing.assert_array_equal(batch.x.reshape(-1, 64) * 16, images[rows])
        np.testing.assert_array_equal(batch.t, labels[rows])


def test_digits_can_be_learned() -> None:
    """That images and labels belong together: the nearest mean of a class is its own."""
    train, test = digits()
    x, y = (batch.x.reshape(-1, 64) for batch in (train, test))
    means = np.stack([x[train.t == label].mean(0) for label in range(10)])
    nearest = ((y[:, None] - means) ** 2).sum(2).argmin(1)
    assert (nearest == test.t).mean() > 0.8


def test_importing_data_sets_imports_no_network_and_nothing_but_numpy() -> None:
    code = (
        "import sys, numpy; before = set(sys.modules); import funcnet.datasets, funcnet.checkpoint;"
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}));"
        "print(*sorted({'urllib.request', 'http.client', 'gzip', 'zipfile'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    roots, heavy = run.stdout.splitlines()
    assert set(roots.split()) - sys.stdlib_module_names <= {"funcnet"}
    assert heavy == ""


# ---- MNIST, where it is ------------------------------------------------------------------------


def test_mnist_is_read(tmp_path: Path) -> None:
    found = mnist(put(tmp_path / "here"))
    check_tiny(found)
    assert_type(found, Dataset)
    check_form(found.train, 5, 28)
    check_form(found.test, 3, 28)


def test_unpacked_files_are_read_whatever_they_are_called(tmp_path: Path) -> None:
    check_tiny(mnist(str(put(tmp_path / "plain", plain=True))))
    names = {name.removesuffix("-ubyte"): data for name, data in contents().items()}
    check_tiny(mnist(put(tmp_path / "renamed", names)))


def test_the_folder_of_the_variable_comes_before_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cache)
    check_tiny(mnist())
    labels = packed(idx(np.array([0, 0, 0])))
    put(tmp_path / "data" / "mnist", {"t10k-labels": labels})
    monkeypatch.setenv("FUNCNET_DATA", str(tmp_path / "data"))
    assert mnist().test.t.tolist() == [0, 0, 0]
    # A folder that lacks one of the files is as good as none.
    (tmp_path / "data" / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    check_tiny(mnist())


def test_no_images_are_images_too(tmp_path: Path) -> None:
    none = {"t10k-images": packed(idx(pixels(0))), "t10k-labels": packed(idx(np.array([])))}
    test = mnist(put(tmp_path, none)).test
    assert (test.x.shape, test.t.shape) == ((0, 1, 28, 28), (0,))


def test_a_folder_may_hold_the_files_or_a_folder_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = put(tmp_path / "data" / "mnist")
    for folder in (files, tmp_path / "data"):
        check_tiny(mnist(folder))
        monkeypatch.setenv("FUNCNET_DATA", str(folder))
        check_tiny(mnist())


def test_the_real_mnist() -> None:
    if not DATA:
        pytest.skip("FUNCNET_DATA names no folder with the real MNIST")
    train, test = mnist(Path(DATA, "mnist"))
    assert (train.x.shape, test.x.shape) == ((60_000, 1, 28, 28), (10_000, 1, 28, 28))
    assert train.t[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.t[:5].tolist() == [7, 2, 1, 0, 4]
    assert train.x.mean() == pytest.approx(0.1307, abs=1e-4)
    assert np.bincount(train.t).tolist()[:3] == [5923, 6742, 5958]


# ---- MNIST, where it is not, or is something else ----------------------------------------------


def test_missing_files_are_named_with_where_to_put_them(tmp_path: Path, cache: Path) -> None:
    put(tmp_path / "here")
    (tmp_path / "here" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(fn.MissingFileError) as caught:
        mnist(tmp_path / "here")
    assert str(caught.value) == (
        f"MNIST is not all in {tmp_path / 'here'}: put t10k-labels-idx1-ubyte.gz there, or write "
        "mnist() to look in the usual folders"
    )
    with pytest.raises(fn.MissingFileError, match=f"there is no folder {tmp_path}/nowhere to read"):
        mnist(tmp_path / "nowhere")
    wrong: Any = 3
    with pytest.raises(fn.ArgumentError, match="folder is a path, not 3"):
        mnist(wrong)


FAULTS: dict[str, tuple[str, bytes, str]] = {
    "empty": ("train-images", b"", "is no IDX file of images: it is empty"),
    "a page": ("t10k-images", b"<html>", "begins with b'<htm', not b'\\x00\\x00\\x08\\x03'"),
    "labels for images": ("train-images", packed(idx(np.zeros(5))), "no IDX file of images"),
    "images for labels": ("train-labels", packed(idx(pixels(5))), "no IDX file of labels"),
    "integers of 4 bytes": ("t10k-labels", b"\0\0\x0c\1\0\0\0\0", "no IDX file of labels"),
    "a short header": ("t10k-images", packed(idx(pixels(3))[:9]), "cut short: 9 bytes, of 16"),
    "short": ("t10k-images", packed(idx(pixels(3))[:-1]), "cut short: 2,367 bytes, of 2,368"),
    "long": ("t10k-labels", packed(idx(np.zeros(3)) + b"!"), "it has 1 bytes more than its 3"),
    "small": ("t10k-images", packed(idx(pixels(3, size=20))), "images of 20x20 pixels, not 28x28"),
    "too few": ("t10k-labels", packed(idx(np.zeros(2))), "holds 2 labels for the 3 images of "),
    "letters": ("train-labels", packed(idx(np.array([1, 2, 3, 26, 1]))), "holds the label 26"),
    "cut gzip": ("t10k-images", packed(idx(pixels(3)))[:-20], "is cut short: Compressed file"),
    "damaged gzip": (
        "t10k-labels",
        packed(idx(np.zeros(3)))[:-8] + bytes(8),
        "is damaged or cannot be read: CRC check failed",
    ),
    "gzip and more": ("t10k-labels", packed(idx(np.zeros(3))) + b"more", "is damaged"),
    "no deflate": ("t10k-labels", packed(b"")[:10] + b"\xff" * 30, "is damaged"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_files_that_are_not_mnist_are_named_with_their_fault(tmp_path: Path, fault: str) -> None:
    name, data, text = FAULTS[fault]
    put(tmp_path, {name: data})
    with pytest.raises(fn.DataError) as caught:
        mnist(tmp_path)
    assert f"{next(tmp_path.glob(f'{name}-*'))} " in str(caught.value)
    assert text in str(caught.value)


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    for data in (contents()["t10k-labels-idx1-ubyte"], packed(idx(np.array([7, 2, 1])))):
        for size in range(len(data)):
            put(tmp_path, {"t10k-labels": data[:size]})
            with pytest.raises(fn.DataError, match="t10k-labels"):
                mnist(tmp_path)


# ---- downloads ---------------------------------------------------------------------------------


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is served as the mirror of MNIST, after one that has nothing."""
    folder = put(tmp_path / "mirror" / "good")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder.parent)))
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(datasets, "_MIRRORS", (f"{url}/gone/", f"{url}/good/"))
    sums = {n: hashlib.sha256((folder / f"{n}.gz").read_bytes()).hexdigest() for n in NAMES}
    monkeypatch.setattr(datasets, "_SHA256", sums)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_nowhere_is_downloaded_once(
    mirror: Path, cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_tiny(mnist())
    assert sorted(p.name for p in cache.iterdir()) == sorted(f"{name}.gz" for name in NAMES)
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 8
    assert err.splitlines()[1].endswith(f"/good/{NAMES[0]}.gz to {cache}")
    monkeypatch.setattr(datasets, "_MIRRORS", ())
    check_tiny(mnist())
    assert capsys.readouterr() == ("", "")


def test_only_what_is_missing_is_downloaded(
    mirror: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(cache)
    (cache / "t10k-labels-idx1-ubyte.gz").unlink()
    check_tiny(mnist())
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_what_is_downloaded_is_checked(mirror: Path, cache: Path) -> None:
    path = mirror / "train-labels-idx1-ubyte.gz"
    path.write_bytes(packed(idx(np.array([1, 1, 1, 1, 1]))))
    with pytest.raises(fn.MissingFileError) as caught:
        mnist()
    text = str(caught.value)
    assert f"MNIST is not in {cache}, and cannot be downloaded (" in text
    assert f"gone/{path.name}: HTTP Error 404" in text
    assert f"good/{path.name} is another file than expected, {path.stat().st_size} bytes" in text
    assert "FUNCNET_DATA" in text
    assert all(f"{name}.gz" in text for name in NAMES)
    # What came before it is kept for the next time.
    assert [p.name for p in cache.iterdir()] == ["train-images-idx3-ubyte.gz"]


def test_a_folder_named_by_the_caller_is_not_downloaded_into(mirror: Path, tmp_path: Path) -> None:
    with pytest.raises(fn.MissingFileError, match="is not all in"):
        mnist(tmp_path)
    assert not list(tmp_path.glob("*ubyte*"))


def test_without_a_network_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("FUNCNET_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(datasets, "_MIRRORS", ("http://127.0.0.1:9/", "no address at all/"))
    with pytest.raises(fn.MissingFileError) as caught:
        mnist()
    text = str(caught.value)
    places = f"{tmp_path / 'data' / 'mnist'} or {tmp_path / 'data'} or {cache}"
    assert f"is not in {places}, and cannot be downloaded" in text
    assert "http://127.0.0.1:9/train-images-idx3-ubyte.gz: " in text
    assert "no address at all/train-images-idx3-ubyte.gz: " in text
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_no_crash(mirror: Path, cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("a file, where the folder should be")
    with pytest.raises(fn.MissingFileError, match="File exists"):
        mnist()


def test_a_download_cut_off_leaves_nothing_behind(
    mirror: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(old: str, new: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        mnist()
    assert not list(cache.iterdir())
