"""Normals, pores, grain, padding and painted eyes."""

from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.detail.atlas import Atlas, mirrored
from hrn_studio.detail.compose import _dull, encoding_table, pad, sharpened
from hrn_studio.detail.displacement import displacement
from hrn_studio.detail.eyes import BROWN, EyeColours, eye_colours, paint_eye
from hrn_studio.detail.noise import grain
from hrn_studio.detail.normalmap import normal_map
from hrn_studio.detail.shading import srgb_from_linear
from hrn_studio.geometry.mesh import corner_tangents
from hrn_studio.records import Camera, FaceState, Frame, Track, View

# A square of 10 x 20 cm in the x-y plane, u along x, v along y.
SQUARE = np.array([[0, 0, 0], [0.1, 0, 0], [0.1, 0.2, 0], [0, 0.2, 0]])
UV = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
UP = np.tile([0.0, 0.0, 1.0], (4, 1))


def tilted(height):
    atlas = Atlas.of(UV, TRIANGLES, len(height))
    tangents = corner_tangents(SQUARE, TRIANGLES, UV, TRIANGLES, UP)
    return normal_map(atlas, height, SQUARE, UP, TRIANGLES, UV, TRIANGLES, tangents)


def test_flat_relief_has_upright_normals():
    np.testing.assert_array_equal(tilted(np.zeros((16, 16), np.float32))[8, 8], (0, 0, 1))


def test_a_slope_tilts_normals_downhill_by_its_own_angle():
    size = 32
    column, row = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    x, y = column / size * 0.1, (1 - row / size) * 0.2
    normal = tilted((0.2 * x - 0.1 * y).astype(np.float32))[10, 20]
    expected = np.array([-0.2, 0.1, 1]) / np.linalg.norm([0.2, 0.1, 1])
    np.testing.assert_allclose(normal, expected, atol=1e-3)


def test_dark_lines_are_deep_and_brown_spots_are_not():
    albedo = np.tile(np.float32((0.4, 0.25, 0.18)), (128, 128, 1))
    albedo[:, 40:43] *= 0.75
    albedo[60:66, 88:94] *= np.float32((0.7, 0.4, 0.2))
    depth = displacement(albedo, np.ones((128, 128)), 0.0002, 0.0001)
    assert depth[30, 41] < -5e-6
    assert abs(depth[63, 91]) < 0.3 * abs(depth[30, 41])
    assert not displacement(albedo, np.zeros((128, 128)), 0.0002, 0.0001).any()


def test_a_line_known_for_a_crease_is_deep_whatever_its_hue():
    albedo = np.full((512, 512, 3), 0.3, np.float32)
    albedo[255:258, 100:400] *= np.float32((0.8, 0.6, 0.5))
    trust, sure = np.ones((128, 128)), np.zeros((128, 128))
    sure[62:67, 20:110] = 1
    mark = displacement(albedo, trust, 0.0002, 0.0001)
    crease = displacement(albedo, trust, 0.0002, 0.0001, sure)
    assert crease[256, 256] < -5e-6
    assert abs(mark[256, 256]) < 0.3 * abs(crease[256, 256])
    np.testing.assert_array_equal(crease[:200], mark[:200])


def test_grain_repeats_the_spread_of_the_patch_and_tiles():
    rng = np.random.default_rng(0)
    albedo = 0.3 * np.exp(0.03 * rng.normal(size=(512, 512, 1))).astype(np.float32)
    tile = grain(albedo.repeat(3, axis=2), np.ones((128, 128)), seed=1)
    assert np.log(tile).std() == pytest.approx(0.75 * 0.03, rel=0.25)
    edge = np.abs(tile[0] - tile[-1]).mean()
    assert edge == pytest.approx(np.abs(tile[1] - tile[0]).mean(), rel=0.3)
    np.testing.assert_array_equal(grain(albedo.repeat(3, 2), np.zeros((128, 128)), 0), 1)


def test_grain_has_no_stripes_and_no_more_contrast_than_skin():
    rows = np.random.default_rng(0).normal(size=(2048, 1, 1))
    albedo = 0.3 * np.exp(0.2 * rows).astype(np.float32).repeat(2048, 1).repeat(3, 2)
    log = np.log(grain(albedo, np.ones((512, 512)), seed=0))[..., 1]
    down, across = np.abs(np.diff(log, axis=0)).mean(), np.abs(np.diff(log, axis=1)).mean()
    assert across == pytest.approx(down, rel=0.2)
    assert 0.01 < log.std() < 0.05


def test_thin_lines_go_in_folds_only_and_specks_everywhere():
    size, small = 32, 8
    albedo = np.full((size, size, 3), 0.3, np.float32)
    albedo[16] = 0.15
    albedo[4, 4] = 0.6
    clean = np.full((small, small, 4), 0.3, np.float32)
    clean[..., 3] = 0
    clean[:, 5:, 3] = 1
    _dull(albedo, np.ones((size, size), np.float32), clean)
    np.testing.assert_allclose(albedo[16, 26:], 0.92 * 0.3, rtol=1e-4)
    np.testing.assert_allclose(albedo[16, :16], 0.15, rtol=1e-4)
    assert albedo[4, 4, 0] < 1.3 * 0.3
    np.testing.assert_allclose(albedo[24], 0.3, rtol=1e-4)


