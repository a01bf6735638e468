"""``hrn-studio track`` on a piece of the bundled clip, and on what is not a video of a face."""

import csv
import functools
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

from hrn_studio import cli, paths
from hrn_studio.commands.track import left_out
from hrn_studio.face.landmarks import load_embedding
from hrn_studio.face.model import load_head
from hrn_studio.live import network
from hrn_studio.live.livelink import ANGLES, SHAPES
from hrn_studio.live.offline import Take, track_video
from hrn_studio.live.regression import load_maps
from hrn_studio.live.sources import VideoFile
from hrn_studio.pipeline import finish

FRAMES = 24


def film(path, pictures):
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (width, height))
    for picture in pictures:
        writer.write(picture[..., ::-1])
    writer.release()
    return path


@pytest.fixture(scope="module")
def pictures(resources):
    with VideoFile(resources / "demo" / "clip.mp4") as video:
        return [frame.image for frame, _ in zip(video, range(FRAMES), strict=False)]


@pytest.fixture(scope="module")
def clip(pictures, tmp_path_factory):
    """Two frames of nothing, then a face."""
    nothing = [np.full_like(pictures[0], 90)] * 2
    return film(tmp_path_factory.mktemp("clip") / "clip.mp4", nothing + pictures)


def test_a_video_becomes_a_take(clip, tmp_path, capsys):
    out = tmp_path / "take" / "track.csv"
    assert cli.main(["track", str(clip), "-o", str(out)]) == 0
    said = capsys.readouterr()
    assert f"{FRAMES} of {FRAMES + 2} frames" in said.out
    assert "left out frames 0 to 1: " in said.err
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == FRAMES
    assert list(rows[0]) == ["Timecode", "BlendShapeCount", *SHAPES, *ANGLES]
    assert re.fullmatch(r"00:00:00:04\.800", rows[0]["Timecode"])
    shapes = np.array([[float(row[name]) for name in SHAPES] for row in rows])
    assert np.all((shapes >= 0) & (shapes <= 1))
    assert [path.name for path in out.parent.iterdir()] == ["track.csv"]


def test_one_person_from_the_first_frame_on(clip):
    task = track_video(clip, load_head(), load_embedding(), load_maps(), hfov_deg=50)
    take = finish(task)
    first, last = take.states[0], take.states[-1]
    np.testing.assert_array_equal(first.coefficients.identity, last.coefficients.identity)
    assert first.scale == last.scale
    assert first.camera.hfov_deg == pytest.approx(50)
    assert take.frames == FRAMES + 2
    assert [index for index, _ in take.missed] == [0, 1]


@pytest.fixture
def said(tmp_path, capsys):
    """Runs the command that must fail; its one sentence."""

    def call(*args, out="track.csv"):
        assert cli.main(["track", *map(str, args), "-o", str(tmp_path / out)]) == 2
        lines = [
            line for line in capsys.readouterr().err.splitlines() if line.startswith("hrn-studio: ")
        ]
        assert len(lines) == 1
        assert not (tmp_path / "track.csv").exists()
        return lines[0]

    return call


def test_a_missing_file(said, tmp_path):
    assert "does not exist" in said(tmp_path / "no.mp4")


def test_what_is_not_a_video(said, tmp_path):
    (tmp_path / "a.mp4").write_text("hello")
    assert "is not a video" in said(tmp_path / "a.mp4")


@pytest.mark.parametrize("kind", ["text", "empty", "cut"])
def test_nothing_but_the_sentence_reaches_the_terminal(tmp_path, resources, kind):
    """In a process of its own: OpenCV and FFmpeg write past Python."""
    content = {"text": b"hello", "empty": b"", "cut": b""}[kind]
    if kind == "cut":
        content = (resources / "demo" / "clip.mp4").read_bytes()[:60_000]
    (tmp_path / "a.mp4").write_bytes(content)
    command = ["track", str(tmp_path / "a.mp4"), "-o", str(tmp_path / "take" / "a.csv")]
    done = subprocess.run(
        [sys.executable, "-m", "hrn_studio.cli", *command], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"hrn-studio: '.*a\.mp4' is not a video .*; convert it .*\n", done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_file_in_the_folders_place(said, tmp_path, clip):
    (tmp_path / "mine").write_text("mine")
    assert "in the way" in said(clip, out="mine/track.csv")
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("name", ["head.npz", "landmarks.npz", "regression.npz"])
def test_a_damaged_file_of_the_program(said, tmp_path, resources, clip, monkeypatch, name):
    copy = tmp_path / "resources"
    copy.mkdir()
    for file in ("head.npz", "landmarks.npz", "regression.npz"):
        content = (resources / file).read_bytes()
        (copy / file).write_bytes(content[: len(content) // 2] if file == name else content)
    monkeypatch.setattr(paths, "resources", lambda: copy)
    line = said(clip)
    assert name in line
    assert "damaged; install HRN Studio again" in line


def test_a_video_without_a_face(said, tmp_path):
    grey = film(tmp_path / "grey.mp4", [np.full((240, 320, 3), 90, np.uint8)] * 3)
    assert "no usable face in any of its 3 frames" in said(grey)


def test_a_view_no_camera_has(said, tmp_path):
    assert "--hfov" in said(tmp_path / "a.mp4", "--hfov", 200)


def test_a_folder_in_the_way(said, tmp_path):
    (tmp_path / "folder").mkdir()
    assert "is a folder" in said(tmp_path / "a.mp4", out="folder")


def test_an_old_take_survives_a_failure(tmp_path, capsys):
    out = tmp_path / "track.csv"
    out.write_text("old")
    assert cli.main(["track", str(tmp_path / "no.mp4"), "-o", str(out)]) == 2
    assert out.read_text() == "old"


def test_runs_of_missing_frames_are_told_together():
    missed = tuple((i, "why") for i in (3, 4, 5, 9, 11, 13, 15, 17, 18))
    lines = left_out(Take((), 20, missed))
    assert lines[0] == "left out frames 3 to 5: why"
    assert lines[1] == "left out frame 9: why"
    assert lines[-1] == "left out 2 more frames"
    assert len(lines) == 6


def test_the_face_network_looks_too(clip, tmp_path):
    plain, helped = tmp_path / "plain.csv", tmp_path / "helped.csv"
    assert cli.main(["track", str(clip), "-o", str(plain)]) == 0
    assert cli.main(["track", str(clip), "-o", str(helped), "--network"]) == 0
    one, other = (list(csv.DictReader(f.read_text().splitlines())) for f in (plain, helped))
    assert len(one) == len(other) == FRAMES
    turned = [
        abs(float(a["HeadYaw"]) - float(b["HeadYaw"])) for a, b in zip(one, other, strict=True)
    ]
    assert 0 < max(turned) < 0.3  # radians: another pose of the same face


def test_without_its_weights_the_network_is_refused(clip, tmp_path, monkeypatch, capsys):
    missing = tmp_path / "nothing"
    load = functools.partial(network.load_network, missing / "network.npz")
    monkeypatch.setattr("hrn_studio.live.estimator.load_network", load)
    assert cli.main(["track", str(clip), "-o", str(tmp_path / "take.csv"), "--network"]) != 0
    said = capsys.readouterr().err.strip()
    assert "network.npz" in said
    assert "install HRN Studio again" in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "take.csv").exists()


def test_hrn_and_the_network_exclude_each_other(clip, tmp_path, capsys):
    out = str(tmp_path / "take.csv")
    assert cli.main(["track", str(clip), "-o", out, "--engine", "hrn", "--network"]) != 0
    assert "leave one out" in capsys.readouterr().err
