"""The whole texture stage on a painted head: what comes back is what was painted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.detail.atlas import Atlas
from hrn_studio.detail.fine import FineSettings, fine
from hrn_studio.detail.shading import linear_from_srgb, srgb_from_linear
from hrn_studio.face.tiny import tiny_head
from hrn_studio.records import Camera, Coefficients, FaceState, Frame, Track, View

SMALL = FineSettings(size=512)


def run(head, views, settings=SMALL, **more):
    steps = []
    task = fine(head, head.mean, views, settings, **more)
    while True:
        try:
            steps.append(next(task))
        except StopIteration as stop:
            return steps, stop.value


@pytest.fixture(scope="module")
def one(painted, photograph):
    return run(painted.head, [photograph(10)])


@pytest.fixture(scope="module")
def three(painted, photograph, sun):
    views = [
        photograph(-35, sun((-1, 0, -0.6))),
        photograph(0, sun(colour=(1.2, 1.0, 0.7))),
        photograph(35, sun(around=0.4, direct=0.3)),
    ]
    return run(painted.head, views)[1]


def error(painted, maps, where):
    """Log error against the truth, without the one unknowable factor of each colour."""
    found = np.log(np.maximum(linear_from_srgb(maps.albedo_srgb / 255.0), 1e-3))
    away = (found - np.log(np.maximum(painted.albedo, 1e-3)))[where]
    return away - np.median(away, axis=0)


def test_progress_grows_and_names_its_stages(one):
    steps, _ = one
    assert np.diff([s.fraction for s in steps]).min() >= 0
    assert list(dict.fromkeys(s.stage for s in steps)) == ["texture", "fine"]


def test_seen_skin_comes_back(painted, one):
    maps = one[1].maps
    lips = Atlas.of(painted.head.uv, painted.head.uv_triangles, 512).region(painted.head, "lips")
    seen = (maps.confidence > 0.7) & (lips < 0.01)
    assert seen.mean() > 0.05
    assert np.sqrt(np.square(error(painted, maps, seen)).mean()) < 0.12


def test_skin_tone_is_that_of_skin(one):
    red, green, blue = one[1].skin_linear
    assert red > green > blue
    assert abs(np.log(red / 0.42)) < 0.25


def test_a_mole_stays_and_is_not_mirrored(painted, photograph):
    _, result = run(painted.head, [photograph(0)])
    row, column = painted.mole
    picture = result.maps.albedo_srgb.astype(float)
    here, there = picture[row, column], picture[row, 511 - column]
    around = np.median(picture[row - 14 : row + 15, column - 14 : column + 15], axis=(0, 1))
    assert here.sum() < 0.85 * around.sum()
    assert there.sum() > 0.93 * around.sum()


def test_light_from_one_side_leaves_no_trace(painted, photograph, sun):
    _, result = run(painted.head, [photograph(0, sun((1, 0, -0.5), around=0.35, direct=0.7))])
    maps = result.maps
    seen = (maps.confidence > 0.6) & (maps.confidence[:, ::-1] > 0.6)
    log = np.log(linear_from_srgb(maps.albedo_srgb / 255.0).clip(1e-3)).mean(axis=2)
    left = np.zeros_like(seen)
    left[:, 256:] = True
    assert abs(np.median(log[seen & left]) - np.median(log[seen & ~left])) < 0.03


def test_several_pictures_agree_on_one_albedo(painted, three):
    seen = three.maps.confidence > 0.7
    assert seen.mean() > 0.08
    assert np.sqrt(np.square(error(painted, three.maps, seen)).mean()) < 0.14


def test_each_view_gets_its_light(painted, photograph, sun):
    light = sun(colour=(1.1, 1.0, 0.9))
    _, result = run(painted.head, [photograph(-15, light), photograph(15, 0.5 * light)])
    first, second = (v.light[0].mean() for v in result.views)
    assert first / second == pytest.approx(2.0, rel=0.05)


def test_the_maps_are_sound(one):
    maps = one[1].maps
    assert maps.albedo_srgb.shape == (512, 512, 3)
    assert maps.albedo_srgb.min() > 0
    for image in (maps.normal, maps.displacement, maps.confidence):
        assert np.isfinite(image).all()
    assert maps.confidence.min() >= 0
    assert maps.confidence.max() <= 1
    assert np.abs(maps.displacement).max() < 0.001
    np.testing.assert_allclose(np.linalg.norm(maps.normal, axis=2), 1, atol=1e-5)
    assert maps.normal[..., 2].min() > 0.5


def test_unseen_skin_is_like_the_seen(painted, one):
    maps, head = one[1].maps, painted.head
    scalp = Atlas.of(head.uv, head.uv_triangles, 512).region(head, "scalp") > 0.9
    unseen = scalp & (maps.confidence < 0.01)
    assert unseen.any()
    away = np.abs(
        maps.albedo_srgb[unseen].mean(axis=0) - maps.albedo_srgb[maps.confidence > 0.7].mean(0)
    )
    assert away.max() < 15
    assert maps.albedo_srgb[unseen].std(axis=0).min() > 0.3


def test_the_same_pictures_give_the_same_maps(painted, photograph, one):
    _, again = run(painted.head, [photograph(10)])
    np.testing.assert_array_equal(again.maps.albedo_srgb, one[1].maps.albedo_srgb)
    np.testing.assert_array_equal(again.maps.displacement, one[1].maps.displacement)


def test_without_relief_it_is_flat(painted, photograph):
    steps, result = run(painted.head, [photograph(0)], FineSettings(size=256), relief=False)
    assert {s.stage for s in steps} == {"texture"}
    assert not result.maps.displacement.any()
    np.testing.assert_array_equal(result.maps.normal[..., 2], 1)


def test_a_fold_goes_from_the_albedo_into_the_relief(painted, photograph):
    row, column = painted.mole
    rows, columns = np.mgrid[:512, :512]
    line = np.abs(columns - column + 25 - 0.3 * (rows - row)) < 1.5
    line &= np.abs(rows - row) < 22
    dark = np.where(line[..., None], np.float32((0.7, 0.55, 0.5)), 1)
    texture = srgb_from_linear(painted.albedo * dark)
    camera = Camera(960, 960, 1800.0, (480.0, 480.0), "user")
    view = photograph(12, texture=np.rint(255 * texture), camera=camera)
    _, result = run(painted.head, [view])
    away = np.abs(error(painted, result.maps, line)[:, 1])
    assert np.median(away) < 0.5 * -np.log(0.55)
    beside = np.roll(line, 12, axis=1)
    depth = result.maps.displacement
    assert np.percentile(depth[line], 25) < np.percentile(depth[beside], 25) - 5e-5


def test_without_white_balance_the_colour_is_the_skins(painted, photograph, sun):
    view = photograph(0, sun(colour=(1.0, 1.0, 0.5)))
    _, balanced = run(painted.head, [view], FineSettings(size=256), relief=False)
    _, raw = run(painted.head, [view], FineSettings(size=256, white_balance=False), relief=False)
    assert raw.skin_linear[2] / raw.skin_linear[1] < 0.7 * (
        balanced.skin_linear[2] / balanced.skin_linear[1]
    )
    assert any("balanced" in note for note in balanced.notes)
    assert not any("balanced" in note for note in raw.notes)


def without_colour(view):
    grey = np.rint(view.frame.image @ (0.299, 0.587, 0.114)).astype(np.uint8)
    return replace(view, frame=Frame(grey[..., None].repeat(3, axis=2)))


def test_a_grey_picture_makes_a_grey_head_and_says_so(painted, photograph):
    view = without_colour(photograph(0))
    _, result = run(painted.head, [view], FineSettings(size=256), relief=False)
    assert not np.ptp(result.maps.albedo_srgb.astype(int), axis=2).any()
    assert result.maps.albedo_srgb.std() > 5
    assert np.ptp(result.skin_linear) == 0
    assert any("black and white" in note for note in result.notes)
    assert not any("balanced" in note for note in result.notes)


def test_colour_comes_from_the_picture_that_has_some(painted, photograph):
    views = [without_colour(photograph(0)), photograph(5)]
    _, result = run(painted.head, views, SMALL, relief=False)
    lips = Atlas.of(painted.head.uv, painted.head.uv_triangles, 512).region(painted.head, "lips")
    away = error(painted, result.maps, (result.maps.confidence > 0.7) & (lips < 0.01))
    assert np.percentile(np.abs(away), 75) < 0.08
    seen = linear_from_srgb(result.maps.albedo_srgb[lips > 0.9] / 255.0)
    skin = result.skin_linear
    assert np.median(seen[:, 0] / seen[:, 1]) > 1.15 * skin[0] / skin[1]
    assert any("not black and white" in note for note in result.notes)


def test_what_the_mask_hides_is_not_taken(painted, photograph):
    view = photograph(0)
    image = view.frame.image.copy()
    image[150:260, 150:230] = (0, 0, 255)
    mask = view.mask.copy()
    mask[150:260, 150:230] = 0
    _, result = run(
        painted.head,
        [replace(view, frame=Frame(image), mask=mask)],
        FineSettings(size=256),
        relief=False,
    )
    skin = Atlas.of(painted.head.uv, painted.head.uv_triangles, 256).part(painted.head, "skin")
    picture = result.maps.albedo_srgb.astype(int)[skin]
    assert (picture[:, 2] < picture[:, 0]).all()


def test_a_head_without_masks_or_names_works():
    head = tiny_head()
    T = np.diag([1.0, -1.0, -1.0, 1.0])
    T[2, 3] = 0.5
    camera = Camera(96, 96, 150.0, (48.0, 48.0), "user")
    state = FaceState(head.zero(), T, camera)
    view = View(
        Frame(np.full((96, 96, 3), (180, 140, 120), np.uint8)),
        Track(np.zeros((5, 2)), np.zeros(5)),
        state,
        head.evaluate(Coefficients(np.zeros(4), np.zeros(5))),
        np.zeros((9, 3)),
        np.ones((96, 96)),
    )
    _, result = run(head, [view], FineSettings(size=128))
    assert np.isfinite(result.maps.normal).all()
    assert result.maps.albedo_srgb.min() > 0
