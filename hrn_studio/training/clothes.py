"""Shoulders in a plain garment, so that the neck ends somewhere."""

from __future__ import annotations

import numpy as np

from hrn_studio.geometry.transforms import rotation_from_vector
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints
from hrn_studio.training.noise import smooth_noise
from hrn_studio.training.pixels import blurred

AROUND = 48
# Down from the base of the neck, half width, half depth, backwards shift; metres.
SECTIONS = np.array(
    [
        [-0.020, 0.034, 0.036, 0.000],
        [0.000, 0.062, 0.062, 0.004],
        [0.018, 0.082, 0.074, 0.010],
        [0.038, 0.125, 0.088, 0.014],
        [0.058, 0.165, 0.098, 0.016],
        [0.085, 0.196, 0.106, 0.016],
        [0.125, 0.214, 0.114, 0.012],
        [0.200, 0.222, 0.122, 0.004],
        [0.450, 0.215, 0.125, 0.000],
    ]
)


def draw_shoulders(
    rng: np.random.Generator, neck: AnyFloats, T_camera_head: AnyFloats
) -> tuple[Floats, Ints, Floats]:
    """Vertices (N, 3) in the camera frame, triangles, and coordinates (N, 2).

    Parameters
    ----------
    neck
        (3,) base of the neck, head frame.
    """
    wide, deep = np.exp(rng.normal(-0.05, 0.08)), np.exp(rng.normal(0, 0.08))
    turn = np.linspace(-np.pi, np.pi, AROUND + 1)  # 0 in front
    down, half_width, half_depth, back = SECTIONS.T[:, :, None]
    widen = np.linspace(1, wide, len(SECTIONS))[:, None]
    x = half_width * widen * np.sin(turn)
    z = -half_depth * deep * np.cos(turn) + back
    y = down + 0.012 * np.cos(turn) * (down > -0.01)  # a collar is lower in front
    body = np.stack([x, np.broadcast_to(y, x.shape), z], axis=-1).reshape(-1, 3)
    R: Doubles = np.asarray(T_camera_head, np.float64)[:3, :3]
    facing = R @ [0.0, 0.0, 1.0]
    yaw = 0.4 * np.arctan2(-facing[0], -facing[2]) + rng.normal(0, 0.12)
    lean = rotation_from_vector(np.array([rng.normal(0.05, 0.08), yaw, rng.normal(0, 0.05)]))
    base = R @ np.asarray(neck, np.float64) + np.asarray(T_camera_head)[:3, 3]
    vertices = body @ lean.T + base + [0, -0.012, 0]
    rows = len(SECTIONS)
    index = np.arange(rows * (AROUND + 1)).reshape(rows, AROUND + 1)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)]
    )
    u = np.broadcast_to(turn / (2 * np.pi) + 0.5, (rows, AROUND + 1))
    v = np.broadcast_to(np.linspace(0, 1, rows)[:, None], u.shape)
    coordinates = np.stack([u, v], -1).reshape(-1, 2)
    return vertices.astype(np.float32), triangles.astype(np.int32), coordinates.astype(np.float32)


def paint_garment(rng: np.random.Generator, skin: Floats) -> Floats:
    """Linear albedo (192, 384, 3) over the shoulders' coordinates; skin above the neckline."""
    height, width = 192, 384
    grey = rng.beta(1.2, 2.0)
    colour = np.clip(grey * np.exp(rng.normal(0, 0.5, 3)), 0.01, 0.85).astype(np.float32)
    cloth = np.empty((height, width, 3), np.float32)
    cloth[:] = colour
    pattern = rng.random()
    if pattern < 0.2:
        stripe = np.sin(np.linspace(0, rng.uniform(20, 120), height)) > rng.uniform(-0.3, 0.6)
        cloth[stripe] = np.clip(rng.beta(1.2, 2.0, 3), 0.01, 0.85)
    elif pattern < 0.35:
        cloth *= np.exp(0.5 * smooth_noise(rng, height, width, 30, 3))[..., None]
    cloth *= np.exp(0.05 * smooth_noise(rng, height, width, 120, 2))[..., None]
    turn = np.abs(np.linspace(-np.pi, np.pi, width))
    v_neck = rng.random() < 0.3
    depth = rng.uniform(0.12, 0.30) if not v_neck else rng.uniform(0.3, 0.6)
    shape = np.clip(1 - turn / 1.6, 0, 1) ** (2.0 if v_neck else 0.8)
    neckline = 0.04 + (depth - 0.04) * shape
    row = np.linspace(0, 1, height)[:, None]
    edge = np.clip((row - neckline) * height / 2 + 0.5, 0, 1)[..., None].astype(np.float32)
    hem = np.clip(1 - np.abs(row - neckline - 0.02) * height / 3, 0, 1)[..., None]
    cloth *= 1 - 0.35 * hem
    picture = skin * (1 - edge) + cloth * edge
    return blurred(picture, 0.6)
