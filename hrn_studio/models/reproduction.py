"""HRN by itself, as its authors run it: pictures in, its own meshes and textures out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hrn_studio import paths
from hrn_studio.errors import FitError, ModelDataError, NoFaceError, UsageError
from hrn_studio.live.masks import Masks, head_masks
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.models.shelf import reason
from hrn_studio.records import Doubles, Floats, Frame, Progress, Track
from hrn_studio.tasks import part_of

if TYPE_CHECKING:
    from hrn_studio.detail.hrn.finder import Finder
    from hrn_studio.detail.hrn.result import HrnFace
    from hrn_studio.detail.hrn.single import Portrait

Files = dict[str, bytes]
"""Contents by name."""

METHODS = {
    "single": "--engine hrn",
    "fitted": "regression plus fitting",
    "multi": "--engine hrn-mv",
    "head": "hrn --method head",
}
"""Ways to reconstruct, and what the catalogue calls their use."""
FACES = {"studio": "", "hrn": "hrn --faces hrn"}
"""Who finds the face: the studio's tracker, or HRN's own networks; and their use."""
_TRACKED = 0.1
"""Share of the whole that is done when all faces are found."""


@dataclass(frozen=True, slots=True)
class ReproductionOptions:
    """How to run HRN."""

    method: str = "single"
    """``single`` (each picture alone, as published since 2023), ``fitted`` (the older regression
    plus fitting, each alone), ``multi`` (MV-HRN: all of one person together) or ``head`` (the head
    variant's fit, each alone)."""
    faces: str = "studio"
    """Who finds the face and the five points of the crop: ``studio`` or ``hrn``."""
    texture_px: int | None = None
    """Of the baked textures; 512 by default, 2048 for heads.  HRN's own textures are 256."""
    hair: bool = False
    """Painted hair around a head's face, not a bald skull."""
    device: str = "cpu"


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A picture with its face."""

    name: str
    frame: Frame
    landmarks: Doubles
    """(68, 2), y up."""
    masks: Masks

    @property
    def skin(self) -> Floats:
        """(H, W) the face's skin, with eyes and mouth."""
        from hrn_studio.detail.hrn.engine import filled

        return filled(self.masks.skin)


def reproduce(
    frames: Sequence[Frame], names: Sequence[str], options: ReproductionOptions | None = None
) -> Generator[Progress, None, Files]:
    """HRN's own result for some pictures, as files by name.

    Parameters
    ----------
    names
        What the files of each picture are called.

    Raises
    ------
    NoFaceError
        A picture shows no face, or one that the method cannot fit.
    ModelDataError
        Weights are missing or damaged.
    FitError
        No picture is given, or the numbers went wrong.
    UsageError
        An option is not one of those there are.
    """
    chosen = options or ReproductionOptions()
    if not frames:
        raise FitError("there is no picture to fit; give at least one with a face in it")
    _check(chosen)
    folder = paths.user_models_dir() / ("hrn-head" if chosen.method == "head" else "hrn")
    from hrn_studio.detail.hrn import alignment, store

    own = folder / store.STANDARD
    standard = alignment.load_standard(own) if own.is_file() else alignment.STANDARD
    seen = yield from _look(frames, names, chosen)
    if chosen.method == "head":
        work = _heads(seen, folder, standard, chosen)
    else:
        work = _faces(seen, folder, standard, chosen)
    return (yield from part_of(work, _TRACKED, 1.0))


def _check(options: ReproductionOptions) -> None:
    chosen = (("method", options.method, METHODS), ("finder of faces", options.faces, FACES))
    for kind, value, known in chosen:
        if value not in known:
            raise UsageError(f"there is no {kind} '{value}'; choose one of {', '.join(known)}")
    for kind, value, known in chosen:
        use = known[value]
        why = reason(paths.user_models_dir(), use) if use else None
        if why is not None:
            raise ModelDataError(f"the {kind} '{value}' {why}")


def _look(
    frames: Sequence[Frame], names: Sequence[str], options: ReproductionOptions
) -> Generator[Progress, None, list[_Seen]]:
    """Find the face in every picture."""
    from hrn_studio.detail.hrn.finder import load_finder

    finder = load_finder(paths.user_models_dir() / "hrn") if options.faces == "hrn" else None
    seen = []
    with MediaPipeTracker("still") as tracker:
        for number, (frame, name) in enumerate(zip(frames, names, strict=True)):
            done = _TRACKED * number / len(frames)
            yield Progress("track", done, f"looking at {frame.name}")
            try:
                track = tracker.track(frame)
                landmarks = _landmarks(frame, track, finder)
            except NoFaceError as error:
                raise type(error)(f"{frame.name}: {error}") from error
            seen.append(_Seen(name, frame, landmarks, head_masks(frame, track)))
    return seen


def _landmarks(frame: Frame, track: Track, finder: Finder | None) -> Doubles:
    """(68, 2) landmarks of a tracked face, those of the crop from HRN's own networks if given."""
    from hrn_studio.detail.hrn.ibug import ibug_points

    points = ibug_points(track, frame.height)
    if finder is None:
        return points
    low, high = track.points_px.min(0), track.points_px.max(0)
    return finder.refined(frame.image, points, (*low, *high))


def _faces(
    seen: Sequence[_Seen], folder: Path, standard: Floats, options: ReproductionOptions
) -> Generator[Progress, None, Files]:
    """HRN's faces of the pictures by one of the three methods."""
    from hrn_studio.detail.hrn import fitted, single, store
    from hrn_studio.detail.hrn.engine import load_engine
    from hrn_studio.detail.hrn.outputs import hrn_files
    from hrn_studio.detail.rasterizer import rasterizer

    draw = rasterizer(options.device)
    portraits = [single.portrait(s.frame.image, s.landmarks, s.skin, standard) for s in seen]
    if options.method == "multi":
        return (yield from _together(seen, portraits, folder, standard, options))
    if options.method == "fitted":
        canvas = store.load_canvas(folder).to(options.device)
        network = store.load_regression(folder).to(options.device)
        size = options.texture_px or 512
        side = min(max(size, 512), 1024)
        tasks = [
            fitted.reconstruct(
                *(canvas, network, portrait),
                texture_px=size,
                paint=single.paint(s.frame.image, s.landmarks, s.skin, side, standard),
                rasterizer=draw,
            )
            for s, portrait in zip(seen, portraits, strict=True)
        ]
    else:
        engine = load_engine(folder, options.device)
        tasks = [
            single.reconstruct(engine.canvas, engine.networks, portrait, rasterizer=draw)
            for portrait in portraits
        ]
    files: Files = {}
    for number, (task, s) in enumerate(zip(tasks, seen, strict=True)):
        face: HrnFace = yield from part_of(task, number / len(seen), (number + 1) / len(seen))
        files |= hrn_files(face, s.name)
    return files


def _together(
    seen: Sequence[_Seen],
    portraits: Sequence[Portrait],
    folder: Path,
    standard: Floats,
    options: ReproductionOptions,
) -> Generator[Progress, None, Files]:
    """MV-HRN's face of each picture, and one made of all of them."""
    from hrn_studio.detail.hrn import multiview, single
    from hrn_studio.detail.hrn.engine import load_engine
    from hrn_studio.detail.hrn.fusion import fuse
    from hrn_studio.detail.hrn.outputs import hrn_files
    from hrn_studio.detail.rasterizer import rasterizer

    engine, draw = load_engine(folder, options.device), rasterizer(options.device)
    task = multiview.reconstruct(engine.canvas, engine.networks, portraits, rasterizer=draw)
    faces = yield from part_of(task, 0.0, 0.9)
    size = options.texture_px or 2048
    side = min(max(size // 2, 512), 1024)
    paints = [single.paint(s.frame.image, s.landmarks, s.skin, side, standard) for s in seen]
    yield Progress("texture", 0.9, "painting one face from all pictures")
    files = hrn_files(fuse(engine.canvas, faces, paints, size, draw), f"{seen[0].name}_fused")
    for face, s in zip(faces, seen, strict=True):
        files |= hrn_files(face, s.name)
    return files


def _heads(
    seen: Sequence[_Seen], folder: Path, standard: Floats, options: ReproductionOptions
) -> Generator[Progress, None, Files]:
    """A head of each picture by the head variant's fit."""
    from hrn_studio.detail.hrn import headfiles, headfit, store
    from hrn_studio.detail.hrn.headmodel import load_head_models
    from hrn_studio.detail.rasterizer import rasterizer

    size = options.texture_px or 2048
    models = load_head_models(folder).to(options.device)
    network = store.load_regression(folder).to(options.device)
    template = headfiles.load_template(folder, size, hair=options.hair)
    draw = rasterizer(options.device)
    files: Files = {}
    for number, s in enumerate(seen):
        portrait = headfit.head_portrait(
            s.frame.image, s.landmarks, s.skin, s.masks.silhouette, standard
        )
        task = headfit.fit_head(models, network, portrait, texture_px=size, rasterizer=draw)
        try:
            found, texture = yield from part_of(task, number / len(seen), (number + 1) / len(seen))
        except NoFaceError as error:
            raise type(error)(f"{s.frame.name}: {error}") from error
        files |= headfiles.head_files(models, found, texture, template, s.name)
    return files
