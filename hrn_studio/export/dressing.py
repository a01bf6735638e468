"""An asset as one program wants it: names of its shapes, size and flavour of its textures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hrn_studio.export.asset import Asset
from hrn_studio.export.options import PARTS, ExportOptions
from hrn_studio.export.skeleton import Skeleton
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


def with_parts(asset: Asset, chosen: Sequence[str]) -> Asset:
    """The asset with the skin and those of its other parts that are chosen.

    Parameters
    ----------
    chosen
        Out of :data:`hrn_studio.export.options.PARTS`.

    Returns
    -------
    Asset
        Only the vertices of what is left, in the order they had; joints and textures stay.
    """
    left_out = set(PARTS).difference(chosen)
    parts = [part for part in asset.parts if part.material not in left_out]
    if len(parts) == len(asset.parts):
        return asset
    kept, corners = np.unique(np.concatenate([p.triangles for p in parts]), return_inverse=True)
    kept_uv, uv_corners = np.unique(
        np.concatenate([p.uv_triangles for p in parts]), return_inverse=True
    )
    ends = np.cumsum([len(part.triangles) for part in parts])[:-1]
    rows = np.split(corners.reshape(-1, 3), ends), np.split(uv_corners.reshape(-1, 3), ends)
    skeleton = asset.skeleton
    return replace(
        asset,
        parts=tuple(
            replace(part, triangles=t, uv_triangles=u)
            for part, t, u in zip(parts, *rows, strict=True)
        ),
        vertices=asset.vertices[kept],
        normals=asset.normals[kept],
        captured=asset.captured[kept],
        captured_normals=asset.captured_normals[kept],
        uv=asset.uv[kept_uv],
        morphs=tuple(
            replace(m, deltas=m.deltas[kept], normal_deltas=m.normal_deltas[kept])
            for m in asset.morphs
        ),
        skeleton=skeleton and Skeleton(skeleton.joints, skeleton.weights[kept]),
    )


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
