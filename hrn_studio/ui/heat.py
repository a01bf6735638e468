"""Numbers on the head's surface as colours, with their scale."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.records import AnyFloats, Bytes, Floats, Reconstruction
from hrn_studio.ui.scale_bar import Scale
from hrn_studio.ui.tokens import Tokens

_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_IMAGE_PX = 1024
_UNSEEN_BELOW = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """Values per vertex as colours."""

    values: Floats
    """(V,) in the scale's unit; nan where nothing was seen."""
    tint: Floats
    """(V, 4) linear RGB and 1."""
    scale: Scale
    image: Bytes | None = None
    """(S, S, 3) the same over the UV square, where a map has more than the vertices."""


def rounded_up(value: float) -> float:
    """To 0.1, 0.2, 0.5, 1, 2 or 5 mm."""
    return next((step for step in _STEPS if value <= step), _STEPS[-1])


def at_vertices(image: AnyFloats, head: HeadModel) -> Floats:
    """A map's values at the vertices; where a vertex has several texture places, the first."""
    size = image.shape[0]
    place = np.zeros((head.vertex_count, 2), np.float32)
    place[head.triangles[::-1].ravel()] = head.uv[head.uv_triangles[::-1].ravel()]
    column = np.clip((place[:, 0] * size).astype(int), 0, size - 1)
    row = np.clip(((1 - place[:, 1]) * size).astype(int), 0, size - 1)
    return np.asarray(image[row, column], np.float32)


def displacement(result: Reconstruction, head: HeadModel, tokens: Tokens) -> Heat:
    """Fine detail along the normal, millimetres."""
    values = at_vertices(result.maps.displacement, head) * 1000
    image = _smaller(result.maps.displacement) * 1000
    unseen = _smaller(result.maps.confidence) < _UNSEEN_BELOW
    seen = np.abs(image[~unseen])
    top = rounded_up(float(np.percentile(seen, 99)) if seen.size else 0.5)
    made = _signed(values, _unseen(result, head), tokens, "out is plus", top)
    image[unseen] = np.nan
    colors = _colors(image, -top, top, tokens.maps["signed"], tokens.unseen)
    return dataclasses.replace(made, image=colors)


def deformation(result: Reconstruction, head: HeadModel, tokens: Tokens) -> Heat:
    """What the fitted head adds to the coarse one along its normal, millimetres."""
    coarse, final = result.stages.get("coarse", result.neutral), result.neutral
    normals = vertex_normals(coarse, head.triangles)
    values = ((final - coarse) * normals).sum(axis=1) * 1000
    return _signed(values, _unseen(result, head), tokens, "out is plus")


def spread(result: Reconstruction, head: HeadModel, tokens: Tokens) -> Heat:
    """How far the frames disagree, millimetres."""
    values = np.array(result.spread_mm, np.float32)
    values[_unseen(result, head)] = np.nan
    top = max(0.2, float(np.nanpercentile(values, 99)) if np.isfinite(values).any() else 0.2)
    top = float(np.ceil(top * 2.5 - 1e-6) / 2.5)  # so that quarters are round
    ticks = tuple(f"{top * i / 4:.1f}" for i in range(5))
    scale = Scale("mm", tokens.maps["spread"], ticks, ("grey: one", "frame only"))
    return Heat(values, _tint(values, 0.0, top, tokens.maps["spread"], tokens.unseen), scale)


def apart(result: Reconstruction, index: int, head: HeadModel, tokens: Tokens) -> Heat:
    """How far one frame's head is from the others', millimetres."""
    values = np.linalg.norm(result.views[index].apart_mm, axis=1).astype(np.float32)
    values[np.asarray(head.regions["face"] < 0.5)] = np.nan
    top = max(0.2, float(np.nanpercentile(values, 99)))
    scale = Scale("mm", tokens.maps["spread"], ("0", "", "", "", f"{top:.2g}"))
    return Heat(values, _tint(values, 0.0, top, tokens.maps["spread"], tokens.unseen), scale)


def confidence(result: Reconstruction, head: HeadModel, tokens: Tokens) -> Heat:
    """Seen well (1) or invented (0)."""
    values = at_vertices(result.maps.confidence, head)
    scale = Scale("seen", tokens.maps["confidence"], ("0", "", "0.5", "", "1"), ("rust: invented",))
    stops = tokens.maps["confidence"]
    image = _colors(_smaller(result.maps.confidence), 0.0, 1.0, stops, tokens.unseen)
    return Heat(values, _tint(values, 0.0, 1.0, stops, tokens.unseen), scale, image)


def _smaller(image: AnyFloats) -> Floats:
    """A map of at most 1024 texels a side."""
    step = max(1, image.shape[0] // _IMAGE_PX)
    return np.array(image[::step, ::step], np.float32)


def _signed(values: Floats, unseen: AnyFloats, tokens: Tokens, note: str, top: float = 0.0) -> Heat:
    values = np.array(values, np.float32)
    values[np.asarray(unseen, bool)] = np.nan
    seen = values[np.isfinite(values)]
    top = top or rounded_up(float(np.percentile(np.abs(seen), 99)) if len(seen) else 0.5)
    numbers = (-top, -top / 2, 0.0, top / 2, top)
    ticks = tuple(f"{v:+.2g}".replace("-", "−") if v else "0" for v in numbers)
    scale = Scale("mm", tokens.maps["signed"], ticks, (note, "grey: unseen"))
    return Heat(values, _tint(values, -top, top, tokens.maps["signed"], tokens.unseen), scale)


def _unseen(result: Reconstruction, head: HeadModel) -> AnyFloats:
    return np.asarray(at_vertices(result.maps.confidence, head) < _UNSEEN_BELOW)


def _tint(values: Floats, low: float, high: float, stops: Sequence[str], unseen: str) -> Floats:
    """Colours between the stops; grey where a value is missing."""
    colors = np.array([_linear(stop) for stop in stops])
    share = np.nan_to_num(np.clip((values - low) / (high - low), 0, 1)) * (len(stops) - 1)
    below = np.minimum(share.astype(int), len(stops) - 2)
    part = (share - below)[:, None]
    tint = np.ones((len(values), 4), np.float32)
    tint[:, :3] = colors[below] * (1 - part) + colors[below + 1] * part
    tint[~np.isfinite(values), :3] = _linear(unseen)
    return tint


def _colors(image: Floats, low: float, high: float, stops: Sequence[str], unseen: str) -> Bytes:
    """(S, S, 3) sRGB colours between the stops."""
    table = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in stops], np.float32)
    share = np.nan_to_num(np.clip((image - low) / (high - low), 0, 1)) * (len(stops) - 1)
    below = np.minimum(share.astype(np.int32), len(stops) - 2)
    part = (share - below)[..., None]
    colors = table[below] * (1 - part) + table[below + 1] * part
    colors[~np.isfinite(image)] = [int(unseen[i : i + 2], 16) for i in (1, 3, 5)]
    return np.asarray(colors, np.uint8)


def _linear(color: str) -> AnyFloats:
    encoded = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear)
