"""Fills the tray: a card with a thumbnail for each frame and each result.

Thumbnails are made in the background: to read a large photograph takes longer than the window may
be held up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QImage

from hrn_studio.records import Bytes
from hrn_studio.session.state import GUIDED, Planned, Session
from hrn_studio.session.store import Store
from hrn_studio.ui.cards import Card
from hrn_studio.ui.jobs import Job
from hrn_studio.ui.mainframe import MainFrame
from hrn_studio.ui.pictures import qimage


class ContactSheet(QObject):
    """The tray of a window.

    Signals
    -------
    renewed
        There are more thumbnails.
    """

    renewed = Signal()

    def __init__(self, frame: MainFrame) -> None:
        super().__init__(frame)
        self._frame, self._studio = frame, frame.studio
        self.thumbs: dict[str, QImage] = {}
        self._unreadable: set[str] = set()
        self._found: deque[tuple[Store, str, Bytes | None]] = deque()
        self._job: Job | None = None
        self._closed = False
        tray, frames = frame.tray, frame.studio.frames
        tray.selected.connect(frames.select)
        tray.reject_wanted.connect(frames.reject)
        tray.delete_wanted.connect(frames.delete)
        tray.undo_wanted.connect(frames.undo)
        tray.renamed.connect(frames.rename)
        tray.shown_in_folder.connect(self._on_show_in_folder)
        tray.result_reviewed.connect(frame.studio.review)
        tray.result_deleted.connect(self.delete_result)

    def delete_result(self, result_id: str) -> None:
        """A head goes for good, when the user is sure."""
        result = next((r for r in self._studio.session.results if r.id == result_id), None)
        if result is None:
            return
        question = f"Delete {result.name}?"
        if self._frame.confirm(question, "It can be fitted again from its frames.", "Delete"):
            self._studio.results.delete(result_id)

    def forget(self) -> None:
        """Another session has other pictures."""
        self.thumbs.clear()
        self._unreadable.clear()

    def close(self) -> None:
        """The thread that makes thumbnails ends, and no other begins."""
        self._closed = True
        if self._job is not None:
            self._job.cancel()
            self._job.wait()
            self._job = None

    def _read(self) -> None:
        """Make the thumbnails that are missing."""
        known = self.thumbs.keys() | self._unreadable
        missing = [s.id for s in self._studio.session.shots if s.id not in known]
        store = self._studio.store
        if self._closed or self._job is not None or store is None or not missing:
            return
        job = Job(self._reading(store, missing), "thumbs")
        job.progressed.connect(self._on_found)
        job.returned.connect(self._on_read)
        self._job = job
        job.start()

    def _reading(self, store: Store, ids: list[str]) -> Generator[str, None, None]:
        """A job's items may be left out when the window is busy, so thumbnails wait in a queue."""
        for shot_id in ids:
            self._found.append((store, shot_id, store.thumb(shot_id)))
            yield shot_id

    def _on_found(self, _: object = None) -> None:
        while self._found:
            store, shot_id, pixels = self._found.popleft()
            if store is not self._studio.store:
                continue
            if pixels is None:
                self._unreadable.add(shot_id)
            else:
                self.thumbs[shot_id] = qimage(pixels)
        self.show_frames(self._studio.session)
        self.show_results(self._studio.session)
        self.renewed.emit()

    def _on_read(self, _: object) -> None:
        self._job = None
        self._on_found()

    def show_frames(self, session: Session) -> None:
        self._read()
        mirror = self._frame.stage.options.mirror
        cards = tuple(
            Card(
                s.id,
                s.name,
                s.rejected or (str(s.score) if s.state != "none" else ""),
                s.state,
                self._thumb(s.id, mirror),
                bool(s.rejected),
            )
            for s in session.shots
        )
        guided = self._studio.shooting.guided
        planned: tuple[Planned, ...] = ()
        if session.step == "capture" and guided is not None:
            planned = tuple(
                p
                for p in GUIDED[guided.index :]
                if not guided.kept.get(p.key) and p.key not in guided.skipped
            )
        self._frame.tray.show_frames(cards, session.selected, planned)
        self._frame.tray.show_undo(self._studio.frames.can_undo)

    def _thumb(self, shot_id: str, mirror: bool) -> QImage | None:
        image = self.thumbs.get(shot_id)
        if image is None or not mirror:
            return image
        return image.flipped(Qt.Orientation.Horizontal)

    def show_results(self, session: Session) -> None:
        cards = []
        for result in session.results:
            image = self.thumbs.get(result.shots[0]) if result.shots else None
            cards.append(Card(result.id, result.name, str(len(result.shots)), "ok", image))
        self._frame.tray.show_results(tuple(cards), session.result)

    def _on_show_in_folder(self, shot_id: str) -> None:
        picture = self._studio.frames.picture(shot_id)
        if picture is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(picture.parent)))
