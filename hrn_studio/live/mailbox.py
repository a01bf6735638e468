"""One slot, latest wins: how live frames go from thread to thread without a queue."""

from __future__ import annotations

from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds the newest item; an older one that nobody took is dropped and counted."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._item: T | None = None
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items that were overwritten before they were taken."""
        return self._dropped

    def put(self, item: T) -> None:
        """Make ``item`` the newest; never waits.  A closed box takes nothing."""
        with self._changed:
            if self._closed:
                return
            self._dropped += self._item is not None
            self._item = item
            self._changed.notify_all()

    def take(self, timeout_s: float | None = None) -> T | None:
        """The newest item, waiting for one; None after ``timeout_s`` or when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def wait_empty(self, timeout_s: float | None = None) -> bool:
        """Until what was put has been taken; whether it was."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is None or self._closed, timeout_s)
            return self._item is None

    def close(self) -> None:
        """Wake whoever waits; what lies in the box can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed
