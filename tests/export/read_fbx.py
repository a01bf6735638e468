"""Read an FBX file with ufbx and store what it holds as arrays: ``read_fbx.py IN.fbx OUT.npz``.

A program of its own: the objects of ufbx 0.0.5 for Python bring the interpreter down when they are
collected, and so does every property that may be None.  So nothing is collected, objects are only
reached through lists, and at the end nothing is freed.
"""

import gc
import json
import os
import sys

import numpy as np
import ufbx

KEPT = []


def each(items):
    """The objects of a list, which then live as long as the program."""
    found = [items[k] for k in range(len(items))]
    KEPT.extend([items, *found])
    return found


def vectors(values):
    return np.array([[v.x, v.y, v.z] for v in values]).reshape(-1, 3)


def matrix(m):
    return np.array([vectors([m.c0, m.c1, m.c2, m.c3])]).reshape(4, 3).T


def main(source, target):
    gc.disable()
    scene = ufbx.load_file(source)
    (mesh,) = each(scene.meshes)
    nodes, stacks = each(scene.nodes), each(scene.anim_stacks)
    channels, values = each(scene.blend_channels), each(scene.anim_values)
    settings = scene.settings
    arrays = {
        "vertices": vectors(mesh.vertices),
        "index": np.array(list(mesh.vertex_indices)),
        "normals": vectors(mesh.vertex_normal.values)[list(mesh.vertex_normal.indices)],
        "uv": np.array([[v.x, v.y] for v in mesh.vertex_uv.values])[list(mesh.vertex_uv.indices)],
        "material": np.array(list(mesh.face_material)),
        "smooth": np.array(list(mesh.face_smoothing)),
        "faces": np.array([f.num_indices for f in mesh.faces]),
    }
    facts = {
        "warnings": [w.description for w in each(scene.metadata.warnings)],
        "unit_m": settings.unit_meters,
        "axes": [int(settings.axes.right), int(settings.axes.up), int(settings.axes.front)],
        "original_unit_m": settings.original_unit_meters,
        "rate": settings.frames_per_second,
        "nodes": {n.name: n.node_depth for n in nodes},
        "materials": [m.name for m in each(mesh.materials)],
        "textures": [[t.relative_filename, len(t.content)] for t in each(scene.textures)],
        "shapes": [],
        "joints": [],
        "takes": [[s.name, s.time_begin, s.time_end] for s in stacks],
    }
    for channel in channels:
        (key,) = each(channel.keyframes)
        shape = key.shape
        KEPT.append(shape)
        number = len(facts["shapes"])
        facts["shapes"].append([channel.name, shape.name, key.target_weight, channel.weight])
        arrays[f"shape{number}"] = np.array(list(shape.offset_vertices))
        arrays[f"moves{number}"] = vectors(shape.position_offsets)
        arrays[f"turns{number}"] = vectors(shape.normal_offsets)
    for number, cluster in enumerate(each(scene.skin_clusters)):
        facts["joints"].append(cluster.name)
        arrays[f"joint{number}"] = np.array(list(cluster.vertices))
        arrays[f"weight{number}"] = np.array(list(cluster.weights))
        arrays[f"bind{number}"] = matrix(cluster.bind_to_world)
        arrays[f"from{number}"] = matrix(cluster.geometry_to_bone)
        (bone,) = (node for node in nodes if node.name == cluster.name)
        arrays[f"node{number}"] = matrix(bone.node_to_world)
    if facts["takes"]:
        anim = stacks[0].anim
        KEPT.append(anim)
        times = np.linspace(0, facts["takes"][0][2], 23)
        arrays["times"] = times
        arrays["weights"] = np.array(
            [[ufbx.evaluate_blend_weight(anim, c, t) for c in channels] for t in times]
        )
        turned = facts["joints"][0] if facts["joints"] else nodes[1].name
        node = next(n for n in nodes if n.name == turned)
        turns = [ufbx.evaluate_transform(anim, node, t).rotation for t in times]
        arrays["turns"] = np.array([[q.x, q.y, q.z, q.w] for q in turns])
        for curve in ("HeadYaw", "HeadPitch", "LeftEyeYaw"):
            for value in (v for v in values if v.name == curve):
                arrays[curve] = np.array([value.evaluate_real(t) for t in times])
    np.savez(target, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8), **arrays)


main(*sys.argv[1:])
sys.stdout.flush()
os._exit(0)
