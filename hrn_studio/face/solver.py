"""Landmarks to pose, identity and expressions by damped least squares.

The model is the head's own linear one, seen through a *perspective* camera.  All frames of one
person are solved together: one identity, one pose and expression each, and, when asked, one
focal length.  Priors are Gaussian: identity in standard deviations, expressions around what the
learned maps say.  Landmarks are weighted by how well the tracker agrees with itself about them
(:class:`~hrn_studio.face.landmarks.LandmarkEmbedding`) and outliers count less (Cauchy weights).
Where a face network looked too, its dense landmarks (:mod:`.dense`) stand beside the tracker's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hrn_studio.face.dense import DensePoints, DenseSettings, points_at
from hrn_studio.face.jacobian import Points, Posed, derivatives
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.transforms import rigid, rotation_from_vector, similarity
from hrn_studio.records import Camera, Doubles, Floats, Ints, Track

IRISES = 468
"""FaceMesh's landmarks from here on lie on the irises."""

_Rows = tuple[Doubles, Doubles, Doubles]
"""Jacobian (N, P), residuals (N,) and weights (N,)."""


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
    dense: DenseSettings = field(default_factory=DenseSettings)
    """How a network's points are believed beside them."""


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
        self.embedding, self._head = embedding, head
        self._dense: tuple[Ints, Points] | None = None
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
        self._points = Points(self.mean, self.identity, self.expression)
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
        dense: Sequence[DensePoints | None] | None = None,
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
        dense
            F frames' dense landmarks; None for those without.
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
                now = (T[f], camera, np.exp(log_focal), settings, n_identity, n_expression)
                *marks, residual[f] = self.linearize(shape, now[0], track, *now[1:])
                rows = [(marks[0], marks[1], marks[2])]
                looked = None if dense is None else dense[f]
                if looked is not None:
                    face = np.concatenate([x_i, all_identity[n_identity:]])
                    rows = self._with_dense(rows[0], looked, face, x_e[f], *now)
                at = n_identity + f * block
                columns = np.r_[0:n_identity, at : at + block, [size - 1] * solve_focal].astype(int)
                for J, r, w in rows:
                    w = w * weights_f[f]
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
        posed = Posed.of(shape, T, camera, focal_scale)
        seen = track.points_px[self.used] - np.asarray(camera.center_px)
        r_x, r_y = posed.off(seen)
        depth = track.depth_px[self.used] * posed.to_m + self.depth_m * T[2, 2]  # -1 from the front
        z = posed.placed[:, 2]
        r_z = depth - depth.mean() - (z - z.mean())
        J = derivatives(posed, self._points, n_identity, n_expression)
        r = np.stack([r_x, r_y, r_z])
        distance = np.hypot(r_x, r_y)
        sigma = settings.sigma_m / self.trust
        cauchy = 1 / (1 + np.square(distance / (settings.robust * sigma)))
        w = cauchy / np.square(sigma)
        weights = np.stack([w, w, settings.depth_weight * w])
        rms = float(np.sqrt((cauchy * distance**2).sum() / cauchy.sum())) / posed.to_m
        return J.reshape(3 * len(shape), -1), r.ravel(), weights.ravel(), rms

    def _with_dense(
        self,
        marks: _Rows,
        looked: DensePoints,
        identity: Doubles,
        expression: Doubles,
        T: Doubles,
        camera: Camera,
        focal_scale: float,
        settings: SolverSettings,
        n_identity: int,
        n_expression: int,
    ) -> list[_Rows]:
        """The tracker's rows, which give way, and those (2 K, P) of dense landmarks' x and y."""
        points = self.dense_points(looked.vertices)
        shape = (
            points.mean
            + np.tensordot(identity, points.identity, 1)
            + np.tensordot(expression, points.expression, 1)
        )
        posed = Posed.of(shape, T, camera, focal_scale)
        r_x, r_y = posed.off(looked.points_px - np.asarray(camera.center_px))
        J = derivatives(posed, points, n_identity, n_expression, kinds=2)
        sigma_m = looked.sigma_px * posed.to_m
        w = settings.dense.weights(np.hypot(r_x, r_y), sigma_m)
        r = np.concatenate([r_x, r_y])
        return [
            (marks[0], marks[1], settings.dense.beside(sigma_m) * marks[2]),
            (J.reshape(2 * len(shape), -1), r, np.concatenate([w, w])),
        ]

    def dense_points(self, vertices: Ints) -> Points:
        """The head's bases at a network's landmarks; made once for each network."""
        if self._dense is None or not np.array_equal(self._dense[0], vertices):
            self._dense = vertices, points_at(self._head, vertices)
        return self._dense[1]
