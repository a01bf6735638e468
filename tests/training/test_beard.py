from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.face.model import load_head
from hrn_studio.training.beard import grow_beard
from hrn_studio.training.skin import draw_skin
from hrn_studio.training.stage import make_stage
from hrn_studio.training.style import draw_style

COLOR = np.array([0.05, 0.03, 0.02], np.float32)


@pytest.fixture(scope="module")
def stage():
    return make_stage(load_head(), columns=256)


def skin_of(stage, beard, seed=2):
    style = replace(draw_style(np.random.default_rng(1)), feminine=False, beard=beard)
    return draw_skin(np.random.default_rng(seed), stage.chart, stage.zones, style)


def grown(stage, fullness):
    # the camera's frame: y and z turned round
    vertices = (stage.head.mean * [1, -1, -1] + [0, 0, 0.6]).astype(np.float32)
    grows, up = skin_of(stage, fullness).beard, np.array([0, -1, 0], np.float32)
    rng = np.random.default_rng(3)
    return vertices, grow_beard(rng, stage, vertices, grows, fullness, COLOR, up)


def test_only_full_beards_have_hairs(stage):
    assert skin_of(stage, 0.0).beard is None
    assert skin_of(stage, 0.3).beard is None
    grows = skin_of(stage, 0.9).beard
    assert grows.shape == stage.chart.shape
    assert 0 <= grows.min() < 0.1
    assert 0.9 < grows.max() <= 1


def test_hairs_stand_on_the_lower_face(stage):
    vertices, locks = grown(stage, 0.9)
    assert np.isfinite(locks.vertices).all()
    roots = locks.vertices.reshape(-1, 4, 2, 3)[:, 0].mean(axis=1)
    nearest = np.linalg.norm(roots[:, None] - vertices[None], axis=2)
    assert nearest.min(axis=1).max() < 0.02
    on = stage.head.mean[nearest.argmin(axis=1)]
    assert on[:, 1].max() < 0.005
    lips = stage.head.regions["lips"].ravel()[nearest.argmin(axis=1)]
    assert (lips > 0.9).mean() < 0.05


def test_a_longer_beard_reaches_further(stage):
    reach = []
    for fullness in (0.55, 1.0):
        path = grown(stage, fullness)[1].vertices.reshape(-1, 4, 2, 3).mean(axis=2)
        reach.append(np.linalg.norm(path[:, -1] - path[:, 0], axis=1).mean())
    assert reach[1] > 1.4 * reach[0]


def test_nothing_grows_where_nothing_is_painted(stage):
    bare = np.zeros(stage.chart.shape, np.float32)
    vertices = (stage.head.mean * [1, -1, -1] + [0, 0, 0.6]).astype(np.float32)
    up = np.array([0, -1, 0], np.float32)
    rng = np.random.default_rng(0)
    assert grow_beard(rng, stage, vertices, bare, 1.0, COLOR, up) is None
