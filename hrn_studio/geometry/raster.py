"""Triangles to pixels: which triangle each pixel sees, where in it, and how far away.

The kernel is serial numba code that releases the GIL.  A pixel's ray ``d = ((x - cx) / f,
(y - cy) / f, 1)`` meets the plane of a triangle (a, b, c) where ``p = (u a + v b + w c)`` with
``u : v : w = d.(b x c) : d.(c x a) : d.(a x b)``, so the barycentrics come out correct under
perspective, without clipping, and the camera depth is ``a.(b x c) / (sum of the three)`` (the
homogeneous form of Olano and Greer 1997, "Triangle scan conversion using 2D homogeneous
coordinates").  The three products are the edge functions too; each is computed from its two
corners in a fixed order, so that the triangles on either side of an edge get exactly opposite
values and no pixel is lost or drawn twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from hrn_studio.records import AnyFloats, Bools, Camera, Floats, Ints, frozen

NEAR_M = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Fragments:
    """What each pixel of a picture sees of a mesh."""

    triangle: Ints
    """(H, W) index of the nearest triangle, -1 where there is none."""
    barycentric: Floats
    """(H, W, 3) weights of the triangle's corners in 3D, summing to 1; zeros where empty."""
    depth: Floats
    """(H, W) camera z in metres; infinite where empty."""

    def __post_init__(self) -> None:
        for name, dtype in (
            ("triangle", np.int32),
            ("barycentric", np.float32),
            ("depth", np.float32),
        ):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))

    @property
    def covered(self) -> Bools:
        """(H, W) where there is a triangle."""
        return np.asarray(self.triangle >= 0)


def rasterize(
    vertices: AnyFloats,
    triangles: Ints,
    camera: Camera,
    *,
    near_m: float = NEAR_M,
    back_faces: bool = False,
) -> Fragments:
    """Draw a mesh into the pixels of a camera; the nearest surface wins.

    Parameters
    ----------
    vertices
        (V, 3) metres in the camera frame.
    triangles
        (T, 3) counter-clockwise seen from outside.
    camera
        Gives the picture's size as well; a crop is a camera with a shifted principal point.
    near_m
        What is nearer than this (or behind the camera) is not drawn, pixel by pixel.
    back_faces
        Draw triangles seen from inside too.

    Returns
    -------
    Fragments
        Sampled at pixel centres, ``(column + 0.5, row + 0.5)``.
    """
    height, width = camera.height, camera.width
    triangle = np.full((height, width), -1, np.int32)
    barycentric = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    compiled(_rasterize)(
        read_only(vertices, np.float64),
        read_only(triangles, np.int32),
        float(camera.focal_px),
        float(camera.center_px[0]),
        float(camera.center_px[1]),
        float(near_m),
        bool(back_faces),
        triangle,
        barycentric,
        depth,
    )
    for array in (triangle, barycentric, depth):
        array.flags.writeable = False
    return Fragments(triangle, barycentric, depth)


def interpolate(fragments: Fragments, triangles: Ints, attributes: AnyFloats) -> Floats:
    """Values given at the corners, at every pixel.

    Parameters
    ----------
    triangles
        (T, 3) into ``attributes``; the mesh's own, or its ``uv_triangles`` for texture vertices.
    attributes
        (N, C)

    Returns
    -------
    (H, W, C), zeros where empty.
    """
    covered = fragments.covered
    result = np.zeros((*covered.shape, attributes.shape[1]), np.float32)
    result[covered] = interpolate_covered(fragments, triangles, attributes)
    return result


def interpolate_covered(fragments: Fragments, triangles: Ints, attributes: AnyFloats) -> Floats:
    """Like :func:`interpolate`, (P, C) for the covered pixels alone, in row-major order."""
    count = int(np.count_nonzero(fragments.triangle >= 0))
    result = np.empty((count, attributes.shape[1]), np.float32)
    compiled(_interpolate)(
        fragments.triangle,
        fragments.barycentric,
        read_only(triangles, np.int32),
        read_only(attributes, np.float32),
        result,
    )
    return result


