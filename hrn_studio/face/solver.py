"""Landmarks to pose, identity and expressions by damped least squares.

The model is the head's own linear one, seen through a *perspective* camera.  All frames of one
person are solved together: one identity, one pose and expression each, and, when asked, one
focal length.  Priors are Gaussian: identity in standard deviations, expressions around what the
learned maps say.  Landmarks are weighted by how well the tracker agrees with itself about them
(:class:`~hrn_studio.face.landmarks.LandmarkEmbedding`) and outliers count less (Cauchy weights).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.transforms import rigid, rotation_from_vector, similarity
from hrn_studio.records import Camera, Doubles, Floats, Track

IRISES = 468
"""FaceMesh's landmarks from here on lie on the irises."""


@dataclass(frozen=True, slots=True)
class SolverSettings:
    """How the landmarks are believed."""

    iterations: int = 8
    components: int = 40
    """Identity components solved for; the rest stay at their prior."""
    sigma_m: float = 0.003
    """Standard deviation of a landmark with the median spread, metres on the face.

    Far above the tracker's jitter on purpose: its errors are strongly correlated between
    neighbours, so several hundred landmarks carry the evidence of a few dozen."""
    depth_weight: float = 0.1
    """Weight of the tracker's relative depth against its x and y."""
    robust: float = 3.0
    """Cauchy scale in standard deviations."""
    expression_sigma: float = 0.1
    """Prior standard deviation of an expression around its start."""
    focal_sigma: float = 0.15
    """Prior standard deviation of the logarithm of the focal length, when it is solved for."""


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """What the least squares found for F frames."""

    identity: Doubles
    """(I,)"""
    expression: Doubles
    """(F, E) 0..1"""
    T_camera_head: Doubles
    """(F, 4, 4)"""
    focal_scale: float
    """Factor on the cameras' focal lengths; 1 unless it was solved for."""
    residual_px: Doubles
    """(F,) root mean square of the weighted landmarks' distances."""


