"""HRN's regression in the place of the learned maps, from the user's model folder."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hrn_studio import cli, paths
from hrn_studio.detail.hrn import maps, runner, store, tiny
from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.face.landmarks import load_embedding
from hrn_studio.face.model import load_head
from hrn_studio.live.cameras import camera_for
from hrn_studio.live.images import read_image
from hrn_studio.live.regressor import LandmarkRegressor
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.models import live


@pytest.fixture(scope="module")
def head():
    return load_head()


@pytest.fixture(scope="module")
def embedding():
    return load_embedding()


@pytest.fixture
def weights():
    """What the live regressor needs, made up, in the user's folder."""
    folder = paths.user_models_dir() / "hrn"
    folder.mkdir(parents=True)
    tiny.write_checkpoint(folder / "epoch_10.pth")
    store.take("checkpoint", folder / "epoch_10.pth", folder)
    tiny.write_face(folder / store.FACE)
    return folder


@pytest.fixture
def few_crops(monkeypatch):
    grey = np.full((224, 224, 3), 120, np.uint8)
    monkeypatch.setattr(live, "demo_crops", lambda: (grey, grey // 2))
    monkeypatch.setattr(runner.measure, "__defaults__", (2,))


def test_a_live_face_is_seen_by_the_network(weights, few_crops, head, embedding, stills):
    seeing = live.make_estimator("hrn", head, embedding)
    frame = read_image(stills[0])
    with MediaPipeTracker("still") as tracker:
        track = tracker.track(frame)
    camera = camera_for(frame)
    estimate = seeing.estimate(frame, track, camera)
    assert estimate.identity.any()  # the made-up network answers with some identity ...
    assert not estimate.expression.any()  # ... and no expression
    state = LandmarkRegressor(head, embedding, seeing).regress(frame, track, camera)
    assert state.residual_px < 0.2 * track.size_px


def test_the_quickest_way_is_measured_once(weights, few_crops, head, embedding, monkeypatch):
    monkeypatch.setattr(maps, "translation", lambda *_: None)
    monkeypatch.setattr(runner, "folded", runner.plain)  # it takes long to compile
    live.make_estimator("hrn", head, embedding)
    (choice,) = paths.cache_dir().glob("hrn-live/*/choice.json")
    assert json.loads(choice.read_text())["way"] in {
        *(runner.TORCH, runner.FOLDED, runner.ONNX, runner.INT8)
    }
    measured = []
    whole = runner.measure

    def counted(*args):
        measured.append(1)
        return whole(*args)

    monkeypatch.setattr(runner, "measure", counted)
    live.make_estimator("hrn", head, embedding)
    assert not measured
    choice.write_text("{}")
    live.make_estimator("hrn", head, embedding)
    assert measured == [1]
    (weights / store.REGRESSION).write_bytes(b"other weights")
    with pytest.raises(ModelDataError, match="add it anew"):
        live.make_estimator("hrn", head, embedding)


def test_the_demo_gives_faces_to_measure_with():
    crops = live.demo_crops()
    assert len(crops) == 10
    assert {crop.shape for crop in crops} == {(224, 224, 3)}
    np.testing.assert_array_equal(crops[0][:, ::-1], crops[1])


def test_without_weights_the_reason_is_said(head, embedding, tmp_path, capsys):
    assert live.live_reason("studio") is None
    assert "epoch_10.pth" in live.live_reason("hrn")
    with pytest.raises(ModelDataError, match=r"the live engine hrn needs epoch_10\.pth"):
        live.make_estimator("hrn", head, embedding)
    with pytest.raises(UsageError, match="choose one of studio, hrn"):
        live.make_estimator("hrn-mv", head, embedding)
    film = str(paths.resources() / "demo" / "clip.mp4")
    for command in (
        ["bench", "regress", "--engine", "hrn"],
        ["bench", "live", "--engine", "hrn"],
        ["track", film, "-o", str(tmp_path / "a.csv"), "--engine", "hrn"],
    ):
        assert cli.main(command) == 2
        assert "needs epoch_10.pth" in capsys.readouterr().err
    assert cli.main(["bench", "live", "--window", "--engine", "hrn"]) == 2


def test_a_way_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ModelDataError, match="measure it again"):
        runner.way(runner.INT8, None, tmp_path)
    with pytest.raises(ModelDataError, match="measure it again"):
        runner.way("by hand", None, tmp_path)


@pytest.mark.slow
def test_the_table_of_every_way(weights, few_crops, capsys):
    assert cli.main(["bench", "regress", "--engine", "hrn", "--json"]) == 0
    (table,) = json.loads(capsys.readouterr().out).values()
    names = " ".join(table["steps"])
    assert runner.FOLDED in names
    assert names.count("(chosen)") == 1
    assert all(row["median"] > 0 for row in table["steps"].values())
