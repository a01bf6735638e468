"""White balance from a grey card: gains picked in one picture, applied to those that follow."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from hrn_studio.errors import StudioError
from hrn_studio.live._cv import cv2
from hrn_studio.records import Bytes, Frame

NOTE = "white balance from a grey card"
_HALF_PX = 7
_DARK, _BRIGHT = 20, 250
_MOST = 6.0
"""The largest ratio of two channels' gains that a card in usual light can need."""
_UNEVEN = 22.0
"""Standard deviation in grey levels above which the place is no card."""


class GreyCardError(StudioError):
    """There is no grey card at the place that was picked."""


@dataclass(frozen=True, slots=True)
class Gains:
    """Factors on linear red, green and blue; the luminance stays."""

    red: float
    green: float
    blue: float

    def table(self) -> Bytes:
        """(1, 256, 3) from an sRGB-encoded value to the balanced one."""
        value = np.arange(256) / 255
        linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
        scaled = np.clip(linear[:, None] * (self.red, self.green, self.blue), 0, 1)
        encoded = np.where(scaled <= 0.0031308, scaled * 12.92, 1.055 * scaled ** (1 / 2.4) - 0.055)
        return np.asarray(np.rint(encoded * 255)[None], np.uint8)

    def times(self, other: Gains) -> Gains:
        """These on top of others."""
        return Gains(self.red * other.red, self.green * other.green, self.blue * other.blue)


def pick(image: Bytes, x: float, y: float) -> Gains:
    """The gains that make the place (x, y) of a picture grey, pixels.

    Raises
    ------
    GreyCardError
        The place is outside, too dark, clipped, patterned, or of a colour no card has.
    """
    high, wide = image.shape[:2]
    column, row = round(x), round(y)
    patch = image[max(row - _HALF_PX, 0) : row + _HALF_PX + 1,
                  max(column - _HALF_PX, 0) : column + _HALF_PX + 1]  # fmt: skip
    if not (0 <= column < wide and 0 <= row < high) or patch.size == 0:
        raise GreyCardError("that is not in the picture; click the grey card")
    values = patch.reshape(-1, 3).astype(np.float64)
    mean = values.mean(0)
    if mean.max() > _BRIGHT:
        raise GreyCardError("the card is over-exposed there; lower the exposure, then pick again")
    if mean.min() < _DARK:
        raise GreyCardError("the card is too dark there; give it more light, then pick again")
    if values.std(0).max() > _UNEVEN:
        raise GreyCardError("that is not an even surface; click the middle of the grey card")
    linear = np.where(values / 255 <= 0.04045, values / 255 / 12.92,
                      ((values / 255 + 0.055) / 1.055) ** 2.4).mean(0)  # fmt: skip
    gains = float(linear @ (0.2126, 0.7152, 0.0722)) / linear
    if gains.max() / gains.min() > _MOST:
        raise GreyCardError("that is too colourful for a grey card; click the card itself")
    return Gains(*(float(g) for g in gains))


def balanced(frame: Frame, table: Bytes) -> Frame:
    """The frame with :meth:`Gains.table` applied."""
    image = np.asarray(cv2.LUT(frame.image, table), np.uint8)
    image.flags.writeable = False
    return dataclasses.replace(frame, image=image, notes=(*frame.notes, NOTE))
