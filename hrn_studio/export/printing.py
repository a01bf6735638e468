"""A head as one closed body for 3D printing: solid, or a wall that is open at the neck's base.

The neck is carried down to a flat base, eyeballs grow together with the skin, and what lies behind
lips and lids (mouth, sockets) is filled from a little below the surface on, so that lips and lids
stay visible as lines.  Where the outside ends is found on a grid of cubes: slits narrower than
about 2 mm do not let it in.  All lengths here are millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hrn_studio.errors import ExportError
from hrn_studio.geometry.mesh import boundary_edges, vertex_normals
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints

if TYPE_CHECKING:
    from manifold3d import Manifold

LINE_MM = 1.5
"""Depth to which lips and lids stay open."""
BASE_MM = 2.0
"""How far the base lies below the lowest point of the neck."""
_PITCH = 1.0
_CLOSE = 1
"""Cubes by which the surface is thickened to close slits."""
_EDGE = 2.5
"""Of the triangles inside."""
_PAD = 6
_UNSURE = 0.3
"""Depths are too large by this in the middle, as compared with distances between the surfaces."""
_CRUMB_MM = 0.01


@dataclass(frozen=True, slots=True)
class Body:
    """A closed, oriented surface without borders; every edge has two triangles."""

    vertices: Floats
    """(V, 3) millimetres, head frame."""
    triangles: Ints
    """(T, 3)"""


def printable(surfaces: list[tuple[AnyFloats, Ints]], wall_mm: float = 0.0) -> Body:
    """One body of all parts of a head.

    Parameters
    ----------
    surfaces
        Vertices (V, 3) in millimetres, +Y up, and triangles (T, 3) of each part; the skin first.
    wall_mm
        Thickness of the wall; 0 for a solid head.

    Raises
    ------
    ExportError
        The wall leaves no room inside.
    """
    from manifold3d import Manifold, OpType

    closed = [_closed(vertices, triangles) for vertices, triangles in surfaces]
    depth = _depth(closed)
    bodies = [body for mesh in closed if not (body := _body(*mesh)).is_empty()]
    inside = depth.surface(LINE_MM)
    if len(bodies) == len(closed):
        outer = Manifold.batch_boolean([*bodies, inside], OpType.Add)
    else:  # a part is no closed surface: the cubes know what is inside all the same
        outer = depth.surface(0.0)
    result = _largest(outer)
    if wall_mm > 0:
        cavity = depth.open_below().surface(wall_mm + _UNSURE)
        result = _largest(result - cavity)
        if cavity.is_empty() or result.is_empty():
            raise ExportError(
                f"a wall of {wall_mm:g} mm leaves no room inside this head; choose a thinner one, "
                "or 0 to print it solid"
            )
    mesh = result.simplify(_CRUMB_MM).to_mesh()
    triangles = np.asarray(mesh.tri_verts, np.int32)
    return Body(_parted(np.asarray(mesh.vert_properties[:, :3], np.float32), triangles), triangles)


@dataclass(frozen=True, slots=True, eq=False)
class _Depth:
    """How deep below the closed surface points lie, on a grid."""

    values: Floats
    """(X, Y, Z) mm; negative outside."""
    origin: Doubles
    """(3,) the first cube's centre."""

    def surface(self, depth: float) -> Manifold:
        """Everything at least so deep."""
        from manifold3d import Manifold

        values, (x0, y0, z0) = self.values, self.origin.tolist()
        top = [n - 1.001 for n in values.shape]
        item = values.item

        def at(x: float, y: float, z: float) -> float:
            x = min(max((x - x0) / _PITCH, 0.0), top[0])
            y = min(max((y - y0) / _PITCH, 0.0), top[1])
            z = min(max((z - z0) / _PITCH, 0.0), top[2])
            i, j, k = int(x), int(y), int(z)
            x, y, z = x - i, y - j, z - k
            low = (item(i, j, k) * (1 - z) + item(i, j, k + 1) * z) * (1 - y) + (
                item(i, j + 1, k) * (1 - z) + item(i, j + 1, k + 1) * z
            ) * y
            i += 1
            high = (item(i, j, k) * (1 - z) + item(i, j, k + 1) * z) * (1 - y) + (
                item(i, j + 1, k) * (1 - z) + item(i, j + 1, k + 1) * z
            ) * y
            return low * (1 - x) + high * x

        end = self.origin + _PITCH * (np.array(values.shape) - 1)
        return Manifold.level_set(at, [*self.origin.tolist(), *end.tolist()], _EDGE, depth)

    def open_below(self) -> _Depth:
        """The same as if the neck had no end: for a cavity that opens there."""
        filled = self.values > -(_CLOSE + 0.5) * _PITCH
        low = int(np.flatnonzero(filled.any((0, 2)))[0])
        filled[:, : low + 3] = filled[:, low + 3 : low + 4]
        # a border of the grid is no surface: without an outside beyond it, distances ignore it
        distance = ndimage.distance_transform_edt(filled) * _PITCH
        values = np.asarray(distance - (_CLOSE + 0.5) * _PITCH, np.float32)
        values[:, 0] = -1  # the surface that is cut away is closed all the same
        return _Depth(values, self.origin)


