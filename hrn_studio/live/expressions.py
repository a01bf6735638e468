"""Expressions as a change against the same person's face at rest.

From one picture nobody can tell a raised brow from a high one: brows of different people differ by
as much as a raised brow moves.  Against the same person at rest the difference is plain.

What is seen (landmarks, the answers of the regression maps) is taken as linear in the expressions::

    features = the person at rest + response . weights + noise

with the response and the noise *within* a person measured on renders
(``packaging/build_expressions.py``); the weights are the most probable ones between 0 and 1 (a
Gaussian noise, an exponential prior, for most shapes are at rest most of the time).  What the
features say of the weights (E numbers, *evidence*) is all that is kept of a frame, so a person at
rest is E numbers too: their mean over the frames in which the face is most at rest, less what the
weights found explain.

On a turned head the features change with the person's own shape, which nobody knows: a neutral
face would read as an expression.  How much, and in which directions, was measured on renders; it
is noise that grows with the square of the turn, and the weights are the most probable ones under
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from hrn_studio import paths
from hrn_studio.errors import ModelDataError
from hrn_studio.face.arrays import opened
from hrn_studio.live import features
from hrn_studio.records import AnyFloats, Bools, Doubles, Floats, frozen

_CLIP = 5.0
_REMEDY = "install HRN Studio again, or build it anew with 'python packaging/build_expressions.py'"
_STEPS = 60
Turn: TypeAlias = tuple[float, float]
"""Yaw and pitch of the head, radians, as :mod:`hrn_studio.geometry.transforms` measures them."""
FRONT: Turn = (0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionMaps:
    """How features speak of E expressions, those of the default head in its order."""

    mean: Floats
    """(F,) of the features of :mod:`hrn_studio.live.features`."""
    deviation: Floats
    """(F,)"""
    evidence_map: Floats
    """(F, E) from standardised features: response over noise covariance."""
    precision: Doubles
    """(E, E) of the weights, from one frame: response over noise covariance times response."""
    prior: Doubles
    """(2,) of a weight: what its square and itself cost."""
    share: Floats
    """(E,) of this answer against the regression maps' in the result, 0..1."""
    full: Floats
    """(E,) what the result is where the true weight is 1: the tracker sees less than there is."""
    turned: Floats
    """(3, E, E) covariance of the evidence's noise for each squared radian that the head is turned
    to its left, to its right, and up or down."""
    _unit: Doubles = field(init=False)
    """(E,) a weight's own standard deviation."""
    _curvature: Doubles = field(init=False)
    """(E, E) of the cost, in these units."""
    _step: float = field(init=False)

    def __post_init__(self) -> None:
        for name in ("mean", "deviation", "evidence_map", "share", "full", "turned"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))
        for name in ("precision", "prior"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))
        curvature = self.precision + self.prior[0] * np.eye(len(self.precision))
        unit = 1 / np.sqrt(np.diag(curvature))
        curvature = curvature * unit[:, None] * unit
        object.__setattr__(self, "_unit", frozen(unit))
        object.__setattr__(self, "_curvature", frozen(curvature))
        object.__setattr__(self, "_step", 1 / float(np.linalg.norm(curvature, 2)))

    def only(self, which: Sequence[int]) -> ExpressionMaps:
        """The same for some of the expressions, in this order; the others stay at rest."""
        columns = list(which)
        return replace(
            self,
            evidence_map=self.evidence_map[:, columns],
            precision=self.precision[np.ix_(columns, columns)],
            share=self.share[columns],
            full=self.full[columns],
            turned=self.turned[np.ix_(range(3), columns, columns)],
        )

    def evidence(self, values: Floats) -> Floats:
        """(E,) what features (F,) say, the person's own face not yet taken out."""
        x = np.clip((values - self.mean) / self.deviation, -_CLIP, _CLIP)
        return np.asarray(x @ self.evidence_map, np.float32)

    def weights(
        self, evidence: AnyFloats, start: Doubles | None = None, turn: Turn = FRONT
    ) -> Doubles:
        """(E,) the most probable weights 0..1 for evidence less that at rest.

        Nesterov's accelerated projected gradient ("A method of solving a convex programming problem
        with convergence rate O(1/k^2)", 1983), each weight in units of its own curvature.
        """
        gain, curvature = self._cost(np.asarray(evidence, np.float64), turn)
        most = 1 / self._unit
        x = np.zeros_like(most) if start is None else np.clip(start, 0, 1) * most
        ahead, t = x, 1.0
        for _ in range(_STEPS):
            new = np.clip(ahead + self._step * (gain - curvature @ ahead), 0, most)
            t_new = 0.5 + float(np.sqrt(0.25 + t * t))
            ahead = new + (t - 1) / t_new * (new - x)
            x, t = new, t_new
        return np.asarray(x * self._unit)

    def _cost(self, evidence: Doubles, turn: Turn) -> tuple[Doubles, Doubles]:
        """Gain (E,) and curvature (E, E) of the weights' cost, in units of :attr:`_unit`.

        Seen from the front the evidence has its precision P as covariance too.  With the noise B
        of a turned head it is ``P + B``, so that the gain becomes ``P (P + B)^-1 evidence`` and the
        precision ``P (P + B)^-1 P``, which is never larger: the step need not be shorter.
        """
        yaw, pitch = turn
        shares = np.square([max(yaw, 0.0), min(yaw, 0.0), pitch])
        noise = np.tensordot(shares, self.turned, 1)
        if not noise.any():
            return (evidence - self.prior[1]) * self._unit, self._curvature
        count = len(evidence)
        total = self.precision + noise
        total[np.diag_indices(count)] += 1e-6 * np.trace(self.precision) / count
        solved = np.linalg.solve(total, np.column_stack([self.precision, evidence]))
        precision, gain = np.split(self.precision @ solved, [count], axis=1)
        precision[np.diag_indices(count)] += self.prior[0]
        return (
            (gain[:, 0] - self.prior[1]) * self._unit,
            precision * self._unit[:, None] * self._unit,
        )

    def stretched(self, weights: AnyFloats) -> Doubles:
        """(E,) weights as large as they really are, of those that explain what was seen."""
        return np.clip(np.asarray(weights, np.float64) / self.full, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class RestSettings:
    """How a person's face at rest is found."""

    activity: float = 0.25
    """Frames whose weights sum to this much more than those at rest count a third."""
    first_frames: float = 5.0
    """Evidence of this many frames counts as much as the regression maps' own answer."""
    most_frames: float = 600.0
    """Evidence does not grow beyond this many frames, so that the mean goes on learning."""


class RestingFace:
    """One person's evidence at rest so far; give it each frame's.

    Parameters
    ----------
    passing
        (E,) expressions that come and go and say nothing about rest: lids and looks.
    """

    def __init__(
        self, maps: ExpressionMaps, passing: Bools, settings: RestSettings | None = None
    ) -> None:
        self._maps, self._acting = maps, ~passing
        self._settings = settings or RestSettings()
        self.reset()

    def reset(self) -> None:
        """Someone else."""
        self._rest = np.zeros(len(self._acting))
        self._evidence = 0.0
        self._least = 0.0
        self._last: Doubles | None = None
        self.held = False

    def hold(self) -> None:
        """Keep the face at rest as it is."""
        self.held = True

    def see(
        self, evidence: AnyFloats, told: AnyFloats, weight: float, turn: Turn = FRONT
    ) -> Doubles:
        """(E,) the weights of a frame, as far as the features show them (not stretched).

        Parameters
        ----------
        evidence
            (E,) of :meth:`ExpressionMaps.evidence`.
        told
            (E,) what the regression maps say.
        weight
            0..1 how well the frame shows the face.
        turn
            Where the head looks.
        """
        evidence, told = np.asarray(evidence, np.float64), np.asarray(told, np.float64)
        found = told
        if self._evidence > 0:
            found = self._maps.weights(evidence - self._rest, self._last, turn)
        if not self.held and weight > 0:
            self._learn(evidence, found, float((found + told)[self._acting].sum()), weight)
        self._last = found
        known = self._evidence / (self._evidence + self._settings.first_frames)
        share = known * self._maps.share
        return np.asarray(share * found + (1 - share) * told)

    def _learn(self, evidence: Doubles, found: Doubles, activity: float, weight: float) -> None:
        """Average the frames at rest; one more at rest makes those before count less."""
        s = self._settings
        if self._evidence == 0:
            self._least = activity
        elif activity < self._least:
            drop = 0.2 * (self._least - activity)
            self._least -= drop
            self._evidence *= float(np.exp(-drop / s.activity))
        weight *= float(np.exp(-max(activity - self._least, 0.0) / s.activity))
        self._evidence = min(self._evidence + weight, s.most_frames)
        if self._evidence > 0:
            neutral = evidence - self._maps.precision @ found
            self._rest += weight / self._evidence * (neutral - self._rest)


def load_expressions(path: Path | None = None) -> ExpressionMaps:
    """The maps that come with the program.

    Raises
    ------
    ModelDataError
        The file is missing or damaged.
    """
    path = paths.resources() / "expressions.npz" if path is None else path
    with opened(path, "the file of expression maps", _REMEDY) as arrays:
        maps = ExpressionMaps(**arrays)
    seen, told = sum(features.BLOCKS), len(maps.share)
    shapes = (maps.mean.shape, maps.deviation.shape, maps.evidence_map.shape, maps.precision.shape)
    sizes = maps.prior.shape, maps.full.shape
    fits = maps.turned.shape == (3, told, told)
    if (
        not fits
        or shapes != ((seen,), (seen,), (seen, told), (told, told))
        or sizes != ((2,), (told,))
    ):
        raise ModelDataError(
            f"the file of expression maps '{path}' is of another version or damaged (sizes); "
            f"{_REMEDY}"
        )
    return maps
