"""Smoothing that follows: still when the face is still, quick when it moves.

The One-Euro filter of Casiez, Roussel and Vogel ("1 Euro filter", CHI 2012): a first-order low pass
whose cut-off rises with the speed of the signal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.records import Doubles


@dataclass(frozen=True, slots=True)
class OneEuroSettings:
    """How still and how quick."""

    cutoff_hz: float
    """Cut-off of a signal at rest."""
    speed_gain: float
    """Hertz of cut-off per unit of speed (signal units per second)."""
    speed_cutoff_hz: float = 2.0


class OneEuro:
    """A filter for one signal of any shape; keeps the last value and speed."""

    def __init__(self, settings: OneEuroSettings) -> None:
        self._settings = settings
        self._value: Doubles | None = None
        self._speed: Doubles | None = None
        self._time = 0.0

    def __call__(self, value: Doubles, time_s: float) -> Doubles:
        """The smoothed value at ``time_s``; times must rise, else the filter starts anew."""
        value = np.asarray(value, np.float64)
        step = time_s - self._time
        self._time = time_s
        if self._value is None or self._speed is None or not 0 < step < 0.5:
            self._value, self._speed = value, np.zeros_like(value)
            return value
        s = self._settings
        self._speed = _blend(self._speed, (value - self._value) / step, s.speed_cutoff_hz, step)
        cutoff = s.cutoff_hz + s.speed_gain * np.abs(self._speed)
        self._value = _blend(self._value, value, cutoff, step)
        return self._value

    def reset(self) -> None:
        """Forget the past."""
        self._value = self._speed = None


def _blend(old: Doubles, new: Doubles, cutoff_hz: Doubles | float, step_s: float) -> Doubles:
    rate = 2 * np.pi * cutoff_hz * step_s
    share = rate / (rate + 1)
    return np.asarray(old + share * (new - old))
