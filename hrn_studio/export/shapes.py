"""The head model's expressions, carried over to one person.

Skin follows deformation transfer (:mod:`.deformation`); stiff parts (eyeballs, teeth, tongue) take
one rotation and scale.  Then what touches must touch: the lids go as far as this person's eyes are
open (:mod:`.lids`), lips that ``mouthClose`` keeps together under ``jawOpen`` stay together.  Last,
nothing may run through itself or fold (:mod:`.settling`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from hrn_studio.export.company import reconcile
from hrn_studio.export.contact import Rows
from hrn_studio.export.deformation import solved, transferred
from hrn_studio.export.lids import Lids
from hrn_studio.export.settling import Pose, Settler, Wish, places
from hrn_studio.face.gaze import gaze_rotation, look_angles
from hrn_studio.face.model import Eye, HeadModel
from hrn_studio.geometry.mesh import adjacency
from hrn_studio.geometry.transforms import similarity
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints

_TOUCH_M = 0.0015
"""Vertices of two lips that come this close are meant to meet."""
_SLIP_M = 0.0002
"""Lips that are kept together may slip so far."""
_STILL_M = 1e-6
"""Movements below a micrometre are none."""
_STRONGER = {"cheekPuff": 1.4}
"""Shapes that are more faint in the head model than what other programs know by their name."""
_LIP_STAYS = 0.4
"""Share of ``mouthUpperUp`` in ``jawOpen``: the model's upper lip goes down with the jaw by 3 mm
and hides the teeth; people's hardly does."""
_RAISING = ("mouthUpperUpLeft", "mouthUpperUpRight")
_PARTED = (0.8, 1.1, 1.4, 1.7)
"""How far the lips open for a tongue that comes out, as a share of their own shapes."""
_PARTING = ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight")


def personal_shapes(head: HeadModel, neutral: AnyFloats) -> Floats:
    """What each expression at weight 1 adds to a person's neutral head.

    Parameters
    ----------
    neutral
        (V, 3) metres, head frame, all parts of the model.

    Returns
    -------
    (E, V, 3) metres, exactly zero where nothing moves.  The eyeLook shapes turn the eyeballs;
    ``eyeBlink`` at 1 just shuts the eye; ``mouthClose`` at 1 shuts a mouth that ``jawOpen`` at 1
    opens; ``tongueOut`` parts the lips.
    """
    return settled_shapes(head, neutral, carried_shapes(head, neutral))


def carried_shapes(head: HeadModel, neutral: AnyFloats) -> Doubles:
    """The shapes (E, V, 3) as deformation transfer gives them, with the lips of ``mouthClose`` met.

    ``neutral`` is (V, 3), metres.
    """
    mean = head.mean.astype(np.float64)
    person = np.asarray(neutral, np.float64)
    shapes = np.zeros((head.expression_count, head.vertex_count, 3))
    skin = head.part_vertices("skin")
    number = np.zeros(head.vertex_count, np.int32)
    number[skin] = np.arange(len(skin))
    triangles = number[head.triangles[head.part_triangles("skin")]]
    moving = head.expression[:, skin].any(2)
    moved = transferred(head.expression[:, skin], triangles, mean[skin], person[skin])
    shapes[:, skin] = np.where(moving[:, :, None], moved, 0)
    for part in head.part_names[1:]:
        rigid = head.part_vertices(part)
        scale, R, _ = similarity(mean[rigid], person[rigid])
        shapes[:, rigid] = scale * head.expression[:, rigid] @ R.T
    _adjust(shapes, head.expression_names)
    for eye in head.eyes:
        _turn(shapes, head, eye, mean, person)
    return shapes


def _adjust(shapes: Doubles, names: Sequence[str]) -> None:
    """Give shapes (E, V, 3) the reach that other programs' have."""
    for name, gain in _STRONGER.items():
        if name in names:
            shapes[names.index(name)] *= gain
    if {"jawOpen", *_RAISING} <= set(names):
        raised = sum(shapes[names.index(name)] for name in _RAISING)
        shapes[names.index("jawOpen")] += _LIP_STAYS * raised


