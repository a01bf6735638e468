"""What every part of the window works on: the session, its folder, the settings and the log."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from hrn_studio import paths, settings
from hrn_studio.errors import StudioError
from hrn_studio.session.state import Change, Session
from hrn_studio.session.store import Store, session_name
from hrn_studio.settings import Settings
from hrn_studio.ui.log import Log


@dataclass(frozen=True, slots=True, eq=False)
class Note:
    """A toast: something finished or was undone, with at most one button."""

    text: str
    button: str = ""
    action: Callable[[], None] | None = None


class Desk(QObject):
    """Holds one frozen :class:`~hrn_studio.session.state.Session`, and how it may change.

    Signals
    -------
    changed
        The session: old, new.
    settings_changed
        Look again.
    noted
        A :class:`Note` to show for a while.
    """

    changed = Signal(object, object)
    settings_changed = Signal()
    noted = Signal(object)

    def __init__(
        self,
        chosen: Settings,
        settings_file: Path | None = None,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        super().__init__()
        self.settings = chosen
        self.session = Session()
        self.log = Log()
        self.now = now
        self.store: Store | None = None
        self._settings_file = settings_file

    # --- the session ---

    def apply(self, change: Change) -> None:
        """Another session; whoever listens is told the old and the new one."""
        old, new = self.session, change(self.session)
        if new is not old:
            self.session = new
            self.changed.emit(old, new)

    def store_now(self) -> Store | None:
        """The session's folder, made when the first frame comes; None when it is refused."""
        if self.store is None:
            now = self.now()
            name = self.session.name
            name = session_name(now) if name == Session().name else name
            try:
                self.store = Store.create(self.sessions_folder, name, now)
            except StudioError as error:
                self.note(str(error))
                return None
            folder = str(self.store.folder)
            self.apply(lambda s: dataclasses.replace(s, folder=folder, name=name))
        return self.store

    def tried(self, action: Callable[[Store], None]) -> bool:
        """Whether the folder took it; what went wrong is noted."""
        if self.store is None:
            return False
        try:
            action(self.store)
        except StudioError as error:
            self.note(str(error))
            return False
        return True

    # --- settings and notes ---

    @property
    def sessions_folder(self) -> Path:
        own = self.settings.capture.folder
        return Path(own) if own else paths.sessions_dir()

    @property
    def export_folder(self) -> Path:
        own = self.settings.window.export_folder
        return Path(own) if own else paths.exports_dir()

    def use(self, chosen: Settings) -> None:
        """Other settings, at once and for the next start."""
        if chosen == self.settings:
            return
        self.settings = chosen
        if self._settings_file is not None:
            try:
                settings.save(chosen, self._settings_file)
            except OSError as error:
                self.log.add(f"the settings were not saved: {error}")
        self.settings_changed.emit()

    def change(self, group: str, **values: Any) -> None:
        """Some settings of a group (``camera``, ``fit``, ...)."""
        changed = dataclasses.replace(getattr(self.settings, group), **values)
        self.use(dataclasses.replace(self.settings, **{group: changed}))

    def note(self, text: str, button: str = "", action: Callable[[], None] | None = None) -> None:
        self.log.add(text)
        self.noted.emit(Note(text, button, action))
