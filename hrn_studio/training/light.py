"""Light for invented pictures: an even sky, a few soft lamps, their shadows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.detail.shading import sh_basis, shade
from hrn_studio.geometry.raster import rasterize
from hrn_studio.records import AnyFloats, Bools, Camera, Floats, Ints
from hrn_studio.training.pixels import blurred, dot, look_up, unit

SHADOW_PX = 224
SHADOW_DISTANCE_M = 3.0
# How far light wanders under skin before it leaves, as a share of the shaded side that is lit:
# red most, blue least.
SCATTER = np.array([0.22, 0.10, 0.06], np.float32)
REACH_M = (0.0014, 0.0005)
"""How far red and green light go under the skin."""


@dataclass(frozen=True, slots=True, eq=False)
class Lamp:
    """Parallel light with a soft edge."""

    direction: Floats
    """(3,) unit vector in the camera frame, from the face towards the lamp."""
    color: Floats
    """(3,) linear."""
    softness: float
    """0 a bare bulb .. 1 a window."""


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """All the light of one picture."""

    ambient: Floats
    """(9, 3) spherical harmonics of the radiance in the camera frame."""
    lamps: tuple[Lamp, ...]


def draw_light(rng: np.random.Generator) -> Light:
    """A plausible indoor or window light, about as bright as a white wall at 1."""
    warmth = rng.normal(0, 0.5)
    ambient = np.zeros((9, 3))
    ambient[0] = rng.uniform(0.15, 0.75) * tint(warmth) / 0.282095
    for _ in range(rng.integers(1, 5)):
        lobe = sh_basis(_direction(rng, 90, rng.normal(25, 35)))
        strength = np.repeat([1.0, 2 / 3, 1 / 4], [1, 3, 5]) * rng.gamma(2.0, 0.12) * 4
        ambient += (strength * lobe)[:, None] * tint(warmth + rng.normal(0, 0.6))
    lamps = []
    for k in range(rng.choice([1, 1, 2, 2, 3])):
        brightness = rng.gamma(3.0, 0.22) if k == 0 else rng.gamma(2.0, 0.12)
        lamps.append(
            Lamp(
                _direction(rng, 50, rng.uniform(0, 60)).astype(np.float32),
                (brightness * tint(warmth + rng.normal(0, 0.7))).astype(np.float32),
                float(rng.beta(2.0, 1.2)),
            )
        )
    return Light(ambient.astype(np.float32), tuple(lamps))


def _direction(rng: np.random.Generator, spread_deg: float, elevation_deg: float) -> Floats:
    """Towards a lamp around the camera's side of the face, in the camera frame."""
    azimuth = np.radians(np.clip(rng.normal(0, spread_deg), -150, 150))
    elevation = np.radians(np.clip(elevation_deg, -40, 80))
    return np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            -np.sin(elevation),
            -np.cos(azimuth) * np.cos(elevation),
        ]
    )


def tint(warmth: float) -> Floats:
    """Linear RGB of white light, bluish at -1 and orange at 1."""
    warmth = float(np.clip(warmth, -1.5, 1.5))
    return np.array([1 + 0.22 * warmth, 1.0, 1 - 0.26 * warmth])


class ShadowMap:
    """What a lamp sees of the things that cast shadows.

    A variance shadow map (Donnelly and Lauritzen 2006): depth and squared depth from the lamp
    are blurred, and Chebyshev's inequality bounds the lit share.
    """

    def __init__(self, vertices: AnyFloats, triangles: Ints, lamp: Lamp) -> None:
        """Vertices (V, 3) in the camera frame, of all that casts shadows."""
        centre = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
        radius = float(np.linalg.norm(vertices - centre, axis=1).max())
        forward = -lamp.direction
        right = np.cross(forward, [0.0, 1.0, 0.1])
        right /= np.linalg.norm(right)
        turn = np.stack([right, np.cross(forward, right), forward]).astype(np.float32)
        offset = np.array([0, 0, SHADOW_DISTANCE_M], np.float32) - turn @ centre.astype(np.float32)
        size = SHADOW_PX
        focal = 0.5 * size * SHADOW_DISTANCE_M / (radius * 1.05)
        camera = Camera(size, size, focal, (size / 2, size / 2))
        fragments = rasterize(vertices @ turn.T + offset, triangles, camera, back_faces=True)
        depth = np.where(fragments.covered, fragments.depth, SHADOW_DISTANCE_M + 2 * radius)
        depth = depth - np.float32(SHADOW_DISTANCE_M)
        sigma = 0.7 + 4.0 * lamp.softness
        moments = np.stack([depth, depth * depth], axis=-1)
        self._moments = blurred(moments, sigma)
        self._turn, self._offset, self._focal = turn, offset, np.float32(focal)

    def lit(self, points: Floats) -> Floats:
        """How much of the lamp each point (P, 3), camera frame, sees: (P,) 0..1."""
        seen = points @ self._turn.T + self._offset
        half = np.float32(SHADOW_PX / 2 - 0.5)
        scale = self._focal / seen[:, 2]
        looked_up = look_up(self._moments, seen[:, 0] * scale + half, seen[:, 1] * scale + half)
        mean = looked_up[:, 0]
        variance = np.maximum(looked_up[:, 1] - mean * mean, 2e-6)
        behind = seen[:, 2] - np.float32(SHADOW_DISTANCE_M) - mean - np.float32(0.003)
        lit = np.where(behind <= 0, 1, variance / (variance + behind * behind))
        return np.asarray(np.clip((lit - 0.2) / 0.8, 0, 1), np.float32)  # less leaking


