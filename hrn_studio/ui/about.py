"""About: version and licences; Health: what works here, and the log."""

from __future__ import annotations

import json
import sys

from PySide6.QtCore import QProcess, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from hrn_studio import __version__, licenses, paths
from hrn_studio.errors import StudioError
from hrn_studio.ui import words
from hrn_studio.ui.build import button, clear, label, line, row, scrolled
from hrn_studio.ui.log import Log
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.base import Shown, StateGlyph

_STATES: dict[str, Shown] = {"works": "ok", "optional": "none", "limited": "warn", "broken": "bad"}


class AboutPage(QWidget):
    """The program, and whose work it is made of."""

    def __init__(self) -> None:
        super().__init__()
        box = QVBoxLayout(self)
        box.setContentsMargins(24, 16, 16, 8)
        box.setSpacing(4)
        box.addWidget(label(f"{words.APP} {__version__}", "title"))
        box.addWidget(label("Apache License 2.0. Made from the work of others:", "secondary"))
        box.addSpacing(8)
        listed = QWidget()
        rows = QVBoxLayout(listed)
        rows.setContentsMargins(0, 0, 8, 0)
        rows.setSpacing(6)
        try:
            parts = licenses.read(paths.resources() / "licenses.json")
        except StudioError as error:
            rows.addWidget(label(str(error), "small", wrap=True))
            parts = ()
        for part in parts:
            rows.addLayout(
                row(label(part.name, "strong_small"), None, label(part.license, "small"))
            )
            use = label(part.use, "small", wrap=True)
            use.setToolTip(part.source)
            rows.addWidget(use)
            rows.addWidget(line())
        rows.addStretch(1)
        box.addWidget(scrolled(listed), 1)


class HealthPage(QWidget):
    """What ``hrn-studio doctor`` finds, in a process of its own, and the log."""

    def __init__(self, theme: Theme, log: Log) -> None:
        super().__init__()
        self._theme, self._log = theme, log
        self._process: QProcess | None = None
        self._findings = QVBoxLayout()
        self._findings.setSpacing(4)
        self._again = button("Examine again", "raised")
        self._again.clicked.connect(self.restart)
        copy = button("Copy log", "raised")
        copy.clicked.connect(self.copy)
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        box = QVBoxLayout(self)
        box.setContentsMargins(24, 16, 24, 12)
        box.setSpacing(8)
        box.addLayout(row(label("This computer", "label"), None, self._again))
        box.addLayout(self._findings)
        box.addWidget(line())
        box.addLayout(row(label("Log", "label"), None, copy))
        box.addWidget(self._text, 1)
        log.added.connect(self._text.appendPlainText)

    def examine(self) -> None:
        """Once, when the page is first seen."""
        if not self._text.toPlainText():
            self._text.setPlainText(self._log.text())
        if self._process is None:
            self.restart()

    def restart(self) -> None:
        self.stop()
        clear(self._findings)
        self._findings.addWidget(label("Examining; this takes about ten seconds.", "small"))
        self._again.setEnabled(False)
        process = QProcess(self)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        program = [sys.executable, "doctor", "--json"]
        if not getattr(sys, "frozen", False):
            program[1:1] = ["-m", "hrn_studio.cli"]
        process.start(program[0], program[1:])
        self._process = process

    def stop(self) -> None:
        """End the examination."""
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect(self._on_finished)
            process.errorOccurred.disconnect(self._on_error)
            if process.state() != QProcess.ProcessState.NotRunning:
                process.kill()
                process.waitForFinished(1000)
            process.deleteLater()

    def copy(self) -> None:
        QGuiApplication.clipboard().setText(self._log.text())

    def _on_error(self, error: object) -> None:
        self._show([{"name": "Doctor", "state": "broken", "text": "could not be started"}])

    def _on_finished(self) -> None:
        if self._process is None:
            return
        output = bytes(self._process.readAllStandardOutput().data()).decode(errors="replace")
        try:
            found = json.loads(output)
        except ValueError:
            found = [{"name": "Doctor", "state": "broken", "text": "gave no answer"}]
        self._show(found if isinstance(found, list) else found.get("findings", []))

    def _show(self, found: list[dict[str, str]]) -> None:
        self._again.setEnabled(True)
        clear(self._findings)
        for finding in found:
            one = QWidget()
            inner = QHBoxLayout(one)
            inner.setContentsMargins(0, 0, 0, 0)
            glyph = StateGlyph(self._theme, 14)
            glyph.show_state(_STATES.get(str(finding.get("state")), "none"))
            name = label(str(finding.get("name", "")), "strong_small")
            name.setFixedWidth(110)
            text = label(str(finding.get("text", "")), "small", wrap=True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            for part in (glyph, name):
                inner.addWidget(part)
            inner.addWidget(text, 1)
            self._findings.addWidget(one)
