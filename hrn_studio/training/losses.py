"""What a network is trained for, all in millimetres on the face.

Landmarks by their Gaussian likelihood (Wood et al., 3D Face Reconstruction with Dense Landmarks,
ECCV 2022, eq. 1); coefficients by the distance that their errors move the face's surface; the
coefficients' deviations by the likelihood of the errors seen, which does not pull at the values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hrn_studio.training.augment import Batch
from hrn_studio.training.networks import Answer
from hrn_studio.training.pool import MM_PER_UNIT
from hrn_studio.training.targets import Metric


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the parts of the loss."""

    points: float = 0.5
    identity: float = 1.0
    expression: float = 0.5
    deviations: float = 0.1
    angles: float = 1.0


class Loss:
    """The sum, and its parts for the curves."""

    def __init__(
        self,
        metric: Metric,
        weights: Weights | None = None,
        device: torch.device | None = None,
    ) -> None:
        self._weights = weights or Weights()
        # A little for what moves no face point, like the length of the neck.
        identity = metric.identity + 0.003 * np.eye(len(metric.identity))
        expression = metric.expression + 0.1 * np.eye(len(metric.expression))
        self._identity = torch.as_tensor(identity, dtype=torch.float32, device=device)
        self._expression = torch.as_tensor(expression, dtype=torch.float32, device=device)

    def __call__(self, answer: Answer, truth: Batch) -> tuple[Tensor, dict[str, float]]:
        """The loss, and its parts by name."""
        w = self._weights
        off = (answer.points - truth.points).square().sum(2)
        sigma = answer.log_sigma.exp()
        points = (off / (2 * sigma.square()) + 2 * answer.log_sigma).mean()
        identity = answer.identity - truth.identity
        expression = answer.expression - truth.expression
        shape = ((identity @ self._identity) * identity).sum(1).mean()
        played = ((expression @ self._expression) * expression).sum(1).mean()
        errors = torch.cat([identity, expression], 1).detach()
        log = answer.log_coefficient
        deviations = (0.5 * errors.square() * (-2 * log).exp() + log).mean()
        angles = (answer.angles - truth.angles).square().sum(1).mean() * 100
        total = (
            w.points * points
            + w.identity * shape
            + w.expression * played
            + w.deviations * deviations
            + w.angles * angles
        )
        return total, {
            "points_mm": float(off.detach().sqrt().median()) * MM_PER_UNIT,
            "shape_mm": float(shape.detach()) ** 0.5,
            "expression_mm": float(played.detach()) ** 0.5,
            "angle_deg": float(angles.detach() / 300) ** 0.5 * 57.3,
            "loss": float(total.detach()),
        }
