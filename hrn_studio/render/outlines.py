"""Thin lines where a head's features are: its outline, lids, lips, the wings of the nose."""

from __future__ import annotations

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.raster import interpolate, rasterize
from hrn_studio.geometry.transforms import apply
from hrn_studio.records import AnyFloats, Bools, Camera, Floats

_STEP_M = 0.006
"""A jump in depth of this much is an outline."""
_FINE = 3


def outlines(
    head: HeadModel,
    vertices: AnyFloats,
    camera: Camera,
    T_camera_head: AnyFloats,
    width_px: float = 1.5,
) -> Floats:
    """How much of each pixel the lines cover, (H, W) 0..1.

    Parameters
    ----------
    vertices
        (V, 3) head frame, metres.
    """
    fine = Camera(
        camera.width * _FINE,
        camera.height * _FINE,
        camera.focal_px * _FINE,
        (camera.center_px[0] * _FINE, camera.center_px[1] * _FINE),
    )
    fragments = rasterize(apply(T_camera_head, vertices), head.triangles, fine)
    depth = np.where(fragments.covered, fragments.depth, 1e3)
    part = np.where(fragments.covered, head.triangle_part[fragments.triangle], 255).astype(int)
    lines = _jumps(depth, _STEP_M) | _jumps(part, 0)
    if "lips" in head.regions:
        share = interpolate(fragments, head.triangles, head.regions["lips"][:, None])[..., 0]
        lines |= _jumps((share > 0.5).astype(int), 0)
    thick = _grown(lines, max(0, round(width_px * _FINE / 2 - 1)))
    blocks = thick.reshape(camera.height, _FINE, camera.width, _FINE)
    return np.asarray(blocks.mean((1, 3)), np.float32)


def _jumps(values: AnyFloats, step: float) -> Bools:
    """Where a pixel differs from its right or lower neighbour by more than ``step``."""
    result = np.zeros(values.shape, np.bool_)
    result[:, :-1] |= np.abs(np.diff(values, axis=1)) > step
    result[:-1] |= np.abs(np.diff(values, axis=0)) > step
    return result


def _grown(lines: Bools, times: int) -> Bools:
    """Lines one pixel wider on all sides, some times over."""
    for _ in range(times):
        wider = lines.copy()
        wider[1:] |= lines[:-1]
        wider[:-1] |= lines[1:]
        wider[:, 1:] |= lines[:, :-1]
        wider[:, :-1] |= lines[:, 1:]
        lines = wider
    return lines
