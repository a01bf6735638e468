"""Levels of detail: dense, light, and what they have in common with the fitted head."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from hrn_studio.export.exr import metres
from hrn_studio.export.gltf import write_glb
from hrn_studio.export.levels import at_level
from hrn_studio.export.relief import rebased_normals, vertex_depth
from hrn_studio.geometry.mesh import area_vectors, boundary_edges, triangle_normals, vertex_normals
from hrn_studio.geometry.seams import split_at_seams
from hrn_studio.geometry.uv import uv_areas


def all_triangles(asset):
    return np.concatenate([part.triangles for part in asset.parts])


def all_uv_triangles(asset):
    return np.concatenate([part.uv_triangles for part in asset.parts])


@pytest.fixture(scope="module")
def levels(asset):
    return {name: at_level(asset, name) for name in ("light", "dense")}


@pytest.fixture(params=["light", "dense"])
def level(request, levels):
    return levels[request.param]


def test_fitted_is_the_head_itself(asset):
    assert at_level(asset, "fitted") is asset


def test_sizes_and_names(asset, levels):
    count = len(all_triangles(asset))
    assert 0.35 * count < len(all_triangles(levels["light"])) < 0.5 * count
    assert len(all_triangles(levels["dense"])) > 10 * count
    assert levels["light"].name == "jane_light"
    assert levels["light"].texture_file("albedo") == "jane_albedo.png"
    assert levels["light"].texture_file("normal") == "jane_light_normal.png"
    assert levels["light"].texture_file("displacement") == "jane_displacement.png"
    assert levels["dense"].texture_file("displacement") == "jane_dense_displacement.png"


def test_everything_is_carried(asset, level):
    assert [p.name for p in level.parts] == [p.name for p in asset.parts]
    assert [m.name for m in level.morphs] == [m.name for m in asset.morphs]
    count = len(level.vertices)
    for morph in level.morphs:
        assert morph.deltas.shape == morph.normal_deltas.shape == (count, 3)
    assert level.captured.shape == (count, 3)
    assert all_triangles(level).max() == count - 1
    assert all_uv_triangles(level).max() == len(level.uv) - 1
    np.testing.assert_allclose(level.skeleton.weights.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(level.normals, axis=1), 1, atol=1e-5)


def test_no_part_gets_holes_or_turns_inside_out(asset, level):
    for part, before in zip(level.parts, asset.parts, strict=True):
        assert (
            len(boundary_edges(part.triangles)) % len(boundary_edges(before.triangles)) == 0
            if len(boundary_edges(before.triangles))
            else not len(boundary_edges(part.triangles))
        )
        areas = uv_areas(level.uv, part.uv_triangles)
        assert (np.sign(areas) == np.sign(uv_areas(asset.uv, before.uv_triangles)[0])).all()
    triangles = all_triangles(level)
    facing = np.einsum(
        "ij,ij->i",
        triangle_normals(level.vertices, triangles),
        vertex_normals(level.vertices, triangles)[triangles].mean(1),
    )
    assert (facing < 0).mean() < 0.004


def test_light_is_a_subset(asset, levels):
    light = levels["light"]
    distance, index = cKDTree(asset.vertices).query(light.vertices)
    assert distance.max() == 0
    assert len(set(index)) == len(index)
    for morph, before in zip(light.morphs, asset.morphs, strict=True):
        apart = np.linalg.norm(morph.deltas - before.deltas[index], axis=1)
        assert (apart > 2e-6).mean() < 0.15, morph.name  # only where larger triangles folded
        assert apart.max() < 0.002, morph.name
    np.testing.assert_array_equal(light.captured, asset.captured[index])


def test_lids_and_lips_of_the_light_head_keep_their_edges(asset, levels):
    """What touches in a shape has not become a gap."""
    light = levels["light"]
    shape = {morph.name: morph for morph in light.morphs}
    before = {morph.name: morph for morph in asset.morphs}
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        closed = asset.vertices + before[name].deltas
        pairs = cKDTree(closed).query_pairs(0.001, output_type="ndarray")
        open_ = np.linalg.norm(asset.vertices[pairs[:, 0]] - asset.vertices[pairs[:, 1]], axis=1)
        skin = np.isin(pairs, asset.parts[0].triangles).all(1)
        rim = closed[pairs[skin & (open_ > 0.005)]].reshape(-1, 3)
        assert len(rim) > 4
        found, _ = cKDTree(light.vertices + shape[name].deltas).query(rim)
        assert found.max() < 0.0002


def test_no_triangle_turns_over_in_any_shape(level):
    triangles = all_triangles(level)
    rest = area_vectors(level.vertices.astype(np.float64), triangles)
    size = np.linalg.norm(rest, axis=1)
    for morph in level.morphs:
        vertices = level.vertices + morph.deltas.astype(np.float64)
        shown = np.einsum("ti,ti->t", rest, area_vectors(vertices, triangles)) / size**2
        assert shown.min() > 0, morph.name


def test_dense_goes_through_the_fitted_vertices(asset, levels):
    dense = levels["dense"]
    depth = vertex_depth(asset_textures(dense, asset))
    old = dense.vertices[: len(asset.vertices)]
    moved = np.linalg.norm(old - asset.vertices, axis=1)
    assert np.abs(moved - np.abs(depth[: len(old)])).max() < 1e-6
    skin = np.unique(dense.parts[0].triangles)
    assert np.abs(depth[skin]).max() > 0.0003
    assert np.abs(np.delete(depth, skin)).max() == 0


def asset_textures(level, asset):
    from dataclasses import replace

    return replace(level, textures=asset.textures)


def test_what_is_carved_is_no_longer_in_the_map(asset, levels):
    whole = np.abs(metres(asset.textures["displacement"]))
    rest = np.abs(metres(levels["dense"].textures["displacement"]))
    assert np.median(rest) < 0.25 * np.median(whole)


def test_a_normal_map_for_the_same_surface_stays(asset):
    same = rebased_normals(asset, asset).pixels.astype(int)
    assert np.abs(same - asset.textures["normal"].pixels).max() <= 1


def test_normal_maps_give_every_level_the_same_light(asset, levels):
    """Head-space normals at points of the skin, from mesh and map, before and after."""
    from hrn_studio.export import relief

    light = levels["light"]
    found = []
    for one in (asset, light):
        parts = relief._detailed(one)
        fragments = relief._texels(one, parts, one.textures["normal"].pixels.shape[0])
        found.append((one, parts, fragments))
    both = found[0][2].covered & found[1][2].covered
    normals = []
    for one, parts, fragments in found:
        x, y, z = relief._frame(one, parts, fragments, both)
        n = one.textures["normal"].pixels[both] / 127.5 - 1
        normals.append(relief._unit(x * n[:, :1] + y * n[:, 1:2] + z * n[:, 2:]))
    turned = np.degrees(np.arccos(np.clip((normals[0] * normals[1]).sum(1), -1, 1)))
    plain = np.degrees(
        np.arccos(
            np.clip(
                (relief._frame(*found[0], both)[2] * relief._frame(*found[1], both)[2]).sum(1),
                -1,
                1,
            )
        )
    )
    assert np.percentile(turned, 95) < 1.5
    assert np.percentile(turned, 95) < 0.2 * np.percentile(plain, 95)


def test_writers_take_levels(levels):
    files = write_glb(levels["light"])
    assert list(files) == ["jane_light.glb"]
    split = split_at_seams(all_triangles(levels["light"]), all_uv_triangles(levels["light"]))
    assert len(split.vertex) < 3500
