"""Blender reads every format: size, axes, shapes, textures, sides."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from hrn_studio.export.dressing import shape_name

FILES = {
    "glb": ("blender", None, "jane.glb", "arkit"),
    "fbx-unity": ("unity", None, "jane.fbx", "arkit"),
    "fbx-unreal": ("unreal", None, "jane.fbx", "unreal"),
    "usd": (None, ("usd",), "jane.usdc", "arkit"),
    "obj": ("metahuman", None, "jane_neutral.obj", None),
}


@pytest.fixture(scope="module", params=FILES)
def imported(request, blender, exports, tools, tmp_path_factory):
    """Name, naming of shapes, facts, arrays and picture of one file."""
    preset, formats, name, naming = FILES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    weights = {}
    if naming is not None:
        weights = {shape_name(k, naming): w for k, w in tools.WEIGHTS.items()}
    file = exports(preset, formats) / name
    units = 1 / scale_of(request.param)
    return request.param, naming, *tools.probe(blender, file, folder, weights, units), folder


def whole(arrays, kind):
    keys = sorted(k for k in arrays if k.startswith(f"{kind}_") and k.count("_") == 1)
    return np.concatenate([arrays[key] for key in keys])


def scale_of(name):
    """Blender's OBJ importer takes numbers as they are; the file is in centimetres."""
    return 0.01 if name == "obj" else 1.0


def test_every_vertex_is_where_it_was(imported, asset):
    name, _, _, arrays, _, _ = imported
    found = whole(arrays, "vertices") * scale_of(name)
    there, _ = cKDTree(found).query(asset.vertices)
    back, _ = cKDTree(asset.vertices).query(found)
    assert max(there.max(), back.max()) < 1e-5


def test_eyes_are_apart_as_ours(imported, asset):
    name, _, _, arrays, _, _ = imported
    tree = cKDTree(whole(arrays, "vertices") * scale_of(name))
    eyes = [asset.vertices[np.unique(p.triangles)] for p in asset.parts if "eye" in p.name]
    found = [tree.data[tree.query(eye)[1]].mean(0) for eye in eyes]
    ours = np.linalg.norm(eyes[0].mean(0) - eyes[1].mean(0))
    assert 0.05 < ours < 0.075
    assert np.linalg.norm(found[0] - found[1]) == pytest.approx(ours, abs=1e-5)


def test_shapes(imported, asset):
    name, naming, facts, arrays, _, _ = imported
    if naming is None:
        assert not any(thing["shapes"] for thing in facts["objects"])
        return
    wanted = {shape_name(m.arkit, naming): m for m in asset.morphs}
    assert len(wanted) == 52
    for number, thing in enumerate(facts["objects"]):
        assert set(thing["shapes"]) == set(wanted), thing["name"]
        neutral = arrays[f"vertices_{number}"]
        _, index = cKDTree(asset.vertices).query(neutral)
        for k, shape in enumerate(thing["shapes"]):
            moved = arrays[f"shape_{number}_{k}"] - neutral
            # where vertices of two parts lie in one place, either may be found
            off = np.abs(moved - wanted[shape].deltas[index]).max(1)
            assert np.percentile(off, 99.9) < 1e-5, (name, shape)


def test_normals_point_outwards(imported, asset):
    name, _, _, arrays, _, _ = imported
    points, triangles, start = [], [], 0
    for key in sorted(k for k in arrays if k.startswith("vertices_")):
        points.append(arrays[key] * scale_of(name))
        triangles.append(arrays[key.replace("vertices", "triangles")] + start)
        start += len(points[-1])
    vertices, faces = np.concatenate(points), np.concatenate(triangles)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    ours = np.concatenate([part.triangles for part in asset.parts])
    p, q, r = (asset.vertices[ours[:, k]].astype(float) for k in range(3))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
    assert volume == pytest.approx(np.einsum("ij,ij->i", p, np.cross(q, r)).sum() / 6, rel=1e-3)
    for number in range(len(points)):
        corner, normals = arrays[f"corner_{number}"], arrays[f"normals_{number}"]
        _, index = cKDTree(asset.vertices).query(points[number][corner])
        along = np.einsum("ij,ij->i", normals, asset.normals[index])
        assert np.percentile(along, 1) > 0.98, (name, number)


def test_textures_are_found(imported):
    name, _, facts, _, _, _ = imported
    sizes = {image["name"]: image["size"] for image in facts["images"]}
    albedo = [size for image, size in sizes.items() if "albedo" in image]
    assert albedo, sizes
    assert all(size[0] == size[1] == 512 for size in albedo), sizes
    if name != "obj":  # Blender does not know the key "norm" of an MTL file
        assert any("normal" in image for image in sizes), sizes


def test_a_picture_agrees_with_ours(imported, asset, tools):
    name, naming, _, _, picture, folder = imported
    tools.agree(picture, tools.flat(asset, tools.WEIGHTS if naming else {}), name, folder)


def test_tangents_are_mikktspaces(blender, asset, tools, tmp_path):
    """Blender computes them with the original code, on our mesh with its own smooth normals."""
    from hrn_studio.geometry.mesh import corner_tangents

    triangles = np.concatenate([part.triangles for part in asset.parts])
    corners = np.concatenate([part.uv_triangles for part in asset.parts])
    mesh = {"vertices": asset.vertices, "triangles": triangles, "uv": asset.uv[corners.ravel()]}
    np.savez(tmp_path / "mesh.npz", **mesh)
    tools.run([blender, tools.HERE / "mikktspace_probe.py", tmp_path])
    with np.load(tmp_path / "tangents.npz") as found:
        normals, tangents, signs = found["normals"], found["tangents"], found["signs"]
    ours = corner_tangents(asset.vertices, triangles, asset.uv, corners, normals)[corners.ravel()]
    along = np.einsum("ij,ij->i", ours[:, :3], tangents)
    assert np.degrees(np.arccos(np.clip(along, -1, 1))).max() < 0.2
    np.testing.assert_array_equal(ours[:, 3], signs)
