"""The mid stage on a whole head: what is seen where, and what follows along."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from hrn_studio.detail.contour import SIGMA_M, outline_matches, outline_vertices
from hrn_studio.detail.deformation import (
    DeformationSettings,
    Observation,
    Offsets,
    deforming,
    folded,
)
from hrn_studio.detail.shot import Shot
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import uniform_laplacian, vertex_normals
from hrn_studio.records import Bools, Coefficients, Doubles, FaceState, Floats, Ints

_MAX_SOFTENINGS = 4


@dataclass(frozen=True, slots=True)
class MiddleSettings:
    """Which parts bend, and how willingly."""

    deformation: DeformationSettings = field(default_factory=DeformationSettings)
    outline_passes: int = 2
    """How often the outline's points on the head are looked up."""
    stiff: float = 30.0
    """Factor on the priors where the tracker sees nothing: scalp, neck, ears, inner mouth."""
    depth: float = 4.0
    """Factor on the weight of several pictures' offsets: the bending's own stiffness ties
    neighbours together, so their errors in common need not be discounted as in the coarse stage."""


def deform_head(
    head: HeadModel,
    embedding: LandmarkEmbedding,
    neutral: Floats,
    shots: Sequence[Shot],
    states: Sequence[FaceState],
    weights: Sequence[float],
    settings: MiddleSettings,
    offsets: Offsets | None = None,
) -> Doubles:
    """(V, 3) displacement of the neutral head; :func:`bending_head` run to its end."""
    return deque(
        bending_head(head, embedding, neutral, shots, states, weights, settings, offsets), maxlen=1
    )[0]


def bending_head(
    head: HeadModel,
    embedding: LandmarkEmbedding,
    neutral: Floats,
    shots: Sequence[Shot],
    states: Sequence[FaceState],
    weights: Sequence[float],
    settings: MiddleSettings,
    offsets: Offsets | None = None,
) -> Iterator[Doubles]:
    """The displacement (V, 3) of the neutral head as far as it has come, step by step.

    Metres, model units times its scale; the last one is the result.

    The skin follows the pictures; eyeballs follow their lids, teeth and tongue the lips' inside,
    each without changing shape.  A deformation that folds the skin is repeated with stiffer
    settings.  ``offsets`` are what several pictures say of its depth, in the model's own size.
    """
    if offsets is not None:
        offsets = offsets.times(states[0].scale, settings.depth)
    skin = head.part_triangles("skin")
    count = int(head.triangles[skin].max()) + 1
    triangles = head.triangles[skin]
    near = uniform_laplacian(triangles, count)
    laplacian = (sparse.diags(1 / np.maximum(near.diagonal(), 1)) @ near).tocsr()
    face = np.clip(head.regions["face"][:count], 0, 1)
    stiffness = 1 + (settings.stiff - 1) * (1 - face)
    base = np.asarray(neutral[:count], np.float64)
    # The tracker errs alike in all pictures of a person, so they count less than one by one.
    weights = np.asarray(weights) / np.sqrt(max(np.count_nonzero(weights), 1))
    seen = [
        _observe(head, embedding, shot, state, weight, count)
        for shot, state, weight in zip(shots, states, weights, strict=True)
        if weight > 0
    ]
    candidates = outline_vertices(head)
    moved = np.zeros_like(base)
    for _ in range(settings.outline_passes):
        outlines = [
            _outline(head, candidates, moved, shot, state, weight, settings.deformation)
            for shot, state, weight in zip(shots, states, weights, strict=True)
            if weight > 0
        ]
        steps = _unfolding(
            base, triangles, laplacian, [*seen, *outlines], stiffness, settings, offsets
        )
        for moved in steps:
            yield follow_skin(head, base, moved)


def _unfolding(
    base: Doubles,
    triangles: Ints,
    laplacian: sparse.csr_matrix,
    seen: Sequence[Observation],
    stiffness: Doubles,
    settings: MiddleSettings,
    offsets: Offsets | None,
) -> Iterator[Doubles]:
    """Steps of the deformation, repeated with less trust in the pictures while it folds skin."""
    deformation = settings.deformation
    for _ in range(_MAX_SOFTENINGS):
        for moved in deforming(base, laplacian, seen, stiffness, deformation, offsets):
            yield moved
        if folded(base, base + moved, triangles) == 0:
            break
        deformation = _stiffer(deformation)


