"""What happened, for a report: the last few hundred lines, in memory."""

from __future__ import annotations

import traceback
from collections import deque
from datetime import datetime

from PySide6.QtCore import QObject, Signal

from hrn_studio import __version__


class Log(QObject):
    """Lines with their time of day."""

    added = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=500)

    def add(self, text: str) -> None:
        line = f"{datetime.now():%H:%M:%S} {text}"
        self._lines.append(line)
        self.added.emit(line)

    def add_error(self, what: str, error: BaseException) -> None:
        """An error with where it comes from."""
        self.add(f"{what}: {error}")
        for line in traceback.format_exception(error):
            self._lines.extend(line.rstrip().splitlines())

    def text(self) -> str:
        return "\n".join((f"HRN Studio {__version__}", *self._lines))
