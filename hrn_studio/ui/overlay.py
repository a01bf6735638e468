"""What is painted over the panes: pills, guides, the wipe line, cards.

Plain functions on a painter; each paints from what it is given and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from hrn_studio.ui import icons
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.base import paint_glyph


def pill(painter: QPainter, theme: Theme, text: str, rect: QRectF, corner: str) -> QRectF:
    """A word on a dark pill in a corner (``bl``, ``br``, ``tl``, ``tr``); where it was painted."""
    painter.setFont(theme.font("small"))
    width = painter.fontMetrics().horizontalAdvance(text) + 20
    height = 22
    x = rect.x() + 12 if corner.endswith("l") else rect.right() - 12 - width
    y = rect.bottom() - 12 - height if corner.startswith("b") else rect.y() + 12
    box = QRectF(x, y, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme["pill"])
    painter.drawRoundedRect(box, 11, 11)
    painter.setPen(theme["pill_text"])
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    return box


def guides(painter: QPainter, theme: Theme, rect: QRectF) -> None:
    """Corners the whole head should be in."""
    inset = rect.adjusted(
        rect.width() * 0.06, rect.height() * 0.068, -rect.width() * 0.06, -rect.height() * 0.068
    )
    arm, radius = 28.0, 4.0
    painter.setPen(QPen(theme["guide"], 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for x, sx in ((inset.left(), 1), (inset.right(), -1)):
        for y, sy in ((inset.top(), 1), (inset.bottom(), -1)):
            path = QPainterPath(QPointF(x + sx * arm, y))
            path.lineTo(x + sx * radius, y)
            path.quadTo(x, y, x, y + sy * radius)
            path.lineTo(x, y + sy * arm)
            painter.drawPath(path)


def grid(painter: QPainter, theme: Theme, rect: QRectF) -> None:
    """Thirds."""
    painter.setPen(QPen(theme["guide"], 1))
    for third in (1 / 3, 2 / 3):
        x, y = rect.x() + rect.width() * third, rect.y() + rect.height() * third
        painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))


def veil(
    painter: QPainter, theme: Theme, rect: QRectF, title: str, lines: Sequence[str], icon: str
) -> None:
    """A card over the last picture: the camera is lost."""
    box = QRectF(0, 0, min(300.0, rect.width() - 32), 68 + 24 + 22 * len(lines))
    box.moveCenter(rect.center())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme["pill"])
    painter.drawRoundedRect(box, 8, 8)
    icons.draw(
        painter,
        icon,
        square(QPointF(box.center().x(), box.y() + 32), 26),
        QColor(theme.tokens.dark["bad"]),
    )
    painter.setPen(theme["pill_text"])
    painter.setFont(theme.font("title"))
    middle = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(QRectF(box.x(), box.y() + 58, box.width(), 24), middle, title)
    painter.setFont(theme.font("body"))
    painter.setPen(QColor(theme.tokens.dark["text_secondary"]))
    for i, line in enumerate(lines):
        painter.drawText(QRectF(box.x(), box.y() + 82 + 22 * i, box.width(), 22), middle, line)


def countdown(painter: QPainter, theme: Theme, seconds: int, rect: QRectF) -> None:
    font = theme.font("countdown")
    path = QPainterPath()
    painter.setFont(font)
    width = painter.fontMetrics().horizontalAdvance(str(seconds))
    path.addText(QPointF(rect.center().x() - width / 2, rect.center().y() + 34), font, str(seconds))
    painter.strokePath(path, QPen(theme["scrim_dark"], 8))
    painter.fillPath(path, theme["pill_text"])


def shutter(painter: QPainter, theme: Theme, rect: QRectF) -> None:
    """The accent frame when a frame was taken."""
    painter.setPen(QPen(theme["accent"], 4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(2, 2, -2, -2), 8, 8)


def wipe_line(painter: QPainter, theme: Theme, rect: QRectF, share: float, labels: bool) -> None:
    """Where the picture ends and the mesh begins, with a handle."""
    x = rect.x() + rect.width() * share
    white = QColor(theme.tokens.dark["text"])
    painter.setPen(QPen(white, 2))
    painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
    at = QPointF(x, rect.y() + rect.height() * 0.86)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(white)
    painter.drawEllipse(at, 17, 17)
    dark = QColor(theme.tokens.dark["window"])
    painter.setPen(QPen(dark, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for side in (-1, 1):
        tip = at + QPointF(side * 9, 0)
        for up in (-1, 1):
            painter.drawLine(tip, tip + QPointF(-side * 5, up * 5))
    if labels:
        pill(painter, theme, "Photo", rect, "tl")
        pill(painter, theme, "Fitted mesh", rect, "tr")


def height_mark(painter: QPainter, theme: Theme, rect: QRectF, top: float, bottom: float) -> None:
    """A line beside the head with its height in millimetres painted by the caller's text."""
    x = rect.right() - rect.width() * 0.145
    color = QColor(theme["text_secondary"])
    painter.setPen(QPen(color, 1))
    painter.drawLine(QPointF(x, top), QPointF(x, bottom))
    for y in (top, bottom):
        painter.drawLine(QPointF(x - 6, y), QPointF(x + 6, y))


def height_label(painter: QPainter, theme: Theme, rect: QRectF, middle: float, text: str) -> None:
    """The number of a :func:`height_mark`, on its line."""
    painter.setFont(theme.font("small"))
    width = painter.fontMetrics().horizontalAdvance(text) + 16
    x = rect.right() - rect.width() * 0.145 - width / 2
    box = QRectF(min(x, rect.right() - width - 8), rect.y() + middle - 11, width, 22)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme["panel"])
    painter.drawRoundedRect(box, 6, 6)
    painter.setPen(theme["text"])
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def waiting(painter: QPainter, theme: Theme, rect: QRectF, text: str) -> None:
    """Nothing to show yet, and why: a still dashed ring with words."""
    paint_glyph(painter, theme, "none", square(rect.center() - QPointF(0, 18), 28))
    painter.setPen(theme["text_secondary"])
    painter.setFont(theme.font("body"))
    line = QRectF(rect.x(), rect.center().y() + 8, rect.width(), 24)
    painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)


def square(centre: QPointF, size: float) -> QRectF:
    """The square around a point."""
    return QRectF(centre.x() - size / 2, centre.y() - size / 2, size, size)
