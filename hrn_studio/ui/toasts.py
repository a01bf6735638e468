"""Toasts: something finished or was undone.  Bottom right, at most two, five seconds."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from hrn_studio.ui.build import button, label
from hrn_studio.ui.desk import Note
from hrn_studio.ui.theme import Theme, set_role

_MOST = 2


class Toast(QFrame):
    """One note with at most one button."""

    def __init__(self, note: Note, parent: QWidget) -> None:
        super().__init__(parent)
        self.note = note
        set_role(self, "toast")
        text = label(note.text, "body")
        text.setMaximumWidth(420)
        text.setWordWrap(len(note.text) > 56)
        if text.wordWrap():
            text.setMinimumWidth(380)
        box = QHBoxLayout(self)
        box.setContentsMargins(14, 8, 8 if note.button else 14, 8)
        box.setSpacing(12)
        box.addWidget(text)
        if note.button:
            press = button(note.button, "link")
            press.clicked.connect(self._on_pressed)
            box.addWidget(press)
        self.setAccessibleName(note.text)
        self.adjustSize()

    def _on_pressed(self) -> None:
        self.hide()
        if self.note.action is not None:
            self.note.action()


class Toasts(QObject):
    """Shows notes over a widget."""

    def __init__(self, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self._stay_ms = theme.tokens.motion_ms["toast_stay"]
        self._shown: list[Toast] = []
        over.installEventFilter(self)

    @property
    def texts(self) -> list[str]:
        return [t.note.text for t in self._shown if t.isVisible()]

    def show_note(self, note: Note) -> None:
        if any(t.note.text == note.text and t.isVisible() for t in self._shown):
            return
        toast = Toast(note, self._over)
        self._shown.append(toast)
        while len(self._shown) > _MOST:
            self._remove(self._shown[0])
        timer = QTimer(toast)
        timer.setSingleShot(True)
        timer.timeout.connect(lambda: self._remove(toast))
        timer.start(self._stay_ms)
        toast.show()
        self._place()

    def forget_offers(self) -> None:
        """Take away notes whose button leads where the user now is."""
        for toast in list(self._shown):
            if toast.note.button in ("Review", "Show"):
                self._remove(toast)

    def _remove(self, toast: Toast) -> None:
        if toast in self._shown:
            self._shown.remove(toast)
            toast.hide()
            toast.deleteLater()
            self._place()

    def _place(self) -> None:
        bottom = self._over.height() - 44
        for toast in reversed(self._shown):
            toast.adjustSize()
            toast.move(self._over.width() - toast.width() - 12, bottom - toast.height())
            toast.raise_()
            bottom -= toast.height() + 8

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False
