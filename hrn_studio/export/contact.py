"""Surfaces that must not run through each other, put right with the least bending.

What is wrong with a deformed surface is said in rows: "these vertices, against those, must move at
least so far along this direction".  The correction is the one with the least bending energy (its
bi-Laplacian) that obeys the rows; its dual is a small quadratic programme with multipliers that may
only push, solved by projected Gauss-Seidel as contact problems are (Duriez et al. 2006, "Realistic
haptic rendering of interacting deformable objects", section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from hrn_studio.geometry.intersections import crossings
from hrn_studio.geometry.mesh import adjacency, area_vectors
from hrn_studio.geometry.raster import compiled
from hrn_studio.records import AnyFloats, Bools, Doubles, Ints

MARGIN_M = 0.00003
"""Surfaces that were pushed apart stay this far apart."""
_FARTHEST_M = 0.003
_SPREAD = 1 / 3**4
"""A push reaches about three rings of neighbours."""
_YIELD = 1e-4
_SWEEPS = 80
_NEAR_RINGS, _OPENINGS = 3, 16
_OPEN = 0.02
"""Share of its area that every triangle of an opened fold shows to where it faced at rest."""
_STEP_M = 0.0002
_THIN_M = 0.0005


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a correction has to do."""

    vertices: Ints
    """(K, C) which vertices take part in each row."""
    gradients: Doubles
    """(K, C, 3) what moving each of them adds to the row."""
    amounts: Doubles
    """(K,) how much is needed at least, metres."""

    def __len__(self) -> int:
        return len(self.amounts)

    def chosen(self, keep: Bools, amounts: Doubles) -> Rows:
        """Those to ``keep`` (K,), with other ``amounts``, one for each kept."""
        return Rows(self.vertices[keep], self.gradients[keep], amounts)


def stacked(parts: Sequence[Rows]) -> Rows:
    """All rows of several sets; narrower ones are filled with gradients of zero."""
    width = max(p.vertices.shape[1] for p in parts)
    vertices, gradients = [], []
    for part in parts:
        spare = (0, width - part.vertices.shape[1])
        vertices.append(np.pad(part.vertices, ((0, 0), spare)))
        gradients.append(np.pad(part.gradients, ((0, 0), spare, (0, 0))))
    return Rows(
        np.concatenate(vertices),
        np.concatenate(gradients),
        np.concatenate([p.amounts for p in parts]),
    )


