"""Settings: one page per matter; what is changed applies at once."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from hrn_studio.live.quality_limits import DEFAULTS, Limit, as_numbers, edited, limits
from hrn_studio.settings import GuidanceSettings, Settings
from hrn_studio.ui import words
from hrn_studio.ui.about import AboutPage, HealthPage
from hrn_studio.ui.build import Elided, button, label, line, row, scrolled
from hrn_studio.ui.sheet import Sheet
from hrn_studio.ui.studio import Studio
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.controls import Check, Segmented, Switch

SIZES = ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))
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
        self.green.setText(_written(limit.green, limit.unit))
        self.red.setText(_written(limit.red, limit.unit))
        own = limit != default
        self._default.setText("own" if own else "default")

    def _on_edited(self) -> None:
        green = _read(self.green.text(), self.limit.green, self.limit.unit)
        red = _read(self.red.text(), self.limit.red, self.limit.unit)
        new = dataclasses.replace(self.limit, green=green, red=red, required=self.check.isChecked())
        if new != self.limit:
            self.changed.emit(self.limit.key, as_numbers(new))


def _written(pair: tuple[float, float], unit: str) -> str:
    low, high = (words.limit_number(v, unit) for v in pair)
    tail = f" {words.UNITS[unit]}" if unit in words.UNITS else ""
    if not low or not high:
        return (low or high) + tail
    return high + tail if pair[0] == -pair[1] else f"{low}–{high}{tail}"


def _read(text: str, before: tuple[float, float], unit: str) -> tuple[float, float]:
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


class FormPage(QWidget):
    """Rows of a name, what it does, and a control that changes one setting."""

    def __init__(self, theme: Theme, studio: Studio, group: str) -> None:
        super().__init__()
        self._theme, self._studio, self._group = theme, studio, group
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(24, 16, 24, 16)
        self._rows.setSpacing(12)

    def reset(self) -> None:
        """The defaults of this page."""
        fresh = getattr(Settings(), self._group)
        if self._group == "camera":
            fresh = dataclasses.replace(fresh, device=self._studio.settings.camera.device)
        self._studio.use(dataclasses.replace(self._studio.settings, **{self._group: fresh}))
        for control in self.findChildren(QWidget):
            refresh = control.property("refresh")
            if callable(refresh):
                refresh()

    def end(self) -> FormPage:
        self._rows.addStretch(1)
        return self

    def get(self, name: str) -> Any:
        return getattr(getattr(self._studio.settings, self._group), name)

    def put(self, name: str, value: object) -> None:
        group = dataclasses.replace(getattr(self._studio.settings, self._group), **{name: value})
        self._studio.use(dataclasses.replace(self._studio.settings, **{self._group: group}))

    def add(self, title: str, about: str, control: QWidget) -> FormPage:
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addWidget(label(title, "label"))
        if about:
            text.addWidget(label(about, "small", wrap=True))
        one = QHBoxLayout()
        one.setSpacing(24)
        one.addLayout(text, 1)
        one.addWidget(control)
        self._rows.addLayout(one)
        self._rows.addWidget(line())
        return self

    def switch(self, title: str, about: str, name: str) -> FormPage:
        control = Switch(self._theme, title)

        def refresh() -> None:
            control.setChecked(bool(self.get(name)))

        refresh()
        control.setProperty("refresh", refresh)
        control.toggled.connect(lambda on: self.put(name, on))
        return self.add(title, about, control)

    def choice(
        self, title: str, about: str, name: str, options: tuple[tuple[Any, str], ...]
    ) -> FormPage:
        by_key = {str(value): value for value, _ in options}
        control = Segmented(tuple((str(v), text) for v, text in options), title)

        def refresh() -> None:
            control.choose(str(self.get(name)))

        refresh()
        control.setProperty("refresh", refresh)
        control.chosen.connect(lambda key: self.put(name, by_key[key]))
        return self.add(title, about, control)


def camera_page(theme: Theme, studio: Studio) -> FormPage:
    page = FormPage(theme, studio, "camera")
    size = QComboBox()
    for wide, high in SIZES:
        size.addItem(f"{wide} × {high}", (wide, high))
    now = (studio.settings.camera.width, studio.settings.camera.height)
    size.setCurrentIndex(SIZES.index(now) if now in SIZES else 1)

    def use_size(index: int) -> None:
        wide, high = SIZES[index]
        camera = dataclasses.replace(studio.settings.camera, width=wide, height=high)
        studio.use(dataclasses.replace(studio.settings, camera=camera))

    size.currentIndexChanged.connect(use_size)
    rate = QSpinBox()
    rate.setRange(5, 120)
    rate.setValue(studio.settings.camera.fps)
    rate.setSuffix(" fps")
    rate.valueChanged.connect(lambda value: page.put("fps", value))
    angle = QDoubleSpinBox()
    angle.setRange(20, 120)
    angle.setDecimals(1)
    angle.setSuffix("°")
    angle.setValue(studio.settings.camera.hfov_deg)
    angle.valueChanged.connect(lambda value: page.put("hfov_deg", value))
    page.add("Resolution", "Asked for at the next start of the camera; it may give another.", size)
    page.add("Rate", "", rate)
    page.add("Field of view", "Across the picture; most webcams see 60° to 78°.", angle)
    page.switch("Mirror", "On the screen only; stored pictures are never mirrored.", "mirror")
    return page.end()


class SettingsSheet(Sheet):
    """The settings over the window."""

    def __init__(self, theme: Theme, studio: Studio, over: QWidget) -> None:
        super().__init__(theme, over, (920, 680), "Settings")
        self._studio = studio
        self.guidance = GuidancePage(theme, studio)
        capture = FormPage(theme, studio, "capture")
        capture.switch(
            "Automatic shutter",
            "Takes a shot when its pose is held for half a second.",
            "automatic",
        )
        capture.choice(
            "Burst",
            "Frames per shot; the sharpest with open eyes is kept.",
            "burst",
            ((1, "1"), (3, "3"), (5, "5")),
        )
        capture.choice(
            "Countdown",
            "Before a frame is taken by hand.",
            "countdown_s",
            ((0, "Off"), (3, "3 s"), (5, "5 s")),
        )
        fitting = FormPage(theme, studio, "fit")
        fitting.choice(
            "Detail",
            "Draft is a smooth head; Fine has wrinkles and pores.",
            "stage",
            (("coarse", "Draft"), ("mid", "Standard"), ("fine", "Fine")),
        )
        fitting.choice("Texture", "", "texture_px", ((1024, "1K"), (2048, "2K"), (4096, "4K")))
        fitting.choice(
            "Runs on",
            "",
            "device",
            (("auto", "Automatic"), ("cpu", "Processor"), ("cuda", "NVIDIA")),
        )
        fitting.switch("White balance", "Takes a colour cast out of the texture.", "white_balance")
        looks = FormPage(theme, studio, "window")
        looks.choice(
            "Theme", "", "theme", (("system", "System"), ("dark", "Dark"), ("light", "Light"))
        )
        looks.choice(
            "Text size",
            "",
            "text_percent",
            ((100, "100 %"), (115, "115 %"), (130, "130 %"), (150, "150 %")),
        )
        looks.switch("Reduce motion", "Nothing fades.", "reduce_motion")
        self.health = HealthPage(theme, studio.log)
        self.pages: dict[str, tuple[str, QWidget]] = {
            "camera": ("Camera", camera_page(theme, studio)),
            "guidance": ("Guidance", self.guidance),
            "capture": ("Capture", capture.end()),
            "fitting": ("Fitting", fitting.end()),
            "appearance": ("Appearance", looks.end()),
            "health": ("Health and log", self.health),
            "about": ("About and licences", AboutPage()),
        }
        self._stack = QStackedWidget()
        self._group = QButtonGroup(self)
        nav = QVBoxLayout()
        nav.setContentsMargins(12, 12, 12, 12)
        nav.setSpacing(4)
        self._keys = list(self.pages)
        for i, (key, (title, page)) in enumerate(self.pages.items()):
            if key == "health":
                nav.addStretch(1)
            entry = button(title, "nav")
            entry.setCheckable(True)
            self._group.addButton(entry, i)
            nav.addWidget(entry)
            self._stack.addWidget(page)
        self._group.idClicked.connect(self._on_page)
        side = QWidget()
        side.setLayout(nav)
        side.setFixedWidth(200)
        edge = line()
        edge.setMinimumHeight(1)
        edge.setMaximumHeight(16777215)
        edge.setFixedWidth(1)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(side)
        middle.addWidget(edge)
        middle.addWidget(self._stack, 1)
        self._reset = button("Reset this page", "raised")
        self._reset.clicked.connect(self._on_reset)
        done = button("Done", "start")
        done.clicked.connect(self.close_sheet)
        foot = QHBoxLayout()
        foot.setContentsMargins(24, 12, 24, 12)
        foot.addWidget(label("Changes apply at once.", "small"))
        foot.addStretch(1)
        foot.setSpacing(8)
        foot.addWidget(self._reset)
        foot.addWidget(done)
        self.body.addWidget(line())
        self.body.addLayout(middle, 1)
        self.body.addWidget(line())
        self.body.addLayout(foot)
        for spin in self.findChildren(QDoubleSpinBox):
            set_role(spin, "field")
        self.show_page("guidance")

    def show_page(self, key: str) -> None:
        index = self._keys.index(key)
        self._group.button(index).setChecked(True)
        self._on_page(index)

    def sizeHint(self) -> QSize:
        return QSize(920, 680)

    def _on_page(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        key = self._keys[index]
        self._reset.setVisible(key not in ("health", "about"))
        if key == "health":
            self.health.examine()

    def _on_reset(self) -> None:
        page = self.pages[self._keys[self._stack.currentIndex()]][1]
        if isinstance(page, GuidancePage | FormPage):
            page.reset()
