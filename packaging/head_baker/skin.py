"""The skin's texture islands and masks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hrn_studio.geometry.mesh import boundary_edges, triangle_neighbours
from hrn_studio.geometry.uv import islands

from . import layout, masks
from .source import Source

Array = NDArray[Any]

Box = tuple[tuple[float, float], tuple[float, float]]
BOXES: dict[str, Box] = {
    "eye_right": ((0.0, 0.0), (0.168, 0.168)),
    "socket_right": ((0.168, 0.0), (0.258, 0.14)),
    "mouth": ((0.262, 0.0), (0.446, 0.14)),
    "tongue": ((0.446, 0.0), (0.525, 0.14)),
    "teeth_upper": ((0.525, 0.07), (0.742, 0.14)),
    "teeth_lower": ((0.525, 0.0), (0.742, 0.07)),
    "socket_left": ((0.742, 0.0), (0.832, 0.14)),
    "eye_left": ((0.832, 0.0), (1.0, 0.168)),
}
"""Where the small islands sit in the square: low and high corners."""
HEAD, MOUTH, THROAT, SOCKET_RIGHT, SOCKET_LEFT = range(5)
"""The source's islands of the skin."""


def source_islands(points: Array, triangles: Array, source_uv: Array) -> tuple[Array, Array]:
    """Number of the source's texture island per triangle and per vertex (rims: the head's)."""
    found = islands(source_uv, int(source_uv.max()) + 1)
    middle = points[triangles].mean(1)
    number = np.full(len(triangles), -1)
    for island in np.unique(found):
        mine = found == island
        x, y = middle[mine, 0].mean(), middle[mine, 1].mean()
        if mine.sum() > 5000:
            number[mine] = HEAD
        elif abs(x) > 0.01:
            number[mine] = SOCKET_LEFT if x > 0 else SOCKET_RIGHT
        else:
            number[mine] = MOUTH if y > -0.09 else THROAT
    vertex = np.zeros(len(points), int)
    for island in (MOUTH, SOCKET_RIGHT, SOCKET_LEFT, THROAT, HEAD):
        vertex[triangles[number == island]] = island
    return number, vertex


def mouth_rim(triangles: Array, number: Array) -> Array:
    """Vertices between the head's island and the mouth's, in order around the mouth."""
    after = {int(a): int(b) for a, b in boundary_edges(triangles[number == HEAD])}
    both = np.intersect1d(triangles[number == HEAD], triangles[number == MOUTH])
    rim = [int(both[0])]
    while after[rim[-1]] != rim[0]:
        rim.append(after[rim[-1]])
    return np.array(rim)


def line_mouth(points: Array, components: Array, place: Array, rim: Array) -> Array:
    """Components (I, V, 3) where the inside of the mouth goes along with the skin outside it.

    In the source it moves on its own and comes out beside the nose or under the lip in some heads.
    """
    inside = np.flatnonzero(place == MOUTH)
    outside = np.flatnonzero((place == HEAD) & (points[:, 2] > -0.10))
    distance, index = cKDTree(points[outside]).query(points[inside], k=12)
    weight = 1 / (distance + 0.002) ** 2
    weight /= weight.sum(1, keepdims=True)
    along = np.einsum("nk,inkc->inc", weight, components[:, outside[index]])
    depth, _ = cKDTree(points[rim]).query(points[inside])
    share = masks.step(depth, 0.001, 0.008)[:, None]
    result = components.copy()
    result[:, inside] = components[:, inside] * (1 - share) + along * share
    return result


def regions(
    source: Source, points: Array, triangles: Array, mirror: Array, place: Array, uv: Array
) -> dict[str, Array]:
    """Masks of the skin; ``place`` as of :func:`source_islands`, ``uv`` (V, 2) the source's."""
    pictures = {}
    for name in ("face", "lips", "ears", "inside-mouth"):
        values = masks.picture(source.textures, name, uv)
        pictures[name] = 0.5 * (values + values[mirror])
    return masks.regions(points, triangles, mirror, pictures, place)


def texture(
    points: Array,
    triangles: Array,
    mirror: Array,
    number: Array,
    source_uv: Array,
    source_uv_triangles: Array,
    found: dict[str, Array],
) -> tuple[Array, Array]:
    """The skin's texture vertices (U, 2) and triangles (T, 3)."""
    scale = layout.density(points, triangles, found)
    outer = np.flatnonzero((number == HEAD) | (number == THROAT))
    face = found["face"] + found["eye_sockets"]
    pieces = [layout.head(points, triangles[outer], outer, mirror, scale, np.minimum(face, 1))]

    near = _near_rim(triangles, number, len(points))

    def small(island: int, box: str) -> layout.Island:
        mine = np.flatnonzero(number == island)
        piece = layout.patch(
            points, triangles[mine], mine, source_uv, source_uv_triangles[mine], near
        )
        return layout.fit(piece, *BOXES[box])

    pieces.append(small(MOUTH, "mouth"))
    left = small(SOCKET_LEFT, "socket_left")
    pieces.append(left)
    # The right socket is the left one's mirror image; each of its vertices has one place.
    at = np.full(len(points), -1)
    at[triangles[left.triangles]] = left.uv_triangles
    right = np.flatnonzero(number == SOCKET_RIGHT)
    pieces.append(layout.Island(right, left.uv * [-1, 1] + [1, 0], at[mirror[triangles[right]]]))
    uv_triangles = np.zeros_like(triangles)
    begin = 0
    for piece in pieces:
        uv_triangles[piece.triangles] = piece.uv_triangles + begin
        begin += len(piece.uv)
    return np.concatenate([p.uv for p in pieces]), uv_triangles


def _near_rim(triangles: Array, number: Array, count: int) -> Array:
    """Wanted scale (V,) inside mouth and sockets: 1 at the rim, less deep inside."""
    across = triangle_neighbours(triangles)
    differs = (across >= 0) & (number[across] != number[:, None])
    rim = np.zeros(count)
    rim[triangles[differs.any(1)]] = 1.0
    return np.asarray(0.45 + 0.55 * np.minimum(1, 2 * masks.smooth(rim, triangles, 3)))
