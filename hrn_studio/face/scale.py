"""How large a head is: the irises as a ruler.

The visible iris has nearly the same diameter in all adults, 11.7 mm with a standard deviation of
0.42 mm (Rüfer, Schröder and Erb, "White-to-white corneal diameter", Cornea 24, 2005).  A
linear fit from one camera cannot tell a large head from a near one; the irises can, within their
own spread and the tracker's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hrn_studio.face.irises import gaze_of
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.transforms import apply
from hrn_studio.records import Doubles, FaceState, Floats, Track

IRIS_RINGS = {"Right": (469, 470, 471, 472), "Left": (474, 475, 476, 477)}
"""FaceMesh points on the rim of each iris: two opposite pairs."""
TRACKER_RATIO = 1.005
"""Iris diameter as the tracker draws it over the true one.

Median of 60 renders of the default head with open eyes, turned up to 35 degrees, irises 16 px
wide; single pictures scatter by 7 % (robust standard deviation), and turned over 20 degrees they
say 0.94."""
HEAD_SIGMA = 0.055
"""Spread of adult heads against the fitted one, as a share, between the eyes: it is the fit's error
and the people's own (63 mm, give or take 3.6, between adult pupils)."""
PEOPLE_SIGMA = 0.036
"""Spread of people's irises; more pictures do not help against it."""
TRACKER_SIGMA = 0.045
"""Spread of one picture's irises as the tracker sees them, about the person's own."""
_LARGEST = 0.1
"""No adult head is believed to be further from the mean: such irises were seen wrongly."""
_MIN_DIAMETER_PX = 6.0


def iris_log_scale(track: Track, state: FaceState, head: HeadModel) -> float | None:
    """Logarithm of the head's size against the fitted one, from one picture's irises.

    ``None`` when the head model or the track has no irises, or they are too few pixels.
    """
    if len(track.points_px) < 478 or len(head.eyes) != 2 or head.iris_diameter <= 0:
        return None
    centers = head.eye_centers(state.coefficients.identity) * state.scale
    depths = apply(state.T_camera_head, centers)[:, 2]
    shares = _widths_seen(gaze_of(head, track, state), state)
    found = []
    for eye, depth, share in zip(head.eyes, depths, shares, strict=True):
        rim = track.points_px[list(IRIS_RINGS[eye.side])].astype(np.float64)
        across = max(np.linalg.norm(rim[0] - rim[2]) / share, np.linalg.norm(rim[1] - rim[3]))
        if across < _MIN_DIAMETER_PX:
            return None
        radius = eye.radius * state.scale  # the iris lies in front of the eyeball's centre
        expected = state.camera.focal_px * head.iris_diameter / (depth - radius)
        found.append(np.log(TRACKER_RATIO * expected / across))
    return float(np.mean(found))


def _widths_seen(gaze: Floats, state: FaceState) -> Doubles:
    """(2,) what is left of an iris's width when its eye looks past the camera, 0.5..1."""
    yaw, pitch = gaze.T.astype(np.float64)
    looks = np.stack([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], 1)
    seen = looks @ state.T_camera_head[:3, :3].T
    share = np.abs(seen[:, 2]) / np.hypot(seen[:, 0], seen[:, 2])
    return np.asarray(np.maximum(share, 0.5))


def head_scale(
    tracks: Sequence[Track],
    states: Sequence[FaceState],
    eyes_open: Sequence[bool],
    head: HeadModel,
) -> tuple[float, str]:
    """Factor on a fitted head's size, and its source: ``iris`` or ``population_mean``.

    The median over the pictures with open eyes, drawn towards 1 as far as the irises' own spread
    asks for (the posterior mean of two Gaussians); the tracker's part of it falls with their
    number.
    """
    logs = [
        value
        for track, state, is_open in zip(tracks, states, eyes_open, strict=True)
        if is_open and (value := iris_log_scale(track, state, head)) is not None
    ]
    if not logs:
        return 1.0, "population_mean"
    spread = PEOPLE_SIGMA**2 + TRACKER_SIGMA**2 / len(logs)
    trust = HEAD_SIGMA**2 / (HEAD_SIGMA**2 + spread)
    found = np.clip(trust * np.median(logs), -_LARGEST, _LARGEST)
    return float(np.exp(found)), "iris"
