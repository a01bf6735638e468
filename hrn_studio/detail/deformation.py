"""The mid stage: a smooth deformation that brings the coarse head onto its pictures.

The coarse head is as good as its linear model and the regression behind it; its lips and lids lie
near those of the picture, not on them.  A per-vertex displacement of the
*neutral* head, shared by all views, closes the gap:

    minimise  sum_views sum_l  w_l |to_m (pi(R_i (N + D + E_i)_l + t_i) - y_il)|^2
            + |L D|^2 / sigma_bend^2 + |D|^2 / sigma_size^2

with landmark observations ``y``, expression offsets ``E_i`` and the mesh Laplacian ``L``.  It is a
sparse linear least-squares problem for fixed projection, solved a few times with Cauchy weights.
One picture says nothing about depth; there the smallest change is none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from hrn_studio.geometry.mesh import area_vectors
from hrn_studio.records import Camera, Doubles, Ints


@dataclass(frozen=True, slots=True)
class DeformationSettings:
    """How far and how roughly the head may be bent."""

    sigma_landmark_m: float = 0.0013
    sigma_bend_m: float = 0.00012
    """Standard deviation of the Laplacian of the displacement (uniform weights, metres)."""
    sigma_size_m: float = 0.005
    iterations: int = 2
    robust: float = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """Points of the surface seen in one picture."""

    corners: Ints
    """(L, 3) the vertices of the triangle each point lies in."""
    barycentric: Doubles
    """(L, 3)"""
    points_px: Doubles
    """(L, 2) where the picture has them."""
    weights: Doubles
    """(L,) relative precision, 1 = ``sigma_landmark_m``."""
    offset: Doubles
    """(V, 3) what expression and the like add to the neutral head, metres."""
    T_camera_head: Doubles
    camera: Camera
    direction_px: Doubles | None = None
    """(L, 2) unit vectors along which a point counts; None when both x and y do.

    A silhouette is seen across itself only."""


@dataclass(frozen=True, slots=True, eq=False)
class Offsets:
    """How far points of the surface lie from where they should, along its normal."""

    corners: Ints
    """(N, 3) the vertices of the triangle each point lies in."""
    barycentric: Doubles
    """(N, 3)"""
    normals: Doubles
    """(N, 3) unit, head frame."""
    offset_m: Doubles
    """(N,) outwards, metres."""
    weights: Doubles
    """(N,) precision, 1 / square metre."""

    def times(self, scale: float, sureness: float = 1.0) -> Offsets:
        """The same on a head ``scale`` times as large, and this much surer."""
        weights = self.weights * sureness / scale**2
        return replace(self, offset_m=self.offset_m * scale, weights=weights)

    def rows(self, vertices: int) -> sparse.csr_matrix:
        """(N, 3 V) how the offsets follow a displacement of the vertices."""
        values = self.barycentric[:, :, None] * self.normals[:, None, :]
        columns = self.corners[:, :, None] * 3 + np.arange(3)
        rows = np.broadcast_to(np.arange(len(values))[:, None, None], values.shape)
        places = rows.ravel(), columns.ravel()
        return sparse.csr_matrix((values.ravel(), places), shape=(len(values), 3 * vertices))


def joined(parts: Sequence[Offsets]) -> Offsets | None:
    """All offsets together; None where there are none."""
    if not parts:
        return None
    names = [field.name for field in fields(Offsets)]
    return Offsets(*(np.concatenate([getattr(part, n) for part in parts]) for n in names))


def deform(
    neutral: Doubles,
    laplacian: sparse.csr_matrix,
    observations: Sequence[Observation],
    stiffness: Doubles,
    settings: DeformationSettings,
) -> Doubles:
    """(V, 3) displacement of the neutral head, metres; :func:`deforming` run to its end."""
    steps = deforming(neutral, laplacian, observations, stiffness, settings)
    return deque(steps, maxlen=1)[0]


def deforming(
    neutral: Doubles,
    laplacian: sparse.csr_matrix,
    observations: Sequence[Observation],
    stiffness: Doubles,
    settings: DeformationSettings,
    offsets: Offsets | None = None,
) -> Iterator[Doubles]:
    """The displacement (V, 3) of the neutral head after each iteration, metres.

    Parameters
    ----------
    neutral
        (V, 3) coarse head without expression, head frame, metres.
    laplacian
        (V, V) maps vertex values to their difference from the neighbours' mean.
    stiffness
        (V,) at least 1; multiplies the priors' weight where nothing is seen or should move.
    offsets
        What several pictures together say of the surface's depth.
    """
    count = len(neutral)
    S = sparse.diags(stiffness)
    bend = laplacian.T @ S @ laplacian / settings.sigma_bend_m**2
    prior = sparse.kron(bend + S / settings.sigma_size_m**2, sparse.identity(3), format="csr")
    D = np.zeros((count, 3))
    told = np.zeros(3 * count)
    if offsets is not None:
        J = offsets.rows(count)
        weighted = J.multiply(offsets.weights[:, None]).tocsr()
        prior = (prior + weighted.T @ J).tocsr()
        told = weighted.T @ offsets.offset_m
    for _ in range(settings.iterations):
        A, g = prior.copy(), told - prior @ D.ravel()
        for seen in observations:
            J, r, w = _rows(neutral + D, seen, settings)
            Jw = J.multiply(w[:, None]).tocsr()
            A = A + Jw.T @ J
            g = g + Jw.T @ r
        D = D + _solved(A, g).reshape(-1, 3)
        yield D


def _solved(A: sparse.csr_matrix, g: Doubles) -> Doubles:
    """The solution of a symmetric positive definite system; the factors stay sparse that way."""
    factors = splu(
        sparse.csc_matrix(A),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return np.asarray(factors.solve(g))


def _rows(
    vertices: Doubles, seen: Observation, settings: DeformationSettings
) -> tuple[sparse.csr_matrix, Doubles, Doubles]:
    """Jacobian (2 L, 3 V), residuals (2 L,) in metres on the face, weights (2 L,)."""
    corners = seen.corners
    R, t = seen.T_camera_head[:3, :3], seen.T_camera_head[:3, 3]
    here = np.einsum("lk,lkc->lc", seen.barycentric, (vertices + seen.offset)[corners])
    p = here @ R.T + t
    focal = seen.camera.focal_px
    to_m = p[:, 2] / focal
    x_z, y_z = p[:, 0] / p[:, 2], p[:, 1] / p[:, 2]
    target = seen.points_px - np.asarray(seen.camera.center_px)
    r = np.stack([target[:, 0] - focal * x_z, target[:, 1] - focal * y_z], 1) * to_m[:, None]
    # d(residual metres) / d(head point), (L, 2, 3)
    d = np.stack([R[0] - x_z[:, None] * R[2], R[1] - y_z[:, None] * R[2]], 1)
    if seen.direction_px is not None:
        d = np.einsum("lk,lkc->lc", seen.direction_px, d)[:, None]
        r = (seen.direction_px * r).sum(1, keepdims=True)
    sigma = settings.sigma_landmark_m / np.sqrt(seen.weights)
    cauchy = 1 / (1 + (r**2).sum(1) / np.square(settings.robust * sigma))
    w = np.repeat((cauchy / sigma**2)[:, None], r.shape[1], 1)
    values = seen.barycentric[:, None, :, None] * d[:, :, None, :]  # (L, k, 3 corners, 3)
    columns = np.broadcast_to(corners[:, None, :, None] * 3 + np.arange(3), values.shape)
    rows = np.broadcast_to(
        np.arange(r.size).reshape(len(corners), -1)[:, :, None, None], values.shape
    )
    J = sparse.csr_matrix(
        (values.ravel(), (rows.ravel(), columns.ravel())), shape=(r.size, vertices.size)
    )
    return J, r.ravel(), w.ravel()


def folded(before: Doubles, after: Doubles, triangles: Ints) -> float:
    """Share of triangles whose normal turned by more than 90 degrees."""
    turned = (area_vectors(before, triangles) * area_vectors(after, triangles)).sum(1) < 0
    return float(np.mean(turned))
