"""What each program wants: formats, units, axes, names, maps, and a ``README.txt`` that says the
rest.

The choices follow the programs' own documentation (``docs/export.md`` gives the reasons).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from hrn_studio.errors import UsageError
from hrn_studio.export.asset import Asset
from hrn_studio.export.options import ExportOptions, Space
from hrn_studio.export.readmes import readme
from hrn_studio.export.samples import UNITY_PLAYER, UNITY_PLAYER_FILE


@dataclass(frozen=True, slots=True)
class Preset:
    """One program's wishes."""

    name: str
    title: str
    """For people."""
    what: str
    """One line: what it writes."""
    formats: tuple[str, ...]
    options: ExportOptions

    def files(self, name: str, asset: Asset, options: ExportOptions) -> dict[str, bytes]:
        """What lies beside the formats: ``README.txt``, a sample, the recording.

        Parameters
        ----------
        name
            Of the head.
        asset
            Its first level of detail, dressed as the writers got it.
        options
            The preset's, with what the user changed.
        """
        result = {"README.txt": readme(self.name, self.title, name, asset, options).encode()}
        if self.name == "unity":
            result[UNITY_PLAYER_FILE] = UNITY_PLAYER.encode()
        if options.animation is not None and options.animation.text:
            result[f"{name}_take.csv"] = options.animation.text.encode()
        return result


_CM_Z_UP = Space(0.01, "z")
_ALL = (
    Preset(
        "unity",
        "Unity",
        "FBX in metres with one joint, maps, a script that plays recordings",
        ("fbx", "maps"),
        ExportOptions(skeleton="head"),
    ),
    Preset(
        "unreal",
        "Unreal Engine",
        "FBX in centimetres with one joint, Live Link's names, DirectX maps",
        ("fbx", "maps"),
        ExportOptions(space=_CM_Z_UP, naming="unreal", normal="dx", skeleton="head"),
    ),
    Preset(
        "blender",
        "Blender",
        "GLB with head, jaw and eye joints, maps, 32-bit displacement",
        ("glb", "maps", "exr"),
        ExportOptions(skeleton="full"),
    ),
    Preset(
        "web",
        "web pages",
        "GLB without joints and a page that shows it from the disk",
        ("glb", "html"),
        ExportOptions(),
    ),
    Preset(
        "metahuman",
        "MetaHuman",
        "neutral FBX and OBJ in centimetres for Mesh to MetaHuman",
        ("fbx", "obj", "maps"),
        ExportOptions(space=_CM_Z_UP, naming="unreal", normal="dx", shapes=False),
    ),
    Preset(
        "print",
        "3D printing",
        "closed STL in millimetres",
        ("stl",),
        ExportOptions(space=Space(0.001, "z"), levels=("dense",), shapes=False),
    ),
)
PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _ALL})


def preset_of(name: str) -> Preset:
    """The preset of that name.  Raises ``UsageError``."""
    if name not in PRESETS:
        raise UsageError(f"no preset is called '{name}'; there are {', '.join(PRESETS)}")
    return PRESETS[name]


def describe(
    options: ExportOptions, formats: Sequence[str], preset: str | None = None
) -> dict[str, Any]:
    """What was chosen, for the manifest, as plain values.

    Units and axes are those of FBX, PLY, STL and USD; OBJ shares the units.  GLB is metres, Y up.
    """
    up = options.space.up
    return {
        "preset": preset,
        "formats": list(formats),
        "metres_per_unit": options.space.metres_per_unit,
        "up": f"+{up.upper()}",
        "forward": "+Z" if up == "y" else "-Y",
        "naming": options.naming,
        "texture_px": options.texture_px,
        "normal": options.normal,
        "skeleton": options.skeleton,
        "animation": None if options.animation is None else options.animation.name,
        "levels": list(options.levels),
        "wall_m": options.wall_m,
        "parts": ["skin", *options.parts],
        "compress": options.compress,
    }


def changed(options: ExportOptions, **wishes: object) -> ExportOptions:
    """Options with what a user asked for; None leaves a preset's choice."""
    asked = {name: value for name, value in wishes.items() if value is not None}
    return replace(options, **asked)  # type: ignore[arg-type]
