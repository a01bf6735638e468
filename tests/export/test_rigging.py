"""Shapes learn from examples what the model did not know, and no more than is there."""

from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.export.rigging import (
    Example,
    examples_of,
    learned_shapes,
    shapes_of,
)
from hrn_studio.export.shapes import carried_shapes
from hrn_studio.face.landmarks import load_embedding
from hrn_studio.geometry.transforms import apply, project
from hrn_studio.records import Coefficients

SHOWN = ("mouthSmileLeft", "mouthSmileRight", "jawOpen", "mouthPucker", "browInnerUp")


def number(head, name):
    return head.expression_names.index(name)


@pytest.fixture(scope="module")
def grown(head, person):
    """The shapes of plain transfer, and those the person really has: larger, and askew."""
    plain = carried_shapes(head, person.neutral)
    rng = np.random.default_rng(5)
    own = plain.copy()
    for shape in own:
        stretch = np.eye(3) + rng.normal(0, 0.2, (3, 3))
        shape[:] = shape @ stretch
    return plain, own


def examples(head, own, noise=0.0004, seed=1):
    rng = np.random.default_rng(seed)
    result = []
    for names in (SHOWN[:2], SHOWN[2:3], SHOWN[3:4], SHOWN[4:], (SHOWN[0],), (SHOWN[1],)):
        weights = np.zeros(head.expression_count)
        weights[[number(head, n) for n in names]] = 0.8
        offsets = np.tensordot(weights, own, 1)
        offsets = offsets + rng.normal(0, noise, offsets.shape)
        told = np.clip(weights * rng.normal(1, 0.05), 0, 1)
        result.append(Example(offsets, told, head.regions["face"], np.zeros(3)))
    return result


def error(head, shapes, own):
    chosen = [number(head, n) for n in SHOWN]
    face = head.regions["face"] > 0.5
    return np.sqrt(((shapes[chosen] - own[chosen])[:, face] ** 2).mean())


def test_shapes_come_closer_to_the_persons_own(head, grown):
    plain, own = grown
    learned = learned_shapes(plain, examples(head, own))
    assert error(head, learned, own) < 0.6 * error(head, plain, own)


def test_shapes_not_shown_stay(head, grown):
    plain, own = grown
    learned = learned_shapes(plain, examples(head, own))
    unshown = number(head, "noseSneerLeft")
    np.testing.assert_array_equal(learned[unshown], plain[unshown])


def test_what_a_shape_keeps_still_stays_still(head, grown):
    plain, own = grown
    learned = learned_shapes(plain, examples(head, own))
    assert not learned[~plain.any(2)].any()


def test_no_examples_change_nothing(head, grown):
    plain, _ = grown
    np.testing.assert_array_equal(learned_shapes(plain, []), plain)


def test_a_bad_example_is_not_believed(head, grown):
    plain, own = grown
    good = examples(head, own)
    rng = np.random.default_rng(9)
    wild = rng.normal(0, 0.01, good[0].offsets.shape)
    bad = replace(good[0], offsets=good[0].offsets + wild)
    np.testing.assert_allclose(
        learned_shapes(plain, [*good, bad]), learned_shapes(plain, good), atol=1e-9
    )


def test_a_change_is_bounded(head, grown):
    plain, own = grown
    learned = learned_shapes(plain, examples(head, 3 * own, noise=0))
    before, after = (np.linalg.norm(s, axis=2) for s in (plain, learned - plain))
    assert (after <= 0.6 * before + 1e-9).all()


def seen(head, person, own, names, weight=0.8):
    """A view of the person with an expression, whose landmarks follow ``own`` shapes."""
    embedding = load_embedding()
    view = person.views[0]
    weights = head.weights(dict.fromkeys(names, weight))
    truth = person.neutral + np.tensordot(weights, own, 1)
    points = embedding.points(truth.astype(np.float32))
    px = project(apply(view.state.T_camera_head, points), view.state.camera)
    state = replace(
        view.state, coefficients=Coefficients(view.state.coefficients.identity, weights)
    )
    fitted = head.evaluate(state.coefficients)
    track = replace(view.track, points_px=px, depth_px=np.zeros(len(px)))
    return replace(view, state=state, track=track, vertices=fitted)


def test_views_with_expressions_teach(head, person, grown):
    plain, own = grown
    views = [seen(head, person, own, names) for names in ((), SHOWN[:2], SHOWN[2:3], SHOWN[4:])]
    made = replace(person, views=tuple(views))
    found = examples_of(made, head, load_embedding())
    assert len(found) == 3
    learned = learned_shapes(plain, found)
    chosen = [number(head, n) for n in ("mouthSmileLeft", "jawOpen", "browInnerUp")]
    across = np.eye(3) - np.outer(found[0].unseen, found[0].unseen)
    before, after = (
        np.linalg.norm(((s - own)[chosen] @ across)[:, head.regions["face"] > 0.5])
        for s in (plain, learned)
    )
    assert after < 0.85 * before


def test_without_a_view_at_rest_nothing_is_learnt(head, person, grown):
    _, own = grown
    made = replace(person, views=(seen(head, person, own, SHOWN[:2]),))
    assert examples_of(made, head, load_embedding()) == []
    plain = shapes_of(replace(person, views=(seen(head, person, own, ()),)), head)
    np.testing.assert_array_equal(shapes_of(made, head), plain)
