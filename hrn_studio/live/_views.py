"""Normalised looks at one face: crops that bring it to one size, turned, mirrored, brightened.

A tracker sees each crop slightly differently; mapped back to the picture, what they agree on is
better than any one of them, and how far they disagree tells how sure it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hrn_studio.live._cv import cv2
from hrn_studio.live.facemesh import MIRROR
from hrn_studio.records import Bytes, Doubles, Floats

FACE_PX = 256
"""Size of the face in a crop; the landmark network itself sees 192 px."""

SIDE_PX = 640
"""Side of a crop."""

_BASE_PX = 320
_BASE_REACH = 1.8


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """The surroundings of a face cut out of the picture, scaled down when the face is large."""

    image: Bytes
    """(h, w, 3)"""
    origin_px: Doubles
    """(2,) where its corner lies in the picture."""
    scale: Doubles
    """(2,) pixels here per pixel of the picture, along x and y."""
    center_px: Doubles
    """(2,) the middle of the face in the picture."""
    size_px: float
    """Size of the face in the picture."""


@dataclass(frozen=True, slots=True)
class View:
    """How a crop looks at a face."""

    face_px: float = FACE_PX
    roll_rad: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    """As a share of the face's size."""
    mirrored: bool = False
    gamma: float = 1.0


def base_around(image: Bytes, points: Floats, face_px: float = _BASE_PX) -> Base:
    """Cut out the surroundings of a face; ``points`` are (L, 2 or more) in pixels.

    A face larger than ``face_px`` is scaled down to it.
    """
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    center = (low + high).astype(np.float64) / 2
    size = float((high - low).max())
    height, width = image.shape[:2]
    x0, y0 = np.clip(np.floor(center - _BASE_REACH * size), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(center + _BASE_REACH * size), 1, [width, height]).astype(int)
    cut: Any = image[y0:y1, x0:x1]
    if size > face_px:
        shrunk = np.maximum(1, np.rint(np.array([x1 - x0, y1 - y0]) * face_px / size)).astype(int)
        cut = cv2.resize(cut, shrunk.tolist(), interpolation=cv2.INTER_AREA)
    scale = np.array([cut.shape[1], cut.shape[0]]) / [x1 - x0, y1 - y0]
    return Base(np.asarray(cut, np.uint8), np.array([x0, y0], np.float64), scale, center, size)


def views(count: int, seed: int = 0) -> list[View]:
    """The plain view, its mirror image, and variations of both in turn."""
    rng = np.random.default_rng(seed)
    result = [View(), View(mirrored=True)]
    for i in range(2, count):
        dx, dy = rng.uniform(-0.08, 0.08, 2)
        result.append(
            View(
                face_px=FACE_PX * float(rng.uniform(0.8, 1.2)),
                roll_rad=float(np.radians(rng.uniform(-12, 12))),
                shift=(float(dx), float(dy)),
                mirrored=i % 2 == 1,
                gamma=float(np.exp(rng.uniform(-0.35, 0.35))),
            )
        )
    return result[:count]


def look(base: Base, view: View, side: int = SIDE_PX) -> tuple[Bytes, Doubles]:
    """The crop a view shows, and the (2, 3) map from the picture's pixels to the crop's."""
    scale = view.face_px / base.size_px
    cos, sin = np.cos(view.roll_rad) * scale, np.sin(view.roll_rad) * scale
    turn = np.array([[cos, -sin], [sin, cos]])
    if view.mirrored:
        turn = np.diag([-1.0, 1.0]) @ turn
    middle = side / 2 + np.array(view.shift) * view.face_px
    to_crop = np.column_stack([turn, middle - turn @ base.center_px])
    from_base = np.column_stack(
        [turn / base.scale, turn @ base.origin_px + to_crop[:, 2]]
    )  # pixel corners are integers here, their centres for OpenCV
    half = np.array([0.5, 0.5])
    from_base[:, 2] += from_base[:, :2] @ half - half
    crop = cv2.warpAffine(
        base.image,
        from_base,
        (side, side),
        flags=cv2.INTER_LINEAR if scale < base.scale[0] else cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if view.gamma != 1.0:
        curve = np.rint(255 * (np.arange(256) / 255) ** view.gamma).astype(np.uint8)
        crop = cv2.LUT(crop, curve)
    return np.asarray(crop, np.uint8), to_crop


def unmapped(points: Floats, to_crop: Doubles, view: View) -> Floats:
    """Landmarks of a crop, (478, 3), in the picture's pixels; those of a mirrored one swapped."""
    scale = float(np.sqrt(abs(np.linalg.det(to_crop[:, :2]))))
    xy = (points[:, :2] - to_crop[:, 2]) @ np.linalg.inv(to_crop[:, :2]).T
    back = np.column_stack([xy, points[:, 2] / scale]).astype(np.float32)
    return back[list(MIRROR)] if view.mirrored else back
