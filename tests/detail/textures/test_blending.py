"""Judging, mixing, cleaning and completing, on small made-up textures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.detail.albedo import cleaned, repairable, skin_only
from hrn_studio.detail.atlas import Atlas
from hrn_studio.detail.blending import blend
from hrn_studio.detail.completion import complete
from hrn_studio.detail.groundwork import Groundwork, hardness
from hrn_studio.detail.sampling import accumulate, pixels_per_texel, pyramid
from hrn_studio.detail.sight import look
from hrn_studio.records import Camera

SKIN = np.array([0.42, 0.25, 0.18])


@pytest.fixture(scope="module")
def work(head):
    return Groundwork.begin(head, head.mean, 256)


def skin_picture(work):
    return np.tile(SKIN.astype(np.float32), (work.small.size, work.small.size, 1))


# --- reading pictures ---


def test_a_ramp_is_read_where_it_projects():
    size = 32
    square = np.array([[-0.1, 0.1, 1], [0.1, 0.1, 1], [0.1, -0.1, 1], [-0.1, -0.1, 1]])
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    atlas = Atlas.of(uv, triangles, size)
    camera = Camera(64, 64, 320.0, (32.0, 32.0))
    image = np.zeros((64, 64, 3), np.uint8)
    image[...] = np.linspace(40, 200, 64)[None, :, None]
    corners = square[triangles].astype(np.float32)
    footprint = pixels_per_texel(corners, uv[triangles], camera, size)
    np.testing.assert_allclose(footprint, 2.0, rtol=1e-5)
    total, weight = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    ones = np.ones((size, size), np.float32)
    accumulate(
        pyramid(image, (0, 0, 64, 64), 1),
        camera,
        atlas.triangle,
        atlas.barycentric,
        corners,
        footprint,
        2 * np.ones((size, size, 3), np.float32),
        0.5 * ones,
        total,
        weight,
    )
    np.testing.assert_allclose(weight, 0.5)
    value = image[0, :, 0] / 255.0
    linear = ((value + 0.055) / 1.055) ** 2.4
    np.testing.assert_allclose(
        total[16, 2:-2, 0], linear[::2][2:-2] / 2 + linear[1::2][2:-2] / 2, rtol=0.01
    )


def sight(view, work, painted):
    head = painted.head
    return look(
        view,
        painted.normals,
        work.small,
        head.triangles,
        head.uv[head.uv_triangles],
        work.skin_triangles,
        work.zones.edges,
    )


def test_trust_ends_where_the_head_turns_away_and_where_the_mask_says(work, painted, photograph):
    view = photograph(40)
    seen = sight(view, work, painted)
    half = work.small.size // 2
    face = work.zones.plain > 0.5
    right, left = seen.trust[:, :half][face[:, :half]], seen.trust[:, half:][face[:, half:]]
    assert right.mean() > 2 * left.mean()
    assert not seen.trust[~work.zones.skin].any()
    blind = sight(replace(view, mask=0 * view.mask), work, painted)
    assert not blind.trust.any()
    assert not blind.colour.any()


def test_colour_under_even_light_is_albedo(work, painted, photograph, sun):
    seen = sight(photograph(0, sun(around=1.0, direct=0.0), noise=0.0), work, painted)
    where = (work.zones.plain > 0.9) & (work.zones.open > 0.98) & (seen.trust > 0.9)
    truth = painted.albedo.reshape(256, 2, 256, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(np.median(seen.colour[where] / truth[where]), 1, atol=0.02)


# --- mixing ---


def test_two_gains_are_matched_and_the_mean_kept():
    rng = np.random.default_rng(0)
    texture = (0.3 * np.exp(0.1 * rng.normal(size=(128, 128, 1)))).repeat(3, 2).astype(np.float32)
    ramp = np.linspace(0, 1, 128, dtype=np.float32)[None].repeat(128, axis=0)
    mix = blend([1.2 * texture, texture / 1.2], [np.ones((128, 128))] * 2, [ramp, 1 - ramp])
    steps = np.abs(np.diff(np.log(mix.albedo[..., 0]), axis=1)).mean(axis=0)
    assert steps[60:67].max() < 1.5 * steps.mean()
    np.testing.assert_allclose(np.sum(mix.weights, axis=0), 1, atol=1e-5)


def test_a_feature_seen_twice_is_drawn_once():
    one, two = (np.full((128, 128, 3), 0.3, np.float32) for _ in range(2))
    one[:, 60:63] = 0.1
    two[:, 66:69] = 0.1
    trust = [np.ones((128, 128), np.float32)] * 2
    mix = blend([one, two], trust, [1.2 * trust[0], trust[0]])
    dark = mix.albedo[64, :, 0] < 0.2
    assert 2 <= dark.sum() <= 4


def test_one_odd_picture_among_three_is_outvoted():
    good = np.full((64, 64, 3), 0.3, np.float32)
    odd = good.copy()
    odd[20:40, 20:40] = 0.05
    trust = [np.ones((64, 64), np.float32)] * 3
    mix = blend([odd, good, good], trust, [1.5 * trust[0], trust[0], trust[0]])
    assert mix.albedo[30, 30, 0] > 0.2


# --- cleaning ---


def test_plain_skin_is_left_as_it_is(work):
    albedo = skin_picture(work)
    seen = (work.zones.face > 0.2).astype(np.float32)
    result = cleaned(albedo, seen, work.zones, work.mirror, SKIN, work.texel_m)
    np.testing.assert_allclose(result[seen > 0] / SKIN, 1, atol=0.01)


def test_shine_goes_and_a_mole_stays(work):
    albedo = skin_picture(work)
    rows, columns = np.mgrid[:256, :256]
    shine = np.exp(-((rows - 60) ** 2 + (columns - 128) ** 2) / 10**2)[..., None]
    albedo += (0.4 * shine).astype(np.float32)
    mole = (rows - 150) ** 2 + (columns - 90) ** 2 <= 2
    albedo[mole] *= (0.5, 0.35, 0.25)
    seen = (work.zones.face > 0.2).astype(np.float32)
    assert seen[60, 128]
    assert seen[150, 90]
    result = cleaned(albedo, seen, work.zones, work.mirror, SKIN, work.texel_m)
    assert result[60, 128, 2] < 0.3 * (albedo[60, 128, 2] - SKIN[2]) + SKIN[2]
    assert result[150, 90, 1] < 0.6 * SKIN[1]


def test_a_shadow_on_one_side_is_lifted(work):
    albedo = skin_picture(work)
    albedo[120:170, 150:190] *= 0.6
    seen = (work.zones.face > 0.2).astype(np.float32)
    result = cleaned(albedo, seen, work.zones, work.mirror, SKIN, work.texel_m)
    assert result[145, 170, 1] > 0.88 * result[145, 85, 1]


def clean_of(work, albedo):
    seen = (work.zones.face > 0.2).astype(np.float32)
    return cleaned(albedo, seen, work.zones, work.mirror, SKIN, work.texel_m)


def test_a_nose_has_no_black_underside(work):
    albedo = skin_picture(work)
    under = (work.zones.nose > 0.5) & (work.zones.open < 0.75) & (work.zones.face > 0.5)
    assert under.sum() > 30
    albedo[under] *= 0.1
    clean = clean_of(work, albedo)
    assert np.median(clean[under][:, 1]) > 0.5 * SKIN[1]
    assert repairable(albedo, clean)[under].max() < 0.1, "nothing is left to be brightened"


def test_a_moustache_stays(work):
    albedo = skin_picture(work)
    rows, columns = np.mgrid[: work.small.size, : work.small.size]
    lips = np.argwhere(work.zones.lips > 0.5)
    top, middle = lips[:, 0].min(), lips[:, 1].mean()
    hair = (rows > top - 12) & (rows <= top) & (np.abs(columns - middle) < 30)
    hair &= (work.zones.nose < 0.05) & (work.zones.lips < 0.05)
    rough = np.random.default_rng(0).choice([0.12, 0.5], size=hair.sum())
    albedo[hair] *= rough[:, None].astype(np.float32)
    clean = clean_of(work, albedo)
    assert np.mean(clean[hair][:, 1]) < 0.6 * SKIN[1]


def test_a_smear_of_hair_on_the_forehead_is_not_trusted(work):
    albedo, zone = skin_picture(work), work.zones
    rows, columns = np.mgrid[:256, :256]
    forehead = np.argwhere(zone.above * zone.plain > 0.9)
    row, column = forehead[len(forehead) // 2]
    away = np.hypot(rows - row, columns - column) * work.texel_m
    albedo *= np.exp(-0.4 * np.exp(-((away / 0.008) ** 2)))[..., None].astype(np.float32)
    trust = (zone.face > 0.5).astype(np.float32)
    kept = skin_only(albedo, trust, zone, work.texel_m)
    assert kept[row, column] < 0.3
    far = (away > 0.04) & (zone.plain > 0.9)
    assert kept[far].min() > 0.9


def test_wet_lights_on_the_lips_go(work):
    albedo = skin_picture(work)
    red = work.zones.lips[..., None] * np.float32((0.3, 0.6, 0.55))
    albedo *= 1 - red
    spots = np.argwhere(work.zones.lips > 0.9)[::9]
    wet = albedo.copy()
    wet[spots[:, 0], spots[:, 1]] = 0.6
    clean, dry = clean_of(work, wet), clean_of(work, albedo)
    at = (spots[:, 0], spots[:, 1])
    assert np.median(clean[at][:, 1] / dry[at][:, 1]) < 2
    assert repairable(albedo, dry).min() > 0.99


# --- completing ---


def test_the_unseen_side_is_the_mirrored_one(head, work):
    albedo, half = skin_picture(work), work.small.size // 2
    albedo[100:110, 60:70] *= 0.5
    seen = (work.zones.face > 0.2).astype(np.float32)
    seen[:, half + 4 :] = 0
    albedo *= seen[..., None]
    recipe = complete(head, work.small, work.mirror, albedo, seen, seen, work.zones, SKIN)
    inner = np.zeros(seen.shape, bool)
    inner[:, half + 20 :] = True
    inner &= work.zones.plain > 0.9
    assert inner.sum() > 1000
    assert recipe.from_mirror[inner].min() > 0.9
    np.testing.assert_allclose(recipe.mirror_gain[inner], 1, atol=0.03)


def test_what_is_invented_has_the_colour_of_what_is_seen(head, work):
    albedo, seen = skin_picture(work), (work.zones.face > 0.8).astype(np.float32)
    albedo *= seen[..., None]
    recipe = complete(head, work.small, work.mirror, albedo, seen, seen, work.zones, SKIN)
    bare = work.zones.skin & (work.zones.lips < 0.01) & (work.zones.inner < 0.01)
    np.testing.assert_allclose(recipe.base[bare] / SKIN, 1, atol=0.05)


def test_dark_hair_at_the_rim_lends_no_colour(head, work):
    zone, albedo = work.zones, skin_picture(work)
    rows = np.mgrid[:256, :256][0]
    forehead = zone.above * zone.plain > 0.5
    top = np.percentile(np.nonzero(forehead)[0], 60)
    seen = ((zone.plain > 0.1) & (rows > top)).astype(np.float32)
    albedo[(seen > 0) & (rows < top + 3)] *= 0.7
    quality = seen.copy()
    parts = (head, work.small, work.mirror, albedo, seen, quality, zone, SKIN)
    recipe = complete(*parts)
    beyond = forehead & (rows < top - 2) & (rows > top - 12)
    assert np.median(recipe.base[beyond][:, 1]) > 0.9 * SKIN[1]
    rim = forehead & (rows > top) & (rows < top + 2)
    shown = recipe.seen + (1 - recipe.seen) * recipe.from_mirror
    assert np.median(shown[rim]) < 0.6
    inner = (zone.plain > 0.95) & (rows > top + 20) & (zone.face > 0.95)
    assert np.median(recipe.seen[inner]) > 0.95


def test_seen_skin_ends_softly_but_not_at_eyes_and_mouth(head, work):
    zone, albedo = work.zones, skin_picture(work)
    rows = np.mgrid[:256, :256][0]
    forehead = zone.above * zone.plain > 0.5
    top = int(np.percentile(np.nonzero(forehead)[0], 60))
    seen = ((zone.plain > 0.1) & (rows >= top)).astype(np.float32)
    seen[zone.edges > 0.5] = (zone.face > 0.5)[zone.edges > 0.5]
    recipe = complete(head, work.small, work.mirror, albedo, seen, seen, zone, SKIN)
    shown = recipe.seen + (1 - recipe.seen) * recipe.from_mirror
    middle = int(np.median(np.nonzero(forehead)[1]))
    steps = np.abs(np.diff(shown[top - 6 : top + 14, middle - 5 : middle + 6].mean(axis=1)))
    assert steps.max() < 0.6
    sharp = (zone.edges > 0.95) & (zone.plain < 0.01) & (seen > 0) & (zone.inner < 0.01)
    assert recipe.seen[sharp].min() > 0.95


def test_lips_seen_on_one_side_lend_their_colour_to_the_other(head, work):
    albedo, half = skin_picture(work), work.small.size // 2
    lips = work.zones.lips[..., None]
    albedo = np.asarray(albedo * (1 - lips * np.float32((0.2, 0.5, 0.45))), np.float32)
    seen = (work.zones.face > 0.2).astype(np.float32)
    seen[:, half - 10 :] = 0  # the middle itself is seen by nobody
    mouth = work.zones.lips > 0.9
    usual = np.median(albedo[mouth & (seen > 0)], axis=0)
    recipe = complete(
        head, work.small, work.mirror, albedo * seen[..., None], seen, seen, work.zones, SKIN
    )
    ratio = recipe.base[mouth] / usual
    assert ratio.min() > 0.6
    assert ratio.max() < 1.5


def test_hard_light_takes_the_red_pores_but_not_the_mole(work):
    albedo = skin_picture(work)
    cheek = np.argwhere((work.zones.plain > 0.95) & (work.zones.skin))[200]
    rows, columns = np.mgrid[: work.small.size, : work.small.size]
    away = np.hypot(rows - cheek[0], columns - cheek[1]) * work.texel_m
    pores = (away < 0.015) * np.random.default_rng(2).normal(0, 0.25, away.shape)
    speckled = albedo * np.exp(pores[..., None] * np.float32((1, 0, -1)))
    seen = (work.zones.face > 0.2).astype(np.float32)
    middle = (away < 0.008) & (work.zones.plain > 0.9)

    def roughness(hard: float) -> float:
        clean = cleaned(speckled, seen, work.zones, work.mirror, SKIN, work.texel_m, hard)
        return float(np.std(np.log(clean[middle][:, 0] / clean[middle][:, 2])))

    assert roughness(1.0) < 0.4 * roughness(0.0)
    plain = cleaned(albedo, seen, work.zones, work.mirror, SKIN, work.texel_m)
    same = cleaned(albedo, seen, work.zones, work.mirror, SKIN, work.texel_m, 1.0)
    np.testing.assert_allclose(same, plain, rtol=1e-4)


def test_a_lamp_from_the_side_is_hard_light(work, painted, photograph, sun):
    def seen(light):
        return sight(photograph(light=light), work, painted)

    soft = seen(sun(around=0.8, direct=0.3))
    hard = seen(sun(towards=(1.0, -0.1, 0.1), around=0.08, direct=1.0))
    assert hardness([soft], work.zones) == 0
    assert hardness([hard], work.zones) > 0.5
    assert hardness([soft, hard], work.zones) > 0.5
