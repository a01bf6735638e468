"""What a face network is asked for: dense landmarks and the head's coefficients.

The landmarks are vertices of the head, spread over all of it: a network that learned them from
renders knows where they are by construction, while a tracker made elsewhere has to be measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.face.mirror import mirror_expressions, mirror_signs
from hrn_studio.face.model import HeadModel
from hrn_studio.records import Bools, Doubles, Floats, Ints, frozen

FACE_POINTS, OTHER_POINTS = 580, 180
"""Aimed at; mirror pairs and the midline change them a little."""
IDENTITIES = 80
ANGLES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Which numbers a network gives, in order.

    ``2 K`` places of K landmarks in crop units, ``K`` logarithms of their deviations; I identity
    and E expression coefficients, then the logarithms of their deviations; yaw, pitch and roll.
    """

    vertices: Ints
    """(K,) of the head: the landmarks."""
    identity_count: int
    expression_count: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", frozen(self.vertices, np.int32))

    @property
    def sizes(self) -> tuple[int, int, int, int, int, int]:
        """Of the blocks: places, deviations, identity, expression, their deviations, angles."""
        k, i, e = len(self.vertices), self.identity_count, self.expression_count
        return (2 * k, k, i, e, i + e, ANGLES)

    @property
    def count(self) -> int:
        """Numbers in all."""
        return sum(self.sizes)


def make_layout(head: HeadModel, identities: int = IDENTITIES) -> Layout:
    """The layout for a head with a symmetry map."""
    return Layout(
        dense_landmarks(head), min(identities, head.identity_count), head.expression_count
    )


def dense_landmarks(head: HeadModel, face: int = FACE_POINTS, other: int = OTHER_POINTS) -> Ints:
    """Vertices spread evenly over the face, and more sparsely over the rest of the skin.

    Each comes with its mirror image, right after it.
    """
    skin = np.zeros(head.vertex_count, np.bool_)
    skin[head.part_vertices("skin")] = True
    skin &= head.regions["inner_mouth"] < 0.5
    on_face = skin & (head.regions["face"] > 0.5)
    chosen = [
        *_spread(head, on_face, face),
        *_spread(head, skin & ~on_face, other),
    ]
    pairs = [(v, int(head.symmetry[v])) for v in chosen]
    return np.array([v for pair in pairs for v in dict.fromkeys(pair)], np.int32)


def _spread(head: HeadModel, allowed: Bools, count: int) -> list[int]:
    """Half of ``count`` vertices on the left side and the midline, each as far from the others as
    can be (farthest-point sampling)."""
    candidates = np.flatnonzero(allowed & (head.mean[:, 0] > -1e-6))
    if not len(candidates):
        return []
    points = head.mean[candidates].astype(np.float64)
    distance = np.full(len(points), np.inf)
    number, chosen = int(points[:, 2].argmax()), []
    for _ in range(min((count + 1) // 2, len(points))):
        chosen.append(int(candidates[number]))
        distance = np.minimum(distance, np.square(points - points[number]).sum(1))
        number = int(distance.argmax())
    return chosen


@dataclass(frozen=True, slots=True, eq=False)
class Mirror:
    """How the targets change when a picture is mirrored."""

    points: Ints
    """(K,) the landmark that takes each one's place."""
    identity: Floats
    """(I,) +1 or -1."""
    expression: Ints
    """(E,) the expression of the other side."""


def make_mirror(head: HeadModel, layout: Layout) -> Mirror:
    """For a head and a layout made from it."""
    at = {int(v): k for k, v in enumerate(layout.vertices)}
    return Mirror(
        np.array([at[int(head.symmetry[v])] for v in layout.vertices], np.int32),
        mirror_signs(head)[: layout.identity_count],
        mirror_expressions(head),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """What errors of coefficients come to on the face, in square millimetres per vertex.

    ``e @ identity @ e`` is the mean square distance that errors ``e`` of the identity make, after
    the best similarity is taken out (to first order): size and place are not shape.
    """

    identity: Doubles
    """(I, I)"""
    expression: Doubles
    """(E, E)"""


def make_metric(head: HeadModel, layout: Layout) -> Metric:
    """Over the vertices of the face region."""
    face = np.flatnonzero(head.regions["face"] > 0.5)
    mean = head.mean[face].astype(np.float64)
    rest = _without_similarity(mean)
    count = layout.identity_count
    moved = head.identity[:count, face].reshape(count, -1).astype(np.float64) * 1000
    shape = moved - (moved @ rest.T) @ rest
    played = head.expression[:, face].reshape(head.expression_count, -1).astype(np.float64) * 1000
    return Metric(shape @ shape.T / len(face), played @ played.T / len(face))


def _without_similarity(points: Doubles) -> Doubles:
    """(7, 3 N) an orthonormal basis of small moves, turns and growth of points (N, 3)."""
    centred = points - points.mean(0)
    moves = [np.tile(axis, (len(points), 1)) for axis in np.eye(3)]
    turns = [np.cross(axis, centred) for axis in np.eye(3)]
    rows = np.array([m.ravel() for m in [*moves, *turns, centred]])
    return np.asarray(np.linalg.qr(rows.T)[0].T)
