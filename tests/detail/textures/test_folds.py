from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.detail.folds import _System, folds, light_gradient, slope_vectors
from hrn_studio.detail.shading import shade

TEXEL = 0.0005


def test_the_gradient_is_that_of_the_shading():
    rng = np.random.default_rng(0)
    light = rng.normal(0, 0.1, 9)
    light[0] = 3
    normals = rng.normal(size=(20, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    across = np.cross(normals, rng.normal(size=3))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    step = 1e-4
    turned = (
        np.cos(step) * normals + np.sin(step) * across,
        np.cos(step) * normals - np.sin(step) * across,
    )
    log = [np.log(shade(n, light[:, None])[:, 0]) for n in turned]
    expected = (log[0] - log[1]) / (2 * step)
    found = light_gradient(normals, light)
    np.testing.assert_allclose((found * across).sum(axis=1), expected, atol=2e-4)
    np.testing.assert_allclose((found * normals).sum(axis=1), 0, atol=1e-6)


def test_slopes_follow_the_chain_rule():
    rng = np.random.default_rng(1)
    corners, uv = rng.normal(size=(3, 3)), rng.random((3, 2))
    triangles = np.array([[0, 1, 2]])
    first, second = slope_vectors(corners, triangles, uv, triangles)
    gradient = rng.normal(size=2)  # of a height over (u, v)
    vector = first[0] * gradient[0] + second[0] * gradient[1]
    for k in (1, 2):
        rise = gradient @ (uv[k] - uv[0])
        assert vector @ (corners[k] - corners[0]) == pytest.approx(rise)


def test_the_system_is_symmetric():
    rng = np.random.default_rng(2)
    weight = rng.random((20, 24)).astype(np.float32)
    pull = rng.normal(0, 500, (20, 24, 2)).astype(np.float32)
    system = _System(weight, pull, TEXEL)
    a, b = rng.normal(size=(2, 20, 24)).astype(np.float32)
    left, right = (system(a) * b).sum(dtype=float), (a * system(b)).sum(dtype=float)
    assert left == pytest.approx(right, rel=1e-3)
    assert (system.forth(a) * b).sum() == pytest.approx((a * system.back(b)).sum(), rel=1e-3)
    assert (system(a) * a).sum() > 0


def groove(size=96):
    x = (np.arange(size) - size / 2) * TEXEL
    return np.tile(-0.0002 * np.exp(-((x / 0.0015) ** 2)), (size, 1)).astype(np.float32)


@pytest.mark.parametrize("side", [0.0, 1.5, -1.5])
def test_a_groove_is_found_from_its_shading(side):
    truth = groove()
    weight = np.ones_like(truth)
    pull = np.zeros((*truth.shape, 2), np.float32)
    pull[..., 0] = side / TEXEL
    seen = _System(weight, pull, TEXEL).forth(truth)
    found = folds(seen, weight, pull, TEXEL)[20:-20, 20:-20]
    part = truth[20:-20, 20:-20]
    shape = np.corrcoef(found.ravel(), part.ravel())[0, 1]
    assert shape > 0.85
    assert 0.05 < (found * part).sum() / (part * part).sum() < 1.1


def test_what_has_no_weight_stays_where_it_is():
    weight = np.zeros((64, 64), np.float32)
    weight[:, :32] = 1
    result = folds(np.full((64, 64), -0.5, np.float32), weight, np.zeros((64, 64, 2)), TEXEL)
    assert np.abs(result[:, 40:]).max() < 2e-5
    assert not folds(weight, 0 * weight, np.zeros((64, 64, 2)), TEXEL).any()
