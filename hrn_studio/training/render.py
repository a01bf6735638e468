"""Pictures of invented people, with everything known about them.

:func:`render_sample` draws all of it at random; :func:`draw_person`, :func:`picture` are its
parts, for whoever wants the same person in several poses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hrn_studio.geometry.raster import rasterize
from hrn_studio.geometry.transforms import apply
from hrn_studio.live._cv import cv2
from hrn_studio.records import Bytes, Camera, Coefficients, Doubles, Floats, Ints, frozen
from hrn_studio.training import hair, light, sample
from hrn_studio.training.backdrop import draw_backdrop
from hrn_studio.training.layers import COVER, GLASSES, HAIR, JEWELLERY
from hrn_studio.training.photograph import defocused, photograph
from hrn_studio.training.pixels import resized
from hrn_studio.training.scene import CLOTH, Person, Scene
from hrn_studio.training.skin import draw_skin
from hrn_studio.training.stage import Stage
from hrn_studio.training.style import Style, draw_style
from hrn_studio.training.variety import Extras, Variety, draw_extras
from hrn_studio.training.wrinkles import draw_creases

__all__ = [
    "CLOTH",
    "COVER",
    "GLASSES",
    "HAIR",
    "JEWELLERY",
    "Person",
    "Sample",
    "draw_person",
    "picture",
    "render_sample",
]

_CREASES, _BALANCE, _TRIM = 1, 4, 5
"""Which of a person's own generators draws what."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture and the truth about it."""

    image: Bytes
    """(H, W, 3) RGB, sRGB."""
    camera: Camera
    """Of this picture: a cut-out of a webcam's picture, its principal point kept."""
    T_camera_head: Doubles
    coefficients: Coefficients
    vertices: Floats
    """(V, 3) camera frame, metres."""
    triangle: Ints
    """(H, W) the head's triangle, also under hair, glasses and clothes; -1 where there is none."""
    barycentric: Floats
    """(H, W, 3)"""
    part: Bytes
    """(H, W) what is seen: an index into the head's ``part_names``, or :data:`GLASSES`,
    :data:`HAIR`, :data:`CLOTH`, :data:`JEWELLERY`, :data:`COVER`, or 255 for the background."""
    style: Style
    kinds: tuple[int, int, int] = (0, 0, 0)
    """Of the light, of what covers the face and of the lens, see
    :mod:`hrn_studio.training.variety`."""

    def __post_init__(self) -> None:
        for name in ("image", "T_camera_head", "vertices", "triangle", "barycentric", "part"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def draw_person(rng: np.random.Generator, stage: Stage, style: Style | None = None) -> Person:
    """A random person's paint, hair and clothes; the shape is not part of it."""
    style = style or draw_style(rng)
    skin = draw_skin(rng, stage.chart, stage.zones, style)
    cut = hair.draw_cut(rng, style.hair, style.age)
    seed = int(rng.integers(2**31))
    if cut is not None:
        cut = hair.trimmed(np.random.default_rng([seed, _TRIM]), cut)
    creases = draw_creases(np.random.default_rng([seed, _CREASES]), style.age)
    return Person(style, skin, cut, creases, seed)


def render_sample(
    stage: Stage,
    rng: np.random.Generator,
    *,
    size: int = 320,
    neutral: float = 0.6,
    yaw_deg: float = 35.0,
    pitch_deg: float = 20.0,
    roll_deg: float = 15.0,
    flaws: float = 1.0,
    detail: float = 1.3,
    variety: Variety | None = None,
) -> Sample:
    """One random person in one random picture.

    Parameters
    ----------
    size
        Width and height of the picture, a cut-out round the face.
    neutral
        Share of neutral faces.
    yaw_deg, pitch_deg, roll_deg
        Limits of the pose.
    flaws
        How bad the camera is, 0..1.
    detail
        Rendered this much larger, then averaged.
    variety
        Other lights and lenses, and things in front of the face; None: a room and a webcam.
    """
    extras = Extras() if variety is None else draw_extras(rng.spawn(1)[0], variety)
    coefficients = sample.draw_coefficients(rng, stage.head, neutral)
    webcam = sample.draw_webcam(rng)
    webcam = extras.camera or webcam
    T_camera_head = sample.draw_pose(rng, webcam, yaw_deg, pitch_deg, roll_deg, extras.distance_m)
    vertices = apply(T_camera_head, stage.head.evaluate(coefficients)).astype(np.float32)
    camera = sample.crop_camera(rng, sample.face_points(stage.head, vertices), webcam, size)
    person = draw_person(rng, stage)
    if extras.hair_seed is not None:
        own = np.random.default_rng(extras.hair_seed)
        person = replace(person, cut=hair.restyled(own, person.cut))
    return picture(
        *(stage, rng, person, coefficients, T_camera_head, camera),
        extras=extras,
        flaws=flaws,
        detail=detail,
    )


def picture(
    stage: Stage,
    rng: np.random.Generator,
    person: Person,
    coefficients: Coefficients,
    T_camera_head: Doubles,
    camera: Camera,
    *,
    extras: Extras | None = None,
    lights: light.Light | None = None,
    backdrop: Floats | None = None,
    exposure: float | None = None,
    flaws: float = 1.0,
    detail: float = 1.3,
) -> Sample:
    """A person as a camera sees them; what is not given is drawn at random.

    Parameters
    ----------
    extras
        What :func:`~hrn_studio.training.variety.draw_extras` drew.
    backdrop
        (H, W, 3) linear.
    exposure
        Factor on the scene's light; by default the camera meters the face.
    """
    extras = extras or Extras()
    lights = lights or extras.lights or light.draw_light(rng)
    own = np.random.default_rng(person.seed)
    scale = detail
    fine = Camera(
        round(camera.width * scale),
        round(camera.height * scale),
        camera.focal_px * scale,
        (camera.center_px[0] * scale, camera.center_px[1] * scale),
    )
    posed = stage.head.evaluate(coefficients)
    vertices = apply(T_camera_head, posed).astype(np.float32)
    scene = Scene(
        stage, person, coefficients, posed, vertices, T_camera_head, lights, own, extras.cover
    )
    canvas, irradiance = scene.shade(fine)
    metered: Floats | float = exposure or _meter(rng, float(irradiance.mean()), person.style)
    if exposure is None:
        metered = metered * _balance(np.random.default_rng([person.seed, _BALANCE]), irradiance)
    if backdrop is None:
        backdrop = draw_backdrop(rng, camera.height, camera.width)
        backdrop = backdrop * np.float32(np.exp(rng.normal(-0.2, 0.4)))
    size = (camera.width, camera.height)
    layers = resized(np.dstack([canvas.colour * metered, canvas.alpha]), *size, cv2.INTER_AREA)
    image = layers[..., :3] + (1 - layers[..., 3:]) * backdrop
    seen = rasterize(vertices, stage.head.triangles, camera)
    if extras.aperture_m:
        image = defocused(layers, backdrop, seen.depth, camera, extras.aperture_m)
    coarse = np.asarray(cv2.resize(canvas.part, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return Sample(
        image=photograph(image, rng, flaws),
        camera=camera,
        T_camera_head=T_camera_head,
        coefficients=coefficients,
        vertices=vertices,
        triangle=seen.triangle,
        barycentric=seen.barycentric,
        part=coarse,
        style=person.style,
        kinds=(extras.light_kind, extras.cover_kind, int(extras.camera is not None)),
    )


def _meter(rng: np.random.Generator, irradiance: float, style: Style) -> float:
    """Exposure that puts the face in the middle of the range, dark skin somewhat lifted."""
    lift = np.exp(0.35 * 0.84 * max(0.0, style.melanin - 0.3))
    return float(np.exp(rng.normal(-0.08, 0.25)) * lift / max(irradiance, 1e-3))


def _balance(rng: np.random.Generator, irradiance: Floats) -> Floats:
    """Gains (3,) of a camera that takes most of the light's colour for white."""
    share = rng.uniform(0.65, 1.0)
    gains = (irradiance.mean() / np.maximum(irradiance, 1e-3)) ** share
    return np.asarray(np.clip(gains, 0.5, 2.0), np.float32)
