"""What sees identity and expressions: the learned maps, and on request the face network too.

The maps look at the tracker's landmarks and at gradients, the network at the pixels themselves.
The network's dense landmarks go into the fit and the live pose beside the tracker's.  A weighted
mean of both answers is better than either on renders like those the network was trained on; on
pictures of other kinds it is not, so by default the maps alone say what the coefficients are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hrn_studio.live.expressions import ExpressionMaps
from hrn_studio.live.network import FaceNetwork, Sight, load_network
from hrn_studio.live.regression import RegressionMaps, load_maps
from hrn_studio.records import Camera, Doubles, Estimate, Floats, Frame, Track


@dataclass(frozen=True, slots=True)
class Shares:
    """How much the network counts beside the maps, 0..1; ``docs/accuracy.md`` tells why."""

    identity: float = 0.0
    expression: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A tracked face as all that is there sees it."""

    estimate: Estimate
    sight: Sight | None
    """What the network saw, where there is one."""


class StudioEstimator:
    """The maps, and the network where there is one.

    Parameters
    ----------
    looks
        Crops the network looks at for each face; 1 in the live view.
    """

    def __init__(
        self,
        maps: RegressionMaps,
        network: FaceNetwork | None,
        shares: Shares | None = None,
        looks: int = 1,
    ) -> None:
        self.maps, self.network, self.looks = maps, network, looks
        self.shares = shares or Shares()

    @property
    def reference(self) -> Doubles:
        """(L, 3) the tracker's landmarks on the mean head, metres."""
        return self.maps.reference

    @property
    def changes(self) -> ExpressionMaps | None:
        """What the evidence for expressions in the estimates means."""
        return self.maps.changes

    def estimate(self, frame: Frame, track: Track, camera: Camera) -> Estimate:
        """Identity and expressions of a tracked face, with their uncertainty."""
        return self.see(frame, track, camera).estimate

    def see(self, frame: Frame, track: Track, camera: Camera) -> Seen:
        """The same, with the network's dense landmarks."""
        plain = self.maps.estimate(frame, track, camera)
        if self.network is None:
            return Seen(plain, None)
        sight = self.network.see(frame, track, self.looks)
        return Seen(blended(plain, sight.estimate, self.shares), sight)


def blended(maps: Estimate, network: Estimate, shares: Shares) -> Estimate:
    """The weighted mean of both; components that one lacks count as average there."""
    count = max(len(maps.identity), len(network.identity))
    i, e = shares.identity, shares.expression

    def identity(name: str, fill: float) -> Floats:
        ours, other = (_padded(getattr(x, name), count, fill) for x in (network, maps))
        return i * ours + (1 - i) * other

    return replace(
        maps,
        identity=identity("identity", 0.0),
        identity_sigma=identity("identity_sigma", 1.0),
        expression=e * network.expression + (1 - e) * maps.expression,
        expression_sigma=e * network.expression_sigma + (1 - e) * maps.expression_sigma,
    )


def _padded(values: Floats, count: int, fill: float) -> Floats:
    result = np.full(count, fill, np.float32)
    result[: len(values)] = values
    return result


def load_estimator(network: bool = False) -> StudioEstimator:
    """The default head's, as it comes with the program, for live use.

    Parameters
    ----------
    network
        With the face network; it takes some milliseconds a frame.

    Raises
    ------
    ModelDataError
        A file is missing or damaged.
    """
    return StudioEstimator(load_maps(), load_network() if network else None)
