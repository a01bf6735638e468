"""The Fit inspector for several frames: which are fused, and how far each is from the rest."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from hrn_studio.session.agreement import GOOD_MM, Agreement
from hrn_studio.ui.build import Elided, button, clear, label, line, row
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.thumb import Thumb
from hrn_studio.ui.widgets.base import Painted, Shown, StateGlyph
from hrn_studio.ui.widgets.controls import Check, Segmented

PAGES = (("one", "One frame"), ("several", "Several"))


@dataclass(frozen=True, slots=True, eq=False)
class FuseRow:
    """One kept frame of the list."""

    id: str
    name: str
    image: QImage | None
    chosen: bool
    distance_mm: float | None = None
    """From the other frames' heads; None before it was fused."""
    state: Shown = "none"
    focused: bool = False
    note: str = ""
    """Why it was left out."""


class Gauge(Painted):
    """A thin bar, 0..1."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._share, self._warn = 0.0, False
        self.setFixedHeight(4)

    def show_share(self, share: float, warn: bool) -> None:
        self._share, self._warn = min(max(share, 0.0), 1.0), warn
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(80, 4)

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        rect = QRectF(self.rect())
        painter.setBrush(self.theme["raised"])
        painter.drawRoundedRect(rect, 2, 2)
        rect.setWidth(rect.width() * self._share)
        painter.setBrush(self.theme["warn"] if self._warn else self.theme["text_quiet"])
        painter.drawRoundedRect(rect, 2, 2)


class FrameRow(QFrame):
    """A frame with a check, and its distance."""

    toggled = Signal(str, bool)
    focused = Signal(str)

    def __init__(self, theme: Theme, shown: FuseRow, most_mm: float) -> None:
        super().__init__()
        self._id = shown.id
        self.setFixedHeight(44)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        set_role(self, "card" if shown.focused else "plain", chosen=shown.focused)
        self.check = Check(theme)
        self.check.setAccessibleName(f"Use {shown.name}")
        self.check.setChecked(shown.chosen)
        self.check.toggled.connect(lambda on: self.toggled.emit(self._id, on))
        thumb = Thumb(theme, 48, 32)
        thumb.show_image(shown.image)
        side = f"{shown.distance_mm:.2f} mm" if shown.distance_mm is not None else shown.note
        number = label(side, "strong_small" if shown.state == "warn" else "small")
        glyph = StateGlyph(theme, 14)
        glyph.show_state(shown.state)
        glyph.setVisible(shown.distance_mm is not None or bool(shown.note))
        gauge = Gauge(theme)
        gauge.show_share((shown.distance_mm or 0.0) / most_mm, shown.state == "warn")
        gauge.setVisible(shown.distance_mm is not None)
        first = QHBoxLayout()
        first.setSpacing(8)
        first.addWidget(Elided(shown.name, "label"), 1)
        first.addWidget(glyph)
        first.addWidget(number)
        text = QVBoxLayout()
        text.setSpacing(4)
        text.addStretch(1)
        text.addLayout(first)
        text.addWidget(gauge)
        text.addStretch(1)
        box = QHBoxLayout(self)
        box.setContentsMargins(8, 0, 8, 0)
        box.setSpacing(8)
        box.addWidget(self.check)
        box.addWidget(thumb)
        box.addLayout(text, 1)
        self.setAccessibleName(f"{shown.name}, {side}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.focused.emit(self._id)


class Figure(QFrame):
    """A number with its name and what to want."""

    def __init__(self, theme: Theme, name: str, glyph: bool) -> None:
        super().__init__()
        set_role(self, "card")
        self._number = label("–", "number")
        self._wanted = Elided("", "small")
        self._glyph = StateGlyph(theme, 16)
        self._glyph.setVisible(glyph)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 8, 8)
        box.setSpacing(1)
        box.addWidget(label(name, "small"))
        box.addLayout(row(self._number, self._glyph, None))
        box.addWidget(self._wanted)

    def show_value(self, value: float | None, wanted: str, good: bool) -> None:
        self._number.setText("–" if value is None else f"{value:.2f} mm")
        self._glyph.show_state("none" if value is None else "ok" if good else "warn")
        self._wanted.say(wanted)


class FusePanel(QWidget):
    """The Fit inspector for several frames.

    Signals
    -------
    page_chosen
        ``one`` or ``several``.
    toggled
        Id of a frame, and whether it is used.
    focused
        Id of the frame to look at.
    fuse_wanted, add_wanted
    """

    page_chosen = Signal(str)
    toggled = Signal(str, bool)
    focused = Signal(str)
    fuse_wanted = Signal()
    add_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.pages = Segmented(PAGES, "Frames to fit")
        self.pages.chosen.connect(self.page_chosen)
        self._median = Figure(theme, "Spread, median", glyph=True)
        self._most = Figure(theme, "Spread, 95 %", glyph=False)
        figures = QHBoxLayout()
        figures.setSpacing(12)
        figures.addWidget(self._median, 1)
        figures.addWidget(self._most, 1)
        self._side = label("", "small")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        self._shown: tuple[object, ...] = ()
        self.add = button("Add frames…", "line_small")
        self.fuse = button("Fuse", "line_small")
        self.add.clicked.connect(self.add_wanted)
        self.fuse.clicked.connect(self.fuse_wanted)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(10)
        box.addLayout(row(label("Fusing", "title"), None, self.pages))
        box.addLayout(figures)
        box.addLayout(row(label("Distance from the other frames", "section"), None, self._side))
        lifted = QHBoxLayout()
        lifted.setContentsMargins(-8, 0, -8, 0)
        lifted.addLayout(self._rows)
        box.addLayout(lifted)
        box.addWidget(line())
        about = "Frames that disagree with the others count less."
        box.addWidget(label(about, "small", wrap=True))
        box.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.add, 1)
        buttons.addWidget(self.fuse, 1)
        box.addLayout(buttons)
        self.show_figures(None)

    def show_figures(self, found: Agreement | None) -> None:
        if found is None:
            self._median.show_value(None, f"want under {GOOD_MM:.2f}", good=False)
            self._most.show_value(None, "", good=False)
            return
        self._median.show_value(found.median_mm, f"want under {GOOD_MM:.2f}", found.good)
        self._most.show_value(found.most_mm, f"most {found.most_where}", good=True)

    def show_rows(self, rows: tuple[FuseRow, ...], again: bool) -> None:
        """Every frame that may be fused; ``again`` when this choice was fused before."""
        chosen = sum(r.chosen for r in rows)
        self.fuse.setText("Fuse again" if again else f"Fuse {chosen} frames")
        self.fuse.setEnabled(chosen > 1)
        self.fuse.setToolTip("" if chosen > 1 else "Choose two or more frames")
        self._side.setText("median" if any(r.distance_mm is not None for r in rows) else "")
        now = tuple(
            (r.id, r.name, r.chosen, r.distance_mm, r.state, r.focused, r.note, id(r.image))
            for r in rows
        )
        if now == self._shown:
            return
        self._shown = now
        clear(self._rows)
        most = max([r.distance_mm or 0.0 for r in rows] + [2 * GOOD_MM])
        for shown in rows:
            one = FrameRow(self._theme, shown, most)
            one.toggled.connect(self.toggled)
            one.focused.connect(self.focused)
            self._rows.addWidget(one)
