"""A small picture with round corners."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QImage, QPainter, QPainterPath

from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.base import Painted


class Thumb(Painted):
    """A small picture with round corners."""

    def __init__(self, theme: Theme, width: int = 56, height: int = 40) -> None:
        super().__init__(theme)
        self.setFixedSize(width, height)
        self._image = QImage()

    def show_image(self, image: QImage | None) -> None:
        self._image = image or QImage()
        self.update()

    def sizeHint(self) -> QSize:
        return self.size()

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        paint_thumb(painter, self.theme, self._image, QRectF(self.rect()), 4)


def paint_thumb(
    painter: QPainter, theme: Theme, image: QImage, rect: QRectF, radius: float
) -> None:
    """A picture that fills and crops a rounded box."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    path = QPainterPath()
    path.addRoundedRect(rect, radius, radius)
    painter.setClipPath(path)
    painter.fillRect(rect, theme["card"])
    if not image.isNull():
        scale = max(rect.width() / image.width(), rect.height() / image.height())
        wide, high = rect.width() / scale, rect.height() / scale
        source = QRectF((image.width() - wide) / 2, (image.height() - high) / 2, wide, high)
        painter.drawImage(rect, image, source)
    painter.restore()
