"""Symmetric triangles from the source's quads, and small mesh helpers for the baker."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def split_quads(quads: Array, points: Array, mirror: Array) -> Array:
    """(2Q,) pairs of corner triples (2Q, 3) into each quad's corners; mirrored quads match.

    The shorter diagonal is taken (the first of two equal ones); a quad on the right side is cut
    as its mirror image on the left.  ``mirror`` maps vertices.
    """
    p = points[quads]
    first = np.linalg.norm(p[:, 0] - p[:, 2], axis=1)
    second = np.linalg.norm(p[:, 1] - p[:, 3], axis=1)
    cuts = np.where((first <= second * 1.0001)[:, None], quads[:, [0, 2]], quads[:, [1, 3]])
    index = {tuple(q): i for i, q in enumerate(np.sort(quads, 1).tolist())}
    result = []
    for i, quad in enumerate(quads):
        twin = index[tuple(sorted(mirror[quad].tolist()))]
        own = p[i, :, 0].sum() >= 0 or twin == i
        cut = set(cuts[i].tolist()) if own else set(mirror[cuts[twin]].tolist())
        start = 0 if int(quad[0]) in cut else 1
        for a, b, c in ((0, 1, 2), (0, 2, 3)):
            result.append([(start + a) % 4, (start + b) % 4, (start + c) % 4])
    return np.asarray(result)


def take(quads: Array, corners: Array) -> Array:
    """Triangles (2Q, 3) of a quad array under the cut of :func:`split_quads`."""
    return np.take_along_axis(np.repeat(quads, 2, axis=0), corners, 1)


def vertex_areas(points: Array, triangles: Array) -> Array:
    """(V,) a third of the area of the triangles around each vertex."""
    p = points[triangles]
    area = 0.5 * np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1)
    return np.bincount(triangles.ravel(), np.repeat(area / 3, 3), len(points))
