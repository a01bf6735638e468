"""Runs inside Blender (the package ``bpy``): imports a file, says what came in, draws it.

    python blender_probe.py FILE OUT_FOLDER '{"eye": [x, y, z], "fov_deg": 24, "size": 240}'

Writes ``found.json``, ``found.npz`` (in the head frame: x to the subject's left, y up, z forward)
and ``flat.png``, the albedo without light.
"""

import json
import sys
from pathlib import Path

import bpy
import mathutils
import numpy as np


def load(path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    importers = {
        ".glb": bpy.ops.import_scene.gltf,
        ".fbx": bpy.ops.import_scene.fbx,
        ".obj": bpy.ops.wm.obj_import,
        ".usdc": bpy.ops.wm.usd_import,
        ".usdz": bpy.ops.wm.usd_import,
    }
    importers[path.suffix](filepath=str(path))
    # the glTF importer makes a small ball to show bones with, and puts it aside
    return [
        thing
        for thing in bpy.data.objects
        if thing.type == "MESH"
        and not any(c.name.startswith("glTF_not_exported") for c in thing.users_collection)
    ]


def table(items, name, width, dtype=np.float32):
    values = np.empty(len(items) * width, dtype)
    items.foreach_get(name, values)
    return values.reshape(-1, width) if width > 1 else values


def to_head(points, matrix):
    world = points @ np.array(matrix)[:3, :3].T + np.array(matrix)[:3, 3]
    return np.stack([world[:, 0], world[:, 2], -world[:, 1]], 1)


def described(objects):
    arrays, facts = {}, {"objects": []}
    for number, thing in enumerate(objects):
        mesh, matrix = thing.data, thing.matrix_world
        mesh.calc_loop_triangles()
        turn = mathutils.Matrix(matrix).to_3x3().to_4x4()
        arrays[f"vertices_{number}"] = to_head(table(mesh.vertices, "co", 3), matrix)
        arrays[f"triangles_{number}"] = table(mesh.loop_triangles, "vertices", 3, np.int32)
        normals = table(mesh.loops, "normal", 3)
        arrays[f"corner_{number}"] = table(mesh.loops, "vertex_index", 1, np.int32)
        directions = to_head(normals, turn)
        arrays[f"normals_{number}"] = directions / np.linalg.norm(directions, axis=1)[:, None]
        shapes = []
        if mesh.shape_keys:
            for key in mesh.shape_keys.key_blocks[1:]:
                arrays[f"shape_{number}_{len(shapes)}"] = to_head(table(key.data, "co", 3), matrix)
                shapes.append(key.name)
        facts["objects"].append({"name": thing.name, "shapes": shapes})
    facts["images"] = [
        {
            "name": image.name,
            "size": list(image.size),
            "data": bool(image.has_data or image.size[0]),
        }
        for image in bpy.data.images
        if image.type == "IMAGE"
    ]
    facts["armatures"] = [len(o.data.bones) for o in bpy.data.objects if o.type == "ARMATURE"]
    facts["metres_per_unit"] = bpy.context.scene.unit_settings.scale_length
    return facts, arrays


def unlit(material):
    """Leave of a material only what colours it."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = next(n for n in nodes if n.type == "BSDF_PRINCIPLED")
    out = next(n for n in nodes if n.type == "OUTPUT_MATERIAL")
    emission = nodes.new("ShaderNodeEmission")
    base = shader.inputs["Base Color"]
    if base.links:
        links.new(base.links[0].from_socket, emission.inputs["Color"])
    else:
        emission.inputs["Color"].default_value = base.default_value
    links.new(emission.outputs["Emission"], out.inputs["Surface"])


def draw(path, plan, materials):
    for material in materials:
        unlit(material)
    scene = bpy.context.scene
    for other in [o for o in bpy.data.objects if o.type in ("LIGHT", "CAMERA")]:
        bpy.data.objects.remove(other)
    camera = bpy.data.cameras.new("eye")
    camera.sensor_fit, camera.angle = "VERTICAL", np.radians(plan["fov_deg"])
    camera.clip_start, camera.clip_end = 0.01, 1000
    eye = bpy.data.objects.new("eye", camera)
    x, y, z = plan["eye"]
    eye.location, eye.rotation_euler = (x, -z, y), (np.pi / 2, 0, 0)
    scene.collection.objects.link(eye)
    scene.camera = eye
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = 8
    scene.cycles.use_denoising = False
    scene.render.threads_mode, scene.render.threads = "FIXED", 2
    scene.render.resolution_x = scene.render.resolution_y = plan["size"]
    scene.render.film_transparent = True
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def main():
    source, out, plan = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    objects = load(source)
    facts, arrays = described(objects)
    (out / "found.json").write_text(json.dumps(facts))
    np.savez(out / "found.npz", **arrays)
    weights = plan.get("weights", {})
    for thing in objects:
        keys = thing.data.shape_keys
        for key in keys.key_blocks if keys else ():
            key.value = weights.get(key.name, 0.0)
    materials = {slot.material for thing in objects for slot in thing.material_slots}
    draw(out / "flat.png", plan, materials)


main()
