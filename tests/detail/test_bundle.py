"""Several pictures held together by the skin they share, on pictures drawn with known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hrn_studio.detail.bundle import BundleSettings, adjusting, pairs_of
from hrn_studio.detail.coarse import Coarse
from hrn_studio.detail.shot import Shot
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.face.solver import LandmarkSolver
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.geometry.raster import interpolate, rasterize
from hrn_studio.geometry.transforms import (
    apply,
    rigid,
    rotation_from_angles,
    rotation_from_vector,
    similarity,
)
from hrn_studio.live.matching import GrainMatcher
from hrn_studio.pipeline import finish
from hrn_studio.records import Camera, Coefficients, Doubles, FaceState, Floats, Frame

CAMERA = Camera(640, 480, 900.0, (320.0, 240.0), "estimated")
YAWS = (-24.0, 0.0, 24.0)
PITCH = 3.0
AT = (0.01, 0.0, 0.55)
NONE = np.zeros(0, np.float32)


@pytest.fixture(scope="module")
def solver(head: HeadModel, embedding: LandmarkEmbedding) -> LandmarkSolver:
    return LandmarkSolver(head, embedding)


@pytest.fixture(scope="module")
def freckles() -> Floats:
    """(512, 512) albedo over the UV square."""
    rng = np.random.default_rng(8)
    noise = sum(
        ndimage.gaussian_filter(rng.normal(0, 1, (512, 512)), s, mode="wrap") * s for s in (1, 2, 4)
    )
    return np.clip(0.55 + 0.12 * noise, 0.05, 1).astype(np.float32)


@pytest.fixture(scope="module")
def truth(head: HeadModel) -> Doubles:
    identity = np.zeros(head.identity_count)
    identity[:20] = np.random.default_rng(4).normal(0, 0.8, 20)
    return identity


def poses() -> list[Doubles]:
    return [
        rigid(rotation_from_angles(*np.radians([yaw, PITCH, 3.0])), np.array(AT)) for yaw in YAWS
    ]


def photograph(
    head: HeadModel, identity: Doubles, T: Doubles, albedo: Floats, camera: Camera
) -> Frame:
    """The head with its freckles in a light that stays where it is."""
    placed = apply(T, head.evaluate(Coefficients(identity.astype(np.float32), NONE)))
    drawn = rasterize(placed, head.triangles, camera)
    normals = interpolate(drawn, head.triangles, vertex_normals(placed, head.triangles))
    uv = interpolate(drawn, head.uv_triangles, head.uv)
    at = np.stack([(1 - uv[..., 1]) * len(albedo) - 0.5, uv[..., 0] * len(albedo) - 0.5])
    light = np.clip(0.75 + normals @ np.array([0.25, -0.2, -0.2], np.float32), 0.1, 1)
    grey = np.where(drawn.covered, ndimage.map_coordinates(albedo, at, order=1) * light, 0.1)
    return Frame(np.repeat((255 * np.clip(grey, 0, 1)).astype(np.uint8)[..., None], 3, 2))


@pytest.fixture(scope="module")
def shots(
    head: HeadModel, truth: Doubles, freckles: Floats, seen: Callable[..., Shot]
) -> list[Shot]:
    result = []
    for yaw, T in zip(YAWS, poses(), strict=True):
        shot = seen(truth, yaw, PITCH, camera=CAMERA, at=AT)
        result.append(replace(shot, frame=photograph(head, truth, T, freckles, CAMERA)))
    return result


def guess(head: HeadModel, *, longer: float = 1.0, source: str = "estimated") -> Coarse:
    """The mean head, poses a degree or two off, a lens ``longer`` times too long."""
    rng = np.random.default_rng(11)
    identity = np.zeros(head.identity_count)
    states = []
    for T in poses():
        R = rotation_from_vector(rng.normal(0, 0.012, 3)) @ T[:3, :3]
        t = T[:3, 3] * (1, 1, longer) + rng.normal(0, 0.001, 3)
        camera = replace(CAMERA, focal_px=CAMERA.focal_px * longer, source=source)
        coefficients = Coefficients(identity.astype(np.float32), head.weights({}))
        states.append(FaceState(coefficients, rigid(R, t), camera))
    count = len(states)
    return Coarse(
        identity,
        tuple(states),
        np.tile(identity, (count, 1)),
        np.ones(count),
        np.ones(head.identity_count),
    )


def surface_error_mm(head: HeadModel, found: Doubles, truth: Doubles) -> float:
    """Root mean square distance along the true normals, after the best similarity."""
    face = (head.regions["face"] > 0.5) & (head.regions["inner_mouth"] < 0.5)
    there, here = (
        head.evaluate(Coefficients(c.astype(np.float32), NONE)).astype(float)
        for c in (truth, found)
    )
    s, R, t = similarity(here[face], there[face])
    off = ((s * here @ R.T + t - there) * vertex_normals(there, head.triangles)).sum(1)
    return float(1000 * np.sqrt(np.square(off[face]).mean()))


def turn_between(coarse: Coarse, a: int, b: int) -> Doubles:
    R = [s.T_camera_head[:3, :3] for s in coarse.states]
    return np.asarray(R[a] @ R[b].T)


def degrees(R: Doubles) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(R) - 1) / 2, -1, 1))))


def test_parallax_finds_shape_and_pose(
    head: HeadModel, solver: LandmarkSolver, truth: Doubles, shots: list[Shot]
) -> None:
    start = guess(head)
    found = finish(adjusting(head, solver, shots, start, GrainMatcher(), BundleSettings()))
    assert surface_error_mm(head, found.identity, truth) < 0.5 * surface_error_mm(
        head, start.identity, truth
    )
    true = poses()
    for a, b in ((0, 1), (1, 2)):
        turn = true[a][:3, :3] @ true[b][:3, :3].T
        assert degrees(turn_between(found, a, b) @ turn.T) < 0.5
        assert degrees(turn_between(start, a, b) @ turn.T) > 0.8


def test_parallax_finds_the_lens(
    head: HeadModel, solver: LandmarkSolver, shots: list[Shot]
) -> None:
    start = guess(head, longer=1.35)
    found = finish(adjusting(head, solver, shots, start, GrainMatcher(), BundleSettings()))
    focal = found.states[0].camera.focal_px
    assert abs(np.log(focal / CAMERA.focal_px)) < 0.5 * np.log(1.35)
    assert found.states[0].camera.source == "estimated"
    assert {s.camera.focal_px for s in found.states} == {focal}


def test_a_lens_that_is_known_stays(
    head: HeadModel, solver: LandmarkSolver, shots: list[Shot]
) -> None:
    start = guess(head, longer=1.1, source="user")
    found = finish(adjusting(head, solver, shots, start, GrainMatcher(), BundleSettings()))
    assert found.states[0].camera == start.states[0].camera


def test_pictures_from_one_side_or_of_other_skin_change_nothing(
    head: HeadModel, solver: LandmarkSolver, truth: Doubles, shots: list[Shot]
) -> None:
    start = guess(head)
    front = start.states[1]
    same = replace(start, states=(front, front, front))
    assert finish(adjusting(head, solver, shots, same, GrainMatcher(), BundleSettings())) is same
    rng = np.random.default_rng(3)
    other = [
        replace(s, frame=Frame(rng.integers(0, 255, (480, 640, 3)).astype(np.uint8))) for s in shots
    ]
    assert finish(adjusting(head, solver, other, start, GrainMatcher(), BundleSettings())) is start


def test_a_picture_that_was_left_out_keeps_its_pose(
    head: HeadModel, solver: LandmarkSolver, shots: list[Shot]
) -> None:
    start = replace(guess(head), weights=np.array([1.0, 1.0, 0.0]))
    found = finish(adjusting(head, solver, shots, start, GrainMatcher(), BundleSettings()))
    assert found is not start
    np.testing.assert_array_equal(found.states[2].T_camera_head, start.states[2].T_camera_head)
    np.testing.assert_allclose(found.states[2].coefficients.identity, found.identity, atol=1e-6)


def test_what_the_identity_cannot_follow_is_left_as_offsets(
    head: HeadModel, solver: LandmarkSolver, truth: Doubles, shots: list[Shot]
) -> None:
    start = replace(guess(head), sigma=np.full(head.identity_count, 1e-3))
    found = finish(adjusting(head, solver, shots, start, GrainMatcher(), BundleSettings()))
    assert found.offsets is not None
    there, here = (
        head.evaluate(Coefficients(c.astype(np.float32), NONE)).astype(float)
        for c in (truth, found.identity)
    )
    told = found.offsets
    missing = np.einsum("nk,nkc->nc", told.barycentric, (there - here)[told.corners])
    missing = (missing * told.normals).sum(1)
    assert np.corrcoef(missing, told.offset_m)[0, 1] > 0.4


def test_many_pictures_are_compared_with_fewer_others_each(head: HeadModel) -> None:
    states = []
    for yaw in np.linspace(-30, 30, 25):
        T = rigid(rotation_from_angles(np.radians(yaw), 0, 0), np.array(AT))
        states.append(replace(guess(head).states[0], T_camera_head=T))
    few, many = pairs_of(states[::6], BundleSettings()), pairs_of(states, BundleSettings())
    assert {a for a, _ in many} == set(range(25))
    assert len(many) <= 40
    assert max(np.bincount([a for a, _ in few])) > 2
    for a, b in many:
        apart = abs(a - b) * 60 / 24
        assert 7 < apart < 50
