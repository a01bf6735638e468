"""Bend one surface onto another that has other vertices.

Non-rigid iterative closest points (after Amberg et al., "Optimal Step Nonrigid ICP Algorithms for
Surface Registration", CVPR 2007), with a displacement per vertex and a bi-Laplacian in place of
their affine map per vertex:

    minimise  sum_v w_v |d_v - (c_v - p_v)|^2 / sigma_surface^2 + |pairs|^2 / sigma_pair^2
            + |L d|^2 / sigma_bend^2 + |d|^2 / sigma_size^2

with ``c_v`` the closest point of the other surface.  It starts stiff and softens round by round.
Lengths are metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from hrn_studio.geometry.mesh import (
    area_vectors,
    boundary_edges,
    uniform_laplacian,
    vertex_normals,
)
from hrn_studio.records import AnyFloats, Bools, Doubles, Ints


@dataclass(frozen=True, slots=True)
class RegistrationSettings:
    """How willingly the surface bends; metres."""

    rounds: int = 10
    sigma_surface_m: float = 0.0005
    sigma_pair_m: float = 0.003
    """Of matching points given by the caller, which lie on both surfaces only roughly."""
    sigma_bend_start_m: float = 0.00005
    sigma_bend_end_m: float = 0.0003
    """Of the Laplacian of the displacement, in the first and the last round."""
    sigma_size_m: float = 0.05
    reach_start_m: float = 0.015
    reach_end_m: float = 0.004
    """What is further away than this is not the same place."""
    facing: float = 0.6
    """Least cosine between the normals of the same place."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Points of the surface and where they ought to be."""

    corners: Ints
    """(K, 3) vertices around each."""
    barycentric: AnyFloats
    """(K, 3)"""
    targets: AnyFloats
    """(K, 3)"""


class Surface:
    """A mesh to be looked up: the point of it that is closest to another."""

    def __init__(self, vertices: AnyFloats, triangles: Ints) -> None:
        self.vertices = np.asarray(vertices, np.float64)
        self.triangles = triangles
        self.normals = np.asarray(vertex_normals(self.vertices, triangles), np.float64)
        self._tree = cKDTree(self.vertices)
        self._rim = np.zeros(len(self.vertices), np.bool_)
        self._rim[boundary_edges(triangles).ravel()] = True

    def closest(self, points: AnyFloats) -> tuple[Doubles, Doubles, Bools]:
        """Closest points (N, 3), normals there (N, 3), and whether they lie inside the rim.

        Closest vertices, moved along their tangent plane: exact where triangles are small
        against the curvature.
        """
        points = np.asarray(points, np.float64)
        distance, nearest = self._tree.query(points)
        vertex, normal = self.vertices[nearest], self.normals[nearest]
        offset = points - vertex
        flat = offset - np.einsum("nk,nk->n", offset, normal)[:, None] * normal
        reach = np.linalg.norm(flat, axis=1, keepdims=True)
        # Not further than half way to the next vertex, about.
        limit = np.minimum(1.0, distance[:, None] / np.maximum(reach, 1e-12))
        return vertex + flat * limit, normal, ~self._rim[nearest]


def register(
    vertices: AnyFloats,
    triangles: Ints,
    weights: AnyFloats,
    surface: Surface,
    pairs: Pairs | None = None,
    settings: RegistrationSettings | None = None,
) -> Doubles:
    """How the vertices must move to lie on a surface, (V, 3).

    Parameters
    ----------
    vertices, triangles
        (V, 3) and (T, 3), roughly in place already.
    weights
        (V,) 0..1: 1 where the surface shows the same thing, 0 where it does not (there the
        vertices move along smoothly).
    pairs
        Points known to belong together; they lead the way and count less and less.
    """
    chosen = settings or RegistrationSettings()
    start = np.asarray(vertices, np.float64)
    weights = np.asarray(weights, np.float64)
    near = uniform_laplacian(triangles, len(start))
    laplacian = sparse.diags(1 / np.maximum(near.diagonal(), 1)) @ near
    bending = (laplacian.T @ laplacian).tocsc()
    moved = np.zeros_like(start)
    for number in range(chosen.rounds):
        share = number / max(chosen.rounds - 1, 1)
        bend = _between(chosen.sigma_bend_start_m, chosen.sigma_bend_end_m, share)
        reach = _between(chosen.reach_start_m, chosen.reach_end_m, share)
        here = start + moved
        trust, wanted = _matches(here, triangles, weights, surface, reach, chosen.facing)
        if pairs is not None and number == 0:
            trust = 0 * trust  # first by the pairs alone
        data = trust / chosen.sigma_surface_m**2
        system = bending / bend**2 + sparse.diags(data + 1 / chosen.sigma_size_m**2)
        right = data[:, None] * (wanted - start)
        if pairs is not None:
            loosened = chosen.sigma_pair_m * (1 + 3 * share)
            gather = _gather(pairs, len(start))
            gap = np.asarray(pairs.targets, np.float64) - gather @ start
            system = system + gather.T @ gather / loosened**2
            right += gather.T @ gap / loosened**2
        moved = np.asarray(_solved(system, right), np.float64)
    return moved


def _between(start: float, end: float, share: float) -> float:
    return float(start * (end / start) ** share)


def _matches(
    here: Doubles,
    triangles: Ints,
    weights: Doubles,
    surface: Surface,
    reach: float,
    facing: float,
) -> tuple[Doubles, Doubles]:
    """(V,) how far the closest point of each vertex is to be believed, and the points (V, 3)."""
    trust = np.zeros(len(here))
    wanted = here.copy()
    used = np.flatnonzero(weights > 0)
    points, normals, inside = surface.closest(here[used])
    own = vertex_normals(here, triangles)[used]
    gap = np.linalg.norm(points - here[used], axis=1)
    same = inside & (np.einsum("nk,nk->n", own, normals) > facing) & (gap < reach)
    wanted[used] = points
    trust[used] = weights[used] * same / (1 + (gap / (0.5 * reach)) ** 2)
    return trust, wanted


def _gather(pairs: Pairs, count: int) -> Any:
    """Sparse (K, V): the pairs' points of vertices."""
    rows = np.repeat(np.arange(len(pairs.corners)), 3)
    values = np.asarray(pairs.barycentric, np.float64).ravel()
    shape = (len(pairs.corners), count)
    return sparse.csr_matrix((values, (rows, pairs.corners.ravel())), shape)


def _solved(system: Any, right: Doubles) -> Doubles:
    factors = splu(
        sparse.csc_matrix(system),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return np.asarray(factors.solve(np.ascontiguousarray(right)))


def turned_over(before: AnyFloats, after: AnyFloats, triangles: Ints) -> float:
    """Share of triangles whose normal turned by more than 90 degrees."""
    first = area_vectors(np.asarray(before, np.float64), triangles)
    return float(
        np.mean((first * area_vectors(np.asarray(after, np.float64), triangles)).sum(1) < 0)
    )
