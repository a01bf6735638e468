"""Which parts of the face have lost their detail, as a mask the window hatches."""

from __future__ import annotations

import numpy as np

from hrn_studio.live._cv import cv2
from hrn_studio.live.quality_light import BRIGHT, DARK, face_crop
from hrn_studio.records import Bytes, Track

DARK_CODE, BRIGHT_CODE = 1, 2


def clipping(image: Bytes, track: Track) -> tuple[Bytes, tuple[float, float, float, float]] | None:
    """Codes (h, w) 0, DARK_CODE or BRIGHT_CODE, and where they lie (x, y, width, height) in px.

    Only inside the face; None when the face is not in the picture.
    """
    crop = face_crop(image, track)
    if crop is None:
        return None
    codes = np.zeros_like(crop.luma)
    codes[crop.luma <= DARK] = DARK_CODE
    codes[crop.luma >= BRIGHT] = BRIGHT_CODE
    codes[crop.mask == 0] = 0
    codes = np.asarray(cv2.medianBlur(codes, 3), np.uint8)
    height, width = codes.shape
    box = (*map(float, crop.origin_px), width / crop.scale, height / crop.scale)
    return codes, (box[0], box[1], box[2], box[3])
