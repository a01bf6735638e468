"""Coarser meshes by collapsing edges (Garland and Heckbert 1997, "Surface simplification using
quadric error metrics"), in the variant that keeps a subset of the vertices.

An edge is collapsed onto one of its two ends, so what is left lies exactly where it lay: in the
neutral head, in every shape, and in the texture.  Errors are summed over all poses given, so that
what folds (lids, lips) keeps the vertices it folds by.  Vertices on texture seams and on borders
stay.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np

from hrn_studio.geometry.mesh import boundary_edges
from hrn_studio.records import AnyFloats, Bools, Doubles, Ints

_SHORT = 1e-3
"""What squared length counts against squared distance: prefers short edges where it is flat."""
_TURN = 0.25
"""Cosine of the largest turn of a triangle by a collapse."""
_SLIM = 0.03
"""Twice the area of a triangle over its longest edge squared may not fall below this."""
_SLIDE_M = 0.0005
"""A texture may slide this far on the surface by one collapse."""


def simplified(
    poses: AnyFloats,
    triangles: Ints,
    uv: AnyFloats,
    uv_triangles: Ints,
    target: int,
    weights: AnyFloats,
    kept: Bools,
) -> tuple[Ints, Ints]:
    """Triangles of a coarser mesh over the same vertices.

    Parameters
    ----------
    poses
        (K, V, 3) the mesh in all the poses that should look alike.
    triangles, uv_triangles
        (T, 3) parallel.
    target
        Number of triangles to come down to; fewer collapses are made when the rest would fold.
    weights
        (V,) how much errors count around each vertex.
    kept
        (V,) vertices that stay in any case.

    Returns
    -------
    triangles, uv_triangles
        (T', 3) parallel, into the vertices and texture vertices given.
    """
    collapser = _Collapser(poses, triangles, uv, uv_triangles)
    collapser.locked |= kept
    collapser.quadrics *= np.asarray(weights, np.float64)[:, None]
    return collapser.run(target)


class _Collapser:
    def __init__(
        self, poses: AnyFloats, triangles: Ints, uv: AnyFloats, uv_triangles: Ints
    ) -> None:
        self.poses = np.asarray(poses, np.float64)
        self.uv = np.asarray(uv, np.float64)
        self.triangles = triangles.astype(np.int64)
        self.uv_triangles = uv_triangles.astype(np.int64)
        self.count = len(triangles)
        vertices = self.poses.shape[1]
        self.locked = _fixed(triangles, uv_triangles, vertices)
        self.quadrics, self.areas = _quadrics(self.poses, self.triangles)
        self.monomials = _monomials(self.poses)
        self.fans: list[set[int]] = [set() for _ in range(vertices)]
        for number, corners in enumerate(self.triangles.tolist()):
            for corner in corners:
                self.fans[corner].add(number)
        self.stamps = [0] * vertices
        self.alive = np.ones(self.count, bool)

    def run(self, target: int) -> tuple[Ints, Ints]:
        heap = self._first()
        while heap and self.count > target:
            _, u, v, stamp = heapq.heappop(heap)
            if stamp != self.stamps[u] + self.stamps[v] or not self._collapsible(u, v):
                continue
            for edge in self._collapse(u, v):
                heapq.heappush(heap, edge)
        return (
            self.triangles[self.alive].astype(np.int32),
            self.uv_triangles[self.alive].astype(np.int32),
        )

    def _first(self) -> list[tuple[float, int, int, int]]:
        pairs = np.concatenate([self.triangles[:, [k, (k + 1) % 3]] for k in range(3)])
        pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
        pairs = pairs[~self.locked[pairs[:, 0]]]
        blocks = np.array_split(pairs, len(pairs) // 4096 + 1)
        costs = np.concatenate([self._costs(block[:, 0], block[:, 1]) for block in blocks])
        heap = [(float(c), int(u), int(v), 0) for c, (u, v) in zip(costs, pairs, strict=True)]
        heapq.heapify(heap)
        return heap

    def _costs(self, u: Any, v: Any) -> Doubles:
        """(N,) squared distances, times area, of moving vertices ``u`` onto ``v``."""
        total = self.quadrics[u] + self.quadrics[v]
        distance = np.einsum("ij,ij->i", total, self.monomials[v])
        length = ((self.poses[0, u] - self.poses[0, v]) ** 2).sum(1)
        return np.asarray(distance + _SHORT * length * self.areas[u])

    def _ring(self, u: int) -> set[int]:
        return set(self.triangles[list(self.fans[u])].ravel().tolist()) - {u}

    def _collapsible(self, u: int, v: int) -> bool:
        """Whether the surface stays a surface, unfolded, with one texture."""
        both = self.fans[u] & self.fans[v]
        if len(both) != 2 or len(self._ring(u) & self._ring(v)) != 2:
            return False
        at_v = {int(self.uv_triangles[t][self.triangles[t] == v][0]) for t in both}
        if len(at_v) != 1:  # a seam ends here
            return False
        rest = list(self.fans[u] - both)
        old, old_uv = self.triangles[rest], self.uv_triangles[rest]
        here = old == u
        new = np.where(here, v, old)
        if not _unfolded(self.poses, old, new):
            return False
        new_uv = np.where(here, at_v.pop(), old_uv)
        before, after = (_uv_areas(self.uv, t) for t in (old_uv, new_uv))
        if (before * after <= 0).any():
            return False
        stretch = (
            np.abs(before).sum() / np.linalg.norm(_normals(self.poses[:1], old)[0], axis=1).sum()
        )
        slide = self.uv[old_uv[here][0]] - self._texture_at(u, new, new_uv)
        return bool(slide @ slide <= _SLIDE_M**2 * stretch)

    def _texture_at(self, u: int, triangles: Any, uv_triangles: Any) -> Doubles:
        """(2,) the texture of new triangles where vertex ``u`` of the first pose was."""
        a, b, c = (self.poses[0, triangles[:, k]] for k in range(3))
        normal = _cross(b - a, c - a)
        area = np.einsum("ij,ij->i", normal, normal)
        p = self.poses[0, u]
        at_b = np.einsum("ij,ij->i", _cross(c - a, a - p), normal) / area
        at_c = np.einsum("ij,ij->i", _cross(a - b, a - p), normal) / area
        weights = np.stack([1 - at_b - at_c, at_b, at_c], 1)
        best = int(weights.min(1).argmax())
        inside = np.clip(weights[best], 0, None)
        return np.asarray(inside / inside.sum() @ self.uv[uv_triangles[best]])

    def _collapse(self, u: int, v: int) -> list[tuple[float, int, int, int]]:
        """Move ``u`` onto ``v``; the edges whose cost changed."""
        both = self.fans[u] & self.fans[v]
        one = next(iter(both))
        at_v = self.uv_triangles[one][self.triangles[one] == v][0]
        for t in both:
            self.alive[t] = False
            for corner in self.triangles[t].tolist():
                self.fans[corner].discard(t)
        for t in self.fans[u]:
            here = self.triangles[t] == u
            self.triangles[t][here] = v
            self.uv_triangles[t][here] = at_v
            self.fans[v].add(t)
        self.fans[u] = set()
        self.count -= len(both)
        self.quadrics[v] += self.quadrics[u]
        self.areas[v] += self.areas[u]
        self.stamps[u] += 1
        self.stamps[v] += 1
        ring = sorted(self._ring(v))
        pairs = [(v, w) for w in ring if not self.locked[v]]
        pairs += [(w, v) for w in ring if not self.locked[w]]
        if not pairs:
            return []
        table = np.array(pairs)
        costs = self._costs(table[:, 0], table[:, 1]).tolist()
        return [
            (cost, a, b, self.stamps[a] + self.stamps[b])
            for cost, (a, b) in zip(costs, pairs, strict=True)
        ]


def _fixed(triangles: Ints, uv_triangles: Ints, count: int) -> Bools:
    """(V,) vertices on a border, or with several texture vertices."""
    pairs = np.unique(np.stack([triangles.ravel(), uv_triangles.ravel()], 1), axis=0)
    fixed = np.bincount(pairs[:, 0], minlength=count) > 1
    fixed[boundary_edges(triangles).ravel()] = True
    return fixed


def _quadrics(poses: Doubles, triangles: Any) -> tuple[Doubles, Doubles]:
    """(V, 10 K) squared distance to the planes around each vertex, weighted by area, and (V,) the
    area around it; one set of ten coefficients for each pose."""
    count = poses.shape[1]
    result = np.zeros((count, len(poses), 10))
    areas = np.zeros(count)
    corner = triangles.ravel()
    for k, vertices in enumerate(poses):
        a, b, c = (vertices[triangles[:, j]] for j in range(3))
        normal = _cross(b - a, c - a)
        double = np.linalg.norm(normal, axis=1)
        normal /= np.maximum(double, 1e-30)[:, None]
        plane = np.c_[normal, -np.einsum("ij,ij->i", normal, a)]
        rows, columns = np.triu_indices(4)
        terms = plane[:, rows] * plane[:, columns] * (double / 2)[:, None]
        for j in range(10):
            result[:, k, j] = np.bincount(corner, np.repeat(terms[:, j], 3), count)
        if k == 0:
            areas += np.bincount(corner, np.repeat(double / 6, 3), count)
    return result.reshape(count, -1), areas


def _monomials(poses: Doubles) -> Doubles:
    """(V, 10 K) what the coefficients of a quadric are multiplied by at each vertex."""
    ones = np.ones((*poses.shape[:2], 1))
    rows, columns = np.triu_indices(4)
    point = np.concatenate([poses, ones], 2).transpose(1, 0, 2)
    products = point[..., rows] * point[..., columns] * np.where(rows == columns, 1.0, 2.0)
    return np.ascontiguousarray(products.reshape(len(products), -1))


def _unfolded(poses: Doubles, old: Any, new: Any) -> bool:
    """Whether no triangle turns far, in any pose, and none becomes a sliver in the first."""
    before, after = (_normals(poses, t) for t in (old, new))
    along = np.einsum("kti,kti->kt", before, after)
    lengths = np.linalg.norm(before, axis=2) * np.linalg.norm(after, axis=2)
    if (along <= _TURN * lengths).any():
        return False
    p = poses[0][new]
    longest = ((p - np.roll(p, 1, axis=1)) ** 2).sum(2).max(1)
    return bool((np.linalg.norm(after[0], axis=1) > _SLIM * longest).all())


def _normals(poses: Doubles, triangles: Any) -> Doubles:
    """(K, N, 3)"""
    a = poses[:, triangles[:, 0]]
    return _cross(poses[:, triangles[:, 1]] - a, poses[:, triangles[:, 2]] - a)


def _cross(a: Doubles, b: Doubles) -> Doubles:
    """As numpy's, in a third of its time for a handful of vectors."""
    result = np.empty_like(a)
    result[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    result[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    result[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return result


def _uv_areas(uv: Doubles, triangles: Any) -> Doubles:
    """(N,) signed."""
    a, b, c = (uv[triangles[:, k]] for k in range(3))
    u, v = b - a, c - a
    return np.asarray(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
