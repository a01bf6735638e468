"""The picture's own menu: a reference frame beside it, a grey card, the camera's exposure."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMenu

from hrn_studio.errors import StudioError
from hrn_studio.session.state import Shot
from hrn_studio.ui.mainframe import MainFrame


class Darkroom(QObject):
    """What the picture's menu holds.

    Signals
    -------
    lens_wanted
        The page of settings with the field of view.
    """

    lens_wanted = Signal()

    def __init__(self, frame: MainFrame) -> None:
        super().__init__(frame)
        self._frame, self._studio = frame, frame.studio
        frame.stage.menu_opened.connect(self.fill)
        frame.stage.viewport.pressed.connect(self._on_pressed)
        frame.stage.changed.connect(self._on_options)
        frame.studio.source_changed.connect(self._on_source)

    def fill(self, menu: QMenu) -> None:
        live, options = self._studio.live, self._frame.stage.options
        menu.addSeparator()
        shot = self.candidate()
        if options.reference:
            menu.addAction("Stop comparing").triggered.connect(self._on_alone)
        elif shot is not None:
            menu.addAction(f"Compare with {shot.name}").triggered.connect(self.compare)
        pick = menu.addAction("Pick a grey card")
        pick.setEnabled(live.newest is not None)
        pick.triggered.connect(self._on_pick)
        if live.balanced:
            menu.addAction("Forget the grey card").triggered.connect(live.forget_grey)
        lock = menu.addAction("Lock exposure, colour and focus")
        lock.setCheckable(True)
        lock.setChecked(live.locked)
        is_camera = live.spec is not None and live.spec.kind == "camera"
        lock.setEnabled(is_camera)
        if not is_camera:
            lock.setText("Lock exposure: cameras only")
        lock.triggered.connect(self._on_lock)
        menu.addSeparator()
        menu.addAction("Field of view…").triggered.connect(self.lens_wanted)

    def candidate(self) -> Shot | None:
        """The frame to compare with: the selected one, or the best."""
        session = self._studio.session
        usable = [s for s in session.shots if not s.rejected]
        chosen = [s for s in usable if s.id in session.selected]
        return max(chosen or usable, key=lambda s: s.score, default=None)

    def compare(self) -> None:
        """Show a kept frame on the left of the live picture; the line between can be dragged."""
        shot = self.candidate()
        if shot is not None:
            self._frame.stage.set_options(reference=shot.id)

    def _on_alone(self) -> None:
        self._frame.stage.set_options(reference="")

    def _on_pick(self) -> None:
        self._frame.stage.set_options(picking=True, reference="")

    def _on_pressed(self, key: str, x: float, y: float) -> None:
        if not self._frame.stage.options.picking or key != "picture":
            return
        at = self._frame.show_panes.picture_at(x, y)
        if at is None:
            return
        try:
            self._studio.live.pick_grey(*at)
        except StudioError as error:
            text = str(error)
            self._studio.note(f"{text[0].upper()}{text[1:]}.")
            return
        self._frame.stage.set_options(picking=False)
        self._studio.note("Colours follow the grey card", "Undo", self._studio.live.forget_grey)

    def _on_lock(self, on: bool) -> None:
        if not self._studio.live.lock_exposure(on):
            self._studio.note("This camera does not let its exposure be locked.")

    def _on_source(self) -> None:
        if self._studio.live.spec is None and self._frame.stage.options.picking:
            self._frame.stage.set_options(picking=False)

    def _on_options(self) -> None:
        viewport = self._frame.stage.viewport
        if self._frame.stage.options.picking:
            viewport.setCursor(Qt.CursorShape.CrossCursor)
        else:
            viewport.unsetCursor()
