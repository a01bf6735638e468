"""Training pictures in memory: crops with their targets, growing while shards are rendered."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.transforms import (
    angles_from_rotation,
    apply,
    project,
    rotation_from_vector,
)
from hrn_studio.live.facecrop import WIDTH_M, Placement, cut, place
from hrn_studio.records import Bytes, Doubles, Floats, frozen
from hrn_studio.training.shards import Shard, read_shard, shards_in
from hrn_studio.training.targets import Layout

STORED_PX = 160
"""Crops are kept a little larger than the network's, so that they can be shifted and turned."""
STORED_SHARE = 1.06
"""Width of a kept crop against that of the network's."""
HELD_BACK = 10
"""Every tenth shard is for measuring only."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """N pictures as training wants them."""

    crops: Bytes
    """(N, STORED_PX, STORED_PX) grey."""
    points: Floats
    """(N, K, 2) dense landmarks in units of the network's crop, -1..1."""
    identity: Floats
    """(N, I)"""
    expression: Floats
    """(N, E)"""
    angles: Floats
    """(N, 3) yaw, pitch and roll against the line of sight and the crop, radians."""
    traits: Floats
    """(N, T) as in :class:`~hrn_studio.training.shards.Shard`."""

    def __post_init__(self) -> None:
        for item in fields(self):
            object.__setattr__(self, item.name, frozen(getattr(self, item.name)))

    def __len__(self) -> int:
        return len(self.crops)


def joined(parts: list[Prepared]) -> Prepared:
    """Several after each other."""
    return Prepared(
        *(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Prepared))
    )


class Preparer:
    """Makes crops and targets from shards, for one head and layout."""

    def __init__(self, head: HeadModel, embedding: LandmarkEmbedding, layout: Layout) -> None:
        self._reference = embedding.points(head.mean).astype(np.float64)
        weights, corners = embedding.barycentric, embedding.corners
        self._landmarks = _Points(
            *(np.einsum("lk,...lkd->...ld", weights, v[..., corners, :]) for v in _modes(head))
        )
        self._points = _Points(*(v[..., layout.vertices, :] for v in _modes(head)))
        self._identities = layout.identity_count

    def prepare(self, shard: Shard) -> Prepared:
        """All pictures of a shard."""
        landmarks, dense = self._landmarks.of(shard), self._points.of(shard)
        crops, points, angles = [], [], []
        for k, T in enumerate(shard.T_camera_head):
            image = shard.image(k)
            camera = shard.camera_of(k, image)
            placement = place(project(apply(T, landmarks[k]), camera), self._reference)
            crops.append(cut(image, stored(placement)))
            points.append(placement.to_crop(project(apply(T, dense[k]), camera)))
            turn = np.eye(3)
            turn[:2, :2] = placement.matrix[:, :2] / placement.scale
            angles.append(angles_from_rotation(turn @ _facing(T[:3, 3]) @ T[:3, :3]))
        return Prepared(
            np.array(crops),
            np.array(points, np.float16),
            shard.identity[:, : self._identities],
            shard.expression,
            np.array(angles, np.float32),
            shard.traits,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """Some points of a head: (N, 3), and what identity and expression add, (I, N, 3), (E, N, 3)."""

    mean: Floats
    identity: Floats
    expression: Floats

    def of(self, shard: Shard) -> Floats:
        """(B, N, 3) for the pictures of a shard."""
        identity, expression = self.identity, self.expression
        moved = shard.identity @ identity.reshape(len(identity), -1)
        moved += shard.expression @ expression.reshape(len(expression), -1)
        return np.asarray(self.mean + moved.reshape(-1, *self.mean.shape), np.float32)


def _facing(place: Doubles) -> Doubles:
    """(3, 3) the smallest turn that brings what lies at ``place`` in front of the camera.

    A crop does not tell where in the picture it was, so only the pose against the line of sight
    can be seen in it.
    """
    x, y, z = place / np.linalg.norm(place)
    angle = np.arccos(np.clip(z, -1, 1))
    axis = np.array([y, -x, 0.0])
    return rotation_from_vector(axis / max(float(np.linalg.norm(axis)), 1e-12) * angle)


def _modes(head: HeadModel) -> tuple[Floats, Floats, Floats]:
    return head.mean, head.identity, head.expression


def stored(placement: Placement) -> Placement:
    """The kept crop: the same middle, wider, finer."""
    ratio = STORED_PX / (placement.side_px * STORED_SHARE)
    matrix = placement.matrix * ratio
    matrix[:, 2] += 0.5 * STORED_PX - ratio * 0.5 * placement.side_px
    return Placement(matrix, STORED_PX)


class Pool:
    """The pictures of a folder of shards, split into those to learn from and those held back."""

    def __init__(self, folder: Path, seed: int, preparer: Preparer) -> None:
        self._folder, self._seed, self._preparer = folder, seed, preparer
        self._taken: set[str] = set()
        self.learn: list[Prepared] = []
        self.held: list[Prepared] = []

    def refresh(self, most: int = 1000) -> int:
        """Take in up to ``most`` shards that are new; how many pictures there are to learn from."""
        new = [p for p in shards_in(self._folder, self._seed) if p.name not in self._taken][:most]
        for path in new:
            self._taken.add(path.name)
            number = int(path.stem.split("-")[1])
            target = self.held if number % HELD_BACK == 0 else self.learn
            target.append(self._preparer.prepare(read_shard(path)))
        return sum(len(p) for p in self.learn)


MM_PER_UNIT = 500 * WIDTH_M
"""Millimetres on a head of average size to one crop unit."""
