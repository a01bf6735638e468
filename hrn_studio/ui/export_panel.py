"""The Export inspector: for which program, in what formats and sizes, and where to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from hrn_studio.export.names import file_stem
from hrn_studio.export.options import TEXTURE_SIZES
from hrn_studio.session.state import Result
from hrn_studio.ui import icons
from hrn_studio.ui.build import Elided, button, frame, label, row
from hrn_studio.ui.parts import ExportChoice, MoreChoice, PresetChoice
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.controls import Check, Radio, Segmented, Switch

FORMAT_NAMES = {"maps": "Maps", "html": "Page", "usd": "USD"}
NAMING_SAMPLES = (("arkit", "eyeBlinkLeft"), ("unreal", "EyeBlinkLeft"), ("sides", "eyeBlink_L"))
"""How the first shape is called in each naming."""


class PresetCard(QFrame):
    """A preset with a radio button."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, preset: PresetChoice) -> None:
        super().__init__()
        self.preset = preset
        set_role(self, "card", chosen=False)
        self.setFixedHeight(44)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.radio = Radio(theme)
        self.radio.setAccessibleName(preset.title)
        self.radio.clicked.connect(lambda: self.chosen.emit(preset.key))
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addStretch(1)
        text.addWidget(label(preset.title, "label"))
        text.addWidget(Elided(preset.about, "small"))
        text.addStretch(1)
        box = QHBoxLayout(self)
        box.setContentsMargins(12, 0, 12, 0)
        box.addWidget(self.radio)
        box.addLayout(text, 1)

    def show_chosen(self, chosen: bool) -> None:
        if bool(self.property("chosen")) != chosen:
            set_role(self, "card", chosen=chosen)
        self.radio.setChecked(chosen)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit(self.preset.key)


