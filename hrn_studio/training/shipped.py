"""A network as it ships, asked about many crops at once: for measuring it.

:class:`hrn_studio.live.network.FaceNetwork` is what the program uses; this reads the same file, and
gives all of the network's numbers for crops that are cut already.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hrn_studio.errors import ModelDataError
from hrn_studio.face.arrays import opened
from hrn_studio.live._cv import cv2
from hrn_studio.live.network import VERSION
from hrn_studio.records import AnyFloats, Floats
from hrn_studio.training.targets import Layout, Mirror

_REMEDY = "write it anew with 'hrn-studio train fit'"


class ShippedNetwork:
    """What :func:`hrn_studio.training.ship.ship` wrote.

    Raises
    ------
    ModelDataError
        The file is missing, damaged or of another version.
    """

    def __init__(self, path: Path) -> None:
        with opened(path, "the face network", _REMEDY) as arrays:
            version = int(arrays["version"])
            if version != VERSION:
                raise ModelDataError(
                    f"the face network '{path}' has version {version}, this program needs "
                    f"{VERSION}; {_REMEDY}"
                )
            counts = arrays["counts"]
            self.layout = Layout(arrays["vertices"], int(counts[0]), int(counts[1]))
            self.mirror = Mirror(
                arrays["mirror_points"], arrays["mirror_identity"], arrays["mirror_expression"]
            )
            try:
                model = np.ascontiguousarray(arrays["model"], np.uint8)
                self._net: Any = cv2.dnn.readNetFromONNX(model)
            except cv2.error as error:
                raise ValueError("not a network") from error
        self.megabytes = path.stat().st_size / 1e6

    def read(self, crops: AnyFloats) -> Floats:
        """The numbers (B, ``layout.count``) for evened crops (B, 1, H, W)."""
        rows = np.empty((len(crops), self.layout.count), np.float32)
        for k, crop in enumerate(np.asarray(crops, np.float32)):
            self._net.setInput(crop[None])
            rows[k] = self._net.forward()[0]
        return rows
