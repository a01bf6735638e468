"""Eyes painted clean, in the colours the pictures show.

A photo's own eye pixels carry lashes, lids and reflections; on an eyeball that turns they look
pasted on.  So only two colours are taken from them, and the eye is drawn: sclera, limbus, iris
with fibres, pupil, by the angle from the eye's axis, whatever the layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrn_studio.detail.atlas import Atlas
from hrn_studio.detail.filters import smoothstep
from hrn_studio.detail.light import LUMINANCE
from hrn_studio.detail.shading import linear_from_srgb
from hrn_studio.face.model import Eye, HeadModel
from hrn_studio.records import AnyFloats, Bools, Bytes, Doubles, Floats, View

BROWN = (0.075, 0.040, 0.022)
"""Linear albedo of the most common iris; taken when no picture shows one."""
SCLERA = (0.62, 0.56, 0.51)
_LEAST_BLUE = 0.48
"""Blue against green of the brownest iris, a little less than that of :data:`BROWN`."""
_PUPIL = 0.34  # radius against the iris
# MediaPipe's 478 points: iris centre and four points of its rim, then upper and lower lid and the
# corners of the eye, by the subject's side.
_IRIS = {"Right": (468, 159, 145, 33, 133), "Left": (473, 386, 374, 263, 362)}


@dataclass(frozen=True, slots=True)
class EyeColours:
    """Linear albedos of iris and sclera, and whether a picture showed them."""

    iris: tuple[float, float, float] = BROWN
    sclera: tuple[float, float, float] = SCLERA
    seen: bool = False


def eye_colours(views: Sequence[View], shadings: Sequence[AnyFloats]) -> EyeColours:
    """The iris's colour in the pictures whose tracker marks it, with the light divided out.

    Parameters
    ----------
    shadings
        Per picture (3,): light on the eyes, irradiance / pi.
    """
    found = []
    for view, shading in zip(views, shadings, strict=True):
        points = view.track.points_px
        if len(points) < 478:
            continue
        for iris, top, bottom, outer, inner in _IRIS.values():
            radius = float(
                np.linalg.norm(points[iris + 1 : iris + 5] - points[iris], axis=1).mean()
            )
            opening = float(np.linalg.norm(points[top] - points[bottom]))
            width = float(np.linalg.norm(points[outer] - points[inner]))
            if radius < 2.5 or opening < 0.18 * width:
                continue
            colour = _ring(view.frame.image, points[iris], radius)
            if colour is not None:
                found.append((min(radius, 20.0), colour / np.maximum(shading, 1e-3)))
    if not found:
        return EyeColours()
    weights = np.array([w for w, _ in found])
    log = np.log(np.maximum(np.stack([c for _, c in found]), 1e-3))
    colour = np.exp(np.average(log, axis=0, weights=weights))
    # Noise in the dark must not make eyes red, nor a picture's balance brown ones olive.
    colour[0] = min(colour[0], 2.0 * colour[1])
    colour[2] = float(np.clip(colour[2], _LEAST_BLUE * colour[1], 2.0 * colour[1]))
    luminance = float(colour @ LUMINANCE)
    sure = min(float(weights.max()) / 6.0, 1.0)
    colour *= float(np.clip(luminance, 0.02, 0.16)) / max(luminance, 1e-4)
    iris = np.exp(sure * np.log(colour) + (1 - sure) * np.log(BROWN))
    return EyeColours((float(iris[0]), float(iris[1]), float(iris[2])), SCLERA, True)


def paint_eye(head: HeadModel, eye: Eye, atlas: Atlas, colours: EyeColours) -> tuple[Bools, Floats]:
    """One eye's texels: where (S, S), and their linear colours (N, 3) in that order."""
    where = atlas.part(head, f"eye_{eye.side.lower()}")
    corners = head.triangles[atlas.triangle[where]]
    place = np.einsum("pk,pkc->pc", atlas.barycentric[where], head.mean[corners]) - eye.center
    across = np.hypot(place[:, 0], place[:, 1])
    angle = np.arctan2(across, place[:, 2])
    turn = np.arctan2(place[:, 1], place[:, 0])
    rim = float(np.arcsin(np.clip(0.5 * head.iris_diameter / eye.radius, 0.05, 0.9)))
    return where, _eye_colour(angle / rim, turn, colours)


def _eye_colour(radius: Doubles, turn: Doubles, colours: EyeColours) -> Floats:
    """Colour by distance from the axis (1 at the iris's rim) and angle around it."""
    rng = np.random.default_rng(7)
    fibres = _around(turn, radius, rng, 11, 70, 2.0)
    folds = _around(turn, radius, rng, 4, 12, 0.5)
    veins = _around(turn, radius, rng, 3, 25, 0.8)

    white = np.array(colours.sclera) * (1 - 0.05 * smoothstep(0.2, 1.4, veins))[:, None]
    pink = smoothstep(1.5, 4.0, radius)[:, None] * np.array((0.02, 0.18, 0.20))
    white = white * (1 - pink)

    iris = np.array(colours.iris)
    warm = np.array((1.25, 1.0, 0.75))
    tone = 1 + 0.22 * fibres + 0.14 * folds
    tone *= 1 - 0.45 * smoothstep(0.72, 1.0, radius)
    collarette = np.exp(-(((radius - 0.5 - 0.03 * folds) / 0.10) ** 2))
    coloured = iris * np.clip(tone + 0.25 * collarette, 0.2, 2.0)[:, None]
    coloured = coloured * (1 + collarette[:, None] * 0.5 * (warm - 1))
    pupil = smoothstep(_PUPIL + 0.04, _PUPIL - 0.03, radius)[:, None]
    coloured = coloured * (1 - pupil) + 0.004 * pupil
    limbus = 0.30 * np.exp(-(((radius - 1.0) / 0.09) ** 2))[:, None]
    inside = smoothstep(1.06, 0.96, radius)[:, None]
    return np.asarray((coloured * inside + white * (1 - inside)) * (1 - limbus), np.float32)


def _around(
    turn: Doubles, radius: Doubles, rng: np.random.Generator, low: int, high: int, swirl: float
) -> Doubles:
    """Noise that runs along rays: periodic in the angle, slowly changing outwards; unit spread."""
    waves = np.unique(rng.integers(low, high, 14))
    total = np.zeros_like(turn)
    for k in waves:
        phase, bend = rng.uniform(0, 2 * np.pi), rng.normal()
        total += np.cos(k * turn + phase + swirl * bend * 4 * radius)
    return np.asarray(total / np.sqrt(len(waves) / 2))


def _ring(image: Bytes, centre: AnyFloats, radius: float) -> Doubles | None:
    """Middle colour of the iris's lower ring, without pupil, lid and reflections; linear."""
    reach = int(np.ceil(radius)) + 1
    x0, y0 = int(centre[0]) - reach, int(centre[1]) - reach
    if x0 < 0 or y0 < 0 or x0 + 2 * reach >= image.shape[1] or y0 + 2 * reach >= image.shape[0]:
        return None
    patch = np.asarray(image[y0 : y0 + 2 * reach + 1, x0 : x0 + 2 * reach + 1])
    y, x = np.mgrid[y0 : y0 + 2 * reach + 1, x0 : x0 + 2 * reach + 1]
    dx, dy = (x + 0.5 - centre[0]) / radius, (y + 0.5 - centre[1]) / radius
    away = np.hypot(dx, dy)
    chosen = (away > 0.48) & (away < 0.85) & (dy > -0.35 * away)
    if chosen.sum() < 6:
        return None
    pixels = linear_from_srgb(patch[chosen] / 255.0)
    luminance = pixels @ LUMINANCE
    low, high = np.percentile(luminance, (25, 75))
    middle = pixels[(luminance >= low) & (luminance <= high)]
    return np.asarray(np.median(middle, axis=0))
