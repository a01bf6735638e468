"""Cameras that stop, lie or break, disks that are full, files that vanish: through the window."""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt, QTimer

from hrn_studio.live.spec import SourceSpec
from hrn_studio.session import store as store_module
from hrn_studio.session.store import sessions

pytestmark = pytest.mark.gl
LONG_MS = 30000


@pytest.fixture(scope="session")
def loopback(root):
    file = root / "packaging" / "loopback_camera.py"
    spec = importlib.util.spec_from_file_location("loopback_camera", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.LoopbackCamera


def jpeg(image):
    data = BytesIO()
    Image.fromarray(image).save(data, "JPEG", quality=85)
    return data.getvalue()


@pytest.fixture
def camera(loopback, doubles):
    with loopback(jpeg(doubles.picture())) as made:
        yield made


@pytest.fixture
def watching(qtbot, window, camera):
    window.studio.open(SourceSpec("stream", camera.address, "Desk camera"))
    qtbot.waitUntil(lambda: window.studio.live.face is not None, timeout=LONG_MS)
    return window


def headline(window):
    return window.band.content.headline


def phase(window):
    status = window.studio.live.status()
    return status.phase if status is not None else ""


def test_a_camera_that_goes_comes_back_by_itself(qtbot, watching, camera):
    window = watching
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(window.studio.session.shots) == 1, timeout=LONG_MS)
    camera.stop()
    qtbot.waitUntil(lambda: phase(window) == "lost", timeout=LONG_MS)
    qtbot.waitUntil(lambda: headline(window) == "Reconnect the camera", timeout=LONG_MS)
    assert window.studio.live.newest is not None
    window.redraw()
    shown = window.show_panes.panes()[0]
    assert shown.pane.grey
    rows = window.guidance.rows.values()
    qtbot.waitUntil(lambda: all("not measured" in r.accessibleDescription() for r in rows))
    assert len(window.studio.session.shots) == 1  # the frames can be used meanwhile
    window.go("fit")
    assert window.studio.session.step == "fit"
    window.go("live")
    frames = window.studio.live.frames
    camera.start()
    window.studio.try_now()
    qtbot.waitUntil(lambda: phase(window) == "running", timeout=LONG_MS)
    qtbot.waitUntil(lambda: window.studio.live.frames > frames, timeout=LONG_MS)
    qtbot.waitUntil(lambda: headline(window) != "Reconnect the camera", timeout=LONG_MS)


def test_a_black_picture_is_said(qtbot, watching, camera, doubles):
    camera.show(jpeg(np.zeros((480, 640, 3), np.uint8)))
    qtbot.waitUntil(lambda: phase(watching) == "black", timeout=LONG_MS)
    qtbot.waitUntil(lambda: "shutter" in headline(watching), timeout=LONG_MS)
    camera.show(jpeg(doubles.picture()))
    qtbot.waitUntil(lambda: phase(watching) == "running", timeout=LONG_MS)


def test_garbage_is_survived(qtbot, watching, camera, doubles):
    camera.show(b"\xff\xd8 this is no picture \xff\xd9" * 40)
    qtbot.waitUntil(lambda: phase(watching) == "lost", timeout=LONG_MS)
    camera.show(jpeg(doubles.picture()))
    watching.studio.try_now()
    qtbot.waitUntil(lambda: phase(watching) == "running", timeout=LONG_MS)


@pytest.mark.parametrize("size", [(160, 120), (320, 240), (1920, 1080), (480, 854)])
def test_other_sizes_are_shown_and_kept(qtbot, window, loopback, doubles, size):
    image = np.asarray(Image.fromarray(doubles.picture()).resize(size))
    with loopback(jpeg(image)) as camera:
        window.studio.open(SourceSpec("stream", camera.address, "Desk camera"))
        qtbot.waitUntil(lambda: window.studio.live.face is not None, timeout=LONG_MS)
        window.redraw()
        assert not window.stage.viewport.grabFramebuffer().isNull()
        window.studio.shooting.take()
        qtbot.waitUntil(lambda: len(window.studio.session.shots) == 1, timeout=LONG_MS)
        assert window.studio.session.shots[0].size == size
        window.studio.close_source()


def test_a_camera_may_change_its_size(qtbot, watching, camera, doubles):
    """Streams of a wandering size are decoded to the first one or reopened; neither may break."""
    frames = watching.studio.live.frames
    for size in ((320, 240), (960, 540), (640, 480)):
        camera.show(jpeg(np.asarray(Image.fromarray(doubles.picture()).resize(size))))
        frames = watching.studio.live.frames
        watching.studio.try_now()
        qtbot.waitUntil(lambda f=frames: watching.studio.live.frames > f + 3, timeout=LONG_MS)
        watching.redraw()
    assert not watching.stage.viewport.grabFramebuffer().isNull()


def test_a_full_disk_keeps_what_is_there(qtbot, watching, monkeypatch):
    window = watching
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(window.studio.session.shots) == 1, timeout=LONG_MS)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module.os, "fsync", full)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: any("full" in t for t in window.toasts.texts), timeout=LONG_MS)
    monkeypatch.undo()
    frames = Path(window.studio.session.folder) / "frames"
    assert sorted(f.name for f in frames.iterdir()) == ["front-01.json", "front-01.png"]
    assert len(window.studio.session.shots) == 1


def test_a_head_that_finds_no_room_is_said_and_stays(qtbot, watching, monkeypatch):
    window = watching
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(window.studio.session.shots) == 1, timeout=LONG_MS)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module.os, "fsync", full)
    window.studio.fit_selected()
    kept = lambda: any("was not kept" in t for t in window.toasts.texts)  # noqa: E731
    qtbot.waitUntil(kept, timeout=LONG_MS)
    monkeypatch.undo()
    result = window.studio.session.shown
    assert result is not None
    assert not result.kept.saved
    window.go("review")
    assert window.studio.session.step == "review"


