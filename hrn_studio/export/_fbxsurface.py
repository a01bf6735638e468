"""Materials and textures of an FBX file."""

from __future__ import annotations

import numpy as np

from hrn_studio.export._fbxscene import Scene
from hrn_studio.export._fbxtree import Node, properties, put
from hrn_studio.export.asset import Asset
from hrn_studio.export.options import ExportOptions
from hrn_studio.face.appearance import Material


def add_materials(
    scene: Scene, mesh: np.int64, asset: Asset, materials: list[Material], options: ExportOptions
) -> dict[str, bytes]:
    """Materials in the order of the mesh's slots, with their textures; the textures' files."""
    flavour = "normal_dx" if options.normal == "dx" else "normal"
    textures: dict[str, np.int64] = {}
    files: dict[str, bytes] = {}
    for material in materials:
        number = _material(scene, material)
        scene.link(number, mesh)
        for role, slot, wanted in (
            ("albedo", "DiffuseColor", material.textured),
            (flavour, "NormalMap", material.detailed),
        ):
            if not wanted or role not in asset.textures:
                continue
            if role not in textures:
                textures[role] = _texture(scene, asset, role, options.embed)
                files[asset.texture_file(role)] = asset.textures[role].png
            scene.link(textures[role], number, slot)
    return files


def _material(scene: Scene, material: Material) -> np.int64:
    node, number = scene.object("Material", material.name, "Material", "")
    node.add("Version", 102)
    node.add("ShadingModel", "phong")
    node.add("MultiLayer", 0)
    table = properties(node)
    color = [_srgb(channel) for channel in material.color_linear]
    gloss = 1.0 - material.roughness
    put(table, "DiffuseColor", "Color", "", "A", *color)
    put(table, "Diffuse", "Vector3D", "Vector", "", *color)
    put(table, "DiffuseFactor", "Number", "", "A", 1.0)
    put(table, "AmbientColor", "Color", "", "A", 0.0, 0.0, 0.0)
    put(table, "EmissiveColor", "Color", "", "A", 0.0, 0.0, 0.0)
    put(table, "EmissiveFactor", "Number", "", "A", 0.0)
    put(table, "SpecularColor", "Color", "", "A", 1.0, 1.0, 1.0)
    put(table, "SpecularFactor", "Number", "", "A", 0.25)
    # What most programs turn into roughness = 1 - sqrt(exponent) / 10.
    put(table, "Shininess", "double", "Number", "", 100.0 * gloss**2)
    put(table, "ShininessExponent", "Number", "", "A", 100.0 * gloss**2)
    put(table, "ReflectionFactor", "Number", "", "A", 0.0)
    put(table, "TransparencyFactor", "Number", "", "A", 0.0)
    put(table, "Opacity", "double", "Number", "", 1.0)
    return number


def _texture(scene: Scene, asset: Asset, role: str, embed: bool) -> np.int64:
    """A texture and its picture, named relative to the FBX file."""
    file = asset.texture_file(role)
    name = f"{asset.name}_{role}"
    node, number = scene.object("Texture", name, "Texture", "")
    node.add("Type", "TextureVideoClip")
    node.add("Version", 202)
    node.add("TextureName", f"{name}\0\1Texture")
    node.add("Media", f"{name}\0\1Video")
    table = properties(node)
    put(table, "UVSet", "KString", "", "", "UVMap")
    put(table, "UseMaterial", "bool", "", "", 1)
    for wrap in ("WrapModeU", "WrapModeV"):
        put(table, wrap, "enum", "", "", 1)
    _files(node, file)
    node.add("ModelUVTranslation", 0.0, 0.0)
    node.add("ModelUVScaling", 1.0, 1.0)
    node.add("Texture_Alpha_Source", "None")
    node.add("Cropping", 0, 0, 0, 0)

    clip, video = scene.object("Video", name, "Video", "Clip")
    clip.add("Type", "Clip")
    put(properties(clip), "Path", "KString", "XRefUrl", "", file)
    clip.add("UseMipMap", 0)
    clip.add("Filename", file)
    clip.add("RelativeFilename", file)
    if embed:
        clip.add("Content", asset.textures[role].png)
    scene.link(video, number)
    return number


def _files(node: Node, file: str) -> None:
    node.add("FileName", file)
    node.add("RelativeFilename", file)


def _srgb(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
