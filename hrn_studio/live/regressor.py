"""From tracks to faces, frame after frame: the identity settles, pose and expression follow.

Each frame the learned maps give identity and expressions.  The identity is averaged over frames
(:class:`~hrn_studio.live.person.Person`) and then held; so is the face at rest, against which
expressions are told (:class:`~hrn_studio.live.expressions.RestingFace`).  The pose is solved from
the landmarks with identity and expression given (:class:`~hrn_studio.face.follower.PoseFollower`).
Letting the landmarks change the expressions too, without a face at rest, made them worse, on
renders and on a clip: the landmarks' errors are larger than what they could add.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from hrn_studio.face.dense import DensePoints
from hrn_studio.face.follower import FollowerSettings, PoseFollower
from hrn_studio.face.gaze import look_weights
from hrn_studio.face.irises import gaze_of
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.face.scale import head_scale
from hrn_studio.face.solver import LandmarkSolver
from hrn_studio.geometry.transforms import angles_from_rotation
from hrn_studio.live.estimator import Seen
from hrn_studio.live.expressions import FRONT, ExpressionMaps, RestingFace, RestSettings
from hrn_studio.live.motion import Motion, MotionSettings
from hrn_studio.live.person import Person, PersonSettings
from hrn_studio.live.smoothing import LONGEST_STEP_S
from hrn_studio.records import Camera, Coefficients, Doubles, Estimate, FaceState, Frame, Track


class FaceEstimator(Protocol):
    """Sees identity and expressions in a frame: the learned maps, or a network of the user's."""

    def estimate(self, frame: Frame, track: Track, camera: Camera) -> Estimate:
        """What the face's coefficients probably are."""


class FaceRegressor(Protocol):
    """Makes a face of each tracked frame; frames come in order."""

    def regress(self, frame: Frame, track: Track, camera: Camera) -> FaceState:
        """The frame's face."""

    def reset(self) -> None:
        """Another person, or another place in the film: forget the past."""


@runtime_checkable
class _TellsChanges(Protocol):
    """An estimator whose estimates hold evidence for expressions, and what it means."""

    @property
    def changes(self) -> ExpressionMaps | None: ...


@runtime_checkable
class _SeesDense(Protocol):
    """An estimator that may have asked a face network."""

    def see(self, frame: Frame, track: Track, camera: Camera) -> Seen: ...


def look(
    maps: FaceEstimator, frame: Frame, track: Track, camera: Camera
) -> tuple[Estimate, DensePoints | None]:
    """What one look at a face tells: coefficients, and dense landmarks where a network looked."""
    if not isinstance(maps, _SeesDense):
        return maps.estimate(frame, track, camera), None
    seen = maps.see(frame, track, camera)
    return seen.estimate, None if seen.sight is None else seen.sight.dense


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How the live face settles and follows; ``docs/accuracy.md`` tells what it comes to."""

    person: PersonSettings = field(default_factory=PersonSettings)
    rest: RestSettings = field(default_factory=RestSettings)
    follower: FollowerSettings = field(default_factory=FollowerSettings)
    motion: MotionSettings = field(default_factory=MotionSettings)


BLINK_OPEN, BLINK_CLOSED = 0.05, 0.7
"""The maps' blink of open and of closed eyes; on renders of closed eyes they say 0.7 to 0.9."""
_LOST = 0.08
"""A pose whose landmarks lie this share of the face away is not followed but sought anew."""
_JUMP = 0.5
"""A face that is this share of its size away from the last frame's is another one."""


