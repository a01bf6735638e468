"""Who is in front of the camera: identity and size, averaged over frames and then held.

Estimates of one person differ by 0.4 to 0.6 (root mean square, in their own standard deviations)
while the head turns; those of different people by 0.6 to 1.  That is too little to tell people
apart at any time.  Faces hardly ever change without being lost for a moment, or jumping, so that is
when the identity is opened again; without it only a large difference over several frames counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.records import Doubles, Estimate, Floats


@dataclass(frozen=True, slots=True)
class PersonSettings:
    """How the identity settles."""

    settle_frames: float = 90.0
    """Evidence of this many good frames and identity and size are held."""
    robust: float = 0.5
    """Estimates further off than this count clearly less; as the distances above."""
    recent_frames: float = 12.0
    """The mean that is compared with the identity reaches back about this far."""
    stranger: float = 0.9
    """Recent frames this far off are someone else."""
    stranger_after_loss: float = 0.55
    """The same after the face was lost."""
    doubt_frames: float = 8.0
    """Evidence left after the face was lost: it may be someone else."""


class Person:
    """The identity so far; give it each frame's estimate.

    Parameters
    ----------
    identity_count
        Coefficients of the head model; estimates may have fewer.
    """

    def __init__(self, identity_count: int, settings: PersonSettings | None = None) -> None:
        self._count = identity_count
        self._settings = settings or PersonSettings()
        self.people = 0
        """How many there were, this one included; counts up when someone else is noticed."""
        self.reset()

    def reset(self) -> None:
        """Someone else, of whom nothing is known."""
        self.people += 1
        self._identity = np.zeros(self._count)
        self._evidence = 0.0
        self._log_scale, self._scale_evidence = 0.0, 0.0
        self._recent: Doubles | None = None
        self._recent_evidence = 0.0
        self._lost = False
        self.held = False

    @property
    def identity(self) -> Floats:
        """(I,) a copy."""
        return self._identity.astype(np.float32)

    @property
    def scale(self) -> float:
        """Size against the model's; 1 until an iris was measured."""
        return float(np.exp(self._log_scale))

    @property
    def scale_source(self) -> str:
        """``iris`` or ``population_mean``."""
        return "iris" if self._scale_evidence > 0 else "population_mean"

    @property
    def settled(self) -> bool:
        """Whether identity and size change no more."""
        return self.held or self._evidence >= self._settings.settle_frames

    def hold(self) -> None:
        """Keep this person whatever comes, until :meth:`reset`."""
        self.held = True

    def lost(self) -> None:
        """The face was away for a while."""
        if not self.held:
            self._lost = True
            self._evidence = min(self._evidence, self._settings.doubt_frames)
            self._scale_evidence = min(self._scale_evidence, self._settings.doubt_frames)
            self._recent, self._recent_evidence = None, 0.0

    def see(self, estimate: Estimate, weight: float) -> bool:
        """Take one frame's estimate in; ``weight`` 0..1 says how well it shows the person.

        Returns whether the identity changed.
        """
        if self.held or weight <= 0:
            return False
        s, n = self._settings, len(estimate.identity)
        if self._is_stranger(estimate, weight):
            self.reset()
        if self.settled:
            return False
        distance = self._distance(estimate.identity, estimate)
        if self._evidence > 0:
            weight /= 1 + (distance / s.robust) ** 2
        self._evidence = min(self._evidence + weight, s.settle_frames)
        share = weight / self._evidence
        self._identity[:n] += share * (estimate.identity - self._identity[:n])
        return True

    def see_scale(self, log_scale: float) -> None:
        """Take one frame's size in, as the logarithm of its ratio to the model's."""
        s = self._settings
        if not self.held and self._scale_evidence < s.settle_frames:
            self._scale_evidence += 1
            off = log_scale - self._log_scale
            if self._scale_evidence > s.doubt_frames:
                off = float(np.clip(off, -0.05, 0.05))
            self._log_scale += off / self._scale_evidence

    def _is_stranger(self, estimate: Estimate, weight: float) -> bool:
        s = self._settings
        if self._recent is None:
            self._recent = np.array(estimate.identity, np.float64)
        self._recent_evidence = min(self._recent_evidence + weight, s.recent_frames)
        self._recent += (
            weight / max(self._recent_evidence, 1.0) * (estimate.identity - self._recent)
        )
        if self._recent_evidence < s.recent_frames or self._evidence < s.doubt_frames:
            return False
        limit = s.stranger_after_loss if self._lost else s.stranger
        self._lost = False
        return self._distance(self._recent, estimate) > limit

    def _distance(self, identity: Floats | Doubles, estimate: Estimate) -> float:
        off = (identity - self._identity[: len(identity)]) / estimate.identity_sigma
        return float(np.sqrt(np.square(off).mean()))
