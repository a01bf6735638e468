"""Do two pictures show the same person?  A cautious answer from the look of the face.

What counts most is the shape that the face network sees, in the components it can tell; beside it,
histograms of gradients of the aligned face, projected onto the directions in which people differ
most and pictures of one person least (Fisher's linear discriminants).  The measures are found by
``packaging/build_likeness.py`` on renders of invented people in several poses, lights and
expressions.  It knows far less than a face recogniser: it is meant to catch clear mistakes, and
leaves doubtful cases alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hrn_studio import paths
from hrn_studio.errors import DifferentPeopleError, ModelDataError
from hrn_studio.face.arrays import opened
from hrn_studio.live import features
from hrn_studio.live._cv import cv2
from hrn_studio.live.facemesh import yaw_deg
from hrn_studio.live.network import FaceNetwork, load_network
from hrn_studio.records import Bytes, Doubles, Floats, Frame, Track, frozen

FEATURES = 1296
LOOKS = 4
"""Crops that the network looks at; their answers are averaged."""
_EDGES = 0.3
"""How much gradients count beside the network's shape."""
_CELL = 16
_YAW_DEG = 45.0
"""Pictures turned this far apart may differ twice as much."""
_REMEDY = "install HRN Studio again, or build it anew with 'python packaging/build_likeness.py'"


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A face's place among people, and how it was turned."""

    place: Floats
    """(K,) in standard deviations of pictures of one person."""
    shape: Floats
    """(S,) identity components that the network can tell, in its own standard deviations."""
    yaw_deg: float


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """The directions, K of them."""

    mean: Floats
    """(1296,)"""
    directions: Floats
    """(1296, K)"""
    reference: Doubles
    """(L, 3) landmarks of the mean head, metres."""
    spread: Floats
    """(I,) standard deviation of the network's answers over people; 0 where it can tell little."""
    usual: tuple[float, float]
    """Median differences of one person's pictures, in gradients and in shape."""
    limit: float
    """Above this difference two pictures show different people."""
    network: FaceNetwork

    def __post_init__(self) -> None:
        for name in ("mean", "directions", "spread"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))
        object.__setattr__(self, "reference", frozen(self.reference, np.float64))

    def look(self, frame: Frame, track: Track) -> Look:
        """The face of a tracked picture."""
        seen = gradients(features.aligned_crop(frame, track, self.reference))
        place = (seen - self.mean) @ self.directions
        identity = self.network.see(frame, track, LOOKS).estimate.identity
        told = self.spread > 0
        shape = identity[told] / self.spread[told]
        return Look(place, shape, yaw_deg(track.points_px, track.depth_px))

    def difference(self, a: Look, b: Look) -> float:
        """How far two faces are apart; of one person about 1.3."""
        edges, shape = differences(a, b)
        return shape / self.usual[1] + _EDGES * edges / self.usual[0]

    def are_different(self, a: Look, b: Look) -> bool:
        """Whether two faces clearly belong to different people."""
        return self.difference(a, b) > self.limit


def gradients(crop: Bytes) -> Floats:
    """(1296,) histograms of oriented gradients over cells of 16 pixels."""
    hog = cv2.HOGDescriptor(
        (features.CROP_PX, features.CROP_PX),
        (2 * _CELL, 2 * _CELL),
        (_CELL, _CELL),
        (_CELL, _CELL),
        9,
    )
    return np.asarray(hog.compute(crop), np.float32).ravel()


def differences(a: Look, b: Look) -> tuple[float, float]:
    """Root mean square differences in gradients, less for faces turned apart, and in shape."""
    edges = float(np.sqrt(np.square(a.place - b.place).mean() / 2))
    shape = float(np.sqrt(np.square(a.shape - b.shape).mean() / 2))
    return edges / (1 + abs(a.yaw_deg - b.yaw_deg) / _YAW_DEG), shape


def strangers(likeness: Likeness, looks: Sequence[Look], names: Sequence[str]) -> list[int]:
    """Which pictures to leave out because they show somebody else than the others.

    Raises
    ------
    DifferentPeopleError
        It cannot be said who is meant: two pictures of two people, or no majority that agrees.
    """
    count = len(looks)
    apart = np.array([[likeness.are_different(a, b) for b in looks] for a in looks])
    if not apart.any():
        return []
    out = apart.sum(1) * 2 > count - 1
    if count < 3 or out.sum() * 2 >= count or apart[~out][:, ~out].any():
        a, b = np.argwhere(apart)[0]
        raise DifferentPeopleError(
            f"{names[a]} and {names[b]} seem to show different people; give pictures of one "
            "person, or use --each for one head per picture, or --force to fit them anyway"
        )
    return [int(k) for k in np.flatnonzero(out)]


def load_likeness(path: Path | None = None) -> Likeness:
    """The directions that come with the program.

    Raises
    ------
    ModelDataError
        The file is missing or damaged.
    """
    path = paths.resources() / "likeness.npz" if path is None else path
    network = load_network()
    with opened(path, "the likeness file", _REMEDY) as arrays:
        limit = float(arrays.pop("limit"))
        edges, shape = (float(value) for value in arrays.pop("usual"))
        found = Likeness(limit=limit, usual=(edges, shape), network=network, **arrays)
    sizes = (found.mean.shape, found.directions.shape[:1], found.spread.shape)
    if sizes != ((FEATURES,), (FEATURES,), (network.identity_count,)):
        raise ModelDataError(f"the likeness file '{path}' is of another version; {_REMEDY}")
    return found
