"""What may see the face in the live view: the studio's learned maps, or the user's own HRN."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hrn_studio import paths
from hrn_studio.errors import ModelDataError, NoFaceError, UsageError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.estimator import load_estimator
from hrn_studio.live.images import read_image
from hrn_studio.live.regressor import FaceEstimator
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.models.shelf import checksum, reason
from hrn_studio.records import Bytes

if TYPE_CHECKING:
    from hrn_studio.detail.hrn.resnet import Regression
    from hrn_studio.detail.hrn.runner import Runner

LIVE_ENGINES = ("studio", "hrn")
USE = "live regressor"
_CHOICE = "choice.json"


def live_reason(engine: str) -> str | None:
    """Why an engine cannot see live faces, for a tooltip; None when it can."""
    return None if engine == "studio" else reason(paths.user_models_dir(), USE)


def network_reason() -> str | None:
    """Why the face network cannot look at live faces, for a tooltip; None when it can."""
    path = paths.resources() / "network.npz"
    return None if path.is_file() else "the face network is missing; install HRN Studio again"


def make_estimator(
    engine: str, head: HeadModel, embedding: LandmarkEmbedding, network: bool = False
) -> FaceEstimator:
    """What sees identity and expressions, for ``LandmarkRegressor`` and ``track_video``.

    HRN takes a few seconds, and half a minute the first time: every way to run its regression
    here is tried on the bundled faces, and the quickest that answers like torch is kept.

    Parameters
    ----------
    embedding
        Of the head.
    network
        Let the face network look too, besides the learned maps; some milliseconds a frame.

    Raises
    ------
    UsageError
        There is no such engine, or the network is to look beside HRN.
    ModelDataError
        Its weights, or those of the network, are missing or damaged.
    """
    if engine not in LIVE_ENGINES:
        names = ", ".join(LIVE_ENGINES)
        raise UsageError(f"no engine '{engine}' can see live faces; choose one of {names}")
    if engine == "studio":
        return load_estimator(network)
    if network:
        raise UsageError(
            f"the face network helps the studio's own maps, not {engine}; leave one out"
        )
    why = live_reason(engine)
    if why is not None:
        raise ModelDataError(f"the live engine {engine} {why}")
    from hrn_studio.detail.hrn import alignment, store
    from hrn_studio.detail.hrn.bfm import load_face_model
    from hrn_studio.detail.hrn.maps import HrnMaps, translation

    folder = paths.user_models_dir() / "hrn"
    net = store.load_regression(folder)
    face = load_face_model(folder / store.FACE)
    own = folder / store.STANDARD
    standard = alignment.load_standard(own) if own.is_file() else alignment.STANDARD
    run = _quickest(net, folder / store.REGRESSION)
    return HrnMaps(run, translation(head, embedding, face), standard)


def _quickest(net: Regression, weights: Path) -> Runner:
    """The way found quickest the last time with these weights, else measured now."""
    import torch

    from hrn_studio.detail.hrn import runner

    name = f"{checksum(weights)[:16]}-{torch.__version__}-{torch.get_num_threads()}"
    kept = paths.cache_dir() / "hrn-live" / name
    with contextlib.suppress(OSError, ValueError, KeyError, ModelDataError):
        chosen = json.loads((kept / _CHOICE).read_text("utf-8"))["way"]
        return runner.way(chosen, net, kept)
    kept.mkdir(parents=True, exist_ok=True)
    best = runner.fastest(runner.measure(net, demo_crops(), kept))
    fresh = kept / f"{_CHOICE}.{os.getpid()}"
    times = {"way": best.name, "median_ms": round(1000 * best.median_s, 2)}
    fresh.write_text(json.dumps(times) + "\n", "utf-8")
    fresh.replace(kept / _CHOICE)
    return best.run


def demo_crops() -> Sequence[Bytes]:
    """The bundled faces and their mirror images as HRN's regression wants them, (224, 224, 3)."""
    crops = _crops(sorted((paths.resources() / "demo").glob("*.jpg")))
    return tuple(view for crop in crops for view in (crop, crop[:, ::-1]))


def _crops(files: Sequence[Path]) -> Iterator[Bytes]:
    from hrn_studio.detail.hrn.alignment import quick_crop
    from hrn_studio.detail.hrn.ibug import ibug_points

    with MediaPipeTracker("still") as tracker:
        for file in files:
            frame = read_image(file)
            with contextlib.suppress(NoFaceError):
                track = tracker.track(frame)
                yield quick_crop(frame.image, ibug_points(track, frame.height))
