"""The Export inspector, and the page that says what will be written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from hrn_studio.export.names import file_stem
from hrn_studio.face.model import HeadModel
from hrn_studio.session.state import Result
from hrn_studio.ui import icons
from hrn_studio.ui.build import Elided, button, clear, frame, label, line, row
from hrn_studio.ui.heat import at_vertices
from hrn_studio.ui.parts import ExportChoice
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.base import Shown, StateGlyph
from hrn_studio.ui.widgets.controls import Check, Radio

FORMAT_WORDS = {
    "glb": ("GLB", "mesh, 52 shapes, textures"),
    "fbx": ("FBX", "mesh, 52 shapes"),
    "obj": ("OBJ", "meshes without shapes"),
    "usd": ("USD", "mesh, 52 shapes"),
    "ply": ("PLY", "mesh with colours"),
    "maps": ("Maps", "textures as pictures"),
}


@dataclass(frozen=True, slots=True)
class Preset:
    """What an engine needs."""

    key: str
    name: str
    about: str
    formats: tuple[str, ...]


PRESETS = (
    Preset("unity", "Unity", "FBX or GLB in metres, normal map Y+", ("fbx", "glb", "maps")),
    Preset(
        "unreal", "Unreal Engine", "one mesh with shapes, normal map Y−", ("fbx", "glb", "maps")
    ),
    Preset("tools", "Blender and other tools", "all formats, 16-bit displacement", ("obj", "glb")),
    Preset("web", "Web and viewers", "one GLB", ("glb",)),
)


class PresetCard(QFrame):
    """A preset with a radio button."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, preset: Preset) -> None:
        super().__init__()
        self.preset = preset
        set_role(self, "card", chosen=False)
        self.setFixedHeight(50)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.radio = Radio(theme)
        self.radio.setAccessibleName(preset.name)
        self.radio.clicked.connect(lambda: self.chosen.emit(preset.key))
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addStretch(1)
        text.addWidget(label(preset.name, "label"))
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
    """

    changed = Signal()
    folder_wanted = Signal()

    def __init__(
        self, theme: Theme, formats: tuple[str, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._root = Path()
        self._subject = Elided("", "small")
        self._subject.setAlignment(Qt.AlignmentFlag.AlignRight)
        usable = [p for p in PRESETS if set(p.formats) & set(formats)]
        self.cards = {p.key: PresetCard(theme, p) for p in usable}
        self.checks: dict[str, Check] = {}
        boxes = QGridLayout()
        boxes.setSpacing(8)
        for i, key in enumerate(formats):
            check = Check(theme, FORMAT_WORDS.get(key, (key.upper(), ""))[0])
            check.toggled.connect(self._on_toggled)
            boxes.addWidget(check, i // 4, i % 4)
            self.checks[key] = check
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
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 14, 16, 16)
        box.setSpacing(8)
        box.addLayout(row(label("Export", "title"), self._subject))
        box.addSpacing(2)
        for card in self.cards.values():
            card.chosen.connect(self.choose)
            box.addWidget(card)
        box.addSpacing(8)
        box.addWidget(label("Formats", "section"))
        box.addLayout(boxes)
        box.addSpacing(8)
        box.addWidget(label("Destination", "section"))
        box.addWidget(folder)
        box.addStretch(1)
        self._preset = next(iter(self.cards), "")
        self.choose(self._preset)

    @property
    def preset(self) -> Preset | None:
        return self.cards[self._preset].preset if self._preset in self.cards else None

    @property
    def formats(self) -> tuple[str, ...]:
        return tuple(key for key, check in self.checks.items() if check.isChecked())

    def choose(self, key: str) -> None:
        """A preset ticks its formats."""
        self._preset = key
        for name, card in self.cards.items():
            card.show_chosen(name == key)
        preset = self.preset
        for name, check in self.checks.items():
            check.blockSignals(True)
            check.setChecked(preset is not None and name in preset.formats)
            check.blockSignals(False)
        self.changed.emit()

    def show_result(self, result: Result | None, root: Path) -> None:
        self._root = root
        self._subject.say(result.name if result is not None else "")
        if result is not None:
            target = self.target(result)
            self._where.say(f"{target.parent.name} / {target.name}")
            self._where.setToolTip(str(target))

    def target(self, result: Result) -> Path:
        return self._root / f"{file_stem(result.name).lower()}-{self._preset or 'own'}"

    def choice(self, result: Result) -> ExportChoice:
        return ExportChoice(self.target(result), result.name, self.formats)

    def _on_toggled(self, on: bool) -> None:
        self.changed.emit()


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know before importing."""

    state: Shown
    text: str
    more: str


