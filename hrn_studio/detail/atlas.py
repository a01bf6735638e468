"""The UV square at one size: which part of the head each texel is.

Everything slow varying is worked out on a small atlas and interpolated into the large one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.uv import texel_map
from hrn_studio.records import AnyFloats, Bools, Floats, Ints, frozen


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """Texels of a square of ``size`` a side; row 0 is at v = 1."""

    size: int
    triangle: Ints
    """(S, S) index of the triangle at each texel's centre, -1 where there is none."""
    barycentric: Floats
    """(S, S, 3)"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "triangle", frozen(self.triangle, np.int32))
        object.__setattr__(self, "barycentric", frozen(self.barycentric, np.float32))

    @classmethod
    def of(cls, uv: AnyFloats, uv_triangles: Ints, size: int) -> Atlas:
        """The atlas of a layout; texels on shared edges go to one triangle."""
        seen = texel_map(uv, uv_triangles, size)
        return cls(size, seen.triangle, seen.barycentric)

    @property
    def covered(self) -> Bools:
        """(S, S)"""
        return np.asarray(self.triangle >= 0)

    def interpolate(self, values: AnyFloats, triangles: Ints) -> Floats:
        """Values (N, ...) at the corners ``triangles`` index, at every texel; zero where empty."""
        source = np.asarray(values, np.float32).reshape(len(values), -1)
        inside = self.covered
        corners = triangles[self.triangle[inside]]
        weights = self.barycentric[inside]
        mixed = weights[:, :1] * source[corners[:, 0]]
        for k in (1, 2):
            mixed += weights[:, k : k + 1] * source[corners[:, k]]
        result = np.zeros((self.size, self.size, source.shape[1]), np.float32)
        result[inside] = mixed
        return result.reshape(self.size, self.size, *np.asarray(values).shape[1:])

    def part(self, head: HeadModel, *names: str) -> Bools:
        """(S, S) the texels of some parts of the head; a part it lacks is ignored."""
        wanted = [i for i, name in enumerate(head.part_names) if name in names]
        chosen = np.isin(head.triangle_part, wanted)
        return np.asarray(self.covered & chosen[self.triangle])

    def region(self, head: HeadModel, *names: str) -> Floats:
        """(S, S) 0..1 the sum of some of the head's masks on its skin; missing ones are zero."""
        values = np.zeros(head.vertex_count, np.float32)
        for name in names:
            if name in head.regions:
                values += head.regions[name]
        mask = self.interpolate(np.minimum(values, 1), head.triangles)
        return np.where(self.part(head, "skin"), mask, 0).astype(np.float32)

    def mirror(self, head: HeadModel) -> Ints:
        """(S, S) flat index of the texel on the other side of the face, -1 where unknown."""
        corner_uv = mirror_corners(head)
        inside = self.covered & (corner_uv[:, 0, 0] >= 0)[self.triangle]
        place = np.einsum("pk,pkc->pc", self.barycentric[inside], corner_uv[self.triangle[inside]])
        columns = np.clip((place[:, 0] * self.size).astype(np.int64), 0, self.size - 1)
        rows = np.clip(((1 - place[:, 1]) * self.size).astype(np.int64), 0, self.size - 1)
        result = np.full((self.size, self.size), -1, np.int32)
        nearest_row, nearest_column = self.nearest()
        result[inside] = nearest_row[rows, columns] * self.size + nearest_column[rows, columns]
        return result

    def nearest(self) -> tuple[Ints, Ints]:
        """Row and column of the covered texel nearest to each, (S, S) each."""
        rows, columns = ndimage.distance_transform_edt(
            ~self.covered, return_distances=False, return_indices=True
        )
        return rows, columns

    def padded(self, image: AnyFloats) -> Floats:
        """A picture (S, S, ...) carried on over the gaps, so that it can be interpolated."""
        rows, columns = self.nearest()
        return np.asarray(image, np.float32)[rows, columns]


def mirror_corners(head: HeadModel) -> Floats:
    """(T, 3, 2) texture coordinates of each triangle's corners on the other side; -1 if none.

    Found through the head's symmetry, so the layout need not be symmetric itself.
    """
    swapped = head.symmetry[head.triangles]
    known = {tuple(sorted(t)): i for i, t in enumerate(head.triangles.tolist())}
    partner = np.array([known.get(tuple(sorted(t)), -1) for t in swapped.tolist()])
    result = np.full((len(swapped), 3, 2), -1, np.float32)
    for k in range(3):
        same = np.argmax(head.triangles[partner] == swapped[:, k : k + 1], axis=1)
        result[:, k] = head.uv[head.uv_triangles[partner, same]]
    result[partner < 0] = -1
    return result


def mirrored(image: AnyFloats, mirror: Ints) -> Floats:
    """An (S, S) or (S, S, C) picture as its other side has it; zero where there is none."""
    values = np.asarray(image, np.float32)
    flat = values.reshape(mirror.size, -1)[np.maximum(mirror, 0).ravel()]
    flat = np.where(mirror.ravel()[:, None] >= 0, flat, 0)
    return flat.reshape(values.shape)