def test_a_frame_whose_file_vanished_fails_its_fit_in_words(qtbot, watching):
    window = watching
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(window.studio.session.shots) == 1, timeout=LONG_MS)
    window.studio.frames.picture("front-01").unlink()
    window.studio.fit_selected()
    failed = lambda: [f for f in window.studio.fits.all if f.state == "failed"]  # noqa: E731
    qtbot.waitUntil(lambda: bool(failed()), timeout=LONG_MS)
    assert "front-01.png" in failed()[0].problem


def test_a_watched_folder_that_goes_away_is_said(qtbot, window, tmp_path, doubles):
    folder = tmp_path / "tethered"
    folder.mkdir()
    window.studio.open(SourceSpec("folder", str(folder), folder.name))
    Image.fromarray(doubles.picture()).save(folder / "one.png")
    qtbot.waitUntil(lambda: len(window.studio.session.shots) == 1, timeout=LONG_MS)
    (folder / "one.png").unlink()
    folder.rmdir()
    qtbot.waitUntil(lambda: phase(window) == "failed", timeout=LONG_MS)
    qtbot.waitUntil(lambda: headline(window) == "Choose the source again", timeout=LONG_MS)


def test_nothing_is_left_at_exit(qtbot, qapp, parts, camera):
    """No thread, no running timer, no OpenGL object."""
    from hrn_studio.ui.start import make_window

    before = set(threading.enumerate())
    window = make_window(qapp, parts, None)
    window.confirm = lambda *_: True
    qtbot.addWidget(window)
    window.show()
    window.studio.open(SourceSpec("stream", camera.address, "Desk camera"))
    qtbot.waitUntil(lambda: window.stage.viewport.paints > 1, timeout=LONG_MS)
    qtbot.waitUntil(lambda: window.studio.live.face is not None, timeout=LONG_MS)
    window.studio.shooting.take()
    qtbot.waitUntil(lambda: len(window.studio.session.shots) == 1, timeout=LONG_MS)
    parts.hold.clear()
    window.studio.fit_selected()
    qtbot.waitUntil(lambda: window.studio.fits.running is not None, timeout=LONG_MS)
    viewport = window.stage.viewport
    context = viewport._context
    window.close()
    camera.stop()
    timers = [t for t in window.findChildren(QTimer) if t.isActive()]
    assert [t.parent() for t in timers if t.interval() > 0 and not t.isSingleShot()] == []
    left = [t.name for t in threading.enumerate() if t not in before and t.is_alive()]
    assert [name for name in left if not name.startswith(("Thread-", "process_request"))] == []
    viewport.hide()
    viewport.deleteLater()
    qapp.sendPostedEvents(None, 0)
    qapp.processEvents()
    gc.collect()
    assert viewport._context is None
    assert viewport._panes is None
    assert "Invalid" in type(context.mglo).__name__  # released, with all that was on it
    parts.hold.set()


KILLED = """
import sys, threading
sys.path.insert(0, sys.argv[1])
import importlib.util
from pathlib import Path
spec = importlib.util.spec_from_file_location("ui_doubles", sys.argv[2])
doubles = importlib.util.module_from_spec(spec); spec.loader.exec_module(doubles)
from PySide6.QtCore import QTimer
from hrn_studio.ui.start import application, make_window
app = application()
parts = doubles.Parts()
window = make_window(app, parts, None)
window.show()
studio = window.studio
studio.open_paths([Path(sys.argv[3])])
state = {"fit": 0}
def step():
    if studio.live.face is None:
        return
    if len(studio.session.shots) < 3:
        if not studio.shooting._writing and not studio.shooting._burst_left:
            studio.shooting.take()
    elif state["fit"] == 0:
        state["fit"] = 1
        studio.fit_selected()
    elif state["fit"] == 1 and studio.session.results and studio.session.results[0].kept.saved:
        state["fit"] = 2
        parts.hold.clear()
        studio.fit_selected()
    elif state["fit"] == 2 and studio.fits.running is not None:
        print("fitting", flush=True)
        state["fit"] = 3
timer = QTimer(); timer.timeout.connect(step); timer.start(20)
app.exec()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_program_killed_in_a_fit_loses_no_frame_and_no_finished_head(
    qtbot, qapp, parts, root, film
):
    """kill -9 while the second fit runs; the next start finds everything that was finished."""
    doubles = Path(__file__).with_name("doubles.py")
    call = [sys.executable, "-c", KILLED, str(root), str(doubles), str(film)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True, env=os.environ) as program:
        assert program.stdout.readline().strip() == "fitting"
        program.send_signal(signal.SIGKILL)
    from hrn_studio.ui.start import make_window

    window = make_window(qapp, parts, None)
    qtbot.addWidget(window)
    window.show()
    kept = sessions(window.studio.sessions_folder)
    assert [(k.frames, k.ended_early) for k in kept] == [(3, True)]
    first = window.welcome.cards[0]
    assert first.button.text() == "Open"
    first.button.click()
    qtbot.waitUntil(lambda: window.studio.session.shown is not None, timeout=LONG_MS)
    assert len(window.studio.session.shots) == 3
    assert len(window.studio.session.results) == 1
    assert len(window.studio.session.shown.head.neutral)
    window.go("review")
    qtbot.waitUntil(lambda: window.studio.session.step == "review", timeout=LONG_MS)
    window.close()