class ExportPanel(QWidget):
    """The Export inspector.

    Signals
    -------
    changed
        Another choice.
    folder_wanted
        Choose the destination.
    more_wanted
        Show the rest of the options.
    """

    changed = Signal()
    folder_wanted = Signal()
    more_wanted = Signal()

    def __init__(
        self,
        theme: Theme,
        formats: tuple[str, ...],
        presets: tuple[PresetChoice, ...],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._root = Path()
        self.more = MoreChoice()
        """What a preset decides by itself and the user changed."""
        self._subject = Elided("", "small")
        self._subject.setAlignment(Qt.AlignmentFlag.AlignRight)
        usable = [p for p in presets if set(p.formats) & set(formats)]
        self.cards = {p.key: PresetCard(theme, p) for p in usable}
        self.checks: dict[str, Check] = {}
        boxes = QGridLayout()
        boxes.setSpacing(8)
        for i, key in enumerate(formats):
            check = Check(theme, FORMAT_NAMES.get(key, key.upper()))
            check.toggled.connect(self._on_toggled)
            boxes.addWidget(check, i // 4, i % 4)
            self.checks[key] = check
        self._fitted = label("", "small")
        self.sizes = Segmented(
            tuple((str(px), f"{px // 1024}K") for px in TEXTURE_SIZES), "Texture size", wide=True
        )
        self.sizes.chosen.connect(self._on_size)
        self.shapes = Switch(theme, "52 expression shapes")
        self.shapes.toggled.connect(self._on_toggled)
        self.inner = Switch(theme, "Eyes, teeth and tongue")
        self.inner.toggled.connect(self._on_toggled)
        self.naming = QComboBox()
        for key, sample in NAMING_SAMPLES:
            self.naming.addItem(sample, key)
        self.naming.setAccessibleName("Names of the shapes")
        self.naming.activated.connect(self._on_size)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(6)
        box.addLayout(row(label("Export", "title"), self._subject))
        box.addSpacing(2)
        for card in self.cards.values():
            card.chosen.connect(self.choose)
            box.addWidget(card)
        self.more_link = button("More options", "heading_link")
        self.more_link.clicked.connect(self.more_wanted)
        box.addLayout(row(label("Formats", "section"), None, self.more_link))
        box.addLayout(boxes)
        box.addSpacing(4)
        box.addLayout(row(label("Texture size", "section"), None, self._fitted))
        box.addWidget(self.sizes)
        box.addSpacing(2)
        box.addLayout(row(label("52 expression shapes"), None, self.shapes))
        box.addLayout(row(label("Shape names"), None, self.naming))
        box.addLayout(row(label("Eyes, teeth and tongue"), None, self.inner))
        box.addSpacing(2)
        box.addWidget(label("Destination", "section"))
        box.addWidget(self._destination(theme))
        box.addStretch(1)
        self._preset = next(iter(self.cards), "")
        self.choose(self._preset)

    def _destination(self, theme: Theme) -> QFrame:
        self._where = Elided("", "body", middle=True)
        change = button("Change", "link")
        change.clicked.connect(self.folder_wanted)
        folder = frame("field")
        inner = QHBoxLayout(folder)
        inner.setContentsMargins(10, 0, 10, 0)
        icon = label("")
        icon.setPixmap(icons.icon("folder", theme["text_secondary"]).pixmap(16, 16))
        inner.addWidget(icon)
        inner.addWidget(self._where, 1)
        inner.addWidget(change)
        folder.setFixedHeight(34)
        return folder

    @property
    def preset(self) -> PresetChoice | None:
        return self.cards[self._preset].preset if self._preset in self.cards else None

    @property
    def formats(self) -> tuple[str, ...]:
        return tuple(key for key, check in self.checks.items() if check.isChecked())

    def choose(self, key: str) -> None:
        """A preset ticks its formats and sets what is written besides the skin."""
        self._preset = key
        for name, card in self.cards.items():
            card.show_chosen(name == key)
        preset = self.preset
        for name, check in self.checks.items():
            _set(check, preset is not None and name in preset.formats)
        if preset is not None:
            _set(self.shapes, preset.shapes)
            _set(self.inner, preset.inner)
            self.naming.setCurrentIndex(max(0, self.naming.findData(preset.naming)))
            self.more = replace(preset.more, recording=self.more.recording)
        self._enable()
        self.changed.emit()

    def _enable(self) -> None:
        self.naming.setEnabled(self.shapes.isChecked())
        self.inner.setEnabled(self.formats != ("stl",))  # what is printed has to be closed

    def show_result(self, result: Result | None, root: Path) -> None:
        self._root = root
        self._subject.say(result.name if result is not None else "")
        if result is None:
            return
        fitted = len(result.head.maps.albedo_srgb)
        if self._fitted.property("px") != fitted:
            self._fitted.setProperty("px", fitted)
            self._fitted.setText(f"fitted at {fitted // 1024}K" if fitted >= 1024 else "")
            self.sizes.choose(str(min(max(fitted, TEXTURE_SIZES[0]), TEXTURE_SIZES[-1])))
        target = self.target(result)
        self._where.say(f"{target.parent.name} / {target.name}")
        self._where.setToolTip(str(target))

    def target(self, result: Result) -> Path:
        return self._root / f"{file_stem(result.name).lower()}-{self._preset or 'own'}"

    def choice(self, result: Result) -> ExportChoice:
        size = int(self.sizes.key)
        return ExportChoice(
            self.target(result),
            result.name,
            self.formats,
            self._preset,
            size if size != len(result.head.maps.albedo_srgb) else None,
            str(self.naming.currentData()),
            self.shapes.isChecked(),
            self.inner.isChecked(),
            self.more,
        )

    def use_more(self, more: MoreChoice) -> None:
        """Another choice of what a preset decides by itself."""
        if more != self.more:
            self.more = more
            self.changed.emit()

    def _on_toggled(self, on: bool) -> None:
        self._enable()
        self.changed.emit()

    def _on_size(self, choice: object) -> None:
        self.changed.emit()


def _set(control: QAbstractButton, on: bool) -> None:
    """Without telling."""
    control.blockSignals(True)
    control.setChecked(on)
    control.blockSignals(False)
    control.update()
