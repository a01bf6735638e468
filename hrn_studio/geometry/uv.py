"""The UV square as a picture: which triangle each texel shows, and sampling.

Row 0 of a UV picture is at v = 1; texel (row, column) of S lies at
``u = (column + 0.5) / S``, ``v = 1 - (row + 0.5) / S``.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.geometry.raster import Fragments, rasterize
from hrn_studio.records import AnyFloats, Camera, Doubles, Floats, Ints


def texel_map(uv: AnyFloats, uv_triangles: Ints, size: int) -> Fragments:
    """Which triangle each texel of an S x S map belongs to, and where in it.

    Parameters
    ----------
    uv, uv_triangles
        (U, 2) and (T, 3), either winding; where triangles overlap the first one wins.

    Returns
    -------
    Fragments
        ``triangle`` (S, S), -1 where there is none; ``barycentric`` (S, S, 3).  Texels whose
        centre lies in no triangle are empty: gutters are the caller's.
    """
    points = np.stack([uv[:, 0] * size, (1 - uv[:, 1]) * size, np.ones(len(uv))], 1)
    flat = Camera(size, size, 1.0, (0.0, 0.0), source="uv")
    return rasterize(points.astype(np.float64), uv_triangles, flat, back_faces=True)


def to_pixels(uv: AnyFloats, width: int, height: int) -> Doubles:
    """Texture points (..., 2) in pixels, x right and y down, (0.5, 0.5) the first one's centre."""
    return np.asarray(np.stack([uv[..., 0] * width, (1 - uv[..., 1]) * height], -1), np.float64)


def sample(image: AnyFloats, uv: AnyFloats) -> Floats:
    """Bilinear values (N, C) of a map (H, W, C) at texture points (N, 2), clamped at the rim."""
    height, width = image.shape[:2]
    xy = to_pixels(uv, width, height) - 0.5
    x = np.clip(xy[:, 0], 0, width - 1)
    y = np.clip(xy[:, 1], 0, height - 1)
    x0, y0 = (
        np.minimum(x.astype(int), max(width - 2, 0)),
        np.minimum(y.astype(int), max(height - 2, 0)),
    )
    x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
    fx, fy = (x - x0)[:, None], (y - y0)[:, None]
    top = image[y0, x0] * (1 - fx) + image[y0, x1] * fx
    bottom = image[y1, x0] * (1 - fx) + image[y1, x1] * fx
    return np.asarray(top * (1 - fy) + bottom * fy, np.float32)


def uv_areas(uv: AnyFloats, uv_triangles: Ints) -> Doubles:
    """(T,) signed areas in the UV square; positive for counter-clockwise, 0 is degenerate."""
    a, b, c = (np.asarray(uv[uv_triangles[:, k]], np.float64) for k in range(3))
    u, v = b - a, c - a
    return np.asarray(0.5 * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]))


def islands(uv_triangles: Ints, uv_count: int) -> Ints:
    """(T,) number of the connected UV island each triangle belongs to, from 0."""
    from scipy import sparse
    from scipy.sparse import csgraph

    a = uv_triangles[:, [0, 1]].ravel()
    b = uv_triangles[:, [1, 2]].ravel()
    graph = sparse.coo_matrix((np.ones(len(a)), (a, b)), (uv_count, uv_count))
    _, labels = csgraph.connected_components(graph, directed=False)
    _, number = np.unique(labels[uv_triangles[:, 0]], return_inverse=True)
    return np.asarray(number, np.int32)
