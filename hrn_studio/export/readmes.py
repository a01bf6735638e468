"""``README.txt`` for each program: what to tick, what to expect, in five minutes.

The numbers are those of the head that was exported, in the units the program shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hrn_studio import __version__
from hrn_studio.export.asset import Asset
from hrn_studio.export.options import ExportOptions
from hrn_studio.records import Doubles


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What to expect after the import."""

    name: str
    size_m: Doubles
    """(3,) across, up, deep."""
    eyes_m: float
    """Distance of the eyeballs' centres; 0 when the head has none."""
    shapes: int
    triangles: int
    maps: tuple[str, ...]
    options: ExportOptions

    @classmethod
    def of(cls, asset: Asset, options: ExportOptions) -> Facts:
        return cls(
            name=asset.name,
            size_m=np.ptp(asset.vertices.astype(np.float64), axis=0),
            eyes_m=eye_distance_m(asset),
            shapes=len(asset.morphs),
            triangles=sum(len(part.triangles) for part in asset.parts),
            maps=tuple(asset.textures),
            options=options,
        )

    def bounds(self, per_unit_m: float, unit: str, order: str = "xyz") -> Iterator[str]:
        """Lines on size and eyes; ``order`` is that of the program's axes, of across (x), up (y)
        and deep (z)."""
        size = [self.size_m["xyz".index(axis)] / per_unit_m for axis in order]
        digits = 3 if per_unit_m == 1 else 1
        numbers = " x ".join(f"{value:.{digits}f}" for value in size)
        axes = " x ".join(label for _, label in zip(order, "XYZ", strict=True))
        yield f"  bounds ({axes}): {numbers} {unit}"
        if self.eyes_m:
            yield f"  between the eyes' centres: {self.eyes_m / per_unit_m:.{digits}f} {unit}"

    def expected(self, per_unit_m: float, unit: str, order: str = "xyz") -> Iterator[str]:
        """Lines on size, eyes, triangles and shapes."""
        yield from self.bounds(per_unit_m, unit, order)
        yield f"  triangles: {self.triangles}"
        if self.shapes:
            yield f"  shapes: {self.shapes}"


def eye_distance_m(asset: Asset) -> float:
    """Between the centres of the eyes; 0 for a head without any."""
    joints = () if asset.skeleton is None else asset.skeleton.joints
    eyes = [joint.position for joint in joints if joint.name.startswith("eye_")]
    return float(np.linalg.norm(eyes[0] - eyes[1])) if len(eyes) == 2 else 0.0


def readme(preset: str, title: str, name: str, asset: Asset, options: ExportOptions) -> str:
    """The whole text for one preset; files are called ``asset.name``, the head ``name``."""
    facts = Facts.of(asset, options)
    lines = [
        f"{name} for {title}",
        f"made with HRN Studio {__version__}; manifest.json lists every file",
        "",
        *_TEXTS[preset](facts),
    ]
    if asset.notice:
        lines += ["", f"Head model: {asset.notice}"]
    return "\r\n".join([*lines, ""])


def _unity(facts: Facts) -> Iterator[str]:
    name = facts.name
    yield "IMPORT"
    yield "1. Copy this folder into Assets."
    yield f"2. Select {name}.fbx. Model: Scale Factor 1, Convert Units on (Unity then shows"
    yield '   "1m (File) to 1m (Unity)"), Bake Axis Conversion off, Import BlendShapes on,'
    yield "   Normals Import, Blend Shape Normals Import (Calculate if the skin shows seams in"
    yield "   HDRP), Tangents Calculate Mikktspace."
    yield "3. Rig: Animation Type Generic, Root node 'head'."
    yield from _maps(facts, "4.", "Texture Type 'Normal map', Flip Green Channel off", "sRGB off")
    yield "5. Materials: Location 'Use External Materials', or drag the textures onto the skin's"
    yield "   material. Smoothness is 1 - roughness: 0.5 for skin, 0.92 for the eyes, or packed"
    yield f"   from {name}_orm (HDRP's mask map: R metal 0, G occlusion, A smoothness)."
    yield ""
    yield "EXPECT"
    yield from facts.expected(1.0, "m")
    yield "  scale 1 on every object; the face looks along +Z (the blue arrow)"
    yield "  a weight of 100 is a full shape (glTF importers: 1)"
    yield ""
    yield "PLAY A RECORDING"
    yield "  Add FaceTakePlayer to the object with the Skinned Mesh Renderer, drop a CSV of"
    yield "  'hrn-studio track' on Take and the joint 'head' on Head."


