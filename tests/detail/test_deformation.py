"""Laws of the deformation: no evidence, no change; and what evidence there is is met."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from hrn_studio.detail.contour import OUTLINE
from hrn_studio.detail.deformation import (
    DeformationSettings,
    Observation,
    Offsets,
    deform,
    deforming,
    folded,
    joined,
)
from hrn_studio.detail.middle import MiddleSettings, deform_head, on_lines
from hrn_studio.face.tiny import tiny_head
from hrn_studio.geometry.mesh import uniform_laplacian, vertex_normals
from hrn_studio.geometry.transforms import apply, project, rigid, rotation_from_angles
from hrn_studio.records import Camera, Coefficients, FaceState

CAMERA = Camera(640, 480, 800.0, (320.0, 240.0))
T = rigid(rotation_from_angles(0, 0, 0), np.array([0.0, 0.0, 0.5]))
SETTINGS = DeformationSettings()


@pytest.fixture(scope="module")
def dome():
    """Vertices, triangles, Laplacian of a small face-like surface."""
    head = tiny_head()
    triangles = head.triangles[head.part_triangles("skin")]
    vertices = head.mean[: triangles.max() + 1].astype(np.float64)
    near = uniform_laplacian(triangles, len(vertices))
    return vertices, triangles, (sparse.diags(1 / near.diagonal()) @ near).tocsr()


def observe(vertices, targets, T_camera_head=T, weights=1.0, direction=None):
    """All vertices seen where ``targets`` project."""
    count = len(vertices)
    return Observation(
        corners=np.repeat(np.arange(count)[:, None], 3, 1).astype(np.int32),
        barycentric=np.tile([1.0, 0.0, 0.0], (count, 1)),
        points_px=project(apply(T_camera_head, targets), CAMERA),
        weights=np.full(count, weights),
        offset=np.zeros_like(vertices),
        T_camera_head=T_camera_head,
        camera=CAMERA,
        direction_px=None if direction is None else np.tile(direction, (count, 1)),
    )


def bend(dome, seen, settings=SETTINGS, stiffness=1.0):
    vertices, _, laplacian = dome
    return deform(vertices, laplacian, seen, np.full(len(vertices), stiffness), settings)


def test_what_fits_already_stays(dome):
    moved = bend(dome, [observe(dome[0], dome[0])])
    np.testing.assert_allclose(moved, 0, atol=1e-9)
    np.testing.assert_allclose(bend(dome, []), 0)


def offsets(dome, metres, weight=1e8):
    vertices, triangles, _ = dome
    normals = vertex_normals(vertices, triangles)
    count = len(vertices)
    return Offsets(
        corners=np.repeat(np.arange(count)[:, None], 3, 1).astype(np.int32),
        barycentric=np.tile([1.0, 0.0, 0.0], (count, 1)),
        normals=normals.astype(np.float64),
        offset_m=np.full(count, metres),
        weights=np.full(count, weight),
    )


def test_what_several_pictures_say_of_depth_is_met_along_the_normal(dome):
    vertices, _, laplacian = dome
    told = offsets(dome, 0.001)
    steps = deforming(vertices, laplacian, [], np.ones(len(vertices)), SETTINGS, told)
    moved = list(steps)[-1]
    along = (moved * told.normals).sum(1)
    np.testing.assert_allclose(np.median(along), 0.001, rtol=0.1)
    unsure = list(
        deforming(
            *(vertices, laplacian, [], np.ones(len(vertices)), SETTINGS),
            offsets(dome, 0.001, 1e-3),
        )
    )[-1]
    assert np.abs(unsure).max() < 1e-5


def test_offsets_grow_with_the_head(dome):
    told = offsets(dome, 0.001)
    larger = told.times(2.0, sureness=4.0)
    np.testing.assert_allclose(larger.offset_m, 0.002)
    np.testing.assert_allclose(larger.weights, told.weights)
    assert joined([]) is None
    assert len(joined([told, larger]).offset_m) == 2 * len(told.offset_m)


def test_landmarks_are_followed_across_the_picture(dome):
    shift = np.array([0.002, -0.001, 0.0])
    moved = bend(dome, [observe(dome[0], dome[0] + shift)])
    np.testing.assert_allclose(moved[:, :2].mean(0), shift[:2], rtol=0.1)
    assert np.abs(moved[:, 2]).max() < 0.0005, "one picture says little about depth"


def test_two_pictures_tell_depth(dome):
    shift = np.array([0.0, 0.0, 0.002])
    sides = [
        rigid(rotation_from_angles(np.radians(yaw), 0, 0), np.array([0, 0, 0.5]))
        for yaw in (-40, 40)
    ]
    moved = bend(dome, [observe(dome[0], dome[0] + shift, side) for side in sides])
    np.testing.assert_allclose(moved.mean(0), shift, atol=0.0003)


def test_trust_pulls_and_stiffness_holds(dome):
    target = dome[0] + [0.002, 0, 0]
    sure = bend(dome, [observe(dome[0], target, weights=4.0)])[:, 0].mean()
    usual = bend(dome, [observe(dome[0], target)])[:, 0].mean()
    stiff = bend(dome, [observe(dome[0], target)], stiffness=30.0)[:, 0].mean()
    assert 0 < stiff < usual < sure < 0.002


def test_one_landmark_out_of_place_is_doubted(dome):
    target = dome[0].copy()
    target[17, 0] += 0.03
    moved = bend(dome, [observe(dome[0], target)])
    assert np.abs(moved).max() < 0.003


def test_a_symmetric_problem_has_a_symmetric_answer(dome):
    vertices, flip = dome[0], np.array([-1.0, 1.0, 1.0])
    mirror = tiny_head().symmetry[: len(vertices)]
    pull = 0.002 * np.random.default_rng(0).normal(size=vertices.shape)
    pull = 0.5 * (pull + pull[mirror] * flip)
    moved = bend(dome, [observe(vertices, vertices + pull)])
    assert np.abs(moved).max() > 0.0001
    np.testing.assert_allclose(moved[mirror] * flip, moved, atol=1e-7)


def test_an_outline_counts_across_itself_only(dome):
    target = dome[0] + [0.002, 0.002, 0]
    moved = bend(dome, [observe(dome[0], target, direction=np.array([1.0, 0.0]))])
    assert moved[:, 0].mean() == pytest.approx(0.002, rel=0.1)
    assert np.abs(moved[:, 1]).max() < 1e-4


def test_folds_are_counted(dome):
    vertices, triangles, _ = dome
    assert folded(vertices, vertices, triangles) == 0
    turned = vertices.copy()
    turned[:, 0] *= -1
    assert folded(vertices, turned, triangles) == 1


# --- on a whole head ---


def state(head, shot, identity):
    coefficients = Coefficients(identity.astype(np.float32), np.zeros(head.expression_count))
    pose = rigid(rotation_from_angles(0, 0, np.radians(3.0)), np.array([0.02, -0.01, 0.6]))
    return FaceState(coefficients, pose, shot.camera)


@pytest.fixture(scope="module")
def placed(head, person, seen):
    """A person, one perfect picture, the true state, and the head bent onto a changed track."""
    identity = person(1)
    shot = seen(identity)
    true = state(head, shot, identity)
    neutral = head.evaluate(true.coefficients)

    def bent(embedding, points_px, outline=0):
        changed = replace(shot, track=replace(shot.track, points_px=points_px))
        return deform_head(
            head, embedding, neutral, [changed], [true], [1.0], MiddleSettings(outline_passes=1)
        )

    return shot, true, neutral, bent


def test_a_shifted_mouth_is_followed(head, embedding, placed):
    shot, true, neutral, bent = placed
    lips = head.regions["lips"][embedding.corners].max(1) > 0.5
    plain = shot.track.points_px
    lower = plain + np.float32([0, 4]) * lips[:, None]
    change = bent(embedding, lower) - bent(embedding, plain)
    points = embedding.points(neutral)
    before = project(apply(true.T_camera_head, points), shot.camera)
    after = project(apply(true.T_camera_head, points + embedding.points(change)), shot.camera)
    went = (after - before)[lips & embedding.usable]
    assert 2.0 < np.median(went[:, 1]) < 4.5
    assert abs(np.median(went[:, 0])) < 0.5
    scalp = head.regions["scalp"] > 0.9
    assert np.abs(change[scalp]).max() < 0.001


def test_what_lies_inside_keeps_its_shape(head, embedding, placed):
    shot, _, _, bent = placed
    moved = bent(embedding, shot.track.points_px + np.float32([3, 0]))
    for vertices in (*(eye.vertices for eye in head.eyes), head.part_vertices("tongue")):
        assert np.ptp(moved[vertices], axis=0).max() < 1e-9
        assert moved[vertices][0, 0] > 0.00005, "it goes along"


def test_a_hopeless_track_does_not_fold_the_skin(head, embedding, placed):
    shot, _, neutral, bent = placed
    rng = np.random.default_rng(0)
    wild = shot.track.points_px + rng.normal(0, 12, shot.track.points_px.shape)
    moved = bent(embedding, wild.astype(np.float32))
    assert np.isfinite(moved).all()
    skin = head.triangles[head.part_triangles("skin")]
    assert folded(neutral.astype(float), neutral + moved, skin) == 0


def test_brows_and_cheeks_are_left_to_the_coarse_stage(head, embedding, placed):
    shot, _, _, bent = placed
    lines = on_lines(head, embedding)
    assert 60 < lines.sum() < 200
    plain = shot.track.points_px
    elsewhere = ~lines
    elsewhere[list(OUTLINE)] = False
    moved = plain + np.float32([6, 0]) * elsewhere[:, None]
    np.testing.assert_allclose(bent(embedding, moved), bent(embedding, plain), atol=1e-9)
