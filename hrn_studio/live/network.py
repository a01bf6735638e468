"""The face network that comes with the program: what it sees in a crop of a tracked face.

``hrn-studio train`` makes it (:mod:`hrn_studio.training`), from renders of the default head.  It
runs in OpenCV's own engine, so neither the live view nor the fit needs anything else for it.  A
file may hold several networks, which answer together (:mod:`.ensemble`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hrn_studio import paths
from hrn_studio.face.arrays import opened
from hrn_studio.face.dense import DensePoints
from hrn_studio.live._cv import cv2
from hrn_studio.live.ensemble import (
    LOG_COEFFICIENT,
    LOG_SIGMA,
    Members,
    averaged,
    take_members,
)
from hrn_studio.live.facecrop import SIDE_PX, Placement, cut, evened, place
from hrn_studio.records import Doubles, Estimate, Floats, Frame, Ints, Track

_REMEDY = "install HRN Studio again, or build it anew with 'hrn-studio train'"


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What the network makes of one face."""

    estimate: Estimate
    """Identity and expressions."""
    dense: DensePoints
    """Where the head's vertices are in the picture."""

    @property
    def points_px(self) -> Floats:
        """(K, 2) dense landmarks in the picture."""
        return self.dense.points_px

    @property
    def sigma_px(self) -> Floats:
        """(K,) their standard deviation along one axis."""
        return self.dense.sigma_px


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The network's numbers for one crop, taken apart."""

    points: Doubles
    """(K, 2) crop units."""
    sigma: Doubles
    """(K,) crop units."""
    identity: Doubles
    expression: Doubles
    identity_sigma: Doubles
    expression_sigma: Doubles


class FaceNetwork:
    """A trained network, or several, and what its numbers mean.

    Parameters
    ----------
    members
        The networks in ONNX.
    vertices
        (K,) of the head: its dense landmarks.
    identity_count, expression_count
        How many coefficients it gives.
    reference
        (L, 3) the tracker's landmarks on the mean head: they place the crop.
    mirror_points, mirror_identity, mirror_expression
        What a mirrored picture does to the answer; see
        :class:`hrn_studio.training.targets.Mirror`.
    """

    def __init__(
        self,
        members: Members,
        vertices: Ints,
        identity_count: int,
        expression_count: int,
        reference: Doubles,
        mirror_points: Ints,
        mirror_identity: Floats,
        mirror_expression: Ints,
    ) -> None:
        self._nets: list[Any] = [cv2.dnn.readNetFromONNX(model) for model in members.models]
        self._deviations = members.deviations
        self.vertices = vertices
        self.identity_count, self.expression_count = identity_count, expression_count
        self._reference = reference
        self._points, self._signs, self._names = mirror_points, mirror_identity, mirror_expression

    def see(self, frame: Frame, track: Track, looks: int = 1) -> Sight:
        """Look at a tracked face.

        Parameters
        ----------
        looks
            1: the crop; 2: and its mirror image; more: and crops that are moved a little.  The
            answers are averaged: slower, and better.
        """
        placement = place(track.points_px, self._reference)
        readings, points = [], []
        for view, mirrored in _views(placement, looks):
            reading = self._read(frame, view)
            placed = view.to_picture(reading.points)
            readings.append(self._mirrored(reading) if mirrored else reading)
            points.append(placed[self._points] if mirrored else placed)
        mean = {
            name: np.mean([getattr(r, name) for r in readings], 0)
            for name in (
                *("identity", "identity_sigma", "expression", "expression_sigma", "sigma"),
            )
        }
        return Sight(
            Estimate(
                mean["identity"],
                mean["identity_sigma"],
                np.clip(mean["expression"], 0, 1),
                mean["expression_sigma"],
            ),
            DensePoints(
                self.vertices,
                np.mean(points, 0),
                mean["sigma"] * 0.5 * SIDE_PX / placement.scale,
            ),
        )

    def _read(self, frame: Frame, view: Placement) -> Reading:
        crop = evened(cut(frame.image, view))[None, None]
        answers = []
        for net in self._nets:
            net.setInput(crop)
            answers.append(np.asarray(net.forward(), np.float64)[0])
        k, i, e = sizes = len(self.vertices), self.identity_count, self.expression_count
        values = averaged(answers, sizes, self._deviations)
        parts = np.split(values, np.cumsum([2 * k, k, i, e, i, e]))
        return Reading(
            parts[0].reshape(k, 2),
            np.exp(np.clip(parts[1], *LOG_SIGMA)),
            parts[2],
            parts[3],
            np.exp(np.clip(parts[4], *LOG_COEFFICIENT)),
            np.exp(np.clip(parts[5], *LOG_COEFFICIENT)),
        )

    def _mirrored(self, reading: Reading) -> Reading:
        swap = self._names
        return Reading(
            reading.points,
            reading.sigma[self._points],
            reading.identity * self._signs,
            reading.expression[swap],
            reading.identity_sigma,
            reading.expression_sigma[swap],
        )


def _views(placement: Placement, looks: int) -> list[tuple[Placement, bool]]:
    """Crops to look at, and whether each is mirrored; the same ones every time."""
    rng = np.random.default_rng(0)
    views = [placement]
    while 2 * len(views) < looks:
        shift, zoom, roll = rng.normal(0, 0.02, 2), np.exp(rng.normal(0, 0.03)), rng.normal(0, 0.04)
        cos, sin = np.cos(roll) * zoom, np.sin(roll) * zoom
        turn = np.array([[cos, -sin], [sin, cos]])
        half = 0.5 * placement.side_px
        origin = turn @ (placement.matrix[:, 2] - half) + half + shift * half
        views.append(Placement(np.column_stack([turn @ placement.matrix[:, :2], origin])))
    both = [(view, False) for view in views] + [(view.mirrored(), True) for view in views]
    return [both[0]] if looks == 1 else both


def load_network(path: Path | None = None, members: int | None = None) -> FaceNetwork:
    """The network of the default head.

    Parameters
    ----------
    members
        Of a file of several networks, ask only so many; None: all.

    Raises
    ------
    ModelDataError
        The file is missing, damaged or of another version.
    """
    path = paths.resources() / "network.npz" if path is None else path
    with opened(path, "the face network", _REMEDY) as arrays:
        networks = take_members(arrays, str(path), _REMEDY)
        counts = arrays.pop("counts")
        try:
            return FaceNetwork(
                networks if members is None else networks.first(members),
                identity_count=int(counts[0]),
                expression_count=int(counts[1]),
                **arrays,
            )
        except cv2.error as error:
            raise ValueError("not a network") from error
