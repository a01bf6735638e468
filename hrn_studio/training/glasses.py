"""Spectacles: two rims, a bridge and temples, as flat bands."""

from __future__ import annotations

import numpy as np

from hrn_studio.records import Doubles, Floats, Ints

AROUND = 40
WRAP = 2.6  # how far the frame bends round the face, metres per square metre
EAR = np.array([0.081, 0.004, -0.080])


def draw_glasses(
    rng: np.random.Generator, eye_centers: Doubles, cornea_z: float
) -> tuple[Floats, Ints]:
    """Vertices (N, 3) in the head frame and triangles of a random frame.

    Parameters
    ----------
    eye_centers
        (2, 3) left, right, head frame.
    cornea_z
        Distance from an eye's centre to the front of its cornea.
    """
    half_width, half_height = rng.uniform(0.021, 0.027), rng.uniform(0.014, 0.021)
    square = rng.choice([2.0, 2.6, 4.0])  # the exponent of a superellipse
    band = rng.uniform(0.0008, 0.0040)
    front = cornea_z + rng.uniform(0.011, 0.015)
    drop = rng.uniform(-0.001, 0.004)
    turn = np.linspace(0, 2 * np.pi, AROUND + 1)
    across = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** (2 / square)
    up = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** (2 / square)
    points: list[Doubles] = []
    triangles: list[Ints] = []

    def ribbon(one: Doubles, other: Doubles) -> None:
        start, count = sum(len(p) for p in points), len(one)
        points.extend([one, other])
        i = start + np.arange(count - 1)
        a, b, c, d = i, i + 1, i + count, i + count + 1
        triangles.extend([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])

    middle_z = float(eye_centers[:, 2].mean()) + front
    for sign, center in zip((1.0, -1.0), eye_centers, strict=True):
        rims = []
        for grow in (0.0, band):
            x = center[0] + sign * 0.001 + (half_width + grow) * across
            y = center[1] - drop + (half_height + grow) * up
            z = middle_z - WRAP * x**2
            rims.append(np.stack([x, y, z], axis=1))
        ribbon(*rims)
        hinge = np.array([center[0] + sign * (half_width + band), center[1] + 0.6 * half_height])
        hinge = np.append(hinge - [0, drop], middle_z - WRAP * hinge[0] ** 2)
        t = np.linspace(0, 1, 14)[:, None]
        temple = hinge + t * (EAR * [sign, 1, 1] - hinge)
        bend = np.interp(t[:, 0], [0, 0.08, 0.5, 1], [0, 0.012, 0.008, 0])
        temple[:, 0] += sign * bend
        high = np.array([0, 0.5 * max(band, 0.0015), 0])
        ribbon(temple + high, temple - high)
    inner = [c[0] - s * (half_width - 0.001) for s, c in zip((1, -1), eye_centers, strict=True)]
    t = np.linspace(-1, 1, 9)
    x = 0.5 * (inner[0] + inner[1]) + 0.5 * t * (inner[0] - inner[1])
    y = eye_centers[:, 1].mean() - drop + 0.25 * half_height + 0.003 * (1 - t * t)
    bridge = np.stack([x, y, np.full_like(x, middle_z)], axis=1)
    high = np.array([0, 0.5 * max(band, 0.0012), 0])
    ribbon(bridge + high, bridge - high)
    return (
        np.concatenate(points).astype(np.float32),
        np.concatenate(triangles).astype(np.int32),
    )
