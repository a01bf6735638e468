"""The window: carries what happens between the panels and the studio."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
)

from hrn_studio.live.advice import Advice
from hrn_studio.live.stream import LiveFace
from hrn_studio.session.state import STEPS, Session, Shot
from hrn_studio.session.store import free_bytes
from hrn_studio.ui import shortcuts
from hrn_studio.ui.announcer import Announcer
from hrn_studio.ui.bands import BandActions, band
from hrn_studio.ui.contact_sheet import ContactSheet
from hrn_studio.ui.darkroom import Darkroom
from hrn_studio.ui.delivery import Delivery
from hrn_studio.ui.fusing import Fusing
from hrn_studio.ui.live import Live
from hrn_studio.ui.mainframe import MainFrame
from hrn_studio.ui.opening import Opening
from hrn_studio.ui.preferences import Preferences
from hrn_studio.ui.reviewing import Reviewing
from hrn_studio.ui.sheet import Sheet
from hrn_studio.ui.show import LOST
from hrn_studio.ui.studio import HEAD_STEPS, Studio
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.titles import titles
from hrn_studio.ui.widgets.controls import KeyboardFocus

_COALESCE_MS = 8


class Window(MainFrame):
    """The main window.

    Signals
    -------
    first_face
        The first live face was shown.
    """

    first_face = Signal()

    def __init__(self, theme: Theme, studio: Studio, focus: KeyboardFocus) -> None:
        super().__init__(theme, studio)
        self._focus = focus
        self._lately: list[tuple[float, int]] = []
        self._guided_s = self._panel_s = 0.0
        self._had_face = False
        self._free = 0
        self._ready = False
        self.contact = ContactSheet(self)
        self.opening = Opening(self)
        self.reviewing = Reviewing(self)
        self.delivery = Delivery(self)
        self.preferences = Preferences(self)
        self.darkroom = Darkroom(self)
        self.darkroom.lens_wanted.connect(self.preferences.show_lens)
        self.fusing_step = Fusing(self, self.contact)
        self.announcer = Announcer(self)
        self._make_timers()
        self._connect()
        self.actions_by_name = shortcuts.install(self)
        self.studio.settings_changed.connect(self._on_settings)
        self.preferences.apply()
        self._on_settings()
        self._on_changed(None, studio.session)
        self._on_source()
        self._on_tick()
        self._ready = True

    def _make_timers(self) -> None:
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(_COALESCE_MS)
        self._redraw.timeout.connect(self.redraw)
        self._tick = QTimer(self)
        self._tick.setInterval(500)
        self._tick.timeout.connect(self._on_tick)
        self._tick.start()
        self._flash = QTimer(self)
        self._flash.setSingleShot(True)
        self._flash.setInterval(self.theme.tokens.motion_ms["shutter"])
        self._flash.timeout.connect(self._on_flash_over)

    def _connect(self) -> None:
        studio, stage, tray, shooting = self.studio, self.stage, self.tray, self.studio.shooting
        studio.changed.connect(self._on_changed)
        studio.source_changed.connect(self._on_source)
        studio.noted.connect(self.toasts.show_note)
        studio.exports.changed.connect(self._say)
        studio.fits.changed.connect(self._on_fits)
        shooting.advised.connect(self._on_advised)
        shooting.guided_changed.connect(self._on_guided)
        shooting.taken.connect(self._on_taken)
        shooting.counted.connect(self._on_counted)
        live: Live = studio.live
        live.arrived.connect(self._soon)
        live.faced.connect(self._on_faced)
        stage.changed.connect(self._on_options)
        stage.viewport.refused.connect(self._on_no_opengl)
        tray.result_chosen.connect(self.show_result)
        self.contact.renewed.connect(self._on_fits)
        self.contact.renewed.connect(self.fusing_step.show)
        tray.fit_wanted.connect(studio.fit_selected)
        tray.fuse_wanted.connect(studio.fuse_selected)
        self.top.step_chosen.connect(self.go)
        self.capture.shot_chosen.connect(shooting.go_to_shot)
        self.capture.ended.connect(shooting.end_guided)
        fitting = self.fitting
        fitting.cancelled.connect(studio.fits.cancel)
        fitting.removed.connect(studio.fits.forget)
        fitting.retried.connect(studio.fits.again)
        fitting.result_chosen.connect(studio.review)
        self.reviewing.changed.connect(self._soon)
        self.reviewing.compared.connect(self._say)
        self.delivery.changed.connect(self._on_delivery)
        self.fusing_step.changed.connect(self._on_fusing)
        self.theme.changed.connect(self._soon)

    def _on_settings(self) -> None:
        shortcuts.rebind(self, self.actions_by_name)

    def _soon(self) -> None:
        """Draw once for everything that happens within some milliseconds."""
        if not self._redraw.isActive():
            self._redraw.start()

    def redraw(self) -> None:
        """Build the panes anew and repaint."""
        if self.pages.currentIndex() == 0:
            self.stage.viewport.show_panes(self.show_panes.panes())

    def _on_changed(self, old: Session | None, new: Session) -> None:
        self.top.show_session(new)
        if old is not None and old.folder != new.folder:
            self.contact.forget()
        if old is None or old.step != new.step:
            self._on_step(new)
        if old is None or old.shots is not new.shots or old.selected != new.selected:
            self.contact.show_frames(new)
        if old is None or old.results is not new.results or old.result != new.result:
            self._show_results(new)
        if old is None or old.source != new.source or old.folder != new.folder:
            self.opening.show_welcome()
        self.fusing_step.show()
        self._say()
        self._soon()

    def _on_step(self, session: Session) -> None:
        step = session.step
        self.inspector.setCurrentWidget(self.inspectors[step])
        several = session.shown is not None and len(session.shown.shots) > 1
        self.stage.show_step(step, bool(session.results), several)
        self.stage.show_refining(self.studio.fits.running is not None and step == "fit")
        if step in ("review", "export") and self.tray.tab == "frames":
            self.tray.show_tab("results")
        elif step in ("live", "capture") and self.tray.tab == "results":
            self.tray.show_tab("frames")
        if step in ("fit", "review"):
            self.toasts.forget_offers()
        if step not in HEAD_STEPS:
            self.stage.set_options(other="")
            self.show_panes.rest()
        titles(self.stage, self.studio, self.delivery.written)
        self.contact.show_frames(session)
        if step == "export":
            self.delivery.show()
        self.opening.show_welcome()

    def _on_advised(self, advice: Advice) -> None:
        if self.studio.session.step in ("live", "capture"):
            self._say()

    def _on_faced(self, face: LiveFace) -> None:
        """The newest face: the panels look at most ten times a second."""
        self.plots.add(face)
        self._soon()
        if face.face is not None and not self._had_face:
            self._had_face = True
            self.first_face.emit()
        if self.review.drive.isChecked() and self.studio.session.step == "review":
            self.reviewing.drive(face)
        if face.done_s - self._panel_s < 0.1:
            return
        self._panel_s = face.done_s
        step = self.studio.session.step
        if step == "live":
            self.guidance.show_face(face.face, self.stage.options.mirror)
        elif step == "capture":
            self.capture.show_quality(face.face.quality if face.face is not None else None)
            self.capture.show_guided(self.studio.shooting.guided)

    def _on_guided(self) -> None:
        guided = self.studio.shooting.guided
        if time.monotonic() - self._guided_s > 0.1 or guided is None or guided.hold == 0:
            self._guided_s = time.monotonic()
            self.capture.show_guided(guided)
        if guided is None or guided.progress == 0:
            self.contact.show_frames(self.studio.session)

    def _on_source(self) -> None:
        spec, status = self.studio.live.spec, self.studio.live.status()
        if spec is None:
            self.top.source.say("No source", "")
        else:
            lost = status is not None and status.phase in ("lost", "refused", "failed")
            frame = self.studio.live.newest
            size = f"{frame.width} × {frame.height}" if frame is not None else ""
            rate = f"{spec.fps:.0f} fps" if spec.is_camera else ""
            if lost:  # what was measured of the last picture holds no more
                self.guidance.show_face(None, self.stage.options.mirror)
            detail = "lost" if lost else " · ".join(part for part in (size, rate) if part)
            self.top.source.say(spec.name, detail)
        self.opening.show_welcome()
        titles(self.stage, self.studio, self.delivery.written)
        self._say()
        self._soon()

    def _on_taken(self, shot: Shot) -> None:
        if not self.theme.reduced_motion:
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
        fits = self.studio.fits
        running = fits.running
        self.fitting.show_fits(fits.all, self.contact.thumbs, fits.moved_mm)
        self.stage.show_refining(running is not None and self.studio.session.step == "fit")
        self.top.show_busy("fit", running.fraction if running is not None else None)
        self.status.show_fit(running.fraction if running is not None else None)
        if self.studio.session.step == "fit":
            titles(self.stage, self.studio, self.delivery.written)
            self._say()
            self._soon()

    def _say(self) -> None:
        actions = BandActions(
            self.opening.source_menu,
            self.delivery.export_now,
            self.delivery.show_folder,
            self.delivery.choose_folder,
            self.reviewing.compare,
            bool(self.stage.options.other),
            self.delivery.about,
        )
        step = self.studio.session.step
        said = self.fusing_step.band() if step == "fit" and self.fusing_step.on else None
        if said is not None and self.studio.fits.running is None:
            self.band.say(said)
            return
        self.band.say(band(self.studio, self.export, actions, self._free))

    def _show_results(self, session: Session) -> None:
        self.contact.show_results(session)
        self.show_panes.heads.forget({session.result, self.stage.options.other})
        several = session.shown is not None and len(session.shown.shots) > 1
        self.stage.show_step(session.step, bool(session.results), several)
        self.reviewing.reset()
        if session.step == "export":
            self.delivery.show()
        titles(self.stage, self.studio, self.delivery.written)

    def _on_fusing(self) -> None:
        titles(self.stage, self.studio, self.delivery.written)
        self._say()
        self._soon()

    def _on_delivery(self) -> None:
        titles(self.stage, self.studio, self.delivery.written)
        self._say()

    def show_result(self, result_id: str) -> None:
        self.studio.results.show(result_id)

    def go(self, step: str) -> None:
        chosen = next(s for s in STEPS if s == step)
        missing = self.studio.session.missing(chosen)
        if missing:
            self.studio.note(missing)
            self.top.show_session(self.studio.session)
        else:
            self.studio.go(chosen)

    def _on_options(self) -> None:
        mirror = self.stage.options.mirror
        if mirror != self.studio.settings.camera.mirror:
            self.studio.change("camera", mirror=mirror)
            self.contact.show_frames(self.studio.session)
        self.review.show_light(self.stage.options.key)
        titles(self.stage, self.studio, self.delivery.written)
        self._soon()

    def _on_tick(self) -> None:
        live, now = self.studio.live, time.monotonic()
        self._lately = [p for p in self._lately if now - p[0] < 3] + [(now, live.frames)]
        first = self._lately[0]
        span = now - first[0]
        fps = (live.frames - first[1]) / span if span > 0.4 else 0.0
        status = live.status()
        if status is not None and status.phase in LOST:
            fps = 0.0
        is_open = live.spec is not None
        pace = live.face.pace if live.face is not None else None
        self.status.show_live(is_open, max(fps, 0.0), pace)
        self._free = free_bytes(self.studio.sessions_folder)
        self.status.show_disk(self._free)
        if is_open:
            self._on_source()
        else:
            self._say()
        self.review.show_drive(is_open)

    def _on_no_opengl(self, why: str) -> None:
        self.studio.log.add(f"OpenGL: {why}")
        self.studio.note("No OpenGL 3.3 here: update the graphics driver to see the panes.")

    @property
    def sheet(self) -> Sheet | None:
        """The sheet that is open."""
        return self.preferences.open_sheet

    # --- events ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
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
            self.studio.open_paths(files)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ThemeChange and self._ready:
            self.preferences.apply()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.studio.fits.running is not None and not self.confirm(
            "A fit is running.", "Your frames are safe; the fit is lost.", "Quit"
        ):
            event.ignore()
            return
        self.shut_down()
        event.accept()

    def shut_down(self) -> None:
        """End timers, threads and processes."""
        for timer in (self._tick, self._redraw, self._flash):
            timer.stop()
        self.reviewing.close()
        self.plots.run(False)
        self.opening.close()
        self.fusing_step.close()
        self.delivery.close()
        self.contact.close()
        self.announcer.close()
        self.preferences.close()
        self.studio.close()
        self.stage.viewport.release()