def test_gaps_take_the_nearest_colour():
    image = np.zeros((40, 40, 3), np.uint8)
    covered = np.zeros((40, 40), bool)
    covered[:, :10], covered[:, 20:30] = True, True
    image[:, :10], image[:, 20:30] = 10, 200
    result = pad(image, covered, 8, np.array([0.5, 0.5, 0.5]))
    np.testing.assert_array_equal(result[covered], image[covered])
    assert (result[:, 10:14] == 10).all()
    assert (result[:, 16:20] == 200).all()
    assert (result[:, 39] == 188).all()


def test_the_encoding_table_is_srgb():
    table = encoding_table()
    linear = np.array([0.0, 0.01, 0.2, 0.5, 1.0])
    found = table[np.rint(4095 * np.sqrt(linear)).astype(int)]
    np.testing.assert_allclose(found, 255 * srgb_from_linear(linear), atol=1)


def test_sharpening_is_mild_and_off_by_default():
    image = np.zeros((16, 16, 3), np.uint8)
    image[:, 8:] = 200
    assert sharpened(image, 0.0) is image
    crisp = sharpened(image, 0.3).astype(int)
    assert crisp[:, 8].min() >= 200
    assert np.abs(crisp - image).max() < 60


def test_mirroring_twice_gives_the_texel_back(head):
    atlas = Atlas.of(head.uv, head.uv_triangles, 256)
    mirror = atlas.mirror(head)
    place = atlas.interpolate(head.mean, head.triangles)
    there = mirrored(place, mirror)
    known = (mirror >= 0) & (atlas.region(head, "face") > 0.5)
    away = np.linalg.norm(there * (-1, 1, 1) - place, axis=2)[known]
    assert np.median(away) < 0.0007


def test_an_eye_has_a_dark_pupil_a_tinted_iris_and_a_pale_white(head):
    atlas = Atlas.of(head.uv, head.uv_triangles, 512)
    blue = EyeColours((0.05, 0.09, 0.16), seen=True)
    for eye in head.eyes:
        where, paint = paint_eye(head, eye, atlas, blue)
        corners = head.triangles[atlas.triangle[where]]
        place = np.einsum("pk,pkc->pc", atlas.barycentric[where], head.mean[corners]) - eye.center
        angle = np.degrees(np.arctan2(np.hypot(place[:, 0], place[:, 1]), place[:, 2]))
        rim = np.degrees(np.arcsin(0.5 * head.iris_diameter / eye.radius))
        assert paint[angle < 0.2 * rim].max() < 0.02
        iris = paint[(angle > 0.5 * rim) & (angle < 0.85 * rim)].mean(axis=0)
        assert iris[2] > 1.3 * iris[0]
        assert paint[(angle > 1.3 * rim) & (angle < 1.8 * rim)].mean() > 0.4


def looking(colour, points=478):
    """A picture of two irises of one colour."""
    image = np.full((200, 300, 3), (190, 150, 130), np.uint8)
    track = np.full((points, 2), 100.0)
    for iris, (top, bottom, outer, inner), x in (
        (468, (159, 145, 33, 133), 90),
        (473, (386, 374, 263, 362), 210),
    ):
        rows, columns = np.mgrid[:200, :300]
        inside = (rows + 0.5 - 100) ** 2 + (columns + 0.5 - x) ** 2 < 12**2
        image[inside] = colour
        if points >= 478:
            here = np.array([x, 100])
            ring = 12 * np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]])
            track[iris : iris + 5] = ring + here
            track[[top, bottom, outer, inner]] = here + np.array(
                [[0, -9], [0, 9], [-20, 0], [20, 0]]
            )
    camera = Camera(300, 200, 300.0, (150.0, 100.0))
    state = FaceState(None, np.eye(4), camera)  # type: ignore[arg-type]
    return View(
        Frame(image),
        Track(track, np.zeros(points)),
        state,
        np.zeros((3, 3)),
        np.zeros((9, 3)),
        np.ones((200, 300)),
    )


def test_the_irises_colour_is_taken_from_the_picture():
    found = eye_colours([looking((70, 110, 150))], [np.ones(3)])
    assert found.seen
    assert found.iris[2] > 2 * found.iris[0]
    lit = eye_colours([looking((70, 110, 150))], [np.array([0.5, 0.5, 0.5])])
    assert lit.iris[2] >= found.iris[2]


def test_no_iris_is_olive():
    brown = eye_colours([looking((120, 95, 30))], [np.ones(3)]).iris
    assert 0.45 * brown[1] < brown[2] < brown[1] < brown[0]


def test_without_marked_irises_eyes_are_brown():
    assert eye_colours([looking((70, 110, 150), points=400)], [np.ones(3)]) == EyeColours(BROWN)
