"""Shapes that are worn together: their sum folds nothing either.

A scowl lowers both brows and wrinkles the nose; each of the four shapes is sound, but all push the
skin between the brows into the same furrow.  What opens the furrow (:mod:`.contact`) is taken from
each shape by as much as it moves there, so that what a shape keeps still stays still.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.export.contact import Patch, folds
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import adjacency
from hrn_studio.records import Doubles

_WORN_TOGETHER = (("browDownLeft", "browDownRight", "noseSneerLeft", "noseSneerRight"),)
_LEAST = 0.15
"""Share of its area that every triangle shows to where it faced in the neutral head."""
_ROUNDS = 12
_STILL_M = 1e-5


def reconcile(head: HeadModel, person: Doubles, shapes: Doubles) -> None:
    """Change shapes (E, V, 3) of a neutral head (V, 3), metres, in place."""
    names = head.expression_names
    for group in _WORN_TOGETHER:
        if set(group) <= set(names):
            _reconcile(head, person, shapes, [names.index(name) for name in group])


def _reconcile(head: HeadModel, person: Doubles, shapes: Doubles, group: list[int]) -> None:
    moves = np.linalg.norm(shapes[group], axis=2)
    all_move = (moves > _STILL_M).all(0)  # the furrow, not the lids
    triangles = head.triangles[all_move[head.triangles].all(1)]
    if not len(triangles):
        return
    free = all_move & ((adjacency(triangles, len(person)) @ np.ones(len(person))) > 0)
    total = moves.sum(0)
    share = moves / np.maximum(total, _STILL_M)
    patch = Patch(head.triangles, len(person), np.flatnonzero(free).astype(np.int32))
    for _ in range(_ROUNDS):
        rows = folds(person + shapes[group].sum(0), person, triangles, _LEAST)
        if not len(rows):
            return
        change = patch.correction(rows)
        for row, number in zip(share, group, strict=True):
            shapes[number, patch.free] += row[patch.free, None] * change
