from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.detail.light import LUMINANCE, estimate, plausible_skin, soft_floor
from hrn_studio.detail.occlusion import Hidden, openness, transfer
from hrn_studio.detail.shading import sh_basis, shade
from hrn_studio.geometry.transforms import AXES_CAMERA_HEAD

SKIN = np.array([0.42, 0.25, 0.18])


def dome(size=24):
    """Normals of a half ball that faces the lens, (size, size, 3), camera frame, and its inside."""
    x, y = np.meshgrid(*2 * [np.linspace(-1, 1, size)])
    inside = x * x + y * y < 0.9
    z = -np.sqrt(np.clip(1 - x * x - y * y, 0, 1))
    return np.stack([x, y, z], -1), inside.astype(np.float32)


def terms(normals):
    flat = normals.reshape(-1, 3)
    nothing = Hidden(np.eye(3), np.zeros((len(flat), 3), bool))
    return transfer(flat, nothing, np.eye(3)).reshape(*normals.shape[:2], 9, 3)


def lamp(towards, around=0.8, direct=0.4):
    light = np.zeros((9, 3))
    light[0] = around / 0.282095
    basis = sh_basis(np.asarray(towards) / np.linalg.norm(towards))
    basis[4:] *= 0.3
    return light + direct * np.pi * basis[:, None]


@pytest.fixture(scope="module")
def scene():
    normals, inside = dome()
    mirror = np.arange(inside.size, dtype=np.int32).reshape(inside.shape)[:, ::-1]
    return normals, inside, terms(normals), np.ascontiguousarray(mirror)


def test_nothing_hidden_is_plain_shading(scene):
    normals, _, answer, _ = scene
    light = lamp((1, -1, -1))
    expected = shade(normals, light)
    np.testing.assert_allclose(np.einsum("abkc,kc->abc", answer, light), expected, atol=1e-5)


def test_light_is_found_on_even_skin(scene):
    normals, inside, answer, mirror = scene
    light = lamp((0.8, -0.5, -1))
    colour = SKIN * np.clip(shade(normals, light), 0, None)
    found = estimate([colour], [inside], [answer], mirror)
    ratio = (shade(normals, found.lights[0]) / shade(normals, light))[inside > 0]
    assert np.std(ratio / ratio.mean(axis=0)) < 0.02


def test_highlights_and_marks_do_not_fool_it(scene):
    normals, inside, answer, mirror = scene
    light = lamp((0.8, -0.5, -1))
    colour = SKIN * np.clip(shade(normals, light), 0, None)
    rng = np.random.default_rng(0)
    colour[rng.random(inside.shape) < 0.1] += 0.5
    colour[rng.random(inside.shape) < 0.05] *= 0.3
    found = estimate([colour], [inside], [answer], mirror)
    ratio = (shade(normals, found.lights[0]) / shade(normals, light))[inside > 0]
    assert np.std(ratio / ratio.mean(axis=0)) < 0.05


def test_two_pictures_tell_a_stain_from_a_shadow(scene):
    normals, inside, answer, mirror = scene
    stain = np.where(normals[..., 0] > 0.2, 0.7, 1.0)[..., None]
    lights = [lamp((1, 0, -0.6)), lamp((-1, 0, -0.6))]
    colours = [SKIN * stain * np.clip(shade(normals, k), 0, None) for k in lights]
    found = estimate(colours, [inside] * 2, [answer] * 2, mirror)
    for one, light in zip(found.lights, lights, strict=True):
        assert one[3, 1] * light[3, 1] > 0


def test_without_white_balance_light_is_grey(scene):
    normals, inside, answer, mirror = scene
    colour = SKIN * (1.3, 1.0, 0.6) * shade(normals, lamp((0, 0, -1)))
    found = estimate([colour], [inside], [answer], mirror, white_balance=False)
    assert np.ptp(found.lights[0, 0]) < 1e-5
    assert found.skin[0] / found.skin[2] > 1.5 * SKIN[0] / SKIN[2] / 1.2


def test_nothing_to_see_still_gives_light(scene):
    _, inside, answer, mirror = scene
    found = estimate([np.zeros((*inside.shape, 3))], [0 * inside], [answer], mirror)
    assert np.isfinite(found.lights).all()
    assert np.isfinite(found.skin).all()


@pytest.mark.parametrize("seen", [(0.3, 0.3, 0.3), (0.5, 0.2, 0.05), (0.02, 0.02, 0.03)])
def test_skin_is_believed_to_be_skin(seen):
    red, green, blue = plausible_skin(np.array(seen))
    assert red > green > blue
    assert 1.2 < red / green < 2.4


def test_brighter_skin_stays_brighter():
    tones = [plausible_skin(SKIN * k) @ LUMINANCE for k in (0.2, 0.5, 1.0, 1.5)]
    assert np.diff(tones).min() > 0


def test_a_soft_floor_keeps_light_and_stops_darkness():
    values = np.array([-1.0, 0.0, 0.1, 1.0, 2.0])
    result = soft_floor(values, 0.05)
    assert result.min() > 0
    assert np.diff(result).min() > 0
    np.testing.assert_allclose(result[-2:], values[-2:], rtol=0.01)


def test_the_head_hides_light_from_its_own_folds(painted):
    head = painted.head
    share = openness(painted.normals, painted.hidden)
    assert share.min() >= 0
    assert share.max() <= 1
    forehead, mouth = head.regions["forehead"] > 0.9, head.regions["inner_mouth"] > 0.9
    assert share[forehead].mean() > 0.95
    assert share[mouth].mean() < 0.3
    light = np.zeros((9, 3))
    light[0] = 1 / 0.282095
    lit = np.einsum(
        "vkc,kc->vc", transfer(painted.normals, painted.hidden, AXES_CAMERA_HEAD), light
    )
    np.testing.assert_allclose(lit[forehead].mean(), 1, atol=0.05)
    assert lit[mouth, 0].mean() > lit[mouth, 2].mean()
