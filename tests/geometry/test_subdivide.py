import numpy as np
import pytest

from hrn_studio.geometry import mesh
from hrn_studio.geometry.subdivide import subdivide, subdivision
from hrn_studio.records import Mesh


def tetrahedron():
    vertices = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], np.float32)
    triangles = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]], np.int32)
    uv = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    return Mesh(vertices, triangles, uv, triangles)


@pytest.mark.parametrize("scheme", ["loop", "midpoint"])
def test_four_triangles_for_one_and_still_closed_and_outward(scheme):
    coarse = tetrahedron()
    fine = subdivide(coarse, scheme)
    assert len(fine.triangles) == 16
    assert len(fine.vertices) == 4 + 6
    assert len(mesh.boundary_edges(fine.triangles)) == 0
    outward = mesh.triangle_normals(fine.vertices, fine.triangles)
    assert np.einsum("ij,ij->i", outward, fine.vertices[fine.triangles].mean(1)).min() > 0


def test_midpoints_keep_the_surface():
    coarse = tetrahedron()
    fine = subdivide(coarse, "midpoint")
    np.testing.assert_array_equal(fine.vertices[:4], coarse.vertices)
    area = mesh.triangle_areas(coarse.vertices, coarse.triangles).sum()
    assert mesh.triangle_areas(fine.vertices, fine.triangles).sum() == pytest.approx(area)


def test_loop_weights_are_averages_and_straight_borders_stay_straight():
    plan = subdivision(np.array([[0, 1, 2], [2, 1, 3]], np.int32), 4, np.zeros((0, 3), int), 0)
    np.testing.assert_allclose(plan.vertex_matrix.sum(1), 1)
    square = np.array([[0, 0], [1, 0], [0, 1], [1, 1.0]])
    points = plan.apply(square)
    assert points.shape == (4 + 5, 2)
    np.testing.assert_allclose(points[0], [1 / 8, 1 / 8])  # 3/4 own, 1/8 of each neighbour


def test_a_stack_of_morph_targets_is_subdivided_like_one():
    coarse = tetrahedron()
    plan = subdivision(coarse.triangles, 4, coarse.uv_triangles, 4)
    stack = np.random.default_rng(0).normal(size=(5, 4, 3))
    result = plan.apply(stack)
    assert result.shape == (5, 10, 3)
    np.testing.assert_allclose(result[2], plan.apply(stack[2]), atol=1e-6)


def test_an_unknown_scheme_is_refused_by_name():
    with pytest.raises(ValueError, match="butterfly"):
        subdivide(tetrahedron(), "butterfly")
