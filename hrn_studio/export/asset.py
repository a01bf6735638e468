"""A finished head as engines want it: parts, materials, shapes and textures, ready to write.

Convention
----------
Metres, right-handed, +Y up, the face looks along +Z, +X to the subject's left, head pose removed;
the origin lies between the eyes.  ``v`` runs up; writers of formats where it runs down turn it.
Vertices have the same order in ``vertices``, ``captured`` and every morph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from hrn_studio.errors import ExportError
from hrn_studio.export._codes import settled
from hrn_studio.export.neutral import untangled
from hrn_studio.export.rigging import shapes_of
from hrn_studio.export.skeleton import Skeleton, make_skeleton
from hrn_studio.export.surface import surface_textures
from hrn_studio.export.textures import Texture, make_textures
from hrn_studio.face.appearance import MATERIALS, Material, material_of
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.records import AnyFloats, Floats, Ints, Reconstruction, frozen


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A named piece of the head."""

    name: str
    material: str
    triangles: Ints
    """(T, 3) into the asset's vertices, counter-clockwise seen from outside."""
    uv_triangles: Ints
    """(T, 3) into the asset's uv, parallel."""

    def __post_init__(self) -> None:
        for name in ("triangles", "uv_triangles"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int32))


@dataclass(frozen=True, slots=True, eq=False)
class Morph:
    """A shape: what is added to the neutral head at full weight."""

    name: str
    """``jawOpen``, or as the program that reads the file calls it; left and right are the
    subject's."""
    deltas: Floats
    """(V, 3) metres; exactly zero where nothing moves."""
    normal_deltas: Floats
    """(V, 3) change of the unit normals."""
    arkit: str = ""
    """ARKit's name where ``name`` is another program's; given or not, never empty."""

    def __post_init__(self) -> None:
        if not self.arkit:
            object.__setattr__(self, "arkit", self.name)
        for name in ("deltas", "normal_deltas"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Asset:
    """Everything a writer may want."""

    name: str
    """First part of all file names; see :func:`hrn_studio.export.names.file_stem`."""
    vertices: Floats
    """(V, 3) neutral head."""
    normals: Floats
    """(V, 3)"""
    captured: Floats
    """(V, 3) the head with the first picture's expression."""
    captured_normals: Floats
    """(V, 3)"""
    uv: Floats
    """(U, 2)"""
    parts: tuple[Part, ...]
    materials: tuple[Material, ...]
    morphs: tuple[Morph, ...]
    textures: Mapping[str, Texture]
    """By role: ``albedo``, ``normal`` (OpenGL's), ``normal_dx`` where it was asked for,
    ``displacement``, ``confidence``, ``deformation``, ``orm`` (occlusion, roughness, metal),
    ``masks``."""
    skeleton: Skeleton | None = None
    """All joints there are; a writer takes those the options ask for."""
    notice: str = ""
    """Whose work the head model is, for formats that carry a line on rights."""
    texture_names: Mapping[str, str] = field(default_factory=dict)
    """File names by role, of textures that are shared with another asset."""

    def __post_init__(self) -> None:
        for name in ("vertices", "normals", "captured", "captured_normals", "uv"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))

    def texture_file(self, role: str) -> str:
        """``NAME_albedo.png``, or the name it was given."""
        return self.texture_names.get(role, f"{self.name}_{role}.png")


def mesh_name(asset: Asset) -> str:
    """The head's name, unless a joint has it: then ``NAME_mesh``."""
    joints = () if asset.skeleton is None else asset.skeleton.joints
    taken = {joint.name.casefold() for joint in joints}
    return f"{asset.name}_mesh" if asset.name.casefold() in taken else asset.name


_SAME_NORMAL = 1e-3
"""Normals that turn less than this, in radians, stay."""


def make_asset(reconstruction: Reconstruction, head: HeadModel, name: str) -> Asset:
    """The head of a reconstruction, with its shapes and textures; its mouth's lining put right.

    Parameters
    ----------
    head
        The model that was fitted.
    name
        A file stem; see :func:`hrn_studio.export.names.file_stem`.

    Raises
    ------
    ExportError
        The head holds numbers that are not finite.
    """
    fitted, captured = reconstruction.neutral, reconstruction.views[0].vertices
    for vertices in (fitted, captured):
        if not np.isfinite(vertices).all():
            raise ExportError("the fitted head is broken (not a number); fit it again")
    neutral = untangled(head, fitted).astype(np.float32)
    captured = captured + (neutral - fitted)
    reconstruction = replace(reconstruction, neutral=neutral)
    normals = vertex_normals(neutral, head.triangles)
    morphs = _morphs(head, shapes_of(reconstruction, head), neutral, normals)
    opening = next((morph.deltas for morph in morphs if morph.arkit == "jawOpen"), None)
    return Asset(
        name=name,
        vertices=neutral,
        normals=normals,
        captured=captured,
        captured_normals=vertex_normals(captured, head.triangles),
        uv=head.uv,
        parts=_parts(head),
        materials=MATERIALS,
        morphs=morphs,
        textures=make_textures(settled(reconstruction.maps))
        | surface_textures(head, neutral, normals, len(reconstruction.maps.albedo_srgb)),
        skeleton=make_skeleton(head, neutral, opening),
        notice=head.licence,
    )


def _parts(head: HeadModel) -> tuple[Part, ...]:
    result = []
    for name in head.part_names:
        chosen = head.part_triangles(name)
        material = material_of(name).name
        result.append(Part(name, material, head.triangles[chosen], head.uv_triangles[chosen]))
    return tuple(result)


def _morphs(
    head: HeadModel, shapes: Floats, neutral: AnyFloats, normals: Floats
) -> tuple[Morph, ...]:
    result = []
    for name, deltas in zip(head.expression_names, shapes, strict=True):
        turned = vertex_normals(neutral + deltas, head.triangles) - normals
        turned[np.abs(turned).max(1) < _SAME_NORMAL] = 0
        result.append(Morph(name, deltas, turned))
    return tuple(result)
