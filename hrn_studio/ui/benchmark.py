"""The same with the window open: paced as a camera, drawn, with a heartbeat."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from hrn_studio.errors import SourceError
from hrn_studio.live.benchmark import LiveReport, report, rss_mb
from hrn_studio.live.spec import from_paths
from hrn_studio.live.stream import LiveFace
from hrn_studio.ui.parts import Parts
from hrn_studio.ui.start import application, make_window
from hrn_studio.ui.window import Window

_BEAT_MS = 5
_WARM_S = 2.0
_FIT_EVERY_S = 90.0
"""With fits: a frame is taken and fitted so often."""


class Measuring(QObject):
    """Watches a window from outside."""

    def __init__(self, window: Window, seconds: float, fit: bool, started_s: float) -> None:
        super().__init__()
        self._window, self._seconds, self._fit = window, seconds, fit
        self._started_s = started_s
        self.visible_s = self.first_face_s = 0.0
        self.latencies: list[float] = []
        self.worst_ms = 0.0
        self._memory: list[tuple[float, float]] = []
        self._last_beat = self._warm_s = self._next_fit_s = 0.0
        self._dropped_before = 0
        self.dropped = 0
        self.spent = 0.0
        self._beat = QTimer(self)
        self._beat.setInterval(_BEAT_MS)
        self._beat.timeout.connect(self._on_beat)
        window.studio.live.faced.connect(self._on_faced)
        window.studio.shooting.taken.connect(self._on_taken)
        self._beat.start()

    def _on_faced(self, face: LiveFace) -> None:
        now = time.monotonic()
        if face.face is None:
            return
        if not self.first_face_s:
            self.first_face_s = now - self._started_s
            return
        if now - self._started_s < self.first_face_s + _WARM_S:
            self._dropped_before = face.pace.dropped
            self._warm_s = now
            return
        self.latencies.append((face.done_s - face.frame.time_s) * 1000)
        self.dropped = face.pace.dropped - self._dropped_before
        self.spent = now - self._warm_s

    def _on_beat(self) -> None:
        now = time.monotonic()
        if not self.visible_s and self._window.isVisible():
            self.visible_s = now - self._started_s
        if self._warm_s and self._last_beat:
            self.worst_ms = max(self.worst_ms, (now - self._last_beat) * 1000)
        self._last_beat = now
        if not self._memory or now - self._memory[-1][0] > 1.0:
            self._memory.append((now, rss_mb()))
        idle = self._window.studio.fits.running is None
        if self._fit and self.latencies and idle and now >= self._next_fit_s:
            self._next_fit_s = now + _FIT_EVERY_S
            self._window.studio.shooting.take()
        given_up = now - self._started_s > self._seconds + 60
        if self.spent >= self._seconds or given_up:
            self._beat.stop()
            self._window.close()

    def _on_taken(self) -> None:
        self._window.studio.fit_selected()

    @property
    def grown_mb(self) -> float:
        """After the first minute, or the first third of a shorter run."""
        if len(self._memory) < 3:
            return 0.0
        start, end = self._memory[0][0], self._memory[-1][0]
        settled_s = start + min(60.0, (end - start) / 3)
        settled = next(mb for now, mb in self._memory if now >= settled_s)
        return self._memory[-1][1] - settled


def with_window(
    file: Path, parts: Parts, seconds: float, fit: bool, started_s: float
) -> LiveReport:
    """Open the window on a film for some seconds of faces.

    Parameters
    ----------
    fit
        Take a frame and fit it meanwhile, again and again in a long run.
    started_s
        When the program began, on the monotonic clock.

    Raises
    ------
    SourceError
        The file cannot be opened.
    """
    spec = from_paths([file])
    if spec is None:
        raise SourceError(f"'{file}' is not a video; give one with a face in it")
    app: QApplication = application()
    window = make_window(app, parts, None)
    window.confirm = lambda *_: True  # type: ignore[method-assign]
    measuring = Measuring(window, seconds, fit, started_s)
    window.show()
    window.studio.open(spec)
    app.exec()
    return report(
        measuring.latencies,
        measuring.spent,
        measuring.dropped,
        window=True,
        visible_s=round(measuring.visible_s, 2),
        first_face_s=round(measuring.first_face_s, 2),
        heartbeat_worst_ms=round(measuring.worst_ms, 1),
        paints=window.stage.viewport.paints,
        grown_mb=round(measuring.grown_mb, 1),
    )
