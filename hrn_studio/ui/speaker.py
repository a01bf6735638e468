"""Sound without a library for it: the computer's own voice, and chimes made of two tones.

The system's own programs speak and play; where there is none, a chime is the system's beep.
"""

from __future__ import annotations

import io
import math
import shutil
import sys
import wave
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from PySide6.QtCore import QObject, QProcess, QTemporaryDir
from PySide6.QtWidgets import QApplication

Chime: TypeAlias = Literal["ready", "change", "bad", "taken", "tick"]
Find: TypeAlias = Callable[[str], str | None]
_RATE = 22050
_TONE_S = 0.14
_LOUD = 0.35
_FADE_S = 0.012
_NOTES: Mapping[Chime, tuple[float, ...]] = {
    "ready": (659.3, 987.8),
    "change": (659.3,),
    "bad": (440.0, 329.6),
    "taken": (1318.5, 1318.5),
    "tick": (880.0,),
}
"""Hertz, one after the other: rising is good news, falling is bad."""
_POWERSHELL = (
    "Add-Type -AssemblyName System.Speech; $voice = New-Object "
    "System.Speech.Synthesis.SpeechSynthesizer; $voice.Speak([Console]::In.ReadToEnd())"
)


def chime_wave(chime: Chime) -> bytes:
    """A WAV file, 16 bit, one channel; each tone swells and dies away."""
    tones = [_tone(hertz) for hertz in _NOTES[chime]]
    samples = np.concatenate(tones)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE)
        out.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _tone(hertz: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    t = np.arange(round(_TONE_S * _RATE)) / _RATE
    swell = np.minimum(1.0, t / _FADE_S) * np.exp(-t / (_TONE_S / 3))
    end = np.minimum(1.0, (_TONE_S - t) / _FADE_S)
    return np.asarray(_LOUD * swell * end * np.sin(2 * math.pi * hertz * t))


def voice_command(text: str, find: Find = shutil.which) -> tuple[list[str], str] | None:
    """The program that speaks ``text`` in English, and what it is given to read; None: none."""
    if sys.platform == "win32":
        shell = find("powershell")
        return ([shell, "-NoProfile", "-Command", _POWERSHELL], text) if shell else None
    ways: tuple[Sequence[str], ...] = (
        ("say",),
        ("spd-say", "--wait", "-l", "en", "--"),
        ("espeak-ng", "-v", "en", "--"),
        ("espeak", "-v", "en", "--"),
    )
    for name, *more in ways:
        program = find(name)
        if program is not None:
            return [program, *more, text], ""
    return None


def player_command(file: Path, find: Find = shutil.which) -> list[str] | None:
    """The program that plays a WAV file; None when there is none."""
    if sys.platform == "win32":
        shell = find("powershell")
        quoted = str(file).replace("'", "''")
        play = f"(New-Object Media.SoundPlayer '{quoted}').PlaySync()"
        return [shell, "-NoProfile", "-Command", play] if shell else None
    for name, *more in (("afplay",), ("pw-play",), ("paplay",), ("aplay", "-q")):
        program = find(name)
        if program is not None:
            return [program, *more, str(file)]
    return None


class Speaker(QObject):
    """Speaks and chimes, one sound of each kind at a time, in processes of the system's own."""

    def __init__(self, find: Find = shutil.which) -> None:
        super().__init__()
        self._find = find
        self._folder: QTemporaryDir | None = None
        self._voice, self._player = QProcess(self), QProcess(self)

    @property
    def can_speak(self) -> bool:
        return voice_command("", self._find) is not None

    @property
    def speaking(self) -> bool:
        return self._voice.state() != QProcess.ProcessState.NotRunning

    def speak(self, text: str) -> None:
        """Say ``text`` when nothing is being said."""
        found = voice_command(text, self._find)
        if found is None or self.speaking:
            return
        (program, *more), read = found
        self._voice.start(program, more)
        if read:
            self._voice.write(read.encode())
        self._voice.closeWriteChannel()

    def chime(self, chime: Chime) -> None:
        """Play a chime when none is being played."""
        if self._player.state() != QProcess.ProcessState.NotRunning:
            return
        file = self._file(chime)
        command = player_command(file, self._find) if file is not None else None
        if command is None:
            QApplication.beep()
        else:
            self._player.start(command[0], command[1:])

    def close(self) -> None:
        """Silence; nothing is left behind."""
        for process in (self._voice, self._player):
            if process.state() != QProcess.ProcessState.NotRunning:
                process.kill()
                process.waitForFinished(300)
        if self._folder is not None:
            self._folder.remove()
            self._folder = None

    def _file(self, chime: Chime) -> Path | None:
        if self._folder is None:
            self._folder = QTemporaryDir()
        if not self._folder.isValid():
            return None
        file = Path(self._folder.path()) / f"{chime}.wav"
        if not file.exists():
            try:
                file.write_bytes(chime_wave(chime))
            except OSError:
                return None
        return file
