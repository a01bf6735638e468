import numpy as np
import pytest

from hrn_studio.geometry import mesh


def octahedron():
    vertices = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1.0]])
    top = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2]]
    return vertices, np.array(top + [[b, a, 5] for a, b, _ in top], np.int32)


def grid(n=5):
    """A flat sheet in the plane z = 0 facing +Z, with its corners as texture coordinates."""
    x, y = np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, n))
    vertices = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1)
    i = np.arange(n * n).reshape(n, n)
    a, b, c, d = (q.ravel() for q in (i[:-1, :-1], i[:-1, 1:], i[1:, 1:], i[1:, :-1]))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return vertices, triangles.astype(np.int32)


def test_normals_of_an_octahedron_point_along_its_vertices():
    vertices, triangles = octahedron()
    np.testing.assert_allclose(mesh.vertex_normals(vertices, triangles), vertices, atol=1e-7)
    faces = mesh.triangle_normals(vertices, triangles)
    np.testing.assert_allclose(faces, vertices[triangles].sum(1) / np.sqrt(3), atol=1e-7)


def test_a_vertex_without_triangles_has_a_zero_normal():
    vertices, triangles = octahedron()
    lonely = np.concatenate([vertices, [[5.0, 5, 5]]])
    assert np.all(mesh.vertex_normals(lonely, triangles)[-1] == 0)


def test_areas_add_up():
    vertices, triangles = grid()
    assert mesh.triangle_areas(vertices, triangles).sum() == pytest.approx(1)
    assert mesh.vertex_areas(vertices, triangles).sum() == pytest.approx(1)


def test_edges_boundary_and_neighbours_agree_with_euler():
    vertices, triangles = octahedron()
    assert len(vertices) - len(mesh.edges(triangles)) + len(triangles) == 2
    assert len(mesh.boundary_edges(triangles)) == 0
    neighbours = mesh.triangle_neighbours(triangles)
    assert neighbours.min() >= 0
    for t, row in enumerate(neighbours):
        for k, other in enumerate(row):
            side = {int(triangles[t, k]), int(triangles[t, (k + 1) % 3])}
            assert side <= set(triangles[other].tolist())
            assert other != t


def test_the_boundary_of_a_sheet_runs_around_it():
    _, triangles = grid(4)
    border = mesh.boundary_edges(triangles)
    assert len(border) == 12
    assert sorted(border[:, 0]) == sorted(border[:, 1])
    assert (mesh.triangle_neighbours(triangles) == -1).sum() == 12


def test_laplacians_kill_constants_and_the_cotangent_one_linear_functions():
    vertices, triangles = grid()
    rough = mesh.uniform_laplacian(triangles, len(vertices))
    fine = mesh.cotangent_laplacian(vertices, triangles)
    assert np.abs(rough @ np.ones(len(vertices))).max() == 0
    assert np.abs(fine @ np.ones(len(vertices))).max() < 1e-12
    linear = vertices @ [2.0, -3.0, 0]
    inside = (vertices[:, :2] > 0).all(1) & (vertices[:, :2] < 1).all(1)
    assert np.abs((fine @ linear)[inside]).max() < 1e-12
    assert linear @ fine @ linear == pytest.approx(13)  # |gradient|^2 over the unit square


def test_tangents_follow_u_and_know_mirrored_islands():
    vertices, triangles = grid()
    uv = vertices[:, :2]
    frames = mesh.corner_tangents(vertices, triangles, uv, triangles)
    np.testing.assert_allclose(frames, np.tile([1.0, 0, 0, 1], (len(uv), 1)), atol=1e-6)
    flipped = mesh.corner_tangents(vertices, triangles, uv * [-1, 1] + [1, 0], triangles)
    np.testing.assert_allclose(flipped, np.tile([-1.0, 0, 0, -1], (len(uv), 1)), atol=1e-6)


def test_tangents_stay_finite_where_the_texture_has_no_area():
    vertices, triangles = grid(3)
    frames = mesh.corner_tangents(vertices, triangles, np.zeros((9, 2)), triangles)
    assert np.isfinite(frames).all()
    np.testing.assert_allclose(np.linalg.norm(frames[:, :3], axis=1), 1, atol=1e-6)
