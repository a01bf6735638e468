"""Flatten a piece of surface without a single flipped triangle.

Minimises the symmetric Dirichlet energy of Smith and Schaefer (2015, "Bijective
parameterization with free boundaries") by Newton's method with each triangle's Hessian projected
to be positive semi-definite, from an embedding by Tutte's theorem (or any injective start).  The
energy grows without bound where a triangle collapses, and a step never goes as far as that, so
the map stays locally injective.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

Array = NDArray[Any]


@dataclass(frozen=True)
class Box:
    """Where points should stay: a soft wall with the given stiffness."""

    low: tuple[float, float]
    high: tuple[float, float]
    stiffness: float = 50.0


def frames(points: Array, triangles: Array, scale: Array) -> tuple[Array, Array]:
    """Flat shapes wanted for the triangles: (T, 2, 3) maps from corners to gradients; areas (T,).

    ``scale`` (T,) is the wanted length of the flat triangle over the length in space.
    """
    a, b, c = (points[triangles[:, k]] for k in range(3))
    e1, e2 = b - a, c - a
    length = np.linalg.norm(e1, axis=1)
    x = e1 / length[:, None]
    x2 = np.einsum("ij,ij->i", e2, x)
    y2 = np.linalg.norm(e2 - x2[:, None] * x, axis=1)
    length, x2, y2 = length * scale, x2 * scale, y2 * scale
    area = 0.5 * length * y2
    gradient = np.zeros((len(triangles), 2, 3))
    gradient[:, 0, 0], gradient[:, 0, 1] = -1 / length, 1 / length
    gradient[:, 1, 0] = (x2 / length - 1) / y2
    gradient[:, 1, 1] = -x2 / length / y2
    gradient[:, 1, 2] = 1 / y2
    return gradient, area


def tutte(triangles: Array, count: int, fixed: Array, places: Array) -> Array:
    """Embed a disc (count, 2): ``fixed`` vertices at ``places``, others amid their neighbours."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs = np.unique(np.sort(pairs, 1), axis=0)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    near = sparse.csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), (count, count))
    lap = (sparse.diags(np.asarray(near.sum(1)).ravel()) - near).tocsc()
    free = np.setdiff1d(np.unique(triangles), fixed)
    result = np.zeros((count, 2))
    result[fixed] = places
    right = -lap[free][:, fixed] @ places
    result[free] = splu(lap[free][:, free].tocsc()).solve(right)
    return result


def _energy(jacobian: Array, weights: Array) -> Array:
    f = (jacobian**2).sum((1, 2))
    d = jacobian[:, 0, 0] * jacobian[:, 1, 1] - jacobian[:, 0, 1] * jacobian[:, 1, 0]
    return np.where(d > 0, weights * f * (1 + 1 / np.maximum(d, 1e-150) ** 2), np.inf)


def _wall(x: Array, box: Box | None) -> tuple[float, Array, Array]:
    if box is None:
        return 0.0, np.zeros_like(x), np.zeros_like(x)
    over = np.maximum(x - box.high, 0) - np.maximum(np.asarray(box.low) - x, 0)
    k = box.stiffness
    return float(k * (over**2).sum()), 2 * k * over, 2 * k * (over != 0)


def _derivatives(jacobian: Array, weights: Array) -> tuple[Array, Array]:
    """Gradient (T, 4) and projected Hessian (T, 4, 4) over the Jacobian's entries, row by row."""
    j = jacobian.reshape(-1, 4)
    d = j[:, 0] * j[:, 3] - j[:, 1] * j[:, 2]
    c = np.stack([j[:, 3], -j[:, 2], -j[:, 1], j[:, 0]], 1)
    f = (j**2).sum(1)
    g = 1 + d**-2
    gradient = 2 * g[:, None] * j - (2 * f * d**-3)[:, None] * c
    cross = np.einsum("ti,tj->tij", j, c)
    twist = np.array([[0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0.0]])
    hessian = (
        2 * g[:, None, None] * np.eye(4)
        - (4 * d**-3)[:, None, None] * (cross + cross.transpose(0, 2, 1))
        + (6 * f * d**-4)[:, None, None] * np.einsum("ti,tj->tij", c, c)
        - (2 * f * d**-3)[:, None, None] * twist
    )
    values, vectors = np.linalg.eigh(hessian)
    hessian = (vectors * np.maximum(values, 1e-9)[:, None]) @ vectors.transpose(0, 2, 1)
    return weights[:, None] * gradient, weights[:, None, None] * hessian


