"""How the stage shows things: chosen by its tools, kept in one frozen record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from hrn_studio.ui.view import Orbit

Layout: TypeAlias = Literal["split", "overlay", "picture", "mesh"]
LookKey: TypeAlias = Literal["clay", "textured", "wireframe", "normals"]
Compare: TypeAlias = Literal["photo", "wipe", "blend"]
ReviewLook: TypeAlias = Literal[
    "clay", "textured", "displacement", "deformation", "confidence", "spread"
]
KEY = (-0.62, 0.62, 0.75)
"""Where the key light is, unless it was moved."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the tools of the stage are set to."""

    layout: Layout = "split"
    capture_layout: Layout = "picture"
    look: LookKey = "clay"
    mirror: bool = True
    zebra: bool = False
    grid: bool = False
    guides: bool = True
    fill: bool = True
    orbit: Orbit = field(default_factory=Orbit)
    key: tuple[float, float, float] = KEY
    move_light: bool = False
    """Dragging moves the light instead of the head."""
    compare: Compare = "wipe"
    mesh_opacity: float = 1.0
    wipe: float = 0.54
    review: ReviewLook = "clay"
    stage: str = "fine"
    asset: LookKey = "textured"
    photo_only: bool = False
    """While O is held."""
    before: bool = False
    """While B is held: the stage before."""
    reference: str = ""
    """A kept frame beside the live picture."""
    picking: bool = False
    """The next click on the picture is on a grey card."""
    fusing: bool = False
    """Fit shows how several frames agree."""
    other: str = ""
    """A second result beside the first."""
