"""Deformation transfer: what a shape does to one surface, done to another.

Sumner and Popovic 2004, in the form of Botsch et al. 2006 ("Deformation transfer for
detail-preserving surface editing"): a shape turns and stretches each triangle of the source; the
target's triangles are asked for the same, and one sparse solve finds the movement that does it
best.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from hrn_studio.geometry.mesh import cotangent_laplacian, triangle_areas, vertex_areas
from hrn_studio.records import Doubles, Floats, Ints

_SCREEN_M = 0.03
"""Variation slower than this follows the heads' affine map."""


def transferred(shapes: Floats, triangles: Ints, mean: Doubles, person: Doubles) -> Doubles:
    """Movements (E, N, 3) of ``person`` that do what ``shapes`` (E, N, 3) do to ``mean``, (N, 3).

    Slow variation, which the gradients hardly fix, follows the affine map between the two heads.
    """
    count = len(mean)
    inverse = _inverted(_edges(mean, triangles))
    corner = person[triangles]
    area = triangle_areas(person, triangles)
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    # area * gradient of each corner's hat function: half its opposite edge, turned inwards
    opposite = corner[:, [2, 0, 1]] - corner[:, [1, 2, 0]]
    hats = 0.5 * np.cross(normal[:, None], opposite) / (2 * area)[:, None, None]
    pulled = np.einsum("tij,tkj->tki", inverse, hats)
    gather = sparse.csr_matrix(
        (np.ones(triangles.size), (triangles.ravel(), np.arange(triangles.size))),
        (count, triangles.size),
    )
    middle = mean.mean(0)
    affine = np.linalg.lstsq(mean - middle, person - person.mean(0), rcond=None)[0]
    weight = vertex_areas(person, triangles) / _SCREEN_M**2
    right = np.empty((count, len(shapes), 3))
    for number, offsets in enumerate(shapes):
        turned = _edges(mean + offsets, triangles)
        wanted = np.einsum("tij,tkj->tki", turned, pulled) - hats
        right[:, number] = gather @ wanted.reshape(-1, 3) + weight[:, None] * (offsets @ affine)
    system = cotangent_laplacian(person, triangles) + sparse.diags(weight)
    moved = solved(system, right.reshape(count, -1))
    return np.asarray(moved.reshape(count, -1, 3).transpose(1, 0, 2))


def solved(system: Any, right: Doubles) -> Doubles:
    """Solution (N, C) of a symmetric positive definite sparse system.

    Twelve columns at a time: with more, BLAS starts threads for tiny products, and that takes
    fifty times as long.
    """
    factors = splu(
        system.tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    columns = range(0, right.shape[1], 12)
    return np.concatenate(
        [factors.solve(np.ascontiguousarray(right[:, c : c + 12])) for c in columns], 1
    )


def _edges(vertices: Doubles, triangles: Ints) -> Doubles:
    """(T, 3, 3) two edges and the normal, as long as the root of the area, in columns."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.sqrt(np.linalg.norm(normal, axis=1))[:, None]
    return np.stack([b - a, c - a, normal], 2)


def _inverted(matrices: Doubles) -> Doubles:
    """Inverses of (T, 3, 3); a thousand small calls to LAPACK would wait for each other."""
    a, b, c = (matrices[:, :, k] for k in range(3))
    rows = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], 1)
    return np.asarray(rows / np.einsum("ti,ti->t", a, rows[:, 0])[:, None, None])