def _outline(
    head: HeadModel,
    candidates: Bools,
    moved: Doubles,
    shot: Shot,
    state: FaceState,
    weight: float,
    settings: DeformationSettings,
) -> Observation:
    """The outline of cheeks and jaw, seen across itself only."""
    vertices = np.asarray(head.evaluate(state.coefficients, state.scale), np.float64)
    offset = _expression_offset(head, state)[: len(moved)]
    vertices[: len(moved)] += moved
    found, points, directions = outline_matches(
        head, candidates, vertices, state.T_camera_head, state.camera, shot.track
    )
    share = (settings.sigma_landmark_m / SIGMA_M) ** 2
    return Observation(
        corners=np.repeat(found[:, None], 3, 1),
        barycentric=np.tile([1.0, 0.0, 0.0], (len(found), 1)),
        points_px=points,
        weights=np.full(len(found), share * weight),
        offset=offset,
        T_camera_head=state.T_camera_head,
        camera=state.camera,
        direction_px=directions,
    )


def _expression_offset(head: HeadModel, state: FaceState) -> Doubles:
    """(V, 3) what the expression adds to the neutral head, metres."""
    with_expression = Coefficients(
        np.zeros(1, np.float32), state.coefficients.expression, state.coefficients.gaze
    )
    return np.asarray((head.evaluate(with_expression) - head.mean) * state.scale, np.float64)


def _stiffer(settings: DeformationSettings) -> DeformationSettings:
    return DeformationSettings(
        settings.sigma_landmark_m * 1.5,
        settings.sigma_bend_m,
        settings.sigma_size_m,
        settings.iterations,
        settings.robust,
    )


def _observe(
    head: HeadModel,
    embedding: LandmarkEmbedding,
    shot: Shot,
    state: FaceState,
    weight: float,
    count: int,
) -> Observation:
    lines = on_lines(head, embedding)
    used = np.flatnonzero(embedding.usable & (embedding.corners < count).all(1) & lines)
    offset = _expression_offset(head, state)[:count]
    spread = np.maximum(embedding.spread_m[used], 1e-3)
    trust = np.clip(np.median(spread) / spread, 0.3, 2.0)
    facing = _facing(head, embedding, state, used)
    return Observation(
        corners=embedding.corners[used],
        barycentric=embedding.barycentric[used].astype(np.float64),
        points_px=shot.track.points_px[used].astype(np.float64),
        weights=trust * weight * facing,
        offset=offset,
        T_camera_head=state.T_camera_head,
        camera=state.camera,
    )


def on_lines(head: HeadModel, embedding: LandmarkEmbedding) -> Bools:
    """(L,) landmarks on lips and lids, which the tracker sees as lines.

    Elsewhere it guesses from its own idea of a face: what is left there after the coarse stage is
    its error, alike for a whole cheek or brow, and a head bent to it was further from the truth on
    renders and in other pictures.  All of them where a head does not say what lips and lids are.
    """
    names = [n for n in head.regions if n == "lips" or n.startswith("lid_")]
    if not names:
        return np.ones(len(embedding.corners), bool)
    mask = np.max([head.regions[n] for n in names], axis=0)
    return np.asarray((mask[embedding.corners] * embedding.barycentric).sum(1) > 0.4)


def _facing(head: HeadModel, embedding: LandmarkEmbedding, state: FaceState, used: Ints) -> Doubles:
    """(L,) how squarely each landmark's surface faces the camera, 0.02..1.

    What is turned away is guessed by the tracker, not seen.
    """
    vertices = head.evaluate(state.coefficients, state.scale)
    normals = vertex_normals(vertices, head.triangles)
    corners = embedding.corners[used]
    bary = embedding.barycentric[used][..., None]
    R, t = state.T_camera_head[:3, :3], state.T_camera_head[:3, 3]
    n = (normals[corners] * bary).sum(1) @ R.T
    p = (vertices[corners] * bary).sum(1) @ R.T + t
    cosine = -(n * p).sum(1) / (np.linalg.norm(n, axis=1) * np.linalg.norm(p, axis=1))
    return np.asarray(np.clip((cosine - 0.1) / 0.4, 0.02, 1.0))


def follow_skin(head: HeadModel, base: Doubles, moved: Doubles) -> Doubles:
    """(V, 3) the displacement ``moved`` of the skin's vertices, carried to the other parts."""
    result = np.zeros((head.vertex_count, 3))
    result[: len(moved)] = moved
    for eye in head.eyes:
        near = np.exp(-np.square(np.linalg.norm(base - eye.center, axis=1) / (1.3 * eye.radius)))
        result[eye.vertices] = np.average(moved, axis=0, weights=near + 1e-9)
    mouth = head.regions.get("inner_mouth", head.regions["lips"])[: len(moved)] + 1e-9
    for part in ("teeth_upper", "teeth_lower", "tongue"):
        if part in head.part_names:
            result[head.part_vertices(part)] = np.average(moved, axis=0, weights=mouth)
    return result
