from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.face.model import load_head
from hrn_studio.geometry.transforms import rigid, rotation_from_angles
from hrn_studio.records import Camera
from hrn_studio.training.render import draw_person, picture
from hrn_studio.training.stage import make_stage
from hrn_studio.training.style import draw_style
from hrn_studio.training.wrinkles import CAUSES, draw_creases, fold


@pytest.fixture(scope="module")
def stage():
    return make_stage(load_head(), columns=256)


def folded(stage, age, **expression):
    """Depth 0..1 (R, C) on the whole chart, and the slopes' size."""
    head = stage.head
    creases = draw_creases(np.random.default_rng(3), age)
    coefficients = replace(head.zero(), expression=head.weights(expression))
    folds = fold(stage.chart, head, creases, age, coefficients)
    depth, slope = (np.zeros(stage.chart.shape) for _ in range(2))
    if folds is not None:
        (row, column), (rows, columns) = folds.corner, folds.paint.shape[:2]
        depth[row : row + rows, column : column + columns] = folds.paint[..., 2]
        slope[row : row + rows, column : column + columns] = np.abs(folds.paint[..., :2]).max(-1)
    return depth, slope


def total(stage, depth, x, y):
    """Depth summed over a box (x0, x1), (y0, y1) of the mean face, metres."""
    p = stage.chart.position
    inside = (p[..., 0] > x[0]) & (p[..., 0] < x[1]) & (p[..., 1] > y[0]) & (p[..., 1] < y[1])
    return float(depth[inside & (p[..., 2] > -0.02)].sum())


FOREHEAD = ((-0.05, 0.05), (0.030, 0.075))
LEFT_FOREHEAD = ((0.012, 0.05), (0.030, 0.075))
RIGHT_FOREHEAD = ((-0.05, -0.012), (0.030, 0.075))
GLABELLA = ((-0.012, 0.012), (0.010, 0.028))
LEFT_CROW = ((0.050, 0.070), (-0.015, 0.018))
RIGHT_CROW = ((-0.070, -0.050), (-0.015, 0.018))
LEFT_CHEEK = ((0.018, 0.045), (-0.075, -0.036))
NOSE = ((-0.014, 0.014), (-0.018, 0.003))
CHIN = ((-0.016, 0.016), (-0.116, -0.095))
ABOVE_LIPS = ((-0.018, 0.018), (-0.062, -0.055))


@pytest.mark.parametrize(
    ("box", "causes"),
    [
        (FOREHEAD, ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")),
        (GLABELLA, ("browDownLeft", "browDownRight")),
        (LEFT_CROW, ("eyeSquintLeft", "cheekSquintLeft")),
        (LEFT_CHEEK, ("mouthSmileLeft",)),
        (NOSE, ("noseSneerLeft", "noseSneerRight")),
        (CHIN, ("mouthShrugLower",)),
        (ABOVE_LIPS, ("mouthPucker",)),
    ],
)
def test_each_muscle_folds_its_own_skin_the_more_the_stronger(stage, box, causes):
    rest, half, full = (
        total(stage, folded(stage, 0.3, **dict.fromkeys(causes, w))[0], *box) for w in (0, 0.5, 1)
    )
    assert rest < 0.6 * half
    assert half < 0.8 * full
    other = folded(stage, 0.3, jawOpen=1.0)[0]
    assert total(stage, other, *box) == pytest.approx(rest)


def test_sides_fold_by_themselves(stage):
    wink, _ = folded(stage, 0.2, cheekSquintLeft=1.0)
    assert total(stage, wink, *LEFT_CROW) > 5 * total(stage, wink, *RIGHT_CROW)
    raised, _ = folded(stage, 0.2, browOuterUpRight=1.0)
    assert total(stage, raised, *RIGHT_FOREHEAD) > 3 * total(stage, raised, *LEFT_FOREHEAD)


def test_the_old_keep_their_wrinkles_and_the_young_have_none_at_rest(stage):
    young, middle, old = (folded(stage, age)[0].sum() for age in (0.0, 0.6, 1.0))
    assert young == 0
    assert 0 < middle < 0.8 * old
    smooth, _ = folded(stage, 0.0, browInnerUp=1.0)
    worn, _ = folded(stage, 0.9, browInnerUp=1.0)
    assert 0 < total(stage, smooth, *FOREHEAD) < total(stage, worn, *FOREHEAD)


def test_slopes_are_those_of_skin(stage):
    _, slope = folded(stage, 1.0, **{c.format("Left"): 1.0 for c in CAUSES})
    assert 0.15 < np.percentile(slope[slope > 0], 99) < 1.5


def test_every_cause_is_an_expression_of_the_head(stage):
    for cause in CAUSES:
        assert cause.format("Left") in stage.head.expression_names


def test_wrinkles_are_seen_and_leave_the_truth_alone(stage):
    head = stage.head
    style = replace(draw_style(np.random.default_rng(2)), age=0.7, glasses=False, hair="cropped")
    person = draw_person(np.random.default_rng(3), stage, style)
    smooth = replace(person, creases=draw_creases(np.random.default_rng(4), 0.0))
    smooth = replace(smooth, creases=replace(smooth.creases, depth_m=0 * smooth.creases.depth_m))
    raised = replace(head.zero(), expression=head.weights({"browInnerUp": 1.0}))
    T = rigid(rotation_from_angles(0, 0, 0), np.array([0.0, 0, 0.6]))
    camera = Camera(128, 128, 330.0, (64, 64))
    shown, bare = (
        picture(stage, np.random.default_rng(1), p, raised, T, camera, flaws=0)
        for p in (person, smooth)
    )
    np.testing.assert_array_equal(shown.part, bare.part)
    np.testing.assert_array_equal(shown.vertices, bare.vertices)
    np.testing.assert_array_equal(shown.triangle, bare.triangle)
    changed = np.abs(shown.image.astype(int) - bare.image).max(axis=2)
    assert changed[shown.part != 0].max() <= 2
    assert changed[shown.part == 0].max() > 15
