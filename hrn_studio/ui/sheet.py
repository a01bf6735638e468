"""A sheet over the window: a card in the middle, the rest dimmed; Esc closes it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from hrn_studio.ui.build import label
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.controls import ToolButton

_MARGIN = 24


class Sheet(QWidget):
    """Dims a window and shows a card on it.

    Signals
    -------
    closed
    """

    closed = Signal()

    def __init__(self, theme: Theme, over: QWidget, size: tuple[int, int], title: str) -> None:
        super().__init__(over)
        self._theme = theme
        self._over = over
        self._size = size
        self.card = QFrame(self)
        set_role(self.card, "dialog")
        close = ToolButton(theme, "close", "Close (Esc)", size=(32, 32))
        close.clicked.connect(self.close_sheet)
        self.head = QHBoxLayout()
        self.head.setContentsMargins(24, 12, 14, 12)
        self.head.addWidget(label(title, "title"))
        self.head.addStretch(1)
        self.head.addWidget(close)
        self.body = QVBoxLayout(self.card)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        self.body.addLayout(self.head)
        over.installEventFilter(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(title)
        self.hide()

    def open_sheet(self) -> None:
        self._place()
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_sheet(self) -> None:
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def _place(self) -> None:
        self.setGeometry(self._over.rect())
        width = min(self._size[0], self.width() - 2 * _MARGIN)
        height = min(self._size[1], self.height() - 2 * _MARGIN)
        box = QRect(0, 0, width, height)
        box.moveCenter(self.rect().center())
        self.card.setGeometry(box)

    def paintEvent(self, event: object) -> None:
        QPainter(self).fillRect(self.rect(), self._theme["scrim_dark"])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.card.geometry().contains(event.position().toPoint()):
            self.close_sheet()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_sheet()
        else:
            event.accept()  # keys do not reach the window below

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False
