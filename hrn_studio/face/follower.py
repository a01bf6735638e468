"""The pose of a face whose shape is known: six numbers, quickly, from frame to frame.

What :class:`~hrn_studio.face.solver.LandmarkSolver` does for one frame without identity and
expressions to find; a live face has those from the learned maps.  A face network's dense landmarks
(:mod:`.dense`) may stand beside the tracker's, there as here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hrn_studio.face.dense import DensePoints, DenseSettings
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
    dense: DenseSettings = field(default_factory=DenseSettings)
    """How a network's points are believed beside them."""


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """N points of a face whose shape is known, and where they are seen."""

    shape: Doubles
    """(N, 3) head frame, metres."""
    seen: Doubles
    """(N, 2) pixels from the picture's centre."""
    precision: Doubles
    """(N,) 1 / square metre, of each by itself."""
    share: Doubles
    """(N,) how much of it counts, because errors go together."""
    depth: Doubles
    """(L,) relative, pixels, of the first points: the tracker's."""


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
        self._identity: AnyFloats = np.zeros(0)
        self._dense: tuple[DensePoints, Doubles] | None = None

    def hold(self, identity: AnyFloats) -> None:
        """Faces to come have these identity coefficients (I,); fewer than the model's are fine."""
        self._neutral = self._solver.mean.ravel() + identity @ self._identities[: len(identity)]
        self._identity, self._dense = identity, None

    def follow(
        self,
        track: Track,
        camera: Camera,
        expression: AnyFloats,
        pose: Doubles | None = None,
        dense: DensePoints | None = None,
    ) -> tuple[Doubles, float]:
        """``T_camera_head`` (4, 4) at scale 1, and the landmarks' weighted distance in pixels.

        Parameters
        ----------
        expression
            (E,) weights of this frame.
        pose
            (4, 4) where to start; found from the track when not given.
        dense
            What the network saw in this frame.
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
        told = _Evidence(shape, seen, self._precision, np.ones(len(seen)), depth)
        if dense is not None:
            told = self._with_dense(told, dense, expression, camera, pose[2, 3] / camera.focal_px)
        residual = 0.0
        for _ in range(count):
            pose, residual = self._step(told, pose, camera.focal_px)
        return pose, residual

    def _with_dense(
        self,
        marks: _Evidence,
        dense: DensePoints,
        expression: AnyFloats,
        camera: Camera,
        to_m: float,
    ) -> _Evidence:
        """The tracker's landmarks, which give way, and the network's after them."""
        points = self._solver.dense_points(dense.vertices)
        if self._dense is None or not np.array_equal(self._dense[0].vertices, dense.vertices):
            known = points.identity[: len(self._identity)]
            self._dense = dense, points.mean + np.tensordot(self._identity, known, 1)
        shape = self._dense[1] + np.tensordot(expression, points.expression, 1)
        sigma_m = dense.sigma_px * np.float64(to_m)
        believed, count = self._settings.dense, len(shape)
        return _Evidence(
            np.concatenate([marks.shape, shape]),
            np.concatenate([marks.seen, dense.points_px - np.asarray(camera.center_px)]),
            np.concatenate([marks.precision, believed.precision(sigma_m)]),
            np.concatenate(
                [
                    marks.share * believed.beside(sigma_m),
                    np.full(count, believed.share(count)),
                ]
            ),
            marks.depth,
        )

    def _step(self, told: _Evidence, T: Doubles, focal: float) -> tuple[Doubles, float]:
        """One Gauss-Newton step; residuals are metres on the face."""
        s, seen, marks = self._settings, told.seen, slice(0, len(told.depth))
        turned = told.shape @ T[:3, :3].T
        x, y, z = turned.T
        p = turned + T[:3, 3]
        to_m = T[2, 3] / focal
        x_z, y_z = p[:, 0] / p[:, 2], p[:, 1] / p[:, 2]
        near = T[2, 3] / p[:, 2]
        r_x = seen[:, 0] * to_m - T[2, 3] * x_z
        r_y = seen[:, 1] * to_m - T[2, 3] * y_z
        x_m, y_m, z_m = turned[marks].T
        r_z = told.depth * to_m - (z_m - z_m.mean())
        square = r_x * r_x + r_y * r_y
        cauchy = 1 / (1 + square * (told.precision / s.robust**2))
        w = cauchy * told.precision * told.share
        # rows: change of the residual kinds with rotation about x, y, z and with translation
        zero, one = np.zeros_like(x), np.ones_like(x)
        d_x = np.stack([-x_z * y, z + x_z * x, -y, one, zero, -x_z]) * near
        d_y = np.stack([-z - y_z * y, y_z * x, x, zero, one, -y_z]) * near
        none = np.zeros_like(z_m)
        d_z = np.stack([y_m - y_m.mean(), x_m.mean() - x_m, none, none, none, none])
        w_z = w[marks]
        A = (d_x * w) @ d_x.T + (d_y * w) @ d_y.T + s.depth_weight * (d_z * w_z) @ d_z.T
        g = d_x @ (w * r_x) + d_y @ (w * r_y) + s.depth_weight * d_z @ (w_z * r_z)
        A[np.diag_indices(6)] *= 1 + 1e-6
        step = np.linalg.solve(A, g)
        moved = rigid(rotation_from_vector(step[:3]) @ T[:3, :3], T[:3, 3] + step[3:])
        square, cauchy = square[marks], cauchy[marks]
        return moved, float(np.sqrt((cauchy * square).sum() / cauchy.sum())) / to_m
