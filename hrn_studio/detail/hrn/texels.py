"""Between vertices, the UV square and the picture.

``S`` is the size of a map, 256 in the published networks.  Row 0 of a map is at v = 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hrn_studio.detail.hrn import camera
from hrn_studio.geometry.uv import texel_map
from hrn_studio.records import AnyFloats, Ints

SIZE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Unwrap:
    """Which triangle each texel shows, looked up once; all tensors on one device."""

    size: int
    triangle: Tensor
    """(S, S) int64, -1 where there is none."""
    texels: Tensor
    """(P,) int64 flat indices of the texels with a triangle."""
    corners: Tensor
    """(P, 3) int64 vertices around each of them."""
    weights: Tensor
    """(P, 3) where in the triangle the texel's centre lies."""

    @classmethod
    def of(cls, uv: AnyFloats, triangles: Ints, size: int = SIZE) -> Unwrap:
        """For one texture point per vertex (N, 2), u right and v up, 0..1.

        The points are rounded in -1..1 to single precision, as in the published code: the
        networks then see the same digits.
        """
        rounded = (2 * np.asarray(uv, np.float64) - 1).astype(np.float32).astype(np.float64)
        seen = texel_map((rounded + 1) / 2, triangles, size)
        texels = np.flatnonzero(seen.triangle.ravel() >= 0)
        index = seen.triangle.astype(np.int64)
        return cls(
            size,
            torch.from_numpy(index),
            torch.from_numpy(texels),
            torch.from_numpy(triangles[index.ravel()[texels]].astype(np.int64)),
            torch.from_numpy(seen.barycentric.reshape(-1, 3)[texels].copy()),
        )

    def __call__(self, values: Tensor) -> Tensor:
        """Values (B, N, C) at the vertices as a map (B, C, S, S); zero where nothing is."""
        batch, _, channels = values.shape
        mixed = (values[:, self.corners] * self.weights[..., None]).sum(2)
        result = values.new_zeros(batch, self.size**2, channels)
        result = result.index_copy(1, self.texels, mixed)
        return result.transpose(1, 2).reshape(batch, channels, self.size, self.size)

    def to(self, device: str | torch.device) -> Unwrap:
        """The same on another device."""
        moved = (getattr(self, name).to(device) for name in self.__slots__[1:])
        return Unwrap(self.size, *moved)


def sample_picture(unwrap: Unwrap, vertices_camera: Tensor, picture: Tensor) -> Tensor:
    """The picture laid over the face: what each texel's place on the surface shows.

    As in the published code the two rows around a place are weighted the wrong way round (off
    by up to half a pixel), hidden texels take what is in front of them, and texels without a
    triangle take the picture's bottom left pixel; the networks were trained with that.

    Parameters
    ----------
    vertices_camera
        (B, N, 3) in camera space.
    picture
        (B, C, h, w), the crop of :mod:`.alignment` at any size.

    Returns
    -------
    (B, C, S, S)
    """
    height, width = picture.shape[2:]
    places = unwrap(vertices_camera).flatten(2).transpose(1, 2)
    plane = torch.nan_to_num(camera.project(places), nan=0.0)
    x = plane[..., 0] * (width / camera.SIDE)
    row = height - 1 - plane[..., 1] * (height / camera.SIDE)
    left, top = x.floor(), row.floor()
    along, down = (x - left)[:, None], (row - top)[:, None]
    flat = picture.flatten(2)
    channels = picture.shape[1]

    def at(rows: Tensor, columns: Tensor) -> Tensor:
        index = rows.long().clamp(0, height - 1) * width + columns.long().clamp(0, width - 1)
        return torch.gather(flat, 2, index[:, None].expand(-1, channels, -1))

    mixed = at(top, left) * (1 - along) * down
    mixed = mixed + at(top + 1, left) * (1 - along) * (1 - down)
    mixed = mixed + at(top, left + 1) * along * down
    mixed = mixed + at(top + 1, left + 1) * along * (1 - down)
    return mixed.reshape(len(picture), channels, unwrap.size, unwrap.size)


def sample_map(values: Tensor, uv: Tensor) -> Tensor:
    """Values of a map at the vertices: offsets from a deformation map.

    Parameters
    ----------
    values
        (B, C, S, S)
    uv
        (N, 2), u right and v up.

    Returns
    -------
    (B, N, C), bilinear between texel corners as in the published code, which is half a texel
    from :class:`Unwrap`'s centres.
    """
    size = values.shape[2]
    scaled = uv * size
    low = scaled.floor()
    along, up = (scaled - low).unbind(1)
    column, above = low.long().unbind(1)
    flat = values.flatten(2)

    def at(rows: Tensor, columns: Tensor) -> Tensor:
        return flat[:, :, rows.clamp(0, size - 1) * size + columns.clamp(0, size - 1)]

    mixed = at(size - 1 - above, column) * (1 - along) * up
    mixed = mixed + at(size - above, column) * (1 - along) * (1 - up)
    mixed = mixed + at(size - 1 - above, column + 1) * along * up
    mixed = mixed + at(size - above, column + 1) * along * (1 - up)
    return mixed.transpose(1, 2)
