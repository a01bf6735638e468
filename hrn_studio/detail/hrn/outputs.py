"""HRN's own result as files: its mesh, its dense mesh and its textures.

Meshes are without the picture's pose, in metres and in the studio's head axes (HRN's own are the
same but for unit and origin); they name their material, and the dense one has texture coordinates
and normals too, which the published exports lack.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image

from hrn_studio.detail.hrn.dense import grid_normals
from hrn_studio.detail.hrn.result import HrnFace
from hrn_studio.detail.hrn.texels import SIZE
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints

METRES = 0.1
_EIGHT_BIT = 127.5


def hrn_files(face: HrnFace, name: str) -> dict[str, bytes]:
    """Files by name.

    ``NAME_hrn.obj`` (with the picture's expression), ``NAME_hrn_neutral.obj``,
    ``NAME_hrn_dense.obj`` (one vertex per texel, displaced), ``NAME_hrn.mtl``, and
    ``NAME_hrn_texture.png`` (the picture's light in it), ``NAME_hrn_albedo.png``,
    ``NAME_hrn_normal.png`` (head axes) and ``NAME_hrn_coefficients.csv``.
    """
    stem = f"{name}_hrn"
    dense, normals = _dense(face)
    used, triangles = np.unique(face.dense_triangles, return_inverse=True)
    rows, columns = np.divmod(used, SIZE)
    uv = np.stack([(columns + 0.5) / SIZE, 1 - (rows + 0.5) / SIZE], axis=1)
    normal_map = np.zeros((SIZE * SIZE, 3))
    normal_map[used] = normals[used]
    coded = (normal_map.reshape(SIZE, SIZE, 3) + 1) * (_EIGHT_BIT / 255)
    return {
        f"{stem}.obj": obj_file(stem, face.shape, face.uv, face.triangles),
        f"{stem}_neutral.obj": obj_file(stem, face.neutral, face.uv, face.triangles),
        f"{stem}_dense.obj": obj_file(
            stem, dense[used], uv, triangles.reshape(-1, 3).astype(np.int32), normals[used]
        ),
        f"{stem}.mtl": material_file(stem),
        f"{stem}_texture.png": png_file(face.texture),
        f"{stem}_albedo.png": png_file(face.albedo),
        f"{stem}_normal.png": png_file(coded),
        f"{stem}_coefficients.csv": coefficient_table(face.coefficients),
    }


def _dense(face: HrnFace) -> tuple[Doubles, Doubles]:
    """The texels' positions and normals (65536, 3) without pose, decimetres."""
    world = face.dense_vertices.astype(np.float64)
    positions = torch.from_numpy(world.T.reshape(1, 3, SIZE, SIZE).copy())
    normals = grid_normals(positions)[0].reshape(3, -1).T.numpy()
    return (world - face.translation) @ face.R, normals @ face.R


def obj_file(
    stem: str,
    vertices: AnyFloats,
    uv: AnyFloats,
    triangles: Ints,
    normals: AnyFloats | None = None,
    uv_triangles: Ints | None = None,
) -> bytes:
    """A mesh with the material of :func:`material_file`.

    Parameters
    ----------
    vertices, normals
        (N, 3), decimetres; normals are made from the triangles where none are given.
    uv, uv_triangles
        (M, 2), and (T, 3) into them; those of ``triangles`` where none are given.
    """
    if normals is None:
        normals = vertex_normals(vertices, triangles)
    lines = [
        "# HRN's face on its own topology.  Units: metres.  +Y up, the face looks along +Z.",
        f"mtllib {stem}.mtl",
        *_rows("v", METRES * vertices, 6),
        *_rows("vt", uv, 6),
        *_rows("vn", normals, 4),
        "usemtl face",
        "s 1",
    ]
    texture = triangles if uv_triangles is None else uv_triangles
    corners = np.stack([triangles, texture, triangles], axis=2).reshape(-1, 9) + 1
    lines += map("f %d/%d/%d %d/%d/%d %d/%d/%d".__mod__, map(tuple, corners.tolist()))
    return ("\n".join(lines) + "\n").encode()


def material_file(stem: str) -> bytes:
    """``STEM.mtl`` for ``STEM_texture.png``."""
    return f"newmtl face\nKd 1 1 1\nmap_Kd {stem}_texture.png\n".encode()


def _rows(key: str, values: AnyFloats, digits: int) -> Iterator[str]:
    table = np.round(np.asarray(values, np.float64), digits) + 0.0
    template = " ".join([key] + [f"%.{digits}f"] * table.shape[1])
    return map(template.__mod__, map(tuple, table.tolist()))


def png_file(image: AnyFloats) -> bytes:
    """An 8-bit PNG of values 0..1."""
    stream = io.BytesIO()
    values = np.clip(np.asarray(image, np.float32) * 255 + 0.5, 0, 255).astype(np.uint8)
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()


def coefficient_table(coefficients: Floats) -> bytes:
    """The 257 numbers with their names, as CSV."""
    names = [("identity", 80), ("expression", 64), ("texture", 80), ("angle", 3)]
    names += [("light", 27), ("translation", 3)]
    labels = [f"{name}_{k}" for name, count in names for k in range(count)]
    pairs = zip(labels, coefficients.tolist(), strict=True)
    return ("\n".join(f"{label},{value:.7g}" for label, value in pairs) + "\n").encode()
