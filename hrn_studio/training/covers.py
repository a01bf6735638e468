"""Things in front of a face: a hand, a mask, a scarf, a microphone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.live._cv import cv2
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints
from hrn_studio.training.clothes import draw_dye
from hrn_studio.training.glasses import EAR
from hrn_studio.training.noise import smooth_noise
from hrn_studio.training.pixels import blurred, look_up

AROUND = 12
_FINGERS = (
    (-0.031, 0.064, 0.0075),
    (-0.0105, 0.078, 0.0083),
    (0.0105, 0.082, 0.0085),
    (0.031, 0.073, 0.0082),
)
"""Place across the knuckles, length and radius of the little finger to the forefinger, metres."""
_TOUCHED = (
    (0.0, -0.105),
    (0.035, -0.085),
    (0.045, -0.05),
    (0.0, -0.07),
    (0.03, 0.045),
    (0.06, -0.03),
    (0.03, 0.0),
)
"""Places on the mean face (x, y) that hands go to."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What is in front of the face."""

    kind: str
    """``hand``, ``mask``, ``scarf`` or ``microphone``."""
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Prop:
    """A thing's mesh in the head frame."""

    vertices: Floats
    """(N, 3)"""
    triangles: Ints
    albedo: Floats
    """(N, 3) linear."""
    gloss: float = 0.2
    skin: bool = False
    """Light wanders under its surface."""


def draw_cover(cover: Cover, head: HeadModel, posed: Floats, normals: Floats, tone: Floats) -> Prop:
    """The thing's mesh on a posed head.

    Parameters
    ----------
    posed, normals
        (V, 3) of the head, head frame.
    tone
        (3,) linear colour of the person's skin.
    """
    rng = np.random.default_rng(cover.seed)
    if cover.kind == "hand":
        return _hand(rng, head, posed, normals, tone)
    if cover.kind == "mask":
        return _mask(rng, head, posed)
    if cover.kind == "scarf":
        return _scarf(rng, posed, head)
    return _microphone(rng, posed, head)


def tube(
    path: AnyFloats, wide: AnyFloats, thick: AnyFloats, across: AnyFloats
) -> tuple[Doubles, Ints]:
    """A closed tube along a path (M, 3) with half axes (M,); ``across`` (3,) is the wide one's
    direction."""
    path, wide, thick = (np.asarray(v, np.float64) for v in (path, wide, thick))
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-12
    side = np.asarray(across, np.float64) - along * (along @ across)[:, None]
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-12
    up = np.cross(along, side)
    turn = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    rings = (
        path[:, None]
        + (wide[:, None] * np.cos(turn))[..., None] * side[:, None]
        + (thick[:, None] * np.sin(turn))[..., None] * up[:, None]
    )
    rows = len(path)
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(AROUND), indexing="ij")
    a, b = i * AROUND + j, i * AROUND + (j + 1) % AROUND
    c, d = a + AROUND, b + AROUND
    sides = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)]
    )
    return rings.reshape(-1, 3), sides.astype(np.int32)


def _rounded(length: int) -> Doubles:
    """(M,) 0 at both ends, 1 in between: the profile of a capsule."""
    t = np.linspace(0, 1, length)
    end = np.minimum(1, np.minimum(t, 1 - t) * 6)
    return np.asarray(np.sqrt(np.maximum(1 - (1 - end) ** 2, 0)))


def _joined(parts: list[tuple[Doubles, Ints]]) -> tuple[Doubles, Ints]:
    starts = np.cumsum([0, *(len(v) for v, _ in parts[:-1])])
    return (
        np.concatenate([v for v, _ in parts]),
        np.concatenate([t + s for (_, t), s in zip(parts, starts, strict=True)]).astype(np.int32),
    )


