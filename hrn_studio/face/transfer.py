"""Give another head what the default head has: regions, expressions, the tracker's landmarks.

The default head's skin is bent onto the other's (:mod:`.registration`); after that every place on
one is a place on the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from hrn_studio.errors import ModelDataError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import Eye, HeadModel
from hrn_studio.face.registration import Pairs, RegistrationSettings, Surface, register
from hrn_studio.geometry.transforms import similarity
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints

_NEAREST = 3
_FAR_M = 0.012
"""Skin further than this from the default's (inside of the mouth, a stump of neck) gets nothing."""
_POINTS = 900
_ERROR_M = 0.0008
IRIS_M = 0.00585
"""Radius of the visible iris."""
_PUPIL_SHARE = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Correspondence:
    """Where the default head's places are on another head's mean."""

    vertices: Ints
    """(N,) the other's skin."""
    corners: Ints
    """(N, 3) the default's vertices near each of them."""
    weights: Doubles
    """(N, 3) of these; all zero where the default has no such place."""
    registered: Doubles
    """(S, 3) the default's skin on the other head, metres."""
    scale: float
    """Size of the other head against the default's."""

    def carried(self, values: AnyFloats) -> Doubles:
        """Values (V, ...) of the default's vertices at the other's skin (N, ...)."""
        near = np.asarray(values, np.float64)[self.corners]
        return np.asarray(np.einsum("nk,nk...->n...", self.weights, near))


def correspond(
    other: HeadModel, default: HeadModel, embedding: LandmarkEmbedding, seen: AnyFloats
) -> Correspondence:
    """Lay the default head's skin onto another head's mean.

    Parameters
    ----------
    embedding
        Of the tracker's landmarks on the default head.
    seen
        (L, 3) the same landmarks on the other's mean, metres, NaN where unknown.

    Raises
    ------
    ModelDataError
        Too few landmarks are known.
    """
    usable = embedding.usable & np.isfinite(seen).all(1)
    skin = default.triangles[default.part_triangles("skin")]
    count = int(skin.max()) + 1
    usable &= (embedding.corners < count).all(1)
    if usable.sum() < 30:
        raise ModelDataError(
            f"the tracker recognises too little of the head {other.name}; it cannot be fitted"
        )
    points = embedding.points(default.mean)[usable].astype(np.float64)
    wanted = np.asarray(seen, np.float64)[usable]
    scale, R, t = similarity(points, wanted)
    for _ in range(3):  # without those the tracker misplaced
        gap = np.linalg.norm(scale * points @ R.T + t - wanted, axis=1)
        good = gap < 2.5 * max(float(np.median(gap)), 1e-6)
        scale, R, t = similarity(points[good], wanted[good])
    start = scale * default.mean[:count].astype(np.float64) @ R.T + t
    chosen = np.flatnonzero(usable)[good]
    pairs = Pairs(embedding.corners[chosen], embedding.barycentric[chosen], wanted[good])
    weights = np.ones(count)
    for name in ("inner_mouth", "eye_sockets", "nostrils"):
        weights *= 1 - default.regions[name][:count]
    surface = Surface(other.mean, other.triangles[other.part_triangles("skin")])
    settings = RegistrationSettings(sigma_pair_m=0.0015, reach_start_m=0.03, reach_end_m=0.008)
    registered = start + register(start, skin, weights, surface, pairs, settings)
    vertices = other.part_vertices("skin")
    distance, corners = cKDTree(registered).query(other.mean[vertices], k=_NEAREST)
    share = 1 / np.maximum(distance, 1e-6) ** 2
    share /= share.sum(1, keepdims=True)
    share[distance[:, 0] > _FAR_M * scale] = 0
    return Correspondence(vertices, corners.astype(np.int32), share, registered, float(scale))


def dressed(other: HeadModel, default: HeadModel, places: Correspondence) -> HeadModel:
    """The other head with the default's regions, and with the ARKit shapes it lacks."""
    regions: dict[str, Floats] = {}
    for name, mask in default.regions.items():
        values = np.zeros(other.vertex_count, np.float32)
        values[places.vertices] = np.clip(places.carried(mask), 0, 1)
        regions[name] = values
    for eye in other.eyes:
        regions |= _eye_regions(other, eye, regions)
    names, shapes = list(other.expression_names), [*other.expression]
    for name, shape in zip(default.expression_names, default.expression, strict=True):
        if name not in names:
            offsets = np.zeros((other.vertex_count, 3), np.float32)
            offsets[places.vertices] = places.scale * places.carried(shape)
            names.append(name)
            shapes.append(offsets)
    order = np.argsort(names)
    return replace(
        other,
        regions=regions,
        expression=np.stack([shapes[i] for i in order]),
        expression_names=tuple(names[i] for i in order),
    )


