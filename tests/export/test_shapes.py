"""Shapes are the model's on the mean head, and keep their meaning on other people."""

import numpy as np
import pytest

from hrn_studio.export.arkit import ARKIT_NAMES
from hrn_studio.export.lids import Lids
from hrn_studio.export.shapes import personal_shapes
from hrn_studio.face.gaze import look_angles
from hrn_studio.geometry.intersections import crossings
from hrn_studio.geometry.mesh import area_vectors
from hrn_studio.geometry.raster import rasterize
from hrn_studio.geometry.transforms import AXES_CAMERA_HEAD, apply, rigid, similarity
from hrn_studio.records import Camera, Coefficients


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


def test_shapes_that_touch_nothing_are_the_models_own_on_the_mean_head(head):
    own, personal = head.export_shapes(), personal_shapes(head, head.mean)
    for name in ("browInnerUp", "browDownLeft", "cheekSquintRight", "jawOpen"):
        assert np.abs(named(head, personal, name) - named(head, own, name)).max() < 3e-4


def test_shapes_keep_their_meaning_on_the_mean_head(head):
    own, personal = head.export_shapes(), personal_shapes(head, head.mean)
    for name, before, after in zip(head.expression_names, own, personal, strict=True):
        if name in ("mouthClose", "tongueOut") or name.startswith("eyeBlink"):
            continue
        cosine = (before * after).sum() / np.sqrt((before**2).sum() * (after**2).sum())
        assert cosine > 0.9, name


def test_a_larger_head_moves_farther(head):
    one, larger = personal_shapes(head, head.mean), personal_shapes(head, 1.1 * head.mean)
    for name, a, b in zip(head.expression_names, 1.1 * one, larger, strict=True):
        assert np.linalg.norm(a - b) < 0.2 * np.linalg.norm(a), name


def test_what_the_model_keeps_still_stays_still(head, somebody):
    _, shapes = somebody
    still = ~head.export_shapes().any(2)
    still[head.expression_names.index("tongueOut")] = False  # the lips give way
    assert not shapes[still].any()
    assert np.isfinite(shapes).all()


def test_no_triangle_turns_over_or_vanishes(head, somebody):
    neutral, shapes = somebody
    before = area_vectors(neutral.astype(np.float64), head.triangles)
    size = np.linalg.norm(before, axis=1)
    for name, offsets in zip(head.expression_names, shapes, strict=True):
        after = area_vectors(neutral + offsets.astype(np.float64), head.triangles)
        shown = np.einsum("ti,ti->t", before, after) / size**2
        allowed = 0 if name not in ("mouthClose",) else 6  # alone it has no meaning
        assert (shown <= 0).sum() <= allowed, (name, float(shown.min()))
        assert (np.linalg.norm(after, axis=1) > 0.005 * size).all(), name


def test_nothing_runs_through_itself(head, somebody):
    neutral, shapes = somebody
    part = np.array(head.part_names)[head.triangle_part]
    soft = part == "skin"
    pairs, _ = crossings(neutral, head.triangles, soft)
    before = set(map(tuple, pairs))
    for name, offsets in zip(head.expression_names, shapes, strict=True):
        person = neutral + offsets
        if name == "mouthClose":
            person = person + named(head, shapes, "jawOpen")
        pairs, depth = crossings(person, head.triangles, soft)
        eyes = np.isin(part[pairs], ("eye_left", "eye_right")).any(1)  # lids rest on them
        worst = [
            d
            for p, d, e in zip(pairs, depth, eyes, strict=True)
            if tuple(p) not in before and not e
        ]
        assert max(worst, default=0) < 0.0005, name
        assert sum(d > 0.0002 for d in worst) <= 6, name


def test_plain_transfer_would_run_through_itself(head):
    """The check above sees what it is made for."""
    shapes = head.export_shapes()
    person = head.mean + named(head, shapes, "tongueOut")
    soft = head.triangle_part == 0
    assert len(crossings(person, head.triangles, soft)[0]) > 100 + len(
        crossings(head.mean, head.triangles, soft)[0]
    )


def test_lids_meet(head, somebody):
    neutral, shapes = somebody
    for eye in head.eyes:
        lids = Lids(head, eye, neutral.astype(np.float64))
        assert np.nanmax(lids.gaps(neutral)) > 0.004
        shut = neutral + named(head, shapes, f"eyeBlink{eye.side}")
        gaps = lids.gaps(shut.astype(np.float64))
        assert np.isfinite(gaps).sum() > 10
        assert np.nanmax(gaps) < 0.0005


def test_closed_lids_hide_the_eyeball(head, somebody):
    neutral, shapes = somebody
    for eye in head.eyes:
        ball = np.zeros(len(head.triangles), bool)
        ball[head.part_triangles(f"eye_{eye.side.lower()}")] = True
        middle = neutral[eye.vertices].mean(0)
        T = rigid(AXES_CAMERA_HEAD, np.array([0, 0, 0.6]) - AXES_CAMERA_HEAD @ middle)
        camera = Camera(160, 160, 160 * 0.6 / 0.036, (80.0, 80.0))
        seen = []
        for offsets in (0, named(head, shapes, f"eyeBlink{eye.side}")):
            fragments = rasterize(apply(T, neutral + offsets), head.triangles, camera)
            seen.append(ball[fragments.triangle[fragments.covered]].sum())
        assert seen[0] > 1500
        assert seen[1] < 0.03 * seen[0]


def test_lids_stay_in_front_of_the_eyeball(head, somebody):
    neutral, shapes = somebody
    for eye in head.eyes:
        lids = Lids(head, eye, neutral.astype(np.float64))
        for name in (f"eyeBlink{eye.side}", f"eyeSquint{eye.side}", f"eyeLookDown{eye.side}"):
            low = lids.lifting(neutral + named(head, shapes, name).astype(np.float64))
            assert low.amounts.max(initial=0) < 0.0004, name


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
    gap = np.linalg.norm(both[first] - both[second], axis=1)
    gap -= np.linalg.norm(neutral[first] - neutral[second], axis=1)
    assert gap.max() < 0.0005


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
