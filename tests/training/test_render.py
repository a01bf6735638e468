from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.face.model import load_head
from hrn_studio.geometry.transforms import apply, project, rigid, rotation_from_angles
from hrn_studio.records import Camera
from hrn_studio.training import hair, sample
from hrn_studio.training.chart import chart_texels
from hrn_studio.training.covers import Cover, draw_cover
from hrn_studio.training.eyes import eye_closing, sunken
from hrn_studio.training.glasses import draw_glasses
from hrn_studio.training.light import SCATTER, Lamp, ShadowMap, diffuse
from hrn_studio.training.photograph import defocused, photograph
from hrn_studio.training.render import COVER, HAIR, draw_person, picture, render_sample
from hrn_studio.training.stage import make_stage
from hrn_studio.training.variety import COVERS, LIGHTS, Extras, Variety, draw_setting


@pytest.fixture(scope="module")
def stage():
    return make_stage(load_head(), columns=256)


def test_a_picture_follows_from_its_generator(stage):
    first, again, other = (
        render_sample(stage, np.random.default_rng(s), size=96) for s in (3, 3, 4)
    )
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.vertices, again.vertices)
    assert (first.image != other.image).mean() > 0.5


def test_the_truth_agrees_with_itself(stage):
    shown = render_sample(stage, np.random.default_rng(8), size=128)
    head = stage.head
    posed = apply(shown.T_camera_head, head.evaluate(shown.coefficients))
    np.testing.assert_allclose(shown.vertices, posed, atol=1e-6)
    # The surface point that a pixel is said to show projects into that pixel.
    rows, columns = np.nonzero(shown.triangle >= 0)
    corners = shown.vertices[head.triangles[shown.triangle[rows, columns]]]
    points = np.einsum("pk,pkd->pd", shown.barycentric[rows, columns], corners)
    expected = np.column_stack([columns, rows]) + 0.5
    np.testing.assert_allclose(project(points, shown.camera), expected, atol=0.01)


def test_the_face_is_in_the_picture_and_the_right_way_round(stage):
    shown = render_sample(stage, np.random.default_rng(11), size=160, flaws=0)
    eyes = [
        project(shown.vertices[e.vertices].mean(axis=0)[None], shown.camera)[0]
        for e in stage.head.eyes
    ]
    assert eyes[0][0] > eyes[1][0], "the subject's left is on the picture's right"
    low = shown.vertices[stage.head.mean[:, 1].argmin()][None]
    assert project(low, shown.camera)[0][1] > eyes[0][1]
    face = project(sample.face_points(stage.head, shown.vertices), shown.camera)
    assert face.min() > -20
    assert face.max() < 180


def test_the_crop_is_a_crop_of_the_webcam(stage):
    rng = np.random.default_rng(2)
    webcam = sample.draw_webcam(rng)
    T = sample.draw_pose(rng, webcam)
    points = apply(T, sample.face_points(stage.head, stage.head.mean))
    crop = sample.crop_camera(rng, points, webcam, 200)
    scale = crop.focal_px / webcam.focal_px
    offset = np.array(crop.center_px) - scale * np.array(webcam.center_px)
    np.testing.assert_allclose(project(points, crop), scale * project(points, webcam) + offset)


def test_draws_stay_within_their_limits(stage):
    head = stage.head
    drawn = [sample.draw_coefficients(np.random.default_rng(s), head) for s in range(300)]
    expressions = np.array([d.expression for d in drawn])
    assert expressions.min() >= 0
    assert expressions.max() <= 1
    names = np.array(head.expression_names)
    look = np.char.startswith(names, "eyeLook")
    blink = np.char.startswith(names, "eyeBlink")
    neutral = (expressions[:, ~(look | blink)] == 0).all(axis=1)
    assert 0.5 < neutral.mean() < 0.7
    assert 0.06 < (expressions[:, blink].max(axis=1) > 0.1).mean() < 0.2
    assert (expressions[:, blink].min(axis=1) > 0.95).any(), "nobody closes the eyes"
    jaw, close = (expressions[:, head.expression_names.index(n)] for n in ("jawOpen", "mouthClose"))
    assert np.all(close <= jaw)
    identities = np.array([d.identity for d in drawn])
    assert abs(identities.mean()) < 0.02
    assert identities.std() == pytest.approx(1, abs=0.03)


def test_the_chart_knows_what_it_colours(stage):
    chart = stage.chart
    rows, columns = chart.shape
    lips = stage.head.regions["lips"] > 0.9
    texels = np.floor(stage.chart.texels[lips]).astype(int)
    assert np.median(chart.regions["lips"][texels[:, 1], texels[:, 0]]) > 0.8
    visible = chart.flatness > 0.9
    placed = chart_texels(chart.position[visible], rows, columns)
    expected = np.argwhere(visible)[:, ::-1] + 0.5
    assert np.median(np.linalg.norm(placed - expected, axis=1)) < 0.2
    nose = chart.at(np.array([[0.0, -0.04]]))[0]
    assert nose[0] == pytest.approx(columns / 2, abs=1)


