"""Coarser meshes: what stays, and that nothing folds."""

import numpy as np
import pytest

from hrn_studio.geometry.mesh import boundary_edges, triangle_areas, triangle_normals
from hrn_studio.geometry.simplify import simplified
from hrn_studio.geometry.uv import uv_areas


def plate(n=12, bump=0.0):
    """A square of n x n cells, its texture cut in two down the middle."""
    x, y = np.meshgrid(np.linspace(0, 1, n + 1), np.linspace(0, 1, n + 1))
    z = bump * np.exp(-((x - 0.25) ** 2 + (y - 0.5) ** 2) / 0.01)
    vertices = np.stack([x.ravel(), y.ravel(), z.ravel()], 1)
    cell = np.array([(r * (n + 1) + c) for r in range(n) for c in range(n)])
    step = n + 1
    triangles = np.concatenate(
        [
            np.stack([cell, cell + 1, cell + step + 1], 1),
            np.stack([cell, cell + step + 1, cell + step], 1),
        ]
    )
    right = vertices[triangles][:, :, 0].mean(1) > 0.5
    uv = np.concatenate([vertices[:, :2] * 0.4, vertices[:, :2] * 0.4 + [0.1, 0.5]])
    uv_triangles = triangles + right[:, None] * len(vertices)
    return vertices, triangles.astype(np.int32), uv, uv_triangles.astype(np.int32)


def coarse(vertices, triangles, uv, uv_triangles, share=0.3, kept=(), poses=None):
    keep = np.zeros(len(vertices), bool)
    keep[list(kept)] = True
    poses = vertices[None] if poses is None else poses
    return simplified(
        poses, triangles, uv, uv_triangles, int(share * len(triangles)), np.ones(len(uv) // 2), keep
    )


def test_a_flat_plate_keeps_border_seam_and_area():
    vertices, triangles, uv, uv_triangles = plate()
    few, few_uv = coarse(vertices, triangles, uv, uv_triangles)
    assert len(few) <= 0.31 * len(triangles)
    assert triangle_areas(vertices, few).sum() == pytest.approx(1)
    assert (triangle_normals(vertices, few)[:, 2] > 0.99).all()
    assert (uv_areas(uv, few_uv) > 0).all()
    assert np.abs(uv_areas(uv, few_uv)).sum() == pytest.approx(0.16)
    border = np.unique(boundary_edges(triangles))
    assert set(border) == set(np.unique(boundary_edges(few)))
    seam = np.flatnonzero(vertices[:, 0] == 0.5)
    assert np.isin(seam, few).all()
    # texture and place still go together
    places = vertices[few].reshape(-1, 3)[:, :2]
    right = few_uv.ravel() >= len(vertices)
    np.testing.assert_allclose(
        uv[few_uv.ravel()], places * 0.4 + np.where(right[:, None], [0.1, 0.5], 0), atol=1e-12
    )


def test_a_bump_keeps_more_than_the_plain():
    vertices, triangles, uv, uv_triangles = plate(24, bump=0.1)
    few, _ = coarse(vertices, triangles, uv, uv_triangles)
    corners = vertices[np.unique(few)]
    near = np.hypot(corners[:, 0] - 0.25, corners[:, 1] - 0.5) < 0.2
    mirrored = np.hypot(corners[:, 0] - 0.75, corners[:, 1] - 0.5) < 0.2
    assert near.sum() > 2 * mirrored.sum()


def test_what_moves_in_another_pose_stays():
    vertices, triangles, uv, uv_triangles = plate(24)
    moved = plate(24, bump=0.1)[0]
    few, _ = coarse(vertices, triangles, uv, uv_triangles, poses=np.stack([vertices, moved]))
    top = np.abs(moved[:, 2]).argmax()
    assert top in few
    assert moved[np.unique(few), 2].max() == moved[:, 2].max()


def test_kept_vertices_stay():
    vertices, triangles, uv, uv_triangles = plate()
    inside = [14 + 13 * k for k in range(5)]
    few, _ = coarse(vertices, triangles, uv, uv_triangles, share=0.1, kept=inside)
    assert np.isin(inside, few).all()


def test_the_same_mesh_gives_the_same_triangles():
    mesh = plate(16, bump=0.05)
    first, second = coarse(*mesh), coarse(*mesh)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
