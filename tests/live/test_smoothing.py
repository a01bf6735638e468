"""The filters: still when the signal is still, there when it moved, new after a break."""

import numpy as np
import pytest

from hrn_studio.geometry.transforms import rigid, rotation_from_angles, rotation_from_vector
from hrn_studio.live.motion import Motion
from hrn_studio.live.smoothing import (
    OneEuro,
    OneEuroSettings,
    RotationOneEuro,
    rotation_vector,
)

SETTINGS = OneEuroSettings(cutoff_hz=1.0, speed_gain=5.0)
FRAME = 1 / 30


def test_a_constant_stays():
    smooth = OneEuro(SETTINGS)
    for frame in range(20):
        np.testing.assert_array_equal(smooth(np.array([1.0, -2.0]), frame * FRAME), [1.0, -2.0])


def test_a_step_is_reached_from_one_side():
    smooth = OneEuro(SETTINGS)
    smooth(np.zeros(1), 0.0)
    values = [smooth(np.ones(1), k * FRAME)[0] for k in range(1, 60)]
    assert np.all(np.diff(values) >= -1e-12)
    assert values[0] < 1
    assert values[-1] == pytest.approx(1, abs=1e-3)


def test_speed_shortens_the_lag():
    def lag(speed):
        smooth = OneEuro(SETTINGS)
        ramp = [speed * k * FRAME for k in range(90)]
        last = [smooth(np.array([v]), k * FRAME)[0] for k, v in enumerate(ramp)][-1]
        return (ramp[-1] - last) / speed

    assert lag(4.0) < 0.5 * lag(0.1)


def test_noise_at_rest_shrinks():
    noise = np.random.default_rng(0).normal(0, 0.001, (300, 3))
    smooth = OneEuro(SETTINGS)
    out = np.array([smooth(v, k * FRAME) for k, v in enumerate(noise)])
    assert out[60:].std() < 0.5 * noise.std()


@pytest.mark.parametrize("later", [0.1, -1.0, 5.0, 0.5])
def test_time_that_stands_goes_back_or_jumps_starts_anew(later):
    smooth = OneEuro(SETTINGS)
    smooth(np.zeros(2), 0.0)
    smooth(np.zeros(2), 0.1)
    np.testing.assert_array_equal(smooth(np.ones(2), 0.1 + later - 0.1 * (later == 0.1)), 1.0)


def test_reset_forgets():
    smooth = OneEuro(SETTINGS)
    smooth(np.zeros(2), 0.0)
    smooth.reset()
    np.testing.assert_array_equal(smooth(np.ones(2), FRAME), 1.0)


def test_rotations_stay_rotations_and_arrive():
    smooth = RotationOneEuro(SETTINGS)
    start, end = rotation_from_angles(0.1, 0, 0), rotation_from_angles(-0.6, 0.3, 0.2)
    np.testing.assert_array_equal(smooth(start, 0.0), start)
    before = np.linalg.norm(rotation_vector(end @ start.T))
    for k in range(1, 60):
        R = smooth(end, k * FRAME)
        np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-9)
        left = np.linalg.norm(rotation_vector(end @ R.T))
        assert left <= before + 1e-9
        before = left
    assert before < 1e-3
    smooth.reset()
    np.testing.assert_array_equal(smooth(start, 60 * FRAME), start)


def test_rotation_after_a_pause_starts_anew():
    smooth = RotationOneEuro(SETTINGS)
    smooth(np.eye(3), 0.0)
    turned = rotation_from_angles(0.5, 0, 0)
    np.testing.assert_array_equal(smooth(turned, 2.0), turned)


@pytest.mark.parametrize("vector", [(0, 0, 0), (0.3, -0.2, 0.1), (0, 0, 3.0), (1e-8, 0, 0)])
def test_rotation_vectors_are_the_inverse(vector):
    np.testing.assert_allclose(rotation_vector(rotation_from_vector(np.array(vector))), vector)


def test_a_still_face_stays_and_moves_as_one():
    blinks = np.array([False, True, False])
    motion = Motion(blinks)
    T = rigid(rotation_from_angles(0.2, 0.1, 0), np.array([0.05, -0.02, 0.6]))
    weights = np.array([0.2, 0.9, 0.0])
    for k in range(5):
        np.testing.assert_allclose(motion.pose(T, k * FRAME), T, atol=1e-12)
        np.testing.assert_allclose(motion.expression(weights, k * FRAME), weights)
        np.testing.assert_array_equal(motion.gaze(np.zeros((2, 2)), k * FRAME), 0)


def test_lids_are_quicker_than_the_rest():
    motion = Motion(np.array([False, True]))
    motion.expression(np.zeros(2), 0.0)
    mouth, lid = motion.expression(np.full(2, 0.1), FRAME)
    assert 0 < mouth < lid <= 0.1
