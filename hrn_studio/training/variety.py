"""What makes pictures differ beyond the person: light, lens, and things in front of the face.

Drawn from a generator of its own, so that a picture without variety is the picture it always was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.detail.shading import sh_basis
from hrn_studio.records import Camera, Doubles, Floats
from hrn_studio.training import light
from hrn_studio.training.covers import Cover

LIGHTS = ("room", "window", "soft boxes", "ring light", "screen", "sky", "bare bulb")
COVERS = ("nothing", "hand", "mask", "scarf", "microphone")
LENSES = ("webcam or telephone", "portrait lens")


@dataclass(frozen=True, slots=True)
class Variety:
    """Shares of the pictures."""

    lights: float = 0.6
    """With a light other than a room's."""
    covered: float = 0.2
    """With something in front of the face."""
    restyled: float = 1.0
    """Whose hair may be other than straight and open, see :func:`.hair.restyled`."""
    portrait: float = 0.15
    """Taken from further away with a long lens and a shallow depth of field."""


@dataclass(frozen=True, slots=True, eq=False)
class Extras:
    """What was drawn for one picture."""

    lights: light.Light | None = None
    """None: a room's."""
    light_kind: int = 0
    """Index into :data:`LIGHTS`."""
    cover: Cover | None = None
    cover_kind: int = 0
    """Index into :data:`COVERS`."""
    camera: Camera | None = None
    """A portrait lens; None: a webcam."""
    hair_seed: int | None = None
    aperture_m: float = 0.0
    """Width of the lens's opening: 0 has everything in focus."""

    @property
    def distance_m(self) -> tuple[float, float]:
        """Between which the face is."""
        return (0.4, 0.9) if self.camera is None else (1.1, 2.4)


def draw_extras(rng: np.random.Generator, variety: Variety) -> Extras:
    """Draw one picture's."""
    lights, light_kind = None, 0
    if rng.random() < variety.lights:
        light_kind = int(rng.integers(1, len(LIGHTS)))
        lights = draw_setting(rng, LIGHTS[light_kind])
    cover, cover_kind = None, 0
    if rng.random() < variety.covered:
        cover_kind = int(rng.choice([1, 2, 3, 4], p=[0.5, 0.15, 0.2, 0.15]))
        cover = Cover(COVERS[cover_kind], int(rng.integers(2**31)))
    camera, aperture = None, 0.0
    if rng.random() < variety.portrait:
        camera = Camera.from_hfov(1280, 720, float(rng.uniform(17, 32)), "user")
        aperture = float(rng.uniform(0.01, 0.05))
    restyle = rng.random() < variety.restyled
    hair_seed = int(rng.integers(2**31)) if restyle else None
    return Extras(lights, light_kind, cover, cover_kind, camera, hair_seed, aperture)


def draw_setting(rng: np.random.Generator, kind: str) -> light.Light:
    """A light of a kind in :data:`LIGHTS`."""
    side = float(rng.choice([-1, 1]))
    warmth = float(rng.normal(0, 0.4))
    if kind == "window":
        way = _towards(side * rng.uniform(35, 105), rng.uniform(-5, 25))
        lamp = _lamp(way, rng.uniform(0.7, 1.5), -0.4 + warmth, rng.uniform(0.85, 1.0))
        return light.Light(_sky(rng.uniform(0.08, 0.3), way, 0.25, warmth), (lamp,))
    if kind == "soft boxes":
        key = _towards(side * rng.uniform(20, 60), rng.uniform(10, 40))
        fill = _towards(-side * rng.uniform(25, 70), rng.uniform(0, 25))
        lamps = [
            _lamp(key, rng.uniform(0.6, 1.1), warmth, rng.uniform(0.65, 0.95)),
            _lamp(fill, rng.uniform(0.15, 0.5), warmth, rng.uniform(0.7, 1.0)),
        ]
        if rng.random() < 0.4:
            lamps.append(_lamp(_towards(-side * rng.uniform(125, 155), 30), 0.7, warmth, 0.5))
        return light.Light(_sky(rng.uniform(0.05, 0.25), key, 0.1, warmth), tuple(lamps))
    if kind == "ring light":
        way = _towards(rng.normal(0, 5), rng.normal(5, 6))
        lamp = _lamp(way, rng.uniform(0.6, 1.1), warmth, rng.uniform(0.5, 0.8))
        return light.Light(_sky(rng.uniform(0.05, 0.3), way, 0.1, warmth), (lamp,))
    if kind == "screen":
        way = _towards(rng.normal(0, 12), rng.uniform(-40, -10))
        lamp = _lamp(way, rng.uniform(0.3, 0.7), rng.uniform(-1.2, -0.3), 1.0)
        return light.Light(_sky(rng.uniform(0.04, 0.25), way, 0.1, warmth + 0.4), (lamp,))
    if kind == "sky":
        way = _towards(rng.uniform(-180, 180), rng.uniform(45, 80))
        sun = _lamp(
            _towards(rng.uniform(-130, 130), rng.uniform(15, 60)),
            rng.uniform(0.5, 1.6),
            0.5,
            rng.uniform(0.0, 0.15),
        )
        lamps = [sun] if rng.random() < 0.4 else []
        return light.Light(_sky(rng.uniform(0.35, 0.7), way, 0.5, -0.4 + warmth), tuple(lamps))
    way = _towards(rng.normal(0, 55), rng.uniform(5, 70))
    bulb = _lamp(way, rng.uniform(0.8, 1.5), 0.5 + warmth, rng.uniform(0.0, 0.12))
    return light.Light(_sky(rng.uniform(0.05, 0.25), way, 0.15, warmth), (bulb,))


def _towards(azimuth_deg: float, elevation_deg: float) -> Floats:
    """A unit vector from the face, camera frame; 0, 0 is the camera."""
    a, e = np.radians(azimuth_deg), np.radians(elevation_deg)
    return np.array([np.sin(a) * np.cos(e), -np.sin(e), -np.cos(a) * np.cos(e)], np.float32)


def _lamp(way: Floats, brightness: float, warmth: float, softness: float) -> light.Lamp:
    color: Doubles = brightness * light.tint(warmth)
    return light.Lamp(way, color.astype(np.float32), float(softness))


def _sky(level: float, way: Floats, lobe: float, warmth: float) -> Floats:
    """(9, 3) an even light, and a broad one from one way."""
    ambient = np.zeros((9, 3))
    ambient[0] = level / 0.282095
    strength = np.repeat([1.0, 2 / 3, 1 / 4], [1, 3, 5]) * lobe * 4
    ambient += (strength * sh_basis(way.astype(np.float64)))[:, None]
    return np.asarray(ambient * light.tint(warmth), np.float32)
