"""Which pixels of two pictures show the same skin, when a head already tells it roughly.

The head on which both pictures agree so far says where each pixel of the first falls in the second
(``places``).  The second picture is drawn over the first that way; what remains between the two is
a small, smooth displacement, found by dense inverse search (Kroeger et al., ECCV 2016, in OpenCV).

Light stays in the room when a head turns, so shading slides over the skin and would drag matches
along, most on the nose.  Pictures are therefore compared by their **grain**: brightness less its
blurred self, over its local contrast, in a window of some three pixels.  On renders with known
truth the nose's matches are 0.4 px off that way, 1.3 px with a window five times as wide.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hrn_studio.live._cv import cv2
from hrn_studio.records import Bools, Bytes, Doubles, Floats, Ints

_WINDOW = 1 / 140  # of the patch's side, blur that makes the grain
_NOISE = 3.0  # grey levels; contrast below it is no grain
_LEVELS = 45.0  # grey levels per unit of grain when the flow looks at it
_AGREE_PX = 1.0  # there and back again
_CORRELATED = 0.5
_CORRELATION_BLUR = 1 / 60  # of the side
_BORDER = 9  # pixels from the edge of what both see
_STEP = 1 / 52  # of the side, between matches


class GrainMatcher:
    """Cuts faces out of pictures and matches them; see the module."""

    def __init__(self) -> None:
        opencv: Any = cv2  # its stubs do not know the class
        self._flow = opencv.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def patch(
        self, image: Bytes, mask: Floats, to_patch: Doubles, size: int
    ) -> tuple[Floats, Floats]:
        """Grain and mask (S, S) of a square part of a picture.

        Parameters
        ----------
        image
            (H, W, 3) RGB.
        mask
            (H, W) 0..1, skin that may be believed.
        to_patch
            (2, 3) from pixels of the picture to pixels of the patch, (0.5, 0.5) being the centre
            of the first in both; a scale and a shift.
        """
        scale = float(to_patch[0, 0])
        grey: Any = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
        grey = grey.astype(np.float32)
        if scale < 1:
            grey = cv2.GaussianBlur(grey, (0, 0), max(0.5 * np.sqrt(scale**-2 - 1), 0.1))
        by_index = np.asarray(to_patch, np.float64).copy()
        by_index[:, 2] += 0.5 * scale - 0.5
        how = cv2.INTER_LINEAR if scale < 1 else cv2.INTER_CUBIC
        part = cv2.warpAffine(
            grey, by_index, (size, size), flags=how, borderMode=cv2.BORDER_REPLICATE
        )
        skin = cv2.warpAffine(np.asarray(mask, np.float32), by_index, (size, size))
        rest = part - cv2.GaussianBlur(part, (0, 0), _WINDOW * size)
        contrast = cv2.GaussianBlur(rest * rest, (0, 0), _WINDOW * size)
        return np.asarray(rest / np.sqrt(contrast + _NOISE**2), np.float32), np.asarray(skin)

    def match(
        self, first: Floats, second: Floats, places: Floats, usable: Bools
    ) -> tuple[Ints, Doubles, Doubles]:
        """Where pixels of the first patch are found in the second.

        Parameters
        ----------
        first, second
            (S, S) grain.
        places
            (S, S, 2) where the head puts each pixel of the first in the second, pixels.
        usable
            (S, S) what both see.

        Returns
        -------
        pixels (N, 2), found_px (N, 2), weights (N,)
            Row and column in the first, the place in the second, and how far to believe it, 0..1:
            how alike the two look there, and in how much of the skin they agree at all.
        """
        size = len(first)
        nothing = np.zeros((0, 2), np.int32), np.zeros((0, 2)), np.zeros(0)
        if usable.sum() < (_STEP * size) ** 2 * 20:
            return nothing
        drawn = _read(second, places - np.float32(0.5), cv2.INTER_CUBIC)
        eroded = cv2.erode(usable.astype(np.uint8), np.ones((5, 5)))
        soft = cv2.GaussianBlur(eroded.astype(np.float32), (0, 0), 3)
        drawn = drawn * soft + first * (1 - soft)
        a, b = _levels(first), _levels(drawn)
        there, back = self._flow.calc(a, b, None), self._flow.calc(b, a, None)
        grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1).astype(np.float32)
        at = grid + there
        away = there + _read(back, at)
        found = _read(places, at)
        inside = _read(usable.astype(np.float32), at) > 0.99
        likeness = _correlation(a, _read(b, at), size)
        inner = cv2.erode(usable.astype(np.uint8), np.ones((_BORDER, _BORDER))) > 0
        good = (
            inner & inside & (np.linalg.norm(away, axis=-1) < _AGREE_PX) & (likeness > _CORRELATED)
        )
        step = max(round(_STEP * size), 1)
        rows, columns = np.nonzero(good[step // 2 :: step, step // 2 :: step])
        pixels = np.stack([rows, columns], 1).astype(np.int32) * step + step // 2
        picked = pixels[:, 0], pixels[:, 1]
        share = good.sum() / max(inner.sum(), 1)  # where little agrees, chance agrees as well
        weights = share * np.square(np.clip(likeness[picked], 0, 1)).astype(np.float64)
        return pixels, found[picked].astype(np.float64), weights


def _read(image: Any, at: Any, how: int = cv2.INTER_LINEAR) -> Any:
    """A picture's values at (S, S, 2) column and row, whole numbers being centres of pixels."""
    return cv2.remap(image, np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1]), how)


def _levels(grain: Any) -> Any:
    return np.clip(128 + _LEVELS * grain, 0, 255).astype(np.uint8)


def _correlation(a: Any, b: Any, size: int) -> Any:
    """(S, S) -1..1, how alike two pictures are around each pixel."""

    def mean(values: Any) -> Any:
        return cv2.GaussianBlur(values, (0, 0), _CORRELATION_BLUR * size)

    a, b = a.astype(np.float32), b.astype(np.float32)
    mean_a, mean_b = mean(a), mean(b)
    both = mean(a * b) - mean_a * mean_b
    spread = (mean(a * a) - mean_a**2 + 4) * (mean(b * b) - mean_b**2 + 4)
    return both / np.sqrt(np.maximum(spread, 1e-6))
