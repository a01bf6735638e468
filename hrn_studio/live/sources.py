"""Where frames come from: video files, pictures, and lists of frames for tests.

A source is iterated once, from its first frame to its last, and then closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from hrn_studio.errors import SourceError
from hrn_studio.live._cv import cv2
from hrn_studio.live.images import read_image
from hrn_studio.records import Frame

_DEFAULT_FPS = 30.0


class FrameSource(Protocol):
    """A stream of frames; a context manager."""

    @property
    def name(self) -> str:
        """For people: a file's or a camera's name."""

    @property
    def fps(self) -> float:
        """Nominal frames per second; 0 for pictures that are no stream."""

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order.  Raises ``SourceError``."""

    def close(self) -> None:
        """Stop and free what the source holds; closing twice does nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class _Closing:
    """The context manager of a source."""

    def close(self) -> None:
        """Nothing to free."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class VideoFile(_Closing):
    """The frames of a video, turned upright as the file says, with its time stamps.

    Raises
    ------
    SourceError
        The file is missing, is not a video, or holds no frame.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        if path.is_dir():
            raise SourceError(f"'{path}' is a folder; give a video file in it")
        if not path.exists():
            raise SourceError(f"'{path}' does not exist; check the name and the folder")
        self.name = path.name
        self._capture: Any = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        fps = float(self._capture.get(cv2.CAP_PROP_FPS)) if self._capture.isOpened() else 0.0
        self.fps = fps if 0 < fps < 1000 else _DEFAULT_FPS
        self._first = self._read(0, -1.0) if self._capture.isOpened() else None
        if self._first is None:
            self.close()
            raise SourceError(
                f"'{path}' is not a video that can be read; convert it to MP4 (H.264)"
            )

    @property
    def count(self) -> int:
        """How many frames the file claims to hold; 0 when it does not say."""
        claimed = self._capture.get(cv2.CAP_PROP_FRAME_COUNT) if self._capture else 0
        return max(0, int(claimed))

    def __iter__(self) -> Iterator[Frame]:
        frame, self._first = self._first, None
        while frame is not None:
            yield frame
            frame = self._read(frame.index + 1, frame.time_s)

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _read(self, index: int, previous_s: float) -> Frame | None:
        if self._capture is None:
            return None
        good, picture = self._capture.read()
        if not good:
            return None
        time_s = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
        if not np.isfinite(time_s) or time_s <= previous_s:  # broken or missing time stamps
            time_s = previous_s + 1 / self.fps if index else 0.0
        image = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        return Frame(np.asarray(image, np.uint8), index=index, time_s=time_s, name=self.name)


class Stills(_Closing):
    """Pictures from files, read one by one.  A file that cannot be read raises ``ImageError``."""

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self._paths = [Path(path) for path in paths]
        self.name = self._paths[0].name if len(self._paths) == 1 else f"{len(self._paths)} pictures"
        self.fps = 0.0

    def __iter__(self) -> Iterator[Frame]:
        for index, path in enumerate(self._paths):
            yield read_image(path, index)


class Frames(_Closing):
    """Frames that are already there: the double of the other sources."""

    def __init__(self, frames: Iterable[Frame], fps: float = 30.0, name: str = "frames") -> None:
        self._frames = tuple(frames)
        self.fps = fps
        self.name = name

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames)
