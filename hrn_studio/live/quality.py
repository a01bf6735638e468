"""Capture quality: is this frame good enough to make a head from, and if not, what is wrong.

:func:`measure` is a pure function of a frame, its track, its face if one is known, and the
:class:`Past`; the caller keeps the past that :func:`after` returns.  Nothing here knows a window.
The limits are those of :mod:`.quality_limits`, the light is measured in :mod:`.quality_light`, and
:mod:`.advice` turns the result into one instruction.

Angles are degrees with the signs of :mod:`hrn_studio.geometry.transforms`: yaw to the subject's
left, pitch up, roll to the subject's right are positive.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hrn_studio.geometry.transforms import angles_from_rotation
from hrn_studio.live._cv import cv2
from hrn_studio.live.facemesh import LEFT_EYE, LEFT_IRIS, RIGHT_EYE, RIGHT_IRIS
from hrn_studio.live.quality_light import FaceLight, face_box, face_crop, face_light
from hrn_studio.live.quality_limits import GROUPS, Group, Limit, State, limits
from hrn_studio.records import Bytes, FaceState, Floats, Frame, Track, frozen

SHARPNESS_PX = 256
"""Sharpness is judged on the face at this size, so that distance does not change it."""
HOLD_S = 0.4
"""A state must last this long before it is shown."""
_MEMORY = 5
_AHEAD_DEG = 15.0
"""A head turned less than this shows a face to compare the sharpness of others with."""
_EYES_HELD = 3
_CHIN, _LIP_TOP, _LIP_BOTTOM = 152, 13, 14
_MOTION_POINTS = slice(0, 468, 6)


@dataclass(frozen=True, slots=True)
class Target:
    """The pose a shot wants, degrees."""

    yaw: float = 0.0
    pitch: float = 0.0
    green: float = 5.0
    """Tolerance."""
    red: float = 8.0
    neutral: bool = True
    """Eyes open, mouth closed and a relaxed face are wanted."""


FRONT = Target()


@dataclass(frozen=True, slots=True)
class Measure:
    """One value and what it means."""

    limit: Limit
    value: float
    """In the limit's unit; nan when it cannot be measured."""
    state: State

    @property
    def key(self) -> str:
        return self.limit.key

    @property
    def needed(self) -> bool:
        """Whether it stands in the way of *ready*."""
        return self.limit.required and self.state in ("warn", "bad")


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """Everything measured on one frame."""

    measures: tuple[Measure, ...]
    """In the order they are shown."""
    light: FaceLight | None
    """None when the face is not in the picture."""
    pose_deg: tuple[float, float, float] | None
    """Yaw, pitch, roll; None without a face state."""
    target: Target = FRONT
    time_s: float = 0.0

    def __getitem__(self, key: str) -> Measure:
        return next(m for m in self.measures if m.key == key)

    @property
    def ready(self) -> bool:
        """No required measure is amber or red, and the light and the face were measured."""
        return self.light is not None and not any(m.needed for m in self.measures)

    @property
    def score(self) -> int:
        """0..100: half the mean of the required measures' scores, half their worst."""
        scores = [
            m.limit.score(m.value) for m in self.measures if m.limit.required and m.state != "none"
        ]
        return round(50 * (sum(scores) / len(scores) + min(scores))) if scores else 0

    def group(self, group: Group) -> Measure:
        """The worst measure of a group; of equal ones the first."""
        order = {"bad": 0, "warn": 1, "ok": 2, "none": 3}
        members = [m for m in self.measures if m.limit.group == group]
        return min(members, key=lambda m: (order[m.state], m.limit.score(m.value)))

    def worst(self) -> State:
        """The worst state of the required measures; ``none`` when nothing is measured."""
        states = {m.state for m in self.measures if m.limit.required}
        order: tuple[State, ...] = ("bad", "warn", "ok")
        return next((s for s in order if s in states), "none")


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What earlier frames say: needed for motion, sharpness, lids, and states that do not
    flicker."""

    points: tuple[Floats, ...] = ()
    """Landmarks of the last frames, newest last."""
    lids: tuple[float, ...] = ()
    sharpest: float = 0.0
    """The best sharpness of this camera so far."""
    rest: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    """(E,) the person's own neutral expression: the lowest seen, drifting up slowly."""
    states: Mapping[str, State] = field(default_factory=dict)
    """What is shown."""
    pending: Mapping[str, tuple[State, float]] = field(default_factory=dict)
    """States that want to be shown, and since when."""


