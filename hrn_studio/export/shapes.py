"""The head model's expressions, carried over to one person.

Skin follows deformation transfer (Sumner and Popovic 2004, in the form of Botsch et al. 2006): a
shape turns and stretches each triangle of the mean head; the person's triangles are asked for the
same, and one sparse solve finds the movement that does it best.  Stiff parts (eyeballs, teeth,
tongue) take one rotation and scale.  Then what touches on the model must touch here: lids that
meet in a blink, lips that ``mouthClose`` keeps together under ``jawOpen``; the rest of the
movement is spread smoothly over the surroundings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from hrn_studio.face.gaze import gaze_rotation, look_angles
from hrn_studio.face.model import Eye, HeadModel
from hrn_studio.geometry.mesh import (
    adjacency,
    cotangent_laplacian,
    triangle_areas,
    vertex_areas,
)
from hrn_studio.geometry.transforms import similarity
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints

_SCREEN_M = 0.03
"""Variation slower than this follows the heads' affine map."""
_TOUCH_M = 0.0015
"""Vertices of two lids that come this close are meant to meet."""
_APART_M = 0.003
_STILL_M = 1e-6
"""Movements below a micrometre are none."""


def personal_shapes(head: HeadModel, neutral: AnyFloats) -> Floats:
    """What each expression at weight 1 adds to a person's neutral head.

    Parameters
    ----------
    neutral
        (V, 3) metres, head frame, all parts of the model.

    Returns
    -------
    (E, V, 3) metres, exactly zero where nothing moves.  The eyeLook shapes turn the eyeballs.
    """
    mean = head.mean.astype(np.float64)
    person = np.asarray(neutral, np.float64)
    shapes = np.zeros((head.expression_count, head.vertex_count, 3))
    skin = head.part_vertices("skin")
    number = np.zeros(head.vertex_count, np.int32)
    number[skin] = np.arange(len(skin))
    triangles = number[head.triangles[head.part_triangles("skin")]]
    moving = head.expression[:, skin].any(2)
    moved = _transferred(head.expression[:, skin], triangles, mean[skin], person[skin])
    shapes[:, skin] = np.where(moving[:, :, None], moved, 0)
    for part in head.part_names[1:]:
        rigid = head.part_vertices(part)
        scale, R, _ = similarity(mean[rigid], person[rigid])
        shapes[:, rigid] = scale * head.expression[:, rigid] @ R.T
    for eye in head.eyes:
        _turn(shapes, head, eye, mean, person)
        _close_lids(shapes, head, eye, mean, person)
    _close_lips(shapes, head, mean, person)
    shapes[np.linalg.norm(shapes, axis=2) < _STILL_M] = 0
    return shapes.astype(np.float32)


def _transferred(shapes: Floats, triangles: Ints, mean: Doubles, person: Doubles) -> Doubles:
    """Deformation transfer of ``shapes`` (E, N, 3) from ``mean`` to ``person``, (N, 3) each.

    Slow variation, which the gradients hardly fix, follows the affine map between the two heads.
    """
    count = len(mean)
    inverse = _inverted(_edges(mean, triangles))
    corner = person[triangles]
    area = triangle_areas(person, triangles)
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    # area * gradient of each corner's hat function: half its opposite edge, turned inwards
    opposite = corner[:, [2, 0, 1]] - corner[:, [1, 2, 0]]
    hats = 0.5 * np.cross(normal[:, None], opposite) / (2 * area)[:, None, None]
    pulled = np.einsum("tij,tkj->tki", inverse, hats)
    gather = sparse.csr_matrix(
        (np.ones(triangles.size), (triangles.ravel(), np.arange(triangles.size))),
        (count, triangles.size),
    )
    middle = mean.mean(0)
    affine = np.linalg.lstsq(mean - middle, person - person.mean(0), rcond=None)[0]
    weight = vertex_areas(person, triangles) / _SCREEN_M**2
    right = np.empty((count, len(shapes), 3))
    for number, offsets in enumerate(shapes):
        turned = _edges(mean + offsets, triangles)
        wanted = np.einsum("tij,tkj->tki", turned, pulled) - hats
        right[:, number] = gather @ wanted.reshape(-1, 3) + weight[:, None] * (offsets @ affine)
    system = cotangent_laplacian(person, triangles) + sparse.diags(weight)
    solved = _solved(system, right.reshape(count, -1))
    return np.asarray(solved.reshape(count, -1, 3).transpose(1, 0, 2))


