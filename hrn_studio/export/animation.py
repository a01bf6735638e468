"""A recording as ``hrn-studio track`` writes it, for formats that can play one.

Convention
----------
The text is that of :mod:`hrn_studio.live.livelink`: angles in radians; the head's yaw to the
subject's left, pitch up and roll of its top to the subject's right are positive, the eyes' yaw to
the subject's right and pitch down.  A timecode ``HH:MM:SS:FF.fff`` counts FF at 60 a second.
Columns are found by name, in any order and case; shapes that are missing are still.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hrn_studio.errors import UsageError
from hrn_studio.export.arkit import ARKIT_NAMES
from hrn_studio.export.names import file_stem
from hrn_studio.geometry.transforms import AXES_CAMERA_HEAD, rotation_from_angles
from hrn_studio.records import Doubles, Floats, frozen

ANGLES: tuple[str, ...] = (
    *("headYaw", "headPitch", "headRoll"),
    *("leftEyeYaw", "leftEyePitch", "leftEyeRoll"),
    *("rightEyeYaw", "rightEyePitch", "rightEyeRoll"),
)
"""Beside the shapes, in the recording's own signs."""
_FPS = 60
_DAY_S = 86400
_LONGEST = 500_000
"""Rows; two hours at 60 frames a second are fewer."""


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A face over time."""

    name: str
    times_s: Doubles
    """(F,) strictly rising, the first is zero."""
    shapes: tuple[str, ...]
    """ARKit's names, in the order of the columns of ``weights``."""
    weights: Floats
    """(F, E) 0..1"""
    angles: Floats
    """(F, 9) radians, in the order and with the signs of :data:`ANGLES`."""
    text: str = ""
    """The recording as it was read."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "times_s", frozen(self.times_s, np.float64))
        for name in ("weights", "angles"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))

    @property
    def duration_s(self) -> float:
        return float(self.times_s[-1])

    @property
    def rate(self) -> float:
        """Frames a second."""
        if len(self.times_s) < 2:
            return 30.0
        return float(1 / np.median(np.diff(self.times_s)))

    def weights_of(self, arkit: str) -> Floats:
        """(F,) of one shape; zeros when it was not recorded."""
        if arkit not in self.shapes:
            return np.zeros(len(self.times_s), np.float32)
        return np.ascontiguousarray(self.weights[:, self.shapes.index(arkit)])

    def head_rotations(self) -> Doubles:
        """(F, 3, 3) how the head is turned, in the head frame at rest.

        It is ``Rz(roll) @ Ry(yaw) @ Rx(-pitch)``: a pose towards a camera, without the change to
        the camera's axes.
        """
        turned = [rotation_from_angles(*map(float, a)) for a in self.angles[:, :3]]
        return np.asarray(AXES_CAMERA_HEAD.T @ np.array(turned))


def read_take(path: str | Path) -> Take:
    """The recording in a CSV file.

    Raises
    ------
    UsageError
        The file is missing, or not a recording; says which row is wrong.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"the recording '{path}' cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _not_one(path) from error
    return parse_take(text, file_stem(path.stem), str(path))


def parse_take(text: str, name: str, source: str = "recording") -> Take:
    """The recording in a text; raises like :func:`read_take`."""
    rows = [row for row in csv.reader(text.splitlines()) if row]
    if not rows or "timecode" not in {cell.strip().casefold() for cell in rows[0]}:
        raise _not_one(source)
    header = {cell.strip().casefold(): k for k, cell in enumerate(rows[0])}
    shapes = tuple(n for n in ARKIT_NAMES if n.casefold() in header)
    if not shapes:
        raise _not_one(source)
    if not 1 < len(rows) <= _LONGEST:
        raise UsageError(f"'{source}' has {len(rows) - 1} frames; give a recording with some")
    wanted = [header[n.casefold()] for n in shapes] + [header.get(n.casefold(), -1) for n in ANGLES]
    table, times = [], []
    for number, row in enumerate(rows[1:], 2):
        try:
            times.append(_seconds(row[header["timecode"]]))
            values = [float(row[k]) if k >= 0 else 0.0 for k in wanted]
        except (ValueError, IndexError) as error:
            raise UsageError(
                f"row {number} of '{source}' is no frame of a recording; remove it or record again"
            ) from error
        if not all(map(math.isfinite, values)):
            raise UsageError(f"row {number} of '{source}' holds no number; record again")
        table.append(values)
    return replace(_take(name, np.array(times), shapes, np.array(table)), text=text)


def curves_of(take: Take) -> Mapping[str, Floats]:
    """The nine angles (F,) by the names Unreal's curves have: ``HeadYaw`` and the others."""
    return {n[:1].upper() + n[1:]: take.angles[:, k].copy() for k, n in enumerate(ANGLES)}


def _take(name: str, times: Doubles, shapes: Sequence[str], table: Doubles) -> Take:
    """Frames in order of time; of several at one time the first."""
    past_midnight = np.append(0, np.cumsum(np.diff(times) < -_DAY_S / 2))
    times = times + _DAY_S * past_midnight
    _, order = np.unique(times, return_index=True)
    times, table = times[order], table[order]
    count = len(shapes)
    weights = np.clip(table[:, :count], 0, 1)
    angles = table[:, count:].astype(np.float32)
    return Take(name, times - times[0], tuple(shapes), weights.astype(np.float32), angles)


def _seconds(code: str) -> float:
    hours, minutes, seconds, frames = code.strip().split(":")
    return 3600 * int(hours) + 60 * int(minutes) + int(seconds) + float(frames) / _FPS


def _not_one(source: object) -> UsageError:
    return UsageError(
        f"'{source}' is not a recording of a face; give a CSV file of 'hrn-studio track' or Live "
        "Link Face"
    )
