"""Joints and recordings in a glTF file."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from hrn_studio.export._glb import Buffer
from hrn_studio.export.animation import Take
from hrn_studio.export.asset import Asset
from hrn_studio.export.skeleton import Skeleton
from hrn_studio.records import Doubles, Floats, Ints

_INFLUENCES = 4
_MESH = 0
"""The node that shows the head."""


def skin_attributes(buffer: Buffer, skeleton: Skeleton, vertices: Ints) -> dict[str, int]:
    """The joints and weights of some of the head's vertices."""
    weights = skeleton.weights[vertices]
    order = np.argsort(-weights, axis=1, kind="stable")[:, :_INFLUENCES]
    strong = np.take_along_axis(weights, order, 1)
    strong /= strong.sum(1, keepdims=True)
    joints = np.where(strong > 0, order, 0).astype(np.uint8)
    spare = ((0, 0), (0, _INFLUENCES - order.shape[1]))
    return {
        "JOINTS_0": buffer.joints(np.pad(joints, spare)),
        "WEIGHTS_0": buffer.vertices(np.pad(strong, spare)),
    }


def add_skin(buffer: Buffer, document: dict[str, Any], skeleton: Skeleton) -> None:
    """Nodes for the joints, and the mesh hung on them."""
    nodes: list[dict[str, Any]] = document["nodes"]
    first = len(nodes)
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(skeleton.joints), 1, 1))
    for number, joint in enumerate(skeleton.joints):
        parent = joint.parent
        offset = joint.position - (skeleton.joints[parent].position if parent >= 0 else 0)
        nodes.append({"name": joint.name, "translation": offset.tolist()})
        if parent >= 0:
            nodes[first + parent].setdefault("children", []).append(first + number)
        inverse[number, 3, :3] = -joint.position  # columns one after the other
    document["scenes"][0]["nodes"].append(first)
    nodes[_MESH]["skin"] = 0
    document["skins"] = [
        {
            "joints": list(range(first, len(nodes))),
            "skeleton": first,
            "inverseBindMatrices": buffer.values(inverse.reshape(-1, 16)),
        }
    ]


def add_animation(buffer: Buffer, document: dict[str, Any], asset: Asset, take: Take) -> None:
    """Play a recording on the shapes, and turn the head about its joint, which a skinless head
    has too."""
    times = buffer.values(take.times_s.astype(np.float32)[:, None], bounds=True)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []

    def play(node: int, path: str, values: Floats) -> None:
        channels.append(
            {"sampler": len(samplers), "target": {"node": node, "path": path}},
        )
        output = buffer.values(values)
        samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})

    if asset.morphs:
        weights = np.stack([take.weights_of(morph.arkit) for morph in asset.morphs], 1)
        play(_MESH, "weights", weights.reshape(-1, 1))
    turns = take.head_rotations()
    if "skins" in document:
        play(document["skins"][0]["skeleton"], "rotation", _quaternions(turns))
    else:
        play(_MESH, "rotation", _quaternions(turns))
        if asset.skeleton is not None:
            pivot = asset.skeleton.joints[0].position
            play(_MESH, "translation", (pivot - turns @ pivot).astype(np.float32))
    document["animations"] = [{"name": take.name, "channels": channels, "samplers": samplers}]


def _quaternions(rotations: Doubles) -> Floats:
    """(F, 4) x, y, z, w, each on the side of the one before."""
    result = Rotation.from_matrix(rotations).as_quat()
    flips = np.einsum("ij,ij->i", result[1:], result[:-1]) < 0
    result[1:][np.cumsum(flips) % 2 == 1] *= -1
    return np.asarray(result, np.float32)
