"""Taking frames: by hand, by the guided sequence, from a still source, or from files."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from hrn_studio.errors import NoFaceError, StudioError
from hrn_studio.live.advice import Advice, Advisor
from hrn_studio.live.cameras import camera_for
from hrn_studio.live.images import read_image
from hrn_studio.live.quality import FRONT, Quality, measure
from hrn_studio.live.stream import LiveFace
from hrn_studio.records import Frame, Track
from hrn_studio.session import guided as guiding
from hrn_studio.session import state as changes
from hrn_studio.session.guided import Guided
from hrn_studio.session.rating import rated
from hrn_studio.session.state import Shot
from hrn_studio.session.store import free_bytes
from hrn_studio.ui.desk import Desk
from hrn_studio.ui.jobs import Job
from hrn_studio.ui.live import Live
from hrn_studio.ui.parts import Parts

LOW_DISK_BYTES = 200_000_000


class Shooting(QObject):
    """Watches the live faces, advises, and keeps frames.

    Signals
    -------
    advised
        The :class:`Advice` to show, up to ten times a second.
    guided_changed
        Look again.
    guided_done
        The sequence is complete.
    taken
        A frame was kept: its :class:`Shot`.
    counted
        Seconds left of a countdown; 0 ends it.
    """

    advised = Signal(object)
    guided_changed = Signal()
    guided_done = Signal()
    taken = Signal(object)
    counted = Signal(int)

    def __init__(self, desk: Desk, live: Live, parts: Parts) -> None:
        super().__init__()
        self.guided: Guided | None = None
        self.advice: Advice | None = None
        self._desk, self._live, self._parts = desk, live, parts
        self._advisor = Advisor()
        self._burst: list[LiveFace] = []
        self._burst_left = 0
        self._kind = ""
        self._writing: list[Job] = []
        self._rated_now: deque[tuple[Frame, Track, Quality]] = deque()
        self._count_left = 0
        self._counter = QTimer(self)
        self._counter.setInterval(1000)
        self._counter.timeout.connect(self._on_counted)
        live.faced.connect(self._on_faced)

    def restart(self) -> None:
        """Another source: nothing is known of its pictures yet."""
        self._advisor = Advisor()
        self.advice = None

    def wait(self) -> None:
        """Let every frame reach the disk."""
        for job in self._writing:
            job.wait()

    def close(self) -> None:
        self._counter.stop()
        self.wait()

    # --- live faces ---

    def _on_faced(self, face: LiveFace) -> None:
        quality = face.face.quality if face.face is not None else None
        self.advice = self._advisor.advise(quality, face.done_s)
        self.advised.emit(self.advice)
        spec = self._live.spec
        if spec is not None and spec.is_still:
            self._keep_still(face)
            return
        if self._burst_left:
            self._add_to_burst(face)
            return
        guided = self.guided
        busy = self._count_left or self._writing
        if guided is None or self._desk.session.step != "capture" or busy:
            return
        state, take = guiding.advance(guided, quality, face.done_s)
        self.guide(state)
        if take and self._desk.settings.capture.automatic:
            self._shoot(state.shot.key if state.shot is not None else "")

    def _keep_still(self, face: LiveFace) -> None:
        if face.face is None:
            self._desk.note(f"{face.frame.name}: {face.reason}")
            return
        self._keep(face.frame, face, "photo")

    def aim(self) -> None:
        """What the live quality is measured against."""
        shot = self.guided.shot if self.guided is not None else None
        guiding_now = self._desk.session.step == "capture" and shot is not None
        self._live.control.target = shot.target if guiding_now and shot is not None else FRONT

    # --- taking frames ---

    def take(self) -> None:
        """Take a frame now, or after the countdown; works when not ready, too."""
        if self._live.face is None or self._burst_left or self._count_left:
            return
        seconds = self._desk.settings.capture.countdown_s
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
        if self._desk.session.step == "capture" and self.guided is not None and self.guided.shot:
            return self.guided.shot.key
        return ""

    def _shoot(self, kind: str) -> None:
        """Begin a burst; the sharpest of it is kept."""
        newest = self._live.face
        if newest is None or free_bytes(self._desk.sessions_folder) < LOW_DISK_BYTES:
            if newest is not None:
                self._desk.note("Free some space to keep capturing. Your frames are safe.")
            return
        self._kind = kind
        self._burst = [newest] if newest.face is not None else []
        self._burst_left = max(0, self._desk.settings.capture.burst - 1)
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

    # --- onto the disk ---

    def _keep(self, frame: Frame, face: LiveFace, kind: str) -> None:
        """Write a frame to the session's folder; it is shown when it is on the disk."""
        seen = face.face
        shot_id, name = self._next_name(kind)
        size = (frame.width, frame.height)
        taken = self._desk.now().isoformat(timespec="milliseconds")
        if seen is not None:
            names, table = self._parts.head().expression_names, self._live.control.limit_table
            quality = rated(frame, seen.track, seen.state, seen.quality, table, names)
            shot = changes.shot_of(shot_id, name, quality, size, taken)
        else:
            shot = Shot(shot_id, name, kind, 0, "none", size=size, taken=taken)
        self._write(shot, frame, seen.track if seen is not None else None, guided=bool(self._kind))
        self._kind = ""

    def _next_name(self, kind: str) -> tuple[str, str]:
        """A name no frame has, on disk or still being written."""
        store = self._desk.store_now()
        shot_id, name = changes.next_name(self._desk.session, kind)
        number = int(shot_id.rsplit("-", 1)[1])
        taken = {job.property("shot") for job in self._writing}
        while shot_id in taken or (store is not None and store.picture(shot_id).exists()):
            number += 1
            shot_id, name = f"{kind}-{number:02d}", f"{name.rsplit(' ', 1)[0]} {number:02d}"
        return shot_id, name

    def _write(self, shot: Shot, frame: Frame, track: Track | None, guided: bool) -> None:
        store = self._desk.store_now()
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

    def _on_kept(self, result: tuple[Shot, bool]) -> None:
        shot, guided = result
        self._writing = [j for j in self._writing if j.property("shot") != shot.id]
        self._desk.apply(lambda s: changes.with_shot(s, shot))
        self._desk.log.add(f"kept {shot.name}, score {shot.score}")
        self.taken.emit(shot)
        wanted = self.guided.shot if self.guided is not None else None
        if guided and self.guided is not None and wanted is not None and wanted.key == shot.kind:
            self.guide(guiding.taken(self.guided))
            self.aim()
            if self.guided.done:
                self.guided_done.emit()

    def _on_not_kept(self, error: BaseException) -> None:
        self._writing = [j for j in self._writing if j.running]
        self._desk.log.add_error("a frame was not kept", error)
        self._desk.note(f"The frame was not kept. {error}")

    # --- pictures from files ---

    def add_pictures(self, files: list[Path]) -> None:
        """Rate pictures from files and keep them beside the camera's frames."""
        store = self._desk.store_now()
        if store is None:
            return
        job = Job(self._rated(files), "add")
        job.setProperty("shot", "adding")
        job.progressed.connect(self._on_rated)
        job.returned.connect(self._on_all_rated)
        job.failed.connect(self._on_not_kept)
        self._writing.append(job)
        job.start()

    def _rated(self, files: list[Path]) -> Generator[int, None, list[str]]:
        """Track and rate each picture; what cannot be used is named in the result.

        A job's items may be left out when the window is busy, so the pictures wait in a queue.
        """
        problems: list[str] = []
        table, names = self._live.control.limit_table, self._parts.head().expression_names
        regressor = self._parts.regressor()
        with self._parts.tracker(True) as tracker:
            for index, file in enumerate(files):
                try:
                    frame = read_image(file, index)
                    track = tracker.track(frame)
                except (StudioError, NoFaceError) as error:
                    problems.append(str(error))
                    continue
                regressor.reset()
                state = regressor.regress(frame, track, camera_for(frame))
                first, _ = measure(frame, track, state, limit_table=table, expression_names=names)
                quality = rated(frame, track, state, first, table, names)
                self._rated_now.append((frame, track, quality))
                yield index + 1
        return problems

    def _on_rated(self, count: int = 0) -> None:
        while self._rated_now:
            frame, track, quality = self._rated_now.popleft()
            shot_id, name = self._next_name("photo")
            taken = self._desk.now().isoformat(timespec="milliseconds")
            shot = changes.shot_of(shot_id, name, quality, (frame.width, frame.height), taken)
            self._write(shot, frame, track, guided=False)

    def _on_all_rated(self, problems: list[str]) -> None:
        self._on_rated()
        self._writing = [j for j in self._writing if j.property("shot") != "adding"]
        for problem in problems[:2]:
            self._desk.note(problem)

    # --- guided capture ---

    def skip(self) -> None:
        if self.guided is not None:
            self.guide(guiding.skip(self.guided))
            self.aim()

    def go_to_shot(self, key: str) -> None:
        self.guide(guiding.go_to(self.guided or Guided(), key))
        self.aim()

    def end_guided(self) -> None:
        """Back to Live; what was taken stays."""
        self.guide(None)
        self._desk.apply(lambda s: changes.to_step(s, "live"))
        self.aim()

    def guide(self, state: Guided | None) -> None:
        if state is not self.guided:
            self.guided = state
            self.guided_changed.emit()


def _worth(face: LiveFace) -> float:
    """Of a burst, the frame to keep: eyes open first, then the sharpest."""
    if face.face is None:
        return 0.0
    quality = face.face.quality
    eyes = quality["eyes"].state == "ok"
    return float(quality["sharpness"].value) + 10.0 * eyes
