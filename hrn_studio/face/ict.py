"""The ICT face model as a head: read from the user's copy of ICT-FaceKit.

Li et al., "Learning Formation of Physically-Based Face Attributes", CVPR 2020; MIT licence,
https://github.com/USC-ICT/ICT-FaceKit.  Its folder ``FaceXModel`` holds one OBJ file for the
neutral mesh, one for each of 100 identity modes (the neutral mesh moved by one standard
deviation) and one for each of 53 expressions, all with the same vertices in the same order.

The meshes around the eyes that only an engine's shaders know how to draw (lacrimal fluid, blends,
occlusion, lashes) are left out.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hrn_studio.errors import ModelDataError
from hrn_studio.face.headarrays import eye_of, mirror_of
from hrn_studio.face.model import HeadModel
from hrn_studio.records import Doubles, Ints

AGAIN = "get the folder FaceXModel of github.com/USC-ICT/ICT-FaceKit again"
NEUTRAL = "generic_neutral_mesh.obj"
LICENCE = "ICT-FaceKit, MIT, Copyright (c) 2020 USC Institute for Creative Technologies"
LANDMARKS = (
    *(1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272),
    *(4088, 3443, 268, 493, 1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942),
    *(4857, 1140, 2075, 1147, 4269, 3360, 1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756),
    *(3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841),
    *(5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966),
)
"""Vertices of the 68 iBUG landmarks, from its README."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which vertices are what: parts in order, each up to the vertex before ``end``."""

    parts: tuple[tuple[str, int], ...]
    """Names in the studio's words, and where each part ends; an empty name is left out."""
    total: int
    """Vertices in a file."""

    @property
    def kept(self) -> int:
        """Vertices of the parts that are not left out."""
        return max(end for name, end in self.parts if name)


LIGHT = Layout(
    parts=(
        ("skin", 11248),
        ("mouth", 13294),
        ("socket_left", 13678),
        ("socket_right", 14062),
        ("tongue_gums", 17039),
        ("teeth", 21451),
        ("eye_left", 23021),
        ("eye_right", 24591),
        ("", 26719),
    ),
    total=26719,
)
"""The light model of the repository."""

_SPLIT = ("browInnerUp", "cheekPuff")
_BOTH_SIDES = (
    *("browDown", "browInnerUp", "browOuterUp", "cheekPuff", "cheekSquint", "eyeBlink"),
    *("eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide"),
    *("mouthDimple", "mouthFrown", "mouthLowerDown", "mouthPress", "mouthSmile"),
    *("mouthStretch", "mouthUpperUp", "noseSneer"),
)
_MIDDLE = (
    *("jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel", "mouthLeft"),
    *("mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower"),
    "mouthShrugUpper",
)
FILES = tuple(sorted([*(f"{n}_{side}" for n in _BOTH_SIDES for side in "LR"), *_MIDDLE]))
"""Names of the 53 expression files."""


def read_ict(folder: Path, layout: Layout = LIGHT) -> HeadModel:
    """The head in a folder ``FaceXModel``; 154 files, about ten seconds.

    Expressions get ARKit's names: the halves of browInnerUp and cheekPuff are added up, and
    tongueOut is not there.  Lengths become metres by the distance of the eyes.

    Raises
    ------
    ModelDataError
        The folder lacks files, or a file has another number of vertices.
    """
    lacking = [name for name in FILES if not (folder / f"{name}.obj").is_file()]
    identities = _identity_files(folder)
    if lacking or not identities or not (folder / NEUTRAL).is_file():
        some = [NEUTRAL] if not (folder / NEUTRAL).is_file() else []
        some += ["identity000.obj"] if not identities else []
        some += [f"{name}.obj" for name in lacking]
        more = f" and {len(some) - 3} more" if len(some) > 3 else ""
        raise ModelDataError(f"'{folder}' lacks {', '.join(some[:3])}{more}; {AGAIN}")
    neutral = _vertices(folder / NEUTRAL, layout)
    kept = slice(0, layout.kept)
    identity = np.stack([_vertices(file, layout)[kept] - neutral[kept] for file in identities])
    shapes = {
        name: _vertices(folder / f"{name}.obj", layout)[kept] - neutral[kept] for name in FILES
    }
    corners = _corners(folder / NEUTRAL, layout)
    return _head(neutral[kept], identity, shapes, corners, layout)


def _identity_files(folder: Path) -> list[Path]:
    files: list[Path] = []
    while (file := folder / f"identity{len(files):03d}.obj").is_file():
        files.append(file)
    return files


