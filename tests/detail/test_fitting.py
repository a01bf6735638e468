"""The whole fit of made-up shots: stages, progress, what is reported, and stopping midway."""

from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.detail.fine import FineSettings
from hrn_studio.detail.fitting import FitSettings, fit
from hrn_studio.errors import FitError
from hrn_studio.records import Camera

FINE = FineSettings(size=256)
SMALL = Camera(320, 240, 350.0, (160.0, 120.0), "user")


def run(task):
    steps = []
    while True:
        try:
            steps.append(next(task))
        except StopIteration as stop:
            return steps, stop.value


@pytest.fixture(scope="module")
def fitted(head, embedding, person, seen):
    """Steps and results of a stranger and three pictures of one person, and of one picture."""
    truth, other = person(1), person(1) + 8 * np.sign(person(2))
    me = [seen(truth, yaw, told=truth, camera=SMALL, name=f"me{yaw}.jpg") for yaw in (-20, 0, 20)]
    stranger = seen(other, told=other, camera=SMALL, name="stranger.jpg")
    return {
        "coarse": run(fit(head, embedding, me[1:2], FitSettings(stage="coarse", fine=FINE))),
        "fine": run(fit(head, embedding, [stranger, *me], FitSettings(fine=FINE))),
    }


@pytest.mark.parametrize("stage", ["coarse", "fine"])
def test_the_fraction_only_grows(fitted, stage):
    steps, _ = fitted[stage]
    fractions = [step.fraction for step in steps]
    assert fractions[0] == 0
    assert np.diff(fractions).min() >= 0
    assert 0.8 < fractions[-1] <= 1
    told = list(dict.fromkeys(step.stage for step in steps))
    assert told == (
        ["coarse", "texture"] if stage == "coarse" else ["coarse", "mid", "texture", "fine"]
    )


def test_each_stage_ends_where_it_was_told_to(fitted):
    coarse, fine = fitted["coarse"][1], fitted["fine"][1]
    assert set(coarse.stages) == {"coarse"}
    np.testing.assert_array_equal(coarse.neutral, coarse.stages["coarse"])
    assert not coarse.maps.displacement.any()
    assert not coarse.maps.deformation.any()
    np.testing.assert_allclose(coarse.maps.normal[..., 2], 1)
    assert list(fine.stages) == ["coarse", "mid", "fine"]
    np.testing.assert_array_equal(fine.neutral, fine.stages["fine"])
    assert fine.maps.deformation.any()
    for result in (coarse, fine):
        assert result.maps.albedo_srgb.shape == (256, 256, 3)
        assert set(result.timings_s) >= {"coarse", "texture"}


def test_the_stranger_is_reported_and_not_shown(fitted):
    result = fitted["fine"][1]
    assert [r.used for r in result.reports] == [False, True, True, True]
    assert result.reports[0].reason == "it disagrees with the other pictures"
    assert [v.frame.name for v in result.views] == ["me-20.jpg", "me0.jpg", "me20.jpg"]
    shown = result.views[0].state.coefficients
    np.testing.assert_array_equal(result.coefficients.gaze, shown.gaze)
    np.testing.assert_array_equal(result.coefficients.expression, shown.expression)


def test_only_several_pictures_can_disagree(head, fitted):
    one, several = fitted["coarse"][1], fitted["fine"][1]
    assert not one.spread_mm.any()
    face = head.regions["face"] > 0.5
    assert np.isfinite(several.spread_mm).all()
    assert 0 < np.median(several.spread_mm[face]) < 3


def test_views_hold_the_posed_head(head, fitted):
    result = fitted["fine"][1]
    moved = result.neutral - result.stages["coarse"]
    for view in result.views:
        expected = head.evaluate(view.state.coefficients, view.state.scale) + moved
        np.testing.assert_allclose(view.vertices, expected, atol=1e-5)
        assert view.light.any()


def test_a_fit_can_be_stopped_at_any_step(head, embedding, person, seen):
    shots = [seen(person(1), camera=SMALL)]
    for steps in (1, 2):
        task = fit(head, embedding, shots, FitSettings(stage="coarse", fine=FINE))
        for _ in range(steps):
            next(task)
        task.close()
        with pytest.raises(StopIteration):
            next(task)


def test_nothing_cannot_be_fitted(head, embedding):
    with pytest.raises(FitError, match="no picture"):
        next(fit(head, embedding, [], FitSettings()))


def test_numbers_out_of_bounds_end_in_words(head, embedding, person, seen):
    broken = seen(np.full(head.identity_count, np.nan), told=person(1), camera=SMALL)
    task = fit(head, embedding, [broken], FitSettings(stage="coarse", fine=FINE))
    with pytest.raises(FitError, match=r"me\.jpg .*use another picture"):
        run(task)
