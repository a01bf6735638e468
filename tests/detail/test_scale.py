"""The irises as a ruler, and as a pointer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.face.irises import gaze_of
from hrn_studio.face.scale import IRIS_RINGS, head_scale, iris_log_scale
from hrn_studio.geometry.transforms import apply, project, rigid, rotation_from_angles
from hrn_studio.records import Camera, Coefficients, FaceState


@pytest.fixture(scope="module")
def looking(head, embedding, person, seen):
    """Track and true state of a person whose eyes look somewhere."""

    def look(yaw_deg=0.0, gaze=(0.0, 0.0), camera=None, irises=1.0):
        lens = camera or Camera(1280, 960, 1400.0, (640.0, 480.0), "user")
        shot = seen(person(1), yaw_deg, camera=lens)
        eyes = np.float32([gaze, gaze])
        coefficients = Coefficients(
            person(1).astype(np.float32), np.zeros(head.expression_count), eyes
        )
        T = rigid(
            rotation_from_angles(*np.radians([yaw_deg, 0, 3.0])), np.array([0.02, -0.01, 0.6])
        )
        points = project(apply(T, embedding.points(head.evaluate(coefficients))), lens)
        for ring in IRIS_RINGS.values():
            rim = points[list(ring)]
            points[list(ring)] = rim.mean(0) + irises * (rim - rim.mean(0))
        return replace(shot.track, points_px=points), FaceState(coefficients, T, lens)

    return look


def test_an_average_iris_leaves_the_head_as_it_is(head, looking):
    assert iris_log_scale(*looking(), head) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("yaw_deg", [-35, -20, 20, 35])
def test_a_turned_eye_is_not_taken_for_a_small_one(head, looking, yaw_deg):
    front = iris_log_scale(*looking(), head)
    assert iris_log_scale(*looking(yaw_deg), head) == pytest.approx(front, abs=0.03)


def test_small_irises_mean_a_large_head_far_away(head, looking):
    usual = iris_log_scale(*looking(), head)
    small = iris_log_scale(*looking(irises=0.9), head)
    assert small - usual == pytest.approx(-np.log(0.9), abs=0.01)


def test_the_head_is_drawn_towards_the_mean(head, looking):
    seen = [looking(irises=0.9), looking(irises=0.9)]
    tracks, states = zip(*seen, strict=True)
    scale, source = head_scale(tracks, states, [True, True], head)
    assert source == "iris"
    assert 1.0 < scale < 1 / 0.9
    wild, _ = head_scale(*zip(looking(irises=0.3), strict=True), [True], head)
    assert wild < 1.15


def test_no_iris_no_ruler(head, looking):
    track, state = looking()
    assert head_scale([track], [state], [False], head) == (1.0, "population_mean")
    far = looking(camera=Camera(320, 240, 200.0, (160.0, 120.0), "user"))
    assert iris_log_scale(*far, head) is None
    fewer = replace(track, points_px=track.points_px[:468], depth_px=track.depth_px[:468])
    assert iris_log_scale(fewer, state, head) is None
    assert not gaze_of(head, fewer, state).any()


@pytest.mark.parametrize("yaw_deg", [0, 25])
@pytest.mark.parametrize("gaze", [(0.0, 0.0), (0.25, 0.0), (-0.2, 0.1), (0.0, -0.15)])
def test_the_eyes_look_where_their_irises_are(head, looking, gaze, yaw_deg):
    track, state = looking(yaw_deg, gaze)
    np.testing.assert_allclose(gaze_of(head, track, state), [gaze, gaze], atol=0.06)


def test_closed_eyes_do_not_look(head, looking):
    track, state = looking(gaze=(0.2, 0.0))
    shut = head.weights({"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0})
    closed = replace(state, coefficients=replace(state.coefficients, expression=shut))
    assert not gaze_of(head, track, closed).any()
