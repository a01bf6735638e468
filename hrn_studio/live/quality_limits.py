"""What counts as good: one limit per capture measure, and how a value is graded against it.

The names, formulae and numbers follow OFIQ (the open implementation of ISO/IEC 29794-5) where it
has a measure, tightened for reconstruction.  A value inside the green limits is ``ok``, outside
the red ones ``bad``, between them ``warn``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["ok", "warn", "bad", "none"]
"""``none``: not measured."""
Group: TypeAlias = Literal["light", "focus", "position", "pose", "face"]
GROUPS: tuple[Group, ...] = ("light", "focus", "position", "pose", "face")
DEAD_BAND = 0.1
"""A state is left only when its limit is passed by this share of the amber width."""
_INF = math.inf


@dataclass(frozen=True, slots=True)
class Limit:
    """One measure: what it is called, and where green, amber and red lie (in the value's unit)."""

    key: str
    label: str
    group: Group
    unit: str
    """How a value is written: ``percent``, ``ev``, ``share``, ``variance``, ``delta``, ``px``,
    ``m``, ``count`` or ``deg``."""
    green: tuple[float, float]
    red: tuple[float, float]
    shown: tuple[float, float]
    """What a gauge spans."""
    about: str
    """The formula, in words."""
    required: bool = True
    """Needed for *ready*."""

    def grade(self, value: float, before: State = "none") -> State:
        """The state of ``value``; ``before`` widens its own limits by the dead band."""
        if not math.isfinite(value):
            return "none"
        if _inside(value, self.green, self._slack(before == "ok")):
            return "ok"
        # Bad stays bad until the value is clearly back, so the red limit moves inwards.
        slack = -self._slack(True) if before == "bad" else self._slack(before == "warn")
        return "warn" if _inside(value, self.red, slack) else "bad"

    def score(self, value: float) -> float:
        """0..1: 1 well inside green, 0.75 at its limit, 0.4 at the red one, then to 0."""
        if not math.isfinite(value):
            return 0.0
        worst = 1.0
        for green, red, sign in zip(self.green, self.red, (-1, 1), strict=True):
            if math.isinf(green) or math.isinf(red) or green == red:
                continue
            over = sign * (value - green) / abs(red - green)
            if over <= 0:
                worst = min(worst, 1 - 0.25 * max(0.0, 1 + over))
            elif over <= 1:
                worst = min(worst, 0.75 - 0.35 * over)
            else:
                worst = min(worst, 0.4 / over)
        return worst

    def _slack(self, wanted: bool) -> float:
        if not wanted:
            return 0.0
        widths = [abs(r - g) for g, r in zip(self.green, self.red, strict=True)]
        finite = [w for w in widths if math.isfinite(w) and w > 0]
        return DEAD_BAND * min(finite) if finite else 0.0


def _inside(value: float, limits: tuple[float, float], slack: float) -> bool:
    return limits[0] - slack <= value <= limits[1] + slack


def _at_most(green: float, red: float) -> tuple[tuple[float, float], tuple[float, float]]:
    return (-_INF, green), (-_INF, red)


def _at_least(green: float, red: float) -> tuple[tuple[float, float], tuple[float, float]]:
    return (green, _INF), (red, _INF)


DEFAULTS: tuple[Limit, ...] = (
    Limit(
        *("over", "Over-exposure", "light", "percent", *_at_most(0.003, 0.01), (0, 0.01)),
        "share of the face at 247–255",
    ),
    Limit(
        *("under", "Under-exposure", "light", "percent", *_at_most(0.03, 0.10), (0, 0.10)),
        "share of the face at 0–25",
    ),
    Limit(
        *("balance", "Left/right balance", "light", "ev", (-0.3, 0.3), (-1.0, 1.0), (-1.5, 1.5)),
        "cheeks compared, log2 of their light",
    ),
    Limit(
        *("brightness", "Brightness", "light", "share", (0.35, 0.65), (0.30, 0.70), (0.15, 0.85)),
        "mean of the face",
    ),
    Limit(
        *("contrast", "Contrast", "light", "variance", (0.008, 0.035), (0.004, 0.06), (0, 0.06)),
        "variance of the face",
    ),
    Limit(
        *("white_balance", "White balance", "light", "delta", *_at_most(2, 5), (0, 6)),
        "distance from skin tones",
    ),
    Limit(
        *("sharpness", "Sharpness", "focus", "share", *_at_least(0.80, 0.60), (0, 1)),
        "share of this camera’s best",
    ),
    Limit(
        *("motion", "Motion", "focus", "percent", *_at_most(0.005, 0.01), (0, 0.01)),
        "eye distances per frame, last 5 frames",
    ),
    Limit(
        *("face_size", "Face size", "position", "px", *_at_least(145, 100), (0, 320)),
        "between the eyes, in the stored picture",
    ),
    Limit(
        *("distance", "Distance", "position", "m", (0.70, 1.2), (0.45, 2.0), (0.3, 1.4)),
        "from the lens to between the eyes",
    ),
    Limit(
        *("framing", "Framing", "position", "margin", *_at_least(0.08, 0.02), (0, 0.25)),
        "smallest margin around the face",
    ),
    Limit(
        *("one_face", "One face", "position", "count", (1, 1), (1, 1), (0, 2)),
        "faces in the picture",
    ),
    Limit(
        *("yaw", "Yaw", "pose", "yaw", (-5, 5), (-8, 8), (-20, 20)),
        "turn to the side, from the target",
    ),
    Limit(
        *("pitch", "Pitch", "pose", "pitch", (-5, 5), (-8, 8), (-20, 20)),
        "chin up or down, from the target",
    ),
    Limit(
        *("roll", "Roll", "pose", "roll", (-5, 5), (-8, 8), (-20, 20)),
        "lean of the head",
    ),
    Limit(
        *("eyes", "Eyes open", "face", "percent", *_at_least(0.04, 0.03), (0, 0.08)),
        "lid gap of the smaller eye against the face’s height, last 3 frames",
    ),
    Limit(
        *("mouth", "Mouth closed", "face", "percent", *_at_most(0.03, 0.05), (0, 0.08)),
        "gap of the lips against the face’s height",
    ),
    Limit(
        *("neutral", "Neutral", "face", "whole", *_at_most(0.15, 0.30), (0, 0.5)),
        "largest expression over your own rest",
    ),
)
"""In the order they are shown."""

KEYS: tuple[str, ...] = tuple(limit.key for limit in DEFAULTS)

_TIGHTER = {"relaxed": 1.6, "reconstruction": 1.0, "passport": 0.7}
PRESETS = tuple(_TIGHTER)


def limits(preset: str = "reconstruction") -> dict[str, Limit]:
    """The limits of a preset by key: ``relaxed``, ``reconstruction`` or ``passport``.

    Relaxed limits are 1.6 times as wide, those for passports 0.7 times.
    """
    factor = _TIGHTER.get(preset, 1.0)
    return {limit.key: _scaled(limit, factor) for limit in DEFAULTS}


def edited(base: Mapping[str, Limit], own: Mapping[str, list[float]]) -> dict[str, Limit]:
    """``base`` with the user's numbers: ``[green low, green high, red low, red high, required]``.

    Numbers that make no sense (a red limit inside the green one) leave that measure as it is.
    """
    result = dict(base)
    for key, values in own.items():
        if key not in result or len(values) != 5:
            continue
        g0, g1, r0, r1, required = values
        if r0 <= g0 <= g1 <= r1:
            result[key] = dataclasses.replace(
                result[key], green=(g0, g1), red=(r0, r1), required=bool(required)
            )
    return result


def as_numbers(limit: Limit) -> list[float]:
    """What :func:`edited` reads, kept in the settings (finite numbers only)."""
    values = (*limit.green, *limit.red)
    return [*(max(-1e9, min(1e9, v)) for v in values), float(limit.required)]


def _short(value: float) -> float:
    """Two significant digits, as a person would choose it."""
    return float(f"{value:.2g}")


def _scaled(limit: Limit, factor: float) -> Limit:
    if factor == 1.0 or limit.key == "one_face":
        return limit

    def wider(pair: tuple[float, float]) -> tuple[float, float]:
        low, high = pair
        if math.isinf(low):
            return low, _short(high * factor)
        if math.isinf(high):
            return _short(low / factor), high
        if limit.key in ("distance", "contrast"):  # ratios
            return _short(low / factor), _short(high * factor)
        middle, half = (low + high) / 2, (high - low) / 2 * factor
        return _short(middle - half), _short(middle + half)

    green, red = wider(limit.green), wider(limit.red)
    if limit.key == "sharpness":
        green, red = (min(0.9, green[0]), _INF), (min(0.8, red[0]), _INF)
    return dataclasses.replace(limit, green=green, red=red)
