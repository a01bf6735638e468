"""The band's instruction as a picture: where the lamp goes, which way to turn."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from hrn_studio.live.advice import Advice
from hrn_studio.ui import icons
from hrn_studio.ui.overlay import square
from hrn_studio.ui.theme import Theme


def cue(painter: QPainter, theme: Theme, advice: Advice, rect: QRectF, mirrored: bool) -> None:
    """The band's instruction as a picture: where the lamp goes, which way to turn."""
    key = advice.key
    if key not in ("balance", "yaw", "pitch", "distance", "framing"):
        return
    # side 1 is the subject's right, which a mirror shows at the screen's right.
    to_right = (advice.side > 0) == mirrored
    sign = 1 if to_right else -1
    if key in ("balance", "yaw"):
        centre = QPointF(rect.center().x() + sign * rect.width() * 0.37, rect.center().y() - 14)
    else:
        centre = QPointF(rect.center().x(), rect.bottom() - rect.height() * 0.17)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme["scrim_dark"])
    painter.drawEllipse(centre, 38, 38)
    accent = theme["accent"]
    if key == "balance":
        icons.draw(painter, "sun", square(centre, 46), accent, 1.3)
        _arrow(painter, accent, QPointF(centre.x() - sign * 44, centre.y()), (-sign, 0))
    elif key == "yaw":
        _arrow(painter, accent, QPointF(centre.x() - sign * 20, centre.y()), (sign, 0))
    elif key == "pitch":
        down = advice.headline.startswith("Lower")
        start = QPointF(centre.x(), centre.y() - (20 if down else -20))
        _arrow(painter, accent, start, (0, 1 if down else -1))
    else:
        nearer = advice.headline.startswith("Come")
        _corners(painter, accent, centre, nearer)


def _arrow(painter: QPainter, color: QColor, start: QPointF, way: tuple[int, int]) -> None:
    pen = QPen(color, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    x, y = way
    end = start + QPointF(38 * x, 38 * y)
    painter.drawLine(start, end)
    for side in (-1, 1):
        back = QPointF(-11 * x + 9 * side * y, -11 * y + 9 * side * x)
        painter.drawLine(end, end + back)


def _corners(painter: QPainter, color: QColor, centre: QPointF, nearer: bool) -> None:
    painter.setPen(QPen(color, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    far, near = (20.0, 9.0) if nearer else (9.0, 20.0)
    for x in (-1, 1):
        for y in (-1, 1):
            tip = centre + QPointF(x * far, y * far)
            arm = (near - far) * 0.7
            painter.drawLine(tip, tip + QPointF(x * arm, 0))
            painter.drawLine(tip, tip + QPointF(0, y * arm))
