import numpy as np
import pytest

from hrn_studio.geometry import uv
from hrn_studio.geometry.raster import interpolate

SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
HALVES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def test_the_whole_square_is_covered_once_and_row_0_is_at_the_top():
    texels = uv.texel_map(SQUARE, HALVES, 16)
    assert texels.covered.all()
    assert set(np.unique(texels.triangle)) == {0, 1}
    assert texels.triangle[0, 0] in (0, 1)
    assert texels.triangle[0, 1] == 1
    places = interpolate(texels, HALVES, SQUARE)
    np.testing.assert_allclose(places[3, 5], [5.5 / 16, 1 - 3.5 / 16], atol=1e-6)


def test_mirrored_triangles_are_drawn_too():
    assert uv.texel_map(SQUARE, HALVES[:, ::-1], 8).covered.all()


def test_sampling_a_map_gives_back_what_was_drawn():
    size = 32
    texels = uv.texel_map(SQUARE, HALVES, size)
    ramp = interpolate(texels, HALVES, SQUARE)
    points = np.random.default_rng(1).uniform(0.1, 0.9, (50, 2))
    np.testing.assert_allclose(uv.sample(ramp, points), points, atol=1e-6)


def test_sampling_outside_clamps():
    image = np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_allclose(uv.sample(image, np.array([[-1.0, 2.0]]))[0], image[0, 0])
    assert uv.sample(image[:1, :1], np.array([[0.3, 0.3]])).shape == (1, 3)


def test_areas_are_signed():
    assert uv.uv_areas(SQUARE, HALVES).sum() == pytest.approx(1)
    assert uv.uv_areas(SQUARE, HALVES[:, ::-1]).max() < 0


def test_islands_are_told_apart():
    triangles = np.array([[0, 1, 2], [4, 5, 6], [0, 2, 3]], np.int32)
    assert uv.islands(triangles, 8).tolist() == [0, 1, 0]
