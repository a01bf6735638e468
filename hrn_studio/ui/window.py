"""The window: puts the panels together and carries what happens between them and the studio.

Fixed rows and columns: top bar, band, stage, tray and status bar on the left, the inspector on the
right.  Nothing moves between the steps.
"""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QFileDialog,
    QGridLayout,
    QInputDialog,
    QMainWindow,
    QMenu,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from hrn_studio.export.names import file_stem
from hrn_studio.live.advice import Advice
from hrn_studio.live.capture import PICTURES
from hrn_studio.live.spec import VIDEOS, SourceSpec, demo, watched
from hrn_studio.live.stream import LiveFace
from hrn_studio.session.state import GUIDED, STEPS, Planned, Session, Shot, Step, showing
from hrn_studio.session.store import free_bytes
from hrn_studio.ui import shortcuts, words
from hrn_studio.ui.band import Band
from hrn_studio.ui.bands import BandActions, band
from hrn_studio.ui.build import scrolled
from hrn_studio.ui.capture_panel import CapturePanel
from hrn_studio.ui.export_panel import ExportPanel, FilesPage, remarks
from hrn_studio.ui.fit_panel import FitPanel
from hrn_studio.ui.guidance import GuidancePanel
from hrn_studio.ui.jobs import Job
from hrn_studio.ui.live import Live
from hrn_studio.ui.options import KEY
from hrn_studio.ui.pictures import qimage, rendering
from hrn_studio.ui.plots import Plots
from hrn_studio.ui.review_panel import ReviewPanel
from hrn_studio.ui.settings_sheet import SettingsSheet
from hrn_studio.ui.sheet import Sheet
from hrn_studio.ui.sheet import shortcuts as shortcuts_sheet
from hrn_studio.ui.show import Show
from hrn_studio.ui.stage import Stage
from hrn_studio.ui.statusbar import StatusBar
from hrn_studio.ui.studio import Studio
from hrn_studio.ui.theme import Theme, scheme_of_system, set_role
from hrn_studio.ui.toasts import Toasts
from hrn_studio.ui.topbar import TopBar
from hrn_studio.ui.tray import Card, Tray
from hrn_studio.ui.welcome import Welcome, choices
from hrn_studio.ui.widgets.controls import KeyboardFocus

MIN_SIZE = (1080, 680)
_NARROW, _LOW, _SCROLLS, _WIDE = 1360, 860, 760, 1680
_COALESCE_MS = 8
_WILL_BE = ("What will be written", "")


