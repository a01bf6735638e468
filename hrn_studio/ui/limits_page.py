"""Limits of the quality measures, typed and kept at once."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from hrn_studio.live.quality_limits import DEFAULTS, Limit, as_numbers, edited, limits
from hrn_studio.settings import GuidanceSettings, Settings
from hrn_studio.ui import words
from hrn_studio.ui.build import Elided, label, line, row, scrolled
from hrn_studio.ui.studio import Studio
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.controls import Check, Segmented

_PERCENT = ("percent", "whole", "margin")


class LimitRow(QWidget):
    """A measure with its green and red limit.

    Signals
    -------
    changed
        Key and numbers (:func:`as_numbers`).
    """

    changed = Signal(str, list)

    def __init__(self, theme: Theme, limit: Limit) -> None:
        super().__init__()
        self.limit = limit
        self.check = Check(theme)
        self.check.setAccessibleName(f"{limit.label} needed for Ready")
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addWidget(label(limit.label, "label"))
        text.addWidget(Elided(limit.about, "small"))
        self.green, self.red = QLineEdit(), QLineEdit()
        self._default = label("", "small")
        self._default.setFixedWidth(48)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 3, 16, 3)
        box.setSpacing(12)
        box.addWidget(self.check)
        box.addLayout(text, 1)
        for field, name in ((self.green, "Green to"), (self.red, "Red past")):
            field.setFixedWidth(104)
            field.setAccessibleName(f"{limit.label}: {name}")
            field.editingFinished.connect(self._on_edited)
            box.addWidget(field)
        box.addWidget(self._default)
        self.check.toggled.connect(self._on_edited)
        editable = limit.key != "one_face"
        self.green.setEnabled(editable)
        self.red.setEnabled(editable)

    def show_limit(self, limit: Limit, default: Limit) -> None:
        self.limit = limit
        self.check.blockSignals(True)
        self.check.setChecked(limit.required)
        self.check.blockSignals(False)
        self.green.setText(written(limit.green, limit.unit))
        self.red.setText(written(limit.red, limit.unit))
        own = limit != default
        self._default.setText("own" if own else "default")

    def _on_edited(self) -> None:
        green = read_limits(self.green.text(), self.limit.green, self.limit.unit)
        red = read_limits(self.red.text(), self.limit.red, self.limit.unit)
        new = dataclasses.replace(self.limit, green=green, red=red, required=self.check.isChecked())
        if new != self.limit:
            self.changed.emit(self.limit.key, as_numbers(new))


def written(pair: tuple[float, float], unit: str) -> str:
    low, high = (words.limit_number(v, unit) for v in pair)
    tail = f" {words.UNITS[unit]}" if unit in words.UNITS else ""
    if not low or not high:
        return (low or high) + tail
    return high + tail if pair[0] == -pair[1] else f"{low}–{high}{tail}"


def read_limits(text: str, before: tuple[float, float], unit: str) -> tuple[float, float]:
    """The limits in a field; as before when they cannot be read."""
    plain = text.replace(words.UNITS.get(unit, " "), " ").replace(",", ".").strip()
    factor = 0.01 if unit in _PERCENT else 1.0
    try:
        numbers = [float(part) * factor for part in plain.replace("–", " ").split()]
    except ValueError:
        return before
    if len(numbers) == 2 and numbers[0] < numbers[1]:
        return numbers[0], numbers[1]
    if len(numbers) != 1:
        return before
    low, high = before
    if math.isinf(low):
        return low, numbers[0]
    if math.isinf(high):
        return numbers[0], high
    return (-numbers[0], numbers[0]) if low == -high else before


class GuidancePage(QWidget):
    """Limits of all measures."""

    def __init__(self, theme: Theme, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self.preset = Segmented(
            (
                ("relaxed", "Relaxed"),
                ("reconstruction", "Reconstruction"),
                ("passport", "Passport"),
            ),
            "Start from",
        )
        self.preset.chosen.connect(self._on_preset)
        self.rows = {limit.key: LimitRow(theme, limit) for limit in DEFAULTS}
        listed = QWidget()
        rows = QVBoxLayout(listed)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        for one in self.rows.values():
            one.changed.connect(self._on_changed)
            rows.addWidget(one)
            rows.addWidget(line())
        rows.addStretch(1)
        self.area = scrolled(listed)
        green, red = label("Green to", "small"), label("Red past", "small")
        green.setFixedWidth(108)
        red.setFixedWidth(180)
        box = QVBoxLayout(self)
        box.setContentsMargins(24, 16, 16, 8)
        box.setSpacing(6)
        box.addLayout(row(label("Start from", "label"), None, self.preset))
        about = (
            "Green is good for a detailed head. Past the red limit the frame is not taken by "
            "itself. Space always takes it."
        )
        box.addWidget(Elided(about, "small"))
        head = row(24, label("Measure, ticked when needed for Ready", "small"), None, green, red)
        box.addLayout(head)
        box.addWidget(self.area, 1)
        self.show_settings(studio.settings)

    def show_settings(self, chosen: Settings) -> None:
        guidance = chosen.guidance
        self.preset.choose(guidance.preset)
        base = limits(guidance.preset)
        own = edited(base, guidance.limits)
        for key, one in self.rows.items():
            one.show_limit(own[key], base[key])

    def show_measure(self, key: str) -> None:
        """Bring a measure into view, ready to type."""
        one = self.rows[key]
        self.area.ensureWidgetVisible(one)
        one.green.setFocus()
        one.green.selectAll()

    def reset(self) -> None:
        self._use(GuidanceSettings(brief=self._studio.settings.guidance.brief))

    def _on_preset(self, key: str) -> None:
        guidance = self._studio.settings.guidance
        values: dict[str, Any] = {"preset": key, "limits": {}}
        self._use(dataclasses.replace(guidance, **values))

    def _on_changed(self, key: str, numbers: list[float]) -> None:
        guidance = self._studio.settings.guidance
        own = {**guidance.limits, key: numbers}
        self._use(dataclasses.replace(guidance, limits=own))

    def _use(self, guidance: GuidanceSettings) -> None:
        self._studio.use(dataclasses.replace(self._studio.settings, guidance=guidance))
        self.show_settings(self._studio.settings)
