"""A whole video at once: the first pass gets to know the person, the second follows the face.

>>> from hrn_studio.live.offline import track_video
>>> task = track_video("me.mp4", head, embedding, maps)     # doctest: +SKIP
>>> take = hrn_studio.pipeline.finish(task)                 # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from hrn_studio.errors import NoFaceError
from hrn_studio.face.dense import DensePoints
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.cameras import camera_for
from hrn_studio.live.regressor import FaceEstimator, LandmarkRegressor, look
from hrn_studio.live.sources import VideoFile
from hrn_studio.live.tracker import LandmarkTracker, MediaPipeTracker
from hrn_studio.records import Camera, Estimate, FaceState, Progress, Track

_FIRST_SHARE = 0.8
"""Share of the first pass in the whole work: it decodes and tracks."""


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """The faces of a video."""

    states: tuple[FaceState, ...]
    """One per frame with a face, in order; all with the same identity and size."""
    frames: int
    """How many the video holds."""
    missed: tuple[tuple[int, str], ...] = ()
    """Number (from 0) of each frame without a usable face, and why."""
    fps: float = 30.0


def track_video(
    path: str | Path,
    head: HeadModel,
    embedding: LandmarkEmbedding,
    maps: FaceEstimator,
    *,
    hfov_deg: float | None = None,
    tracker: LandmarkTracker | None = None,
    smooth: bool = True,
) -> Generator[Progress, None, Take]:
    """Pose, expressions and gaze of every frame of a video of one person.

    Parameters
    ----------
    hfov_deg
        Horizontal field of view of the camera; a webcam's 60 degrees by default.
    tracker
        Closed by the caller; MediaPipe by default.

    Raises
    ------
    SourceError
        The file is missing or not a video.
    NoFaceError
        No frame shows a usable face; the first frame's reason is given.
    """
    seen: list[_Seen] = []
    missed: list[tuple[int, str]] = []
    regressor = LandmarkRegressor(head, embedding, maps, smooth=smooth)
    own = None if tracker is not None else MediaPipeTracker("video")
    follow = tracker or own
    assert follow is not None
    index = -1
    try:
        with VideoFile(path) as video:
            for index, frame in enumerate(video):
                done = min(1.0, index / max(video.count, index + 1))
                yield Progress("identity", _FIRST_SHARE * done, f"frame {index + 1}")
                try:
                    track = follow.track(frame)
                except NoFaceError as error:
                    missed.append((frame.index, str(error)))
                    continue
                camera = camera_for(frame, hfov_deg)
                found = _Seen(frame.time_s, track, camera, *look(maps, frame, track, camera))
                regressor.regress_estimate(*found.told)
                seen.append(found)
            fps = video.fps
    finally:
        if own is not None:
            own.close()
    if not seen:
        raise NoFaceError(
            f"'{path}' shows no usable face in any of its {index + 1} frames (the first one: "
            f"{missed[0][1]})"
        )
    regressor.hold()
    states = []
    for number, one in enumerate(seen):
        if number % 32 == 0:
            done = number / len(seen)
            yield Progress("motion", _FIRST_SHARE + (1 - _FIRST_SHARE) * done, f"face {number + 1}")
        states.append(regressor.regress_estimate(*one.told))
    return Take(tuple(states), index + 1, tuple(missed), fps)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What the second pass needs of a frame; pictures would fill the memory."""

    time_s: float
    track: Track
    camera: Camera
    estimate: Estimate
    dense: DensePoints | None

    @property
    def told(self) -> tuple[float, Track, Camera, Estimate, DensePoints | None]:
        """What the regressor is given."""
        return self.time_s, self.track, self.camera, self.estimate, self.dense
