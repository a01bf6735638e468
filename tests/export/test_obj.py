"""OBJ files hold the heads exactly, and other programs find the textures."""

import re
from pathlib import Path

import numpy as np
import pytest
import trimesh

from hrn_studio.export.asset import make_asset
from hrn_studio.export.formats import write_maps
from hrn_studio.export.obj import write_obj


def parsed(text):
    """Arrays ``v vt vn`` and faces (T, 3, 3) of zero-based v/vt/vn by object."""
    rows = {"v": [], "vt": [], "vn": []}
    faces, current = {}, None
    for line in text.splitlines():
        key, *values = line.split()
        if key in rows:
            rows[key].append([float(value) for value in values])
        elif key == "o":
            current = faces.setdefault(values[0], [])
        elif key == "f":
            current.append([[int(n) - 1 for n in corner.split("/")] for corner in values])
    return {k: np.array(v) for k, v in rows.items()}, {k: np.array(v) for k, v in faces.items()}


@pytest.mark.parametrize("file", ["jane.obj", "jane_neutral.obj"])
def test_numbers_survive(asset, file):
    rows, faces = parsed(write_obj(asset)[file].decode())
    neutral = "neutral" in file
    vertices = asset.vertices if neutral else asset.captured
    normals = asset.normals if neutral else asset.captured_normals
    np.testing.assert_allclose(rows["v"], vertices, atol=1e-7)
    np.testing.assert_allclose(rows["vn"], normals, atol=1e-5)
    np.testing.assert_allclose(rows["vt"], asset.uv, atol=1e-6)
    assert list(faces) == [part.name for part in asset.parts]
    for part in asset.parts:
        np.testing.assert_array_equal(faces[part.name][:, :, 0], part.triangles)
        np.testing.assert_array_equal(faces[part.name][:, :, 1], part.uv_triangles)
        np.testing.assert_array_equal(faces[part.name][:, :, 2], part.triangles)


def test_the_two_heads_differ_and_share_everything_else(asset):
    files = {n: data.decode() for n, data in write_obj(asset).items() if n.endswith(".obj")}
    captured, neutral = parsed(files["jane.obj"]), parsed(files["jane_neutral.obj"])
    assert np.abs(captured[0]["v"] - neutral[0]["v"]).max() > 0.003
    for part in asset.parts:
        np.testing.assert_array_equal(captured[1][part.name], neutral[1][part.name])


def test_trimesh_finds_the_texture(asset, tmp_path):
    for name, data in (write_obj(asset) | write_maps(asset)).items():
        (tmp_path / name).write_bytes(data)
    scene = trimesh.load(tmp_path / "jane.obj", split_object=True, group_material=False)
    meshes = list(scene.geometry.values())
    assert len(meshes) == len(asset.parts)
    assert all(mesh.visual.material.image.size == (64, 64) for mesh in meshes)
    np.testing.assert_allclose(
        scene.bounds, [asset.captured.min(0), asset.captured.max(0)], atol=1e-6
    )


def test_files_it_names_are_written(asset):
    files = write_obj(asset)
    named = re.findall(r"^(?:map_Kd|norm) (.*)$", files["jane.mtl"].decode(), re.MULTILINE)
    assert set(named) == {"jane_albedo.png", "jane_normal.png"} <= set(write_maps(asset))
    for file in ("jane.obj", "jane_neutral.obj"):
        text = files[file].decode()
        assert "mtllib jane.mtl" in text
        used = set(re.findall(r"^usemtl (.*)$", text, re.MULTILINE))
        assert used <= set(re.findall(r"^newmtl (.*)$", files["jane.mtl"].decode(), re.MULTILINE))
        assert Path(file).stem


def test_units_and_axes_are_said(asset):
    head = write_obj(asset)["jane.obj"].decode().split("\n", 4)
    assert "metres" in head[1]
    assert "+Y up" in head[1]


def test_no_minus_zero_and_the_same_bytes(tiny, tiny_person):
    first, second = (write_obj(make_asset(tiny_person, tiny, "t")) for _ in range(2))
    assert first == second
    assert not re.search(rb"-0\.0+\b", first["t.obj"])
