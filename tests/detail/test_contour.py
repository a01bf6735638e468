"""The outline of a face is where its surface is seen edge-on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.detail.contour import OUTLINE, outline_matches, outline_vertices
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.geometry.transforms import apply, project, rigid, rotation_from_angles

POSES = [(0, 0), (25, 0), (-25, 5)]


@pytest.fixture(scope="module")
def matches(head, person, seen):
    """Outline of a person turned by yaw and pitch: shot, vertices, pose, and what was found."""

    def find(yaw, pitch, shift=(0.0, 0.0)):
        shot = seen(person(1), yaw, pitch)
        T = rigid(
            rotation_from_angles(*np.radians([yaw, pitch, 3.0])), np.array([0.02, -0.01, 0.6])
        )
        vertices = np.asarray(head.evaluate(replace(head.zero(), identity=person(1))), np.float64)
        track = replace(shot.track, points_px=shot.track.points_px + np.float32(shift))
        return (
            vertices,
            T,
            shot.camera,
            track,
            outline_matches(head, outline_vertices(head), vertices, T, shot.camera, track),
        )

    return find


def test_only_cheeks_and_jaw_form_the_outline(head):
    chosen = outline_vertices(head)
    for name in ("ears", "neck", "scalp", "lips", "nose"):
        assert not (chosen & (head.regions[name] > 0.6)).any(), name
    assert (chosen & (head.regions["jaw"] > 0.9)).any()
    for eye in head.eyes:
        assert not chosen[eye.vertices].any()


@pytest.mark.parametrize(("yaw", "pitch"), POSES)
def test_what_is_found_is_seen_edge_on(head, matches, yaw, pitch):
    vertices, T, _, _, (found, points, directions) = matches(yaw, pitch)
    assert len(found) == len(points) == len(directions) > 4
    assert outline_vertices(head)[found].all()
    normals = vertex_normals(vertices, head.triangles)[found] @ T[:3, :3].T
    rays = apply(T, vertices)[found]
    cosine = (normals * rays).sum(1) / np.linalg.norm(rays, axis=1)
    assert np.abs(cosine).max() < 0.45
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(("yaw", "pitch"), POSES)
def test_directions_point_out_of_the_face(matches, yaw, pitch):
    _, _, _, track, (_, points, directions) = matches(yaw, pitch)
    middle = track.points_px[list(OUTLINE)].mean(0)
    assert ((points - middle) * directions).sum(1).min() > 0


def test_a_wider_face_in_the_picture_asks_for_a_wider_head(matches):
    """What the outline asks for, across itself, grows as the picture's does."""
    vertices, T, camera, _, (found, points, directions) = matches(0, 0)
    now = project(apply(T, vertices[found]), camera)
    asked = ((points - now) * directions).sum(1)
    _, _, _, _, (found, points, directions) = matches(0, 0, shift=(3.0, 0.0))
    moved = ((points - project(apply(T, vertices[found]), camera)) * directions).sum(1)
    sides = np.abs(directions[:, 0]) > 0.8
    along = (moved * directions[:, 0])[sides]
    assert len(along) > 4
    assert np.median(along) == pytest.approx(3.0, abs=1.5)
    assert np.abs(np.median(asked)) < 8


def test_a_face_elsewhere_gives_no_outline(matches):
    *_, (found, points, directions) = matches(0, 0, shift=(250.0, 0.0))
    assert len(found) == 0
    assert points.shape == directions.shape == (0, 2)
