"""HRN from one picture: the networks, then a fit of the texture alone.

As in the GitHub release and in ModelScope since v2.0.0: no coefficient is fitted.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hrn_studio.detail.hrn import losses
from hrn_studio.detail.hrn.alignment import STANDARD, Crop, align
from hrn_studio.detail.hrn.draw import draw
from hrn_studio.detail.hrn.fatface import grown
from hrn_studio.detail.hrn.hierarchy import Canvas, Estimate, Networks, estimate
from hrn_studio.detail.hrn.result import HrnFace, collect
from hrn_studio.detail.rasterizer import Rasterizer, rasterize
from hrn_studio.records import AnyFloats, Bytes, Floats, Progress, frozen

HD = 512
PAINT_STRENGTH = 0.02
"""How far a face is grown in a large crop (see :mod:`.fatface`)."""
TEXTURE_STEPS, TEXTURE_RATE = 100, 1e-2
PHOTO, SMOOTH = 1.92, 10.0
"""Weights of the texture fit's two losses."""


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A picture with what HRN needs to know about it."""

    crop: Crop
    """224"""
    crop_hd: Crop
    """512"""
    mask: Floats
    """(224, 224) 0..1: skin of the face that may be believed."""
    fat: Bytes
    """(224, 224, 3) the crop with the face grown by a few pixels, for the texture."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", frozen(self.mask, np.float32))
        object.__setattr__(self, "fat", frozen(self.fat, np.uint8))


def portrait(
    image: Bytes, landmarks: AnyFloats, mask: AnyFloats, standard: AnyFloats = STANDARD
) -> Portrait:
    """Crop a picture for the networks.

    Parameters
    ----------
    image
        (H, W, 3) RGB.
    landmarks
        (68, 2) iBUG landmarks, pixels, y up (:func:`.ibug.ibug_points`).
    mask
        (H, W) 0..1: skin of the face, without hair and what hides it.
    standard
        (5, 3) of ``similarity_Lm3D_all.mat``.

    Raises
    ------
    NoFaceError
        The landmarks make no sense.
    """
    crop = align(image, landmarks, standard=standard)
    fat = grown(crop.image, crop.landmarks_px)
    crop_hd = align(image, landmarks, HD, standard=standard)
    return Portrait(crop, crop_hd, np.clip(crop.cut(mask), 0, 1), fat)


@dataclass(frozen=True, slots=True, eq=False)
class Paint:
    """A larger crop, for textures finer than the networks' own."""

    image: Bytes
    """(S, S, 3) with the face grown along the jaw."""
    mask: Floats
    """(S, S) 0..1"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", frozen(self.image, np.uint8))
        object.__setattr__(self, "mask", frozen(self.mask, np.float32))


def paint(
    image: Bytes,
    landmarks: AnyFloats,
    mask: AnyFloats,
    side: int,
    standard: AnyFloats = STANDARD,
) -> Paint:
    """A crop of any size for :func:`.bake.bake`; parameters as in :func:`portrait`."""
    crop = align(image, landmarks, side, standard=standard)
    grown_image = grown(crop.image, crop.landmarks_px, PAINT_STRENGTH)
    return Paint(grown_image, np.clip(crop.cut(mask), 0, 1))


def reconstruct(
    canvas: Canvas,
    nets: Networks,
    face: Portrait,
    *,
    texture_steps: int = TEXTURE_STEPS,
    rasterizer: Rasterizer = rasterize,
) -> Generator[Progress, None, HrnFace]:
    """The official single-view reconstruction; about 5 s on two cores.

    Yields
    ------
    Progress
        Stages ``coarse`` and ``texture``.
    """
    yield Progress("coarse", 0.0, "asking HRN's networks")
    found = look(canvas, nets, face)
    yield Progress("texture", 0.5, "painting the face")
    texture = yield from fit_texture(canvas, found, face, texture_steps, rasterizer)
    return collect(
        *(found.placed, found.parts, found.layers),
        texture=texture,
        albedo=found.retouched,
        deformation=found.deformation,
        displacement=found.displacement,
        valid=found.valid,
        canvas=canvas,
        crop=face.crop,
    )


def look(canvas: Canvas, nets: Networks, face: Portrait) -> Estimate:
    """What the networks say about a picture."""
    device = canvas.uv.device
    return estimate(
        *(canvas, nets, as_tensor(face.crop.image, device), as_tensor(face.crop_hd.image, device)),
        mask_tensor(face.mask, device),
    )


def fit_texture(
    canvas: Canvas,
    found: Estimate,
    face: Portrait,
    steps: int = TEXTURE_STEPS,
    rasterizer: Rasterizer = rasterize,
) -> Generator[Progress, None, Tensor]:
    """The colours over UV (1, 3, 256, 256) that draw the picture best; the shape stays."""
    device = canvas.uv.device
    target, mask = as_tensor(face.fat, device), mask_tensor(face.mask, device)
    colour = found.layers.fine_colour.detach()
    with torch.no_grad():
        seen = draw(found.placed.camera[0], canvas.face.triangles, rasterizer=rasterizer)
        mask = mask * seen.cover
    offset = torch.zeros_like(colour, requires_grad=True)
    adam = torch.optim.Adam([offset], TEXTURE_RATE)
    for step in range(steps):
        drawn = seen.from_map(colour + offset, canvas.uv)
        loss = PHOTO * losses.photo(drawn, target, mask) + SMOOTH * losses.variation(offset)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        if step % 10 == 9:
            yield Progress("texture", 0.5 + 0.5 * (step + 1) / steps)
    return (colour + offset).detach()


def as_tensor(image: Bytes, device: torch.device | str = "cpu") -> Tensor:
    """(1, 3, H, W) 0..1 of a picture (H, W, 3)."""
    return torch.from_numpy(np.array(image)).to(device).permute(2, 0, 1)[None].float() / 255


def mask_tensor(mask: Floats, device: torch.device | str = "cpu") -> Tensor:
    """(1, 1, H, W) of a mask (H, W)."""
    return torch.from_numpy(np.array(mask, np.float32)).to(device)[None, None]
