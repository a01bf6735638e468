"""A made-up download of HRN's head variant for tests: the dome of :mod:`.tiny` with a back.

The fitted model has the dome without its rim, the back of the head, and loose vertices for eyes;
the result has the whole dome and the back.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hrn_studio.detail.hrn import headfiles, headmodel, tiny
from hrn_studio.detail.hrn.resnet import HEADS, Regression
from hrn_studio.records import AnyFloats, Bools, Doubles, Ints

MODELS, MESHES = "assets/3dmm/BFM", "assets/3dmm/adjust_part/our_full_bfmEyes"
OTHERS, TEXTURES = "assets/3dmm", "assets/texture"
BACK = 13
"""Vertices along a side of the back."""
FRONT = tiny.ACROSS**2
STRETCH = (FRONT, FRONT + BACK**2 - 1)
"""The back's first and last vertex: above and below."""
CHANGES: dict[str, AnyFloats] = {
    "nose": np.array([0.0, 0.0, 0.1]),
    "neck": np.array([0.0, 0.1, 0.0]),
    "slim": np.array([0.1, 0.0, 0.0]),
}
"""How far the meshes of the parts are from the mean head, everywhere the same."""


def write_download(folder: Path) -> Path:
    """Write all files in ModelScope's layout below a folder; returns it."""
    for place in (MODELS, MESHES, f"{OTHERS}/inds", f"{OTHERS}/template_mesh", TEXTURES):
        (folder / place).mkdir(parents=True, exist_ok=True)
    weights = tiny.empty(Regression)
    for number, values in enumerate(torch.split(tiny.coefficients()[0], list(HEADS))):
        weights[f"final_layers.{number}.bias"] = values.clone()
    torch.save({"net_recon": weights}, folder / "pytorch_model.pt")
    tiny.write_face(folder / MODELS / headmodel.FACE)
    front, back = tiny.dome()[0], _back()
    whole = np.concatenate([front, back])
    triangles = np.concatenate([tiny.dome_triangles(), _back_triangles() + FRONT])
    tiny.write_model(folder / MODELS / headmodel.RESULT, whole, triangles, tiny.landmarks())
    kept = np.flatnonzero(_inside())
    np.save(folder / f"{OTHERS}/inds" / headmodel.KEPT, kept)
    _write_fitted(folder / MODELS / headmodel.FITTED, front, back, kept)
    _write_template(folder / f"{OTHERS}/template_mesh" / headmodel.TEMPLATE, triangles)
    rows = np.linspace(1, -1, BACK).repeat(BACK)
    length = np.zeros_like(whole)
    length[FRONT:, 1] = 0.1 * rows
    for part, name in headmodel.PARTS.items():
        moved = whole + CHANGES.get(part, length)
        lines = [f"v {x:.7f} {y:.7f} {z:.7f}" for x, y, z in moved]
        (folder / MESHES / name).write_text("\n".join(lines) + "\n", "utf-8")
    _write_pictures(folder / TEXTURES)
    return folder


def _inside() -> Bools:
    """(N,) the dome's vertices that are not on its rim."""
    inner = np.zeros((tiny.ACROSS, tiny.ACROSS), np.bool_)
    inner[1:-1, 1:-1] = True
    return inner.ravel()


def _write_fitted(path: Path, front: Doubles, back: Doubles, kept: Ints) -> None:
    renumbered = np.full(FRONT, -1)
    renumbered[kept] = np.arange(len(kept))
    face = renumbered[tiny.dome_triangles()]
    face = face[(face >= 0).all(1)]
    loose = np.tile([[0.0, 0.3, 0.2]], (6, 1))
    points = np.concatenate([front[kept], back, loose])
    triangles = np.concatenate([face, _back_triangles() + len(kept)]).astype(np.int32)
    inner = np.clip(np.divmod(tiny.landmarks(), tiny.ACROSS), 1, tiny.ACROSS - 2)
    keypoints = renumbered[inner[0] * tiny.ACROSS + inner[1]].astype(np.int32)
    tiny.write_model(path, points, triangles, keypoints)


def _back() -> Doubles:
    """(N, 3) the back of the head, decimetres, seen from behind."""
    steps = np.linspace(-1, 1, BACK)
    x, y = (values.ravel() for values in np.meshgrid(-steps, -steps))
    return np.stack([0.85 * x, 1.1 * y, -0.8 + 0.4 * x**2 + 0.3 * y**2], axis=1)


def _back_triangles() -> Ints:
    corner = (np.arange(BACK - 1)[:, None] * BACK + np.arange(BACK - 1)).ravel()
    first = np.stack([corner, corner + BACK, corner + 1], axis=1)
    second = np.stack([corner + 1, corner + BACK, corner + BACK + 1], axis=1)
    return np.asarray(np.concatenate([first, second]), np.int32)


def _write_template(path: Path, triangles: Ints) -> None:
    """The result with texture points: the dome in the middle, the back below, its own points."""
    steps = np.linspace(0, 1, BACK)
    u, v = (values.ravel() for values in np.meshgrid(steps, 1 - steps))
    uv = np.concatenate([0.2 + 0.6 * tiny.dome()[1] + [0, 0.2], np.stack([u, 0.2 * v], axis=1)])
    # One more point of the texture for a vertex of the last triangle: a seam.
    lines = [f"v {x} {y} 0" for x, y in uv]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in [*uv, (0.99, 0.19)]]
    count = len(uv)
    for number, corners in enumerate(triangles + 1):
        last = number == len(triangles) - 1
        texture = [count + 1 if last and k == 0 else c for k, c in enumerate(corners)]
        lines.append("f " + " ".join(f"{c}/{t}" for c, t in zip(corners, texture, strict=True)))
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _write_pictures(folder: Path) -> None:
    side = 128
    rows, columns = np.indices((side, side)) / side
    face = np.exp(-(((rows - 0.3) / 0.2) ** 2) - ((columns - 0.5) / 0.2) ** 2)
    cheeks = sum(
        np.exp(-(((rows - 0.3) / 0.05) ** 2) - ((columns - x) / 0.05) ** 2) for x in (0.35, 0.65)
    )
    for name, values in (
        (headfiles.BALD, np.full((side, side, 3), 0.6)),
        (headfiles.HAIRY, np.stack([rows, 0.3 * rows, 0 * rows], axis=-1)),
        (headfiles.FACE_MASK, face[..., None].repeat(3, -1)),
        (headfiles.CHEEKS, np.asarray(cheeks)[..., None].repeat(3, -1)),
    ):
        image = Image.fromarray(np.asarray(255 * np.clip(values, 0, 1), np.uint8))
        image.save(folder / name, quality=95)
