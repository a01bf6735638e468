"""What to draw, as plain data.

A :class:`Head` is what stays the same from frame to frame (layout, textures) and is uploaded
once; a :class:`Scene` is one picture of it and is cheap to make.

Convention
----------
Vertices are in the head frame.  The camera is a :class:`~hrn_studio.records.Camera` placed by
``T_camera_head``, so that a render lies exactly on the photograph of that camera.  Lights are
given in view axes: +X right, +Y up, +Z towards the viewer; (0, 0, 1) comes from the camera.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from hrn_studio.face.appearance import material_of
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import corner_tangents, vertex_normals
from hrn_studio.geometry.seams import split_at_seams
from hrn_studio.records import (
    AnyFloats,
    Bytes,
    Camera,
    Doubles,
    Floats,
    Ints,
    Maps,
    frozen,
)

LINE_LINEAR = (0.02, 0.03, 0.04)


class Look(Enum):
    """How a head is drawn."""

    CLAY = "clay"
    TEXTURED = "textured"
    NORMALS = "normals"
    """Normals in view axes as colours."""
    WIREFRAME = "wireframe"
    """Clay with the triangles' edges on it."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Head:
    """What does not change while a head moves; S vertices, cut at the seams."""

    triangles: Ints
    """(T, 3) into the V positions."""
    vertex: Ints
    """(S,) which of the V positions each vertex has."""
    corners: Ints
    """(T, 3) into the S vertices."""
    uv: Floats
    """(S, 2) v up."""
    tangents: Floats
    """(S, 4) along +u, and the sign of the second axis."""
    roughness: Floats
    """(S,)"""
    detailed: Floats
    """(S,) 1 where the normal map applies."""
    albedo_srgb: Bytes
    """(H, W, 3) row 0 at v = 1."""
    normal_map: Bytes
    """(H, W, 3) coded as (n + 1) / 2 * 255; +Y along +v."""

    def __post_init__(self) -> None:
        for names, dtype in (
            (("triangles", "vertex", "corners"), np.int32),
            (("uv", "tangents", "roughness", "detailed"), np.float32),
            (("albedo_srgb", "normal_map"), np.uint8),
        ):
            for name in names:
                _set(self, name, frozen(getattr(self, name), dtype))


@dataclass(frozen=True, slots=True)
class Light:
    """A distant light."""

    direction: tuple[float, float, float]
    """Towards the light, view axes; any length."""
    color_linear: tuple[float, float, float]
    """1 on a white surface that faces it gives white."""


@dataclass(frozen=True, slots=True)
class Lighting:
    """At most three lights, and an even sky.  The first light throws a shadow."""

    lights: tuple[Light, ...]
    sky_linear: tuple[float, float, float]
    ground_linear: tuple[float, float, float]
    shadow: bool = True


STUDIO = Lighting(
    lights=(
        Light((-0.62, 0.58, 0.72), (1.0, 0.96, 0.90)),
        Light((0.9, 0.05, 0.45), (0.15, 0.17, 0.20)),
        Light((0.62, 0.42, -0.8), (0.55, 0.57, 0.60)),
    ),
    sky_linear=(0.24, 0.25, 0.27),
    ground_linear=(0.10, 0.095, 0.09),
)
"""A large soft key from the viewer's upper left, a cool fill, a rim light from behind."""

FLAT = Lighting(
    lights=(Light((-0.3, 0.4, 1.0), (0.45, 0.45, 0.45)),),
    sky_linear=(0.55, 0.55, 0.55),
    ground_linear=(0.45, 0.45, 0.45),
    shadow=False,
)
"""Even light, to see colours rather than form."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One picture: the size is the camera's."""

    head: Head
    vertices: Floats
    """(V, 3) head frame, metres."""
    normals: Floats
    """(V, 3) unit."""
    camera: Camera
    T_camera_head: Doubles
    look: Look = Look.CLAY
    lighting: Lighting = STUDIO
    openness: Floats = field(default_factory=lambda: np.ones(0, np.float32))
    """(V,) share of even light that reaches each vertex; empty for all of it."""
    tint: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    """(V, 4) linear colour laid over each vertex, and how much of it; empty for none."""
    detail: float = 1.0
    """Strength of the normal map."""
    clay_linear: tuple[float, float, float] = (0.42, 0.40, 0.38)
    background_srgb: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    line_linear: tuple[float, float, float] = LINE_LINEAR
    """Colour of the triangles' edges."""

    def __post_init__(self) -> None:
        for name in ("vertices", "normals", "openness", "tint"):
            _set(self, name, frozen(getattr(self, name), np.float32))
        _set(self, "T_camera_head", frozen(self.T_camera_head, np.float64))


def make_head(head: HeadModel, vertices: AnyFloats, maps: Maps | None = None) -> Head:
    """The unchanging part of a head's pictures.

    Parameters
    ----------
    vertices
        (V, 3) the neutral head, for the tangents of the normal map.
    maps
        Colours and normals; grey and smooth when not given.
    """
    triangles, uv_triangles = head.triangles, head.uv_triangles
    split = split_at_seams(triangles, uv_triangles)
    tangents = corner_tangents(vertices, triangles, head.uv, uv_triangles)
    roughness = np.full(head.vertex_count, 0.5, np.float32)
    detailed = np.zeros(head.vertex_count, np.float32)
    for part in head.part_names:
        material, chosen = material_of(part), head.part_vertices(part)
        roughness[chosen], detailed[chosen] = material.roughness, material.detailed
    if maps is None:
        albedo = np.full((1, 1, 3), 200, np.uint8)
        normal_map = np.array([[[128, 128, 255]]], np.uint8)
    else:
        albedo = maps.albedo_srgb
        codes = maps.normal * np.float32(127.5)
        codes += np.float32(127.5)
        normal_map = np.asarray(np.rint(codes, out=codes), np.uint8)
    return Head(
        triangles=triangles,
        vertex=split.vertex,
        corners=split.triangles,
        uv=head.uv[split.uv],
        tangents=tangents[split.uv],
        roughness=roughness[split.vertex],
        detailed=detailed[split.vertex],
        albedo_srgb=albedo,
        normal_map=normal_map,
    )


def scene(
    head: Head, vertices: AnyFloats, camera: Camera, T_camera_head: AnyFloats, **options: Any
) -> Scene:
    """A scene with the vertices' own smooth normals; ``options`` are :class:`Scene`'s fields."""
    normals = vertex_normals(vertices, head.triangles)
    return Scene(head, vertices, normals, camera, T_camera_head, **options)


def _set(record: object, name: str, value: Any) -> None:
    object.__setattr__(record, name, value)
