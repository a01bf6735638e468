"""Wrinkles and pores as displacement, and the normal map that goes with it.

Under soft light a crease is darker than the skin around it: "dark is deep" (Beeler et al. 2010,
"High-quality single-shot capture of facial geometry", mesoscopic augmentation).  Brightness is
split into bands; each goes deeper the wider it is.  What is dark because it is coloured so is not
a crease: marks that change hue too, hair, lips and the eyes' surroundings are left flat, and so is
skin that no picture shows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from hrn_studio.detail.atlas import Atlas
from hrn_studio.detail.filters import blur, enlarge, shrink, smoothstep
from hrn_studio.detail.light import LUMINANCE
from hrn_studio.detail.sampling import compiled
from hrn_studio.records import AnyFloats, Floats, Ints

LIMIT_M = 0.0006
_BANDS_M = (0.0004, 0.0008, 0.0016)  # standard deviations of the finer side of each band
_DEPTH_M = 0.18  # metres of depth per metre of band and log unit of brightness
_HUE = 0.05  # log units of red against blue that make a dark spot a mark, not a crease


def displacement(albedo: Floats, trust: AnyFloats, texel_m: float, resolution_m: float) -> Floats:
    """Depth along the normal from brightness.

    Parameters
    ----------
    albedo
        (S, S, 3) linear, before completion; any value where ``trust`` is 0.
    trust
        (A, A) 0..1 on seen, plain skin; A divides S.
    texel_m
        Typical side of a texel on the face, metres.
    resolution_m
        Typical side of a picture's pixel on the face, metres: finer bands are its noise.

    Returns
    -------
    (S, S) metres, within +- :data:`LIMIT_M`.
    """
    size, small = albedo.shape[0], np.asarray(trust, np.float32)
    ratio = size // small.shape[0]
    result = np.zeros((size, size), np.float32)
    rows, columns = (np.flatnonzero(small.max(axis=k) > 0) for k in (1, 0))
    if len(rows) == 0:
        return result
    # Only the part that is trusted, its sides multiples of 16 small texels.
    span = [
        slice(i[0] // 16 * 16, min(-(-(i[-1] + 1) // 16) * 16, len(small))) for i in (rows, columns)
    ]
    large = tuple(slice(i.start * ratio, i.stop * ratio) for i in span)
    mask = enlarge(small[span[0], span[1]], ratio)
    log = np.log(np.maximum(albedo[large], 0.0025))
    bright = log @ LUMINANCE.astype(np.float32)
    known = np.maximum(mask, 1e-3)
    total = np.zeros_like(bright)
    fine = _mean(bright, known, 0.5 * max(_BANDS_M[0], resolution_m) / texel_m)
    for sigma in _BANDS_M:
        if sigma < 0.6 * resolution_m:
            continue
        coarse = _mean(bright, known, 2 * sigma / texel_m)
        total += _DEPTH_M * sigma * 0.3 * np.tanh((fine - coarse) / 0.3)
        fine = coarse
    total *= mask * (1 - _marks(log, bright, known, texel_m))
    result[large] = LIMIT_M * np.tanh(total / LIMIT_M)
    return result


def _marks(log: Floats, bright: Floats, known: Floats, texel_m: float) -> Floats:
    """0..1 where dark means dark of colour: spots of another hue, and the texture of hair."""
    factor = 2 if texel_m < 0.0003 else 1
    warmth = shrink(log[..., 0] - log[..., 2], factor)
    grey, w, texel = shrink(bright, factor), shrink(known, factor), texel_m * factor
    result = np.zeros_like(grey)
    fine = _mean(warmth, w, 0.0005 / texel)
    for sigma in (0.0015, 0.004):
        coarse = _mean(warmth, w, sigma / texel)
        result = np.maximum(result, smoothstep(0.5 * _HUE, 1.5 * _HUE, np.abs(fine - coarse)))
        fine = coarse
    rough = np.sqrt(_mean((grey - _mean(grey, w, 0.001 / texel)) ** 2, w, 0.004 / texel))
    result = np.maximum(result, smoothstep(0.09, 0.18, rough))
    return enlarge(result, factor)


def _mean(values: Floats, weight: Floats, sigma: float) -> Floats:
    return np.asarray(blur(values * weight, sigma) / np.maximum(blur(weight, sigma), 1e-4))


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
    unparametrized surfaces on the GPU"), which needs no square texels.

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
    p, q = np.asarray(vertices, np.float64)[triangles], np.asarray(uv, np.float64)[uv_triangles]
    e1, e2 = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    (u1, v1), (u2, v2) = (q[:, 1] - q[:, 0]).T, (q[:, 2] - q[:, 0]).T
    area = u1 * v2 - u2 * v1
    area = np.where(np.abs(area) < 1e-12, np.inf, area)[:, None]
    along_u = (e1 * v2[:, None] - e2 * v1[:, None]) / area
    along_v = (e2 * u1[:, None] - e1 * u2[:, None]) / area
    result = np.zeros((*displacement_m.shape, 3), np.float32)
    result[..., 2] = 1
    _normal_kernel()(
        atlas.triangle,
        atlas.barycentric,
        np.ascontiguousarray(displacement_m, np.float32),
        along_u.astype(np.float32),
        along_v.astype(np.float32),
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
    along_u: Any,
    along_v: Any,
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
            det = np.float32(0)
            for k in range(3):
                i, j = (k + 1) % 3, (k + 2) % 3
                det += n[k] * (along_u[t, i] * along_v[t, j] - along_u[t, j] * along_v[t, i])
            if det == 0:
                continue
            for k in range(3):
                i, j = (k + 1) % 3, (k + 2) % 3
                r1 = along_v[t, i] * n[j] - along_v[t, j] * n[i]
                r2 = n[i] * along_u[t, j] - n[j] * along_u[t, i]
                grad[k] = (r1 * du + r2 * dv) / det
            x = -(grad[0] * tangent[0] + grad[1] * tangent[1] + grad[2] * tangent[2])
            y = -(grad[0] * across[0] + grad[1] * across[1] + grad[2] * across[2])
            steep = np.sqrt(x * x + y * y)
            if steep > np.float32(1):
                x, y = x / steep, y / steep
            length = np.sqrt(x * x + y * y + np.float32(1))
            result[row, column, 0] = x / length
            result[row, column, 1] = y / length
            result[row, column, 2] = np.float32(1) / length
