"""HRN's head variant: a face with head and neck, fitted to one picture.

As in ModelScope 1.40.2: the regression starts it, 150 steps move the head into a wider crop, 100
steps fit what is left.  Coefficients and the face's offsets over UV make the result; the offsets
of the head only keep its outline from pulling at the face, and are dropped in the end, as there.

Different, because not known well enough or a TensorFlow 1 graph there: both masks are the
studio's; the head's occupancy gets its gradient by spreading each vertex over its four pixels;
the picture's tone is carried over to the template around it.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from hrn_studio.detail.hrn import camera, losses
from hrn_studio.detail.hrn.alignment import STANDARD, Crop, align
from hrn_studio.detail.hrn.bake import bake
from hrn_studio.detail.hrn.draw import Drawing, draw
from hrn_studio.detail.hrn.fatface import grown
from hrn_studio.detail.hrn.fitted import OFFSETS, box_blurred, settled
from hrn_studio.detail.hrn.headmodel import HeadModels
from hrn_studio.detail.hrn.hierarchy import Placed
from hrn_studio.detail.hrn.masks import outline
from hrn_studio.detail.hrn.resnet import Parts, Regression
from hrn_studio.detail.hrn.single import Paint, as_tensor, mask_tensor
from hrn_studio.detail.hrn.texels import sample_map
from hrn_studio.detail.rasterizer import Rasterizer, rasterize
from hrn_studio.errors import FitError, NoFaceError
from hrn_studio.records import AnyFloats, Bytes, Floats, Progress, frozen

FACE_PX = 75.0
"""Scale of the face in the crop that is fitted; the head fits in around it."""
PLACING, PLACING_RATE = 150, 1e-1
STEPS, RATE = 100, 1e-3
TEXTURE_STEPS = 200
HEAD_OFFSETS = 100
PAINT_PX, PAINT_STRENGTH = 1024, 0.04
LARGEST_TURN = math.radians(30)
NOSE, NECK, SLIM = 0.1, 0.3, 0.5
NECK_LENGTH = 0.72
"""Decimetres between the two vertices of :data:`.headmodel.STRETCH`."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadPortrait:
    """A picture with what the head's fit needs to know about it."""

    close: Crop
    """224, as the regression wants it."""
    crop: Crop
    """224 with room for the head."""
    face_mask: Floats
    """(224, 224) 0..1: skin of the face."""
    head_mask: Floats
    """(224, 224) 0..1: the head with its hair."""
    paint: Paint
    """The same square as ``crop``, larger, for the texture."""

    def __post_init__(self) -> None:
        for name in ("face_mask", "head_mask"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))


def head_portrait(
    image: Bytes,
    landmarks: AnyFloats,
    skin: AnyFloats,
    silhouette: AnyFloats,
    standard: AnyFloats = STANDARD,
) -> HeadPortrait:
    """Crop a picture for the head's fit.

    Parameters
    ----------
    image, skin, silhouette
        (H, W, 3) RGB; (H, W) the face's skin and the person, 0..1.
    landmarks
        (68, 2) iBUG landmarks, pixels, y up.
    standard
        (5, 3) of ``similarity_Lm3D_all.mat``.

    Raises
    ------
    NoFaceError
        The landmarks make no sense.
    """
    crop = align(image, landmarks, standard=standard, face_px=FACE_PX)
    large = align(image, landmarks, PAINT_PX, standard=standard, face_px=FACE_PX)
    seen = np.clip(large.cut(silhouette), 0, 1)
    return HeadPortrait(
        align(image, landmarks, standard=standard),
        crop,
        np.clip(crop.cut(skin), 0, 1),
        np.clip(crop.cut(silhouette), 0, 1),
        Paint(grown(large.image, large.landmarks_px, PAINT_STRENGTH), seen),
    )


@dataclass(frozen=True, slots=True, eq=False)
class HeadShape:
    """What the fit found."""

    parts: Parts
    """Each (1, count)."""
    vertices: Tensor
    """(N, 3) of the result without pose, eyes opened, decimetres, as the file's mean shape lies."""
    seen: Tensor
    """(N, 3) in camera space as the picture shows it."""
    places: Tensor
    """(68, 2) landmarks in the crop, y up."""


