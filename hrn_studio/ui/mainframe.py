"""The main window's panels in their fixed rows and columns, and how they fold when it is small."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QGridLayout,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from hrn_studio.session.state import Step
from hrn_studio.ui import words
from hrn_studio.ui.band import Band
from hrn_studio.ui.build import scrolled
from hrn_studio.ui.capture_panel import CapturePanel
from hrn_studio.ui.export_panel import ExportPanel
from hrn_studio.ui.files_page import FilesPage
from hrn_studio.ui.fit_panel import FitPanel
from hrn_studio.ui.fuse_page import FusePage
from hrn_studio.ui.fuse_panel import FusePanel
from hrn_studio.ui.guidance import GuidancePanel
from hrn_studio.ui.plots import Plots
from hrn_studio.ui.review_panel import ReviewPanel
from hrn_studio.ui.show import Show
from hrn_studio.ui.stage import Stage
from hrn_studio.ui.statusbar import StatusBar
from hrn_studio.ui.studio import Studio
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.toasts import Toasts
from hrn_studio.ui.topbar import TopBar
from hrn_studio.ui.tray import Tray
from hrn_studio.ui.welcome import Welcome

MIN_SIZE = (1080, 680)
_NARROW, _LOW, _WIDE = 1360, 860, 1680


class MainFrame(QMainWindow):
    """Top bar, band, stage, tray and status bar on the left, the inspector on the right.

    Nothing moves between the steps.
    """

    def __init__(self, theme: Theme, studio: Studio) -> None:
        super().__init__()
        self.theme, self.studio = theme, studio
        self.setWindowTitle(words.APP)
        self.setMinimumSize(*MIN_SIZE)
        self.setAcceptDrops(True)
        self._make_panels()
        middle = self._make_middle()
        self._make_inspector()
        self._place(middle)
        self.toasts = Toasts(theme, middle)
        for pressed in self.findChildren(QAbstractButton):
            pressed.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _make_panels(self) -> None:
        theme, studio = self.theme, self.studio
        self.top = TopBar(theme)
        self.band = Band(theme)
        self.stage = Stage(theme)
        self.welcome = Welcome(theme)
        self.plots = Plots(theme)
        self.tray = Tray(theme, self.plots)
        self.status = StatusBar(theme)
        self.guidance = GuidancePanel(theme)
        self.capture = CapturePanel(theme)
        self.fitting = FitPanel(theme)
        model = studio.parts.head()
        self.review = ReviewPanel(theme, model.expression_names)
        self.export = ExportPanel(theme, studio.parts.formats(), studio.parts.presets())
        self.fusing = FusePanel(theme)
        self.fuse_page = FusePage(theme)
        self.files = FilesPage(theme)
        self.stage.over.addWidget(self.files)
        self.stage.beneath.addWidget(self.fuse_page)
        self.plots.use_names(model.expression_names)
        self.show_panes = Show(theme, self.stage, studio, model)

    def _make_middle(self) -> QWidget:
        work = QWidget()
        inner = QVBoxLayout(work)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(12)
        inner.addWidget(self.band)
        inner.addWidget(self.stage, 1)
        self.pages = QStackedWidget()
        self.pages.addWidget(work)
        self.pages.addWidget(self.welcome)
        middle = QWidget()
        set_role(middle, "window")
        around = QVBoxLayout(middle)
        around.setContentsMargins(12, 12, 12, 12)
        around.addWidget(self.pages)
        return middle

    def _make_inspector(self) -> None:
        self.inspector = QStackedWidget()
        set_role(self.inspector, "inspector")
        self._fit_pages = QStackedWidget()
        self._fit_pages.addWidget(scrolled(self.fitting))
        self._fit_pages.addWidget(scrolled(self.fusing))
        self.inspectors: dict[Step, QWidget] = {
            "live": scrolled(self.guidance),
            "capture": scrolled(self.capture),
            "fit": self._fit_pages,
            "review": self.review,
            "export": scrolled(self.export),
        }
        for panel in self.inspectors.values():
            self.inspector.addWidget(panel)

    def _place(self, middle: QWidget) -> None:
        centre = QWidget()
        set_role(centre, "window")
        grid = QGridLayout(centre)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self.top, 0, 0, 1, 2)
        grid.addWidget(middle, 1, 0)
        grid.addWidget(self.tray, 2, 0)
        grid.addWidget(self.inspector, 1, 1, 2, 1)
        grid.addWidget(self.status, 3, 0, 1, 2)
        grid.setRowStretch(1, 1)
        grid.setColumnStretch(0, 1)
        self.setCentralWidget(centre)
        self.centre = centre

    def show_fit_page(self, several: bool) -> None:
        """The inspector of several frames in Fit, or that of single fits."""
        self._fit_pages.setCurrentIndex(1 if several else 0)

    def confirm(self, text: str, more: str, yes: str) -> bool:
        """Ask before something that cannot be undone."""
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle(words.APP)
        box.setText(text)
        box.setInformativeText(more)
        go = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        box.exec()
        chosen = box.clickedButton() is go
        box.deleteLater()
        return chosen

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        size = self.theme.tokens.size
        width, height = self.width(), self.height()
        narrow, low = width < _NARROW, height < _LOW
        wide = width >= _WIDE
        self.inspector.setFixedWidth(size["inspector_wide"] if wide else size["inspector"])
        self.top.fold(narrow, size["step_compact"], size["step"])
        self.stage.fold(narrow)
        self.welcome.fold(narrow)
        row = size["row_quality_compact"] if low else size["row_quality"]
        self.guidance.fold(low, round(row * self.theme.text_scale))