def settled_shapes(head: HeadModel, neutral: AnyFloats, shapes: AnyFloats) -> Floats:
    """Shapes (E, V, 3) of a person's ``neutral`` (V, 3), put right where surfaces meet."""
    person = np.asarray(neutral, np.float64)
    result = np.array(shapes, np.float64)
    names = head.expression_names
    settlers = {name: Settler(head, place, person) for name, place in places(head).items()}
    lids = {eye.side: Lids(head, eye, person) for eye in head.eyes if eye.side in settlers}
    for name in sorted(names, key=_turn_of):
        offsets = result[names.index(name)]
        poses, wishes = [Pose(person, name != "mouthClose")], list[Wish]()
        if name == "mouthClose" and "jawOpen" in names:
            jaw = result[names.index("jawOpen")]
            touching = _touching_lips(head)
            _close_lips(offsets, head, touching, jaw, person)
            poses.append(Pose(person + jaw, True))
            wishes.append(partial(_together, touching, person))
        if name == "tongueOut":
            parting = sum(result[names.index(n)] for n in _PARTING if n in names)
            offsets += _parted(offsets, parting, settlers.get("mouth"), poses) * parting
        for where, settler in settlers.items():
            if where == ("mouth" if name == "mouthClose" else "chin"):
                continue
            asked = [] if where in lids else wishes
            if where in lids:
                asked = [lids[where].lifting]
                if name == f"eyeBlink{where}":
                    offsets *= lids[where].shares(person, offsets)[:, None]
                    asked.append(lids[where].meeting)
            wider = settlers["chin"] if where == "mouth" else None
            offsets[:] = settler.settled(offsets, poses, asked, wider)
    reconcile(head, person, result)
    result[np.linalg.norm(result, axis=2) < _STILL_M] = 0
    return result.astype(np.float32)


def _parted(offsets: Doubles, parting: Doubles, mouth: Settler | None, poses: list[Pose]) -> float:
    """How much of ``parting`` (V, 3) lets ``offsets`` (V, 3) through best."""
    if mouth is None:
        return _PARTED[0]
    wrong = [mouth.wrong(offsets + share * parting, poses).total for share in _PARTED]
    return _PARTED[int(np.argmin(wrong))]


def _turn_of(name: str) -> tuple[int, str]:
    """For sorting: what builds on other shapes comes after them."""
    return {"mouthClose": 1, "tongueOut": 2}.get(name, 0), name


def _turn(shapes: Doubles, head: HeadModel, eye: Eye, mean: Doubles, person: Doubles) -> None:
    scale, R, t = similarity(mean[eye.vertices], person[eye.vertices])
    ball = person[eye.vertices] - (scale * R @ eye.center + t)
    for offsets, name in zip(shapes, head.expression_names, strict=True):
        yaw, pitch = look_angles(name, eye.side)
        if yaw or pitch:
            offsets[eye.vertices] += ball @ gaze_rotation(yaw, pitch).T - ball


def _touching_lips(head: HeadModel) -> Ints:
    """(P, 2) vertices of the two lips that touch in the mean head."""
    if "lips" not in head.regions:
        return np.zeros((0, 2), np.int32)
    lips = np.flatnonzero(head.regions["lips"] > 0.5)
    pairs = lips[cKDTree(head.mean[lips]).query_pairs(_TOUCH_M, output_type="ndarray")]
    jaw = head.expression[head.expression_names.index("jawOpen")]
    parting = np.linalg.norm(jaw[pairs[:, 0]] - jaw[pairs[:, 1]], axis=1)
    return np.asarray(pairs[parting > 4 * _TOUCH_M], np.int32)


def _together(pairs: Ints, person: Doubles, vertices: Doubles) -> Rows:
    """What brings pairs back to how they lie to each other in ``person`` (V, 3)."""
    apart = [x[pairs[:, 0]] - x[pairs[:, 1]] for x in (vertices, person)]
    missing = apart[1] - apart[0]
    length = np.linalg.norm(missing, axis=1)
    far = length > _SLIP_M
    directions = missing[far] / length[far, None]
    return Rows(pairs[far], np.stack([directions, -directions], 1), length[far] - 0.5 * _SLIP_M)


def _close_lips(
    offsets: Doubles, head: HeadModel, pairs: Ints, jaw: Doubles, person: Doubles
) -> None:
    """Lips that touch in the neutral head touch under ``jaw`` (V, 3) and ``offsets`` together."""
    moving = np.flatnonzero(offsets.any(1))
    _meet(offsets, head, moving, pairs, person + jaw, person)


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
    offsets[moving] += solved(system, 10 * apart.T @ missing)
