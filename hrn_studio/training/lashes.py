"""Eyelashes: a fringe of hairs along the edges of the lids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.raster import rasterize
from hrn_studio.records import Camera, Doubles, Floats, Ints

HAIRS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """The edge of one lid as a chain of the model's vertices, towards +X."""

    vertices: Ints
    upper: bool
    eye: int
    """Index into ``head.eyes``."""


def find_margins(head: HeadModel) -> tuple[Margin, ...]:
    """The four lid edges: the skin next to the visible eyeball, seen from the front."""
    margins = []
    size, far = 400, 5.0
    for k, eye in enumerate(head.eyes):
        camera = Camera(size, size, size * far / 0.04, (size / 2, size / 2))  # 0.1 mm a pixel
        points = (head.mean - eye.center) * [1, -1, -1] + [0, 0, far]
        seen = rasterize(points, head.triangles, camera)
        part = head.triangle_part[np.maximum(seen.triangle, 0)]
        ball = part == head.part_names.index(f"eye_{eye.side.lower()}")
        columns = np.flatnonzero(ball.sum(axis=0) > 3)
        for upper in (True, False):
            chain: list[int] = []
            for column in columns:
                rows = np.flatnonzero(ball[:, column])
                row = rows[0] - 1 if upper else rows[-1] + 1
                corner = int(np.argmax(seen.barycentric[row, column]))
                vertex = int(head.triangles[seen.triangle[row, column], corner])
                if vertex not in chain:
                    chain.append(vertex)
            margins.append(Margin(_thinned(head, chain), upper, k))
    return tuple(margins)


def _thinned(head: HeadModel, chain: list[int]) -> Ints:
    """Sorted along x; of vertices that are close together the foremost."""
    order = sorted(chain, key=lambda v: float(head.mean[v, 0]))
    kept: list[int] = []
    for vertex in order:
        if not kept or head.mean[vertex, 0] - head.mean[kept[-1], 0] > 0.0009:
            kept.append(vertex)
        elif head.mean[vertex, 2] > head.mean[kept[-1], 2]:
            kept[-1] = vertex
    return np.array(kept, np.int32)


def grow_lashes(
    margins: tuple[Margin, ...],
    eye_centers: Doubles,
    opening: tuple[float, float],
    vertices: Floats,
    length: float,
) -> tuple[Floats, Ints, Floats]:
    """Strips (N, 3) standing on the lids' edges, triangles, and coordinates (N, 2) 0..1.

    ``vertices`` and ``eye_centers`` are in the head frame, metres; ``opening`` is 1 for an open
    eye and 0 for a closed one.
    """
    points: list[Doubles] = []
    triangles: list[Ints] = []
    places: list[Doubles] = []
    for margin in margins:
        root = vertices[margin.vertices].astype(np.float64)
        outward = root - eye_centers[margin.eye]
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        share = 1.0 if margin.upper else 0.45
        t = np.linspace(-1, 1, len(root))[:, None]
        along = np.gradient(root, axis=0)
        along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
        reach = share * length * (1 - 0.4 * t**2)
        # A little over the edge of the lid, forwards, then curling away from the eye.
        rise = 1.5 * opening[margin.eye] - 0.5 if margin.upper else -0.9
        curl = np.array([0, rise, 0.25])
        middle = root + reach * (0.45 * outward + 0.22 * curl + 0.2 * t * along)
        tip = middle + reach * (0.35 * outward + 0.5 * curl + 0.1 * t * along)
        edge = root + 0.0004 * outward - 0.0005 * curl * share
        start = sum(len(p) for p in points)
        strip = np.stack([edge, middle, tip], axis=1)
        points.append(strip.reshape(-1, 3))
        u, v = np.meshgrid(np.linspace(0, 1, len(root)), [0.0, 0.5, 1.0], indexing="ij")
        places.append(np.stack([u, v], -1).reshape(-1, 2))
        index = start + np.arange(3 * len(root)).reshape(-1, 3)
        a, b, c, d = index[:-1, :-1], index[1:, :-1], index[:-1, 1:], index[1:, 1:]
        triangles += [
            np.stack([a, b, c], -1).reshape(-1, 3),
            np.stack([b, d, c], -1).reshape(-1, 3),
        ]
    return (
        np.concatenate(points).astype(np.float32),
        np.concatenate(triangles).astype(np.int32),
        np.concatenate(places).astype(np.float32),
    )


def paint_lashes(rng: np.random.Generator, density: float) -> Floats:
    """Opacity (32, 256) of a strip: root at row 0, tips at the end."""
    row = np.linspace(0, 1, 32, dtype=np.float32)[:, None]
    reach = rng.beta(5, 2, HAIRS).astype(np.float32)
    thick = rng.random(HAIRS).astype(np.float32) < density
    shift = np.cumsum(rng.normal(0, 0.4, 32)).astype(int)
    alpha = np.clip((reach - row) * 4, 0, 1) * thick * (1 - 0.5 * row)
    for r in range(32):
        alpha[r] = np.roll(alpha[r], shift[r] % 3)
    line = np.clip(1.3 - row * 6, 0, 1) * min(1.0, 0.35 + density)
    return np.asarray(np.maximum(0.85 * alpha, line), np.float32)
