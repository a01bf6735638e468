"""Landmarks made from known faces give those faces back."""

from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.face.dense import DensePoints
from hrn_studio.face.follower import PoseFollower
from hrn_studio.face.irises import gaze_of
from hrn_studio.face.landmarks import load_embedding
from hrn_studio.face.model import load_head
from hrn_studio.face.scale import HEAD_SIGMA, PEOPLE_SIGMA, TRACKER_SIGMA, head_scale
from hrn_studio.face.solver import LandmarkSolver, SolverSettings
from hrn_studio.geometry.transforms import (
    apply,
    project,
    rigid,
    rotation_from_angles,
    rotation_from_vector,
    similarity,
)
from hrn_studio.records import Camera, Coefficients, FaceState, Track

CAMERA = Camera.from_hfov(1280, 720, 60)
SURE = SolverSettings(iterations=15, sigma_m=1e-4, robust=1e3, depth_weight=0.0, components=12)
POSES = [(0.0, 0.0, 0.0), (0.5, -0.2, 0.1), (-0.4, 0.3, -0.2)]


@pytest.fixture(scope="module")
def head():
    return load_head()


@pytest.fixture(scope="module")
def embedding():
    return load_embedding()


@pytest.fixture(scope="module")
def solver(head, embedding):
    return LandmarkSolver(head, embedding)


def posed(angles, shift=(0.02, -0.01, 0.55)):
    return rigid(rotation_from_angles(*angles), np.array(shift))


def seen(head, embedding, coefficients, T, camera=CAMERA, scale=1.0):
    """What a perfect tracker sees of a face."""
    points = apply(T, embedding.points(head.evaluate(coefficients, scale)))
    depth = (points[:, 2] - points[:, 2].mean()) * camera.focal_px / T[2, 3]
    return Track(project(points, camera), depth)


def someone(head, seed=0, components=12, **expression):
    identity = np.zeros(head.identity_count)
    identity[:components] = np.random.default_rng(seed).normal(0, 0.7, components)
    return Coefficients(identity, head.weights(expression))


@pytest.mark.parametrize("angles", POSES)
def test_the_pose_is_exact_when_the_face_is_known(head, embedding, solver, angles):
    face, T = someone(head, jawOpen=0.5), posed(angles)
    track = seen(head, embedding, face, T)
    solution = solver.solve(
        [track],
        [CAMERA],
        settings=SURE,
        identity=face.identity.astype(float),
        identity_sigma=0.0,
        expression=face.expression[None].astype(float),
    )
    np.testing.assert_allclose(solution.T_camera_head[0], T, atol=1e-5)
    assert solution.residual_px[0] < 0.01


@pytest.mark.parametrize("angles", POSES)
def test_the_follower_finds_the_same_pose(head, embedding, solver, angles):
    face, T = someone(head, jawOpen=0.5), posed(angles)
    follower = PoseFollower(solver)
    follower.hold(face.identity)
    track = seen(head, embedding, face, T)
    pose, residual = follower.follow(track, CAMERA, face.expression)
    np.testing.assert_allclose(pose, T, atol=1e-4)
    near = rigid(rotation_from_vector([0.02, 0.03, 0]) @ T[:3, :3], T[:3, 3] + 0.005)
    pose, residual = follower.follow(track, CAMERA, face.expression, near)
    np.testing.assert_allclose(pose, T, atol=1e-4)
    assert residual < 0.2


def test_outliers_hardly_move_the_follower(head, embedding, solver):
    face, T = someone(head), posed(POSES[1])
    follower = PoseFollower(solver)
    follower.hold(face.identity)
    track = seen(head, embedding, face, T)
    points = track.points_px.copy()
    points[solver.used[::10]] += 30  # a hand, a glint
    pose, _ = follower.follow(Track(points, track.depth_px), CAMERA, face.expression)
    assert np.linalg.norm(pose[:3, :3] - T[:3, :3]) < 0.02
    assert np.linalg.norm(pose[:3, 3] - T[:3, 3]) < 0.01


