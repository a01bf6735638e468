"""Hands before the face: skin, but not this skin.

Colour cannot tell a hand from a cheek, so MediaPipe's hand landmarks do: every bone becomes a
strip as wide as a finger, the palm is filled.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.live._cv import cv2
from hrn_studio.live._mediapipe import HandTracker
from hrn_studio.records import AnyFloats, Bools, Bytes

_PALM = (0, 1, 5, 9, 13, 17)
_FINGERS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_WIDE = 0.38
"""Width of a finger against that of the palm between its first and last knuckle, with a margin."""
_SMALLEST, _LARGEST = 0.25, 1.3
"""Size of a palm against the face's: what is outside this is no hand of that person."""
_OVERLAP = 0.02
"""Share of the face's oval that must be covered before anything is left out."""


def hands_over(crop: Bytes, oval: Bools) -> Bools:
    """(h, w) where a hand hides the face whose ``oval`` (h, w) is given; about 30 ms."""
    with HandTracker() as tracker:
        hands = tracker.hands(crop)
    rows, columns = np.flatnonzero(oval.any(axis=1)), np.flatnonzero(oval.any(axis=0))
    covered = np.zeros(oval.shape, np.bool_)
    if len(rows) == 0:
        return covered
    face = float(max(np.ptp(rows), np.ptp(columns)))
    for points in hands:
        palm = float(np.linalg.norm(points[9] - points[0]))
        if _SMALLEST * face < palm < _LARGEST * face:
            covered |= hand_shape(points, oval.shape)
    return covered if (covered & oval).sum() > _OVERLAP * oval.sum() else np.zeros_like(covered)


def hand_shape(points: AnyFloats, shape: tuple[int, ...]) -> Bools:
    """(h, w) the pixels of a hand with landmarks (21, 2), x right and y down."""
    mask = np.zeros(shape, np.uint8)
    spots = np.rint(np.asarray(points)[:, :2] - 0.5).astype(np.int32)
    knuckles = float(np.linalg.norm(points[17] - points[5]))
    back = 0.6 * float(np.linalg.norm(points[9] - points[0]))  # a palm seen from its edge
    width = max(2, round(_WIDE * max(knuckles, back)))
    cv2.fillPoly(mask, [spots[list(_PALM)]], [1])
    cv2.polylines(mask, [spots[list(_PALM)]], True, [1], width)
    for finger in _FINGERS:
        cv2.polylines(mask, [spots[list(finger)]], False, [1], width)
    return mask > 0
