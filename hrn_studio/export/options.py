"""How an export is to be written: what differs between programs that read it.

Every writer is called with the asset and these options.  What can be settled once for all formats
(names of the shapes, size of the textures, flavour of the normal map) is already done to the
asset by then, see :func:`hrn_studio.export.dressing.dressed`; a writer looks only at what its
format can say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hrn_studio.errors import UsageError
from hrn_studio.records import AnyFloats, Floats

if TYPE_CHECKING:
    from hrn_studio.export.animation import Take

NAMINGS = ("arkit", "unreal", "sides")
NORMALS = ("gl", "dx")
SKELETONS = ("none", "head", "full")
LEVELS = ("fitted", "dense", "light")
TEXTURE_SIZES = (1024, 2048, 4096)
COMPRESSIONS = ("none", "meshopt")
PARTS = ("eyes", "teeth", "tongue")
"""What a head has besides its skin."""


@dataclass(frozen=True, slots=True)
class Space:
    """Units and axes of a file that leaves the choice; always right-handed, +X the subject's left.

    With ``up = "y"`` the face looks along +Z (glTF, Maya, Unity), with ``up = "z"`` along -Y
    (Blender, 3ds Max, Unreal's and printers' files).
    """

    metres_per_unit: float = 1.0
    up: str = "y"

    def __post_init__(self) -> None:
        if self.up not in ("y", "z") or not self.metres_per_unit > 0:
            raise UsageError(f"no space has {self.metres_per_unit:g} metres a unit and {self.up}up")

    def directions(self, vectors: AnyFloats) -> Floats:
        """Vectors (..., 3) of the head frame along this space's axes; nothing is scaled."""
        if self.up == "y":
            return np.asarray(vectors, np.float32)
        x, y, z = np.moveaxis(np.asarray(vectors, np.float32), -1, 0)
        return np.stack([x, -z, y], -1)

    def points(self, metres: AnyFloats) -> Floats:
        """Points or differences of points (..., 3), from metres in the head frame."""
        scaled = np.asarray(metres, np.float64) / self.metres_per_unit
        return self.directions(scaled.astype(np.float32))

    @property
    def unit(self) -> str:
        """``metres``, ``centimetres``, ``millimetres``, or how many metres a unit is."""
        words = {1.0: "metres", 0.01: "centimetres", 0.001: "millimetres"}
        return words.get(self.metres_per_unit, f"units of {self.metres_per_unit:g} m")


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What a user or a preset may choose; the defaults suit a viewer."""

    space: Space = Space()
    """For FBX, OBJ, PLY, STL and USD; glTF has its own: metres, Y up."""
    naming: str = "arkit"
    """``arkit`` (``eyeBlinkLeft``), ``unreal`` (``EyeBlinkLeft``) or ``sides``
    (``eyeBlink_L``)."""
    texture_px: int | None = None
    """Side of all textures, a power of two; None leaves them as they were fitted."""
    normal: str = "gl"
    """Flavour of the normal map written beside, ``gl`` (+Y up) or ``dx`` (green flipped); what is
    inside a GLB is always ``gl``."""
    skeleton: str = "none"
    """``none``, ``head`` (one joint) or ``full`` (head, jaw, eyes); glTF and FBX."""
    animation: Take | None = None
    """A recording to play; glTF and FBX."""
    levels: tuple[str, ...] = ("fitted",)
    """Levels of detail, out of ``fitted``, ``dense`` and ``light``."""
    embed: bool = False
    """Put the textures inside the FBX as well."""
    shapes: bool = True
    """False: the neutral head alone, without shapes and the captured expression."""
    wall_m: float = 0.0
    """Thickness of the printed head's wall in metres; 0 prints it solid."""
    parts: tuple[str, ...] = PARTS
    """What is written besides the skin, out of ``eyes``, ``teeth`` and ``tongue``; a printed head
    has all of them."""

    compress: str = "none"
    """``meshopt`` packs the geometry of a GLB (``EXT_meshopt_compression``); what reads it must
    know that."""

    def __post_init__(self) -> None:
        for value, known, what in (
            (self.compress, COMPRESSIONS, "compression"),
            (self.naming, NAMINGS, "naming of shapes"),
            (self.normal, NORMALS, "flavour of normal maps"),
            (self.skeleton, SKELETONS, "skeleton"),
            *((level, LEVELS, "level of detail") for level in self.levels),
            *((part, PARTS, "part") for part in self.parts),
        ):
            if value not in known:
                raise UsageError(f"there is no {what} '{value}'; choose one of {', '.join(known)}")
        size = self.texture_px
        if size is not None and (size < 1 or size & (size - 1)):
            raise UsageError(f"textures cannot be {size} px; choose a power of two, such as 2048")
        if not self.levels:
            raise UsageError(f"no level of detail is chosen; choose from {', '.join(LEVELS)}")
        if not 0 <= self.wall_m <= 0.05:
            raise UsageError(
                f"a wall of {1000 * self.wall_m:g} mm cannot be printed; give 0 to 50 mm"
            )


PLAIN = ExportOptions()
"""For viewers: metres, Y up, ARKit's names, no skeleton."""
