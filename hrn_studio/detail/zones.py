"""Which texels are which kind of skin, from the head's masks and where its eyes are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.detail.atlas import Atlas
from hrn_studio.detail.filters import blur, smoothstep
from hrn_studio.face.model import HeadModel
from hrn_studio.records import Bools, Floats, frozen

_SOFT = ("face", "plain", "edges", "brows", "eyes", "lips", "nose", "above", "ears", "inner")


@dataclass(frozen=True, slots=True, eq=False)
class Zones:
    """Soft masks (A, A) 0..1 over a small atlas; ``skin`` alone is a bool."""

    skin: Bools
    face: Floats
    plain: Floats
    """Face skin without features: no brows, lids, lips, nostrils, scalp, ears."""
    edges: Floats
    """Around eyes and mouth, where skin ends at a line that must be kept."""
    brows: Floats
    eyes: Floats
    lips: Floats
    nose: Floats
    """The nose and its underside, where no hair grows."""
    above: Floats
    """Forehead, temples, sides and scalp, where hair falls."""
    ears: Floats
    """Ears and what is around them: never where the fit has them, so the picture's would double."""
    inner: Floats
    """Inside of the mouth and behind the eyes: never seen as skin."""
    open: Floats
    """Share of even light that arrives (ambient occlusion)."""

    def __post_init__(self) -> None:
        for name in _SOFT:
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))


def zones(head: HeadModel, atlas: Atlas, openness: Floats, texel_m: float) -> Zones:
    """The zones of a head.

    Parameters
    ----------
    openness
        (V,) from :func:`.occlusion.openness`.
    texel_m
        Side of a texel on the face, metres.
    """
    skin = atlas.part(head, "skin")
    opened = np.where(skin, atlas.interpolate(openness, head.triangles), 0).astype(np.float32)
    inner = atlas.region(head, "inner_mouth", "eye_sockets")
    lips, brows = atlas.region(head, "lips"), atlas.region(head, "brows")
    face = atlas.region(head, "face") * (1 - inner)
    eyes, temples = _around_eyes(head, atlas)
    eyes, temples = np.where(skin, eyes, 0), np.where(skin, temples, 0)
    above = np.maximum(atlas.region(head, "forehead", "scalp"), temples * face)
    mouth = smoothstep(0.05, 0.4, blur(lips, 0.002 / texel_m))
    ears = smoothstep(0.02, 0.3, blur(atlas.region(head, "ears"), 0.006 / texel_m))
    brow = smoothstep(0.05, 0.4, blur(brows, 0.002 / texel_m))
    bare = 1 - np.maximum.reduce([brow, eyes, mouth, ears, atlas.region(head, "nostrils")])
    plain = face * bare * smoothstep(0.45, 0.7, opened)
    edges = np.maximum(np.maximum(eyes, mouth), smoothstep(0.75, 0.5, opened) * face)
    nose = atlas.region(head, "nose", "nostrils") * (1 - eyes)
    return Zones(skin, face, plain, edges, brow, eyes, lips, nose, above, ears, inner, opened)


def _around_eyes(head: HeadModel, atlas: Atlas) -> tuple[Floats, Floats]:
    """The lids and what moves with them, and the temples."""
    place = atlas.interpolate(head.mean, head.triangles)
    eyes = np.zeros((atlas.size, atlas.size), np.float32)
    temples = np.zeros_like(eyes)
    for eye in head.eyes:
        away = (place - eye.center) / eye.radius
        out = away[..., 0] * np.sign(eye.center[0])
        front = smoothstep(-0.5, 0.5, away[..., 2])
        distance = np.hypot(out / 1.35, away[..., 1])
        eyes = np.maximum(eyes, front * smoothstep(1.2, 0.95, distance))
        low = smoothstep(-1.5, -0.5, away[..., 1])
        side = np.maximum(smoothstep(2.4, 3.0, out) * low, smoothstep(3.0, 3.5, out))
        temples = np.maximum(temples, side)
    return eyes, temples
