from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.detail.filters import blur, enlarge, fill, pool, shrink, weighted_blur


@pytest.mark.parametrize("shape", [(64, 64), (37, 50), (64, 48, 3)])
@pytest.mark.parametrize("sigma", [0.7, 3.0, 9.0])
def test_a_blur_keeps_constants_and_shapes(shape, sigma):
    result = blur(np.full(shape, 0.3, np.float32), sigma)
    assert result.shape == shape
    np.testing.assert_allclose(result, 0.3, atol=1e-6)


@pytest.mark.parametrize("sigma", [1.0, 4.0, 7.0])
def test_a_blurred_point_is_a_gaussian(sigma):
    image = np.zeros((128, 128), np.float32)
    image[64, 64] = 1
    result = blur(image, sigma)
    rows = np.arange(128) - 64
    spread = np.sqrt((result.sum(axis=1) * rows**2).sum() / result.sum())
    assert result.sum() == pytest.approx(1, abs=0.01)
    assert spread == pytest.approx(sigma, rel=0.08)


def test_unknown_pixels_do_not_count():
    image = np.full((32, 32), 0.5, np.float32)
    weight = np.ones((32, 32), np.float32)
    image[:, 16:], weight[:, 16:] = 99, 0
    mean, support = weighted_blur(image, weight, 2.0)
    np.testing.assert_allclose(mean[:, :20], 0.5, rtol=1e-5)
    assert support[0, 31] == 0
    assert mean[0, 31] == 0


def test_shrinking_undoes_enlarging_of_a_ramp():
    ramp = np.linspace(0, 1, 16, dtype=np.float32)[None].repeat(16, axis=0)
    np.testing.assert_allclose(shrink(enlarge(ramp, 4), 4)[:, 2:-2], ramp[:, 2:-2], atol=1e-6)


def test_pooling_is_a_weighted_mean():
    values = np.arange(16, dtype=np.float32).reshape(4, 4)
    weight = np.zeros((4, 4), np.float32)
    weight[0, 0], weight[1, 1] = 1, 3
    mean, total = pool(values, weight, 2)
    assert mean[0, 0] == pytest.approx((0 + 3 * 5) / 4)
    assert total[0, 0] == 1


def test_a_fill_keeps_what_is_known_and_stays_between_it():
    image = np.zeros((64, 64), np.float32)
    weight = np.zeros((64, 64), np.float32)
    image[:, 40:], weight[:, :8], weight[:, 40:] = 1, 1, 1
    result = fill(image, weight)
    np.testing.assert_array_equal(result[weight > 0], image[weight > 0])
    assert result.min() >= 0
    assert result.max() <= 1
    assert 0.2 < result[32, 24] < 0.8
