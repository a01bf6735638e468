"""One measure: glyph, name, gauge, value.  One row of a calm list."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from hrn_studio.live.quality import Measure
from hrn_studio.ui import words
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.base import Painted, elided, paint_glyph

GAUGE, GAUGE_H = 52, 4


class QualityRow(Painted):
    """Paints a :class:`Measure`.

    Signals
    -------
    clicked, opened
        Its key: explain it, or edit its limits.
    """

    clicked = Signal(str)
    opened = Signal(str)

    def __init__(self, theme: Theme, key: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.key = key
        self._measure: Measure | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_measure(self, measure: Measure) -> None:
        """Paint it, when what is seen of it differs."""
        old = self._measure
        self._measure = measure
        if old is not None and (old.state, words.value(old)) == (
            measure.state,
            words.value(measure),
        ):
            return
        self.tell(measure.limit.label, f"{words.value(measure)}, {words.STATES[measure.state]}")
        self.update()

    def paintEvent(self, event: object) -> None:
        measure, theme = self._measure, self.theme
        if measure is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, middle = self.width(), self.height() / 2
        paint_glyph(painter, theme, measure.state, QRectF(0, middle - 6.5, 13, 13))
        needs = measure.state in ("warn", "bad") and measure.limit.required
        painter.setFont(theme.font("small", 600 if needs else 400))
        painter.setPen(theme["text"] if needs else theme["text_secondary"])
        gauge_x = round(width * 0.537)
        flags = Qt.AlignmentFlag.AlignVCenter
        name = elided(painter, measure.limit.label, gauge_x - 24)
        painter.drawText(QRectF(18, 0, gauge_x - 22, self.height()), flags, name)
        self._paint_gauge(painter, QRectF(gauge_x, middle - GAUGE_H / 2, GAUGE, GAUGE_H))
        painter.setFont(theme.font("small", 500 if needs else 400))
        if needs:
            painter.setPen(theme.state(measure.state))
        elif measure.state == "none":
            painter.setPen(theme["text_quiet"])
        else:
            painter.setPen(theme["text_secondary"])
        box = QRectF(gauge_x + GAUGE + 6, 0, width - gauge_x - GAUGE - 6, self.height())
        painter.drawText(box, flags | Qt.AlignmentFlag.AlignRight, words.value(measure))
        self.paint_focus(painter, QRectF(self.rect()).adjusted(-1, 1, 1, -1), 4)

    def _paint_gauge(self, painter: QPainter, rect: QRectF) -> None:
        measure, theme = self._measure, self.theme
        assert measure is not None
        low, high = measure.limit.shown
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme["raised"])
        painter.drawRoundedRect(rect, 2, 2)

        def at(value: float) -> float:
            return rect.x() + rect.width() * min(max((value - low) / (high - low), 0.0), 1.0)

        if measure.key == "one_face":
            span = QRectF(rect)
        else:
            a, b = (at(v) for v in measure.limit.green)
            span = QRectF(a, rect.y(), max(b - a, 3), rect.height())
        painter.setBrush(theme["control_border"])
        painter.setOpacity(0.75)
        painter.drawRoundedRect(span, 2, 2)
        painter.setOpacity(1.0)
        if math.isfinite(measure.value):
            painter.setBrush(theme.state(measure.state))
            x = min(max(at(measure.value), rect.x() + 1.5), rect.right() - 1.5)
            painter.drawRoundedRect(QRectF(x - 1.5, rect.center().y() - 5, 3, 10), 1, 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit(self.key)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.opened.emit(self.key)
