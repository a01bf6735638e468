"""Find faces in stills of any size.

FaceMesh looks for faces with a detector made for selfies: it misses a face that is small in its
picture.  So a picture in which nothing is found is searched again with the full-range detector,
as a whole and then in overlapping windows of finer and finer scale.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hrn_studio.live._cv import cv2
from hrn_studio.live._mediapipe import FaceDetector, FaceMesh
from hrn_studio.live._views import View, base_around, look, unmapped
from hrn_studio.records import Bytes, Floats

_COPY_PX = 1280
"""Large pictures are searched in a copy of this size; a face in it has enough pixels."""
_WINDOW_PX = 640


class FaceSearch:
    """Finds all faces of a picture, roughly; holds networks until closed."""

    def __init__(self, max_faces: int = 4) -> None:
        self._mesh = FaceMesh(video=False, max_faces=max_faces)
        self._one: FaceMesh | None = None
        self._detector: FaceDetector | None = None

    def faces(self, image: Bytes, harder: bool = True) -> list[Floats]:
        """Landmarks (478, 3) of each face in pixels of the picture, largest first.

        ``harder`` looks for small faces when there is no large one.
        """
        copy, scale = _shrunk(image, _COPY_PX)
        found = [points * scale for points in self._mesh.faces(copy)]
        if not found and harder:
            found = self._search_harder(image)
        return sorted(found, key=_size, reverse=True)

    def close(self) -> None:
        for graph in (self._mesh, self._one, self._detector):
            if graph is not None:
                graph.close()

    def _search_harder(self, image: Bytes) -> list[Floats]:
        if self._one is None or self._detector is None:
            self._one = FaceMesh(video=False, max_faces=1)
            self._detector = FaceDetector()
        for level in _windows(image.shape[1], image.shape[0]):
            found: list[Floats] = []
            for x0, y0, x1, y1 in level:
                window, scale = _shrunk(image[y0:y1, x0:x1], _WINDOW_PX)
                for box in self._detector.boxes(window):
                    low = np.array([box.x, box.y], np.float32)
                    high = low + np.array([box.width, box.height], np.float32)
                    corner = np.array([x0, y0], np.float32)
                    base = base_around(image, np.stack([low, high]) * scale + corner)
                    crop, to_crop = look(base, View())
                    for points in self._one.faces(crop):
                        points = unmapped(points, to_crop, View())
                        if all(_apart(points, other) for other in found):
                            found.append(points)
            if found:
                return found
        return []


def _size(points: Floats) -> float:
    return float(np.ptp(points[:, :2], axis=0).max())


def _apart(a: Floats, b: Floats) -> bool:
    """Whether two detections are of different faces."""
    distance = np.linalg.norm(a[:, :2].mean(axis=0) - b[:, :2].mean(axis=0))
    return bool(distance > 0.5 * min(_size(a), _size(b)))


def _shrunk(image: Bytes, longest: int) -> tuple[Bytes, float]:
    """A copy with sides of at most ``longest``, and the picture's pixels per pixel of it."""
    scale = max(image.shape[:2]) / longest
    if scale <= 1:
        return image, 1.0
    shape = (max(1, round(image.shape[1] / scale)), max(1, round(image.shape[0] / scale)))
    return np.asarray(cv2.resize(image, shape, interpolation=cv2.INTER_AREA), np.uint8), scale


def _windows(width: int, height: int) -> Iterator[list[tuple[int, int, int, int]]]:
    """Level by level the whole picture, then windows of half the size, down to full resolution.

    Windows (x0, y0, x1, y1) overlap by a third, so that no face is cut in all of them.
    """
    side = max(width, height)
    yield [(0, 0, width, height)]
    while side > _WINDOW_PX:
        side = max(side // 2, _WINDOW_PX)
        yield [
            (x, y, x + min(side, width), y + min(side, height))
            for y in _starts(height, side)
            for x in _starts(width, side)
        ]


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side * 2 / 3))) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]
