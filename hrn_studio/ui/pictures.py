"""Pictures as Qt wants them."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from PySide6.QtGui import QImage

from hrn_studio.records import Bytes
from hrn_studio.render import software
from hrn_studio.session.state import Result
from hrn_studio.ui.options import KEY
from hrn_studio.ui.scenes import Heads
from hrn_studio.ui.view import Orbit


def qimage(pixels: Bytes) -> QImage:
    """An image of its own from (h, w, 3) or (h, w, 4) pixels."""
    high, wide, channels = pixels.shape
    kind = QImage.Format.Format_RGB888 if channels == 3 else QImage.Format.Format_RGBA8888
    data = np.ascontiguousarray(pixels).tobytes()
    return QImage(data, wide, high, channels * wide, kind).copy()


def pixels_of(image: QImage) -> Bytes:
    """(h, w, 3) pixels of an image."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    high, wide = plain.height(), plain.width()
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(high, plain.bytesPerLine())
    return rows[:, : 3 * wide].reshape(high, wide, 3).copy()


def frame_heat(
    heads: Heads, result: Result, index: int, side: int
) -> Generator[None, None, QImage]:
    """Where one frame of a fused head differs from the others, as a job."""
    yield
    return qimage(software.image(heads.frame_scene(result, index, side)))


def rendering(heads: Heads, width: int, height: int) -> Generator[None, None, QImage]:
    """The mean head without a viewport, as a job."""
    yield
    orbit = Orbit(yaw=-0.55, pitch=0.06)
    scene = heads.live_scene(
        None, "clay", orbit, KEY, (float(width), float(height)), (width, height)
    )
    return qimage(software.image(scene))
