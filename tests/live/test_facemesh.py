"""The mesh's mirror map and groups."""

from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.live import facemesh
from hrn_studio.live.facemesh import COUNT, MIRROR, eye_openness, mirrored, yaw_deg


def test_mirroring_twice_changes_nothing() -> None:
    assert len(MIRROR) == COUNT
    assert sorted(MIRROR) == list(range(COUNT))
    assert all(MIRROR[MIRROR[i]] == i for i in range(COUNT))
    assert sum(MIRROR[i] == i for i in range(COUNT)) == 28


def test_mirroring_keeps_the_meshs_outlines() -> None:
    connections = pytest.importorskip("mediapipe.python.solutions.face_mesh_connections")
    edges = {tuple(sorted(edge)) for edge in connections.FACEMESH_CONTOURS}
    assert {tuple(sorted((MIRROR[a], MIRROR[b]))) for a, b in edges} == edges
    for name in ("EYE", "EYEBROW", "IRIS"):
        right = getattr(connections, f"FACEMESH_RIGHT_{name}")
        left = getattr(connections, f"FACEMESH_LEFT_{name}")
        assert {MIRROR[i] for edge in right for i in edge} == {i for edge in left for i in edge}


@pytest.mark.parametrize(
    ("group", "name", "closed"),
    [
        ("RIGHT_EYE", "FACEMESH_RIGHT_EYE", True),
        ("LEFT_EYE", "FACEMESH_LEFT_EYE", True),
        ("OVAL", "FACEMESH_FACE_OVAL", True),
    ],
)
def test_loops_follow_the_meshs_edges(group: str, name: str, closed: bool) -> None:
    connections = pytest.importorskip("mediapipe.python.solutions.face_mesh_connections")
    loop = getattr(facemesh, group)
    ahead = loop[1:] + loop[:1]
    steps = {tuple(sorted(step)) for step in zip(loop, ahead, strict=True)}
    assert steps == {tuple(sorted(edge)) for edge in getattr(connections, name)}


def test_lips_are_two_loops() -> None:
    connections = pytest.importorskip("mediapipe.python.solutions.face_mesh_connections")
    steps = set()
    for loop in (facemesh.LIPS_OUTER, facemesh.LIPS_INNER):
        steps |= {tuple(sorted(step)) for step in zip(loop, loop[1:] + loop[:1], strict=True)}
        assert loop[10] == MIRROR[loop[0]]
    assert steps == {tuple(sorted(edge)) for edge in connections.FACEMESH_LIPS}


def test_groups_lie_on_their_side() -> None:
    assert mirrored(facemesh.RIGHT_EYE) == facemesh.LEFT_EYE
    assert facemesh.LEFT_IRIS == (473, 476, 475, 474, 477)
    assert mirrored(facemesh.OVAL)[1:] == facemesh.OVAL[:0:-1]
    assert mirrored(facemesh.NOSE_RIDGE) == facemesh.NOSE_RIDGE


def symmetric_face() -> np.ndarray:
    """(478, 3) a made-up face seen from the front: its left half at larger x, deeper outside."""
    rng = np.random.default_rng(0)
    points = rng.uniform([5, -100, 0], [60, 100, 10], (COUNT, 3))
    for i, j in enumerate(MIRROR):
        if i == j:
            points[i, 0] = 0
        elif i < j:
            points[i, 0] *= -1
            points[j] = points[i] * [-1, 1, 1]
    right, left = (list(group) for group in (facemesh.RIGHT_EYE, facemesh.LEFT_EYE))
    if points[right, 0].mean() > points[left, 0].mean():
        points[:, 0] *= -1
    points[:, 2] += points[:, 0] ** 2 / 60
    # every right group must be on the right: the pairs used are mirror images, so order them
    pairs = facemesh._PAIRS
    wrong = points[pairs[:, 0], 0] > points[pairs[:, 1], 0]
    points[pairs[wrong].ravel(), 0] *= -1
    return points


@pytest.mark.parametrize("turn", [-70, -30, 0, 45, 75])
def test_yaw_is_positive_to_the_subjects_left(turn: float) -> None:
    angle = np.radians(turn)
    # the subject's left (+x) goes away from the lens (+z) when the face turns to its left
    about_y = np.array(
        [[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]]
    )
    points = symmetric_face() @ about_y.T
    assert yaw_deg(points[:, :2], points[:, 2]) == pytest.approx(turn, abs=1e-4)


def test_eye_openness() -> None:
    points = np.zeros((COUNT, 2))
    for eye, height in ((facemesh.RIGHT_EYE, 2.0), (facemesh.LEFT_EYE, 0.5)):
        points[eye[0]], points[eye[8]] = (0, 0), (10, 0)
        for k in range(1, 8):
            points[eye[k]], points[eye[16 - k]] = (k, height / 2), (k, -height / 2)
    assert eye_openness(points) == pytest.approx((0.2, 0.05))