def _unreal(facts: Facts) -> Iterator[str]:
    name = facts.name
    yield "IMPORT (Unreal 5)"
    yield f"1. Drag {name}.fbx into the Content Browser. Skeletal Mesh on, Import Morph Targets on,"
    yield "   Normal Import Method 'Import Normals', Normal Generation Method 'MikkTSpace',"
    yield "   Convert Scene on, Convert Scene Unit off, Import Uniform Scale 1."
    if facts.options.animation is not None:
        yield "   Import Animations on, Import Custom Attribute on: the nine head and eye angles"
        yield "   come as curves beside the shapes'."
    yield from _maps(
        facts,
        "2.",
        "Compression 'Normalmap', Flip Green Channel off (it is DirectX's)",
        "sRGB off",
    )
    yield f"3. Materials: {name}_albedo to Base Color, {name}_normal_dx to Normal, {name}_orm: R to"
    yield "   Ambient Occlusion, G to Roughness. Skin may use the Subsurface Profile model."
    yield ""
    yield "EXPECT"
    yield from facts.expected(0.01, "cm", "xzy")
    yield "  one root joint 'head'; the face looks along +Y, as the Mannequin does"
    yield "  (tick Force Front XAxis for +X)"
    yield ""
    yield "LIVE"
    yield "1. Enable the plugins Live Link, Apple ARKit and Apple ARKit Face Support; restart."
    yield "2. On the computer with the camera: hrn-studio stream --live-link ADDRESS"
    yield "   (UDP port 11111; let it through the firewall)."
    yield "3. Window > Virtual Production > Live Link: the source appears by its name."
    yield f"4. Make an Animation Blueprint for {name}'s skeleton. In its AnimGraph: Live Link Pose"
    yield "   (choose the subject) > Output Pose. The shapes have the curves' names, so they bind"
    yield "   by themselves."
    yield "5. To turn the head: Get Curve Value HeadYaw, HeadPitch, HeadRoll, times 57.3, into a"
    yield "   Transform (Modify) Bone on 'head'."


def _blender(facts: Facts) -> Iterator[str]:
    name = facts.name
    yield "IMPORT (Blender 3.6 or newer)"
    yield f"1. File > Import > glTF 2.0: {name}.glb. Textures are inside, shapes are Shape Keys."
    yield "2. Pores as geometry: Subdivision Surface (Simple, 3 to 5), then Displace with"
    yield f"   {name}_displacement.exr, UV coordinates, Mid Level 0, Strength 1. The normal map"
    yield "   already shows them: unlink it where they are geometry."
    yield "3. Colour spaces: albedo sRGB; all others Non-Color."
    yield "4. An OBJ, if you import one instead, comes without its normal map: Blender does not"
    yield f"   know the key 'norm' of MTL files. Add {name}_normal.png as Image Texture (Non-Color)"
    yield "   through a Normal Map node. An OBJ has neither shapes nor joints."
    yield ""
    yield "EXPECT"
    yield from facts.expected(1.0, "m", "xzy")
    yield "  the face looks along -Y (Numpad 1); joints head, jaw, eye_left, eye_right"
    yield "  the shapes need no joint; the jaw and eye joints are a second way to move"


def _web(facts: Facts) -> Iterator[str]:
    name = facts.name
    yield f"Open {name}.html in a browser: it needs no server and no network."
    yield f"{name}.glb is for your own page: three.js (GLTFLoader), Babylon.js, <model-viewer>."
    yield "Shapes: mesh.morphTargetDictionary['jawOpen'], weights 0 to 1. Metres, +Y up, the face"
    yield "looks along +Z."
    if facts.options.compress == "meshopt":
        yield "The GLB is compressed (EXT_meshopt_compression): give your loader its decoder, in"
        yield "three.js: new GLTFLoader().setMeshoptDecoder(MeshoptDecoder)."
    yield ""
    yield "EXPECT"
    yield from facts.expected(1.0, "m")


def _metahuman(facts: Facts) -> Iterator[str]:
    name = facts.name
    yield "MESH TO METAHUMAN"
    yield f"1. Import {name}.fbx (or {name}_neutral.obj) as a Static Mesh: Convert Scene on,"
    yield "   Convert Scene Unit off, Combine Meshes on."
    yield f"2. Give it a plain material with {name}_albedo: landmarks are found in the picture."
    yield "3. MetaHuman Identity: Components from Mesh; look at the face from the front with a"
    yield "   field of view near 20 degrees, light Unlit; Track Markers; solve."
    yield "4. Conform, or send to MetaHuman Creator. The expression is neutral, lips closed, eyes"
    yield "   open and filled, as it asks."
    yield "MetaHumans carry no ARKit shapes: drive them by Live Link."
    yield ""
    yield "EXPECT"
    yield from facts.expected(0.01, "cm", "xzy")


def _print(facts: Facts) -> Iterator[str]:
    yield f"Open {facts.name}*.stl in a slicer. It is one closed surface, in millimetres."
    wall = facts.options.wall_m
    yield f"The wall is {1000 * wall:g} mm thick." if wall else "It is solid."
    yield ""
    yield "EXPECT"
    yield from facts.bounds(0.001, "mm", "xzy")
    yield "  up to 3 mm more in height: the neck is closed below its end"


def _maps(facts: Facts, number: str, normal: str, data: str) -> Iterator[str]:
    """What to tick for each texture."""
    yield f"{number} Textures:"
    flavour = "normal_dx" if facts.options.normal == "dx" else "normal"
    for role in facts.maps:
        if role == "albedo":
            yield f"   {facts.name}_albedo.png: sRGB on"
        elif role == flavour:
            yield f"   {facts.name}_{role}.png: {normal}"
        elif not role.startswith("normal"):
            yield f"   {facts.name}_{role}.png: {data}{_CHANNELS.get(role, '')}"


_CHANNELS: Mapping[str, str] = MappingProxyType(
    {
        "orm": "; occlusion, roughness, metal in R, G, B",
        "masks": "; skin, mouth, eyes in R, G, B",
        "displacement": "; middle grey is no displacement, scale_m is in manifest.json",
        "confidence": "; white was seen, black is made up",
    }
)
_TEXTS: MappingProxyType[str, Callable[[Facts], Iterator[str]]] = MappingProxyType(
    {
        "unity": _unity,
        "unreal": _unreal,
        "blender": _blender,
        "web": _web,
        "metahuman": _metahuman,
        "print": _print,
    }
)
