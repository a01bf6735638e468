"""The instruments: pose dial, light ball and histogram.

All in the viewer's space: when the picture is mirrored, so are they.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from hrn_studio.live.quality import Quality
from hrn_studio.live.quality_light import FaceLight, Lamp, harmonics
from hrn_studio.live.quality_limits import State
from hrn_studio.records import Floats
from hrn_studio.ui import words
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.base import Painted

DIAL_DEG = 40.0
STOPS_OK, STOPS_WARN = 1.5, 2.5
_BALL_PX = 96


def worst(*states: State) -> State:
    order: tuple[State, ...] = ("bad", "warn", "ok", "none")
    return next(s for s in order if s in states)


@dataclass(frozen=True, slots=True)
class Dial:
    """What the pose dial shows, degrees, yaw positive to the user's left."""

    pose: tuple[float, float, float] | None = None
    target: tuple[float, float] = (0.0, 0.0)
    tolerance: float = 5.0
    state: State = "none"
    mirrored: bool = True

    @classmethod
    def of(cls, quality: Quality, mirrored: bool) -> Dial:
        states = (quality[k].state for k in ("yaw", "pitch", "roll"))
        target = quality.target
        return cls(
            quality.pose_deg, (target.yaw, target.pitch), target.green, worst(*states), mirrored
        )


class PoseDial(Painted):
    """Where the head looks, and where it should: 40 degrees to the rim."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._dial = Dial()

    def show_dial(self, dial: Dial) -> None:
        if dial != self._dial:
            self._dial = dial
            self.tell("Pose", caption_of_pose(dial))
            self.update()

    def paintEvent(self, event: object) -> None:
        dial, theme = self._dial, self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        centre = QRectF(self.rect()).center()
        radius = min(self.width(), self.height()) / 2 - 5

        def at(yaw: float, pitch: float) -> QPointF:
            sign = -1 if dial.mirrored else 1  # the user's left is at the mirror's left
            x, y = sign * yaw / DIAL_DEG, -pitch / DIAL_DEG
            length = max(1.0, math.hypot(x, y))
            return centre + QPointF(x / length * radius, y / length * radius)

        painter.setPen(QPen(theme["control_border"], 1))
        painter.setBrush(theme["panel"])
        painter.drawEllipse(centre, radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme["line"], 1))
        for ring in (15, 30):
            painter.drawEllipse(centre, radius * ring / DIAL_DEG, radius * ring / DIAL_DEG)
        painter.drawLine(at(-DIAL_DEG, 0), at(DIAL_DEG, 0))
        painter.drawLine(at(0, -DIAL_DEG), at(0, DIAL_DEG))
        painter.setPen(QPen(theme["text_secondary"], 1.5))
        painter.drawLine(centre + QPointF(0, -radius - 4), centre + QPointF(0, -radius + 1))
        target = at(*dial.target)
        pen = QPen(theme["accent"], 1.5)
        pen.setDashPattern([2, 2])
        painter.setPen(pen)
        reach = dial.tolerance / DIAL_DEG * radius + 2
        painter.drawEllipse(target, reach, reach)
        if dial.pose is None:
            return
        color = theme.state(dial.state)
        yaw, pitch, roll = dial.pose
        dot = at(yaw, pitch)
        painter.setPen(QPen(color, 1.5))
        painter.drawLine(target, dot)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(dot, 5, 5)
        painter.translate(centre)
        painter.rotate(roll if dial.mirrored else -roll)
        painter.drawPolygon(
            QPolygonF(
                [
                    QPointF(0, -radius + 2),
                    QPointF(-5, -radius + 10),
                    QPointF(5, -radius + 10),
                ]
            )
        )


def caption_of_pose(dial: Dial) -> str:
    """``3° left · 2° down · roll 1°``"""
    if dial.pose is None:
        return "not measured"
    yaw, pitch, roll = dial.pose
    return f"{words.side(yaw)} · {words.up_down(pitch)} · roll {abs(round(roll))}°"


class LightBall(Painted):
    """The light that falls on the face, on a ball.

    Signals
    -------
    dragged
        Direction of the light that was dragged to (x right, y up, z towards the viewer); only
        when ``draggable``.
    """

    dragged = Signal(tuple)

    def __init__(
        self, theme: Theme, draggable: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, parent)
        self._image = QImage()
        self._direction: tuple[float, float, float] | None = None
        self._state: State = "none"
        self._draggable = draggable
        if draggable:
            self.setCursor(Qt.CursorShape.SizeAllCursor)

    def show_light(self, lamp: Lamp | None, state: State, mirrored: bool) -> None:
        """Shade the ball; ``state`` colours the ring at the strongest direction."""
        self._state = state
        if lamp is None:
            self._image, self._direction = QImage(), None
        else:
            x, y, z = lamp.direction
            self._direction = (-x if mirrored else x, y, z)
            self._image = shaded_ball(lamp.coefficients, mirrored)
        self.update()

    def show_direction(self, direction: tuple[float, float, float]) -> None:
        """One lamp from a direction, as in Review."""
        self._direction, self._state = direction, "ok"
        light = np.zeros((9, 3), np.float32)
        light[0], light[1:4] = 0.32, 0.3 * np.array(direction, np.float32)[:, None]
        self._image = shaded_ball(light, False)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(56, 56)

    def paintEvent(self, event: object) -> None:
        theme = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        centre = QRectF(self.rect()).center()
        radius = min(self.width(), self.height()) / 2 - 4
        box = QRectF(0, 0, 2 * radius, 2 * radius)
        box.moveCenter(centre)
        path = QPainterPath()
        path.addEllipse(box)
        painter.setClipPath(path)
        if self._image.isNull():
            painter.fillRect(box, theme["panel"])
        else:
            painter.drawImage(box, self._image)
        painter.setClipping(False)
        painter.setPen(QPen(theme["control_border"], 1))
        painter.drawEllipse(box)
        painter.setOpacity(0.5)
        painter.drawLine(QPointF(box.left(), centre.y()), QPointF(box.right(), centre.y()))
        painter.drawLine(QPointF(centre.x(), box.top()), QPointF(centre.x(), box.bottom()))
        painter.setOpacity(1.0)
        if self._direction is None:
            return
        x, y, _ = self._direction
        at = centre + QPointF(x * radius * 0.92, -y * radius * 0.92)
        color = theme["accent"] if self._draggable else theme.state(self._state)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme["window"], 4))
        painter.drawEllipse(at, 5.5, 5.5)
        painter.setPen(QPen(color, 2))
        painter.drawEllipse(at, 5.5, 5.5)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._drag(event)

    def _drag(self, event: QMouseEvent) -> None:
        if not self._draggable:
            return
        centre = QRectF(self.rect()).center()
        radius = min(self.width(), self.height()) / 2 - 4
        x = (event.position().x() - centre.x()) / radius
        y = -(event.position().y() - centre.y()) / radius
        length = math.hypot(x, y)
        if length > 0.98:
            x, y = x / length * 0.98, y / length * 0.98
        self.dragged.emit((x, y, math.sqrt(max(0.0, 1 - x * x - y * y))))


def shaded_ball(coefficients: Floats, mirrored: bool) -> QImage:
    """A ball of 96 px in the light of the harmonics, as bright as a picture of mid grey."""
    axis = (np.arange(_BALL_PX) + 0.5) / _BALL_PX * 2 - 1
    x, y = np.meshgrid(-axis if mirrored else axis, -axis)
    inside = x * x + y * y < 1
    z = np.sqrt(np.clip(1 - x * x - y * y, 0, None))
    normals = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    light = np.clip(harmonics(normals) @ np.asarray(coefficients, np.float64), 0, None)
    top = max(float(np.percentile(light[inside.ravel()], 98)), 1e-6)
    encoded = np.clip(light / top, 0, 1) ** (1 / 2.2) * 232
    pixels = np.ascontiguousarray(encoded.reshape(_BALL_PX, _BALL_PX, 3).astype(np.uint8))
    image = QImage(pixels.tobytes(), _BALL_PX, _BALL_PX, 3 * _BALL_PX, QImage.Format.Format_RGB888)
    return image.copy()


def captions_of_light(lamp: Lamp | None, stops: float, mirrored: bool) -> tuple[str, str]:
    """``Key 24° right, 21° up`` in the user's own sides, and ``Key to fill 1.1 stops``."""
    if lamp is None:
        return "Light", f"Key to fill {stops:.1f} stops"
    # The picture's right is the user's left, mirrored or not.
    across, up = words.side(lamp.side_deg), words.up_down(lamp.up_deg)
    return f"Key {across}, {up}", f"Key to fill {stops:.1f} stops"


