"""What is painted over the panes: guides, the one cue, the coverage ring, pills, scales.

Plain functions on a painter; each paints from what it is given and decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPainterPath, QPen

from hrn_studio.live.advice import Advice
from hrn_studio.session.guided import Guided
from hrn_studio.session.state import GUIDED
from hrn_studio.ui import icons
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.base import paint_glyph

_ARC_DEG = 70.0
_RING_DEG = 50.0
"""Degrees of the head at the ring's radius, so that 30 degrees are at 0.6."""
_ARCS = {"right": 0.0, "up": 90.0, "left": 180.0, "down": 270.0}
"""Where each shot's arc is for a mirrored picture, degrees counter-clockwise from 3 o'clock."""
_PIPS = {"smile": 225.0, "open": 315.0}


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
        icons.draw(painter, "sun", _square(centre, 46), accent, 1.3)
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


def _square(centre: QPointF, size: float) -> QRectF:
    return QRectF(centre.x() - size / 2, centre.y() - size / 2, size, size)


def coverage_ring(
    painter: QPainter,
    theme: Theme,
    guided: Guided,
    pose: tuple[float, float, float] | None,
    rect: QRectF,
    mirrored: bool,
) -> None:
    """The guided sequence around the head: what is done, what is wanted, how far it is."""
    centre, radius = rect.center(), 0.42 * rect.height()
    outside = QPainterPath()
    outside.addRect(rect)
    inside = QPainterPath()
    inside.addEllipse(centre, radius + 6, radius + 6)
    painter.fillPath(outside - inside, theme["scrim_light"])
    wanted = guided.shot
    ring = QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
    _front(painter, theme, guided, centre, radius - 20, wanted is not None)
    for planned in GUIDED:
        done = bool(guided.kept.get(planned.key))
        now = wanted is not None and wanted.key == planned.key
        if planned.key in _ARCS:
            angle = _ARCS[planned.key]
            if not mirrored and planned.key in ("left", "right"):
                angle = 180 - angle
            _arc(painter, theme, ring, angle, done, guided.progress if now else None)
            _ring_label(painter, theme, centre, radius + 26, angle, planned.label, done, now)
        elif planned.key in _PIPS:
            angle = _PIPS[planned.key]
            at = _on_circle(centre, radius - 20, angle)
            if done:
                _tick(painter, theme, at, 8)
            else:
                pen = QPen(theme["accent"] if now else theme["pill_text"], 1.6)
                pen.setDashPattern([2, 2])
                painter.setPen(pen)
                painter.setBrush(theme["scrim_dark"])
                painter.drawEllipse(at, 6, 6)
            _ring_label(painter, theme, centre, radius + 10, angle, planned.label, done, now)
    if pose is not None and wanted is not None:
        _pointer(painter, theme, guided, pose, centre, radius, mirrored)


