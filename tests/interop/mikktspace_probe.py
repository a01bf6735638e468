"""Runs inside Blender: tangents of ``mesh.npz`` by MikkTSpace, into ``tangents.npz``.

python mikktspace_probe.py FOLDER
"""

import sys
from pathlib import Path

import bpy
import numpy as np

folder = Path(sys.argv[1])
with np.load(folder / "mesh.npz") as given:
    vertices, triangles, uv = given["vertices"], given["triangles"], given["uv"]
mesh = bpy.data.meshes.new("head")
mesh.from_pydata(vertices.tolist(), [], triangles.tolist())
mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", uv.ravel())
mesh.shade_smooth()
mesh.update()
mesh.calc_tangents()
count = len(mesh.loops)
tangents, normals = (np.empty(3 * count, np.float32) for _ in range(2))
signs = np.empty(count, np.float32)
mesh.loops.foreach_get("tangent", tangents)
mesh.loops.foreach_get("normal", normals)
mesh.loops.foreach_get("bitangent_sign", signs)
at = np.empty((len(vertices), 3), np.float32)
at[triangles.ravel()] = normals.reshape(-1, 3)
np.savez(folder / "tangents.npz", normals=at, tangents=tangents.reshape(-1, 3), signs=signs)
