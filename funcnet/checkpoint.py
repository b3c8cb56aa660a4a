"""Checkpoints: values written to a file and read back, bit for bit.

A checkpoint is an ``.npz`` file. It holds each array under its ``/``-joined path, so that
``numpy.load`` reads it too, and ``funcnet.json``, which says what stands at every path. There is
no pickle in it: reading a file runs nothing, whoever wrote it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, overload

import numpy as np

from .arrays import dims
from .errors import ArgumentError, CheckpointError, MissingFileError
from .files import replace_file
from .random import Key
from .tree import Grads, Params, Tree

if TYPE_CHECKING:
    from zipfile import ZipFile

Path: TypeAlias = str | os.PathLike[str]
V = TypeVar("V")

_CONTENTS = "funcnet.json"
_FORMAT = 1
_ZIP = b"PK\x03\x04"
_NAMED = "named tuple "  # followed by the name of the class
_STORED = ("array", "number", "float")  # kinds whose values are arrays of the .npz
_SAVED = "Params, Grads, tuples, arrays of numbers, Keys, int, float, bool, str and None"


_MENDS: dict[type, str] = {
    list: "; write tuple(...), or json.dump(trials, file) of a search's trials",
    dict: "; write Params(...), or json.dump(trials, file) of a search's trials",
}


class _Entry(NamedTuple):
    """What stands at one path: a leaf and its value, or a tree or tuple, whose value is None."""

    kind: str
    value: Any


_Entries: TypeAlias = dict[str, _Entry]


def save(path: Path, tree: object) -> None:
    """Writes ``tree`` to the file ``path``; ``load`` gives it back, bit for bit.

    ``tree`` is what training makes: ``Params``, ``Grads``, a ``TrainState``, or any tuple or named
    tuple of these, of arrays of numbers, ``Key``, ``int``, ``float``, ``bool``, ``str`` and None.
    The path is used as it is, no ``.npz`` is added. The file is replaced as a whole once all is
    written, so that whoever reads it, after a crash say, finds the old value or the new one; and
    the same value, its names in the same order, gives the same bytes.

    Raises ``ArgumentError`` for what cannot be saved, naming its path, ``MissingFileError`` where
    there is no such folder, and ``CheckpointError`` where the file cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(f"{folder}/net.npz", Params({"b": np.zeros(3, "float32")}))
    ...     load(f"{folder}/net.npz")
    Params(3 numbers
      b  3  float32)
    """
    name = _file_name(path)
    if tree is None:
        raise ArgumentError("there is nothing to save: the second argument is None")
    entries = _entries(tree)
    try:
        replace_file(os.path.realpath(name), lambda file: _write(file, entries))
    except FileNotFoundError:
        folder = os.path.dirname(os.path.abspath(name))
        raise MissingFileError(f"there is no folder {folder} to save {name} in") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot write {name}: {error}") from error


@overload
def load(path: Path, like: None = None) -> Params: ...
@overload
def load(path: Path, like: V) -> V: ...
def load(path: Path, like: V | None = None) -> V | Params:
    """The value that ``save`` wrote to the file ``path``; its arrays are read-only.

    ``load(path)`` gives ``Params``. For anything else, and to be sure that the parameters are
    those of your network, say what you expect: ``load(path, like)`` gives a value of the type and
    structure of ``like``, such as the ``TrainState.start(...)`` that a run began with.

    Raises ``MissingFileError`` where there is no such file, and ``CheckpointError`` for one that
    is damaged, no checkpoint, or does not hold what ``like`` is; the text then lists all names
    that are missing or surplus, or have another shape or type.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(f"{folder}/run.npz", (Key(0).child("a"), 7))
    ...     load(f"{folder}/run.npz", like=(Key(1), 0))
    (Key(0).child('a'), 7)
    """
    name = _file_name(path)
    try:
        expected = None if like is None else _entries(like)
    except ArgumentError as error:
        raise ArgumentError(
            "like is a value of the same structure as what was saved, "
            f"net.init(Key(0), shape) say; {error}"
        ) from None
    found = _read(name)
    if expected is not None:
        _compare(name, expected, found)
        rebuilt: V = _rebuilt(like, "", found)
        return rebuilt
    if found[""].kind != "Params":
        kind = _kind_text(found[""])
        raise CheckpointError(
            f"{name} holds {kind}, not Params; write load(path, like=...) with a value of the "
            f"same structure{_start(kind)}"
        )
    return _params(found)


# ---- what a value is made of -------------------------------------------------------------------


def _entries(value: object) -> _Entries:
    return {path: _entry(path, part) for path, part in _walk(value, "")}


def _walk(value: object, path: str) -> Iterator[tuple[str, object]]:
    """The value and all its parts, each with its path, wholes before their parts."""
    yield path, value
    for name, part in _parts(value):
        yield from _walk(part, _join(path, name))


def _parts(value: Any) -> Iterator[tuple[str, object]]:
    if isinstance(value, Tree):
        return ((_quoted(name), part) for name, part in value.items())
    if isinstance(value, tuple) and not isinstance(value, Key):
        names = getattr(value, "_fields", range(len(value)))
        return zip(map(str, names), value, strict=True)
    return iter(())


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _quoted(name: str) -> str:
    """A name of a tree as a part of a path: the same, but for characters that cannot stand there.

    >>> _quoted("dense1"), _quoted("a\\\\b"), _quoted("50%")
    ('dense1', 'a%005cb', '50%0025')
    """
    return re.sub(r"[%\\\x00-\x1f\x7f\ud800-\udfff]", lambda m: f"%{ord(m[0]):04x}", name)


def _unquoted(name: str) -> str:
    return re.sub("%(....)", lambda m: chr(int(m[1], 16)), name)


def _entry(path: str, value: Any) -> _Entry:
    kind = _kind(path, value)
    return _Entry(kind, None if _is_whole(kind) else value)


def _is_whole(kind: str) -> bool:
    """Whether a kind is one of trees and tuples, which are wholes of parts."""
    return kind in ("Params", "Grads", "tuple") or kind.startswith(_NAMED)


def _kind(path: str, value: Any) -> str:
    """The kind of ``value``; raises ``ArgumentError`` where it cannot be saved."""
    kind = type(value)
    if kind in (Params, Grads, Key, tuple, float, bool, str):
        return str(kind.__name__)
    if value is None:
        return "None"
    if kind is int:
        # Python writes longer ones as decimals only where it is told to.
        if value.bit_length() > 1024:
            raise ArgumentError(f"{_place(path)} is an integer of more than 1024 bits")
        return "int"
    if kind in (np.ndarray, np.memmap) or isinstance(value, np.generic):
        if value.dtype.kind not in "biufc":
            raise ArgumentError(f"{_place(path)} holds {value.dtype}; what is saved are numbers")
        return "number" if isinstance(value, np.generic) else "array"
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return _NAMED + kind.__name__
    mend = _MENDS.get(kind, "")
    raise ArgumentError(
        f"{_place(path)} is of type {kind.__name__}, which cannot be saved; "
        f"what can are {_SAVED}{mend}"
    )


def _place(path: str) -> str:
    return path or "the value"


# ---- writing -----------------------------------------------------------------------------------


def _write(file: IO[bytes], entries: _Entries) -> None:
    import json
    from zipfile import ZipFile

    rows = [
        [path, kind] if kind in _STORED or value is None else [path, kind, value]
        for path, (kind, value) in entries.items()
    ]
    with ZipFile(file, "w") as archive:
        # Members opened by name bear no time, so that equal values make equal files.
        with archive.open(_CONTENTS, "w") as member:
            member.write(json.dumps({"format": _FORMAT, "entries": rows}).encode())
        for path, (kind, value) in entries.items():
            if kind in _STORED:
                # C order: which way an array lies in memory is no part of its value.
                array = np.asarray(value, order="C")
                with archive.open(f"{path}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)


# ---- reading -----------------------------------------------------------------------------------


def _read(name: str) -> _Entries:
    try:
        with open(name, "rb") as file:
            return _contents(file, name)
    except FileNotFoundError:
        raise MissingFileError(f"there is no file {os.path.abspath(name)}") from None
    except CheckpointError:
        raise
    except Exception as error:
        # What the readers of ZIP, JSON and NumPy files raise for damaged ones has no end.
        raise CheckpointError(
            f"{name} cannot be read; it is damaged, cut short or no file ({error})"
        ) from error


def _contents(file: IO[bytes], name: str) -> _Entries:
    import json
    from zipfile import ZipFile

    begins = file.read(len(_ZIP))
    if begins != _ZIP:
        why = "it is no .npz file" if begins else "it is empty"
        raise CheckpointError(f"{name} is no checkpoint: {why}")
    with ZipFile(file) as archive:
        members = archive.namelist()
        if _CONTENTS not in members:
            raise CheckpointError(
                f"{name} is no checkpoint written by save; other .npz files are for numpy.load"
            )
        contents = json.loads(archive.read(_CONTENTS))
        if contents["format"] != _FORMAT:
            newer = f"format {contents['format']}, and this funcnet reads {_FORMAT}"
            raise CheckpointError(f"{name} is of {newer}")
        entries = {path: _loaded(archive, path, *row) for path, *row in contents["entries"]}
    stored = [f"{path}.npy" for path, entry in entries.items() if entry.kind in _STORED]
    if sorted([_CONTENTS, *stored]) != sorted(members) or "" not in entries:
        raise ValueError("its arrays are not those that it lists")
    return entries


def _loaded(archive: ZipFile, path: str, kind: str, value: Any = None) -> _Entry:
    if _is_whole(kind):
        return _Entry(kind, None)
    if kind in _STORED:
        value = _array(archive.read(f"{path}.npy"))
        if kind != "array":
            value = value[()] if kind == "number" else value.item()
    elif kind == "Key":
        seed, *names = value
        value = Key(seed)
        for name in names:
            value = value.child(name)
    if _kind(path, value) != kind:
        raise ValueError(f"{path} is not of type {kind}")
    return _Entry(kind, value)


def _array(content: bytes) -> np.ndarray[tuple[Any, ...], np.dtype[Any]]:
    from io import BytesIO

    member = BytesIO(content)
    # A copy is an array of its own memory, which then nobody can write to.
    array = np.array(np.lib.format.read_array(member, allow_pickle=False))
    if member.read(1):
        raise ValueError("an array is followed by something else")
    array.setflags(write=False)
    return array


def _params(found: _Entries) -> Params:
    """The tree that the entries describe."""
    names: dict[str, list[str]] = {}
    for path in found:
        if path:
            names.setdefault(path.rpartition("/")[0], []).append(path)

    def tree(path: str) -> Params:
        return Params.fresh({_unquoted(p.rpartition("/")[2]): part(p) for p in names.get(path, [])})

    def part(path: str) -> object:
        return found[path].value if found[path].kind == "array" else tree(path)

    return tree("")


def _rebuilt(like: Any, path: str, found: _Entries) -> Any:
    """A value of the type and structure of ``like`` with the leaves found."""
    if not _is_whole(_kind(path, like)):
        return found[path].value if isinstance(like, np.generic) else _plain(found[path])
    parts = [_rebuilt(part, _join(path, name), found) for name, part in _parts(like)]
    if isinstance(like, Tree):
        return type(like).fresh(dict(zip(like, parts, strict=True)))
    return tuple(parts) if type(like) is tuple else type(like)._make(parts)


def _plain(entry: _Entry) -> Any:
    """The value of an entry, a NumPy number as the Python number that it is."""
    return entry.value.item() if entry.kind == "number" else entry.value


# ---- what was found against what was expected --------------------------------------------------


def _compare(name: str, expected: _Entries, found: _Entries) -> None:
    whole, got = expected[""], found[""]
    if whole.kind != got.kind and (_is_whole(whole.kind) or _is_whole(got.kind)):
        have, want = _kind_text(got), _kind_text(whole)
        inside = [p for p, e in found.items() if p and "/" not in p and e.kind == whole.kind]
        mend = ""
        if inside:
            mend = f"; give like= such a value{_start(have)}, and take .{inside[0]} of what you get"
        elif got.kind == "Params":
            mend = "; write load(path), or give like= the parameters alone"
        raise CheckpointError(f"{name} holds {have}, not {want} as like= is{mend}")
    lines = [
        f"{what}: {', '.join(map(_place, names))}"
        for what, ours, theirs in [("missing", expected, found), ("surplus", found, expected)]
        if (names := [path for path in _ends(ours) if path not in theirs])
    ]
    for path in [path for path in expected if path in found]:
        lines += [f"{_place(path)} {text}" for text in _differences(expected[path], found[path])]
    if lines:
        raise CheckpointError("\n  ".join([f"{name} does not hold what like= is:", *lines]))


def _differences(want: _Entry, got: _Entry) -> Iterator[str]:
    plain = got.kind == "number" and type(_plain(got)) is type(want.value)
    if want.kind != got.kind and not plain:
        yield f"is of type {_kind_text(got)}, not {_kind_text(want)}"
    elif want.kind == got.kind and want.kind in ("array", "number"):
        if want.value.shape != got.value.shape:
            yield f"has shape {dims(got.value.shape)}, not {dims(want.value.shape)}"
        if want.value.dtype != got.value.dtype:
            yield f"has dtype {got.value.dtype}, not {want.value.dtype}"


def _ends(entries: _Entries) -> list[str]:
    """The paths at which nothing else hangs: the leaves, and trees and tuples that are empty."""
    wholes = {path.rpartition("/")[0] for path in entries if path}
    return [path for path in entries if path not in wholes]


def _kind_text(entry: _Entry) -> str:
    return entry.kind.removeprefix(_NAMED)


def _start(kind: str) -> str:
    return ", TrainState.start(params, optimizer, key) say" if kind == "TrainState" else ""


def _file_name(path: Path) -> str:
    try:
        name = os.fsdecode(path)
    except TypeError:
        kind = type(path).__name__
        raise ArgumentError(f"the path of a file comes first, not a value of type {kind}") from None
    if not name:
        raise ArgumentError("the path is empty")
    return name
