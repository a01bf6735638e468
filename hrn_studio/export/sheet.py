"""``shapes.png``: every shape of a head at full weight, its name below, for review.

Clay from the front, with the eyes, teeth and tongue in their colours so that gaze shows.  Drawn
with the project's own rasteriser, so that the same head gives the same bytes everywhere.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hrn_studio.export.asset import Asset
from hrn_studio.export.images import png
from hrn_studio.geometry.raster import interpolate_covered, rasterize
from hrn_studio.geometry.transforms import AXES_CAMERA_HEAD, apply, rigid
from hrn_studio.geometry.uv import sample
from hrn_studio.records import AnyFloats, Bytes, Camera, Ints

COLUMNS = 9
CELL = (300, 336)
_CAPTION = 24
_GAP = 6
_FINER = 2
"""Samples along each side of a pixel."""
_DISTANCE_M = 0.6
_MARGIN = 1.16
_MOVES_M = 0.0035
_BACKGROUND = (58, 60, 63)
_CELL_BACKGROUND = (74, 76, 79)
_INK = (222, 224, 226)
_CLAY_LINEAR = (0.42, 0.40, 0.38)
_LIGHTS = (
    ((-0.55, 0.62, 0.56), 0.85),
    ((0.85, 0.05, 0.52), 0.22),
    ((0.0, -0.6, 0.8), 0.07),
)
"""Towards the light (head axes: +X the subject's left, so the viewer's right), and how bright."""
_SKY = 0.14


def shapes_png(asset: Asset) -> bytes:
    """The sheet as a PNG file: the neutral head, then all shapes in the asset's order.

    ``mouthClose`` is shown with the ``jawOpen`` it closes.
    """
    width, height = CELL[0] + _GAP, CELL[1] + _CAPTION
    count = 1 + len(asset.morphs)
    rows = -(-count // COLUMNS)
    sheet = Image.new("RGB", (_GAP + COLUMNS * width, _GAP + rows * height), _BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    painter, morphs = _Painter(asset), {morph.arkit: morph for morph in asset.morphs}
    for number in range(count):
        x = _GAP + number % COLUMNS * width
        y = _GAP + number // COLUMNS * height
        vertices, normals, name = asset.vertices, asset.normals, "neutral"
        if number:
            morph = asset.morphs[number - 1]
            vertices, normals = vertices + morph.deltas, normals + morph.normal_deltas
            name = morph.name
            jaw = morphs.get("jawOpen") if morph.arkit == "mouthClose" else None
            if jaw is not None:  # what it is made for
                vertices, normals = vertices + jaw.deltas, normals + jaw.normal_deltas
                name = f"{morph.name} + {jaw.name}"
        sheet.paste(Image.fromarray(painter.drawn(vertices, normals)), (x, y))
        draw.text((x + 3, y + CELL[1] + 2), name, _INK, font)
    return png(np.asarray(sheet, np.uint8), srgb=True)


class _Painter:
    """Draws one head in any shape from one place; colours are worked out at texture vertices."""

    def __init__(self, asset: Asset) -> None:
        self.triangles: Ints = np.concatenate([p.triangles for p in asset.parts])
        self.uv_triangles: Ints = np.concatenate([p.uv_triangles for p in asset.parts])
        self.vertex = np.zeros(len(asset.uv), np.int32)
        self.vertex[self.uv_triangles.ravel()] = self.triangles.ravel()
        self.base = (
            sample(cast(AnyFloats, _colors(asset)), asset.uv) / np.float32(255)
        ) ** np.float32(2.2)
        for part in asset.parts:
            if part.name == "skin":
                self.base[np.unique(part.uv_triangles)] = _CLAY_LINEAR
        low, high = _extent(asset)
        middle, size = 0.5 * (low + high), high - low
        width, height = (_FINER * side for side in CELL)
        focal = _DISTANCE_M / _MARGIN * min(width / float(size[0]), height / float(size[1]))
        self.camera = Camera(width, height, focal, (width / 2, height / 2))
        distance = np.array([0.0, 0.0, _DISTANCE_M + 0.5 * float(size[2])])
        self.place = rigid(AXES_CAMERA_HEAD, distance - AXES_CAMERA_HEAD @ middle)

    def drawn(self, vertices: AnyFloats, normals: AnyFloats) -> Bytes:
        """(H, W, 3) the size of a cell."""
        n = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        light = _SKY + 0.06 * n[:, 1]
        for direction, bright in _LIGHTS:
            towards = np.array(direction) / np.linalg.norm(direction)
            light += bright * np.maximum(n @ towards + 0.12, 0) / 1.12
        light[n[:, 2] < -0.1] *= 0.3
        color = np.clip(1.5 * self.base * light[self.vertex, None], 0, 1) ** (1 / 2.2)
        seen = rasterize(apply(self.place, vertices), self.triangles, self.camera, back_faces=True)
        picture = np.empty((*seen.covered.shape, 3), np.float32)
        picture[:] = _CELL_BACKGROUND
        picture[seen.covered] = interpolate_covered(seen, self.uv_triangles, 255 * color)
        total = sum(picture[r::_FINER, c::_FINER] for r in range(_FINER) for c in range(_FINER))
        return np.asarray(np.rint(total / np.float32(_FINER**2)), np.uint8)


def _colors(asset: Asset) -> Bytes:
    """(S, S, 3) the albedo, sRGB; grey where there is none."""
    if "albedo" not in asset.textures:
        return np.full((2, 2, 3), 200, np.uint8)
    return np.asarray(asset.textures["albedo"].pixels, np.uint8)


def _extent(asset: Asset) -> tuple[AnyFloats, AnyFloats]:
    """The box (3,), (3,) of all that moves, at rest and in every shape."""
    moved = [asset.vertices]
    for morph in asset.morphs:
        moves = np.abs(morph.deltas).max(1) > _MOVES_M
        if moves.any():
            moved += [asset.vertices[moves], (asset.vertices + morph.deltas)[moves]]
    points = np.concatenate(moved[1:] or moved)
    return points.min(0), points.max(0)