class LandmarkSolver:
    """Solves for the faces behind tracks; holds the head's bases at the landmarks.

    Parameters
    ----------
    head, embedding
        The model and where the tracker's landmarks lie on it.
    """

    def __init__(self, head: HeadModel, embedding: LandmarkEmbedding) -> None:
        self.embedding = embedding
        self.used = np.flatnonzero(embedding.usable)
        self.used = self.used[self.used < IRISES]  # irises tell of gaze, not of shape
        corners = embedding.corners[self.used]
        weights = embedding.barycentric[self.used].astype(np.float64)

        def at_landmarks(values: Floats) -> Doubles:
            picked = values[..., corners, :].astype(np.float64)
            return np.asarray(np.einsum("lk,...lkc->...lc", weights, picked))

        self.mean = at_landmarks(head.mean)
        self.identity = at_landmarks(head.identity)
        self.expression = at_landmarks(head.expression)
        self.depth_m = embedding.depth_m[self.used].astype(np.float64)
        spread = np.maximum(embedding.spread_m[self.used], 1e-3)
        self.trust = np.clip(np.median(spread) / spread, 0.2, 2.0)
        """(L,) relative precision: 1 at the median spread."""

    def points(self, identity: Doubles, expression: Doubles) -> Doubles:
        """(L, 3) used landmarks in the head frame, metres; spare coefficients may be left out."""
        return (
            self.mean
            + np.tensordot(identity, self.identity[: len(identity)], 1)
            + np.tensordot(expression, self.expression[: len(expression)], 1)
        )

    def start_pose(self, track: Track, camera: Camera, points: Doubles | None = None) -> Doubles:
        """(4, 4) pose from the tracker's own relative depth, by similarity alignment."""
        model = self.mean if points is None else points
        seen = np.column_stack([track.points_px, track.depth_px])[self.used].astype(np.float64)
        seen[:, :2] -= np.asarray(camera.center_px)
        scale, R, t = similarity(model, seen, self.trust)
        distance = camera.focal_px / scale
        return rigid(R, np.array([t[0] / scale, t[1] / scale, distance]))

    def solve(
        self,
        tracks: Sequence[Track],
        cameras: Sequence[Camera],
        *,
        settings: SolverSettings,
        identity: Doubles | None = None,
        identity_sigma: Doubles | float = 1.0,
        expression: Doubles | None = None,
        poses: Sequence[Doubles] | None = None,
        solve_expression: bool = False,
        solve_focal: bool = False,
        frame_weights: Sequence[float] | None = None,
    ) -> Solution:
        """Pose, identity and expressions of F frames of one person.

        Parameters
        ----------
        identity
            (I,) centre of the identity prior and start; zeros by default.
        identity_sigma
            Prior standard deviation of the solved components, in standard deviations of the
            model; ``0`` holds the identity.
        expression
            (F, E) centre of the expression prior and start; zeros by default.
        poses
            F start poses; found from the tracks by default.
        solve_expression, solve_focal
            Solve for these too.
        frame_weights
            F factors on the frames' evidence.
        """
        count = len(tracks)
        n_identity = min(settings.components, len(self.identity))
        held = np.isscalar(identity_sigma) and float(identity_sigma) == 0.0  # type: ignore[arg-type]
        if held:
            n_identity = 0
        all_identity = np.zeros(len(self.identity)) if identity is None else identity.astype(float)
        base = self.mean + np.tensordot(all_identity[n_identity:], self.identity[n_identity:], 1)
        identity_0 = all_identity[:n_identity]
        sigma_i = (
            np.broadcast_to(np.asarray(identity_sigma, float), (n_identity,))
            if not held
            else identity_0
        )
        n_expression = len(self.expression) if solve_expression else 0
        expression_0 = (
            np.zeros((count, len(self.expression)))
            if expression is None
            else np.asarray(expression)
        )
        x_i, x_e = identity_0.copy(), expression_0.astype(float).copy()
        log_focal = 0.0
        if poses is None:
            poses = [self.start_pose(tr, ca) for tr, ca in zip(tracks, cameras, strict=True)]
        T = [np.array(pose, np.float64) for pose in poses]
        weights_f = np.ones(count) if frame_weights is None else np.asarray(frame_weights, float)
        block = 6 + n_expression
        size = n_identity + count * block + int(solve_focal)
        residual = np.zeros(count)
        free = np.ones((count, n_expression), bool)
        for _ in range(settings.iterations):
            A, g = np.zeros((size, size)), np.zeros(size)
            A[range(n_identity), range(n_identity)] = 1 / np.square(sigma_i)
            g[:n_identity] = (identity_0 - x_i) / np.square(sigma_i)
            if solve_focal:
                A[-1, -1] = settings.focal_sigma**-2
                g[-1] = -log_focal * settings.focal_sigma**-2
            for f, (track, camera) in enumerate(zip(tracks, cameras, strict=True)):
                shape = (
                    base
                    + np.tensordot(x_i, self.identity[:n_identity], 1)
                    + np.tensordot(x_e[f], self.expression, 1)
                )
                J, r, w, residual[f] = self.linearize(
                    shape,
                    T[f],
                    track,
                    camera,
                    np.exp(log_focal),
                    settings,
                    n_identity,
                    n_expression,
                )
                w = w * weights_f[f]
                at = n_identity + f * block
                columns = np.r_[0:n_identity, at : at + block, [size - 1] * solve_focal].astype(int)
                if not solve_focal:
                    J = J[:, :-1]
                Jw = J * w[:, None]
                A[np.ix_(columns, columns)] += J.T @ Jw
                g[columns] += Jw.T @ r
                if n_expression:
                    e = slice(at + 6, at + block)
                    A[range(at + 6, at + block), range(at + 6, at + block)] += (
                        settings.expression_sigma**-2
                    )
                    g[e] += (expression_0[f] - x_e[f]) * settings.expression_sigma**-2
                    # bounds: what sits at one and wants out is held for this step
                    free[f] = ~((x_e[f] <= 0) & (g[e] < 0) | (x_e[f] >= 1) & (g[e] > 0))
            keep = np.ones(size, bool)
            for f in range(count if n_expression else 0):
                at = n_identity + f * block + 6
                keep[at : at + n_expression] = free[f]
            A[np.diag_indices(size)] *= 1 + 1e-6
            A[np.diag_indices(size)] += 1e-6  # a frame without weight stays where it is
            step = np.zeros(size)
            step[keep] = np.linalg.solve(A[np.ix_(keep, keep)], g[keep])
            x_i = x_i + step[:n_identity]
            for f in range(count):
                at = n_identity + f * block
                pose = step[at : at + 6]
                R = rotation_from_vector(pose[:3]) @ T[f][:3, :3]
                T[f] = rigid(R, T[f][:3, 3] + pose[3:])
                if n_expression:
                    x_e[f] = np.clip(x_e[f] + step[at + 6 : at + block], 0.0, 1.0)
            if solve_focal:
                log_focal = float(np.clip(log_focal + step[-1], -0.7, 0.7))
        all_identity = all_identity.copy()
        all_identity[:n_identity] = x_i
        return Solution(all_identity, x_e, np.array(T), float(np.exp(log_focal)), residual)

    def linearize(
        self,
        shape: Doubles,
        T: Doubles,
        track: Track,
        camera: Camera,
        focal_scale: float,
        settings: SolverSettings,
        n_identity: int,
        n_expression: int,
    ) -> tuple[Doubles, Doubles, Doubles, float]:
        """Jacobian (3 L, P), residuals and weights of one frame in metres on the face.

        Rows: x, y and relative depth of every used landmark; columns: identity, rotation,
        translation, expressions, log focal length.  The last value is the residual in pixels.

        Parameters
        ----------
        shape
            (L, 3) from :meth:`points`.
        """
        R, t = T[:3, :3], T[:3, 3]
        turned = shape @ R.T
        p = turned + t
        focal = camera.focal_px * focal_scale
        to_m = t[2] / focal  # metres on the face per pixel
        x_z, y_z = p[:, 0] / p[:, 2], p[:, 1] / p[:, 2]
        seen = track.points_px[self.used] - np.asarray(camera.center_px)
        r_x = (seen[:, 0] - focal * x_z) * to_m
        r_y = (seen[:, 1] - focal * y_z) * to_m
        depth = track.depth_px[self.used] * to_m + self.depth_m * R[2, 2]  # -1 from the front
        r_z = depth - depth.mean() - (p[:, 2] - p[:, 2].mean())
        scale = t[2] / p[:, 2]

        def rows(d: Doubles) -> tuple[Doubles, Doubles, Doubles]:
            """Change of the three residual kinds with a change (..., L, 3) of camera points."""
            dz = d[..., 2]
            return (
                scale * (d[..., 0] - x_z * dz),
                scale * (d[..., 1] - y_z * dz),
                dz - dz.mean(axis=-1, keepdims=True),
            )

        count = len(shape)
        J = np.zeros((3, count, n_identity + 6 + n_expression + 1))
        columns = J.transpose(0, 2, 1)
        for k, part in enumerate(rows(self.identity[:n_identity] @ R.T)):
            columns[k, :n_identity] = part
        at = n_identity
        x, y, z = turned.T
        zero = np.zeros(count)
        omega = np.stack(
            [
                np.stack([zero, -z, y], 1),
                np.stack([z, zero, -x], 1),
                np.stack([-y, x, zero], 1),
            ]
        )
        for k, part in enumerate(rows(omega)):
            columns[k, at : at + 3] = part
        shift = np.broadcast_to(np.eye(3)[:, None, :], (3, count, 3))
        for k, part in enumerate(rows(shift)):
            columns[k, at + 3 : at + 6] = part
        if n_expression:
            for k, part in enumerate(rows(self.expression @ R.T)):
                columns[k, at + 6 : -1] = part
        columns[0, -1], columns[1, -1] = t[2] * x_z, t[2] * y_z
        r = np.stack([r_x, r_y, r_z])
        distance = np.hypot(r_x, r_y)
        sigma = settings.sigma_m / self.trust
        cauchy = 1 / (1 + np.square(distance / (settings.robust * sigma)))
        w = cauchy / np.square(sigma)
        weights = np.stack([w, w, settings.depth_weight * w])
        rms = float(np.sqrt((cauchy * distance**2).sum() / cauchy.sum())) / to_m
        return J.reshape(3 * count, -1), r.ravel(), weights.ravel(), rms
