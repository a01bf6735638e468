"""Draw a face into its crop, with gradients to colours and to what is seen of the shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hrn_studio.detail.hrn import camera
from hrn_studio.detail.rasterizer import (
    Rasterizer,
    covered_pixels,
    differentiable_barycentrics,
    rasterize,
)


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """Which point of the face each pixel of a square picture sees."""

    side: int
    pixels: Tensor
    """(P,) int64 flat indices of the pixels with a face."""
    corners: Tensor
    """(P, 3) int64 vertices of the triangle each of them sees."""
    weights: Tensor
    """(P, 3) where in it; with gradients to the vertices."""

    @property
    def cover(self) -> Tensor:
        """(1, 1, side, side): 1 where there is a face."""
        return self.picture(self.weights.new_ones(len(self.pixels), 1))

    def picture(self, values: Tensor) -> Tensor:
        """Values (P, C) as a picture (1, C, side, side), 0 elsewhere."""
        flat = values.new_zeros(self.side**2, values.shape[1]).index_copy(0, self.pixels, values)
        return flat.T.reshape(1, -1, self.side, self.side)

    def from_vertices(self, values: Tensor) -> Tensor:
        """A picture (1, C, side, side) of values (N, C) at the vertices."""
        return self.picture((values[self.corners] * self.weights[..., None]).sum(1))

    def from_map(self, values: Tensor, uv: Tensor) -> Tensor:
        """A picture (1, C, side, side) of a map (1, C, S, S).

        Parameters
        ----------
        uv
            (N, 2), u right and v up.

        The map is repeated beyond its rim and not reduced where it is finer than the picture,
        as nvdiffrast has it by default.
        """
        height, width = values.shape[2:]
        places = (uv[self.corners] * self.weights[..., None]).sum(1)
        x, y = places[:, 0] * width - 0.5, (1 - places[:, 1]) * height - 0.5
        left, top = x.floor(), y.floor()
        along, down = x - left, y - top
        flat = values[0].flatten(1)

        def at(rows: Tensor, columns: Tensor) -> Tensor:
            return flat[:, rows.long() % height * width + columns.long() % width]

        upper = at(top, left) * (1 - along) + at(top, left + 1) * along
        lower = at(top + 1, left) * (1 - along) + at(top + 1, left + 1) * along
        return self.picture((upper * (1 - down) + lower * down).T)


def draw(
    vertices_camera: Tensor,
    triangles: Tensor,
    side: int = camera.SIDE,
    rasterizer: Rasterizer = rasterize,
) -> Drawing:
    """See a face (N, 3), in camera space, through the official lens; both sides of triangles."""
    lens = camera.pinhole(side)
    vertices = camera.to_opencv(vertices_camera)
    points = vertices.detach().cpu().numpy().astype(np.float64)
    faces = triangles.cpu().numpy().astype(np.int32)
    fragments = rasterizer(points, faces, lens, near_m=camera.NEAR, back_faces=True)
    pixels = covered_pixels(fragments).astype(np.int64)
    seen = torch.from_numpy(fragments.triangle.ravel()[pixels].astype(np.int64))
    weights = differentiable_barycentrics(vertices, triangles, fragments, lens)
    device = triangles.device
    return Drawing(
        side,
        torch.from_numpy(pixels).to(device),
        triangles[seen.to(device)],
        weights.to(vertices_camera.dtype),
    )
