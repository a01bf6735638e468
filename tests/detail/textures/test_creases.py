"""Dark lines that are folds, told from moles and hair."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from hrn_studio.detail.creases import creases, without

TEXEL_M = 0.0006
SIDE = 128


def places():
    return np.mgrid[:SIDE, :SIDE].astype(np.float32) + 0.5


def smile(depth=0.4):
    """Half a ring of 18 mm radius, 2 mm wide, brightness in log units."""
    row, column = places()
    away = np.hypot(row - SIDE / 2, column - SIDE / 2) * TEXEL_M - 0.018
    line = -depth * np.exp(-np.square(away / 0.001))
    return np.where(column < SIDE / 2, line, 0).astype(np.float32)


def everywhere():
    return np.ones((SIDE, SIDE), np.float32)


def test_a_fold_goes():
    dark = smile()
    bright = dark + creases(dark, everywhere(), TEXEL_M)
    inner = places()[1] < SIDE / 2 - 4
    assert bright[inner].min() > 0.35 * dark.min()


def test_moles_and_pores_stay():
    row, column = places()
    mole = -0.8 * np.exp(-np.square(np.hypot(row - 40, column - 70) * TEXEL_M / 0.0015))
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(SIDE, SIDE)), 1.0)
    dark = (mole + 0.01 * noise / noise.std()).astype(np.float32)
    assert creases(dark, everywhere(), TEXEL_M).max() < 0.1


@pytest.mark.parametrize(("count", "longest"), [(1500, 8), (2500, 8), (600, 30)])
def test_a_beard_stays(count, longest):
    rng = np.random.default_rng(1)
    hair = np.zeros((SIDE, SIDE), np.float32)
    for row, column in rng.integers(2, SIDE - longest - 1, (count, 2)):
        steps = np.arange(rng.integers(longest // 2, longest))
        across = np.rint(column + rng.uniform(-0.5, 0.5) * steps).astype(int)
        hair[row + steps, np.clip(across, 0, SIDE - 1)] = -0.5
    taken = creases(hair, everywhere(), TEXEL_M)
    assert taken.mean() < 0.25 * -hair.mean()


def test_nothing_is_touched_where_the_weight_is_zero():
    weight = everywhere()
    weight[:, :30] = 0
    taken = creases(smile(), weight, TEXEL_M)
    assert not taken[:, :30].any()
    assert not creases(smile(), np.zeros((SIDE, SIDE)), TEXEL_M).any()


def test_a_folds_hue_is_that_of_its_sides():
    lines = creases(smile(), everywhere(), TEXEL_M)
    hue = np.tile(np.float32((0.3, 0.0, -0.3)), (SIDE, SIDE, 1))
    red = hue + np.float32((0.2, 0, -0.2)) * (smile() < -0.05)[..., None]
    calm = without(red, lines, everywhere())
    fold = (smile() < -0.2) & (places()[1] < SIDE / 2 - 6)
    assert np.abs(calm - hue)[fold].max() < 0.5 * np.abs(red - hue)[fold].max()
    np.testing.assert_allclose(without(hue, lines, everywhere()), hue, atol=1e-5)


@pytest.mark.parametrize("size", [4, 7])
def test_a_sliver_of_skin_is_left_alone(size):
    weight = np.zeros((SIDE, SIDE), np.float32)
    weight[:size] = 1
    assert not creases(smile(), weight, TEXEL_M).any()
