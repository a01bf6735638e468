"""Levels of detail: the head as fitted, a dense one with its relief in the geometry, a light one.

All carry the shapes, the captured expression, texture coordinates and joints; vertices have the
same order in the neutral head and every shape.  The normal map of a level is that of the fitted
head seen from the level's own surface, so that both look alike when lit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from hrn_studio.export.asset import Asset, Part
from hrn_studio.export.contact import unfolded
from hrn_studio.export.relief import normals_of, rebased_normals, residual, vertex_depth
from hrn_studio.export.skeleton import Skeleton
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.geometry.simplify import simplified
from hrn_studio.geometry.subdivide import Subdivision, subdivision
from hrn_studio.records import AnyFloats, Bools, Doubles, Floats, Ints

LIGHT_SHARE = 0.4
"""Triangles of the light head, of the fitted one's."""
DENSE_STEPS = 2
"""Times the skin's triangles are cut into four; once for the other parts."""
_STILL_M = 1e-6
_LIVELY_M = 0.004
_INSIDE = {"teeth": 0.1, "tongue": 0.1}
_TOUCH_M, _PART_M = 0.0013, 0.004


def at_level(asset: Asset, level: str) -> Asset:
    """The asset with another number of vertices.

    Parameters
    ----------
    level
        ``fitted`` gives it back as it is.  ``dense`` (about fifteen times the triangles) is
        subdivided smoothly through the fitted vertices and carved by the displacement map.
        ``light`` (two fifths of the triangles) keeps a subset of the vertices.

    Returns
    -------
    Asset
        Called ``NAME_dense`` or ``NAME_light``; textures that stay the same keep their file names.
    """
    if level == "fitted":
        return asset
    changed = dense(asset) if level == "dense" else light(asset)
    made = {}
    if "normal" in asset.textures:
        made["normal"] = rebased_normals(asset, changed)
    if level == "dense" and "displacement" in asset.textures:
        made["displacement"] = residual(asset, changed)
    kept = {role: asset.texture_file(role) for role in asset.textures if role not in made}
    return replace(
        changed,
        name=f"{asset.name}_{level}",
        textures={**asset.textures, **made},
        texture_names=kept,
    )


def light(asset: Asset, share: float = LIGHT_SHARE) -> Asset:
    """A subset of the vertices, with about ``share`` of the triangles; textures as they were."""
    triangles = np.concatenate([part.triangles for part in asset.parts])
    uv_triangles = np.concatenate([part.uv_triangles for part in asset.parts])
    poses = np.stack([asset.vertices, *(asset.vertices + m.deltas for m in asset.morphs)])
    touching = _touching(poses, _owners(asset))
    coarse, uv_coarse = simplified(
        poses,
        triangles,
        asset.uv,
        uv_triangles,
        round(share * len(triangles)),
        _importance(asset, poses),
        touching,
    )
    kept, corners = np.unique(coarse, return_inverse=True)
    kept_uv, uv_corners = np.unique(uv_coarse, return_inverse=True)
    of_part = _owners(asset)[coarse[:, 0]]
    corners, uv_corners = corners.reshape(-1, 3), uv_corners.reshape(-1, 3)
    parts = tuple(
        replace(part, triangles=corners[of_part == n], uv_triangles=uv_corners[of_part == n])
        for n, part in enumerate(asset.parts)
    )

    def carry(values: AnyFloats) -> Floats:
        return np.asarray(values[kept], np.float32)

    return _rebuilt(asset, parts, asset.uv[kept_uv], carry, carry, held=touching[kept])


def dense(asset: Asset, steps: int = DENSE_STEPS) -> Asset:
    """Finer triangles that pass smoothly through the fitted vertices, carved by the displacement.

    Textures are left as they were.
    """
    parts, uv = asset.parts, asset.uv
    smooth: Any = sparse.identity(len(asset.vertices), format="csr")
    straight = smooth
    for step in range(steps):
        chosen = [step == 0 or part.material == "skin" for part in parts]
        plan = _plan(parts, chosen, smooth.shape[0], len(uv))
        smooth, straight = _interpolating(plan) @ smooth, _straight(plan) @ straight
        parts, uv = _cut(parts, chosen, plan), plan.apply_uv(uv)

    def carry(values: AnyFloats) -> Floats:
        return np.asarray(smooth @ np.asarray(values, np.float64), np.float32)

    def blend(values: AnyFloats) -> Floats:
        return np.asarray(straight @ np.asarray(values, np.float64), np.float32)

    return _rebuilt(asset, parts, uv, carry, blend, carved=True)


