"""The keys, in one table: what the shortcuts sheet shows and the window listens to."""

from __future__ import annotations

from collections.abc import Mapping

KEYS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Capture",
        (
            ("take", "Space", "Take a frame (a remote’s Page Down, too)"),
            ("take_always", "Ctrl+Space", "Take, while a button has the focus"),
            ("skip", "S", "Skip this shot"),
            ("sound", "V", "Instructions by ear: off, chimes, voice"),
            ("escape", "Esc", "End guided, cancel a fit, close"),
        ),
    ),
    (
        "Steps and panes",
        (
            ("step_1", "Ctrl+1", "Live"),
            ("step_2", "Ctrl+2", "Capture"),
            ("step_3", "Ctrl+3", "Fit"),
            ("step_4", "Ctrl+4", "Review"),
            ("step_5", "Ctrl+5", "Export"),
            ("split", "1", "Split"),
            ("overlay", "2", "Overlay"),
            ("picture", "3", "Picture"),
            ("mesh", "4", "3D"),
            ("plots", "P", "Plots"),
            ("full", "F11", "Full screen"),
        ),
    ),
    (
        "Picture and mesh",
        (
            ("mirror", "M", "Mirror"),
            ("zebra", "Z", "Zebra"),
            ("grid", "G", "Grid"),
            ("clay", "C", "Clay"),
            ("textured", "T", "Texture"),
            ("wireframe", "W", "Wire"),
            ("normals", "N", "Normals"),
            ("reset", "R", "Reset the view"),
            ("light", "L", "Move the key light"),
            ("photo", "O", "Hold: photo only"),
            ("before", "B", "Hold: the stage before"),
            ("drive", "D", "Drive with my face"),
        ),
    ),
    (
        "Frames",
        (
            ("fit", "F", "Fit the selected frames"),
            ("reject", "X", "Set aside, or take back"),
            ("delete", "Del", "Delete"),
            ("undo", "Ctrl+Z", "Undo"),
            ("previous", "Left", "Frame before"),
            ("next", "Right", "Next frame"),
            ("all", "Ctrl+A", "Select all"),
        ),
    ),
    (
        "Program",
        (
            ("open", "Ctrl+O", "Open photos or a video"),
            ("to_export", "Ctrl+E", "Go to Export"),
            ("export", "Ctrl+Return", "Export"),
            ("settings", "Ctrl+,", "Settings"),
            ("help", "F1", "This sheet"),
        ),
    ),
)
REMOTE = ("PgDown", "Volume Up")
"""Also take a frame."""


FIXED = ("take", "photo", "before")
"""Held down or shared with buttons: these keys cannot be changed."""


def by_name(own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Key by action, with the user's own."""
    table = {name: key for _, group in KEYS for name, key, _ in group}
    mine = {name: key for name, key in (own or {}).items() if name in table and name not in FIXED}
    return table | mine


def label_of(name: str) -> str:
    """What an action does, in words."""
    return next(text for _, group in KEYS for action, _, text in group if action == name)
