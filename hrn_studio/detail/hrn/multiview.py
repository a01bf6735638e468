"""MV-HRN: several pictures of one person, taken anywhere, fitted together.

Every picture is looked at alone first.  Then identity and the deformation map are shared, while
expression, texture, pose, light and displacement stay each picture's own, and all are moved
together to draw the pictures best (the paper's section on multi-view reconstruction; steps, rates
and weights are those of the published code).  The albedo stays what de-retouching said.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hrn_studio.detail.hrn import losses
from hrn_studio.detail.hrn.draw import draw
from hrn_studio.detail.hrn.hierarchy import (
    MIDDLE,
    Canvas,
    Estimate,
    Layers,
    Networks,
    Placed,
    detail,
    place,
    resized,
)
from hrn_studio.detail.hrn.masks import outline, smoothed
from hrn_studio.detail.hrn.resnet import Parts
from hrn_studio.detail.hrn.result import HrnFace, collect
from hrn_studio.detail.hrn.single import Portrait, as_tensor, look, mask_tensor
from hrn_studio.detail.hrn.texels import sample_picture
from hrn_studio.detail.rasterizer import Rasterizer, rasterize
from hrn_studio.errors import FitError
from hrn_studio.records import Progress

STEPS, RATE = 50, 1e-3
OWN = ("expression", "texture", "angles", "light", "translation")


@dataclass(slots=True, eq=False)
class _View:
    """One picture in the fit: what is given, and its own unknowns."""

    face: Portrait
    target: Tensor
    mask: Tensor
    valid: Tensor
    albedo: Tensor
    landmarks: Tensor
    left: Tensor
    right: Tensor
    own: dict[str, Tensor]
    displacement: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    parts: Parts
    placed: Placed
    deformation: Tensor
    displacement: Tensor
    layers: Layers


def reconstruct(
    canvas: Canvas,
    nets: Networks,
    faces: Sequence[Portrait],
    *,
    steps: int = STEPS,
    rasterizer: Rasterizer = rasterize,
) -> Generator[Progress, None, tuple[HrnFace, ...]]:
    """One face per picture, with identity and deformation shared.

    Raises
    ------
    FitError
        No picture is given, or the numbers went wrong.
    """
    if not faces:
        raise FitError("there is no picture to fit; give at least one with a face in it")
    found = []
    for number, face in enumerate(faces):
        yield Progress("coarse", 0.3 * number / len(faces), f"picture {number + 1}")
        found.append(look(canvas, nets, face))
    identity = _unknown(torch.cat([f.parts.identity for f in found]).mean(0, keepdim=True))
    shared = _unknown(torch.cat([f.deformation for f in found]).mean(0, keepdim=True))
    views = [_view(canvas, face, f) for face, f in zip(faces, found, strict=True)]
    unknowns = [identity, shared]
    unknowns += [t for view in views for t in (*view.own.values(), view.displacement)]
    adam = torch.optim.Adam(unknowns, RATE)
    for step in range(steps):
        if step == steps - 1:
            for view in views:
                view.valid = smoothed(view.valid)
        adam.zero_grad()
        for view in views:  # one at a time, so that memory does not grow with the pictures
            loss = _loss(canvas, view, _draw(canvas, view, identity, shared), rasterizer)
            loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        yield Progress("mid", 0.3 + 0.7 * (step + 1) / steps, f"step {step + 1} of {steps}")
    if not all(bool(torch.isfinite(unknown).all()) for unknown in unknowns):
        raise FitError("the fit did not end with finite numbers; leave out the worst picture")
    with torch.no_grad():
        return tuple(_result(canvas, view, _draw(canvas, view, identity, shared)) for view in views)


def _unknown(start: Tensor) -> Tensor:
    return start.detach().clone().requires_grad_()


def _view(canvas: Canvas, face: Portrait, found: Estimate) -> _View:
    device = canvas.uv.device
    mask = mask_tensor(face.mask, device)
    left, right = outline(mask)
    points = torch.from_numpy(face.crop.landmarks_px.copy()).float()
    valid = sample_picture(canvas.unwrap, place(canvas, found.parts).camera, mask)
    return _View(
        face,
        *(as_tensor(face.crop.image, device), mask, valid, found.retouched),
        *(points.to(device)[None], left, right),
        {name: _unknown(getattr(found.parts, name)) for name in OWN},
        _unknown(found.displacement),
    )


def _draw(canvas: Canvas, view: _View, identity: Tensor, shared: Tensor) -> _Drawn:
    parts = Parts(identity, **view.own)
    deformation = shared * resized(view.valid, MIDDLE)
    displacement = view.displacement * view.valid
    placed = place(canvas, parts, deformation)
    layers = detail(canvas, placed, displacement, view.albedo, parts.light)
    return _Drawn(parts, placed, deformation, displacement, layers)


def _loss(canvas: Canvas, view: _View, drawn: _Drawn, rasterizer: Rasterizer) -> Tensor:
    seen = draw(drawn.placed.camera[0], canvas.face.triangles, rasterizer=rasterizer)
    mask = view.mask * seen.cover
    total = losses.photo(seen.from_map(drawn.layers.fine_colour, canvas.uv), view.target, mask)
    middle = seen.from_map(drawn.layers.middle_colour, canvas.uv)
    total = 1.92 * (total + losses.photo(middle, view.target, mask))
    places = drawn.placed.places
    total = total + 1.6e-4 * losses.landmarks(places[:, canvas.face.landmarks], view.landmarks)
    for values, weight in ((drawn.deformation, 1e3), (drawn.displacement, 1e4)):
        total = total + weight * losses.variation(values) + 1e4 * losses.variation_spread(values)
    total = total + drawn.displacement.abs().mean()
    total = total + 20 * losses.contour(places, view.left, view.right)
    total = total + 3e-4 * losses.coefficients(drawn.parts)
    return total + 10 * losses.grey_light(drawn.parts.light)


def _result(canvas: Canvas, view: _View, drawn: _Drawn) -> HrnFace:
    return collect(
        *(drawn.placed, drawn.parts, drawn.layers),
        texture=drawn.layers.fine_colour,
        albedo=view.albedo,
        deformation=drawn.deformation,
        displacement=drawn.displacement,
        valid=view.valid,
        canvas=canvas,
        crop=view.face.crop,
    )
