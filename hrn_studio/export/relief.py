"""Relief that moves between geometry and textures: carving, and normal maps for another surface.

Textures lie over the UV square, so a texel is the same spot of skin on every level of detail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hrn_studio.export.asset import Asset, Morph, Part
from hrn_studio.export.exr import metres
from hrn_studio.export.images import normals_to_8bit, signed_to_16bit
from hrn_studio.export.textures import Texture, resized
from hrn_studio.geometry.mesh import corner_tangents, edges, vertex_normals
from hrn_studio.geometry.raster import Fragments, interpolate_covered
from hrn_studio.geometry.uv import sample, texel_map
from hrn_studio.records import AnyFloats, Bools, Floats, Ints

_SAME_NORMAL = 1e-3


def normals_of(
    vertices: AnyFloats,
    captured: AnyFloats,
    triangles: Ints,
    morphs: tuple[Morph, ...],
    deltas: Sequence[Floats],
) -> dict[str, Any]:
    """The fields of an asset that follow from positions: normals, and shapes with theirs.

    Parameters
    ----------
    vertices, captured
        (V, 3) neutral and captured head.
    morphs
        For the names; what they add is in ``deltas``, (V, 3) each.
    """
    normals = vertex_normals(vertices, triangles)
    made = []
    for morph, moved in zip(morphs, deltas, strict=True):
        turned = vertex_normals(vertices + moved, triangles) - normals
        turned[np.abs(turned).max(1) < _SAME_NORMAL] = 0
        made.append(replace(morph, deltas=moved, normal_deltas=turned))
    return {
        "normals": normals,
        "captured_normals": vertex_normals(captured, triangles),
        "morphs": tuple(made),
    }


def vertex_depth(asset: Asset) -> Floats:
    """(V,) metres of displacement at each vertex, 0 off the skin.

    The map is averaged to about half the distance of neighbouring vertices, since what is finer
    than the triangles cannot be carved and would only roughen them.
    """
    parts = _detailed(asset)
    texture = asset.textures["displacement"]
    side = texture.pixels.shape[0]
    pairs = edges(np.concatenate([part.uv_triangles for part in parts]))
    apart = np.linalg.norm(asset.uv[pairs[:, 0]] - asset.uv[pairs[:, 1]], axis=1)
    wanted = 2.0 / max(float(np.median(apart)), 1e-6)
    while side > wanted and side > 1:
        side //= 2
    coarse = metres(resized(texture, "displacement", side))
    total, count = (np.zeros(len(asset.vertices)) for _ in range(2))
    for part in parts:
        at = np.unique(np.stack([part.triangles.ravel(), part.uv_triangles.ravel()], 1), axis=0)
        np.add.at(total, at[:, 0], sample(coarse[..., None], asset.uv[at[:, 1]])[:, 0])
        np.add.at(count, at[:, 0], 1)
    return np.asarray(total / np.maximum(count, 1), np.float32)


def residual(before: Asset, after: Asset) -> Texture:
    """The displacement map of ``before`` less what is carved into ``after``'s triangles.

    ``after`` must be a subdivision of ``before``, moved by :func:`vertex_depth`.
    """
    texture = before.textures["displacement"]
    parts = _detailed(after)
    triangles = np.concatenate([part.triangles for part in parts])
    fragments = _texels(after, parts, texture.pixels.shape[0])
    # the same textures as before, so the depths are those that were carved
    carvings = vertex_depth(replace(after, textures=before.textures))
    values = metres(texture).copy()
    values[fragments.covered] -= interpolate_covered(fragments, triangles, carvings[:, None])[:, 0]
    return replace(texture, pixels=signed_to_16bit(values, float(texture.coding["scale_m"])))


def rebased_normals(before: Asset, after: Asset) -> Texture:
    """The normal map of ``before`` for the smooth normals and tangents of ``after``.

    Each texel's normal is taken to head space with one surface's frame and back with the other's.
    Texels of neither surface keep their colour.
    """
    texture = before.textures["normal"]
    size = texture.pixels.shape[0]
    frames = []
    both: Bools = np.ones((size, size), bool)
    for asset in (before, after):
        parts = _detailed(asset)
        fragments = _texels(asset, parts, size)
        frames.append((asset, parts, fragments))
        both &= fragments.covered
    codes = np.asarray(texture.pixels[both], np.float32)
    tilted: Floats = codes / np.float32(127.5) - 1
    tilted[np.abs(codes - 127.5).max(1) < 1] = (0, 0, 1)
    x, y, z = _frame(*frames[0], both)
    across, up, out = (tilted[:, k, None] for k in range(3))
    world = _unit(np.asarray(x * across + y * up + z * out, np.float32))
    x, y, z = _frame(*frames[1], both)
    seen = np.stack([np.einsum("ij,ij->i", world, axis) for axis in (x, y, z)], 1)
    seen[:, 2] = np.maximum(seen[:, 2], 0.02)
    pixels = texture.pixels.copy()
    pixels[both] = normals_to_8bit(_unit(seen))
    return replace(texture, pixels=pixels)


def _detailed(asset: Asset) -> list[Part]:
    """The parts that the relief applies to."""
    materials = {material.name for material in asset.materials if material.detailed}
    return [part for part in asset.parts if part.material in materials]


def _texels(asset: Asset, parts: list[Part], size: int) -> Fragments:
    return texel_map(asset.uv, np.concatenate([p.uv_triangles for p in parts]), size)


def _frame(
    asset: Asset, parts: list[Part], fragments: Fragments, at: Bools
) -> tuple[Floats, Floats, Floats]:
    """Tangent, bitangent and normal, (N, 3) each, of the texels ``at``."""
    triangles = np.concatenate([part.triangles for part in parts])
    uv_triangles = np.concatenate([part.uv_triangles for part in parts])
    tangents = corner_tangents(asset.vertices, triangles, asset.uv, uv_triangles, asset.normals)
    chosen = at[fragments.covered]

    def there(corners: Ints, values: AnyFloats) -> Floats:
        return np.asarray(interpolate_covered(fragments, corners, values)[chosen], np.float32)

    normal = _unit(there(triangles, asset.normals))
    tangent = there(uv_triangles, tangents)
    along = tangent[:, :3]
    along = _unit(along - normal * np.einsum("ij,ij->i", along, normal)[:, None])
    side = np.where(tangent[:, 3:] < 0, -1, 1)
    return along, np.asarray(side * np.cross(normal, along), np.float32), normal


def _unit(vectors: AnyFloats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)
