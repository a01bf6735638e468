"""A head model on tensors: where predicted coefficients put its points in a crop.

The camera of a photo is not known, so what it does to a crop is solved for in closed form: scale,
shift, the strength of the perspective and the slant of a face beside the middle of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.facecrop import WIDTH_M
from hrn_studio.records import Bools, Doubles
from hrn_studio.training.targets import Layout

UNITS_PER_M = 2 / WIDTH_M
"""Crop units to a metre on a head of average size."""
DISTANCE_M = 0.6
"""Of a face from its camera, about."""
_SLANT = 0.15
"""Tangent of the angle between the lens's axis and the ray to the face, one deviation."""


class TorchHead:
    """The points of a head model that a crop can be asked about, for B coefficients at a time.

    Parameters
    ----------
    layout
        Says which coefficients there are, and which vertices are dense landmarks.
    """

    def __init__(
        self,
        head: HeadModel,
        embedding: LandmarkEmbedding,
        layout: Layout,
        device: torch.device | None = None,
    ) -> None:
        dense = layout.vertices.astype(np.int64)
        self.shown = self._shown(head, layout)
        ring = np.isin(head.triangles, dense[self.shown]).any(1)
        used = np.unique(
            np.concatenate([dense, embedding.corners.ravel(), head.triangles[ring].ravel()])
        )
        at = np.zeros(head.vertex_count, np.int64)
        at[used] = np.arange(len(used))

        def tensor(values: object, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.as_tensor(np.array(values), dtype=dtype, device=device)

        self._mean = tensor(head.mean[used])
        basis = np.concatenate([head.identity[: layout.identity_count], head.expression])
        self._basis = tensor(basis[:, used].reshape(len(basis), -1))
        self._dense = tensor(at[dense], torch.int64)
        self._corners = tensor(at[embedding.corners], torch.int64)
        self._weights = tensor(embedding.barycentric)
        self._faces = tensor(at[head.triangles[ring]], torch.int64)
        self._points = tensor(at[dense[self.shown]], torch.int64)
        self.rows = tensor(np.flatnonzero(self.shown), torch.int64)
        """(F,) of the dense landmarks that lie on the skin of the face."""
        self.spread = tensor(np.maximum(embedding.spread_m, 1e-3)) * UNITS_PER_M
        """(L,) how far the tracker points beside a landmark, crop units."""
        self.usable = tensor(embedding.usable, torch.float32)
        rest = head.mean[dense[self.shown]].astype(np.float64)
        self.smoothing = tensor(_neighbours(rest))
        """(F, F) rows sum to 1: the mean over the neighbourhood."""

    @staticmethod
    def _shown(head: HeadModel, layout: Layout) -> Bools:
        """(K,) dense landmarks whose brightness tells of their shape and light."""
        mask = head.regions["face"] > 0.5
        for name in ("lips", "inner_mouth", "nostrils"):
            if name in head.regions:
                mask &= head.regions[name] < 0.5
        return np.asarray(mask[layout.vertices])

    def vertices(self, identity: Tensor, expression: Tensor) -> Tensor:
        """(B, U, 3) metres, head frame: the vertices that the other methods take."""
        coefficients = torch.cat([identity, expression], 1)
        moved = coefficients @ self._basis
        return self._mean + moved.reshape(len(coefficients), -1, 3)

    def landmarks(self, vertices: Tensor) -> Tensor:
        """(B, L, 3) the tracker's landmarks."""
        return torch.einsum("lk,blkd->bld", self._weights, vertices[:, self._corners])

    def dense(self, vertices: Tensor) -> Tensor:
        """(B, K, 3) the dense landmarks."""
        return vertices[:, self._dense]

    def normals(self, vertices: Tensor) -> Tensor:
        """(B, F, 3) unit normals at the landmarks that are shown."""
        a, b, c = (vertices[:, self._faces[:, k]] for k in range(3))
        normal = torch.linalg.cross(b - a, c - a)
        total = torch.zeros_like(vertices)
        for k in range(3):
            total = total.index_add(1, self._faces[:, k], normal)
        return torch.nn.functional.normalize(total[:, self._points], dim=2)


def _neighbours(points: Doubles) -> Doubles:
    """(F, F) Gaussian weights of 8 mm, rows summing to 1."""
    away = np.square(points[:, None] - points[None]).sum(2)
    weights = np.exp(-away / (2 * 0.008**2))
    return np.asarray(weights / weights.sum(1, keepdims=True))


def turned(points: Tensor, angles: Tensor) -> Tensor:
    """Points (B, N, 3) of the head frame by yaw, pitch and roll (B, 3), head axes.

    ``Rz(roll) @ Ry(yaw) @ Rx(-pitch)``, see :mod:`hrn_studio.geometry.transforms`.
    """
    yaw, pitch, roll = angles.unbind(1)
    zero, one = torch.zeros_like(yaw), torch.ones_like(yaw)

    def matrix(*rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        return torch.stack([torch.stack(row, 1) for row in rows], 1)

    cy, sy = yaw.cos(), yaw.sin()
    cp, sp = pitch.cos(), (-pitch).sin()
    cr, sr = roll.cos(), roll.sin()
    R = (
        matrix((cr, -sr, zero), (sr, cr, zero), (zero, zero, one))
        @ matrix((cy, zero, sy), (zero, one, zero), (-sy, zero, cy))
        @ matrix((one, zero, zero), (zero, cp, -sp), (zero, sp, cp))
    )
    return points @ R.transpose(1, 2)


@dataclass(frozen=True, slots=True, eq=False)
class Lens:
    """What the cameras of B pictures do to their crops, (B, 6).

    ``x = s X + p X Z + a Z + tx`` and ``y = -(s Y + p Y Z) + b Z + ty`` of turned points: the first
    terms of a perspective projection in the inverse distance.
    """

    numbers: Tensor

    def project(self, points: Tensor) -> Tensor:
        """(B, N, 2) crop units of turned points (B, N, 3)."""
        x, y, z = points.unbind(2)
        s, p, a, b, tx, ty = (n[:, None] for n in self.numbers.unbind(1))
        return torch.stack([s * x + p * x * z + a * z + tx, -(s * y + p * y * z) + b * z + ty], 2)


def solve_lens(points: Tensor, seen: Tensor, weights: Tensor) -> Lens:
    """The most probable cameras for turned points (B, N, 3) seen in a crop (B, N, 2).

    Weighted linear least squares with what is known of faces before cameras.  No gradient passes:
    at the minimum the derivative with respect to the solution is zero.

    Parameters
    ----------
    weights
        (B, N) inverse variances, crop units.
    """
    with torch.no_grad():
        x, y, z = points.double().unbind(2)
        zero, one = torch.zeros_like(x), torch.ones_like(x)
        rows_x = torch.stack([x, x * z, z, zero, one, zero], 2)
        rows_y = torch.stack([-y, -y * z, zero, z, zero, one], 2)
        A = torch.cat([rows_x, rows_y], 1)
        b = torch.cat([seen[..., 0], seen[..., 1]], 1).double()
        w = torch.cat([weights, weights], 1).double()
        scale = UNITS_PER_M
        prior = A.new_tensor([scale, scale / DISTANCE_M, 0, 0, 0, 0])
        deviation = A.new_tensor(
            [0.2 * scale, 0.6 * scale / DISTANCE_M, _SLANT * scale, _SLANT * scale, 1.0, 1.0]
        )
        left = A.transpose(1, 2) @ (w[..., None] * A) + torch.diag(deviation**-2)
        right = (A.transpose(1, 2) @ (w * b)[..., None])[..., 0] + prior / deviation**2
        return Lens(torch.linalg.solve(left, right).to(points.dtype))
