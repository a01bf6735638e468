"""The whites of the eyes: the one thing in a picture of a face whose brightness is known.

A picture cannot tell dark skin in strong light from light skin in weak light.  The sclera is about
as bright in everybody, lies beside the skin and is under the same light, so skin that is far darker
than it is dark.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.detail.light import LUMINANCE
from hrn_studio.detail.shading import linear_from_srgb
from hrn_studio.records import AnyFloats, Bools, View

# MediaPipe's iris (centre, then four points of the rim) and margins of the lids.
_EYES = (
    (468, (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)),
    (473, (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)),
)
_WITHIN = 0.82
"""Share of the opening between the lids that is looked at: lashes and the lids' shadow are not."""
_FEWEST = 12
"""Pixels of white that must be seen."""


def white_luminance(view: View) -> float:
    """Linear luminance of the whiter eye's white as the picture has it; 0 when none is seen.

    The upper quartile of what lies between lids and iris, without what is blown out.
    """
    points = np.asarray(view.track.points_px, np.float64)
    image = view.frame.image
    found = [0.0]
    for iris, ring in _EYES:
        if len(points) < iris + 5:
            continue
        margin = points[list(ring)]
        margin = margin.mean(axis=0) + _WITHIN * (margin - margin.mean(axis=0))
        radius = float(np.linalg.norm(points[iris + 1 : iris + 5] - points[iris], axis=1).mean())
        low = np.maximum(np.floor(margin.min(axis=0)).astype(int), 0)
        high = np.minimum(
            np.ceil(margin.max(axis=0)).astype(int), (view.frame.width, view.frame.height)
        )
        if (high - low < 2).any():
            continue
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]] + 0.5
        white = _inside(margin, x, y) & (
            np.hypot(x - points[iris, 0], y - points[iris, 1]) > 1.12 * radius
        )
        pixels = image[low[1] : high[1], low[0] : high[0]][white]
        pixels = pixels[pixels.min(axis=1) < 250]
        if len(pixels) < _FEWEST:
            continue
        found.append(float(np.percentile(linear_from_srgb(pixels / 255.0) @ LUMINANCE, 75)))
    return max(found)


def _inside(polygon: AnyFloats, x: AnyFloats, y: AnyFloats) -> Bools:
    """Which points lie in a polygon (N, 2), by the even-odd rule."""
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if ay == by:
            continue
        crosses = (ay > y) != (by > y)
        inside ^= crosses & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return inside
