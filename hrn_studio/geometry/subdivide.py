"""Finer meshes: every triangle becomes four, by the midpoint or the Loop scheme.

The result is a pair of sparse matrices, so that one subdivision serves the vertices, all morph
targets, masks and texture coordinates alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from hrn_studio.geometry.mesh import boundary_edges
from hrn_studio.records import AnyFloats, Floats, Ints, Mesh


@dataclass(frozen=True, slots=True, eq=False)
class Subdivision:
    """How a finer mesh follows from a coarse one; old vertices keep their numbers."""

    vertex_matrix: Any
    """Sparse (V', V)."""
    uv_matrix: Any
    """Sparse (U', U), always midpoints."""
    triangles: Ints
    """(4 T, 3); those of old triangle t are 4 t ... 4 t + 3."""
    uv_triangles: Ints
    """(4 T, 3)"""

    def apply(self, values: AnyFloats) -> Floats:
        """Values (..., V, C) at the finer mesh's vertices, (..., V', C)."""
        last = values.shape[-1]
        flat = np.moveaxis(values, -2, 0).reshape(values.shape[-2], -1)
        result = (self.vertex_matrix @ flat).astype(np.float32)
        shape = (len(result), *values.shape[:-2], last)
        return np.ascontiguousarray(np.moveaxis(result.reshape(shape), 0, -2))

    def apply_uv(self, uv: AnyFloats) -> Floats:
        """Texture vertices (U', 2) for (U, 2)."""
        return np.asarray(self.uv_matrix @ uv, np.float32)


def subdivide(mesh: Mesh, scheme: str = "loop") -> Mesh:
    """A mesh with four times the triangles; ``scheme`` is ``loop`` or ``midpoint``."""
    plan = subdivision(mesh.triangles, len(mesh.vertices), mesh.uv_triangles, len(mesh.uv), scheme)
    return Mesh(
        plan.apply(mesh.vertices), plan.triangles, plan.apply_uv(mesh.uv), plan.uv_triangles
    )


def subdivision(
    triangles: Ints,
    vertex_count: int,
    uv_triangles: Ints,
    uv_count: int,
    scheme: str = "loop",
) -> Subdivision:
    """Prepare a subdivision for a mesh's connectivity.

    ``loop`` smooths towards the Loop surface (Warren's weights, boundary as a cubic spline);
    ``midpoint`` keeps the shape exactly.
    """
    if scheme not in ("loop", "midpoint"):
        raise ValueError(f"no subdivision scheme '{scheme}'; there are loop and midpoint")
    pairs, edge, fine = _split(triangles, vertex_count)
    uv_pairs, _, uv_fine = _split(uv_triangles, uv_count)
    if scheme == "loop":
        matrix = _loop(triangles, pairs, edge, vertex_count)
    else:
        matrix = _midpoints(pairs, vertex_count)
    return Subdivision(matrix, _midpoints(uv_pairs, uv_count), fine, uv_fine)


def _split(triangles: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    """Edges (E, 2), the edge of each side ab, bc, ca (3 T,), and the finer triangles (4 T, 3).

    Edge e gets the new vertex ``count + e``.
    """
    corners = np.sort(
        np.stack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]], 1), axis=2
    )
    low, high = corners.reshape(-1, 2).astype(np.int64).T
    keys, index = np.unique(low * count + high, return_inverse=True)
    pairs = np.stack([keys // count, keys % count], 1)
    ab, bc, ca = (index.reshape(-1, 3) + count).T
    a, b, c = triangles.T
    fine = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], 1)
    return pairs.astype(np.int32), index.reshape(-1), fine.reshape(-1, 3).astype(np.int32)


def _midpoints(pairs: Ints, count: int) -> Any:
    rows = np.repeat(np.arange(len(pairs)), 2)
    half = sparse.csr_matrix((np.full(len(rows), 0.5), (rows, pairs.ravel())), (len(pairs), count))
    return sparse.vstack([sparse.identity(count), half]).tocsr()


def _loop(triangles: Ints, pairs: Ints, edge: Ints, count: int) -> Any:
    """``edge`` (3 T,): the edge of each triangle's sides ab, bc, ca."""
    border = np.sort(boundary_edges(triangles), axis=1)
    on_border = np.isin(
        pairs[:, 0].astype(np.int64) * count + pairs[:, 1],
        border[:, 0].astype(np.int64) * count + border[:, 1],
    )
    # New vertices: 3/8 of the edge's ends and 1/8 of the two opposite corners.
    opposite = triangles[:, [2, 0, 1]].ravel()
    inner = ~on_border[edge]
    weight = np.where(on_border, 0.5, 0.375)
    rows = np.concatenate([np.arange(len(pairs)), np.arange(len(pairs)), edge[inner]])
    columns = np.concatenate([pairs[:, 0], pairs[:, 1], opposite[inner]])
    values = np.concatenate([weight, weight, np.full(int(inner.sum()), 0.125)])
    odd = sparse.csr_matrix((values, (rows, columns)), (len(pairs), count))

    # Old vertices: pulled towards their neighbours; on the border only along it.
    border_vertices = np.unique(border)
    is_border = np.zeros(count, bool)
    is_border[border_vertices] = True
    both = np.concatenate([pairs, pairs[:, ::-1]])
    flags = np.concatenate([on_border, on_border])
    keep = np.where(is_border[both[:, 0]], flags, True)
    both = both[keep]
    degree = np.bincount(both[:, 0], minlength=count)
    pull = np.where(degree == 3, 3 / 16, 3 / (8 * np.maximum(degree, 1)))
    pull = np.where(is_border, np.where(degree == 2, 1 / 8, 0.0), pull)
    pull = np.where(degree == 0, 0.0, pull)
    near = sparse.csr_matrix((pull[both[:, 0]], (both[:, 0], both[:, 1])), (count, count))
    even = sparse.diags(1 - pull * degree) + near
    return sparse.vstack([even, odd]).tocsr()
