"""Shoulders in a plain garment, so that the neck ends somewhere."""

from __future__ import annotations

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.transforms import rotation_from_vector
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints
from hrn_studio.training.noise import smooth_noise
from hrn_studio.training.pixels import blurred

AROUND = 48
# Down from the middle of the neck's end, half width, half depth, backwards shift; metres.
SECTIONS = np.array(
    [
        [0.016, 0.078, 0.070, 0.006],
        [0.036, 0.120, 0.084, 0.010],
        [0.056, 0.162, 0.094, 0.012],
        [0.084, 0.194, 0.104, 0.012],
        [0.124, 0.212, 0.112, 0.010],
        [0.200, 0.222, 0.122, 0.004],
        [0.450, 0.215, 0.125, 0.000],
    ]
)
# Linear reflectance of cloth, and how common it is.
DYES = np.array(
    [
        [0.015, 0.015, 0.017],
        [0.050, 0.051, 0.055],
        [0.160, 0.160, 0.165],
        [0.380, 0.380, 0.375],
        [0.720, 0.710, 0.690],
        [0.018, 0.026, 0.060],
        [0.060, 0.100, 0.190],
        [0.230, 0.330, 0.470],
        [0.340, 0.270, 0.190],
        [0.120, 0.075, 0.045],
        [0.055, 0.075, 0.045],
        [0.240, 0.025, 0.030],
        [0.090, 0.015, 0.025],
        [0.450, 0.210, 0.220],
        [0.030, 0.160, 0.130],
        [0.550, 0.330, 0.050],
        [0.130, 0.060, 0.150],
    ]
)
COMMON = np.array([5, 4, 3.5, 2.5, 4, 4, 2.5, 2, 1.5, 1, 1, 1.2, 0.8, 0.8, 0.5, 0.4, 0.5])


def neck_ring(head: HeadModel) -> Ints:
    """Vertices of the neck's open end."""
    corners = head.triangles[head.part_triangles("skin")]
    edges = np.sort(np.concatenate([corners[:, [i, (i + 1) % 3]] for i in range(3)]), axis=1)
    single, count = np.unique(edges, axis=0, return_counts=True)
    rim = np.unique(single[count == 1])
    return np.asarray(rim[head.mean[rim, 1] < -0.05], np.int32)


def draw_shoulders(
    rng: np.random.Generator, rim: AnyFloats, T_camera_head: AnyFloats
) -> tuple[Floats, Ints, Floats]:
    """Vertices (N, 3) in the camera frame, triangles, and coordinates (N, 2) 0..1.

    Parameters
    ----------
    rim
        (K, 3) end of the neck in the camera frame, which the skin goes on from.
    """
    wide, deep = np.exp(rng.normal(-0.05, 0.08)), np.exp(rng.normal(0, 0.08))
    turn = np.linspace(-np.pi, np.pi, AROUND + 1)  # 0 in front
    R: Doubles = np.asarray(T_camera_head, np.float64)[:3, :3]
    facing = R @ [0.0, 0.0, 1.0]
    yaw = 0.4 * np.arctan2(-facing[0], -facing[2]) + rng.normal(0, 0.12)
    lean = rotation_from_vector(np.array([rng.normal(0.03, 0.06), yaw, rng.normal(0, 0.05)]))
    base = np.asarray(rim, np.float64).mean(axis=0)
    start = (np.asarray(rim) - base) @ lean
    angle = np.arctan2(start[:, 0], -start[:, 2])
    order = np.argsort(angle)
    first = np.stack(
        [np.interp(turn, angle[order], start[order, k], period=2 * np.pi) for k in range(3)], -1
    )
    down, half_width, half_depth, back = SECTIONS.T[:, :, None]
    front = np.cos(turn)
    x = half_width * np.linspace(1, wide, len(SECTIONS))[:, None] * np.sin(turn)
    z = -half_depth * deep * np.where(front > 0, 0.85, 1.0) * front + back
    y = down + 0.022 * front  # lower in front, as the end of the neck is
    body = np.concatenate([first[None], np.stack([x, y, z], axis=-1)]).reshape(-1, 3)
    vertices = body @ lean.T + base
    rows = len(SECTIONS) + 1
    index = np.arange(rows * (AROUND + 1)).reshape(rows, AROUND + 1)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate(
        [np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]
    )
    u = np.broadcast_to(turn / (2 * np.pi) + 0.5, (rows, AROUND + 1))
    v = np.broadcast_to(np.linspace(0, 1, rows)[:, None], u.shape)
    coordinates = np.stack([u, v], -1).reshape(-1, 2)
    return vertices.astype(np.float32), triangles.astype(np.int32), coordinates.astype(np.float32)


def paint_garment(rng: np.random.Generator, skin: Floats) -> Floats:
    """Linear albedo (192, 384, 3) over the shoulders' coordinates; skin above the neckline."""
    height, width = 192, 384
    cloth = np.empty((height, width, 3), np.float32)
    cloth[:] = draw_dye(rng)
    pattern = rng.random()
    if pattern < 0.12:  # stripes across
        stripe = np.sin(np.linspace(0, rng.uniform(40, 200), height)) > rng.uniform(0, 0.7)
        cloth[stripe] = draw_dye(rng)
    elif pattern < 0.20:  # chequered
        period, share = rng.uniform(60, 160), rng.uniform(0.3, 0.7)
        for line in (np.linspace(0, period, height)[:, None], np.linspace(0, 2 * period, width)):
            band = (np.sin(line) > 0.4).astype(np.float32)[..., None]
            cloth *= 1 - np.float32(share) * (band if band.ndim == 3 else band[None])
    elif pattern < 0.28:  # mottled
        cloth *= np.exp(0.15 * smooth_noise(rng, height, width, 60, 3))[..., None]
    weave = rng.standard_normal((height, width), np.float32)
    folds = smooth_noise(rng, height, width, float(rng.uniform(6, 16)), 3)
    cloth *= np.exp(np.float32(0.04) * weave + np.float32(0.07) * folds)[..., None]
    turn = np.abs(np.linspace(-np.pi, np.pi, width, dtype=np.float32))
    v_neck = rng.random() < 0.3
    depth = rng.uniform(0.05, 0.22) if not v_neck else rng.uniform(0.2, 0.5)
    shape = np.clip(1 - turn / 1.6, 0, 1) ** (2.0 if v_neck else 0.8)
    neckline = 0.02 + (depth - 0.02) * shape
    row = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    edge = np.clip((row - neckline) * height / 2 + 0.5, 0, 1)[..., None].astype(np.float32)
    hem = np.clip(1 - np.abs(row - neckline - 0.02) * height / 3, 0, 1)[..., None]
    cloth *= 1 - np.float32(rng.uniform(0.1, 0.35)) * hem.astype(np.float32)
    shade = np.clip((neckline - row) * height / 12, 0.72, 1)[..., None].astype(np.float32)
    picture = np.float32(0.92) * skin.astype(np.float32) * shade * (1 - edge) + cloth * edge
    return blurred(picture, 0.6)


def draw_dye(rng: np.random.Generator) -> Floats:
    """Linear colour (3,) of cloth: mostly dark, grey, blue or white, now and then a strong one."""
    colour = DYES[rng.choice(len(DYES), p=COMMON / COMMON.sum())]
    colour = colour * np.exp(rng.normal(0, 0.25) + rng.normal(0, 0.06, 3))
    return np.asarray(np.clip(colour, 0.008, 0.85), np.float32)
