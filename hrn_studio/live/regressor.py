"""From tracks to faces, frame after frame: the identity settles, pose and expression follow.

Each frame the learned maps give identity and expressions with their uncertainty.  The identity is
averaged robustly over frames, frontal and still ones counting most, and moves less and less; pose
and expressions of the frame are then solved with the identity held, from the last frame's on, and
smoothed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hrn_studio.face.gaze import look_weights
from hrn_studio.face.irises import gaze_of
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.face.scale import head_scale
from hrn_studio.face.solver import LandmarkSolver, SolverSettings
from hrn_studio.geometry.transforms import angles_from_rotation, rigid, rotation_from_vector
from hrn_studio.live.regression import RegressionMaps
from hrn_studio.live.smoothing import OneEuro, OneEuroSettings
from hrn_studio.records import Camera, Coefficients, Doubles, Estimate, FaceState, Frame, Track


class FaceRegressor(Protocol):
    """Makes a face of each tracked frame; frames come in order."""

    def regress(self, frame: Frame, track: Track, camera: Camera) -> FaceState:
        """The frame's face."""

    def reset(self) -> None:
        """Another person, or another place in the film: forget the past."""


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How the live face settles and follows."""

    solver: SolverSettings = SolverSettings(iterations=2, sigma_m=0.002, expression_sigma=0.12)
    first: SolverSettings = SolverSettings(iterations=6, sigma_m=0.002, expression_sigma=0.12)
    settle_frames: float = 90.0
    """Evidence of this many good frames and the identity hardly moves."""
    stranger: float = 3.0
    """An identity this many (root mean square) deviations off, for ten frames, is a new person."""
    rotation: OneEuroSettings = OneEuroSettings(cutoff_hz=2.5, speed_gain=8.0)
    """Signal in radians."""
    translation: OneEuroSettings = OneEuroSettings(cutoff_hz=2.0, speed_gain=60.0)
    """Signal in metres."""
    expression: OneEuroSettings = OneEuroSettings(cutoff_hz=3.0, speed_gain=4.0)
    gaze: OneEuroSettings = OneEuroSettings(cutoff_hz=2.0, speed_gain=6.0)


class LandmarkRegressor:
    """The default regressor: learned maps and damped least squares on landmarks.

    Parameters
    ----------
    head, embedding, maps
        The model, its landmarks and the maps trained for it.
    smooth
        Filter pose, expressions and gaze over time; off for measuring.
    """

    def __init__(
        self,
        head: HeadModel,
        embedding: LandmarkEmbedding,
        maps: RegressionMaps,
        settings: LiveSettings | None = None,
        smooth: bool = True,
    ) -> None:
        self._head, self._maps = head, maps
        self._settings = settings or LiveSettings()
        self._solver = LandmarkSolver(head, embedding)
        self._smooth = smooth
        names = head.expression_names
        self._looks = np.array([n.startswith("eyeLook") for n in names])
        self._blinks = np.array([n.startswith("eyeBlink") for n in names])
        self.reset()

    def reset(self) -> None:
        """Forget the person and the motion."""
        s = self._settings
        self._identity = np.zeros(self._head.identity_count)
        self._evidence = 0.0
        self._log_scale, self._scale_evidence = 0.0, 0.0
        self._strange = 0
        self._pose: Doubles | None = None
        self._filters = {
            "rotation": OneEuro(s.rotation),
            "translation": OneEuro(s.translation),
            "expression": OneEuro(s.expression),
            "gaze": OneEuro(s.gaze),
        }
        self._reference = np.eye(3)

    def regress(self, frame: Frame, track: Track, camera: Camera) -> FaceState:
        """Pose, expressions and gaze of this frame, with the person's identity so far."""
        estimate = self._maps.estimate(frame, track, camera)
        self._update_identity(estimate, track)
        prior = np.asarray(estimate.expression, np.float64).copy()
        prior[self._looks] = 0.0
        first = self._pose is None
        solution = self._solver.solve(
            [track],
            [camera],
            settings=self._settings.first if first else self._settings.solver,
            identity=self._identity,
            identity_sigma=0.0,
            expression=prior[None],
            poses=None if self._pose is None else [self._pose],
            solve_expression=True,
        )
        pose = solution.T_camera_head[0]
        self._pose = pose
        expression = solution.expression[0]
        # lids are seen better by the maps than by the few landmarks on them
        expression[self._blinks] = prior[self._blinks]
        state = FaceState(
            Coefficients(self._identity, expression),
            pose,
            camera,
            residual_px=float(solution.residual_px[0]),
            time_s=frame.time_s,
        )
        return self._finished(state, track)

    def _update_identity(self, estimate: Estimate, track: Track) -> None:
        n = len(estimate.identity)
        sigma = np.asarray(estimate.identity_sigma, np.float64)
        off = (estimate.identity - self._identity[:n]) / sigma
        distance = float(np.sqrt(np.square(off).mean()))
        if self._evidence > 20 and distance > self._settings.stranger:
            self._strange += 1
            if self._strange >= 10:
                self.reset()
            return
        self._strange = 0
        yaw, pitch = self._turned()
        good = np.exp(-((yaw / 0.45) ** 2) - (pitch / 0.4) ** 2) / (1 + (distance / 1.5) ** 2)
        evidence = min(self._evidence + good, self._settings.settle_frames)
        self._identity[:n] += (estimate.identity - self._identity[:n]) * good / max(evidence, good)
        self._evidence = evidence

    def _turned(self) -> tuple[float, float]:
        if self._pose is None:
            return 0.0, 0.0
        yaw, pitch, _ = angles_from_rotation(self._pose[:3, :3])
        return yaw, pitch

    def _finished(self, state: FaceState, track: Track) -> FaceState:
        """Scale from the irises so far, gaze, smoothing."""
        head, time = self._head, state.time_s
        expression = np.asarray(state.coefficients.expression, np.float64)
        is_open = bool(np.all(expression[self._blinks] < 0.4))
        scale, source = head_scale([track], [state], [is_open], head)
        if source == "iris":
            self._scale_evidence = min(self._scale_evidence + 1, self._settings.settle_frames)
            self._log_scale += (np.log(scale) - self._log_scale) / self._scale_evidence
        scale = float(np.exp(self._log_scale))
        gaze = np.asarray(gaze_of(head, track, state), np.float64)
        T = state.T_camera_head
        R, t = T[:3, :3], T[:3, 3] * scale
        if self._smooth:
            R = self._smooth_rotation(R, time)
            t = self._filters["translation"](t, time)
            expression = np.clip(self._filters["expression"](expression, time), 0, 1)
            gaze = self._filters["gaze"](gaze, time)
        lids = head.weights(look_weights(gaze))
        expression[self._looks] = lids[self._looks]
        return FaceState(
            Coefficients(self._identity.copy(), expression, gaze),
            rigid(R, t),
            state.camera,
            scale,
            "iris" if self._scale_evidence else "population_mean",
            state.residual_px,
            time,
        )

    def _smooth_rotation(self, R: Doubles, time_s: float) -> Doubles:
        """Filter the rotation as a vector from a reference that follows it."""
        vector = _rotation_vector(self._reference.T @ R)
        if np.linalg.norm(vector) > 1.0:  # far from the reference: start anew from here
            self._reference, vector = R, np.zeros(3)
            self._filters["rotation"].reset()
        return self._reference @ rotation_from_vector(self._filters["rotation"](vector, time_s))


def _rotation_vector(R: Doubles) -> Doubles:
    """Axis times angle (3,) of a rotation by less than half a turn."""
    angle = np.arccos(np.clip((np.trace(R) - 1) / 2, -1, 1))
    axis = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])
    return np.asarray(axis * (0.5 if angle < 1e-6 else angle / (2 * np.sin(angle))))
