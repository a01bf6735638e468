"""A painted head and exact photographs of it: what the texture stage must find again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage

from hrn_studio.detail.atlas import Atlas
from hrn_studio.detail.occlusion import Hidden, hidden_directions, transfer
from hrn_studio.detail.shading import linear_from_srgb, sh_basis, srgb_from_linear
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.geometry.raster import interpolate, rasterize
from hrn_studio.geometry.transforms import apply, rigid, rotation_from_angles
from hrn_studio.records import Camera, Coefficients, FaceState, Floats, Frame, Track, View

SIZE = 512
CAMERA = Camera(480, 480, 900.0, (240.0, 240.0), "user")


@dataclass(frozen=True)
class Painted:
    """The mean head with a skin."""

    head: HeadModel
    albedo: Floats
    """(512, 512, 3) linear."""
    normals: Floats
    hidden: Hidden
    mole: tuple[int, int]
    """Row and column of a dark brown spot on the left cheek."""


def sunlight(towards=(0.3, -0.3, -1.0), around=0.7, direct=0.5, colour=(1.0, 1.0, 1.0)):
    """Even light and some from one direction (camera frame), (9, 3)."""
    light = np.zeros((9, 3))
    light[0] = around / 0.282095
    basis = sh_basis(np.asarray(towards) / np.linalg.norm(towards))
    basis[4:] *= 0.4  # a broad lamp
    return (light + direct * np.pi * basis[:, None]) * np.asarray(colour)


@pytest.fixture(scope="session")
def painted(head: HeadModel) -> Painted:
    atlas = Atlas.of(head.uv, head.uv_triangles, SIZE)
    place = atlas.interpolate(head.mean, head.triangles)
    albedo = np.tile(np.float32((0.42, 0.25, 0.18)), (SIZE, SIZE, 1))
    grain = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(SIZE, SIZE)), 1.0)
    albedo *= (1 + 0.03 * grain / grain.std())[..., None].astype(np.float32)
    albedo *= 1 - atlas.region(head, "lips")[..., None] * np.float32((0.2, 0.5, 0.45))
    albedo *= 1 - 0.7 * atlas.region(head, "brows")[..., None]
    away = np.linalg.norm(place - np.float32((0.042, -0.045, 0.02)), axis=2)
    away[~atlas.part(head, "skin")] = 9
    spot = np.unravel_index(int(np.argmin(away)), away.shape)
    away = np.linalg.norm(place - place[spot], axis=2)
    albedo *= 1 - np.exp(-((away / 0.002) ** 2))[..., None] * np.float32((0.45, 0.6, 0.75))
    normals = vertex_normals(head.mean, head.triangles)
    return Painted(
        head,
        albedo.astype(np.float32),
        normals,
        hidden_directions(head.mean, normals, head.triangles),
        (int(spot[0]), int(spot[1])),
    )


@pytest.fixture(scope="session")
def photograph(painted: Painted) -> Callable[..., View]:
    """A view whose fit is exact."""

    def shoot(
        yaw_deg: float = 0.0,
        light: np.ndarray | None = None,
        *,
        camera: Camera = CAMERA,
        shade: np.ndarray | float = 1.0,
        texture: np.ndarray | None = None,
        noise: float = 0.003,
    ) -> View:
        head = painted.head
        albedo = painted.albedo if texture is None else linear_from_srgb(texture / 255.0)
        T = rigid(rotation_from_angles(np.radians(yaw_deg), 0, 0), np.array([0, 0.01, 0.62]))
        drawn = rasterize(apply(T, head.mean), head.triangles, camera)
        answer = transfer(painted.normals, painted.hidden, T[:3, :3])
        lit = np.einsum("vkc,kc->vc", answer, sunlight() if light is None else light)
        lit = np.maximum(lit, 0) * np.reshape(shade, (-1, 1))
        uv = interpolate(drawn, head.uv_triangles, head.uv)
        at = (1 - uv[..., 1]) * len(albedo) - 0.5, uv[..., 0] * len(albedo) - 0.5
        colour = np.stack(
            [
                ndimage.map_coordinates(albedo[..., k], at, order=1, mode="nearest")
                for k in range(3)
            ],
            axis=-1,
        )
        picture = colour * interpolate(drawn, head.triangles, lit)
        picture += noise * np.random.default_rng(3).normal(size=picture.shape)
        picture[~drawn.covered] = (0.1, 0.3, 0.2)
        skin = drawn.covered & (head.triangle_part[drawn.triangle] == 0)
        state = FaceState(
            Coefficients(np.zeros(head.identity_count), np.zeros(head.expression_count)), T, camera
        )
        return View(
            Frame((srgb_from_linear(picture.clip(0, 1)) * 255 + 0.5).astype(np.uint8)),
            Track(np.zeros((468, 2)), np.zeros(468)),
            state,
            head.mean,
            np.zeros((9, 3)),
            skin.astype(np.float32),
        )

    return shoot


@pytest.fixture(scope="session")
def sun() -> Callable[..., np.ndarray]:
    return sunlight
