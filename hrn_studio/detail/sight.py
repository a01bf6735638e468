"""How well one picture shows each texel.

``trust`` says whether the picture can be believed there at all: the texel faces the lens, nothing
is in front of it, the mask calls it skin, and no outline is near enough for a small error of the
fit to bring in hair or background.  ``score`` says how good it is among pictures that can be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hrn_studio.detail.atlas import Atlas
from hrn_studio.detail.filters import smoothstep
from hrn_studio.detail.sampling import Pyramid, accumulate, pixels_per_texel, pyramid
from hrn_studio.geometry import transforms
from hrn_studio.geometry.raster import Fragments, rasterize
from hrn_studio.records import Bools, Camera, Doubles, Floats, Ints, View, frozen

_DRAWN_PX = 640  # longest side of the head's box in the depth picture
_JUMP_M = 0.006  # depth difference of neighbours that makes an outline
_BIAS_M = 0.0015
_FEATHER_M = 0.006  # from outlines, hair and background; less where features end at an edge
_FEATHER_FINE_M = 0.0012


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One picture as the texels of a small atlas see it."""

    colour: Floats
    """(A, A, 3) linear RGB, zero where there is no trust."""
    trust: Floats
    """(A, A) 0..1"""
    score: Floats
    """(A, A) >= 0, for choosing between pictures: facing and resolution."""
    picture: Pyramid
    corners: Floats
    """(T, 3, 3) metres, camera frame."""
    footprint: Floats
    """(T,) pixels a texel of the small atlas."""

    def __post_init__(self) -> None:
        for name in ("colour", "trust", "score", "corners", "footprint"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))


def look(
    view: View,
    normals: Floats,
    atlas: Atlas,
    triangles: Ints,
    uv_corners: Floats,
    skin_triangles: Bools,
    fine_edges: Floats,
    draw: Callable[..., Fragments] = rasterize,
) -> Sight:
    """Read a picture at every texel and judge it.

    Parameters
    ----------
    normals
        (V, 3) unit, of the view's vertices, head frame.
    atlas
        The small one.
    triangles, uv_corners
        (T, 3) of the whole head, and (T, 3, 2).
    skin_triangles
        (T,) what may take colour from the picture.
    fine_edges
        (A, A) 0..1: 1 around eyes, nostrils and mouth, where skin is believed up to the edge.
    draw
        :func:`hrn_studio.geometry.raster.rasterize` or what answers like it.
    """
    camera = view.state.camera
    points = transforms.apply(view.state.T_camera_head, view.vertices)
    corners = points[triangles].astype(np.float32)
    box = _box(points, camera)
    footprint = pixels_per_texel(corners, uv_corners, camera, atlas.size)
    depth = max(int(np.ceil(np.log2(max(float(np.percentile(footprint, 99)), 1.0)))), 0)
    picture = pyramid(view.frame.image, box, depth)

    inside = atlas.covered & skin_triangles[atlas.triangle]
    seen = atlas.triangle[inside]
    weights = atlas.barycentric[inside]
    place = np.einsum("pk,pkc->pc", weights, corners[seen])
    up = np.einsum("pk,pkc->pc", weights, normals[triangles[seen]])
    up = up @ view.state.T_camera_head[:3, :3].T
    up /= np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-9)
    facing = -np.einsum("pc,pc->p", up, place) / np.linalg.norm(place, axis=1)

    small, scale = _drawn(camera, box)
    drawn = draw(points, triangles, small)
    near, margin = _margins(drawn, skin_triangles, view.mask, small, scale, box)
    pixels = transforms.project(np.maximum(place, (-9, -9, 1e-3)), small)
    columns = np.clip(pixels[:, 0].astype(np.int64), 0, small.width - 1)
    rows = np.clip(pixels[:, 1].astype(np.int64), 0, small.height - 1)
    slope = np.sqrt(1 / np.clip(facing, 0.1, 1) ** 2 - 1)
    pixel = place[:, 2] / small.focal_px
    visible = place[:, 2] <= near[rows, columns] + _BIAS_M + 1.5 * slope * pixel
    inner = (pixels > 1).all(axis=1) & (pixels < (small.width - 1, small.height - 1)).all(axis=1)
    wide = _FEATHER_M + (_FEATHER_FINE_M - _FEATHER_M) * fine_edges[inside]
    off = ndimage.map_coordinates(margin, (pixels[:, 1] - 0.5, pixels[:, 0] - 0.5), order=1)
    clear = smoothstep(0.2, 1.0, off * pixel / wide)
    clear *= 1 - _clipped(view, box, pixels / scale)

    trust = np.zeros((atlas.size, atlas.size), np.float32)
    trust[inside] = np.where(visible & inner, smoothstep(0.12, 0.45, facing) * clear, 0)
    score = np.zeros_like(trust)
    score[inside] = np.clip(facing, 0, 1) ** 2 * np.minimum(footprint[seen], 3.0)
    colour = np.zeros((atlas.size, atlas.size, 3), np.float32)
    total = np.zeros_like(trust)
    accumulate(
        picture,
        camera,
        atlas.triangle,
        atlas.barycentric,
        corners,
        footprint,
        np.ones((atlas.size, atlas.size, 3), np.float32),
        trust,
        colour,
        total,
    )
    colour /= np.maximum(total, 1e-6)[..., None]
    return Sight(colour, trust, score * (trust > 0), picture, corners, footprint)


