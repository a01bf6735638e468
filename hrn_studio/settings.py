"""What the user chose, kept between runs: a frozen tree in one JSON file.

``SCHEMA`` goes up when a name changes its meaning or goes away; a new name with a default needs
no new number, because :func:`load` fills in what a file lacks and leaves out what it does not know.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """The live camera."""

    index: int = 0
    width: int = 1280
    height: int = 720
    hfov_deg: float = 60.0
    """Horizontal field of view, degrees."""
    fps: int = 30
    device: str = ""
    """The system's name of the camera used last; empty for the first there is."""
    mirror: bool = True
    """Show the picture as a mirror does; what is computed never changes."""
    engine: Literal["studio", "hrn"] = "studio"
    """What sees the live face; the other needs the user's own HRN files."""
    network: bool = False
    """Let the face network look at the live face too, besides the studio's learned maps."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What a fit does unless told otherwise."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    texture_px: Literal[1024, 2048, 4096] = 2048
    stage: Literal["coarse", "mid", "fine"] = "fine"
    white_balance: bool = True
    engine: Literal["studio", "hrn", "hrn-mv"] = "studio"
    """What gives the head its shape; the others need the user's own HRN files."""
    network: bool = False
    """Let the face network look at the pictures too, besides the studio's learned maps."""


@dataclass(frozen=True, slots=True)
class GuidanceSettings:
    """What counts as a good frame."""

    preset: Literal["relaxed", "reconstruction", "passport"] = "reconstruction"
    limits: dict[str, list[float]] = field(default_factory=dict)
    """The user's own limits by measure, as ``quality_limits.as_numbers`` writes them."""
    brief: bool = False
    """Five rows instead of all."""


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """How frames are taken."""

    automatic: bool = True
    burst: Literal[1, 3, 5] = 5
    countdown_s: Literal[0, 3, 5] = 0
    folder: str = ""
    """Where sessions are kept; empty for the user's data folder."""
    sound: Literal["off", "chime", "voice"] = "off"
    """Whether the instruction is told by ear, too."""


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How the window looks."""

    theme: Literal["system", "dark", "light"] = "dark"
    text_percent: Literal[100, 115, 130, 150] = 100
    reduce_motion: bool = False
    keys: dict[str, str] = field(default_factory=dict)
    """The user's own keys by action."""
    export_folder: str = ""
    """Where exports go; empty for the user's data folder."""
    plot_first: str = "jawOpen"
    plot_second: str = "mouthSmileLeft"
    """Expressions in the plots."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is kept."""

    schema_version: int = SCHEMA
    camera: CameraSettings = field(default_factory=CameraSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    guidance: GuidanceSettings = field(default_factory=GuidanceSettings)
    capture: CaptureSettings = field(default_factory=CaptureSettings)
    window: WindowSettings = field(default_factory=WindowSettings)


def load(file: Path) -> tuple[Settings, tuple[str, ...]]:
    """The settings in ``file``, and notes in words on what could not be taken from it.

    A missing file gives the defaults without a note; a damaged file, a value of the wrong kind or
    a file of another schema gives defaults for what is unusable, with a note.  Never raises for
    what a file may hold.
    """
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings(), ()
    except (OSError, ValueError) as error:
        return Settings(), (f"the settings in {file} cannot be read ({error}); using defaults",)
    if not isinstance(values, dict) or values.get("schema_version") != SCHEMA:
        return Settings(), (f"the settings in {file} are of another version; using defaults",)
    notes: list[str] = []
    settings = _read(Settings, values, "", notes)
    return settings, tuple(f"{note} in {file}; using the default" for note in notes)


def save(settings: Settings, file: Path) -> None:
    """Write ``settings`` to ``file``; a reader sees the old file or the new one, nothing between.

    Raises
    ------
    OSError
        The folder cannot be made or written; the old file is untouched.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=file.name, dir=file.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(dataclasses.asdict(settings), stream, indent=2)
            stream.write("\n")
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _read(kind: type[Any], values: dict[str, Any], prefix: str, notes: list[str]) -> Any:
    """One dataclass from ``values``; what does not fit is left at its default and noted."""
    taken: dict[str, Any] = {}
    hints: dict[str, Any] = get_type_hints(kind)
    for name, hint in hints.items():
        if name not in values:
            continue
        value = values[name]
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            if isinstance(value, dict):
                taken[name] = _read(hint, value, f"{prefix}{name}.", notes)
            else:
                notes.append(f"'{prefix}{name}' is not a group of settings")
        elif _fits(value, hint):
            taken[name] = value
        else:
            notes.append(f"'{prefix}{name}' cannot be {value!r}")
    return kind(**taken)


def _fits(value: object, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(hint))
    if get_origin(hint) is dict:
        key, item = get_args(hint)
        return isinstance(value, dict) and all(
            _fits(k, key) and _fits(v, item) for k, v in value.items()
        )
    if get_origin(hint) is list:
        return isinstance(value, list) and all(_fits(v, get_args(hint)[0]) for v in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is hint
