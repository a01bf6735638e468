"""Tangent-space normals of a displaced surface."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from hrn_studio.detail.atlas import Atlas
from hrn_studio.detail.folds import slope_vectors
from hrn_studio.detail.sampling import compiled
from hrn_studio.records import AnyFloats, Floats, Ints


def normal_map(
    atlas: Atlas,
    displacement_m: Floats,
    vertices: AnyFloats,
    normals: AnyFloats,
    triangles: Ints,
    uv: AnyFloats,
    uv_triangles: Ints,
    tangents: AnyFloats,
) -> Floats:
    """Tangent-space normals of a displaced surface.

    The normal tilts against the surface gradient of the height (Mikkelsen 2010, "Bump mapping
    unparametrized surfaces on the GPU"), so texels need not be square.

    Parameters
    ----------
    displacement_m
        (S, S) metres along the normal.
    vertices, normals
        (V, 3) metres, and unit.
    tangents
        (U, 4) from :func:`hrn_studio.geometry.mesh.corner_tangents`.

    Returns
    -------
    (S, S, 3) unit; +X along +u, +Y along +v, +Z along the normal; (0, 0, 1) where empty.
    """
    first, second = slope_vectors(vertices, triangles, uv, uv_triangles)
    result = np.zeros((*displacement_m.shape, 3), np.float32)
    result[..., 2] = 1
    _normal_kernel()(
        atlas.triangle,
        atlas.barycentric,
        np.ascontiguousarray(displacement_m, np.float32),
        first.astype(np.float32),
        second.astype(np.float32),
        np.asarray(normals, np.float32)[triangles],
        np.asarray(tangents, np.float32)[uv_triangles],
        result,
    )
    return result


@cache
def _normal_kernel() -> Callable[..., None]:
    return compiled(_tilt)


def _tilt(
    triangle: Any,
    barycentric: Any,
    height: Any,
    first: Any,
    second: Any,
    normals: Any,
    tangents: Any,
    result: Any,
) -> None:
    size = triangle.shape[0]
    n, tangent = np.empty(3, np.float32), np.empty(3, np.float32)
    across, grad = np.empty(3, np.float32), np.empty(3, np.float32)
    for row in range(1, size - 1):
        for column in range(1, size - 1):
            t = triangle[row, column]
            if t < 0:
                continue
            du = height[row, column + 1] - height[row, column - 1]
            dv = height[row - 1, column] - height[row + 1, column]
            if du == 0 and dv == 0:
                continue
            du *= np.float32(0.5 * size)
            dv *= np.float32(0.5 * size)
            for k in range(3):
                n[k] = np.float32(0)
                tangent[k] = np.float32(0)
                for c in range(3):
                    w = barycentric[row, column, c]
                    n[k] += w * normals[t, c, k]
                    tangent[k] += w * tangents[t, c, k]
            length = np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2])
            if length == 0:
                continue
            for k in range(3):
                n[k] /= length
            dot = n[0] * tangent[0] + n[1] * tangent[1] + n[2] * tangent[2]
            for k in range(3):
                tangent[k] -= dot * n[k]
            length = np.sqrt(tangent[0] ** 2 + tangent[1] ** 2 + tangent[2] ** 2)
            if length == 0:
                continue
            for k in range(3):
                tangent[k] /= length
            sign = tangents[t, 0, 3]
            for k in range(3):
                i, j = (k + 1) % 3, (k + 2) % 3
                across[k] = sign * (n[i] * tangent[j] - n[j] * tangent[i])
            for k in range(3):
                grad[k] = first[t, k] * du + second[t, k] * dv
            x = -(grad[0] * tangent[0] + grad[1] * tangent[1] + grad[2] * tangent[2])
            y = -(grad[0] * across[0] + grad[1] * across[1] + grad[2] * across[2])
            steep = np.sqrt(x * x + y * y)
            if steep > np.float32(1):
                x, y = x / steep, y / steep
            length = np.sqrt(x * x + y * y + np.float32(1))
            result[row, column, 0] = x / length
            result[row, column, 1] = y / length
            result[row, column, 2] = np.float32(1) / length
