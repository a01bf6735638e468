"""These tests need a display with OpenGL (xvfb-run); elsewhere they are skipped."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from pathlib import Path

import cv2
import pytest

PATIENCE_S = 20.0


@pytest.fixture(scope="session")
def _display() -> None:
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        pytest.skip("no display; run under xvfb-run")


@pytest.fixture(scope="session")
def qapp(_display):
    from hrn_studio.ui.start import application

    return application()


@pytest.fixture
def theme(qapp):
    from hrn_studio.ui.theme import Theme
    from hrn_studio.ui.tokens import load_tokens

    made = Theme(load_tokens())
    made.apply(qapp)
    return made


@pytest.fixture(scope="session")
def doubles():
    spec = importlib.util.spec_from_file_location(
        "ui_doubles", Path(__file__).with_name("doubles.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def parts(doubles):
    return doubles.Parts()


@pytest.fixture(scope="session")
def film(tmp_path_factory, doubles):
    """Half a second of a made-up face, which loops."""
    file = tmp_path_factory.mktemp("film") / "face.avi"
    size = (doubles.WIDTH, doubles.HEIGHT)
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 30, size)
    for _ in range(15):
        writer.write(doubles.picture()[..., ::-1].copy())
    writer.release()
    return file


@pytest.fixture
def window(qtbot, qapp, parts):
    """The whole window on doubles; closed at the end, with no thread left."""
    from hrn_studio.ui.start import make_window

    before = set(threading.enumerate())
    made = make_window(qapp, parts, None)
    made.confirm = lambda *_: True
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    with qtbot.waitActive(made):
        pass
    yield made
    parts.hold.set()
    made.close()
    others = [t for t in threading.enumerate() if t not in before]
    for thread in others:  # a camera that a test plays sees only at its next frame that we are gone
        thread.join(PATIENCE_S)
    left = [t.name for t in others if t.is_alive()]
    assert not left, f"threads left: {left}"
