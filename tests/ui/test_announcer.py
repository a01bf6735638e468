"""Instructions by ear: one in two seconds, the newest; and the programs that make the sound."""

from __future__ import annotations

import io
import stat
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal

from hrn_studio.session.state import Session
from hrn_studio.settings import CaptureSettings, Settings
from hrn_studio.ui import speaker as speaking
from hrn_studio.ui.announcer import NO_VOICE, Announcer
from hrn_studio.ui.band import BandContent


class Sounds:
    def __init__(self):
        self.told = []
        self.can_speak, self.speaking = True, False

    def speak(self, text):
        self.told.append(text)

    def chime(self, chime):
        self.told.append(chime)

    def close(self): ...


class Shooting(QObject):
    taken = Signal(object)
    counted = Signal(int)


class Studio:
    def __init__(self):
        self.settings = Settings(capture=CaptureSettings(sound="voice"))
        self.session = Session(source="camera")
        self.shooting = Shooting()
        self.notes = []

    def change(self, group, **values):
        self.settings = Settings(capture=CaptureSettings(**values))

    def note(self, text):
        self.notes.append(text)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def stand(qtbot, theme):
    """An announcer on a band of its own."""
    from hrn_studio.ui.band import Band

    class Frame(QObject):
        def __init__(self):
            super().__init__()
            self.band, self.studio = Band(theme), Studio()

    frame, sounds, clock = Frame(), Sounds(), Clock()
    qtbot.addWidget(frame.band)
    made = Announcer(frame, sounds, clock)
    yield frame, made, sounds, clock
    made.close()


def say(frame, headline, state="warn"):
    frame.band.say(BandContent(state, headline, "why"))


def test_a_headline_is_spoken_once(stand):
    frame, _, sounds, clock = stand
    say(frame, "Hold still")
    clock.now += 10
    say(frame, "Hold still")
    assert sounds.told == ["Hold still"]


def test_within_two_seconds_the_newest_waits(stand):
    frame, made, sounds, clock = stand
    say(frame, "Hold still")
    clock.now += 0.5
    say(frame, "Focus on the eyes")
    say(frame, "Close your lips")
    assert sounds.told == ["Hold still"]
    assert made._later.isActive()
    clock.now += 2
    made._tell()
    assert sounds.told == ["Hold still", "Close your lips"]


def test_nobody_is_interrupted(stand):
    frame, made, sounds, _ = stand
    sounds.speaking = True
    say(frame, "Hold still")
    assert sounds.told == []
    sounds.speaking = False
    made._tell()
    assert sounds.told == ["Hold still"]


def test_chimes_tell_good_from_bad(stand):
    frame, _, sounds, clock = stand
    frame.studio.change("capture", sound="chime")
    for state in ("bad", "warn", "ok"):
        clock.now += 3
        say(frame, state, state)
    frame.studio.shooting.taken.emit(None)
    frame.studio.shooting.counted.emit(2)
    frame.studio.shooting.counted.emit(0)
    assert sounds.told == ["bad", "change", "ready", "taken", "tick"]


@pytest.mark.parametrize(
    "session", [Session(source="camera", step="review"), Session(source="", step="live")]
)
def test_it_is_silent_elsewhere(stand, session):
    frame, _, sounds, _ = stand
    frame.studio.session = session
    say(frame, "Front 01 is fitted")
    assert sounds.told == []


def test_off_is_silent(stand):
    frame, _, sounds, _ = stand
    frame.studio.change("capture", sound="off")
    say(frame, "Hold still")
    frame.studio.shooting.taken.emit(None)
    assert sounds.told == []


def test_the_key_goes_round_and_says_when_there_is_no_voice(stand):
    frame, made, sounds, _ = stand
    say(frame, "Hold still")
    made.next_sound()
    assert frame.studio.settings.capture.sound == "off"
    made.next_sound()
    assert sounds.told == ["Hold still", "change"]
    sounds.can_speak = False
    made.next_sound()
    assert frame.studio.settings.capture.sound == "voice"
    assert made.sound == "chime"
    assert frame.studio.notes[-1] == NO_VOICE


@pytest.mark.parametrize("chime", list(speaking._NOTES))
def test_chimes_are_short_and_begin_and_end_in_silence(chime):
    with wave.open(io.BytesIO(speaking.chime_wave(chime))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        assert file.getnframes() < 0.5 * file.getframerate()
    assert 3000 < np.abs(samples).max() < 20000
    assert abs(samples[0]) < 50
    assert abs(samples[-1]) < 50


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have other ways")
def test_the_system_speaks_and_plays(qtbot, qapp, tmp_path):
    """Programs on the path are found and given the words and the file."""
    for name in ("espeak-ng", "aplay"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/{name}.heard"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def find(name):
        return str(tmp_path / name) if (tmp_path / name).exists() else None

    made = speaking.Speaker(find)
    assert made.can_speak
    made.speak("Turn your head 7° to your right")
    made.chime("ready")
    voice, player = tmp_path / "espeak-ng.heard", tmp_path / "aplay.heard"
    qtbot.waitUntil(lambda: voice.exists() and "right" in voice.read_text(), timeout=10000)
    assert voice.read_text().splitlines()[-1] == "Turn your head 7° to your right"
    qtbot.waitUntil(lambda: player.exists() and ".wav" in player.read_text(), timeout=10000)
    file = Path(player.read_text().splitlines()[-1])
    assert file.read_bytes() == speaking.chime_wave("ready")
    made.close()
    assert not file.exists()


def test_without_programs_it_beeps(qtbot, qapp, monkeypatch):
    beeps = []
    monkeypatch.setattr(speaking.QApplication, "beep", lambda: beeps.append(1))
    made = speaking.Speaker(lambda name: None)
    assert not made.can_speak
    made.speak("Hold still")
    made.chime("bad")
    made.close()
    assert beeps == [1]


def test_it_is_off_unless_asked_for():
    assert Settings().capture.sound == "off"
