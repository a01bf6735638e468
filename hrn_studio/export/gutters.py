"""Edges of the texture's islands carried on into the empty space around them.

A program that shows a texture from afar averages its texels; where empty ones are mixed in, seams
appear.  The albedo comes filled from the fit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrn_studio.export.asset import Asset
from hrn_studio.geometry.uv import texel_map
from hrn_studio.records import Bools

_ROLES = ("normal", "displacement", "confidence")
SHARE = 1 / 128
"""Width of what is carried on, of the texture's side: 16 texels of 2048."""


def padded(asset: Asset) -> Asset:
    """The asset with the islands of its data maps carried on."""
    textures = dict(asset.textures)
    shown: dict[int, Bools] = {}
    for role in _ROLES:
        if role not in textures:
            continue
        size = textures[role].pixels.shape[0]
        if size not in shown:
            shown[size] = coverage(asset, size)
        pixels = carried_on(textures[role].pixels, shown[size], max(2, round(SHARE * size)))
        textures[role] = replace(textures[role], pixels=pixels)
    return replace(asset, textures=textures)


def coverage(asset: Asset, size: int) -> Bools:
    """(S, S) texels whose centre lies in a triangle."""
    return texel_map(
        asset.uv, np.concatenate([part.uv_triangles for part in asset.parts]), size
    ).covered


def carried_on(pixels: NDArray[Any], known: Bools, steps: int) -> NDArray[Any]:
    """A picture (S, S, ...) in which texels near known ones have the value of one beside them."""
    result, known = pixels.copy(), known.copy()
    for _ in range(steps):
        before = known.copy()
        for axis in (0, 1):
            for way in (1, -1):
                to = [slice(None), slice(None)]
                to[axis] = slice(1, None) if way == 1 else slice(None, -1)
                beside = [slice(None), slice(None)]
                beside[axis] = slice(None, -1) if way == 1 else slice(1, None)
                here, there = tuple(to), tuple(beside)
                new = before[there] & ~known[here]
                if new.any():
                    result[here][new] = result[there][new]
                    known[here] |= new
    return result