def measure(
    frame: Frame,
    track: Track,
    state: FaceState | None = None,
    past: Past | None = None,
    *,
    target: Target = FRONT,
    limit_table: Mapping[str, Limit] | None = None,
    stored_scale: float = 1.0,
    expression_names: tuple[str, ...] = (),
) -> tuple[Quality, Past]:
    """The quality of one frame, and the past for the next.

    Parameters
    ----------
    stored_scale
        How many times larger the picture that will be stored is than ``frame``.
    expression_names
        Names of the state's expressions; blinks and looks do not count against *neutral*.
    """
    past = past or Past()
    table = limits() if limit_table is None else limit_table
    crop = face_crop(frame.image, track)
    light = face_light(crop) if crop is not None else None
    sharp = sharpness(frame.image, track) if crop is not None else 0.0
    angles = pose_deg(state)
    # Hair and ears of a turned head are sharper than any face: they are no measure for it.
    ahead = angles is None or max(abs(angles[0]), abs(angles[1])) < _AHEAD_DEG
    sharpest = past.sharpest * 0.9995
    if ahead or not past.sharpest:
        sharpest = max(sharpest, sharp)
    eye_px = eye_distance_px(track)
    turned = math.cos(math.radians(angles[0])) if angles else 1.0
    height = face_height_px(track)
    lids = (*past.lids, eye_gap(track) / height)[-_EYES_HELD:]
    rest = _rest(past.rest, state)

    values: dict[str, float] = dict.fromkeys(table, math.nan)
    if light is not None:
        values |= {
            "over": light.over,
            "under": light.under,
            "balance": light.balance_ev,
            "brightness": light.mean,
            "contrast": light.variance,
            "white_balance": light.skin_delta,
            "sharpness": min(sharp / sharpest, 1.0) if sharpest > 0 else math.nan,
        }
    values |= {
        "motion": motion(past.points, track.points_px, eye_px),
        "face_size": eye_px / max(turned, 0.3) * stored_scale,
        "framing": margin(track, frame),
        "one_face": float(track.faces),
        "eyes": min(lids),
        "mouth": lip_gap(track) / height,
    }
    if state is not None:
        values["distance"] = float(state.T_camera_head[2, 3])
        values["neutral"] = _restless(state, rest, expression_names, track)
    if angles is not None:
        values |= {
            "yaw": angles[0] - target.yaw,
            "pitch": angles[1] - target.pitch,
            "roll": angles[2],
        }
    pending: dict[str, tuple[State, float]] = {}
    measures = tuple(
        _graded(for_target(limit, target), values[key], past, frame.time_s, pending)
        for key, limit in table.items()
    )
    points = (*past.points, track.points_px)[-_MEMORY:]
    states = {m.key: m.state for m in measures}
    quality = Quality(measures, light, angles, target, frame.time_s)
    return quality, Past(points, lids, sharpest, rest, states, pending)


def _graded(
    limit: Limit, value: float, past: Past, now_s: float, pending: dict[str, tuple[State, float]]
) -> Measure:
    """The state to show: a change must last HOLD_S, or it is noise."""
    shown = past.states.get(limit.key, "none")
    wanted = limit.grade(value, shown)
    if wanted != shown and "none" not in (wanted, shown):
        before, since = past.pending.get(limit.key, ("none", now_s))
        if before != wanted:
            since = now_s
        if now_s - since < HOLD_S:
            pending[limit.key] = (wanted, since)
            wanted = shown
    return Measure(limit, value, wanted)


def for_target(limit: Limit, target: Target) -> Limit:
    """The limit as a shot wants it: its own pose tolerance, no neutral face for a smile."""
    if limit.key in ("yaw", "pitch") and target is not FRONT:
        pair = (-target.green, target.green), (-target.red, target.red)
        return dataclasses.replace(limit, green=pair[0], red=pair[1])
    if limit.key in ("mouth", "neutral", "eyes") and not target.neutral:
        return dataclasses.replace(limit, required=False)
    return limit


def unmeasured(limit_table: Mapping[str, Limit] | None = None) -> Quality:
    """What is shown while there is no face."""
    table = limits() if limit_table is None else limit_table
    return Quality(tuple(Measure(x, math.nan, "none") for x in table.values()), None, None)


def overall(quality: Quality) -> dict[Group, State]:
    """The worst state of each group."""
    return {group: quality.group(group).state for group in GROUPS}


