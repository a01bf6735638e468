"""Landmark trackers: where the face is in a frame.

:class:`LandmarkTracker` is what the rest of the program knows; :class:`MediaPipeTracker` is the
default one, :class:`~hrn_studio.live.recorded.RecordedTracker` replays tracks in tests.
"""

from __future__ import annotations

from types import TracebackType
from typing import Literal, Protocol, Self

import numpy as np

from hrn_studio.errors import NoFaceError
from hrn_studio.live._checks import (
    SCATTER_GOOD,
    check_place,
    check_scatter,
    check_surface,
    confidence,
)
from hrn_studio.live._mediapipe import FaceMesh
from hrn_studio.live._search import FaceSearch
from hrn_studio.live._views import Base, View, base_around, look, unmapped, views
from hrn_studio.records import Floats, Frame, Track


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
        ``video`` follows the face from frame to frame, about 3 ms each; give the frames in order.
        ``still`` looks at each frame afresh and harder: it finds small faces, and takes the mean
        of the face and its mirror image, which cancels much of the tracker's own error (20 ms).
    max_faces
        How many faces to look for (1 in a video, 4 in a still); the largest is taken.
    """

    def __init__(
        self, mode: Literal["video", "still"] = "video", max_faces: int | None = None
    ) -> None:
        self._video = FaceMesh(video=True, max_faces=max_faces or 1) if mode == "video" else None
        self._max_faces = max_faces or 4
        self._search: FaceSearch | None = None
        self._one: FaceMesh | None = None

    def track(self, frame: Frame) -> Track:
        """Where the largest face is.

        Raises
        ------
        NoFaceError
            No face is found, or what is found is drawn or mostly covered;
            ``FaceTooSmallError`` when it is under 100 px, ``FaceCutError`` when the border cuts
            it, ``FaceTurnedError`` when it is turned over 60 degrees.
        """
        if self._video is None:
            return self.track_augmented(frame, 2)
        faces = self._video.faces(frame.image)
        if not faces:
            raise _no_face(frame)
        points = max(faces, key=lambda face: float(np.ptp(face[:, :2], axis=0).max()))
        notes = [*_other_faces(len(faces)), *check_place(points, frame)]
        return _as_track(frame, points, len(faces), notes)

    def track_augmented(self, frame: Frame, n: int = 17, seed: int = 0) -> Track:
        """Where the largest face is, from ``n`` looks at it (about 5 ms each).

        Half of the looks are mirrored, all but the first two are also turned, scaled, shifted and
        brightened at random.  The result is the mean of the robust means of the plain and of the
        mirrored ones; ``Track.scatter_px`` is their standard deviation.  The same frame gives the
        same track.

        Raises
        ------
        NoFaceError
            As :meth:`track`; also when the looks disagree (with ``n`` of at least 5).
        """
        if self._search is None or self._one is None:
            self._search = FaceSearch(self._max_faces)
            self._one = FaceMesh(video=False, max_faces=1)
        faces = self._search.faces(frame.image)
        if not faces:
            raise self._explained(frame, _no_face(frame))
        notes = _other_faces(len(faces))
        check_place(faces[0], frame)
        base = base_around(frame.image, faces[0])
        looks = self._looks(base, views(n, seed))
        points, scatter = _agreed(looks) if looks else (faces[0], np.zeros(0, np.float32))
        notes += check_place(points, frame)
        notes += check_surface(base, points, frame)
        if len(looks) < 5:
            return _as_track(frame, points, len(faces), notes, scatter)
        try:
            notes += check_scatter(scatter, base.size_px, frame)
        except NoFaceError as error:
            raise self._explained(frame, error) from None
        sure = confidence(scatter, base.size_px) * len(looks) / n
        return _as_track(frame, points, len(faces), notes, scatter, sure)

    def _looks(self, base: Base, wanted: list[View]) -> list[tuple[View, Floats]]:
        """Each view that shows the face, with its landmarks (478, 3) in the picture."""
        assert self._one is not None
        seen = []
        for view in wanted:
            crop, to_crop = look(base, view)
            for face in self._one.faces(crop):
                points = unmapped(face, to_crop, view)
                middle = (points[:, :2].min(axis=0) + points[:, :2].max(axis=0)) / 2
                if np.linalg.norm(middle - base.center_px) < 0.3 * base.size_px:
                    seen.append((view, points))
        return seen

    def _explained(self, frame: Frame, error: NoFaceError) -> NoFaceError:
        """A better reason when the picture lies on its side, else ``error``."""
        assert self._search is not None
        for quarter_turns in (1, 3, 2):
            image = np.ascontiguousarray(np.rot90(frame.image, quarter_turns))
            for rough in self._search.faces(image, harder=False)[:1]:
                base = base_around(image, rough)
                looks = self._looks(base, views(6))
                if len(looks) < 6:
                    continue
                points, scatter = _agreed(looks)
                x, y = points[152, :2] - points[10, :2]  # from the forehead to the chin
                if y > 2 * abs(x) and scatter.mean() < SCATTER_GOOD * base.size_px:
                    return NoFaceError(
                        f"{frame.name} seems to lie on its side; turn the picture upright"
                    )
        return error

    def close(self) -> None:
        """Free the networks; closing twice does nothing."""
        for part in (self._video, self._search, self._one):
            if part is not None:
                part.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _agreed(looks: list[tuple[View, Floats]]) -> tuple[Floats, Floats]:
    """Landmarks (478, 3) that all looks agree on, and their scatter (478,) in pixels.

    Plain and mirrored looks differ systematically; each half counts the same.
    """
    halves = [
        np.array([points for view, points in looks if view.mirrored is mirrored])
        for mirrored in (False, True)
    ]
    halves = [half for half in halves if len(half)]
    everything = np.concatenate(halves)
    scatter = np.sqrt(everything[:, :, :2].var(axis=0).mean(axis=1))
    mean = np.mean([_robust_mean(half) for half in halves], axis=0)
    return mean.astype(np.float32), scatter.astype(np.float32)


def _robust_mean(looks: Floats) -> Floats:
    """Mean over the first axis of (n, 478, 3), without points over 3 robust deviations away."""
    if len(looks) < 4:
        return np.asarray(looks.mean(axis=0))
    away = np.linalg.norm(looks - np.median(looks, axis=0), axis=2, keepdims=True)
    keep = away <= 3 * 1.4826 * np.median(away, axis=0) + 1e-6
    return np.asarray((looks * keep).sum(axis=0) / keep.sum(axis=0))


def _other_faces(count: int) -> list[str]:
    return [f"the largest of {count} faces was taken"] if count > 1 else []


def _no_face(frame: Frame) -> NoFaceError:
    return NoFaceError(
        f"no face was found in {frame.name}; use a picture in which the whole face is visible, "
        "lit and sharp"
    )


def _as_track(
    frame: Frame,
    points: Floats,
    faces: int,
    notes: list[str],
    scatter: Floats | None = None,
    sure: float = 1.0,
) -> Track:
    return Track(
        points_px=points[:, :2],
        depth_px=points[:, 2] - points[:, 2].mean(),
        frame_index=frame.index,
        time_s=frame.time_s,
        confidence=sure,
        faces=faces,
        notes=tuple(notes),
        scatter_px=np.zeros(0, np.float32) if scatter is None else scatter,
    )
