"""Opening things: cameras, files, folders, the demo, and sessions that were kept."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMenu

from hrn_studio.live.capture import PICTURES
from hrn_studio.live.spec import VIDEOS, SourceSpec, demo, watched
from hrn_studio.ui import words
from hrn_studio.ui.jobs import Job
from hrn_studio.ui.mainframe import MainFrame
from hrn_studio.ui.pictures import rendering
from hrn_studio.ui.welcome import choices


class Opening(QObject):
    """The source menu, the session menu and the first start of a window."""

    def __init__(self, frame: MainFrame) -> None:
        super().__init__(frame)
        self._frame, self._studio = frame, frame.studio
        self._head_job: Job | None = None
        frame.top.session_opened.connect(self.session_menu)
        frame.top.source_opened.connect(self.source_menu)
        frame.welcome.chosen.connect(self._on_welcome)
        frame.tray.add_wanted.connect(self.add_pictures)
        frame.guidance.session_chosen.connect(self._on_session_chosen)

    def close(self) -> None:
        """The thread that draws the first head ends; the very first time it compiles for long."""
        if self._head_job is not None:
            self._head_job.cancel()
            self._head_job.wait(30.0)

    def show_welcome(self) -> None:
        studio = self._studio
        session = studio.session
        empty = not session.source and not session.shots and session.step == "live"
        is_open = bool(session.source)
        self._frame.guidance.show_open(is_open)
        if empty:
            cameras = studio.list_cameras()
            chosen = studio.settings.camera
            first = None
            if cameras:
                device = next((c for c in cameras if c.id == chosen.device), cameras[0])
                first = (device.name, f"{chosen.width} × {chosen.height} at {chosen.fps} fps")
            kept = studio.kept_sessions()
            early = next((k for k in kept if k.ended_early), None)
            self._frame.welcome.show_choices(
                choices(first, demo() is not None, (early.name, early.frames) if early else None)
            )
            self._frame.guidance.show_sessions(kept)
            if self._head_job is None:
                job = Job(rendering(self._frame.show_panes.heads, 460, 560), "welcome")
                job.returned.connect(self._frame.welcome.head.show_image)
                self._head_job = job
                job.start()
        elif not is_open:
            self._frame.guidance.show_sessions(studio.kept_sessions())
        self._frame.pages.setCurrentIndex(1 if empty else 0)

    def _on_welcome(self, key: str) -> None:
        if key == "camera":
            self.open_camera()
        elif key == "files":
            self.choose_files()
        elif key == "folder":
            self.choose_watched()
        elif key == "kept":
            early = next((k for k in self._studio.kept_sessions() if k.ended_early), None)
            if early is not None:
                self._studio.open_session(early.folder)
        else:
            self.open_demo()

    # --- sources ---

    def open_camera(self, device_id: str = "") -> None:
        """A camera by its id; the one used last, or the first, without one."""
        chosen = self._studio.settings.camera
        cameras = self._studio.list_cameras()
        wanted = device_id or chosen.device
        device = next((c for c in cameras if c.id == wanted), cameras[0] if cameras else None)
        if device is None:
            self._studio.note("No camera is plugged in. Open photos or a video instead.")
            return
        size = (chosen.width, chosen.height)
        self._studio.open(SourceSpec("camera", device.id, device.name, size, float(chosen.fps)))

    def open_demo(self) -> None:
        spec = demo()
        if spec is not None:
            self._studio.open(spec)

    def choose_files(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in sorted(PICTURES | VIDEOS))
        files, _ = QFileDialog.getOpenFileNames(
            self._frame, "Open photos or a video", "", f"Pictures and videos ({kinds})"
        )
        if files:
            self._studio.open_paths(files)

    def choose_watched(self) -> None:
        folder = QFileDialog.getExistingDirectory(self._frame, "Watch a folder")
        if folder:
            self._studio.open(watched(Path(folder)))

    def add_pictures(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in sorted(PICTURES))
        files, _ = QFileDialog.getOpenFileNames(
            self._frame, "Add pictures", "", f"Pictures ({kinds})"
        )
        if files:
            self._studio.shooting.add_pictures([Path(f) for f in files])

    def source_menu(self) -> None:
        menu = QMenu(self._frame)
        for device in self._studio.list_cameras():
            action = menu.addAction(device.name)
            action.triggered.connect(lambda _=False, d=device.id: self.open_camera(d))
        if not menu.isEmpty():
            menu.addSeparator()
        menu.addAction("Open photos or a video…").triggered.connect(self.choose_files)
        menu.addAction("Watch a folder…").triggered.connect(self.choose_watched)
        if demo() is not None:
            menu.addAction("Play the demo").triggered.connect(self.open_demo)
        if self._studio.live.spec is not None:
            menu.addSeparator()
            menu.addAction("Release the source").triggered.connect(self._studio.close_source)
        menu.exec(self._frame.top.source.mapToGlobal(self._frame.top.source.rect().bottomLeft()))
        menu.deleteLater()

    # --- sessions ---

    def session_menu(self) -> None:
        menu = QMenu(self._frame)
        menu.addAction("New session").triggered.connect(self._studio.new_session)
        if self._studio.session.folder:
            menu.addAction("Rename…").triggered.connect(self._on_rename_session)
            menu.addAction("Show in folder").triggered.connect(self._on_session_folder)
        kept = self._studio.kept_sessions()
        if kept:
            menu.addSeparator()
        for session in kept[:10]:
            text = f"{session.name} · {words.frames(session.frames)}"
            action = menu.addAction(text)
            action.triggered.connect(lambda _=False, f=session.folder: self._studio.open_session(f))
        menu.exec(self._frame.top.session.mapToGlobal(self._frame.top.session.rect().bottomLeft()))
        menu.deleteLater()

    def _on_rename_session(self) -> None:
        name, good = QInputDialog.getText(
            self._frame, "Rename session", "Name", text=self._studio.session.name
        )
        if good:
            self._studio.rename_session(name)

    def _on_session_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._studio.session.folder))

    def _on_session_chosen(self, folder: str) -> None:
        self._studio.open_session(Path(folder))