def dense_of(head, face, T, sigma_px, camera=CAMERA):
    """What a network without errors sees."""
    vertices = np.flatnonzero(head.regions["face"] > 0.5)[::4]
    points = project(apply(T, head.evaluate(face)[vertices]), camera)
    return DensePoints(vertices, points, np.full(len(vertices), sigma_px))


def test_dense_landmarks_correct_the_follower(head, embedding, solver):
    face, T = someone(head, jawOpen=0.5), posed(POSES[1])
    follower = PoseFollower(solver)
    follower.hold(face.identity)
    exact = seen(head, embedding, face, T)
    wrong = Track(exact.points_px + np.array([8.0, -6.0]), exact.depth_px)
    off = []
    for dense in (None, dense_of(head, face, T, 1.0), dense_of(head, face, T, 1e5)):
        pose, residual = follower.follow(wrong, CAMERA, face.expression, dense=dense)
        off.append(np.linalg.norm(pose[:2, 3] - T[:2, 3]))
    assert off[1] < 0.2 * off[0]
    assert off[2] == pytest.approx(off[0], rel=1e-3)
    assert residual < 1.0  # of the tracker's landmarks, which the last pose follows


def test_the_follower_forgets_the_points_of_another_person(head, embedding, solver):
    follower, T = PoseFollower(solver), posed(POSES[0])
    for seed in (1, 2):
        face = someone(head, seed)
        follower.hold(face.identity)
        track, dense = seen(head, embedding, face, T), dense_of(head, face, T, 1.0)
        pose, _ = follower.follow(track, CAMERA, face.expression, dense=dense)
        np.testing.assert_allclose(pose, T, atol=1e-4)


def test_one_face_gives_its_identity_and_expression_back(head, embedding, solver):
    """Up to its size: a large head and a far one look nearly the same."""
    face = someone(head, jawOpen=0.6, mouthSmileLeft=0.5, browInnerUp=0.4)
    track = seen(head, embedding, face, posed(POSES[0]))
    solution = solver.solve(
        [track],
        [CAMERA],
        settings=replace(SURE, expression_sigma=0.3, iterations=30),
        identity_sigma=1.0,
        solve_expression=True,
    )
    found = Coefficients(solution.identity, solution.expression[0])
    points, expected = (
        embedding.points(head.evaluate(c))[solver.used].astype(float) for c in (found, face)
    )
    scale, R, t = similarity(points, expected)
    assert np.linalg.norm(scale * points @ R.T + t - expected, axis=1).max() < 2e-3
    assert solution.residual_px[0] < 0.1
    jaw = head.expression_names.index("jawOpen")
    assert solution.expression[0, jaw] == pytest.approx(0.6, abs=0.1)
    assert np.all((solution.expression >= 0) & (solution.expression <= 1))


def test_several_frames_share_one_identity(head, embedding, solver):
    faces = [someone(head), someone(head, jawOpen=0.5), someone(head, mouthSmileLeft=0.6)]
    tracks = [
        seen(head, embedding, f, posed(angles)) for f, angles in zip(faces, POSES, strict=True)
    ]
    given = np.array([f.expression for f in faces], float)
    solution = solver.solve(
        tracks, [CAMERA] * 3, settings=SURE, identity_sigma=3.0, expression=given
    )
    np.testing.assert_allclose(solution.identity, faces[0].identity, atol=0.02)
    for T, angles in zip(solution.T_camera_head, POSES, strict=True):
        np.testing.assert_allclose(T, posed(angles), atol=1e-3)


def test_a_frame_without_weight_says_nothing(head, embedding, solver):
    tracks = [seen(head, embedding, someone(head, seed), posed(POSES[1])) for seed in (0, 1)]
    alone = solver.solve(tracks[:1], [CAMERA], settings=SURE)
    both = solver.solve(tracks, [CAMERA] * 2, settings=SURE, frame_weights=[1.0, 0.0])
    np.testing.assert_allclose(both.identity, alone.identity, atol=1e-6)


