"""The instruction by ear: for a person who stands where the screen cannot be read.

A new headline of the band raises an accessible alert, and in Live and Capture it is spoken or
chimed, when that is switched on.  At most one in two seconds: what is newest then is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent

from hrn_studio.session.state import Shot
from hrn_studio.ui.band import BandContent
from hrn_studio.ui.mainframe import MainFrame
from hrn_studio.ui.speaker import Chime, Speaker

PACE_S = 2.0
SOUNDS = (("off", "Off"), ("chime", "Chimes"), ("voice", "Voice"))
_TOLD = {"off": "Sound is off", "chime": "Chimes tell you what to do"}
_TOLD |= {"voice": "A voice tells you what to do"}
NO_VOICE = "No voice here; chimes instead. On Linux install espeak-ng or speech-dispatcher."


class Sounds(Protocol):
    """What :class:`~.speaker.Speaker` does."""

    @property
    def can_speak(self) -> bool: ...
    @property
    def speaking(self) -> bool: ...
    def speak(self, text: str) -> None: ...
    def chime(self, chime: Chime) -> None: ...
    def close(self) -> None: ...


class Announcer(QObject):
    """Tells the instructions of a window by ear."""

    def __init__(
        self,
        frame: MainFrame,
        speaker: Sounds | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(frame)
        self.speaker: Sounds = speaker or Speaker()
        self._frame, self._studio, self._clock = frame, frame.studio, clock
        self._due: BandContent | None = None
        self._told_s = -PACE_S
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._tell)
        frame.band.renewed.connect(self._on_renewed)
        shooting = frame.studio.shooting
        shooting.taken.connect(self._on_taken)
        shooting.counted.connect(self._on_counted)

    @property
    def sound(self) -> str:
        """``off``, ``chime`` or ``voice``, as far as this computer can."""
        wanted = self._studio.settings.capture.sound
        return "chime" if wanted == "voice" and not self.speaker.can_speak else wanted

    def next_sound(self) -> None:
        """Off, chimes, voice, and off again; told in a toast."""
        order = [key for key, _ in SOUNDS]
        wanted = order[(order.index(self._studio.settings.capture.sound) + 1) % len(order)]
        self._studio.change("capture", sound=wanted)
        self._studio.note(_TOLD[wanted] if self.sound == wanted else NO_VOICE)
        self._due = self._frame.band.content
        self._told_s = -PACE_S
        self._tell()

    def close(self) -> None:
        self._later.stop()
        self.speaker.close()

    def _on_renewed(self, content: BandContent) -> None:
        self._due = content
        if not self._later.isActive():
            self._tell()

    def _tell(self) -> None:
        """Tell the newest headline, or wait until it may be told."""
        content = self._due
        if content is None:
            return
        wait_s = self._told_s + PACE_S - self._clock()
        if wait_s > 0 or (self.sound == "voice" and self.speaker.speaking):
            self._later.start(round(1000 * max(wait_s, 0.1)))
            return
        self._due, self._told_s = None, self._clock()
        QAccessible.updateAccessibility(QAccessibleEvent(self._frame.band, QAccessible.Event.Alert))
        if self._studio.session.step not in ("live", "capture") or not self._studio.session.source:
            return
        if self.sound == "voice":
            self.speaker.speak(content.headline)
        elif self.sound == "chime":
            chimes: dict[str, Chime] = {"ok": "ready", "bad": "bad"}
            self.speaker.chime(chimes.get(content.state, "change"))

    def _on_taken(self, shot: Shot) -> None:
        if self.sound != "off":
            self.speaker.chime("taken")

    def _on_counted(self, left: int) -> None:
        if self.sound != "off" and left:
            self.speaker.chime("tick")
