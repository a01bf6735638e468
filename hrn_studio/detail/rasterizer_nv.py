"""nvdiffrast behind the same fragments, for whoever has it and a CUDA device.

nvdiffrast (https://github.com/NVlabs/nvdiffrast) is the user's own; its licence forbids
commercial use.  Only its ``rasterize`` is used.  Checked against the numba kernel by
``tests/detail/test_rasterizer.py`` where both are present, which no machine of the project's
continuous integration is.
"""

from __future__ import annotations

import numpy as np
import torch

from hrn_studio.geometry.raster import NEAR_M, Fragments
from hrn_studio.records import AnyFloats, Camera, Ints

FAR_M = 100.0


class NvRasterizer:
    """Holds the CUDA context; call it like :func:`hrn_studio.geometry.raster.rasterize`."""

    def __init__(self, device: str = "cuda") -> None:
        import nvdiffrast.torch as dr

        self._dr = dr
        self._device = torch.device(device)
        self._context = dr.RasterizeCudaContext(device=self._device)

    def __call__(
        self,
        vertices: AnyFloats,
        triangles: Ints,
        camera: Camera,
        *,
        near_m: float = NEAR_M,
        back_faces: bool = False,
    ) -> Fragments:
        """See :func:`hrn_studio.geometry.raster.rasterize`."""
        kept = np.arange(len(triangles))
        if not back_faces:  # nvdiffrast does not cull
            a, b, c = (vertices[triangles[:, k]].astype(np.float64) for k in range(3))
            kept = kept[np.einsum("tk,tk->t", a, np.cross(b, c)) < 0]
        # Its row 0 is y = -1, so that y down in the picture is y up in its clip space: no flip.
        # The picture is padded to multiples of 8, which the CUDA context asks for.
        height, width = -(-camera.height // 8) * 8, -(-camera.width // 8) * 8
        x, y, z = torch.from_numpy(np.asarray(vertices, np.float32)).to(self._device).T
        focal, (cx, cy) = camera.focal_px, camera.center_px
        clip = torch.stack(
            [
                2 / width * (focal * x + cx * z) - z,
                2 / height * (focal * y + cy * z) - z,
                (FAR_M + near_m) / (FAR_M - near_m) * z - 2 * FAR_M * near_m / (FAR_M - near_m),
                z,
            ],
            dim=1,
        )
        faces = torch.from_numpy(triangles[kept].astype(np.int32)).to(self._device)
        raster, _ = self._dr.rasterize(self._context, clip[None], faces, (height, width))
        raster = raster[0, : camera.height, : camera.width].cpu().numpy()
        drawn = raster[..., 3].astype(np.int32) - 1
        covered = drawn >= 0
        triangle = np.where(covered, kept[np.maximum(drawn, 0)], -1).astype(np.int32)
        u, v = raster[..., 0], raster[..., 1]
        barycentric = np.where(covered[..., None], np.stack([u, v, 1 - u - v], axis=-1), 0)
        corner_z = np.asarray(vertices)[triangles[np.maximum(triangle, 0)], 2]
        depth = np.where(covered, (barycentric * corner_z).sum(axis=-1), np.inf)
        return Fragments(triangle, barycentric, depth)
