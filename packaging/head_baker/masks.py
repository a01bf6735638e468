"""Where things are on the head: soft masks per vertex, and the mirror map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]


def picture(folder: Path, name: str, uv: Array) -> Array:
    """Values (N,) 0..1 of one of MakeHuman's mask pictures at texture points (N, 2)."""
    image = np.asarray(Image.open(folder / f"mpfb_{name}.jpg").convert("L"), float) / 255
    size = len(image)
    x = np.clip((uv[:, 0] * size).astype(int), 0, size - 1)
    y = np.clip(((1 - uv[:, 1]) * size).astype(int), 0, size - 1)
    return np.asarray(image[y, x])
