"""Long work off the main thread: one thread drives one generator.

A generator yields progress and returns its result; between two items the job looks whether it was
cancelled, and then closes the generator, whose ``finally`` frees what it holds on its own thread.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, Signal

from hrn_studio.errors import StudioError

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds the newest item of a thread until the window takes it; older ones are gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._item: T | None = None
        self._told = False

    def put(self, item: T) -> bool:
        """Make ``item`` the newest; whether the window must be told (it was not yet)."""
        with self._lock:
            self._item = item
            tell, self._told = not self._told, True
            return tell

    def take(self) -> T | None:
        """The newest item, once."""
        with self._lock:
            item, self._item, self._told = self._item, None, False
            return item


class Job(QObject):
    """Drives a generator in a thread of its own.

    Make it on the main thread and connect bound methods of QObjects before :meth:`start`.
    Exactly one of ``returned``, ``failed`` and ``cancelled`` is emitted at the end.

    Signals
    -------
    progressed
        An item of the generator, latest wins: items that come faster than the window looks are
        left out.
    returned
        What the generator returned.
    failed
        A :class:`StudioError`, or the exception of a bug.
    cancelled
        After :meth:`cancel`.
    """

    progressed = Signal(object)
    returned = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    _arrived = Signal()

    def __init__(self, task: Generator[Any, None, Any], name: str = "job") -> None:
        super().__init__()
        self._task = task
        self._stop = threading.Event()
        self._slot: LatestSlot[Any] = LatestSlot()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._arrived.connect(self._on_arrived)

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """Stop at the next item; returns at once."""
        self._stop.set()

    def wait(self, seconds: float = 5.0) -> bool:
        """Whether the thread has ended."""
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def _on_arrived(self) -> None:
        item = self._slot.take()
        if item is not None and not self._stop.is_set():
            self.progressed.emit(item)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    item = next(self._task)
                except StopIteration as end:
                    self._end(self.returned, end.value)
                    return
                if item is not None and self._slot.put(item):
                    self._end(self._arrived)
            self._task.close()
        except StudioError as error:
            self._end(self.failed, error)
        except Exception as error:  # noqa: BLE001 - a bug must reach the window, not vanish
            self._end(self.failed, error)
        else:
            self._end(self.cancelled)

    def _end(self, signal: Any, *values: Any) -> None:
        try:
            signal.emit(*values)
        except RuntimeError:  # the window went away while the thread was ending
            self._stop.set()