def _front(
    painter: QPainter, theme: Theme, guided: Guided, centre: QPointF, radius: float, on: bool
) -> None:
    done = bool(guided.kept.get("front"))
    now = on and guided.shot is not None and guided.shot.key == "front"
    color = theme["ok"] if done else theme["accent"] if now else theme["guide"]
    painter.setPen(QPen(color, 2.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(centre, radius, radius)
    if done:
        _tick(painter, theme, _on_circle(centre, radius, 45), 9)
    at = _on_circle(centre, radius + 44, 45)
    _label(painter, theme, at, "Front", "l", done, now)


def _arc(
    painter: QPainter, theme: Theme, ring: QRectF, angle: float, done: bool, progress: float | None
) -> None:
    start, span = angle - _ARC_DEG / 2, _ARC_DEG
    todo = QColor(255, 255, 255)
    todo.setAlphaF(0.42)
    color = theme["ok"] if done else todo
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(color, 12, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawArc(ring, round(start * 16), round(span * 16))
    if progress is not None and progress > 0:
        color = theme["accent"]
        painter.setPen(QPen(color, 12, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(ring, round(start * 16), round(span * progress * 16))
    if done:
        _tick(painter, theme, _on_circle(ring.center(), ring.width() / 2, angle), 11)


def _pointer(
    painter: QPainter,
    theme: Theme,
    guided: Guided,
    pose: tuple[float, float, float],
    centre: QPointF,
    radius: float,
    mirrored: bool,
) -> None:
    shot = guided.shot
    assert shot is not None
    sign = -1 if mirrored else 1

    def at(yaw: float, pitch: float) -> QPointF:
        x, y = sign * yaw / _RING_DEG, -pitch / _RING_DEG
        length = max(1.0, math.hypot(x, y) / 0.92)
        return centre + QPointF(x / length * radius, y / length * radius)

    target, dot = at(shot.target.yaw, shot.target.pitch), at(pose[0], pose[1])
    reach = max(shot.target.green / _RING_DEG * radius, 16) + 2
    accent = theme["accent"]
    painter.setPen(QPen(accent, 1.8))
    painter.drawLine(centre, dot)
    pen = QPen(accent, 2)
    if guided.hold <= 0:
        pen.setDashPattern([4, 3])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(target, reach, reach)
    if guided.hold > 0:
        painter.setPen(QPen(theme["ok"], 4))
        box = _square(target, 2 * reach)
        painter.drawArc(box, 90 * 16, round(-360 * 16 * guided.hold))
    painter.setPen(QPen(theme["on_accent"], 2))
    painter.setBrush(accent)
    painter.drawEllipse(dot, 9, 9)


def _on_circle(centre: QPointF, radius: float, angle: float) -> QPointF:
    a = math.radians(angle)
    return centre + QPointF(radius * math.cos(a), -radius * math.sin(a))


def _tick(painter: QPainter, theme: Theme, at: QPointF, radius: float) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme["ok"])
    painter.drawEllipse(at, radius, radius)
    icons.draw(painter, "check", _square(at, 1.5 * radius), theme["window"], 2.6)


def _ring_label(
    painter: QPainter,
    theme: Theme,
    centre: QPointF,
    radius: float,
    angle: float,
    text: str,
    done: bool,
    now: bool,
) -> None:
    c = math.cos(math.radians(angle))
    side = "l" if c > 0.3 else "r" if c < -0.3 else "c"
    at = _on_circle(centre, radius - (12 if side == "c" else 0), angle)
    _label(painter, theme, at, text, side, done, now)


def _label(
    painter: QPainter, theme: Theme, at: QPointF, text: str, side: str, done: bool, now: bool
) -> None:
    """White with a dark edge, as it lies on any picture."""
    font = theme.font("body", 600)
    painter.setFont(font)
    width = painter.fontMetrics().horizontalAdvance(text)
    x = at.x() - {"l": 0.0, "r": width, "c": width / 2}[side]
    path = QPainterPath()
    path.addText(QPointF(x, at.y() + 5), font, text)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    edge = QPen(theme["scrim_dark"], 4)
    edge.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(path, edge)
    dark = theme.tokens.dark
    color = QColor(dark["ok"] if done else dark["on_accent_soft"] if now else dark["text"])
    painter.fillPath(path, color)


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
        _square(QPointF(box.center().x(), box.y() + 32), 26),
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


def height_mark(painter: QPainter, theme: Theme, rect: QRectF, top: float, bottom: float) -> None:
    """A line beside the head with its height in millimetres painted by the caller's text."""
    x = rect.right() - rect.width() * 0.145
    color = QColor(theme["text_secondary"])
    painter.setPen(QPen(color, 1))
    painter.drawLine(QPointF(x, top), QPointF(x, bottom))
    for y in (top, bottom):
        painter.drawLine(QPointF(x - 6, y), QPointF(x + 6, y))


def waiting(painter: QPainter, theme: Theme, rect: QRectF, text: str) -> None:
    """Nothing to show yet, and why: a still dashed ring with words."""
    paint_glyph(painter, theme, "none", _square(rect.center() - QPointF(0, 18), 28))
    painter.setPen(theme["text_secondary"])
    painter.setFont(theme.font("body"))
    line = QRectF(rect.x(), rect.center().y() + 8, rect.width(), 24)
    painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)
