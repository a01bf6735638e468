"""What may give a head its shape: the studio itself, or the user's own HRN."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hrn_studio import paths
from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.models.shelf import reason
from hrn_studio.records import Frame, Track

if TYPE_CHECKING:
    from hrn_studio.detail.fitting import Shaper
    from hrn_studio.detail.shot import Shot

ENGINES = ("studio", "hrn", "hrn-mv")
"""``hrn`` looks at each picture alone, ``hrn-mv`` fits all of them together."""


def engine_reason(engine: str) -> str | None:
    """Why an engine cannot be chosen, for a tooltip; None when it can."""
    return None if engine == "studio" else reason(paths.user_models_dir(), f"--engine {engine}")


def check_engine(engine: str) -> None:
    """Refuse an engine that cannot work.

    Raises
    ------
    UsageError
        There is no such engine.
    ModelDataError
        Its weights are not in the user's model folder.
    """
    if engine not in ENGINES:
        raise UsageError(f"there is no engine '{engine}'; choose one of {', '.join(ENGINES)}")
    why = engine_reason(engine)
    if why is not None:
        raise ModelDataError(f"the engine {engine} {why}")


def checked_device(device: str) -> str:
    """``cpu`` or ``cuda`` for a device a user may name: ``auto`` takes CUDA where it is.

    Raises
    ------
    UsageError
        CUDA is asked for and not there.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(
            "there is no CUDA device that PyTorch can use; leave --device out or give 'cpu', and "
            "see 'hrn-studio doctor'"
        )
    return device


def make_shaper(
    engine: str,
    head: HeadModel,
    embedding: LandmarkEmbedding,
    shots: Sequence[Shot],
    device: str = "cpu",
) -> Shaper | None:
    """The engine as the mid stage of :func:`hrn_studio.detail.fitting.fit`; None for the studio's.

    Parameters
    ----------
    device
        ``cpu``, ``cuda``, or ``auto`` for CUDA where it is.

    Raises
    ------
    UsageError, ModelDataError
        See :func:`check_engine`; also when a file of the engine is damaged.
    """
    check_engine(engine)
    if engine == "studio":
        return None
    from hrn_studio.detail.hrn.engine import hrn_shaper, load_engine

    loaded = load_engine(paths.user_models_dir() / "hrn", checked_device(device))
    return hrn_shaper(loaded, head, embedding, shots, together=engine == "hrn-mv")


def regression_times(faces: Iterable[tuple[Frame, Track]]) -> dict[str, tuple[float, ...]]:
    """Seconds per frame of HRN's regression by every way to run it here.

    Parameters
    ----------
    faces
        Some tracked frames.

    Returns
    -------
    By the way's name, with a word on ways that do not answer like torch and on the one that the
    live view would take; empty when the user has no such weights.

    Raises
    ------
    ModelDataError
        The weights are damaged.
    """
    if reason(paths.user_models_dir(), "live regressor") is not None:
        return {}
    from hrn_studio.detail.hrn import runner, store
    from hrn_studio.detail.hrn.alignment import quick_crop
    from hrn_studio.detail.hrn.ibug import ibug_points

    crops = [quick_crop(frame.image, ibug_points(track, frame.height)) for frame, track in faces]
    net = store.load_regression(paths.user_models_dir() / "hrn")
    with tempfile.TemporaryDirectory() as folder:
        measured = runner.measure(net, crops, Path(folder))
    best = runner.fastest(measured)
    result = {}
    for way in measured:
        word = " (chosen)" if way is best else "" if way.faithful else " (inexact)"
        result[way.name + word] = way.times_s
    return result
