"""Triangle meshes as arrays: normals, edges, Laplacians, tangent frames.

Vertices are (V, 3) in any unit, triangles (T, 3) into them, counter-clockwise seen from outside.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from hrn_studio.records import AnyFloats, Doubles, Floats, Ints


def _sum_at(index: Ints, values: AnyFloats, count: int) -> Doubles:
    """(count, 3) sums of the rows of ``values`` (N, 3) by index (N,)."""
    return np.stack([np.bincount(index, values[:, k], count) for k in range(3)], 1)


def _unit(vectors: AnyFloats) -> Doubles:
    """Vectors of length one along the last axis; zero stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length == 0, 1, length), np.float64)


def _flat(vectors: AnyFloats, normals: AnyFloats) -> Doubles:
    """Vectors (N, 3) without what lies along unit normals (N, 3)."""
    along = np.einsum("ij,ij->i", vectors, normals)
    return np.asarray(vectors - along[:, None] * normals, np.float64)


def area_vectors(vertices: AnyFloats, triangles: Ints) -> AnyFloats:
    """(T, 3) outward normals as long as twice the area of each triangle."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    u, v = b - a, c - a
    result: AnyFloats = np.empty_like(u)
    result[:, 0] = u[:, 1] * v[:, 2] - u[:, 2] * v[:, 1]
    result[:, 1] = u[:, 2] * v[:, 0] - u[:, 0] * v[:, 2]
    result[:, 2] = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return result


def triangle_normals(vertices: AnyFloats, triangles: Ints) -> Floats:
    """(T, 3) unit normals; zero where a triangle has no area."""
    return _unit(area_vectors(vertices, triangles)).astype(np.float32)


def triangle_areas(vertices: AnyFloats, triangles: Ints) -> Doubles:
    """(T,) in the unit of ``vertices``, squared."""
    return np.asarray(0.5 * np.linalg.norm(area_vectors(vertices, triangles), axis=1), np.float64)


def vertex_normals(vertices: AnyFloats, triangles: Ints) -> Floats:
    """(V, 3) unit normals, the triangles around a vertex weighted by area.

    A vertex without triangles gets zero.  About a millisecond for 10 000 triangles.
    """
    normals = area_vectors(vertices, triangles)
    total = np.zeros((len(vertices), 3))
    for k in range(3):
        total += _sum_at(triangles[:, k], normals, len(vertices))
    return np.asarray(_unit(total), np.float32)


def vertex_areas(vertices: AnyFloats, triangles: Ints) -> Doubles:
    """(V,) a third of the area around each vertex: the lumped mass matrix's diagonal."""
    third = np.repeat(triangle_areas(vertices, triangles) / 3, 3)
    return np.asarray(np.bincount(triangles.ravel(), third, len(vertices)), np.float64)


def edges(triangles: Ints) -> Ints:
    """(E, 2) each edge once, the lower vertex first, in ascending order."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    stride = int(pairs.max(initial=0)) + 1
    found = np.unique(pairs.min(1).astype(np.int64) * stride + pairs.max(1))
    return np.asarray(np.stack([found // stride, found % stride], 1), np.int32)


def boundary_edges(triangles: Ints) -> Ints:
    """(B, 2) edges that belong to one triangle only, directed as in that triangle."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    low, high = pairs.min(1).astype(np.int64), pairs.max(1)
    key = low * (int(pairs.max(initial=0)) + 1) + high
    _, index, counts = np.unique(key, return_index=True, return_counts=True)
    return np.asarray(pairs[np.sort(index[counts == 1])], np.int32)


def adjacency(triangles: Ints, count: int) -> Any:
    """Symmetric (V, V) sparse matrix (CSR) with 1 where two vertices share an edge."""
    pairs = edges(triangles)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    return sparse.csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), (count, count))


def triangle_neighbours(triangles: Ints) -> Ints:
    """(T, 3) the triangle across the edge from corner k to k + 1; -1 on the boundary."""
    count = len(triangles)
    pairs = np.stack([triangles, np.roll(triangles, -1, axis=1)], 2).reshape(-1, 2)
    low, high = pairs.min(1).astype(np.int64), pairs.max(1).astype(np.int64)
    key = low * (int(triangles.max(initial=0)) + 1) + high
    order = np.argsort(key, kind="stable")
    same = key[order[:-1]] == key[order[1:]]
    result = np.full(3 * count, -1, np.int32)
    a, b = order[:-1][same], order[1:][same]
    result[a], result[b] = b // 3, a // 3
    return result.reshape(count, 3)


