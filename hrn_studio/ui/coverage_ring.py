"""The guided sequence painted around the head."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from hrn_studio.session.guided import Guided
from hrn_studio.session.state import GUIDED
from hrn_studio.ui import icons
from hrn_studio.ui.overlay import square
from hrn_studio.ui.theme import Theme

_ARC_DEG = 70.0
_RING_DEG = 50.0
"""Degrees of the head at the ring's radius, so that 30 degrees are at 0.6."""
_ARCS = {"right": 0.0, "up": 90.0, "left": 180.0, "down": 270.0}
"""Where each shot's arc is for a mirrored picture, degrees counter-clockwise from 3 o'clock."""
_PIPS = {"smile": 225.0, "open": 315.0}


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
        box = square(target, 2 * reach)
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
    icons.draw(painter, "check", square(at, 1.5 * radius), theme["window"], 2.6)


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
