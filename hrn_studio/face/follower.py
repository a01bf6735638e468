"""The pose of a face whose shape is known: six numbers, quickly, from frame to frame.

What :class:`~hrn_studio.face.solver.LandmarkSolver` does for one frame without identity and
expressions to find; a live face has those from the learned maps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.face.solver import LandmarkSolver
from hrn_studio.geometry.transforms import rigid, rotation_from_vector
from hrn_studio.records import AnyFloats, Camera, Doubles, Track


@dataclass(frozen=True, slots=True)
class FollowerSettings:
    """How the landmarks are believed."""

    first_iterations: int = 8
    """Without a pose to start from."""
    iterations: int = 2
    """From the last frame's pose."""
    sigma_m: float = 0.002
    """Standard deviation of a landmark with the median spread, metres on the face."""
    depth_weight: float = 0.01
    """Weight of the tracker's relative depth against its x and y.

    On renders of the default head the pose is the better the less the depth counts (3.1 degrees
    off on average at 0, 3.3 at 0.03, 4.3 at 0.1); a little keeps a turn from flipping."""
    robust: float = 3.0
    """Cauchy scale in standard deviations."""


class PoseFollower:
    """Finds the pose of one face after another.

    Parameters
    ----------
    solver
        Holds the head's landmarks.
    """

    def __init__(self, solver: LandmarkSolver, settings: FollowerSettings | None = None) -> None:
        self._solver = solver
        self._settings = settings or FollowerSettings()
        self._flat = solver.expression.reshape(len(solver.expression), -1)
        self._identities = solver.identity.reshape(len(solver.identity), -1)
        self._neutral = solver.mean.ravel()
        self._precision = np.square(solver.trust / self._settings.sigma_m)
        self._center = np.zeros(2)

    def hold(self, identity: AnyFloats) -> None:
        """Faces to come have these identity coefficients (I,); fewer than the model's are fine."""
        self._neutral = self._solver.mean.ravel() + identity @ self._identities[: len(identity)]

    def follow(
        self, track: Track, camera: Camera, expression: AnyFloats, pose: Doubles | None = None
    ) -> tuple[Doubles, float]:
        """``T_camera_head`` (4, 4) at scale 1, and the landmarks' weighted distance in pixels.

        Parameters
        ----------
        expression
            (E,) weights of this frame.
        pose
            (4, 4) where to start; found from the track when not given.
        """
        shape = (self._neutral + expression @ self._flat).reshape(-1, 3)
        count = self._settings.iterations
        if pose is None:
            pose, count = (
                self._solver.start_pose(track, camera, shape),
                max(count, self._settings.first_iterations),
            )
        seen = track.points_px[self._solver.used] - np.asarray(camera.center_px)
        depth = track.depth_px[self._solver.used].astype(np.float64)
        depth -= depth.mean()
        residual = 0.0
        for _ in range(count):
            pose, residual = self._step(shape, pose, seen, depth, camera.focal_px)
        return pose, residual

    def _step(
        self, shape: Doubles, T: Doubles, seen: Doubles, depth: Doubles, focal: float
    ) -> tuple[Doubles, float]:
        """One Gauss-Newton step; residuals are metres on the face."""
        s = self._settings
        turned = shape @ T[:3, :3].T
        x, y, z = turned.T
        p = turned + T[:3, 3]
        to_m = T[2, 3] / focal
        x_z, y_z = p[:, 0] / p[:, 2], p[:, 1] / p[:, 2]
        near = T[2, 3] / p[:, 2]
        r_x = seen[:, 0] * to_m - T[2, 3] * x_z
        r_y = seen[:, 1] * to_m - T[2, 3] * y_z
        r_z = depth * to_m - (z - z.mean())
        square = r_x * r_x + r_y * r_y
        cauchy = 1 / (1 + square * (self._precision / s.robust**2))
        w = cauchy * self._precision
        # rows: change of the residual kinds with rotation about x, y, z and with translation
        zero, one = np.zeros_like(x), np.ones_like(x)
        d_x = np.stack([-x_z * y, z + x_z * x, -y, one, zero, -x_z]) * near
        d_y = np.stack([-z - y_z * y, y_z * x, x, zero, one, -y_z]) * near
        d_z = np.stack([y - y.mean(), x.mean() - x, zero, zero, zero, zero])
        A = (d_x * w) @ d_x.T + (d_y * w) @ d_y.T + s.depth_weight * (d_z * w) @ d_z.T
        g = d_x @ (w * r_x) + d_y @ (w * r_y) + s.depth_weight * d_z @ (w * r_z)
        A[np.diag_indices(6)] *= 1 + 1e-6
        step = np.linalg.solve(A, g)
        moved = rigid(rotation_from_vector(step[:3]) @ T[:3, :3], T[:3, 3] + step[3:])
        return moved, float(np.sqrt((cauchy * square).sum() / cauchy.sum())) / to_m
