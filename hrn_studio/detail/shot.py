"""A picture that is ready to be fitted to."""

from __future__ import annotations

from dataclasses import dataclass

from hrn_studio.face.dense import DensePoints
from hrn_studio.records import Camera, Estimate, Floats, Frame, Track


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One tracked picture with what is known about it before the fit."""

    frame: Frame
    track: Track
    camera: Camera
    estimate: Estimate
    """What the learned maps say, and the face network where it was asked."""
    mask: Floats
    """(H, W) 0..1, skin that may be believed."""
    silhouette: Floats | None = None
    """(H, W) 0..1, the person against the background; None when it could not be told."""
    notes: tuple[str, ...] = ()
    """What was masked and the like, in words."""
    dense: DensePoints | None = None
    """Where the face network sees the head's vertices, when it was asked."""
