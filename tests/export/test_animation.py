"""Recordings are read as they were written, and nothing else is taken for one."""

import numpy as np
import pytest

from hrn_studio.errors import UsageError
from hrn_studio.export.animation import curves_of, parse_take, read_take
from hrn_studio.geometry.transforms import rigid, rotation_from_angles
from hrn_studio.live.livelink import livelink_csv
from hrn_studio.records import Camera, Coefficients, FaceState

HEAD = "Timecode,BlendShapeCount,JawOpen,HeadYaw"


def take_of(head, count=5, start=0.0):
    """States as a tracker gives them, and the text of their recording."""
    rng = np.random.default_rng(3)
    states = []
    for frame in range(count):
        angles = rng.uniform(-0.4, 0.4, 3)
        weights = rng.uniform(0, 1, head.expression_count)
        gaze = rng.uniform(-0.3, 0.3, (2, 2))
        coefficients = Coefficients(np.zeros(1), weights, gaze)
        T = rigid(rotation_from_angles(*angles), np.array([0, 0, 0.6]))
        camera = Camera.from_hfov(640, 480, 60)
        states.append(FaceState(coefficients, T, camera, time_s=start + frame / 25))
    return states, livelink_csv(states, head.expression_names)


def test_a_recording_comes_back(head):
    states, text = take_of(head, start=7261.2)
    take = parse_take(text, "me")
    np.testing.assert_allclose(take.times_s, np.arange(5) / 25, atol=1e-4)
    assert take.rate == pytest.approx(25, rel=1e-3)
    for number, name in enumerate(head.expression_names):
        truth = [s.coefficients.expression[number] for s in states]
        np.testing.assert_allclose(take.weights_of(name), truth, atol=1e-6)
    flip = np.diag([1, -1, -1])
    for state, R in zip(states, take.head_rotations(), strict=True):
        np.testing.assert_allclose(R, flip @ state.T_camera_head[:3, :3], atol=1e-6)
    assert curves_of(take)["LeftEyeYaw"][2] == pytest.approx(-states[2].coefficients.gaze[0, 0])


def test_a_shape_that_was_not_recorded_is_still(head):
    take = parse_take(HEAD + "\n00:00:00:00.000,2,0.5,0.1\n", "a")
    assert take.shapes == ("jawOpen",)
    assert not take.weights_of("tongueOut").any()
    np.testing.assert_allclose(take.angles[0], [0.1] + [0] * 8)


def test_midnight_and_doubled_frames():
    rows = ["23:59:59:58.000,2,0.1,0", "00:00:00:00.000,2,0.2,0", "00:00:00:00.000,2,0.3,0"]
    take = parse_take("\n".join([HEAD, *rows, "00:00:00:02.000,2,0.4,0"]), "a")
    np.testing.assert_allclose(take.times_s, [0, 2 / 60, 4 / 60], atol=1e-9)
    np.testing.assert_allclose(take.weights_of("jawOpen"), [0.1, 0.2, 0.4], atol=1e-6)


def test_weights_stay_between_nothing_and_all():
    take = parse_take(HEAD + "\n00:00:00:00.000,2,1.7,0\n00:00:00:01.000,2,-1,0\n", "a")
    np.testing.assert_array_equal(take.weights_of("jawOpen"), [1, 0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a recording"),
        ("a,b,c\n1,2,3\n", "is not a recording"),
        ("Timecode,Nothing\n00:00:00:00,1\n", "is not a recording"),
        (HEAD + "\n", "has 0 frames"),
        (HEAD + "\n00:00:00:00.000,2,x,0\n", "row 2 of"),
        (HEAD + "\n00:00:00:00.000,2,0,0\n00:00,2,0,0\n", "row 3 of"),
        (HEAD + "\n00:00:00:00.000,2\n", "row 2 of"),
        (HEAD + "\n00:00:00:00.000,2,nan,0\n", "holds no number"),
    ],
)
def test_what_is_no_recording_is_refused(text, said, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_take(path)


def test_missing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_take(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(UsageError, match="is not a recording"):
        read_take(tmp_path / "b.csv")
