"""Keep neutral lips closed, for every identity.

Along some components the sampled lips part or press through each other.  On a row of sections
across the mouth the lowest point of the upper lip and the highest of the lower one are found once,
in the mean; moving both lips by half their distance, fading out away from the mouth's line, makes
the mean touch and the components keep touching.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csgraph

from hrn_studio.geometry.mesh import adjacency

from .masks import step

Array = NDArray[Any]

OVERLAP = 0.0003
"""Metres the upper lip reaches below the lower one's highest point in the mean."""
HALF_WIDTH = 0.0235
"""Sections are taken up to here; towards the corners the outermost is kept."""
SECTIONS = 33
REACH = (0.0025, 0.0095)
"""Distance from the mouth's line where the correction begins and ends to fade."""


@dataclass(frozen=True)
class Line:
    """The mouth's line in the mean."""

    upper: Array
    """(K, 4) two vertices and two weights: the lowest point of the upper lip."""
    lower: Array
    """(K, 4) the highest point of the lower lip."""
    x: Array
    """(K,) metres, ascending."""
    share: Array
    """(V,) how much of half the gap a vertex closes: negative above, positive below."""


def find(points: Array, triangles: Array, rim: Array, lips: Array) -> Line:
    """The mouth's line of a mean head.

    Parameters
    ----------
    rim
        Vertices between lips and mouth, inside the lips, in order around the opening.
    lips
        (V,) 1 on the lips and inside the mouth.
    """
    x = points[rim, 0]
    start, end = int(x.argmax()), int(x.argmin())
    rim = np.roll(rim, -start)
    half = (end - start) % len(rim)
    first, second = rim[1:half], rim[half + 1 :]
    if points[first, 1].mean() < points[second, 1].mean():
        first, second = second, first
    near = adjacency(triangles, len(points)).tocoo()
    near.data = np.linalg.norm(points[near.row] - points[near.col], axis=1)
    graph = near.tocsr()
    far_up = csgraph.dijkstra(graph, indices=first, min_only=True)
    far_low = csgraph.dijkstra(graph, indices=second, min_only=True)
    above = far_up < far_low

    x = np.linspace(-HALF_WIDTH, HALF_WIDTH, SECTIONS)
    mouth = (lips[triangles].min(1) > 0.5) & (points[triangles][:, :, 2].min(1) > 0.005)
    upper = _extremes(points, triangles[mouth & above[triangles].all(1)], x, -1.0)
    lower = _extremes(points, triangles[mouth & ~above[triangles].any(1)], x, 1.0)

    across = np.clip(points[:, 0], x[0], x[-1])
    at = 0.5 * (_at(points, upper) + _at(points, lower))
    away = np.hypot(
        points[:, 1] - np.interp(across, x, at[:, 1]), points[:, 2] - np.interp(across, x, at[:, 2])
    )
    share = (1 - step(away, *REACH)) * (1 - step(np.abs(points[:, 0]), 0.025, 0.033))
    # Around the corners the sign changes smoothly.
    side = np.clip((far_low - far_up) / 0.003, -1, 1)
    return Line(upper, lower, x, -share * side)


def _extremes(points: Array, triangles: Array, x: Array, sign: float) -> Array:
    """(K, 4) the point of each section with the largest ``sign * y``: vertices and weights."""
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    a, b = points[sides[:, 0]], points[sides[:, 1]]
    result = []
    for at in x:
        crossing = (a[:, 0] < at) != (b[:, 0] < at)
        t = (at - a[crossing, 0]) / (b[crossing, 0] - a[crossing, 0])
        y = a[crossing, 1] * (1 - t) + b[crossing, 1] * t
        best = int((sign * y).argmax())
        pair = sides[crossing][best]
        result.append([pair[0], pair[1], 1 - t[best], t[best]])
    return np.array(result)


def _at(values: Array, ends: Array) -> Array:
    """Values (..., K, 3) of points given by :func:`_extremes`, of (..., V, 3)."""
    first, second = ends[:, 0].astype(int), ends[:, 1].astype(int)
    return np.asarray(values[..., first, :] * ends[:, 2:3] + values[..., second, :] * ends[:, 3:4])


def close(line: Line, points: Array, mean: Array, overlap: float) -> Array:
    """``points`` (..., V, 3), heads or offsets, with the gap between the lips set to -overlap."""
    gap = (_at(points, line.upper) - _at(points, line.lower))[..., 1] + overlap
    flat = gap.reshape(-1, len(line.x))
    across = np.clip(mean[:, 0], line.x[0], line.x[-1])
    spread = np.stack([np.interp(across, line.x, g) for g in flat]).reshape(points.shape[:-1])
    result = points.copy()
    result[..., 1] += 0.5 * line.share * spread
    return np.asarray(result)
