"""The OpenGL widget behind both panes: hosts the renderer, paints the overlay, takes the mouse.

It shows what it was last given (:meth:`Viewport.show_panes`) and repaints only then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import moderngl
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QSurfaceFormat, QWheelEvent
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QWidget

from hrn_studio.render.panes import Color, Pane, PaneColors, Panes
from hrn_studio.ui.theme import Theme


def surface_format() -> QSurfaceFormat:
    """OpenGL 3.3 core, one buffer swap per picture of the screen."""
    wanted = QSurfaceFormat()
    wanted.setVersion(3, 3)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setDepthBufferSize(24)
    wanted.setSwapInterval(1)
    return wanted


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A pane, who it is for the mouse, and what is painted over it."""

    key: str
    """``picture`` or ``mesh``."""
    pane: Pane
    overlay: Callable[[QPainter, QRectF], None] | None = None

    @property
    def rect(self) -> QRectF:
        return QRectF(*self.pane.rect)


def rgb(color: QColor) -> Color:
    return color.redF(), color.greenF(), color.blueF()


class Viewport(QOpenGLWidget):
    """Both panes.

    Signals
    -------
    dragged
        Key of the pane, pixels moved (x, y), button (``left``, ``right``), position in the pane.
    wheeled
        Key of the pane, steps.
    pressed, double_clicked
        Key of the pane, position in the pane (0..1).
    hovered
        Key of the pane, position in the pane (0..1); key empty when it left.
    refused
        There is no OpenGL here: why.
    """

    dragged = Signal(str, float, float, str, float, float)
    wheeled = Signal(str, float)
    pressed = Signal(str, float, float)
    double_clicked = Signal(str)
    hovered = Signal(str, float, float)
    refused = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._context: moderngl.Context | None = None
        self._panes: Panes | None = None
        self._shown: tuple[Shown, ...] = ()
        self._from: QPointF | None = None
        self._held = ""
        self.paints = 0
        self.setMouseTracking(True)
        self.setMinimumSize(64, 64)
        theme.changed.connect(self.update)

    def show_panes(self, shown: Sequence[Shown]) -> None:
        """Show these from now on."""
        self._shown = tuple(shown)
        self.update()

    @property
    def ratio(self) -> float:
        """Screen pixels per logical one."""
        return self.devicePixelRatioF()

    @property
    def renderer(self) -> str:
        """The graphics card's name; empty before the first picture."""
        return str(self._context.info["GL_RENDERER"]) if self._context is not None else ""

    # --- OpenGL ---

    def initializeGL(self) -> None:
        try:
            self._context = moderngl.create_context(require=330)
            self._context.gc_mode = "context_gc"
            self._panes = Panes(self._context)
        except Exception as error:  # noqa: BLE001 - moderngl raises bare Exception
            self._panes = None
            self.refused.emit(str(error))
        context = self.context()
        context.aboutToBeDestroyed.connect(self.release)

    def paintGL(self) -> None:
        self.paints += 1
        if self._panes is None or self._context is None:
            return
        target = self._context.detect_framebuffer(self.defaultFramebufferObject())
        theme = self._theme
        ground = theme["viewport"]
        inner = ground.lighter(165) if theme.scheme == "dark" else ground.lighter(108)
        colors = PaneColors(
            rgb(theme["window"]),
            rgb(inner),
            rgb(ground),
            rgb(QColor(theme.tokens.dark_clip)),
            rgb(theme["bad"]),
        )
        radius = float(theme.tokens.radius["pane"])
        self._panes.draw([s.pane for s in self._shown], colors, target, self.ratio, radius)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for shown in self._shown:
            if shown.overlay is not None:
                painter.save()
                painter.setClipRect(shown.rect)
                shown.overlay(painter, shown.rect)
                painter.restore()
        painter.end()

    def release(self) -> None:
        """Free everything on the card, while its context is there; nothing is drawn after."""
        if self._context is None:
            return
        self.makeCurrent()
        self._panes = None
        if self._context is not None:
            self._context.gc()
            self._context.release()
            self._context = None
        self.doneCurrent()

    # --- the mouse ---

    def _at(self, point: QPointF) -> Shown | None:
        return next((s for s in self._shown if s.rect.contains(point)), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        shown = self._at(event.position())
        if shown is None:
            return
        self._from, self._held = event.position(), shown.key
        self.pressed.emit(shown.key, *_share(event.position(), shown.rect))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        now = event.position()
        if self._from is not None:
            shown = next((s for s in self._shown if s.key == self._held), None)
            if shown is not None:
                step = now - self._from
                plain = event.buttons() & Qt.MouseButton.LeftButton
                shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
                button = "left" if plain and not shift else "right"
                place = _share(now, shown.rect)
                self.dragged.emit(self._held, step.x(), step.y(), button, *place)
            self._from = now
            return
        over = self._at(now)
        if over is None:
            self.hovered.emit("", 0.0, 0.0)
        else:
            self.hovered.emit(over.key, *_share(now, over.rect))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._from, self._held = None, ""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        shown = self._at(event.position())
        if shown is not None:
            self.double_clicked.emit(shown.key)

    def wheelEvent(self, event: QWheelEvent) -> None:
        shown = self._at(event.position())
        if shown is not None:
            self.wheeled.emit(shown.key, event.angleDelta().y() / 120)

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit("", 0.0, 0.0)


def _share(point: QPointF, rect: QRectF) -> tuple[float, float]:
    return (
        (point.x() - rect.x()) / max(rect.width(), 1),
        (point.y() - rect.y()) / max(rect.height(), 1),
    )