def test_creases_see_less_of_the_sky_than_the_forehead(stage):
    sky, mean = stage.occlusion, stage.head.mean
    assert 0 <= sky.min() <= sky.max() <= 1
    forehead = (np.abs(mean[:, 0]) < 0.03) & (mean[:, 1] > 0.03) & (mean[:, 2] > 0)
    assert sky[forehead].mean() > 0.9
    assert sky[stage.head.regions["inner_mouth"] > 0.9].mean() < 0.3


@pytest.mark.parametrize("kind", ["cropped", "short", "long"])
def test_hair_is_outside_the_skull_and_off_the_face(stage, kind):
    rng = np.random.default_rng(6)
    cut = hair.draw_cut(rng, kind, 0.2)
    shell = hair.grow(rng, stage.head, stage.roots, cut, stage.head.mean)
    assert np.isfinite(shell.vertices).all()
    top = shell.vertices[shell.vertices[:, 1] > 0.06]
    skull = stage.head.mean[stage.head.mean[:, 1] > 0.0]
    assert np.linalg.norm(top - hair.CENTER, axis=1).min() > 0.07
    assert top[:, 1].max() > skull[:, 1].max()
    _, alpha = hair.paint_hair(rng, cut, stage.roots, np.array([0.1, 0.1, 0.1]))
    front, brow_level = alpha.shape[1] // 2, 0.66
    assert alpha[: round(0.05 * len(alpha)), front].mean() > 0.3
    assert alpha[round(brow_level * len(alpha)) :, front].max() == 0


def test_hair_is_marked_in_the_parts(stage):
    parts = [render_sample(stage, np.random.default_rng(s), size=64).part for s in range(8)]
    assert sum((p == HAIR).any() for p in parts) >= 4


def test_a_shadow_falls_behind_what_casts_it():
    plate = np.array([[-0.1, -0.1, 0.5], [0.1, -0.1, 0.5], [0.1, 0.1, 0.5], [-0.1, 0.1, 0.5]])
    wall = plate * [3, 3, 1] + [0, 0, 0.2]
    vertices = np.concatenate([plate, wall]).astype(np.float32)
    triangles = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]], np.int32)
    lamp = Lamp(np.array([0, 0, -1], np.float32), np.ones(3, np.float32), 0.0)
    points = np.array([[0, 0, 0.7], [0.25, 0, 0.7], [0, 0, 0.5]], np.float32)
    lit = ShadowMap(vertices, triangles, lamp).lit(points)
    assert lit[0] < 0.1
    assert lit[1] > 0.9
    assert lit[2] > 0.9


def test_a_perfect_camera_changes_nothing_but_the_encoding():
    scene = np.full((8, 8, 3), 0.2158605, np.float32)
    np.testing.assert_array_equal(photograph(scene, np.random.default_rng(0), 0.0), 128)


def test_lashes_stand_on_the_lids(stage):
    head = stage.head
    assert [(m.eye, m.upper) for m in stage.margins] == [
        (0, True),
        (0, False),
        (1, True),
        (1, False),
    ]
    for margin in stage.margins:
        eye = head.eyes[margin.eye]
        away = head.mean[margin.vertices] - eye.center
        assert len(margin.vertices) > 6
        assert np.abs(np.linalg.norm(away, axis=1) - eye.radius).max() < 0.004
        assert (away[:, 1].mean() > 0) == margin.upper


def test_glasses_sit_before_the_eyes_and_reach_the_ears(stage):
    head = stage.head
    centers = head.eye_centers(np.zeros(head.identity_count))
    vertices, triangles = draw_glasses(np.random.default_rng(1), centers, 0.015)
    assert triangles.max() < len(vertices)
    assert vertices[:, 2].max() > head.mean[head.eyes[0].vertices, 2].max() + 0.008
    ears = head.mean[head.regions["ears"] > 0.5]
    assert ears[:, 2].min() < vertices[:, 2].min() < ears[:, 2].max() + 0.01
    np.testing.assert_allclose(vertices[:, 0].max(), -vertices[:, 0].min(), atol=1e-4)


def test_lids_on_the_way_do_not_show_the_pupil_through(stage):
    head = stage.head
    half = head.weights({"eyeBlinkLeft": 0.5})
    coefficients = replace(head.zero(), expression=half)
    posed = head.evaluate(coefficients)
    drawn = sunken(head, posed, coefficients, eye_closing(head, coefficients))
    left, right = head.eyes
    reach = np.linalg.norm(drawn[left.vertices] - left.center, axis=1)
    assert reach.max() <= left.radius
    np.testing.assert_array_equal(drawn[right.vertices], posed[right.vertices])


def test_variety_leaves_the_rest_of_a_picture_as_it_was(stage):
    plain, none = (
        render_sample(stage, np.random.default_rng(5), size=96, variety=v)
        for v in (None, Variety(0, 0, 0, 0))
    )
    np.testing.assert_array_equal(plain.image, none.image)
    varied = render_sample(stage, np.random.default_rng(5), size=96, variety=Variety(1, 1, 0, 0))
    np.testing.assert_array_equal(varied.coefficients.identity, plain.coefficients.identity)
    np.testing.assert_array_equal(varied.T_camera_head, plain.T_camera_head)
    assert varied.kinds[0] > 0
    assert varied.kinds[1] > 0
    assert plain.kinds == (0, 0, 0)


