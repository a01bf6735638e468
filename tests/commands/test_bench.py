"""``hrn-studio bench``: the tables have their rows, and bad requests their sentences."""

import json

import pytest
import torch

from hrn_studio import cli
from hrn_studio.commands import timing
from hrn_studio.live import stages
from hrn_studio.models import engines

STEPS = ["tracker", "maps", "solve", "smoothing", stages.TOTAL, "network", stages.HELPED]


@pytest.fixture
def few_frames(monkeypatch):
    """A short clip is enough."""
    whole = stages.time_frames

    def some(frames, *rest):
        return whole((frame for frame, _ in zip(frames, range(6), strict=False)), *rest)

    monkeypatch.setattr(stages, "time_frames", some)


def test_the_steps_of_a_live_frame(few_frames, capsys):
    assert cli.main(["bench", "regress", "--json", "--repeat", "2"]) == 0
    table = json.loads(capsys.readouterr().out)["one live frame"]
    assert table["unit"] == "ms"
    assert list(table["steps"]) == STEPS
    assert all(0 < row["median"] <= row["p95"] for row in table["steps"].values())


def test_the_table_for_people(few_frames, capsys):
    assert cli.main(["bench", "regress"]) == 0
    out = capsys.readouterr().out
    assert "median" in out
    assert all(step in out for step in STEPS)


def test_the_steps_of_a_fit(monkeypatch, capsys):
    def time_fit(models, images, options):
        assert (options.device, options.engine) == ("cpu", "studio")
        return {"track": float(len(images)), timing.TOTAL: 10.0 * len(images)}

    monkeypatch.setattr(timing, "_time_fit", time_fit)
    assert cli.main(["bench", "fit", "--json", "--repeat", "2"]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert list(tables) == ["one picture", "5 pictures"]
    assert tables["5 pictures"]["steps"][timing.TOTAL] == {"median": 50.0, "p95": 50.0}
    assert tables["5 pictures"]["peak_memory_mb"] > 50


def test_devices_are_compared_side_by_side(monkeypatch, capsys):
    seconds = {"cpu": 3.0, "cuda": 1.0}
    monkeypatch.setattr(engines, "checked_device", lambda device: device)
    monkeypatch.setattr(
        timing, "_time_fit", lambda models, images, o: {timing.TOTAL: seconds[o.device]}
    )
    command = ["bench", "fit", "--json", "--repeat", "1", "--device", "cpu", "cuda"]
    assert cli.main(command) == 0
    tables = json.loads(capsys.readouterr().out)
    assert list(tables) == [
        f"{what} on {where}" for what in ("one picture", "5 pictures") for where in seconds
    ]
    assert tables["one picture on cuda"]["steps"][timing.TOTAL]["median"] == 1.0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_said(capsys):
    assert cli.main(["bench", "fit", "--device", "cuda"]) == 2
    assert "there is no CUDA device" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["bench", "fit", "--engine", "hrn"], "needs epoch_10.pth"),
        (["bench", "regress", "--repeat", "0"], "--repeat"),
        (["bench", "fit", "--repeat", "-1"], "--repeat"),
        (["bench", "regress", "--video", "no.mp4"], "does not exist"),
    ],
)
def test_bad_requests(args, word, capsys):
    assert cli.main(args) == 2
    assert word in capsys.readouterr().err


def test_medians_and_percentiles():
    row = timing.summary({"a": [0.001, 0.002, 0.003]}, 1000.0)["a"]
    assert row["median"] == 2.0
    assert row["p95"] == pytest.approx(2.9)


def test_an_export_is_timed_step_by_step(models, result):
    from hrn_studio.commands.exporttiming import time_export

    laps = time_export(result, models.head)
    assert list(laps) == [
        *("shapes and maps", "GLB", "FBX and textures", "to the disk", "total", "on the CPU")
    ]
    assert all(seconds > 0 for seconds in laps.values())
    assert sum(list(laps.values())[:4]) == pytest.approx(laps["total"])
