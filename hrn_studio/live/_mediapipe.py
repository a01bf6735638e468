"""MediaPipe 0.10.21, seen as plain functions of arrays.

MediaPipe is imported when the first graph is made: it costs half a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np

from hrn_studio.live._quiet import quiet
from hrn_studio.records import Bytes, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """Where a detector sees a face, pixels."""

    x: float
    y: float
    width: float
    height: float
    score: float


class _Graph:
    """One of MediaPipe's legacy solutions; made quietly, closed once."""

    def __init__(self, solution: Any, **options: Any) -> None:
        with quiet():
            self._solution = solution(**options)
            # The graph's threads go on logging until it has seen a picture.
            self._solution.process(np.zeros((64, 64, 3), np.uint8))

        self._has_worked = False

    def _process(self, image: Bytes, output: str) -> Any:
        image = np.ascontiguousarray(image)
        if self._has_worked:
            return self._found(image, output)
        with quiet():  # ... and a face
            found = self._found(image, output)
        self._has_worked = len(found) > 0
        return found

    def _found(self, image: Bytes, output: str) -> Any:
        found = getattr(self._solution.process(image), output)
        return () if found is None else found

    def close(self) -> None:
        """Free the graph; closing twice does nothing."""
        if self._solution is not None:
            self._solution.close()
            self._solution = None


class FaceMesh(_Graph):
    """478 landmarks of each face."""

    def __init__(self, video: bool, max_faces: int, min_confidence: float = 0.5) -> None:
        with quiet():
            from mediapipe.python.solutions import face_mesh

        super().__init__(
            face_mesh.FaceMesh,
            static_image_mode=not video,
            max_num_faces=max_faces,
            refine_landmarks=True,
            min_detection_confidence=min_confidence,
            min_tracking_confidence=min_confidence,
        )

    def faces(self, image: Bytes) -> list[Floats]:
        """(478, 3) for each face: x right and y down in pixels, depth in the same unit."""
        found = self._process(image, "multi_face_landmarks")
        height, width = image.shape[:2]
        scale = np.array([width, height, width], np.float32)
        return [
            np.array([(p.x, p.y, p.z) for p in face.landmark], np.float32) * scale for face in found
        ]


class FaceDetector(_Graph):
    """Boxes around faces, also small ones (the full-range model, up to about 5 m)."""

    def __init__(self, min_confidence: float = 0.5) -> None:
        with quiet():
            from mediapipe.python.solutions import face_detection

        super().__init__(
            face_detection.FaceDetection,
            model_selection=1,
            min_detection_confidence=min_confidence,
        )

    def boxes(self, image: Bytes) -> list[Box]:
        height, width = image.shape[:2]
        found = self._process(image, "detections")
        boxes = []
        for detection in found:
            box = detection.location_data.relative_bounding_box
            boxes.append(
                Box(
                    box.xmin * width,
                    box.ymin * height,
                    box.width * width,
                    box.height * height,
                    float(detection.score[0]),
                )
            )
        return boxes


class Segmenter(_Graph):
    """Person against background."""

    def __init__(self) -> None:
        with quiet():
            from mediapipe.python.solutions import selfie_segmentation

        super().__init__(selfie_segmentation.SelfieSegmentation, model_selection=0)

    def person(self, image: Bytes) -> Floats:
        """(h, w) 0..1: 1 on a person.  Computed at 256 x 256 px."""
        return np.array(self._process(image, "segmentation_mask"), np.float32)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class HandTracker(_Graph):
    """21 landmarks of each hand."""

    def __init__(self, min_confidence: float = 0.6) -> None:
        with quiet():
            from mediapipe.python.solutions import hands

        super().__init__(
            hands.Hands,
            static_image_mode=True,
            max_num_hands=2,
            model_complexity=0,
            min_detection_confidence=min_confidence,
        )

    def hands(self, image: Bytes) -> list[Floats]:
        """(21, 2) for each hand: x right and y down in pixels; wrist, then thumb to little finger.

        The fingers' joints follow from the palm to the tip.
        """
        found = self._process(image, "multi_hand_landmarks")
        scale = np.array([image.shape[1], image.shape[0]], np.float32)
        return [np.array([(p.x, p.y) for p in hand.landmark], np.float32) * scale for hand in found]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
