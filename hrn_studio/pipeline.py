"""Pictures in, a head out: tracking, regression, masks and fit in one call.

The whole job, as ``hrn-studio reconstruct`` does it, from picture files of one person to a folder:

>>> from hrn_studio.pipeline import Options, reconstruct_files
>>> reconstruct_files(["me.jpg", "two.jpg"], "out", options=Options(stage="mid"))  # doctest: +SKIP
PosixPath('/home/me/out')

The same in steps, for whoever wants the numbers instead of files:

>>> from hrn_studio.pipeline import Models, finish, read_pictures, reconstruct
>>> models = Models.load()   # doctest: +SKIP
>>> head = finish(reconstruct(models, read_pictures(["me.jpg"])))   # doctest: +SKIP
>>> head.neutral.shape, head.scale_source   # doctest: +SKIP

What takes long is a generator of :class:`~hrn_studio.records.Progress`; :func:`finish` runs one to
its end where nobody watches.  To cancel is to close it: nothing is left behind.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hrn_studio.errors import FitError, NoFaceError, UsageError
from hrn_studio.export.names import file_stem
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.cameras import camera_for, plausible_camera
from hrn_studio.live.estimator import StudioEstimator
from hrn_studio.live.features import distance_m
from hrn_studio.live.likeness import Likeness, load_likeness, strangers
from hrn_studio.live.masks import head_masks
from hrn_studio.live.matching import GrainMatcher
from hrn_studio.live.network import load_network
from hrn_studio.live.pictures import Pictures, none_usable, read_pictures
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.models.engines import check_engine, make_shaper
from hrn_studio.models.heads import load_chosen
from hrn_studio.models.live import network_reason
from hrn_studio.records import Frame, FrameReport, Progress, Reconstruction
from hrn_studio.tasks import part_of

if TYPE_CHECKING:
    from hrn_studio.detail.shot import Shot

__all__ = [
    "Models",
    "Options",
    "Pictures",
    "Saved",
    "finish",
    "make_shot",
    "read_pictures",
    "reconstruct",
    "reconstruct_files",
    "reconstruct_to",
    "write_head",
]

T = TypeVar("T")

LOOKS = 9
"""How often the tracker looks at each picture; their scatter tells a face from a drawing."""
_TRACKED, _FITTED = 0.05, 0.8
"""Shares of the whole that are done after tracking (of the fit) and after the fit."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may choose for a reconstruction."""

    hfov_deg: float | None = None
    """Horizontal field of view of the camera; None asks EXIF, then takes a webcam's 60."""
    eye_distance_m: float | None = None
    """Measured distance between the eyes' centres; None measures with the irises."""
    stage: str = "fine"
    engine: str = "studio"
    """What gives the head its shape: ``studio``, ``hrn`` or ``hrn-mv``, the user's own HRN."""
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
    estimator: StudioEstimator
    tracker: MediaPipeTracker = field(default_factory=lambda: MediaPipeTracker("still"))
    likeness: Likeness | None = field(default_factory=lambda: _likeness())
    """None where the face network, by which it tells people apart, is absent."""

    @classmethod
    def load(cls, head: str = "default", network: bool = False) -> Models:
        """A head, its landmarks, what sees its coefficients, and MediaPipe.

        Parameters
        ----------
        head
            ``default``, or the user's own ``ict`` or ``flame``.
        network
            Let the face network look too, besides the learned maps; the default head only.

        Raises
        ------
        ModelDataError
            A bundled file is missing or damaged, or the user does not have that head.
        UsageError
            There is no such head, or the network does not know it.
        """
        if network and head != "default":
            raise UsageError(f"the face network knows the default head, not {head}; leave one out")
        model, embedding, maps = load_chosen(head)
        eyes = load_network() if network else None
        return cls(model, embedding, StudioEstimator(maps, eyes, looks=LOOKS))

    def close(self) -> None:
        """Free the tracker."""
        self.tracker.close()


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """A head on the disk."""

    name: str
    """What its files are called."""
    folder: Path
    result: Reconstruction