def test_the_prior_wins_where_the_landmarks_are_doubted(head, embedding, solver):
    track = seen(head, embedding, someone(head), posed(POSES[0]))
    doubtful = SolverSettings(iterations=6, sigma_m=1.0)
    solution = solver.solve([track], [CAMERA], settings=doubtful, identity_sigma=0.1)
    assert np.abs(solution.identity).max() < 0.01


def test_a_held_identity_stays(head, embedding, solver):
    held = someone(head, 1).identity.astype(float)
    track = seen(head, embedding, someone(head, 2), posed(POSES[0]))
    solution = solver.solve([track], [CAMERA], settings=SURE, identity=held, identity_sigma=0.0)
    np.testing.assert_array_equal(solution.identity, held)


def test_the_focal_length_comes_from_several_frames(head, embedding, solver):
    face = someone(head)
    true = Camera.from_hfov(1280, 720, 45)
    tracks = [
        seen(head, embedding, face, posed(a, (0.0, 0.0, d)), true)
        for a, d in zip(POSES, (0.3, 0.6, 0.45), strict=True)
    ]
    solution = solver.solve(
        tracks,
        [CAMERA] * 3,
        settings=replace(SURE, iterations=30, focal_sigma=10.0),
        identity=face.identity.astype(float),
        identity_sigma=0.0,
        solve_focal=True,
    )
    assert solution.focal_scale == pytest.approx(true.focal_px / CAMERA.focal_px, rel=0.02)


def with_irises(head, face, T, scale, diameter=0.0117):
    """A track that has irises only: each a circle in front of its eyeball, as the gaze turns it."""
    track_points = np.zeros((478, 2))
    centers = head.eye_centers(face.identity) * scale
    for eye, center, (yaw, pitch) in zip(head.eyes, centers, face.gaze, strict=True):
        ahead = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
        middle = apply(T, (center + eye.radius * scale * ahead)[None])
        start = {"Right": 468, "Left": 473}[eye.side]
        x, y = diameter / 2, diameter / 2
        around = [(0, 0), (x, 0), (0, -y), (-x, 0), (0, y)]
        track_points[start : start + 5] = project(
            np.array([middle[0] + (dx, dy, 0) for dx, dy in around]), CAMERA
        )
    return Track(track_points, np.zeros(478))


def test_gaze_comes_back_from_the_irises(head):
    for gaze in ([[0.2, 0.1]] * 2, [[-0.3, -0.2]] * 2, [[0.0, 0.25]] * 2):
        face = Coefficients(np.zeros(head.identity_count), head.weights({}), np.array(gaze))
        T = posed(POSES[1])
        state = FaceState(face, T, CAMERA)
        found = gaze_of(head, with_irises(head, face, T, 1.0), state)
        np.testing.assert_allclose(found, gaze, atol=0.08)


def test_closed_eyes_and_tracks_without_irises_look_ahead(head):
    closed = Coefficients(
        np.zeros(head.identity_count), head.weights({"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0})
    )
    T = posed(POSES[0])
    track = with_irises(head, closed, T, 1.0)
    assert not gaze_of(head, track, FaceState(closed, T, CAMERA)).any()
    short = Track(track.points_px[:468], track.depth_px[:468])
    assert not gaze_of(head, short, FaceState(head.zero(), T, CAMERA)).any()


def test_small_irises_mean_a_large_head(head):
    T = posed(POSES[0])
    state = FaceState(head.zero(), T, CAMERA)
    equal, _ = head_scale([with_irises(head, head.zero(), T, 1.0)], [state], [True], head)
    small = with_irises(head, head.zero(), T, 1.0, diameter=0.0117 / 1.05)
    large, source = head_scale([small], [state], [True], head)
    trust = HEAD_SIGMA**2 / (HEAD_SIGMA**2 + PEOPLE_SIGMA**2 + TRACKER_SIGMA**2)
    assert source == "iris"
    assert np.log(large / equal) == pytest.approx(trust * np.log(1.05), rel=0.05)


def test_without_open_eyes_the_mean_size_holds(head):
    T = posed(POSES[0])
    track = with_irises(head, head.zero(), T, 1.0)
    state = FaceState(head.zero(), T, CAMERA)
    assert head_scale([track], [state], [False], head) == (1.0, "population_mean")
