"""What is behind the person: walls, windows, shelves, things, trees, out of focus."""

from __future__ import annotations

import numpy as np

from hrn_studio.detail.shading import linear_from_srgb
from hrn_studio.live._cv import cv2
from hrn_studio.records import Floats
from hrn_studio.training.noise import smooth_noise
from hrn_studio.training.pixels import blurred, resized

SHRINK = 3
# sRGB.
WALLS = np.array(
    [
        [0.93, 0.92, 0.90],
        [0.87, 0.83, 0.76],
        [0.80, 0.76, 0.70],
        [0.78, 0.79, 0.80],
        [0.66, 0.67, 0.68],
        [0.58, 0.64, 0.68],
        [0.64, 0.66, 0.59],
        [0.47, 0.47, 0.48],
        [0.50, 0.40, 0.32],
        [0.30, 0.31, 0.33],
        [0.17, 0.20, 0.26],
        [0.09, 0.09, 0.10],
        [0.03, 0.03, 0.03],
    ]
)
THINGS = np.array(
    [
        [0.42, 0.29, 0.19],
        [0.60, 0.45, 0.30],
        [0.25, 0.18, 0.13],
        [0.90, 0.89, 0.86],
        [0.70, 0.69, 0.66],
        [0.42, 0.42, 0.43],
        [0.20, 0.20, 0.21],
        [0.06, 0.06, 0.07],
        [0.20, 0.29, 0.17],
        [0.32, 0.38, 0.26],
        [0.22, 0.29, 0.40],
        [0.42, 0.48, 0.56],
        [0.52, 0.18, 0.15],
        [0.66, 0.55, 0.30],
    ]
)
LEAVES = np.array([[0.20, 0.27, 0.13], [0.33, 0.40, 0.20], [0.42, 0.44, 0.25], [0.12, 0.16, 0.10]])


def draw_backdrop(rng: np.random.Generator, height: int, width: int) -> Floats:
    """A linear picture (H, W, 3) of a room, made small and enlarged."""
    rows, columns = -(-height // SHRINK), -(-width // SHRINK)
    kind = rng.random()
    if kind < 0.12:
        picture = _outdoors(rng, rows, columns)
    else:
        picture = _wall(rng, rows, columns)
        if kind < 0.72:
            for _ in range(rng.integers(1, 9)):
                _thing(picture, rng)
        if 0.3 < kind < 0.55:
            _shelves(picture, rng)
        if rng.random() < 0.25:
            _window(picture, rng)
        picture = blurred(picture, rng.choice([0.7, 1.2, 2.5, 5.0]))
    texture = smooth_noise(rng, rows, columns, float(rng.uniform(2, 12)), 3)
    picture = picture * np.exp(np.float32(rng.gamma(1.5, 0.007)) * texture[..., None])
    picture = resized(picture, width, height)
    return np.asarray(linear_from_srgb(np.clip(picture, 0, 1)), np.float32)


def _wall(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    """A wall, brighter towards where its light comes from."""
    down = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, columns, dtype=np.float32)[None, :]
    x, y = (np.float32(v) for v in rng.uniform(-1.5, 1.5, 2))
    far = np.sqrt((across - x) ** 2 + (down - y) ** 2)
    light = np.exp(-np.float32(rng.gamma(1.5, 0.10)) * far)
    return np.asarray(_colour(rng, WALLS) * light[..., None], np.float32)


def _outdoors(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    """Trees against the sky, or a lawn, far out of focus."""
    first, second = (_colour(rng, LEAVES) for _ in range(2))
    mix = smooth_noise(rng, rows, columns, float(rng.uniform(4, 14)), 3)
    mix = np.clip(0.5 + 0.4 * mix, 0, 1)[..., None]
    picture = first * mix + second * (1 - mix)
    sky = np.array([0.80, 0.87, 0.95], np.float32) * np.float32(rng.uniform(0.8, 1.1))
    horizon = rng.uniform(-0.3, 0.7)
    edge = 0.12 * smooth_noise(rng, rows, columns, 5.0, 2)
    above = horizon - np.linspace(0, 1, rows, dtype=np.float32)[:, None] + edge
    share = np.clip(above * 8 + 0.5, 0, 1)[..., None]
    return blurred(picture * (1 - share) + sky * share, rng.uniform(0.8, 3.5))


def _colour(rng: np.random.Generator, palette: Floats) -> Floats:
    """One of a palette (K, 3), sRGB, a little lighter or darker; rarely a strong one."""
    colour = palette[rng.integers(len(palette))] * np.exp(rng.normal(0, 0.15))
    colour = colour * np.exp(rng.normal(0, 0.12 if rng.random() < 0.08 else 0.025, 3))
    return np.asarray(np.clip(colour, 0, 1), np.float32)


def _thing(picture: Floats, rng: np.random.Generator) -> None:
    """A picture on the wall, a cupboard, a door, a lamp."""
    rows, columns = picture.shape[:2]
    colour = tuple(float(c) for c in _colour(rng, THINGS))
    x, y = int(rng.integers(columns)), int(rng.integers(rows))
    a, b = (int(s) for s in rng.integers(4, max(5, columns // 3), 2))
    shape = rng.random()
    if shape < 0.45:
        cv2.rectangle(picture, (x - a // 2, y - b // 2), (x + a // 2, y + b // 2), colour, -1)
        if rng.random() < 0.5:
            inner = tuple(float(c) for c in _colour(rng, WALLS))
            c, d = int(0.38 * a), int(0.38 * b)
            cv2.rectangle(picture, (x - c, y - d), (x + c, y + d), inner, -1)
    elif shape < 0.85:  # stands on the floor
        cv2.rectangle(picture, (x - a // 2, y), (x + a // 2, rows), colour, -1)
    else:
        cv2.ellipse(picture, (x, y), (a // 3 + 1, b // 3 + 1), 0, 0, 360, colour, -1)


def _shelves(picture: Floats, rng: np.random.Generator) -> None:
    rows, columns = picture.shape[:2]
    left, pitch = int(rng.integers(0, columns)), int(rng.integers(rows // 6 + 2, rows // 3 + 3))
    wide = int(rng.integers(columns // 5 + 1, columns // 2 + 2))
    board = tuple(float(c) for c in _colour(rng, THINGS[:5]))
    for top in range(int(rng.integers(0, pitch)), rows, pitch):
        x = left
        while x < left + wide:
            thick = int(rng.integers(2, 6))
            high = int(pitch * rng.uniform(0.5, 0.85))
            colour = tuple(float(c) for c in _colour(rng, THINGS))
            cv2.rectangle(picture, (x, top - high), (x + thick - 1, top), colour, -1)
            x += thick
        cv2.rectangle(picture, (left, top), (left + wide, top + 2), board, -1)


def _window(picture: Floats, rng: np.random.Generator) -> None:
    rows, columns = picture.shape[:2]
    x, y = int(rng.integers(-columns // 4, columns)), int(rng.integers(-rows // 4, rows // 2))
    wide, high = int(columns * rng.uniform(0.15, 0.5)), int(rows * rng.uniform(0.3, 0.8))
    light = tuple(float(c) for c in np.clip(rng.uniform(0.8, 1.1) + rng.normal(0, 0.02, 3), 0, 1))
    cv2.rectangle(picture, (x, y), (x + wide, y + high), light, -1)
    frame = tuple(float(c) for c in _colour(rng, WALLS))
    cv2.line(picture, (x + wide // 2, y), (x + wide // 2, y + high), frame, 2)
    cv2.rectangle(picture, (x, y), (x + wide, y + high), frame, 2)
