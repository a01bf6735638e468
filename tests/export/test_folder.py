"""Results appear whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from hrn_studio.errors import ExportError
from hrn_studio.export import folder as folder_module
from hrn_studio.export.folder import check_folder, write_folder, writing_folder

FIRST = {"a.bin": b"first a", "b.bin": b"first b", "manifest.json": b"first"}
SECOND = {"a.bin": b"second a", "c.bin": b"second c", "manifest.json": b"second"}


def content(folder: Path) -> dict[str, bytes]:
    """Everything below ``folder``, hidden files too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_new_folder_holds_exactly_the_files(tmp_path):
    target = tmp_path / "deep" / "out"
    assert write_folder(target, FIRST) == target
    assert content(tmp_path) == {f"deep/out/{name}": data for name, data in FIRST.items()}
    assert target.stat().st_mode & 0o777 == 0o777 & ~folder_module._umask()


def test_a_second_result_replaces_files_of_its_names_and_keeps_the_others(tmp_path):
    write_folder(tmp_path / "out", FIRST)
    write_folder(tmp_path / "out", SECOND)
    assert content(tmp_path / "out") == {**FIRST, **SECOND}


def test_files_may_come_one_by_one(tmp_path):
    writing = writing_folder(tmp_path / "out", ((name, data) for name, data in FIRST.items()))
    assert list(writing) == list(FIRST)
    assert content(tmp_path / "out") == FIRST


@pytest.mark.parametrize("exists", [False, True])
def test_cancelling_leaves_no_trace(tmp_path, exists):
    if exists:
        write_folder(tmp_path / "out", FIRST)
    before = content(tmp_path)
    writing = writing_folder(tmp_path / "out", SECOND)
    next(writing)
    writing.close()
    assert content(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == exists


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("failing", [1, 2, 3])
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, exists, failing):
    if exists:
        write_folder(tmp_path / "out", FIRST)
    before = content(tmp_path)
    calls = 0

    def fsync(handle):
        nonlocal calls
        calls += 1
        if calls == failing:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(ExportError, match=r"disk is full.*free some space"):
        write_folder(tmp_path / "out", SECOND)
    assert content(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == exists


@pytest.mark.parametrize("problem", [OSError(errno.EIO, "I/O error"), KeyboardInterrupt()])
@pytest.mark.parametrize("failing", ["a.bin", "c.bin", "manifest.json"])
def test_a_failed_rename_undoes_those_before(tmp_path, monkeypatch, failing, problem):
    out = tmp_path / "out"
    write_folder(out, FIRST)
    replace = Path.replace

    def broken(self, target):
        if Path(target) == out / failing and self.parent.name != "previous":
            raise problem
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises((ExportError, KeyboardInterrupt)):
        write_folder(out, SECOND)
    assert content(tmp_path / "out") == FIRST


def test_the_manifest_is_replaced_last(tmp_path, monkeypatch):
    out = tmp_path / "out"
    write_folder(out, FIRST)
    order = []
    replace = Path.replace
    monkeypatch.setattr(
        Path, "replace", lambda self, target: (order.append(target.name), replace(self, target))
    )
    write_folder(out, SECOND)
    assert order == list(SECOND)


def test_a_disk_without_hard_links_keeps_a_copy(tmp_path, monkeypatch):
    write_folder(tmp_path / "out", FIRST)

    def refuse(self, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    write_folder(tmp_path / "out", SECOND)
    assert content(tmp_path / "out") == {**FIRST, **SECOND}


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "out").write_bytes(b"mine")
    for write in (lambda target: write_folder(target, FIRST), check_folder):
        with pytest.raises(ExportError, match="out' is in the way; choose another"):
            write(tmp_path / "out")
        with pytest.raises(ExportError, match="in the way; choose another"):
            write(tmp_path / "out" / "below")
    assert content(tmp_path) == {"out": b"mine"}


def test_a_folder_in_the_way_of_a_file(tmp_path):
    (tmp_path / "out" / "c.bin").mkdir(parents=True)
    with pytest.raises(ExportError, match=r"c\.bin' is in the way"):
        write_folder(tmp_path / "out", SECOND)
    assert content(tmp_path) == {}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EACCES, "no permission; choose a folder you may write to"),
        (errno.EROFS, "no permission; choose a folder you may write to"),
        (errno.ENAMETOOLONG, "name is too long; shorten it"),
        (errno.EIO, "input/output error"),
    ],
)
def test_refusals_name_the_remedy(tmp_path, monkeypatch, code, words):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    for write in (lambda target: write_folder(target, FIRST), check_folder):
        with pytest.raises(ExportError, match=words):
            write(tmp_path / "out")


def test_checking_leaves_no_trace(tmp_path):
    check_folder(tmp_path / "deep" / "out")
    assert list(tmp_path.iterdir()) == []
    write_folder(tmp_path / "out", FIRST)
    check_folder(tmp_path / "out")
    assert content(tmp_path) == {f"out/{name}": data for name, data in FIRST.items()}


@pytest.mark.parametrize("name", ["", "..", "a/b", "/tmp/a", "previous"])
def test_only_plain_names(tmp_path, name):
    with pytest.raises(ValueError, match="plain file name"):
        write_folder(tmp_path / "out", {name: b""})
    assert list(tmp_path.iterdir()) == []
