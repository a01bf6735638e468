"""The sampled heads: aligned, analysed, and what else follows their identity."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import identity, topology
from .masks import picture
from .source import Source, sample

Array = NDArray[Any]

HELD_OUT = 200
"""Heads that only serve to measure the basis."""


class Heads:
    """Sampled heads with the rigid motion of the face removed, and their principal components."""

    def __init__(self, source: Source, count: int, components: int, seed: int) -> None:
        self.source = source
        self.index = np.full(len(source.mirror), -1)
        """Row of the skin for each vertex of the base mesh."""
        self.index[source.skin] = np.arange(len(source.skin))
        self.mirror = self.index[source.mirror[source.skin]]
        """(4200,) the skin's mirror map."""
        self.uv_of = np.zeros((len(source.mirror), 2))
        self.uv_of[source.quads.ravel()] = source.uv[source.uv_quads.ravel()]
        face = picture(source.textures, "face", self.uv_of[source.skin])
        face = 0.5 * (face + face[self.mirror])

        settings, local = sample(source, count + HELD_OUT, seed)
        groups = {"skin": source.skin, "tongue": source.tongue, **source.helpers}
        heads = source.heads(settings, local, np.concatenate(list(groups.values())))
        rotation, shift = identity.align(heads[:, : len(source.skin)], self.mirror, face)
        heads = identity.move(heads, rotation, shift)
        ends = np.cumsum([len(g) for g in groups.values()])
        cut = dict(zip(groups, np.split(heads, ends[:-1], axis=1), strict=True))
        self.points = {name: points[:count] for name, points in cut.items()}
        """(n, P, 3) by group."""

        points = self.points["skin"]
        middle = 0.5 * (points.mean(0) + identity.mirrored(points.mean(0), self.mirror))
        self.is_skin = np.isin(source.quads, source.skin).all(1)
        quads = self.index[source.quads[self.is_skin]]
        self.corners = topology.split_quads(quads, middle, self.mirror)
        self.triangles = topology.take(quads, self.corners)
        weights = topology.vertex_areas(middle, self.triangles) * (0.12 + 0.88 * face)
        self.basis = identity.analyse(points, self.mirror, weights, components)

        held = cut["skin"][count:]
        offsets = identity.move(held, *identity.fit_rigid(held, self.basis.mean, face))
        left = identity.left_over(offsets - self.basis.mean, self.basis, weights)
        self.error = left[:, face > 0.5]
        """(h, F) metres between the faces of unseen heads and their nearest in the basis."""

    def follow(self, values: Array, image: Array) -> tuple[Array, Array]:
        """Mean and components of something else, from the heads and their mirror images."""
        both = np.concatenate([values, image])
        return both.mean(0), identity.regress(self.basis.scores, both - both.mean(0))

    def group(self, name: str) -> tuple[Array, Array, Array]:
        """Mean, components and mirror map of a group of the source's vertices."""
        here = self.source.helpers.get(name, self.source.tongue)
        mirror = np.searchsorted(here, self.source.mirror[here])
        points = self.points[name]
        mean, components = self.follow(points, identity.mirrored(points, mirror))
        return mean, components, mirror
