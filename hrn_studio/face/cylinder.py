"""A plain texture layout for heads that come without one: the skin unrolled onto a cylinder."""

from __future__ import annotations

import numpy as np

from hrn_studio.geometry.raster import rasterize
from hrn_studio.records import AnyFloats, Bools, Bytes, Camera, Doubles, Floats, Ints

_SKIN_WIDTH = 0.84
"""Of the square; the eyes stand beside it, and what lies inside the head between them."""
_MARGIN = 0.01
_LOOK_PX = 512
_INSIDE_M = 0.003
"""Skin this far under what covers it lies inside: the mouth, the sockets, behind the ears."""
_AWAY_M = 2.0


def unrolled(mean: AnyFloats, triangles: Ints, part: Bytes) -> tuple[Floats, Ints]:
    """A texture layout: (U, 2) points and (T, 3) triangles into them.

    Parameters
    ----------
    mean
        (V, 3) head frame.
    part
        (V,) 0 for the skin, then one number for every other part; these are seen from the front,
        in a column on the right.

    The seam runs down the back of the head.  Skin that other skin covers, as seen from outside the
    cylinder, is unrolled once more, smaller, into the column.
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
    vertex = np.concatenate([np.arange(len(points)), again])
    radius = np.hypot(points[vertex, 0] - axis[0], points[vertex, 2] - axis[2])
    inside = _covered(uv, uv_triangles, radius) & skin[triangles].all(1)
    below, places = np.unique(uv_triangles[inside], return_inverse=True)
    uv_triangles[inside] = len(uv) + places.reshape(-1, 3)
    owner = np.concatenate([part[vertex], np.full(len(below), 255)])
    uv = np.concatenate([uv, uv[below]])
    return _arranged(uv, owner, points[vertex], part), uv_triangles


def _covered(uv: Doubles, uv_triangles: Ints, radius: Doubles) -> Bools:
    """(T,) whether a triangle lies inside what is seen at its middle from outside."""
    scale = 1 / max(float(uv[:, 0].max()), 1.0)
    depth = _AWAY_M - radius
    flat = np.column_stack([uv * scale * depth[:, None], depth])
    lens = Camera(_LOOK_PX, _LOOK_PX, float(_LOOK_PX), (0.0, 0.0))
    seen = rasterize(flat, uv_triangles, lens, back_faces=True).depth
    middle = (uv[uv_triangles].mean(1) * scale * _LOOK_PX).astype(int).clip(0, _LOOK_PX - 1)
    own = depth[uv_triangles].mean(1)
    return np.asarray(own > seen[middle[:, 1], middle[:, 0]] + _INSIDE_M)


def _arranged(uv: Doubles, owner: Bytes, points: Doubles, part: Bytes) -> Floats:
    """The pieces side by side in the unit square; what lies inside has the owner 255."""
    uv = uv.copy()
    uv[owner == 0, 0] *= _SKIN_WIDTH / max(float(uv[owner == 0, 0].max()), 1e-9)
    others = range(1, int(part.max(initial=0)) + 1)
    rows = max(len(others), 1)
    side = min(1 - _SKIN_WIDTH, 1 / rows) - 2 * _MARGIN
    for number in others:
        own = np.flatnonzero(owner[: len(points)] == number)
        flat = points[own, :2] - points[own, :2].min(0)
        flat = flat / max(float(np.ptp(flat, axis=0).max()), 1e-9)
        corner = [_SKIN_WIDTH + _MARGIN, (number - 1) / rows + _MARGIN]
        uv[own] = corner + side * flat
    inside = owner == 255
    if inside.any():
        room = np.array([1 - _SKIN_WIDTH, 1 / rows - side - 2 * _MARGIN]) - 2 * _MARGIN
        corner = [_SKIN_WIDTH + _MARGIN, side + 3 * _MARGIN]
        flat = uv[inside] - uv[inside].min(0)
        uv[inside] = corner + np.maximum(room, 0.02) * flat / np.maximum(flat.max(0), 1e-9)
    inner = 1 - 2 * _MARGIN
    return np.asarray(_MARGIN + inner * uv, np.float32)
