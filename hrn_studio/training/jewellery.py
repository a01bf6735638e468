"""Earrings."""

from __future__ import annotations

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.records import Doubles, Floats, Ints

AROUND, RINGS = 8, 5
UP = np.array([0.0, 1.0, 0.0])
METALS = np.array(
    [[0.60, 0.42, 0.14], [0.62, 0.61, 0.60], [0.55, 0.36, 0.27], [0.75, 0.73, 0.68]], np.float32
)
"""Gold, silver, rose gold and pearl, linear."""


def find_lobes(head: HeadModel) -> Ints:
    """The vertex (2,) where an earring hangs: lowest of the ear's outside, left first."""
    ears = head.regions.get("ears", np.zeros((head.vertex_count, 1), np.float32)).ravel() > 0.9
    lobes = []
    for side in (1, -1):
        mine = np.flatnonzero(ears & (side * head.mean[:, 0] > 0))
        if not len(mine):
            return np.zeros(0, np.int32)
        outside = side * head.mean[mine, 0] - head.mean[mine, 1] + 0.5 * head.mean[mine, 2]
        lobes.append(mine[np.argmax(outside)])
    return np.array(lobes, np.int32)


def draw_earrings(
    rng: np.random.Generator, lobes: Floats, normals: Floats
) -> tuple[Floats, Ints, Floats]:
    """Studs, drops or hoops: vertices (N, 3), triangles, and their colour (3,).

    Parameters
    ----------
    lobes, normals
        (2, 3) where they hang and outwards, head frame.
    """
    colour = METALS[rng.integers(len(METALS))] * np.float32(rng.uniform(0.7, 1.1))
    kind = rng.random()
    radius = rng.uniform(0.0018, 0.0032)
    parts: list[tuple[Doubles, Ints]] = []
    hang = rng.uniform(0.006, 0.022)
    wide = rng.uniform(0.007, 0.018)
    for lobe, normal in zip(lobes.astype(np.float64), normals.astype(np.float64), strict=True):
        at = lobe + 0.001 * normal
        if kind < 0.75:
            parts.append(_ball(at, radius))
        if 0.5 < kind < 0.75:
            parts.append(_ball(at - hang * UP, 1.4 * radius))
        if kind >= 0.75:
            parts.append(_hoop(at - wide * UP, wide, 0.0011))
    starts = np.cumsum([0, *(len(v) for v, _ in parts[:-1])])
    vertices = np.concatenate([v for v, _ in parts]).astype(np.float32)
    triangles = np.concatenate([t + s for (_, t), s in zip(parts, starts, strict=True)])
    return vertices, triangles.astype(np.int32), colour


def _ball(centre: Doubles, radius: float) -> tuple[Doubles, Ints]:
    turn, rise = np.meshgrid(
        np.linspace(0, 2 * np.pi, AROUND + 1), np.linspace(-np.pi / 2, np.pi / 2, RINGS)
    )
    flat = np.cos(rise)
    way = np.stack([flat * np.cos(turn), np.sin(rise), flat * np.sin(turn)], axis=-1)
    return (centre + radius * way).reshape(-1, 3), _quads(RINGS, AROUND + 1)


def _hoop(centre: Doubles, radius: float, thick: float) -> tuple[Doubles, Ints]:
    """A ring in the plane that the face looks along."""
    turn, round_ = np.meshgrid(np.linspace(0, 2 * np.pi, 5), np.linspace(0, 2 * np.pi, 17))
    reach = radius + thick * np.cos(turn)
    way = np.stack([thick * np.sin(turn), reach * np.cos(round_), reach * np.sin(round_)], axis=-1)
    return (centre + way).reshape(-1, 3), _quads(17, 5)


def _quads(rows: int, columns: int) -> Ints:
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    pairs = [np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]
    return np.asarray(np.concatenate(pairs), np.int32)
