"""The page beside the asset: what will be written, and what to know before importing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from hrn_studio.face.model import HeadModel
from hrn_studio.session.state import Result
from hrn_studio.ui import words
from hrn_studio.ui.build import Elided, clear, label, line, row
from hrn_studio.ui.heat import at_vertices
from hrn_studio.ui.parts import ExportChoice
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.base import Shown, StateGlyph

_LONGEST = "000.0 MB"
_ENDS = {
    ".glb": "mesh, shapes, textures",
    ".fbx": "mesh and shapes",
    "_neutral.obj": "mesh",
    ".obj": "mesh with its expression",
    "_neutral.ply": "mesh with colours",
    ".mtl": "materials",
    ".stl": "closed surface",
    ".ply": "mesh with colours",
    ".usdc": "mesh and shapes",
    ".usdz": "all of it in one file",
    ".exr": "32 bit, metres",
    ".html": "a page that shows it",
    ".cs": "plays recordings in Unity",
    ".txt": "how to import it",
    ".json": "units, frames, licences",
    "albedo.png": "colour, sRGB",
    "normal.png": "normals, Y+",
    "normal_dx.png": "normals, Y−",
    "confidence.png": "seen or invented",
    "displacement.png": "16 bit, metres",
    "deformation.png": "16 bit, metres",
    "orm.png": "occlusion, roughness",
    "masks.png": "skin, mouth, eyes",
    "shapes.png": "a picture of each shape",
    ".png": "texture",
}


Row = tuple[str, str, str]
"""Name of a file, what it holds, and its size."""


def expected(choice: ExportChoice, sizes: Mapping[str, int]) -> tuple[Row, ...]:
    """The files that an export will write, with their sizes as far as they are known."""
    more = ("README.txt",) if choice.preset else ()
    names = dict.fromkeys([*sizes, *more, "manifest.json"]) if sizes else ()
    return tuple((n, holds(n), words.file_size(sizes[n]) if n in sizes else "") for n in names)


def holds(name: str) -> str:
    """What a written file holds."""
    return next((text for end, text in _ENDS.items() if name.endswith(end)), "")


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

    def show_files(self, files: tuple[Row, ...]) -> None:
        clear(self._files)
        for name, holds, size in files:
            one = QWidget()
            inner = QHBoxLayout(one)
            inner.setContentsMargins(0, 0, 0, 0)
            first = Elided(name, "strong_small", middle=True)
            inner.addWidget(first, 5)
            inner.addWidget(Elided(holds, "small"), 4)
            last = label(size, "small")
            last.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            last.setMinimumWidth(last.fontMetrics().horizontalAdvance(_LONGEST))
            inner.addWidget(last)
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
