"""HRN by itself, as its authors run it: pictures in, its own meshes and textures out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from hrn_studio import paths
from hrn_studio.errors import FitError, ModelDataError, NoFaceError
from hrn_studio.live.masks import head_masks
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.models.shelf import reason
from hrn_studio.records import Frame, Progress

if TYPE_CHECKING:
    from hrn_studio.detail.hrn.result import HrnFace

T = TypeVar("T")

METHODS = {
    "single": "--engine hrn",
    "fitted": "regression plus fitting",
    "multi": "--engine hrn-mv",
}
"""Ways to reconstruct, and what the catalogue calls their use."""


def reproduce(
    frames: Sequence[Frame],
    names: Sequence[str],
    method: str = "single",
    *,
    texture_px: int = 512,
    device: str = "cpu",
) -> Generator[Progress, None, dict[str, bytes]]:
    """HRN's own result for some pictures, as files by name.

    Parameters
    ----------
    names
        What the files of each picture are called.
    method
        ``single`` (each picture alone, as published since 2023), ``fitted`` (the older
        regression plus fitting, each alone) or ``multi`` (MV-HRN: all of one person together).
    texture_px
        Of the ``fitted`` method; HRN's own textures are 256.

    Raises
    ------
    NoFaceError
        A picture shows no face.
    ModelDataError
        Weights are missing or damaged.
    FitError
        No picture is given, or the numbers went wrong.
    """
    if not frames:
        raise FitError("there is no picture to fit; give at least one with a face in it")
    why = reason(paths.user_models_dir(), METHODS[method])
    if why is not None:
        raise ModelDataError(f"the method '{method}' {why}")
    from hrn_studio.detail.hrn import fitted, multiview, single, store
    from hrn_studio.detail.hrn.alignment import STANDARD, load_standard
    from hrn_studio.detail.hrn.engine import filled, load_engine
    from hrn_studio.detail.hrn.ibug import ibug_points
    from hrn_studio.detail.hrn.outputs import hrn_files
    from hrn_studio.detail.rasterizer import rasterizer

    folder = paths.user_models_dir() / "hrn"
    portraits, paints = [], []
    own = folder / store.STANDARD
    standard = load_standard(own) if own.is_file() else STANDARD
    with MediaPipeTracker("still") as tracker:
        for number, frame in enumerate(frames):
            yield Progress("track", 0.1 * number / len(frames), f"looking at {frame.name}")
            try:
                track = tracker.track(frame)
            except NoFaceError as error:
                raise type(error)(f"{frame.name}: {error}") from error
            mask = filled(head_masks(frame, track).skin)
            points = ibug_points(track, frame.height)
            portraits.append(single.portrait(frame.image, points, mask, standard))
            if method == "fitted":
                side = min(max(texture_px, 512), 1024)
                paints.append(single.paint(frame.image, points, mask, side, standard))
    draw = rasterizer(device)
    faces: list[HrnFace] = []
    if method == "fitted":
        canvas = store.load_canvas(folder).to(device)
        network = store.load_regression(folder).to(device)
        tasks = [
            fitted.reconstruct(
                canvas, network, face, texture_px=texture_px, paint=paint, rasterizer=draw
            )
            for face, paint in zip(portraits, paints, strict=True)
        ]
    else:
        engine = load_engine(folder, device)
        canvas, networks = engine.canvas, engine.networks
        if method == "multi":
            together = multiview.reconstruct(canvas, networks, portraits, rasterizer=draw)
            faces += yield from _part(together, 0.1, 0.95)
        tasks = [
            single.reconstruct(canvas, networks, face, rasterizer=draw)
            for face in (portraits if method == "single" else ())
        ]
    for number, task in enumerate(tasks):
        share = 0.85 / len(tasks)
        start = 0.1 + share * number
        faces.append((yield from _part(task, start, start + share)))
    files: dict[str, bytes] = {}
    for face, name in zip(faces, names, strict=True):
        files |= hrn_files(face, name)
    return files


def _part(
    task: Generator[Progress, None, T], start: float, end: float
) -> Generator[Progress, None, T]:
    with closing(task):
        while True:
            try:
                step = next(task)
            except StopIteration as stop:
                result: T = stop.value
                return result
            yield replace(step, fraction=start + (end - start) * step.fraction)
