"""Where things are on the head: soft masks per vertex of the skin.

Face, lips, ears and the inside of the mouth come from MakeHuman's own mask pictures (CC0); the
rest is placed on the mean head by its measures, in millimetres.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hrn_studio.geometry.mesh import adjacency, vertex_normals
from hrn_studio.geometry.raster import rasterize
from hrn_studio.records import Camera

Array = NDArray[Any]

BROW = np.array([[9.0, 15], [20, 19], [34, 22], [45, 20.5], [54, 14]])
"""Middle of the left brow, x and y in millimetres."""
NOSE = np.array([[4.0, 12], [7.5, 0], [10, -14], [14.5, -26], [20.5, -34], [21, -44], [13, -51]])
"""Half width of the nose at a height: x and y in millimetres."""


def picture(folder: Path, name: str, uv: Array) -> Array:
    """Values (N,) 0..1 of one of MakeHuman's mask pictures at texture points (N, 2)."""
    image = np.asarray(Image.open(folder / f"mpfb_{name}.jpg").convert("L"), float) / 255
    size = len(image)
    x = np.clip((uv[:, 0] * size).astype(int), 0, size - 1)
    y = np.clip(((1 - uv[:, 1]) * size).astype(int), 0, size - 1)
    return np.asarray(image[y, x])


def smooth(values: Array, triangles: Array, times: int) -> Array:
    """Average with the neighbours, some times."""
    near = adjacency(triangles, len(values))
    degree = np.maximum(np.asarray(near.sum(1)).ravel(), 1)
    for _ in range(times):
        values = 0.5 * values + 0.5 * (near @ values) / degree
    return values


