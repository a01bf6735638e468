"""Several networks in one file that answer together, each counted as it is sure of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrn_studio.errors import ModelDataError
from hrn_studio.face.arrays import Arrays
from hrn_studio.records import AnyFloats, Bytes, Doubles

SINGLE, SEVERAL = 1, 2
"""Versions of the file: of one network, and of several."""
LOG_SIGMA = (-6.0, 1.0)
"""Bounds of a landmark's log deviation, in crop units."""
LOG_COEFFICIENT = (-3.0, 0.3)
"""Of a coefficient's."""


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The networks of a file."""

    models: tuple[Bytes, ...]
    """In ONNX, each (N,)."""
    deviations: Doubles
    """(3,) what the mean of the stated deviations is to be multiplied by, of landmarks, identity
    and expressions: measured, for the networks' errors go together."""

    def first(self, count: int) -> Members:
        """Only the first few; what one says alone is as sure as it states."""
        if count >= len(self.models):
            return self
        return Members(self.models[:count], np.ones(3) if count == 1 else self.deviations)


def take_members(arrays: Arrays, name: str, remedy: str) -> Members:
    """Take the networks out of a file's arrays; the rest stays.

    Parameters
    ----------
    name
        Of the file, for the message.

    Raises
    ------
    ModelDataError
        The file is of another version.
    KeyError, ValueError
        Something is missing or damaged.
    """
    version = int(arrays.pop("version"))
    if version == SINGLE:
        return Members((np.ascontiguousarray(arrays.pop("model"), np.uint8),), np.ones(3))
    if version != SEVERAL:
        raise ModelDataError(
            f"the face network '{name}' has version {version}, this program needs {SINGLE} or "
            f"{SEVERAL}; {remedy}"
        )
    ends = arrays.pop("ends")
    parts = np.split(np.ascontiguousarray(arrays.pop("models"), np.uint8), ends[:-1])
    deviations = np.asarray(arrays.pop("deviations"), np.float64)
    sound = deviations.shape == (3,) and bool((deviations > 0).all())
    if not sound or not len(ends) or not all(len(part) for part in parts):
        raise ValueError("no networks")
    return Members(tuple(parts), deviations)


def averaged(
    answers: Sequence[AnyFloats], sizes: tuple[int, int, int], deviations: Doubles
) -> Doubles:
    """One answer (N,) for those of several networks to one crop, each (N,).

    Each landmark and coefficient is the mean of what the networks say, weighted by the inverse of
    the variance that they state.  Its deviation is the mean of theirs with the same weights (what
    it is when all err alike) times what was measured.

    Parameters
    ----------
    answers
        As :class:`hrn_studio.training.targets.Layout` orders the numbers.
    sizes
        How many landmarks, identity and expression coefficients there are.
    """
    if len(answers) == 1:
        return np.asarray(answers[0], np.float64)
    k, i, e = sizes
    rows = np.asarray(answers, np.float64)
    places, log_points, identity, expression, log_identity, log_expression, rest = np.split(
        rows, np.cumsum([2 * k, k, i, e, i, e]), 1
    )
    points, log_points = _weighted(
        places.reshape(len(rows), k, 2), log_points, LOG_SIGMA, deviations[0]
    )
    identity, log_identity = _weighted(identity, log_identity, LOG_COEFFICIENT, deviations[1])
    expression, log_expression = _weighted(
        expression, log_expression, LOG_COEFFICIENT, deviations[2]
    )
    return np.concatenate(
        [
            *(points.ravel(), log_points, identity, expression),
            *(log_identity, log_expression, rest.mean(0)),
        ]
    )


def _weighted(
    values: Doubles, logs: Doubles, bounds: tuple[float, float], factor: float
) -> tuple[Doubles, Doubles]:
    """The mean of values (M, n) or (M, n, d), and the logarithm (n,) of its deviation."""
    logs = np.clip(logs, *bounds)
    weights = np.exp(-2 * (logs - logs.min(0)))
    weights /= weights.sum(0)
    deviation = (weights * np.exp(logs)).sum(0) * factor
    each = weights if values.ndim == 2 else weights[..., None]
    return (each * values).sum(0), np.log(deviation)
