"""Learned maps: from a tracked face to what its coefficients probably are.

``packaging/build_regression.py`` trains them on renders of the default head: ridge regression from
the standardised features of :mod:`hrn_studio.live.features`, each group of which weighs the same.
A network with a hidden layer did not do better on unseen renders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hrn_studio import paths
from hrn_studio.errors import ModelDataError
from hrn_studio.face.arrays import Arrays, opened
from hrn_studio.live import features
from hrn_studio.live.expressions import ExpressionMaps, load_expressions
from hrn_studio.records import Camera, Doubles, Estimate, Floats, Frame, Track, frozen

_NOTHING = np.zeros(0, np.float32)
_CLIP = 5.0
"""Features further out than this many deviations count as this far: a hand, a hat, a glitch."""
_REMEDY = "install HRN Studio again, or build it anew with 'python packaging/build_regression.py'"


@dataclass(frozen=True, slots=True, eq=False)
class RegressionMaps:
    """Weights of the maps for F features and O outputs: identity, then expressions."""

    reference: Doubles
    """(L, 3) landmarks of the mean head, metres."""
    mean: Floats
    """(F,) of the features."""
    deviation: Floats
    """(F,) of the features."""
    weights: Floats
    """(F, O) of the standardised features."""
    bias: Floats
    """(O,)"""
    sigma: Floats
    """(O,) standard deviation of the answers' errors on unseen renders."""
    identity_count: int
    expression_count: int
    changes: ExpressionMaps | None = None
    """What speaks for expressions against the same face at rest."""

    def __post_init__(self) -> None:
        for name in ("mean", "deviation", "weights", "bias", "sigma"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))
        object.__setattr__(self, "reference", frozen(self.reference, np.float64))

    def features(self, frame: Frame, track: Track, camera: Camera) -> Floats:
        """(F,) what the maps look at."""
        crop = features.aligned_crop(frame, track, self.reference)
        return np.concatenate(
            [
                features.landmark_features(track, self.reference, camera),
                features.appearance_features(crop),
            ]
        )

    def estimate(self, frame: Frame, track: Track, camera: Camera) -> Estimate:
        """Identity and expressions of a tracked face, with their uncertainty."""
        return self.apply(self.features(frame, track, camera))

    def apply(self, values: Floats) -> Estimate:
        """The same from features (F,)."""
        x = np.clip((values - self.mean) / self.deviation, -_CLIP, _CLIP)
        y = x @ self.weights + self.bias
        i = self.identity_count
        return Estimate(
            identity=y[:i],
            identity_sigma=self.sigma[:i],
            expression=np.clip(y[i : i + self.expression_count], 0, 1),
            expression_sigma=self.sigma[i : i + self.expression_count],
            evidence=_NOTHING if self.changes is None else self.changes.evidence(values),
        )


def _named(arrays: Arrays) -> dict[str, Any]:
    """For a constructor that says itself which arrays it takes."""
    return dict(arrays)


def load_maps(path: Path | None = None) -> RegressionMaps:
    """The maps of the default head, with what speaks for expressions.

    Raises
    ------
    ModelDataError
        A file is missing or damaged.
    """
    return replace(read_maps(path), changes=load_expressions())


def read_maps(path: Path | None = None) -> RegressionMaps:
    """The maps of the default head alone.

    Raises
    ------
    ModelDataError
        The file is missing or damaged.
    """
    path = paths.resources() / "regression.npz" if path is None else path
    with opened(path, "the file of regression maps", _REMEDY) as arrays:
        counts = arrays.pop("counts")
        maps = RegressionMaps(
            identity_count=int(counts[0]), expression_count=int(counts[1]), **_named(arrays)
        )
    seen, told = sum(features.BLOCKS), maps.identity_count + maps.expression_count
    shapes = (maps.mean.shape, maps.deviation.shape, maps.weights.shape, maps.bias.shape)
    if shapes != ((seen,), (seen,), (seen, told), (told,)) or maps.sigma.shape != (told,):
        raise ModelDataError(
            f"the regression maps '{path}' are of another version or damaged (sizes); {_REMEDY}"
        )
    return maps
