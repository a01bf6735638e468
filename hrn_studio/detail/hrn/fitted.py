"""Regression plus fitting: how ModelScope did it before v2.0.0, from one picture.

The regression starts it; then all coefficients and free offsets of shape and colour over UV are
moved to draw the picture best.  It needs the regression network and the face model alone, so a
checkpoint of Deep3DFaceRecon serves too (its files share layout and coefficients).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F

from hrn_studio.detail.hrn import camera, losses
from hrn_studio.detail.hrn.bake import bake
from hrn_studio.detail.hrn.draw import Drawing, draw
from hrn_studio.detail.hrn.hierarchy import Canvas, Placed, detail, place
from hrn_studio.detail.hrn.masks import outline
from hrn_studio.detail.hrn.resnet import Parts, Regression
from hrn_studio.detail.hrn.result import HrnFace, collect
from hrn_studio.detail.hrn.single import Paint, Portrait, as_tensor, mask_tensor
from hrn_studio.detail.hrn.texels import SIZE, sample_map, sample_picture
from hrn_studio.detail.rasterizer import Rasterizer, rasterize
from hrn_studio.errors import FitError
from hrn_studio.records import Progress

STEPS, RATE = 100, 1e-3
OFFSETS = 300
"""Side of the maps of offsets."""


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    picture: Tensor
    mask: Tensor
    landmarks: Tensor
    left: Tensor
    right: Tensor


def reconstruct(
    canvas: Canvas,
    regression: Regression,
    face: Portrait,
    *,
    steps: int = STEPS,
    texture_px: int = 512,
    paint: Paint | None = None,
    rasterizer: Rasterizer = rasterize,
) -> Generator[Progress, None, HrnFace]:
    """A face from one picture, without displacement.

    Parameters
    ----------
    texture_px
        Side of the texture, a power of two from 64.
    paint
        A crop to paint from, about as large as the texture; the network's own 224 without it.

    Raises
    ------
    FitError
        The numbers went wrong.
    """
    device = canvas.uv.device
    mask = mask_tensor(face.mask, device)
    points = torch.from_numpy(face.crop.landmarks_px.copy()).float().to(device)[None]
    target = _Target(as_tensor(face.crop.image, device), mask, points, *outline(mask))
    with torch.no_grad():
        first = Parts.split(regression(target.picture))
    parts = Parts(*(_unknown(getattr(first, field.name)) for field in fields(Parts)))
    bend = torch.zeros(1, 3, OFFSETS, OFFSETS, device=device, requires_grad=True)
    tint = torch.zeros(1, 3, OFFSETS, OFFSETS, device=device, requires_grad=True)
    unknowns = [getattr(parts, field.name) for field in fields(Parts)] + [bend, tint]
    adam = torch.optim.Adam(unknowns, RATE)
    for step in range(steps):
        placed = place(canvas, parts, bend)
        seen = draw(placed.camera[0], canvas.face.triangles, rasterizer=rasterizer)
        adam.zero_grad()
        _loss(canvas, target, parts, placed, bend, tint, seen).backward()  # type: ignore[no-untyped-call]
        adam.step()
        yield Progress("mid", 0.6 * (step + 1) / steps, f"step {step + 1} of {steps}")
    if not all(bool(torch.isfinite(unknown).all()) for unknown in unknowns):
        raise FitError("the fit did not end with finite numbers; use another picture")
    with torch.no_grad():
        outside = losses.outside(place(canvas, parts, bend).places, target.left, target.right)[0]
        calm = settled(bend, canvas.uv, outside > 0)
        placed = place(canvas, parts, calm)
        albedo = _albedo(canvas, parts, tint)
        flat = albedo.new_zeros(1, 1, SIZE, SIZE)
        layers = detail(canvas, placed, flat, albedo, parts.light)
        valid = sample_picture(canvas.unwrap, placed.camera, mask)
    source = paint or Paint(face.fat, face.mask)
    triangles = canvas.face.triangles
    texture = yield from bake(
        placed.camera[0], triangles, canvas.uv, source, texture_px, rasterizer
    )
    return collect(
        *(placed, parts, layers),
        texture=texture,
        albedo=albedo,
        deformation=calm,
        displacement=flat,
        valid=valid,
        canvas=canvas,
        crop=face.crop,
    )


def _unknown(start: Tensor) -> Tensor:
    return start.detach().clone().requires_grad_()


def _albedo(canvas: Canvas, parts: Parts, tint: Tensor) -> Tensor:
    """The model's colours over UV with the offsets, (1, 3, 256, 256).

    By way of the vertices, as only the texels they lie in were fitted.
    """
    return canvas.unwrap(canvas.face.albedo(parts.texture) + sample_map(tint, canvas.uv))


def _loss(
    canvas: Canvas,
    target: _Target,
    parts: Parts,
    placed: Placed,
    bend: Tensor,
    tint: Tensor,
    seen: Drawing,
) -> Tensor:
    colours = canvas.face.albedo(parts.texture) + sample_map(tint, canvas.uv)
    normals = canvas.face.normals(placed.shape) @ placed.R.mT
    drawn = seen.from_vertices(camera.lit(colours, normals, parts.light)[0])
    total = 1.92 * losses.photo(drawn, target.picture, target.mask * seen.cover)
    places = placed.places
    total = total + 1.6e-4 * losses.landmarks(places[:, canvas.face.landmarks], target.landmarks)
    total = total + 3e-4 * losses.coefficients(parts) + 10 * losses.grey_light(parts.light)
    total = total + 1e4 * losses.variation(bend) + 5e4 * losses.variation_spread(bend)
    total = total + 10 * tint.abs().mean()
    return total + 20 * losses.contour(places, target.left, target.right)


def settled(bend: Tensor, uv: Tensor, edge: Tensor) -> Tensor:
    """Offsets (1, 3, S, S) made smooth where the outline pulled, and zero at the model's rim.

    Parameters
    ----------
    uv
        (N, 2)
    edge
        (N,) bool, the vertices outside the mask.
    """
    size = bend.shape[2]
    rough = box_blurred(_grown(_splat(uv[edge], size), 4), 5)
    bend = bend * (1 - rough) + box_blurred(bend, 15) * rough
    inside = box_blurred(-_grown(-_grown(_splat(uv, size), 2), 4), 17)
    return bend * inside


def _splat(uv: Tensor, size: int) -> Tensor:
    rows = ((1 - uv[:, 1]) * size).long().clamp(0, size - 1)
    columns = (uv[:, 0] * size).long().clamp(0, size - 1)
    picture = uv.new_zeros(size * size)
    picture[rows * size + columns] = 1
    return picture.reshape(1, 1, size, size)


def _grown(mask: Tensor, radius: int) -> Tensor:
    """Largest value within a disc."""
    steps = torch.arange(-radius, radius + 1, device=mask.device)
    near = steps[:, None] ** 2 + steps**2 <= radius**2
    padded = F.pad(mask, (radius,) * 4, mode="replicate")
    size = mask.shape[2]
    result = mask
    for row, column in near.nonzero().tolist():
        result = torch.maximum(result, padded[:, :, row : row + size, column : column + size])
    return result


def box_blurred(values: Tensor, side: int) -> Tensor:
    """The mean of maps (1, C, H, W) over squares of an odd side."""
    pad = (side // 2,) * 4
    return F.avg_pool2d(F.pad(values, pad, mode="reflect"), side, 1)
