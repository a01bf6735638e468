"""The state of the window and everything that may be done to it.

:class:`Studio` holds one frozen :class:`~hrn_studio.session.state.Session`, the open source, the
queue of fits and the running export; panels call its methods and listen to its signals.  It
captures plain records when a job starts; no job reads the window.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from hrn_studio import paths, settings
from hrn_studio.errors import NoFaceError, StudioError
from hrn_studio.live.advice import Advice, Advisor
from hrn_studio.live.cameras import camera_for
from hrn_studio.live.devices import Device, cameras
from hrn_studio.live.feed import FeedStatus
from hrn_studio.live.images import read_image
from hrn_studio.live.quality import FRONT, measure
from hrn_studio.live.quality_limits import Limit, edited, limits
from hrn_studio.live.spec import SourceSpec, from_paths
from hrn_studio.live.stream import LiveFace
from hrn_studio.records import Frame, Progress, Reconstruction, Track
from hrn_studio.session import guided as guiding
from hrn_studio.session import state as changes
from hrn_studio.session.guided import Guided
from hrn_studio.session.state import Change, Result, Session, Shot, Step
from hrn_studio.session.store import Kept, Store, free_bytes, session_name, sessions
from hrn_studio.settings import Settings
from hrn_studio.ui.fits import Fit, Fits
from hrn_studio.ui.jobs import Job
from hrn_studio.ui.live import Live
from hrn_studio.ui.log import Log
from hrn_studio.ui.parts import ExportChoice, FitChoice, Parts

LOW_DISK_BYTES = 200_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Note:
    """A toast: something finished or was undone, with at most one button."""

    text: str
    button: str = ""
    action: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Exporting:
    """A running or finished export."""

    fraction: float = 0.0
    message: str = ""
    folder: str = ""
    """Where it went, when it is done."""
    problem: str = ""
    running: bool = False


class Studio(QObject):
    """The window's state.

    Signals
    -------
    changed
        The session: old, new.
    advised
        The :class:`Advice` to show, up to ten times a second.
    guided_changed, exporting_changed, settings_changed, source_changed
        Look again.
    noted
        A :class:`Note` to show for a while.
    taken
        A frame was kept: its :class:`Shot`.
    counted
        Seconds left of a countdown; 0 ends it.
    """

    changed = Signal(object, object)
    advised = Signal(object)
    guided_changed = Signal()
    exporting_changed = Signal()
    settings_changed = Signal()
    source_changed = Signal()
    noted = Signal(object)
    taken = Signal(object)
    counted = Signal(int)

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
        super().__init__()
        self.parts = parts
        self.settings = chosen
        self.session = Session()
        self.live = Live(parts)
        self.fits = Fits(parts, clock)
        self.log = Log()
        self.guided: Guided | None = None
        self.advice: Advice | None = None
        self.exporting = Exporting()
        self.last_spec: SourceSpec | None = None
        self._settings_file = settings_file
        self._clock, self._now = clock, now
        self.list_cameras = list_cameras
        self._store: Store | None = None
        self._advisor = Advisor()
        self._burst: list[LiveFace] = []
        self._burst_left = 0
        self._kind = ""
        self._writing: list[Job] = []
        self._export_job: Job | None = None
        self._undo: list[Callable[[], None]] = []
        self._count_left = 0
        self._counter = QTimer(self)
        self._counter.setInterval(1000)
        self._counter.timeout.connect(self._on_counted)
        self._beat = QTimer(self)
        self._beat.setInterval(500)
        self._beat.timeout.connect(self._on_beat)
        self._beat.start()
        self.live.faced.connect(self._on_faced)
        self.live.troubled.connect(self._on_troubled)
        self.live.failed.connect(self._on_live_failed)
        self.fits.finished.connect(self._on_fitted)
        self.fits.failed.connect(self._on_fit_failed)
        self.fits.changed.connect(self._on_fits_changed)
        self._use_limits()

    # --- the session ---

    def apply(self, change: Change) -> None:
        """Another session; whoever listens is told the old and the new one."""
        old, new = self.session, change(self.session)
        if new is not old:
            self.session = new
            self.changed.emit(old, new)

    def go(self, step: Step) -> None:
        """Enter a step, when something is there for it."""
        if self.session.missing(step):
            return
        self.apply(lambda s: changes.to_step(s, step))
        if step == "capture" and (self.guided is None or self.guided.done):
            self._guide(Guided())
        self._aim()

    def kept_sessions(self) -> tuple[Kept, ...]:
        """The sessions on this computer, newest first, without the open one."""
        here = self._store.folder if self._store is not None else None
        return tuple(k for k in sessions(self.sessions_folder) if k.folder != here and k.frames)

    @property
    def sessions_folder(self) -> Path:
        own = self.settings.capture.folder
        return Path(own) if own else paths.sessions_dir()

    @property
    def export_folder(self) -> Path:
        own = self.settings.window.export_folder
        return Path(own) if own else paths.exports_dir()

    def open_session(self, folder: Path) -> None:
        """Leave this session and open another."""
        try:
            store, session = Store.open(folder)
        except StudioError as error:
            self.note(str(error))
            return
        self._leave_session()
        self._store = store
        source = self.session.source
        self.apply(lambda _: dataclasses.replace(session, source=source))
        self.log.add(f"opened session {folder}")

    def new_session(self) -> None:
        self._leave_session()
        self._store = None
        source = self.session.source
        self.apply(lambda _: Session(source=source))

    def rename_session(self, name: str) -> None:
        name = name.strip()
        if not name:
            return
        if self._store is not None and not self._tried(lambda store: store.rename(name)):
            return
        self.apply(lambda s: dataclasses.replace(s, name=name))

    def _leave_session(self) -> None:
        for job in self._writing:
            job.wait()
        if self._store is not None:
            self._store.close()
        self._undo.clear()
        self._guide(None)

    # --- the source ---

    def open(self, spec: SourceSpec) -> None:
        """Open a source; its pictures come by themselves."""
        self.log.add(f"open {spec.kind} {spec.name}")
        self.last_spec = spec
        self._advisor = Advisor()
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
            self.add_pictures([Path(line) for line in spec.where.splitlines()])
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

    # --- live faces ---

    def _on_faced(self, face: LiveFace) -> None:
        quality = face.face.quality if face.face is not None else None
        self.advice = self._advisor.advise(quality, face.done_s)
        self.advised.emit(self.advice)
        spec = self.live.spec
        if spec is not None and spec.is_still:
            self._keep_still(face)
            return
        if self._burst_left:
            self._add_to_burst(face)
            return
        guided = self.guided
        busy = self._count_left or self._writing
        if guided is None or self.session.step != "capture" or busy:
            return
        state, take = guiding.advance(guided, quality, face.done_s)
        self._guide(state)
        if take and self.settings.capture.automatic:
            self._shoot(state.shot.key if state.shot is not None else "")

    def _keep_still(self, face: LiveFace) -> None:
        if face.face is None:
            self.note(f"{face.frame.name}: {face.reason}")
            return
        self._keep(face.frame, face, "photo")

    def _aim(self) -> None:
        """What the live quality is measured against."""
        shot = self.guided.shot if self.guided is not None else None
        guiding_now = self.session.step == "capture" and shot is not None
        self.live.control.target = shot.target if guiding_now and shot is not None else FRONT

    # --- taking frames ---

    def take(self) -> None:
        """Take a frame now, or after the countdown; works when not ready, too."""
        if self.live.face is None or self._burst_left or self._count_left:
            return
        seconds = self.settings.capture.countdown_s
        if seconds:
            self._count_left = seconds
            self.counted.emit(seconds)
            self._counter.start()
        else:
            self._shoot(self._wanted_kind())

    def _on_counted(self) -> None:
        self._count_left -= 1
        self.counted.emit(self._count_left)
        if self._count_left <= 0:
            self._counter.stop()
            self._count_left = 0
            self._shoot(self._wanted_kind())

    def _wanted_kind(self) -> str:
        if self.session.step == "capture" and self.guided is not None and self.guided.shot:
            return self.guided.shot.key
        return ""

    def _shoot(self, kind: str) -> None:
        """Begin a burst; the sharpest of it is kept."""
        newest = self.live.face
        if newest is None or free_bytes(self.sessions_folder) < LOW_DISK_BYTES:
            if newest is not None:
                self.note("Free some space to keep capturing. Your frames are safe.")
            return
        self._kind = kind
        self._burst = [newest] if newest.face is not None else []
        self._burst_left = max(0, self.settings.capture.burst - 1)
        if not self._burst_left or newest.face is None:
            self._end_burst(newest)

    def _add_to_burst(self, face: LiveFace) -> None:
        if face.face is not None:
            self._burst.append(face)
        self._burst_left -= 1
        if not self._burst_left:
            self._end_burst(face)

    def _end_burst(self, last: LiveFace) -> None:
        self._burst_left = 0
        burst, self._burst = self._burst, []
        if not burst:
            self._keep(last.frame, last, self._kind or "photo")
            return
        best = max(burst, key=lambda f: _worth(f))
        pose = best.face.quality.pose_deg if best.face is not None else None
        self._keep(best.frame, best, self._kind or changes.kind_of(pose))

    def _keep(self, frame: Frame, face: LiveFace, kind: str) -> None:
        """Write a frame to the session's folder; it is shown when it is on the disk."""
        seen = face.face
        shot_id, name = self._next_name(kind)
        size = (frame.width, frame.height)
        taken = self._now().isoformat(timespec="milliseconds")
        if seen is not None:
            shot = changes.shot_of(shot_id, name, seen.quality, size, taken)
        else:
            shot = Shot(shot_id, name, kind, 0, "none", size=size, taken=taken)
        self._write(shot, frame, seen.track if seen is not None else None, guided=bool(self._kind))
        self._kind = ""

    def _next_name(self, kind: str) -> tuple[str, str]:
        """A name no frame has, on disk or still being written."""
        store = self._store_now()
        shot_id, name = changes.next_name(self.session, kind)
        number = int(shot_id.rsplit("-", 1)[1])
        taken = {job.property("shot") for job in self._writing}
        while shot_id in taken or (store is not None and store.picture(shot_id).exists()):
            number += 1
            shot_id, name = f"{kind}-{number:02d}", f"{name.rsplit(' ', 1)[0]} {number:02d}"
        return shot_id, name

    def _write(self, shot: Shot, frame: Frame, track: Track | None, guided: bool) -> None:
        store = self._store_now()
        if store is None:
            return

        def task() -> Generator[None, None, tuple[Shot, bool]]:
            store.keep(shot, frame, track)
            yield
            return shot, guided

        job = Job(task(), "keep")
        job.setProperty("shot", shot.id)
        job.returned.connect(self._on_kept)
        job.failed.connect(self._on_not_kept)
        self._writing.append(job)
        job.start()

    def _store_now(self) -> Store | None:
        if self._store is None:
            now = self._now()
            name = self.session.name
            name = session_name(now) if name == Session().name else name
            try:
                self._store = Store.create(self.sessions_folder, name, now)
            except StudioError as error:
                self.note(str(error))
                return None
            folder = str(self._store.folder)
            self.apply(lambda s: dataclasses.replace(s, folder=folder, name=name))
        return self._store

    def _on_kept(self, result: tuple[Shot, bool]) -> None:
        shot, guided = result
        self._writing = [j for j in self._writing if j.property("shot") != shot.id]
        self.apply(lambda s: changes.with_shot(s, shot))
        self.log.add(f"kept {shot.name}, score {shot.score}")
        self.taken.emit(shot)
        wanted = self.guided.shot if self.guided is not None else None
        if guided and self.guided is not None and wanted is not None and wanted.key == shot.kind:
            self._guide(guiding.taken(self.guided))
            self._aim()
            if self.guided.done:
                self.go("fit")

    def _on_not_kept(self, error: BaseException) -> None:
        self._writing = [j for j in self._writing if j.running]
        self.log.add_error("a frame was not kept", error)
        self.note(f"The frame was not kept. {error}")

    def add_pictures(self, files: list[Path]) -> None:
        """Rate pictures from files and keep them beside the camera's frames."""
        store = self._store_now()
        if store is None:
            return
        job = Job(self._rated(files), "add")
        job.setProperty("shot", "adding")
        job.progressed.connect(self._on_rated)
        job.returned.connect(self._on_all_rated)
        job.failed.connect(self._on_not_kept)
        self._writing.append(job)
        job.start()

    def _rated(self, files: list[Path]) -> Generator[Any, None, list[str]]:
        """Track and rate each picture; what cannot be used is named in the result."""
        problems: list[str] = []
        table, names = self.live.control.limit_table, self.parts.head().expression_names
        regressor = self.parts.regressor()
        with self.parts.tracker(True) as tracker:
            for index, file in enumerate(files):
                try:
                    frame = read_image(file, index)
                    track = tracker.track(frame)
                except (StudioError, NoFaceError) as error:
                    problems.append(str(error))
                    continue
                regressor.reset()
                state = regressor.regress(frame, track, camera_for(frame))
                quality, _ = measure(frame, track, state, limit_table=table, expression_names=names)
                yield frame, track, quality
        return problems

    def _on_rated(self, rated: tuple[Any, Any, Any]) -> None:
        frame, track, quality = rated
        shot_id, name = self._next_name("photo")
        taken = self._now().isoformat(timespec="milliseconds")
        shot = changes.shot_of(shot_id, name, quality, (frame.width, frame.height), taken)
        self._write(shot, frame, track, guided=False)

    def _on_all_rated(self, problems: list[str]) -> None:
        self._writing = [j for j in self._writing if j.property("shot") != "adding"]
        for problem in problems[:2]:
            self.note(problem)

    # --- guided capture ---

    def skip(self) -> None:
        if self.guided is not None:
            self._guide(guiding.skip(self.guided))
            self._aim()

    def go_to_shot(self, key: str) -> None:
        self._guide(guiding.go_to(self.guided or Guided(), key))
        self._aim()

    def end_guided(self) -> None:
        """Back to Live; what was taken stays."""
        self._guide(None)
        self.apply(lambda s: changes.to_step(s, "live"))
        self._aim()

    def _guide(self, state: Guided | None) -> None:
        if state is not self.guided:
            self.guided = state
            self.guided_changed.emit()

    # --- the tray ---

    def select(self, ids: Iterable[str]) -> None:
        wanted = frozenset(ids)
        if wanted != self.session.selected:
            self.apply(lambda s: changes.selecting(s, wanted))

    def reject_selected(self) -> None:
        """Set the selected frames aside, or take them back when all are."""
        chosen = [s for s in self.session.shots if s.id in self.session.selected]
        if not chosen:
            return
        reason = "" if all(s.rejected for s in chosen) else "out"
        before = {s.id: s.rejected for s in chosen}
        self._reject({s.id: reason for s in chosen})
        if reason:
            self._undo.append(lambda: self._reject(before))
            self.note(f"{_named(chosen)} set aside", "Undo", self.undo)

    def _reject(self, reasons: dict[str, str]) -> None:
        for shot_id, reason in reasons.items():
            self.apply(lambda s, i=shot_id, r=reason: changes.rejected(s, [i], r))  # type: ignore[misc]
            shot = self.session.shot(shot_id)
            if shot is not None:
                self._tried(lambda store, shot=shot: store.update(shot))  # type: ignore[misc]

    def delete_selected(self) -> None:
        """Put frames aside for good, until the session is closed; with undo."""
        gone = [s for s in self.session.shots if s.id in self.session.selected]
        gone = [s for s in gone if self._tried(lambda store, s=s: store.delete(s.id))]  # type: ignore[misc]
        if not gone:
            return
        self.apply(lambda s: changes.without_shots(s, [g.id for g in gone]))
        self._undo.append(lambda: self._restore(gone))
        self.note(f"{_named(gone)} deleted", "Undo", self.undo)

    def _restore(self, gone: list[Shot]) -> None:
        back = [s for s in gone if self._tried(lambda store, s=s: store.restore(s.id))]  # type: ignore[misc]
        self.apply(lambda s: changes.with_shots_back(s, back))

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    def undo(self) -> None:
        """Take back the last reject or delete."""
        if self._undo:
            self._undo.pop()()

    def rename(self, shot_id: str, name: str) -> None:
        self.apply(lambda s: changes.renamed_shot(s, shot_id, name))
        shot = self.session.shot(shot_id)
        if shot is not None:
            self._tried(lambda store: store.update(shot))

    def thumb(self, shot_id: str) -> Any:
        """A small picture of a frame (h, w, 3), or None."""
        return self._store.thumb(shot_id) if self._store is not None else None

    def picture(self, shot_id: str) -> Path | None:
        return self._store.picture(shot_id) if self._store is not None else None

    def _tried(self, action: Callable[[Store], None]) -> bool:
        if self._store is None:
            return False
        try:
            action(self._store)
        except StudioError as error:
            self.note(str(error))
            return False
        return True

    # --- fits ---

    def fit_choice(self) -> FitChoice:
        chosen = self.settings.fit
        return FitChoice(chosen.stage, chosen.texture_px, chosen.device, None, chosen.white_balance)

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
        if self._store is None:
            return
        files = tuple(self._store.picture(s.id) for s in shots)
        fit = self.fits.add(name, tuple(s.id for s in shots), files, self.fit_choice())
        self.log.add(f"fit {name} queued")
        if self.session.step != "fit":
            where = (
                "is being fitted" if fit.state == "waiting" and not self.fits.waiting else "queued"
            )
            self.note(f"{name} {where}", "Show", lambda: self.go("fit"))

    def _on_fitted(self, fit: Fit, head: Reconstruction) -> None:
        result = Result(f"{fit.id}", fit.name, fit.shots, head, fit.seconds)
        self.apply(lambda s: changes.with_result(s, result))
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
        self.apply(lambda s: changes.showing(s, result_id))
        self.go("review")

    # --- export ---

    def export(self, choice: ExportChoice) -> None:
        """Write the shown result."""
        result = self.session.shown
        if result is None or self.exporting.running:
            return
        self._set_exporting(Exporting(running=True))
        job = Job(self.parts.export(result.head, choice), "export")
        job.progressed.connect(self._on_exporting)
        job.returned.connect(self._on_exported)
        job.failed.connect(self._on_export_failed)
        job.cancelled.connect(self._on_export_cancelled)
        self._export_job = job
        job.start()

    def clear_export(self) -> None:
        """Another choice was made: what was written before is no longer the answer."""
        if not self.exporting.running:
            self._set_exporting(Exporting())

    def cancel_export(self) -> None:
        if self._export_job is not None:
            self._export_job.cancel()

    def _on_exporting(self, progress: Progress) -> None:
        self._set_exporting(Exporting(progress.fraction, progress.message, running=True))

    def _on_exported(self, folder: Path) -> None:
        self._export_job = None
        self._set_exporting(Exporting(1.0, folder=str(folder)))
        self.log.add(f"exported to {folder}")

    def _on_export_failed(self, error: BaseException) -> None:
        self._export_job = None
        self.log.add_error("the export failed", error)
        self._set_exporting(Exporting(problem=str(error)))

    def _on_export_cancelled(self) -> None:
        self._export_job = None
        self._set_exporting(Exporting())

    def _set_exporting(self, state: Exporting) -> None:
        self.exporting = state
        self.exporting_changed.emit()

    # --- settings, notes, end ---

    def use(self, chosen: Settings) -> None:
        """Other settings, at once and for the next start."""
        if chosen == self.settings:
            return
        self.settings = chosen
        self._use_limits()
        if self._settings_file is not None:
            try:
                settings.save(chosen, self._settings_file)
            except OSError as error:
                self.log.add(f"the settings were not saved: {error}")
        self.settings_changed.emit()

    def _use_limits(self) -> None:
        guidance = self.settings.guidance
        self.live.control.limit_table = self.limit_table(guidance.preset, guidance.limits)
        # Files know their lens, or are taken as a webcam's.
        own = self.live.spec is None or self.live.spec.is_camera
        self.live.control.hfov_deg = self.settings.camera.hfov_deg if own else None

    @staticmethod
    def limit_table(preset: str, own: dict[str, list[float]]) -> dict[str, Limit]:
        return edited(limits(preset), own)

    def note(self, text: str, button: str = "", action: Callable[[], None] | None = None) -> None:
        self.log.add(text)
        self.noted.emit(Note(text, button, action))

    def _on_beat(self) -> None:
        self.live.check()
        self.fits.tick()

    def close(self) -> None:
        """End every thread and leave the session in order."""
        self._beat.stop()
        self._counter.stop()
        self.live.close()
        self.fits.close()
        if self._export_job is not None:
            self._export_job.cancel()
            self._export_job.wait()
        for job in self._writing:
            job.wait()
        if self._store is not None:
            self._store.close()


def _worth(face: LiveFace) -> float:
    """Of a burst, the frame to keep: eyes open first, then the sharpest."""
    if face.face is None:
        return 0.0
    quality = face.face.quality
    eyes = quality["eyes"].state == "ok"
    return float(quality["sharpness"].value) + 10.0 * eyes


def _named(shots: list[Shot]) -> str:
    return shots[0].name if len(shots) == 1 else f"{len(shots)} frames"
