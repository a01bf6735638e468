"""The single most useful next instruction, in words, from the capture quality.

Left and right in a sentence are the reader's own.  A headline has at most 48 characters and
starts with a verb; a reason has at most 95 and holds the number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hrn_studio.live.quality import FRONT, Measure, Quality
from hrn_studio.live.quality_limits import State

ORDER = (
    *("one_face", "framing", "distance", "face_size"),
    *("over", "balance", "under", "brightness", "contrast", "white_balance"),
    *("sharpness", "motion", "yaw", "pitch", "roll", "eyes", "mouth", "neutral"),
)
"""What disturbs the rest comes first."""
POSE = ("yaw", "pitch", "roll")
LIGHT = ("over", "balance", "under", "brightness", "contrast", "white_balance")
STAY_S, LEAD_S = 1.2, 0.6
"""A sentence stays at least STAY_S and yields only to one that has led for LEAD_S."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do."""

    key: str
    """The measure it is about; ``ready`` or ``none`` otherwise."""
    state: State
    headline: str
    reason: str
    side: int = 0
    """-1 the subject's left, 1 right, 0 neither: where a cue points."""


NO_FACE = Advice(
    "none", "none", "Come into the picture", "No face is seen yet. Look towards the lens."
)


def advise(quality: Quality) -> Advice:
    """The instruction for this frame alone."""
    if quality.light is None:
        return NO_FACE
    wanting = [m for m in quality.measures if m.needed]
    if not wanting:
        count = sum(m.limit.required for m in quality.measures)
        return Advice(
            "ready",
            "ok",
            "Ready. Hold still and look into the lens",
            f"All {count} checks are green. A frame taken now will fit well.",
        )
    chosen = min(wanting, key=lambda m: _rank(m, quality))
    headline, reason, side = _WORDS[chosen.key](chosen, quality)
    return Advice(chosen.key, chosen.state, headline, reason, side)


def _rank(measure: Measure, quality: Quality) -> tuple[int, int]:
    urgency = 0 if measure.state == "bad" else 1
    if quality.target != FRONT and measure.key in POSE:
        # In a guided shot pose leads unless the light is red.
        red_light = any(m.key in LIGHT and m.state == "bad" for m in quality.measures)
        urgency = 1 if red_light else -1
    return urgency, ORDER.index(measure.key)


class Advisor:
    """Keeps an instruction long enough to be read."""

    def __init__(self) -> None:
        self._shown: Advice | None = None
        self._since_s = 0.0
        self._leader: tuple[str, float] = ("", 0.0)

    def advise(self, quality: Quality | None, now_s: float) -> Advice:
        """The instruction to show at ``now_s``; None is no face at all."""
        new = NO_FACE if quality is None else advise(quality)
        shown = self._shown
        if shown is None or new.key == shown.key:
            if shown is None:
                self._since_s = now_s
            self._shown, self._leader = new, ("", now_s)
            return new
        if self._leader[0] != new.key:
            self._leader = (new.key, now_s)
        led, stayed = now_s - self._leader[1], now_s - self._since_s
        if led >= LEAD_S and stayed >= STAY_S:
            self._shown, self._since_s, self._leader = new, now_s, ("", now_s)
            return new
        if quality is not None and shown.key not in ("none", "ready"):
            # The same sentence with today's numbers.
            measure = quality[shown.key]
            headline, reason, side = _WORDS[shown.key](measure, quality)
            return Advice(shown.key, shown.state, headline, reason, side)
        return shown


# --- the words ------------------------------------------------------------------------------------

_Words = tuple[str, str, int]


def _side(towards_left: bool) -> str:
    return "left" if towards_left else "right"


def _over(m: Measure, _: Quality) -> _Words:
    share = f"{100 * m.value:.1f} % of the face has lost its bright detail."
    return "Lower the light or the exposure", share, 0


def _under(m: Measure, _: Quality) -> _Words:
    share = f"{100 * m.value:.1f} % of the face is too dark to measure."
    return "Bring light to the front of your face", share, 0


def _balance(m: Measure, _: Quality) -> _Words:
    dark_left = m.value < 0
    dark, bright = _side(dark_left), _side(not dark_left)
    return (
        f"Add light on your {dark} side",
        f"Your {dark} cheek is {abs(m.value):.1f} EV darker than the {bright}. "
        "A lamp, a window or a white sheet on that side helps.",
        -1 if dark_left else 1,
    )


def _brightness(m: Measure, _: Quality) -> _Words:
    low, high = m.limit.green
    reason = f"The face is at {m.value:.2f}; {low:.2f} to {high:.2f} is right."
    if m.value > high:
        return "Lower the light or the exposure", reason, 0
    return "Add light in front of you", reason, 0


