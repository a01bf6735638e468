"""Pictures read at texels: a small pyramid, smooth interpolation, light divided out on the way.

A texel that covers more than one pixel reads a coarser level (Williams 1983), one that covers less
interpolates with Catmull and Rom's cubic (1974).  Values are mixed as square roots of linear
light, close to how bright they look, so that cubic overshoots stay small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import ndimage

from hrn_studio.detail.shading import linear_from_srgb
from hrn_studio.records import AnyFloats, Bools, Bytes, Camera, Doubles, Floats, Ints, frozen


@dataclass(frozen=True, slots=True, eq=False)
class Pyramid:
    """Part of a picture and its halves, quarters, ..., one after the other."""

    values: Floats
    """(N, 3) square roots of linear light, all levels."""
    levels: Ints
    """(L, 3): where each starts in ``values``, its height, its width."""
    origin: tuple[int, int]
    """Column and row of the part's corner in the whole picture."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values, np.float32))
        object.__setattr__(self, "levels", frozen(self.levels, np.int32))


def pyramid(image: Bytes, box: tuple[int, int, int, int], depth: int) -> Pyramid:
    """The part ``box`` (left, top, right, bottom) of a picture with ``depth`` halvings."""
    left, top, right, bottom = box
    table = np.sqrt(linear_from_srgb(np.arange(256) / 255.0)).astype(np.float32)
    level = table[image[top:bottom, left:right]]
    parts, levels, start = [], [], 0
    for step in range(depth + 1):
        if step:
            if min(level.shape[:2]) < 8:
                break
            even = np.pad(level, ((0, level.shape[0] % 2), (0, level.shape[1] % 2), (0, 0)), "edge")
            level = 0.25 * (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2])
        parts.append(level.reshape(-1, 3))
        levels.append((start, level.shape[0], level.shape[1]))
        start += len(parts[-1])
    return Pyramid(np.concatenate(parts), np.array(levels, np.int32), (left, top))


def pixels_per_texel(
    corners: AnyFloats, uv_corners: AnyFloats, camera: Camera, size: int
) -> Floats:
    """(T,) how many picture pixels a texel of each triangle spans, along a side.

    Parameters
    ----------
    corners
        (T, 3, 3) metres, camera frame.
    uv_corners
        (T, 3, 2)
    """
    z = np.maximum(corners[..., 2:], 1e-3)
    pixels = _areas(camera.focal_px * corners[..., :2] / z)
    texels = np.maximum(_areas(uv_corners) * size**2, 1e-9)
    return np.asarray(np.sqrt(pixels / texels), np.float32)


def _areas(points: AnyFloats) -> Doubles:
    a, b = points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
    return np.asarray(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2, np.float64)


def accumulate(
    picture: Pyramid,
    camera: Camera,
    triangle: Ints,
    barycentric: Floats,
    corners: AnyFloats,
    footprint: AnyFloats,
    gain: Floats,
    weight: Floats,
    total: Floats,
    total_weight: Floats,
) -> None:
    """Add a picture, read at every texel and multiplied by a gain, to a running weighted sum.

    Parameters
    ----------
    triangle, barycentric
        (S, S) and (S, S, 3), the texels' places on the mesh; -1 where there is none.
    corners
        (T, 3, 3) metres, camera frame.
    footprint
        (T,) from :func:`pixels_per_texel`.
    gain
        (A, A, 3) factor on linear light; interpolated between its texels.
    weight
        (A, A) of this picture, interpolated; it is read only where this is positive.
    total, total_weight
        (S, S, 3) and (S, S), changed in place: sums of weight * gain * light, and of weight.
    """
    deepest = len(picture.levels) - 1
    level = np.clip(np.floor(np.log2(np.maximum(footprint, 1e-3)) + 0.4), 0, deepest)
    _kernel()(
        picture.values,
        picture.levels,
        float(camera.focal_px),
        float(camera.center_px[0] - picture.origin[0]),
        float(camera.center_px[1] - picture.origin[1]),
        triangle,
        barycentric,
        np.ascontiguousarray(corners, np.float32),
        level.astype(np.int32),
        np.ascontiguousarray(gain, np.float32),
        np.ascontiguousarray(weight, np.float32),
        total,
        total_weight,
    )


