"""PLY, read back with trimesh."""

from io import BytesIO

import numpy as np
import pytest
import trimesh

from hrn_studio.export.options import ExportOptions, Space
from hrn_studio.export.ply import vertex_colors, write_ply


def read(data):
    return trimesh.load(BytesIO(data), file_type="ply", process=False)


def test_both_heads(asset):
    files = write_ply(asset)
    assert sorted(files) == ["jane.ply", "jane_neutral.ply"]
    for name, vertices, normals in (
        ("jane.ply", asset.captured, asset.captured_normals),
        ("jane_neutral.ply", asset.vertices, asset.normals),
    ):
        mesh = read(files[name])
        np.testing.assert_array_equal(mesh.vertices.astype(np.float32), vertices)
        np.testing.assert_allclose(mesh.vertex_normals, normals, atol=1e-6)
        np.testing.assert_array_equal(
            mesh.faces, np.concatenate([part.triangles for part in asset.parts])
        )
        np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], vertex_colors(asset))


def test_colours_are_the_albedos(asset):
    colors = vertex_colors(asset).astype(float)
    seen = asset.textures["albedo"].pixels.reshape(-1, 3)
    assert np.abs(colors.mean(0) - seen.mean(0)).max() < 12
    assert (colors >= seen.min(0)).all()
    assert (colors <= seen.max(0)).all()


def test_units_and_axes(asset):
    files = write_ply(asset, ExportOptions(space=Space(0.001, "z")))
    mesh = read(files["jane_neutral.ply"])
    x, y, z = asset.vertices.T * 1000
    np.testing.assert_allclose(mesh.vertices, np.stack([x, -z, y], 1), rtol=1e-5, atol=1e-3)
    assert b"units: millimetres; +Z up" in files["jane.ply"]


def test_the_same_head_gives_the_same_bytes(tiny_asset):
    assert write_ply(tiny_asset) == write_ply(tiny_asset)


@pytest.mark.parametrize("name", ["tiny"])
def test_a_small_head(tiny_asset, name):
    assert len(read(write_ply(tiny_asset)[f"{name}.ply"]).vertices) == len(tiny_asset.vertices)
