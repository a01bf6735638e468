"""A kept head: it comes back whole, and nothing else is taken for one."""

import dataclasses
import io
import json
import pickle

import numpy as np
import pytest

from hrn_studio.errors import ArchiveError
from hrn_studio.export import archive
from hrn_studio.export._codes import settled_result
from hrn_studio.export.asset import make_asset


@pytest.fixture(scope="module")
def data(tiny_person):
    return archive.archive_bytes(tiny_person, "MakeHuman", "jane", "2026-01-01", {"seed": 3})


@pytest.fixture
def kept(data, tmp_path):
    path = tmp_path / archive.file_name("jane")
    path.write_bytes(data)
    return path


def same(a, b, where="result"):
    """Every field of two records, down to the last bit."""
    if dataclasses.is_dataclass(a):
        assert type(a) is type(b)
        for field in dataclasses.fields(a):
            same(getattr(a, field.name), getattr(b, field.name), f"{where}.{field.name}")
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype, where
        np.testing.assert_array_equal(a, b, where)
    elif isinstance(a, tuple):
        assert len(a) == len(b), where
        for number, pair in enumerate(zip(a, b, strict=True)):
            same(*pair, f"{where}.{number}")
    elif hasattr(a, "items"):
        assert list(a) == list(b), where
        for key in a:
            same(a[key], b[key], f"{where}.{key}")
    else:
        assert (a, type(a)) == (b, type(b)), where


def test_everything_comes_back(kept, tiny_person):
    read = archive.read(kept)
    same(settled_result(tiny_person), read.result)
    assert (read.head, read.name, read.created) == ("default", "jane", "2026-01-01")
    assert read.options == {"seed": 3}


def test_only_maps_and_masks_are_rounded_and_far_below_what_is_exported(kept, tiny_person):
    read = archive.read(kept).result
    for name in ("neutral", "spread_mm"):
        np.testing.assert_array_equal(getattr(read, name), getattr(tiny_person, name))
    same(tiny_person.views[0].state, read.views[0].state)
    np.testing.assert_array_equal(read.views[0].frame.image, tiny_person.views[0].frame.image)
    old, new = tiny_person.maps, read.maps
    np.testing.assert_array_equal(new.albedo_srgb, old.albedo_srgb)
    np.testing.assert_allclose(new.normal, old.normal, atol=3e-5)
    np.testing.assert_allclose(new.displacement, old.displacement, atol=1e-8)
    np.testing.assert_allclose(new.deformation, old.deformation, atol=1e-7)
    np.testing.assert_allclose(new.confidence, old.confidence, atol=0.5 / 255 + 1e-6)


def test_kept_again_it_is_the_same_file(kept, data):
    read = archive.read(kept)
    again = archive.archive_bytes(
        read.result, "MakeHuman", read.name, read.created, dict(read.options)
    )
    assert again == data


def test_a_kept_head_exports_what_the_fresh_one_did(kept, tiny, tiny_person):
    fresh = make_asset(tiny_person, tiny, "jane")
    later = make_asset(archive.read(kept).result, tiny, "jane")
    same(fresh, later)


def test_a_folder_is_searched(kept, data):
    folder = kept.parent
    assert archive.read(folder).name == "jane"
    (folder / archive.file_name("joe")).write_bytes(data)
    assert archive.names(folder) == ("jane", "joe")
    with pytest.raises(ArchiveError, match=r"several heads \(jane, joe\); say which"):
        archive.read(folder)
    assert archive.find(folder, "joe").name == "joe.head.npz"
    with pytest.raises(ArchiveError, match="no head called 'ann'; there is jane, joe"):
        archive.read(folder, "ann")


def test_missing_things_are_named(tmp_path):
    with pytest.raises(ArchiveError, match=r"there is no .*nowhere"):
        archive.read(tmp_path / "nowhere")
    with pytest.raises(ArchiveError, match="holds no finished head"):
        archive.read(tmp_path)


def _npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


FOREIGN = {
    "empty": b"",
    "text": b"hello, I am not a head\n" * 40,
    "pickle": pickle.dumps({"meta": 1}),
    "other npz": _npz(mean=np.zeros(3)),
    "other json": _npz(meta=np.frombuffer(b'{"format": "else"}', np.uint8)),
    "list": _npz(meta=np.frombuffer(b"[1, 2]", np.uint8)),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_foreign_files_are_refused(tmp_path, content):
    path = tmp_path / "a.head.npz"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="is not a kept head"):
        archive.read(path)


def test_nothing_pickled_is_ever_loaded(tmp_path):
    path = tmp_path / "a.head.npz"
    np.savez(path, meta=np.array([{"format": "hrn-studio head"}], object))
    with pytest.raises(ArchiveError, match="damaged"):
        archive.read(path)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_damage_is_noticed(kept, data, share):
    broken = bytearray(data)
    at = int(share * len(data))
    broken[at : at + 40] = bytes(255 - b for b in broken[at : at + 40])
    kept.write_bytes(broken)
    with pytest.raises(ArchiveError, match="damaged"):
        archive.read(kept)
    kept.write_bytes(data[:at])
    with pytest.raises(ArchiveError):
        archive.read(kept)


def _changed(data, change):
    with np.load(io.BytesIO(data)) as archived:
        arrays = dict(archived)
    meta = json.loads(arrays["meta"].tobytes())
    change(meta)
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    return _npz(**arrays)


def test_a_newer_file_asks_for_a_newer_program(kept, data):
    kept.write_bytes(_changed(data, lambda meta: meta.update(version=99)))
    with pytest.raises(ArchiveError, match="newer HRN Studio; update"):
        archive.read(kept)


def test_an_older_file_without_what_came_later_is_read(kept, data):
    def older(meta):
        meta["result"].pop("notes")
        meta["result"]["views"][0]["track"].pop("scatter_px")

    kept.write_bytes(_changed(data, older))
    read = archive.read(kept).result
    assert read.notes == ()
    assert read.views[0].track.scatter_px.shape == (0,)


@pytest.mark.parametrize(
    "change",
    [
        lambda meta: meta["result"]["neutral"].update(shape=[10**9, 3]),
        lambda meta: meta["result"]["neutral"].update(dtype="|O"),
        lambda meta: meta["result"]["neutral"].update(kind="strange"),
        lambda meta: meta["result"]["neutral"].update(array="result.spread_mm"),
        lambda meta: meta["result"].pop("maps"),
        lambda meta: meta["result"].update(views=[]),
    ],
)
def test_contents_that_do_not_fit_together_are_refused(kept, data, change):
    kept.write_bytes(_changed(data, change))
    with pytest.raises(ArchiveError, match="damaged; make it again"):
        archive.read(kept)
