"""A map of the head to paint on: the mean head seen from its own middle.

Columns are the azimuth round the vertical axis, with most of the width given to the front; rows
are the elevation.  Each texel knows the place on the mean head that it colours, so paint is
placed in metres on the mean face and follows every identity and expression.  (The model's own UV
square gives the face too few texels for this.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.raster import interpolate, rasterize
from hrn_studio.records import AnyFloats, Camera, Floats

CENTER = np.array([0.0, -0.035, -0.075])
FRONT = 1.75  # radians to either side that take FRONT_SHARE of the width
FRONT_SHARE = 0.82
LOWEST, HIGHEST = np.radians(-72), np.radians(90)
ASPECT = 0.875


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """The canvas of one head model; made once, (R, C) texels."""

    position: Floats
    """(R, C, 3) metres on the mean head; the outermost skin where several lie on one ray."""
    texels: Floats
    """(V, 2) column and row of each vertex, for looking up."""
    regions: dict[str, Floats]
    """The model's masks, (R, C)."""
    azimuth: Floats
    """(R, C) radians, positive towards the subject's left."""

    front: Floats
    """(240, 160, 2) texel at each millimetre of the face seen from the front, from y = 0.11 down
    and from x = -0.08 up."""

    flatness: Floats
    """(R, C) 1 where the skin faces the chart, falling to 0 where it is seen edge-on."""

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.azimuth.shape
        return int(rows), int(columns)

    def at(self, xy: AnyFloats) -> Floats:
        """Column and row (N, 2) of places (N, 2) on the front, in metres on the mean head."""
        p = np.asarray(xy, np.float64) * [1000, -1000] + [80, 110]
        x, y = np.clip(p[:, 0], 0, 158.9), np.clip(p[:, 1], 0, 238.9)
        i, j = x.astype(int), y.astype(int)
        a, b = (x - i)[:, None], (y - j)[:, None]
        f = self.front
        top = (1 - a) * f[j, i] + a * f[j, i + 1]
        return np.asarray((1 - b) * top + b * ((1 - a) * f[j + 1, i] + a * f[j + 1, i + 1]))

    def blob(self, x: float, y: float, radius: float, stretch: float = 1.0) -> Floats:
        """A soft spot (R, C) on the front at (x, y) metres, and its mirror image.

        ``stretch`` widens it along x.
        """
        p = self.position
        across = np.abs(p[..., 0]) - abs(x) if x else p[..., 0]
        squared = (across / stretch) ** 2 + (p[..., 1] - y) ** 2
        front = np.clip((p[..., 2] + 0.09) / 0.03, 0, 1)
        return np.asarray(np.exp(-squared / (2 * radius**2)) * front, np.float32)


def make_chart(head: HeadModel, columns: int = 512) -> Chart:
    """The canvas of a head; 512 columns are about 0.6 millimetres a texel in the face."""
    rows = round(columns * ASPECT)
    texels = chart_texels(head.mean, rows, columns)
    skin = head.triangles[head.part_triangles("skin")]
    reach = np.linalg.norm(head.mean - CENTER, axis=1)
    # Triangles across the back seam would cover the whole width.
    span = np.ptp(texels[skin][:, :, 0], axis=1)
    skin = skin[span < columns / 2]
    depth = 10.0 - reach  # nearly parallel rays, outermost first
    flat = np.column_stack([texels * depth[:, None], depth])
    fragments = rasterize(flat, skin, Camera(columns, rows, 1.0, (0.0, 0.0)), back_faces=True)
    names = list(head.regions)
    values = np.column_stack([head.mean, *(head.regions[n] for n in names)])
    painted = interpolate(fragments, skin, values)
    empty = ~fragments.covered
    painted[empty, :3] = CENTER - [0, 0, 1]
    azimuth = _azimuth_of_column(np.arange(columns) + 0.5, columns)
    from_front = np.column_stack(
        [head.mean[:, 0] + 0.0805, 0.1105 - head.mean[:, 1], np.ones(len(reach))]
    ) * (10.0 - head.mean[:, 2:])
    seen = rasterize(from_front, skin, Camera(160, 240, 1000.0, (0.0, 0.0)))
    front = interpolate(seen, skin, texels)
    place = painted[..., :3]
    steps = [np.linalg.norm(np.gradient(place, axis=axis), axis=2) for axis in (0, 1)]
    usual = 0.1 * (HIGHEST - LOWEST) / rows
    flatness = np.clip(2.5 - np.maximum(*steps) / usual, 0, 1)
    return Chart(
        front=front,
        flatness=np.asarray(flatness, np.float32),
        position=np.ascontiguousarray(painted[..., :3]),
        texels=texels,
        regions={n: np.ascontiguousarray(painted[..., 3 + k]) for k, n in enumerate(names)},
        azimuth=np.broadcast_to(azimuth.astype(np.float32), (rows, columns)).copy(),
    )


def chart_texels(points: AnyFloats, rows: int, columns: int) -> Floats:
    """Column and row (N, 2) on the chart of points (N, 3) of the mean head."""
    p = np.asarray(points, np.float64) - CENTER
    azimuth = np.arctan2(p[:, 0], p[:, 2])
    elevation = np.arctan2(p[:, 1], np.hypot(p[:, 0], p[:, 2]))
    beyond = np.maximum(np.abs(azimuth) - FRONT, 0) * (1 - FRONT_SHARE) / (np.pi - FRONT)
    u = np.sign(azimuth) * (np.minimum(np.abs(azimuth), FRONT) * FRONT_SHARE / FRONT + beyond)
    v = (HIGHEST - elevation) / (HIGHEST - LOWEST)
    return np.column_stack([(0.5 + 0.5 * u) * columns, v * rows]).astype(np.float32)


def _azimuth_of_column(column: AnyFloats, columns: int) -> AnyFloats:
    u = 2 * np.asarray(column) / columns - 1
    outer = FRONT + (np.abs(u) - FRONT_SHARE) * (np.pi - FRONT) / (1 - FRONT_SHARE)
    return np.asarray(
        np.sign(u) * np.where(np.abs(u) < FRONT_SHARE, np.abs(u) * FRONT / FRONT_SHARE, outer)
    )