def step(values: Array, low: float, high: float) -> Array:
    """Smooth 0..1 from ``low`` to ``high`` (which may be the smaller)."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def openness(points: Array, triangles: Array, directions: int = 96) -> Array:
    """Share (V,) of the directions before its normal from which a vertex is seen."""
    k = np.arange(directions) + 0.5
    z = 1 - 2 * k / directions
    turn = np.pi * (1 + 5**0.5) * k
    ways = np.stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z], 1)
    normals = vertex_normals(points, triangles)
    far, size = 20.0, 512
    camera = Camera(size, size, far * size / 0.42, (size / 2, size / 2))
    centre = points.mean(0)
    seen, faced = np.zeros(len(points)), np.zeros(len(points))
    for way in ways:
        side = np.cross(way, [0.0, 1, 0] if abs(way[1]) < 0.9 else [1.0, 0, 0])
        side /= np.linalg.norm(side)
        axes = np.stack([side, np.cross(-way, side), -way])
        local = (points - centre) @ axes.T + [0, 0, far]
        depth = rasterize(local, triangles.astype(np.int32), camera).depth
        x = (camera.focal_px * local[:, 0] / local[:, 2] + size / 2).astype(int)
        y = (camera.focal_px * local[:, 1] / local[:, 2] + size / 2).astype(int)
        inside = (x >= 0) & (y >= 0) & (x < size) & (y < size)
        front = np.zeros(len(points))
        front[inside] = local[inside, 2] <= depth[y[inside], x[inside]] + 0.0015
        facing = np.maximum(normals @ way, 0)
        seen += facing * front
        faced += facing
    return np.asarray(seen / np.maximum(faced, 1e-9))


def regions(
    points: Array, triangles: Array, mirror: Array, pictures: dict[str, Array], islands: Array
) -> dict[str, Array]:
    """Masks (V,) 0..1 by name.

    ``pictures`` holds MakeHuman's masks; ``islands`` (V,) numbers the source's texture islands: 0
    head, 1 mouth, 3 and 4 eye sockets.
    """
    p = points * 1000
    x, y, z = np.abs(p[:, 0]), p[:, 1], p[:, 2]
    face, ears, lips = pictures["face"], pictures["ears"], pictures["lips"]
    clear = openness(points, triangles)
    hidden = smooth(1 - step(clear, 0.1, 0.35), triangles, 1)
    mouth = np.maximum(pictures["inside-mouth"], islands == 1)
    sockets = np.isin(islands, (3, 4)).astype(float)
    inside = np.maximum(mouth, sockets)
    left = step(p[:, 0], -4, 4)

    result = {"face": face * (1 - inside), "ears": ears}
    result["inner_mouth"] = smooth(np.maximum(mouth, lips * hidden), triangles, 1)
    result["lips"] = lips * (1 - result["inner_mouth"])
    result["eye_sockets"] = sockets

    # Lids: within reach of the rim, above or below the line between the corners.
    ex, ey = x - 32.6, y + 0.5
    reach = np.hypot(ex / 17.5, np.where(ey > 0, ey / 12.5, ey / 10.5))
    lids = (1 - step(reach, 0.8, 1.1)) * (z > -6) * (1 - sockets)
    above = step(y - (-1.2 + 0.10 * (x - 32.6)), -1.0, 1.0)
    for name, part in (("upper", above), ("lower", 1 - above)):
        result[f"lid_{name}_left"] = lids * part * left
        result[f"lid_{name}_right"] = lids * part * (1 - left)

    order = np.argsort(NOSE[:, 1])
    width = np.interp(y, NOSE[order, 1], NOSE[order, 0])
    nose = step(x - width, 2.5, -1.5) * step(y, -53, -48.5) * step(y, 16, 6) * (z > -5)
    nose = nose * (1 - mouth)
    result["nose"] = smooth(nose, triangles, 1)
    deep = (1 - step(clear, 0.40, 0.62)) * (nose > 0.3) * step(-y, 36, 40) * (x > 4) * (x < 14)
    result["nostrils"] = deep

    height = np.interp(x, BROW[:, 0], BROW[:, 1], left=BROW[0, 1] - 1)
    along = step(x, 5, 10) * (1 - step(x, 53, 58))
    result["brows"] = along * np.exp(-(((y - height) / 4.2) ** 2)) * (z > -25)
    brow_line = np.interp(x, BROW[:, 0], BROW[:, 1] + 5)
    crown = 82 - 0.0035 * x**2.05
    skin = (1 - ears) * (1 - inside)
    result["forehead"] = (
        step(y - brow_line, -2, 4) * (1 - step(y - crown, -6, 6)) * step(z, -52, -38) * skin
    )
    hairline = np.maximum(y - crown, -(z + 60 + 0.25 * (y + 20)))
    nape = -62 + 0.35 * np.clip(-100 - z, -50, 60)
    result["scalp"] = smooth(step(hairline, -5, 7) * step(y - nape, -10, 8), triangles, 1) * skin
    jaw_line = -112 + 0.62 * np.clip(-z - 5, 0, 70)
    below = step(jaw_line - y, -5, 7) * step(-z, -14, 4)
    behind = step(-z, 72, 84) * step(-36 - y, -8, 8)
    result["neck"] = smooth(np.maximum(below, behind), triangles, 1) * skin * (1 - result["scalp"])
    front = step(z, -12, 2) * (1 - mouth) * (1 - result["lips"]) * (1 - result["neck"])
    result["chin"] = step(-84 - y, -4, 4) * (1 - step(x, 22, 32)) * front
    rest = np.clip(1 - result["chin"] - result["neck"] - result["scalp"], 0, 1) * skin
    level = -60 - 0.25 * np.clip(x - 40, 0, 40)
    result["jaw"] = (
        step(level - y, -6, 10) * step(x, 24, 36) * rest * (1 - result["lips"]) * step(-z, 88, 72)
    )
    under_eye = np.clip(-16 + 0.35 * (x - 32), -16, 0)
    free = np.clip(rest - result["jaw"] - result["nose"] - result["lips"], 0, 1)
    result["cheeks"] = step(under_eye - y, -4, 5) * step(x, 12, 20) * step(z, -62, -44) * free
    result["cheeks"] = smooth(result["cheeks"] * step(y, -95, -80), triangles, 2)
    return {
        name: np.clip(0.5 * (v + v[mirror]), 0, 1)
        if not name.endswith(("left", "right"))
        else np.clip(v, 0, 1)
        for name, v in result.items()
    }
