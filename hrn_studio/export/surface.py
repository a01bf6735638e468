"""Maps that follow from the head alone: how open, how rough, and what each texel belongs to.

Known at the vertices, drawn over the UV square, and continued past the edges of the islands so
that smaller copies (mipmaps) show no seams.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import distance_transform_edt

from hrn_studio.export.images import unit_to_8bit
from hrn_studio.export.textures import Texture
from hrn_studio.face.appearance import material_of
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.occlusion import hidden_directions, openness
from hrn_studio.geometry.raster import interpolate
from hrn_studio.geometry.uv import texel_map
from hrn_studio.records import AnyFloats, Bytes, Floats

LARGEST_PX = 1024
"""What is smooth between vertices gains nothing from more."""
_ROUGHNESS: Mapping[str, float] = {
    "lips": 0.36,
    "nose": 0.42,
    "forehead": 0.46,
    "ears": 0.54,
    "neck": 0.55,
    "scalp": 0.6,
    "inner_mouth": 0.25,
}
"""Of regions that differ from the skin's own; oilier skin and wet lips shine more (the order of
Weyrich et al. 2006, "Analysis of human faces using a measurement-based skin reflectance model")."""
_MOUTH, _EYES = ("teeth", "tongue"), ("eye",)


def surface_textures(
    head: HeadModel, neutral: AnyFloats, normals: AnyFloats, size: int
) -> dict[str, Texture]:
    """``orm`` (occlusion, roughness, metal) and ``masks`` (skin, mouth, eyes) for a person.

    Parameters
    ----------
    neutral, normals
        (V, 3) metres and unit, head frame.
    size
        Side of the other textures; these are as large, but no larger than
        :data:`LARGEST_PX`.
    """
    side = min(size, LARGEST_PX)
    hidden = hidden_directions(neutral, normals, head.triangles)
    is_open = openness(normals, hidden)
    rough = np.empty(head.vertex_count, np.float32)
    owners = np.zeros((head.vertex_count, 3), np.float32)
    for part in head.part_names:
        vertices = head.part_vertices(part)
        rough[vertices] = material_of(part).roughness
        stem = part.split("_")[0]
        owners[vertices, 1 if stem in _MOUTH else 2 if stem in _EYES else 0] = 1
        if stem in _EYES:
            is_open[vertices] = 1  # what lids hide from a globe is not painted on it: it turns
    skin = head.part_vertices("skin")
    for region, value in _ROUGHNESS.items():
        if region in head.regions:
            share = head.regions[region][skin]
            rough[skin] += share * (value - rough[skin])
    mouth = _mouth(head)[skin]
    owners[skin, 0], owners[skin, 1] = 1 - mouth, mouth
    packed = np.stack([is_open, rough, np.zeros_like(rough)], 1)
    drawn = _drawn(head, np.concatenate([packed, owners], 1), side)
    return {
        "orm": Texture(
            drawn[..., :3],
            coding={
                "values": "red: 255 open to light, 0 hidden by the head itself; green: roughness; "
                "blue: metal, none",
                "color_space": "linear",
            },
        ),
        "masks": Texture(
            drawn[..., 3:],
            coding={
                "values": "red: skin; green: lips and inside of the mouth; blue: eyes",
                "color_space": "linear",
            },
        ),
    }


def _mouth(head: HeadModel) -> Floats:
    """(V,) 0..1 lips and what lies behind them."""
    masks = [head.regions[name] for name in ("lips", "inner_mouth") if name in head.regions]
    if not masks:
        return np.zeros(head.vertex_count, np.float32)
    return np.asarray(np.minimum(np.sum(masks, axis=0), 1), np.float32)


def _drawn(head: HeadModel, values: Floats, size: int) -> Bytes:
    """(S, S, C) codes of vertex values 0..1; gaps take the nearest texel's."""
    fragments = texel_map(head.uv, head.uv_triangles, size)
    picture = unit_to_8bit(interpolate(fragments, head.triangles, values))
    nearest = distance_transform_edt(
        ~fragments.covered, return_distances=False, return_indices=True
    )
    return np.asarray(picture[tuple(nearest)])
