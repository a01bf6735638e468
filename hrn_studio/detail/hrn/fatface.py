"""Grow the face in a picture by a few pixels, so that its edge is painted with skin.

Where the fitted face is a little larger than the one in the picture, its outline would take the
background's colour.  The picture is therefore stretched outwards along the jaw, and nowhere near
eyes, nose and mouth, before a texture is fitted to it.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from hrn_studio.records import AnyFloats, Bytes, Floats

STRENGTH = 0.03
"""Of twice the face's box: the largest shift."""
WORK_PX = 400
_FIELD = 100
_SMALLEST_PX = 0.2
_FEATURES = (range(17, 22), range(22, 27), range(27, 36), range(36, 42), range(42, 48))
_LIPS = range(48, 60)


def grown(image: Bytes, landmarks: AnyFloats, strength: float = STRENGTH) -> Bytes:
    """The picture (H, W, 3) with the face grown outwards along the jaw.

    Parameters
    ----------
    landmarks
        (68, 2) iBUG landmarks in the picture, y up.
    """
    height, width = image.shape[:2]
    scale = WORK_PX / max(height, width)
    size = round(width * scale), round(height * scale)
    points = np.stack([landmarks[:, 0], height - 1 - landmarks[:, 1]], axis=1) * scale
    flow = _radial(points, size, strength)
    flow *= _jaw(points, size)[..., None] * (1 - _features(points, size))[..., None]
    full = np.stack([_resized(flow[..., k], width, height) for k in (0, 1)]) / scale
    full[:, np.abs(full).max(0) < _SMALLEST_PX] = 0
    rows, columns = np.indices((height, width), np.float32)
    places = [rows + full[1], columns + full[0]]
    channels = [
        ndimage.map_coordinates(image[..., k].astype(np.float32), places, order=1, mode="nearest")
        for k in range(3)
    ]
    return np.asarray(np.clip(np.stack(channels, axis=-1) + 0.5, 0, 255), np.uint8)


def _radial(points: AnyFloats, size: tuple[int, int], strength: float) -> Floats:
    """(H, W, 2) where to look instead: towards the middle of the face, furthest half way out."""
    low, high = points.min(0), points.max(0)
    x, y = (low + high) / 2
    room = (2 * (x - 1), 2 * (y - 1), 2 * (size[1] - y - 1), 2 * (size[0] - x - 1))
    length = int(min(2 * float((high - low).max()), *room))
    field = np.zeros((size[1], size[0], 2), np.float32)
    if length < 4:
        return field
    steps = (np.arange(_FIELD) + 0.5) / (_FIELD / 2) - 1
    across, down = np.meshgrid(steps, steps)
    radius = np.hypot(across, down)
    rise = np.clip(np.minimum(2 * radius, 2 - 2 * radius), 0, 1)
    inward = -np.stack([across, down], -1) / np.maximum(radius, 1e-6)[..., None]
    small = (length * strength * rise)[..., None] * inward
    left, top = int(x - length / 2), int(y - length / 2)
    patch = np.stack([_resized(small[..., k], length, length) for k in (0, 1)], -1)
    field[top : top + length, left : left + length] = patch
    return field


def _jaw(points: AnyFloats, size: tuple[int, int]) -> Floats:
    """1 along the jaw line, fading over some pixels."""
    stroke = _stroke(points)
    return _blurred_lines([points[:17]], size, stroke, closed=False)


def _features(points: AnyFloats, size: tuple[int, int]) -> Floats:
    """1 on brows, eyes, nose and mouth."""
    groups = [points[list(group)] for group in (*_FEATURES, _LIPS)]
    return _blurred_lines(groups, size, 2 * _stroke(points), closed=True)


def _stroke(points: AnyFloats) -> int:
    # A tenth of the short side of the face's box, grown by half its size on every side.
    return max(1, round(0.2 * float(np.ptp(points, axis=0).min())))


def _blurred_lines(
    lines: list[AnyFloats], size: tuple[int, int], stroke: int, *, closed: bool
) -> Floats:
    canvas = Image.new("L", size)
    pen = ImageDraw.Draw(canvas)
    for line in lines:
        corners = [(float(x), float(y)) for x, y in line]
        pen.line([*corners, *corners[:1]] if closed else corners, 255, stroke, joint="curve")
    drawn = np.asarray(canvas, np.float32) / 255
    # A Gaussian window twice the stroke wide, as wide as OpenCV's default takes it to be.
    sigma = 0.3 * ((2 * stroke - 1) * 0.5 - 1) + 0.8
    return np.asarray(ndimage.gaussian_filter(drawn, sigma), np.float32)


def _resized(values: Floats, width: int, height: int) -> Floats:
    picture = Image.fromarray(np.asarray(values, np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
