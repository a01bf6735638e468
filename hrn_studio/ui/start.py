"""The window put together: everything is made here, by name, and passed in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QSurfaceFormat
from PySide6.QtWidgets import QApplication

from hrn_studio import paths, settings
from hrn_studio.live.spec import SourceSpec, from_paths
from hrn_studio.models.live import live_reason, network_reason
from hrn_studio.ui.parts import Parts, RealParts
from hrn_studio.ui.studio import Studio
from hrn_studio.ui.theme import Theme, scheme_of_system
from hrn_studio.ui.tokens import load_tokens
from hrn_studio.ui.viewport import surface_format
from hrn_studio.ui.widgets.controls import KeyboardFocus
from hrn_studio.ui.window import Window

SIZE = (1440, 900)


def application() -> QApplication:
    """The one QApplication, ready for OpenGL."""
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    QSurfaceFormat.setDefaultFormat(surface_format())
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    QApplication.setHighDpiScaleFactorRoundingPolicy(
        Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    )
    app = QApplication(sys.argv[:1])
    app.setApplicationName("HRN Studio")
    return app


def make_window(app: QApplication, parts: Parts, settings_file: Path | None) -> Window:
    """A window with everything it needs; not shown yet."""
    if settings_file is not None:
        chosen, notes = settings.load(settings_file)
    else:
        chosen, notes = settings.Settings(), ()
    scheme = scheme_of_system() if chosen.window.theme == "system" else chosen.window.theme
    theme = Theme(load_tokens(), scheme, chosen.window.text_percent / 100)
    theme.apply(app)
    studio = Studio(parts, chosen, settings_file=settings_file)
    missing = network_reason()
    if chosen.camera.network and missing is not None:
        notes = (*notes, f"{missing}; the tracker and the learned maps go on without it")
    for note in notes:
        studio.log.add(note)
    window = Window(theme, studio, KeyboardFocus(app))
    window.resize(*SIZE)
    return window


def live_engine() -> str:
    """What the settings want to see live faces, where its weights are still there."""
    chosen, _ = settings.load(paths.settings_file())
    engine = chosen.camera.engine
    return engine if live_reason(engine) is None else "studio"


def live_network() -> bool:
    """Whether the settings want the face network to look at live faces, where it is there."""
    chosen, _ = settings.load(paths.settings_file())
    return chosen.camera.network and network_reason() is None


def run(files: Sequence[str] = ()) -> int:
    """Open the window, with ``files`` in it, and run until it is closed.

    A file may be pictures, a video, a folder, or the ``http://`` address of an MJPEG camera.
    """
    app = application()
    window = make_window(app, RealParts(live_engine, live_network), paths.settings_file())
    window.show()
    if files:
        if files[0].startswith(("http://", "https://")):
            window.studio.open(SourceSpec("stream", files[0], files[0].split("/")[2]))
        elif from_paths([Path(f) for f in files]) is not None:
            window.studio.open_paths(files)
    return app.exec()
