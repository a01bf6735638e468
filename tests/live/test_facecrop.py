"""The crop a face network looks at."""

import numpy as np

from hrn_studio.live.facecrop import evened


def test_a_flat_surface_beside_a_busy_one_stays_a_picture():
    """Running sums of squares may end a little below zero there; their root was no number."""
    for side in range(8, 48, 2):
        crop = np.zeros((128, 128), np.uint8)
        busy = np.random.default_rng(side).integers(0, 256, (side, side))
        crop[30 : 30 + side, 30 : 30 + side] = busy
        assert np.isfinite(evened(crop)).all()


def test_brightness_and_contrast_hardly_matter():
    rng = np.random.default_rng(1)
    scene = rng.uniform(0.2, 0.6, (128, 128))
    bright, dark = (evened(np.asarray(255 * scene * f, np.uint8)) for f in (1.5, 0.75))
    assert np.abs(bright.mean()) < 0.1
    assert 0.5 < bright.std() < 1.5
    assert np.corrcoef(bright.ravel(), dark.ravel())[0, 1] > 0.99
