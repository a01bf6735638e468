"""A kept frame's quality, measured against the pose it shows instead of the one asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from hrn_studio.live.quality import Quality, measure
from hrn_studio.live.quality_limits import Limit
from hrn_studio.records import FaceState, Frame, Track
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
    target = next((p.target for p in GUIDED if p.key == kind), quality.target)
    if target == quality.target:
        return quality
    again, _ = measure(
        frame,
        track,
        state,
        target=target,
        limit_table=limit_table,
        expression_names=expression_names,
    )
    measures = tuple(again[m.key] if m.key in _OF_POSE else m for m in quality.measures)
    return dataclasses.replace(quality, measures=measures, target=target)
