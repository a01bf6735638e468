"""The queue of fits: one runs, the others wait."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from PySide6.QtCore import QObject, Signal

from hrn_studio.errors import StudioError
from hrn_studio.live.images import read_image
from hrn_studio.records import Floats, Progress, Reconstruction
from hrn_studio.ui.jobs import Job
from hrn_studio.ui.parts import FitChoice, Parts

FitState: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]
STAGES = (
    ("coarse", "Coarse head"),
    ("mid", "Middle detail"),
    ("texture", "Textures"),
    ("fine", "Fine detail"),
)
"""In the order they run."""
_KEYS = [key for key, _ in STAGES]
MESH_EVERY_S = 0.5
"""How often the mesh of a running fit is shown anew."""


@dataclass(frozen=True, slots=True)
class Fit:
    """One fit as its card shows it."""

    id: int
    name: str
    shots: tuple[str, ...]
    files: tuple[Path, ...]
    choice: FitChoice
    state: FitState = "waiting"
    fraction: float = 0.0
    stage: str = ""
    message: str = ""
    started_s: float = 0.0
    stage_s: tuple[tuple[str, float], ...] = ()
    """When each stage that began, began."""
    seconds: float = 0.0
    """So far, or in all."""
    problem: str = ""
    result: str = ""

    @property
    def left_s(self) -> float:
        """Estimated time left; 0 when it cannot be told yet."""
        if self.fraction < 0.03:
            return 0.0
        return self.seconds * (1 / self.fraction - 1)

    def stage_seconds(self, key: str) -> float | None:
        """How long a finished stage took; None for others."""
        begun = [k for k, _ in self.stage_s]
        if key not in begun or (begun[-1] == key and self.state == "running"):
            return None
        i = begun.index(key)
        end = self.stage_s[i + 1][1] if i + 1 < len(begun) else self.started_s + self.seconds
        return end - self.stage_s[i][1]


class Fits(QObject):
    """Runs fits one after the other.

    Signals
    -------
    changed
        The tuple of fits is another one.
    finished
        A fit and its reconstruction.
    failed
        A fit that was not finished, with the problem in it.
    """

    changed = Signal()
    finished = Signal(object, object)
    failed = Signal(object, object)

    def __init__(self, parts: Parts, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.all: tuple[Fit, ...] = ()
        self._parts = parts
        self._clock = clock
        self._job: Job | None = None
        self._count = 0
        self.mesh: Floats | None = None
        """(V, 3) the head of the running fit as far as it has come; None at its start."""
        self.moved_mm: tuple[float, ...] = ()
        """How far its vertices moved from one showing to the next, on average."""
        self._newest: Floats | None = None
        self._mesh_s = -MESH_EVERY_S

    @property
    def running(self) -> Fit | None:
        return next((f for f in self.all if f.state == "running"), None)

    @property
    def waiting(self) -> tuple[Fit, ...]:
        return tuple(f for f in self.all if f.state == "waiting")

    def add(
        self, name: str, shots: tuple[str, ...], files: tuple[Path, ...], choice: FitChoice
    ) -> Fit:
        """Queue a fit; it starts when the others are done."""
        self._count += 1
        fit = Fit(self._count, name, shots, files, choice)
        self._set((*self.all, fit))
        self._next()
        return fit

    def cancel(self, fit_id: int) -> None:
        """Stop a running fit, or take a waiting one out; its card goes at once.

        The thread ends at its next step, and only then the next fit starts.
        """
        fit = next((f for f in self.all if f.id == fit_id), None)
        if fit is None:
            return
        if fit.state == "running" and self._job is not None:
            self._job.cancel()
        if fit.state in ("running", "waiting"):
            self._set(tuple(f for f in self.all if f.id != fit_id))

    def forget(self, fit_id: int) -> None:
        """Take a card away."""
        self._set(tuple(f for f in self.all if f.id != fit_id or f.state == "running"))

    def again(self, fit_id: int) -> None:
        """Queue a failed fit once more."""
        fit = next((f for f in self.all if f.id == fit_id), None)
        if fit is not None and fit.state in ("failed", "cancelled"):
            self.forget(fit_id)
            self.add(fit.name, fit.shots, fit.files, fit.choice)

    def done_as(self, fit_id: int, result_id: str) -> None:
        """The result that a fit became."""
        fit = next((f for f in self.all if f.id == fit_id), None)
        if fit is not None:
            self._put(dataclasses.replace(fit, result=result_id))

    def close(self) -> None:
        """Stop everything; the thread ends."""
        self.all = ()
        if self._job is not None:
            self._job.cancel()
            self._job.wait()
            self._job = None
        self._parts.close()

    def tick(self) -> None:
        """Let the time of the running card go on; called twice a second."""
        fit = self.running
        if fit is not None:
            self._put(dataclasses.replace(fit, seconds=self._clock() - fit.started_s))

    # --- one after the other ---

    def _next(self) -> None:
        if self._job is not None:
            return
        if not self.waiting:
            self._parts.rest()
            return
        now = self._clock()
        self.mesh = self._newest = None
        self.moved_mm = ()
        fit = dataclasses.replace(self.waiting[0], state="running", started_s=now)
        self._put(fit)
        job = Job(self._task(fit), "fit")
        job.progressed.connect(self._on_progressed)
        job.returned.connect(self._on_returned)
        job.failed.connect(self._on_failed)
        job.cancelled.connect(self._on_cancelled)
        self._job = job
        job.start()

    def _task(self, fit: Fit) -> Generator[_Step | None, None, Reconstruction]:
        frames = []
        for index, file in enumerate(fit.files):
            yield _Step(Progress("track", 0.0, f"reading {file.name}"))
            frames.append(dataclasses.replace(read_image(file, index), name=fit_name(file)))
        return (yield from _steps(self._parts.fit(frames, fit.choice), self._clock))

    def _on_progressed(self, step: _Step) -> None:
        fit, progress = self.running, step.progress
        if fit is None:
            return
        now = self._clock()
        if step.mesh is not None:
            self._show_mesh(step.mesh, now)
        self._put(
            dataclasses.replace(
                fit,
                fraction=max(fit.fraction, progress.fraction),
                stage=progress.stage,
                message=progress.message,
                stage_s=step.stage_s or fit.stage_s,
                seconds=now - fit.started_s,
            )
        )

    def _show_mesh(self, vertices: Floats, now: float) -> None:
        """At most once a second, and how far it moved since, millimetres."""
        known = self._newest is not None and np.array_equal(vertices, self._newest)
        if known or now - self._mesh_s < MESH_EVERY_S:
            return
        if self._newest is not None and len(self._newest) == len(vertices):
            moved = np.linalg.norm(vertices - self._newest, axis=1).mean() * 1000
            self.moved_mm = (*self.moved_mm, float(moved))
        self._newest, self._mesh_s = vertices, now
        self.mesh = vertices

    def _on_returned(self, head: Reconstruction) -> None:
        fit = self._done("done", fraction=1.0)
        if fit is not None:
            self.finished.emit(fit, head)
        self._next()

    def _on_failed(self, error: BaseException) -> None:
        known = isinstance(error, StudioError)
        text = str(error) if known else f"The program made a mistake: {error!r}. Copy the log."
        fit = self._done("failed", problem=text)
        if fit is not None:
            self.failed.emit(fit, error)
        self._next()

    def _on_cancelled(self) -> None:
        self._done("cancelled")
        self._next()

    def _done(self, state: FitState, **changes: Any) -> Fit | None:
        self._job = None
        fit = self.running
        if fit is None:
            return None
        seconds = self._clock() - fit.started_s
        fit = dataclasses.replace(fit, state=state, seconds=seconds, **changes)
        self._put(fit)
        return fit

    def _put(self, fit: Fit) -> None:
        self._set(tuple(fit if f.id == fit.id else f for f in self.all))

    def _set(self, fits: tuple[Fit, ...]) -> None:
        self.all = fits
        self.changed.emit()


def fit_name(file: Path) -> str:
    """``front-02.png`` as the tray calls it."""
    return file.stem.replace("-", " ").capitalize()


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """A step of a fit with what came before: the window may look at the later ones only."""

    progress: Progress
    mesh: Floats | None = None
    """(V, 3) the newest."""
    stage_s: tuple[tuple[str, float], ...] = ()
    """When each stage that began, began."""


def _steps(
    task: Generator[Progress | None, None, Reconstruction], clock: Callable[[], float]
) -> Generator[_Step | None, None, Reconstruction]:
    mesh: Floats | None = None
    begun: dict[str, float] = {}
    with closing(task):
        while True:
            try:
                step = next(task)
            except StopIteration as stop:
                made: Reconstruction = stop.value
                return made
            if step is None:
                yield None
                continue
            mesh = step.vertices if step.vertices is not None else mesh
            if step.stage in _KEYS:
                begun.setdefault(step.stage, clock())
            yield _Step(step, mesh, tuple(begun.items()))
