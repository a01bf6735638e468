"""A source that runs by itself: a reader thread, the newest frame, and what became of the source.

The reader owns the source: it opens, reads, and opens again when a camera was lost.  Whoever looks
takes frames from :attr:`Feed.box`, latest wins, or looks at :attr:`Feed.newest` without taking.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from hrn_studio.errors import CameraError, SourceError, StudioError
from hrn_studio.live.capture import Endless
from hrn_studio.live.greycard import balanced
from hrn_studio.live.mailbox import Mailbox
from hrn_studio.live.sources import FrameSource
from hrn_studio.records import Bytes, Frame

Phase: TypeAlias = Literal["opening", "running", "refused", "lost", "black", "ended", "failed"]
RETRY_S = 2.0
SILENT_S = 2.0
"""A source without a picture for this long is lost."""
_BLACK_FRAMES = 15


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """What becomes of the source."""

    phase: Phase = "opening"
    message: str = ""
    since_s: float = 0.0
    retry_at_s: float = 0.0
    """When it is tried again; 0 when it is not."""


class Feed:
    """Reads a source in a thread of its own.

    Parameters
    ----------
    open_source
        Called in the thread, again after a loss.
    reconnect
        Whether a loss is waited out (cameras) or final (files).
    paced
        Frames are given when their time stamps say so, as a camera would.
    loop
        Start again at the end.
    patient
        Wait until a frame is taken before the next is given: nothing is dropped.
    """

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        *,
        reconnect: bool = False,
        paced: bool = False,
        loop: bool = False,
        patient: bool = False,
        retry_s: float = RETRY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.box: Mailbox[Frame] = Mailbox()
        self.newest: Frame | None = None
        self.frames = 0
        self.colors: Bytes | None = None
        """(1, 256, 3) a table laid over every picture, such as a white balance; None for none."""
        self._open = open_source
        self._reconnect, self._paced, self._loop = reconnect, paced, loop
        self._patient = patient
        self._retry_s = retry_s
        self._clock = clock
        self._status = FeedStatus("opening", "", clock())
        self._stop = threading.Event()
        self._again = threading.Event()
        self._source: FrameSource | None = None
        self._black = 0
        self._listener: Callable[[], None] = _nobody
        self._last_s = clock()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self, listener: Callable[[], None] | None = None) -> None:
        """Begin; ``listener`` is called from the reader for each frame and change of status."""
        self._listener = listener or _nobody
        self._thread.start()

    def close(self, wait_s: float = 2.0) -> None:
        """Stop reading; the reader's thread frees the source.

        A driver that hangs is given up after ``wait_s``.
        """
        self._stop.set()
        self._again.set()
        self.box.close()
        source = self._source
        if isinstance(source, Endless):
            source.interrupt()
        if self._thread.is_alive():
            self._thread.join(wait_s)
        self._listener = _nobody

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def source(self) -> FrameSource | None:
        """The open source, for what only its kind can do."""
        return self._source

    def try_now(self) -> None:
        """Do not wait for the next attempt."""
        self._again.set()

    def status(self) -> FeedStatus:
        """What becomes of the source; a running one that fell silent is lost."""
        status, now = self._status, self._clock()
        if status.phase == "running" and self._reconnect and now - self._last_s > SILENT_S:
            return FeedStatus("lost", "no picture comes any more", self._last_s, 0.0)
        return status

    # --- in the thread ---

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._open() as source:
                    self._source = source
                    self._read(source)
                if self._stop.is_set():
                    break
                if self._loop:
                    continue
                self._tell("ended", "")
                break
            except StudioError as error:
                if not self._fail(error):
                    break
            finally:
                self._source = None
        self.box.close()

    def _fail(self, error: StudioError) -> bool:
        """Say what happened; whether to try again, after a pause."""
        if self._stop.is_set():
            return False
        refused = isinstance(error, CameraError) and not self.frames
        retry = self._reconnect and isinstance(error, SourceError)
        phase: Phase = "refused" if refused else "lost" if retry else "failed"
        self._tell(phase, str(error), self._clock() + self._retry_s if retry else 0.0)
        if not retry:
            return False
        self._again.wait(self._retry_s)
        self._again.clear()
        return not self._stop.is_set()

    def _read(self, source: FrameSource) -> None:
        started = self._clock()
        for frame in source:
            while self._patient and not self._stop.is_set():
                if self.box.wait_empty(0.2):
                    break
            if self._stop.is_set():
                return
            if self._paced:
                due = started + frame.time_s
                if self._stop.wait(max(0.0, due - self._clock())):
                    return
            self._last_s = self._clock()
            self._accept(dataclasses.replace(frame, index=self.frames, time_s=self._last_s))

    def _accept(self, frame: Frame) -> None:
        table = self.colors
        if table is not None:
            frame = balanced(frame, table)
        self.frames += 1
        self.newest = frame
        self._black = self._black + 1 if is_blank(frame.image) else 0
        phase: Phase = "black" if self._black >= _BLACK_FRAMES else "running"
        if self._status.phase != phase:
            self._status = FeedStatus(phase, "", self._clock())
        self.box.put(frame)
        self._listener()

    def _tell(self, phase: Phase, message: str, retry_at_s: float = 0.0) -> None:
        self._status = FeedStatus(phase, message, self._clock(), retry_at_s)
        self._listener()


def is_blank(image: Bytes) -> bool:
    """Whether a picture holds one value everywhere, give or take the noise of a shut lens."""
    few = image[:: max(1, image.shape[0] // 24), :: max(1, image.shape[1] // 32)]
    return float(np.percentile(few, 98)) < 16 or float(few.std()) < 1.0


def _nobody() -> None:
    """The listener of a feed without one."""
