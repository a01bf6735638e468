"""Dark lines in an albedo that are folds of the skin, not its colour.

The light in a fold is little, whatever the skin's colour; the fit's own folds are shallower than a
smile's, so dividing by their shading leaves the line.  What is narrow, long and darker than both
its sides is taken for one: a closing gives the sides' brightness, openings with lines in all
directions keep what is long (the bottom hat and the rotating structuring elements of Soille and
Talbot 2001, "Directional morphological filtering").  A mole is short, a beard's hairs are many.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from hrn_studio.detail.filters import blur, fill, smoothstep, weighted_blur
from hrn_studio.records import AnyFloats, Bools, Floats

_WIDE_M = 0.0024
"""Half the width of the widest line."""
_LONG_M = 0.008
_DIRECTIONS = 12
_SHALLOW = 0.03
"""Log units of darkness that are left: skin's own texture."""
_LEFT = 0.1
"""Share of the rest that is left."""
_MANY = (0.25, 0.45)
"""Share of the skin around that is such a line from which they are hairs, in part and surely."""
_DARK = 0.1
"""Log units of darkness that count there."""


def creases(bright: Floats, weight: AnyFloats, texel_m: float) -> Floats:
    """How much (log units, >= 0) to brighten each texel (A, A) so that no crease is seen.

    Parameters
    ----------
    bright
        (A, A) log luminance.
    weight
        (A, A) 0..1: seen skin without brows, lids and lips.
    texel_m
        Side of a texel on the face, metres.
    """
    w = np.asarray(weight, np.float32)
    rows, columns = (np.flatnonzero(w.max(axis=k) > 0.01) for k in (1, 0))
    result = np.zeros_like(w)
    if len(rows) < 8 or len(columns) < 8:
        return result
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    w = w[part]
    calm, _ = weighted_blur(bright[part], np.maximum(w, 1e-3), 0.5)
    sides = ndimage.grey_closing(calm, footprint=_disc(_WIDE_M / texel_m))
    dark = np.maximum(sides - calm, 0) * smoothstep(0.05, 0.5, w)
    wide = ndimage.grey_dilation(dark, footprint=_disc(1.0))
    lines = np.zeros_like(dark)
    for k in range(_DIRECTIONS):
        line = _line(_LONG_M / texel_m, np.pi * k / _DIRECTIONS)
        np.maximum(lines, ndimage.grey_opening(wide, footprint=line), out=lines)
    lines = (1 - _LEFT) * np.maximum(np.minimum(lines, dark) - _SHALLOW, 0)
    many, _ = weighted_blur((dark > _DARK).astype(np.float32), w, 0.005 / texel_m)
    lines *= smoothstep(_MANY[1], _MANY[0], many)
    result[part] = blur(lines, 0.5) * smoothstep(0.05, 0.5, w)
    return result


def without(values: Floats, lines: Floats, weight: AnyFloats) -> Floats:
    """A hue (A, A, 3) that takes that of its sides where creases were brightened.

    Skin lit by skin is red at the bottom of a fold.
    """
    line = smoothstep(0.2 * _SHALLOW, 3 * _SHALLOW, lines)
    beside = np.asarray(weight, np.float32) * (1 - ndimage.grey_dilation(line, size=3))
    sides = fill(values, np.clip(beside, 1e-4, 1))
    return np.asarray(values + line[..., None] * (sides - values), np.float32)


def _disc(radius: float) -> Bools:
    reach = max(round(radius), 1)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(np.hypot(x, y) <= radius + 0.4)


def _line(length: float, angle: float) -> Bools:
    """A line through the middle of a square, one texel thick."""
    reach = max(round(length / 2), 1)
    steps = np.linspace(-reach, reach, 4 * reach + 1)
    result = np.zeros((2 * reach + 1, 2 * reach + 1), np.bool_)
    row, column = np.rint(steps * np.sin(angle)), np.rint(steps * np.cos(angle))
    result[row.astype(int) + reach, column.astype(int) + reach] = True
    return result