def reconstruct_files(
    images: Sequence[str | Path],
    out: str | Path,
    name: str | None = None,
    options: Options | None = None,
    models: Models | None = None,
) -> Path:
    """Make one head from picture files of one person and write it; the folder, absolute.

    Parameters
    ----------
    images
        At least one JPEG, PNG, WebP, ...
    out
        The folder to write to; made when it is missing.  Holds ``NAME.obj``, ``NAME_neutral.obj``,
        ``NAME.glb``, the maps, ``preview.png``, ``manifest.json``, and ``NAME.head.npz``, from
        which the head can be exported again.
    name
        What the files are called; the first picture's name by default.
    models
        Loaded once for many calls; loaded and freed here by default.

    Raises
    ------
    StudioError
        See :mod:`hrn_studio.errors`; nothing was written.
    """
    from hrn_studio.export.folder import check_folder

    check_folder(out)
    loaded = Models.load() if models is None else models
    try:
        return finish(reconstruct_to(loaded, images, out, name, options)).folder
    finally:
        if models is None:
            loaded.close()


def reconstruct_to(
    models: Models,
    images: Sequence[str | Path],
    out: str | Path,
    name: str | None = None,
    options: Options | None = None,
    *,
    alone: bool = True,
) -> Generator[Progress, None, Saved]:
    """Like :func:`reconstruct_files`, step by step.

    Parameters
    ----------
    alone
        The head has the folder to itself; otherwise its preview and manifest are called
        ``NAME_preview.png`` and ``NAME_manifest.json``.
    """
    options = options or Options()
    if not images:
        raise UsageError("there is no picture to fit; give at least one with a face in it")
    stem = file_stem(name or Path(images[0]).stem)
    task = reconstruct(models, read_pictures(images), options)
    result = yield from part_of(task, 0.0, _FITTED)
    writing = write_head(models, result, out, stem, options, alone=alone)
    folder = yield from part_of(writing, _FITTED, 1.0)
    return Saved(stem, folder, result)


def write_head(
    models: Models,
    result: Reconstruction,
    out: str | Path,
    name: str,
    options: Options | None = None,
    *,
    alone: bool = True,
) -> Generator[Progress, None, Path]:
    """Write a head with its preview, all or nothing; ``alone`` as in :func:`reconstruct_to`."""
    from hrn_studio.export.archive import archive_bytes, file_name
    from hrn_studio.export.formats import export
    from hrn_studio.preview import preview_png

    yield Progress("export", 0.0, "preview")
    asked, now = asdict(options or Options()), datetime.now(UTC).isoformat(timespec="seconds")
    kept = archive_bytes(result, models.head.name, name, now, asked)
    prefix = "" if alone else f"{name}_"
    preview = preview_png(result, models.head)
    return (
        yield from export(
            result,
            models.head,
            out,
            name=name,
            extra={f"{prefix}preview.png": preview, file_name(name): kept},
            manifest_name=f"{prefix}manifest.json",
            options=asked,
            created=now,
        )
    )


