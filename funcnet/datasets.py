"""Data sets to learn with: 8x8 digits that come with funcnet, and MNIST."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from math import prod
from typing import IO, Any, NamedTuple, TypeAlias

import numpy as np

from .arguments import short
from .arrays import Labels, Tensor4, dims
from .errors import ArgumentError, DataError, MissingFileError
from .files import replace_file
from .training import Batch

Bytes: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[np.uint8]]

# The four files of MNIST, and the SHA-256 of what is downloaded as such.
_IMAGES = ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte")
_LABELS = ("train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte")
_SHA256 = {
    "train-images-idx3-ubyte": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_TIMEOUT = 30  # seconds without an answer
_UBYTE = 0x0800  # IDX's code for unsigned bytes; the number of dimensions is added
_TESTED = 360  # of the bundled digits


class Dataset(NamedTuple):
    """What to train on and what to test on: images (n, 1, h, w) in [0, 1] and labels (n,)."""

    train: Batch[Tensor4, Labels]
    test: Batch[Tensor4, Labels]


# ---- the digits that come with funcnet ---------------------------------------------------------


def digits() -> Dataset:
    """1,797 handwritten digits of 8x8 pixels, by 13 writers: 1,437 to train on, 360 to test on.

    Images are float32 of shape (n, 1, 8, 8), sixteenths in [0, 1]; labels are int64 from 0 to 9.
    The arrays are read-only, and read anew at each call, which takes milliseconds. The last fifth
    of each digit, in the order of the file, is for the test.

    Source: E. Alpaydin and C. Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI
    Machine Learning Repository, https://doi.org/10.24432/C50P49, CC BY 4.0. These are its test
    images, the ones that scikit-learn has, with their pixels unchanged, from 0 to 16.

    >>> train, test = digits()
    >>> train.x.shape, test.x.shape, test.t[:5]
    ((1437, 1, 8, 8), (360, 1, 8, 8), array([8, 8, 0, 1, 2]))
    """
    from importlib.resources import files

    with (files("funcnet") / "digits.npz").open("rb") as file, np.load(file) as stored:
        pixels, labels = stored["images"], stored["labels"]
    tested = _last(labels, _TESTED)
    train, test = (_batch(pixels[rows], labels[rows], 16) for rows in (~tested, tested))
    return Dataset(train, test)


def _last(labels: Bytes, count: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Marks the last examples of each class, ``count`` in all and as many as its share.

    Shares are whole numbers by the largest remainder, of equal ones the lower class first.

    >>> _last(np.array([0, 1, 0, 1, 0, 1, 1], np.uint8), 3).astype(int)
    array([0, 0, 0, 0, 1, 1, 1])
    """
    have = np.bincount(labels)
    share, rest = np.divmod(have * count, len(labels))
    share[np.argsort(-rest, kind="stable")[: count - share.sum()]] += 1
    marked = np.zeros(len(labels), np.bool_)
    for label, n in enumerate(share):
        marked[np.flatnonzero(labels == label)[have[label] - n :]] = True
    return marked


def _batch(pixels: Bytes, labels: Bytes, white: int) -> Batch[Tensor4, Labels]:
    x = pixels[:, None].astype(np.float32)
    x /= white
    t = labels.astype(np.int64)
    x.setflags(write=False)
    t.setflags(write=False)
    return Batch(x, t)


# ---- MNIST -------------------------------------------------------------------------------------


def mnist(folder: str | os.PathLike[str] | None = None) -> Dataset:
    """MNIST: handwritten digits of 28x28 pixels, 60,000 to train on and 10,000 to test on.

    Images are float32 of shape (n, 1, 28, 28) in [0, 1]; labels are int64 from 0 to 9. The arrays
    are read-only.

    The four files, ``train-images-idx3-ubyte.gz`` and so on (or unpacked, without ``.gz``), are
    looked for in ``folder`` alone, if you give one; else in the folder that ``$FUNCNET_DATA``
    names; of both, also in a folder ``mnist`` inside. Then they are looked for in
    ``~/.cache/funcnet/mnist`` (or ``$XDG_CACHE_HOME/funcnet/mnist``), into which they are
    downloaded, 11 MB, where they are nowhere.

    Raises ``MissingFileError`` where they cannot be had, which says where to put them, and
    ``DataError``, naming the file, for one that is damaged, cut short or something else.

    Source: Y. LeCun, C. Cortes and C. Burges 1998, "The MNIST database of handwritten digits".

    >>> train, test = mnist()  # doctest: +SKIP
    >>> train.x.shape  # doctest: +SKIP
    (60000, 1, 28, 28)
    """
    found = _own(folder) if folder is not None else _usual()
    train, test = (_pair(found[x], found[t]) for x, t in zip(_IMAGES, _LABELS, strict=True))
    return Dataset(train, test)