# --- single measures ------------------------------------------------------------------------------


def sharpness(image: Bytes, track: Track) -> float:
    """Spread of the Laplacian on the face at a fixed size, over its contrast (higher is sharper).

    Divided by the picture's own spread, so that a dim face is not called blurred.
    """
    box = face_box(image, track)
    if box is None:
        return 0.0
    x0, y0, x1, y1 = box
    factor = SHARPNESS_PX / max(x1 - x0, y1 - y0)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image[y0:y1, x0:x1], None, fx=factor, fy=factor, interpolation=how)
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    h, w = luma.shape
    middle = luma[h // 6 : h * 5 // 6, w // 6 : w * 5 // 6]
    _, edges = cv2.meanStdDev(cv2.Laplacian(middle, cv2.CV_16S))
    _, spread = cv2.meanStdDev(middle)
    return float(edges[0, 0] / (spread[0, 0] + 4.0))


def pose_deg(state: FaceState | None) -> tuple[float, float, float] | None:
    """Yaw, pitch, roll in degrees."""
    if state is None:
        return None
    yaw, pitch, roll = np.degrees(angles_from_rotation(state.T_camera_head))
    return float(yaw), float(pitch), float(roll)


def eye_distance_px(track: Track) -> float:
    """Between the centres of the eyes."""
    points = track.points_px
    if len(points) >= 478:
        left, right = points[LEFT_IRIS[0]], points[RIGHT_IRIS[0]]
    else:
        left, right = (points[list(e)].mean(axis=0) for e in (LEFT_EYE, RIGHT_EYE))
    return float(np.linalg.norm(left - right))


def face_height_px(track: Track) -> float:
    """OFIQ's T: from the middle between the eyes to the chin."""
    points = track.points_px
    middle = (points[list(LEFT_EYE)].mean(axis=0) + points[list(RIGHT_EYE)].mean(axis=0)) / 2
    return max(float(np.linalg.norm(points[_CHIN] - middle)), 1.0)


def eye_gap(track: Track) -> float:
    """Largest lid gap of the eye that is less open, pixels."""

    def gap(eye: tuple[int, ...]) -> float:
        lids = track.points_px[list(eye)]
        return float(np.linalg.norm(lids[1:8] - lids[15:8:-1], axis=1).max())

    return min(gap(LEFT_EYE), gap(RIGHT_EYE))


def lip_gap(track: Track) -> float:
    """Between the inner edges of the lips, pixels."""
    return float(np.linalg.norm(track.points_px[_LIP_TOP] - track.points_px[_LIP_BOTTOM]))


def margin(track: Track, frame: Frame) -> float:
    """Smallest distance of the face's box to the picture's edge, as a share of that side."""
    low, high = track.points_px.min(axis=0), track.points_px.max(axis=0)
    w, h = frame.width, frame.height
    return float(min(low[0] / w, (w - high[0]) / w, low[1] / h, (h - high[1]) / h))


def motion(before: tuple[Floats, ...], now: Floats, eye_px: float) -> float:
    """Mean movement of the landmarks per frame in eye distances over the last frames."""
    steps = [*before, now]
    if len(steps) < 2 or eye_px <= 0 or any(len(s) != len(now) for s in steps):
        return math.nan
    moved = [
        float(np.median(np.hypot(*(b[_MOTION_POINTS] - a[_MOTION_POINTS]).T)))
        for a, b in itertools.pairwise(steps)
    ]
    return float(np.mean(moved)) / eye_px


def _rest(before: Floats, state: FaceState | None) -> Floats:
    if state is None:
        return before
    now = state.coefficients.expression
    if len(before) != len(now):
        before = np.full(len(now), 0.15, np.float32)
    result: Floats = frozen(np.minimum(before + np.float32(0.0005), now), np.float32)
    return result


def _restless(state: FaceState, rest: Floats, names: tuple[str, ...], track: Track) -> float:
    """The largest expression over the person's rest; lids and gaze have their own measure."""
    if track.scores:
        return max(v for k, v in track.scores.items() if not _lids(k))
    over = state.coefficients.expression - rest
    if len(names) == len(over):
        over = over[[not _lids(n) for n in names]]
    return float(max(over.max(initial=0.0), 0.0))


def _lids(name: str) -> bool:
    return name.startswith(("eyeBlink", "eyeLook", "eyeSquint", "_"))
