"""Black and white pictures: their skin has no colour to balance, and a head is given none.

Skin's hue could be guessed, that of lips, eyes and blushes not; grey pictures make a grey texture.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.detail.compose import encoding_table
from hrn_studio.detail.light import LUMINANCE
from hrn_studio.detail.shading import linear_from_srgb
from hrn_studio.records import Bytes, View

_MOST = 8
"""sRGB steps between a pixel's channels: what JPEG makes of grey."""
_SHARE = 95
"""Per cent of the skin's pixels that must be grey."""


def is_grey(view: View) -> bool:
    """Whether the skin in a picture has no colour."""
    pixels = view.frame.image[view.mask > 0.5]
    if len(pixels) == 0:
        pixels = view.frame.image.reshape(-1, 3)
    apart = pixels.max(axis=1).astype(np.int16) - pixels.min(axis=1)
    return bool(np.percentile(apart, _SHARE) <= _MOST)


def in_grey(picture: Bytes) -> Bytes:
    """An sRGB picture (H, W, 3) without its colours, as bright as before."""
    values = linear_from_srgb(np.arange(256) / 255.0)
    bright = np.zeros(picture.shape[:2], np.float32)
    for k in range(3):
        bright += (LUMINANCE[k] * values).astype(np.float32)[picture[..., k]]
    table = encoding_table()
    steps = np.rint((len(table) - 1) * np.sqrt(np.clip(bright, 0, 1))).astype(np.int64)
    return np.asarray(np.repeat(table[steps][..., None], 3, axis=2))
