"""Cameras and watched folders as sources of frames.

A source here has no end of its own: it is iterated until it is interrupted or fails.  Any thread
may interrupt it; only the thread that reads it may close it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from hrn_studio.errors import CameraError, SourceError, StudioError
from hrn_studio.live._cv import cv2
from hrn_studio.live.images import read_image
from hrn_studio.records import Bytes, Frame

PICTURES = frozenset((".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".heic", ".heif"))
MIN_SIDE_PX = 64
_POLL_S = 0.25


class Endless:
    """The parts that all endless sources share."""

    fps: float = 0.0

    def __init__(self) -> None:
        self._closing = threading.Event()

    def interrupt(self) -> None:
        """End the iteration soon; from any thread."""
        self._closing.set()

    def close(self) -> None:
        """Free what the source holds; closing twice does nothing."""
        self._closing.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class CameraCapture(Endless):
    """A camera, or the address of an MJPEG stream, read through OpenCV.

    Parameters
    ----------
    where
        OpenCV's index of a camera, or an ``http://`` address.
    size
        Width and height to ask for; what comes may differ.

    Raises
    ------
    CameraError
        It cannot be opened, or it opens and delivers nothing.
    """

    def __init__(
        self,
        where: int | str,
        name: str = "camera",
        size: tuple[int, int] = (1280, 720),
        fps: float = 30.0,
    ) -> None:
        super().__init__()
        self.name = name
        self._lock = threading.Lock()
        self._capture: Any = _opened(where)
        if self._capture is None:
            raise CameraError(
                f"{name} cannot be opened; close other programs that use it, "
                "or allow cameras in the system's privacy settings"
            )
        if isinstance(where, int):
            # Motion JPEG first: raw pictures of this size rarely come at full rate over USB.
            self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
            self._capture.set(cv2.CAP_PROP_FPS, fps)
            self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        claimed = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps = claimed if 1 <= claimed <= 1000 else fps

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while not self._closing.is_set():
            with self._lock:
                if self._capture is None:
                    return
                good, picture = self._capture.read()
            if not good or picture is None:
                if self._closing.is_set():
                    return
                raise CameraError(f"{self.name} stopped sending pictures; reconnect it")
            image = rgb(picture)
            if min(image.shape[:2]) >= MIN_SIDE_PX:
                yield Frame(image, index=index, time_s=time.monotonic(), name=self.name)
                index += 1

    def lock_exposure(self, locked: bool) -> bool:
        """Hold exposure, white balance and focus, or give them back; whether the driver agreed."""
        with self._lock:
            if self._capture is None:
                return False
            wanted = (
                (cv2.CAP_PROP_AUTO_EXPOSURE, 1.0 if locked else 3.0),
                (cv2.CAP_PROP_AUTO_WB, 0.0 if locked else 1.0),
                (cv2.CAP_PROP_AUTOFOCUS, 0.0 if locked else 1.0),
            )
            answers = [bool(self._capture.set(name, value)) for name, value in wanted]
            return all(answers)

    def close(self) -> None:
        super().close()
        with self._lock:
            if self._capture is not None:
                self._capture.release()
                self._capture = None


def rgb(picture: Any) -> Bytes:
    """(H, W, 3) RGB from what OpenCV delivers: grey, BGR or BGRA."""
    array = np.asarray(picture, np.uint8)
    if array.ndim == 2 or array.shape[2] == 1:
        return np.asarray(cv2.cvtColor(array, cv2.COLOR_GRAY2RGB), np.uint8)
    code = cv2.COLOR_BGRA2RGB if array.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(array, code), np.uint8)


def _opened(where: int | str) -> Any:
    level = cv2.getLogLevel()
    cv2.setLogLevel(0)  # a camera that is not there is said by us, once
    try:
        capture = (
            cv2.VideoCapture(where)
            if isinstance(where, int)
            else cv2.VideoCapture(where, cv2.CAP_FFMPEG)
        )
    finally:
        cv2.setLogLevel(level)
    if capture.isOpened():
        return capture
    capture.release()
    return None


class WatchedFolder(Endless):
    """New pictures in a folder, as a tethered camera saves them.

    Pictures that are there at the start are not given.  A file is read when its size has not
    changed between two looks; one that cannot be read is skipped and named in ``skipped``.

    Raises
    ------
    SourceError
        The folder is missing, or goes away while it is watched.
    """

    def __init__(self, folder: str | Path, poll_s: float = _POLL_S) -> None:
        super().__init__()
        self._folder = Path(folder)
        if not self._folder.is_dir():
            raise SourceError(f"'{folder}' is not a folder; choose the one the camera saves to")
        self.name = self._folder.name
        self.skipped: list[str] = []
        self._poll_s = poll_s
        self._known = set(self._sizes())

    def __iter__(self) -> Iterator[Frame]:
        index, before = 0, dict[Path, int]()
        while not self._closing.is_set():
            sizes = self._sizes()
            for path in sorted(sizes.keys() - self._known):
                if sizes[path] <= 0 or before.get(path) != sizes[path]:
                    continue
                self._known.add(path)
                try:
                    frame = read_image(path, index)
                except StudioError as error:
                    self.skipped.append(str(error))
                    continue
                yield frame
                index += 1
            before = sizes
            self._closing.wait(self._poll_s)

    def _sizes(self) -> dict[Path, int]:
        try:
            files = [p for p in self._folder.iterdir() if p.suffix.lower() in PICTURES]
        except OSError as error:
            raise SourceError(
                f"the folder '{self._folder}' went away; connect its drive, or choose another"
            ) from error
        sizes = {}
        for path in files:
            try:
                sizes[path] = path.stat().st_size
            except OSError:  # gone between the two looks
                continue
        return sizes
