"""Live Link Face's text of a take: one row per frame, 52 shapes and nine angles.

Convention
----------
Columns, their order and their spelling are those of files recorded with the app (where
``JawRight`` stands before ``JawLeft``, unlike in its network packets).  Angles are radians, with
the signs found in recordings: head yaw to the subject's left, pitch up, and roll of the head's top
to the subject's right are positive; of the eyes, yaw to the subject's *right* and pitch *down*.
(The signs of the head follow from eyes that stay on the telephone while the head turns.)  The
app also exchanges the two eyes' angles; here each is in its own column.  The
timecode is ``HH:MM:SS:FF.fff`` with FF counted at 60 a second, as in the app, whatever the rate
of the take: 1.25 s is ``00:00:01:15.000``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from hrn_studio.geometry.transforms import angles_from_rotation
from hrn_studio.records import FaceState

SHAPES: tuple[str, ...] = (
    *("EyeBlinkLeft", "EyeLookDownLeft", "EyeLookInLeft", "EyeLookOutLeft", "EyeLookUpLeft"),
    *("EyeSquintLeft", "EyeWideLeft"),
    *("EyeBlinkRight", "EyeLookDownRight", "EyeLookInRight", "EyeLookOutRight", "EyeLookUpRight"),
    *("EyeSquintRight", "EyeWideRight"),
    *("JawForward", "JawRight", "JawLeft", "JawOpen"),
    *("MouthClose", "MouthFunnel", "MouthPucker", "MouthRight", "MouthLeft"),
    *("MouthSmileLeft", "MouthSmileRight", "MouthFrownLeft", "MouthFrownRight"),
    *("MouthDimpleLeft", "MouthDimpleRight", "MouthStretchLeft", "MouthStretchRight"),
    *("MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper"),
    *("MouthPressLeft", "MouthPressRight", "MouthLowerDownLeft", "MouthLowerDownRight"),
    *("MouthUpperUpLeft", "MouthUpperUpRight"),
    *("BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight"),
    *("CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight"),
    "TongueOut",
)
ANGLES: tuple[str, ...] = (
    *("HeadYaw", "HeadPitch", "HeadRoll"),
    *("LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll"),
    *("RightEyeYaw", "RightEyePitch", "RightEyeRoll"),
)
TIMECODE_FPS = 60


def arkit_name(shape: str) -> str:
    """ARKit's name of a column: ``EyeBlinkLeft`` is ``eyeBlinkLeft``."""
    return shape[0].lower() + shape[1:]


def livelink_csv(states: Iterable[FaceState], expression_names: Sequence[str]) -> str:
    """The text of a take.

    Parameters
    ----------
    states
        One per frame, with ``time_s``; a frame without a face is left out.
    expression_names
        ARKit's names of ``coefficients.expression``, in its order; shapes that are missing from
        it are written as 0.
    """
    lines = [",".join(("Timecode", "BlendShapeCount", *SHAPES, *ANGLES))]
    for state in states:
        values = curve_values(state, expression_names, SHAPES)
        row = ",".join(f"{value + 0.0:.10f}" for value in values)
        lines.append(f"{timecode(state.time_s)},{len(values)},{row}")
    return "\n".join(lines) + "\n"


def curve_values(
    state: FaceState, expression_names: Sequence[str], shapes: Sequence[str]
) -> list[float]:
    """The weights of ``shapes`` 0..1, in their order, and the nine angles in radians.

    Parameters
    ----------
    expression_names
        ARKit's names of ``coefficients.expression``; a shape that is missing from it is 0.
    shapes
        Live Link Face's names.
    """
    column = {name: i for i, name in enumerate(expression_names)}
    order = [column.get(arkit_name(shape), -1) for shape in shapes]
    weights = np.append(np.clip(state.coefficients.expression, 0.0, 1.0), 0.0)[order]
    return [*weights.tolist(), *_angles(state)]


def timecode(time_s: float, fps: int = TIMECODE_FPS) -> str:
    """``HH:MM:SS:FF.fff``; 3661.5 s at 60 frames a second is ``01:01:01:30.000``."""
    thousandths = round(max(0.0, time_s) * fps * 1000)
    frames, fraction = divmod(thousandths, 1000)
    seconds, frame = divmod(frames, fps)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours % 24:02d}:{minute:02d}:{second:02d}:{frame:02d}.{fraction:03d}"


def _angles(state: FaceState) -> list[float]:
    head = angles_from_rotation(state.T_camera_head[:3, :3])
    (left_yaw, left_pitch), (right_yaw, right_pitch) = state.coefficients.gaze.tolist()
    return [*head, -left_yaw, -left_pitch, 0.0, -right_yaw, -right_pitch, 0.0]
