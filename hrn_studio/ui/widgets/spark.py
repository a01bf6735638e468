"""A small curve without axes: the first value, the last, and the way between."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen

from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.base import Painted

_HEIGHT = 60


class Spark(Painted):
    """Millimetres over steps."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._values: tuple[float, ...] = ()
        self.setFixedHeight(_HEIGHT)

    def show_values(self, values: tuple[float, ...]) -> None:
        if values != self._values:
            self._values = values
            now = f"{values[-1]:.2f} mm now" if values else "not known yet"
            self.tell("Change per step", now)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, _HEIGHT)

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme["card"])
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        area = QRectF(self.rect()).adjusted(12, 8, -12, -26)
        values = self._values
        painter.setPen(QPen(self.theme["raised"], 1))
        for y in (area.top(), area.bottom()):
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setPen(self.theme["text_secondary"])
        painter.setFont(self.theme.font("small"))
        words = QRectF(12, area.bottom() + 5, area.width(), 18)
        if not values:
            painter.drawText(words, Qt.AlignmentFlag.AlignLeft, "not known yet")
            return
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft, f"{values[0]:.2f} mm at the start")
        painter.drawText(words, Qt.AlignmentFlag.AlignRight, f"{values[-1]:.2f} mm now")
        top, count = max(*values, 1e-6), max(len(values) - 1, 1)
        points = [
            QPointF(area.left() + area.width() * i / count, area.bottom() - area.height() * v / top)
            for i, v in enumerate(values)
        ]
        painter.setPen(QPen(self.theme["accent"], 2))
        painter.drawPolyline(points)
