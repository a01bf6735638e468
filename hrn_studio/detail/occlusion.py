"""Which directions the head hides from its own skin, and what that does to soft light.

Precomputed radiance transfer (Sloan, Kautz and Snyder 2002): a surface point answers light given
as spherical harmonics with nine numbers, found once from the directions it sees.  Chins, eye
sockets and nostrils then come out dark because of the shape, and the albedo need not explain it.
What hides the sky is skin as well and sends some light back, more of the red: occlusion counts
less by :data:`BOUNCE` (the idea of Jimenez et al. 2016, "Practical real-time strategies for
accurate indirect occlusion").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.detail.shading import COSINE, sh_basis
from hrn_studio.geometry.raster import rasterize
from hrn_studio.records import AnyFloats, Bools, Camera, Doubles, Floats, Ints, frozen

BOUNCE = (0.45, 0.30, 0.24)
"""Share of the light from a hidden direction that skin returns, for R, G, B."""
_MOST = 0.6  # of even light that occlusion may take
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
        depth = rasterize(seen, triangles, camera, back_faces=True).depth
        test = (lifted - centre) @ rotation.T + (0.0, 0.0, _FAR_M)
        pixels = (focal * test[:, :2] / test[:, 2:] + size / 2).astype(np.int64)
        columns, rows = np.clip(pixels, 0, size - 1).T
        pixel = test[:, 2] / focal
        blocked[:, d] = depth[rows, columns] < test[:, 2] - 2 * pixel
    return Hidden(directions, blocked)


def transfer(normals: AnyFloats, hidden: Hidden, rotation: AnyFloats) -> Floats:
    """What each vertex makes of each light coefficient, in each colour.

    ``(transfer * light).sum(axis=1)`` is irradiance / pi with self-shadowing, where ``light`` is
    that of :mod:`.shading`.  Where nothing is hidden it equals :func:`.shading.shade` exactly:
    only the hidden part is summed over directions.

    Parameters
    ----------
    normals
        (V, 3) unit, head frame; those of the posed expression.
    hidden
        From :func:`hidden_directions`.
    rotation
        (3, 3) from the head frame to the light's.

    Returns
    -------
    (V, 9, 3)
    """
    n = np.asarray(normals, np.float64)
    open_part = sh_basis(n @ np.asarray(rotation).T)
    open_part *= np.repeat(COSINE, (1, 3, 5))
    cosine = np.clip(n @ hidden.directions.T, 0.0, None) * hidden.blocked
    basis = sh_basis(hidden.directions @ np.asarray(rotation).T)
    lost = (4.0 / len(hidden.directions)) * (cosine @ basis)
    # Deep folds are never where the fit has them, so no more than a part is taken away.
    lost *= np.minimum(1.0, _MOST / np.maximum(lost[:, :1] / open_part[:, :1], 1e-9))
    kept = 1.0 - np.array(BOUNCE)
    result = open_part[:, :, None] - lost[:, :, None] * kept
    return np.asarray(result, np.float32)


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
