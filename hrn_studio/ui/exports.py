"""Writing the shown result in the background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from hrn_studio.records import Progress
from hrn_studio.ui.desk import Desk
from hrn_studio.ui.jobs import Job
from hrn_studio.ui.parts import ExportChoice, Parts


@dataclass(frozen=True, slots=True)
class Exporting:
    """A running or finished export."""

    fraction: float = 0.0
    message: str = ""
    folder: str = ""
    """Where it went, when it is done."""
    problem: str = ""
    running: bool = False


class Exports(QObject):
    """Runs one export at a time.

    Signals
    -------
    changed
        The state is another one.
    """

    changed = Signal()

    def __init__(self, desk: Desk, parts: Parts) -> None:
        super().__init__()
        self.state = Exporting()
        self._desk = desk
        self._parts = parts
        self._job: Job | None = None

    def export(self, choice: ExportChoice) -> None:
        """Write the shown result."""
        result = self._desk.session.shown
        if result is None or self.state.running:
            return
        self._set(Exporting(running=True))
        job = Job(self._parts.export(result.head, choice), "export")
        job.progressed.connect(self._on_progressed)
        job.returned.connect(self._on_returned)
        job.failed.connect(self._on_failed)
        job.cancelled.connect(self._on_cancelled)
        self._job = job
        job.start()

    def clear(self) -> None:
        """Another choice was made: what was written before is no longer the answer."""
        if not self.state.running:
            self._set(Exporting())

    def cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def close(self) -> None:
        """Stop; the thread ends."""
        if self._job is not None:
            self._job.cancel()
            self._job.wait()
            self._job = None

    def _on_progressed(self, progress: Progress) -> None:
        self._set(Exporting(progress.fraction, progress.message, running=True))

    def _on_returned(self, folder: Path) -> None:
        self._job = None
        self._set(Exporting(1.0, folder=str(folder)))
        self._desk.log.add(f"exported to {folder}")

    def _on_failed(self, error: BaseException) -> None:
        self._job = None
        self._desk.log.add_error("the export failed", error)
        self._set(Exporting(problem=str(error)))

    def _on_cancelled(self) -> None:
        self._job = None
        self._set(Exporting())

    def _set(self, state: Exporting) -> None:
        self.state = state
        self.changed.emit()
