"""The design's numbers, read from ``resources/ui/tokens.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrn_studio import paths
from hrn_studio.errors import ModelDataError


@dataclass(frozen=True, slots=True)
class Type:
    """A size of text, logical pixels."""

    px: int
    line: int
    weight: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """All tokens; colours are CSS strings."""

    dark: dict[str, str]
    light: dict[str, str]
    overlay: dict[str, str]
    type: dict[str, Type]
    radius: dict[str, int]
    size: dict[str, Any]
    series: dict[str, tuple[str, ...]]
    """Plot colours of the dark and the light theme."""
    dark_clip: str
    maps: dict[str, tuple[str, ...]]
    """Colour stops of the heat maps, low to high: ``signed``, ``spread``, ``confidence``."""
    unseen: str
    motion_ms: dict[str, int]


def load_tokens(file: Path | None = None) -> Tokens:
    """The tokens.  Raises ``ModelDataError`` when the file is missing or damaged."""
    file = paths.resources() / "ui" / "tokens.json" if file is None else file
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        plot, maps = values["plot"], values["colormap"]
        return Tokens(
            dark=values["dark"],
            light=values["light"],
            overlay=values["overlay"],
            type={name: Type(**entry) for name, entry in values["type"].items()},
            radius=values["radius"],
            size=values["size"],
            series={"dark": tuple(plot["series"]), "light": tuple(plot["series_light"])},
            dark_clip=plot["histogram_dark_clip"],
            maps={
                "signed": tuple(maps["signed"]),
                "spread": tuple(maps["spread_stops"]),
                "confidence": tuple(maps["confidence"]),
            },
            unseen=maps["unseen"],
            motion_ms=values["motion_ms"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDataError(
            f"the window's design file '{file}' is missing or damaged ({error}); install again"
        ) from error
