"""The Capture inspector: the shots, the five groups, and how frames are taken."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from hrn_studio.live.quality import Quality, unmeasured
from hrn_studio.live.quality_limits import GROUPS
from hrn_studio.session.guided import Guided
from hrn_studio.session.state import GUIDED, Planned
from hrn_studio.settings import CaptureSettings
from hrn_studio.ui.build import Keyed, label, line, row
from hrn_studio.ui.guidance import GroupRow
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.base import Shown, StateGlyph
from hrn_studio.ui.widgets.controls import Segmented, Switch

SECONDS_A_SHOT = 6


class ShotRow(QFrame):
    """A planned shot."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, planned: Planned) -> None:
        super().__init__()
        self.planned = planned
        self.setFixedHeight(44)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._glyph = StateGlyph(theme, 18)
        self._hint = label(planned.hint, "small")
        self._side = label("", "small")
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addStretch(1)
        text.addWidget(label(planned.label, "label"))
        text.addWidget(self._hint)
        text.addStretch(1)
        box = QHBoxLayout(self)
        box.setContentsMargins(10, 0, 10, 0)
        box.setSpacing(12)
        box.addWidget(self._glyph)
        box.addLayout(text, 1)
        box.addWidget(self._side)

    def show_state(self, kept: int, now: bool, progress: float, skipped: bool, burst: int) -> None:
        state: Shown = "busy" if now else "ok" if kept else "none"
        self._glyph.show_state(state, progress)
        hint = self.planned.hint
        if kept and not now:
            hint = f"best of a burst of {burst}" if burst > 1 else "taken"
        if now and (self.planned.target.yaw or self.planned.target.pitch):
            hint = "bring the dot into the dashed circle"
        if self._hint.text() != hint:
            self._hint.setText(hint)
        side = f"{kept} kept" if kept else "skipped" if skipped else ""
        side = side or ("optional" if self.planned.optional else "")
        if self._side.text() != side:
            self._side.setText(side)
        role = "card" if now else "plain"
        if self.property("role") != role:
            set_role(self, role, chosen=now)
        self.setAccessibleName(f"{self.planned.label}, {side or hint}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit(self.planned.key)


class CapturePanel(QWidget):
    """The Capture inspector.

    Signals
    -------
    shot_chosen
        Key of the shot to take next.
    ended
        End the sequence.
    changed
        Automatic, burst, countdown as :class:`CaptureSettings` fields in a dict.
    """

    shot_chosen = Signal(str)
    ended = Signal()
    changed = Signal(dict)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._burst_now = 5
        self._left = label("", "small")
        self.rows = {planned.key: ShotRow(theme, planned) for planned in GUIDED}
        self.groups = [GroupRow(theme, group) for group in GROUPS]
        self._auto = Switch(theme, "Automatic shutter")
        self._burst = Segmented((("1", "1"), ("3", "3"), ("5", "5")), "Burst")
        self._count = Segmented((("0", "Off"), ("3", "3 s"), ("5", "5 s")), "Countdown")
        end = Keyed("End guided capture", "Esc", "line_small")
        end.clicked.connect(self.ended)
        self._auto.toggled.connect(lambda on: self.changed.emit({"automatic": on}))
        self._burst.chosen.connect(lambda key: self.changed.emit({"burst": int(key)}))
        self._count.chosen.connect(lambda key: self.changed.emit({"countdown_s": int(key)}))
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 16)
        box.setSpacing(0)
        box.addLayout(row(label("Guided capture", "title"), None, self._left))
        box.addSpacing(14)
        for shot in self.rows.values():
            shot.chosen.connect(self.shot_chosen)
            wrapped = QHBoxLayout()
            wrapped.setContentsMargins(-10, 0, -10, 0)
            wrapped.addWidget(shot)
            box.addLayout(wrapped)
        box.addSpacing(8)
        box.addWidget(line())
        box.addSpacing(8)
        for group in self.groups:
            box.addWidget(group)
        box.addSpacing(8)
        box.addWidget(line())
        box.addStretch(1)
        box.addLayout(row(label("Automatic shutter"), None, self._auto))
        box.addSpacing(4)
        box.addLayout(row(label("Burst"), None, self._burst))
        box.addSpacing(4)
        box.addLayout(row(label("Countdown"), None, self._count))
        box.addSpacing(10)
        box.addWidget(end)

    def show_settings(self, settings: CaptureSettings) -> None:
        self._auto.blockSignals(True)
        self._auto.setChecked(settings.automatic)
        self._auto.blockSignals(False)
        self._auto.update()
        self._burst.choose(str(settings.burst))
        self._count.choose(str(settings.countdown_s))
        self._burst_now = settings.burst

    def show_guided(self, guided: Guided | None) -> None:
        guided = guided or Guided()
        now = guided.shot
        for planned in GUIDED:
            self.rows[planned.key].show_state(
                guided.kept.get(planned.key, 0),
                now is not None and now.key == planned.key,
                guided.progress,
                planned.key in guided.skipped,
                self._burst_now,
            )
        todo = sum(
            1 for p in GUIDED[guided.index :] if not p.optional and not guided.kept.get(p.key)
        )
        left = f" · about {todo * SECONDS_A_SHOT} s left" if todo else ""
        text = f"{guided.count} of {len(GUIDED)}{left}"
        if self._left.text() != text:
            self._left.setText(text)

    def show_quality(self, quality: Quality | None) -> None:
        for group in self.groups:
            group.show_quality(quality or unmeasured())