def state_of_stops(stops: float) -> State:
    return "ok" if stops < STOPS_OK else "warn" if stops < STOPS_WARN else "bad"


class Histogram(Painted):
    """Luminance of the face in 64 bars, eased over five frames."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._bars: Floats = np.zeros(64, np.float32)
        self._light: FaceLight | None = None
        self._state: State = "none"

    def show_light(self, light: FaceLight | None, state: State) -> None:
        self._light, self._state = light, state
        if light is not None:
            fresh = not self._bars.any()
            self._bars = (
                light.histogram if fresh else self._bars + (light.histogram - self._bars) / 5
            )
        else:
            self._bars = np.zeros(64, np.float32)
        self.update()

    def paintEvent(self, event: object) -> None:
        theme = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text_h = theme.px("caption") + 3
        plot = QRectF(0, 0, self.width(), self.height() - text_h - 10)
        tint = theme["ok"]
        tint.setAlphaF(0.18)
        low, high = 0.35, 0.65
        painter.fillRect(
            QRectF(plot.width() * low, plot.y(), plot.width() * (high - low), plot.height()), tint
        )
        tint.setAlphaF(1.0)
        pen = QPen(theme["text_quiet"], 1)
        pen.setDashPattern([2, 3])
        painter.setPen(pen)
        for limit in (25, 247):
            x = plot.width() * (limit + 0.5) / 256
            painter.drawLine(QPointF(x, plot.y()), QPointF(x, plot.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        top = max(float(self._bars.max()) * 1.1, 0.02)
        step = plot.width() / 64
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for i, share in enumerate(self._bars):
            height = max(1.0, float(share) / top * plot.height())
            color = theme["text_quiet"]
            if i * 4 <= 25:
                color = theme["accent"]
            elif i * 4 + 3 >= 247:
                color = theme["bad"]
            bar = QRectF(i * step, plot.bottom() - height, max(step - 0.8, 1), height)
            painter.fillRect(bar, color)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        light = self._light
        if light is None:
            return
        x = plot.width() * light.mean
        painter.setBrush(theme.state(self._state))
        y = plot.bottom() + 2
        painter.drawPolygon(
            QPolygonF([QPointF(x, y), QPointF(x - 4.5, y + 7), QPointF(x + 4.5, y + 7)])
        )
        painter.setFont(theme.font("caption"))
        painter.setPen(theme["text_secondary"])
        line = QRectF(0, self.height() - text_h, self.width(), text_h)
        flags = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(line, flags, f"Dark {100 * light.under:.1f} %")
        painter.drawText(line, flags | Qt.AlignmentFlag.AlignHCenter, f"Mean {light.mean:.2f}")
        painter.drawText(
            line, flags | Qt.AlignmentFlag.AlignRight, f"Bright {100 * light.over:.1f} %"
        )