def _closed(vertices: AnyFloats, triangles: Ints) -> tuple[Doubles, Ints]:
    """A surface with its holes closed; the lowest one becomes a flat base."""
    loops = _loops(triangles)
    points, faces = [np.asarray(vertices, np.float64)], [triangles]
    count = len(vertices)
    lowest = min((float(points[0][loop, 1].min()) for loop in loops), default=0.0)
    for loop in loops:
        ring = points[0][loop]
        numbers = loop
        if ring[:, 1].min() == lowest:
            ring = ring * [1, 0, 1] + [0, lowest - BASE_MM, 0]
            points.append(ring)
            numbers = np.arange(count, count + len(loop))
            count += len(loop)
            after, below = np.roll(loop, -1), np.roll(numbers, -1)
            faces += [np.stack([after, loop, numbers], 1), np.stack([after, numbers, below], 1)]
        points.append(ring.mean(0)[None])
        middle = np.full(len(loop), count)
        count += 1
        faces.append(np.stack([np.roll(numbers, -1), numbers, middle], 1))
    return np.concatenate(points), np.concatenate(faces).astype(np.int32)


def _loops(triangles: Ints) -> list[Ints]:
    """The borders of a surface, each as vertices in the direction of its triangles."""
    following = {int(a): int(b) for a, b in boundary_edges(triangles)}
    loops = []
    while following:
        first = at = min(following)
        loop = []
        while at in following:
            loop.append(at)
            at = following.pop(at)
        if at == first and len(loop) > 2:
            loops.append(np.array(loop, np.int32))
    return loops


def _body(vertices: Doubles, triangles: Ints) -> Manifold:
    """Empty when the surface is not closed and oriented."""
    from manifold3d import Manifold, Mesh

    used, corners = np.unique(triangles, return_inverse=True)
    mesh = Mesh(
        np.ascontiguousarray(vertices[used], np.float32),
        np.ascontiguousarray(corners.reshape(-1, 3), np.uint32),
    )
    return Manifold(mesh)


def _parted(vertices: Floats, triangles: Ints) -> Floats:
    """Vertices of which no two lie in one place.

    Where two sheets touch in a vertex, a program that reads a file without numbers would weld them
    and find edges with four triangles; each moves a hair to its own inside.
    """
    _, place, count = np.unique(vertices, axis=0, return_inverse=True, return_counts=True)
    together = count[place.reshape(-1)] > 1
    normals = vertex_normals(vertices, triangles)
    return np.where(together[:, None], vertices - _CRUMB_MM * normals, vertices)


def _largest(body: Manifold) -> Manifold:
    """The piece with the largest volume; voids inside and crumbs are left out."""
    pieces = body.decompose()
    return max(pieces, key=lambda piece: float(piece.volume()), default=body)


def _depth(surfaces: list[tuple[Doubles, Ints]]) -> _Depth:
    samples = np.concatenate([_samples(*surface) for surface in surfaces])
    origin = samples.min(0) - _PAD * _PITCH
    size = np.ceil((samples.max(0) - origin) / _PITCH).astype(int) + _PAD + 1
    taken = np.zeros(size, bool)
    taken[tuple(np.rint((samples - origin) / _PITCH).astype(int).T)] = True
    taken = ndimage.binary_dilation(taken, iterations=_CLOSE)
    rooms, _ = ndimage.label(~taken)
    filled = rooms != rooms[0, 0, 0]
    inward = ndimage.distance_transform_edt(filled)
    outward = ndimage.distance_transform_edt(~filled)
    values = (inward - outward - _CLOSE - 0.5 * np.sign(inward - outward)) * _PITCH
    return _Depth(np.asarray(values, np.float32), origin)


def _samples(vertices: Doubles, triangles: Ints) -> Doubles:
    """Points on a surface, no further apart than half a cube."""
    corners = vertices[triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    steps = np.ceil(longest / (0.5 * _PITCH)).astype(int).clip(1)
    result = []
    for n in np.unique(steps):
        i, j = np.nonzero(np.add.outer(np.arange(n + 1), np.arange(n + 1)) <= n)
        weights = np.stack([n - i - j, i, j], 1) / n
        result.append(np.einsum("wc,tcx->twx", weights, corners[steps == n]).reshape(-1, 3))
    return np.concatenate(result)
