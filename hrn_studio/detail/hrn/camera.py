"""Pose, camera and light of the official model: fixed lens, nine harmonics a colour.

See the package for the axes.  Every function takes and gives batches.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from hrn_studio.records import Camera, Doubles

SIDE = 224
"""Side of the crop that focal length and centre are given for, pixels."""
FOCAL_PX = 1015.0
CENTER_PX = 112.0
DISTANCE = 10.0
"""From the camera to the origin of the world, decimetres."""
NEAR, FAR = 5.0, 15.0
AMBIENT = 0.8
"""Added to the first harmonic of each colour, so that zero coefficients mean grey light."""


def rotation(angles: Tensor) -> Tensor:
    """(B, 3, 3) matrices ``R = Rz(roll) Ry(yaw) Rx(pitch)`` with ``p_world = R @ p_model``.

    Parameters
    ----------
    angles
        (B, 3) pitch, yaw, roll in radians, right-handed about +X, +Y, +Z.
    """
    one, zero = torch.ones_like(angles[:, 0]), torch.zeros_like(angles[:, 0])
    (cx, cy, cz), (sx, sy, sz) = angles.cos().unbind(1), angles.sin().unbind(1)
    rx = torch.stack([one, zero, zero, zero, cx, -sx, zero, sx, cx], dim=1)
    ry = torch.stack([cy, zero, sy, zero, one, zero, -sy, zero, cy], dim=1)
    rz = torch.stack([cz, -sz, zero, sz, cz, zero, zero, zero, one], dim=1)
    return rz.reshape(-1, 3, 3) @ ry.reshape(-1, 3, 3) @ rx.reshape(-1, 3, 3)


def place(points: Tensor, R: Tensor, translation: Tensor) -> Tensor:
    """Model points (B, N, 3) in the world."""
    return points @ R.transpose(1, 2) + translation[:, None]


def to_camera(points: Tensor) -> Tensor:
    """World points (..., 3) in camera space: ``z`` becomes the distance from the camera."""
    x, y, z = points.unbind(-1)
    return torch.stack([x, y, DISTANCE - z], dim=-1)


def project(points_camera: Tensor, side: int = SIDE) -> Tensor:
    """Pixels (..., 2) of camera-space points in a crop of ``side`` pixels, **y up**.

    The origin (0, 0, 10) falls on (112, 112) of 224; (1, 0, 10) falls 101.5 px right of it.
    """
    # One product, as in the published code: texels on the edge of a pixel fall on the same side.
    lens = points_camera.new_tensor([[FOCAL_PX, 0], [0, FOCAL_PX], [CENTER_PX, CENTER_PX]])
    return (points_camera @ lens) / points_camera[..., 2:3] * (side / SIDE)


def clip_matrix() -> Doubles:
    """(4, 4) for ``(x, -y, z, 1)`` of camera space, as OpenGL wants it with row 0 at the bottom."""
    return np.array(
        [
            [FOCAL_PX / CENTER_PX, 0, 0, 0],
            [0, FOCAL_PX / CENTER_PX, 0, 0],
            [0, 0, (FAR + NEAR) / (FAR - NEAR), -2 * FAR * NEAR / (FAR - NEAR)],
            [0, 0, 1, 0],
        ]
    )


def pinhole(side: int = SIDE) -> Camera:
    """The same lens as a camera of the studio, for its rasteriser (see :func:`to_opencv`)."""
    scale = side / SIDE
    return Camera(side, side, FOCAL_PX * scale, (CENTER_PX * scale, CENTER_PX * scale), "default")


def to_opencv(points_camera: Tensor) -> Tensor:
    """Camera-space points (..., 3) with y down, as :mod:`hrn_studio.geometry.raster` wants them."""
    return points_camera * points_camera.new_tensor([1.0, -1.0, 1.0])


def harmonics(normals: Tensor) -> Tensor:
    """(..., 9) the harmonics of unit normals (..., 3), weighted for matt surfaces.

    Ramamoorthi and Hanrahan 2001, in the order and with the signs of the published coefficients.
    """
    x, y, z = normals.unbind(-1)
    k0, k1 = math.pi / math.sqrt(4 * math.pi), 2 * math.pi / math.sqrt(4 * math.pi)
    k2 = 2 * math.pi / math.sqrt(8) * 3 * math.sqrt(5) / math.sqrt(12 * math.pi)
    terms = [k0 + 0 * x, -k1 * y, k1 * z, -k1 * x, k2 * x * y, -k2 * y * z]
    terms.append(k2 / (2 * math.sqrt(3)) * (3 * z * z - 1))
    terms += [-k2 * x * z, k2 / 2 * (x * x - y * y)]
    return torch.stack(terms, dim=-1)


def lit(albedo: Tensor, normals: Tensor, light: Tensor) -> Tensor:
    """Colours of surfaces under the light.

    Parameters
    ----------
    albedo
        (B, N, 3)
    normals
        (B, N, 3) in the world.
    light
        (B, 27), red then green then blue.
    """
    coefficients = light.reshape(-1, 3, 9) + AMBIENT * torch.eye(1, 9, device=light.device)
    return albedo * (harmonics(normals) @ coefficients.transpose(1, 2))


def lit_map(albedo: Tensor, normals: Tensor, light: Tensor) -> Tensor:
    """:func:`lit` for maps: (B, 3, S, S) in, (B, 3, S, S) out."""
    size = albedo.shape[2:]
    flat = lit(albedo.flatten(2).mT, normals.flatten(2).mT, light)
    return flat.mT.unflatten(2, size)  # type: ignore[no-untyped-call, no-any-return]
