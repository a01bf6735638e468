"""How large an export will be, told before it is made and without making it.

Textures are told from bands that are compressed like the whole, geometry from the number of
triangles, and shapes from the number of vertices that they move.  The bytes for each triangle and
each moved vertex are measured ones, of heads that were exported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hrn_studio import paths
from hrn_studio.export.images import (
    jpeg,
    normals_to_8bit,
    png,
    signed_scale,
    signed_to_16bit,
    unit_to_8bit,
)
from hrn_studio.export.levels import LIGHT_SHARE
from hrn_studio.export.names import file_stem
from hrn_studio.export.options import ExportOptions
from hrn_studio.export.surface import LARGEST_PX
from hrn_studio.face.appearance import material_of
from hrn_studio.face.model import HeadModel
from hrn_studio.records import Reconstruction

_BANDS, _BAND_SHARE = 8, 1 / 8
"""So many bands across a texture are compressed, this share of it together."""
_STILL_M = 1e-6
_SHEET_CELL = 29_000
_JSON = 500
"""Bytes that describe one shape in a GLB."""
_SPREADS = 1.08
"""Vertices a person's shapes move, for each that the model's move: skin makes room."""
_TURNS = 1.06
"""Normals that turn, for each vertex that moves."""
_SPLIT = 1.05
"""Vertices of a GLB for each of the head: it has one more at each seam of the texture."""
_EXR = 2.7
"""32-bit EXR against 16-bit PNG."""
_NORMAL_OF_LEVEL = 2.3
"""The normal map of another level of detail holds what its geometry lacks."""
_WALL = 5_500_000
"""An STL with a wall: its triangles follow from the size of a head."""
_PACKED = (19.0, 4.6, 1.1)
"""Bytes of a vertex, a moved vertex of a shape, and an index, compressed."""
_BYTES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "fbx": (35.0, 29.0),
        "usd": (22.8, 27.0),
        "obj": (88.0, 0.0),
        "ply": (26.6, 0.0),
        "stl": (33.5, 0.0),
    }
)
"""For each triangle and for each moved vertex of a shape."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """Of one level of detail, with the parts that are written."""

    triangles: float
    moved: float
    """Vertices moved, of all shapes together."""
    shapes: int


def estimate_sizes(
    reconstruction: Reconstruction,
    head: HeadModel,
    name: str,
    formats: Sequence[str],
    options: ExportOptions,
) -> dict[str, int]:
    """Bytes of each file that an export would write, to about a fifth; a tenth of a second.

    Parameters
    ----------
    reconstruction, head
        What would be exported, and the model it was fitted with.
    name
        What the files would be called.
    formats
        Names from :data:`hrn_studio.export.formats.FORMATS`.

    Returns
    -------
    dict
        By file name, in the order of writing; with ``shapes.png``, but without what is only a few
        kilobytes (``README.txt``, ``manifest.json``, samples) and a recording beside it.
    """
    stem = file_stem(name)
    pictures = _pictures(reconstruction, head, options)
    files: dict[str, int] = {}
    for level in options.levels:
        counts = _counts(head, level, options)
        called = stem if level == "fitted" else f"{stem}_{level}"
        own = dict.fromkeys(pictures, stem) | dict.fromkeys(_own(level), called)
        shown = {
            role: round(size * (_NORMAL_OF_LEVEL if own[role] != stem and _is_normal(role) else 1))
            for role, size in pictures.items()
        }
        named = {role: f"{own[role]}_{role}.png" for role in shown}
        for one in formats:
            for file, size in _sizes(one, called, counts, shown, options).items():
                files[named.get(file, file)] = round(size)
    files["shapes.png"] = _SHEET_CELL * (1 + head.expression_count)
    return files


def _own(level: str) -> tuple[str, ...]:
    """Roles of textures that a level of detail does not share with the fitted head."""
    return {
        "fitted": (),
        "light": ("normal", "normal_dx"),
        "dense": ("normal", "normal_dx", "displacement"),
    }[level]


def _is_normal(role: str) -> bool:
    return role.startswith("normal")


def _sizes(
    one: str, name: str, counts: _Counts, pictures: Mapping[str, int], options: ExportOptions
) -> dict[str, float]:
    """Files of one format: by their name, textures beside it by their role."""
    roles = ("albedo", "normal_dx" if options.normal == "dx" else "normal")
    beside = {role: float(pictures[role]) for role in roles}
    if one == "maps":
        return {role: float(size) for role, size in pictures.items() if role != "jpeg"}
    if one in ("glb", "html"):
        plain = _glb(counts, pictures, options if one == "glb" else ExportOptions())
        if one == "glb":
            return {f"{name}.glb": plain}
        viewer = (paths.resources() / "web" / "viewer.js").stat().st_size
        return {f"{name}.html": viewer + 4 / 3 * plain}
    if one == "exr":
        roles = ("displacement", "deformation")
        return {f"{name}_{role}.exr": _EXR * pictures[role] for role in roles}
    if one == "stl" and options.wall_m:
        return {f"{name}.stl": _WALL}
    of_triangle, of_row = _BYTES["usd" if one == "usdz" else one]
    size = of_triangle * counts.triangles + of_row * counts.moved
    if one in ("obj", "ply"):
        pair = {f"{name}_neutral.{one}": size}
        if one == "ply" or options.shapes:
            pair[f"{name}.{one}"] = size
        return pair if one == "ply" else pair | _material(name) | _gl(pictures)
    if one == "fbx":
        inside = sum(beside.values()) if options.embed else 0.0
        return {f"{name}.fbx": size + inside + _played(counts, options, 12)} | beside
    if one == "usd":
        return {f"{name}.usdc": size} | _gl(pictures)
    return {f"{name}.{one}": size + (sum(_gl(pictures).values()) if one == "usdz" else 0)}


def _material(name: str) -> dict[str, float]:
    return {f"{name}.mtl": 550.0}


def _gl(pictures: Mapping[str, int]) -> dict[str, float]:
    return {role: float(pictures[role]) for role in ("albedo", "normal")}


def _glb(counts: _Counts, pictures: Mapping[str, int], options: ExportOptions) -> float:
    vertices = 0.53 * counts.triangles
    index: float = 2 if _SPLIT * vertices <= 65535 else 4
    row: float = 12 + index
    vertex: float = 12 + 12 + 8 + 16 + (0 if options.skeleton == "none" else 20)
    if options.compress == "meshopt":
        vertex, row, index = _PACKED
    rows = _SPLIT * (1 + _TURNS) * counts.moved
    return (
        vertex * vertices
        + 3 * index * counts.triangles
        + row * rows
        + _JSON * counts.shapes
        + sum(pictures[role] for role in ("jpeg", "normal", "orm"))
        + _played(counts, options, 4)
    )


def _played(counts: _Counts, options: ExportOptions, each: int) -> float:
    """Bytes of a recording, ``each`` for one number."""
    if options.animation is None:
        return 0.0
    return each * len(options.animation.times_s) * (counts.shapes + 5)


def _counts(head: HeadModel, level: str, options: ExportOptions) -> _Counts:
    moves = np.abs(head.expression).max(2) > _STILL_M
    triangles = moved = 0.0
    for part in head.part_names:
        material = material_of(part).name
        if material != "skin" and material not in options.parts:
            continue
        finer = {"fitted": 1.0, "light": LIGHT_SHARE, "dense": 16.0 if material == "skin" else 4.0}
        triangles += finer[level] * len(head.part_triangles(part))
        moved += finer[level] * int(moves[:, head.part_vertices(part)].sum())
    if not options.shapes:
        return _Counts(triangles, 0.0, 0)
    return _Counts(triangles, _SPREADS * moved, head.expression_count)


def _pictures(
    reconstruction: Reconstruction, head: HeadModel, options: ExportOptions
) -> dict[str, int]:
    """Bytes of each texture as PNG, by role; ``jpeg`` is the albedo as JPEG."""
    maps = reconstruction.maps
    size = options.texture_px or len(maps.albedo_srgb)
    albedo = _bands(maps.albedo_srgb, size)
    normal = _whole(png(normals_to_8bit(_bands(maps.normal, size))))
    small = min(options.texture_px or LARGEST_PX, LARGEST_PX, len(maps.albedo_srgb))
    result = {
        "albedo": _whole(png(albedo, srgb=True)),
        "normal": normal,
        "displacement": _lengths(maps.displacement, size),
        "confidence": _whole(png(unit_to_8bit(_bands(maps.confidence, size)))),
        "deformation": _lengths(maps.deformation, len(maps.deformation)),
        "orm": round(0.31 * small**2),
        "masks": round(0.032 * small**2),
        "jpeg": _whole(jpeg(albedo)),
    }
    return result | ({"normal_dx": normal} if options.normal == "dx" else {})


def _lengths(values: NDArray[Any], size: int) -> int:
    return _whole(png(signed_to_16bit(_bands(values, size), signed_scale(values))))


def _whole(data: bytes) -> int:
    return round(len(data) / _BAND_SHARE)


def _bands(pixels: NDArray[Any], size: int) -> NDArray[Any]:
    """Rows of a map (S, S, ...) at a side of ``size``: evenly spread bands, one on the other."""
    side = len(pixels)
    count = min(_BANDS, side)
    high = max(1, round(_BAND_SHARE * side / count))
    starts = np.linspace(0, side - high, count).round().astype(int)
    rows = np.asarray(pixels[(starts[:, None] + np.arange(high)).ravel()])
    if side == size:
        return rows
    wanted = (size, max(1, round(_BAND_SHARE * size)))
    method = Image.Resampling.BOX if size < side else Image.Resampling.BICUBIC
    planes = rows.reshape(*rows.shape[:2], -1).astype(np.float32)
    scaled = np.stack(
        [
            np.asarray(Image.fromarray(planes[..., k]).resize(wanted, method))
            for k in range(planes.shape[2])
        ],
        -1,
    ).reshape(wanted[1], size, *rows.shape[2:])
    if rows.dtype.kind == "u":
        scaled = np.clip(np.rint(scaled), 0, 255).astype(rows.dtype)
    return np.asarray(scaled)
