"""Eyes that shut: where a person's lids are across the eye, and how far they have to go.

The eye is cut by upright planes, one every 1.5 mm.  In each the opening is the height between the
lowest point of the upper lid and the highest of the lower one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.export.contact import Rows, stacked
from hrn_studio.face.model import Eye, HeadModel
from hrn_studio.geometry.mesh import edges
from hrn_studio.geometry.transforms import similarity
from hrn_studio.records import Doubles, Ints

_STEP_M = 0.0015
_OPEN_M = 0.0015
"""Planes with less opening than this are corners of the eye."""
_SHUT_M = 0.0001
_NEAR_M = 0.0006
_FRONT = 0.3
"""Lids lie this share of the eyeball's radius before its centre, or further."""
_SKIN_M = 0.0012
"""A lid's skin keeps this distance from the eyeball where it had as much."""
_REACH = (0.3, 1.5)
"""Between these shares of the model's movement the lids are expected to meet."""


@dataclass(frozen=True, slots=True, eq=False)
class Ball:
    """A person's eyeball."""

    center: Doubles
    """(3,)"""
    radius: float


def ball_of(head: HeadModel, eye: Eye, person: Doubles) -> Ball:
    """Where the eyeball is in a person's head (V, 3)."""
    scale, R, t = similarity(head.mean[eye.vertices].astype(np.float64), person[eye.vertices])
    return Ball(scale * R @ eye.center + t, float(scale * eye.radius))


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The rim of one lid in each plane."""

    height: Doubles
    """(N,) metres; NaN where the lid is not."""
    edges: Ints
    """(N, 2) the rim's point lies between these vertices."""
    share: Doubles
    """(N,) how far along, 0..1."""


class Lids:
    """The two lids of one eye of a person."""

    def __init__(self, head: HeadModel, eye: Eye, person: Doubles) -> None:
        self.ball = ball_of(head, eye, person)
        self._edges = [
            _edges_within(head, f"lid_{which}_{eye.side.lower()}") for which in ("upper", "lower")
        ]
        width = 1.5 * self.ball.radius
        self._planes = self.ball.center[0] + np.arange(-width, width, _STEP_M)
        upper, lower = self._cuts(person)
        with np.errstate(invalid="ignore"):
            wide = upper.height - lower.height > _OPEN_M
        self._planes = self._planes[wide]
        vertices = np.unique(np.concatenate(self._edges))
        outward = person[vertices] - self.ball.center
        height = np.linalg.norm(outward, axis=1)
        before = (height > self.ball.radius) & (outward[:, 2] > _FRONT * self.ball.radius)
        self._skin = vertices[before]
        self._least = np.minimum(height[before], self.ball.radius + _SKIN_M)

    def shares(self, person: Doubles, offsets: Doubles) -> Doubles:
        """(V,) with how much of ``offsets`` (V, 3), at each vertex, the lids just meet."""
        if len(self._planes) < 3:
            return np.ones(len(person))
        opening = [
            np.subtract(*(cut.height for cut in self._cuts(v))) for v in (person, person + offsets)
        ]
        with np.errstate(invalid="ignore"):
            share = opening[0] / (opening[0] - opening[1])
        good = np.isfinite(share)
        share = np.clip(share[good], *_REACH)
        share = np.convolve(np.pad(share, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
        return np.interp(person[:, 0], self._planes[good], share)

    def gaps(self, vertices: Doubles) -> Doubles:
        """(N,) opening in each plane, metres; negative where the lids overlap."""
        upper, lower = self._cuts(vertices)
        return upper.height - lower.height

    def meeting(self, vertices: Doubles) -> Rows:
        """What brings the rims together outside and on the eyeball, or apart if they overlap."""
        outside = _met(*self._cuts(vertices), 0.5 * _SHUT_M)
        return stacked([outside, _met(*self._cuts(vertices, _NEAR_M), 0.0)])

    def lifting(self, vertices: Doubles) -> Rows:
        """What brings lids out of the eyeball."""
        outward = vertices[self._skin] - self.ball.center
        height = np.linalg.norm(outward, axis=1)
        low = (height < self._least - 1e-5) & (outward[:, 2] > 0)
        directions = outward[low] / height[low, None]
        return Rows(self._skin[low, None], directions[:, None], (self._least - height)[low])

    def _cuts(self, vertices: Doubles, near: float = np.inf) -> tuple[Cut, Cut]:
        """Of what is at most ``near`` from the eyeball's surface."""
        result = []
        for pairs, sign in zip(self._edges, (-1, 1), strict=True):
            a, b = (vertices[pairs[:, k]] - self.ball.center for k in (0, 1))
            result.append(
                _cut(a, b, pairs, self._planes - self.ball.center[0], sign, near, self.ball.radius)
            )
        upper, lower = result
        return upper, lower


def _met(upper: Cut, lower: Cut, goal: float) -> Rows:
    """What makes the opening ``goal``."""
    gap = upper.height - lower.height - goal
    wrong = np.flatnonzero(np.nan_to_num(np.abs(gap)) > 0.5 * _SHUT_M)
    weights = np.stack([1 - upper.share, upper.share, lower.share - 1, -lower.share], 1)
    gradients = np.zeros((len(wrong), 4, 3))
    gradients[:, :, 1] = -np.sign(gap[wrong])[:, None] * weights[wrong]
    return Rows(
        np.concatenate([upper.edges, lower.edges], 1)[wrong],
        gradients,
        np.abs(gap[wrong]),
    )


def _edges_within(head: HeadModel, region: str) -> Ints:
    inside = head.regions[region] > 0.5
    return edges(head.triangles[inside[head.triangles].all(1)])


def _cut(
    a: Doubles, b: Doubles, pairs: Ints, planes: Doubles, sign: int, near: float, radius: float
) -> Cut:
    """The highest (``sign`` 1) or lowest (-1) point of edges a-b in planes of constant x."""
    along = b[:, 0] - a[:, 0]
    along = np.where(np.abs(along) < 1e-12, 1e-12, along)
    share = (planes[:, None] - a[:, 0]) / along
    y, z = (a[:, k] + share * (b - a)[:, k] for k in (1, 2))
    outside = (share < 0) | (share > 1) | (z < _FRONT * radius)
    outside |= np.abs(np.sqrt(planes[:, None] ** 2 + y**2 + z**2) - radius) > near
    height = np.where(outside, -np.inf, sign * y)
    best = height.argmax(1)
    rows = np.arange(len(planes))
    found = height[rows, best]
    return Cut(np.where(np.isfinite(found), sign * found, np.nan), pairs[best], share[rows, best])
