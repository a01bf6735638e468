"""A plain texture layout for heads that come without one: the skin unrolled onto a cylinder."""

from __future__ import annotations

import numpy as np

from hrn_studio.records import AnyFloats, Bytes, Floats, Ints

_SKIN_WIDTH = 0.84
"""Of the square; the eyes stand beside it."""
_MARGIN = 0.01


def unrolled(mean: AnyFloats, triangles: Ints, part: Bytes) -> tuple[Floats, Ints]:
    """A texture layout: (U, 2) points and (T, 3) triangles into them.

    Parameters
    ----------
    mean
        (V, 3) head frame.
    part
        (V,) 0 for the skin, then one number for every other part; these are seen from the front,
        in a column on the right.

    The seam runs down the back of the head; what the cylinder folds (ears, inside of the mouth)
    shares texels.
    """
    points = np.asarray(mean, np.float64)
    skin = part == 0
    low, high = points[skin].min(0), points[skin].max(0)
    axis = (low + high) / 2
    turn = np.arctan2(points[:, 0] - axis[0], points[:, 2] - axis[2]) / (2 * np.pi) + 0.5
    rise = (points[:, 1] - low[1]) / max(high[1] - low[1], 1e-9)
    uv = np.stack([turn, rise], axis=1)
    uv_triangles = triangles.astype(np.int32).copy()
    # A triangle across the back gets its left corners again, on the right of the seam.
    across = np.ptp(turn[triangles], axis=1) > 0.5
    behind = across[:, None] & (turn[triangles] < 0.5) & skin[triangles]
    again, places = np.unique(triangles[behind], return_inverse=True)
    uv_triangles[behind] = len(uv) + places
    uv = np.concatenate([uv, uv[again] + [1, 0]])
    owner = np.concatenate([part, part[again]])
    uv[owner == 0, 0] *= _SKIN_WIDTH / max(float(uv[owner == 0, 0].max()), 1e-9)
    others = range(1, int(part.max(initial=0)) + 1)
    for number in others:
        own = owner == number
        flat = points[part == number, :2]
        flat = (flat - flat.min(0)) / max(float(np.ptp(flat, axis=0).max()), 1e-9)
        height = 1 / len(others)
        side = min(1 - _SKIN_WIDTH, height) - 2 * _MARGIN
        corner = [_SKIN_WIDTH + _MARGIN, (number - 1) * height + _MARGIN]
        uv[own] = corner + side * flat
    inner = 1 - 2 * _MARGIN
    return np.asarray(_MARGIN + inner * uv, np.float32), uv_triangles
