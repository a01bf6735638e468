"""The live view's threads: one reads the source, one tracks; the window takes the newest."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Generator
from typing import Any

from PySide6.QtCore import QObject, Signal

from hrn_studio.live.capture import CameraCapture
from hrn_studio.live.feed import Feed, FeedStatus
from hrn_studio.live.greycard import Gains, pick
from hrn_studio.live.spec import SourceSpec
from hrn_studio.live.stream import LiveControl, LiveFace, stream
from hrn_studio.records import Frame
from hrn_studio.session.rating import rated
from hrn_studio.ui.jobs import Job, LatestSlot
from hrn_studio.ui.parts import Parts

FIT_INTERVAL_S = 1 / 16
"""While a fit runs the face follows at about 15 frames per second."""


class Live(QObject):
    """An open source with its face.

    Signals
    -------
    arrived
        A new picture is in ``newest``.
    faced
        A new :class:`LiveFace`, latest wins; each one of a source of stills.
    troubled
        The :class:`FeedStatus` changed phase.
    failed
        Tracking cannot go on (an exception).
    """

    arrived = Signal()
    faced = Signal(object)
    troubled = Signal(object)
    failed = Signal(object)
    _ticked = Signal()

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.control = LiveControl()
        self.spec: SourceSpec | None = None
        self.face: LiveFace | None = None
        self._parts = parts
        self._feed: Feed | None = None
        self._job: Job | None = None
        self._slot: LatestSlot[bool] = LatestSlot()
        self._stills: deque[LiveFace] = deque()
        self._phase = ""
        self._slow = False
        self._gains: Gains | None = None
        self.locked = False
        """Whether the camera holds its exposure, colour and focus."""
        self._ticked.connect(self._on_ticked)

    @property
    def newest(self) -> Frame | None:
        """The newest picture."""
        return self._feed.newest if self._feed is not None else None

    @property
    def frames(self) -> int:
        return self._feed.frames if self._feed is not None else 0

    def status(self) -> FeedStatus | None:
        return self._feed.status() if self._feed is not None else None

    def open(self, spec: SourceSpec) -> None:
        """Leave the source that is open, and start this one."""
        self.close()
        self.spec = spec
        self.slow_down(self._slow)
        self.control.moving = not spec.is_still
        feed = spec.feed()
        self._feed = feed
        self._job = Job(self._track(feed, spec.is_still), "live")
        self._job.progressed.connect(self._on_faced)
        self._job.failed.connect(self.failed)
        self._job.start()
        feed.start(self._listen)

    def close(self) -> None:
        """Release the source; both threads end."""
        if self._feed is not None:
            self._feed.close()
        if self._job is not None:
            self._job.cancel()
            self._job.wait()
            self._job.progressed.disconnect(self._on_faced)
        self.locked, self._gains = False, None
        self._stills.clear()
        self._feed = self._job = None
        self.spec = self.face = None
        self._phase = ""

    def try_now(self) -> None:
        if self._feed is not None:
            self._feed.try_now()

    def pick_grey(self, x: float, y: float) -> None:
        """Balance the colours so that the place (x, y) of the newest picture is grey.

        Raises
        ------
        GreyCardError
            There is no grey card there.
        """
        if self._feed is None or self._feed.newest is None:
            return
        gains = pick(self._feed.newest.image, x, y)
        if self._gains is not None:  # the picture was balanced already
            gains = gains.times(self._gains)
        self._gains, self._feed.colors = gains, gains.table()

    @property
    def balanced(self) -> bool:
        """Whether the colours follow a grey card."""
        return self._feed is not None and self._feed.colors is not None

    def forget_grey(self) -> None:
        self._gains = None
        if self._feed is not None:
            self._feed.colors = None

    def lock_exposure(self, locked: bool) -> bool:
        """Hold the camera's exposure, colour and focus; whether it can."""
        source = self._feed.source if self._feed is not None else None
        if not isinstance(source, CameraCapture) or not source.lock_exposure(locked):
            return False
        self.locked = locked
        return True

    def slow_down(self, slow: bool) -> None:
        """Leave the processor to a fit; stills go on, as none of them may be left out."""
        self._slow = slow
        still = self.spec is not None and self.spec.is_still
        self.control.min_interval_s = FIT_INTERVAL_S if slow and not still else 0.0

    def check(self) -> None:
        """Notice a source that fell silent; called twice a second."""
        status = self.status()
        if status is not None and status.phase != self._phase:
            self._phase = status.phase
            self.troubled.emit(status)

    def _track(self, feed: Feed, still: bool) -> Generator[Any, None, None]:
        """Runs in the job's thread, where the networks are made and freed."""
        head = self._parts.head()
        regressor = self._parts.regressor()
        with self._parts.tracker(still) as tracker:
            for face in stream(feed.box, tracker, regressor, head, self.control):
                if still and face is not None:
                    self._stills.append(self._rated(face))
                yield face

    def _rated(self, face: LiveFace) -> LiveFace:
        """A still, judged by the pose it shows."""
        seen = face.face
        if seen is None:
            return face
        names = self._parts.head().expression_names
        table = self.control.limit_table
        quality = rated(face.frame, seen.track, seen.state, seen.quality, table, names)
        return dataclasses.replace(face, face=dataclasses.replace(seen, quality=quality))

    def _listen(self) -> None:
        """Called from the reader's thread."""
        if self._slot.put(True):
            try:
                self._ticked.emit()
            except RuntimeError:  # the window went away
                return

    def _on_ticked(self) -> None:
        self._slot.take()
        self.check()
        if self._feed is not None:
            self.arrived.emit()

    def _on_faced(self, face: LiveFace) -> None:
        if self.spec is not None and self.spec.is_still:
            while self._stills and self._feed is not None:
                self._show(self._stills.popleft())
        elif self._feed is not None:
            self._show(face)

    def _show(self, face: LiveFace) -> None:
        self.face = face
        self.faced.emit(face)