class Patch:
    """Vertices that may be corrected; the rest of the surface holds them at its edge."""

    def __init__(self, triangles: Ints, count: int, free: Ints) -> None:
        """``free`` (N,) of ``count`` vertices may move."""
        self.free = free
        self._place = np.full(count, -1)
        self._place[free] = np.arange(len(free))
        ring = adjacency(triangles, count)
        degree = np.maximum(np.asarray(ring.sum(1)).ravel(), 1)
        bend = (sparse.identity(count) - sparse.diags(1 / degree) @ ring).tocsc()[:, free]
        system = (bend.T @ bend + _SPREAD * sparse.identity(len(free))).tocsc()
        self._factors = splu(
            system,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        self._known = np.zeros(len(free), bool)
        self._green = np.zeros((len(free), len(free)))

    def correction(self, rows: Rows) -> Doubles:
        """(N, 3) movement of the free vertices with the least bending that obeys the rows."""
        place = self._place[rows.vertices]
        gradients = np.where((place >= 0)[:, :, None], rows.gradients, 0)
        used = np.unique(place[place >= 0])
        if not len(used):
            return np.zeros((len(self.free), 3))
        green = self._columns(used)
        column = np.searchsorted(used, np.maximum(place, 0)).clip(0, len(used) - 1)
        spread = np.zeros((3, len(rows), len(used)))
        index = np.repeat(np.arange(len(rows)), place.shape[1])
        for axis in range(3):
            np.add.at(spread[axis], (index, column.ravel()), gradients[:, :, axis].ravel())
        near = green[used]
        matrix = sum(a @ near @ a.T for a in spread)
        stiff = np.diag(matrix).copy()
        able = stiff > 1e-9
        matrix[np.diag_indices(len(rows))] += _YIELD * float(stiff.mean()) + 1e-12
        force = np.zeros(len(rows))
        compiled(_gauss_seidel)(matrix, np.where(able, rows.amounts, 0.0), _SWEEPS, force)
        return np.asarray(green @ np.stack([a.T @ force for a in spread], 1))

    def _columns(self, used: Ints) -> Doubles:
        """(N, M) how all free vertices follow a push at some of them."""
        new = used[~self._known[used]]
        for start in range(0, len(new), 12):  # with more, BLAS starts threads for tiny products
            some = new[start : start + 12]
            right = np.zeros((len(self.free), len(some)))
            right[some, np.arange(len(some))] = 1
            self._green[:, some] = self._factors.solve(right)
        self._known[new] = True
        return self._green[:, used]


def _gauss_seidel(matrix: Any, wanted: Any, sweeps: int, force: Any) -> None:
    count = len(wanted)
    for _ in range(sweeps):
        for i in range(count):
            rest = wanted[i]
            for j in range(count):
                rest -= matrix[i, j] * force[j]
            force[i] = max(0.0, force[i] + rest / matrix[i, i])


@dataclass(frozen=True, slots=True, eq=False)
class Contacts:
    """Triangles that run through each other, and how to part them."""

    pairs: Ints
    """(P, 2) s and t, in ascending order."""
    depth: Doubles
    """(P,) metres, the shortest way out."""
    rows: Rows
    """To part them on the side both face; no more than a little further than ``depth``."""


def contacts(
    vertices: Doubles, triangles: Ints, moving: Bools, rest: Doubles | None = None
) -> Contacts:
    """Crossings of a surface whose triangles face outwards: s goes to where t faces, and back.

    Parameters
    ----------
    vertices, triangles
        (V, 3) metres, (T, 3).
    moving
        (T,) those that may give way; crossings of the others do not matter.
    rest
        (V, 3) the neutral head, where two triangles that have each other in their backs in it, as
        the two sides of a lip, shall go on having that.
    """
    pairs, depth = crossings(vertices, triangles, moving)
    s, t = vertices[triangles[pairs[:, 0]]], vertices[triangles[pairs[:, 1]]]
    side = np.ones(len(pairs))
    if rest is not None:
        side[_in_the_back(rest[triangles[pairs[:, 0]]], rest[triangles[pairs[:, 1]]])] = -1
    directions, amounts = _parted(s, t, side)
    above = np.einsum("pkc,pc->pk", s, directions)
    below = np.einsum("pkc,pc->pk", t, directions)
    reach = 0.02 * amounts[:, None] + 1e-9
    lowest = np.asarray(above <= above.min(1, keepdims=True) + reach, np.float64)
    highest = np.asarray(below >= below.max(1, keepdims=True) - reach, np.float64)
    weights = np.concatenate(
        [lowest / lowest.sum(1, keepdims=True), -highest / highest.sum(1, keepdims=True)], 1
    )
    rows = Rows(
        triangles[pairs].reshape(-1, 6),
        weights[:, :, None] * directions[:, None],
        np.minimum(amounts, 1.5 * depth + _STEP_M),
    )
    return Contacts(pairs, depth, rows)


def _in_the_back(s: Doubles, t: Doubles) -> Bools:
    """(P,) each lies behind the other."""
    n_s, n_t = (_unit(np.cross(x[:, 1] - x[:, 0], x[:, 2] - x[:, 0])) for x in (s, t))
    across = s.mean(1) - t.mean(1)
    behind = (np.einsum("pc,pc->p", n_t, across) < -_THIN_M) & (
        np.einsum("pc,pc->p", n_s, across) > _THIN_M
    )
    return np.asarray(behind)


def _parted(s: Doubles, t: Doubles, side: Doubles) -> tuple[Doubles, Doubles]:
    """Direction (P, 3) and distance (P,) for s (P, 3, 3) to leave t.

    ``side`` (P,) is 1 where both shall lie in front of each other, -1 behind.
    """
    edges = [np.roll(x, -1, 1) - x for x in (s, t)]
    front = [side[:, None] * _unit(np.cross(e[:, 0], e[:, 1])) for e in edges]
    cross = _unit(np.cross(edges[0][:, :, None], edges[1][:, None]).reshape(len(s), 9, 3))
    facing = front[1] - front[0]
    turn = np.where(np.einsum("pac,pc->pa", cross, facing) < 0, -1.0, 1.0)
    axes = np.concatenate([front[1][:, None], -front[0][:, None], cross * turn[:, :, None]], 1)
    above = np.einsum("pac,pkc->pak", axes, s).min(2)
    below = np.einsum("pac,pkc->pak", axes, t).max(2)
    amounts = below - above
    amounts[(np.einsum("pac,pac->pa", axes, axes) < 0.5) | (amounts <= 0)] = np.inf
    best = amounts.argmin(1)
    chosen = np.arange(len(s))
    return axes[chosen, best], np.minimum(amounts[chosen, best], _FARTHEST_M)


def folds(vertices: Doubles, rest: Doubles, triangles: Ints, least: float) -> Rows:
    """Triangles that show less than ``least`` of their area at rest to where they faced then.

    What shows is ``n . ((b - a) x (c - a)) / 2``, n the normal at rest: negative when flipped.
    """
    before = np.asarray(area_vectors(rest, triangles), np.float64)
    size = np.linalg.norm(before, axis=1)
    n = before / np.maximum(size, 1e-18)[:, None]
    now = np.einsum("ti,ti->t", np.asarray(area_vectors(vertices, triangles), np.float64), n)
    bad = now < least * size
    corner = vertices[triangles[bad]]
    opposite = corner[:, [2, 0, 1]] - corner[:, [1, 2, 0]]
    gradients = np.cross(n[bad][:, None], opposite)
    length = np.sqrt((gradients**2).sum((1, 2)))
    length = np.maximum(length, np.sqrt(size[bad]))  # needles would be asked for long ways
    missing = (1.5 * least * size - now)[bad] / length
    return Rows(triangles[bad], gradients / length[:, None, None], np.minimum(missing, _FARTHEST_M))


def unfolded(
    rest: AnyFloats, offsets: AnyFloats, triangles: Ints, held: Bools | None = None
) -> Doubles:
    """Movements (V, 3) of a surface with its folds opened; nothing else moves.

    Parameters
    ----------
    rest
        (V, 3) metres.
    held
        (V,) vertices that are let go only where folds do not open without them.
    """
    start, current = np.asarray(rest, np.float64), np.array(offsets, np.float64)
    movable = current.any(1)
    for free in (movable if held is None else movable & ~held, movable):
        if _open(start, current, triangles, free):
            break
    return current


def _open(start: Doubles, current: Doubles, triangles: Ints, movable: Bools) -> bool:
    """Open the folds of ``start + current``, in place; whether none is left."""
    rows = folds(start + current, start, triangles, _OPEN)
    if not len(rows):
        return True
    near = np.zeros(len(start), bool)
    near[rows.vertices] = True
    for _ in range(_NEAR_RINGS):
        near[triangles[near[triangles].any(1)]] = True
    numbers, corners = np.unique(triangles[near[triangles].any(1)], return_inverse=True)
    local = np.asarray(corners.reshape(-1, 3), np.int32)
    free = np.flatnonzero((near & movable)[numbers]).astype(np.int32)
    if not len(free):
        return False
    patch, place = Patch(local, len(numbers), free), start[numbers]
    for _ in range(_OPENINGS):
        rows = folds(place + current[numbers], place, local, _OPEN)
        if not len(rows):
            return True
        current[numbers[free]] += patch.correction(rows)
    return False


def _unit(vectors: Doubles) -> Doubles:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.where(length > 1e-14, vectors / np.maximum(length, 1e-14), 0))
