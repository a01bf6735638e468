"""Which texels are which kind of skin, from the head's masks and where its eyes are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.detail.atlas import Atlas
from hrn_studio.detail.filters import blur, smoothstep
from hrn_studio.face.model import HeadModel
from hrn_studio.records import Bools, Floats, frozen


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
    above: Floats
    """Forehead and temples, where strands of hair fall."""
    inner: Floats
    """Inside of the mouth and behind the eyes: never seen as skin."""
    open: Floats
    """Share of even light that arrives (ambient occlusion)."""

    def __post_init__(self) -> None:
        for name in ("face", "plain", "edges", "brows", "eyes", "lips", "above", "inner", "open"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))


def zones(head: HeadModel, atlas: Atlas, openness: Floats) -> Zones:
    """The zones of a head.

    Parameters
    ----------
    openness
        (V,) from :func:`.occlusion.openness`.
    """
    skin = atlas.part(head, "skin")
    place = atlas.interpolate(head.mean, head.triangles)
    opened = np.where(skin, atlas.interpolate(openness, head.triangles), 0).astype(np.float32)
    lips = atlas.region(head, "lips")
    inner = np.maximum(atlas.region(head, "inner_mouth"), atlas.region(head, "eye_sockets"))
    face = atlas.region(head, "face") * (1 - inner)
    above = np.zeros_like(lips)
    brows = np.zeros_like(lips)
    eyes = np.zeros_like(lips)
    for eye in head.eyes:
        away = place - eye.center
        out = away[..., 0] * np.sign(eye.center[0])
        high = away[..., 1] / eye.radius
        wide = smoothstep(-2.6, -2.0, out / eye.radius) * smoothstep(3.1, 2.5, out / eye.radius)
        front = smoothstep(-0.5, 0.5, away[..., 2] / eye.radius)
        brows = np.maximum(
            brows, wide * front * smoothstep(0.8, 1.1, high) * smoothstep(2.7, 2.3, high)
        )
        temple = smoothstep(2.4, 3.0, out / eye.radius) * smoothstep(-1.5, -0.5, high)
        above = np.maximum(above, np.maximum(smoothstep(2.0, 2.6, high), temple))
        distance = np.sqrt((out / 1.35) ** 2 + away[..., 1] ** 2) / eye.radius
        eyes = np.maximum(eyes, front * smoothstep(1.2, 0.95, distance))
    above = above * face
    brows, eyes = np.where(skin, brows, 0), np.where(skin, eyes, 0)
    unit = atlas.size / 512
    mouth = smoothstep(0.05, 0.3, blur(lips, 4 * unit))
    plain = face * (1 - brows) * (1 - eyes) * (1 - mouth) * smoothstep(0.45, 0.7, opened)
    edges = np.maximum(np.maximum(eyes, mouth), smoothstep(0.75, 0.5, opened) * face)
    return Zones(skin, face, plain, edges, brows, eyes, lips, above, inner, opened)
