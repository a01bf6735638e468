"""The crop a face network looks at: upright, of fixed scale, grey, its light evened out.

The tracker's landmarks place it by a similarity onto the mean head's, so the position, size and
roll of the face in the picture do not matter; training places its crops the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hrn_studio.geometry.transforms import similarity
from hrn_studio.live._cv import cv2
from hrn_studio.live.features import alignment_points
from hrn_studio.records import AnyFloats, Bytes, Doubles, Floats, frozen

SIDE_PX = 128
WIDTH_M = 0.243
"""What a crop shows, on a head of average size: all of it, with the ears and the hairline."""
CENTER_M = (0.0, -0.02)
"""The middle of a crop on the mean head, head frame."""
AROUND_PX = 17
"""Width of the surroundings that a pixel is compared with."""
SOFT = 0.03
"""Contrast below this share of full scale is not raised to one."""


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Where a crop lies in its picture."""

    matrix: Doubles
    """(2, 3) from the picture's pixels to the crop's; pixel corners are integers in both."""
    side_px: int = SIDE_PX

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", frozen(self.matrix, np.float64))

    @property
    def scale(self) -> float:
        """Crop pixels per picture pixel."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))

    def to_crop(self, points_px: AnyFloats) -> Doubles:
        """(N, 2) of the picture, in crop units: -1..1 from the left, the top."""
        moved = np.asarray(points_px, np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]
        return np.asarray(moved / (0.5 * self.side_px) - 1)

    def to_picture(self, points: AnyFloats) -> Doubles:
        """Crop units (N, 2) in the picture's pixels."""
        pixels = (np.asarray(points, np.float64) + 1) * (0.5 * self.side_px)
        return np.asarray((pixels - self.matrix[:, 2]) @ np.linalg.inv(self.matrix[:, :2]).T)

    def mirrored(self) -> Placement:
        """The same crop, left and right exchanged."""
        flip = np.array([[-1.0, 0.0], [0.0, 1.0]])
        matrix = np.column_stack([flip @ self.matrix[:, :2], flip @ self.matrix[:, 2]])
        matrix[0, 2] += self.side_px
        return replace(self, matrix=matrix)


def place(points_px: AnyFloats, reference: AnyFloats, side_px: int = SIDE_PX) -> Placement:
    """Where the crop of a tracked face lies.

    Parameters
    ----------
    points_px
        (L, 2) the tracker's landmarks, 468 or more.
    reference
        (L, 3) the mean head's, metres, head frame.
    """
    used = alignment_points(len(points_px))
    per_m = side_px / WIDTH_M
    target = np.zeros((len(used), 3))
    target[:, 0] = (reference[used, 0] - CENTER_M[0]) * per_m + side_px / 2
    target[:, 1] = (CENTER_M[1] - reference[used, 1]) * per_m + side_px / 2
    seen = np.column_stack([points_px[used, :2], np.zeros(len(used))])
    scale, R, t = similarity(seen, target)
    return Placement(np.column_stack([scale * R[:2, :2], t[:2]]), side_px)


def cut(image: Bytes, placement: Placement) -> Bytes:
    """(side, side) grey: the crop of a picture (H, W, 3) RGB; its border pixels go on outside."""
    scale, matrix = placement.scale, placement.matrix.copy()
    while scale < 0.6 and min(image.shape[:2]) > 2 * placement.side_px:
        image = np.asarray(
            cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
        )
        matrix[:, :2] *= 2
        scale *= 2
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5  # OpenCV's integers are pixel centres
    side = (placement.side_px, placement.side_px)
    crop = cv2.warpAffine(
        image, matrix, side, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)


def evened(crop: Bytes) -> Floats:
    """A crop (H, W) as the networks want it: local contrast, mean 0, deviation near 1.

    Each pixel is compared with its surroundings (Jarrett et al., What is the Best Multi-Stage
    Architecture for Object Recognition?, ICCV 2009): edges stay, skin tone and broad light go, for
    these differ most between renders and photographs.
    """
    grey = np.asarray(crop, np.float32) / np.float32(255)
    around = (AROUND_PX, AROUND_PX)
    off = grey - cv2.blur(grey, around, borderType=cv2.BORDER_REPLICATE)
    power = cv2.blur(off * off, around, borderType=cv2.BORDER_REPLICATE)
    power = np.maximum(power, 0)  # running sums of squares end just below zero where all is flat
    return np.asarray(off / (np.sqrt(power) + np.float32(SOFT)), np.float32)
