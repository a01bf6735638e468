"""From frames to live faces: track, regress, rate.  Pure composition, one item per frame.

The generator takes the newest frame of a :class:`~hrn_studio.live.mailbox.Mailbox`, so that what
it cannot keep up with is dropped there and counted.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hrn_studio.errors import NoFaceError
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.geometry.transforms import AXES_CAMERA_HEAD, apply, project
from hrn_studio.live.cameras import camera_for
from hrn_studio.live.mailbox import Mailbox
from hrn_studio.live.quality import FRONT, Past, Quality, Target, measure
from hrn_studio.live.quality_light import Lamp, lamp
from hrn_studio.live.quality_limits import Limit, limits
from hrn_studio.live.tracker import LandmarkTracker
from hrn_studio.records import FaceState, Floats, Frame, Ints, Track, frozen

if TYPE_CHECKING:
    from hrn_studio.live.regressor import FaceRegressor

LAMP_S = 0.2
"""The light on the mesh is looked at this often."""
_LAMP_POINTS = 700


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the stream runs."""

    fps: float = 0.0
    """Tracked frames per second over the last ones."""
    latency_p50_ms: float = 0.0
    """From the frame's arrival to its face."""
    latency_p95_ms: float = 0.0
    dropped: int = 0
    """Frames that came while another was tracked."""
    frames: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face that was found in a live frame."""

    track: Track
    quality: Quality
    state: FaceState | None = None
    """None without a regressor."""
    vertices: Floats = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    """(V, 3) metres in the head frame, true to scale; empty without a state."""
    lamp: Lamp | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", frozen(self.vertices, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class LiveFace:
    """One frame and what was seen in it: what the live view shows."""

    frame: Frame
    face: Face | None
    """None when no usable face is seen."""
    reason: str
    """Why there is no face, in words; else empty."""
    pace: Pace
    done_s: float
    """Clock when the face was ready."""


@dataclass(slots=True)
class LiveControl:
    """What the one who watches may change while the stream runs; read once per frame."""

    target: Target = FRONT
    limit_table: Mapping[str, Limit] = field(default_factory=limits)
    hfov_deg: float | None = None
    stored_scale: float = 1.0
    min_interval_s: float = 0.0
    """Slows the stream down, so that a fit has the processor."""
    paused: bool = False
    """Frames pass without being tracked."""
    moving: bool = True
    """Each frame follows the one before; False for pictures that have nothing to do with another:
    nothing moved between them, and no face is at rest."""


class Paces:
    """Counts frames and latencies over the last seconds."""

    def __init__(self, window: int = 150) -> None:
        self._done: deque[float] = deque(maxlen=window)
        self._late: deque[float] = deque(maxlen=window)
        self._frames = 0
        self._shown = Pace()

    def add(self, arrived_s: float, done_s: float, dropped: int) -> Pace:
        """The pace including this frame; percentiles are renewed every tenth frame."""
        self._frames += 1
        self._done.append(done_s)
        self._late.append((done_s - arrived_s) * 1000)
        if self._frames % 10 == 1 or dropped != self._shown.dropped:
            p50, p95 = np.percentile(self._late, [50, 95])
            span = self._done[-1] - self._done[0]
            fps = (len(self._done) - 1) / span if span > 0 else 0.0
            self._shown = Pace(fps, float(p50), float(p95), dropped, self._frames)
        return self._shown


def stream(
    box: Mailbox[Frame],
    tracker: LandmarkTracker,
    regressor: FaceRegressor | None = None,
    head: HeadModel | None = None,
    control: LiveControl | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
    wait_s: float = 0.1,
) -> Iterator[LiveFace | None]:
    """One :class:`LiveFace` per frame taken, until the box is closed and empty.

    Yields None when no frame came within ``wait_s``, so that whoever drives it can stop.
    ``frame.time_s`` must be the clock's time of arrival.
    """
    control = control or LiveControl()
    normals_at = _lamp_vertices(head) if head is not None else None
    past, paces = Past(), Paces()
    seen_lamp: Lamp | None = None
    lamp_s = next_s = -1e9
    while True:
        frame = box.take(wait_s)
        if frame is None:
            if box.closed:
                return
            yield None
            continue
        now = clock()
        if control.paused or now < next_s:
            yield None
            continue
        next_s = now + control.min_interval_s
        try:
            track = tracker.track(frame)
        except NoFaceError as error:
            past = Past(sharpest=past.sharpest, rest=past.rest)
            done = clock()
            pace = paces.add(frame.time_s, done, box.dropped)
            yield LiveFace(frame, None, str(error), pace, done)
            continue
        state: FaceState | None = None
        vertices = np.zeros((0, 3), np.float32)
        if regressor is not None:
            state = regressor.regress(frame, track, camera_for(frame, control.hfov_deg))
            if head is not None:
                vertices = head.evaluate(state.coefficients, state.scale)
        if not control.moving:
            past = Past(sharpest=past.sharpest)
        names = head.expression_names if head is not None else ()
        quality, past = measure(
            frame,
            track,
            state,
            past,
            target=control.target,
            limit_table=control.limit_table,
            stored_scale=control.stored_scale,
            expression_names=names,
        )
        done = clock()
        due = done - lamp_s >= LAMP_S
        if due and state is not None and head is not None and normals_at is not None:
            lamp_s = done
            seen_lamp = face_lamp(frame, state, vertices, head, normals_at)
        face = Face(track, quality, state, vertices, seen_lamp)
        pace = paces.add(frame.time_s, done, box.dropped)
        yield LiveFace(frame, face, "", pace, done)


def _lamp_vertices(head: HeadModel) -> Ints:
    """A few hundred vertices of the skin of the face, spread evenly by index."""
    skin = head.part_vertices("skin")
    face = head.regions.get("face")
    if face is not None:
        skin = skin[face[skin] > 0.5]
    return np.asarray(skin[:: max(1, len(skin) // _LAMP_POINTS)], np.int32)


def face_lamp(
    frame: Frame, state: FaceState, vertices: Floats, head: HeadModel, at: Ints
) -> Lamp | None:
    """The light on the live mesh, from the picture under its vertices ``at``."""
    R = AXES_CAMERA_HEAD @ state.T_camera_head[:3, :3]  # head to viewer
    normals = vertex_normals(vertices, head.triangles)[at] @ R.T
    points = project(apply(state.T_camera_head, vertices[at]), state.camera)
    return lamp(frame.image, points, normals)
