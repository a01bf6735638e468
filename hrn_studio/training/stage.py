"""What is prepared once for a head model before people can be invented with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.raster import rasterize
from hrn_studio.records import Camera, Floats, Ints
from hrn_studio.training.chart import Chart, make_chart
from hrn_studio.training.clothes import neck_ring
from hrn_studio.training.hair import Roots, find_roots
from hrn_studio.training.jewellery import find_lobes
from hrn_studio.training.lashes import Margin, find_margins
from hrn_studio.training.pixels import unit
from hrn_studio.training.skin import Zones, find_zones

DIRECTIONS = 96
DISTANCE_M = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A head model with its canvas, its hair roots and its creases."""

    head: HeadModel
    chart: Chart
    zones: Zones
    roots: Roots
    margins: tuple[Margin, ...]
    """Edges of the lids."""
    occlusion: Floats
    """(V,) share of the sky that each vertex of the mean head sees, 0..1."""
    nostrils: Floats
    """(V,) 1 in the depth of the nostrils, which the model only hints at."""
    neck: Ints
    """Vertices of the neck's open end."""
    lobes: Ints
    """The vertex of each ear that an earring hangs from, left first; empty without ears."""
    incidence: Any
    """Sparse (V, T): sums the faces' normals at the vertices."""

    def normals(self, vertices: Floats) -> Floats:
        """Smooth unit normals (V, 3), outwards."""
        a, b, c = (vertices[self.head.triangles[:, k]] for k in range(3))
        total = self.incidence @ np.cross(b - a, c - a)
        return unit(total)


def make_stage(head: HeadModel, columns: int = 512) -> Stage:
    """Prepare a head; ``columns`` is the width of the canvas (see :func:`.chart.make_chart`)."""
    count = len(head.triangles)
    incidence = scipy.sparse.csr_matrix(
        (
            np.ones(3 * count, np.float32),
            (head.triangles.ravel(), np.repeat(np.arange(count), 3)),
        ),
        shape=(head.vertex_count, count),
    )
    chart, roots, margins = make_chart(head, columns), find_roots(head), find_margins(head)
    dark = np.zeros(head.vertex_count, np.float32)
    zones, neck, lobes = find_zones(chart), neck_ring(head), find_lobes(head)
    bare = Stage(head, chart, zones, roots, margins, dark, dark, neck, lobes, incidence)
    occlusion = sky_share(head, bare.normals(head.mean))
    x, y, z = head.mean.T
    nose = (np.abs(x) < 0.018) & (y > -0.050) & (y < -0.034) & (z > 0.015)
    nostrils = np.where(nose, np.clip((0.75 - occlusion) / 0.35, 0, 1), 0).astype(np.float32)
    return Stage(head, chart, zones, roots, margins, occlusion, nostrils, neck, lobes, incidence)


def sky_share(head: HeadModel, normals: Floats, size: int = 192) -> Floats:
    """Cosine-weighted share (V,) of evenly spread directions in which a vertex sees the sky."""
    i = np.arange(DIRECTIONS) + 0.5
    z, angle = 1 - 2 * i / DIRECTIONS, np.pi * (1 + 5**0.5) * i
    flat = np.sqrt(1 - z * z)
    around = np.stack([flat * np.cos(angle), flat * np.sin(angle), z], axis=1)
    middle = 0.5 * (head.mean.min(axis=0) + head.mean.max(axis=0))
    radius = float(np.linalg.norm(head.mean - middle, axis=1).max())
    focal = 0.5 * size * (DISTANCE_M - radius) / radius
    camera = Camera(size, size, focal, (size / 2, size / 2))
    seen, total = np.zeros(head.vertex_count), np.full(head.vertex_count, 1e-6)
    for direction in around:
        right = np.cross(direction, np.roll(direction, 1) + np.array([0.1, 0.2, 0.3]))
        right /= np.linalg.norm(right)
        frame = np.stack([right, np.cross(-direction, right), -direction])
        points = (head.mean - middle) @ frame.T + [0, 0, DISTANCE_M]
        fragments = rasterize(points, head.triangles, camera, back_faces=True)
        pixel = np.floor(focal * points[:, :2] / points[:, 2:] + size / 2).astype(int)
        pixel = np.clip(pixel, 0, size - 1)
        depth = fragments.depth[pixel[:, 1], pixel[:, 0]]
        cosine = np.maximum(normals @ direction, 0)
        # A texel is 2 mm: what lies that close in front does not count.
        seen += cosine * (points[:, 2] < depth + 0.0025)
        total += cosine
    return np.asarray(seen / total, np.float32)
