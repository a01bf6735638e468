"""What the source's 52 expressions need before they are used."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrn_studio.face.gaze import gaze_rotation, look_angles

from . import eyes
from .masks import smooth

Array = NDArray[Any]

LOOK_GAIN = {"eyeLookUp": 1.8}
"""The source's lids follow eyes that look up less far than ours."""
PUFF = 0.011
"""Farthest a puffed cheek moves, metres; the source's is a lump of 14 mm at the jaw."""


CLEARANCE = 0.0004
"""Metres the lids keep from the eye, where they do so in the neutral face."""


def skin(
    names: tuple[str, ...],
    offsets: Array,
    mean: Array,
    triangles: Array,
    regions: dict[str, Array],
    centres: Array,
) -> Array:
    """Offsets (E, V, 3) of the skin, repaired.

    ``mean`` (V, 3) is the neutral skin, ``centres`` (2, 3) are those of the left and right eye.
    """
    result = offsets.copy()
    for name, shape in zip(names, result, strict=True):
        for start, gain in LOOK_GAIN.items():
            if name.startswith(start):
                shape *= gain
    puff = result[names.index("cheekPuff")]
    free = np.clip(1 - regions["lips"] - regions["inner_mouth"], 0, 1)[:, None]
    soft = puff.copy()
    for _ in range(4):
        soft = np.stack([smooth(soft[:, k], triangles, 3) for k in range(3)], 1)
        soft = soft * free + puff * (1 - free)
    puff[:] = soft * PUFF / np.linalg.norm(soft, axis=1).max()
    for name, shape in zip(names, result, strict=True):
        for side, centre in zip(("Left", "Right"), centres, strict=True):
            if name.startswith("eye") and name.endswith(side):
                shape += _clear_eye(mean, shape, centre, look_angles(name, side), triangles)
    return np.asarray(result)


def _clear_eye(
    mean: Array, shape: Array, centre: Array, angles: tuple[float, float], triangles: Array
) -> Array:
    """Offsets (V, 3) that lift the skin off an eye turned by ``angles``."""
    ahead = np.array([0.0, 0.0, 1.0])
    before = mean - centre
    length = np.linalg.norm(before, axis=1)
    outside = length - eyes.surface(before / length[:, None], ahead)
    after = before + shape
    reach = np.linalg.norm(after, axis=1)
    way = after / reach[:, None]
    gap = reach - eyes.surface(way, gaze_rotation(*angles) @ ahead)
    keep = (outside > 0) & (outside < 0.006) & (before[:, 2] > 0)
    lift = np.where(keep, np.maximum(np.minimum(outside, CLEARANCE) - gap, 0), 0)
    lift = np.maximum(lift, smooth(lift, triangles, 2))
    return np.asarray(lift[:, None] * way)
