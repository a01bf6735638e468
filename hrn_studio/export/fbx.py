"""FBX 7.4, binary: the head as game engines and animation programs take it.

One mesh with a material for each kind of surface and all shapes as blend shape channels; its
vertices are the asset's, in the same order.  With a skeleton, every vertex hangs on one root.
Units and axes are those of the options' space: the file says which, and no transform is needed.
Shapes hold only the vertices that move, and the change of their normals.

FBX shows the numbers 0..100 for a shape's weight where glTF has 0..1.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.export._fbxmotion import add_motion
from hrn_studio.export._fbxscene import Scene
from hrn_studio.export._fbxsurface import add_materials
from hrn_studio.export._fbxtree import Node, properties, put
from hrn_studio.export.asset import Asset, Morph, mesh_name
from hrn_studio.export.options import PLAIN, ExportOptions, Space
from hrn_studio.export.skeleton import Skeleton, chosen
from hrn_studio.face.appearance import Material
from hrn_studio.records import AnyFloats, Doubles

SHAPES_NODE = "blendShapes"
"""Unreal takes this off the front of a channel's name; no shape begins with it."""


def write_fbx(asset: Asset, options: ExportOptions = PLAIN) -> dict[str, bytes]:
    """``NAME.fbx`` and the textures it names; the same asset gives the same bytes."""
    scene = Scene()
    used = {part.material for part in asset.parts}
    materials = [material for material in asset.materials if material.name in used]
    mesh = _model(scene, mesh_name(asset), "Mesh", np.zeros(3))
    shape = _geometry(scene, asset, materials, options.space)
    scene.link(mesh, 0)
    scene.link(shape, mesh)
    files = add_materials(scene, mesh, asset, materials, options)
    channels = _shapes(scene, asset, shape, options.space)
    skeleton = None if asset.skeleton is None else chosen(asset.skeleton, options.skeleton)
    root = mesh
    if skeleton is not None:
        root = _skin(scene, skeleton, shape, mesh, asset.name, options.space)
    if options.animation is not None:
        names = {m.arkit: channels[m.name] for m in asset.morphs}
        add_motion(scene, options.animation, names, root, options)
    return {f"{asset.name}.fbx": scene.file(options.space), **files}


def _model(scene: Scene, name: str, kind: str, position: Doubles) -> np.int64:
    node, number = scene.object("Model", name, "Model", kind)
    node.add("Version", 232)
    table = properties(node)
    put(table, "RotationActive", "bool", "", "", 1)
    put(table, "InheritType", "enum", "", "", 1)
    put(table, "DefaultAttributeIndex", "int", "Integer", "", 0)
    for what, values in (
        ("Translation", [float(x) for x in position]),
        ("Rotation", [0.0, 0.0, 0.0]),
        ("Scaling", [1.0, 1.0, 1.0]),
    ):
        put(table, f"Lcl {what}", f"Lcl {what}", "", "A", *values)
    node.add("Shading", True)
    node.add("Culling", "CullingOff")
    return number


def _geometry(scene: Scene, asset: Asset, materials: list[Material], space: Space) -> np.int64:
    node, number = scene.object("Geometry", mesh_name(asset), "Geometry", "Mesh")
    properties(node)
    node.add("GeometryVersion", 124)
    names = [material.name for material in materials]
    triangles = np.concatenate([part.triangles for part in asset.parts])
    corners = triangles.copy()
    corners[:, 2] = ~corners[:, 2]  # the last corner of a polygon is marked so
    node.add("Vertices", _flat(space.points(asset.vertices)))
    node.add("PolygonVertexIndex", corners.ravel())
    normals = space.directions(asset.normals)[triangles]
    _layer(node, "Normal", "ByPolygonVertex", "Direct", 101).add("Normals", _flat(normals))
    layer = _layer(node, "UV", "ByPolygonVertex", "IndexToDirect", 101, "UVMap")
    layer.add("UV", _flat(asset.uv))
    layer.add("UVIndex", np.concatenate([p.uv_triangles for p in asset.parts]).ravel())
    layer = _layer(node, "Smoothing", "ByPolygon", "Direct", 102)
    layer.add("Smoothing", np.ones(len(triangles), np.int32))
    layer = _layer(node, "Material", "ByPolygon", "IndexToDirect", 101)
    slots = [names.index(part.material) for part in asset.parts]
    counts = [len(part.triangles) for part in asset.parts]
    layer.add("Materials", np.repeat(np.array(slots, np.int32), counts))
    first = node.add("Layer", 0)
    first.add("Version", 100)
    for kind in ("Normal", "UV", "Smoothing", "Material"):
        element = first.add("LayerElement")
        element.add("Type", f"LayerElement{kind}")
        element.add("TypedIndex", 0)
    return number


