"""What the parts of a head are made of: the same for the viewer, the renders and the exports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Material:
    """How a part answers light (metallic-roughness; never metallic)."""

    name: str
    roughness: float
    textured: bool = True
    """Coloured by the albedo texture; else by ``color_linear``."""
    detailed: bool = False
    """The normal map applies."""
    color_linear: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Linear RGB, times the texture."""


SKIN = Material("skin", roughness=0.5, detailed=True)
EYES = Material("eyes", roughness=0.08)
TEETH = Material("teeth", roughness=0.25)
TONGUE = Material("tongue", roughness=0.35)
MATERIALS = (SKIN, EYES, TEETH, TONGUE)

_BY_STEM = {"eye": EYES, "teeth": TEETH, "tongue": TONGUE}


def material_of(part: str) -> Material:
    """The material of a part of the head: ``eye_left`` has the eyes', unknown parts the skin's."""
    return _BY_STEM.get(part.split("_")[0], SKIN)
