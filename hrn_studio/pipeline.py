"""Pictures in, a head out: tracking, regression, masks and fit in one call.

>>> from hrn_studio.pipeline import Models, read_pictures, reconstruct, finish
>>> models = Models.load()
>>> head = finish(reconstruct(models, read_pictures(["me.jpg"])))   # doctest: +SKIP

Everything is a generator of :class:`~hrn_studio.records.Progress`; :func:`finish` runs one to its
end where nobody watches.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hrn_studio.errors import FitError, NoFaceError, StudioError
from hrn_studio.face.landmarks import LandmarkEmbedding, load_embedding
from hrn_studio.face.model import HeadModel, load_head
from hrn_studio.live.cameras import camera_for, plausible_camera
from hrn_studio.live.features import distance_m
from hrn_studio.live.images import read_image
from hrn_studio.live.masks import head_masks
from hrn_studio.live.regression import RegressionMaps, load_maps
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.records import Frame, FrameReport, Progress, Reconstruction

if TYPE_CHECKING:
    from hrn_studio.detail.shot import Shot

T = TypeVar("T")

LOOKS = 9
"""How often the tracker looks at each picture; their scatter tells a face from a drawing."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may choose for a reconstruction."""

    hfov_deg: float | None = None
    """Horizontal field of view of the camera; None asks EXIF, then takes a webcam's 60."""
    eye_distance_m: float | None = None
    """Measured distance between the eyes' centres; None measures with the irises."""
    stage: str = "fine"
    texture_px: int = 2048
    white_balance: bool = True
    sharpen: float = 0.0
    """0..1"""
    force: bool = False
    device: str = "auto"
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Models:
    """What is loaded once for many heads."""

    head: HeadModel
    embedding: LandmarkEmbedding
    maps: RegressionMaps
    tracker: MediaPipeTracker = field(default_factory=lambda: MediaPipeTracker("still"))

    @classmethod
    def load(cls) -> Models:
        """The default head, its landmarks and maps, and MediaPipe.

        Raises
        ------
        ModelDataError
            A bundled file is missing or damaged.
        """
        return cls(load_head(), load_embedding(), load_maps())

    def close(self) -> None:
        """Free the tracker."""
        self.tracker.close()


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Frames that could be read, and why others could not."""

    frames: tuple[Frame, ...]
    refused: tuple[FrameReport, ...] = ()


def read_pictures(files: Iterable[str | Path]) -> Pictures:
    """Read picture files; what cannot be read is reported, not raised, when others can.

    Raises
    ------
    ImageError
        None of the files can be read.
    """
    frames, refused, last = [], [], None
    for index, file in enumerate(files):
        try:
            frames.append(read_image(file, index))
        except StudioError as error:
            refused.append(FrameReport(Path(file).name, False, str(error)))
            last = error
    if not frames and last is not None:
        raise last
    return Pictures(tuple(frames), tuple(refused))


def reconstruct(
    models: Models, pictures: Pictures | Sequence[Frame], options: Options | None = None
) -> Generator[Progress, None, Reconstruction]:
    """One head from pictures of one person.

    Pictures without a usable face are left out and reported; when none is left the first reason
    is raised.

    Raises
    ------
    NoFaceError, FitError, DifferentPeopleError
        See :mod:`hrn_studio.errors`.
    """
    options = options or Options()
    given = pictures if isinstance(pictures, Pictures) else Pictures(tuple(pictures))
    if not given.frames:
        raise FitError("there is no picture to fit; give at least one with a face in it")
    shots, refused, first = [], list(given.refused), None
    for number, frame in enumerate(given.frames):
        yield Progress("track", 0.05 * number / len(given.frames), f"looking at {frame.name}")
        try:
            shots.append(make_shot(models, frame, options))
        except NoFaceError as error:
            refused.append(FrameReport(frame.name, False, str(error)))
            first = first or error
    if not shots and first is not None:
        raise first
    from hrn_studio.detail.fine import FineSettings
    from hrn_studio.detail.fitting import FitSettings, fit

    settings = FitSettings(
        stage=options.stage,
        force=options.force,
        eye_distance_m=options.eye_distance_m,
        fine=FineSettings(
            size=options.texture_px,
            white_balance=options.white_balance,
            sharpen=options.sharpen,
            seed=options.seed,
        ),
    )
    task = fit(models.head, models.embedding, shots, settings)
    try:
        while True:
            try:
                step = next(task)
            except StopIteration as stop:
                done: Reconstruction = stop.value
                break
            yield replace(step, fraction=0.05 + 0.95 * step.fraction)
    finally:
        task.close()
    return replace(done, reports=(*done.reports, *refused))


def make_shot(models: Models, frame: Frame, options: Options) -> Shot:
    """A tracked, regressed and masked picture.  Raises ``NoFaceError`` and its kinds."""
    from hrn_studio.detail.shot import Shot

    track = models.tracker.track_augmented(frame, LOOKS)
    camera = camera_for(frame, options.hfov_deg)
    camera = plausible_camera(camera, distance_m(track, models.maps.reference, camera))
    estimate = models.maps.estimate(frame, track, camera)
    masks = head_masks(frame, track)
    return Shot(
        frame=frame,
        track=track,
        camera=camera,
        estimate=estimate,
        mask=masks.skin,
        silhouette=masks.silhouette,
        notes=masks.notes,
    )


def finish(task: Generator[Progress, None, T]) -> T:
    """Run a generator to its end and give what it returns."""
    while True:
        try:
            next(task)
        except StopIteration as stop:
            result: T = stop.value
            return result
