"""The face model: what the coefficients mean.

The Basel face model 2009 (Paysan et al., AVSS 2009) cut to the front of the head, with the
expressions of Guo et al. (PAMI 2019): 35709 vertices, 70789 triangles.  The arrays come from the
user's own ``BFM_model_front.mat``; nothing of them is in the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrn_studio.errors import ModelDataError

VERTICES = 35709
"""Of the official file; the mean shape is centred on these."""
COUNTS = {"idBase": 80, "exBase": 64, "texBase": 80}
MAT_KEYS = ("meanshape", "meantex", *COUNTS, "tri", "point_buf", "keypoints")
REMEDY = "get the official BFM_model_front.mat, or make it from your copy of BFM 2009"


@dataclass(frozen=True, slots=True, eq=False)
class FaceModel:
    """A linear face with N vertices and T triangles, in decimetres; all tensors on one device."""

    mean: Tensor
    """(N, 3) centred on the origin."""
    identity: Tensor
    """(3 N, 80) per standard deviation."""
    expression: Tensor
    """(3 N, 64)"""
    mean_texture: Tensor
    """(3 N,) RGB 0..255."""
    texture: Tensor
    """(3 N, 80)"""
    triangles: Tensor
    """(T, 3) int64, counter-clockwise seen from outside."""
    around: Tensor
    """(N, 8) int64, the triangles at a vertex; T stands for none."""
    landmarks: Tensor
    """(68,) int64, the vertices of the iBUG landmarks."""
    center: Tensor
    """(3,) what was subtracted from the file's mean shape."""

    @property
    def vertex_count(self) -> int:
        return len(self.mean)

    def shape(self, identity: Tensor, expression: Tensor) -> Tensor:
        """Vertices (B, N, 3) for coefficients (B, 80) and (B, 64)."""
        moved = identity @ self.identity.T + expression @ self.expression.T
        return moved.reshape(len(identity), -1, 3) + self.mean

    def albedo(self, texture: Tensor) -> Tensor:
        """Colour of each vertex (B, N, 3), about 0..1, for coefficients (B, 80)."""
        colours = (texture @ self.texture.T + self.mean_texture) / 255
        return colours.reshape(len(texture), -1, 3)

    def normals(self, vertices: Tensor) -> Tensor:
        """Unit normals (B, N, 3) of vertices (B, N, 3); each triangle counts the same."""
        a, b, c = vertices[:, self.triangles].unbind(2)
        faces = torch.nn.functional.normalize(torch.linalg.cross(a - b, b - c), dim=2)
        none = faces.new_zeros(len(faces), 1, 3)
        total = torch.cat([faces, none], dim=1)[:, self.around].sum(2)
        return torch.nn.functional.normalize(total, dim=2)

    def to(self, device: str | torch.device) -> FaceModel:
        """The same model on another device."""
        return FaceModel(*(getattr(self, name).to(device) for name in self.__slots__))


def load_face_model(path: Path) -> FaceModel:
    """Read ``BFM_model_front.mat``.

    Raises
    ------
    ModelDataError
        The file is missing, damaged, lacks an array, or an array has the wrong shape or values.
    """
    return face_model(read_mat(path, MAT_KEYS, REMEDY), path.name)


def read_mat(path: Path, keys: tuple[str, ...], remedy: str) -> dict[str, NDArray[Any]]:
    """Some arrays of a MATLAB file.

    Raises
    ------
    ModelDataError
        The file is missing, cannot be read, or lacks an array (all that are lacking are named).
    """
    from scipy.io import loadmat

    if not path.is_file():
        raise ModelDataError(f"'{path}' is missing; {remedy}")
    try:
        found = loadmat(path, variable_names=keys)
    except Exception as error:  # loadmat raises whatever its parser stumbles upon
        raise ModelDataError(f"'{path.name}' cannot be read as a MATLAB file; {remedy}") from error
    lacking = [key for key in keys if key not in found]
    if lacking:
        names = "', '".join(lacking)
        raise ModelDataError(f"'{path.name}' lacks the array '{names}'; {remedy}")
    return {key: np.asarray(found[key]) for key in keys}


def face_model(
    arrays: Mapping[str, NDArray[Any]], name: str, center: Tensor | None = None
) -> FaceModel:
    """A face model from the arrays of the file, which count vertices and triangles from 1.

    Parameters
    ----------
    center
        (3,) what to subtract from the mean shape; by default the middle of its first
        :data:`VERTICES` vertices.

    Raises
    ------
    ModelDataError
        An array has the wrong shape (the message names both), points outside the model, or
        holds values that are not numbers.
    """
    size = arrays["meanshape"].size
    vertices, triangles = size // 3, len(arrays["tri"])
    shapes = {"meantex": (1, size), "tri": (triangles, 3), "point_buf": (vertices, 8)}
    shapes |= {"meanshape": (1, 3 * vertices), "keypoints": (1, 68)}
    shapes |= {key: (size, count) for key, count in COUNTS.items()}
    for key, shape in shapes.items():
        if arrays[key].shape != shape:
            found = arrays[key].shape
            raise ModelDataError(f"'{name}': '{key}' is {found} and must be {shape}; {REMEDY}")
        if not np.isfinite(arrays[key]).all():
            raise ModelDataError(
                f"'{name}': '{key}' contains values that are not numbers; {REMEDY}"
            )
    limits = {"tri": vertices, "point_buf": triangles + 1, "keypoints": vertices}
    for key, limit in limits.items():
        low, high = int(arrays[key].min()), int(arrays[key].max())
        if low < 1 or high > limit:
            raise ModelDataError(
                f"'{name}': '{key}' runs from {low} to {high} and must stay within 1 to {limit}; "
                f"{REMEDY}"
            )
    mean = _floats(arrays["meanshape"]).reshape(-1, 3)
    if center is None:
        # numpy's sum in single precision, as in the published code: the last digits agree.
        center = torch.from_numpy(mean[:VERTICES].numpy().mean(axis=0))
    return FaceModel(
        mean=mean - center,
        identity=_floats(arrays["idBase"]),
        expression=_floats(arrays["exBase"]),
        mean_texture=_floats(arrays["meantex"]).reshape(-1),
        texture=_floats(arrays["texBase"]),
        triangles=_from_one(arrays["tri"]),
        around=_from_one(arrays["point_buf"]),
        landmarks=_from_one(arrays["keypoints"]).reshape(-1),
        center=center,
    )


def _floats(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32, order="K"))


def _from_one(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(array.astype(np.int64) - 1)