def uniform_laplacian(triangles: Ints, count: int) -> Any:
    """Sparse (V, V) graph Laplacian: degree minus adjacency, positive semi-definite."""
    near = adjacency(triangles, count)
    return (sparse.diags(np.asarray(near.sum(1)).ravel()) - near).tocsr()


def cotangent_laplacian(vertices: AnyFloats, triangles: Ints) -> Any:
    """Sparse (V, V) stiffness matrix of the surface, positive semi-definite for good triangles.

    ``x @ L @ x`` is the Dirichlet energy of a function given at the vertices.  Divide by
    :func:`vertex_areas` for the Laplace-Beltrami operator.
    """
    count = len(vertices)
    rows, columns, values = [], [], []
    for k in range(3):
        i, j, at = triangles[:, (k + 1) % 3], triangles[:, (k + 2) % 3], triangles[:, k]
        u = np.asarray(vertices[i] - vertices[at], np.float64)
        v = np.asarray(vertices[j] - vertices[at], np.float64)
        sine = np.maximum(np.linalg.norm(np.cross(u, v), axis=1), 1e-30)
        half = 0.5 * np.einsum("ij,ij->i", u, v) / sine
        rows += [i, j, i, j]
        columns += [j, i, i, j]
        values += [-half, -half, half, half]
    return sparse.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (count, count)
    )


def corner_tangents(
    vertices: AnyFloats,
    triangles: Ints,
    uv: AnyFloats,
    uv_triangles: Ints,
    normals: AnyFloats | None = None,
) -> Floats:
    """Tangent frames for normal maps at every texture vertex, those of MikkTSpace.

    Unreal, Unity and Blender make the same ones (Mikkelsen 2008, "Simulation of wrinkled surfaces
    revisited", as in his mikktspace.c): each triangle's direction of +u is laid into the plane of
    the vertex's normal, and the triangles around count by their angle in that plane.

    Parameters
    ----------
    normals
        (V, 3) unit vertex normals; :func:`vertex_normals` when not given.

    Returns
    -------
    (U, 4) unit tangent along +u, at a right angle to the normal, and the sign s with
    ``bitangent = s * cross(normal, tangent)`` along +v (as in glTF).  Every texture vertex is
    taken to belong to one vertex.  Index it with ``uv_triangles`` for corners.
    """
    if normals is None:
        normals = vertex_normals(vertices, triangles)
    p, q = vertices[triangles], uv[uv_triangles]
    e1, e2 = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    (u1, v1), (u2, v2) = (q[:, 1] - q[:, 0]).T, (q[:, 2] - q[:, 0]).T
    turn = np.sign(u1 * v2 - u2 * v1)
    along = _unit((e1 * v2[:, None] - e2 * v1[:, None]) * turn[:, None])
    total, side = np.zeros((len(uv), 3)), np.zeros(len(uv))
    for k in range(3):
        upright = np.asarray(normals[triangles[:, k]], np.float64)
        a = _unit(_flat(p[:, (k + 1) % 3] - p[:, k], upright))
        b = _unit(_flat(p[:, (k + 2) % 3] - p[:, k], upright))
        angle = np.arccos(np.clip(np.einsum("ij,ij->i", a, b), -1, 1))
        lying = _unit(_flat(along, upright)) * angle[:, None]
        total += _sum_at(uv_triangles[:, k], lying, len(uv))
        side += np.bincount(uv_triangles[:, k], turn * angle, len(uv))
    normal = np.zeros((len(uv), 3))
    normal[uv_triangles.ravel()] = normals[triangles.ravel()]
    tangent = _flat(total, normal)
    lost = np.linalg.norm(tangent, axis=1) < 1e-9
    if lost.any():  # no direction of +u left: any one at a right angle to the normal
        axis = np.eye(3)[np.abs(normal[lost]).argmin(1)]
        tangent[lost] = np.cross(axis, normal[lost])
    return np.asarray(np.c_[_unit(tangent), np.where(side < 0, -1.0, 1.0)], np.float32)
