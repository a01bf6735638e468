"""Eyeballs: one clean shape used for both eyes, with exact pupil and iris rings.

The source's eyeballs have a radius of 16.5 mm and stand through the lids.  Ours are smaller and
further forward, the smallest that still close the opening between the lids at both corners (a
human eye has 12 mm; there the caruncle closes the inner corner, which this head does not have).
The iris keeps its human size whatever the size of the eye.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

RADIUS = 0.0142
SOURCE_RADIUS = 0.01653
OFFSET = np.array([0.0012, -0.0010, 0.0023])
"""From the source's left eye centre to ours, at the source's mean size."""
IRIS_DIAMETER = 0.0117
PUPIL_DIAMETER = 0.0040
BULGE = 0.0008
"""How far the cornea stands out from the ball."""
IRIS_SHARE = 0.55
"""Radius of the iris over that of the whole eye in the texture."""
SEGMENTS = 24
IRIS_RINGS = (0.5 * PUPIL_DIAMETER, 0.0033, 0.0046, 0.0054, 0.5 * IRIS_DIAMETER)
SCLERA_RINGS = 11


@dataclass(frozen=True)
class Eyeball:
    """The unit eye: pole at the pupil, looking along +Z, centre at the origin."""

    shape: Array
    """(N, 3) metres at :data:`RADIUS`."""
    growth: Array
    """(N, 3) change per metre of radius; the iris only moves forward."""
    triangles: Array
    """(T, 3) outward."""
    uv: Array
    """(M, 2) -1..1, iris in the middle; distance from it grows with the angle from the pole."""
    uv_triangles: Array
    """(T, 3)"""


def build() -> Eyeball:
    """The left eye; the right one is its mirror image."""
    limbus = np.arcsin(IRIS_RINGS[-1] / RADIUS)
    angles = [np.arcsin(r / RADIUS) for r in IRIS_RINGS]
    angles += list(limbus + (np.pi - limbus) * np.linspace(0, 1, SCLERA_RINGS + 2)[1:-1] ** 1.15)
    turn = np.arange(SEGMENTS) * 2 * np.pi / SEGMENTS
    shape, growth = [np.array([[0, 0, RADIUS + BULGE]])], [np.array([[0, 0, 1.0]])]
    for i, angle in enumerate(angles):
        ring = np.stack([np.cos(turn), np.sin(turn), np.zeros_like(turn)], 1) * np.sin(angle)
        ring[:, 2] = np.cos(angle)
        point, grow = ring * RADIUS, ring.copy()
        if i < len(IRIS_RINGS):
            share = 1 - (np.sin(angle) / np.sin(limbus)) ** 2
            point[:, 2] += BULGE * share**1.5
            grow[:, :2] = 0
            grow[:, 2] = 1 / np.cos(angle)
        shape.append(point)
        growth.append(grow)
    shape.append(np.array([[0, 0, -RADIUS]]))
    growth.append(np.array([[0, 0, -1.0]]))
    rings = 1 + np.arange(len(angles))[:, None] * SEGMENTS + np.arange(SEGMENTS)
    last = 1 + len(angles) * SEGMENTS
    reach = np.array([0.0, *angles, np.pi])
    out = np.interp(reach, [0, limbus, np.pi], [0, IRIS_SHARE, 1.0])
    flat = [np.zeros((1, 2))]
    flat += [r * np.stack([np.cos(turn), np.sin(turn)], 1) for r in out[1:-1]]
    middle = turn + np.pi / SEGMENTS
    flat.append(np.stack([np.cos(middle), np.sin(middle)], 1))
    triangles, uv_triangles = [], []
    for k in range(SEGMENTS):
        n = (k + 1) % SEGMENTS
        triangles.append([0, rings[0, k], rings[0, n]])
        uv_triangles.append(triangles[-1])
        for a, b in pairwise(rings):
            for corner in ([a[k], b[k], b[n]], [a[k], b[n], a[n]]):
                triangles.append(corner)
                uv_triangles.append(corner)
        triangles.append([rings[-1, k], last, rings[-1, n]])
        uv_triangles.append([rings[-1, k], last + k, rings[-1, n]])
    return Eyeball(
        np.concatenate(shape),
        np.concatenate(growth),
        np.array(triangles),
        np.concatenate(flat),
        np.array(uv_triangles),
    )


def surface(directions: Array, gaze: Array) -> Array:
    """Distance (N,) from the centre to the eye's surface along unit directions (N, 3).

    ``gaze`` (3,) is the unit vector through the pupil.
    """
    sine = np.sqrt(np.clip(1 - (directions @ gaze) ** 2, 0, 1))
    share = np.clip(1 - (sine * RADIUS / IRIS_RINGS[-1]) ** 2, 0, 1) * (directions @ gaze > 0)
    return np.asarray(RADIUS + BULGE * share**1.5)


def masks() -> dict[str, Array]:
    """Which vertices (N,) show the pupil, the iris around it, and the white."""
    ring = np.repeat(np.arange(1, 1 + len(IRIS_RINGS) + SCLERA_RINGS), SEGMENTS)
    ring = np.concatenate([[0], ring, [99]])
    limbus = len(IRIS_RINGS)
    return {
        "pupil": (ring <= 1).astype(float),
        "iris": ((ring >= 1) & (ring <= limbus)).astype(float),
        "sclera": (ring >= limbus).astype(float),
    }


def sphere(points: Array) -> tuple[Array, float]:
    """Centre and radius of the sphere nearest ``points`` (N, 3)."""
    system = np.c_[2 * points, np.ones(len(points))]
    solution, *_ = np.linalg.lstsq(system, (points**2).sum(1), rcond=None)
    centre = solution[:3]
    return centre, float(np.sqrt(solution[3] + centre @ centre))


def place(points: Array, side: int) -> tuple[Array, Array]:
    """Centres (n, 3) and radii (n,) of our eyes for the source's eyes (n, P, 3).

    ``side`` is 1 for the left eye, -1 for the right one.
    """
    fits = [sphere(p) for p in points]
    centre = np.stack([c for c, _ in fits])
    ratio = np.array([r for _, r in fits]) / SOURCE_RADIUS
    return centre + ratio[:, None] * OFFSET * [side, 1, 1], ratio * RADIUS