def test_a_portrait_lens_is_further_away_and_blurs_the_room(stage):
    far = render_sample(stage, np.random.default_rng(5), size=96, variety=Variety(0, 0, 0, 1))
    assert far.kinds == (0, 0, 1)
    assert far.T_camera_head[2, 3] > 1.0
    depth = np.full((40, 40), np.inf, np.float32)
    depth[10:30, 10:30] = 1.5
    layers = np.zeros((40, 40, 4), np.float32)
    layers[10:30, 10:30] = 1
    noise = np.random.default_rng(0).random((40, 40, 3), np.float32)
    camera = Camera(40, 40, 400.0, (20, 20))
    shown = defocused(layers, noise, depth, camera, 0.05)
    assert shown[:5].std() < 0.3 * noise[:5].std()
    np.testing.assert_allclose(shown[18:22, 18:22], 1, atol=0.02)
    sharp = defocused(layers, noise, depth, camera, 0.0)
    np.testing.assert_allclose(sharp[:5], noise[:5], atol=0.02)


@pytest.mark.parametrize("kind", COVERS[1:])
def test_what_is_in_front_of_the_face_is_in_front_of_it(stage, kind):
    head = stage.head
    normals = stage.normals(head.mean)
    tone = np.array([0.4, 0.25, 0.2], np.float32)
    prop = draw_cover(Cover(kind, 4), head, head.mean, normals, tone)
    assert prop.triangles.max() < len(prop.vertices)
    assert np.isfinite(prop.vertices).all()
    assert prop.albedo.shape == prop.vertices.shape
    assert 0 < prop.albedo.min() <= prop.albedo.max() < 1
    reach = np.linalg.norm(prop.vertices[:, None] - head.mean[::40][None], axis=2).min()
    assert reach < 0.03, "it touches the head, or nearly"
    both = draw_cover(Cover(kind, 4), head, head.mean, normals, tone)
    np.testing.assert_array_equal(prop.vertices, both.vertices)


def test_a_mask_covers_the_mouth(stage):
    shown = picture(
        stage,
        np.random.default_rng(2),
        draw_person(np.random.default_rng(3), stage),
        stage.head.zero(),
        rigid(rotation_from_angles(0, 0, 0), np.array([0.0, 0, 0.6])),
        Camera(128, 128, 330.0, (64, 64)),
        extras=Extras(cover=Cover("mask", 1), cover_kind=2),
    )
    lips = stage.head.regions["lips"] > 0.9
    at = np.floor(project(shown.vertices[lips], shown.camera)).astype(int)
    assert (shown.part[at[:, 1], at[:, 0]] == COVER).mean() > 0.95
    every = np.arange(stage.head.vertex_count)
    eyes = np.concatenate([every[e.vertices] for e in stage.head.eyes])
    at = np.floor(project(shown.vertices[eyes], shown.camera)).astype(int)
    assert (shown.part[at[:, 1], at[:, 0]] == COVER).mean() < 0.05


@pytest.mark.parametrize("kind", LIGHTS[1:])
def test_every_light_lights_the_face(stage, kind):
    lights = draw_setting(np.random.default_rng(3), kind)
    towards = np.array([[0.0, 0.0, -1.0], [0.0, -1.0, 0.0]])
    received = diffuse(towards, lights, [np.ones(2)] * len(lights.lamps), np.ones(2), SCATTER)
    assert received.min() > 0
    for lamp in lights.lamps:
        assert np.linalg.norm(lamp.direction) == pytest.approx(1, abs=1e-5)


def test_hair_is_restyled_in_many_ways(stage):
    cut = hair.draw_cut(np.random.default_rng(0), "long", 0.2)
    found = [hair.restyled(np.random.default_rng(k), cut) for k in range(60)]
    assert any(c is cut for c in found)
    curly = [c for c in found if c.curls]
    cloth = [c for c in found if c.cloth]
    tied = [c for c in found if not c.curls and not c.cloth and not c.hanging]
    assert curly
    assert tied
    assert len({c.hanging > 0 for c in cloth}) == 2, "caps and headscarves"
    for one in (curly[0], cloth[0], tied[0]):
        shell = hair.grow(np.random.default_rng(1), stage.head, stage.roots, one, stage.head.mean)
        assert np.isfinite(shell.vertices).all()
        albedo, alpha = hair.paint_hair(
            np.random.default_rng(1), one, stage.roots, np.array([0.1, 0.1, 0.1])
        )
        assert 0 < albedo.min() <= albedo.max() < 1
        assert 0 <= alpha.min() < alpha.max() <= 1
    bald = [hair.restyled(np.random.default_rng(k), None) for k in range(60)]
    assert all(c is None or c.cloth for c in bald)
