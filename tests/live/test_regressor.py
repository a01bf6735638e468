"""The live face on made-up tracks: it finds pose and size, settles, and starts anew."""

from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.face.dense import DensePoints
from hrn_studio.face.landmarks import load_embedding
from hrn_studio.face.model import load_head
from hrn_studio.geometry.transforms import apply, project, rigid, rotation_from_angles
from hrn_studio.live.estimator import Seen
from hrn_studio.live.network import Sight
from hrn_studio.live.person import Person, PersonSettings
from hrn_studio.live.regressor import LandmarkRegressor
from hrn_studio.records import Camera, Coefficients, Estimate, Frame, Track

CAMERA = Camera.from_hfov(1280, 720, 60)
PICTURE = Frame(np.zeros((2, 2, 3), np.uint8))
FPS = 30
COUNT = 60
"""Identity components that the maps tell."""


class Oracle:
    """Maps that know the truth, with noise."""

    def __init__(self, head, noise=0.0):
        self.head, self.noise = head, noise
        self.rng = np.random.default_rng(0)
        self.face = head.zero()

    def estimate(self, frame, track, camera):
        noise = self.rng.normal(0, self.noise, COUNT) if self.noise else 0.0
        return Estimate(
            self.face.identity[:COUNT] + noise,
            np.full(COUNT, 0.8),
            self.face.expression,
            np.full(self.head.expression_count, 0.1),
        )


@pytest.fixture(scope="module")
def head():
    return load_head()


@pytest.fixture(scope="module")
def embedding():
    return load_embedding()


def someone(head, seed=0, gaze=(0.0, 0.0), **expression):
    identity = np.zeros(head.identity_count)
    identity[:COUNT] = np.random.default_rng(seed).normal(0, 0.7, COUNT)
    return Coefficients(identity, head.weights(expression), np.tile(gaze, (2, 1)))


def seen(head, embedding, face, angles=(0.0, 0.0, 0.0), shift=(0.0, 0.0, 0.6), scale=1.0):
    """A perfect track and its pose; irises of one size for all heads."""
    T = rigid(rotation_from_angles(*angles), np.array(shift))
    points = apply(T, embedding.points(head.evaluate(face, scale)))
    depth = (points[:, 2] - points[:, 2].mean()) * CAMERA.focal_px / T[2, 3]
    pixels = project(points, CAMERA)
    for start in (468, 473):  # the embedding's irises are a little too small: draw circles
        radius = CAMERA.focal_px * 0.0117 / 2 / points[start, 2]
        around = np.array([(1, 0), (0, -1), (-1, 0), (0, 1)]) * radius
        pixels[start + 1 : start + 5] = pixels[start] + around
    return Track(pixels, depth), T


class Film:
    """Shows faces to a regressor, one after the other."""

    def __init__(self, head, embedding, noise=0.0, smooth=True):
        self.head, self.embedding = head, embedding
        self.maps = Oracle(head, noise)
        self.regressor = LandmarkRegressor(head, embedding, self.maps, smooth=smooth)
        self.time = 0.0

    def show(self, face, frames=1, **place):
        track, self.T = seen(self.head, self.embedding, face, **place)
        self.maps.face = face
        for _ in range(frames):
            self.time += 1 / FPS
            state = self.regressor.regress(replace(PICTURE, time_s=self.time), track, CAMERA)
        return state


@pytest.fixture
def film(head, embedding):
    return Film(head, embedding)


def distance(state, face):
    off = state.coefficients.identity - face.identity
    return float(np.sqrt(np.square(off).mean()))


def test_pose_and_expression_of_the_first_frame(head, embedding):
    film = Film(head, embedding, smooth=False)
    face = someone(head, jawOpen=0.5)
    state = film.show(face, angles=(0.3, -0.1, 0.05), shift=(0.05, 0.02, 0.5))
    np.testing.assert_allclose(state.T_camera_head[:3, :3], film.T[:3, :3], atol=2e-3)
    position = state.T_camera_head[:3, 3] / state.scale
    np.testing.assert_allclose(position, film.T[:3, 3], atol=2e-3)
    assert state.coefficients.expression[head.expression_names.index("jawOpen")] == 0.5
    assert state.residual_px < 1
    assert state.time_s == film.time


def test_the_identity_is_the_mean_of_what_was_seen(head, embedding):
    film = Film(head, embedding, noise=0.4)
    face = someone(head)
    first = distance(film.show(face), face)
    assert distance(film.show(face, 60), face) < 0.35 * first


def test_a_settled_identity_does_not_move(head, embedding):
    film = Film(head, embedding, noise=0.3)
    face = someone(head)
    settled = film.show(face, 220)
    later = film.show(face, 40)
    np.testing.assert_array_equal(later.coefficients.identity, settled.coefficients.identity)
    assert later.scale == settled.scale


def test_a_held_identity_does_not_move_even_for_someone_else(film, head):
    one, other = someone(head, 1), someone(head, 2)
    kept = film.show(one, 5)
    film.regressor.hold()
    state = film.show(other, 60)
    np.testing.assert_array_equal(state.coefficients.identity, kept.coefficients.identity)


def test_someone_else_in_the_same_place_is_noticed(film, head):
    one, other = someone(head, 1), someone(head, 2)
    film.show(one, 120)
    assert distance(film.show(other, 90), other) < 0.1


def test_after_a_pause_someone_else_is_taken_in_at_once(film, head):
    one, other = someone(head, 1), someone(head, 2)
    film.show(one, 120)
    film.time += 3
    assert distance(film.show(other, 30), other) < 0.1