def reconstruct(
    models: Models, pictures: Pictures | Sequence[Frame], options: Options | None = None
) -> Generator[Progress, None, Reconstruction]:
    """One head from pictures of one person.

    Pictures without a usable face are left out and reported; when none is left the reasons are
    raised.

    Raises
    ------
    NoFaceError, FitError, DifferentPeopleError
        See :mod:`hrn_studio.errors`.
    UsageError
        The options ask for what this machine has not.
    """
    options = options or Options()
    check_engine(options.engine)
    given = pictures if isinstance(pictures, Pictures) else Pictures(tuple(pictures))
    if not given.frames:
        raise FitError("there is no picture to fit; give at least one with a face in it")
    notes = (*_device_notes(options), *_likeness_notes(models, given.frames, options))
    shots, refused, first = [], list(given.refused), None
    for number, frame in enumerate(given.frames):
        yield Progress("track", _TRACKED * number / len(given.frames), f"looking at {frame.name}")
        try:
            shots.append(make_shot(models, frame, options))
        except NoFaceError as error:
            refused.append(FrameReport(frame.name, False, str(error)))
            first = first or error
    if not shots and first is not None:
        raise none_usable(first, refused)
    if not options.force:
        shots, others = _of_one_person(models, shots)
        refused += others
    from hrn_studio.detail.fine import FineSettings
    from hrn_studio.detail.fitting import FitSettings, fit

    settings = FitSettings(
        stage=options.stage,
        eye_distance_m=options.eye_distance_m,
        fine=FineSettings(
            size=options.texture_px,
            white_balance=options.white_balance,
            sharpen=options.sharpen,
            seed=options.seed,
            device="cuda" if options.device == "cuda" else "cpu",
        ),
    )
    shaper = make_shaper(options.engine, models.head, models.embedding, shots, options.device)
    task = fit(models.head, models.embedding, shots, settings, shaper, GrainMatcher())
    done = yield from part_of(task, _TRACKED, 1.0)
    return replace(done, reports=(*done.reports, *refused), notes=(*done.notes, *notes))


def _of_one_person(models: Models, shots: list[Shot]) -> tuple[list[Shot], list[FrameReport]]:
    """The shots without strangers, and what to report of those."""
    if len(shots) < 2 or models.likeness is None:
        return shots, []
    looks = [models.likeness.look(s.frame, s.track) for s in shots]
    out = strangers(models.likeness, looks, [s.frame.name for s in shots])
    reason = "it seems to show somebody else than the other pictures"
    return (
        [s for k, s in enumerate(shots) if k not in out],
        [FrameReport(shots[k].frame.name, False, reason) for k in out],
    )


def _likeness() -> Likeness | None:
    return load_likeness() if network_reason() is None else None


def _likeness_notes(models: Models, frames: Sequence[Frame], options: Options) -> tuple[str, ...]:
    """What to say where nothing can tell people apart."""
    if models.likeness is not None or options.force or len(frames) < 2:
        return ()
    return (f"whether the pictures show one person was not checked: {network_reason()}",)


def _device_notes(options: Options) -> tuple[str, ...]:
    """What to say about the device asked for; refuses one that is not there."""
    if options.device != "cuda":
        return ()
    import torch

    if not torch.cuda.is_available():
        raise UsageError(
            "there is no CUDA device that PyTorch can use; leave --device out or give 'cpu', and "
            "see 'hrn-studio doctor'"
        )
    if options.engine != "studio":
        return ()
    return (
        "of this fit only the drawing of the head can run on the CUDA device, where nvdiffrast is "
        "installed; the rest ran on the CPU",
    )


def make_shot(models: Models, frame: Frame, options: Options) -> Shot:
    """A tracked, regressed and masked picture.  Raises ``NoFaceError`` and its kinds."""
    from hrn_studio.detail.shot import Shot

    track = models.tracker.track_augmented(frame, LOOKS)
    camera = camera_for(frame, options.hfov_deg)
    camera = plausible_camera(camera, distance_m(track, models.estimator.reference, camera))
    seen = models.estimator.see(frame, track, camera)
    masks = head_masks(frame, track)
    return Shot(
        frame=frame,
        track=track,
        camera=camera,
        estimate=seen.estimate,
        mask=masks.skin,
        silhouette=masks.silhouette,
        notes=masks.notes,
        dense=None if seen.sight is None else seen.sight.dense,
    )


def finish(task: Generator[object, None, T]) -> T:
    """Run a generator to its end and give what it returns."""
    while True:
        try:
            next(task)
        except StopIteration as stop:
            result: T = stop.value
            return result
