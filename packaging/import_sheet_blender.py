"""Runs inside Blender (the package ``bpy``): draws an imported head in several expressions.

    python import_sheet_blender.py FILE.glb OUT_FOLDER PLAN

PLAN is JSON: ``size`` in pixels, and ``looks``, each with ``yaw_deg`` (to the subject's left) and
``weights`` by the shapes' names. Pictures are ``0.png``, ``1.png``, ...
"""

import json
import sys
from pathlib import Path
from typing import Any

import bpy  # type: ignore[import-not-found]
import mathutils  # type: ignore[import-not-found]
import numpy as np

DISTANCE_M, HEIGHT_M, FOV_DEG = 0.75, -0.02, 20


def main() -> None:
    source, out, plan = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=source)
    keys = [o.data.shape_keys for o in bpy.data.objects if o.type == "MESH" and o.data.shape_keys]
    scene = bpy.context.scene
    camera = stage(scene, plan["size"])
    for number, look in enumerate(plan["looks"]):
        for block in (b for key in keys for b in key.key_blocks[1:]):
            block.value = look["weights"].get(block.name, 0.0)
        yaw = np.radians(look["yaw_deg"])
        camera.location = (DISTANCE_M * np.sin(yaw), -DISTANCE_M * np.cos(yaw), HEIGHT_M)
        camera.rotation_euler = (np.pi / 2, 0, yaw)
        scene.render.filepath = str(out / f"{number}.png")
        bpy.ops.render.render(write_still=True)


def stage(scene: Any, size: int) -> Any:
    """Light and a camera, as somebody looking a head over would set them up."""
    camera = bpy.data.cameras.new("camera")
    camera.angle, camera.clip_start = np.radians(FOV_DEG), 0.01
    thing = bpy.data.objects.new("camera", camera)
    scene.collection.objects.link(thing)
    scene.camera = thing
    world = scene.world = bpy.data.worlds.new("world")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.5, 0.52, 0.56, 1)
    world.node_tree.nodes["Background"].inputs[1].default_value = 0.5
    for place, watts in (((-0.5, -0.8, 0.5), 10), ((0.7, -0.5, 0.1), 3)):
        light = bpy.data.lights.new("light", "AREA")
        light.energy, light.size = watts, 0.4
        lamp = bpy.data.objects.new("light", light)
        lamp.location = place
        lamp.rotation_euler = (-mathutils.Vector(place)).to_track_quat("-Z", "Y").to_euler()
        scene.collection.objects.link(lamp)
    render = scene.render
    render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 24, False
    render.threads_mode, render.threads = "FIXED", 2
    render.resolution_x = render.resolution_y = size
    scene.view_settings.view_transform = "Standard"
    return thing


main()