def remarks(result: Result, head: HeadModel) -> tuple[Remark, ...]:
    """What the manifest will say about this head, in words."""
    made = result.head
    found: list[Remark] = []
    if made.scale_source == "population_mean":
        found.append(
            Remark(
                "warn",
                "Size is that of an average head",
                "It may be off by 5 %. Measure the distance between the eyes to be exact.",
            )
        )
    elif made.scale_source == "iris":
        found.append(
            Remark("ok", "Size is measured from the irises", "They are 11.7 mm wide in everyone.")
        )
    face = head.regions.get("face", np.zeros(head.vertex_count, np.float32)) > 0.5
    seen = at_vertices(made.maps.confidence, head)[face]
    unseen = float((seen < 0.02).mean()) if len(seen) else 0.0
    if unseen > 0.01:
        found.append(
            Remark(
                "warn",
                f"{100 * unseen:.0f} % of the face was not seen by any frame",
                "It is completed by symmetry and a prior; see Confidence in Review.",
            )
        )
    found += [Remark("warn", note, "") for note in made.notes[:3]]
    for report in made.reports:
        if not report.used:
            found.append(Remark("warn", f"{report.name} was left out", report.reason))
    found.append(
        Remark(
            "ok",
            "Licences allow commercial use",
            "Head CC0, code Apache-2.0. They are listed in the manifest.",
        )
    )
    return tuple(found)


class FilesPage(QWidget):
    """What will be written, what was written, and what to know before importing."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        set_role(self, "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._files = QVBoxLayout()
        self._files.setSpacing(0)
        self._notes = QVBoxLayout()
        self._notes.setSpacing(10)
        self._count = label("", "small")
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 4, 16, 16)
        box.setSpacing(0)
        box.addLayout(self._files)
        box.addSpacing(18)
        box.addLayout(row(label("Before you import", "section"), None, self._count))
        box.addSpacing(8)
        box.addLayout(self._notes)
        box.addStretch(1)

    def show_files(self, files: tuple[tuple[str, str, str], ...]) -> None:
        """Name, what it holds, size."""
        clear(self._files)
        for name, holds, size in files:
            one = QWidget()
            inner = QHBoxLayout(one)
            inner.setContentsMargins(0, 0, 0, 0)
            first = Elided(name, "strong_small", middle=True)
            inner.addWidget(first, 5)
            inner.addWidget(Elided(holds, "small"), 4)
            inner.addWidget(label(size, "small"))
            one.setFixedHeight(25)
            self._files.addWidget(one)
            self._files.addWidget(line())

    def show_remarks(self, found: tuple[Remark, ...]) -> None:
        clear(self._notes)
        count = sum(r.state == "warn" for r in found)
        self._count.setText("1 note" if count == 1 else f"{count} notes" if count else "")
        for remark in found:
            one = QWidget()
            inner = QHBoxLayout(one)
            inner.setContentsMargins(0, 0, 0, 0)
            inner.setSpacing(10)
            glyph = StateGlyph(self._theme, 16)
            glyph.show_state(remark.state)
            inner.addWidget(glyph, 0, Qt.AlignmentFlag.AlignTop)
            text = QVBoxLayout()
            text.setSpacing(0)
            text.addWidget(label(remark.text, "label", wrap=True))
            if remark.more:
                text.addWidget(label(remark.more, "small", wrap=True))
            inner.addLayout(text, 1)
            self._notes.addWidget(one)
