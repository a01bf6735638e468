"""Shapes are the model's on the mean head, and keep their meaning on other people."""

import numpy as np
import pytest

from hrn_studio.export.arkit import ARKIT_NAMES
from hrn_studio.export.shapes import personal_shapes
from hrn_studio.face.gaze import look_angles
from hrn_studio.geometry.transforms import similarity
from hrn_studio.records import Coefficients


@pytest.fixture(scope="module", params=[0, 1, 2])
def somebody(request, head):
    rng = np.random.default_rng(request.param)
    identity = rng.normal(0, 0.4, head.identity_count)
    neutral = head.evaluate(Coefficients(identity, np.zeros(head.expression_count)), 1.04)
    return neutral, personal_shapes(head, neutral)


def named(head, shapes, name):
    return shapes[head.expression_names.index(name)]


def test_there_are_52_names():
    assert len(set(ARKIT_NAMES)) == 52


def test_the_mean_head_gets_the_models_own_shapes(head):
    own = head.export_shapes()
    personal = personal_shapes(head, head.mean)
    free = [n for n, name in enumerate(head.expression_names) if name != "mouthClose"]
    assert np.abs(personal[free] - own[free]).max() < 1e-4


def test_a_head_twice_the_size_moves_twice_as_far(head):
    np.testing.assert_allclose(
        personal_shapes(head, 2 * head.mean), 2 * personal_shapes(head, head.mean), atol=2e-4
    )


def test_what_the_model_keeps_still_stays_still(head, somebody):
    _, shapes = somebody
    assert not shapes[~head.export_shapes().any(2)].any()
    assert np.isfinite(shapes).all()


def test_lids_meet(head, somebody):
    neutral, shapes = somebody
    for eye in head.eyes:
        name = f"eyeBlink{eye.side}"
        model = head.mean + named(head, head.expression, name)
        person = neutral + named(head, shapes, name)
        moving = np.flatnonzero(named(head, head.expression, name).any(1))
        gaps = model[moving, None] - model[None, moving]
        near = np.linalg.norm(gaps, axis=2) < 0.0015
        apart = np.linalg.norm(head.mean[moving, None] - head.mean[None, moving], axis=2) > 0.005
        first, second = np.nonzero(near & apart)
        assert len(first) > 20
        now = person[moving[first]] - person[moving[second]]
        assert np.abs(now - 1.04 * gaps[first, second]).max() < 0.0003


def test_closed_lids_stay_in_front_of_the_eyeball(head, somebody):
    neutral, shapes = somebody
    for eye in head.eyes:
        name = f"eyeBlink{eye.side}"
        scale, R, t = similarity(head.mean[eye.vertices], neutral[eye.vertices])
        center = scale * R @ eye.center + t
        model = head.mean + named(head, head.expression, name)
        person = neutral + named(head, shapes, name)
        lid = np.flatnonzero(named(head, head.expression, name)[:, 1] < -0.003)
        before = np.linalg.norm(model[lid] - eye.center, axis=1)
        after = np.linalg.norm(person[lid] - center, axis=1) / scale
        close = (before < eye.radius + 0.003) & (model[lid, 2] > 0.4 * eye.radius)
        assert (after[close] > before[close] - 1e-5).all()


def test_lips_stay_together(head, somebody):
    neutral, shapes = somebody
    lips = np.flatnonzero(head.regions["lips"] > 0.5)
    parting = named(head, head.expression, "jawOpen")
    near = np.linalg.norm(head.mean[lips, None] - head.mean[None, lips], axis=2) < 0.0015
    opened = np.linalg.norm(parting[lips, None] - parting[None, lips], axis=2) > 0.006
    first, second = (lips[index] for index in np.nonzero(near & opened))
    if not len(first):
        pytest.skip("the model's lips do not touch")
    both = neutral + named(head, shapes, "jawOpen") + named(head, shapes, "mouthClose")
    gap = both[first] - both[second] - (neutral[first] - neutral[second])
    assert np.linalg.norm(gap, axis=1).max() < 0.0005


def test_eyes_turn_as_stiff_balls(head, somebody):
    neutral, shapes = somebody
    for eye in head.eyes:
        for name in head.expression_names:
            deltas = named(head, shapes, name)[eye.vertices]
            if not any(look_angles(name, eye.side)):
                assert not deltas.any()
                continue
            ball = neutral[eye.vertices]
            scale, R, _ = similarity(ball, ball + deltas)
            assert abs(scale - 1) < 1e-4
            angle = np.arccos(np.clip((np.trace(R) - 1) / 2, -1, 1))
            np.testing.assert_allclose(angle, np.abs(look_angles(name, eye.side)).max(), atol=1e-3)


def test_a_tiny_head_has_shapes_too(tiny):
    shapes = personal_shapes(tiny, tiny.mean)
    assert shapes.shape == (tiny.expression_count, tiny.vertex_count, 3)
    np.testing.assert_allclose(shapes, tiny.export_shapes(), atol=1e-4)