def fit_head(
    models: HeadModels,
    regression: Regression,
    face: HeadPortrait,
    *,
    steps: tuple[int, int, int] = (PLACING, STEPS, TEXTURE_STEPS),
    texture_px: int = 2048,
    rasterizer: Rasterizer = rasterize,
) -> Generator[Progress, None, tuple[HeadShape, Tensor]]:
    """A head and its texture (1, 3, S, S) 0..1, with the picture's light in it.

    Parameters
    ----------
    steps
        For placing, fitting, and each level of the texture.
    texture_px
        Side of the texture, a power of two from 64.

    Raises
    ------
    NoFaceError
        The head is turned by more than 30 degrees.
    FitError
        The numbers went wrong.
    """
    device = models.uv.device
    with torch.no_grad():
        first = Parts.split(regression(as_tensor(face.close.image, device)))
    if float(first.angles.abs().max()) > LARGEST_TURN:
        raise NoFaceError(
            "the head is turned by more than 30 degrees, which HRN's head variant cannot fit; "
            "give a picture from the front"
        )
    work = _Work(models, face, first, rasterizer)
    for step in range(steps[0]):
        work.place()
        yield Progress("coarse", 0.2 * (step + 1) / steps[0], "placing the head")
    for step in range(steps[1]):
        work.fit()
        yield Progress("mid", 0.2 + 0.3 * (step + 1) / steps[1], f"step {step + 1} of {steps[1]}")
    found = work.found()
    split = found.seen[models.seams]
    texture = yield from bake(
        *(split, models.triangles, models.seam_uv),
        paint=face.paint,
        size=texture_px,
        rasterizer=rasterizer,
        steps=steps[2],
    )
    return found, texture


