"""Taking in, listing, checking and removing models; nothing is ever half-installed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from hrn_studio import cli, paths
from hrn_studio.detail.hrn import store, tiny
from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.models import shelf
from hrn_studio.models.catalogue import FAMILIES, HRN


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def download(tmp_path_factory):
    return tiny.write_download(tmp_path_factory.mktemp("download"))


@pytest.fixture
def folder():
    return paths.user_models_dir()


def run(task):
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value


def contents(folder):
    """Every file below a folder with its size, also hidden ones."""
    if not folder.exists():
        return {}
    return {str(f.relative_to(folder)): f.stat().st_size for f in folder.rglob("*") if f.is_file()}


def test_an_empty_shelf_says_what_is_missing(folder):
    states = shelf.states(folder)
    assert [state.family for state in states] == list(FAMILIES)
    assert not any(state.there or state.enabled or state.complete for state in states)
    assert "epoch_10.pth" in shelf.reason(folder, "--engine hrn")
    assert not folder.exists()  # looking makes nothing


def test_a_download_is_taken_in_checked_and_removed(folder, download):
    (state,) = run(shelf.add(download, folder))
    assert state.complete
    assert [item.kind for item in state.missing] == ["detector"]
    assert {use.name for use in state.enabled} >= {"--engine hrn", "--engine hrn-mv"}
    assert shelf.reason(folder, "--engine hrn") is None
    assert run(shelf.verify(folder)) == []
    store.load_networks(folder / "hrn")
    assert store.load_canvas(folder / "hrn").face.vertex_count == tiny.ACROSS**2
    assert {item.name for item in folder.iterdir()} == {"hrn"}
    # A detector added later joins what is there.
    torch.save(tiny.empty(store.RetinaFace), download.parent / "mine.pth")
    (state,) = run(shelf.add(download.parent / "mine.pth", folder))
    assert not state.missing
    assert {item.name for item in folder.iterdir()} == {"hrn"}
    # A file that changes is noticed.
    uv = folder / "hrn" / store.UV
    np.save(uv, np.load(uv) + 0.001)
    (wrong,) = run(shelf.verify(folder, ["hrn"]))
    assert "bfm_uvs2.npy' has changed; add bfm_uvs2.npy again" in wrong
    uv.unlink()
    (wrong,) = run(shelf.verify(folder, ["hrn"]))
    assert "is missing" in wrong
    assert shelf.remove(folder, "hrn") > 1e6
    assert contents(folder) == {}
    with pytest.raises(UsageError, match="not there"):
        shelf.remove(folder, "hrn")


def test_half_a_folder_is_refused_and_nothing_changes(folder, download, tmp_path):
    half = tmp_path / "half" / "assets" / "BFM"
    half.mkdir(parents=True)
    (half / "BFM_model_front.mat").hardlink_to(download / tiny.GITHUB["face"])
    with pytest.raises(ModelDataError, match=r"has 1 of the 7 files hrn needs; put epoch_10\.pth"):
        run(shelf.add(tmp_path / "half", folder))
    assert contents(folder) == {}


def test_single_files_add_up(folder, download):
    for kind in ("face", "uv"):
        run(shelf.add(download / tiny.GITHUB[kind], folder))
    state = shelf.state(folder, HRN)
    assert [item.kind for item in state.there] == ["face", "uv"]
    assert not state.complete


def test_a_file_under_another_name_is_known_by_its_content(folder, download, tmp_path):
    own = tmp_path / "my face.mat"
    own.hardlink_to(download / tiny.GITHUB["face"])
    (state,) = run(shelf.add(own, folder, link=True))
    assert [item.kind for item in state.there] == ["face"]
    kept = folder / "hrn" / store.FACE
    assert kept.stat().st_ino == own.stat().st_ino  # a link, as asked


def test_a_bad_file_among_good_ones_changes_nothing(folder, download, tmp_path):
    run(shelf.add(download / tiny.GITHUB["face"], folder))
    before = contents(folder)
    bad = tmp_path / "in" / "checkpoints"
    bad.mkdir(parents=True)
    for kind, place in tiny.GITHUB.items():
        if kind != "retouch":
            (bad / (download / place).name).hardlink_to(download / place)
    content = (download / tiny.GITHUB["retouch"]).read_bytes()
    (bad / "de-retouching.pth").write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelDataError, match=r"'de-retouching\.pth' is truncated"):
        run(shelf.add(tmp_path / "in", folder))
    assert contents(folder) == before


def test_stopping_half_way_changes_nothing(folder, download):
    task = shelf.add(download, folder)
    for _ in range(3):
        next(task)
    task.close()
    assert contents(folder) == {}


@pytest.mark.parametrize("name", ["nothing", "other.txt", "other.pth"])
def test_what_is_not_known_is_refused(folder, tmp_path, name):
    if name.endswith(".txt"):
        (tmp_path / name).write_text("hello")
    elif name.endswith(".pth"):
        torch.save({"model": {}, "epoch": 1}, tmp_path / name)
    with pytest.raises(UsageError, match=name):
        run(shelf.add(tmp_path / name, folder))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="nothing in"):
        run(shelf.add(tmp_path / "empty", folder))
    with pytest.raises(UsageError, match="choose one of hrn, hrn-head, ict, flame"):
        run(shelf.verify(folder, ["bert"]))


def test_the_command_line_tells_it_all(download, capsys):
    assert cli.main(["models", "list"]) == 0
    assert "needs epoch_10.pth" in capsys.readouterr().out
    assert cli.main(["models", "add", str(download), "--link"]) == 0
    assert "enables  --engine hrn-mv" in capsys.readouterr().out
    assert cli.main(["models", "list", "--json"]) == 0
    entry = json.loads(capsys.readouterr().out)["models"][0]
    assert entry["complete"]
    assert entry["missing"] == []
    assert "research only" in entry["licence"]
    assert cli.main(["models", "verify"]) == 0
    (paths.user_models_dir() / "hrn" / store.TEMPLATE).unlink()
    assert cli.main(["models", "verify", "hrn"]) == 1
    assert cli.main(["models", "remove", "hrn"]) == 0
    assert cli.main(["models", "remove", "hrn"]) == 2
    assert cli.main(["models", "add", "/no/such/folder"]) == 2
    assert "does not exist" in capsys.readouterr().err
