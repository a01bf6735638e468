"""Identity basis: principal components of many sampled heads, rigid motion removed.

Every sample counts together with its mirror image, so the mean is exactly symmetric and each
component is exactly symmetric or exactly antisymmetric.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def fit_rigid(points: Array, target: Array, weights: Array) -> tuple[Array, Array]:
    """Rotations (n, 3, 3) and shifts (n, 3): ``points @ R.T + t`` is nearest ``target``."""
    w = weights / weights.sum()
    a = np.einsum("v,nvi->ni", w, points)
    b = w @ target
    cross = np.einsum("v,nvi,vj->nji", w, points - a[:, None], target - b)
    u, _, vt = np.linalg.svd(cross)
    flip = np.ones((len(points), 3))
    flip[:, 2] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * flip[:, None]) @ vt
    return rotation, b - np.einsum("nij,nj->ni", rotation, a)


def move(points: Array, rotation: Array, shift: Array) -> Array:
    """Apply one rigid motion per head, (n, V, 3)."""
    return np.asarray(points @ rotation.transpose(0, 2, 1) + shift[:, None])


def mirrored(points: Array, mirror: Array) -> Array:
    """The heads' mirror images, in the order of the original's vertices."""
    return np.asarray(points[..., mirror, :] * [-1, 1, 1])


def symmetric(offsets: Array, mirror: Array) -> Array:
    """Heads or components (..., V, 3), each made exactly symmetric or antisymmetric."""
    image = mirrored(offsets, mirror)
    even, odd = 0.5 * (offsets + image), 0.5 * (offsets - image)
    is_even = (even**2).sum((-2, -1)) >= (odd**2).sum((-2, -1))
    return np.where(is_even[..., None, None], even, odd)


def align(heads: Array, mirror: Array, weights: Array) -> tuple[Array, Array]:
    """Rigid motions (n, 3, 3), (n, 3) that bring each head onto the symmetric mean."""
    target = heads.mean(0)
    for _ in range(5):
        target = 0.5 * (target + mirrored(target, mirror))
        rotation, shift = fit_rigid(heads, target, weights)
        target = move(heads, rotation, shift).mean(0)
    target = 0.5 * (target + mirrored(target, mirror))
    return fit_rigid(heads, target, weights)


@dataclass(frozen=True)
class Basis:
    """Result of the analysis of n heads."""

    mean: Array
    """(V, 3)"""
    scores: Array
    """(2n, I) unit-variance scores of the heads and of their mirror images."""
    components: Array
    """(I, V, 3) metres per standard deviation."""
    kept: float
    """Share of the weighted variance."""


def _half(data: Array, weights: Array, count: int) -> tuple[Array, Array, float]:
    root = np.repeat(np.sqrt(weights), 3)
    scaled = data.reshape(len(data), -1) * root
    values, vectors = np.linalg.eigh(scaled @ scaled.T / len(data))
    order = np.argsort(values)[::-1][:count]
    return values[order], vectors[:, order] * np.sqrt(len(data)), float(values.sum())


def analyse(heads: Array, mirror: Array, weights: Array, count: int) -> Basis:
    """Principal components of aligned heads (n, V, 3) and their mirror images."""
    image = mirrored(heads, mirror)
    even, odd = 0.5 * (heads + image), 0.5 * (heads - image)
    mean = even.mean(0)
    even = even - mean
    values_e, scores_e, total_e = _half(even, weights, count)
    values_o, scores_o, total_o = _half(odd, weights, count)
    values = np.concatenate([values_e, values_o])
    order = np.argsort(values)[::-1][:count]
    scores = np.concatenate([np.hstack([scores_e, scores_o]), np.hstack([scores_e, -scores_o])])[
        :, order
    ]
    components = regress(scores, np.concatenate([heads, image]) - mean)
    sign = np.sign([c.ravel()[np.abs(c).argmax()] for c in components])
    kept = float(values[order].sum() / (total_e + total_o))
    return Basis(mean, scores * sign, components * sign[:, None, None], kept)


def regress(scores: Array, offsets: Array) -> Array:
    """What of ``offsets`` (n, ...) goes along with each score: (I, ...) per deviation."""
    flat = offsets.reshape(len(offsets), -1)
    return np.asarray(scores.T @ flat / len(scores)).reshape(-1, *offsets.shape[1:])


def left_over(offsets: Array, basis: Basis, weights: Array) -> Array:
    """(n, V) metres between heads' offsets from the mean and their nearest in the basis."""
    root = np.repeat(np.sqrt(weights), 3)
    flat = basis.components.reshape(len(basis.components), -1)
    target = offsets.reshape(len(offsets), -1)
    found, *_ = np.linalg.lstsq((flat * root).T, (target * root).T, rcond=None)
    return np.asarray(np.linalg.norm((target - found.T @ flat).reshape(offsets.shape), axis=2))
