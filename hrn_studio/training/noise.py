"""Smooth random pictures, for skin, hair, cloth and walls."""

from __future__ import annotations

import numpy as np

from hrn_studio.live._cv import cv2
from hrn_studio.records import Floats
from hrn_studio.training.pixels import resized


def smooth_noise(
    rng: np.random.Generator, height: int, width: int, cells: float, octaves: int = 1
) -> Floats:
    """Value noise (H, W), zero mean and about unit deviation.

    ``cells`` features fit across the width; each further octave has twice as many at half the
    height of the waves.
    """
    result = np.zeros((height, width), np.float32)
    amplitude, power = 1.0, 0.0
    for _ in range(octaves):
        columns = min(max(2, round(cells) + 3), width)
        rows = min(max(2, round(cells * height / width) + 3), height)
        grid = rng.standard_normal((rows, columns), np.float32)
        # Cubic enlargement keeps 0.6 to 0.7 of the deviation of its grid.
        wave = resized(grid, width, height, cv2.INTER_CUBIC) / np.float32(0.68)
        result += np.float32(amplitude) * wave
        power += amplitude**2
        amplitude, cells = amplitude / 2, cells * 2
    return result / np.float32(np.sqrt(power))


def strands(rng: np.random.Generator, height: int, width: int, length: float) -> Floats:
    """Streaks along the rows' direction of counting (down), (H, W), about zero mean.

    ``length`` is that of a streak in pixels; several widths are mixed.
    """
    result = np.zeros((height, width), np.float32)
    for thin, weight in ((1.0, 0.5), (3.0, 0.6), (9.0, 0.6)):
        rows, columns = max(3, round(height / length)), max(3, round(width / thin))
        grid = rng.standard_normal((rows, columns), np.float32)
        result += np.float32(weight) * resized(grid, width, height)
    return result
