"""Parts that no picture shows well, painted: eyes, teeth, tongue, the inside of the mouth."""

from __future__ import annotations

import numpy as np

from hrn_studio.detail.atlas import Atlas
from hrn_studio.detail.compose import encoding_table
from hrn_studio.detail.eyes import EyeColours, paint_eye
from hrn_studio.detail.filters import smoothstep
from hrn_studio.detail.shading import linear_from_srgb
from hrn_studio.face.model import HeadModel
from hrn_studio.records import AnyFloats, Bools, Bytes, Doubles, Floats

TONGUE = (0.36, 0.125, 0.115)
TEETH = (0.60, 0.53, 0.42)
GUMS = (0.36, 0.125, 0.12)
MOUTH = (0.20, 0.055, 0.050)
"""Linear albedos."""


def paint_parts(
    head: HeadModel, atlas: Atlas, picture: Bytes, colours: EyeColours, skin: Doubles
) -> Bytes:
    """A copy of a texture with all parts but the outer skin painted.

    Parameters
    ----------
    picture
        (S, S, 3) sRGB.
    skin
        (3,) linear: what lies behind the eyes is this, reddened.
    """
    result = picture.copy()
    for eye in head.eyes:
        where, paint = paint_eye(head, eye, atlas, colours)
        result[where] = _encoded(paint)
    for name in head.part_names[1:]:
        if name.startswith("eye_"):
            continue
        where = atlas.part(head, name)
        result[where] = _encoded(_soft_part(head, atlas, where))
    flesh = tuple(skin * (0.8, 0.45, 0.42))
    for region, colour in (("inner_mouth", MOUTH), ("eye_sockets", flesh)):
        if region not in head.regions:
            continue
        mask = head.regions[region]
        touched = (mask[head.triangles].max(axis=1) > 0) & (head.triangle_part == 0)
        where = atlas.covered & touched[atlas.triangle]
        share = _at(mask, head, atlas, where)[:, None]
        under = linear_from_srgb(picture[where] / 255.0)
        result[where] = _encoded(under + share * (np.array(colour) - under))
    return result


def _soft_part(head: HeadModel, atlas: Atlas, where: Bools) -> Floats:
    """(N, 3) colours of teeth, gums and tongue by the head's masks."""
    colour = np.tile(np.array(TONGUE, np.float32), (int(where.sum()), 1))
    for region, paint in (("gums", GUMS), ("enamel", TEETH)):
        if region in head.regions:
            share = _at(head.regions[region], head, atlas, where)
            colour += smoothstep(0.3, 0.7, share)[:, None] * (np.array(paint, np.float32) - colour)
    return colour


def _at(mask: Floats, head: HeadModel, atlas: Atlas, where: Bools) -> Floats:
    """A mask (V,) at some texels, (N,)."""
    corners = head.triangles[atlas.triangle[where]]
    return np.asarray((atlas.barycentric[where] * mask[corners]).sum(axis=1), np.float32)


def _encoded(linear: AnyFloats | Floats) -> Bytes:
    table = encoding_table()
    root = np.sqrt(np.clip(np.asarray(linear, np.float64), 0, 1))
    return np.asarray(table[np.rint((len(table) - 1) * root).astype(np.int64)], np.uint8)