def _contrast(m: Measure, _: Quality) -> _Words:
    if m.value > m.limit.green[1]:
        return "Soften the light", "The shadows are hard; spread the light or bring it nearer.", 0
    flat = "The light is flat; a little shadow shows the shape."
    return "Move the main light to one side", flat, 0


def _white_balance(m: Measure, q: Quality) -> _Words:
    warm = q.light is None or q.light.cast[1] > 15
    tone = "warm" if warm else "cold"
    return (
        "Use one kind of light",
        f"The skin looks too {tone}, Δ {m.value:.1f}. Turn off mixed lamps.",
        0,
    )


def _sharpness(m: Measure, _: Quality) -> _Words:
    reason = f"This is {m.value:.2f} of your sharpest frame. Refocus, or clean the lens."
    return "Focus on the eyes", reason, 0


def _motion(m: Measure, _: Quality) -> _Words:
    return "Hold still", f"The face moves {100 * m.value:.1f} % of the eye distance per frame.", 0


def _face_size(m: Measure, q: Quality) -> _Words:
    low = m.limit.green[0]
    reason = f"{m.value:.0f} px between the eyes; fine detail needs {low:.0f}."
    distance = q["distance"]
    if distance.value > distance.limit.green[0] * 1.25:
        return "Come closer", reason, 0
    return "Choose a higher resolution", reason, 0


def _distance(m: Measure, _: Quality) -> _Words:
    low, high = m.limit.green
    if m.value > high:
        reason = f"You are {m.value:.2f} m away; up to {high:.2f} m is right."
        return f"Come {_cm(m.value - high)} closer", reason, 0
    larger = round(100 * (0.1 / max(m.value, 0.15)))
    return (
        f"Move back {_cm(low - m.value)}",
        f"At {m.value:.2f} m near parts look {larger} % larger. {low:.2f} m or more is right.",
        0,
    )


def _cm(metres: float) -> str:
    return f"{max(5, 5 * round(metres * 20))} cm"


def _framing(_: Measure, __: Quality) -> _Words:
    return "Move to the middle", "Keep the whole head inside the corners.", 0


def _one_face(m: Measure, _: Quality) -> _Words:
    count = {2: "Two", 3: "Three"}.get(int(m.value), f"{m.value:.0f}")
    reason = f"{count} faces are seen. The larger one is followed."
    return "Keep one face in the picture", reason, 0


def _yaw(m: Measure, q: Quality) -> _Words:
    to_left = m.value < 0
    more = " more" if q.target.yaw and (q.target.yaw > 0) == to_left else ""
    head = f"Turn your head {abs(m.value):.0f}°{more} to your {_side(to_left)}"
    return head, _pose_reason(q), -1 if to_left else 1


def _pitch(m: Measure, q: Quality) -> _Words:
    verb = "Lower" if m.value > 0 else "Raise"
    much = " a little" if abs(m.value) < 12 else ""
    if q.target.pitch:
        return f"{verb} your chin {abs(m.value):.0f}° more", _pose_reason(q), 0
    way = "up" if m.value > 0 else "down"
    reason = f"You look {abs(m.value):.0f}° {way}; within {m.limit.green[1]:.0f}° is right."
    return f"{verb} your chin{much}", reason, 0


def _pose_reason(q: Quality) -> str:
    if q.target.yaw or q.target.pitch:
        return "It is taken when you hold the pose for half a second."
    return f"Within {q['yaw'].limit.green[1]:.0f}° of the lens is right."


def _roll(m: Measure, _: Quality) -> _Words:
    leans = _side(m.value < 0)
    return "Level your head", f"It leans {abs(m.value):.0f}° to your {leans}.", 0


def _eyes(_: Measure, __: Quality) -> _Words:
    reason = "They were half shut in the last three frames."
    return "Open your eyes, look into the lens", reason, 0


def _mouth(_: Measure, __: Quality) -> _Words:
    reason = "The neutral shot needs a closed mouth."
    return "Close your lips, teeth just touching", reason, 0


def _neutral(m: Measure, _: Quality) -> _Words:
    reason = f"An expression is at {m.value:.2f}; under {m.limit.green[1]:.2f} is neutral."
    return "Relax your face", reason, 0


_WORDS: Mapping[str, Callable[[Measure, Quality], _Words]] = {
    "over": _over,
    "under": _under,
    "balance": _balance,
    "brightness": _brightness,
    "contrast": _contrast,
    "white_balance": _white_balance,
    "sharpness": _sharpness,
    "motion": _motion,
    "face_size": _face_size,
    "distance": _distance,
    "framing": _framing,
    "one_face": _one_face,
    "yaw": _yaw,
    "pitch": _pitch,
    "roll": _roll,
    "eyes": _eyes,
    "mouth": _mouth,
    "neutral": _neutral,
}
