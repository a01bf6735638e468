"""Pages of settings: rows of a name, what it does, and a control."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from hrn_studio.models.live import live_reason, network_reason
from hrn_studio.settings import Settings
from hrn_studio.ui.build import label, line
from hrn_studio.ui.fit_panel import sentence
from hrn_studio.ui.studio import Studio
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.controls import Segmented, Switch

SIZES = ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))


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
        self,
        title: str,
        about: str,
        name: str,
        options: tuple[tuple[Any, str], ...],
        reasons: Mapping[Any, str | None] | None = None,
    ) -> FormPage:
        """A row to choose one of some values; those with a reason cannot be chosen."""
        by_key = {str(value): value for value, _ in options}
        control = Segmented(tuple((str(v), text) for v, text in options), title)

        def refresh() -> None:
            control.choose(str(self.get(name)))

        refresh()
        for key, why in (reasons or {}).items():
            control.button(str(key)).setEnabled(why is None)
            control.button(str(key)).setToolTip("" if why is None else sentence(why))
        control.setProperty("refresh", refresh)
        control.chosen.connect(lambda key: self.put(name, by_key[key]))
        return self.add(title, about, control)


def network_row(page: FormPage, about: str) -> None:
    """Whether the face network looks too, with the reason why it cannot."""
    why = network_reason()
    options = ((False, "Off"), (True, "On"))
    page.choice("Face network", about, "network", options, {True: why and sentence(why)})


def camera_page(theme: Theme, studio: Studio) -> FormPage:
    page = FormPage(theme, studio, "camera")
    why = live_reason("hrn")
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
    page.choice(
        "Face seen by",
        "From the next start of the camera on; HRN is slower.",
        "engine",
        (("studio", "Studio"), ("hrn", "HRN")),
        {"hrn": why and f"HRN {why}"},
    )
    network_row(
        page,
        "Looks at the live face beside Studio's tracker; from the next start of the camera on.",
    )
    page.switch("Mirror", "On the screen only; stored pictures are never mirrored.", "mirror")
    return page.end()
