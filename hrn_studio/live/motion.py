"""A face's motion, smoothed: each part with a filter of its own.

The settings were chosen on the maps' and the tracker's noise at rest (the same picture with fresh
sensor noise) against the lag on a moving face; ``packaging/measure_live.py`` measures both.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hrn_studio.geometry.transforms import rigid
from hrn_studio.live.smoothing import OneEuro, OneEuroSettings, RotationOneEuro
from hrn_studio.records import Bools, Doubles


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """How still and how quick each part of a face is."""

    rotation: OneEuroSettings = field(
        default_factory=lambda: OneEuroSettings(cutoff_hz=0.5, speed_gain=20.0, speed_cutoff_hz=1.0)
    )
    """Signal in radians."""
    direction: OneEuroSettings = field(
        default_factory=lambda: OneEuroSettings(
            cutoff_hz=1.0, speed_gain=600.0, speed_cutoff_hz=1.0
        )
    )
    """Where in the picture; signal in radians, small angles."""
    distance: OneEuroSettings = field(
        default_factory=lambda: OneEuroSettings(cutoff_hz=0.5, speed_gain=50.0, speed_cutoff_hz=1.0)
    )
    """Signal is the logarithm of the distance from the camera."""
    expression: OneEuroSettings = field(
        default_factory=lambda: OneEuroSettings(cutoff_hz=1.0, speed_gain=12.0)
    )
    blink: OneEuroSettings = field(
        default_factory=lambda: OneEuroSettings(cutoff_hz=4.0, speed_gain=20.0)
    )
    """Lids are the quickest part of a face: closed within three frames."""
    gaze: OneEuroSettings = field(
        default_factory=lambda: OneEuroSettings(cutoff_hz=1.0, speed_gain=20.0)
    )
    """Signal in radians."""


class Motion:
    """Filters one face's pose, expressions and gaze.

    Parameters
    ----------
    blinks
        (E,) which expressions close the lids.
    """

    def __init__(self, blinks: Bools, settings: MotionSettings | None = None) -> None:
        s = settings or MotionSettings()
        self._blinks = blinks
        self._rotation = RotationOneEuro(s.rotation)
        self._direction, self._distance = OneEuro(s.direction), OneEuro(s.distance)
        self._expression, self._blink = OneEuro(s.expression), OneEuro(s.blink)
        self._gaze = OneEuro(s.gaze)

    def pose(self, T: Doubles, time_s: float) -> Doubles:
        """(4, 4) the smoothed pose of a head in front of the camera."""
        x, y, z = T[:3, 3]
        direction = self._direction(np.array([x / z, y / z]), time_s)
        distance = np.exp(self._distance(np.log(T[2:3, 3]), time_s))
        shift = np.append(direction, 1.0) * distance
        return rigid(self._rotation(T[:3, :3], time_s), shift)

    def expression(self, weights: Doubles, time_s: float) -> Doubles:
        """(E,) smoothed weights, 0..1."""
        result = self._expression(weights, time_s).copy()
        result[self._blinks] = self._blink(weights[self._blinks], time_s)
        return np.clip(result, 0.0, 1.0)

    def gaze(self, angles: Doubles, time_s: float) -> Doubles:
        """(2, 2) smoothed gaze, radians."""
        return self._gaze(angles, time_s)
