"""Small controls: switch, segmented choice, slider, step bar, tool button."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QButtonGroup,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QWidget,
)

from hrn_studio.ui import icons
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.base import Shown, paint_glyph


class Switch(QAbstractButton):
    """On or off, at once."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setCheckable(True)
        self.setAccessibleName(name)
        self.setFixedSize(34, 28)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.changed.connect(self.update)

    def paintEvent(self, event: object) -> None:
        theme, on = self._theme, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(0.5, 4.5, 33, 19)
        painter.setPen(QPen(theme["accent"] if on else theme["control_border"], 1))
        painter.setBrush(theme["accent"] if on else theme["panel"])
        painter.drawRoundedRect(track, 9.5, 9.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme["on_accent"] if on else theme["text_secondary"])
        painter.drawEllipse(QPointF(24 if on else 10, 14), 6.5, 6.5)
        if self.hasFocus() and self.property("keyboard"):
            painter.setPen(QPen(theme["accent"], 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(1, 1, 32, 26), 12, 12)


class Check(QCheckBox):
    """A box with a tick, 18 px, and its words."""

    def __init__(self, theme: Theme, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._theme = theme
        self._round = False
        self.setMinimumHeight(28)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        words = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(20 + (8 + words if words else 0), 28)

    def hitButton(self, at: QPoint) -> bool:
        return self.rect().contains(at)

    def paintEvent(self, event: object) -> None:
        theme, on = self._theme, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else 0.5)
        box = QRectF(1, self.height() / 2 - 8, 16, 16)
        painter.setPen(QPen(theme["accent"] if on else theme["control_border"], 1.4))
        painter.setBrush(theme["accent"] if on else theme["panel"])
        if self._round:
            painter.drawEllipse(box)
            if on:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme["on_accent"])
                painter.drawEllipse(box.center(), 3, 3)
        else:
            painter.drawRoundedRect(box, 4, 4)
            if on:
                icons.draw(painter, "check", box.adjusted(1, 1, -1, -1), theme["on_accent"], 2.6)
        if self.hasFocus() and self.property("keyboard"):
            painter.setPen(QPen(theme["accent"], 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(-1, -1, 1, 1).adjusted(0, 0, 1, 1), 6, 6)
        painter.setPen(theme["text"])
        words = QRectF(26, 0, self.width() - 26, self.height())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())


