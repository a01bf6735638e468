"""Texture islands carried on into their surroundings."""

import numpy as np

from hrn_studio.export.gutters import carried_on, coverage, padded


def test_values_spread_by_one_texel_a_step():
    known = np.zeros((9, 9), bool)
    known[4, 4] = True
    picture = np.where(known, 7, 0).astype(np.uint16)
    for steps in range(5):
        rows, columns = np.mgrid[:9, :9]
        near = np.abs(rows - 4) + np.abs(columns - 4) <= steps
        np.testing.assert_array_equal(carried_on(picture, known, steps), np.where(near, 7, 0))
    assert picture.sum() == 7


def test_known_texels_stay_and_colours_go_together():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (32, 32, 3)).astype(np.uint8)
    known = rng.random((32, 32)) < 0.2
    result = carried_on(picture, known, 3)
    np.testing.assert_array_equal(result[known], picture[known])
    originals = {tuple(c) for c in picture[known].tolist()}
    changed = (result != picture).any(2)
    assert {tuple(c) for c in result[changed].tolist()} <= originals


def test_the_maps_of_a_head(asset):
    filled = padded(asset)
    inside = coverage(asset, 64)
    assert 0.3 < inside.mean() < 0.98
    for role in ("normal", "displacement", "confidence"):
        before, after = asset.textures[role].pixels, filled.textures[role].pixels
        np.testing.assert_array_equal(after[inside], before[inside])
        assert (after != before).any()
        assert filled.textures[role].coding == asset.textures[role].coding
    assert filled.textures["albedo"] is asset.textures["albedo"]
