"""Finished heads of the session: kept on disk as they come, read again when they are looked at."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator

from PySide6.QtCore import QObject, Signal

from hrn_studio.records import Reconstruction
from hrn_studio.session import state as changes
from hrn_studio.session.resident import MOST, Memory, Resident
from hrn_studio.session.state import Result
from hrn_studio.session.store import Store
from hrn_studio.ui.desk import Desk
from hrn_studio.ui.fits import Fit
from hrn_studio.ui.jobs import Job
from hrn_studio.ui.memory import give_back
from hrn_studio.ui.parts import Parts


class Results(QObject):
    """The results of a desk's session.

    Signals
    -------
    kept
        A result is on the disk: its id.
    """

    kept = Signal(str)

    def __init__(self, desk: Desk, parts: Parts) -> None:
        super().__init__()
        self._desk, self._parts = desk, parts
        self._memory = Memory(0)
        self._jobs: list[Job] = []
        self._wanted: dict[str, Callable[[Result], None]] = {}

    def add(self, fit: Fit, head: Reconstruction) -> Result:
        """A finished fit: shown at once, and on the disk soon."""
        kept = Resident(self._memory, head)
        result = Result(
            changes.next_result(self._desk.session), fit.name, fit.shots, kept, fit.seconds
        )
        self._desk.apply(lambda s: changes.with_result(s, result))
        store = self._desk.store
        if store is not None:
            self._start(self._saving(store, result, head), self._on_saved, self._on_not_saved)
        return result

    def look(self, looking: bool) -> None:
        """Whether finished heads are looked at: else none stays in memory that is on the disk."""
        self._memory.hold(MOST if looking else 0)

    def give_back(self) -> None:
        """What was let go belongs to the system again, soon."""

        def task() -> Generator[None, None, None]:
            yield
            give_back()

        self._start(task(), None, None)

    def load(self, store: Store) -> None:
        """The heads that an earlier run finished; none is read before it is looked at."""
        results = store.results(self._memory)
        if results:
            last = results[-1].id
            self._desk.apply(lambda s: dataclasses.replace(s, results=results, result=last))

    def show(self, result_id: str, then: Callable[[], None] | None = None) -> None:
        """Show a result, at once or when it was read; ``then`` goes on from there."""

        def shown(result: Result) -> None:
            self._desk.apply(lambda s: changes.showing(s, result.id))
            if then is not None:
                then()

        self.fetch(result_id, shown)

    def fetch(self, result_id: str, then: Callable[[Result], None]) -> None:
        """Have a result in memory, and go on; what cannot be read is said."""
        result = next((r for r in self._desk.session.results if r.id == result_id), None)
        if result is None:
            return
        if result.kept.here:
            then(result)
            return

        # Two that are wanted at once need reading once; the later wish counts.
        reading, self._wanted[result_id] = result_id in self._wanted, then
        if not reading:
            self._start(self._reading(result), self._on_read, self._on_not_read)

    def delete(self, result_id: str) -> None:
        """A result goes for good; another one is shown in its place."""
        if not self._desk.tried(lambda store: store.delete_result(result_id)):
            return
        self._desk.apply(lambda s: changes.without_result(s, result_id))
        session = self._desk.session
        if not session.result and session.results:
            self.show(session.results[-1].id)
        elif session.missing(session.step):
            self._desk.apply(lambda s: dataclasses.replace(s, step="live"))

    def wait(self) -> None:
        """Let every head reach the disk."""
        for job in self._jobs:
            job.wait(30.0)
        self._jobs.clear()

    # --- in the background ---

    def _saving(
        self, store: Store, result: Result, head: Reconstruction
    ) -> Generator[None, None, Result]:
        yield
        result.kept.save_to(store.keep_result(result, head, self._parts.head().name))
        del head
        yield
        give_back()
        return result

    def _reading(self, result: Result) -> Generator[None, None, Result]:
        yield
        result.kept.get()
        return result

    def _start(
        self,
        task: Generator[None, None, object],
        returned: Callable[..., None] | None,
        failed: Callable[[BaseException], None] | None,
    ) -> None:
        self._jobs = [job for job in self._jobs if job.running]
        job = Job(task, "result")
        if returned is not None:
            job.returned.connect(returned)
        if failed is not None:
            job.failed.connect(failed)
        self._jobs.append(job)
        job.start()

    def _on_saved(self, saved: Result) -> None:
        self.kept.emit(saved.id)

    def _on_not_saved(self, error: BaseException) -> None:
        self._desk.log.add_error("a head was not kept", error)
        self._desk.note(f"The head was not kept. {error}")

    def _on_read(self, result: Result) -> None:
        then = self._wanted.pop(result.id, None)
        if then is not None and result in self._desk.session.results:
            then(result)

    def _on_not_read(self, error: BaseException) -> None:
        unread = set(self._wanted)
        self._wanted.clear()
        if self._desk.session.result in unread:
            self._desk.apply(lambda s: dataclasses.replace(s, result=""))
        self._desk.log.add_error("a head was not read", error)
        self._desk.note(str(error))
