"""The neutral head, with the inside of its mouth put right.

A fit sees lips and face; what lies behind the lips it only carries along, and the lining of the
mouth then runs through itself, the teeth or the lips by up to a millimetre.  Here it is moved out
of the way, by as little bending as it takes (:mod:`.contact`).  Nothing that is seen moves.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.export.contact import MARGIN_M, Patch, contacts, folds, stacked
from hrn_studio.export.settling import places
from hrn_studio.face.model import HeadModel
from hrn_studio.records import AnyFloats, Doubles

_ROUNDS = 24
_BOLD, _CAREFUL = 4, 0.6
"""After so many rounds only this share of each correction is made."""
_ENOUGH_M = 0.00002
_FLATTEST = 0.03
"""Share of its area that a triangle goes on showing to where it faced."""


def untangled(head: HeadModel, neutral: AnyFloats) -> Doubles:
    """A person's neutral head (V, 3), metres, whose mouth does not run through itself.

    Only vertices of the region ``inner_mouth`` move; the same head where that is not known.
    """
    start = np.asarray(neutral, np.float64)
    place = places(head).get("mouth")
    if place is None or "inner_mouth" not in head.regions:
        return start
    free = place.free & (head.regions["inner_mouth"] > 0.5)
    triangles = head.triangles[place.triangles]
    moved = head.triangles[free[head.triangles].any(1)]
    rest = head.mean.astype(np.float64)
    patch: Patch | None = None
    current = best = start
    least = np.inf
    for number in range(_ROUNDS):
        found = contacts(current, triangles, place.soft, rest)
        folded = folds(current, start, moved, _FLATTEST)
        crossing = found.depth > _ENOUGH_M
        wrong = float(found.depth[crossing].sum() + folded.amounts.sum())
        if wrong < least:
            best, least = current, wrong
        if not crossing.any() and not len(folded):
            break
        apart = found.rows.chosen(crossing, found.rows.amounts[crossing] + MARGIN_M)
        patch = patch or Patch(head.triangles, len(start), np.flatnonzero(free).astype(np.int32))
        current = current.copy()
        share = 1.0 if number < _BOLD else _CAREFUL
        current[patch.free] += share * patch.correction(stacked([apart, folded]))
    return best