def _longest_step(x: Array, step: Array, triangles: Array) -> float:
    """The step length at which the first triangle collapses."""
    p, q = x[triangles], step[triangles]
    u, v = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    du, dv = q[:, 1] - q[:, 0], q[:, 2] - q[:, 0]

    def cross(a: Array, b: Array) -> Array:
        return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])

    a, b, c = cross(du, dv), cross(u, dv) + cross(du, v), cross(u, v)
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        q0 = -0.5 * (b + np.where(b < 0, -root, root))
        roots = np.stack([q0 / a, c / q0])
    real = (b * b - 4 * a * c >= 0) & np.isfinite(roots) & (roots > 0)
    return float(np.where(real, roots, np.inf).min())


def relax(
    start: Array,
    triangles: Array,
    gradient: Array,
    weights: Array,
    on_axis: Array | None = None,
    box: Box | None = None,
    iterations: int = 80,
) -> Array:
    """Minimise the energy from ``start`` (V, 2), which must have no flipped triangle.

    ``on_axis`` (V,) marks vertices that keep their u.  ``gradient`` and ``weights`` are those of
    :func:`frames`; the weights are scaled to a sum of one here.
    """
    x = start.copy()
    weights = weights / weights.sum()
    count = len(x)
    free = np.ones((count, 2), bool)
    if on_axis is not None:
        free[on_axis, 0] = False
    used = np.zeros(count, bool)
    used[triangles] = True
    free[~used] = False
    index = np.flatnonzero(free.ravel())
    # Corner (3) x axis (2) of each triangle as unknowns; entry (r, a) of J is gradient r of axis a.
    unknown = (2 * triangles[:, :, None] + np.arange(2)).reshape(-1, 6)
    spread = np.zeros((len(triangles), 4, 6))
    for r in range(2):
        for a in range(2):
            spread[:, 2 * r + a, a::2] = gradient[:, r]
    rows, columns = np.repeat(unknown, 6, axis=1).ravel(), np.tile(unknown, (1, 6)).ravel()

    def total(at: Array) -> float:
        return float(_energy(gradient @ at[triangles], weights).sum()) + _wall(at, box)[0]

    value = total(x)
    for _ in range(iterations):
        g4, h4 = _derivatives(gradient @ x[triangles], weights)
        _, wall_g, wall_h = _wall(x, box)
        slope = (
            np.bincount(unknown.ravel(), (g4[:, None] @ spread)[:, 0].ravel(), 2 * count)
            + wall_g.ravel()
        )
        blocks = spread.transpose(0, 2, 1) @ h4 @ spread
        hessian = sparse.csc_matrix((blocks.ravel(), (rows, columns)), (2 * count, 2 * count))
        hessian = hessian + sparse.diags(wall_h.ravel() + 1e-9)
        step = np.zeros(2 * count)
        step[index] = -splu(hessian[index][:, index].tocsc()).solve(slope[index])
        step = step.reshape(-1, 2)
        length = min(1.0, 0.9 * _longest_step(x, step, triangles))
        down = float(slope @ step.ravel())
        while length > 1e-9 and total(x + length * step) > value + 1e-4 * length * down:
            length *= 0.6
        x = x + length * step
        new = total(x)
        if value - new < 1e-7 * value:
            break
        value = new
    return x
