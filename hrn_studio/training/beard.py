"""Hairs of a full beard that stand out from the painted one."""

from __future__ import annotations

import numpy as np

from hrn_studio.records import Floats
from hrn_studio.training.locks import Locks, ribbons
from hrn_studio.training.pixels import look_up
from hrn_studio.training.stage import Stage

POINTS = 4
PER_M2 = 18000.0
LIP_Y = -0.066
"""Above it on the mean face is the moustache."""


def grow_beard(
    rng: np.random.Generator,
    stage: Stage,
    vertices: Floats,
    grows: Floats,
    fullness: float,
    color: Floats,
    up: Floats,
) -> Locks | None:
    """A few hundred hairs, rooted in the head's own triangles.

    Parameters
    ----------
    vertices
        (V, 3) of the head, camera frame.
    grows
        (R, C) where on the chart, 0..1.
    fullness
        0.5 stubble .. 1 long.
    color
        (3,) linear.
    up
        (3,) towards the top of the head, camera frame.
    """
    head = stage.head
    x, y = stage.chart.texels.T - 0.5
    share = look_up(grows, x, y)[:, 0]
    skin = head.triangles[head.part_triangles("skin")]
    a, b, c = (head.mean[skin[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    weight = area * (share[skin].max(axis=1) > 0.1)
    count = int(PER_M2 * fullness * weight.sum())
    if not count:
        return None
    chosen = skin[rng.choice(len(skin), count, p=weight / weight.sum())]
    corner = rng.dirichlet([1, 1, 1], count)[..., None]
    texel = (stage.chart.texels[chosen] * corner).sum(axis=1) - 0.5
    kept = look_up(grows, texel[:, 0], texel[:, 1])[:, 0] > rng.random(count)
    chosen, corner, count = chosen[kept], corner[kept], int(kept.sum())
    if not count:
        return None
    place = (vertices[chosen] * corner).sum(axis=1)
    at = (head.mean[chosen] * corner).sum(axis=1)
    outward = (stage.normals(vertices)[chosen] * corner).sum(axis=1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    right = vertices[stage.lobes[0]] - vertices[stage.lobes[1]] if len(stage.lobes) else 0 * up
    right = right / max(float(np.linalg.norm(right)), 1e-9)
    aside = np.clip(at[:, :1] / 0.01, -1, 1) * np.where(at[:, 1:2] > LIP_Y, 0.9, 0.15)
    way = 0.35 * outward - up + aside * right + rng.normal(0, 0.25, (count, 3))
    way -= np.minimum((way * outward).sum(axis=1, keepdims=True) - 0.15, 0) * outward
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    length = rng.uniform(0.002, 0.004, count) + 0.020 * (fullness - 0.5) * rng.random(count)
    length = np.where(at[:, 1] > LIP_Y, np.minimum(length, 0.006), length)
    t = np.linspace(0, 1, POINTS)
    path = place[:, None] + (length[:, None] * t)[..., None] * way[:, None]
    path = path - (0.4 * length[:, None] * t**2)[..., None] * up
    return ribbons(rng, path, np.broadcast_to(outward[:, None], path.shape), color, 0.6)
