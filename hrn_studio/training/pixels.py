"""OpenCV's picture operations on float32 arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from hrn_studio.live._cv import cv2
from hrn_studio.records import AnyFloats, Floats

# numpy's and OpenCV's stubs disagree about every second array.
_cv: Any = cv2


def dot(a: AnyFloats, b: AnyFloats) -> Floats:
    """Scalar products (P,) of rows (P, 3)."""
    return np.asarray(np.einsum("pk,pk->p", a, b))


def unit(vectors: AnyFloats) -> Floats:
    """Rows (P, 3) at length 1; a zero row stays."""
    length = np.sqrt(np.einsum("pk,pk->p", vectors, vectors))
    return np.asarray(vectors / np.maximum(length, 1e-20)[:, None], np.float32)


def blurred(picture: AnyFloats, sigma: float) -> Floats:
    """Gaussian blur of (H, W[, C]); ``sigma`` in pixels, 0 leaves it alone."""
    picture = np.asarray(picture, np.float32)
    return np.asarray(_cv.GaussianBlur(picture, (0, 0), float(sigma))) if sigma else picture


def resized(picture: AnyFloats, width: int, height: int, how: int = cv2.INTER_LINEAR) -> Floats:
    """Another size of (H, W[, C])."""
    return np.asarray(_cv.resize(picture, (width, height), interpolation=how))


def look_up(
    picture: AnyFloats, x: AnyFloats, y: AnyFloats, border: int = cv2.BORDER_REPLICATE
) -> Floats:
    """Bilinear values (P, C) at pixel positions (P,), where (0, 0) is the first pixel's centre."""
    if not len(x):
        return np.zeros((0, *np.shape(picture)[2:]) if np.ndim(picture) > 2 else (0, 1), np.float32)
    row = 256  # OpenCV wants fewer than 2^15 in a row
    pad = (-len(x)) % row
    grid_x = np.pad(np.asarray(x, np.float32), (0, pad)).reshape(-1, row)
    grid_y = np.pad(np.asarray(y, np.float32), (0, pad)).reshape(-1, row)
    values = _cv.remap(
        np.asarray(picture, np.float32), grid_x, grid_y, cv2.INTER_LINEAR, borderMode=border
    )
    return np.asarray(values.reshape(grid_x.size, -1)[: len(x)])


def polyline_mask(
    shape: tuple[int, int], lines: list[AnyFloats], thickness: int, filled: bool = False
) -> Floats:
    """Antialiased lines or polygons (N, 2), in texels with (0.5, 0.5) the first one's centre."""
    canvas = np.zeros(shape, np.uint8)
    fixed = [np.rint(np.asarray(line) * 16 - 8).astype(np.int32) for line in lines]
    if filled:
        for polygon in fixed:
            _cv.fillPoly(canvas, [polygon], 255, cv2.LINE_AA, 4)
    elif fixed:
        _cv.polylines(canvas, fixed, False, 255, thickness, cv2.LINE_AA, 4)
    return np.asarray(canvas, np.float32) / np.float32(255)
