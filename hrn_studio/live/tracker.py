"""Landmark trackers: where the face is in a frame.

:class:`LandmarkTracker` is what the rest of the program knows; :class:`MediaPipeTracker` is the
default one, :class:`~hrn_studio.live.recorded.RecordedTracker` replays tracks in tests.
"""

from __future__ import annotations

from types import TracebackType
from typing import Literal, Protocol, Self

import numpy as np

from hrn_studio.errors import FaceCutError, FaceTooSmallError, FaceTurnedError, NoFaceError
from hrn_studio.live._mediapipe import FaceMesh
from hrn_studio.live.facemesh import (
    LEFT_BROW,
    LEFT_EYE,
    LIPS_OUTER,
    NOSE_BASE,
    RIGHT_BROW,
    RIGHT_EYE,
    yaw_deg,
)
from hrn_studio.records import Floats, Frame, Track

MIN_FACE_PX = 100
MAX_YAW_DEG = 60
CUT_NOTED, CUT_REFUSED = 0.03, 0.15
"""How far the face may reach beyond the picture, as a share of its size."""
_FEATURES = (*LIPS_OUTER, *RIGHT_EYE, *LEFT_EYE, *RIGHT_BROW, *LEFT_BROW, *NOSE_BASE)


class LandmarkTracker(Protocol):
    """Finds the largest face of a frame; a context manager."""

    def track(self, frame: Frame) -> Track:
        """Where the face is.  Raises ``NoFaceError`` or one of its kinds."""

    def close(self) -> None:
        """Free what the tracker holds; closing twice does nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class MediaPipeTracker:
    """MediaPipe's FaceMesh: 478 landmarks with the irises.

    Parameters
    ----------
    mode
        ``video`` follows the face from frame to frame (about 3 ms a frame); ``still`` looks at
        each frame afresh and harder.  Give the frames of a video in order.
    max_faces
        How many faces to look for; the largest is taken.
    """

    def __init__(
        self, mode: Literal["video", "still"] = "video", max_faces: int | None = None
    ) -> None:
        count = max_faces or (1 if mode == "video" else 4)
        self._mesh = FaceMesh(video=mode == "video", max_faces=count)

    def track(self, frame: Frame) -> Track:
        """Where the largest face is.

        Raises
        ------
        NoFaceError
            No face is found; ``FaceTooSmallError`` when it is under 100 px, ``FaceCutError``
            when the border cuts it, ``FaceTurnedError`` when it is turned over 60 degrees.
        """
        faces = self._mesh.faces(frame.image)
        if not faces:
            raise NoFaceError(
                f"no face was found in {frame.name}; use a picture in which the whole face is "
                "visible, lit and sharp"
            )
        points = max(faces, key=lambda face: float(np.ptp(face[:, :2], axis=0).max()))
        notes = check_usable(points, frame)
        if len(faces) > 1:
            notes = (f"the largest of {len(faces)} faces was taken", *notes)
        return Track(
            points_px=points[:, :2],
            depth_px=points[:, 2] - points[:, 2].mean(),
            frame_index=frame.index,
            time_s=frame.time_s,
            faces=len(faces),
            notes=notes,
        )

    def close(self) -> None:
        """Free the network; closing twice does nothing."""
        self._mesh.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def check_usable(points: Floats, frame: Frame) -> tuple[str, ...]:
    """Refuse a face from which no head can be made; what is to be said of a usable one.

    Parameters
    ----------
    points
        (478, 3) pixels and depth.
    """
    size = float(np.ptp(points[:, :2], axis=0).max())
    if size < MIN_FACE_PX:
        raise FaceTooSmallError(
            f"the face in {frame.name} is only {size:.0f} px large; come closer or use a picture "
            f"in which it has at least {MIN_FACE_PX} px"
        )
    beyond = np.maximum(-points[:, :2], points[:, :2] - [frame.width, frame.height]).max(axis=1)
    if beyond.max() > CUT_REFUSED * size or beyond[list(_FEATURES)].max() > 0:
        raise FaceCutError(
            f"the face in {frame.name} is cut by the picture's border; use a picture with the "
            "whole face in it"
        )
    yaw = yaw_deg(points[:, :2], points[:, 2])
    if abs(yaw) > MAX_YAW_DEG:
        raise FaceTurnedError(
            f"the face in {frame.name} is turned {abs(yaw):.0f} degrees to the side; use one "
            f"turned less than {MAX_YAW_DEG} degrees"
        )
    if beyond.max() > CUT_NOTED * size:
        return ("the edge of the face is outside the picture",)
    return ()
