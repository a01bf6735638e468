"""Where the tracker's landmarks lie on the default head.

A landmark is a fixed point of a triangle, so it moves with every identity and expression (and an
iris with the gaze).  The places and how far people differ from them were measured by
``packaging/build_landmarks.py``: the tracker looks at pictures of invented people, and what it
points at is cast back to the surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hrn_studio import paths
from hrn_studio.errors import ModelDataError
from hrn_studio.face.arrays import opened
from hrn_studio.records import AnyFloats, Bools, Doubles, Floats, Ints, frozen

VERSION = 2
REMEDY = "install HRN Studio again, or measure it anew with 'python packaging/build_landmarks.py'"
SPREAD_FLOOR_M = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkEmbedding:
    """L landmarks on a head model's triangles."""

    triangles: Ints
    """(L,) index of the triangle that each lies in."""
    barycentric: Floats
    """(L, 3) weights of its corners, summing to 1."""
    corners: Ints
    """(L, 3) its corners: ``head.triangles[triangles]`` of the head it was measured on."""
    spread_m: Floats
    """(L,) standard deviation between people of where the tracker points, along one axis."""
    usable: Bools
    """(L,) False where the tracker follows the outline, which slides over the skin."""
    depth_m: Floats
    """(L,) how much too far behind the face's mean the tracker puts each, on average over people,
    along the head's -Z: its depth follows a face of its own more than the person's."""

    def __post_init__(self) -> None:
        for name, dtype in (
            ("triangles", np.int32),
            ("barycentric", np.float32),
            ("corners", np.int32),
            ("spread_m", np.float32),
            ("usable", np.bool_),
            ("depth_m", np.float32),
        ):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))

    def points(self, vertices: AnyFloats) -> Floats:
        """Landmarks (L, 3) of a head with the given vertices (V, 3), in their frame and unit."""
        return np.asarray(
            np.einsum("lk,lkd->ld", self.barycentric, vertices[self.corners]), np.float32
        )

    def weights(self) -> Doubles:
        """(L,) inverse variances, 1 on average over the usable landmarks and 0 for the others."""
        weights = self.usable / np.maximum(self.spread_m.astype(np.float64), SPREAD_FLOOR_M) ** 2
        return np.asarray(weights / weights[self.usable].mean())


def load_embedding(path: Path | None = None, remedy: str = REMEDY) -> LandmarkEmbedding:
    """The default tracker's landmarks on the default head.

    Parameters
    ----------
    remedy
        What to do when the file cannot be used.

    Raises
    ------
    ModelDataError
        The file is missing, damaged, or of another version.
    """
    path = paths.resources() / "landmarks.npz" if path is None else Path(path)
    with opened(path, "the landmark file", remedy) as arrays:
        version = int(arrays.pop("version"))
        embedding = LandmarkEmbedding(**arrays)
    if version != VERSION:
        raise ModelDataError(
            f"the landmark file '{path}' has version {version}, this program needs {VERSION}; "
            f"{remedy}"
        )
    count = len(embedding.triangles)
    shapes = [embedding.barycentric.shape, embedding.corners.shape]
    shapes += [embedding.spread_m.shape, embedding.usable.shape, embedding.depth_m.shape]
    if shapes != [(count, 3), (count, 3), (count,), (count,), (count,)]:
        raise ModelDataError(f"the landmark file '{path}' is damaged (sizes); {remedy}")
    return embedding


def save_embedding(embedding: LandmarkEmbedding, path: Path) -> None:
    """Write what :func:`load_embedding` reads."""
    np.savez_compressed(
        path,
        version=VERSION,
        triangles=embedding.triangles,
        barycentric=embedding.barycentric,
        corners=embedding.corners,
        spread_m=embedding.spread_m,
        usable=embedding.usable,
        depth_m=embedding.depth_m,
    )
