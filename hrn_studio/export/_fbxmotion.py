"""A recording in an FBX file: curves for the shapes, the head's turn, and Unreal's nine angles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hrn_studio.export._fbxscene import TICKS, Scene, ticks
from hrn_studio.export._fbxtree import properties, put
from hrn_studio.export.animation import Take, curves_of
from hrn_studio.export.options import ExportOptions, Space
from hrn_studio.records import AnyFloats, Doubles

_LINEAR = 0x6104
"""Straight between keys."""
_WEIGHTS = np.array([0, 0, 0x0F3F0F3F, 0], "<i4").view("<f4")
"""What stands with keys whose tangents are not weighted."""


def add_motion(
    scene: Scene,
    take: Take,
    channels: Mapping[str, np.int64],
    root: np.int64,
    options: ExportOptions,
) -> None:
    """Play ``take`` on the channels (by ARKit's names) and turn the node ``root``."""
    scene.take, scene.duration_s, scene.rate = take.name, take.duration_s, take.rate
    stack, number = scene.object("AnimationStack", take.name, "AnimStack", "")
    table = properties(stack)
    for which in ("Local", "Reference"):
        put(table, f"{which}Start", "KTime", "Time", "", ticks(0))
        put(table, f"{which}Stop", "KTime", "Time", "", ticks(take.duration_s))
    _, layer = scene.object("AnimationLayer", "BaseLayer", "AnimLayer", "")
    scene.link(layer, number)
    entry = scene.takes.add("Take", take.name)
    entry.add("FileName", f"{take.name}.tak")
    for name in ("LocalTime", "ReferenceTime"):
        entry.add(name, ticks(0), ticks(take.duration_s))

    times = np.rint(take.times_s * TICKS).astype(np.int64)
    for arkit in take.shapes:
        if arkit in channels:
            weights = {"DeformPercent": 100.0 * take.weights_of(arkit)}
            _curves(scene, layer, channels[arkit], "DeformPercent", "DeformPercent", weights, times)
    turns = dict(zip("XYZ", _euler_degrees(take, options.space).T, strict=True))
    _curves(scene, layer, root, "R", "Lcl Rotation", turns, times)
    if options.naming == "unreal":
        for name, values in curves_of(take).items():
            _attribute(scene, root, name)
            _curves(scene, layer, root, name, name, {name: values}, times)


def _attribute(scene: Scene, owner: np.int64, name: str) -> None:
    """A number of the user's own on a joint; Unreal imports its curve under that name."""
    node = next(n for n in scene.objects.children if n.values[0] == owner)
    table = next(child for child in node.children if child.name == "Properties70")
    put(table, name, "Number", "", "A+U", 0.0)


def _curves(
    scene: Scene,
    layer: np.int64,
    owner: np.int64,
    name: str,
    slot: str,
    curves: Mapping[str, AnyFloats],
    times: NDArray[np.int64],
) -> None:
    node, number = scene.object("AnimationCurveNode", name, "AnimCurveNode", "")
    table = properties(node)
    scene.link(number, layer)
    scene.link(number, owner, slot)
    for axis, values in curves.items():
        put(table, f"d|{axis}", "Number", "", "A", float(values[0]))
        scene.link(_curve(scene, times, values), number, f"d|{axis}")


def _curve(scene: Scene, times: NDArray[np.int64], values: AnyFloats) -> np.int64:
    node, number = scene.object("AnimationCurve", "", "AnimCurve", "")
    node.add("Default", float(values[0]))
    node.add("KeyVer", 4008)
    node.add("KeyTime", times)
    node.add("KeyValueFloat", np.asarray(values, np.float32))
    node.add("KeyAttrFlags", np.array([_LINEAR], np.int32))
    node.add("KeyAttrDataFloat", _WEIGHTS.astype(np.float32))
    node.add("KeyAttrRefCount", np.array([len(times)], np.int32))
    return number


def _euler_degrees(take: Take, space: Space) -> Doubles:
    """(F, 3) turns about x, then y, then z, without jumps."""
    axes = space.directions(np.eye(3, dtype=np.float32)).astype(np.float64)  # rows: head axes
    R = np.einsum("ai,fab,bj->fij", axes, take.head_rotations(), axes)
    y = -np.arcsin(np.clip(R[:, 2, 0], -1, 1))
    x = np.arctan2(R[:, 2, 1], R[:, 2, 2])
    z = np.arctan2(R[:, 1, 0], R[:, 0, 0])
    return np.degrees(np.unwrap(np.stack([x, y, z], 1), axis=0))
