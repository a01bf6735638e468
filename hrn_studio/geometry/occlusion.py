"""Which directions a head hides from its own surface: the geometry of ambient occlusion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hrn_studio.geometry.raster import Fragments, rasterize
from hrn_studio.records import AnyFloats, Bools, Camera, Doubles, Floats, Ints, frozen

_LIFT_M = 0.002  # points are tested this far off the surface, so that it does not hide itself
_FAR_M = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Hidden:
    """For each vertex, the directions from which the head itself blocks the light."""

    directions: Doubles
    """(D, 3) unit, head frame, spread evenly over the sphere."""
    blocked: Bools
    """(V, D)"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "directions", frozen(self.directions, np.float64))
        object.__setattr__(self, "blocked", frozen(self.blocked, np.bool_))


def hidden_directions(
    vertices: AnyFloats,
    normals: AnyFloats,
    triangles: Ints,
    *,
    count: int = 96,
    size: int = 160,
    draw: Callable[..., Fragments] = rasterize,
) -> Hidden:
    """Look at the head from all around and note which vertices do not show.

    Parameters
    ----------
    vertices, normals
        (V, 3) metres and unit, head frame.
    triangles
        (T, 3) what can hide: eyes and skin alike.
    count
        Directions on the sphere.  With 96, shading is right to about 0.03 of full light.
    size
        Pixels a side of each depth picture.
    draw
        :func:`.raster.rasterize` or what answers like it.
    """
    directions = spread_directions(count)
    points = np.asarray(vertices, np.float64)
    lifted = points + _LIFT_M * normals
    points, triangles = _with_shoulders(points, triangles)
    centre = 0.5 * (points.min(axis=0) + points.max(axis=0))
    radius = float(np.linalg.norm(points - centre, axis=1).max()) + _LIFT_M
    focal = 0.49 * size * (_FAR_M - radius) / radius
    camera = Camera(size, size, focal, (size / 2, size / 2))
    blocked = np.zeros((len(lifted), count), np.bool_)
    for d, direction in enumerate(directions):
        rotation = _looking_along(-direction)
        seen = (points - centre) @ rotation.T + (0.0, 0.0, _FAR_M)
        depth = draw(seen, triangles, camera, back_faces=True).depth
        test = (lifted - centre) @ rotation.T + (0.0, 0.0, _FAR_M)
        pixels = (focal * test[:, :2] / test[:, 2:] + size / 2).astype(np.int64)
        columns, rows = np.clip(pixels, 0, size - 1).T
        pixel = test[:, 2] / focal
        blocked[:, d] = depth[rows, columns] < test[:, 2] - 2 * pixel
    return Hidden(directions, blocked)


def openness(normals: AnyFloats, hidden: Hidden) -> Floats:
    """(V,) share of even light that reaches each vertex, 0..1 (ambient occlusion, 1 = open)."""
    cosine = np.clip(np.asarray(normals, np.float64) @ hidden.directions.T, 0.0, None)
    lost = (cosine * hidden.blocked).sum(axis=1) / np.maximum(cosine.sum(axis=1), 1e-9)
    return np.asarray(1.0 - lost, np.float32)


def _with_shoulders(points: Doubles, triangles: Ints) -> tuple[Doubles, Ints]:
    """The head on a board as wide as shoulders, at the end of the neck."""
    low = float(points[:, 1].min()) + 0.005
    board = [(x, low, z) for z in (-0.16, 0.06) for x in (-0.2, 0.2)]
    n = len(points)
    faces = np.array([(n, n + 1, n + 2), (n + 1, n + 3, n + 2)], np.int32)
    return np.concatenate([points, np.array(board)]), np.concatenate([triangles, faces])


def spread_directions(count: int) -> Doubles:
    """(D, 3) unit vectors spread evenly over the sphere along a golden spiral (González 2010)."""
    i = np.arange(count) + 0.5
    z = 1.0 - 2.0 * i / count
    angle = np.pi * (1.0 + 5.0**0.5) * i
    radius = np.sqrt(1.0 - z * z)
    return np.asarray(np.stack([radius * np.cos(angle), z, radius * np.sin(angle)], axis=1))


def _looking_along(forward: Doubles) -> Doubles:
    """(3, 3) rotation to a camera frame whose +Z is ``forward``."""
    helper = np.eye(3)[int(np.argmin(np.abs(forward)))]
    right = np.cross(helper, forward)
    right /= np.linalg.norm(right)
    return np.asarray(np.stack([right, np.cross(forward, right), forward]))
