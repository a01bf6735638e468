"""A recording as ``hrn-studio track`` writes it, for formats that can play one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.records import Doubles, Floats, frozen


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A face over time."""

    name: str
    times_s: Doubles
    """(F,) strictly rising, the first is zero."""
    shapes: tuple[str, ...]
    """ARKit's names, in the order of the columns of ``weights``."""
    weights: Floats
    """(F, E) 0..1"""
    head_angles: Floats
    """(F, 3) radians: yaw to the subject's left, pitch up, roll of the head's top to the
    subject's right."""
    eye_angles: Floats
    """(F, 2, 2) radians: left eye, right eye; yaw to the subject's left, pitch up."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "times_s", frozen(self.times_s, np.float64))
        for name in ("weights", "head_angles", "eye_angles"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))
