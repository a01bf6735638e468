"""Where eyes look: angles, rotations and the eyeLook expressions that go with them.

Yaw is towards the subject's left, pitch is up, both in radians and relative to the head.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.records import AnyFloats, Doubles

LOOK_YAW = float(np.radians(26))
"""An eyeLookIn or eyeLookOut of 1 turns the eye this far sideways."""
LOOK_UP = float(np.radians(18))
LOOK_DOWN = float(np.radians(20))


def gaze_rotation(yaw: float, pitch: float) -> Doubles:
    """Rotation (3, 3) that turns an eye by yaw (to the subject's left) and pitch (up), radians."""
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    lift = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    return np.asarray(turn @ lift)


def look_angles(name: str, side: str) -> tuple[float, float]:
    """Yaw and pitch of the eye on ``side`` in the full eyeLook shape ``name``; zeros otherwise."""
    outward = 1.0 if side == "Left" else -1.0
    angles = {
        f"eyeLookUp{side}": (0.0, LOOK_UP),
        f"eyeLookDown{side}": (0.0, -LOOK_DOWN),
        f"eyeLookOut{side}": (outward * LOOK_YAW, 0.0),
        f"eyeLookIn{side}": (-outward * LOOK_YAW, 0.0),
    }
    return angles.get(name, (0.0, 0.0))


def look_weights(gaze: AnyFloats) -> dict[str, float]:
    """The eyeLook weights 0..1 by name that belong to a gaze (2, 2), so that lids follow it."""
    result = {}
    for side, (yaw, pitch) in zip(("Left", "Right"), np.asarray(gaze, float), strict=True):
        outward = yaw if side == "Left" else -yaw
        for name, share in (
            ("Out", outward / LOOK_YAW),
            ("In", -outward / LOOK_YAW),
            ("Up", pitch / LOOK_UP),
            ("Down", -pitch / LOOK_DOWN),
        ):
            result[f"eyeLook{name}{side}"] = float(np.clip(share, 0, 1))
    return result
