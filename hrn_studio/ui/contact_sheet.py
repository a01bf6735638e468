"""Fills the tray: a card with a thumbnail for each frame and each result."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QImage

from hrn_studio.session.state import GUIDED, Planned, Session
from hrn_studio.ui.cards import Card
from hrn_studio.ui.mainframe import MainFrame
from hrn_studio.ui.pictures import qimage


class ContactSheet(QObject):
    """The tray of a window."""

    def __init__(self, frame: MainFrame) -> None:
        super().__init__(frame)
        self._frame, self._studio = frame, frame.studio
        self.thumbs: dict[str, QImage] = {}
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

    def show_frames(self, session: Session) -> None:
        for shot in session.shots:
            if shot.id not in self.thumbs:
                pixels = self._studio.frames.thumb(shot.id)
                if pixels is not None:
                    self.thumbs[shot.id] = qimage(pixels)
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
