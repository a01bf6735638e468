"""What holds for a person's shapes at full weight: nothing runs through itself, nothing folds.

Lips keep off teeth and tongue and off each other, lids off each other and off the eyeball, and no
triangle turns over.  What is so in the neutral head already is left as it is.  A shape is put
right in rounds of :mod:`.contact`; the best of them is kept, so that it never gets worse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hrn_studio.export.contact import MARGIN_M, Patch, Rows, contacts, folds, stacked
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.intersections import crossings
from hrn_studio.geometry.mesh import adjacency
from hrn_studio.records import Bools, Doubles, Ints

Longs: TypeAlias = NDArray[np.int64]
Wish: TypeAlias = Callable[[Doubles], Rows]
"""Rows for vertices (V, 3)."""

_ROUNDS, _MEETING_ROUNDS = 16, 40
"""The second for shapes whose surfaces have to meet."""
_SMALLER = (0.85, 0.7, 0.55)
_BAD_M, _WORTH = 0.00015, 0.5
"""With a crossing deeper than this a shape is tried smaller, and stays so where that leaves less
than this share of it."""
_BOLD = 4
"""After so many rounds only :data:`_CAREFUL` of each correction is made."""
_CAREFUL, _MEETING_CAREFUL = 0.6, 0.4
_GAIN, _PATIENCE = 0.02, 0.3
"""It is given up when nothing was better by this share for so large a part of the rounds."""
_RINGS = 4
_CHIN_RINGS = 9
_ENOUGH_M = 0.00005
"""Crossings this much deeper than in the neutral head are put right."""
_STILL_M = 0.00003
_FOLD_M = 0.0005
"""A fold counts as much as surfaces that run so far through each other."""
_LEAST = 0.03
"""Share of its area that every triangle shows to where it faced in the neutral head."""
_OPEN = 0.005
"""The same where nothing else may prevent it."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A part of the head where surfaces meet."""

    triangles: Ints
    """(T,) of the head: those that may run through each other."""
    soft: Bools
    """(T,) these are skin."""
    core: Bools
    """(V,) a shape that moves none of these is left alone."""
    free: Bools
    """(V,) skin that may be corrected."""
    thin: bool
    """What is stretched here so far that its two sides may come through each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """A state the shape has to be right in."""

    start: Doubles
    """(V, 3) to which the shape is added."""
    contact: bool
    """Surfaces must not run through each other here; else only folds count."""


@dataclass(frozen=True, slots=True, eq=False)
class Wrong:
    """What is wrong with a shape."""

    rows: Rows
    """To put it right."""
    total: float
    """How much that is together, metres."""
    deepest: float
    """The deepest crossing, metres; :data:`_FOLD_M` or more where a triangle is folded."""


def places(head: HeadModel) -> Mapping[str, Place]:
    """``mouth``, ``chin`` (the mouth with more around it) and the two eyes, ``Left`` and ``Right``,
    as far as the head names the regions."""
    found = {}
    inside = [name for name in ("lips", "inner_mouth") if name in head.regions]
    if "lips" in inside:
        hard = [p for p in head.part_names if p == "tongue" or p.startswith("teeth")]
        found["mouth"] = _place(head, inside, hard, _RINGS)
        found["chin"] = _place(head, inside, hard, _CHIN_RINGS)
    for eye in head.eyes:
        side = eye.side.lower()
        lids = [n for n in (f"lid_upper_{side}", f"lid_lower_{side}") if n in head.regions]
        if lids:
            found[eye.side] = _place(head, lids, [], _RINGS)
    return found


def _place(head: HeadModel, regions: list[str], hard: list[str], rings: int) -> Place:
    skin = np.zeros(head.vertex_count, bool)
    skin[head.part_vertices("skin")] = True
    core = np.max([head.regions[name] for name in regions], axis=0) > 0.5
    core &= skin
    ring = adjacency(head.triangles, head.vertex_count)
    free = core
    for _ in range(rings):
        free = free | ((ring @ free) > 0)
    chosen = free[head.triangles].all(1)
    hard_triangles = head.part_triangles(*hard)
    chosen[hard_triangles] = True
    soft = np.ones(len(head.triangles), bool)
    soft[hard_triangles] = False
    triangles = np.flatnonzero(chosen).astype(np.int32)
    return Place(triangles, soft[triangles], core, free & skin, rings == _CHIN_RINGS)


class Settler:
    """Puts shapes of one person right at one place."""

    def __init__(self, head: HeadModel, place: Place, neutral: Doubles) -> None:
        self.head = head
        self.place = place
        self.neutral = neutral
        self.triangles = head.triangles[place.triangles]
        self.moved = head.triangles[place.free[head.triangles].any(1)]
        self._stiff = np.zeros(head.vertex_count, bool)
        for eye in head.eyes:
            self._stiff[eye.vertices] = True  # they turn as far as they turn
        found = crossings(neutral, self.triangles, place.soft)
        self._before = self._keys(found[0]), found[1]

    def _keys(self, pairs: Ints) -> Longs:
        """(P,) one ascending number for each pair."""
        return pairs[:, 0].astype(np.int64) * len(self.triangles) + pairs[:, 1]

    def settled(
        self,
        offsets: Doubles,
        poses: Sequence[Pose],
        more: Sequence[Wish] = (),
        wider: Settler | None = None,
    ) -> Doubles:
        """A shape (V, 3) put right; ``more`` are asked for rows of the head in the last pose.

        One that cannot be put right here is tried with ``wider``, with more of the skin around.
        One that cannot be put right at its full size at all, and that need not meet anything, gets
        smaller.
        """
        if np.abs(offsets[self.place.core]).max(initial=0) < _STILL_M:
            return offsets
        best, left = self._tried(offsets, poses, more)
        if len(poses) > 1 or len(more) > 1:
            return self._unfolded(best, poses)
        last = self
        if left.deepest > _BAD_M and wider is not None:
            last = wider
            best, left = wider._tried(best, poses, more)
        for share in _SMALLER:
            if left.deepest < _BAD_M:
                break
            smaller = np.where(self._stiff[:, None], 1, share) * offsets
            other, wrong = last._tried(self._tried(smaller, poses, more)[0], poses, more)
            if wrong.deepest < _WORTH * left.deepest:
                best, left = other, wrong
        return last._unfolded(best, poses)

    def _unfolded(self, offsets: Doubles, poses: Sequence[Pose]) -> Doubles:
        """A shape (V, 3) in which triangles that are still folded were opened, come what may."""
        free = np.flatnonzero(offsets.any(1) & self.place.free).astype(np.int32)
        current, patch = offsets, None
        for _ in range(_ROUNDS):
            rows = stacked(
                [folds(p.start + current, self.neutral, self.moved, _OPEN) for p in poses]
            )
            if not len(rows):
                break
            patch = patch or Patch(self.head.triangles, len(offsets), free)
            current = current.copy()
            current[free] += patch.correction(rows)
        return current

    def _tried(
        self, offsets: Doubles, poses: Sequence[Pose], more: Sequence[Wish]
    ) -> tuple[Doubles, Wrong]:
        """The best of some rounds, and what is still wrong with it."""
        moving = offsets.any(1) & self.place.free
        patch = None
        current = best = offsets
        least = self.wrong(offsets, poses, more)
        now, goal, better = least, least.total, 0
        meets = len(more) > 1
        rounds = _MEETING_ROUNDS if meets else _ROUNDS
        careful = _MEETING_CAREFUL if meets else _CAREFUL
        for number in range(rounds):
            if not len(now.rows) or number - max(better, _BOLD) > _PATIENCE * rounds:
                break
            patch = patch or Patch(
                self.head.triangles, len(offsets), np.flatnonzero(moving).astype(np.int32)
            )
            current = current.copy()
            current[patch.free] += (careful if number > _BOLD else 1) * patch.correction(now.rows)
            now = self.wrong(current, poses, more)
            if now.total < (1 - _GAIN) * goal:
                goal, better = now.total, number
            if now.total < least.total:
                best, least = current, now
        return best, least

    def wrong(self, offsets: Doubles, poses: Sequence[Pose], more: Sequence[Wish] = ()) -> Wrong:
        """What is wrong with a shape (V, 3)."""
        parts, total, deepest = [], 0.0, 0.0
        for pose in poses:
            vertices = pose.start + offsets
            folded = folds(vertices, self.neutral, self.moved, _LEAST)
            parts.append(folded)
            total += float(folded.amounts.sum()) + _FOLD_M * len(folded)
            deepest = max(deepest, _FOLD_M * bool(len(folded)))
            if pose.contact:
                crossing, depth = self._crossing(vertices)
                parts.append(crossing)
                total += float(crossing.amounts.sum())
                deepest = max(deepest, float(depth.max(initial=0)))
        for wish in more:
            parts.append(wish(poses[-1].start + offsets))
            total += float(parts[-1].amounts.sum())
        return Wrong(stacked(parts), total, deepest)

    def _crossing(self, vertices: Doubles) -> tuple[Rows, Doubles]:
        rest = self.neutral if self.place.thin else None
        found = contacts(vertices, self.triangles, self.place.soft, rest)
        keys, depths = self._before
        wanted = self._keys(found.pairs)
        at = np.searchsorted(keys, wanted).clip(0, max(len(keys) - 1, 0))
        before = np.where(keys[at] == wanted, depths[at], 0.0) if len(keys) else np.zeros(len(at))
        keep = found.depth > before + _ENOUGH_M
        rows = found.rows.chosen(keep, (found.rows.amounts - before + MARGIN_M)[keep])
        return rows, (found.depth - before)[keep]
