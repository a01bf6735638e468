"""Kinds of pictures that a network's errors are told apart by."""

from __future__ import annotations

import numpy as np

from hrn_studio.records import AnyFloats, Bools
from hrn_studio.training.shards import TRAITS
from hrn_studio.training.variety import COVERS, LENSES, LIGHTS

TONES = (0.5, 1.2)
"""Melanin that parts light, medium and dark skin (see :mod:`hrn_studio.training.skin`)."""
TURNS_DEG = (15.0, 30.0)


def groups(traits: AnyFloats, angles: AnyFloats, resting: Bools) -> dict[str, dict[str, Bools]]:
    """Which pictures belong to which group, by what they are told apart by.

    Parameters
    ----------
    traits
        (N, T) as in :class:`~hrn_studio.training.shards.Shard`; NaN where it was not recorded.
    angles
        (N, 3) yaw, pitch and roll, radians.
    resting
        (N,) faces that do nothing but look.
    """
    of = {name: np.asarray(traits)[:, k] for k, name in enumerate(TRAITS)}
    yaw, pitch = np.abs(np.degrees(angles[:, 0])), np.degrees(angles[:, 1])
    beard = of["beard"]
    found = {
        "skin tone": _parted(of["melanin"], TONES, ("light", "medium", "dark")),
        "age": _parted(of["age"], (1 / 3, 2 / 3), ("young", "middle", "old")),
        "gender presentation": {
            "feminine": of["feminine"] > 0.5,
            "masculine": of["feminine"] <= 0.5,
        },
        "turned aside": _parted(yaw, TURNS_DEG, ("under 15°", "15° to 30°", "over 30°")),
        "tilted": _parted(pitch, (-10.0, 10.0), ("down over 10°", "level", "up over 10°")),
        "expression": {"resting": resting, "moving": ~resting},
        "glasses": {"none": of["glasses"] < 0.5, "worn": of["glasses"] >= 0.5},
        "beard": {
            "none": beard == 0,
            "shaved or stubble": (beard > 0) & (beard < 0.5),
            "full": beard >= 0.5,
        },
        **{
            title: {name: of[trait] == number for number, name in enumerate(names)}
            for trait, (title, names) in RECORDED.items()
        },
    }
    return {
        title: {name: np.asarray(mask) for name, mask in parts.items()}
        for title, parts in found.items()
        if sum(bool(mask.any()) for mask in parts.values()) > 1
    }


RECORDED = {
    "light": ("light", LIGHTS),
    "cover": ("in front of the face", COVERS),
    "lens": ("lens", LENSES),
}
"""Traits that are numbers of kinds: what they are called, and the kinds' names."""


def _parted(
    values: AnyFloats, borders: tuple[float, float], names: tuple[str, str, str]
) -> dict[str, Bools]:
    low, high = borders
    masks = (values < low, (values >= low) & (values <= high), values > high)
    return dict(zip(names, masks, strict=True))
