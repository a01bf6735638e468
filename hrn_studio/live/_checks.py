"""When a tracked face is of no use, and what to say about one that is."""

from __future__ import annotations

import numpy as np

from hrn_studio.errors import FaceCutError, FaceTooSmallError, FaceTurnedError, NoFaceError
from hrn_studio.live._cv import cv2
from hrn_studio.live._views import Base, View, look
from hrn_studio.live.facemesh import (
    LEFT_BROW,
    LEFT_EYE,
    LIPS_OUTER,
    NOSE_BASE,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE,
    eye_openness,
    yaw_deg,
)
from hrn_studio.records import Floats, Frame

MIN_FACE_PX = 100
MAX_YAW_DEG = 60
CUT_NOTED, CUT_REFUSED = 0.03, 0.15
"""How far the face may reach beyond the picture, as a share of its size."""
SCATTER_GOOD, SCATTER_NOTED, SCATTER_REFUSED = 0.005, 0.008, 0.014
"""Mean disagreement of many looks, as a share of the face's size: 0.0024 to 0.0045 on photos,
0.005 to 0.009 on simple cartoons and half-hidden or very blurred faces, over 0.013 when half of
the face is hidden."""
FLAT_NOTED, FLAT_REFUSED, FLAT_DRAWING = 0.12, 0.35, 0.6
"""Share of the face in one even colour: 0.00 on photos and renders, 0.15 to 0.4 with a flat thing
over the eyes or the mouth, up to 0.55 over half of the face, 0.8 on cartoons."""
CLOSED = 0.075

_FEATURES = (*LIPS_OUTER, *RIGHT_EYE, *LEFT_EYE, *RIGHT_BROW, *LEFT_BROW, *NOSE_BASE)


def check_place(points: Floats, frame: Frame) -> list[str]:
    """Refuse a face that is too small, cut by the border, or turned away; else what to note.

    Parameters
    ----------
    points
        (478, 3) pixels and depth.
    """
    size = float(np.ptp(points[:, :2], axis=0).max())
    if size < MIN_FACE_PX:
        raise FaceTooSmallError(
            f"the face in {frame.name} is only {size:.0f} px large; come closer or use a picture "
            f"in which it has at least {MIN_FACE_PX} px"
        )
    beyond = np.maximum(-points[:, :2], points[:, :2] - [frame.width, frame.height]).max(axis=1)
    if beyond.max() > CUT_REFUSED * size or beyond[list(_FEATURES)].max() > 0:
        raise FaceCutError(
            f"the face in {frame.name} is cut by the picture's border; use a picture with the "
            "whole face in it"
        )
    yaw = yaw_deg(points[:, :2], points[:, 2])
    if abs(yaw) > MAX_YAW_DEG:
        raise FaceTurnedError(
            f"the face in {frame.name} is turned {abs(yaw):.0f} degrees to the side; use one "
            f"turned less than {MAX_YAW_DEG} degrees"
        )
    notes = []
    if beyond.max() > CUT_NOTED * size:
        notes.append("the edge of the face is outside the picture")
    if max(eye_openness(points)) < CLOSED:
        notes.append("the eyes are closed")
    return notes


def check_surface(base: Base, points: Floats, frame: Frame) -> list[str]:
    """Refuse a face that is drawn or mostly covered; else what to note.

    Looks for even colour, which skin never has.  Dark and burnt-out parts do not count.
    """
    crop, to_crop = look(base, View())
    oval = points[list(OVAL), :2] @ to_crop[:, :2].T + to_crop[:, 2]
    inside = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.rint(oval).astype(np.int32)], [1])
    window = np.ones((9, 9), np.uint8)
    face = cv2.erode(inside, window) > 0
    spread = (cv2.dilate(crop, window) - cv2.erode(crop, window)).max(axis=2)
    lit = (crop.max(axis=2) >= 40) & (crop.min(axis=2) <= 250)
    flat = float(((spread <= 2) & lit)[face].mean()) if face.any() else 0.0
    if flat > FLAT_DRAWING:
        raise NoFaceError(f"the face in {frame.name} looks like a drawing; use a photograph")
    if flat > FLAT_REFUSED:
        raise NoFaceError(
            f"the face in {frame.name} is mostly covered; use a picture in which nothing hides it"
        )
    if flat > FLAT_NOTED:
        return ["something flat seems to cover a part of the face"]
    return []


def check_scatter(scatter: Floats, size_px: float, frame: Frame) -> list[str]:
    """Refuse a face on which many looks disagree; else what to note.

    Parameters
    ----------
    scatter
        (478,) pixels.
    """
    disagreement = float(scatter.mean()) / size_px
    if disagreement > SCATTER_REFUSED:
        raise NoFaceError(
            f"the face in {frame.name} cannot be followed: it is half hidden, drawn or blurred; "
            "use a sharp picture in which nothing hides it"
        )
    if disagreement > SCATTER_NOTED:
        return ["the landmarks are uncertain: the face is blurred, drawn or partly hidden"]
    return []


def confidence(scatter: Floats, size_px: float) -> float:
    """1 when the looks agree as on good photos, falling to 0 at the point of refusal."""
    disagreement = float(scatter.mean()) / size_px
    return float(np.clip((SCATTER_REFUSED - disagreement) / (SCATTER_REFUSED - 0.003), 0.0, 1.0))