def read_only(array: Any, dtype: Any) -> Any:
    """A read-only view, contiguous: numba compiles a kernel once per kind of array."""
    view = np.ascontiguousarray(array, dtype).view()
    view.flags.writeable = False
    return view


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A compiled kernel; kept on disk where numba finds a folder it may write to."""
    import numba

    try:
        compiled: Any = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # a frozen build: numba has no source file to hang its cache on
        compiled = numba.njit(nogil=True)(function)
    return compiled  # type: ignore[no-any-return]


def _rasterize(
    vertices: Any,
    triangles: Any,
    focal: float,
    cx: float,
    cy: float,
    near: float,
    back_faces: bool,
    triangle: Any,
    barycentric: Any,
    depth: Any,
) -> None:
    height, width = triangle.shape
    edge = np.empty((3, 3))  # (A, B, C): A x + B y + C is edge i's function, > 0 inside
    ties = np.empty(3, np.bool_)  # a pixel exactly on edge i belongs to this triangle
    for t in range(triangles.shape[0]):
        low_z, high_z = np.inf, -np.inf
        left, right, top, bottom = np.inf, -np.inf, np.inf, -np.inf
        for k in range(3):
            i = triangles[t, k]
            z = vertices[i, 2]
            low_z, high_z = min(low_z, z), max(high_z, z)
            if z > near:
                x = focal * vertices[i, 0] / z + cx
                y = focal * vertices[i, 1] / z + cy
                left, right = min(left, x), max(right, x)
                top, bottom = min(top, y), max(bottom, y)
        if not high_z > near:
            continue
        if low_z <= near:  # part of it may be anywhere in the picture
            left, right, top, bottom = 0.0, float(width), 0.0, float(height)
        x0, x1 = int(max(0.0, np.ceil(left - 0.5))), int(min(width - 1.0, np.floor(right - 0.5)))
        y0, y1 = int(max(0.0, np.ceil(top - 0.5))), int(min(height - 1.0, np.floor(bottom - 0.5)))
        if x0 > x1 or y0 > y1:
            continue

        for k in range(3):
            i, j = triangles[t, (k + 1) % 3], triangles[t, (k + 2) % 3]
            sign = 1.0
            if i > j:
                i, j, sign = j, i, -1.0
            ax, ay, az = vertices[i, 0], vertices[i, 1], vertices[i, 2]
            bx, by, bz = vertices[j, 0], vertices[j, 1], vertices[j, 2]
            nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
            edge[k, 0] = sign * nx
            edge[k, 1] = sign * ny
            edge[k, 2] = sign * (focal * nz - cx * nx - cy * ny)
        i = triangles[t, 0]
        volume = (
            vertices[i, 0] * edge[0, 0]
            + vertices[i, 1] * edge[0, 1]
            + vertices[i, 2] * (edge[0, 2] + cx * edge[0, 0] + cy * edge[0, 1]) / focal
        )
        if volume == 0.0 or (volume > 0.0 and not back_faces):
            continue
        sign = 1.0 if volume > 0.0 else -1.0
        for k in range(3):
            for c in range(3):
                edge[k, c] *= sign
            ties[k] = edge[k, 0] > 0.0 or (edge[k, 0] == 0.0 and edge[k, 1] > 0.0)
        volume = abs(volume) * focal

        for row in range(y0, y1 + 1):
            y = row + 0.5
            u0 = edge[0, 1] * y + edge[0, 2]
            v0 = edge[1, 1] * y + edge[1, 2]
            w0 = edge[2, 1] * y + edge[2, 2]
            for column in range(x0, x1 + 1):
                x = column + 0.5
                u, v, w = edge[0, 0] * x + u0, edge[1, 0] * x + v0, edge[2, 0] * x + w0
                if u < 0.0 or v < 0.0 or w < 0.0:
                    continue
                if (
                    (u == 0.0 and not ties[0])
                    or (v == 0.0 and not ties[1])
                    or (w == 0.0 and not ties[2])
                ):
                    continue
                total = u + v + w
                z = volume / total
                if z < near or np.float32(z) >= depth[row, column]:
                    continue
                depth[row, column] = z
                triangle[row, column] = t
                barycentric[row, column, 0] = u / total
                barycentric[row, column, 1] = v / total
                barycentric[row, column, 2] = w / total


def _interpolate(
    triangle: Any, barycentric: Any, triangles: Any, attributes: Any, result: Any
) -> None:
    height, width = triangle.shape
    channels = attributes.shape[1]
    pixel = 0
    for row in range(height):
        for column in range(width):
            t = triangle[row, column]
            if t < 0:
                continue
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            u, v = barycentric[row, column, 0], barycentric[row, column, 1]
            w = barycentric[row, column, 2]
            for c in range(channels):
                result[pixel, c] = (
                    u * attributes[i, c] + v * attributes[j, c] + w * attributes[k, c]
                )
            pixel += 1
