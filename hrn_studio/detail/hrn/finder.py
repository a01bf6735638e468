"""Find a face as HRN does: its detector's box, then its 106 landmarks, looked at twice.

The published code uses the five points found so only to aim a third network (3D-FAN, of the
package face-alignment), whose 68 landmarks it crops by.  Here the five points themselves aim the
crop: they stand for the same five places.  The other landmarks stay those of the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hrn_studio.detail.hrn import store
from hrn_studio.detail.hrn.detector import RetinaFace, detect
from hrn_studio.detail.hrn.landmarks import FIVE, MEAN_RGB, Landmarks106, normalized
from hrn_studio.errors import NoFaceError
from hrn_studio.records import AnyFloats, Bytes, Doubles

MARGIN = 1.35
"""Side of the crop for the landmarks against the longer side of the face's box."""
SIDE = 224
_SAME = 0.2
"""Overlap at which two boxes show one face (intersection over union)."""
_AIMED = ((36, 39), (42, 45), (30,), (48,), (54,))
"""The iBUG landmarks whose means are the five points."""


@dataclass(frozen=True, slots=True, eq=False)
class Finder:
    """HRN's two networks for finding faces."""

    detector: RetinaFace
    landmarks: Landmarks106

    def boxes(self, image: Bytes) -> Doubles:
        """(N, 5) faces of a picture (H, W, 3), best first; see :func:`.detector.detect`."""
        return detect(self.detector, image)

    def points(self, image: Bytes, box: Sequence[float] | AnyFloats) -> Doubles:
        """(106, 2) landmarks in pixels, y down, of the face in a box (left, top, right, bottom)."""
        first = self._looked(image, box)
        return self._looked(image, (*first.min(0), *first.max(0)))

    def _looked(self, image: Bytes, box: Sequence[float] | AnyFloats) -> Doubles:
        crop, corner, scale = padded_crop(image, box)
        with torch.no_grad():
            found = self.landmarks(normalized(torch.from_numpy(np.array(crop))))[0]
        places = found.reshape(106, 2).double().numpy() * SIDE / scale
        return np.asarray(corner + places, np.float64)

    def refined(
        self, image: Bytes, landmarks: AnyFloats, near: Sequence[float] | AnyFloats
    ) -> Doubles:
        """68 landmarks (68, 2), y up, whose five points are those of HRN's own networks.

        Parameters
        ----------
        landmarks
            (68, 2) iBUG landmarks of the same face, pixels, y up.
        near
            Box of that face, y down: of several faces found, the one that lies there is taken.

        Raises
        ------
        NoFaceError
            The detector finds no face there.
        """
        faces = self.boxes(image)
        shared = [_overlap(face[:4], near) for face in faces]
        if not shared or max(shared) < _SAME:
            raise NoFaceError(
                "HRN's detector finds no face there; use another picture, or the studio's tracker"
            )
        five = self.points(image, faces[int(np.argmax(shared)), :4])[list(FIVE)]
        five = np.stack([five[:, 0], image.shape[0] - 1 - five[:, 1]], axis=1)
        moved = np.array(landmarks, np.float64)
        for indices, point in zip(_AIMED, five, strict=True):
            moved[list(indices)] += point - moved[list(indices)].mean(0)
        return moved


def load_finder(folder: Path) -> Finder:
    """The networks from the folder the catalogue keeps HRN in.

    Raises
    ------
    ModelDataError
        A file is missing or damaged.
    """
    return Finder(store.load_detector(folder), store.load_landmarks(folder))


def padded_crop(image: Bytes, box: Sequence[float] | AnyFloats) -> tuple[Bytes, Doubles, float]:
    """The square around a face that the 106-point network looks at.

    Parameters
    ----------
    box
        Left, top, right, bottom in pixels.

    Returns
    -------
    The crop (224, 224, 3), the pixel of the picture at its top left corner (2,), and how many
    pixels of the crop a pixel of the picture is.
    """
    left, top, right, bottom = (float(value) for value in box)
    side = max(2, round(MARGIN * max(right - left + 1, bottom - top + 1)))
    corner = np.round(np.array([(left + right) / 2, (top + bottom) / 2]) - side / 2)
    square = Image.new("RGB", (side, side), tuple(round(value) for value in MEAN_RGB))
    x, y = (int(value) for value in corner)
    square.paste(Image.fromarray(image), (-x, -y))
    scaled = square.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(scaled), corner, SIDE / side


def _overlap(a: AnyFloats, b: Sequence[float] | AnyFloats) -> float:
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    shared = float(np.clip(high - low, 0, None).prod())
    areas = [float(np.clip(box[2:] - box[:2], 0, None).prod()) for box in (first, second)]
    return shared / max(sum(areas) - shared, 1e-9)
