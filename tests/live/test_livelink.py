"""The text of a take, column by column."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np
import pytest

from hrn_studio.geometry.transforms import rigid, rotation_from_angles
from hrn_studio.live.livelink import ANGLES, SHAPES, arkit_name, livelink_csv, timecode
from hrn_studio.records import Camera, Coefficients, FaceState


def state(time_s: float = 0.0, **shapes: float) -> FaceState:
    names = [arkit_name(shape) for shape in SHAPES]
    expression = np.array([shapes.get(name, 0.0) for name in names], np.float32)
    gaze = np.array([[0.1, 0.2], [0.3, -0.4]], np.float32)
    pose = rigid(rotation_from_angles(0.5, -0.2, 0.1), np.array([0, 0, 0.6]))
    camera = Camera.from_hfov(640, 480, 60)
    return FaceState(Coefficients(np.zeros(1), expression, gaze), pose, camera, time_s=time_s)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_the_header_is_the_apps() -> None:
    header = livelink_csv([], []).strip().split(",")
    assert len(header) == 63
    assert header[:4] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft", "EyeLookDownLeft"]
    assert header[16:20] == ["JawForward", "JawRight", "JawLeft", "JawOpen"]
    assert header[-10:] == ["TongueOut", *ANGLES]
    assert len(set(SHAPES)) == 52


def test_values_stand_under_their_names() -> None:
    names = [arkit_name(shape) for shape in SHAPES]
    text = livelink_csv([state(1.25, jawLeft=0.25, tongueOut=1.5)], names)
    (row,) = rows(text)
    assert row["Timecode"] == "00:00:01:15.000"
    assert row["BlendShapeCount"] == "61"
    assert float(row["JawLeft"]) == 0.25
    assert float(row["JawRight"]) == 0.0
    assert float(row["TongueOut"]) == 1.0
    assert float(row["HeadYaw"]) == pytest.approx(0.5)
    assert float(row["HeadPitch"]) == pytest.approx(-0.2)
    assert float(row["HeadRoll"]) == pytest.approx(0.1)
    assert float(row["LeftEyeYaw"]) == pytest.approx(-0.1)
    assert float(row["LeftEyePitch"]) == pytest.approx(-0.2)
    assert float(row["RightEyeYaw"]) == pytest.approx(-0.3)
    assert float(row["RightEyePitch"]) == pytest.approx(0.4)
    assert "-0.0000000000" not in text


def test_another_order_and_missing_shapes() -> None:
    one = state()
    coefficients = Coefficients(np.zeros(1), np.array([0.5, 0.75], np.float32))
    two = FaceState(coefficients, one.T_camera_head, one.camera)
    (row,) = rows(livelink_csv([two], ["jawOpen", "eyeBlinkRight"]))
    assert float(row["JawOpen"]) == 0.5
    assert float(row["EyeBlinkRight"]) == 0.75
    assert float(row["EyeBlinkLeft"]) == 0.0


@pytest.mark.parametrize(
    ("time_s", "code"),
    [
        (0.0, "00:00:00:00.000"),
        (1 / 120, "00:00:00:00.500"),
        (0.999999, "00:00:01:00.000"),
        (3661.5, "01:01:01:30.000"),
    ],
)
def test_timecode(time_s: float, code: str) -> None:
    assert timecode(time_s) == code
