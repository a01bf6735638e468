"""Every sentence and number the window shows, except the live advice
(:mod:`hrn_studio.live.advice`).

Verb first, sentence case, "your right", no blame.  A space before units, a true minus.
"""

from __future__ import annotations

import math

from hrn_studio.live.quality import Measure
from hrn_studio.live.quality_limits import Group
from hrn_studio.session.state import Step

APP = "HRN Studio"
STEPS: dict[Step, str] = {
    "live": "Live",
    "capture": "Capture",
    "fit": "Fit",
    "review": "Review",
    "export": "Export",
}
STATES = {"ok": "green", "warn": "amber", "bad": "red", "none": "not measured", "busy": "busy"}
GROUPS: dict[Group, str] = {
    "light": "Light",
    "focus": "Focus",
    "position": "Position",
    "pose": "Pose",
    "face": "Face",
}
PRIVACY = "Pictures stay on this computer"
EMPTY_TRAY = "Frames you take appear here. Press Space in the live view to take one."
EMPTY_RESULTS = "Fitted heads appear here. Select a frame and press F."
WELCOME = "See your face in 3D"
WELCOME_BODY = (
    "Look at the camera, follow one instruction at a time, and export a head for Unity or Unreal."
)
WELCOME_PRIVACY = "Pictures stay on this computer. Closing the window releases the camera."
GUIDANCE_EMPTY = (
    "The checks for light, focus, distance and pose appear here when a picture comes in."
)
NO_SESSIONS = (
    "None yet. Each captured frame is saved at once in a session, so nothing is lost if the "
    "power fails."
)
LOG_KEPT = "A log of what happened is kept for a report."


def number(value: float, digits: int = 0) -> str:
    """With a true minus, and none before zero."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = f"{0:.{digits}f}"
    return text.replace("-", "−")


def side(value: float) -> str:
    """``3° left``: yaw in the user's own sides."""
    whole = abs(round(value))
    return f"{whole}°" if not whole else f"{whole}° {'left' if value > 0 else 'right'}"


def up_down(value: float) -> str:
    whole = abs(round(value))
    return f"{whole}°" if not whole else f"{whole}° {'up' if value > 0 else 'down'}"


def value(measure: Measure) -> str:
    """A measure's value with its unit, as short as its column."""
    v = measure.value
    if not math.isfinite(v):
        return "–"
    unit = measure.limit.unit
    if unit == "percent":
        return f"{number(100 * v, 1)} %"
    if unit == "whole":
        return f"{number(100 * v)} %"
    if unit == "margin":
        return f"{number(100 * max(v, 0))} % margin"
    if unit == "ev":
        return f"{number(abs(v), 1)} EV"
    if unit == "share":
        return number(v, 2)
    if unit == "variance":
        return number(v, 3)
    if unit == "delta":
        return f"Δ {number(v, 1)}"
    if unit == "px":
        return f"{number(v)} px"
    if unit == "m":
        return f"{number(v, 2)} m"
    if unit == "yaw":
        return side(v)
    if unit == "pitch":
        return up_down(v)
    if unit == "roll":
        return f"{abs(round(v))}°"
    return number(v)


def limit_number(value_: float, unit: str) -> str:
    """One limit as it is typed."""
    if not math.isfinite(value_):
        return ""
    if unit in ("percent", "whole", "margin"):
        return f"{100 * value_:g}"
    return f"{value_:g}"


UNITS = {"percent": "%", "whole": "%", "margin": "%", "ev": "EV", "delta": "Δ", "px": "px"} | {
    "m": "m",
    "yaw": "°",
    "pitch": "°",
    "roll": "°",
}


def frames(count: int) -> str:
    return "no frames" if count == 0 else "1 frame" if count == 1 else f"{count} frames"


def clock(seconds: float) -> str:
    """``1:19``"""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def gigabytes(size: int) -> str:
    return f"{size / 1e9:.0f} GB" if size >= 1e10 else f"{size / 1e9:.1f} GB"


def file_size(size: int) -> str:
    if size >= 100_000:
        return f"{size / 1e6:.1f} MB"
    return f"{max(1, round(size / 1000))} kB"


# Source troubles: headline, reason, secondary and primary button.
Trouble = tuple[str, str, str, str]


def lost(name: str) -> Trouble:
    return (
        "Reconnect the camera",
        f"{name} stopped sending pictures. It starts again by itself when it is plugged in. "
        "Your frames are safe.",
        "Choose another source",
        "Try now",
    )


def busy(name: str) -> Trouble:
    return (
        "Close the program that uses the camera",
        f"{name} cannot be opened: another program holds it, or the system said no.",
        "Choose another source",
        "Try now",
    )


def black(name: str) -> Trouble:
    return (
        "Open the camera’s shutter",
        f"Every picture of {name} is blank. If it is open, choose another format.",
        "Choose another source",
        "Try now",
    )


def gone(name: str) -> Trouble:
    return (
        "Choose the source again",
        f"{name} was moved, or its drive was removed. Your frames are safe.",
        "",
        "Choose another source",
    )


def span(pair: tuple[float, float], unit: str) -> str:
    """``up to 0.3 %``, ``from 145 px``, ``0.35 to 0.65``."""
    low, high = (limit_number(v, unit) for v in pair)
    tail = f" {UNITS[unit]}" if unit in UNITS and UNITS[unit] != "°" else UNITS.get(unit, "")
    if not low:
        return f"up to {high}{tail}"
    if not high:
        return f"from {low}{tail}"
    if pair[0] == -pair[1]:
        return f"within {high}{tail}"
    return f"{low} to {high}{tail}"
