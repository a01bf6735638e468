"""A texture layout for the head: the face upright and large, nothing overlapping.

The head is one island, cut along the back from the neck to the crown.  Only its left half is
solved, with the midline on an axis; the right half is its mirror image.  Triangles ask for a
size by what they show (nose, lids and lips most, the back of the head least) and a soft box
makes them share the square.  The rest sits in a strip below.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrn_studio.geometry.mesh import boundary_edges

from . import unwrap
from .masks import smooth, step

Array = NDArray[Any]

STRIP = 0.145
"""Height of the strip for eyes, mouth and teeth."""
MARGIN = 0.005
"""Half a gutter; 10 texels of 2048."""
CROWN = np.array([0.0, 0.114, -0.111])
"""Where the cut from the neck ends."""
FACE_SHARE = 1.0
"""Share of the square the face would take if nothing else wanted room."""
FILL_WEIGHT = 2e-5


@dataclass(frozen=True)
class Island:
    """A flat piece of surface."""

    triangles: Array
    """(t,) the triangles it holds."""
    uv: Array
    """(m, 2)"""
    uv_triangles: Array
    """(t, 3) into uv."""


def density(points: Array, triangles: Array, regions: dict[str, Array]) -> Array:
    """Wanted lengths (V,) in the texture over those in space, the face's being one."""
    y, z = points[:, 1], points[:, 2]
    face = regions["face"]
    back = step(-z, 0.04, 0.16)
    low = step(-y, 0.095, 0.15) * (1 - face)
    top = step(y, 0.085, 0.115)
    scale: Array = 0.6 - 0.35 * np.maximum(np.maximum(back, low), top)
    scale = np.maximum(scale, 0.7 * regions["ears"])
    scale = scale * (1 - face) + face
    scale = smooth(scale, triangles, 6)
    lids = sum((v for k, v in regions.items() if k.startswith("lid_")), np.zeros(len(points)))
    fine = 0.35 * regions["nose"] + 0.35 * regions["lips"] + 0.4 * lids
    return np.asarray(scale * (1 + smooth(fine, triangles, 2)))


def _path(loop: list[int], start: int, end: int) -> list[int]:
    """The part of a closed loop from start to end, both included."""
    turned = loop[loop.index(start) :] + loop[: loop.index(start)]
    return turned[: turned.index(end) + 1]


def _loops(triangles: Array) -> list[list[int]]:
    """Boundary loops in the triangles' direction, the longest first."""
    after = {int(a): int(b) for a, b in boundary_edges(triangles)}
    loops = []
    while after:
        loop = [next(iter(after))]
        while loop[-1] in after:
            loop.append(after.pop(loop[-1]))
        loops.append(loop[:-1])
    return sorted(loops, key=len, reverse=True)


