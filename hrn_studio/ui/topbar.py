"""The top bar: the session, the five steps, the source, help and settings."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QWidget

from hrn_studio.session.state import STEPS, Session, Step
from hrn_studio.ui import icons, words
from hrn_studio.ui.build import label
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.controls import StepButton, ToolButton


class MenuLabel(QFrame):
    """A name, what it is like, and a chevron: opens a menu.

    Signals
    -------
    opened
        It was pressed.
    """

    opened = Signal()

    def __init__(self, theme: Theme, icon: str = "", name: str = "") -> None:
        super().__init__()
        self._theme = theme
        self._icon_name = icon
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        self._icon = label("")
        self._name = label("", "label")
        self._detail = label("", "quiet")
        self._chevron = label("")
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        for part in (self._icon, self._name, self._detail, self._chevron):
            box.addWidget(part)
        self._icon.setVisible(bool(icon))
        self._restyle()
        theme.changed.connect(self._restyle)

    def say(self, name: str, detail: str) -> None:
        if self._name.text() != name:
            self._name.setText(name)
        if self._detail.text() != detail:
            self._detail.setText(detail)
        self._detail.setVisible(bool(detail))

    def _restyle(self) -> None:
        quiet, text = self._theme["text_secondary"], self._theme["text"]
        self._chevron.setPixmap(icons.icon("down", quiet).pixmap(16, 16))
        if self._icon_name:
            self._icon.setPixmap(icons.icon(self._icon_name, text).pixmap(18, 18))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.opened.emit()

    def keyPressEvent(self, event: object) -> None:
        key = event.key()  # type: ignore[attr-defined]
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Down):
            self.opened.emit()
        else:
            super().keyPressEvent(event)  # type: ignore[arg-type]


class TopBar(QFrame):
    """52 px.

    Signals
    -------
    step_chosen, session_opened, source_opened, help_opened, settings_opened
    """

    step_chosen = Signal(str)
    session_opened = Signal()
    source_opened = Signal()
    help_opened = Signal()
    settings_opened = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "top")
        self.setFixedHeight(theme.tokens.size["top"])
        self.session = MenuLabel(theme, name="Session")
        self.source = MenuLabel(theme, "camera", "Source")
        self.session.opened.connect(self.session_opened)
        self.source.opened.connect(self.source_opened)
        self.steps: dict[Step, StepButton] = {}
        well = QFrame()
        set_role(well, "well")
        steps = QHBoxLayout(well)
        steps.setContentsMargins(3, 3, 3, 3)
        steps.setSpacing(2)
        for number, step in enumerate(STEPS, 1):
            button = StepButton(theme, words.STEPS[step])
            button.setFixedSize(theme.tokens.size["step"], 30)
            button.setToolTip(f"Ctrl+{number}")
            button.clicked.connect(lambda _=False, s=step: self.step_chosen.emit(s))
            steps.addWidget(button)
            self.steps[step] = button
        well.setFixedHeight(36)
        help_button = ToolButton(theme, "help", "Shortcuts (F1)", size=(32, 32))
        gear = ToolButton(theme, "gear", "Settings (Ctrl+,)", size=(32, 32))
        help_button.clicked.connect(self.help_opened)
        gear.clicked.connect(self.settings_opened)
        right = QHBoxLayout()
        right.setSpacing(8)
        right.addStretch(1)
        right.addWidget(self.source)
        right.addSpacing(8)
        right.addWidget(help_button)
        right.addWidget(gear)
        left = QHBoxLayout()
        left.addWidget(self.session)
        left.addStretch(1)
        box = QGridLayout(self)
        box.setContentsMargins(16, 0, 12, 0)
        box.addLayout(left, 0, 0)
        box.addWidget(well, 0, 1)
        box.addLayout(right, 0, 2)
        box.setColumnStretch(0, 1)
        box.setColumnStretch(2, 1)

    def fold(self, narrow: bool, compact: int, wide: int) -> None:
        for button in self.steps.values():
            button.setFixedWidth(compact if narrow else wide)

    def show_session(self, session: Session) -> None:
        self.session.say(session.name, words.frames(len(session.shots)))
        for number, (step, button) in enumerate(self.steps.items(), 1):
            button.setChecked(step == session.step)
            missing = session.missing(step)
            quiet = bool(missing) and step != session.step
            if button.property("quiet") != quiet:
                set_role(button, "step", quiet=quiet)
            button.setToolTip(missing or f"{words.STEPS[step]} (Ctrl+{number})")

    def show_busy(self, step: Step, progress: float | None) -> None:
        self.steps[step].show_busy(progress)
