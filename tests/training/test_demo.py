"""The bundled demo: small, readable, and what demo.json says."""

import json

import numpy as np
import pytest

from hrn_studio import paths
from hrn_studio.face.landmarks import load_embedding
from hrn_studio.face.model import load_head
from hrn_studio.geometry.transforms import apply, project
from hrn_studio.live._cv import cv2
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.records import Camera, Coefficients, Frame

DEMO = paths.resources() / "demo"


@pytest.fixture(scope="module")
def truth():
    return json.loads((DEMO / "demo.json").read_text())


@pytest.fixture(scope="module")
def landmarks(truth):
    """Where the embedded landmarks of a frame fall, pixels."""
    head, embedding = load_head(), load_embedding()

    def place(frame):
        camera = Camera(
            frame["width"], frame["height"], frame["focal_px"], tuple(frame["center_px"])
        )
        coefficients = Coefficients(
            np.array(truth["person"]["identity"]),
            head.weights(frame["expression"]),
            np.array(frame["gaze"]),
        )
        points = embedding.points(head.evaluate(coefficients))
        return project(apply(np.array(frame["T_camera_head"]), points), camera)

    return place


def clip_frames():
    video = cv2.VideoCapture(str(DEMO / "clip.mp4"))
    try:
        while True:
            more, picture = video.read()
            if not more:
                return
            yield np.ascontiguousarray(picture[..., ::-1])
    finally:
        video.release()


def off(points, track, size):
    """Median distance of the used landmarks, as a share of the eyes' distance."""
    usable = load_embedding().usable
    away = np.linalg.norm(points - track.points_px, axis=1)[usable]
    return float(np.median(away)) / size


def test_the_demo_is_small():
    assert sum(p.stat().st_size for p in DEMO.iterdir()) < 1_000_000


def test_the_tracker_finds_each_still_where_it_is_said_to_be(truth, landmarks):
    with MediaPipeTracker("still") as tracker:
        for still in truth["stills"]:
            picture = cv2.imread(str(DEMO / still["file"]))[..., ::-1]
            assert picture.shape == (still["height"], still["width"], 3)
            points = landmarks(still)
            eyes = np.linalg.norm(points[468] - points[473])
            track = tracker.track(Frame(np.ascontiguousarray(picture)))
            assert off(points, track, eyes) < 0.06


def test_the_tracker_follows_every_frame_of_the_clip(truth, landmarks):
    told = truth["clip"]["frames"]
    seen = 0
    with MediaPipeTracker("video") as tracker:
        for index, picture in enumerate(clip_frames()):
            track = tracker.track(Frame(picture, index=index))
            points = landmarks(told[index])
            assert off(points, track, np.linalg.norm(points[468] - points[473])) < 0.09, index
            seen += 1
    assert seen == len(told) == 125


def test_the_person_turns_and_moves_the_face(truth):
    told = truth["clip"]["frames"]
    angles = np.array([f["yaw_pitch_roll_deg"] for f in told])
    assert angles[:, 0].max() > 25
    assert angles[:, 0].min() < -25
    assert angles[:, 1].max() > 10
    assert angles[:, 1].min() < -8
    assert np.abs(np.diff(angles, axis=0)).max() < 6, "a jump"
    for name in ("mouthSmileLeft", "jawOpen", "eyeBlinkLeft"):
        assert max(f["expression"].get(name, 0) for f in told) > 0.5
