"""Checkpoints as files: whole or not there at all, alike for equal values, refused if damaged."""

from __future__ import annotations

import io
import os
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import funcnet as fn
from funcnet.checkpoint import load, save

from .test_checkpoint import same, trained, zeros

# ---- files -------------------------------------------------------------------------------------


def test_equal_values_make_equal_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, state = trained()
    save(tmp_path / "a.npz", state)
    later = time.time() + 1e6
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(later))
    save(tmp_path / "b.npz", trained()[1])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    transposed = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    save(tmp_path / "c.npz", transposed)
    save(tmp_path / "d.npz", np.ascontiguousarray(transposed))
    assert (tmp_path / "c.npz").read_bytes() == (tmp_path / "d.npz").read_bytes()


def test_the_path_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("plain", Path("a.pth"), "long" + "g" * 251):
        save(path, zeros(b=1))
        assert same(load(path), zeros(b=1))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        ["plain", "a.pth", "long" + "g" * 251]
    )


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    save(tmp_path / "real.npz", zeros(b=1))
    (tmp_path / "link.npz").symlink_to("real.npz")
    save(tmp_path / "link.npz", zeros(b=2))
    assert (tmp_path / "link.npz").is_symlink()
    assert same(load(tmp_path / "real.npz"), zeros(b=2))


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    save(tmp_path / "net.npz", zeros(b=1))
    (tmp_path / "other").touch()
    assert (tmp_path / "net.npz").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("place", ["write_array", "fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()], ids=repr)
def test_a_save_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, error: BaseException
) -> None:
    save(tmp_path / "net.npz", zeros(a=1, b=2))

    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(np.lib.format if place == "write_array" else os, place, fail)
        with pytest.raises((fn.CheckpointError, KeyboardInterrupt)) as caught:
            save(tmp_path / "net.npz", zeros(a=3, b=4))
    if isinstance(error, OSError):
        assert str(caught.value) == f"cannot write {tmp_path / 'net.npz'}: no space left"
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]
    assert same(load(tmp_path / "net.npz"), zeros(a=1, b=2))


def test_bytes_are_on_the_disk_before_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(fd: int) -> None:
        calls.append(f"fsync of {os.fstat(fd).st_size}")
        fsync(fd)

    def noted_replace(old: str, new: str) -> None:
        calls.append(f"replace of {os.path.getsize(old)} in {os.path.dirname(old)}")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    save(tmp_path / "net.npz", zeros(b=1))
    size = (tmp_path / "net.npz").stat().st_size
    assert calls == [f"fsync of {size}", f"replace of {size} in {os.path.realpath(tmp_path)}"]


# ---- files that are none -----------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(fn.MissingFileError) as caught:
        load("gone.npz")
    assert str(caught.value) == f"there is no file {tmp_path / 'gone.npz'}"
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(fn.MissingFileError, match=r"no folder .*/gone to save gone/net.npz in"):
        save("gone/net.npz", zeros(b=1))


FOREIGN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is no checkpoint: it is empty"),
    "text": (b"not a checkpoint", "is no checkpoint: it is no .npz file"),
    "an empty zip": (b"PK\5\6" + bytes(18), "is no checkpoint: it is no .npz file"),
    "a pickle": (b"\x80\x04K\x07.", "is no checkpoint: it is no .npz file"),
    "a false zip": (b"PK\3\4 and more", "cannot be read; it is damaged, cut short or no"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_files_are_refused_by_name(tmp_path: Path, kind: str) -> None:
    content, text = FOREIGN[kind]
    path = tmp_path / "foreign.npz"
    path.write_bytes(content)
    for like in (None, zeros(b=1)):
        with pytest.raises(fn.CheckpointError) as caught:
            load(path, like=like)
        assert str(caught.value).startswith(f"{path} {text}")


def test_other_npz_files_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", b=np.zeros(3))
    with pytest.raises(fn.CheckpointError, match=r"other\.npz is no checkpoint written by save"):
        load(tmp_path / "other.npz")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(fn.CheckpointError, match=r"cannot be read.*Is a directory"):
        load(tmp_path)
    with pytest.raises(fn.CheckpointError, match="cannot write"):
        save(tmp_path, zeros(b=1))
    assert not list(tmp_path.iterdir())


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    save(path, zeros(b=2))
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(fn.CheckpointError, match=r"net\.npz"):
            load(path)


def test_a_file_with_any_byte_damaged_is_refused_or_loads_as_it_was(tmp_path: Path) -> None:
    path, value = tmp_path / "net.npz", (fn.Params({"a": {"b": np.arange(2.0)}}), fn.Key(3), 7)
    save(path, value)
    whole, refused = path.read_bytes(), 0
    for at in range(len(whole)):
        for flip in (1, 0x80):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
            try:
                loaded = load(path, like=value)
            except fn.CheckpointError:
                refused += 1
            else:
                # Damage that only concerns times, attributes and the like.
                assert same(loaded, value)
    assert refused > len(whole)


def rewritten(path: Path, contents: str | None = None, **members: bytes | None) -> None:
    """The checkpoint with its table of contents or other members replaced, added or left out."""
    with zipfile.ZipFile(path) as archive:
        held: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    held |= {f"{name}.npy": content for name, content in members.items()}
    held |= {} if contents is None else {"funcnet.json": contents.encode()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in held.items():
            if content is not None:
                archive.writestr(name, content)


def npy(array: Any) -> bytes:
    """An array as a file of NumPy's."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


BROKEN: dict[str, Any] = {
    "no json": {"contents": "{"},
    "no table": {"contents": "[]"},
    "no rows": {"contents": '{"format": 1, "entries": []}', "b": None},
    "an unknown kind": {"contents": '{"format": 1, "entries": [["", "object", 1]]}', "b": None},
    "a false kind": {"contents": '{"format": 1, "entries": [["", "int", "1"]]}', "b": None},
    "a false key": {"contents": '{"format": 1, "entries": [["", "Key", [-1]]]}', "b": None},
    "too deep": {"contents": "[" * 100_000},
    "an array left out": {"b": None},
    "an array too many": {"c": b"1"},
    "an array that is none": {"b": b"1"},
    "an array and more": {"b": npy(np.zeros(2, "float32")) + b"1"},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_files_that_contradict_themselves_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "net.npz"
    save(path, zeros(b=2))
    rewritten(path)
    assert same(load(path), zeros(b=2))
    rewritten(path, **BROKEN[kind])
    with pytest.raises(fn.CheckpointError, match=r"net\.npz cannot be read; it is damaged"):
        load(path)


def test_files_of_a_later_format_say_so(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    save(path, zeros(b=2))
    rewritten(path, contents='{"format": 2}')
    with pytest.raises(fn.CheckpointError, match=r"is of format 2, and this funcnet reads 1"):
        load(path)


def test_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    save(path, zeros(b=2))
    rewritten(path, b=npy(np.array([print, None], object)))
    with pytest.raises(fn.CheckpointError, match="allow_pickle=False"):
        load(path)


@pytest.mark.parametrize("path", [None, 3, fn.Params(), ""])
def test_a_path_is_a_path(path: Any) -> None:
    with pytest.raises(fn.ArgumentError, match=r"the path (of a file comes first|is empty)"):
        save(path, zeros(b=1))
    with pytest.raises(fn.ArgumentError, match=r"the path (of a file comes first|is empty)"):
        load(path)


def test_a_path_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(fn.CheckpointError, match="cannot write"):
        save("a\0b", zeros(b=1))
    with pytest.raises(fn.CheckpointError, match="cannot be read"):
        load("a\0b")