def carried_on(image: Floats, known: Bools) -> Floats:
    """A picture (A, A, C) with every unknown texel set to the nearest known one."""
    rows, columns = ndimage.distance_transform_edt(
        ~known, return_distances=False, return_indices=True
    )
    result: Floats = image[rows, columns]
    return result


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function compiled by numba, kept on disk where numba finds a folder it may write to."""
    import numba

    try:
        result: Any = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # a frozen build: numba has no source file to hang its cache on
        result = numba.njit(nogil=True, error_model="numpy")(function)
    return result  # type: ignore[no-any-return]


@cache
def _kernel() -> Callable[..., None]:
    return compiled(_accumulate)


def _accumulate(
    values: Any,
    levels: Any,
    focal: float,
    cx: float,
    cy: float,
    triangle: Any,
    barycentric: Any,
    corners: Any,
    level: Any,
    gain: Any,
    weight: Any,
    total: Any,
    total_weight: Any,
) -> None:
    size, small = triangle.shape[0], gain.shape[0]
    step = np.float32(small) / np.float32(size)
    half, one = np.float32(0.5), np.float32(1.0)
    tap_x, tap_y = np.empty(4, np.float32), np.empty(4, np.float32)
    for row in range(size):
        gy = min(max((row + half) * step - half, np.float32(0)), np.float32(small - 1))
        y0 = int(gy)
        y1, fy = min(y0 + 1, small - 1), gy - np.float32(y0)
        for column in range(size):
            t = triangle[row, column]
            if t < 0:
                continue
            gx = min(max((column + half) * step - half, np.float32(0)), np.float32(small - 1))
            x0 = int(gx)
            x1, fx = min(x0 + 1, small - 1), gx - np.float32(x0)
            a, b = (one - fx) * (one - fy), fx * (one - fy)
            c, d = (one - fx) * fy, fx * fy
            w = a * weight[y0, x0] + b * weight[y0, x1] + c * weight[y1, x0] + d * weight[y1, x1]
            if w <= np.float32(1e-4):
                continue
            u, v = barycentric[row, column, 0], barycentric[row, column, 1]
            q = one - u - v
            x = u * corners[t, 0, 0] + v * corners[t, 1, 0] + q * corners[t, 2, 0]
            y = u * corners[t, 0, 1] + v * corners[t, 1, 1] + q * corners[t, 2, 1]
            z = u * corners[t, 0, 2] + v * corners[t, 1, 2] + q * corners[t, 2, 2]
            if z <= np.float32(1e-3):
                continue
            scale = one / np.float32(1 << level[t])
            px = (focal * x / z + cx) * scale - half
            py = (focal * y / z + cy) * scale - half
            start, height, width = levels[level[t], 0], levels[level[t], 1], levels[level[t], 2]
            px = min(max(px, 0.0), float(width - 1))
            py = min(max(py, 0.0), float(height - 1))
            ix, iy = int(px), int(py)
            for taps, f in ((tap_x, np.float32(px - ix)), (tap_y, np.float32(py - iy))):
                ff = f * f
                taps[0] = half * (-f + (f + f) * f - ff * f)
                taps[1] = one + half * ff * (np.float32(3) * f - np.float32(5))
                taps[2] = half * (f + np.float32(4) * ff - np.float32(3) * ff * f)
                taps[3] = half * ff * (f - one)
            red = green = blue = np.float32(0)
            for j in range(4):
                line = start + min(max(iy + j - 1, 0), height - 1) * width
                for i in range(4):
                    tap = tap_y[j] * tap_x[i]
                    at = line + min(max(ix + i - 1, 0), width - 1)
                    red += tap * values[at, 0]
                    green += tap * values[at, 1]
                    blue += tap * values[at, 2]
            red, green, blue = (
                max(red, np.float32(0)),
                max(green, np.float32(0)),
                max(blue, np.float32(0)),
            )
            for k, light in ((0, red * red), (1, green * green), (2, blue * blue)):
                factor = (
                    a * gain[y0, x0, k]
                    + b * gain[y0, x1, k]
                    + c * gain[y1, x0, k]
                    + d * gain[y1, x1, k]
                )
                total[row, column, k] += w * factor * light
            total_weight[row, column] += w
