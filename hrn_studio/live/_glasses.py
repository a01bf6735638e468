"""Find the frame of a pair of glasses.

A frame is a thin line that stands out from the skin and crosses the nose between the eyes: all of
nine lines down the bridge of the nose meet it.  Frames as thin and light as the skin stay unseen.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.live._cv import cv2
from hrn_studio.live.facemesh import LEFT_BROW, LEFT_EYE, RIGHT_BROW, RIGHT_EYE
from hrn_studio.records import AnyFloats, Bools, Bytes, Floats, Ints

CROSSING = 32.0
"""Contrast (of 255) at the bridge: 18 at most on bare faces, 47 and more on drawn frames."""
STANDS_OUT = 22.0

_BETWEEN_BROWS, _BRIDGE, _TEMPLES = 8, 195, (127, 356)


def glasses_frame(guide: Bytes, points: AnyFloats, size_px: float) -> Bools:
    """(h, w) the frame in a crop; empty when there is none.

    Parameters
    ----------
    points
        (478, 2) landmarks in the crop.
    size_px
        Of the face in the crop.
    """
    light = cv2.cvtColor(guide, cv2.COLOR_RGB2LAB)[..., 0]
    window = 2 * round(0.04 * size_px) + 1
    contrast = cv2.absdiff(light, cv2.medianBlur(light, window)).astype(np.float32)
    if _at_bridge(contrast, points).min() < CROSSING:
        return np.zeros(light.shape, np.bool_)
    zone = np.zeros(light.shape, np.uint8)
    cv2.fillConvexPoly(zone, cv2.convexHull(_corners(points, size_px)), [1])
    width = max(1, round(0.012 * size_px))
    for part in (RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW):
        outline = np.rint(points[list(part)]).astype(np.int32)
        cv2.fillPoly(zone, [outline], [0])
        cv2.polylines(zone, [outline], True, [0], 2 * width)
    frame = _largest(((contrast > STANDS_OUT) & (zone > 0)).astype(np.uint8), size_px)
    window_px = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    return np.asarray(cv2.dilate(frame, window_px) > 0)


def _largest(frame: Bytes, size_px: float) -> Bytes:
    """Without specks: parts shorter than a tenth of the face."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(frame)
    longest = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    kept = [i for i in range(1, count) if longest[i] > 0.1 * size_px]
    return np.asarray(np.isin(labels, kept), np.uint8)


def _at_bridge(contrast: Floats, points: AnyFloats) -> Floats:
    """(9,) the highest contrast along each of nine lines down the bridge of the nose."""
    across = points[LEFT_EYE[8]] - points[RIGHT_EYE[8]]
    down = np.linspace(points[_BETWEEN_BROWS], points[_BRIDGE], 60)
    lines = down[None] + np.linspace(-0.18, 0.18, 9)[:, None, None] * across
    x, y = lines[..., 0].astype(np.float32), lines[..., 1].astype(np.float32)
    seen = np.asarray(cv2.remap(contrast, x, y, cv2.INTER_LINEAR), np.float32)
    return np.asarray(seen.max(axis=1))


def _corners(points: AnyFloats, size_px: float) -> Ints:
    """Around both eyes, from the brows to the middle of the cheeks and out to the temples."""
    eyes = points[[*RIGHT_EYE, *LEFT_EYE, *_TEMPLES]]
    down = points[_BRIDGE] - points[_BETWEEN_BROWS]
    down = 0.16 * size_px * down / np.linalg.norm(down)
    return np.asarray(np.concatenate([eyes + down, eyes - down]), np.int32)
