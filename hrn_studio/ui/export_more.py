"""What a preset decides by itself and a user may change: levels, joints, recording, packing."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from hrn_studio.export.options import LEVELS
from hrn_studio.ui.build import Elided, button, label, line
from hrn_studio.ui.parts import MoreChoice
from hrn_studio.ui.sheet import Sheet
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.controls import Check, Segmented, Switch

_LEVEL_NAMES = {"fitted": "As fitted", "dense": "Dense", "light": "Light"}
_WALLS_MM = (0, 1, 2, 3, 5)
_NO_TAKE = "No recording"


class ExportMoreSheet(Sheet):
    """The rest of the export's options.

    Signals
    -------
    changed
        Another choice.
    """

    changed = Signal()

    def __init__(self, theme: Theme, over: QWidget) -> None:
        super().__init__(theme, over, (640, 480), "More export options")
        self._recording: Path | None = None
        self.levels = {key: Check(theme, _LEVEL_NAMES[key]) for key in LEVELS}
        self.normal = Segmented((("gl", "OpenGL, Y+"), ("dx", "DirectX, Y−")), "Normal map")
        self.skeleton = Segmented(
            (("none", "None"), ("head", "Head"), ("full", "Head, jaw, eyes")), "Joints"
        )
        self.compress = Switch(theme, "Pack the GLB")
        self.embed = Switch(theme, "Textures inside the FBX")
        self.wall = Segmented(
            tuple((str(mm), f"{mm} mm" if mm else "Solid") for mm in _WALLS_MM), "Wall of a print"
        )
        self.take = Elided(_NO_TAKE, "body", middle=True)
        choose, self.clear = button("Choose", "link"), button("Clear", "link")
        choose.clicked.connect(self._on_choose)
        self.clear.clicked.connect(lambda: self.use_recording(None))
        self.clear.setAccessibleName("Play no recording")
        self.clear.hide()
        choose.setAccessibleName("Choose a recording")
        for control in (*self.levels.values(), self.compress, self.embed):
            control.clicked.connect(lambda _=False: self.changed.emit())
        for choice in (self.normal, self.skeleton, self.wall):
            choice.chosen.connect(lambda _: self.changed.emit())
        rows = QVBoxLayout()
        rows.setContentsMargins(24, 16, 24, 16)
        rows.setSpacing(12)
        for title, about, controls in (
            ("Levels of detail", "Dense has the relief in its geometry.", self.levels.values()),
            ("Normal map", "The file beside the model; in a GLB it is OpenGL's.", [self.normal]),
            ("Joints", "For GLB and FBX.", [self.skeleton]),
            (
                "Recording",
                "A CSV of 'track', played by GLB and FBX.",
                [self.take, choose, self.clear],
            ),
            ("Pack the GLB", "meshopt: smaller, but Blender cannot read it.", [self.compress]),
            ("Textures inside the FBX", "Besides the files.", [self.embed]),
            ("Wall of a print", "A solid head takes more material.", [self.wall]),
        ):
            rows.addLayout(_row(title, about, list(controls)))
        rows.addStretch(1)
        done = button("Done", "start")
        done.clicked.connect(self.close_sheet)
        foot = QHBoxLayout()
        foot.setContentsMargins(24, 12, 24, 12)
        foot.addWidget(label("A preset sets these anew.", "small"))
        foot.addStretch(1)
        foot.addWidget(done)
        self.body.addWidget(line())
        self.body.addLayout(rows, 1)
        self.body.addWidget(line())
        self.body.addLayout(foot)

    @property
    def choice(self) -> MoreChoice:
        """What is chosen; without any level the fitted one."""
        levels = tuple(key for key, check in self.levels.items() if check.isChecked())
        return MoreChoice(
            levels=levels or LEVELS[:1],
            normal=self.normal.key,
            skeleton=self.skeleton.key,
            compress="meshopt" if self.compress.isChecked() else "none",
            embed=self.embed.isChecked(),
            wall_m=int(self.wall.key) / 1000,
            recording=self._recording,
        )

    def show_choice(self, choice: MoreChoice) -> None:
        """Show another choice; says nothing."""
        self._show_recording(choice.recording)
        for key, check in self.levels.items():
            check.setChecked(key in choice.levels)
        self.normal.choose(choice.normal)
        self.skeleton.choose(choice.skeleton)
        self.compress.setChecked(choice.compress != "none")
        self.embed.setChecked(choice.embed)
        nearest = min(_WALLS_MM, key=lambda mm: abs(mm - 1000 * choice.wall_m))
        self.wall.choose(str(nearest))

    def use_recording(self, file: Path | None) -> None:
        """Play this recording, or none."""
        self._show_recording(file)
        self.changed.emit()

    def _show_recording(self, file: Path | None) -> None:
        self._recording = file
        self.take.say(file.name if file is not None else _NO_TAKE)
        self.take.setToolTip(str(file) if file is not None else "")
        self.clear.setVisible(file is not None)

    def _on_choose(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "Recording", "", "Recordings (*.csv)")
        if file:
            self.use_recording(Path(file))


def _row(title: str, about: str, controls: list[QWidget]) -> QHBoxLayout:
    text = QVBoxLayout()
    text.setSpacing(0)
    text.addWidget(label(title, "label"))
    text.addWidget(label(about, "small"))
    row = QHBoxLayout()
    row.setSpacing(12)
    row.addLayout(text, 1)
    for control in controls:
        row.addWidget(control)
    return row
