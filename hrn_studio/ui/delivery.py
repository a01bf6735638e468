"""The Export step: what will be written, where, and what became of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from hrn_studio.session.state import Result
from hrn_studio.ui import words
from hrn_studio.ui.files_page import expected, holds, remarks
from hrn_studio.ui.forecast import Forecast
from hrn_studio.ui.mainframe import MainFrame

_WILL_BE = "What will be written"


class Delivery(QObject):
    """Drives the Export inspector and the page of files.

    Signals
    -------
    changed
        Band and headers say something else.
    """

    changed = Signal()

    def __init__(self, frame: MainFrame) -> None:
        super().__init__(frame)
        self._frame, self._studio = frame, frame.studio
        self.written = (_WILL_BE, "")
        """Header of the page of files."""
        self.about = ""
        """How many files will be written and how large they will be; empty until it is known."""
        self._forecast = Forecast(self._studio.parts, self._studio.log)
        self._forecast.told.connect(self._on_told)
        frame.export.changed.connect(self._on_choice)
        frame.export.folder_wanted.connect(self.choose_folder)
        frame.studio.exports.changed.connect(self._on_exporting)

    def show(self) -> None:
        result = self._studio.session.shown
        self._frame.export.show_result(result, self._studio.export_folder)
        if result is not None:
            self._frame.files.show_remarks(remarks(result, self._studio.parts.head()))
            if not self._studio.exports.state.folder:
                self._foretell(result)

    def _foretell(self, result: Result) -> None:
        """What will be written, and how large it will be; asked for when it is not known."""
        choice = self._frame.export.choice(result)
        sizes = self._forecast.sizes(result, choice) if choice.formats else {}
        rows = expected(choice, sizes)
        total = words.file_size(sum(sizes.values()))
        self.about = f"{len(rows)} files, about {total}" if rows else ""
        self.written = (_WILL_BE, self.about.replace(", ", " · "))
        if rows or not choice.formats:  # else those of before stay for the moment
            self._frame.files.show_files(rows)
        self.changed.emit()

    def _on_told(self) -> None:
        result = self._studio.session.shown
        told = result is not None and not self._studio.exports.state.folder
        if told and result is not None and self._studio.session.step == "export":
            self._foretell(result)

    def close(self) -> None:
        """The thread that finds the sizes ends."""
        self._forecast.close()

    def _on_choice(self) -> None:
        if self._studio.session.step == "export":
            self._studio.exports.clear()
            self.show()
            self.changed.emit()

    def _on_exporting(self) -> None:
        self.changed.emit()
        if self._studio.exports.state.folder:
            self._show_written(Path(self._studio.exports.state.folder))

    def _show_written(self, folder: Path) -> None:
        files = sorted(f for f in folder.iterdir() if f.is_file())
        rows = tuple((f.name, holds(f.name), words.file_size(f.stat().st_size)) for f in files)
        self._frame.files.show_files(rows)
        total = sum(f.stat().st_size for f in files)
        self.written = ("Written", f"{len(files)} files · {words.file_size(total)}")
        self.changed.emit()

    def export_now(self) -> None:
        result = self._studio.session.shown
        if (
            result is None
            or self._studio.session.step != "export"
            or not self._frame.export.formats
        ):
            return
        choice = self._frame.export.choice(result)
        if (choice.target / "manifest.json").exists():
            question = f"{choice.target.name} holds an export already."
            if not self._frame.confirm(question, "Its files are replaced.", "Replace"):
                return
        self._studio.exports.export(choice)

    def show_folder(self) -> None:
        folder = self._studio.exports.state.folder
        if folder:
            QDesktopServices.openUrl(QUrl.fromLocalFile(folder))

    def choose_folder(self) -> None:
        start = str(self._studio.export_folder)
        folder = QFileDialog.getExistingDirectory(self._frame, "Destination", start)
        if folder:
            self._studio.change("window", export_folder=folder)
            self._studio.exports.clear()
            self.show()
            self.changed.emit()
