"""Dense matches between two pictures of the same skin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from hrn_studio.live.matching import GrainMatcher
from hrn_studio.records import Bools, Bytes, Floats

SIZE = 210


@pytest.fixture(scope="module")
def skin() -> Bytes:
    """(400, 400, 3) freckles of several sizes."""
    rng = np.random.default_rng(5)
    grey = sum(
        ndimage.gaussian_filter(rng.normal(0, 1, (400, 400)), sigma) * sigma
        for sigma in (1.5, 3, 6)
    )
    return np.repeat(np.clip(140 + 22 * grey, 0, 255).astype(np.uint8)[..., None], 3, 2)


def cut(matcher: GrainMatcher, picture: Bytes, left: float, top: float) -> Floats:
    to_patch = np.array([[1.0, 0, -left], [0, 1.0, -top]])
    return matcher.patch(picture, np.ones(picture.shape[:2], np.float32), to_patch, SIZE)[0]


def places() -> Floats:
    """Every pixel of the first falls on the same pixel of the second."""
    return np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), -1).astype(np.float32) + 0.5


def seen() -> Bools:
    usable = np.zeros((SIZE, SIZE), bool)
    usable[20:-20, 20:-20] = True
    return usable


def test_skin_is_found_where_it_went(skin: Bytes) -> None:
    matcher = GrainMatcher()
    first, second = cut(matcher, skin, 90, 90), cut(matcher, skin, 91.6, 89.2)
    pixels, found, weights = matcher.match(first, second, places(), seen())
    assert len(pixels) > 500
    moved = found - (pixels[:, ::-1] + 0.5)
    np.testing.assert_allclose(np.median(moved, axis=0), (-1.6, 0.8), atol=0.25)
    assert np.median(np.linalg.norm(moved - (-1.6, 0.8), axis=1)) < 0.35
    assert weights.min() > 0.2
    assert weights.max() <= 1


def test_light_that_slides_over_the_skin_carries_nothing_along(skin: Bytes) -> None:
    matcher = GrainMatcher()
    x = np.arange(400)
    lit = [0.75 + 0.35 * np.sin((x + shift) / 25)[None, :, None] for shift in (0, 10)]
    a, b = (np.clip(skin * light, 0, 255).astype(np.uint8) for light in lit)
    pixels, found, _ = matcher.match(
        cut(matcher, a, 90, 90), cut(matcher, b, 90, 90), places(), seen()
    )
    assert len(pixels) > 300
    assert np.abs(np.median(found - (pixels[:, ::-1] + 0.5), axis=0)).max() < 0.15


def test_a_patch_is_scaled_about_pixel_corners(skin: Bytes) -> None:
    matcher = GrainMatcher()
    picture = np.full((100, 100, 3), 128, np.uint8)
    picture[:, 40:] = 200
    mask = (picture[..., 0] > 150).astype(np.float32)
    _, half = matcher.patch(picture, mask, np.array([[0.5, 0, 0], [0, 0.5, 0]]), 50)
    _, twice = matcher.patch(picture, mask, np.array([[2.0, 0, 0], [0, 2.0, 0]]), 200)
    assert half[25, 19] < 0.1
    assert half[25, 20] > 0.9
    assert twice[100, 78] < 0.5 < twice[100, 81]


def test_pictures_of_different_skin_have_few_matches(skin: Bytes) -> None:
    matcher = GrainMatcher()
    other = np.ascontiguousarray(skin[::-1, ::-1])
    pixels, _, _ = matcher.match(
        cut(matcher, skin, 90, 90), cut(matcher, other, 60, 95), places(), seen()
    )
    assert len(pixels) < 150  # of some 1800


def test_nothing_in_common_is_no_match(skin: Bytes) -> None:
    matcher = GrainMatcher()
    first = cut(matcher, skin, 90, 90)
    pixels, found, weights = matcher.match(first, first, places(), np.zeros((SIZE, SIZE), bool))
    assert len(pixels) == len(found) == len(weights) == 0