def head(
    points: Array, triangles: Array, numbers: Array, mirror: Array, scale: Array, face: Array
) -> Island:
    """The head's island in the square above the strip.

    ``triangles`` (t, 3) are those of the island, ``numbers`` (t,) their numbers in the mesh.
    """
    points = points.copy()
    points[np.abs(points[:, 0]) < 1e-7, 0] = 0
    x = points[triangles][:, :, 0]
    is_left = x.max(1) > 0
    left = triangles[is_left]
    loop, eye = _loops(left)
    middle = [v for v in loop if points[v, 0] == 0]
    crown = min(middle, key=lambda v: float(np.linalg.norm(points[v] - CROWN)))
    # The midline from the crown: over the face to the upper lip, from the lower lip to the neck.
    turned = _path(loop, crown, loop[loop.index(crown) - 1])
    on_line = [points[v, 0] == 0 for v in turned]
    upper_end = on_line.index(False) - 1
    lower_start = upper_end + 1 + on_line[upper_end + 1 :].index(True)
    lower_end = lower_start + on_line[lower_start:].index(False) - 1
    upper, mouth = turned[: upper_end + 1], turned[upper_end : lower_start + 1]
    lower, outside = turned[lower_start : lower_end + 1], turned[lower_end + 1 :]

    # Holes are filled with light triangles, so that their rims cannot cross.
    count = len(points) + 2
    at_mouth, at_eye = len(points), len(points) + 1
    fill = np.array(
        [[b, a, at_mouth] for a, b in pairwise(mouth)]
        + [[b, a, at_eye] for a, b in zip(eye, eye[1:] + eye[:1], strict=True)]
    )
    axis = [*upper, at_mouth, *lower]
    line = np.concatenate([points[upper], points[[upper[-1]]] - [0, 0.001, 0], points[lower]])
    height = np.linalg.norm(np.diff(line, axis=0), axis=1) + 0.002
    height = 1 - np.concatenate([[0], np.cumsum(height)]) / height.sum()
    around = [lower[-1], *outside, upper[0]]
    wide = np.linalg.norm(np.diff(points[around], axis=0), axis=1)
    wide *= 0.5 * (scale[around][1:] + scale[around][:-1])
    angle = np.cumsum(wide)[:-1] / wide.sum() * np.pi - np.pi / 2
    places = np.concatenate(
        [
            np.stack([np.zeros(len(axis)), height], 1),
            np.stack([0.5 * np.cos(angle), 0.5 + 0.5 * np.sin(angle)], 1),
        ]
    )
    everything = np.concatenate([left, fill])
    uv = unwrap.tutte(everything, count, np.array([*axis, *outside]), places)

    area = 0.5 * np.linalg.norm(
        np.cross(points[left[:, 1]] - points[left[:, 0]], points[left[:, 2]] - points[left[:, 0]]),
        axis=1,
    )
    size = np.sqrt(0.5 * FACE_SHARE / (area * face[left].mean(1)).sum())
    gradient, weight = unwrap.frames(points, left, scale[left].mean(1) * size)
    weight /= weight.sum()
    fixed = np.zeros(count, bool)
    fixed[axis] = True
    box = unwrap.Box((0.0, STRIP), (0.5 - MARGIN, 1 - MARGIN), 30.0)
    uv[:, 1] = STRIP + uv[:, 1] * (1 - STRIP)
    for _ in range(10):
        sheet = np.c_[uv, np.zeros(count)]
        fill_gradient, _ = unwrap.frames(sheet, fill, np.ones(len(fill)))
        uv = unwrap.relax(
            uv,
            everything,
            np.concatenate([gradient, fill_gradient]),
            np.concatenate([weight, np.full(len(fill), FILL_WEIGHT)]),
            fixed,
            box,
            15,
        )
    used = np.unique(left)
    uv[:, 0] *= min(1.0, (0.5 - MARGIN) / uv[used, 0].max())
    low, high = uv[used, 1].min(), uv[used, 1].max()
    uv[:, 1] = STRIP + (uv[:, 1] - low) * min(1.0, (1 - MARGIN - STRIP) / (high - low))

    # Left half, then the right one's own texture vertices.
    number = np.full(len(points), -1)
    number[used] = np.arange(len(used))
    shared = np.zeros(len(points), bool)
    shared[axis[: len(upper)]] = shared[lower] = True
    own = used[~shared[used]]
    other = number.copy()
    other[own] = len(used) + np.arange(len(own))
    flat = np.concatenate([uv[used], uv[own] * [-1, 1]]) + np.array([0.5, 0])
    corners = np.where(is_left[:, None], number[triangles], other[mirror[triangles]])
    return Island(numbers, flat, corners)


def patch(
    points: Array, triangles: Array, numbers: Array, start: Array, uv_triangles: Array, scale: Array
) -> Island:
    """A small island relaxed from the source's own texture coordinates ``start`` (m, 2)."""
    used, corners = np.unique(uv_triangles, return_inverse=True)
    corners = corners.reshape(-1, 3)
    gradient, weight = unwrap.frames(points, triangles, scale[triangles].mean(1))
    uv = start[used]
    a, b, c = (uv[corners[:, k]] for k in range(3))
    area = 0.5 * np.abs(np.cross(b - a, c - a)).sum()
    uv = (uv - uv.mean(0)) * np.sqrt(weight.sum() / area)
    return Island(numbers, unwrap.relax(uv, corners, gradient, weight), corners)


def fit(island: Island, low: tuple[float, float], high: tuple[float, float]) -> Island:
    """The island as large as a box allows, in its middle, margins kept."""
    room = np.subtract(high, low) - 2 * MARGIN
    extent = np.ptp(island.uv, axis=0)
    middle = 0.5 * (island.uv.min(0) + island.uv.max(0))
    size = (room / extent).min()
    return Island(
        island.triangles,
        (island.uv - middle) * size + 0.5 * np.add(low, high),
        island.uv_triangles,
    )