class _Work:
    """The unknowns of one fit, and its two kinds of steps."""

    def __init__(
        self, models: HeadModels, face: HeadPortrait, first: Parts, rasterizer: Rasterizer
    ) -> None:
        device = models.uv.device
        self._models, self._rasterizer = models, rasterizer
        self._picture = as_tensor(face.crop.image, device)
        self._face_mask = mask_tensor(face.face_mask, device)
        self._head_mask = mask_tensor(face.head_mask, device)
        points = torch.from_numpy(face.crop.landmarks_px.copy()).float()
        self._landmarks = points.to(device)[None]
        self._left, self._right = outline(self._face_mask)
        self._parts = Parts(
            *(getattr(first, f.name).detach().clone().requires_grad_() for f in fields(Parts))
        )
        self._face_uv = models.uv[models.kept]
        self._head_uv = models.uv[models.basel_count :]
        sides = (OFFSETS, OFFSETS, HEAD_OFFSETS, HEAD_OFFSETS)
        self._maps = [torch.zeros(1, 3, s, s, device=device, requires_grad=True) for s in sides]
        self._placing = torch.optim.Adam([self._parts.translation], PLACING_RATE)
        moving = ("identity", "expression", "texture", "light")
        unknowns = [getattr(self._parts, name) for name in moving] + self._maps
        self._fitting = torch.optim.Adam(unknowns, RATE)

    def place(self) -> None:
        """One step of moving the head to where the crop shows it."""
        placed = self._placed()
        drawn = self._drawn(placed, self._models.face_triangles, self._colours(placed))
        loss = 1.6e-4 * self._landmark_loss(placed)
        loss = loss + 0.192 * losses.photo(drawn[1], self._picture, self._face_mask * drawn[0])
        self._step(self._placing, loss)

    def fit(self) -> None:
        """One step of everything but pose."""
        bend, tint, head_bend, _ = self._maps
        placed = self._placed()
        colours = self._colours(placed)
        face_cover, face = self._drawn(placed, self._models.face_triangles, colours)
        loss = 1.92 * losses.photo(face, self._picture, self._face_mask * face_cover)
        loss = loss + 1.6e-4 * self._landmark_loss(placed)
        loss = loss + 3e-4 * losses.coefficients(self._parts)
        loss = loss + 10 * losses.grey_light(self._parts.light) + 10 * tint.abs().mean()
        loss = loss + 1e4 * losses.variation(bend) + 5e4 * losses.variation_spread(bend)
        edge = placed.places[:, : len(self._models.kept)]
        loss = loss + 20 * losses.contour(edge, self._left, self._right)
        cover, head = self._drawn(placed, self._models.fitted.triangles, colours)
        loss = loss + 1.92 * losses.photo(head, self._picture, self._head_mask * cover)
        loss = loss + 100 * losses.variation(head_bend) + 500 * losses.variation_spread(head_bend)
        occupied = losses.occupancy(cover, placed.places)
        loss = loss + 20 * losses.dice(occupied, self._head_mask)
        self._step(self._fitting, loss)

    @torch.no_grad()
    def found(self) -> HeadShape:
        """The result as it is now, without a texture.

        Raises
        ------
        FitError
            The numbers went wrong.
        """
        models, parts = self._models, self._parts
        unknowns = [getattr(parts, field.name) for field in fields(Parts)] + self._maps
        if not all(bool(torch.isfinite(unknown).all()) for unknown in unknowns):
            raise FitError("the fit did not end with finite numbers; use another picture")
        placed = self._placed()
        away = losses.outside(placed.places[:, : len(models.kept)], self._left, self._right)
        calm = box_blurred(settled(self._maps[0], self._face_uv, away[0] > 0), 3)
        count = models.basel_count
        offset = sample_map(calm, models.uv[:count])
        offset = torch.cat([offset, offset.new_zeros(1, models.head_count, 3)], dim=1)
        shape = models.result.shape(parts.identity, parts.expression) + offset
        world = camera.place(shape, camera.rotation(parts.angles), parts.translation)
        opened = models.result.shape(parts.identity, eyes_opened(parts.expression)) + offset
        return HeadShape(
            parts,
            necked(models, opened[0]) + models.result.center,
            camera.to_camera(world)[0],
            placed.places[0, models.fitted.landmarks],
        )

    def _placed(self) -> Placed:
        parts, models = self._parts, self._models
        shape = models.fitted.shape(parts.identity, parts.expression)
        shape = shape + self._over_fitted(self._maps[0], self._maps[2])
        R = camera.rotation(parts.angles)
        return Placed(shape, R, camera.place(shape, R, parts.translation))

    def _over_fitted(self, face: Tensor, head: Tensor) -> Tensor:
        maps = sample_map(face, self._face_uv), sample_map(head, self._head_uv)
        return self._models.over_fitted(*maps)

    def _colours(self, placed: Placed) -> Tensor:
        fitted = self._models.fitted
        albedo = fitted.albedo(self._parts.texture)
        albedo = albedo + self._over_fitted(self._maps[1], self._maps[3])
        normals = fitted.normals(placed.shape) @ placed.R.mT
        return camera.lit(albedo, normals, self._parts.light)[0]

    def _drawn(self, placed: Placed, triangles: Tensor, colours: Tensor) -> tuple[Tensor, Tensor]:
        seen: Drawing = draw(placed.camera[0], triangles, rasterizer=self._rasterizer)
        return seen.cover, seen.from_vertices(colours)

    def _landmark_loss(self, placed: Placed) -> Tensor:
        found = placed.places[:, self._models.fitted.landmarks]
        return losses.landmarks(found, self._landmarks)

    def _step(self, adam: torch.optim.Adam, loss: Tensor) -> None:
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()


def eyes_opened(expression: Tensor) -> Tensor:
    """Coefficients (1, 64) with wider eyes; those that are open already are opened less."""
    wide = expression[:, [16, 17, 19]].sum(1, keepdim=True)
    more = torch.where(wide > 1, 0.5, 1.0)
    opened = expression.clone()
    opened[:, [16, 17, 19]] += more * expression.new_tensor([[1.0, 1.0, 1.5]])
    return opened


def necked(models: HeadModels, vertices: Tensor) -> Tensor:
    """The result's vertices (N, 3) with the published nose, and a neck of one length for all."""
    shaped = vertices + NOSE * models.nose + NECK * models.neck + SLIM * models.slim
    top, bottom = models.stretch
    now = shaped[top, 1] - shaped[bottom, 1]
    change = models.length[top, 1] - models.length[bottom, 1]
    if float(change.abs()) < 1e-6:
        return shaped
    return shaped + (NECK_LENGTH - now) / change * models.length