def _own(folder: str | os.PathLike[str]) -> dict[str, str]:
    """The paths of the four files in the folder that the caller names."""
    try:
        place = os.fsdecode(folder)
    except TypeError:
        raise ArgumentError(f"folder is a path, not {short(folder)}") from None
    if not os.path.isdir(place):
        raise MissingFileError(f"there is no folder {os.path.abspath(place)} to read MNIST from")
    for found in (_found(place), _found(os.path.join(place, "mnist"))):
        if not _missing(found):
            return found
    raise MissingFileError(
        f"MNIST is not all in {place}: put {_missing(_found(place))} there, or write mnist() to "
        "look in the usual folders"
    )


def _usual() -> dict[str, str]:
    """The paths of the four files: the user's, or in the cache, or downloaded into it."""
    data = os.environ.get("FUNCNET_DATA")
    own = os.path.expanduser(data) if data else ""
    users = (os.path.join(own, "mnist"), own) if own else ()
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = os.path.join(root, "funcnet", "mnist")
    for place in (*users, cache):
        if not _missing(found := _found(place)):
            return found
    had = _found(cache)
    for name in _SHA256:
        if name not in had and (faults := _download(name, cache)):
            looked = " or ".join((*users, cache))
            raise MissingFileError(
                f"MNIST is not in {looked}, and cannot be downloaded ({'; '.join(faults)}); put "
                f"{_missing({})} into the folder that the environment variable FUNCNET_DATA "
                "names"
            )
    return _found(cache)


def _found(place: str) -> dict[str, str]:
    """The paths of those of the four files that are in the folder, packed or not."""
    paths = [(name, os.path.join(place, name)) for name in _SHA256]
    # The packed one last, so that it is taken where both are there.
    return {
        name: path + end
        for name, path in paths
        for end in ("", ".gz")
        if os.path.isfile(path + end)
    }


def _missing(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name}.gz" for name in _SHA256 if name not in found)


def _pair(images: str, labels: str) -> Batch[Tensor4, Labels]:
    x, t = _idx(images, "images", 3), _idx(labels, "labels", 1)
    if x.shape[1:] != (28, 28):
        raise DataError(f"{images} holds images of {dims(x.shape[1:])} pixels, not 28x28")
    if len(x) != len(t):
        raise DataError(f"{labels} holds {len(t):,} labels for the {len(x):,} images of {images}")
    if t.size and t.max() > 9:
        raise DataError(f"{labels} holds the label {t.max()}; those of digits are 0 to 9")
    return _batch(x, t, 255)


def _idx(path: str, what: str, rank: int) -> Bytes:
    """The array in a file of IDX, the format of MNIST: big-endian sizes, then unsigned bytes.

    Source: http://yann.lecun.com/exdb/mnist, "The IDX file format".
    """
    data, start = _unpacked(path), 4 + 4 * rank
    magic, expected = data[:4], (_UBYTE + rank).to_bytes(4, "big")
    if magic != expected:
        got = f"begins with {magic!r}, not {expected!r}" if magic else "is empty"
        raise DataError(f"{path} is no IDX file of {what}: it {got}")
    shape = tuple([int.from_bytes(data[i : i + 4], "big") for i in range(4, start, 4)])
    size = start + prod(shape)
    if len(data) < size:
        raise DataError(f"{path} is cut short: {len(data):,} bytes, of {size:,}; get it anew")
    if len(data) > size:
        surplus = f"{len(data) - size:,} bytes more than its {shape[0]:,} {what} take"
        raise DataError(f"{path} is not as it says: it has {surplus}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _unpacked(path: str) -> bytes:
    import gzip
    import zlib

    try:
        with open(path, "rb") as file:
            data = file.read()
        # By what it is, not by its name: browsers unpack some files and keep the .gz.
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except EOFError as error:
        raise DataError(f"{path} is cut short: {error}; get it anew") from error
    except (OSError, zlib.error) as error:
        raise DataError(f"{path} is damaged or cannot be read: {error}") from error


def _download(name: str, folder: str) -> list[str]:
    """Downloads one file from the first mirror that has it; what went wrong where none has."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    faults = []
    for mirror in _MIRRORS:
        url = f"{mirror}{name}.gz"
        if sys.stderr is not None:
            print(f"funcnet: downloading {url} to {folder}", file=sys.stderr, flush=True)
        try:
            with urlopen(url, timeout=_TIMEOUT) as answer:
                data = answer.read()
            if sha256(data).hexdigest() == _SHA256[name]:
                os.makedirs(folder, exist_ok=True)
                replace_file(os.path.join(folder, f"{name}.gz"), partial(_write, data))
                return []
            faults.append(f"{url} is another file than expected, {len(data):,} bytes")
        except (OSError, HTTPException, ValueError) as error:
            if isinstance(error, HTTPError):
                error.close()
            faults.append(f"{url}: {error}")
    return faults


def _write(data: bytes, file: IO[bytes]) -> None:
    file.write(data)
