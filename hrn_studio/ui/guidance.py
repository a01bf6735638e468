"""The Live inspector: dial, ball, histogram, and the calm list of measures."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from hrn_studio.live.quality import Quality, unmeasured
from hrn_studio.live.quality_limits import DEFAULTS, GROUPS, Group
from hrn_studio.live.stream import Face
from hrn_studio.session.store import Kept
from hrn_studio.ui import words
from hrn_studio.ui.build import Elided, button, clear, column, frame, label, line, row
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.base import StateGlyph
from hrn_studio.ui.widgets.controls import Segmented
from hrn_studio.ui.widgets.instruments import (
    Dial,
    Histogram,
    LightBall,
    PoseDial,
    caption_of_pose,
    captions_of_light,
    state_of_stops,
)
from hrn_studio.ui.widgets.quality_row import QualityRow


class GroupRow(QWidget):
    """One of the five groups: the worst of its measures, in words."""

    def __init__(self, theme: Theme, group: Group) -> None:
        super().__init__()
        self.group = group
        self.setFixedHeight(24)
        self._glyph = StateGlyph(theme, 13)
        self._value = Elided("", "small")
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        name = label(words.GROUPS[group], "strong_small")
        name.setFixedWidth(84)
        box.addWidget(self._glyph)
        box.addWidget(name)
        box.addWidget(self._value, 1)

    def show_quality(self, quality: Quality) -> None:
        measure = quality.group(self.group)
        self._glyph.show_state(measure.state)
        self._value.say(group_words(self.group, quality))


def group_words(group: Group, quality: Quality) -> str:
    """``even, key to fill 1.1 stops``; what is wrong when something is."""
    worst = quality.group(group)
    if worst.state == "none":
        return "not measured"
    if worst.state != "ok":
        return f"{worst.limit.label.lower()} {words.value(worst)}"
    if group == "light" and quality.light is not None:
        return f"even, key to fill {quality.light.key_to_fill:.1f} stops"
    if group == "focus":
        return f"sharp, {words.value(quality['sharpness'])} of your best"
    if group == "position":
        return f"{words.value(quality['distance'])}, face {words.value(quality['face_size'])}"
    if group == "pose":
        return "on the target"
    return "eyes open, neutral"


class Instruments(QWidget):
    """Dial and ball beside each other, the histogram below."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.dial = PoseDial(theme)
        self.ball = LightBall(theme)
        self.histogram = Histogram(theme)
        self._pose = label("not measured", "caption")
        self._key = label("Light", "caption")
        self._fill = label("not measured", "caption")
        self._cards: list[QFrame] = []
        pair = QHBoxLayout()
        pair.setSpacing(12)
        for painted, captions in (
            (self.dial, (label("Pose", "caption"), self._pose)),
            (self.ball, (self._key, self._fill)),
        ):
            card = frame("card")
            inner = QVBoxLayout(card)
            inner.setContentsMargins(4, 10, 4, 8)
            inner.setSpacing(0)
            inner.addWidget(painted, 0, Qt.AlignmentFlag.AlignHCenter)
            inner.addSpacing(7)
            for caption in captions:
                caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
                inner.addWidget(caption)
            pair.addWidget(card, 1)
            self._cards.append(card)
        self._plot = frame("card")
        plot = QVBoxLayout(self._plot)
        plot.setContentsMargins(12, 9, 12, 8)
        plot.addWidget(self.histogram)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(12)
        box.addLayout(pair)
        box.addWidget(self._plot)
        self._box = box
        self.fold(False)

    def fold(self, low: bool) -> None:
        """Smaller when the window is low."""
        side = 86 if low else 104
        for painted in (self.dial, self.ball):
            painted.setFixedSize(side, side)
        for card in self._cards:
            card.setFixedHeight(136 if low else 156)
        self._plot.setFixedHeight(75 if low else 88)
        self._box.setSpacing(8 if low else 12)

    def show_face(self, face: Face | None, mirrored: bool) -> None:
        quality = face.quality if face is not None else None
        dial = Dial.of(quality, mirrored) if quality is not None else Dial(mirrored=mirrored)
        self.dial.show_dial(dial)
        _say(self._pose, caption_of_pose(dial))
        light = quality.light if quality is not None else None
        state = quality["brightness"].state if quality is not None else "none"
        self.histogram.show_light(light, state)
        lamp = face.lamp if face is not None else None
        stops = light.key_to_fill if light is not None else 0.0
        self.ball.show_light(lamp, state_of_stops(stops), mirrored)
        texts = captions_of_light(lamp, stops, mirrored) if light else ("Light", "not measured")
        for caption, text in zip((self._key, self._fill), texts, strict=True):
            _say(caption, text)


def _say(caption: QWidget, text: str) -> None:
    if caption.text() != text:  # type: ignore[attr-defined]
        caption.setText(text)  # type: ignore[attr-defined]


