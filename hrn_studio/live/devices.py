"""Which cameras there are, by a name that survives plugging them out and in.

Linux names them in ``/dev/v4l/by-id`` (falling back to ``/sys/class/video4linux``).  Elsewhere the
optional package ``cv2-enumerate-cameras`` gives names; without it the first four indices are
offered, unnamed.  Nothing here opens a camera.
"""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path

_BY_ID = Path("/dev/v4l/by-id")
_SYS = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class Device:
    """A camera as the system knows it."""

    id: str
    """What is remembered: stays the same when other cameras come and go."""
    name: str
    index: int
    """What OpenCV opens now; another number may be right tomorrow."""


def cameras(by_id: Path = _BY_ID, system: Path = _SYS) -> tuple[Device, ...]:
    """The cameras that are plugged in, in the system's order."""
    if sys.platform.startswith("linux"):
        return _linux(by_id, system)
    return _enumerated()


def find(device_id: str, among: tuple[Device, ...]) -> Device | None:
    """The device with this id, else one with the same name, else None."""
    exact = next((d for d in among if d.id == device_id), None)
    return exact or next((d for d in among if d.name == device_id), None)


def _linux(by_id: Path, system: Path) -> tuple[Device, ...]:
    links = sorted(by_id.glob("*-video-index0")) if by_id.is_dir() else []
    ids = {number: link.name for link in links if (number := _number(link.resolve())) is not None}
    found = []
    for folder in sorted(system.glob("video*")) if system.is_dir() else []:
        number = _number(folder)
        if number is None or _text(folder / "index") not in ("", "0"):
            continue
        name = _text(folder / "name") or f"Camera {number}"
        found.append(Device(ids.get(number, name), name.split(":")[0].strip(), number))
    return tuple(sorted(found, key=lambda d: d.index))


def _number(path: Path) -> int | None:
    match = re.search(r"video(\d+)$", path.name)
    return int(match.group(1)) if match else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _enumerated() -> tuple[Device, ...]:
    try:
        module = importlib.import_module("cv2_enumerate_cameras")
    except ImportError:
        return tuple(Device(f"index {i}", f"Camera {i + 1}", i) for i in range(4))
    found = module.enumerate_cameras()
    return tuple(Device(str(c.path or c.name), str(c.name), int(c.index)) for c in found)
