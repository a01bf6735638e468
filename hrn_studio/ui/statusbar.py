"""The status bar: how fast, how late, how much disk is left."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from hrn_studio.live.stream import Pace
from hrn_studio.ui import icons, words
from hrn_studio.ui.build import label
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.base import StateGlyph


class ReadOut(QWidget):
    """``Camera 30.0 fps``: the number strong and as wide as its longest."""

    def __init__(self, name: str, unit: str, longest: str) -> None:
        super().__init__()
        self._value = label("–", "strong_small")
        self._longest = longest
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        if name:
            box.addWidget(label(name, "small"))
        box.addWidget(self._value)
        if unit:
            box.addWidget(label(unit, "small"))

    def say(self, text: str) -> None:
        if self._value.text() != text:
            self._value.setText(text)
            width = self._value.fontMetrics().horizontalAdvance(self._longest) + 1
            if self._value.minimumWidth() != width:
                self._value.setMinimumWidth(width)


class StatusBar(QFrame):
    """28 px; told twice a second."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        set_role(self, "status")
        self.setFixedHeight(theme.tokens.size["status"])
        self._none = label("No source is open", "small")
        self._camera = ReadOut("Camera", "fps", "30.0")
        self._tracked = ReadOut("Tracked", "fps", "30.0")
        self._p50 = ReadOut("Latency p50", "", "00")
        self._p95 = ReadOut("· p95", "ms", "00")
        self._dropped = ReadOut("Dropped", "", "0")
        self._ring = StateGlyph(theme, 12)
        self._fit = ReadOut("Fit", "", "00 %")
        self._disk = ReadOut("Disk", "", "000 GB free")
        self._lock = QLabel()
        self._live = (self._camera, self._tracked, self._p50, self._p95, self._dropped)
        box = QHBoxLayout(self)
        box.setContentsMargins(16, 0, 16, 0)
        box.setSpacing(0)
        box.addWidget(self._none)
        for part in (self._camera, self._tracked):
            box.addWidget(part)
            box.addSpacing(20)
        box.addWidget(self._p50)
        box.addSpacing(4)
        box.addWidget(self._p95)
        box.addSpacing(20)
        box.addWidget(self._dropped)
        box.addSpacing(20)
        box.addWidget(self._ring)
        box.addSpacing(6)
        box.addWidget(self._fit)
        box.addStretch(1)
        box.addWidget(self._disk)
        box.addSpacing(20)
        box.addWidget(self._lock)
        box.addSpacing(6)
        box.addWidget(label(words.PRIVACY, "small"))
        self._restyle()
        theme.changed.connect(self._restyle)
        self.show_live(False, 0.0, None)
        self.show_fit(None)

    def show_live(self, is_open: bool, camera_fps: float, pace: Pace | None) -> None:
        self._none.setVisible(not is_open)
        for part in self._live:
            part.setVisible(is_open)
        self._camera.say(f"{camera_fps:.1f}" if camera_fps > 0 else "–")
        if pace is None or camera_fps <= 0:
            for part in (self._tracked, self._p50, self._p95):
                part.say("–")
        else:
            self._tracked.say(f"{min(pace.fps, 999):.1f}")
            self._p50.say(f"{pace.latency_p50_ms:.0f}")
            self._p95.say(f"{pace.latency_p95_ms:.0f}")
        self._dropped.say(str(pace.dropped if pace is not None else 0))

    def show_fit(self, fraction: float | None) -> None:
        self._ring.setVisible(fraction is not None)
        self._fit.setVisible(fraction is not None)
        if fraction is not None:
            self._ring.show_state("busy", fraction)
            self._fit.say(f"{100 * fraction:.0f} %")

    def show_disk(self, free: int) -> None:
        self._disk.say(f"{words.gigabytes(free)} free")

    def _restyle(self) -> None:
        self._lock.setPixmap(icons.icon("lock", self._theme["text_secondary"]).pixmap(14, 14))
