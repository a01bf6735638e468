"""Loose locks over the shell of hair: ribbons that cross its border and break its outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.records import AnyFloats, Doubles, Floats, Ints
from hrn_studio.training.hair import COLUMNS, Cut, Roots, Shell
from hrn_studio.training.pixels import unit

POINTS = 7
"""Along a lock."""


@dataclass(frozen=True, slots=True, eq=False)
class Locks:
    """Ribbons that face the camera, in its frame."""

    vertices: Floats
    """(N, 3)"""
    triangles: Ints
    tangents: Floats
    """(N, 3) along the hair."""
    normals: Floats
    """(N, 3) of the hair's surface there."""
    albedo: Floats
    """(N, 3) linear."""
    opacity: Floats
    """(N,)"""


def grow_locks(
    rng: np.random.Generator, shell: Shell, roots: Roots, cut: Cut, color: Floats, up: Floats
) -> Locks | None:
    """A random few hundred locks; None on a cap, and where hair is too short.

    Parameters
    ----------
    shell
        In the camera frame.
    color
        (3,) linear.
    up
        (3,) towards the top of the head, camera frame.
    """
    if cut.cloth or cut.coverage < 1 or cut.thickness < 0.003:
        return None
    rows = len(roots.elevation)
    nodes = shell.vertices.reshape(rows, COLUMNS, 3).astype(np.float64)
    middle = nodes[:8].mean(axis=(0, 1)) - 0.08 * up
    count = int(rng.integers(120, 340))
    column = rng.uniform(0, COLUMNS - 1, count)
    line = np.interp(column, np.arange(COLUMNS), cut.line)
    last = np.interp(-line, -roots.elevation, np.arange(rows))
    if cut.hanging:
        last = np.minimum(last, rows - 3)
    messy = min(rng.gamma(2.0, 0.4), 1.6)
    start = last * rng.uniform(0.15, 0.95, count) ** 0.6
    span = rng.uniform(2.5, 6.5, count) + (last - start) * rng.random(count)
    t = np.linspace(0, 1, POINTS)
    row = start[:, None] + span[:, None] * t
    azimuth = np.abs(column / (COLUMNS - 1) - 0.5) * 2 * np.pi
    back = cut.swept & (azimuth < 1.1)  # from the hairline up
    row[back] = (last - rng.uniform(0, 2.5, count))[back, None] - 0.8 * span[back, None] * t
    row = np.maximum(row, 1)
    beyond = np.minimum(np.maximum(row - last[:, None], 0), rng.uniform(0.4, 2.2, (count, 1)))
    row = np.minimum(row, last[:, None])
    sweep = np.clip(rng.normal(0, 1.2) + messy * rng.normal(0, 0.8, count), -2.5, 2.5)
    across = column[:, None] + sweep[:, None] * t * (1 + 0.5 * t)
    place = _sampled(nodes, row, across)
    outward = place - middle
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    before = _sampled(nodes, np.maximum(row - 1, 0), across)
    along = place - before
    step = np.linalg.norm(along, axis=-1, keepdims=True)
    along = along / np.maximum(step, 1e-6)
    # Past the border hair falls, and leans on what is below it.
    fall = along - 0.6 * up - 0.25 * outward
    place = place + fall * (np.minimum(step, 0.008) * beyond[..., None])
    stands = 0.0008 + np.minimum(cut.thickness, 0.02) * 0.12 * messy * rng.gamma(1.0, 1.0, count)
    if cut.curls:
        turn = rng.uniform(0, 6.28, (count, 1)) + 9 * t
        place = place + 0.004 * cut.curls * (np.sin(turn)[..., None] * np.cross(outward, along))
        stands = stands * (1 + 2 * cut.curls)
    stands = stands[:, None] * np.where(back[:, None], 1.5 * np.sqrt(t), np.sin(2.4 * t))
    place = place + outward * stands[..., None]
    for _ in range(2):  # without corners
        place[:, 1:-1] = (place[:, :-2] + 2 * place[:, 1:-1] + place[:, 2:]) / 4
    return ribbons(rng, place, outward, color)


def _sampled(nodes: Doubles, row: AnyFloats, column: AnyFloats) -> Doubles:
    """Bilinear places (..., 3) on the shell's grid; columns go round."""
    column = np.mod(column, COLUMNS - 1)
    i = np.clip(row.astype(int), 0, len(nodes) - 2)
    j = column.astype(int)
    a, b = (row - i)[..., None], (column - j)[..., None]
    near = nodes[i, j] * (1 - b) + nodes[i, j + 1] * b
    far = nodes[i + 1, j] * (1 - b) + nodes[i + 1, j + 1] * b
    return np.asarray(near * (1 - a) + far * a)


def ribbons(
    rng: np.random.Generator, place: Doubles, outward: Doubles, color: Floats, wide: float = 1.0
) -> Locks:
    """Tapering ribbons along paths (S, K, 3), camera frame, up to ``wide`` x 2.4 mm across.

    Parameters
    ----------
    outward
        (S, K, 3) normals of what they lie on.
    color
        (3,) linear; every ribbon's differs a little.
    """
    count, points = place.shape[:2]
    along = np.gradient(place, axis=1)
    side = np.cross(along, place)
    side /= np.linalg.norm(side, axis=-1, keepdims=True) + 1e-12
    t = np.linspace(0, 1, points)
    half = wide * rng.uniform(0.0004, 0.0012, (count, 1)) * (1 - 0.75 * t)
    edges = np.stack([place - side * half[..., None], place + side * half[..., None]], axis=2)
    index = np.arange(count * points * 2).reshape(count, points, 2)
    a, b, c, d = index[:, :-1, 0], index[:, :-1, 1], index[:, 1:, 0], index[:, 1:, 1]
    triangles = np.stack([np.stack([a, c, b], -1), np.stack([b, c, d], -1)], axis=2)
    tone = np.exp(rng.normal(0.05, 0.3, (count, 1, 1)))
    opacity = np.broadcast_to((0.9 - 0.55 * t)[None, :, None], (count, points, 2))

    def doubled(values: AnyFloats) -> Floats:
        both = np.broadcast_to(values[:, :, None, :], (count, points, 2, 3))
        return np.ascontiguousarray(both.reshape(-1, 3), np.float32)

    return Locks(
        edges.reshape(-1, 3).astype(np.float32),
        triangles.reshape(-1, 3).astype(np.int32),
        unit(doubled(along)),
        unit(doubled(outward)),
        doubled(np.broadcast_to(color * tone, (count, points, 3))),
        np.ascontiguousarray(opacity.reshape(-1), np.float32),
    )
