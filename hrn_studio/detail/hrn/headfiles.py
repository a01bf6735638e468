"""The head variant's result as files: its mesh, and the fitted face on a template's texture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from hrn_studio.detail.hrn.headfit import HeadShape
from hrn_studio.detail.hrn.headmodel import REMEDY, HeadModels
from hrn_studio.detail.hrn.outputs import coefficient_table, material_file, obj_file, png_file
from hrn_studio.detail.hrn.result import array, pixels
from hrn_studio.errors import ModelDataError
from hrn_studio.records import Floats

BALD, HAIRY = "template_bald_tex_2.jpg", "template_withHair_tex.jpg"
FACE_MASK, CHEEKS = "face_mask_singleview.jpg", "cheek_area_mask.png"
_UNEVEN = 1.5
"""A cheek this much brighter than the other one replaces it."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """What the texture is where the picture shows nothing."""

    skin: Floats
    """(S, S, 3) RGB 0..1."""
    face: Floats
    """(S, S) 0..1 where the fitted texture is taken."""
    cheeks: Floats | None
    """(S, S) 0..1"""


def load_template(folder: Path, size: int, *, hair: bool = False) -> Template:
    """The textures in a folder, scaled to ``size``.

    Raises
    ------
    ModelDataError
        A file is missing or not a picture.
    """
    cheeks = folder / CHEEKS
    return Template(
        read_picture(folder / (HAIRY if hair else BALD), size),
        read_picture(folder / FACE_MASK, size)[..., 0],
        read_picture(cheeks, size)[..., 0] if cheeks.is_file() else None,
    )


def read_picture(path: Path, size: int | None = None) -> Floats:
    """(S, S, 3) RGB 0..1 of a file, scaled where a size is given.

    Raises
    ------
    ModelDataError
        It is missing or not a picture.
    """
    if not path.is_file():
        raise ModelDataError(f"'{path}' is missing; {REMEDY}")
    try:
        with Image.open(path) as image:
            picture = image.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ModelDataError(f"'{path.name}' is not a picture; {REMEDY}") from error
    if size is not None:
        picture = picture.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(picture, np.float32) / 255


def composed(texture: Floats, template: Template) -> Floats:
    """The fitted texture (S, S, 3) on the template, whose tone is brought to the face's."""
    if template.cheeks is not None:
        texture = evened(texture, template.cheeks)
    weight = template.face[..., None]
    total = max(float(weight.sum()), 1e-6)
    fitted, given = ((weight * image).sum((0, 1)) / total for image in (texture, template.skin))
    skin = np.clip(template.skin * (fitted / np.maximum(given, 1e-3)), 0, 1)
    return np.asarray(weight * texture + (1 - weight) * skin, np.float32)


def evened(texture: Floats, cheeks: Floats) -> Floats:
    """A texture (S, S, 3) whose much darker cheek is the other one's mirror image."""
    half = texture.shape[1] // 2
    left, right = cheeks.copy(), cheeks.copy()
    left[:, half:] = right[:, : texture.shape[1] - half] = 0
    grey = texture.mean(2)
    bright = [float((side * grey).sum() / max(side.sum(), 1e-6)) for side in (left, right)]
    if max(bright) < _UNEVEN * max(min(bright), 1e-3):
        return texture
    dark = (left if bright[0] < bright[1] else right)[..., None]
    return np.asarray((1 - dark) * texture + dark * texture[:, ::-1], np.float32)


def head_files(
    models: HeadModels, shape: HeadShape, texture: Tensor, template: Template, name: str
) -> dict[str, bytes]:
    """``NAME_hrn_head.obj``, ``.mtl``, ``_texture.png`` and ``_coefficients.csv`` by name."""
    stem = f"{name}_hrn_head"
    seams = models.seams.cpu().numpy()
    split = models.triangles.cpu().numpy()
    vertices, uv = array(shape.vertices), array(models.seam_uv)
    return {
        f"{stem}.obj": obj_file(stem, vertices, uv, seams[split], uv_triangles=split),
        f"{stem}.mtl": material_file(stem),
        f"{stem}_texture.png": png_file(composed(pixels(texture), template)),
        f"{stem}_coefficients.csv": coefficient_table(array(shape.parts.join()[0])),
    }
