"""The band: one state, one instruction, its reason, and the step's one primary button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from hrn_studio.ui.build import Elided, Keyed
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.base import Painted, Shown, StateGlyph


@dataclass(frozen=True, slots=True)
class Action:
    """A button of the band."""

    text: str
    run: Callable[[], None]
    key: str = ""
    filled: bool = False
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class BandContent:
    """What the band says."""

    state: Shown
    headline: str
    reason: str
    primary: Action | None = None
    secondary: Action | None = None
    progress: float = 0.3
    large: bool = False
    """Read from a metre away."""


class Band(Painted):
    """Shows a :class:`BandContent`; 64 px high.

    Signals
    -------
    renewed
        The :class:`BandContent` with another headline.
    """

    renewed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._content: BandContent | None = None
        self.setFixedHeight(theme.tokens.size["band"])
        self._glyph = StateGlyph(theme, 28)
        self._headline = Elided("", "instruction")
        self._reason = Elided("", "secondary")
        self.secondary = Keyed("", "", "line")
        self.primary = Keyed("", "", "line")
        self.primary.clicked.connect(self._on_primary)
        self.secondary.clicked.connect(self._on_secondary)
        text = QVBoxLayout()
        text.setContentsMargins(0, 0, 0, 0)
        text.setSpacing(0)
        text.addStretch(1)
        text.addWidget(self._headline)
        text.addWidget(self._reason)
        text.addStretch(1)
        box = QHBoxLayout(self)
        box.setContentsMargins(16, 0, 12, 0)
        box.setSpacing(8)
        box.addWidget(self._glyph)
        box.addSpacing(6)
        box.addLayout(text, 1)
        box.addWidget(self.secondary)
        box.addWidget(self.primary)

    @property
    def content(self) -> BandContent | None:
        return self._content

    def say(self, content: BandContent) -> None:
        """Show another instruction; a new headline is told to who listens."""
        old, self._content = self._content, content
        self._glyph.show_state(content.state, content.progress)
        role = "instruction_capture" if content.large else "instruction"
        if self._headline.property("role") != role:
            set_role(self._headline, role)
        self._headline.say(content.headline)
        self._reason.say(content.reason)
        for button, action in (
            (self.primary, content.primary),
            (self.secondary, content.secondary),
        ):
            button.setVisible(action is not None)
            if action is not None:
                button.set_look("primary" if action.filled else "line")
                button.say(action.text, action.key)
                button.setEnabled(action.enabled)
        if old is None or old.state != content.state:
            self.update()
        if old is None or old.headline != content.headline:
            self.tell(content.headline, content.reason)
            self.renewed.emit(content)

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.theme["panel"])
        painter.setBrush(self.theme["panel"])
        rect = QRectF(self.rect())
        painter.drawRoundedRect(rect, 6, 6)
        if self._content is not None:
            painter.fillRect(QRectF(0, 0, 4, rect.height()), self.theme.state(self._content.state))

    def _on_primary(self) -> None:
        if self._content is not None and self._content.primary is not None:
            self._content.primary.run()

    def _on_secondary(self) -> None:
        if self._content is not None and self._content.secondary is not None:
            self._content.secondary.run()
