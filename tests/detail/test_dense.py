"""Dense landmarks of a face network as evidence beside the tracker's landmarks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.detail.coarse import CoarseSettings, solve_coarse
from hrn_studio.detail.shot import Shot
from hrn_studio.face.dense import DensePoints, DenseSettings
from hrn_studio.face.solver import LandmarkSolver
from hrn_studio.geometry.transforms import apply, project, rigid, rotation_from_angles, similarity
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.records import Coefficients, Estimate, Frame, Track
from hrn_studio.training.render import render_sample
from hrn_studio.training.stage import make_stage

LANDMARKS_ONLY = CoarseSettings(map_share=0.0, map_share_several=0.0)
NONE = np.zeros(0, np.float32)
SURE_PX, UNSURE_PX = 0.5, 1e5


@pytest.fixture(scope="module")
def solver(head, embedding):
    return LandmarkSolver(head, embedding)


@pytest.fixture(scope="module")
def vertices(head):
    return np.flatnonzero(head.regions["face"] > 0.5)[::4]


@pytest.fixture(scope="module")
def off_mm(head):
    """Root mean square distance of two identities' faces after alignment."""
    face = head.regions["face"] > 0.5

    def measure(a, b):
        one, other = (
            head.evaluate(Coefficients(np.asarray(x, np.float32), NONE))[face] for x in (a, b)
        )
        s, R, t = similarity(one, other)
        return 1000 * float(np.sqrt(np.square(s * one @ R.T + t - other).sum(1).mean()))

    return measure


def angle_deg(R, other):
    return np.degrees(np.arccos(np.clip((np.trace(R.T @ other) - 1) / 2, -1, 1)))


def looked(head, vertices, coefficients, T, camera, sigma_px=SURE_PX):
    """What a network without errors sees."""
    points = project(apply(T, head.evaluate(coefficients)[vertices]), camera)
    return DensePoints(vertices, points, np.full(len(vertices), sigma_px))


@pytest.fixture(scope="module")
def people(head, vertices):
    """Rendered people as MediaPipe tracks them: the shot, and the truth."""
    stage, found = make_stage(head, 256), []
    with MediaPipeTracker("still") as tracker:
        for seed in (1, 2, 3, 4):
            rng = np.random.default_rng([seed, 20261121])
            made = render_sample(stage, rng, neutral=1.0, yaw_deg=20.0, flaws=0.3)
            frame = Frame(made.image)
            truth = made.coefficients
            nothing = Estimate(
                np.zeros(head.identity_count),
                np.ones(head.identity_count),
                truth.expression,
                np.full(len(truth.expression), 0.1),
            )
            camera = replace(made.camera, source="user")
            shot = Shot(frame, tracker.track(frame), camera, nothing, np.ones(made.image.shape[:2]))
            dense = looked(head, vertices, truth, made.T_camera_head, camera)
            found.append((shot, dense, truth, made.T_camera_head))
    return found


def test_exact_points_bring_people_and_poses_closer(head, solver, people, off_mm):
    shape, pose = [], []
    for shot, dense, truth, T in people:
        plain, helped = (
            solve_coarse(head, solver, [s], LANDMARKS_ONLY)
            for s in (shot, replace(shot, dense=dense))
        )
        shape.append([off_mm(c.identity, truth.identity) for c in (plain, helped)])
        pose.append(
            [angle_deg(c.states[0].T_camera_head[:3, :3], T[:3, :3]) for c in (plain, helped)]
        )
    plain, helped = np.mean(shape, 0)
    assert helped < 0.8 * plain
    plain, helped = np.mean(pose, 0)
    assert helped < 0.8 * plain


def test_points_that_are_in_doubt_count_for_nothing(head, solver, people):
    shot, dense, _, _ = people[0]
    doubted = replace(dense, sigma_px=np.full(len(dense.vertices), UNSURE_PX))
    plain, same = (
        solve_coarse(head, solver, [s], LANDMARKS_ONLY)
        for s in (shot, replace(shot, dense=doubted))
    )
    np.testing.assert_allclose(same.identity, plain.identity, atol=1e-3)
    for a, b in zip(same.states, plain.states, strict=True):
        np.testing.assert_allclose(a.T_camera_head, b.T_camera_head, atol=1e-4)


def test_outliers_are_survived(head, solver, people, off_mm):
    """A hand before the face: an eighth of the points is elsewhere, and the network is sure."""
    for shot, dense, _, T in people:
        points = dense.points_px.copy()
        points[::8] += 0.3 * shot.track.size_px
        helped, torn = (
            solve_coarse(head, solver, [replace(shot, dense=d)], LANDMARKS_ONLY)
            for d in (dense, replace(dense, points_px=points))
        )
        assert off_mm(torn.identity, helped.identity) < 0.5
        assert angle_deg(torn.states[0].T_camera_head[:3, :3], T[:3, :3]) < 3.0


def test_each_picture_has_its_own_points_or_none(head, solver, person, seen, vertices):
    """The tracker errs in both; the network saw the second picture only, and that pose gains."""
    truth = Coefficients(person(3), np.zeros(head.expression_count, np.float32))
    shots = [seen(person(3), yaw, told=person(3)) for yaw in (-20, 20)]
    wrong = np.array([6.0, -4.0])
    shots = [replace(s, track=Track(s.track.points_px + wrong, s.track.depth_px)) for s in shots]
    poses = [
        rigid(rotation_from_angles(*np.radians([yaw, 0, 3.0])), np.array([0.02, -0.01, 0.6]))
        for yaw in (-20, 20)
    ]
    sight = looked(head, vertices, truth, poses[1], shots[1].camera)
    settings = replace(LANDMARKS_ONLY, map_share=1.0, map_share_several=1.0)
    found = solve_coarse(head, solver, [shots[0], replace(shots[1], dense=sight)], settings)
    away = [
        np.linalg.norm(s.T_camera_head[:2, 3] / s.scale - T[:2, 3])
        for s, T in zip(found.states, poses, strict=True)
    ]
    assert away[0] > 0.004
    assert away[1] < 0.5 * away[0]


def test_hundreds_of_points_carry_the_evidence_of_a_few_dozen():
    """Their errors go together: twice as many points say no more."""
    settings = DenseSettings(worth=36.0)
    few, many = (settings.weights(np.zeros(n), np.full(n, 0.002)).sum() for n in (400, 800))
    assert few == pytest.approx(many)
    assert few == pytest.approx(36 / 0.002**2)
    ten = settings.weights(np.zeros(10), np.full(10, 0.002)).sum()
    assert ten == pytest.approx(10 / 0.002**2)


def test_the_tracker_gives_way_as_far_as_the_network_is_sure():
    settings = DenseSettings(gives_way_m=0.02)
    sure, half, unsure = (settings.beside(np.full(9, s)) for s in (1e-4, 0.02, 100.0))
    assert sure < 0.001
    assert half == pytest.approx(0.5)
    assert unsure == pytest.approx(1.0)


def test_nothing_is_believed_beyond_reason():
    settings = DenseSettings(least_sigma_m=0.001)
    sure = settings.weights(np.zeros(4), np.array([0.0, 1e-9, 0.001, 0.002]))
    assert np.isfinite(sure).all()
    assert sure[0] == sure[2] > sure[3]
    far = settings.weights(np.array([0.0, 0.003, 0.3]), np.full(3, 0.001))
    assert far[0] > far[1] > 1000 * far[2]
