"""Which source the user chose, and how it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from hrn_studio import paths
from hrn_studio.errors import CameraError
from hrn_studio.live.capture import PICTURES, CameraCapture, WatchedFolder
from hrn_studio.live.devices import cameras, find
from hrn_studio.live.feed import RETRY_S, Feed
from hrn_studio.live.sources import FrameSource, Stills, VideoFile

SourceKind: TypeAlias = Literal["camera", "stream", "video", "pictures", "folder", "demo"]
VIDEOS = frozenset((".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm"))


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source by what the user knows of it."""

    kind: SourceKind
    where: str
    """A camera's id, an address, a file or folder; pictures one per line."""
    name: str
    size: tuple[int, int] = (1280, 720)
    fps: float = 30.0

    @property
    def is_camera(self) -> bool:
        return self.kind in ("camera", "stream")

    @property
    def is_still(self) -> bool:
        return self.kind in ("pictures", "folder")

    def feed(self, retry_s: float = RETRY_S) -> Feed:
        """A feed that opens it; not started."""
        film = self.kind in ("video", "demo")
        return Feed(
            self.open,
            reconnect=self.is_camera,
            paced=film,
            loop=film,
            patient=self.is_still,
            retry_s=retry_s,
        )

    def open(self) -> FrameSource:
        """The open source.  Raises ``SourceError``."""
        if self.kind == "camera":
            device = find(self.where, cameras())
            if device is None:
                raise CameraError(f"{self.name} is not plugged in; plug it in")
            return CameraCapture(device.index, self.name, self.size, self.fps)
        if self.kind == "stream":
            return CameraCapture(self.where, self.name)
        if self.kind == "folder":
            return WatchedFolder(self.where)
        if self.kind == "pictures":
            return Stills(self.where.splitlines())
        return VideoFile(self.where)


def demo() -> SourceSpec | None:
    """The bundled film; None when this installation has none."""
    folder = paths.resources() / "demo"
    films = sorted(f for f in folder.glob("*") if f.suffix.lower() in VIDEOS)
    return SourceSpec("demo", str(films[0]), "Demo") if films else None


def from_paths(files: list[Path]) -> SourceSpec | None:
    """What dropped or chosen files are: a video, pictures, or a folder of pictures."""
    files = [f for f in files if f.exists()]
    if len(files) == 1 and files[0].is_dir():
        inside = sorted(f for f in files[0].iterdir() if f.suffix.lower() in PICTURES)
        return from_paths(inside) if inside else watched(files[0])
    videos = [f for f in files if f.suffix.lower() in VIDEOS]
    if videos:
        return SourceSpec("video", str(videos[0]), videos[0].name)
    pictures = [f for f in files if f.suffix.lower() in PICTURES]
    if not pictures:
        return None
    name = pictures[0].name if len(pictures) == 1 else f"{len(pictures)} pictures"
    return SourceSpec("pictures", "\n".join(map(str, pictures)), name)


def watched(folder: Path) -> SourceSpec:
    return SourceSpec("folder", str(folder), folder.name)
