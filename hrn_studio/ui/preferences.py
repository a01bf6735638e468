"""Settings in the window: the sheet, what panels change at once, and what follows from a change."""

from __future__ import annotations

import os
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from hrn_studio.ui.export_more import ExportMoreSheet
from hrn_studio.ui.keys_sheet import KeysSheet
from hrn_studio.ui.mainframe import MainFrame
from hrn_studio.ui.settings_sheet import SettingsSheet
from hrn_studio.ui.sheet import Sheet
from hrn_studio.ui.theme import scheme_of_system


class Preferences(QObject):
    """The sheets of a window, and its settings."""

    def __init__(self, frame: MainFrame) -> None:
        super().__init__(frame)
        self._frame, self._studio = frame, frame.studio
        self.settings_sheet: SettingsSheet | None = None
        self.help_sheet: KeysSheet | None = None
        self.more_sheet: ExportMoreSheet | None = None
        frame.studio.settings_changed.connect(self.apply)
        frame.top.help_opened.connect(self.show_help)
        frame.top.settings_opened.connect(self.show_settings)
        frame.export.more_wanted.connect(self.show_more)
        frame.guidance.brief_chosen.connect(self._on_brief)
        frame.guidance.limits_wanted.connect(self._on_limits)
        frame.capture.changed.connect(self._on_capture)
        frame.fitting.detail_chosen.connect(self._on_detail)
        frame.fitting.engine_chosen.connect(self._on_engine)
        frame.fitting.log_copied.connect(self.copy_log)
        frame.fitting.log_wanted.connect(self._on_log_wanted)
        frame.plots.chosen.connect(self._on_plotted)

    def close(self) -> None:
        """The examination of this computer ends."""
        if self.settings_sheet is not None:
            self.settings_sheet.health.stop()

    def show_settings(self, page: str = "") -> None:
        if self.settings_sheet is None:
            self.settings_sheet = SettingsSheet(self._frame.theme, self._studio, self._frame.centre)
        if page:
            self.settings_sheet.show_page(page)
        self.settings_sheet.open_sheet()

    def show_help(self) -> None:
        if self.help_sheet is None:
            self.help_sheet = KeysSheet(self._frame.theme, self._studio, self._frame.centre)
        self.help_sheet.open_sheet()

    def show_more(self) -> None:
        """The export's options that a preset decides by itself."""
        sheet = self.more_sheet
        if sheet is None:
            sheet = self.more_sheet = ExportMoreSheet(self._frame.theme, self._frame.centre)
            sheet.changed.connect(lambda: self._frame.export.use_more(sheet.choice))
        sheet.show_choice(self._frame.export.more)
        sheet.open_sheet()

    @property
    def open_sheet(self) -> Sheet | None:
        """The sheet that is open."""
        sheets = (self.settings_sheet, self.help_sheet, self.more_sheet)
        return next((s for s in sheets if s is not None and s.isVisible()), None)

    def copy_log(self) -> None:
        QGuiApplication.clipboard().setText(self._studio.log.text())
        self._studio.note("The log is copied")

    def apply(self) -> None:
        chosen = self._studio.settings
        window = chosen.window
        scheme = scheme_of_system() if window.theme == "system" else window.theme
        self._frame.theme.reduced_motion = window.reduce_motion
        self._frame.theme.use(scheme, window.text_percent / 100)
        self._frame.plots.show_expressions(window.plot_first, window.plot_second)
        self._frame.capture.show_settings(chosen.capture)
        self._frame.fitting.show_settings(chosen.fit, os.cpu_count() or 1)
        self._frame.guidance.show_brief(chosen.guidance.brief, bool(self._studio.session.source))
        self._frame.stage.set_options(mirror=chosen.camera.mirror)

    def show_lens(self) -> None:
        self.show_settings("camera")

    def _on_limits(self, key: str) -> None:
        self.show_settings("guidance")
        if self.settings_sheet is not None:
            self.settings_sheet.guidance.show_measure(key)

    def _on_plotted(self, curve: int, expression: str) -> None:
        self._studio.change("window", **{("plot_first", "plot_second")[curve]: expression})

    def _on_engine(self, key: str) -> None:
        self._studio.change("fit", engine=key)

    def _on_brief(self, brief: bool) -> None:
        self._studio.change("guidance", brief=brief)

    def _on_detail(self, key: str) -> None:
        self._studio.change("fit", stage=key)

    def _on_capture(self, values: dict[str, Any]) -> None:
        self._studio.change("capture", **values)

    def _on_log_wanted(self) -> None:
        self.show_settings("health")
