"""A heat map's legend."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPen

from hrn_studio.ui.theme import Theme


@dataclass(frozen=True, slots=True)
class Scale:
    """A heat map's legend."""

    title: str
    stops: tuple[str, ...]
    """Low to high."""
    ticks: tuple[str, ...]
    """Five, low to high."""
    notes: tuple[str, ...] = ()


def scale_bar(painter: QPainter, theme: Theme, scale: Scale, rect: QRectF) -> None:
    """What a colour means, at the pane's upper right."""
    bar_h = min(260.0, rect.height() - 190)
    box = QRectF(rect.right() - 12 - 92, rect.y() + 12, 92, bar_h + 52 + 15 * len(scale.notes))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme["pill"])
    painter.drawRoundedRect(box, 8, 8)
    text = theme["pill_text"]
    painter.setPen(text)
    painter.setFont(theme.font("small", 600))
    painter.drawText(QPointF(box.x() + 12, box.y() + 21), scale.title)
    bar = QRectF(box.x() + 12, box.y() + 40, 12, bar_h)
    shade = QLinearGradient(bar.bottomLeft(), bar.topLeft())
    for i, stop in enumerate(scale.stops):
        shade.setColorAt(i / (len(scale.stops) - 1), QColor(stop))
    painter.fillRect(bar, shade)
    painter.setFont(theme.font("small"))
    count = len(scale.ticks) - 1
    for i, tick in enumerate(scale.ticks):
        y = bar.bottom() - bar.height() * i / count
        painter.setPen(QPen(text, 1))
        painter.drawLine(QPointF(bar.right(), y), QPointF(bar.right() + 6, y))
        where = QRectF(bar.right() + 12, y - 9, 52, 18)
        painter.drawText(where, Qt.AlignmentFlag.AlignVCenter, tick)
    painter.setFont(theme.font("caption"))
    painter.setPen(QColor(theme.tokens.dark["text_secondary"]))
    for i, note in enumerate(scale.notes):
        painter.drawText(QPointF(box.x() + 12, bar.bottom() + 22 + 14 * i), note)
