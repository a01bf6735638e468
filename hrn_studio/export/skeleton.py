"""Joints for programs that want some: the head, and in it the jaw and the eyes.

All 52 shapes work with the joints at rest; the jaw joint is a second way to open the mouth, the
eye joints a second way to turn the eyes.  At full weight of both the movement is twice as large, so
recordings drive the shapes and the head joint only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.transforms import similarity
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints, frozen

NECK = (0.0, -0.049, -0.08)
"""Where a head without known ears turns, metres in the head frame: half-way between the ears'
lobes, the height of the joint between skull and spine."""
_SOFT_M = 0.002
"""Movements much smaller than this say little about how much of the jaw a vertex is."""
_OPENS_M = 0.01
"""A jaw that opens less is not looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """A point about which some of the head turns."""

    name: str
    parent: int
    """Index of the joint it hangs on; -1 for the root."""
    position: Doubles
    """(3,) metres, head frame; its axes are the head frame's."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "position", frozen(self.position, np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """Joints, parents first, and how much each vertex follows each."""

    joints: tuple[Joint, ...]
    weights: Floats
    """(V, J) 0..1, rows sum to 1."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", frozen(self.weights, np.float32))

    @property
    def head_only(self) -> Skeleton:
        """The root alone, with everything on it."""
        return Skeleton(self.joints[:1], np.ones((len(self.weights), 1), np.float32))


def chosen(skeleton: Skeleton, which: str) -> Skeleton | None:
    """The skeleton of an export: ``none``, ``head`` or ``full``."""
    return {"none": None, "head": skeleton.head_only, "full": skeleton}[which]


def make_skeleton(head: HeadModel, neutral: AnyFloats, jaw_open: AnyFloats | None) -> Skeleton:
    """Head, jaw (when it is known how it opens) and eyes (when there are some).

    Parameters
    ----------
    neutral
        (V, 3) metres, head frame.
    jaw_open
        (V, 3) what the shape ``jawOpen`` adds to it at weight 1.
    """
    points = np.asarray(neutral, np.float64)
    joints = [Joint("head", -1, neck_pivot(head, points))]
    columns = [np.zeros(len(points))]
    if jaw_open is not None:
        found = _jaw(head, points, np.asarray(jaw_open, np.float64))
        if found is not None:
            joints.append(Joint("jaw", 0, found[0]))
            columns.append(found[1])
    for eye in head.eyes:
        scale, R, t = similarity(head.mean[eye.vertices], points[eye.vertices])
        follows = np.zeros(len(points))
        follows[eye.vertices] = 1
        joints.append(Joint(f"eye_{eye.side.lower()}", 0, scale * R @ eye.center + t))
        columns.append(follows)
    weights = np.stack(columns, 1)
    weights[:, 0] = 1 - weights.sum(1)
    return Skeleton(tuple(joints), weights.astype(np.float32))


def neck_pivot(head: HeadModel, neutral: AnyFloats) -> Doubles:
    """(3,) where the head turns on the spine, from the person's ears."""
    if "ears" not in head.regions:
        return np.array(NECK)
    ears = np.asarray(neutral, np.float64)[head.regions["ears"] > 0.5]
    return np.array([0.0, ears[:, 1].min(), ears[:, 2].mean()])


def _jaw(head: HeadModel, neutral: Doubles, opening: Doubles) -> tuple[Doubles, Doubles] | None:
    """The hinge (3,) and the weights (V,); None when nothing turns like a jaw.

    What moves with the lower teeth, or with the chin where there are none, gives the turn; the
    hinge is its fixed point on the mid-plane.  A vertex follows as far as ``jawOpen`` moves it
    along that turn.
    """
    stiff = _stiff(head, opening)
    if np.linalg.norm(opening[stiff], axis=1).mean() < _OPENS_M:
        return None
    _, R, t = similarity(neutral[stiff], neutral[stiff] + opening[stiff])
    # I - R is singular along the axis, which is nearly x: the smallest solution has x = 0
    hinge = np.linalg.lstsq(np.eye(3) - R, t, rcond=0.05)[0]
    low, high = neutral.min(0), neutral.max(0)
    if not ((low < hinge) & (hinge < high)).all():
        return None
    turned = neutral @ R.T + t - neutral
    along = (opening * turned).sum(1) / ((turned**2).sum(1) + _SOFT_M**2)
    still = np.linalg.norm(opening, axis=1) < 1e-6
    weights = np.where(still, 0, np.clip(along, 0, 1))
    if "teeth_lower" in head.part_names:
        weights[head.part_vertices("teeth_lower")] = 1
    return hinge, weights


def _stiff(head: HeadModel, opening: Doubles) -> Ints:
    """Indices of vertices that move with the lower jaw's bone."""
    if "teeth_lower" in head.part_names:
        return head.part_vertices("teeth_lower")
    far = np.linalg.norm(opening, axis=1)
    return np.flatnonzero(far > 0.8 * far.max()).astype(np.int32)
