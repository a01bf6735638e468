"""The rasteriser as the fit sees it: fragments from numba or CUDA, gradients from torch.

The triangle each pixel sees is a choice without a gradient; given that choice, where in the
triangle the pixel's ray lands is a smooth function of the corners, and
:func:`differentiable_barycentrics` writes it in torch.  So gradients flow through what is seen,
not through what is hidden or revealed: the outline needs a loss of its own.
"""

from __future__ import annotations

import importlib.util
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from hrn_studio.geometry.raster import Fragments, interpolate, rasterize
from hrn_studio.records import AnyFloats, Camera, Ints

__all__ = [
    "Fragments",
    "Rasterizer",
    "covered_pixels",
    "differentiable_barycentrics",
    "interpolate",
    "rasterize",
    "rasterizer",
]


class Rasterizer(Protocol):
    """Whatever can say which triangle each pixel sees; :func:`rasterize` is the reference."""

    def __call__(
        self,
        vertices: AnyFloats,
        triangles: Ints,
        camera: Camera,
        *,
        near_m: float = ...,
        back_faces: bool = ...,
    ) -> Fragments: ...


def rasterizer(device: str = "cpu") -> Rasterizer:
    """The fastest rasteriser for a torch device.

    nvdiffrast on ``cuda`` when the user has installed it (its licence forbids commercial use, so
    nothing here needs it), else the numba kernel, whatever the device.
    """
    cuda = device.startswith("cuda") and torch.cuda.is_available()
    if cuda and importlib.util.find_spec("nvdiffrast") is not None:
        from hrn_studio.detail.rasterizer_nv import NvRasterizer

        return NvRasterizer(device)
    return rasterize


def covered_pixels(fragments: Fragments) -> Ints:
    """(P,) flat indices of the pixels with a triangle, in the order the fits use everywhere."""
    return np.flatnonzero(fragments.triangle.ravel() >= 0).astype(np.int32)


def differentiable_barycentrics(
    vertices: Tensor, triangles: Tensor, fragments: Fragments, camera: Camera
) -> Tensor:
    """Where each covered pixel's ray meets its triangle, with gradients to the vertices.

    The formula is that of :mod:`hrn_studio.geometry.raster`, so the values agree with
    ``fragments.barycentric`` for the vertices it was drawn from.

    Parameters
    ----------
    vertices
        (V, 3) metres in the camera frame.
    triangles
        (T, 3) int64.
    fragments
        Drawn from these vertices (or ones close by: then weights may leave 0..1).

    Returns
    -------
    (P, 3) for the P covered pixels in row-major order (:func:`covered_pixels`); each row sums
    to 1, and ``(weights[:, :, None] * vertices[triangles[seen]]).sum(1)`` is the point seen.
    """
    pixels = covered_pixels(fragments)
    seen = torch.from_numpy(fragments.triangle.ravel()[pixels].astype(np.int64))
    corners = vertices[triangles[seen.to(triangles.device)]]
    rows, columns = np.divmod(pixels, camera.width)
    directions = np.stack(
        [
            (columns + 0.5 - camera.center_px[0]) / camera.focal_px,
            (rows + 0.5 - camera.center_px[1]) / camera.focal_px,
            np.ones(len(pixels)),
        ],
        axis=1,
    )
    rays = torch.from_numpy(directions).to(vertices)[:, None, :]
    edges = torch.cross(corners.roll(-1, dims=1), corners.roll(-2, dims=1), dim=2)
    weights = (rays * edges).sum(dim=2)
    return weights / weights.sum(dim=1, keepdim=True)