def _solved(system: Any, right: Doubles) -> Doubles:
    """Solution (N, C) of a symmetric positive definite sparse system.

    Twelve columns at a time: with more, BLAS starts threads for tiny products, and that takes
    fifty times as long.
    """
    factors = splu(
        system.tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    columns = range(0, right.shape[1], 12)
    return np.concatenate(
        [factors.solve(np.ascontiguousarray(right[:, c : c + 12])) for c in columns], 1
    )


def _edges(vertices: Doubles, triangles: Ints) -> Doubles:
    """(T, 3, 3) two edges and the normal, as long as the root of the area, in columns."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.sqrt(np.linalg.norm(normal, axis=1))[:, None]
    return np.stack([b - a, c - a, normal], 2)


def _inverted(matrices: Doubles) -> Doubles:
    """Inverses of (T, 3, 3); a thousand small calls to LAPACK would wait for each other."""
    a, b, c = (matrices[:, :, k] for k in range(3))
    rows = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], 1)
    return np.asarray(rows / np.einsum("ti,ti->t", a, rows[:, 0])[:, None, None])


def _turn(shapes: Doubles, head: HeadModel, eye: Eye, mean: Doubles, person: Doubles) -> None:
    scale, R, t = similarity(mean[eye.vertices], person[eye.vertices])
    ball = person[eye.vertices] - (scale * R @ eye.center + t)
    for offsets, name in zip(shapes, head.expression_names, strict=True):
        yaw, pitch = look_angles(name, eye.side)
        if yaw or pitch:
            offsets[eye.vertices] += ball @ gaze_rotation(yaw, pitch).T - ball


def _close_lids(shapes: Doubles, head: HeadModel, eye: Eye, mean: Doubles, person: Doubles) -> None:
    """Lids that meet on the model meet here, outside the eyeball."""
    name = f"eyeBlink{eye.side}"
    if name not in head.expression_names:
        return
    number = head.expression_names.index(name)
    moving = np.flatnonzero(head.expression[number].any(1))
    closed = mean + head.expression[number]
    pairs = moving[cKDTree(closed[moving]).query_pairs(_TOUCH_M, output_type="ndarray")]
    first, second = pairs[:, 0], pairs[:, 1]
    opened = np.linalg.norm(mean[first] - mean[second], axis=1)
    gap = np.linalg.norm(closed[first] - closed[second], axis=1)
    pairs = pairs[opened > np.maximum(_APART_M, 3 * gap)]
    scale, R, t = similarity(mean[eye.vertices], person[eye.vertices])
    _meet(shapes[number], head, moving, pairs, person, scale * closed)

    center = scale * R @ eye.center + t
    model = np.linalg.norm(closed[moving] - eye.center, axis=1)
    front = (closed[moving] - eye.center)[:, 2] > 0.3 * eye.radius
    lid = front & (model < eye.radius + 0.004)
    touching, height = moving[lid], scale * model[lid]
    outward = person[touching] + shapes[number, touching] - center
    distance = np.linalg.norm(outward, axis=1)
    lift = np.maximum(height - distance, 0) / distance
    shapes[number, touching] += outward * lift[:, None]


def _close_lips(shapes: Doubles, head: HeadModel, mean: Doubles, person: Doubles) -> None:
    """Lips that touch in the neutral head touch under ``jawOpen`` and ``mouthClose`` together."""
    if not {"jawOpen", "mouthClose"} <= set(head.expression_names) or "lips" not in head.regions:
        return
    jaw, close = (head.expression_names.index(name) for name in ("jawOpen", "mouthClose"))
    lips = np.flatnonzero(head.regions["lips"] > 0.5)
    pairs = lips[cKDTree(mean[lips]).query_pairs(_TOUCH_M, output_type="ndarray")]
    parting = head.expression[jaw][pairs[:, 0]] - head.expression[jaw][pairs[:, 1]]
    pairs = pairs[np.linalg.norm(parting, axis=1) > 4 * _TOUCH_M]
    moving = np.flatnonzero(head.expression[close].any(1))
    together = person + shapes[jaw]
    _meet(shapes[close], head, moving, pairs, together, person)


def _meet(
    offsets: Doubles, head: HeadModel, moving: Ints, pairs: Ints, start: Doubles, goal: Doubles
) -> None:
    """Change ``offsets`` (V, 3) so that pairs lie to each other as in ``goal`` (V, 3).

    The change is smooth (its bi-Laplacian is small) and zero where the shape is.
    """
    if not len(pairs):
        return
    place = np.full(len(start), -1)
    place[moving] = np.arange(len(moving))
    pairs = pairs[(place[pairs] >= 0).all(1)]
    ring = adjacency(head.triangles, len(start))
    degree = np.maximum(np.asarray(ring.sum(1)).ravel(), 1)
    bend = (sparse.identity(len(start)) - sparse.diags(1 / degree) @ ring).tocsc()[:, moving]
    rows = np.repeat(np.arange(len(pairs)), 2)
    signs = np.tile([1.0, -1.0], len(pairs))
    apart = sparse.csr_matrix((signs, (rows, place[pairs].ravel())), (len(pairs), len(moving)))
    wanted = goal[pairs[:, 0]] - goal[pairs[:, 1]]
    now = start + offsets
    missing = wanted - (now[pairs[:, 0]] - now[pairs[:, 1]])
    system = bend.T @ bend + 10 * apart.T @ apart + 1e-4 * sparse.identity(len(moving))
    offsets[moving] += _solved(system, 10 * apart.T @ missing)
