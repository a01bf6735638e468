"""A network as it ships, asked about many crops at once: for measuring it.

:class:`hrn_studio.live.network.FaceNetwork` is what the program uses; this reads the same file, and
gives all of the network's numbers for crops that are cut already.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hrn_studio.errors import UsageError
from hrn_studio.face.arrays import opened
from hrn_studio.live._cv import cv2
from hrn_studio.live.ensemble import Members, averaged, take_members
from hrn_studio.records import AnyFloats, Doubles, Floats
from hrn_studio.training.targets import Layout, Mirror

_REMEDY = "write it anew with 'hrn-studio train fit'"


class ShippedNetwork:
    """What :mod:`hrn_studio.training.ship` wrote: a network, or several that answer together.

    Parameters
    ----------
    member
        Ask only this one of them, counted from 0.

    Raises
    ------
    ModelDataError
        The file is missing, damaged or of another version.
    UsageError
        There is no such member.
    """

    def __init__(self, path: Path, member: int | None = None) -> None:
        with opened(path, "the face network", _REMEDY) as arrays:
            members = take_members(arrays, str(path), _REMEDY)
            count = len(members.models)
            if member is not None and not 0 <= member < count:
                raise UsageError(
                    f"'{path}' holds {count} networks; give --member a number from 1 to {count}"
                )
            counts = arrays["counts"]
            self.layout = Layout(arrays["vertices"], int(counts[0]), int(counts[1]))
            self.mirror = Mirror(
                arrays["mirror_points"], arrays["mirror_identity"], arrays["mirror_expression"]
            )
            self.members = (
                members if member is None else Members((members.models[member],), np.ones(3))
            )
            try:
                self._nets: list[Any] = [
                    cv2.dnn.readNetFromONNX(model) for model in self.members.models
                ]
            except cv2.error as error:
                raise ValueError("not a network") from error
        self.megabytes = path.stat().st_size / 1e6

    def read(self, crops: AnyFloats) -> Floats:
        """The numbers (B, ``layout.count``) for evened crops (B, 1, H, W)."""
        layout = self.layout
        sizes = len(layout.vertices), layout.identity_count, layout.expression_count
        return np.array(
            [averaged(each, sizes, self.members.deviations) for each in self.each(crops)],
            np.float32,
        )

    def each(self, crops: AnyFloats) -> Doubles:
        """The numbers of each of the M networks (B, M, ``layout.count``)."""
        rows = np.empty((len(crops), len(self._nets), self.layout.count))
        for k, crop in enumerate(np.asarray(crops, np.float32)):
            for m, net in enumerate(self._nets):
                net.setInput(crop[None])
                rows[k, m] = net.forward()[0]
        return rows
