"""The reconstruction itself: coefficients, then a deformation map, then a displacement map.

Each level looks at the picture laid over the level before (the paper's figure of the pipeline):

1. a face of the model, from the regression;
2. a map of offsets (64 x 64, at most ``0.1 alpha`` decimetres) for what the model cannot make;
3. a map of distances along the normal (256 x 256, at most ``0.1 beta``) for wrinkles and pores.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hrn_studio.detail.hrn import camera
from hrn_studio.detail.hrn.bfm import FaceModel
from hrn_studio.detail.hrn.dense import grid_normals
from hrn_studio.detail.hrn.generator import Generator
from hrn_studio.detail.hrn.masks import smoothed
from hrn_studio.detail.hrn.resnet import Parts, Regression
from hrn_studio.detail.hrn.retouch import Retouch, blemished
from hrn_studio.detail.hrn.texels import SIZE, Unwrap, sample_map, sample_picture

MIDDLE = 64
"""Side of the deformation map."""
REACH = 0.1
"""Decimetres a map's value of 1 moves the surface, before alpha and beta."""


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """The face model with its UV layout and albedo."""

    face: FaceModel
    uv: Tensor
    """(N, 2) u right, v up, one point per vertex."""
    unwrap: Unwrap
    albedo_basis: Tensor
    """(512 * 512 * 3, 80) by row, column and colour; 0..255."""
    albedo_mean: Tensor
    """(512 * 512 * 3,)"""

    def albedo(self, texture: Tensor) -> Tensor:
        """The model's albedo (B, 3, 256, 256), about 0..1, for coefficients (B, 80)."""
        flat = (texture @ self.albedo_basis.T + self.albedo_mean) / 255
        side = round((flat.shape[1] / 3) ** 0.5)
        return resized(flat.reshape(-1, side, side, 3).permute(0, 3, 1, 2), SIZE)

    def to(self, device: str | torch.device) -> Canvas:
        """The same on another device."""
        return Canvas(*(getattr(self, name).to(device) for name in self.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """The networks of a single-view reconstruction, in evaluation mode."""

    regression: Regression
    middle: Generator
    high: Generator
    retouch: Retouch
    alpha: Tensor
    """(1,) how far deformations reach."""
    beta: Tensor
    """(1,) how far displacements reach."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A face in front of the camera."""

    shape: Tensor
    """(B, N, 3) without pose."""
    R: Tensor
    """(B, 3, 3) world from model."""
    world: Tensor
    """(B, N, 3) posed."""

    @property
    def camera(self) -> Tensor:
        """(B, N, 3) in camera space."""
        return camera.to_camera(self.world)

    @property
    def places(self) -> Tensor:
        """(B, N, 2) pixels in a crop of 224, y up."""
        return camera.project(self.camera)


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """The finest level: positions, normals and colours over UV; each (B, 3, 256, 256)."""

    positions: Tensor
    """In the world, displaced."""
    normals: Tensor
    """Of the deformed face, in the world."""
    fine_normals: Tensor
    """With what the displacement adds, not of unit length."""
    middle_colour: Tensor
    """The albedo lit on ``normals``."""
    fine_colour: Tensor
    """The albedo lit on ``fine_normals``."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """What the networks say about one or more crops."""

    parts: Parts
    placed: Placed
    """With the deformation."""
    position_map: Tensor
    """(B, 3, 256, 256) of the undeformed face without pose."""
    texture_map: Tensor
    """(B, 3, 256, 256) the picture laid over the undeformed face."""
    valid: Tensor
    """(B, 1, 256, 256) where the picture shows the face, smoothed."""
    deformation: Tensor
    """(B, 3, 64, 64) decimetres, model axes."""
    displacement: Tensor
    """(B, 1, 256, 256) decimetres."""
    albedo: Tensor
    """(B, 3, 256, 256) the model's."""
    retouched: Tensor
    """(B, 3, 256, 256) with the picture's blemishes."""
    layers: Layers


def resized(values: Tensor, size: int) -> Tensor:
    """Maps at another size, as every network of the published code has them."""
    result: Tensor = F.interpolate(values, (size, size), mode="bilinear", align_corners=False)
    return result


def place(canvas: Canvas, parts: Parts, deformation: Tensor | None = None) -> Placed:
    """The model's face, deformed by a map (B, 3, S, S) where one is given, in the world."""
    shape = canvas.face.shape(parts.identity, parts.expression)
    if deformation is not None:
        shape = shape + sample_map(deformation, canvas.uv)
    R = camera.rotation(parts.angles)
    return Placed(shape, R, camera.place(shape, R, parts.translation))


def deform(nets: Networks, position_map: Tensor, texture: Tensor, valid: Tensor) -> Tensor:
    """The deformation map (B, 3, 64, 64).

    Parameters
    ----------
    position_map, texture, valid
        (B, 3 | 3 | 1, 256, 256) of the undeformed face.
    """
    seen = resized(torch.cat([position_map, 2 * texture - 1], dim=1), MIDDLE)
    result: Tensor = REACH * nets.alpha * nets.middle(seen) * resized(valid, MIDDLE)
    return result


def displace(
    nets: Networks, position_map: Tensor, texture: Tensor, deformation: Tensor, valid: Tensor
) -> Tensor:
    """The displacement map (B, 1, 256, 256).

    ``texture`` is the picture laid over the *deformed* face, ``position_map`` the undeformed one.
    """
    seen = torch.cat([position_map, 2 * texture - 1, resized(deformation, SIZE)], dim=1)
    result: Tensor = REACH * nets.beta * nets.high(seen) * valid
    return result


def detail(
    canvas: Canvas, placed: Placed, displacement: Tensor, albedo: Tensor, light: Tensor
) -> Layers:
    """The displaced surface over UV, lit.

    The fine normals are those of the smooth face plus the change of the texel grid's normals.
    The published code mirrors that change in x and y; its networks learned with it, so it is
    kept for the colours, and :func:`.dense.grid_normals` of ``positions`` are the true ones.
    """
    normals = canvas.unwrap(canvas.face.normals(placed.shape) @ placed.R.mT)
    smooth = canvas.unwrap(placed.world)
    positions = smooth + displacement * normals
    mirror = normals.new_tensor([-1.0, -1.0, 1.0])[:, None, None]
    fine = mirror * grid_normals(positions) + (normals - mirror * grid_normals(smooth))
    middle_colour = camera.lit_map(albedo, normals, light)
    return Layers(positions, normals, fine, middle_colour, camera.lit_map(albedo, fine, light))


def estimate(
    canvas: Canvas,
    nets: Networks,
    crop: Tensor,
    crop_hd: Tensor,
    face_mask: Tensor,
    parts: Parts | None = None,
) -> Estimate:
    """Everything the networks have to say, without any fitting.

    Parameters
    ----------
    crop, crop_hd
        (B, 3, 224, 224) and (B, 3, 512, 512) from :mod:`.alignment`, 0..1.
    face_mask
        (B, 1, 224, 224) 0..1, 1 where skin of the face is seen.
    parts
        Coefficients to start from instead of the regression's.
    """
    with torch.no_grad():
        parts = Parts.split(nets.regression(crop)) if parts is None else parts
        base = place(canvas, parts)
        position_map = canvas.unwrap(base.shape)
        texture = sample_picture(canvas.unwrap, base.camera, crop_hd)
        valid = smoothed(sample_picture(canvas.unwrap, base.camera, face_mask))
        deformation = deform(nets, position_map, texture, valid)
        placed = place(canvas, parts, deformation)
        again = sample_picture(canvas.unwrap, placed.camera, crop_hd)
        displacement = displace(nets, position_map, again, deformation, valid)
        albedo = canvas.albedo(parts.texture)
        retouched = blemished(albedo, texture, nets.retouch.blend(texture))
        layers = detail(canvas, placed, displacement, retouched, parts.light)
    return Estimate(
        *(parts, placed, position_map, texture, valid, deformation, displacement),
        *(albedo, retouched, layers),
    )
