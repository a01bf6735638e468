"""Short ways to make labels, lines and rows."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from hrn_studio.ui.theme import set_role


def label(text: str, role: str = "body", wrap: bool = False) -> QLabel:
    made = QLabel(text)
    set_role(made, role)
    made.setWordWrap(wrap)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


def button(text: str, role: str, tip: str = "") -> QPushButton:
    made = QPushButton(text)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    set_role(made, role)
    if tip:
        made.setToolTip(tip)
    return made


def frame(role: str) -> QFrame:
    made = QFrame()
    set_role(made, role)
    return made


def line() -> QFrame:
    """A hairline."""
    made = frame("line")
    made.setFixedHeight(1)
    return made


def row(*items: QWidget | int | None, gap: int = 8) -> QHBoxLayout:
    """Widgets beside each other; a number is a gap, None takes the rest."""
    box = QHBoxLayout()
    _fill(box, items, gap)
    return box


def column(*items: QWidget | QLayout | int | None, gap: int = 8) -> QVBoxLayout:
    box = QVBoxLayout()
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(gap)
    for item in items:
        if item is None:
            box.addStretch(1)
        elif isinstance(item, int):
            box.addSpacing(item)
        elif isinstance(item, QWidget):
            box.addWidget(item)
        else:
            box.addLayout(item)
    return box


def _fill(box: QBoxLayout, items: tuple[QWidget | int | None, ...], gap: int) -> None:
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(gap)
    for item in items:
        if item is None:
            box.addStretch(1)
        elif isinstance(item, int):
            box.addSpacing(item)
        else:
            box.addWidget(item)


def scrolled(content: QWidget) -> QScrollArea:
    """Scrolls when it must, without a frame."""
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.viewport().setAutoFillBackground(False)
    content.setAutoFillBackground(False)
    return area


def clear(layout: QLayout) -> None:
    """Take everything out and away."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)


class Elided(QLabel):
    """One line that ends in an ellipsis when there is no room, with all of it as its tooltip."""

    def __init__(self, text: str = "", role: str = "body", middle: bool = False) -> None:
        super().__init__()
        self._whole = ""
        mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self, role)
        self.setMinimumWidth(24)
        self.say(text)

    def say(self, text: str) -> None:
        if text != self._whole:
            self._whole = text
            self.setAccessibleName(text)
            self._elide()

    @property
    def whole(self) -> str:
        return self._whole

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._elide()
        super().resizeEvent(event)

    def _elide(self) -> None:
        metrics = QFontMetricsF(self.font())
        shown = metrics.elidedText(self._whole, self._mode, self.width())
        if shown != self.text():
            self.setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


class Keyed(QPushButton):
    """A button that shows its key on a small plate after its words."""

    def __init__(self, text: str, key: str, role: str) -> None:
        super().__init__()
        self._words = QLabel(text)
        self._plate = QLabel(key)
        for part, name in ((self._words, "keyed"), (self._plate, "key")):
            part.setProperty("role", name)
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        box = QHBoxLayout(self)
        box.setContentsMargins(15, 0, 15, 0)
        box.setSpacing(8)
        box.addStretch(1)
        box.addWidget(self._words)
        box.addWidget(self._plate, 0, Qt.AlignmentFlag.AlignVCenter)
        box.addStretch(1)
        self._plate.setVisible(bool(key))
        self._plate.setFixedHeight(16)
        self.setAccessibleName(text)
        self.set_look(role)

    def set_look(self, role: str) -> None:
        """``primary`` (filled), ``line``, ``line_small``."""
        if self.property("role") == role:
            return
        for part in (self._words, self._plate):
            part.setProperty("on", role)
        set_role(self, role)
        for part in (self._words, self._plate):
            part.style().unpolish(part)
            part.style().polish(part)
        self.setFixedHeight(32 if role == "line_small" else 40)

    def say(self, text: str, key: str = "") -> None:
        if text != self._words.text():
            self._words.setText(text)
            self.setAccessibleName(text)
        self._plate.setVisible(bool(key))
        self._plate.setText(key)
        self.updateGeometry()

    @property
    def words(self) -> str:
        return self._words.text()

    def sizeHint(self) -> QSize:
        inner = self.layout()
        hint = inner.sizeHint() if inner is not None else super().sizeHint()
        hint.setHeight(self.height())
        return hint

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()