def scattered(received: Floats, skin: Bools, covered: Bools, px_per_m: float) -> Floats:
    """Light (P, 3) on the covered pixels, with that on skin spread under its surface.

    Red wanders furthest, blue hardly at all: a blur of the picture per colour (d'Eon, Luebke and
    Enderton 2007, with one Gaussian each).

    Parameters
    ----------
    skin
        (P,) which of the covered pixels show skin.
    covered
        (H, W)
    """
    mask = np.zeros(covered.shape, np.float32)
    mask[covered] = skin
    result = received.copy()
    for channel, reach in enumerate(REACH_M):
        sigma = reach * px_per_m
        if sigma < 0.35:
            continue
        grid = np.zeros(covered.shape, np.float32)
        grid[covered] = received[:, channel] * skin
        soft = blurred(grid, sigma)[covered] / np.maximum(blurred(mask, sigma)[covered], 1e-3)
        result[skin, channel] = soft[skin]
    return result


def diffuse(
    normals: Floats, light: Light, lit: list[Floats], occlusion: Floats, scatter: Floats
) -> Floats:
    """Light on a matt or skin-like surface, (P, 3): what an albedo is multiplied by.

    Parameters
    ----------
    normals
        (P, 3) unit, camera frame.
    lit
        For each lamp (P,), from :meth:`ShadowMap.lit`.
    occlusion
        (P,) share of the sky that is seen, 0..1.
    scatter
        (3,) how far the light reaches round the terminator; :data:`SCATTER` for skin.
    """
    result = np.maximum(shade(normals, light.ambient), 0.02) * occlusion[:, None]
    for lamp, share in zip(light.lamps, lit, strict=True):
        cosine = (normals @ lamp.direction)[:, None]
        wrap = scatter + np.float32(0.15 * lamp.softness)
        facing = np.maximum(cosine + wrap, 0) / (1 + wrap)
        result += facing * share[:, None] * lamp.color
    return np.asarray(result, np.float32)


def specular(
    normals: Floats,
    view: Floats,
    light: Light,
    lit: list[Floats],
    occlusion: Floats,
    roughness: float,
) -> Floats:
    """Light reflected at the surface, (P, 3), for an index of refraction of about 1.4.

    Blinn's lobes for the lamps, the sky looked up along the mirrored view, both times Schlick's
    Fresnel term.

    Parameters
    ----------
    view
        (P, 3) unit, from the surface to the camera.
    roughness
        0.2 oily .. 0.6 dry.
    """
    towards = np.clip(dot(normals, view), 0.02, 1)
    grazing = max(0.0, 0.7 - 1.2 * roughness)  # rough surfaces never mirror
    fresnel = 0.028 + grazing * (1 - towards) ** 5
    mirrored = 2 * towards[:, None] * normals - view
    sky = np.maximum(shade(mirrored, light.ambient), 0)
    result = sky * (fresnel * (1 - 0.6 * roughness) * occlusion)[:, None]
    for lamp, share in zip(light.lamps, lit, strict=True):
        half = unit(view + lamp.direction)
        cosine = np.maximum(dot(normals, half), 0)
        power = 2 / max((roughness + 0.12 * lamp.softness) ** 4, 1e-3) - 2
        facing = np.maximum(normals @ lamp.direction, 0)
        bend = np.maximum(dot(view, half), 0)
        strength = (0.028 + 0.972 * (1 - bend) ** 5) * cosine**power * (power + 8) / 8
        result += (strength * facing * share)[:, None] * lamp.color
    return np.asarray(result, np.float32)
