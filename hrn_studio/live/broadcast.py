"""The live face sent on: a source is opened, each face found in it goes to a receiver."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from datetime import datetime
from pathlib import Path

from hrn_studio.errors import SourceError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.devices import cameras, find
from hrn_studio.live.feed import Feed
from hrn_studio.live.livelink_udp import Sender
from hrn_studio.live.regressor import FaceEstimator, LandmarkRegressor
from hrn_studio.live.spec import SourceSpec, demo, from_paths
from hrn_studio.live.stream import LiveControl, LiveFace, stream
from hrn_studio.live.tracker import LandmarkTracker, MediaPipeTracker


def chosen_source(text: str) -> SourceSpec:
    """The source a user named: ``camera``, a camera's name, ``demo``, an address or a file.

    Raises
    ------
    SourceError
        Nothing of that name is there.
    """
    if text == "demo":
        film = demo()
        if film is None:
            raise SourceError("this installation has no demo clip; name a camera or a video")
        return film
    if text.startswith(("http://", "https://")):
        return SourceSpec("stream", text, text.split("/")[2] or text)
    there = cameras()
    if text == "camera":
        if not there:
            raise SourceError("no camera is plugged in; plug one in, or name a video to send")
        return SourceSpec("camera", there[0].id, there[0].name)
    device = find(text, there)
    if device is not None:
        return SourceSpec("camera", device.id, device.name)
    spec = from_paths([Path(text).expanduser()])
    if spec is None:
        names = ", ".join(f"'{camera.name}'" for camera in there) or "none"
        raise SourceError(
            f"'{text}' is no camera, video, picture or folder; cameras plugged in: {names}"
        )
    return spec


def broadcast(
    spec: SourceSpec,
    sender: Sender,
    head: HeadModel,
    embedding: LandmarkEmbedding,
    estimator: FaceEstimator,
    *,
    hfov_deg: float | None = None,
    loop: bool = True,
    tracker: LandmarkTracker | None = None,
    time_of_day: Callable[[], float] | None = None,
) -> Generator[LiveFace | None, None, None]:
    """Send every face of a source until it ends or the iterator is closed.

    Parameters
    ----------
    hfov_deg
        Horizontal field of view of the camera; a webcam's 60 degrees by default.
    loop
        Whether films start again at their end.
    tracker
        Closed by the caller; MediaPipe by default.
    time_of_day
        Seconds since midnight, for the frame numbers; this computer's clock by default.

    Yields
    ------
    LiveFace or None
        Each frame looked at, after it was sent; None when no frame came for a moment.

    Raises
    ------
    SourceError
        The source cannot be opened or read.
    UsageError
        The network does not take the datagrams.
    """
    feed = spec.feed()
    if not loop:
        feed = Feed(spec.open, reconnect=spec.is_camera, paced=not spec.is_still, patient=True)
    midnight = time_of_day or _time_of_day
    follow = tracker or MediaPipeTracker("still" if spec.is_still else "video")
    regressor = LandmarkRegressor(head, embedding, estimator)
    try:
        feed.start()
        control = LiveControl(hfov_deg=hfov_deg)
        for live in stream(feed.box, follow, regressor, control=control):
            if live is not None and live.face is not None and live.face.state is not None:
                late = time.monotonic() - live.frame.time_s
                sender.send(live.face.state, midnight() - late)
            status = feed.status()
            if status.phase in ("refused", "failed"):
                raise SourceError(status.message)
            yield live
        status = feed.status()
        if status.phase in ("refused", "failed"):
            raise SourceError(status.message)
    finally:
        feed.close()
        if tracker is None:
            follow.close()


def _time_of_day() -> float:
    now = datetime.now().astimezone()
    return now.hour * 3600 + now.minute * 60 + now.second + now.microsecond * 1e-6
