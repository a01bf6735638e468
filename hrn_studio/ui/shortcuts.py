"""What each key does.  The keys themselves are in :mod:`.keys`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit

from hrn_studio.session.state import STEPS
from hrn_studio.ui import keys

if TYPE_CHECKING:
    from hrn_studio.ui.window import Window


def install(window: Window) -> dict[str, QShortcut]:
    """A shortcut per action, by name."""
    stage, studio, tray = window.stage, window.studio, window.tray
    o = stage.set_options

    def toggle(name: str) -> Callable[[], None]:
        return lambda: o(**{name: not getattr(stage.options, name)})

    def look(key: str) -> Callable[[], None]:
        def change() -> None:
            if studio.session.step in ("live", "capture", "fit"):
                o(look=key)
            elif studio.session.step == "review" and key in ("clay", "textured"):
                o(review=key)
            elif studio.session.step == "export" and key != "normals":
                o(asset=key)

        return change

    def layout(index: int) -> Callable[[], None]:
        order = ("split", "overlay", "picture", "mesh")
        return lambda: stage.choose_layout(order[index])  # type: ignore[arg-type]

    def step(index: int) -> Callable[[], None]:
        return lambda: window.go(STEPS[index])

    def tab() -> None:
        tray.show_tab("plots" if tray.tab != "plots" else "frames")

    def full() -> None:
        window.showNormal() if window.isFullScreen() else window.showFullScreen()

    def select_all() -> None:
        studio.frames.select([s.id for s in studio.session.shots])

    def neighbour(by: int) -> Callable[[], None]:
        def move() -> None:
            shots = studio.session.shots
            if not shots:
                return
            at = [i for i, s in enumerate(shots) if s.id in studio.session.selected]
            now = at[-1 if by > 0 else 0] if at else (-1 if by > 0 else len(shots))
            studio.frames.select([shots[min(max(now + by, 0), len(shots) - 1)].id])

        return move

    actions: dict[str, Callable[[], None]] = {
        "take_always": lambda: take(window),
        "skip": studio.shooting.skip,
        "sound": window.announcer.next_sound,
        "escape": lambda: escape(window),
        "plots": tab,
        "full": full,
        "mirror": toggle("mirror"),
        "zebra": toggle("zebra"),
        "grid": toggle("grid"),
        "clay": look("clay"),
        "textured": look("textured"),
        "wireframe": look("wireframe"),
        "normals": look("normals"),
        "reset": stage.reset_view,
        "light": toggle("move_light"),
        "drive": window.review.drive.toggle,
        "fit": studio.fit_selected,
        "reject": studio.frames.reject,
        "delete": studio.frames.delete,
        "undo": studio.frames.undo,
        "previous": neighbour(-1),
        "next": neighbour(1),
        "all": select_all,
        "open": window.opening.choose_files,
        "to_export": lambda: window.go("export"),
        "export": window.delivery.export_now,
        "settings": window.preferences.show_settings,
        "help": window.preferences.show_help,
    }
    actions |= {f"step_{i + 1}": step(i) for i in range(5)}
    actions |= {name: layout(i) for i, name in enumerate(("split", "overlay", "picture", "mesh"))}
    table = keys.by_name(studio.settings.window.keys)
    made: dict[str, QShortcut] = {}
    for name, action in actions.items():
        shortcut = QShortcut(QKeySequence(table[name]), window)
        shortcut.activated.connect(_unless_typing(window, name, action))
        made[name] = shortcut
    for key in keys.REMOTE:
        remote = QShortcut(QKeySequence(key), window)
        remote.activated.connect(lambda: take(window))
    return made


def rebind(window: Window, shortcuts: dict[str, QShortcut]) -> None:
    """The user's own keys, and the tooltips that name them."""
    table = keys.by_name(window.studio.settings.window.keys)
    for name, shortcut in shortcuts.items():
        shortcut.setKey(QKeySequence(table[name]))
    stage = window.stage
    shown: dict[str, QAbstractButton] = {
        "mirror": stage.mirror,
        "zebra": stage.zebra,
        "grid": stage.grid,
        "light": stage.light,
        "reset": stage.reset,
        **{str(key): tool for key, tool in stage.layouts.items()},
    }
    for name, button in shown.items():
        plain = button.toolTip().rpartition(" (")[0]
        button.setToolTip(f"{plain} ({table[name]})")


def _unless_typing(window: Window, name: str, action: Callable[[], None]) -> Callable[[], None]:
    """Keys do nothing below a sheet, and plain letters nothing in a field."""

    def run() -> None:
        if window.sheet is not None and name != "escape":
            return
        if isinstance(QApplication.focusWidget(), QLineEdit) and name != "escape":
            return
        action()

    return run


def take(window: Window) -> None:
    if window.sheet is None and window.studio.session.step in ("live", "capture", "fit"):
        window.studio.shooting.take()


def escape(window: Window) -> None:
    """Close what is open, end guided capture, or cancel the fit that is shown."""
    if window.sheet is not None:
        window.sheet.close_sheet()
        return
    studio = window.studio
    if window.stage.options.picking:
        window.stage.set_options(picking=False)
    elif studio.session.step == "capture":
        studio.shooting.end_guided()
    elif studio.session.step == "fit" and studio.fits.running is not None:
        studio.fits.cancel(studio.fits.running.id)


def pressed(window: Window, event: QKeyEvent) -> bool:
    """Space takes a frame, unless a button was reached with Tab; O and B work while held."""
    if window.sheet is not None:
        return False
    key, focus = event.key(), QApplication.focusWidget()
    if key == Qt.Key.Key_Space and not event.isAutoRepeat():
        if isinstance(focus, QAbstractButton) and focus.property("keyboard"):
            return False
        take(window)
        return True
    if key == Qt.Key.Key_O and not event.modifiers():
        window.stage.set_options(photo_only=True)
        return True
    if key == Qt.Key.Key_B and not event.modifiers():
        window.stage.set_options(before=True)
        return True
    return False


def released(window: Window, event: QKeyEvent) -> None:
    if event.isAutoRepeat():
        return
    if event.key() == Qt.Key.Key_O:
        window.stage.set_options(photo_only=False)
    elif event.key() == Qt.Key.Key_B:
        window.stage.set_options(before=False)