def _clipped(view: View, box: tuple[int, int, int, int], pixels: Doubles) -> Floats:
    """(P,) 0..1 where the picture is blown out, at places relative to the box's corner."""
    part = view.frame.image[box[1] : box[3], box[0] : box[2]]
    glare = smoothstep(247.0, 254.0, part.min(axis=2))
    places = (pixels[:, 1] - 0.5, pixels[:, 0] - 0.5)
    return np.asarray(ndimage.map_coordinates(glare, places, order=1, mode="nearest"))


def _box(points: Doubles, camera: Camera) -> tuple[int, int, int, int]:
    """The head's rectangle in the picture, with a small margin; never empty."""
    pixels = transforms.project(np.maximum(points, (-9, -9, 1e-3)), camera)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    margin = 0.02 * float((high - low).max()) + 4
    left, top = np.clip(low - margin, 0, (camera.width - 8, camera.height - 8)).astype(int)
    right, bottom = np.ceil(np.minimum(high + margin, (camera.width, camera.height))).astype(int)
    return int(left), int(top), int(max(right, left + 8)), int(max(bottom, top + 8))


def _drawn(camera: Camera, box: tuple[int, int, int, int]) -> tuple[Camera, float]:
    """A camera for the depth picture of the box, and its scale against the picture."""
    left, top, right, bottom = box
    scale = min(_DRAWN_PX / max(right - left, bottom - top), 2.0)
    width, height = round((right - left) * scale), round((bottom - top) * scale)
    centre = ((camera.center_px[0] - left) * scale, (camera.center_px[1] - top) * scale)
    return Camera(width, height, camera.focal_px * scale, centre), scale


def _margins(
    drawn: Fragments,
    skin_triangles: Bools,
    mask: Floats,
    small: Camera,
    scale: float,
    box: tuple[int, int, int, int],
) -> tuple[Floats, Floats]:
    """Depth, and distance in pixels to the nearest thing that is not plainly visible skin."""
    rows = np.clip(((np.arange(small.height) + 0.5) / scale).astype(int) + box[1], 0, len(mask) - 1)
    columns = ((np.arange(small.width) + 0.5) / scale).astype(int) + box[0]
    shown = mask[rows][:, np.clip(columns, 0, mask.shape[1] - 1)] > 0.5
    good = shown & drawn.covered & skin_triangles[drawn.triangle]
    depth = np.where(drawn.covered, drawn.depth, np.float32(99))
    front = ndimage.minimum_filter(depth, 3)
    good &= depth - front < _JUMP_M
    return drawn.depth, ndimage.distance_transform_edt(good).astype(np.float32)
