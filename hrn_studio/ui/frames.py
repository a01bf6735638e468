"""What may be done with the kept frames: choose, set aside, delete, rename, and take it back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from hrn_studio.session import state as changes
from hrn_studio.session.state import Shot
from hrn_studio.ui.desk import Desk


class Frames:
    """The kept frames of a desk's session."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._undo: list[Callable[[], None]] = []

    def select(self, ids: Iterable[str]) -> None:
        wanted = frozenset(ids)
        if wanted != self._desk.session.selected:
            self._desk.apply(lambda s: changes.selecting(s, wanted))

    def reject(self) -> None:
        """Set the selected frames aside, or take them back when all are."""
        chosen = [s for s in self._desk.session.shots if s.id in self._desk.session.selected]
        if not chosen:
            return
        reason = "" if all(s.rejected for s in chosen) else "out"
        before = {s.id: s.rejected for s in chosen}
        self._set_aside({s.id: reason for s in chosen})
        if reason:
            self._undo.append(lambda: self._set_aside(before))
            self._desk.note(f"{_named(chosen)} set aside", "Undo", self.undo)

    def _set_aside(self, reasons: dict[str, str]) -> None:
        for shot_id, reason in reasons.items():
            self._desk.apply(lambda s, i=shot_id, r=reason: changes.rejected(s, [i], r))  # type: ignore[misc]
            shot = self._desk.session.shot(shot_id)
            if shot is not None:
                self._desk.tried(lambda store, shot=shot: store.update(shot))  # type: ignore[misc]

    def delete(self) -> None:
        """Put frames aside for good, until the session is closed; with undo."""
        gone = [s for s in self._desk.session.shots if s.id in self._desk.session.selected]
        gone = [s for s in gone if self._desk.tried(lambda store, s=s: store.delete(s.id))]  # type: ignore[misc]
        if not gone:
            return
        self._desk.apply(lambda s: changes.without_shots(s, [g.id for g in gone]))
        self._undo.append(lambda: self._restore(gone))
        self._desk.note(f"{_named(gone)} deleted", "Undo", self.undo)

    def _restore(self, gone: list[Shot]) -> None:
        back = [s for s in gone if self._desk.tried(lambda store, s=s: store.restore(s.id))]  # type: ignore[misc]
        self._desk.apply(lambda s: changes.with_shots_back(s, back))

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    def undo(self) -> None:
        """Take back the last reject or delete."""
        if self._undo:
            self._undo.pop()()

    def rename(self, shot_id: str, name: str) -> None:
        self._desk.apply(lambda s: changes.renamed_shot(s, shot_id, name))
        shot = self._desk.session.shot(shot_id)
        if shot is not None:
            self._desk.tried(lambda store: store.update(shot))

    def picture(self, shot_id: str) -> Path | None:
        return self._desk.store.picture(shot_id) if self._desk.store is not None else None

    def forget(self) -> None:
        """Another session: nothing of this one can be taken back."""
        self._undo.clear()


def _named(shots: list[Shot]) -> str:
    return shots[0].name if len(shots) == 1 else f"{len(shots)} frames"
