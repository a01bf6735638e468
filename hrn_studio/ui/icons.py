"""Icons, drawn as paths on a grid of 20, so that they are sharp at every scale."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPainterPath, QPen, QPixmap

_Draw = Callable[[QPainterPath], None]


def _lines(*strokes: tuple[tuple[float, float], ...]) -> _Draw:
    def draw(path: QPainterPath) -> None:
        for stroke in strokes:
            path.moveTo(*stroke[0])
            for point in stroke[1:]:
                path.lineTo(*point)

    return draw


def _camera(p: QPainterPath) -> None:
    p.addRoundedRect(2.5, 5.5, 15, 11, 2, 2)
    p.addEllipse(QPointF(10, 11), 3.2, 3.2)
    _lines(((6.5, 5.5), (8, 3.2), (12, 3.2), (13.5, 5.5)))(p)


def _gear(p: QPainterPath) -> None:
    p.addEllipse(QPointF(10, 10), 2.8, 2.8)
    for i in range(8):
        a = math.pi / 4 * i
        c, s = math.cos(a), math.sin(a)
        p.moveTo(10 + 5.2 * c, 10 + 5.2 * s)
        p.lineTo(10 + 7.4 * c, 10 + 7.4 * s)
    p.addEllipse(QPointF(10, 10), 5.2, 5.2)


def _help(p: QPainterPath) -> None:
    p.addEllipse(QPointF(10, 10), 7.5, 7.5)
    p.moveTo(7.8, 8)
    p.cubicTo(8, 4.8, 12.4, 5, 12.2, 8)
    p.cubicTo(12.1, 9.6, 10, 9.8, 10, 11.6)
    _lines(((10, 13.8), (10, 14.1)))(p)


def _sun(p: QPainterPath) -> None:
    p.addEllipse(QPointF(10, 10), 3.2, 3.2)
    for i in range(8):
        a = math.pi / 4 * i
        c, s = math.cos(a), math.sin(a)
        p.moveTo(10 + 5.6 * c, 10 + 5.6 * s)
        p.lineTo(10 + 7.8 * c, 10 + 7.8 * s)


def _mirror(p: QPainterPath) -> None:
    _lines(
        ((10, 3), (10, 17)),
        ((8, 6), (3, 14.5), (8, 14.5), (8, 6)),
        ((12, 6), (17, 14.5), (12, 14.5), (12, 6)),
    )(p)


def _zebra(p: QPainterPath) -> None:
    p.addRoundedRect(3, 4, 14, 12, 2, 2)
    _lines(((5, 13.5), (11, 4.8)), ((8, 15.4), (14.8, 5.4)), ((3.6, 8.8), (6.6, 4.6)))(p)
    _lines(((12.6, 15.2), (16.4, 9.8)))(p)


def _grid(p: QPainterPath) -> None:
    p.addRoundedRect(3, 3, 14, 14, 2, 2)
    _lines(((7.7, 3), (7.7, 17)), ((12.3, 3), (12.3, 17)))(p)
    _lines(((3, 7.7), (17, 7.7)), ((3, 12.3), (17, 12.3)))(p)


def _reset(p: QPainterPath) -> None:
    p.arcMoveTo(QRectF(4, 4, 12, 12), 150)
    p.arcTo(QRectF(4, 4, 12, 12), 150, 290)
    _lines(((4.2, 3.6), (4.6, 7.4), (8.2, 6.8)))(p)


def _split(p: QPainterPath) -> None:
    p.addRoundedRect(2.5, 4, 15, 12, 2, 2)
    _lines(((10, 4), (10, 16)))(p)


def _overlay(p: QPainterPath) -> None:
    p.addRoundedRect(2.5, 3.5, 10.5, 9, 2, 2)
    p.addRoundedRect(7, 7.5, 10.5, 9, 2, 2)


def _picture(p: QPainterPath) -> None:
    p.addRoundedRect(2.5, 4, 15, 12, 2, 2)
    p.addEllipse(QPointF(10, 8.6), 2.2, 2.2)
    p.moveTo(5.8, 16)
    p.cubicTo(6, 11.4, 14, 11.4, 14.2, 16)


def _cube(p: QPainterPath) -> None:
    _lines(
        ((10, 2.5), (16.5, 6), (16.5, 14), (10, 17.5), (3.5, 14), (3.5, 6), (10, 2.5)),
        ((3.5, 6), (10, 9.6), (16.5, 6)),
        ((10, 9.6), (10, 17.5)),
    )(p)


def _lock(p: QPainterPath) -> None:
    p.addRoundedRect(4, 9, 12, 8, 1.5, 1.5)
    p.moveTo(6.5, 9)
    p.cubicTo(6.2, 2.2, 13.8, 2.2, 13.5, 9)


def _folder(p: QPainterPath) -> None:
    _lines(
        ((2.5, 5), (8, 5), (10, 7), (17.5, 7), (17.5, 16), (2.5, 16), (2.5, 5)),
    )(p)


def _image(p: QPainterPath) -> None:
    p.addRoundedRect(2.5, 4, 15, 12, 2, 2)
    p.addEllipse(QPointF(7, 8.2), 1.4, 1.4)
    _lines(((3, 15), (8.4, 11), (11, 13), (14, 9.6), (17.4, 13)))(p)


def _play(p: QPainterPath) -> None:
    p.addRoundedRect(2.5, 4, 15, 12, 2, 2)
    _lines(((8.4, 7.4), (12.6, 10), (8.4, 12.6), (8.4, 7.4)))(p)


def _search(p: QPainterPath) -> None:
    p.addEllipse(QPointF(8.6, 8.6), 4.8, 4.8)
    _lines(((12.2, 12.2), (16.6, 16.6)))(p)


def _link(p: QPainterPath) -> None:
    p.arcMoveTo(QRectF(3, 8, 8, 8), 60)
    p.arcTo(QRectF(3, 8, 8, 8), 60, 250)
    p.arcMoveTo(QRectF(9, 4, 8, 8), 240)
    p.arcTo(QRectF(9, 4, 8, 8), 240, 250)
    _lines(((8, 12), (12, 8)))(p)


def _plug(p: QPainterPath) -> None:
    _lines(((7.5, 2.8), (7.5, 7)), ((12.5, 2.8), (12.5, 7)), ((10, 13.5), (10, 17.2)))(p)
    p.moveTo(4.8, 7)
    p.lineTo(15.2, 7)
    p.lineTo(15.2, 9)
    p.cubicTo(15, 14.8, 5, 14.8, 4.8, 9)
    p.closeSubpath()


def _copy(p: QPainterPath) -> None:
    p.addRoundedRect(3.5, 3.5, 9, 10, 1.5, 1.5)
    p.addRoundedRect(7.5, 7, 9, 10, 1.5, 1.5)


def _more(p: QPainterPath) -> None:
    for x in (4.5, 10, 15.5):
        p.addEllipse(QPointF(x, 10), 0.7, 0.7)


_ICONS: dict[str, _Draw] = {
    "camera": _camera,
    "gear": _gear,
    "help": _help,
    "sun": _sun,
    "mirror": _mirror,
    "zebra": _zebra,
    "grid": _grid,
    "reset": _reset,
    "split": _split,
    "overlay": _overlay,
    "picture": _picture,
    "cube": _cube,
    "lock": _lock,
    "folder": _folder,
    "image": _image,
    "play": _play,
    "search": _search,
    "link": _link,
    "plug": _plug,
    "copy": _copy,
    "more": _more,
    "plus": _lines(((10, 4), (10, 16)), ((4, 10), (16, 10))),
    "close": _lines(((5.5, 5.5), (14.5, 14.5)), ((14.5, 5.5), (5.5, 14.5))),
    "down": _lines(((5.5, 8), (10, 12.5), (14.5, 8))),
    "right": _lines(((8, 5.5), (12.5, 10), (8, 14.5))),
    "check": _lines(((4.5, 10.5), (8.5, 14.5), (15.5, 6))),
    "undo": _reset,
}
NAMES = tuple(_ICONS)


def draw(painter: QPainter, name: str, rect: QRectF, color: QColor, width: float = 1.5) -> None:
    """Paint an icon into ``rect``; ``width`` is in units of the grid of 20."""
    path = QPainterPath()
    _ICONS[name](path)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / 20, rect.height() / 20)
    pen = QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
    painter.restore()


class _Engine(QIconEngine):
    """Draws at whatever size and scale is asked for."""

    def __init__(self, name: str, off: QColor, on: QColor, disabled: QColor) -> None:
        super().__init__()
        self._name, self._colors = name, (off, on, disabled)

    def paint(self, painter: QPainter, rect: object, mode: QIcon.Mode, state: QIcon.State) -> None:
        off, on, disabled = self._colors
        color = on if state == QIcon.State.On else off
        color = disabled if mode == QIcon.Mode.Disabled else color
        draw(painter, self._name, QRectF(rect), color)  # type: ignore[call-overload]

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRectF(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> _Engine:
        return _Engine(self._name, *self._colors)


def icon(name: str, off: QColor, on: QColor | None = None, disabled: QColor | None = None) -> QIcon:
    """An icon; ``on`` is its colour when checked."""
    return QIcon(_Engine(name, off, on or off, disabled or off))
