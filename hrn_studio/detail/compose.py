"""The finished albedo at full size: seen, mirrored and invented skin put together, gaps padded."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from hrn_studio.detail.atlas import Atlas
from hrn_studio.detail.completion import Completion
from hrn_studio.detail.filters import blur
from hrn_studio.detail.sampling import carried_on, compiled
from hrn_studio.detail.shading import srgb_from_linear
from hrn_studio.records import Bools, Bytes, Doubles, Floats

_STEPS = 4096


def encoding_table() -> Bytes:
    """sRGB bytes by square root of linear light, in 4096 steps."""
    root = np.arange(_STEPS) / (_STEPS - 1)
    return np.asarray(np.rint(255 * srgb_from_linear(root * root)), np.uint8)


def compose(
    atlas: Atlas,
    small: Atlas,
    albedo: Floats,
    weight: Floats,
    clean: Floats,
    folds: Floats,
    recipe: Completion,
    corners: Floats,
    grain: Floats,
) -> Bytes:
    """Follow a recipe at every texel of the large atlas.

    Parameters
    ----------
    atlas, small
        The large one, and that of the recipe.
    albedo, weight
        (S, S, 3) linear and (S, S): what the pictures gave; 0 weight where nothing.
    clean
        (A, A, 3) linear, the small atlas's albedo: what is much brighter than it is shine.
    folds
        (A, A) 0..1: where dark lines are folds, nothing is much darker than ``clean`` either.
    corners
        (T, 3, 2) from :func:`.atlas.mirror_corners`.
    grain
        (G, G, 3) from :func:`.noise.grain`.

    Returns
    -------
    (S, S, 3) sRGB; empty texels are 0.
    """
    fields = np.concatenate(
        [recipe.seen[..., None], recipe.from_mirror[..., None], recipe.mirror_gain, recipe.base],
        axis=2,
    )
    dulled = albedo.copy()
    known = clean.max(axis=2) > 0
    guide = np.dstack([carried_on(clean, known), folds]).astype(np.float32)
    _dull_kernel()(dulled, weight, guide)
    result = np.zeros(albedo.shape, np.uint8)
    _compose_kernel()(
        atlas.triangle,
        atlas.barycentric,
        dulled,
        weight,
        small.padded(fields),
        np.ascontiguousarray(corners, np.float32),
        grain,
        encoding_table(),
        result,
    )
    return result


def sharpened(image: Bytes, amount: float) -> Bytes:
    """Unsharp masking of an sRGB picture by ``amount`` 0..1; 0 gives it back as it is."""
    if amount <= 0:
        return image
    values = image.astype(np.float32)
    return np.clip(np.rint(values + 2 * amount * (values - blur(values, 1.2))), 0, 255).astype(
        np.uint8
    )


def pad(image: Bytes, covered: Bools, reach: int, skin: Doubles) -> Bytes:
    """Each gap texel takes the colour of the nearest covered one within ``reach``, else the skin's.

    Nearest to within a few per cent: distances run along rows, columns and diagonals (Borgefors
    1986, "Distance transformations in digital images").
    """
    result = image.copy()
    distance = np.where(covered, 0, 30000).astype(np.int16)
    _pad_kernel()(result, distance, 5 * reach)
    rest = np.rint(255 * srgb_from_linear(np.clip(skin, 0, 1)))
    result[distance > 5 * reach] = rest.astype(np.uint8)
    return result


@cache
def _compose_kernel() -> Callable[..., None]:
    return compiled(_compose)


@cache
def _dull_kernel() -> Callable[..., None]:
    return compiled(_dull)


@cache
def _pad_kernel() -> Callable[..., None]:
    return compiled(_pad)


def _compose(
    triangle: Any,
    barycentric: Any,
    albedo: Any,
    weight: Any,
    fields: Any,
    corners: Any,
    grain: Any,
    table: Any,
    result: Any,
) -> None:
    size, small, tile = triangle.shape[0], fields.shape[0], grain.shape[0]
    step = np.float32(small) / np.float32(size)
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    f = np.empty(8, np.float32)
    other = np.empty(3, np.float32)
    for row in range(size):
        gy = min(max((row + half) * step - half, zero), np.float32(small - 1))
        y0 = int(gy)
        y1, fy = min(y0 + 1, small - 1), gy - np.float32(y0)
        for column in range(size):
            t = triangle[row, column]
            if t < 0:
                continue
            gx = min(max((column + half) * step - half, zero), np.float32(small - 1))
            x0 = int(gx)
            x1, fx = min(x0 + 1, small - 1), gx - np.float32(x0)
            for k in range(8):
                f[k] = (one - fy) * (
                    (one - fx) * fields[y0, x0, k] + fx * fields[y0, x1, k]
                ) + fy * ((one - fx) * fields[y1, x0, k] + fx * fields[y1, x1, k])
            seen = f[0] if weight[row, column] > np.float32(1e-3) else zero
            share = f[1]
            if seen < np.float32(0.999) and share > np.float32(0.001) and corners[t, 0, 0] >= 0:
                u, v = barycentric[row, column, 0], barycentric[row, column, 1]
                q = one - u - v
                mx = u * corners[t, 0, 0] + v * corners[t, 1, 0] + q * corners[t, 2, 0]
                my = u * corners[t, 0, 1] + v * corners[t, 1, 1] + q * corners[t, 2, 1]
                mx = min(max(mx * size - half, zero), np.float32(size - 1))
                my = min(max((one - my) * size - half, zero), np.float32(size - 1))
                ix, iy = int(mx), int(my)
                jx, jy = min(ix + 1, size - 1), min(iy + 1, size - 1)
                ax, ay = mx - np.float32(ix), my - np.float32(iy)
                total = zero
                other[:] = zero
                for r, wy in ((iy, one - ay), (jy, ay)):
                    for c, wx in ((ix, one - ax), (jx, ax)):
                        if weight[r, c] > np.float32(1e-3):
                            total += wx * wy
                            for k in range(3):
                                other[k] += wx * wy * albedo[r, c, k]
                if total > zero:
                    for k in range(3):
                        other[k] *= f[2 + k] / total
                else:
                    share = zero
            else:
                share = zero
            for k in range(3):
                invented = f[5 + k] * grain[row % tile, column % tile, k]
                rest = share * other[k] + (one - share) * invented
                value = seen * albedo[row, column, k] + (one - seen) * rest
                value = min(max(value, zero), one)
                result[row, column, k] = table[int(np.sqrt(value) * np.float32(4095) + half)]


def _dull(albedo: Any, weight: Any, clean: Any) -> None:
    """Specks brighter than their surroundings, and lines in folds, are held near them."""
    size, small = albedo.shape[0], clean.shape[0]
    step = np.float32(small) / np.float32(size)
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    base, room = np.empty(4, np.float32), np.float32(0.15)
    for row in range(size):
        gy = min(max((row + half) * step - half, zero), np.float32(small - 1))
        y0 = int(gy)
        y1, fy = min(y0 + 1, small - 1), gy - np.float32(y0)
        for column in range(size):
            if weight[row, column] <= np.float32(1e-3):
                continue
            gx = min(max((column + half) * step - half, zero), np.float32(small - 1))
            x0 = int(gx)
            x1, fx = min(x0 + 1, small - 1), gx - np.float32(x0)
            for k in range(4):
                base[k] = (one - fy) * ((one - fx) * clean[y0, x0, k] + fx * clean[y0, x1, k])
                base[k] += fy * ((one - fx) * clean[y1, x0, k] + fx * clean[y1, x1, k])
            grey = np.float32(0.2126) * base[0] + np.float32(0.7152) * base[1]
            grey += np.float32(0.0722) * base[2]
            seen = np.float32(0.2126) * albedo[row, column, 0]
            seen += np.float32(0.7152) * albedo[row, column, 1]
            seen += np.float32(0.0722) * albedo[row, column, 2]
            over = seen / max(grey, np.float32(1e-4)) - one
            if over < np.float32(-0.08) and base[3] > np.float32(0.01):
                for k in range(3):
                    own = base[k] * np.float32(0.92) - albedo[row, column, k]
                    albedo[row, column, k] += base[3] * own
            if over <= np.float32(0.1):
                continue
            t = min((over - np.float32(0.1)) / np.float32(0.4), one)
            t = t * t * (np.float32(3) - np.float32(2) * t)
            held = np.float32(1.1) + room * np.tanh((over - np.float32(0.1)) / room)
            for k in range(3):
                own = albedo[row, column, k] * held / (one + over)
                albedo[row, column, k] = own + t * (base[k] * held - own)


def _pad(image: Any, distance: Any, reach: int) -> None:
    height, width = distance.shape
    for sweep in range(2):
        for i in range(height):
            row = i if sweep == 0 else height - 1 - i
            up = row - 1 if sweep == 0 else row + 1
            for j in range(width):
                column = j if sweep == 0 else width - 1 - j
                back = column - 1 if sweep == 0 else column + 1
                forth = column + 1 if sweep == 0 else column - 1
                best = distance[row, column]
                if best == 0:
                    continue
                r, c = -1, -1
                if 0 <= back < width and distance[row, back] + 5 < best:
                    best, r, c = distance[row, back] + 5, row, back
                if 0 <= up < height:
                    if distance[up, column] + 5 < best:
                        best, r, c = distance[up, column] + 5, up, column
                    if 0 <= back < width and distance[up, back] + 7 < best:
                        best, r, c = distance[up, back] + 7, up, back
                    if 0 <= forth < width and distance[up, forth] + 7 < best:
                        best, r, c = distance[up, forth] + 7, up, forth
                if r >= 0 and best <= reach:
                    distance[row, column] = best
                    for k in range(3):
                        image[row, column, k] = image[r, c, k]
