"""A curve over a small whole number, with a good level and what is to be expected."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.base import Painted

_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 16.0, 14.0, 30.0


@dataclass(frozen=True, slots=True)
class Course:
    """Values at 1, 2, 3 ..."""

    values: tuple[float, ...]
    now: int
    """How many there are; later ones are expected."""
    good: float
    """Below is good."""
    good_text: str


class Curve(Painted):
    """Paints a :class:`Course`."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._course: Course | None = None
        self.setMinimumHeight(110)

    def show_course(self, course: Course | None, description: str) -> None:
        self._course = course
        self.tell("Curve", description)
        self.update()

    def paintEvent(self, event: object) -> None:
        course = self._course
        if course is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)
        top = _rounded_up(max(*course.values, course.good))
        count = len(course.values)

        def at(number: int, value: float) -> QPointF:
            x = area.left() + area.width() * (number - 1) / max(count - 1, 1)
            return QPointF(x, area.bottom() - area.height() * value / top)

        self._axes(painter, area, top, count)
        good = at(1, course.good).y()
        painter.setPen(QPen(self.theme["ok"], 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), good), QPointF(area.right(), good))
        painter.setFont(self.theme.font("caption"))
        where = QRectF(area.left(), good - 18, area.width(), 16)
        painter.drawText(where, Qt.AlignmentFlag.AlignRight, course.good_text)
        accent = self.theme["accent"]
        points = [at(n, value) for n, value in enumerate(course.values, 1)]
        painter.setPen(QPen(accent, 2))
        painter.drawPolyline(points[: course.now])
        painter.setPen(QPen(accent, 2, Qt.PenStyle.DotLine))
        painter.drawPolyline(points[course.now - 1 :])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        for point in points[: course.now]:
            painter.drawEllipse(point, 3.5, 3.5)
        painter.setPen(QPen(accent, 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        here = points[course.now - 1]
        painter.drawEllipse(here, 7, 7)
        painter.setPen(self.theme["text"])
        painter.setFont(self.theme.font("caption", 600))
        box = QRectF(here.x() - 24, here.y() + 9, 48, 16)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "now")

    def _axes(self, painter: QPainter, area: QRectF, top: float, count: int) -> None:
        painter.setFont(self.theme.font("caption"))
        for value in (0.0, top / 2, top):
            y = area.bottom() - area.height() * value / top
            painter.setPen(QPen(self.theme["raised"], 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(self.theme["text_secondary"])
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, y - 9, _LEFT - 10, 18), flags, f"{value:.2g}")
        for number in range(1, count + 1):
            x = area.left() + area.width() * (number - 1) / max(count - 1, 1)
            box = QRectF(x - 14, area.bottom() + 6, 28, 16)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(number))


def _rounded_up(value: float) -> float:
    return next((s for s in (0.2, 0.5, 1.0, 2.0, 5.0, 10.0) if value <= s), value)
