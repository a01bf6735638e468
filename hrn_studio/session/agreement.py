"""How well the pictures of a head agree: what each gives alone, and whether more would help.

Everything is told from :attr:`~hrn_studio.records.View.apart_mm`, the heads that the pictures give
one by one less their mean.  With standard deviation s over F pictures, the mean of n pictures is
uncertain by s / sqrt(n) (the standard error of the mean), as far as their errors are independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.records import AnyFloats, Bools, Floats, Reconstruction

GOOD_MM = 0.5
"""Median spread under which pictures agree well."""
_FEW = 3
"""With fewer pictures nobody can say which one is wrong."""
_TIMES = 2.0
_LEAST_MM = 0.5
"""A picture disagrees when it is so many times as far as the others, and at least so far."""
ZONES: tuple[tuple[str, str], ...] = (
    ("lips", "around the mouth"),
    ("nose", "at the nose"),
    ("brows", "at the brows"),
    ("eye_sockets", "around the eyes"),
    ("forehead", "on the forehead"),
    ("cheeks", "on the cheeks"),
    ("jaw", "along the jaw"),
    ("chin", "at the chin"),
)
"""Regions of the head, and where that is in words."""
REMEDIES = {
    "lips": "with the lips closed and relaxed",
    "chin": "with the teeth just touching",
    "jaw": "with hair and collar away from the jaw",
    "cheeks": "with hair away from the cheeks",
    "brows": "with the brows relaxed",
    "forehead": "with hair away from the forehead",
    "eye_sockets": "with the eyes open and no glasses",
    "nose": "from a little farther away",
}
"""How to take a picture again that disagrees there."""


@dataclass(frozen=True, slots=True)
class Apart:
    """One picture's distance from the mean of all."""

    name: str
    median_mm: float
    """Over the face."""
    zone: str
    """Where it is largest: a key of :data:`ZONES`."""
    zone_mm: float

    @property
    def where(self) -> str:
        return dict(ZONES)[self.zone] if self.zone else "on the face"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of the pictures of one head."""

    frames: tuple[Apart, ...]
    median_mm: float
    """Median of the spread over the face."""
    most_mm: float
    """95 % of the face is below it."""
    most_where: str
    outlier: int | None
    """The picture that disagrees with the others."""
    without_mm: float
    """Median spread without it; 0 when there is none."""

    @property
    def good(self) -> bool:
        return self.median_mm < GOOD_MM

    def uncertainty_mm(self, count: int) -> float:
        """Of the mean of ``count`` pictures such as these, median over the face."""
        return self.median_mm / math.sqrt(count)

    @property
    def gain_mm(self) -> float:
        """By how much one more picture would lower the uncertainty."""
        count = len(self.frames)
        return self.uncertainty_mm(count) - self.uncertainty_mm(count + 1)


def agreement(result: Reconstruction, head: HeadModel) -> Agreement | None:
    """Of a head from several pictures; None when there is one, or its file is of an older kind."""
    views = result.views
    if len(views) < 2 or any(len(v.apart_mm) != head.vertex_count for v in views):
        return None
    face = head.regions["face"] > 0.5
    apart = np.array([np.linalg.norm(v.apart_mm, axis=1) for v in views])  # (F, V)
    frames = tuple(
        _frame(view.frame.name, distances, head, face)
        for view, distances in zip(views, apart, strict=True)
    )
    spread = spread_mm([v.apart_mm for v in views])
    outlier = _outlier([f.median_mm for f in frames])
    kept = [v.apart_mm for i, v in enumerate(views) if i != outlier]
    zone, _ = _largest(spread, head)
    return Agreement(
        frames,
        float(np.median(spread[face])),
        float(np.percentile(spread[face], 95)),
        dict(ZONES).get(zone, "on the face"),
        outlier,
        float(np.median(spread_mm(kept)[face])) if outlier is not None else 0.0,
    )


def spread_mm(apart_mm: Sequence[Floats]) -> Floats:
    """(V,) standard deviation over pictures of (V, 3) positions, millimetres."""
    deviation = np.std(np.asarray(apart_mm, np.float64), axis=0, ddof=1)
    return np.asarray(np.linalg.norm(deviation, axis=1), np.float32)


def _frame(name: str, distances: AnyFloats, head: HeadModel, face: Bools) -> Apart:
    zone, most = _largest(distances, head)
    return Apart(name, float(np.median(distances[face])), zone, most)


def _largest(distances: AnyFloats, head: HeadModel) -> tuple[str, float]:
    """The zone with the largest mean, and the mean."""
    means = {
        key: float(np.average(distances, weights=head.regions[key]))
        for key, _ in ZONES
        if key in head.regions and head.regions[key].sum() > 0
    }
    if not means:
        return "", float(np.mean(distances))
    zone = max(means, key=lambda key: means[key])
    return zone, means[zone]


def _outlier(medians_mm: Sequence[float]) -> int | None:
    """The one that is much farther than the rest."""
    if len(medians_mm) < _FEW:
        return None
    worst = int(np.argmax(medians_mm))
    others = float(np.median([m for i, m in enumerate(medians_mm) if i != worst]))
    far = medians_mm[worst] > max(_LEAST_MM, _TIMES * others)
    return worst if far else None
