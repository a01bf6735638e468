from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.face.model import load_head
from hrn_studio.geometry.transforms import rigid, rotation_from_angles
from hrn_studio.records import Camera
from hrn_studio.training.jewellery import draw_earrings
from hrn_studio.training.render import JEWELLERY, draw_person, picture
from hrn_studio.training.stage import make_stage
from hrn_studio.training.style import draw_style


@pytest.fixture(scope="module")
def stage():
    return make_stage(load_head(), columns=256)


def test_lobes_are_the_low_ends_of_the_ears(stage):
    head = stage.head
    ears = head.mean[head.regions["ears"].ravel() > 0.5]
    left, right = head.mean[stage.lobes]
    np.testing.assert_allclose(left, right * [-1, 1, 1], atol=1e-3)
    assert left[0] > 0.06
    assert left[1] < np.percentile(ears[:, 1], 30)


@pytest.mark.parametrize("seed", range(6))
def test_earrings_hang_from_the_lobes(stage, seed):
    lobes = stage.head.mean[stage.lobes]
    outwards = np.array([[1.0, 0, 0], [-1.0, 0, 0]], np.float32)
    vertices, triangles, metal = draw_earrings(np.random.default_rng(seed), lobes, outwards)
    assert triangles.max() < len(vertices)
    assert 0 < metal.min() <= metal.max() < 1
    for lobe in lobes:
        reach = np.linalg.norm(vertices - lobe, axis=1).min()
        assert reach < 0.004
    assert vertices[:, 1].max() < lobes[:, 1].max() + 0.006
    assert vertices[:, 1].min() > lobes[:, 1].min() - 0.06


def test_some_wear_earrings_and_they_are_marked(stage):
    style = replace(draw_style(np.random.default_rng(1)), feminine=True, hair="bald", glasses=False)
    T = rigid(rotation_from_angles(0.5, 0, 0), np.array([0.0, 0, 0.6]))
    camera = Camera(160, 160, 400.0, (80, 80))
    found = 0
    for seed in range(12):
        person = draw_person(np.random.default_rng(seed), stage, style)
        shown = picture(stage, np.random.default_rng(1), person, stage.head.zero(), T, camera)
        found += bool((shown.part == JEWELLERY).any())
    assert 0 < found < 12
