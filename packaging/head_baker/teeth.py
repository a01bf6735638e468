"""Two plain arches of fourteen teeth in their gums, so that an open mouth is not a hole.

The source only has bare strips where teeth belong; they tell how the arches move with the
identity and the jaw (an affine map each), not how they look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MM = 0.001
PER_TOOTH = (0.0, 0.22, 0.78)
"""Columns of one tooth along the arch; the first is the gap to the one before."""


@dataclass(frozen=True)
class Arch:
    """Measures of one arch in the mean head, millimetres."""

    widths: tuple[float, ...]
    """Of one half's teeth, from the middle."""
    half_width: float
    depth: float
    front: float
    """z of the outer faces of the incisors."""
    edge: float
    """y of the incisors' edges."""
    crown: float
    """Height of a tooth out of the gum."""
    gum: float
    """Height of the gum behind the lip."""
    rise: float
    """How much higher the last molar's edge lies than the incisors'."""
    up: int
    """Where the roots are: 1 for the upper arch, -1 for the lower one."""


UPPER = Arch((8.4, 6.6, 7.5, 6.9, 6.7, 9.8, 9.3), 26.6, 45.0, 17.6, -74.8, 9.8, 7.0, 2.5, 1)
LOWER = Arch((5.3, 5.9, 6.8, 6.9, 7.0, 10.6, 10.0), 24.8, 43.0, 14.6, -72.6, 8.2, 6.0, 2.5, -1)


@dataclass(frozen=True)
class Teeth:
    """A closed mesh of one arch in the mean head's frame."""

    points: Array
    """(N, 3) metres."""
    triangles: Array
    """(T, 3) outward."""
    uv: Array
    """(M, 2) in a box of one by :data:`ASPECT`: u along the arch, v from gum over edge to gum."""
    uv_triangles: Array
    """(T, 3)"""
    enamel: Array
    """(N,) 1 on teeth, 0 on gums."""
    mirror: Array
    """(N,) the vertex on the other side."""


ASPECT = 0.26
ROWS = 9


def build(arch: Arch) -> Teeth:
    """Sweep a profile along the arch, thinner towards the front, notched between teeth."""
    left = _columns(arch)
    columns = np.concatenate([-left[:0:-1], left])
    turn = _turns(arch, columns[:, 0])
    outward = np.stack([arch.depth * np.sin(turn), arch.half_width * np.cos(turn)], 1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    ground = np.stack(
        [
            arch.half_width * np.sin(turn),
            arch.front - arch.depth * (1 - np.cos(turn)),
        ],
        1,
    )
    points = np.zeros((len(columns), ROWS, 3))
    for i, (_, gap, back) in enumerate(np.abs(columns)):
        profile = _profile(arch, gap, back)
        points[i, :, [0, 2]] = (ground[i] + profile[:, :1] * outward[i]).T
        points[i, :, 1] = arch.edge + arch.rise * back**1.5 + arch.up * profile[:, 1]
    count = len(columns)
    grid = np.arange(count * ROWS).reshape(count, ROWS)
    ends = points[[0, -1]].mean(1)
    flat = np.concatenate([points.reshape(-1, 3), ends]) * MM

    u = np.linspace(0.03, 0.97, count)
    v = np.linspace(0, ASPECT, ROWS + 1)
    uv = np.stack(np.meshgrid(u, v, indexing="ij"), -1).reshape(-1, 2)
    uv = np.concatenate([uv, [[0.0, ASPECT / 2], [1.0, ASPECT / 2]]])
    cells = np.arange(count * (ROWS + 1)).reshape(count, ROWS + 1)
    triangles, uv_triangles = [], []
    middle = count // 2
    for i in range(count - 1):
        for j in range(ROWS):
            k = (j + 1) % ROWS
            quad = [grid[i, j], grid[i + 1, j], grid[i + 1, k], grid[i, k]]
            flat_quad = [cells[i, j], cells[i + 1, j], cells[i + 1, j + 1], cells[i, j + 1]]
            for corner in ((0, 1, 2), (0, 2, 3)) if i < middle else ((0, 1, 3), (1, 2, 3)):
                triangles.append([quad[c] for c in corner])
                uv_triangles.append([flat_quad[c] for c in corner])
    for end, column in ((0, 0), (1, count - 1)):
        for j in range(ROWS):
            k = (j + 1) % ROWS
            pair = [grid[column, k], grid[column, j]][:: 1 if end else -1]
            flat_pair = [cells[column, j + 1], cells[column, j]][:: 1 if end else -1]
            triangles.append([count * ROWS + end, *pair])
            uv_triangles.append([len(uv) - 2 + end, *flat_pair])
    faces, uv_faces = np.array(triangles), np.array(uv_triangles)
    if _volume(flat, faces) < 0:
        faces, uv_faces = faces[:, [0, 2, 1]], uv_faces[:, [0, 2, 1]]
    if arch.up > 0:  # so that the texture is not mirrored
        uv[:, 0] = 1 - uv[:, 0]
    enamel = np.zeros((count, ROWS))
    enamel[:, 3:7] = 1
    mirror = np.concatenate([grid[::-1].ravel(), [count * ROWS + 1, count * ROWS]])
    return Teeth(flat, faces, uv, uv_faces, np.append(enamel.ravel(), [0, 0]), mirror)


def _columns(arch: Arch) -> Array:
    """(C, 3) of the left half: place along the arch, gap 0..1, how far back 0..1."""
    result, begin = [], 0.0
    for number, width in enumerate(arch.widths):
        for share in PER_TOOTH:
            result.append([begin + share * width, float(share == 0), (number + share) / 7])
        begin += width
    result.append([begin, 1.0, 1.0])
    return np.array(result)


def _turns(arch: Arch, places: Array) -> Array:
    """Angles on the arch's ellipse at places along it, millimetres from the middle."""
    t = np.linspace(0, 0.55 * np.pi, 2000)
    x, z = arch.half_width * np.sin(t), arch.depth * np.cos(t)
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
    return np.asarray(np.sign(places) * np.interp(np.abs(places), length, t))


def _profile(arch: Arch, gap: float, back: float) -> Array:
    """(ROWS, 2) outward and rootward of the edge, millimetres; ``back`` is 0 at the incisors."""
    molar = float(np.clip((back - 0.35) / 0.3, 0, 1))
    thick, edge = 6.0 + 3.0 * molar, 1.3 + 6.0 * molar
    crown = arch.crown * (1 - 0.22 * back)
    short = 0.25 * np.sin(np.pi * np.clip(back * 7 / 3, 0, 1))  # the canine is a little longer
    notch, dip = 0.9 * gap, 0.7 * gap
    return np.array(
        [
            [-1.5, crown + arch.gum],
            [0.3, crown + 1.8],
            [-0.1, crown - 1.6 * gap],
            [0.7 - notch, 0.55 * crown],
            [0.1 - notch, 0.5 + dip - short],
            [-edge + 0.5 * notch, 0.3 + dip - short],
            [-thick + notch, 0.55 * crown],
            [-thick - 0.2, crown - 0.8 * gap],
            [-thick - 1.5, crown + arch.gum],
        ]
    )


def _volume(points: Array, triangles: Array) -> float:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def follow(points: Array, guide: Array, offsets: Array) -> Array:
    """Offsets (..., N, 3) of ``points`` (N, 3) by the affine map nearest a guide's motion.

    ``guide`` (P, 3) moves by ``offsets`` (..., P, 3).
    """
    inverse = np.linalg.pinv(np.c_[guide, np.ones(len(guide))])
    return np.asarray(np.c_[points, np.ones(len(points))] @ (inverse @ offsets))
