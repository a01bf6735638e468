"""The left pane while frames are fused: whether more would help, and one frame's disagreement."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from hrn_studio.session.agreement import GOOD_MM, REMEDIES, Agreement
from hrn_studio.ui.build import Elided, label, line, row
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.thumb import Thumb
from hrn_studio.ui.widgets.base import StateGlyph
from hrn_studio.ui.widgets.curve import Course, Curve

SHOWN = 12
"""Numbers of frames on the curve."""
_WORTH_MM = 0.025
_THUMB_PX = 132
_TIMES = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}


@dataclass(frozen=True, slots=True, eq=False)
class FrameLook:
    """One frame, as the page shows it."""

    index: int
    """Into the agreement's frames."""
    photo: QImage | None
    heat: QImage | None
    """Where it differs; None while it is drawn."""


class FusePage(QWidget):
    """Curve and card.

    Signals
    -------
    add_wanted
        More frames.
    """

    add_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        set_role(self, "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._curve = Curve(theme)
        self._verdict = label("", "secondary", wrap=True)
        self._glyph = StateGlyph(theme, 16)
        self._name = label("", "label")
        self._far = Elided("", "small")
        self._photo = Thumb(theme, _THUMB_PX, _THUMB_PX)
        self._heat = Thumb(theme, _THUMB_PX, _THUMB_PX)
        self._where = label("", "label", wrap=True)
        self._what = label("", "small", wrap=True)
        self._pages = QStackedWidget()
        empty = label(
            "Select two or more frames in the tray, then fuse them. Here you will see how well "
            "they agree, which one does not, and whether more would help.",
            "secondary",
            wrap=True,
        )
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setContentsMargins(48, 0, 48, 0)
        self._pages.addWidget(empty)
        self._pages.addWidget(self._filled())
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._pages)

    def _filled(self) -> QWidget:
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self._where)
        words.addWidget(self._what)
        words.addStretch(1)
        pictures = QHBoxLayout()
        pictures.setSpacing(12)
        pictures.addWidget(self._photo, 0, Qt.AlignmentFlag.AlignTop)
        pictures.addWidget(self._heat, 0, Qt.AlignmentFlag.AlignTop)
        pictures.addLayout(words, 1)
        head = row(self._glyph, self._name)
        head.addWidget(self._far, 1)
        filled = QWidget()
        box = QVBoxLayout(filled)
        box.setContentsMargins(12, 4, 12, 12)
        box.setSpacing(8)
        box.addWidget(self._curve, 1)
        box.addWidget(self._verdict)
        box.addSpacing(2)
        box.addWidget(line())
        box.addSpacing(2)
        box.addLayout(head)
        box.addLayout(pictures)
        return filled

    def show_agreement(self, found: Agreement | None) -> None:
        self._pages.setCurrentIndex(0 if found is None else 1)
        if found is None:
            return
        count = len(found.frames)
        shown = max(SHOWN, count + 2)
        values = tuple(found.uncertainty_mm(n) for n in range(1, shown + 1))
        verdict = worth(found)
        self._curve.show_course(
            Course(values, count, GOOD_MM, f"good under {GOOD_MM:g} mm"), verdict
        )
        self._verdict.setText(verdict)

    def show_frame(self, found: Agreement, look: FrameLook) -> None:
        """One frame's distance from the others."""
        frame = found.frames[look.index]
        wrong = found.outlier == look.index
        self._glyph.show_state("warn" if wrong else "ok")
        self._name.setText(f"{frame.name} {'disagrees' if wrong else 'agrees'}")
        others = [f.median_mm for i, f in enumerate(found.frames) if i != look.index]
        middle = sorted(others)[len(others) // 2] if others else 0.0
        times = round(frame.median_mm / middle) if middle > 0 else 0
        more = f", {_TIMES.get(times, f'{times} times')} the others" if times >= 2 else ""
        self._far.say(f"{frame.median_mm:.2f} mm{more}")
        self._photo.show_image(look.photo)
        self._heat.show_image(look.heat)
        self._where.setText(f"Most {frame.where}, {frame.zone_mm:.2f} mm")
        remedy = REMEDIES.get(frame.zone, "")
        self._what.setText(
            f"Leave it out, or take it again {remedy}." if wrong else "It is within what is usual."
        )


def worth(found: Agreement) -> str:
    """Whether more frames still help, in a sentence."""
    gain = found.gain_mm
    if gain >= _WORTH_MM:
        return f"Yes. One more frame would take about {gain:.2f} mm off."
    return f"Hardly. One more frame would take about {gain:.2f} mm off."
