"""A reconstruction's maps as pictures, with what their numbers mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hrn_studio.export.images import (
    MID_LEVEL,
    normals_to_8bit,
    png,
    signed_scale,
    signed_to_16bit,
    unit_to_8bit,
)
from hrn_studio.records import AnyFloats, Maps, frozen

_FLAT = 128
"""Both sidewards codes of a normal that does not lean."""


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


def resized(texture: Texture, role: str, size: int) -> Texture:
    """A texture with another side; averaged down, cubic up; normals are made unit again."""
    side = texture.pixels.shape[0]
    if side == size:
        return texture
    method = Image.Resampling.BOX if size < side else Image.Resampling.BICUBIC
    pixels = texture.pixels if texture.pixels.ndim == 3 else texture.pixels[..., None]
    planes = [
        np.asarray(Image.fromarray(pixels[..., k].astype(np.float32)).resize((size, size), method))
        for k in range(pixels.shape[2])
    ]
    values = np.stack(planes, -1)
    if role.startswith("normal"):
        values = values / np.float32(127.5) - 1
        values /= np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-6)
        values = (values + 1) * np.float32(127.5)
    largest = np.iinfo(texture.pixels.dtype).max
    codes = np.clip(np.rint(values), 0, largest).astype(texture.pixels.dtype)
    return replace(texture, pixels=codes if texture.pixels.ndim == 3 else codes[..., 0])


def dx_normals(texture: Texture) -> Texture:
    """DirectX's flavour of a normal map: green, which is up, turned down; flat stays flat."""
    pixels = texture.pixels.copy()
    green = pixels[..., 1]
    pixels[..., 1] = np.where(green == _FLAT, _FLAT, 255 - green)
    coding = {**texture.coding, "green": "down (+Y along -v, DirectX)"}
    return Texture(pixels, coding=coding)


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
