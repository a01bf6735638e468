"""The map of positions as a mesh of its own: one vertex per texel."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from hrn_studio.detail.hrn.texels import SIZE

COLUMNS = range(2, 253)
ROWS = range(5, 250)
"""The cells of the published mesh; the rim of the map is left out."""


@cache
def grid_triangles() -> Tensor:
    """(122990, 3) int64 into the texels, two triangles a cell, column by column, facing out."""
    rows, columns = torch.tensor(ROWS), torch.tensor(COLUMNS)
    corner = (columns[:, None] + rows * SIZE).reshape(-1)
    down, right = corner + SIZE, corner + 1
    first = torch.stack([corner, down, right], dim=1)
    second = torch.stack([right, down, down + 1], dim=1)
    return torch.stack([first, second], dim=1).reshape(-1, 3)


def grid_normals(positions: Tensor) -> Tensor:
    """Unit normals (B, 3, S, S) of a map of positions (B, 3, S, S), triangles weighted by area.

    Zero outside the cells of :func:`grid_triangles`.
    """
    points = positions.flatten(2).transpose(1, 2)
    a, b, c = grid_triangles().to(points.device).unbind(1)
    p, q, r = points[:, a], points[:, b], points[:, c]
    # The same vector three times, but for its last digits.
    total = torch.zeros_like(points).index_add(1, b, torch.linalg.cross(r - q, p - q))
    total = total.index_add(1, c, torch.linalg.cross(p - r, q - r))
    total = total.index_add(1, a, torch.linalg.cross(q - p, r - p))
    unit = torch.nn.functional.normalize(total, dim=2, eps=1e-6)
    return unit.transpose(1, 2).reshape(positions.shape)


def used_triangles(positions: Tensor) -> Tensor:
    """The triangles (T, 3) of one map (3, S, S) without those at an empty texel, (0, 0, 0)."""
    empty = (positions.flatten(1) == 0).all(0)
    triangles = grid_triangles().to(positions.device)
    return triangles[~empty[triangles].any(1)]
