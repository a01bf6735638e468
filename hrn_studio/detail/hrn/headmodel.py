"""The models of HRN's head variant: a face with head, neck and eyes, in two topologies.

One is fitted (most of the Basel face, then head and neck, eyes, eye corners), the other is the
result (the whole Basel face, then head and neck); both share the Basel coefficients.  Their files
come with ModelScope's ``damo/cv_HRN_head-reconstruction``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hrn_studio.detail.hrn.bfm import MAT_KEYS, FaceModel, face_model, load_face_model, read_mat
from hrn_studio.errors import ModelDataError
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints

FACE, FITTED, RESULT = (
    "BFM_model_front.mat",
    "ourRefineBFMEye0504_model.mat",
    "ourRefineFull_model.mat",
)
TEMPLATE, KEPT = "template_ourFull_bfmEyes.obj", "bfm_keep_inds.npy"
PARTS = {
    "nose": "145_nose.obj",
    "neck": "146_neck.obj",
    "slim": "147_neckSlim2.obj",
    "length": "148_neckLength.obj",
}
"""Meshes whose difference from the mean head is a change of one part."""
STRETCH = (37476, 37357)
"""Vertices of the result between which a neck is measured."""
REMEDY = "get it again from ModelScope's damo/cv_HRN_head-reconstruction"


@dataclass(frozen=True, slots=True, eq=False)
class HeadModels:
    """Both models and how they belong together; all tensors on one device."""

    fitted: FaceModel
    """F vertices: K of the face, H of head and neck, then others."""
    result: FaceModel
    """N vertices: the Basel face's B, then H."""
    kept: Tensor
    """(K,) int64 which Basel vertices the fitted model has."""
    uv: Tensor
    """(N, 2) u right, v up: one point of the texture per vertex of the result."""
    seams: Tensor
    """(M,) int64 vertices of the result, each as often as it has points of the texture."""
    seam_uv: Tensor
    """(M, 2)"""
    triangles: Tensor
    """(T, 3) int64 into ``seams``."""
    nose: Tensor
    """(N, 3) decimetres a full change moves the vertices; so the next three."""
    neck: Tensor
    slim: Tensor
    length: Tensor
    basel_count: int
    stretch: tuple[int, int] = STRETCH

    @property
    def head_count(self) -> int:
        return self.result.vertex_count - self.basel_count

    @property
    def face_triangles(self) -> Tensor:
        """(T', 3) the fitted model's triangles of the face alone."""
        triangles = self.fitted.triangles
        return triangles[(triangles < len(self.kept)).all(1)]

    def over_fitted(self, face: Tensor, head: Tensor) -> Tensor:
        """Values of the face (B, K, C) and the head (B, H, C) as (B, F, C), zero elsewhere."""
        rest = self.fitted.vertex_count - face.shape[1] - head.shape[1]
        return torch.cat([face, head, face.new_zeros(len(face), rest, face.shape[2])], dim=1)

    def to(self, device: str | torch.device) -> HeadModels:
        """The same models on another device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = ("basel_count", "stretch")
        return HeadModels(**{k: v if k in plain else v.to(device) for k, v in values.items()})


def load_head_models(folder: Path, stretch: tuple[int, int] = STRETCH) -> HeadModels:
    """Both models from the files in a folder.

    Raises
    ------
    ModelDataError
        A file is missing or damaged, or the files do not belong together.
    """
    face = load_face_model(folder / FACE)
    fitted, result = (
        face_model(read_mat(folder / name, MAT_KEYS, REMEDY), name, face.center)
        for name in (FITTED, RESULT)
    )
    kept = read_kept(folder / KEPT)
    basel, head = face.vertex_count, result.vertex_count - face.vertex_count
    if head < 1 or kept.max() >= basel or len(kept) + head > fitted.vertex_count:
        raise ModelDataError(
            f"'{FITTED}' ({fitted.vertex_count} vertices), '{RESULT}' ({result.vertex_count}) and "
            f"'{KEPT}' ({len(kept)}) do not belong together; {REMEDY}"
        )
    if max(stretch) >= result.vertex_count:
        raise ModelDataError(f"'{RESULT}' has no vertex {max(stretch)} on the neck; {REMEDY}")
    uv, seams, seam_uv, triangles = _texture_layout(folder / TEMPLATE, result.vertex_count)
    mean = (result.mean + result.center).numpy()
    changes = {part: _change(folder / name, mean) for part, name in PARTS.items()}
    return HeadModels(
        fitted=fitted,
        result=result,
        kept=torch.from_numpy(kept),
        uv=torch.from_numpy(uv),
        seams=torch.from_numpy(seams),
        seam_uv=torch.from_numpy(seam_uv),
        triangles=torch.from_numpy(triangles),
        nose=changes["nose"],
        neck=changes["neck"],
        slim=changes["slim"],
        length=changes["length"],
        basel_count=basel,
        stretch=stretch,
    )


def _change(path: Path, mean: AnyFloats) -> Tensor:
    """(N, 3) how a mesh differs from the mean head (N, 3)."""
    moved = read_vertices(path)
    if moved.shape != mean.shape:
        raise ModelDataError(
            f"'{path.name}' has {len(moved)} vertices and '{RESULT}' {len(mean)}; {REMEDY}"
        )
    return torch.from_numpy(moved - mean).float()


def read_kept(path: Path) -> Ints:
    """``bfm_keep_inds.npy``: vertices of the Basel face from 0, int64.

    Raises
    ------
    ModelDataError
        The file is missing or holds something else; so for the others.
    """
    if not path.is_file():
        raise ModelDataError(f"'{path}' is missing; {REMEDY}")
    try:
        found = np.load(path, allow_pickle=False)
        kept = np.asarray(found, np.float64).ravel()
    except (OSError, ValueError, EOFError) as error:
        raise ModelDataError(f"'{path.name}' is not an array of numbers; {REMEDY}") from error
    whole = len(kept) > 0 and np.isfinite(kept).all() and (kept == np.floor(kept)).all()
    if not whole or kept.min() < 0 or len(np.unique(kept)) != len(kept):
        raise ModelDataError(f"'{path.name}' does not list vertices; {REMEDY}")
    return kept.astype(np.int64)


def read_vertices(path: Path) -> Doubles:
    """(N, 3) the vertices of an OBJ file."""
    return _rows(path, "v ", 3)


def _rows(path: Path, key: str, count: int) -> Doubles:
    lines = [line.split()[1 : count + 1] for line in _lines(path) if line.startswith(key)]
    try:
        values = np.array(lines, np.float64).reshape(-1, count)
    except ValueError as error:
        raise ModelDataError(f"'{path.name}' is not a readable OBJ file; {REMEDY}") from error
    if len(values) == 0 or not np.isfinite(values).all():
        raise ModelDataError(f"'{path.name}' has no rows '{key.strip()}' of numbers; {REMEDY}")
    return values


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise ModelDataError(f"'{path}' is missing; {REMEDY}")
    return path.read_text("utf-8", errors="replace").splitlines()


def _texture_layout(path: Path, count: int) -> tuple[Floats, Ints, Floats, Ints]:
    """``uv``, ``seams``, ``seam_uv`` and ``triangles`` of :class:`HeadModels`."""
    points = _rows(path, "vt ", 2)
    faces = [line.split()[1:] for line in _lines(path) if line.startswith("f ")]
    try:
        pairs = np.array([[c.split("/")[:2] for c in face] for face in faces], np.int64) - 1
    except ValueError:
        pairs = np.zeros((0,), np.int64)
    if pairs.shape[1:] != (3, 2):
        raise ModelDataError(
            f"'{path.name}' is not made of triangles with texture points; {REMEDY}"
        )
    if pairs.min() < 0 or pairs[..., 0].max() >= count:
        raise ModelDataError(
            f"'{path.name}' is not a mesh of the {count} vertices of '{RESULT}'; {REMEDY}"
        )
    if pairs[..., 1].max() >= len(points):
        raise ModelDataError(f"'{path.name}' has faces without texture points; {REMEDY}")
    both, triangles = np.unique(pairs.reshape(-1, 2), axis=0, return_inverse=True)
    seams, texture = both.T
    uv = np.full((count, 2), 0.5)
    uv[seams[::-1]] = points[texture[::-1]]  # the first point of each
    return (
        uv.astype(np.float32),
        seams.copy(),
        points[texture].astype(np.float32),
        triangles.reshape(-1, 3),
    )