def _finger(
    base: Doubles, way: Doubles, length: float, radius: float, curl: float
) -> tuple[Doubles, Ints]:
    """Three joints that bend towards -z by ``curl`` radians in all."""
    count = 14
    bend = curl * np.linspace(0, 1, count) ** 0.8
    steps = way[None] * np.cos(bend)[:, None] - np.array([0, 0, 1.0]) * np.sin(bend)[:, None]
    path = base + np.cumsum(steps, 0) * (length / count)
    taper = np.linspace(1.0, 0.78, count)
    knuckles = 1 + 0.08 * np.cos(np.linspace(0, 4 * np.pi, count))
    profile = np.sqrt(np.clip((1 - np.linspace(0, 1, count)) * 7, 0.02, 1))
    wide = radius * taper * knuckles * profile
    return tube(path, wide, 0.92 * wide, np.cross(way, [0, 0, 1.0]))


def _hand(
    rng: np.random.Generator, head: HeadModel, posed: Floats, normals: Floats, tone: Floats
) -> Prop:
    """A hand that touches the face, its back outwards, with a forearm."""
    curl = float(rng.choice([rng.uniform(0.1, 0.5), rng.uniform(1.6, 2.6)], p=[0.7, 0.3]))
    spread = float(rng.uniform(0.0, 0.14))
    side = float(rng.choice([-1, 1]))
    parts = [_palm()]
    for x, length, radius in _FINGERS:
        tilt = -spread * x / 0.03 + rng.normal(0, 0.03)
        way = np.array([-np.sin(tilt), np.cos(tilt), 0.0])
        base = np.array([x * 0.92, 0.092 - 0.16 * abs(x - 0.008), 0.002])
        parts.append(_finger(base, way, length, radius, curl * rng.uniform(0.85, 1.1)))
    thumb = np.array([np.sin(0.75), np.cos(0.75), 0.0])
    parts.append(_finger(np.array([0.026, 0.035, -0.004]), thumb, 0.072, 0.0098, 0.5 * curl))
    vertices, triangles = _joined(parts)
    vertices[:, 0] *= side
    if side < 0:
        triangles = triangles[:, ::-1]
    touched = np.array(_TOUCHED[int(rng.integers(len(_TOUCHED)))]) * [side, 1]
    front = head.mean[:, 2] > -0.02
    away = np.square(head.mean[:, :2] - touched).sum(1) + np.where(front, 0, 1)
    vertex = int(away.argmin())
    outward = normals[vertex].astype(np.float64) + np.array([0, 0, 0.8])
    outward /= np.linalg.norm(outward)
    # The forearm comes from below, a little from its own side.
    angle = side * rng.normal(0.35, 0.35)
    up = np.array([-np.sin(angle), np.cos(angle), 0.0])
    up -= outward * (up @ outward)
    up /= np.linalg.norm(up)
    frame = np.stack([np.cross(up, outward), up, outward])
    size = float(rng.normal(1.0, 0.06))
    touching = np.array([0.0, 0.125 if curl < 1 else 0.10, -0.010])
    place = posed[vertex] + outward * (0.004 if curl < 1 else 0.016)
    moved = size * (vertices - touching) @ frame + place
    rough = smooth_noise(rng, 16, -(-len(moved) // 16), 8).ravel()[: len(moved), None]
    tinge = np.array([1.02, 0.985, 0.97]) * np.exp(rng.normal(0, 0.06))
    albedo = np.clip(tone * tinge * np.exp(0.05 * rough), 0.01, 0.95)
    return Prop(moved.astype(np.float32), triangles, albedo.astype(np.float32), 0.8, True)


def _palm() -> tuple[Doubles, Ints]:
    """Forearm, wrist and the back of the hand as one tube."""
    y = np.array([-0.30, -0.14, -0.03, 0.0, 0.02, 0.045, 0.07, 0.088, 0.097, 0.1])
    wide = np.array([0.044, 0.036, 0.028, 0.028, 0.034, 0.041, 0.042, 0.040, 0.036, 0.02])
    thick = np.array([0.04, 0.032, 0.021, 0.019, 0.017, 0.015, 0.013, 0.011, 0.009, 0.004])
    path = np.column_stack([np.zeros_like(y), y, np.zeros_like(y)])
    return tube(path, wide, thick, np.array([1.0, 0, 0]))


def _mask(rng: np.random.Generator, head: HeadModel, posed: Floats) -> Prop:
    """A cloth over nose, mouth and chin, with bands to the ears."""
    skin = posed[head.part_vertices("skin")].astype(np.float64)
    low = float(posed[head.regions["chin"] > 0.5, 1].min()) + rng.uniform(-0.004, 0.004)
    rows, columns = 22, 33
    u, v = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(0, 1, rows))
    wide = rng.uniform(0.056, 0.066)
    x = u * wide * (1 - 0.28 * v**3)
    top = rng.uniform(-0.030, -0.018) - 0.014 * np.abs(u) ** 1.5
    bottom = low + 0.022 * np.abs(u) ** 2
    y = top + (bottom - top) * v
    z = _sheet(skin, x, y) + 0.004
    points = np.stack([x, y, z], -1).reshape(-1, 3)
    at = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]
    triangles = np.concatenate(
        [np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]
    ).astype(np.int32)
    colors = np.array([[0.35, 0.55, 0.66], [0.8] * 3, [0.02, 0.02, 0.025], rng.beta(1.5, 2, 3)])
    color = np.clip(colors[int(rng.integers(4))], 0.01, 0.9)
    pleats = 1 - 0.12 * np.clip(np.sin(v * rng.uniform(12, 26)), 0, 1).ravel() ** 4
    parts = [(points, triangles)]
    for side, column in ((1.0, columns - 1), (-1.0, 0)):
        for row in (1, rows - 3):
            edge = points[at[row, column]]
            t = np.linspace(0, 1, 8)[:, None]
            path = edge + t * (EAR * [side, 1, 1] + np.array([0, -0.01, 0]) - edge)
            path[:, 0] += side * 0.008 * np.sin(np.pi * t[:, 0])
            thin = np.full(8, 0.0014)
            parts.append(tube(path, thin, thin, np.array([0, 1.0, 0])))
    vertices, triangles = _joined(parts)
    albedo = np.tile(color, (len(vertices), 1))
    albedo[: len(pleats)] *= pleats[:, None]
    return Prop(vertices.astype(np.float32), triangles, albedo.astype(np.float32), 0.1)