def test_the_same_person_after_a_pause_is_the_same(film, head):
    face = someone(head, 1)
    before = film.show(face, 120)
    film.time += 3
    after = film.show(face, 30)
    assert np.abs(after.coefficients.identity - before.coefficients.identity).max() < 1e-3


def test_reset_forgets_the_person(film, head):
    film.show(someone(head, 1), 120)
    film.regressor.reset()
    other = someone(head, 2)
    assert distance(film.show(other), other) < 1e-6


def test_a_jump_and_time_going_back_start_the_motion_anew(film, head):
    face = someone(head)
    film.show(face, 30)
    far = {"shift": (0.25, 0.1, 0.8), "angles": (-0.5, 0.1, 0.0)}
    state = film.show(face, **far)
    np.testing.assert_allclose(state.T_camera_head[:3, :3], film.T[:3, :3], atol=5e-3)
    film.time -= 10
    state = film.show(face, angles=(0.4, 0.0, 0.0))
    np.testing.assert_allclose(state.T_camera_head[:3, :3], film.T[:3, :3], atol=5e-3)


def test_moving_heads_are_followed(film, head):
    face = someone(head)
    film.show(face, 20)
    for k in range(20):
        state = film.show(face, angles=(0.02 * k, 0.0, 0.0))
    away = state.T_camera_head[:3, :3] @ film.T[:3, :3].T
    assert np.degrees(np.arccos((np.trace(away) - 1) / 2)) < 1.0


def test_closed_eyes_close_the_lids_and_keep_the_gaze(film, head):
    film.show(someone(head, gaze=(0.2, 0.0)), 20)
    state = film.show(someone(head, eyeBlinkLeft=0.75, eyeBlinkRight=0.75), 10)
    names = head.expression_names
    lids = [state.coefficients.expression[names.index(f"eyeBlink{s}")] for s in ("Left", "Right")]
    assert min(lids) > 0.98
    assert state.coefficients.gaze[0, 0] > 0.1


def test_gaze_moves_the_lids(film, head):
    state = film.show(someone(head, gaze=(0.25, 0.0)), 20)
    np.testing.assert_allclose(state.coefficients.gaze[:, 0], 0.25, atol=0.06)
    weights = dict(zip(head.expression_names, state.coefficients.expression, strict=True))
    assert weights["eyeLookOutLeft"] > 0.3
    assert weights["eyeLookInLeft"] == 0


def test_the_irises_tell_the_size(film, head):
    small = film.show(someone(head), 40, scale=0.93)
    film.regressor.reset()
    large = film.show(someone(head), 40, scale=1.07)
    assert small.scale_source == large.scale_source == "iris"
    assert small.scale < large.scale
    for state in (small, large):
        assert abs(state.T_camera_head[2, 3] - 0.6) < abs(
            state.T_camera_head[2, 3] / state.scale - 0.6
        )


def test_smoothing_calms_a_trembling_track(head, embedding):
    face = someone(head)
    track, _ = seen(head, embedding, face)
    spread = {}
    for smooth in (False, True):
        film = Film(head, embedding, smooth=smooth)
        film.maps.face = face
        rng = np.random.default_rng(1)
        film.show(face, 5)
        turns = []
        for _ in range(60):
            film.time += 1 / FPS
            points = track.points_px + rng.normal(0, 2, track.points_px.shape)
            state = film.regressor.regress(
                replace(PICTURE, time_s=film.time), replace(track, points_px=points), CAMERA
            )
            turns.append(state.T_camera_head[:3, :3])
        spread[smooth] = np.std(turns[20:], axis=0).max()
    assert spread[True] < 0.6 * spread[False]


def estimate(value, sigma=1.0):
    return Estimate(np.full(3, value), np.full(3, sigma), np.zeros(1), np.ones(1))


def test_a_single_wild_estimate_hardly_moves_a_person():
    person = Person(4)
    for _ in range(20):
        person.see(estimate(0.5), 1.0)
    person.see(estimate(5.0), 1.0)
    np.testing.assert_allclose(person.identity[:3], 0.5, atol=0.02)
    assert person.identity[3] == 0
    assert not person.see(estimate(1.0), 0.0)


def test_one_wrong_size_hardly_moves_a_person():
    person = Person(4, PersonSettings(doubt_frames=4))
    for _ in range(10):
        person.see_scale(0.02)
    person.see_scale(0.8)
    assert person.scale == pytest.approx(np.exp(0.02), abs=0.006)
    assert person.scale_source == "iris"


class Looker(Oracle):
    """Maps that ask a network, too; it sees every fourth vertex of the face exactly."""

    looks = 0

    def see(self, frame, track, camera):
        self.looks += 1
        vertices = np.flatnonzero(self.head.regions["face"] > 0.5)[::4]
        points = project(apply(self.T, self.head.evaluate(self.face)[vertices]), camera)
        dense = DensePoints(vertices, points, np.full(len(vertices), 1.0))
        estimate = self.estimate(frame, track, camera)
        return Seen(estimate, Sight(estimate, dense))


def test_a_network_is_asked_once_a_frame_and_corrects_the_pose(head, embedding):
    face = someone(head)
    track, T = seen(head, embedding, face)
    track = replace(track, points_px=track.points_px + np.array([8.0, -6.0]))
    off = []
    for maps in (Oracle(head), Looker(head)):
        maps.face, maps.T = face, T
        regressor = LandmarkRegressor(head, embedding, maps, smooth=False)
        for index in range(5):
            picture = replace(PICTURE, index=index, time_s=index / FPS)
            state = regressor.regress(picture, track, CAMERA)
        off.append(np.linalg.norm(state.T_camera_head[:2, 3] / state.scale - T[:2, 3]))
    assert maps.looks == 5
    assert off[1] < 0.4 * off[0]
