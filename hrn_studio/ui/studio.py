"""The state of the window and everything that may be done to it.

:class:`Studio` is a :class:`~.desk.Desk` with the open source (:mod:`.live`), the shooting of
frames, the queue of fits and the running export; panels call its methods and listen to its
signals.  It captures plain records when a job starts; no job reads the window.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QTimer, Signal

from hrn_studio.errors import StudioError
from hrn_studio.live.devices import Device, cameras
from hrn_studio.live.feed import FeedStatus
from hrn_studio.live.quality_limits import Limit, edited, limits
from hrn_studio.live.spec import SourceSpec, from_paths
from hrn_studio.models.engines import engine_reason
from hrn_studio.models.live import network_reason
from hrn_studio.records import Reconstruction
from hrn_studio.session import state as changes
from hrn_studio.session.guided import Guided
from hrn_studio.session.state import Session, Shot, Step
from hrn_studio.session.store import Kept, Store, sessions
from hrn_studio.settings import Settings
from hrn_studio.ui.desk import Desk
from hrn_studio.ui.exports import Exports
from hrn_studio.ui.fits import Fit, Fits
from hrn_studio.ui.frames import Frames
from hrn_studio.ui.live import Live
from hrn_studio.ui.parts import FitChoice, Parts
from hrn_studio.ui.results import Results
from hrn_studio.ui.shooting import Shooting

HEAD_STEPS: tuple[Step, ...] = ("fit", "review", "export")
"""Those that show finished heads."""


class Studio(Desk):
    """The window's state.

    Signals
    -------
    source_changed
        Look again.
    """

    source_changed = Signal()

    def __init__(
        self,
        parts: Parts,
        chosen: Settings,
        *,
        settings_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = datetime.now,
        list_cameras: Callable[[], tuple[Device, ...]] = cameras,
    ) -> None:
        super().__init__(chosen, settings_file, now)
        self.parts = parts
        self.live = Live(parts)
        self.fits = Fits(parts, clock)
        self.frames = Frames(self)
        self.shooting = Shooting(self, self.live, parts)
        self.results = Results(self, parts)
        self.exports = Exports(self, parts)
        self.last_spec: SourceSpec | None = None
        self._wish: Step = "live"
        self.list_cameras = list_cameras
        self._beat = QTimer(self)
        self._beat.setInterval(500)
        self._beat.timeout.connect(self._on_beat)
        self._beat.start()
        self.changed.connect(self._on_changed)
        self.settings_changed.connect(self._use_limits)
        self.shooting.guided_done.connect(self._on_guided_done)
        self.live.troubled.connect(self._on_troubled)
        self.live.failed.connect(self._on_live_failed)
        self.fits.finished.connect(self._on_fitted)
        self.fits.failed.connect(self._on_fit_failed)
        self.fits.changed.connect(self._on_fits_changed)
        self._use_limits()

    # --- the session ---

    def go(self, step: Step) -> None:
        """Enter a step, when something is there for it."""
        if self.session.missing(step):
            return
        self._wish, shown = step, self.session.shown
        if step in HEAD_STEPS and shown is not None and not shown.kept.here:
            self.results.look(True)
            self.results.fetch(shown.id, lambda _: self._enter(step))
        else:
            self._enter(step)

    def _enter(self, step: Step) -> None:
        if step != self._wish:  # the user went elsewhere while a head was read
            return
        self.apply(lambda s: changes.to_step(s, step))
        if step == "capture" and (self.shooting.guided is None or self.shooting.guided.done):
            self.shooting.guide(Guided())
        self.shooting.aim()

    def _on_changed(self, old: Session, new: Session) -> None:
        if old.step != new.step:
            self.results.look(new.step in HEAD_STEPS)

    def _on_guided_done(self) -> None:
        self.go("fit")

    def kept_sessions(self) -> tuple[Kept, ...]:
        """The sessions on this computer, newest first, without the open one."""
        here = self.store.folder if self.store is not None else None
        return tuple(k for k in sessions(self.sessions_folder) if k.folder != here and k.frames)

    def open_session(self, folder: Path) -> None:
        """Leave this session and open another."""
        try:
            store, session = Store.open(folder)
        except StudioError as error:
            self.note(str(error))
            return
        self._leave_session()
        self.store = store
        source = self.session.source
        self.apply(lambda _: dataclasses.replace(session, source=source))
        self.log.add(f"opened session {folder}")
        self.results.load(store)

    def new_session(self) -> None:
        self._leave_session()
        self.store = None
        source = self.session.source
        self.apply(lambda _: Session(source=source))

    def rename_session(self, name: str) -> None:
        name = name.strip()
        if not name:
            return
        if self.store is not None and not self.tried(lambda store: store.rename(name)):
            return
        self.apply(lambda s: dataclasses.replace(s, name=name))

    def _leave_session(self) -> None:
        self.shooting.wait()
        self.results.wait()
        if self.store is not None:
            self.store.close()
        self.frames.forget()
        self.shooting.guide(None)

    # --- the source ---

    def open(self, spec: SourceSpec) -> None:
        """Open a source; its pictures come by themselves."""
        self.log.add(f"open {spec.kind} {spec.name}")
        self.last_spec = spec
        self.shooting.restart()
        self.live.open(spec)
        self._use_limits()
        if spec.kind == "camera":
            camera = dataclasses.replace(self.settings.camera, device=spec.where)
            self.use(dataclasses.replace(self.settings, camera=camera))
        self.apply(lambda s: dataclasses.replace(s, source=spec.name))
        if self.session.step not in ("live", "capture"):
            self.go("live")
        self.source_changed.emit()

    def open_paths(self, files: Iterable[str | Path]) -> None:
        """Files and folders, dropped or chosen."""
        spec = from_paths([Path(f) for f in files])
        if spec is None:
            self.note("Nothing there can be opened. Choose pictures or a video.")
        elif spec.kind == "pictures" and self.live.spec is not None and self.live.spec.is_camera:
            self.shooting.add_pictures([Path(line) for line in spec.where.splitlines()])
        else:
            self.open(spec)

    def close_source(self) -> None:
        """Release the camera."""
        self.live.close()
        self.apply(lambda s: dataclasses.replace(s, source=""))
        self.source_changed.emit()

    def try_now(self) -> None:
        """Open a lost source again."""
        status = self.live.status()
        if self.last_spec is not None and (status is None or status.phase in ("failed", "ended")):
            self.open(self.last_spec)
        else:
            self.live.try_now()

    def _on_troubled(self, status: FeedStatus) -> None:
        if status.message:
            self.log.add(f"source {status.phase}: {status.message}")
        self.source_changed.emit()

    def _on_live_failed(self, error: BaseException) -> None:
        self.log.add_error("the live view stopped", error)
        self.note(f"The live view stopped. {error}")
        self.close_source()

    # --- fits ---

    def fit_choice(self) -> FitChoice:
        chosen = self.settings.fit
        # Weights may have gone since they were chosen.
        engine = chosen.engine if engine_reason(chosen.engine) is None else "studio"
        return FitChoice(
            chosen.stage,
            chosen.texture_px,
            chosen.device,
            None,
            chosen.white_balance,
            engine,
            chosen.network and network_reason() is None,
        )

    def fit_selected(self) -> None:
        """One head from each selected frame."""
        for shot in self.session.chosen:
            self._queue(shot.name, (shot,))

    def fuse_selected(self) -> None:
        """One head from all selected frames together."""
        chosen = self.session.chosen
        if len(chosen) > 1:
            self._queue(f"Fused head {self._fused():02d}", chosen)
        elif chosen:
            self.fit_selected()

    def _fused(self) -> int:
        names = [r.name for r in self.session.results] + [f.name for f in self.fits.all]
        return 1 + sum(n.startswith("Fused head") for n in names)

    def _queue(self, name: str, shots: tuple[Shot, ...]) -> None:
        if self.store is None:
            return
        files = tuple(self.store.picture(s.id) for s in shots)
        fit = self.fits.add(name, tuple(s.id for s in shots), files, self.fit_choice())
        self.log.add(f"fit {name} queued")
        if self.session.step != "fit":
            where = (
                "is being fitted" if fit.state == "waiting" and not self.fits.waiting else "queued"
            )
            self.note(f"{name} {where}", "Show", lambda: self.go("fit"))

    def _on_fitted(self, fit: Fit, head: Reconstruction) -> None:
        result = self.results.add(fit, head)
        self.fits.done_as(fit.id, result.id)
        self.log.add(f"{fit.name} fitted in {fit.seconds:.0f} s")
        if self.session.step != "review":
            self.note(f"{fit.name} is fitted", "Review", lambda: self.go("review"))

    def _on_fit_failed(self, fit: Fit, error: BaseException) -> None:
        self.log.add_error(f"{fit.name} was not fitted", error)
        if self.session.step != "fit":
            self.note(f"{fit.name} was not fitted", "Show", lambda: self.go("fit"))

    def _on_fits_changed(self) -> None:
        self.live.slow_down(self.fits.running is not None)

    def review(self, result_id: str) -> None:
        """Show a result in Review."""
        self.results.show(result_id, lambda: self.go("review"))

    # --- settings, time, end ---

    def _use_limits(self) -> None:
        guidance = self.settings.guidance
        self.live.control.limit_table = self.limit_table(guidance.preset, guidance.limits)
        # Files know their lens, or are taken as a webcam's.
        own = self.live.spec is None or self.live.spec.is_camera
        self.live.control.hfov_deg = self.settings.camera.hfov_deg if own else None

    @staticmethod
    def limit_table(preset: str, own: dict[str, list[float]]) -> dict[str, Limit]:
        return edited(limits(preset), own)

    def _on_beat(self) -> None:
        self.live.check()
        self.fits.tick()

    def close(self) -> None:
        """End every thread and leave the session in order."""
        self._beat.stop()
        self.live.close()
        self.fits.close()
        self.exports.close()
        self.shooting.close()
        self.results.wait()
        if self.store is not None:
            self.store.close()
