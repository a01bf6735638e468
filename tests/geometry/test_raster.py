import numpy as np
import pytest

from hrn_studio.geometry.raster import interpolate, rasterize
from hrn_studio.records import Camera


@pytest.fixture
def random():
    return np.random.default_rng(5)


def unit_camera(width=8, height=8):
    """One metre away, one metre is one pixel."""
    return Camera(width, height, 1.0, (0.0, 0.0))


def soup(random, count=60):
    """Small triangles scattered before the camera, some crossing its near plane."""
    centres = random.uniform([-0.5, -0.5, 0.2], [0.5, 0.5, 1.5], (count, 1, 3))
    vertices = (centres + random.normal(0, 0.2, (count, 3, 3))).reshape(-1, 3)
    return vertices, np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


def reference(vertices, triangles, camera, near, back_faces):
    """Each pixel's ray against each triangle, by solving for the corner weights."""
    best = np.full((camera.height, camera.width), np.inf)
    ids = np.full((camera.height, camera.width), -1)
    for row, column in np.ndindex(best.shape):
        ray = np.array([column + 0.5 - camera.center_px[0], row + 0.5 - camera.center_px[1], 0])
        ray = ray / camera.focal_px + [0, 0, 1]
        for t, corners in enumerate(vertices[triangles]):
            facing = np.linalg.det(corners) < 0
            if not (facing or back_faces):
                continue
            weights = np.linalg.solve(corners.T, ray)
            z = 1 / weights.sum()
            if (weights / weights.sum()).min() > 0 and near < z < best[row, column]:
                best[row, column], ids[row, column] = z, t
    return ids, best


def test_a_known_triangle_covers_the_pixels_whose_centres_it_holds():
    vertices = np.array([[1.0, 1, 1], [1, 5, 1], [5, 1, 1]])
    fragments = rasterize(vertices, np.array([[0, 1, 2]], np.int32), unit_camera())
    # The centres on the long edge, such as (4.5, 1.5), belong to the other side.
    expected = {(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 1), (1, 4), (2, 3), (3, 2), (4, 1)}
    covered = {(int(r), int(c)) for r, c in np.argwhere(fragments.covered)}
    assert covered in (expected, {rc for rc in expected if sum(rc) < 5})
    assert np.all(fragments.depth[fragments.covered] == 1)
    assert np.all(np.isinf(fragments.depth[~fragments.covered]))
    np.testing.assert_allclose(
        fragments.barycentric[fragments.covered].sum(axis=1), 1, rtol=0, atol=1e-6
    )


def test_the_same_triangle_seen_from_behind_shows_only_on_request():
    vertices = np.array([[1.0, 1, 1], [5, 1, 1], [1, 5, 1]])
    triangles = np.array([[0, 1, 2]], np.int32)
    assert not rasterize(vertices, triangles, unit_camera()).covered.any()
    assert rasterize(vertices, triangles, unit_camera(), back_faces=True).covered.any()


@pytest.mark.parametrize("aligned", [True, False])
def test_a_triangulated_square_is_watertight_and_covered_once(random, aligned):
    # Grid points on pixel centres put many centres exactly on shared edges and corners.
    n = 9
    x, y = np.meshgrid(np.arange(n), np.arange(n))
    points = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3) * [2.0, 2, 1] + [0.5, 0.5, 0]
    if not aligned:
        inner = ((x % (n - 1)) * (y % (n - 1))).ravel() > 0
        points[inner, :2] += random.uniform(-0.4, 0.4, (inner.sum(), 2))
        points[:, :2] += 0.137  # no centre on a corner any more
    a = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    triangles = np.concatenate(
        [np.stack([a, a + n, a + 1], 1), np.stack([a + 1, a + n, a + n + 1], 1)]
    ).astype(np.int32)
    camera = unit_camera(18, 18)
    counts = sum(
        rasterize(points, triangle[None], camera).covered.astype(int) for triangle in triangles
    )
    assert counts.max() == 1
    assert np.all(counts[1:16, 1:16] == 1)
    np.testing.assert_array_equal(rasterize(points, triangles, camera).covered, counts == 1)


def test_the_nearer_of_two_triangles_wins_whatever_the_order():
    near = np.array([[0.0, 0, 1], [0, 8, 1], [8, 0, 1]])
    vertices = np.concatenate([near * 2, near])
    for triangles, expected in (([[0, 1, 2], [3, 4, 5]], 1), ([[3, 4, 5], [0, 1, 2]], 0)):
        fragments = rasterize(vertices, np.array(triangles, np.int32), unit_camera())
        assert np.all(fragments.triangle[fragments.covered] == expected)


@pytest.mark.parametrize("back_faces", [False, True])
def test_ids_and_depths_agree_with_brute_force(random, back_faces):
    vertices, triangles = soup(random)
    camera = Camera(24, 20, 15.0, (11.3, 10.4))
    fragments = rasterize(vertices, triangles, camera, near_m=0.5, back_faces=back_faces)
    ids, depth = reference(vertices, triangles, camera, 0.5, back_faces)
    np.testing.assert_array_equal(fragments.triangle, ids)
    np.testing.assert_allclose(fragments.depth, depth, rtol=1e-5)
    assert (vertices[triangles][..., 2].min(axis=1) < 0.5)[ids[ids >= 0]].any(), "none clipped"


def test_interpolation_is_exact_on_a_slanted_plane(random):
    # Any linear function of space keeps its value under perspective.
    vertices = np.array([[-1.0, -1, 1], [-1, 1, 2], [1, -1, 3], [1, 1, 4]])
    triangles = np.array([[0, 1, 2], [2, 1, 3]], np.int32)
    camera = Camera(40, 40, 20.0, (20.0, 20.0))
    gradient, offset = random.normal(size=(3, 2)), random.normal(size=2)
    fragments = rasterize(vertices, triangles, camera)
    values = interpolate(fragments, triangles, vertices @ gradient + offset)
    rows, columns = np.nonzero(fragments.covered)
    z = fragments.depth[rows, columns]
    points = np.stack([(columns + 0.5 - 20) / 20 * z, (rows + 0.5 - 20) / 20 * z, z], axis=1)
    np.testing.assert_allclose(values[rows, columns], points @ gradient + offset, atol=2e-6)
    assert not values[~fragments.covered].any()


def test_a_crop_of_the_camera_sees_a_crop_of_the_picture(random):
    vertices, triangles = soup(random)
    whole = Camera(64, 48, 30.0, (32.0, 24.0))
    crop = Camera(20, 16, 30.0, (32.0 - 10, 24.0 - 7))
    expected = rasterize(vertices, triangles, whole)
    fragments = rasterize(vertices, triangles, crop)
    np.testing.assert_array_equal(fragments.triangle, expected.triangle[7:23, 10:30])
