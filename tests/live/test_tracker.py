"""The MediaPipe tracker on real and made pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hrn_studio.errors import FaceCutError, FaceTooSmallError, NoFaceError
from hrn_studio.live._cv import cv2
from hrn_studio.live.facemesh import LEFT_EYE, LEFT_IRIS, LIPS_OUTER, RIGHT_EYE, yaw_deg
from hrn_studio.live.images import read_image
from hrn_studio.live.sources import VideoFile
from hrn_studio.live.tracker import LandmarkTracker, MediaPipeTracker
from hrn_studio.records import Frame


@pytest.fixture(scope="module")
def still() -> Iterator[MediaPipeTracker]:
    with MediaPipeTracker("still") as tracker:
        yield tracker


@pytest.fixture(scope="module")
def portrait(photos_dir: Path) -> Frame:
    return read_image(photos_dir / "00016.png")


@pytest.fixture(scope="module")
def astronaut(photos_dir: Path) -> Frame:
    return read_image(photos_dir / "astronaut.png")


def pasted(frame: Frame, x: int, y: int, width: int, height: int) -> Frame:
    """The picture somewhere in a larger, calm one."""
    image = np.full((height, width, 3), 120, np.uint8)
    image[:, ::2] += 10
    image[y : y + frame.height, x : x + frame.width] = frame.image
    return Frame(image, name="pasted.png")


def cartoon() -> Frame:
    image = np.full((480, 480, 3), 230, np.uint8)
    cv2.ellipse(image, (240, 240), (130, 170), 0, 0, 360, (255, 220, 180), -1)
    cv2.ellipse(image, (240, 110), (135, 60), 0, 180, 360, (60, 30, 10), -1)
    for side in (-50, 50):
        cv2.ellipse(image, (240 + side, 210), (25, 14), 0, 0, 360, (255, 255, 255), -1)
        cv2.circle(image, (240 + side, 210), 9, (40, 80, 120), -1)
        cv2.line(image, (215 + side, 178), (265 + side, 176), (60, 30, 10), 6)
    cv2.line(image, (240, 220), (230, 270), (150, 100, 80), 3)
    cv2.line(image, (230, 270), (245, 275), (150, 100, 80), 3)
    cv2.ellipse(image, (240, 325), (45, 18), 0, 0, 180, (180, 40, 40), -1)
    return Frame(image, name="cartoon.png")


def test_a_face_is_found(still: MediaPipeTracker, portrait: Frame) -> None:
    track = still.track(portrait)
    assert track.points_px.shape == (478, 2)
    assert track.depth_px.shape == (478,)
    assert abs(float(track.depth_px.mean())) < 1e-2
    assert 600 < track.size_px < 700
    assert (track.faces, track.notes) == (1, ())
    left, right = (track.points_px[list(eye)].mean(axis=0) for eye in (LEFT_EYE, RIGHT_EYE))
    assert left[0] > right[0] + 150  # the subject's left is on the picture's right
    assert np.linalg.norm(track.points_px[LEFT_IRIS[0]] - left) < 20
    assert track.points_px[list(LIPS_OUTER), 1].mean() > left[1] + 100
    nose = track.depth_px[1]
    assert nose < track.depth_px[234]
    assert nose < track.depth_px[454]


def test_the_same_picture_gives_the_same_track(portrait: Frame) -> None:
    tracks = []
    for _ in range(2):
        with MediaPipeTracker("still") as tracker:
            tracks.append(tracker.track_augmented(portrait, 5))
    assert np.array_equal(tracks[0].points_px, tracks[1].points_px)


def test_many_looks_agree_on_a_good_face(still: MediaPipeTracker, portrait: Frame) -> None:
    one, many = still.track(portrait), still.track_augmented(portrait)
    assert np.abs(one.points_px - many.points_px).max() < 0.03 * many.size_px
    assert many.scatter_px.shape == (478,)
    assert 0.001 < many.scatter_px.mean() / many.size_px < 0.005
    assert many.confidence > 0.9


def test_a_mirrored_picture_gives_the_mirrored_track(
    still: MediaPipeTracker, portrait: Frame
) -> None:
    from hrn_studio.live.facemesh import MIRROR

    track = still.track(portrait)
    flipped = still.track(Frame(portrait.image[:, ::-1]))
    back = flipped.points_px[list(MIRROR)] * [-1, 1] + [portrait.width, 0]
    assert np.linalg.norm(back - track.points_px, axis=1).max() < 0.015 * track.size_px


def test_size_of_the_picture_hardly_matters(still: MediaPipeTracker, portrait: Frame) -> None:
    track = still.track(portrait)
    for factor in (0.25, 3.5):
        side = round(portrait.width * factor)
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        image = np.asarray(cv2.resize(portrait.image, (side, side), interpolation=how), np.uint8)
        other = still.track(Frame(image))
        away = np.linalg.norm(other.points_px / factor - track.points_px, axis=1)
        assert away.mean() < 0.004 * track.size_px


def test_a_small_face_in_a_large_picture(still: MediaPipeTracker, astronaut: Frame) -> None:
    alone = still.track(astronaut)
    track = still.track(pasted(astronaut, 2500, 1700, 4000, 3000))
    away = track.points_px - [2500, 1700] - alone.points_px
    assert np.linalg.norm(away, axis=1).mean() < 0.02 * alone.size_px


def test_the_largest_of_two_faces(
    still: MediaPipeTracker, portrait: Frame, astronaut: Frame
) -> None:
    side = 700
    image = np.zeros((side, side + 512, 3), np.uint8)
    image[:, :side] = cv2.resize(portrait.image, (side, side), interpolation=cv2.INTER_AREA)
    image[:512, side:] = cv2.resize(astronaut.image[0:256, 90:346], (512, 512))
    track = still.track(Frame(image))
    assert track.faces == 2
    assert track.notes == ("the largest of 2 faces was taken",)
    assert track.points_px[:, 0].max() < side


def test_what_is_refused(still: MediaPipeTracker, portrait: Frame, astronaut: Frame) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    with pytest.raises(NoFaceError, match="no face was found in noise"):
        still.track(Frame(noise, name="noise.png"))
    with pytest.raises(NoFaceError, match="looks like a drawing"):
        still.track(cartoon())
    with pytest.raises(FaceCutError):
        still.track(Frame(portrait.image[:, 400:]))
    small = cv2.resize(astronaut.image, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    with pytest.raises(FaceTooSmallError):
        still.track(Frame(np.asarray(small, np.uint8)))


@pytest.mark.parametrize("quarter_turns", [1, 2])
def test_a_picture_on_its_side(
    still: MediaPipeTracker, portrait: Frame, quarter_turns: int
) -> None:
    turned = Frame(np.rot90(portrait.image, quarter_turns), name="turned.jpg")
    with pytest.raises(NoFaceError, match=r"turned\.jpg seems to lie on its side"):
        still.track_augmented(turned)


def test_a_half_hidden_face_is_refused(still: MediaPipeTracker, portrait: Frame) -> None:
    track = still.track(portrait)
    image = portrait.image.copy()
    image[:, int(track.points_px[1, 0]) :] = 90
    with pytest.raises(NoFaceError, match=r"covered|cannot be followed|no face"):
        still.track_augmented(Frame(image, name="half.png"))


def test_a_covered_mouth_is_noted(still: MediaPipeTracker, portrait: Frame) -> None:
    track = still.track(portrait)
    image = portrait.image.copy()
    image[int(track.points_px[2, 1]) + 20 :] = (90, 110, 140)
    notes = still.track_augmented(Frame(image)).notes
    assert "something flat seems to cover a part of the face" in notes


@pytest.mark.bench
def test_yaw_on_the_benchmark(still: MediaPipeTracker, bench_dir: Path) -> None:
    errors = []
    for path in sorted((bench_dir / "images").glob("ict_*_multi[0-4].json"))[:15]:
        truth = json.loads(path.read_text())["yaw"]
        track = still.track(read_image(path.with_suffix(".jpg")))
        errors.append(yaw_deg(track.points_px, track.depth_px) - truth)
    assert np.sqrt(np.mean(np.square(errors))) < 3


@pytest.mark.bench
def test_a_video_is_followed(bench_dir: Path) -> None:
    points = []
    tracker: LandmarkTracker
    with VideoFile(bench_dir / "clip.mp4") as source, MediaPipeTracker("video") as tracker:
        for frame in source:
            track = tracker.track(frame)
            assert (track.frame_index, track.time_s) == (frame.index, frame.time_s)
            points.append(track.points_px)
            if frame.index == 20:
                break
    steps = np.linalg.norm(np.diff(points, axis=0), axis=2).mean(axis=1)
    assert steps.max() < 0.05 * track.size_px


def test_a_video_without_a_face() -> None:
    with (
        MediaPipeTracker("video") as tracker,
        pytest.raises(NoFaceError, match="no face was found in frame"),
    ):
        tracker.track(Frame(np.zeros((64, 96, 3), np.uint8)))
    tracker.close()


def test_the_tracker_is_quiet(root: Path) -> None:
    code = """
import numpy as np
from hrn_studio.errors import NoFaceError
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.records import Frame
with MediaPipeTracker("still") as tracker:
    try:
        tracker.track(Frame(np.zeros((100, 150, 3), np.uint8)))
    except NoFaceError:
        pass
import sys
print(sorted({"torch", "PySide6"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert done.stdout == "[]\n"
