"""What every step of the textures needs to know about a head, and light as texels see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hrn_studio.detail import light, occlusion
from hrn_studio.detail.atlas import Atlas
from hrn_studio.detail.blending import Blend
from hrn_studio.detail.displacement import marks
from hrn_studio.detail.filters import pool, smoothstep
from hrn_studio.detail.folds import folds, light_gradient, slope_vectors
from hrn_studio.detail.sight import Sight
from hrn_studio.detail.zones import Zones, zones
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import triangle_areas, vertex_normals
from hrn_studio.geometry.raster import Fragments, rasterize
from hrn_studio.geometry.uv import uv_areas
from hrn_studio.records import AnyFloats, Bools, Floats, Ints, View

ANALYSIS = 512
"""Texels a side of the atlas on which all that changes slowly is found."""
LIGHT = 128
"""And of that on which the light is."""


@dataclass(frozen=True, slots=True, eq=False)
class Groundwork:
    """What all steps need to know about the head."""

    small: Atlas
    mirror: Ints
    normals: Floats
    hidden: occlusion.Hidden
    zones: Zones
    texel_m: float
    """Side of a small texel on the face, metres."""
    skin_triangles: Bools
    """(T,)"""

    @classmethod
    def begin(
        cls,
        head: HeadModel,
        neutral: AnyFloats,
        size: int,
        draw: Callable[..., Fragments] = rasterize,
    ) -> Groundwork:
        small = Atlas.of(head.uv, head.uv_triangles, min(ANALYSIS, size))
        normals = vertex_normals(neutral, head.triangles)
        texel_m = _texel_m(head, neutral, small.size)
        hidden = occlusion.hidden_directions(neutral, normals, head.triangles, draw=draw)
        return cls(
            small,
            small.mirror(head),
            normals,
            hidden,
            zones(head, small, occlusion.openness(normals, hidden), texel_m),
            texel_m,
            head.triangle_part == head.part_names.index("skin"),
        )


def estimate_light(
    head: HeadModel,
    work: Groundwork,
    sights: Sequence[Sight],
    transfers: Sequence[Floats],
    white_balance: bool,
    whites: Sequence[float] = (),
) -> light.Lighting:
    factor = max(work.small.size // LIGHT, 1)
    tiny = Atlas.of(head.uv, head.uv_triangles, work.small.size // factor)
    pooled = [pool(s.colour, s.trust * work.zones.plain, factor) for s in sights]
    return light.estimate(
        [colour for colour, _ in pooled],
        [weight for _, weight in pooled],
        [tiny.interpolate(t, head.triangles) for t in transfers],
        tiny.mirror(head),
        white_balance=white_balance,
        whites=whites,
    )


def vertex_shading(head: HeadModel, transfer: Floats, coefficients: Floats) -> Floats:
    """(V, 3) light on each vertex, kept above 8 % of the face's middle so it can be divided by."""
    raw = np.einsum("vkc,kc->vc", transfer, coefficients)
    face = head.regions["face"] > 0.5 if "face" in head.regions else slice(None)
    return light.soft_floor(raw, 0.08 * float(np.median(np.maximum(raw[face], 0))))


def lit(shade: Floats) -> Floats:
    """(A, A) 0..1: less where so little light falls that dividing by it is guessing."""
    bright = shade @ light.LUMINANCE.astype(np.float32)
    middle = float(np.median(bright[bright > 0]))
    return smoothstep(0.12, 0.40, bright / max(middle, 1e-6))


def hardness(sights: Sequence[Sight], zone: Zones) -> float:
    """0..1 how far the light is one lamp from the side that leaves part of the face dark.

    By how much darker the darker fifth of the plain skin is than its middle; the hardest picture
    counts.
    """
    found = [0.0]
    for sight in sights:
        skin = (sight.trust > 0.5) & (zone.plain > 0.5)
        if skin.sum() < 500:
            continue
        low, middle = np.percentile(sight.colour[skin] @ light.LUMINANCE, [20, 60])
        found.append(float(smoothstep(0.35, 0.2, np.array(low / max(middle, 1e-6)))))
    return max(found)


def light_at_eyes(head: HeadModel, shading: Floats) -> Floats:
    """(3,) light on the skin right around the eyes, some of which lids keep away."""
    near = [np.linalg.norm(head.mean - e.center, axis=1) < 1.5 * e.radius for e in head.eyes]
    chosen = np.any(near, axis=0) & (head.mean[:, 2] > 0) if near else slice(None)
    return np.asarray(np.median(shading[chosen], axis=0), np.float32)


def _texel_m(head: HeadModel, vertices: AnyFloats, size: int) -> float:
    """Middle side of a texel on the face, metres."""
    face = head.regions["face"] if "face" in head.regions else np.ones(head.vertex_count)
    chosen = face[head.triangles].min(axis=1) > 0.5
    area = triangle_areas(vertices, head.triangles[chosen])
    flat = np.abs(uv_areas(head.uv, head.uv_triangles[chosen])) * size**2
    good = flat > 1e-6
    return float(np.sqrt(np.median(area[good] / flat[good])))


def coarse_relief(
    head: HeadModel,
    neutral: AnyFloats,
    work: Groundwork,
    mix: Blend,
    views: Sequence[View],
    lights: Floats,
    trust: Floats,
    sure: Floats,
) -> Floats:
    """(A, A) displacement in metres by :func:`.folds.folds`, from all pictures' shading at once.

    ``sure`` (A, A) 0..1 says where a dark line is a fold, whatever its hue.
    """
    first, second = slope_vectors(neutral, head.triangles, head.uv, head.uv_triangles)
    shape = (work.small.size, work.small.size)
    pull = np.zeros((*shape, 2), np.float32)
    triangle = np.maximum(work.small.triangle, 0)
    for view, one, share in zip(views, lights, mix.weights, strict=True):
        rotation = view.state.T_camera_head[:3, :3]
        turned = vertex_normals(view.vertices, head.triangles) @ rotation.T
        gradient = light_gradient(turned, one @ light.LUMINANCE) @ rotation
        field = work.small.interpolate(gradient, head.triangles)
        for k, vectors in enumerate((first, second)):
            along = np.einsum("abc,abc->ab", field, vectors.astype(np.float32)[triangle])
            pull[..., k] += share * along * work.small.size
    log = np.log(np.maximum(mix.albedo, 0.004))
    bright = log @ light.LUMINANCE.astype(np.float32)
    known = np.maximum(trust, 1e-3)
    weight = trust * (1 - marks(log, bright, known, work.texel_m) * (1 - sure))
    return folds(bright, weight, pull, work.texel_m)
