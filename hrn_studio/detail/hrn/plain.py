"""HRN's plain files: the UV layout, the template's triangles, the albedo over UV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrn_studio.detail.hrn.checkpoint import AGAIN
from hrn_studio.errors import ModelDataError
from hrn_studio.records import Floats, Ints

ALBEDO_SIDE = 512


def read_triangles(path: Path) -> Ints:
    """(T, 3) from 0: the faces of an OBJ file made of triangles.

    Raises
    ------
    ModelDataError
        The file is missing or has no triangles.
    """
    if not path.is_file():
        raise ModelDataError(f"'{path}' is missing; add it with 'hrn-studio models add PATH'")
    rows = []
    for line in path.read_text("utf-8", errors="replace").splitlines():
        if line.startswith("f "):
            rows.append([corner.split("/")[0] for corner in line.split()[1:]])
    try:
        triangles = np.array(rows, np.int64).reshape(-1, 3) - 1
    except (ValueError, OverflowError) as error:
        raise ModelDataError(f"'{path.name}' is not made of triangles; {AGAIN}") from error
    if len(triangles) == 0 or triangles.min() < 0:
        raise ModelDataError(f"'{path.name}' has no triangles; {AGAIN}")
    return triangles.astype(np.int32)


def _array(path: Path, *, mapped: bool = False) -> NDArray[Any]:
    if not path.is_file():
        raise ModelDataError(f"'{path}' is missing; add it with 'hrn-studio models add PATH'")
    try:
        found = np.load(path, allow_pickle=False, mmap_mode="r" if mapped else None)
    except (OSError, ValueError, EOFError) as error:
        raise ModelDataError(f"'{path.name}' is not an array of numbers; {AGAIN}") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind != "f":
        raise ModelDataError(f"'{path.name}' is not an array of numbers; {AGAIN}")
    return found


def _sized(path: Path, size: int, shape: str, *, mapped: bool = False) -> NDArray[Any]:
    found = _array(path, mapped=mapped)
    if found.size != size:
        raise ModelDataError(f"'{path.name}' is {found.shape} and must be {shape}; {AGAIN}")
    return _finite(found, path.name)


def _finite(found: NDArray[Any], name: str) -> NDArray[Any]:
    for block in np.array_split(found.reshape(-1), max(1, found.size >> 22)):
        if not np.isfinite(block).all():
            raise ModelDataError(f"'{name}' contains values that are not numbers; {AGAIN}")
    return found


def read_uv(path: Path) -> Floats:
    """``bfm_uvs2.npy``: (N, 2) u right and v up, one point per vertex.

    Raises
    ------
    ModelDataError
        The file is missing, damaged or of another shape; so for the others.
    """
    found = _array(path)
    if found.ndim != 2 or found.shape[1] != 2:
        raise ModelDataError(f"'{path.name}' is {found.shape} and must be (vertices, 2); {AGAIN}")
    return np.asarray(_finite(found, path.name))


def read_albedo_basis(path: Path) -> NDArray[Any]:
    """``bfm_texmap_base2.npy``, 240 MB: row, column, colour, then 80 components; not copied."""
    texels = ALBEDO_SIDE * ALBEDO_SIDE * 3
    return _sized(path, texels * 80, f"({texels}, 80)", mapped=True)


def read_albedo_mean(path: Path) -> NDArray[Any]:
    """``bfm_tex_mean2.npy``: row, column, colour; 0..255."""
    texels = ALBEDO_SIDE * ALBEDO_SIDE * 3
    return _sized(path, texels, f"({texels},)")
