"""How fast the live view is here: frames of a film through tracker, regressor and measures."""

from __future__ import annotations

import dataclasses
import importlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hrn_studio.face.landmarks import load_embedding
from hrn_studio.face.model import load_head
from hrn_studio.live.estimator import load_estimator
from hrn_studio.live.mailbox import Mailbox
from hrn_studio.live.regressor import FaceEstimator, LandmarkRegressor
from hrn_studio.live.sources import VideoFile
from hrn_studio.live.stream import stream
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.records import Frame


@dataclass(frozen=True, slots=True)
class LiveReport:
    """What was measured."""

    fps: float
    """Frames with a face per second."""
    latency_p50_ms: float
    """From a frame's arrival to its face."""
    latency_p95_ms: float
    dropped: int
    rss_mb: float
    """Memory of the process now."""
    frames: int
    seconds: float
    window: bool = False
    visible_s: float = 0.0
    """From the start to the window on the screen."""
    first_face_s: float = 0.0
    heartbeat_worst_ms: float = 0.0
    """The longest the window did not answer, after the first face."""
    paints: int = 0
    grown_mb: float = 0.0
    """Memory now against the first third."""


def report(
    latencies_ms: Sequence[float], seconds: float, dropped: int, **more: float | bool
) -> LiveReport:
    """The report of measured latencies; zeros when there were none."""
    p50, p95 = np.percentile(latencies_ms or [0.0], [50, 95])
    made = LiveReport(
        fps=round(len(latencies_ms) / max(seconds, 1e-6), 1),
        latency_p50_ms=round(float(p50), 1),
        latency_p95_ms=round(float(p95), 1),
        dropped=dropped,
        rss_mb=round(rss_mb(), 1),
        frames=len(latencies_ms),
        seconds=round(seconds, 1),
    )
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def rss_mb() -> float:
    """Memory of this process in megabytes; its peak where the system does not tell more."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    try:
        resource = importlib.import_module("resource")
    except ImportError:  # Windows
        return 0.0
    peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def flat_out(
    file: Path, seconds: float = 10.0, most: int = 300, maps: FaceEstimator | None = None
) -> LiveReport:
    """Every frame as soon as the one before is done; at most ``most`` frames are read first.

    Parameters
    ----------
    maps
        What sees the face's coefficients; the learned maps by default.

    Raises
    ------
    SourceError
        The film cannot be read.
    """
    frames: list[Frame] = []
    with VideoFile(file) as film:
        for frame in film:
            frames.append(frame)
            if len(frames) == most:
                break
    head = load_head()
    regressor = LandmarkRegressor(head, load_embedding(), maps or load_estimator())
    box: Mailbox[Frame] = Mailbox()
    latencies: list[float] = []
    with MediaPipeTracker("video") as tracker:
        live = stream(box, tracker, regressor, head)
        started, index = time.monotonic(), 0
        while time.monotonic() - started < seconds:
            frame = frames[index % len(frames)]
            box.put(dataclasses.replace(frame, index=index, time_s=time.monotonic()))
            item = next(live)
            index += 1
            if index == 30:  # compiled and warm
                started, latencies = time.monotonic(), []
            if item is not None and item.face is not None:
                latencies.append((item.done_s - item.frame.time_s) * 1000)
        spent = time.monotonic() - started

    return report(latencies, spent, box.dropped)
