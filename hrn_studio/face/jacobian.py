"""How points of a linear head move in the picture when its pose and coefficients change.

Everything is in metres on the face: a residual in pixels times the depth of the head's origin over
the focal length, so that a near face and a far one count alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.records import Camera, Doubles


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """(N, 3) points of a head, as its coefficients make them."""

    mean: Doubles
    """(N, 3) head frame, metres."""
    identity: Doubles
    """(I, N, 3)"""
    expression: Doubles
    """(E, N, 3)"""


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """Points before a camera."""

    T: Doubles
    """(4, 4) ``T_camera_head``"""
    turned: Doubles
    """(N, 3) rotated, not moved."""
    placed: Doubles
    """(N, 3) camera frame, metres."""
    focal: float
    """Pixels."""

    @classmethod
    def of(cls, shape: Doubles, T: Doubles, camera: Camera, focal_scale: float) -> Posed:
        """``shape`` (N, 3) in the head frame, metres."""
        turned = shape @ T[:3, :3].T
        return cls(T, turned, turned + T[:3, 3], camera.focal_px * focal_scale)

    @property
    def to_m(self) -> float:
        """Metres on the face per pixel."""
        return float(self.T[2, 3] / self.focal)

    @property
    def slopes(self) -> tuple[Doubles, Doubles]:
        """x / z and y / z, each (N,)."""
        p = self.placed
        return p[:, 0] / p[:, 2], p[:, 1] / p[:, 2]

    def off(self, seen_px: Doubles) -> tuple[Doubles, Doubles]:
        """How far right and down of the points they are seen (N, 2), metres; from the centre."""
        (x_z, y_z), to_m = self.slopes, self.to_m
        return (seen_px[:, 0] - self.focal * x_z) * to_m, (seen_px[:, 1] - self.focal * y_z) * to_m


def derivatives(
    posed: Posed, points: Points, n_identity: int, n_expression: int, kinds: int = 3
) -> Doubles:
    """(kinds, N, P): x, y and depth (about its mean) by what is solved for.

    Parameters
    ----------
    n_identity, n_expression
        How many of the coefficients are; columns: identity, rotation, translation, expressions,
        log focal length.
    kinds
        2 leaves the depth out.
    """
    t = posed.T[:3, 3]
    x_z, y_z = posed.slopes
    scale = t[2] / posed.placed[:, 2]

    def rows(d: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """Change of the three residual kinds with a change (..., N, 3) of camera points."""
        dz = d[..., 2]
        return (
            scale * (d[..., 0] - x_z * dz),
            scale * (d[..., 1] - y_z * dz),
            dz - dz.mean(axis=-1, keepdims=True),
        )

    R = posed.T[:3, :3]
    count, at = len(posed.turned), n_identity
    moves = [
        (slice(0, at), points.identity[:n_identity] @ R.T),
        (slice(at, at + 3), _turns(posed.turned)),
        (slice(at + 3, at + 6), np.broadcast_to(np.eye(3)[:, None, :], (3, count, 3))),
        (slice(at + 6, -1), points.expression[:n_expression] @ R.T),
    ]
    J = np.zeros((kinds, count, n_identity + 6 + n_expression + 1))
    columns = J.transpose(0, 2, 1)
    for span, move in moves:
        if len(move):
            for k, part in enumerate(rows(move)[:kinds]):
                columns[k, span] = part
    columns[0, -1], columns[1, -1] = t[2] * x_z, t[2] * y_z
    return J


def _turns(turned: Doubles) -> Doubles:
    """(3, N, 3) change of rotated points with a small further rotation about each axis."""
    x, y, z = turned.T
    zero = np.zeros(len(turned))
    return np.stack(
        [
            np.stack([zero, -z, y], 1),
            np.stack([z, zero, -x], 1),
            np.stack([-y, x, zero], 1),
        ]
    )
