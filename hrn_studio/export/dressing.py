"""An asset as one program wants it: names of its shapes, size and flavour of its textures."""

from __future__ import annotations

from dataclasses import replace

from hrn_studio.export.asset import Asset
from hrn_studio.export.options import ExportOptions
from hrn_studio.export.textures import Texture, dx_normals, resized

_UNSIDED = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
"""Directions, not sides: they have no counterpart on the other half of the face."""


def dressed(asset: Asset, options: ExportOptions) -> Asset:
    """The asset with what the options ask of every format already done.

    Its normal map stays OpenGL's under ``normal``; for DirectX there is ``normal_dx`` beside it.
    """
    textures: dict[str, Texture] = {}
    for role, texture in asset.textures.items():
        size = options.texture_px
        if role == "deformation":
            size = None
        elif role in ("orm", "masks") and size is not None:
            size = min(size, texture.pixels.shape[0])  # smooth already; more shows no more
        textures[role] = texture if size is None else resized(texture, role, size)
    if options.normal == "dx" and "normal" in textures:
        textures["normal_dx"] = dx_normals(textures["normal"])
    morphs = tuple(
        replace(morph, name=shape_name(morph.arkit, options.naming))
        for morph in (asset.morphs if options.shapes else ())
    )
    return replace(asset, morphs=morphs, textures=textures)


def shape_name(arkit: str, naming: str) -> str:
    """``eyeBlinkLeft`` as ``eyeBlinkLeft`` (arkit), ``EyeBlinkLeft`` (unreal) or ``eyeBlink_L``
    (sides).

    ``jawLeft`` and the like say where something moves, not on which side of the face it is; they
    keep their names under ``sides``, as they do in other programs.
    """
    if naming == "unreal":
        return arkit[:1].upper() + arkit[1:]
    if naming == "sides" and arkit not in _UNSIDED:
        for side in ("Left", "Right"):
            if arkit.endswith(side):
                return f"{arkit.removesuffix(side)}_{side[0]}"
    return arkit