def _eye_regions(other: HeadModel, eye: Eye, regions: Mapping[str, Floats]) -> dict[str, Floats]:
    """Pupil, iris and sclera by the angle from the front."""
    ball = other.mean[eye.vertices] - eye.center
    aside = np.hypot(ball[:, 0], ball[:, 1])
    front = ball[:, 2] > 0
    result = {}
    pupil = front & (aside < _PUPIL_SHARE * IRIS_M)
    iris = front & (aside < IRIS_M) & ~pupil
    for name, mask in (("pupil", pupil), ("iris", iris), ("sclera", ~(pupil | iris))):
        values = np.array(regions.get(name, np.zeros(other.vertex_count)), np.float32)
        values[eye.vertices] = mask
        result[name] = values
    return result


def carried_landmarks(
    other: HeadModel, default: HeadModel, embedding: LandmarkEmbedding, places: Correspondence
) -> LandmarkEmbedding:
    """The tracker's landmarks on the other head."""
    count = len(places.registered)
    points = np.zeros((len(embedding.triangles), 3))
    skin = (embedding.corners < count).all(1)
    corners = places.registered[embedding.corners[skin]]
    points[skin] = np.einsum("lk,lkc->lc", embedding.barycentric[skin], corners)
    on_skin = _nearest(other, other.part_triangles("skin"), points)
    triangles, barycentric = on_skin
    own = embedding.points(default.mean)
    for mine, theirs in zip(default.eyes, other.eyes, strict=False):
        inside = np.arange(mine.vertices.start, mine.vertices.stop)
        chosen = np.flatnonzero(np.isin(embedding.corners[:, 0], inside))
        looks = own[chosen] - mine.center
        placed = theirs.center + looks * (theirs.radius / mine.radius)
        part = other.part_triangles(f"eye_{theirs.side.lower()}")
        triangles[chosen], barycentric[chosen] = _nearest(other, part, placed)
    return LandmarkEmbedding(
        triangles=triangles,
        barycentric=barycentric.astype(np.float32),
        corners=other.triangles[triangles],
        spread_m=embedding.spread_m,
        usable=embedding.usable,
        depth_m=embedding.depth_m,
    )


def _nearest(head: HeadModel, chosen: Ints, points: Doubles) -> tuple[Ints, Doubles]:
    """The triangle of a part nearest to each point (N,), and where in it (N, 3)."""
    corners = head.mean[head.triangles[chosen]].astype(np.float64)
    _, near = cKDTree(corners.mean(1)).query(points, k=min(12, len(chosen)))
    near = near.reshape(len(points), -1)
    a, b, c = (corners[near][:, :, k] for k in range(3))
    u, v, w = b - a, c - a, points[:, None] - a
    uu, uv, vv = (u * u).sum(2), (u * v).sum(2), (v * v).sum(2)
    wu, wv = (w * u).sum(2), (w * v).sum(2)
    area = np.maximum(uu * vv - uv * uv, 1e-30)
    second, third = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    weights = np.clip(np.stack([1 - second - third, second, third], 2), 0, None)
    weights /= weights.sum(2, keepdims=True)
    reached = np.einsum("npk,npkc->npc", weights, corners[near])
    best = np.linalg.norm(reached - points[:, None], axis=2).argmin(1)
    rows = np.arange(len(points))
    return chosen[near[rows, best]].astype(np.int32), weights[rows, best]


def identity_map(
    other: HeadModel, default: HeadModel, places: Correspondence
) -> tuple[Doubles, Doubles, Doubles]:
    """How the default's identity translates: ``x_other = start + M @ x_default``.

    Returns
    -------
    M, start, sigma
        (I', I), (I',) and what stays unknown of each component (I',), standard deviations.

    Least squares on the face, with the other's own prior; where and how large a face is does not
    count.
    """
    face = default.regions["face"][places.corners].mean(1) > 0.5
    known = np.flatnonzero(face & (places.weights.sum(1) > 0))
    known = known[:: max(1, len(known) // _POINTS)]
    vertices = places.vertices[known]
    corners, weights = places.corners[known], places.weights[known]

    def at(values: AnyFloats) -> Doubles:
        near = np.asarray(values, np.float64)[corners]
        return np.asarray(np.einsum("nk,nkc->nc", weights, near))

    own = other.mean[vertices].astype(np.float64)
    noise = _ERROR_M * np.sqrt(len(known) / 60)
    basis = other.identity[:, vertices].reshape(other.identity_count, -1).T
    free = np.zeros((len(known), 3, 7))
    free[:, :, :3] = np.eye(3)
    for axis in range(3):
        free[:, :, 3 + axis] = np.cross(np.eye(3)[axis], own)
    free[:, :, 6] = own
    system = np.concatenate([basis, free.reshape(-1, 7)], axis=1) / noise
    prior = np.concatenate([np.ones(other.identity_count), np.full(7, 1e-6)])
    covariance = np.linalg.inv(system.T @ system + np.diag(prior))
    solve = (covariance @ system.T)[: other.identity_count] / noise
    moves = np.stack([at(shape).ravel() for shape in default.identity], axis=1)
    start = solve @ (places.scale * at(default.mean) - own).ravel()
    sigma = np.sqrt(np.diag(covariance)[: other.identity_count])
    return places.scale * solve @ moves, start, sigma
