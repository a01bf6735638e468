"""glTF 2.0 in one binary file: the neutral head with its shapes and textures.

One mesh with a primitive for each material (skin, eyes, teeth, tongue, which ``extras`` of the
primitives and the materials name), all with the same shapes in the same order: importers make
their own copy of the shapes for each mesh, so that a head of several meshes would open its mouth
three times.  Names of the shapes are in ``mesh.extras.targetNames``, as every importer reads them.
With ``compress`` vertices and shapes are packed by ``EXT_meshopt_compression``, which readers must
know then.  glTF's ``v`` runs down: turned here and nowhere else.  Without a skeleton the file is
skinless, for viewers; units and axes are glTF's own whatever the options say: metres, Y up, the
face along +Z.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hrn_studio import __version__
from hrn_studio.export._glb import Buffer
from hrn_studio.export._gltfmotion import add_animation, add_skin, skin_attributes
from hrn_studio.export.asset import Asset, mesh_name
from hrn_studio.export.images import jpeg
from hrn_studio.export.options import PLAIN, ExportOptions
from hrn_studio.export.skeleton import Skeleton, chosen
from hrn_studio.face.appearance import Material
from hrn_studio.geometry.mesh import corner_tangents
from hrn_studio.geometry.seams import split_at_seams
from hrn_studio.records import Bytes, Floats

_FINE_M, _FINE_TURN, _FINE_UV = -17, -10, -15
"""Powers of two that compressed positions (0.008 mm), directions and texture coordinates are
multiples of."""
_LINEAR, _TRILINEAR, _CLAMP = 9729, 9987, 33071


def write_glb(asset: Asset, options: ExportOptions = PLAIN) -> dict[str, bytes]:
    """``NAME.glb``; the same asset gives the same bytes."""
    buffer = Buffer(options.compress == "meshopt")
    used = {part.material for part in asset.parts}
    materials = [material for material in asset.materials if material.name in used]
    skeleton = None if asset.skeleton is None else chosen(asset.skeleton, options.skeleton)
    primitives = [
        _primitive(buffer, asset, material, number, skeleton)
        for number, material in enumerate(materials)
    ]
    mesh: dict[str, Any] = {"name": asset.name, "primitives": primitives}
    if asset.morphs:
        mesh["weights"] = [0.0] * len(asset.morphs)
        mesh["extras"] = {"targetNames": [morph.name for morph in asset.morphs]}
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": f"HRN Studio {__version__}"},
        "scene": 0,
        "scenes": [{"name": asset.name, "nodes": [0]}],
        "nodes": [{"name": mesh_name(asset), "mesh": 0}],
        "meshes": [mesh],
        "materials": [_material(asset, material) for material in materials],
    }
    if asset.notice:
        document["asset"]["copyright"] = asset.notice
    if skeleton is not None:
        add_skin(buffer, document, skeleton)
    if options.animation is not None:
        add_animation(buffer, document, asset, options.animation)
    roles = _roles(asset)
    if roles:
        document["images"] = [_image(buffer, asset, role) for role in roles]
        document["samplers"] = [
            {"magFilter": _LINEAR, "minFilter": _TRILINEAR, "wrapS": _CLAMP, "wrapT": _CLAMP}
        ]
        document["textures"] = [{"sampler": 0, "source": n} for n in range(len(roles))]
    return {f"{asset.name}.glb": buffer.glb(document)}


def _primitive(
    buffer: Buffer, asset: Asset, material: Material, number: int, skeleton: Skeleton | None
) -> dict[str, Any]:
    parts = [part for part in asset.parts if part.material == material.name]
    triangles = np.concatenate([part.triangles for part in parts])
    uv_triangles = np.concatenate([part.uv_triangles for part in parts])
    split = split_at_seams(triangles, uv_triangles)
    attributes = {
        "POSITION": buffer.vertices(asset.vertices[split.vertex], True, _FINE_M),
        "NORMAL": buffer.vertices(asset.normals[split.vertex], exponent=_FINE_TURN),
        "TEXCOORD_0": buffer.vertices(_v_down(asset.uv[split.uv]), exponent=_FINE_UV),
    }
    if _shows_detail(asset, material):
        tangents = corner_tangents(asset.vertices, triangles, asset.uv, uv_triangles, asset.normals)
        attributes["TANGENT"] = buffer.vertices(tangents[split.uv], exponent=_FINE_TURN)
    if skeleton is not None:
        attributes |= skin_attributes(buffer, skeleton, split.vertex)
    primitive: dict[str, Any] = {
        "attributes": attributes,
        "indices": buffer.indices(split.triangles, len(split.vertex)),
        "material": number,
        "extras": {"parts": [part.name for part in parts]},
    }
    if asset.morphs:
        moves = buffer.deltas([m.deltas[split.vertex] for m in asset.morphs], True, _FINE_M)
        turned = [m.normal_deltas[split.vertex] for m in asset.morphs]
        turns = buffer.deltas(turned, False, _FINE_TURN)
        primitive["targets"] = [
            {"POSITION": move, "NORMAL": turn} for move, turn in zip(moves, turns, strict=True)
        ]
    return primitive


def _v_down(uv: Floats) -> Floats:
    return np.stack([uv[:, 0], 1.0 - uv[:, 1]], 1)


def _material(asset: Asset, material: Material) -> dict[str, Any]:
    surface: dict[str, Any] = {
        "baseColorFactor": [*material.color_linear, 1.0],
        "metallicFactor": 0.0,
        "roughnessFactor": material.roughness,
    }
    roles = _roles(asset)
    if material.textured and "albedo" in roles:
        surface["baseColorTexture"] = {"index": roles.index("albedo")}
    result: dict[str, Any] = {"name": material.name, "pbrMetallicRoughness": surface}
    if "orm" in roles:
        packed = {"index": roles.index("orm")}
        surface["roughnessFactor"] = 1.0
        surface["metallicRoughnessTexture"] = packed
        result["occlusionTexture"] = packed
    if _shows_detail(asset, material):
        result["normalTexture"] = {"index": roles.index("normal"), "scale": 1.0}
    return result


def _shows_detail(asset: Asset, material: Material) -> bool:
    return material.detailed and "normal" in asset.textures


def _roles(asset: Asset) -> list[str]:
    """The textures inside the file; displacement has no place in core glTF."""
    needed = {
        "albedo": any(material.textured for material in asset.materials),
        "normal": any(material.detailed for material in asset.materials),
        "orm": True,
    }
    return [role for role, use in needed.items() if use and role in asset.textures]


def _image(buffer: Buffer, asset: Asset, role: str) -> dict[str, Any]:
    """Colours as JPEG, which keeps the file small; data as PNG, which keeps every value."""
    texture = asset.textures[role]
    if role == "albedo":
        pixels: Bytes = texture.pixels
        return {
            "name": f"{asset.name}_{role}",
            "mimeType": "image/jpeg",
            "bufferView": buffer.view(jpeg(pixels)),
        }
    return {
        "name": f"{asset.name}_{role}",
        "mimeType": "image/png",
        "bufferView": buffer.view(texture.png),
    }
