"""All keys, each of which can be changed: press its plate, then the new key."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from hrn_studio.ui import keys
from hrn_studio.ui.build import Elided, button, label, line
from hrn_studio.ui.sheet import Sheet
from hrn_studio.ui.studio import Studio
from hrn_studio.ui.theme import Theme, set_role

_ALONE = (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta)


class KeyPlate(QPushButton):
    """A key; pressed, it takes the next key that is typed.

    Signals
    -------
    typed
        Name of the action and the key.
    """

    typed = Signal(str, str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._key = ""
        set_role(self, "plate")
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.toggled.connect(self._on_toggled)
        if name in keys.FIXED:
            self.setEnabled(False)
            self.setToolTip("This key cannot be changed")

    def show_key(self, key: str, own: bool) -> None:
        self._key = key
        set_role(self, "plate", own=own)
        self.setAccessibleName(f"{keys.label_of(self.name)}: {key}")
        self._on_toggled(self.isChecked())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and self.isChecked():
            event.accept()  # the key is for the plate, not for what it does now
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.isChecked():
            super().keyPressEvent(event)
            return
        if event.key() in _ALONE:
            return
        self.setChecked(False)
        if event.key() != Qt.Key.Key_Escape:
            self.typed.emit(self.name, QKeySequence(event.keyCombination()).toString())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.setChecked(False)
        super().focusOutEvent(event)

    def _on_toggled(self, on: bool) -> None:
        self.setText("Press a key" if on else self._key)


class KeysSheet(Sheet):
    """The keys over the window."""

    def __init__(self, theme: Theme, studio: Studio, over: QWidget) -> None:
        super().__init__(theme, over, (800, 700), "Shortcuts")
        self._studio = studio
        self.plates: dict[str, KeyPlate] = {}
        grid = QGridLayout()
        grid.setContentsMargins(24, 0, 24, 12)
        grid.setHorizontalSpacing(40)
        columns = [QVBoxLayout(), QVBoxLayout()]
        for number, (title, group) in enumerate(keys.KEYS):
            column = columns[0 if number < 2 else 1]
            column.setSpacing(1)
            column.addWidget(label(title, "section"))
            for name, _, text in group:
                plate = self.plates[name] = KeyPlate(name)
                plate.typed.connect(self._on_typed)
                one = QHBoxLayout()
                one.addWidget(Elided(text, "small"), 1)
                one.addWidget(plate)
                column.addLayout(one)
            column.addSpacing(8)
        for i, column in enumerate(columns):
            column.addStretch(1)
            grid.addLayout(column, 0, i)
            grid.setColumnStretch(i, 1)
        self._said = Elided("Press a key's plate to change it.", "small")
        reset = button("Reset all", "raised")
        reset.clicked.connect(self._on_reset)
        foot = QHBoxLayout()
        foot.setContentsMargins(24, 10, 24, 10)
        foot.addWidget(self._said, 1)
        foot.addWidget(reset)
        self.body.addLayout(grid, 1)
        self.body.addWidget(line())
        self.body.addLayout(foot)
        studio.settings_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        own = self._studio.settings.window.keys
        table = keys.by_name(own)
        for name, plate in self.plates.items():
            plate.show_key(table[name], name in own)

    def _on_typed(self, name: str, key: str) -> None:
        own = self._studio.settings.window.keys
        taken = _holder(key, keys.by_name(own), name)
        if taken:
            self._said.say(f"{key} is taken: {keys.label_of(taken)}. Change that one first.")
            return
        self._said.say(f"{keys.label_of(name)}: {key}")
        default = keys.by_name()[name]
        changed = {k: v for k, v in own.items() if k != name}
        self._studio.change("window", keys=changed if key == default else {**changed, name: key})

    def _on_reset(self) -> None:
        self._studio.change("window", keys={})
        self._said.say("All keys are as they were.")


def _holder(key: str, table: Mapping[str, str], name: str) -> str:
    """The other action that has a key already; empty when it is free."""
    if QKeySequence(key) in [QKeySequence(remote) for remote in keys.REMOTE]:
        return "take"
    same = (n for n, k in table.items() if n != name and QKeySequence(k) == QKeySequence(key))
    return next(same, "")
