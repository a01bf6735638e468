"""A kept frame's quality, measured against the pose it shows instead of the one asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from hrn_studio.live.advice import LIGHT
from hrn_studio.live.quality import FRONT, Measure, Quality, measure
from hrn_studio.live.quality_limits import Limit
from hrn_studio.records import FaceState, Frame, Track
from hrn_studio.session.guided import UNSEEN_FROM_ASIDE, is_turned
from hrn_studio.session.state import GUIDED, kind_of

_OF_POSE = ("yaw", "pitch", "roll", "eyes", "mouth", "neutral")
"""Measures whose limits follow the target."""


def rated(
    frame: Frame,
    track: Track,
    state: FaceState | None,
    quality: Quality,
    limit_table: Mapping[str, Limit],
    expression_names: tuple[str, ...],
) -> Quality:
    """The quality with pose and face judged against the nearest shot of the guided sequence.

    A picture of a head turned by 30 degrees is a good picture from the side, not a bad one from
    the front.
    """
    kind = kind_of(quality.pose_deg)
    target = quality.target
    if target == FRONT:
        target = next((p.target for p in GUIDED if p.key == kind), target)
    if target != quality.target:
        again, _ = measure(
            frame,
            track,
            state,
            target=target,
            limit_table=limit_table,
            expression_names=expression_names,
        )
        measures = tuple(again[m.key] if m.key in _OF_POSE else m for m in quality.measures)
        quality = dataclasses.replace(quality, measures=measures, target=target)
    if not is_turned(target):
        return quality
    return dataclasses.replace(quality, measures=tuple(_forgiven(m) for m in quality.measures))


def _forgiven(measure: Measure) -> Measure:
    """What a turned head cannot help is not held against the frame."""
    if measure.key not in (*LIGHT, *UNSEEN_FROM_ASIDE, "sharpness"):
        return measure
    return dataclasses.replace(measure, limit=dataclasses.replace(measure.limit, required=False))