def _layer(
    node: Node, kind: str, mapping: str, reference: str, version: int, name: str = ""
) -> Node:
    layer = node.add(f"LayerElement{kind}", 0)
    layer.add("Version", version)
    layer.add("Name", name)
    layer.add("MappingInformationType", mapping)
    layer.add("ReferenceInformationType", reference)
    return layer


def _shapes(scene: Scene, asset: Asset, mesh: np.int64, space: Space) -> dict[str, np.int64]:
    """The channels by the shapes' names."""
    if not asset.morphs:
        return {}
    node, group = scene.object("Deformer", SHAPES_NODE, "Deformer", "BlendShape")
    node.add("Version", 100)
    scene.link(group, mesh)
    channels = {}
    for morph in asset.morphs:
        node, channel = scene.object("Deformer", morph.name, "SubDeformer", "BlendShapeChannel")
        node.add("Version", 100)
        put(properties(node), "DeformPercent", "Number", "", "A", 0.0)
        node.add("DeformPercent", 0.0)
        node.add("FullWeights", np.array([100.0]))
        scene.link(channel, group)
        scene.link(_shape(scene, morph, space), channel)
        channels[morph.name] = channel
    return channels


def _shape(scene: Scene, morph: Morph, space: Space) -> np.int64:
    node, number = scene.object("Geometry", morph.name, "Geometry", "Shape")
    properties(node)
    node.add("Version", 100)
    moving = np.flatnonzero(morph.deltas.any(1) | morph.normal_deltas.any(1)).astype(np.int32)
    node.add("Indexes", moving)
    node.add("Vertices", _flat(space.points(morph.deltas[moving])))
    node.add("Normals", _flat(space.directions(morph.normal_deltas[moving])))
    return number


def _skin(
    scene: Scene, skeleton: Skeleton, mesh: np.int64, model: np.int64, name: str, space: Space
) -> np.int64:
    """The joints and what hangs on them; the root joint."""
    node, skin = scene.object("Deformer", f"{name}_skin", "Deformer", "Skin")
    node.add("Version", 101)
    node.add("Link_DeformAcuracy", 50.0)
    scene.link(skin, mesh)
    positions = space.points(np.array([joint.position for joint in skeleton.joints]))
    places = positions.astype(np.float64)
    models: list[np.int64] = []
    for number, joint in enumerate(skeleton.joints):
        parent = joint.parent
        offset = places[number] - (places[parent] if parent >= 0 else 0)
        bone = _bone(scene, joint.name, offset, 0.02 / space.metres_per_unit)
        scene.link(bone, models[parent] if parent >= 0 else 0)
        models.append(bone)
        _cluster(scene, joint.name, skin, bone, skeleton.weights[:, number], places[number])
    _bind_pose(scene, name, {model: np.zeros(3)} | dict(zip(models, places, strict=True)))
    return models[0]


def _bone(scene: Scene, name: str, offset: Doubles, size: float) -> np.int64:
    node, attribute = scene.object("NodeAttribute", name, "NodeAttribute", "LimbNode")
    put(properties(node), "Size", "double", "Number", "", size)
    node.add("TypeFlags", "Skeleton")
    bone = _model(scene, name, "LimbNode", offset)
    scene.link(attribute, bone)
    return bone


def _cluster(
    scene: Scene, name: str, skin: np.int64, bone: np.int64, weights: AnyFloats, place: Doubles
) -> None:
    node, cluster = scene.object("Deformer", name, "SubDeformer", "Cluster")
    node.add("Version", 100)
    node.add("UserData", "", "")
    follows = np.flatnonzero(weights).astype(np.int32)
    node.add("Indexes", follows)
    node.add("Weights", weights[follows].astype(np.float64))
    node.add("Transform", _at(-place))
    node.add("TransformLink", _at(place))
    scene.link(cluster, skin)
    scene.link(bone, cluster)


def _bind_pose(scene: Scene, name: str, places: dict[np.int64, Doubles]) -> None:
    node, _ = scene.object("Pose", f"{name}_bind", "Pose", "BindPose")
    node.add("Type", "BindPose")
    node.add("Version", 100)
    node.add("NbPoseNodes", len(places))
    for model, place in places.items():
        entry = node.add("PoseNode")
        entry.add("Node", model)
        entry.add("Matrix", _at(place))


def _at(place: Doubles) -> Doubles:
    """(16,) a translation, as FBX lays matrices out."""
    matrix = np.eye(4)
    matrix[3, :3] = place
    return matrix.ravel()


def _flat(values: AnyFloats) -> Doubles:
    return np.asarray(values, np.float64).ravel()
