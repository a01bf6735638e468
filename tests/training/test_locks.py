from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.face.model import load_head
from hrn_studio.training import hair
from hrn_studio.training.locks import POINTS, grow_locks
from hrn_studio.training.stage import make_stage

COLOR = np.array([0.10, 0.06, 0.03], np.float32)
UP = np.array([0.0, 1.0, 0.0], np.float32)


@pytest.fixture(scope="module")
def stage():
    return make_stage(load_head(), columns=256)


@pytest.fixture
def grown(stage):
    def grow(kind, **changes):
        cut = hair.draw_cut(np.random.default_rng(6), kind, 0.2)
        cut = replace(cut, **changes)
        shell = hair.grow(np.random.default_rng(1), stage.head, stage.roots, cut, stage.head.mean)
        rng = np.random.default_rng(2)
        return shell, grow_locks(rng, shell, stage.roots, cut, COLOR, UP)

    return grow


@pytest.mark.parametrize("kind", ["short", "long"])
@pytest.mark.parametrize("curls", [0.0, 1.0])
def test_locks_lie_on_the_hair(grown, kind, curls):
    shell, locks = grown(kind, curls=curls)
    assert np.isfinite(locks.vertices).all()
    assert locks.triangles.max() < len(locks.vertices)
    gap = locks.vertices[::7, None] - shell.vertices[None]
    nearest = np.linalg.norm(gap, axis=2).min(axis=1)
    assert np.median(nearest) < 0.012
    assert nearest.max() < 0.1
    assert 0 < locks.albedo.min() <= locks.albedo.max() < 1
    assert 0 < locks.opacity.min() <= locks.opacity.max() < 1
    np.testing.assert_allclose(np.linalg.norm(locks.tangents, axis=1), 1, atol=1e-3)


def test_the_longest_locks_leave_the_shell(grown, stage):
    _, locks = grown("short", thickness=0.02)
    reach = np.linalg.norm(locks.vertices - hair.CENTER, axis=1)
    assert reach.max() > np.linalg.norm(stage.head.mean - hair.CENTER, axis=1).min()
    tips = locks.vertices.reshape(-1, POINTS, 2, 3)[:, -1].mean(axis=1)
    roots = locks.vertices.reshape(-1, POINTS, 2, 3)[:, 0].mean(axis=1)
    assert (tips[:, 1] < roots[:, 1]).mean() > 0.8, "hair falls"


@pytest.mark.parametrize("changes", [{"cloth": True}, {"coverage": 0.6}, {"thickness": 0.001}])
def test_caps_and_stubble_have_none(grown, changes):
    assert grown("short", **changes)[1] is None
