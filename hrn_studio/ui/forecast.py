"""How large an export will be, found in the background each time the choice is another."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from PySide6.QtCore import QObject, Signal

from hrn_studio.session.state import Result
from hrn_studio.ui.jobs import Job
from hrn_studio.ui.log import Log
from hrn_studio.ui.parts import ExportChoice, Parts


class Forecast(QObject):
    """Knows the sizes of one choice.

    Signals
    -------
    told
        The sizes of the newest choice are known.
    """

    told = Signal()

    def __init__(self, parts: Parts, log: Log) -> None:
        super().__init__()
        self._parts, self._log = parts, log
        self._wanted: tuple[Result, ExportChoice] | None = None
        self._known: tuple[Result, ExportChoice] | None = None
        self._sizes: Mapping[str, int] = {}
        self._job: Job | None = None

    def sizes(self, result: Result, choice: ExportChoice) -> Mapping[str, int]:
        """Bytes of each file by name; empty when they are still being found."""
        if (result, choice) == self._known:
            return self._sizes
        self._wanted = (result, choice)
        self._next()
        return {}

    def close(self) -> None:
        self._wanted = None
        if self._job is not None:
            self._job.cancel()
            self._job.wait()
            self._job = None

    def _next(self) -> None:
        if self._job is not None or self._wanted is None:
            return
        job = Job(self._task(*self._wanted), "sizes")
        job.returned.connect(self._on_returned)
        job.failed.connect(self._on_failed)
        self._job = job
        job.start()

    def _task(
        self, result: Result, choice: ExportChoice
    ) -> Generator[None, None, tuple[Result, ExportChoice, Mapping[str, int]]]:
        yield
        return result, choice, self._parts.sizes(result.head, choice)

    def _on_returned(self, found: tuple[Result, ExportChoice, Mapping[str, int]]) -> None:
        self._job = None
        self._known, self._sizes = found[:2], found[2]
        if self._wanted == self._known:
            self._wanted = None
            self.told.emit()
        self._next()

    def _on_failed(self, error: BaseException) -> None:
        self._job = self._wanted = None
        self._log.add_error("the sizes of the files were not found", error)
