"""Smoothing that follows: still when the face is still, quick when it moves.

The One-Euro filter of Casiez, Roussel and Vogel ("1 Euro filter", CHI 2012): a first-order low pass
whose cut-off rises with the speed of the signal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.geometry.transforms import rotation_from_vector
from hrn_studio.records import AnyFloats, Doubles

LONGEST_STEP_S = 0.5
"""After a longer pause, or when time goes back, a filter starts anew."""


@dataclass(frozen=True, slots=True)
class OneEuroSettings:
    """How still and how quick."""

    cutoff_hz: float
    """Cut-off of a signal at rest."""
    speed_gain: float
    """Hertz of cut-off per unit of speed (signal units per second)."""
    speed_cutoff_hz: float = 2.0


class OneEuro:
    """A filter for one signal of any shape; each of its numbers has its own speed."""

    def __init__(self, settings: OneEuroSettings) -> None:
        self._settings = settings
        self._value: Doubles | None = None
        self._speed: Doubles | None = None
        self._time = 0.0

    def __call__(self, value: AnyFloats, time_s: float) -> Doubles:
        """The smoothed value at ``time_s``; the first one, and one after a pause, is kept as is."""
        value = np.asarray(value, np.float64)
        step, self._time = time_s - self._time, time_s
        if self._value is None or self._speed is None or not 0 < step < LONGEST_STEP_S:
            self._value, self._speed = value, np.zeros_like(value)
            return value
        s, past = self._settings, self._value
        speed = (value - past) / step
        self._speed = self._speed + _share(s.speed_cutoff_hz, step) * (speed - self._speed)
        cutoff = s.cutoff_hz + s.speed_gain * np.abs(self._speed)
        self._value = past + _share(cutoff, step) * (value - past)
        return self._value

    def reset(self) -> None:
        """Forget the past."""
        self._value = self._speed = None


class RotationOneEuro:
    """The same for a rotation: it turns part of the way, about the shortest axis."""

    def __init__(self, settings: OneEuroSettings) -> None:
        self._settings = settings
        self._value: Doubles | None = None
        self._speed = np.zeros(3)
        self._time = 0.0

    def __call__(self, value: AnyFloats, time_s: float) -> Doubles:
        """The smoothed rotation (3, 3) at ``time_s``; speeds are radians per second."""
        value = np.asarray(value, np.float64)
        step, self._time = time_s - self._time, time_s
        if self._value is None or not 0 < step < LONGEST_STEP_S:
            self._value, self._speed = value, np.zeros(3)
            return value
        s = self._settings
        turn = rotation_vector(value @ self._value.T)
        self._speed = self._speed + _share(s.speed_cutoff_hz, step) * (turn / step - self._speed)
        cutoff = s.cutoff_hz + s.speed_gain * float(np.linalg.norm(self._speed))
        self._value = rotation_from_vector(_share(cutoff, step) * turn) @ self._value
        return self._value

    def reset(self) -> None:
        """Forget the past."""
        self._value = None


def rotation_vector(R: Doubles) -> Doubles:
    """Axis times angle (3,), radians, of a rotation (3, 3) by less than half a turn."""
    angle = float(np.arccos(np.clip((np.trace(R) - 1) / 2, -1, 1)))
    axis = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])
    return np.asarray(axis * (0.5 if angle < 1e-6 else angle / (2 * np.sin(angle))))


def _share(cutoff_hz: Doubles | float, step_s: float) -> Doubles:
    """How far a low pass goes towards the new value in one step, 0..1."""
    rate = 2 * np.pi * step_s * np.asarray(cutoff_hz)
    return np.asarray(rate / (rate + 1))
