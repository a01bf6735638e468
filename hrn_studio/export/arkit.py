"""The 52 face shapes of ARKit, by name; left and right are the subject's."""

from __future__ import annotations


def _sides(*stems: str) -> tuple[str, ...]:
    return tuple(f"{stem}{side}" for stem in stems for side in ("Left", "Right"))


ARKIT_NAMES: tuple[str, ...] = tuple(
    sorted(
        (
            *_sides("eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp"),
            *_sides("eyeSquint", "eyeWide"),
            *("jawForward", "jawLeft", "jawRight", "jawOpen"),
            *("mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"),
            *_sides("mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch"),
            *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
            *_sides("mouthPress", "mouthLowerDown", "mouthUpperUp"),
            *_sides("browDown", "browOuterUp", "cheekSquint", "noseSneer"),
            *("browInnerUp", "cheekPuff", "tongueOut"),
        )
    )
)
"""Sorted."""
