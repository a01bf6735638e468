"""One face and one texture out of several pictures, which the published code does not make.

MV-HRN gives every picture its own mesh around a shared identity.  Here the shared face without
expression is taken, with the means of its maps, and every texel is painted with what the pictures
that see it best show of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hrn_studio.detail.hrn import camera
from hrn_studio.detail.hrn.draw import draw
from hrn_studio.detail.hrn.hierarchy import Canvas, Placed, detail, resized
from hrn_studio.detail.hrn.resnet import Parts
from hrn_studio.detail.hrn.result import HrnFace, collect
from hrn_studio.detail.hrn.single import Paint, as_tensor, mask_tensor
from hrn_studio.detail.hrn.texels import Unwrap
from hrn_studio.detail.rasterizer import Rasterizer, rasterize
from hrn_studio.records import AnyFloats

_GRAZING = 0.2
"""Cosine below which a surface is too slanted to paint from."""
_BEHIND_DM = 0.05
"""What lies this far behind the nearest surface is hidden."""
_DOUBT = 0.02
"""Weight at which half of a texel's colour is the model's."""


def fuse(
    canvas: Canvas,
    faces: Sequence[HrnFace],
    paints: Sequence[Paint],
    size: int,
    rasterizer: Rasterizer = rasterize,
) -> HrnFace:
    """The face all pictures share, without expression and pose.

    Parameters
    ----------
    faces, paints
        Of each picture: :func:`.multiview.reconstruct`'s, and a crop to paint from.
    size
        Side of the texture.
    """
    device = canvas.uv.device
    with torch.no_grad():
        valid = torch.cat([_map(face.valid[..., None], device) for face in faces])
        share = (valid + 1e-3) / (valid + 1e-3).sum(0, keepdim=True)
        displacement = _map(np.stack([f.displacement for f in faces], -1), device)
        displacement = (displacement.transpose(0, 1) * share).sum(0, keepdim=True)
        albedo = torch.cat([_map(face.albedo, device) for face in faces])
        albedo = (albedo * share).sum(0, keepdim=True)
        shape = torch.from_numpy(np.mean([face.neutral for face in faces], axis=0)).to(device)[None]
        coefficients = torch.from_numpy(np.mean([f.coefficients for f in faces], axis=0))
        parts = Parts.split(coefficients.to(device)[None])
        still = {name: 0 * getattr(parts, name) for name in ("expression", "angles", "translation")}
        parts = replace(parts, **still)
        placed = Placed(shape, camera.rotation(parts.angles), shape)
        texture = _painted(canvas, faces, paints, albedo, size, rasterizer)
        best = int(valid.sum((1, 2, 3)).argmax())
        return collect(
            *(placed, parts, detail(canvas, placed, displacement, albedo, parts.light)),
            texture=texture,
            albedo=albedo,
            deformation=_map(np.mean([f.deformation for f in faces], axis=0), device),
            displacement=displacement,
            valid=valid.amax(0, keepdim=True),
            canvas=canvas,
            crop=faces[best].crop,
        )


def _map(values: AnyFloats, device: torch.device) -> Tensor:
    """(S, S, C) as (1, C, S, S)."""
    return torch.from_numpy(np.array(values, np.float32)).to(device).permute(2, 0, 1)[None]


def _painted(
    canvas: Canvas,
    faces: Sequence[HrnFace],
    paints: Sequence[Paint],
    albedo: Tensor,
    size: int,
    rasterizer: Rasterizer,
) -> Tensor:
    """(1, 3, size, size): the pictures' colours brought to one tone, the model's where none."""
    triangles = canvas.face.triangles.cpu().numpy().astype(np.int32)
    unwrap = Unwrap.of(canvas.uv.cpu().numpy(), triangles, size).to(canvas.uv.device)
    views = [
        _seen(canvas, unwrap, face, paint, rasterizer)
        for face, paint in zip(faces, paints, strict=True)
    ]
    colours, weights = (torch.cat(part) for part in zip(*views, strict=True))
    for _ in range(2):
        total = weights.sum(0, keepdim=True)
        mean = (colours * weights).sum(0, keepdim=True) / total.clamp(min=1e-6)
        shared = weights * (total - weights)
        wanted, own = ((shared * image).sum((2, 3)) for image in (mean, colours))
        gain = torch.where(own > 1e-3, wanted / own.clamp(min=1e-3), 1.0)
        colours = (colours * gain[..., None, None]).clamp(0, 1)
    base = resized(albedo, size)
    tone = (total * mean).sum((2, 3)) / (total * base).sum((2, 3)).clamp(min=1e-3)
    known = total / (total + _DOUBT)
    return known * mean + (1 - known) * (base * tone[..., None, None]).clamp(0, 1)


def _seen(
    canvas: Canvas, unwrap: Unwrap, face: HrnFace, paint: Paint, rasterizer: Rasterizer
) -> tuple[Tensor, Tensor]:
    """What one picture shows of each texel (1, 3, S, S), and how well (1, 1, S, S)."""
    device, side = canvas.uv.device, len(paint.image)
    world = torch.from_numpy(face.world.copy()).to(device)[None]
    vertices = camera.to_camera(world)
    places = unwrap(vertices).permute(0, 2, 3, 1)
    plane = torch.nan_to_num(camera.project(places, side))
    grid = 2 * torch.stack([plane[..., 0], side - 1 - plane[..., 1]], dim=-1) / (side - 1) - 1

    def at(picture: Tensor, mode: str = "bilinear") -> Tensor:
        return F.grid_sample(picture, grid, mode=mode, align_corners=True)

    drawn = draw(vertices[0], canvas.face.triangles, side, rasterizer)
    depth = drawn.from_vertices(vertices[0, :, 2:]) + 1e3 * (1 - drawn.cover)
    nearest = at(-F.max_pool2d(-depth, 3, 1, 1), "nearest")
    visible = places[None, ..., 2] < nearest + _BEHIND_DM
    normals = unwrap(canvas.face.normals(world))
    view = world.new_tensor([0.0, 0.0, camera.DISTANCE]) - unwrap(world).permute(0, 2, 3, 1)
    cosine = (F.normalize(view, dim=3).permute(0, 3, 1, 2) * normals).sum(1, keepdim=True)
    slant = (cosine - _GRAZING).clamp(min=0) ** 2
    there = (unwrap.triangle >= 0)[None, None]
    mask = at(mask_tensor(paint.mask, device))
    return at(as_tensor(paint.image, device)), slant * mask * visible * there