def _vertices(path: Path, layout: Layout) -> Doubles:
    lines = [line[2:] for line in path.read_bytes().splitlines() if line.startswith(b"v ")]
    try:
        found = np.loadtxt(io.BytesIO(b"\n".join(lines)), usecols=(0, 1, 2), ndmin=2)
    except ValueError as error:
        raise ModelDataError(f"'{path.name}' is not an OBJ file; {AGAIN}") from error
    if len(found) != layout.total:
        raise ModelDataError(
            f"'{path.name}' has {len(found)} vertices and must have {layout.total}; {AGAIN}"
        )
    if not np.isfinite(found).all():
        raise ModelDataError(f"'{path.name}' contains values that are not numbers; {AGAIN}")
    return np.asarray(found, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Corners:
    uv: Doubles
    triangles: Ints
    uv_triangles: Ints


def _corners(path: Path, layout: Layout) -> _Corners:
    """Texture points and triangles; quads are cut along their first diagonal."""
    uv, triangles, uv_triangles = [], [], []
    try:
        for line in path.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("vt "):
                uv.append([float(value) for value in line.split()[1:3]])
            elif line.startswith("f "):
                corners = [corner.split("/") for corner in line.split()[1:]]
                points = [int(corner[0]) - 1 for corner in corners]
                places = [int(corner[1]) - 1 for corner in corners]
                for k in range(1, len(points) - 1):
                    triangles.append((points[0], points[k], points[k + 1]))
                    uv_triangles.append((places[0], places[k], places[k + 1]))
        result = _Corners(
            np.array(uv, np.float64).reshape(-1, 2),
            np.array(triangles, np.int32).reshape(-1, 3),
            np.array(uv_triangles, np.int32).reshape(-1, 3),
        )
    except (ValueError, IndexError) as error:
        raise ModelDataError(f"'{path.name}' has faces without texture; {AGAIN}") from error
    bad = (
        len(triangles) == 0
        or result.triangles.min() < 0
        or result.triangles.max() >= layout.total
        or result.uv_triangles.min() < 0
        or result.uv_triangles.max() >= len(uv)
    )
    if bad:
        raise ModelDataError(f"'{path.name}' has faces that point outside the mesh; {AGAIN}")
    return result


def _head(
    neutral: Doubles,
    identity: Doubles,
    shapes: dict[str, Doubles],
    corners: _Corners,
    layout: Layout,
) -> HeadModel:
    starts = [0, *(end for _, end in layout.parts)]
    names = [name for name, _ in layout.parts if name]
    part_of = np.searchsorted(starts[1:], corners.triangles[:, 0], side="right")
    chosen = part_of < len(names)
    ranges = {name: slice(starts[k], starts[k + 1]) for k, name in enumerate(names)}
    eyes = [eye_of(side, ranges[f"eye_{side.lower()}"], neutral, identity) for side in _SIDES]
    left, right = (eye.center for eye in eyes)
    scale = _metres(float(np.linalg.norm(left - right)))
    middle = (left + right) / 2
    expressions = _arkit(shapes, [ranges["eye_left"], ranges["eye_right"]])
    mean = (neutral - middle) * scale
    eyes = [eye_of(side, ranges[f"eye_{side.lower()}"], mean, identity * scale) for side in _SIDES]
    return HeadModel(
        name="ICT",
        licence=LICENCE,
        mean=mean.astype(np.float32),
        identity=(identity * scale).astype(np.float32),
        expression=(np.stack(list(expressions.values())) * scale).astype(np.float32),
        expression_names=tuple(expressions),
        triangles=corners.triangles[chosen],
        uv=corners.uv.astype(np.float32),
        uv_triangles=corners.uv_triangles[chosen],
        part_names=tuple(names),
        triangle_part=part_of[chosen].astype(np.uint8),
        regions={},
        symmetry=mirror_of(mean),
        eyes=tuple(eyes),
    )


_SIDES = ("Left", "Right")


def _metres(eye_distance: float) -> float:
    """Metres in the file's unit, by the distance of the eyes: 55 to 75 mm in any adult."""
    for scale in (1.0, 0.1, 0.01, 0.001):
        if 0.045 < eye_distance * scale < 0.085:
            return scale
    raise ModelDataError(f"the eyes of the ICT model are {eye_distance:.3g} units apart; {AGAIN}")


def _arkit(shapes: dict[str, Doubles], eyes: Sequence[slice]) -> dict[str, Doubles]:
    """Shapes by ARKit's names, in their order; eyeballs turn by the gaze and not here."""
    result: dict[str, Doubles] = {}
    for name in sorted(shapes):
        stem, _, side = name.partition("_")
        full = stem if stem in _SPLIT else stem + {"L": "Left", "R": "Right", "": ""}[side]
        offsets = shapes[name].copy()
        if stem.startswith("eyeLook"):
            for eye in eyes:
                offsets[eye] = 0
        result[full] = result[full] + offsets if full in result else offsets
    return result