class Radio(Check):
    """One of several, as a round box."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "", parent)
        self._round = True


class Segmented(QFrame):
    """One of up to five.

    Signals
    -------
    chosen
        The key that was pressed.
    """

    chosen = Signal(str)

    def __init__(
        self,
        options: Sequence[tuple[str, str]],
        name: str,
        wide: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        set_role(self, "well")
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._keys: list[str] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(0)
        self.setFixedHeight(32 if wide else 28)
        for key, label in options:
            button = QPushButton(label)
            button.setCheckable(True)
            button.setAccessibleName(f"{name}: {label}")
            set_role(button, "segment")
            button.setFixedHeight(28 if wide else 24)
            row.addWidget(button, 1 if wide else 0)
            self._group.addButton(button, len(self._keys))
            self._keys.append(key)
        self._group.idClicked.connect(self._on_clicked)
        if self._keys:
            self._group.button(0).setChecked(True)

    def choose(self, key: str) -> None:
        """Show another choice; says nothing."""
        if key in self._keys:
            self._group.button(self._keys.index(key)).setChecked(True)

    def label(self, key: str, text: str) -> None:
        button = self._group.button(self._keys.index(key))
        if button.text() != text:
            button.setText(text)

    def button(self, key: str) -> QAbstractButton:
        return self._group.button(self._keys.index(key))

    @property
    def key(self) -> str:
        return self._keys[self._group.checkedId()]

    def _on_clicked(self, index: int) -> None:
        self.chosen.emit(self._keys[index])


class Slider(QSlider):
    """A value 0..1 with a default: fill from it, wheel only when focused, double click resets."""

    moved = Signal(float)

    def __init__(
        self, theme: Theme, name: str, default: float = 0.0, parent: QWidget | None = None
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self._default = default
        self.setRange(0, 100)
        self.setSingleStep(1)
        self.setPageStep(10)
        self.setValue(round(default * 100))
        self.setAccessibleName(name)
        self.setFixedHeight(26)
        self.valueChanged.connect(self._on_changed)
        theme.changed.connect(self.update)

    @property
    def amount(self) -> float:
        return self.value() / 100

    def set_amount(self, amount: float) -> None:
        """Show another value; says nothing."""
        self.blockSignals(True)
        self.setValue(round(amount * 100))
        self.blockSignals(False)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(136, 26)

    def paintEvent(self, event: object) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(7, self.height() / 2 - 2, self.width() - 14, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme["raised"])
        painter.drawRoundedRect(track, 2, 2)
        x = track.x() + track.width() * self.amount
        start = track.x() + track.width() * self._default
        fill = QRectF(min(x, start), track.y(), abs(x - start), 4)
        painter.setBrush(theme["accent"])
        painter.drawRoundedRect(fill, 2, 2)
        painter.setBrush(theme["text"] if theme.scheme == "dark" else theme["panel"])
        edge = Qt.PenStyle.NoPen if theme.scheme == "dark" else Qt.PenStyle.SolidLine
        painter.setPen(QPen(theme["control_border"], 1, edge))
        painter.drawEllipse(QPointF(x, track.center().y()), 6.5, 6.5)
        if self.hasFocus() and self.property("keyboard"):
            painter.setPen(QPen(theme["accent"], 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(x, track.center().y()), 9, 9)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._to(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._to(event.position().x())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.setValue(round(self._default * 100))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        large = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        step = 10 if large else 1
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Down):
            self.setValue(self.value() - step)
        elif key in (Qt.Key.Key_Right, Qt.Key.Key_Up):
            self.setValue(self.value() + step)
        elif key == Qt.Key.Key_Home:
            self.setValue(round(self._default * 100))
        else:
            super().keyPressEvent(event)

    def _to(self, x: float) -> None:
        self.setValue(round(100 * (x - 7) / max(1, self.width() - 14)))

    def _on_changed(self, value: int) -> None:
        self.moved.emit(value / 100)


class StepButton(QPushButton):
    """A step of the top bar; a ring before its name while it works."""

    def __init__(self, theme: Theme, label: str, parent: QWidget | None = None) -> None:
        super().__init__(label, parent)
        self._theme = theme
        self._busy: float | None = None
        self.setCheckable(True)
        set_role(self, "step")

    def show_busy(self, progress: float | None) -> None:
        if progress != self._busy:
            self._busy = progress
            self.update()

    def paintEvent(self, event: object) -> None:
        super().paintEvent(event)  # type: ignore[arg-type]
        if self._busy is not None:
            painter = QPainter(self)
            shown: Shown = "busy"
            box = QRectF(10, self.height() / 2 - 7, 14, 14)
            paint_glyph(painter, self._theme, shown, box, self._busy)


class ToolButton(QPushButton):
    """An icon of 28 by 26."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        tip: str,
        checkable: bool = False,
        size: tuple[int, int] = (28, 26),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._icon = theme, icon
        self.setCheckable(checkable)
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setFixedSize(*size)
        set_role(self, "tool")
        self.setIconSize(QSize(18, 18))
        self._restyle()
        theme.changed.connect(self._restyle)

    def show_icon(self, icon: str) -> None:
        if icon != self._icon:
            self._icon = icon
            self._restyle()

    def _restyle(self) -> None:
        theme = self._theme
        self.setIcon(icons.icon(self._icon, theme["text_secondary"], theme["accent"]))


def icon_button(theme: Theme, icon: str, text: str, role: str) -> QPushButton:
    """A button with an icon before its words."""
    button = QPushButton(text)
    set_role(button, role)
    button.setIconSize(QSize(16, 16))

    def restyle() -> None:
        button.setIcon(icons.icon(icon, theme["text"]))

    restyle()
    theme.changed.connect(restyle)
    return button


class KeyboardFocus(QObject):
    """Marks the widget that got the focus by keyboard, so that only then it shows a ring.

    A window calls :meth:`mark` after Tab moved the focus.
    """

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        app.focusChanged.connect(self._on_changed)

    def mark(self) -> None:
        widget = QApplication.focusWidget()
        if widget is not None:
            _set_keyboard(widget, True)

    def _on_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if old is not None and old.property("keyboard"):
            _set_keyboard(old, False)


def _set_keyboard(widget: QWidget, on: bool) -> None:
    widget.setProperty("keyboard", on)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()
