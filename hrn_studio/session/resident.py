"""Finished heads: on disk for good, in memory while they are looked at."""

from __future__ import annotations

import threading
from pathlib import Path

from hrn_studio.errors import ArchiveError
from hrn_studio.export import archive
from hrn_studio.records import Reconstruction

MOST = 2
"""Heads in memory at a time: what is shown, and what it is compared with."""


class Memory:
    """Which heads are in memory; the one looked at longest ago goes first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._order: list[Resident] = []
        self._lock = threading.Lock()

    def used(self, head: Resident) -> None:
        """``head`` was looked at just now."""
        with self._lock:
            if head in self._order:
                self._order.remove(head)
            self._order.append(head)
        self.tidy()

    def hold(self, most: int) -> None:
        """How many may stay from now on; those that are not saved stay anyway."""
        self._most = most
        self.tidy()

    def tidy(self) -> None:
        """Let go what is one too many."""
        with self._lock:
            old = self._order[: max(0, len(self._order) - self._most)]
            gone = [h for h in old if h.saved]
            self._order = [h for h in self._order if h not in gone]
        for head in gone:
            head.leave()


class Resident:
    """One finished head.

    Safe to use from several threads.  A head that was never saved stays in memory.
    """

    def __init__(
        self, memory: Memory, head: Reconstruction | None = None, file: Path | None = None
    ) -> None:
        self._memory = memory
        self._head = head
        self._file = file
        self._lock = threading.Lock()
        memory.used(self)

    @property
    def saved(self) -> bool:
        return self._file is not None

    @property
    def here(self) -> bool:
        """Whether :meth:`get` answers at once."""
        return self._head is not None

    @property
    def file(self) -> Path | None:
        return self._file

    def save_to(self, file: Path) -> None:
        """It is kept in ``file`` from now on."""
        self._file = file
        self._memory.tidy()

    def get(self) -> Reconstruction:
        """The head; read from its file when it is not in memory.

        Raises
        ------
        ArchiveError
            Its file is gone or damaged.
        """
        with self._lock:
            head = self._head
            if head is None:
                if self._file is None:
                    raise ArchiveError("this head was not kept; fit it again")
                head = self._head = archive.read(self._file).result
        self._memory.used(self)
        return head

    def leave(self) -> None:
        """Out of memory, if it is on disk."""
        with self._lock:
            if self._file is not None:
                self._head = None
