"""Eyeballs: white, iris, pupil."""

from __future__ import annotations

import numpy as np

from hrn_studio.face.gaze import gaze_rotation
from hrn_studio.face.model import HeadModel
from hrn_studio.records import Coefficients, Floats
from hrn_studio.training.noise import smooth_noise
from hrn_studio.training.pixels import resized


def eye_coordinates(head: HeadModel, vertices: Floats, coefficients: Coefficients) -> Floats:
    """Vertices (V, 3) of the eyes seen from their own centres, metres, z where the eye looks.

    ``vertices`` are in the head frame; those of other parts are zero in the result.
    """
    local = np.zeros_like(vertices)
    centers = head.eye_centers(coefficients.identity)
    for eye, center, (yaw, pitch) in zip(head.eyes, centers, coefficients.gaze, strict=True):
        local[eye.vertices] = (vertices[eye.vertices] - center) @ gaze_rotation(yaw, pitch)
    return local


def eye_closing(head: HeadModel, coefficients: Coefficients) -> tuple[float, ...]:
    """Weight of each eye's blink, 0 open .. 1 closed."""
    names = [f"eyeBlink{eye.side}" for eye in head.eyes]
    return tuple(float(coefficients.expression[head.expression_names.index(n)]) for n in names)


def sunken(
    head: HeadModel, vertices: Floats, coefficients: Coefficients, closing: tuple[float, ...]
) -> Floats:
    """Vertices (V, 3), head frame, with the eyes a little smaller while the lids are on the way.

    A lid moves along a straight line, through the cornea: drawn so, the pupil would shine through.
    """
    result = vertices.copy()
    centers = head.eye_centers(coefficients.identity)
    for eye, center, weight in zip(head.eyes, centers, closing, strict=True):
        passing = min(1.0, 6 * weight * (1 - weight))
        if passing > 0:
            away = vertices[eye.vertices] - center
            reach = np.linalg.norm(away, axis=1, keepdims=True)
            bulge = np.maximum(reach - eye.radius, 0)
            kept = (reach - passing * bulge) * (1 - 0.05 * passing)
            result[eye.vertices] = center + away / reach * kept
    return result


def paint_eyes(
    rng: np.random.Generator, places: Floats, iris_color: Floats, iris_diameter: float
) -> Floats:
    """Linear albedo (P, 3) of eyeball points.

    Parameters
    ----------
    places
        (P, 3) from :func:`eye_coordinates`.
    iris_color
        (3,) linear.
    """
    radius = np.float32(0.5 * iris_diameter * rng.normal(1.0, 0.025))
    lateral = np.hypot(places[:, 0], places[:, 1])
    front = places[:, 2] > 0
    ring = lateral / radius
    turn = np.arctan2(places[:, 1], places[:, 0])

    redness = np.float32(rng.gamma(1.5, 0.06))
    veins = smooth_noise(rng, 64, 64, 24, 2)
    at = np.clip((places[:, :2] / 0.03 + 0.5) * 63, 0, 63).astype(int)
    patch = np.abs(veins[at[:, 1], at[:, 0]])
    corner = np.clip((ring - 1.1) / 1.2, 0, 1)
    blood = redness * (0.5 + 2 * corner) * (1 + 0.6 * np.exp(-12 * patch * patch))
    white = np.array([0.54, 0.51, 0.48], np.float32) * np.float32(rng.uniform(0.75, 1.1))
    ball = white * np.exp(-blood[:, None] * np.array([0.15, 0.9, 0.8], np.float32))

    fibres = resized(rng.standard_normal((4, 70), np.float32), 256, 16)
    column = ((turn / (2 * np.pi) + 0.5) * 255).astype(int) % 256
    row = np.clip(ring * 15, 0, 15).astype(int)
    flecks = np.exp(0.3 * fibres[row, column])
    pupil = rng.uniform(0.26, 0.46)
    inner = iris_color * np.exp(rng.normal(0.25, 0.25)).astype(np.float32)
    mix = np.clip((ring - pupil) / (0.9 - pupil), 0, 1)[:, None]
    iris = (inner * (1 - mix) + iris_color * mix) * flecks[:, None]
    iris = iris * (1 - rng.uniform(0.5, 0.9) * _step(ring, 0.80, 1.0))[:, None]
    iris = iris * (1 - 0.97 * (1 - _step(ring, pupil - 0.04, pupil + 0.05)))[:, None]
    edge = _step(ring, 0.95, 1.08)[:, None]
    return np.asarray(np.where(front[:, None], iris * (1 - edge) + ball * edge, ball), np.float32)


def _step(x: Floats, low: float, high: float) -> Floats:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