class Window(QMainWindow):
    """The main window.

    Signals
    -------
    first_face
        The first live face was shown.
    """

    first_face = Signal()

    def __init__(self, theme: Theme, studio: Studio, focus: KeyboardFocus) -> None:
        super().__init__()
        self._theme, self._studio, self._focus = theme, studio, focus
        self.setWindowTitle(words.APP)
        self.setMinimumSize(*MIN_SIZE)
        self.setAcceptDrops(True)
        self._thumbs: dict[str, QImage] = {}
        self._lately: list[tuple[float, int]] = []
        self._guided_s = 0.0
        self.pointer = ""
        self._welcome_job: Job | None = None
        self._had_face = False
        self._free = 0
        self._written = _WILL_BE
        self._build()
        self._connect()
        self.actions_by_name = shortcuts.install(self)
        self._apply_settings()
        self._on_changed(None, studio.session)
        self._on_source()
        self._on_tick()

    # --- building ---

    def _build(self) -> None:
        theme, studio = self._theme, self._studio
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
        self.export = ExportPanel(theme, studio.parts.formats())
        self.files = FilesPage(theme)
        self.stage.over.addWidget(self.files)
        self.plots.use_names(model.expression_names)
        self.show_panes = Show(theme, self.stage, studio, model)

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

        self.inspector = QStackedWidget()
        set_role(self.inspector, "inspector")
        self._inspectors: dict[Step, QWidget] = {
            "live": scrolled(self.guidance),
            "capture": scrolled(self.capture),
            "fit": scrolled(self.fitting),
            "review": self.review,
            "export": scrolled(self.export),
        }
        for panel in self._inspectors.values():
            self.inspector.addWidget(panel)

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
        self._centre = centre
        self.toasts = Toasts(theme, middle)
        for pressed in self.findChildren(QAbstractButton):
            pressed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.settings_sheet: SettingsSheet | None = None
        self.help_sheet: Sheet | None = None

        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(_COALESCE_MS)
        self._redraw.timeout.connect(self.redraw)
        self._tick = QTimer(self)
        self._tick.setInterval(500)
        self._tick.timeout.connect(self._on_tick)
        self._tick.start()
        self._turn = QTimer(self)
        self._turn.setInterval(40)
        self._turn.timeout.connect(self._on_turned)
        self._flash = QTimer(self)
        self._flash.setSingleShot(True)
        self._flash.setInterval(theme.tokens.motion_ms["shutter"])
        self._flash.timeout.connect(self._on_flash_over)
        self._panel_s = 0.0

    def _connect(self) -> None:
        studio, stage, tray = self._studio, self.stage, self.tray
        studio.changed.connect(self._on_changed)
        studio.advised.connect(self._on_advised)
        studio.guided_changed.connect(self._on_guided)
        studio.exporting_changed.connect(self._on_exporting)
        studio.settings_changed.connect(self._apply_settings)
        studio.source_changed.connect(self._on_source)
        studio.noted.connect(self.toasts.show_note)
        studio.taken.connect(self._on_taken)
        studio.counted.connect(self._on_counted)
        studio.fits.changed.connect(self._on_fits)
        live: Live = studio.live
        live.arrived.connect(self._soon)
        live.faced.connect(self._on_faced)
        stage.changed.connect(self._on_options)
        stage.menu_opened.connect(self._on_picture_menu)
        stage.viewport.hovered.connect(self._on_hovered)
        stage.viewport.refused.connect(self._on_no_opengl)
        tray.selected.connect(studio.select)
        tray.result_chosen.connect(self.show_result)
        tray.fit_wanted.connect(studio.fit_selected)
        tray.fuse_wanted.connect(studio.fuse_selected)
        tray.add_wanted.connect(self.add_pictures)
        tray.reject_wanted.connect(studio.reject_selected)
        tray.delete_wanted.connect(studio.delete_selected)
        tray.undo_wanted.connect(studio.undo)
        tray.renamed.connect(studio.rename)
        tray.shown_in_folder.connect(self._on_show_in_folder)
        self.top.step_chosen.connect(self.go)
        self.top.session_opened.connect(self.session_menu)
        self.top.source_opened.connect(self.source_menu)
        self.top.help_opened.connect(self.show_help)
        self.top.settings_opened.connect(self.show_settings)
        self.welcome.chosen.connect(self._on_welcome)
        self.guidance.brief_chosen.connect(self._on_brief)
        self.guidance.limits_wanted.connect(self._on_limits)
        self.guidance.session_chosen.connect(lambda folder: studio.open_session(Path(folder)))
        self.capture.shot_chosen.connect(studio.go_to_shot)
        self.capture.ended.connect(studio.end_guided)
        self.capture.changed.connect(self._on_capture_settings)
        fitting = self.fitting
        fitting.cancelled.connect(studio.fits.cancel)
        fitting.removed.connect(studio.fits.forget)
        fitting.retried.connect(studio.fits.again)
        fitting.result_chosen.connect(self.review_result)
        fitting.detail_chosen.connect(self._on_detail)
        fitting.log_copied.connect(self.copy_log)
        fitting.log_wanted.connect(lambda: self.show_settings("health"))
        self.review.shaped.connect(self._on_shaped)
        self.review.reset.connect(self._on_reset_shapes)
        self.review.driven.connect(self._on_driven)
        self.review.turned.connect(self._on_turntable)
        self.review.lit.connect(lambda to: stage.set_options(key=to))
        self.review.show_light(KEY)
        self.export.changed.connect(self._on_export_choice)
        self.export.folder_wanted.connect(self.choose_export_folder)
        self._theme.changed.connect(self._soon)

    @property
    def studio(self) -> Studio:
        return self._studio

    # --- drawing ---

    def _soon(self) -> None:
        """Draw once for everything that happens within some milliseconds."""
        if not self._redraw.isActive():
            self._redraw.start()

    def redraw(self) -> None:
        """Build the panes anew and repaint."""
        if self.pages.currentIndex() == 0:
            self.stage.viewport.show_panes(self.show_panes.panes())

    # --- what the studio says ---

    def _on_changed(self, old: Session | None, new: Session) -> None:
        self.top.show_session(new)
        if old is None or old.step != new.step:
            self._on_step(new)
        if old is None or old.shots is not new.shots or old.selected != new.selected:
            self._show_frames(new)
        if old is None or old.results is not new.results or old.result != new.result:
            self._show_results(new)
        if old is None or old.source != new.source or old.folder != new.folder:
            self._show_welcome()
        self._say()
        self._soon()

    def _on_step(self, session: Session) -> None:
        step = session.step
        self.inspector.setCurrentWidget(self._inspectors[step])
        several = session.shown is not None and len(session.shown.head.views) > 1
        self.stage.show_step(step, bool(session.results), several)
        if step in ("review", "export") and self.tray.tab == "frames":
            self.tray.show_tab("results")
        elif step in ("live", "capture") and self.tray.tab == "results":
            self.tray.show_tab("frames")
        if step in ("fit", "review"):
            self.toasts.forget_offers()
        self._heads()
        self._show_frames(session)
        if step == "export":
            self._show_export()
        self._show_welcome()

    def _heads(self) -> None:
        """Titles of the panes."""
        session = self._studio.session
        step, result, o = session.step, session.shown, self.stage.options
        name = result.name if result is not None else ""
        stage = self.stage
        if step == "review":
            other = next((r for r in session.results if r.id == o.other), None)
            stage.left.say(other.name if other is not None else "Photo and mesh")
            stage.right.say("Result")
        elif step == "export":
            stage.left.say(name, "as it will be written")
            stage.right.say(*self._written)
        else:
            status = self._studio.live.status()
            lost = status is not None and status.phase in ("lost", "refused", "failed")
            mirrored = "last picture" if lost else "mirrored" if o.mirror else ""
            title = {"overlay": "Camera and face", "mesh": "Face"}.get(stage.layout_now, "Camera")
            stage.left.say(title, "" if title == "Face" else mirrored)
            running = self._studio.fits.running
            if step == "fit" and running is not None:
                stage.right.say(running.name, running.message)
            elif step == "fit" and result is not None:
                stage.right.say(result.name, "fitted")
            else:
                stage.right.say("Face")

    def _on_advised(self, advice: Advice) -> None:
        if self._studio.session.step in ("live", "capture"):
            self._say()

    def _on_faced(self, face: LiveFace) -> None:
        """The newest face: the panels look at most ten times a second."""
        self.plots.add(face)
        self._soon()
        if face.face is not None and not self._had_face:
            self._had_face = True
            self.first_face.emit()
        if self.review.drive.isChecked() and self._studio.session.step == "review":
            self._drive(face)
        if face.done_s - self._panel_s < 0.1:
            return
        self._panel_s = face.done_s
        step = self._studio.session.step
        if step == "live":
            self.guidance.show_face(face.face, self.stage.options.mirror)
        elif step == "capture":
            self.capture.show_quality(face.face.quality if face.face is not None else None)
            self.capture.show_guided(self._studio.guided)

    def _on_guided(self) -> None:
        guided = self._studio.guided
        if time.monotonic() - self._guided_s > 0.1 or guided is None or guided.hold == 0:
            self._guided_s = time.monotonic()
            self.capture.show_guided(guided)
        if guided is None or guided.progress == 0:
            self._show_frames(self._studio.session)

    def _on_source(self) -> None:
        spec, status = self._studio.live.spec, self._studio.live.status()
        if spec is None:
            self.top.source.say("No source", "")
        else:
            lost = status is not None and status.phase in ("lost", "refused", "failed")
            frame = self._studio.live.newest
            size = f"{frame.width} × {frame.height}" if frame is not None else ""
            rate = f"{spec.fps:.0f} fps" if spec.is_camera else ""
            detail = "lost" if lost else " · ".join(part for part in (size, rate) if part)
            self.top.source.say(spec.name, detail)
        self._show_welcome()
        self._heads()
        self._say()
        self._soon()

    def _on_taken(self, shot: Shot) -> None:
        if not self._theme.reduced_motion:
            self.show_panes.moment.shutter = True
            self._flash.start()
        self._soon()

    def _on_flash_over(self) -> None:
        self.show_panes.moment.shutter = False
        self._soon()

    def _on_counted(self, left: int) -> None:
        self.show_panes.moment.countdown = left
        self._soon()

    def _on_fits(self) -> None:
        fits = self._studio.fits
        running = fits.running
        self.fitting.show_fits(fits.all, self._thumbs)
        self.top.show_busy("fit", running.fraction if running is not None else None)
        self.status.show_fit(running.fraction if running is not None else None)
        if self._studio.session.step == "fit":
            self._heads()
            self._say()
            self._soon()

    def _on_exporting(self) -> None:
        self._say()
        if self._studio.exporting.folder:
            self._show_written(Path(self._studio.exporting.folder))

    def _say(self) -> None:
        actions = BandActions(
            self.source_menu,
            self.export_now,
            self.show_export,
            self.choose_export_folder,
            self.compare,
            bool(self.stage.options.other),
        )
        self.band.say(band(self._studio, self.export, actions, self._free))

    # --- the tray ---

    def _show_frames(self, session: Session) -> None:
        for shot in session.shots:
            if shot.id not in self._thumbs:
                pixels = self._studio.thumb(shot.id)
                if pixels is not None:
                    self._thumbs[shot.id] = qimage(pixels)
        mirror = self.stage.options.mirror
        cards = tuple(
            Card(
                s.id,
                s.name,
                s.rejected or (str(s.score) if s.state != "none" else ""),
                s.state,
                self._thumb(s.id, mirror),
                bool(s.rejected),
            )
            for s in session.shots
        )
        guided = self._studio.guided
        planned: tuple[Planned, ...] = ()
        if session.step == "capture" and guided is not None:
            planned = tuple(
                p
                for p in GUIDED[guided.index :]
                if not guided.kept.get(p.key) and p.key not in guided.skipped
            )
        self.tray.show_frames(cards, session.selected, planned)
        self.tray.show_undo(self._studio.can_undo)

    def _thumb(self, shot_id: str, mirror: bool) -> QImage | None:
        image = self._thumbs.get(shot_id)
        if image is None or not mirror:
            return image
        return image.flipped(Qt.Orientation.Horizontal)

    def _show_results(self, session: Session) -> None:
        cards = []
        for result in session.results:
            image = self._thumbs.get(result.shots[0]) if result.shots else None
            cards.append(Card(result.id, result.name, words.frames(len(result.shots)), "ok", image))
        self.tray.show_results(tuple(cards), session.result)
        self.show_panes.heads.forget({r.id for r in session.results})
        several = session.shown is not None and len(session.shown.head.views) > 1
        self.stage.show_step(session.step, bool(session.results), several)
        self.show_panes.moment.weights = {}
        self.review.show_weights({})
        if session.step == "export":
            self._show_export()
        self._heads()

    def show_result(self, result_id: str) -> None:
        self._studio.apply(lambda s: showing(s, result_id))

    def review_result(self, result_id: str) -> None:
        self._studio.review(result_id)

    def _on_show_in_folder(self, shot_id: str) -> None:
        picture = self._studio.picture(shot_id)
        if picture is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(picture.parent)))

    # --- steps, menus, dialogs ---

    def go(self, step: str) -> None:
        chosen = next(s for s in STEPS if s == step)
        missing = self._studio.session.missing(chosen)
        if missing:
            self._studio.note(missing)
            self.top.show_session(self._studio.session)
        else:
            self._studio.go(chosen)

    def _show_welcome(self) -> None:
        studio = self._studio
        session = studio.session
        empty = not session.source and not session.shots and session.step == "live"
        is_open = bool(session.source)
        self.guidance.show_open(is_open)
        if empty:
            cameras = studio.list_cameras()
            chosen = studio.settings.camera
            first = None
            if cameras:
                device = next((c for c in cameras if c.id == chosen.device), cameras[0])
                first = (device.name, f"{chosen.width} × {chosen.height} at {chosen.fps} fps")
            kept = studio.kept_sessions()
            early = next((k for k in kept if k.ended_early), None)
            self.welcome.show_choices(
                choices(first, demo() is not None, (early.name, early.frames) if early else None)
            )
            self.guidance.show_sessions(kept)
            if self._welcome_job is None:
                job = Job(rendering(self.show_panes.heads, 460, 560), "welcome")
                job.returned.connect(self.welcome.head.show_image)
                self._welcome_job = job
                job.start()
        elif not is_open:
            self.guidance.show_sessions(studio.kept_sessions())
        self.pages.setCurrentIndex(1 if empty else 0)

    def _on_welcome(self, key: str) -> None:
        if key == "camera":
            self.open_camera()
        elif key == "files":
            self.choose_files()
        elif key == "folder":
            self.choose_watched()
        elif key == "kept":
            early = next((k for k in self._studio.kept_sessions() if k.ended_early), None)
            if early is not None:
                self._studio.open_session(early.folder)
        else:
            self.open_demo()

    def open_camera(self, device_id: str = "") -> None:
        """A camera by its id; the one used last, or the first, without one."""
        chosen = self._studio.settings.camera
        cameras = self._studio.list_cameras()
        wanted = device_id or chosen.device
        device = next((c for c in cameras if c.id == wanted), cameras[0] if cameras else None)
        if device is None:
            self._studio.note("No camera is plugged in. Open photos or a video instead.")
            return
        size = (chosen.width, chosen.height)
        self._studio.open(SourceSpec("camera", device.id, device.name, size, float(chosen.fps)))

    def open_demo(self) -> None:
        spec = demo()
        if spec is not None:
            self._studio.open(spec)

    def choose_files(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in sorted(PICTURES | VIDEOS))
        files, _ = QFileDialog.getOpenFileNames(
            self, "Open photos or a video", "", f"Pictures and videos ({kinds})"
        )
        if files:
            self._studio.open_paths(files)

    def choose_watched(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Watch a folder")
        if folder:
            self._studio.open(watched(Path(folder)))

    def add_pictures(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in sorted(PICTURES))
        files, _ = QFileDialog.getOpenFileNames(self, "Add pictures", "", f"Pictures ({kinds})")
        if files:
            self._studio.add_pictures([Path(f) for f in files])

    def source_menu(self) -> None:
        menu = QMenu(self)
        for device in self._studio.list_cameras():
            action = menu.addAction(device.name)
            action.triggered.connect(lambda _=False, d=device.id: self.open_camera(d))
        if not menu.isEmpty():
            menu.addSeparator()
        menu.addAction("Open photos or a video…").triggered.connect(self.choose_files)
        menu.addAction("Watch a folder…").triggered.connect(self.choose_watched)
        if demo() is not None:
            menu.addAction("Play the demo").triggered.connect(self.open_demo)
        if self._studio.live.spec is not None:
            menu.addSeparator()
            menu.addAction("Release the source").triggered.connect(self._studio.close_source)
        menu.exec(self.top.source.mapToGlobal(self.top.source.rect().bottomLeft()))
        menu.deleteLater()

    def session_menu(self) -> None:
        menu = QMenu(self)
        menu.addAction("New session").triggered.connect(self._on_new_session)
        if self._studio.session.folder:
            menu.addAction("Rename…").triggered.connect(self._on_rename_session)
            menu.addAction("Show in folder").triggered.connect(self._on_session_folder)
        kept = self._studio.kept_sessions()
        if kept:
            menu.addSeparator()
        for session in kept[:10]:
            text = f"{session.name} · {words.frames(session.frames)}"
            action = menu.addAction(text)
            action.triggered.connect(lambda _=False, f=session.folder: self._open_session(f))
        menu.exec(self.top.session.mapToGlobal(self.top.session.rect().bottomLeft()))
        menu.deleteLater()

    def _open_session(self, folder: Path) -> None:
        self._thumbs.clear()
        self._studio.open_session(folder)

    def _on_new_session(self) -> None:
        self._thumbs.clear()
        self._studio.new_session()

    def _on_rename_session(self) -> None:
        name, good = QInputDialog.getText(
            self, "Rename session", "Name", text=self._studio.session.name
        )
        if good:
            self._studio.rename_session(name)

    def _on_session_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._studio.session.folder))

    def _on_picture_menu(self, menu: QMenu) -> None:
        page = menu.addAction("Field of view…")
        page.triggered.connect(lambda: self.show_settings("camera"))

    def show_settings(self, page: str = "") -> None:
        if self.settings_sheet is None:
            self.settings_sheet = SettingsSheet(self._theme, self._studio, self._centre)
        if page:
            self.settings_sheet.show_page(page)
        self.settings_sheet.open_sheet()

    def show_help(self) -> None:
        if self.help_sheet is None:
            self.help_sheet = shortcuts_sheet(self._theme, self._centre)
        self.help_sheet.open_sheet()

    @property
    def sheet(self) -> Sheet | None:
        """The sheet that is open."""
        sheets = (self.settings_sheet, self.help_sheet)
        return next((s for s in sheets if s is not None and s.isVisible()), None)

    def copy_log(self) -> None:
        QGuiApplication.clipboard().setText(self._studio.log.text())
        self._studio.note("The log is copied")

    # --- settings ---

    def _apply_settings(self) -> None:
        chosen = self._studio.settings
        window = chosen.window
        scheme = scheme_of_system() if window.theme == "system" else window.theme
        self._theme.reduced_motion = window.reduce_motion
        self._theme.use(scheme, window.text_percent / 100)
        self.capture.show_settings(chosen.capture)
        self.fitting.show_settings(chosen.fit, os.cpu_count() or 1)
        self.guidance.show_brief(chosen.guidance.brief, bool(self._studio.session.source))
        self.stage.set_options(mirror=chosen.camera.mirror)

    def _change(self, group: str, **values: Any) -> None:
        settings = self._studio.settings
        changed = dataclasses.replace(getattr(settings, group), **values)
        self._studio.use(dataclasses.replace(settings, **{group: changed}))

    def _on_brief(self, brief: bool) -> None:
        self._change("guidance", brief=brief)

    def _on_detail(self, key: str) -> None:
        self._change("fit", stage=key)

    def _on_capture_settings(self, values: dict[str, Any]) -> None:
        self._change("capture", **values)

    def _on_limits(self, key: str) -> None:
        self.show_settings("guidance")
        if self.settings_sheet is not None:
            self.settings_sheet.guidance.show_measure(key)

    def _on_options(self) -> None:
        mirror = self.stage.options.mirror
        if mirror != self._studio.settings.camera.mirror:
            self._change("camera", mirror=mirror)
            self._show_frames(self._studio.session)
        self.review.show_light(self.stage.options.key)
        self._heads()
        self._soon()

    # --- review ---

    def compare(self) -> None:
        """Show another result on the left; the photograph again when one is shown."""
        if self.stage.options.other:
            self.compare_with("")
            return
        session = self._studio.session
        others = [r for r in session.results if r.id != session.result]
        if len(others) == 1:
            self.compare_with(others[0].id)
            return
        menu = QMenu(self)
        for result in others:
            action = menu.addAction(result.name)
            action.triggered.connect(lambda _=False, i=result.id: self.compare_with(i))
        menu.exec(self.band.secondary.mapToGlobal(self.band.secondary.rect().bottomLeft()))
        menu.deleteLater()

    def compare_with(self, result_id: str) -> None:
        self.stage.set_options(other=result_id)
        self._say()

    def _on_shaped(self, names: tuple[str, ...], amount: float) -> None:
        weights = self.show_panes.moment.weights
        for name in names:
            weights[name] = amount
        self.show_panes.moment.weights = {k: v for k, v in weights.items() if v > 0}
        self._soon()

    def _on_reset_shapes(self) -> None:
        self.show_panes.moment.weights = {}
        self.review.show_weights({})
        self._soon()

    def _on_driven(self, on: bool) -> None:
        if not on:
            self.show_panes.moment.driven = {}
            self.review.show_weights(self.show_panes.moment.weights)
            self._soon()

    def _drive(self, face: LiveFace) -> None:
        state = face.face.state if face.face is not None else None
        if state is None:
            return
        names = self._studio.parts.head().expression_names
        values = state.coefficients.expression
        driven = {n: float(v) for n, v in zip(names, values, strict=True) if v > 0.01}
        self.show_panes.moment.driven = driven
        if face.done_s - self._panel_s >= 0.1:
            self.review.show_weights(driven)

    def _on_turntable(self, on: bool) -> None:
        if on:
            self._turn.start()
        else:
            self._turn.stop()
            self.show_panes.moment.turn = 0.0
            self._soon()

    def _on_turned(self) -> None:
        if self._studio.session.step != "review":
            self.review.turntable.setChecked(False)
            return
        self.show_panes.moment.turn += 0.04
        self._soon()

    def _on_hovered(self, key: str, x: float, y: float) -> None:
        if key == "mesh" and self._studio.session.step == "review":
            self.pointer = self.show_panes.value_at(x, y)
        else:
            self.pointer = ""
        if self.pointer != self.show_panes.moment.pointer:
            self.show_panes.moment.pointer = self.pointer
            self._soon()

    # --- export ---

    def _show_export(self) -> None:
        result = self._studio.session.shown
        self.export.show_result(result, self._studio.export_folder)
        if result is not None:
            self.files.show_remarks(remarks(result, self._studio.parts.head()))
            if not self._studio.exporting.folder:
                self._written = _WILL_BE
                self._heads()
                self.files.show_files(_expected(self.export.formats, result.name))

    def _on_export_choice(self) -> None:
        if self._studio.session.step == "export":
            self._studio.clear_export()
            self._show_export()
            self._say()

    def _show_written(self, folder: Path) -> None:
        files = sorted(f for f in folder.iterdir() if f.is_file())
        rows = tuple((f.name, _holds(f.name), words.file_size(f.stat().st_size)) for f in files)
        self.files.show_files(rows)
        total = sum(f.stat().st_size for f in files)
        self._written = ("Written", f"{len(files)} files · {words.file_size(total)}")
        self._heads()

    def export_now(self) -> None:
        result = self._studio.session.shown
        if result is None or self._studio.session.step != "export" or not self.export.formats:
            return
        choice = self.export.choice(result)
        if (choice.target / "manifest.json").exists():
            question = f"{choice.target.name} holds an export already."
            if not self.confirm(question, "Its files are replaced.", "Replace"):
                return
        self._studio.export(choice)

    def show_export(self) -> None:
        folder = self._studio.exporting.folder
        if folder:
            QDesktopServices.openUrl(QUrl.fromLocalFile(folder))

    def choose_export_folder(self) -> None:
        start = str(self._studio.export_folder)
        folder = QFileDialog.getExistingDirectory(self, "Destination", start)
        if folder:
            self._change("window", export_folder=folder)
            self._studio.clear_export()
            self._show_export()
            self._say()

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

    # --- twice a second ---

    def _on_tick(self) -> None:
        live, now = self._studio.live, time.monotonic()
        self._lately = [p for p in self._lately if now - p[0] < 3] + [(now, live.frames)]
        first = self._lately[0]
        span = now - first[0]
        fps = (live.frames - first[1]) / span if span > 0.4 else 0.0
        is_open = live.spec is not None
        pace = live.face.pace if live.face is not None else None
        self.status.show_live(is_open, max(fps, 0.0), pace)
        self._free = free_bytes(self._studio.sessions_folder)
        self.status.show_disk(self._free)
        if is_open:
            self._on_source()
        else:
            self._say()
        self.review.show_drive(is_open)

    def _on_no_opengl(self, why: str) -> None:
        self._studio.log.add(f"OpenGL: {why}")
        self._studio.note("No OpenGL 3.3 here: update the graphics driver to see the panes.")

    # --- events ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        size = self._theme.tokens.size
        width, height = self.width(), self.height()
        narrow, low = width < _NARROW, height < _LOW
        wide = width >= _WIDE
        self.inspector.setFixedWidth(size["inspector_wide"] if wide else size["inspector"])
        self.top.fold(narrow, size["step_compact"], size["step"])
        self.stage.fold(narrow)
        self.welcome.fold(narrow)
        row = size["row_quality_compact"] if low else size["row_quality"]
        self.guidance.fold(low, round(row * self._theme.text_scale))
        QTimer.singleShot(0, self, self.redraw)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not shortcuts.pressed(self, event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        shortcuts.released(self, event)
        super().keyReleaseEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        moved = super().focusNextPrevChild(forward)
        self._focus.mark()
        return moved

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self._studio.open_paths(files)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ThemeChange:
            self._apply_settings()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._studio.fits.running is not None and not self.confirm(
            "A fit is running.", "Your frames are safe; the fit is lost.", "Quit"
        ):
            event.ignore()
            return
        self.shut_down()
        event.accept()

    def shut_down(self) -> None:
        """End timers, threads and processes."""
        for timer in (self._tick, self._redraw, self._turn, self._flash):
            timer.stop()
        self.plots.run(False)
        if self._welcome_job is not None:
            self._welcome_job.wait()
        if self.settings_sheet is not None:
            self.settings_sheet.health.stop()
        self._studio.close()


def _expected(formats: tuple[str, ...], name: str) -> tuple[tuple[str, str, str], ...]:
    stem = file_stem(name)
    rows: list[tuple[str, str, str]] = []
    for key in formats:
        if key == "maps":
            rows += [
                (f"{stem}_{role}.png", holds, "")
                for role, holds in (
                    ("albedo", "colour, sRGB"),
                    ("normal", "normals, Y+"),
                    ("displacement", "16 bit, metres"),
                    ("confidence", "seen or invented"),
                )
            ]
        else:
            rows.append((f"{stem}.{key}", _holds(f".{key}"), ""))
    rows.append(("manifest.json", "units, frames, licences", ""))
    return tuple(rows)


def _holds(name: str) -> str:
    table = {
        ".glb": "mesh, 52 shapes, textures",
        ".fbx": "mesh, 52 shapes",
        ".obj": "mesh",
        ".mtl": "materials",
        ".json": "units, frames, licences",
        ".png": "texture",
        ".usd": "mesh, 52 shapes",
    }
    return next((text for end, text in table.items() if name.endswith(end)), "")
