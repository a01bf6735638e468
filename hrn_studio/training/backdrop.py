"""What is behind the person: walls, windows, shelves and things, out of focus."""

from __future__ import annotations

import numpy as np

from hrn_studio.detail.shading import linear_from_srgb
from hrn_studio.live._cv import cv2
from hrn_studio.records import Floats
from hrn_studio.training.noise import smooth_noise
from hrn_studio.training.pixels import blurred, resized

SHRINK = 3


def draw_backdrop(rng: np.random.Generator, height: int, width: int) -> Floats:
    """A linear picture (H, W, 3) of a room, made small and enlarged."""
    rows, columns = -(-height // SHRINK), -(-width // SHRINK)
    kind = rng.random()
    wall = _colour(rng, 0.12)
    picture = np.empty((rows, columns, 3), np.float32)
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    across = np.linspace(0, 1, columns, dtype=np.float32)[None, :, None]
    tilt = rng.normal(0, 0.3, 2)
    picture[:] = wall * np.exp(tilt[0] * (down - 0.5) + tilt[1] * (across - 0.5))
    if kind < 0.7:
        for _ in range(rng.integers(1, 14)):
            _thing(picture, rng)
    if 0.3 < kind < 0.6:
        _shelves(picture, rng)
    if rng.random() < 0.25:
        _window(picture, rng)
    blur = rng.choice([0.0, 0.6, 1.5, 4.0])
    picture = blurred(picture, blur)
    texture = smooth_noise(rng, rows, columns, float(rng.uniform(3, 60)), 3)
    picture = picture * np.exp(np.float32(rng.gamma(1.0, 0.02)) * texture[..., None])
    picture = resized(picture, width, height)
    return np.asarray(linear_from_srgb(np.clip(picture, 0, 1)), np.float32)


def _colour(rng: np.random.Generator, saturation: float) -> Floats:
    """An sRGB colour (3,), mostly muted."""
    grey = rng.beta(1.6, 1.6)
    return np.clip(grey * (1 + rng.normal(0, saturation, 3)), 0, 1).astype(np.float32)


def _thing(picture: Floats, rng: np.random.Generator) -> None:
    rows, columns = picture.shape[:2]
    colour = tuple(float(c) for c in _colour(rng, 0.3))
    x, y = int(rng.integers(columns)), int(rng.integers(rows))
    a, b = (int(s) for s in rng.integers(3, max(4, columns // 3), 2))
    shape = rng.random()
    if shape < 0.5:
        cv2.rectangle(picture, (x - a // 2, y - b // 2), (x + a // 2, y + b // 2), colour, -1)
    elif shape < 0.8:
        cv2.ellipse(picture, (x, y), (a // 2 + 1, b // 2 + 1), 0, 0, 360, colour, -1)
    else:
        corners = (np.array([x, y]) + rng.normal(0, a, (4, 2))).astype(np.int32)
        cv2.fillPoly(picture, [corners], colour)


def _shelves(picture: Floats, rng: np.random.Generator) -> None:
    rows, columns = picture.shape[:2]
    left, pitch = int(rng.integers(0, columns)), int(rng.integers(rows // 6 + 2, rows // 3 + 3))
    wide = int(rng.integers(columns // 5 + 1, columns // 2 + 2))
    board = tuple(float(c) for c in _colour(rng, 0.15))
    for top in range(int(rng.integers(0, pitch)), rows, pitch):
        x = left
        while x < left + wide:
            thick = int(rng.integers(2, 6))
            high = int(pitch * rng.uniform(0.5, 0.85))
            colour = tuple(float(c) for c in _colour(rng, 0.3))
            cv2.rectangle(picture, (x, top - high), (x + thick - 1, top), colour, -1)
            x += thick
        cv2.rectangle(picture, (left, top), (left + wide, top + 2), board, -1)


def _window(picture: Floats, rng: np.random.Generator) -> None:
    rows, columns = picture.shape[:2]
    x, y = int(rng.integers(-columns // 4, columns)), int(rng.integers(-rows // 4, rows // 2))
    wide, high = int(columns * rng.uniform(0.15, 0.5)), int(rows * rng.uniform(0.3, 0.8))
    light = tuple(float(c) for c in np.clip(rng.uniform(0.8, 1.1) + rng.normal(0, 0.04, 3), 0, 1))
    cv2.rectangle(picture, (x, y), (x + wide, y + high), light, -1)
    frame = tuple(float(c) for c in _colour(rng, 0.1))
    cv2.line(picture, (x + wide // 2, y), (x + wide // 2, y + high), frame, 2)
    cv2.rectangle(picture, (x, y), (x + wide, y + high), frame, 2)