def _sheet(skin: Doubles, x: Doubles, y: Doubles) -> Doubles:
    """Heights (z) at which a taut sheet lies before skin vertices (N, 3), at places x and y."""
    step, left, low = 0.002, -0.09, -0.16
    shape = (90, 90)
    column = np.floor((skin[:, 0] - left) / step).astype(int)
    row = np.floor((skin[:, 1] - low) / step).astype(int)
    inside = (column >= 0) & (column < shape[1]) & (row >= 0) & (row < shape[0])
    height = np.full(shape, -0.2, np.float32)
    np.maximum.at(height, (row[inside], column[inside]), skin[inside, 2].astype(np.float32))
    height = np.asarray(cv2.dilate(height, np.ones((5, 5), np.uint8)), np.float32)
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (19, 19))
    closed = np.asarray(cv2.morphologyEx(height, cv2.MORPH_CLOSE, round_), np.float32)
    taut = blurred(closed, 3.5)
    taut = np.maximum(taut, blurred(closed, 1.5) - np.float32(0.002))
    at_x, at_y = (x.ravel() - left) / step - 0.5, (y.ravel() - low) / step - 0.5
    return np.asarray(look_up(taut, at_x, at_y)[:, 0].reshape(x.shape), np.float64)


def _scarf(rng: np.random.Generator, posed: Floats, head: HeadModel) -> Prop:
    """Two thick windings round the neck, up to the chin or over the mouth."""
    chin = float(posed[head.regions["chin"] > 0.5, 2].max())
    turn = np.linspace(-np.pi, np.pi, 64)  # closed at the back
    parts = []
    high = rng.uniform(-0.165, -0.095)
    for k in range(2):
        level = high - 0.045 * k
        thick = rng.uniform(0.020, 0.034)
        front = chin + (0.012 if level > -0.13 else -0.01) + 0.4 * thick
        back = -0.17
        middle, half = 0.5 * (front + back), 0.5 * (front - back)
        wave = smooth_noise(rng, 4, 64, 7, 2)
        wave[:, -1] = wave[:, 0]
        path = np.column_stack(
            [
                (0.074 + 0.3 * thick) * np.sin(turn),
                level + 0.012 * np.cos(turn + rng.normal(0, 0.5)) + 0.005 * wave[0],
                middle + half * np.cos(turn) + 0.003 * wave[1],
            ]
        )
        wide = thick * 1.25 * (1 + 0.06 * wave[2])
        parts.append(tube(path, wide, 0.7 * wide, np.array([0.0, 1.0, 0.0])))
    vertices, triangles = _joined(parts)
    albedo = np.tile(draw_dye(rng), (len(vertices), 1))
    if rng.random() < 0.5:
        width = int(rng.integers(2, 7)) * AROUND
        other = draw_dye(rng)
        albedo[(np.arange(len(vertices)) // width) % 2 == 0] = other
    rough = smooth_noise(rng, 16, -(-len(vertices) // 16), 40).ravel()[: len(vertices), None]
    albedo = np.clip(albedo * np.exp(0.15 * rough), 0.005, 0.9)
    return Prop(vertices.astype(np.float32), triangles, albedo.astype(np.float32), 0.05)


def _microphone(rng: np.random.Generator, posed: Floats, head: HeadModel) -> Prop:
    """One that is held before the mouth, or a headset's on its boom."""
    lips = posed[head.regions["lips"] > 0.5].astype(np.float64)
    mouth = lips.mean(0)
    mouth[2] = float(lips[:, 2].max())
    side = float(rng.choice([-1, 1]))
    t = np.linspace(0, 1, 12)[:, None]
    if rng.random() < 0.5:
        radius = rng.uniform(0.018, 0.027)
        ball = mouth + np.array(
            [side * rng.uniform(0, 0.03), -rng.uniform(0.02, 0.05), radius + 0.02]
        )
        low = np.array([side * rng.uniform(0, 0.05), -0.2, rng.uniform(0.0, 0.08)])
        way = low / np.linalg.norm(low)
        sphere = ball + way * (t - 0.5) * 2 * radius
        profile = radius * np.sqrt(np.clip(1 - (2 * t[:, 0] - 1) ** 2, 0.003, 1))
        handle = ball + way * (0.8 * radius + 0.18 * t)
        grip = np.linspace(0.62 * radius, 0.42 * radius, 12)
        parts = [
            tube(sphere, profile, profile, np.array([1.0, 0, 0])),
            tube(handle, grip, grip, np.array([1.0, 0, 0])),
        ]
    else:
        corner = mouth + np.array([side * rng.uniform(0.025, 0.04), -rng.uniform(0.0, 0.02), 0.008])
        path = EAR * [side, 1, 1] + t * (corner - EAR * [side, 1, 1])
        path[:, 0] += side * 0.014 * np.sin(np.pi * t[:, 0] * 0.9)
        thin, foam = np.full(12, 0.0018), 0.008 * np.maximum(_rounded(12), 0.05)
        tip = corner + (corner - path[-2]) * (np.linspace(-0.6, 1, 12)[:, None])
        parts = [
            tube(path, thin, thin, np.array([0, 1.0, 0])),
            tube(tip, foam, foam, np.array([0, 1.0, 0])),
        ]
    vertices, triangles = _joined(parts)
    first = len(parts[0][0])
    albedo = np.full((len(vertices), 3), rng.uniform(0.01, 0.05))
    grid = 0.5 + 0.5 * np.sin(np.arange(first) * 2.4)
    albedo[:first] = (rng.uniform(0.03, 0.25) * (0.6 + 0.6 * grid))[:, None]
    return Prop(vertices.astype(np.float32), triangles, albedo.astype(np.float32), 0.8)
