"""People whose landmarks are known exactly are found again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.detail.coarse import CoarseSettings, solve_coarse
from hrn_studio.face.solver import LandmarkSolver
from hrn_studio.geometry.transforms import rotation_from_angles, similarity
from hrn_studio.records import Camera, Coefficients

LANDMARKS_ONLY = CoarseSettings(map_share=0.0, map_share_several=0.0)
NONE = np.zeros(0, np.float32)


@pytest.fixture(scope="module")
def solver(head, embedding):
    return LandmarkSolver(head, embedding)


@pytest.fixture(scope="module")
def off_mm(head):
    """Median distance of two identities' faces after alignment."""
    face = head.regions["face"] > 0.5

    def measure(a, b):
        one, other = (
            head.evaluate(Coefficients(np.asarray(x, np.float32), NONE))[face] for x in (a, b)
        )
        s, R, t = similarity(one, other)
        return 1000 * float(np.median(np.linalg.norm(s * one @ R.T + t - other, axis=1)))

    return measure


def angle_deg(R, other):
    return np.degrees(np.arccos(np.clip((np.trace(R.T @ other) - 1) / 2, -1, 1)))


def test_a_known_person_is_found_by_the_landmarks(head, solver, person, seen, off_mm):
    truth = person(1)
    found = solve_coarse(head, solver, [seen(truth)], LANDMARKS_ONLY)
    three = [seen(truth, yaw) for yaw in (-30, 0, 30)]
    better = solve_coarse(head, solver, three, LANDMARKS_ONLY)
    unfitted = off_mm(np.zeros_like(truth), truth)
    assert off_mm(found.identity, truth) < 0.6 * unfitted
    assert off_mm(better.identity, truth) < 0.6 * unfitted
    assert off_mm(better.identity, truth) < max(off_mm(one, truth) for one in better.singles)


def test_the_maps_are_believed_as_far_as_told(head, solver, person, seen):
    truth, told = person(2), person(3)
    shots = [seen(truth, told=told)]
    maps = solve_coarse(head, solver, shots, CoarseSettings(map_share=1.0)).identity
    np.testing.assert_allclose(maps, told, atol=1e-6)
    landmarks = solve_coarse(head, solver, shots, LANDMARKS_ONLY).identity
    half = solve_coarse(head, solver, shots, CoarseSettings(map_share=0.5)).identity
    np.testing.assert_allclose(half, 0.5 * (maps + landmarks), atol=1e-6)


def test_pose_and_expression_are_each_pictures_own(head, solver, person, seen):
    truth, angles = person(4), [(-25, 0), (0, 10), (20, -5)]
    smile = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}
    shots = [
        seen(truth, *a, told=truth, expression=smile if k == 1 else None)
        for k, a in enumerate(angles)
    ]
    found = solve_coarse(head, solver, shots, CoarseSettings())
    for state, (yaw, pitch) in zip(found.states, angles, strict=True):
        R = rotation_from_angles(*np.radians([yaw, pitch, 3.0]))
        assert angle_deg(state.T_camera_head[:3, :3], R) < 1.0
        at = state.T_camera_head[:3, 3] / state.scale
        np.testing.assert_allclose(at[:2], (0.02, -0.01), atol=0.002)
        assert at[2] == pytest.approx(0.6, rel=0.02)
        np.testing.assert_array_equal(
            state.coefficients.identity, found.states[0].coefficients.identity
        )
    smiles = [
        s.coefficients.expression[head.expression_names.index("mouthSmileLeft")]
        for s in found.states
    ]
    assert smiles[1] > 0.6
    assert max(smiles[0], smiles[2]) < 0.1


def test_left_and_right_are_treated_alike(head, solver, person, seen):
    """Mirrored people differ by their signs; a shared mean head has no side."""
    mean = np.zeros(head.identity_count)
    left, right = (
        solve_coarse(head, solver, [seen(mean, yaw, at=(0, 0, 0.6))], CoarseSettings())
        for yaw in (25, -25)
    )
    poses = [s.states[0].T_camera_head for s in (left, right)]
    yaws = [np.degrees(np.arcsin(T[2, 0])) for T in poses]
    assert yaws[0] == pytest.approx(-yaws[1], abs=0.2)


def test_a_stranger_among_several_is_left_out(head, solver, person, seen):
    truth = person(5)
    other = truth + 8 * np.sign(person(6))
    shots = [
        seen(other, told=other, name="stranger.jpg"),
        *(seen(truth, yaw, told=truth, name=f"me{yaw}.jpg") for yaw in (-20, 0, 20)),
    ]
    found = solve_coarse(head, solver, shots, CoarseSettings())
    np.testing.assert_array_equal(found.weights, [0, 1, 1, 1])
    alone = solve_coarse(head, solver, shots[1:], CoarseSettings())
    np.testing.assert_allclose(found.identity, alone.identity, atol=1e-6)
    assert np.isfinite([s.T_camera_head for s in found.states]).all()


def test_pictures_that_agree_all_count(head, solver, person, seen):
    truth = person(7)
    shots = [seen(truth, yaw, told=truth, name=f"me{yaw}.jpg") for yaw in (-20, 0, 20)]
    assert (solve_coarse(head, solver, shots, CoarseSettings()).weights == 1).all()
    assert (solve_coarse(head, solver, shots[:2], CoarseSettings()).weights == 1).all()


def test_one_unknown_camera_is_estimated_together(head, solver, person, seen):
    truth = person(9)
    guessed = Camera(640, 480, 700.0, (320.0, 240.0), "default")
    shots = [
        seen(truth, yaw, pitch, told=truth, camera=guessed, true_focal=560.0, at=(0, 0, 0.4))
        for yaw, pitch in ((-30, 0), (0, 0), (30, 0), (0, 15), (0, -15))
    ]
    found = solve_coarse(head, solver, shots, CoarseSettings())
    focals = {s.camera.focal_px for s in found.states}
    assert len(focals) == 1
    assert {s.camera.source for s in found.states} == {"estimated"}
    assert 540 < focals.pop() < 640

    known = [replace(s, camera=replace(s.camera, source="exif")) for s in shots]
    kept = solve_coarse(head, solver, known, CoarseSettings())
    assert {(s.camera.focal_px, s.camera.source) for s in kept.states} == {(700.0, "exif")}


def test_a_measured_eye_distance_is_met_exactly(head, solver, person, seen):
    shots = [seen(person(10), yaw) for yaw in (0, 20)]
    free = solve_coarse(head, solver, shots, CoarseSettings())
    found = solve_coarse(head, solver, shots, CoarseSettings(), eye_distance_m=0.071)
    assert {s.scale_source for s in found.states} == {"measured_ipd"}
    assert {s.scale for s in found.states} == {found.states[0].scale}
    left, right = head.eye_centers(found.states[0].coefficients.identity) * found.states[0].scale
    assert np.linalg.norm(left - right) == pytest.approx(0.071, rel=1e-6)
    # the picture stays the same: everything is as much larger as it is further away
    for a, b in zip(free.states, found.states, strict=True):
        np.testing.assert_allclose(
            a.T_camera_head[:3, 3] / a.scale, b.T_camera_head[:3, 3] / b.scale, atol=1e-9
        )


def test_small_expressions_are_taken_for_neutral(head, solver, person, seen):
    faint = seen(person(11), expression={"jawOpen": 0.05, "eyeBlinkLeft": 0.2})
    found = solve_coarse(head, solver, [faint], CoarseSettings())
    assert found.states[0].coefficients.expression.max() == 0
