"""Where a surface runs through itself: triangles that cross, and how deep.

Candidates come from a sweep along one axis; each pair is then decided by the separating axis
theorem (Gottschalk et al. 1996): two triangles cross when their projections overlap on both
normals and on the nine products of their edges.  The least overlap is how far one must move for
the two to part.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hrn_studio.geometry.raster import compiled, read_only
from hrn_studio.records import AnyFloats, Bools, Doubles, Ints

_ROOM = 4096
"""Crossings looked for at first; more are found in a second go."""


def crossings(
    vertices: AnyFloats, triangles: Ints, moving: Bools | None = None
) -> tuple[Ints, Doubles]:
    """Pairs of triangles that run through each other.

    Parameters
    ----------
    vertices
        (V, 3)
    triangles
        (T, 3)
    moving
        (T,) only pairs with at least one of these triangles; all pairs when not given.

    Returns
    -------
    pairs (P, 2), depth (P,)
        Indices of triangles, the lower first, and how far to move one so that they part, in the
        unit of the vertices.  Triangles that share a vertex do not count.
    """
    mask = np.ones(len(triangles), bool) if moving is None else moving
    corners = np.asarray(vertices, np.float64)[triangles]
    low, high = corners.min(1), corners.max(1)
    axis = int(np.argmax(np.ptp(low, axis=0))) if len(triangles) else 0
    order = np.argsort(low[:, axis], kind="stable").astype(np.int32)
    room = _ROOM
    while True:
        pairs, depth = np.empty((room, 2), np.int32), np.empty(room)
        count = compiled(_crossings)(
            read_only(corners, np.float64),
            read_only(triangles, np.int32),
            read_only(low, np.float64),
            read_only(high, np.float64),
            read_only(order, np.int32),
            axis,
            read_only(mask, np.bool_),
            pairs,
            depth,
        )
        if count <= room:
            return _sorted(pairs[:count], depth[:count])
        room = count


def _sorted(pairs: Ints, depth: Doubles) -> tuple[Ints, Doubles]:
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[order], depth[order]


def _crossings(
    corners: Any,
    triangles: Any,
    low: Any,
    high: Any,
    order: Any,
    axis: int,
    moving: Any,
    pairs: Any,
    depth: Any,
) -> int:
    found = 0
    edges = np.empty((2, 3, 3))
    axes = np.empty((11, 3))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    for k in range(len(order)):
        s = order[k]
        for m in range(k + 1, len(order)):
            t = order[m]
            if low[t, axis] > high[s, axis]:
                break
            if not (moving[s] or moving[t]):
                continue
            if low[t, one] > high[s, one] or low[s, one] > high[t, one]:
                continue
            if low[t, two] > high[s, two] or low[s, two] > high[t, two]:
                continue
            shared = False
            for i in range(3):
                for j in range(3):
                    shared = shared or triangles[s, i] == triangles[t, j]
            if shared:
                continue
            for i in range(3):
                n = (i + 1) % 3
                for c in range(3):
                    edges[0, i, c] = corners[s, n, c] - corners[s, i, c]
                    edges[1, i, c] = corners[t, n, c] - corners[t, i, c]
            for c in range(3):
                d, e = (c + 1) % 3, (c + 2) % 3
                for side in range(2):
                    axes[side, c] = (
                        edges[side, 0, d] * edges[side, 1, e]
                        - edges[side, 0, e] * edges[side, 1, d]
                    )
                for i in range(3):
                    for j in range(3):
                        axes[2 + 3 * i + j, c] = (
                            edges[0, i, d] * edges[1, j, e] - edges[0, i, e] * edges[1, j, d]
                        )
            least = np.inf
            for a in range(11):
                x, y, z = axes[a, 0], axes[a, 1], axes[a, 2]
                length = np.sqrt(x * x + y * y + z * z)
                if length < 1e-14:  # parallel edges: another axis decides
                    continue
                s_low, s_high, t_low, t_high = np.inf, -np.inf, np.inf, -np.inf
                for i in range(3):
                    p = x * corners[s, i, 0] + y * corners[s, i, 1] + z * corners[s, i, 2]
                    q = x * corners[t, i, 0] + y * corners[t, i, 1] + z * corners[t, i, 2]
                    s_low, s_high = min(s_low, p), max(s_high, p)
                    t_low, t_high = min(t_low, q), max(t_high, q)
                overlap = min(s_high - t_low, t_high - s_low) / length
                least = min(least, overlap)
                if least <= 0.0:
                    break
            if least <= 0.0 or least == np.inf:
                continue
            if found < len(pairs):
                pairs[found, 0], pairs[found, 1] = min(s, t), max(s, t)
                depth[found] = least
            found += 1
    return found
