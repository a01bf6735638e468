"""The guided sequence: which shot is wanted, how far the head has come, and when to take it.

Pure: :func:`advance` maps a state, a frame's quality and a time to the next state; the one who
drives it takes a frame when ``take`` says so.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from hrn_studio.live.advice import LIGHT
from hrn_studio.live.quality import Quality, Target
from hrn_studio.session.state import GUIDED, Planned

HOLD_S = 0.5
UNSEEN_FROM_ASIDE = ("neutral",)
"""Measures that err on a turned head: half of the mouth and a brow are hidden."""


@dataclass(frozen=True, slots=True)
class Guided:
    """Where the sequence is."""

    index: int = 0
    kept: Mapping[str, int] = field(default_factory=dict)
    """Frames taken of each shot."""
    skipped: frozenset[str] = frozenset()
    held_since_s: float = math.nan
    """Since when pose and quality are right; nan when they are not."""
    hold: float = 0.0
    """0..1 of the time the pose must be held."""
    progress: float = 0.0
    """0..1 how far the head has come towards the target."""

    @property
    def shot(self) -> Planned | None:
        """The wanted shot; None when the sequence is done."""
        return GUIDED[self.index] if self.index < len(GUIDED) else None

    @property
    def done(self) -> bool:
        return self.index >= len(GUIDED)

    @property
    def count(self) -> int:
        """Shots that are done."""
        return sum(1 for p in GUIDED if self.kept.get(p.key))


def advance(guided: Guided, quality: Quality | None, now_s: float) -> tuple[Guided, bool]:
    """The next state, and whether the frame should be taken now."""
    shot = guided.shot
    if shot is None:
        return guided, False
    if quality is None or quality.pose_deg is None:
        return dataclasses.replace(guided, held_since_s=math.nan, hold=0.0, progress=0.0), False
    come = _come(shot, quality)
    if not fit_to_take(quality):
        return dataclasses.replace(guided, held_since_s=math.nan, hold=0.0, progress=come), False
    since = guided.held_since_s if math.isfinite(guided.held_since_s) else now_s
    hold = min(1.0, (now_s - since) / HOLD_S)
    state = dataclasses.replace(guided, held_since_s=since, hold=hold, progress=1.0)
    return state, hold >= 1.0


def is_turned(target: Target) -> bool:
    """Whether a shot is not from the front."""
    return abs(target.yaw) > 10 or abs(target.pitch) > 10


def fit_to_take(quality: Quality) -> bool:
    """Pose within its tolerance, nothing red, and light and focus not amber for a front shot."""
    turned = is_turned(quality.target)
    for measure in quality.measures:
        if turned and measure.key in UNSEEN_FROM_ASIDE:
            continue
        if measure.key in ("yaw", "pitch", "roll", "motion") and measure.state != "ok":
            return False
        if measure.limit.required and measure.state == "bad":
            return False
    # A turned head shades itself: amber light is no reason to wait there.
    aside = (*LIGHT, *UNSEEN_FROM_ASIDE, "sharpness", "distance", "face_size", "framing")
    forgiven = aside if turned else ()
    return all(not m.needed or m.key in forgiven or m.key == "distance" for m in quality.measures)


def taken(guided: Guided) -> Guided:
    """The shot was kept: on to the next."""
    shot = guided.shot
    if shot is None:
        return guided
    kept = {**guided.kept, shot.key: guided.kept.get(shot.key, 0) + 1}
    return _next(dataclasses.replace(guided, kept=kept))


def skip(guided: Guided) -> Guided:
    """Leave this shot out."""
    shot = guided.shot
    if shot is None:
        return guided
    return _next(dataclasses.replace(guided, skipped=guided.skipped | {shot.key}))


def go_to(guided: Guided, key: str) -> Guided:
    """Take this shot next."""
    index = next((i for i, p in enumerate(GUIDED) if p.key == key), guided.index)
    return _fresh(guided, index)


def _next(guided: Guided) -> Guided:
    index = guided.index + 1
    while index < len(GUIDED) and guided.kept.get(GUIDED[index].key):
        index += 1
    return _fresh(guided, index)


def _fresh(guided: Guided, index: int) -> Guided:
    return dataclasses.replace(guided, index=index, held_since_s=math.nan, hold=0.0, progress=0.0)


def _come(shot: Planned, quality: Quality) -> float:
    """Share of the way from looking ahead to the target."""
    assert quality.pose_deg is not None
    yaw, pitch, _ = quality.pose_deg
    way = math.hypot(shot.target.yaw, shot.target.pitch)
    left = math.hypot(yaw - shot.target.yaw, pitch - shot.target.pitch)
    if way < 1:
        return max(0.0, 1 - left / 30)
    return min(1.0, max(0.0, 1 - left / way))