class LandmarkRegressor:
    """The default regressor: learned maps, and least squares on landmarks for the pose.

    Parameters
    ----------
    head, embedding, maps
        The model, its landmarks, and the maps trained for it or whatever else sees its
        coefficients.
    smooth
        Filter pose, expressions and gaze over time; off for measuring.
    """

    def __init__(
        self,
        head: HeadModel,
        embedding: LandmarkEmbedding,
        maps: FaceEstimator,
        settings: LiveSettings | None = None,
        smooth: bool = True,
    ) -> None:
        self._head, self._maps = head, maps
        self._smooth = smooth
        self._settings = settings or LiveSettings()
        self._follower = PoseFollower(LandmarkSolver(head, embedding), self._settings.follower)
        self._person = Person(head.identity_count, self._settings.person)
        names = head.expression_names
        self._looks = np.array([n.startswith("eyeLook") for n in names])
        self._blinks = np.array([n.startswith("eyeBlink") for n in names])
        self._changes = maps.changes if isinstance(maps, _TellsChanges) else None
        self._rest: RestingFace | None = None
        if self._changes is not None:
            passing = self._looks | self._blinks
            self._rest = RestingFace(self._changes, passing, self._settings.rest)
        self._look_at = [(i, n) for i, n in enumerate(names) if n.startswith("eyeLook")]
        self.reset()

    def reset(self) -> None:
        """Forget the person and the motion."""
        self._person.reset()
        if self._rest is not None:
            self._rest.reset()
        self._follower.hold(self._person.identity)
        self.restart()

    def restart(self) -> None:
        """Forget the motion, not the person: another place in the same film."""
        self._pose: Doubles | None = None
        self._last: tuple[Doubles, float] | None = None
        self._gaze = np.zeros((2, 2))
        self._motion = Motion(self._blinks, self._settings.motion)

    def hold(self) -> None:
        """Keep the identity and size found so far for all frames to come, until :meth:`reset`."""
        self._person.hold()
        if self._rest is not None:
            self._rest.hold()
        self._follower.hold(self._person.identity)
        self.restart()

    def regress(self, frame: Frame, track: Track, camera: Camera) -> FaceState:
        """Pose, expressions and gaze of this frame, with the person's identity so far."""
        estimate, dense = look(self._maps, frame, track, camera)
        return self.regress_estimate(frame.time_s, track, camera, estimate, dense)

    def regress_estimate(
        self,
        time_s: float,
        track: Track,
        camera: Camera,
        estimate: Estimate,
        dense: DensePoints | None = None,
    ) -> FaceState:
        """The same when what :func:`look` gives for the frame is known."""
        self._notice_cuts(time_s, track)
        weight = self._meet(estimate)
        expression = self._weights(estimate, weight)
        pose, residual = self._follower.follow(track, camera, expression, self._pose, dense)
        if self._pose is not None and residual > _LOST * track.size_px:
            pose, residual = self._follower.follow(track, camera, expression, None, dense)
        self._pose = pose
        coefficients = Coefficients(self._person.identity, expression.astype(np.float32))
        state = FaceState(coefficients, pose, camera, residual_px=residual, time_s=time_s)
        return self._finished(state, track)

    def _notice_cuts(self, time_s: float, track: Track) -> None:
        """Start anew after a pause or a jump."""
        place = np.asarray(track.points_px.mean(0), np.float64)
        if self._last is not None:
            away = float(np.linalg.norm(place - self._last[0]))
            step = time_s - self._last[1]
            if not 0 < step < LONGEST_STEP_S or away > _JUMP * track.size_px:
                self._person.lost()
                self.restart()
        self._last = place, time_s

    def _meet(self, estimate: Estimate) -> float:
        """Average the identity; frames seen from the front count most.  Returns how much it did."""
        weight = 1.0
        if self._pose is not None:
            yaw, pitch, _ = angles_from_rotation(self._pose[:3, :3])
            weight = float(np.exp(-((yaw / 0.45) ** 2) - (pitch / 0.4) ** 2))
        people = self._person.people
        if self._person.see(estimate, weight):
            self._follower.hold(self._person.identity)
        if self._rest is not None and self._person.people != people:
            self._rest.reset()
        return weight

    def _weights(self, estimate: Estimate, weight: float) -> Doubles:
        """(E,) expressions as the maps see them; closed lids close, gaze comes from the irises."""
        weights = np.asarray(estimate.expression, np.float64).copy()
        if self._rest is not None and len(estimate.evidence):
            turn = FRONT
            if self._pose is not None:
                yaw, pitch, _ = angles_from_rotation(self._pose[:3, :3])
                turn = yaw, pitch
            weights = self._rest.see(estimate.evidence, weights, weight, turn)
        weights[self._looks] = 0.0
        closed = (weights[self._blinks] - BLINK_OPEN) / (BLINK_CLOSED - BLINK_OPEN)
        weights[self._blinks] = np.clip(closed, 0, 1)
        return weights

    def _finished(self, state: FaceState, track: Track) -> FaceState:
        """Scale from the irises so far, gaze, smoothing."""
        person, time = self._person, state.time_s
        expression = np.asarray(state.coefficients.expression, np.float64).copy()
        if self._changes is not None:
            expression = self._changes.stretched(expression)
        if np.all(expression[self._blinks] < 0.3):
            if not person.settled:
                scale, source = head_scale([track], [state], [True], self._head)
                if source == "iris":
                    person.see_scale(float(np.log(scale)))
            self._gaze = np.asarray(gaze_of(self._head, track, state), np.float64)
        gaze = self._gaze  # closed eyes look where they looked
        T = state.T_camera_head.copy()
        T[:3, 3] *= person.scale
        if self._smooth:
            T = self._motion.pose(T, time)
            expression = self._motion.expression(expression, time)
            gaze = self._motion.gaze(gaze, time)
        looks = look_weights(gaze)
        for index, name in self._look_at:
            expression[index] = looks[name]
        return FaceState(
            Coefficients(
                state.coefficients.identity,
                expression.astype(np.float32),
                gaze.astype(np.float32),
            ),
            T,
            state.camera,
            person.scale,
            person.scale_source,
            state.residual_px,
            time,
        )