class Explanation(QFrame):
    """A popover: formula and limits of a measure."""

    limits_wanted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("explanation")
        self.setProperty("role", "dialog")
        self._key = ""
        self._title = label("", "label")
        self._about = label("", "small", wrap=True)
        self._limits = label("", "small", wrap=True)
        change = button("Change the limits", "link")
        change.clicked.connect(self._on_change)
        box = column(self._title, self._about, self._limits, row(change, None), gap=4)
        box.setContentsMargins(12, 10, 12, 8)
        self.setLayout(box)
        self.setFixedWidth(280)

    def explain(self, key: str, quality: Quality, at: QPoint) -> None:
        measure = quality[key]
        limit = measure.limit
        self._key = key
        self._title.setText(f"{limit.label}: {words.value(measure)}")
        self._about.setText(limit.about[0].upper() + limit.about[1:] + ".")
        green = words.span(limit.green, limit.unit)
        red = words.span(limit.red, limit.unit)
        self._limits.setText(f"Green {green}. Red outside {red}.")
        self.adjustSize()
        self.move(at)
        self.show()

    def _on_change(self) -> None:
        self.hide()
        self.limits_wanted.emit(self._key)


class GuidancePanel(QWidget):
    """The Live inspector.

    Signals
    -------
    brief_chosen
        Five rows or all.
    limits_wanted
        Edit a measure's limits.
    session_chosen
        A folder of a kept session.
    """

    brief_chosen = Signal(bool)
    limits_wanted = Signal(str)
    session_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._quality = unmeasured()
        self._choice = Segmented((("brief", "Brief"), ("all", "All")), "Rows")
        self._choice.choose("all")
        self._choice.chosen.connect(self._on_chosen)
        self.instruments = Instruments(theme)
        self.rows = {limit.key: QualityRow(theme, limit.key) for limit in DEFAULTS}
        self.groups = {group: GroupRow(theme, group) for group in GROUPS}
        self._list = QWidget()
        rows = QVBoxLayout(self._list)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        before = DEFAULTS[0].group
        for limit in DEFAULTS:
            if limit.group != before:
                rows.addSpacing(4)
                rows.addWidget(line())
                rows.addSpacing(4)
                before = limit.group
            rows.addWidget(self.rows[limit.key])
        rows.addStretch(1)
        self._brief = QWidget()
        short = QVBoxLayout(self._brief)
        short.setContentsMargins(0, 0, 0, 0)
        short.setSpacing(0)
        for group in self.groups.values():
            short.addWidget(group)
        short.addStretch(1)
        self._empty = label(words.GUIDANCE_EMPTY, "secondary", wrap=True)
        self._sessions_title = label("Sessions on this computer", "section")
        self._sessions = QVBoxLayout()
        self._sessions.setSpacing(4)
        self._sessions_box = QWidget()
        kept = QVBoxLayout(self._sessions_box)
        kept.setContentsMargins(0, 0, 0, 0)
        kept.addWidget(self._sessions_title)
        kept.addLayout(self._sessions)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 10, 16, 12)
        box.setSpacing(0)
        head = row(label("Guidance", "title"), None, self._choice)
        box.addLayout(head)
        box.addSpacing(9)
        box.addWidget(self._empty)
        box.addWidget(self.instruments)
        box.addSpacing(10)
        box.addWidget(self._list)
        box.addWidget(self._brief)
        box.addStretch(1)
        box.addWidget(self._sessions_box)
        self._gap = 10
        self.explanation = Explanation(theme, self)
        self.explanation.limits_wanted.connect(self.limits_wanted)
        for quality_row in self.rows.values():
            quality_row.clicked.connect(self._on_clicked)
            quality_row.opened.connect(self.limits_wanted)
        self._all = True
        self.show_open(False)
        self.show_quality(self._quality)

    def show_open(self, is_open: bool) -> None:
        """With a source there are instruments; without one, what will be measured."""
        self.instruments.setVisible(is_open)
        self._choice.setVisible(is_open)
        self._empty.setVisible(not is_open)
        self._sessions_box.setVisible(not is_open)
        self._list.setVisible(is_open and self._all)
        self._brief.setVisible(not is_open or not self._all)

    def show_brief(self, brief: bool, is_open: bool) -> None:
        self._all = not brief
        self._choice.choose("brief" if brief else "all")
        self.show_open(is_open)

    def fold(self, low: bool, row_height: int) -> None:
        self.instruments.fold(low)
        for quality_row in self.rows.values():
            quality_row.setFixedHeight(row_height)

    def show_face(self, face: Face | None, mirrored: bool) -> None:
        self.instruments.show_face(face, mirrored)
        self.show_quality(face.quality if face is not None else unmeasured())

    def show_quality(self, quality: Quality) -> None:
        self._quality = quality
        for measure in quality.measures:
            self.rows[measure.key].show_measure(measure)
        for group in self.groups.values():
            group.show_quality(quality)

    def show_sessions(self, kept: tuple[Kept, ...]) -> None:
        clear(self._sessions)
        if not kept:
            self._sessions.addWidget(label(words.NO_SESSIONS, "small", wrap=True))
        for session in kept[:6]:
            early = " · ended early" if session.ended_early else ""
            text = f"{session.name} · {words.frames(session.frames)}{early}"
            entry = button(text, "nav", str(session.folder))
            entry.clicked.connect(
                lambda _=False, f=session.folder: self.session_chosen.emit(str(f))
            )
            self._sessions.addWidget(entry)

    def _on_chosen(self, key: str) -> None:
        self.show_brief(key == "brief", True)
        self.brief_chosen.emit(key == "brief")

    def _on_clicked(self, key: str) -> None:
        place = self.rows[key].mapToGlobal(QPoint(-296, 0))
        self.explanation.explain(key, self._quality, place)
