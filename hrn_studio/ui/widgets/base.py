"""What painted widgets have in common."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QWidget

from hrn_studio.live.quality_limits import State
from hrn_studio.ui.theme import Theme

Shown: TypeAlias = State | Literal["busy"]
KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


class Painted(QWidget):
    """A widget that paints a record, again when the theme changes."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.keyboard_focus = False
        theme.changed.connect(self.update)

    def tell(self, name: str, description: str) -> None:
        """What a screen reader says; only when it changed."""
        if self.accessibleName() != name:
            self.setAccessibleName(name)
        if self.accessibleDescription() != description:
            self.setAccessibleDescription(description)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.keyboard_focus = event.reason() in KEYBOARD
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.keyboard_focus = False
        self.update()
        super().focusOutEvent(event)

    def paint_focus(self, painter: QPainter, rect: QRectF, radius: float) -> None:
        """The ring around what the keyboard is on."""
        if self.keyboard_focus:
            painter.setPen(QPen(self.theme["accent"], 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect, radius, radius)


def paint_glyph(
    painter: QPainter, theme: Theme, state: Shown, rect: QRectF, progress: float = 0.3
) -> None:
    """A state as a shape: tick in a ring, triangle, octagon, dashed ring, ring of progress."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    color = theme.state(state)
    size = rect.width()
    width = max(1.3, size / 13)
    centre, radius = rect.center(), size / 2 - width / 2
    pen = QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)

    def at(x: float, y: float) -> QPointF:
        return QPointF(rect.x() + x * size, rect.y() + y * size)

    if state == "ok":
        painter.drawEllipse(centre, radius, radius)
        path = QPainterPath(at(0.30, 0.52))
        path.lineTo(at(0.44, 0.66))
        path.lineTo(at(0.70, 0.37))
        painter.drawPath(path)
    elif state == "warn":
        path = QPainterPath(at(0.5, 0.09))
        for x, y in ((0.97, 0.9), (0.03, 0.9)):
            path.lineTo(at(x, y))
        path.closeSubpath()
        painter.setBrush(color)
        painter.drawPath(path)
        _mark(painter, theme, at, size, ((0.5, 0.38), (0.5, 0.62)), ((0.5, 0.77), (0.5, 0.78)))
    elif state == "bad":
        path = QPainterPath()
        for i in range(8):
            a = math.pi / 8 + math.pi / 4 * i
            point = QPointF(centre.x() + radius * math.cos(a), centre.y() + radius * math.sin(a))
            path.lineTo(point) if i else path.moveTo(point)
        path.closeSubpath()
        painter.setBrush(color)
        painter.drawPath(path)
        _mark(painter, theme, at, size, ((0.35, 0.35), (0.65, 0.65)), ((0.65, 0.35), (0.35, 0.65)))
    elif state == "busy":
        painter.setPen(QPen(theme["raised"], width * 1.6))
        painter.drawEllipse(centre, radius - width, radius - width)
        pen.setWidthF(width * 1.6)
        painter.setPen(pen)
        box = QRectF(0, 0, 2 * (radius - width), 2 * (radius - width))
        box.moveCenter(centre)
        painter.drawArc(box, 90 * 16, int(-360 * 16 * min(max(progress, 0.02), 1)))
    else:
        pen.setDashPattern([1.6, 2.0])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawEllipse(centre, radius, radius)
    painter.restore()


_Stroke = tuple[tuple[float, float], tuple[float, float]]


def _mark(
    painter: QPainter,
    theme: Theme,
    at: Callable[[float, float], QPointF],
    size: float,
    *strokes: _Stroke,
) -> None:
    pen = QPen(theme["window"], max(1.3, size / 9))
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    for a, b in strokes:
        painter.drawLine(at(*a), at(*b))


def elided(painter: QPainter, text: str, width: float) -> str:
    return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(width))


class StateGlyph(Painted):
    """A state as a shape, 12 to 28 px."""

    def __init__(self, theme: Theme, size: int = 14, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._state: Shown = "none"
        self._progress = 0.0
        self.setFixedSize(size, size)

    def show_state(self, state: Shown, progress: float = 0.3) -> None:
        if (state, progress) != (self._state, self._progress):
            self._state, self._progress = state, progress
            self.update()

    @property
    def state(self) -> Shown:
        return self._state

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        paint_glyph(painter, self.theme, self._state, QRectF(self.rect()), self._progress)
