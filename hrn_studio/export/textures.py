"""A reconstruction's maps as pictures, with what their numbers mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from hrn_studio.export.images import (
    MID_LEVEL,
    normals_to_8bit,
    png,
    signed_scale,
    signed_to_16bit,
    unit_to_8bit,
)
from hrn_studio.records import AnyFloats, Maps, frozen


@dataclass(frozen=True, eq=False)
class Texture:
    """A picture over the UV square, as it will be stored."""

    pixels: NDArray[Any]
    """(S, S) or (S, S, 3), uint8 or uint16; row 0 at v = 1."""
    srgb: bool = False
    coding: Mapping[str, Any] = field(default_factory=dict)
    """What the numbers mean, for the manifest."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pixels", frozen(self.pixels))

    @cached_property
    def png(self) -> bytes:
        """The PNG file; made once."""
        return png(self.pixels, self.srgb)


def make_textures(maps: Maps) -> dict[str, Texture]:
    """``albedo``, ``normal``, ``displacement``, ``confidence`` and ``deformation``."""
    return {
        "albedo": Texture(
            maps.albedo_srgb,
            srgb=True,
            coding={"values": "base colour, light divided out", "color_space": "sRGB"},
        ),
        "normal": Texture(
            normals_to_8bit(maps.normal),
            coding={
                "values": "tangent-space normal",
                "color_space": "linear",
                "green": "up (+Y along +v, OpenGL); DirectX needs it flipped",
                "decode": "n = code / 255 * 2 - 1",
            },
        ),
        "displacement": _lengths(
            maps.displacement, "distance along the smooth normal, outwards is positive"
        ),
        "confidence": Texture(
            unit_to_8bit(maps.confidence),
            coding={
                "values": "255 seen well by the cameras, 0 invented",
                "color_space": "linear",
            },
        ),
        "deformation": _lengths(
            maps.deformation, "x, y, z added to the coarse head, in the head frame"
        ),
    }


def _lengths(values: AnyFloats, what: str) -> Texture:
    scale = signed_scale(values)
    coding = {
        "values": what,
        "color_space": "linear",
        "mid_level": MID_LEVEL,
        "scale_m": scale,
        "decode": "metres = (code / 65535 - mid_level) * scale_m",
    }
    return Texture(signed_to_16bit(values, scale), coding=coding)
