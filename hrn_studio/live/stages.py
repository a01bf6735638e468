"""How long each step of one live frame takes, for ``hrn-studio bench regress``."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from hrn_studio.errors import NoFaceError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.cameras import camera_for
from hrn_studio.live.estimator import StudioEstimator
from hrn_studio.live.motion import Motion
from hrn_studio.live.network import FaceNetwork
from hrn_studio.live.regressor import LandmarkRegressor
from hrn_studio.live.tracker import LandmarkTracker
from hrn_studio.records import Frame

TOTAL = "total after tracker"
HELPED = "with the face network"


class Watch:
    """Collects seconds by the name of what took them."""

    def __init__(self) -> None:
        self.laps: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        """Measures the block; one that raises does not count."""
        start = time.perf_counter()
        yield
        self.laps[name].append(time.perf_counter() - start)


def time_frames(
    frames: Iterable[Frame],
    tracker: LandmarkTracker,
    head: HeadModel,
    embedding: LandmarkEmbedding,
    estimator: StudioEstimator,
    network: FaceNetwork | None = None,
) -> dict[str, Sequence[float]]:
    """Seconds of each step for each frame with a face.

    Steps: ``tracker``, ``maps`` (landmarks and gradients), ``solve`` (identity, pose, irises),
    ``smoothing`` and ``total after tracker``, which is measured by itself: all of it in one call,
    as the live view makes it.  Then, when a network is given, its one look by itself, ``network``,
    and ``with the face network``: the total where it looks too.
    """
    watch = Watch()
    plain = LandmarkRegressor(head, embedding, estimator, smooth=False)
    whole = LandmarkRegressor(head, embedding, estimator)
    seeing = None if network is None else StudioEstimator(estimator.maps, network)
    helped = None if seeing is None else LandmarkRegressor(head, embedding, seeing)
    blinks = np.array([name.startswith("eyeBlink") for name in head.expression_names])
    motion = Motion(blinks)
    for frame in frames:
        camera = camera_for(frame)
        try:
            with watch.lap("tracker"):
                track = tracker.track(frame)
        except NoFaceError:
            continue
        with watch.lap(TOTAL):
            whole.regress(frame, track, camera)
        with watch.lap("maps"):
            estimate = estimator.maps.estimate(frame, track, camera)
        if network is not None:
            with watch.lap("network"):
                network.see(frame, track)
        if helped is not None:
            with watch.lap(HELPED):
                helped.regress(frame, track, camera)
        with watch.lap("solve"):
            state = plain.regress_estimate(frame.time_s, track, camera, estimate)
        c = state.coefficients
        with watch.lap("smoothing"):
            motion.pose(state.T_camera_head, frame.time_s)
            motion.expression(c.expression.astype(np.float64), frame.time_s)
            motion.gaze(c.gaze.astype(np.float64), frame.time_s)
    order = ("tracker", "maps", "solve", "smoothing", TOTAL, "network", HELPED)
    return {name: watch.laps[name] for name in order if name in watch.laps}
