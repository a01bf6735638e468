"""Dense landmarks with uncertainty: what a face network says of where vertices of the head are.

Wood et al., "3D face reconstruction with dense landmarks" (ECCV 2022), fit a head to such points
with the Gaussian likelihood that the network states.  Taken one by one that overrates them: all
points of a picture come from one look at it, and their errors go together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.face.jacobian import Points
from hrn_studio.face.model import HeadModel
from hrn_studio.records import Doubles, Floats, Ints, frozen


@dataclass(frozen=True, slots=True, eq=False)
class DensePoints:
    """Of one picture."""

    vertices: Ints
    """(K,) of the head."""
    points_px: Floats
    """(K, 2) in the picture, from its top left corner."""
    sigma_px: Floats
    """(K,) their standard deviation along one axis, as stated."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", frozen(self.vertices, np.int32))
        for name in ("points_px", "sigma_px"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))


@dataclass(frozen=True, slots=True)
class DenseSettings:
    """How dense landmarks are believed."""

    worth: float = 36.0
    """All of a picture's dense landmarks carry together the evidence of so many independent ones
    of their stated uncertainty."""
    least_sigma_m: float = 0.001
    """A stated standard deviation below this counts as this, metres on the face."""
    robust: float = 3.0
    """Cauchy scale in standard deviations."""
    gives_way_m: float = 0.02
    """The tracker's landmarks of the same picture count half where the network's median stated
    uncertainty is this, metres on the face, and the less the surer it is.  Where it is sure its
    points stand instead of the tracker's, whose bias they lack."""

    def weights(self, off_m: Doubles, sigma_m: Doubles) -> Doubles:
        """(K,) of the least squares, 1 / square metre; outliers count less.

        Parameters
        ----------
        off_m
            (K,) how far each is seen from where the head has it.
        sigma_m
            (K,) as stated.
        """
        precision = self.precision(sigma_m)
        cauchy = 1 / (1 + np.square(off_m / self.robust) * precision)
        return np.asarray(cauchy * precision * self.share(len(precision)))

    def precision(self, sigma_m: Doubles) -> Doubles:
        """(K,) 1 / square metre, of each point by itself."""
        return np.asarray(np.maximum(sigma_m, self.least_sigma_m) ** -2.0)

    def share(self, count: int) -> float:
        """Of each point's evidence, that counts among ``count``: their errors go together."""
        return min(1.0, self.worth / count)

    def beside(self, sigma_m: Doubles) -> float:
        """Factor on the evidence of the tracker's landmarks, 0..1; ``sigma_m`` as above."""
        doubt = float(np.median(sigma_m)) ** 2
        return doubt / (doubt + self.gives_way_m**2)


def points_at(head: HeadModel, vertices: Ints) -> Points:
    """The head's own bases there."""
    mean, identity, expression = (
        values[..., vertices, :].astype(np.float64)
        for values in (head.mean, head.identity, head.expression)
    )
    return Points(mean, identity, expression)
