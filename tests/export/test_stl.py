"""Bodies for printers: closed, of the right size and thickness."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from hrn_studio.errors import ExportError
from hrn_studio.export.options import ExportOptions, Space
from hrn_studio.export.printing import BASE_MM, printable
from hrn_studio.export.stl import write_stl

pytest.importorskip("manifold3d")
WALL = 4.0


def read(files):
    ((_, data),) = files.items()
    return trimesh.load(BytesIO(data), file_type="stl")


@pytest.fixture(scope="module")
def solid(asset):
    return read(write_stl(asset))


@pytest.fixture(scope="module")
def shell(asset):
    return read(write_stl(asset, ExportOptions(wall_m=WALL / 1000)))


@pytest.fixture(params=["solid", "shell"])
def body(request, solid, shell):
    return {"solid": solid, "shell": shell}[request.param]


def test_closed_and_in_one_piece(body):
    assert body.is_watertight
    assert body.is_winding_consistent
    assert body.body_count == 1
    assert body.volume > 0
    assert (body.area_faces > 0).mean() > 0.999


def test_nothing_is_left_to_fall_into(solid):
    """No handles and no voids: a ball, topologically."""
    assert solid.euler_number == 2


def test_millimetres(asset, solid):
    low, high = 1000 * asset.vertices.min(0), 1000 * asset.vertices.max(0)
    np.testing.assert_allclose(solid.bounds[1], high, atol=0.05)
    np.testing.assert_allclose(solid.bounds[0], low - [0, BASE_MM, 0], atol=0.05)


def test_the_base_is_flat(solid):
    bottom = solid.vertices[:, 1].min()
    below = solid.triangles[:, :, 1].max(1) < bottom + 0.01
    assert solid.area_faces[below].sum() > 5000  # square millimetres
    np.testing.assert_allclose(solid.face_normals[below & (solid.area_faces > 1)][:, 1], -1)


def test_the_surface_is_the_heads(asset, solid):
    face = 1000 * asset.vertices[np.unique(asset.parts[0].triangles)]
    front = face[(face[:, 2] > 10) & (np.abs(face[:, 0]) < 40) & (face[:, 1] > -40)]
    distance, _ = cKDTree(solid.vertices).query(front)
    assert len(front) > 200
    assert np.percentile(distance, 90) < 0.03


def turns_around(mesh, point):
    """How often a surface goes around a point: 1 inside, 0 outside (van Oosterom 1983)."""
    a, b, c = (mesh.triangles[:, k] - point for k in range(3))
    la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
    top = np.einsum("ij,ij->i", a, np.cross(b, c))
    dots = [np.einsum("ij,ij->i", u, v) for u, v in ((a, b), (b, c), (c, a))]
    bottom = la * lb * lc + dots[0] * lc + dots[1] * la + dots[2] * lb
    return 2 * np.arctan2(top, bottom).sum() / (4 * np.pi)


def test_mouth_and_sockets_are_full(asset, solid, shell):
    """In the middle of the mouth and behind the eyes there is matter."""
    points = {p.name: 1000 * asset.vertices[np.unique(p.triangles)] for p in asset.parts}
    mouth = np.concatenate([points[name] for name in points if "teeth" in name]).mean(0)
    behind = [points[eye].mean(0) - [0, 0, 14.5] for eye in ("eye_left", "eye_right")]
    for place in (mouth, *behind):
        assert turns_around(solid, place) == pytest.approx(1, abs=1e-3)
    assert turns_around(solid, np.array([0, 0, 200.0])) == pytest.approx(0, abs=1e-3)
    assert turns_around(shell, np.array([0, 20, -60.0])) == pytest.approx(0, abs=1e-3)


def test_walls_are_as_thick_as_asked(solid, shell):
    points, _ = trimesh.sample.sample_surface(solid, 200_000, seed=0)
    inner = shell.vertices[shell.vertices[:, 1] > shell.bounds[0, 1] + 15]
    distance, _ = cKDTree(points).query(inner)
    distance = distance[distance > 0.5 * WALL]
    assert np.percentile(distance, 5) > 0.85 * WALL
    assert WALL < np.median(distance) + 0.3 < 1.2 * WALL + 0.3


def test_a_wall_saves_material(solid, shell):
    assert shell.volume < 0.25 * solid.volume


def test_z_up(asset, solid):
    turned = read(write_stl(asset, ExportOptions(space=Space(1.0, "z"))))
    _, y, z = solid.bounds.T
    np.testing.assert_allclose(turned.bounds.T[2], y)
    np.testing.assert_allclose(turned.bounds.T[1], -z[::-1])


def test_the_same_head_gives_the_same_bytes(tiny_asset):
    assert write_stl(tiny_asset) == write_stl(tiny_asset)


def test_a_wall_thicker_than_the_head(tiny_asset):
    small = replace(tiny_asset, vertices=tiny_asset.vertices * 0.1)
    with pytest.raises(ExportError, match="leaves no room") as error:
        write_stl(small, ExportOptions(wall_m=0.05))
    assert "\n" not in str(error.value)


def test_a_surface_with_a_stray_triangle(asset):
    """No closed surface, and yet a closed body."""
    vertices = 1000 * asset.vertices.astype(float)
    skin = np.concatenate([asset.parts[0].triangles, asset.parts[0].triangles[:1]])
    body = printable([(vertices, skin)])
    mesh = trimesh.Trimesh(body.vertices, body.triangles)
    assert mesh.is_watertight
    np.testing.assert_allclose(mesh.bounds[1], vertices[skin].max((0, 1)), atol=1.5)