def _rebuilt(
    asset: Asset,
    parts: tuple[Part, ...],
    uv: Floats,
    carry: Callable[[AnyFloats], Floats],
    blend: Callable[[AnyFloats], Floats],
    carved: bool = False,
    held: Bools | None = None,
) -> Asset:
    """The asset on other triangles; ``carry`` takes positions over, ``blend`` weights.

    Vertices ``held`` (V,) move with a shape as they did, wherever that folds nothing.
    """
    triangles = np.concatenate([part.triangles for part in parts])
    vertices, captured = carry(asset.vertices), carry(asset.captured)
    if carved and "displacement" in asset.textures:
        depth = vertex_depth(replace(asset, vertices=vertices, parts=parts, uv=uv))[:, None]
        vertices = vertices + vertex_normals(vertices, triangles) * depth
        captured = captured + vertex_normals(captured, triangles) * depth
    deltas = [
        np.asarray(unfolded(vertices, _stilled(carry(morph.deltas)), triangles, held), np.float32)
        for morph in asset.morphs
    ]
    skeleton = asset.skeleton
    if skeleton is not None:
        weights = blend(skeleton.weights)
        skeleton = Skeleton(skeleton.joints, weights / weights.sum(1, keepdims=True))
    return replace(
        asset,
        vertices=vertices,
        captured=captured,
        uv=uv,
        parts=parts,
        skeleton=skeleton,
        **normals_of(vertices, captured, triangles, asset.morphs, deltas),
    )


def _importance(asset: Asset, poses: Floats) -> Doubles:
    """(V,) what moves is looked at; what is inside the mouth hardly is."""
    moves = np.linalg.norm(poses[1:] - poses[0], axis=2).max(0, initial=0)
    result = 1 + 3 * np.clip(moves / _LIVELY_M, 0, 1)
    for part in asset.parts:
        if part.material in _INSIDE:
            result[part.triangles] *= _INSIDE[part.material]
    return np.asarray(result, np.float64)


def _owners(asset: Asset) -> Ints:
    """(V,) number of the part each vertex belongs to."""
    result = np.zeros(len(asset.vertices), np.int32)
    for number, part in enumerate(asset.parts):
        result[part.triangles] = number
    return result


def _touching(poses: Floats, owners: Ints) -> Bools:
    """(V,) vertices that touch others of their part in one pose and part from them in another:
    lids and lips.  Left out, the two sides would no longer fit together."""
    result = np.zeros(poses.shape[1], bool)
    for pose in poses:
        pairs = cKDTree(pose).query_pairs(_TOUCH_M, output_type="ndarray")
        pairs = pairs[owners[pairs[:, 0]] == owners[pairs[:, 1]]]
        apart = np.linalg.norm(poses[:, pairs[:, 0]] - poses[:, pairs[:, 1]], axis=2).max(0)
        result[pairs[apart > _PART_M]] = True
    return result


def _stilled(deltas: Floats) -> Floats:
    return np.where(np.linalg.norm(deltas, axis=1)[:, None] < _STILL_M, 0, deltas)


def _plan(
    parts: tuple[Part, ...], chosen: list[bool], vertex_count: int, uv_count: int
) -> Subdivision:
    fine = [part for part, wanted in zip(parts, chosen, strict=True) if wanted]
    return subdivision(
        np.concatenate([part.triangles for part in fine]),
        vertex_count,
        np.concatenate([part.uv_triangles for part in fine]),
        uv_count,
    )


def _cut(parts: tuple[Part, ...], chosen: list[bool], plan: Subdivision) -> tuple[Part, ...]:
    """Old vertices keep their numbers, so parts that are not cut stay as they are."""
    result, start = [], 0
    for part, wanted in zip(parts, chosen, strict=True):
        if wanted:
            end = start + 4 * len(part.triangles)
            part = replace(
                part,
                triangles=plan.triangles[start:end],
                uv_triangles=plan.uv_triangles[start:end],
            )
            start = end
        result.append(part)
    return tuple(result)


def _straight(plan: Subdivision) -> Any:
    """Sparse (V', V): old vertices stay, new ones lie half-way between two."""
    return _halved(plan.vertex_matrix, plan.triangles)


def _interpolating(plan: Subdivision) -> Any:
    """Sparse (V', V): Loop's scheme, shifted so that old vertices stay where they are.

    Loop's surface shrinks away from the vertices it is made of; what each is off by is given back
    to it, and half of it to the new vertices beside it.
    """
    loop = plan.vertex_matrix
    count = loop.shape[1]
    off = sparse.identity(count, format="csr") - loop[:count]
    return loop + _straight(plan) @ off


def _halved(matrix: Any, triangles: Ints) -> Any:
    """Midpoints for the new vertices of a subdivision, in the order of ``matrix``'s rows."""
    total, count = matrix.shape
    corner = triangles.reshape(-1, 4, 3)  # (a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)
    a, b, c = corner[:, 0, 0], corner[:, 1, 1], corner[:, 2, 2]
    ab, bc, ca = corner[:, 3].T
    new = np.concatenate([ab, bc, ca])
    ends = np.concatenate([np.stack([a, b], 1), np.stack([b, c], 1), np.stack([c, a], 1)])
    _, first = np.unique(new, return_index=True)
    rows = np.repeat(new[first], 2)
    half = sparse.csr_matrix((np.full(len(rows), 0.5), (rows, ends[first].ravel())), (total, count))
    return (half + sparse.eye(total, count, format="csr")).tocsr()
