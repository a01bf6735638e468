"""What the baked head must be, whatever it was baked from."""

import numpy as np
import pytest

from hrn_studio import paths
from hrn_studio.face.model import load_head
from hrn_studio.geometry import mesh, uv
from hrn_studio.geometry.raster import rasterize
from hrn_studio.records import Camera, Coefficients

MM = 0.001
PARTS = ("skin", "tongue", "eye_left", "eye_right", "teeth_upper", "teeth_lower")


@pytest.fixture(scope="module")
def head():
    return load_head()


def seen_parts(head, vertices, center, yaw_deg=0.0, size_mm=60, pixel_mm=0.1):
    """Part number per pixel, -1 for none, looking at ``center`` from 60 cm."""
    turn = np.radians(yaw_deg)
    rotation = np.array(
        [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    )
    points = (vertices - center) @ rotation.T * [1, -1, -1] + [0, 0, 0.6]
    size = int(size_mm / pixel_mm)
    camera = Camera(size, size, 0.6 / (pixel_mm * MM), (size / 2, size / 2))
    seen = rasterize(points, head.triangles, camera, back_faces=True).triangle
    return np.where(seen >= 0, head.triangle_part[seen].astype(int), -1)


def people(head, count, weights=None, seed=7):
    random = np.random.default_rng(seed)
    expression = head.weights(weights or {})
    yield Coefficients(np.zeros(head.identity_count), expression)
    for _ in range(count):
        yield Coefficients(random.normal(size=head.identity_count), expression)


def test_the_file_is_small():
    assert (paths.resources() / "head.npz").stat().st_size < 5e6


def test_sizes_and_names(head):
    assert head.part_names == PARTS
    assert head.identity_count >= 80
    assert head.expression_count == len(set(head.expression_names)) == 52
    regions = "face lips nose nostrils ears neck scalp inner_mouth brows forehead chin jaw cheeks"
    lids = {f"lid_{a}_{b}" for a in ("upper", "lower") for b in ("left", "right")}
    assert set(regions.split()) | lids <= set(head.regions)
    for mask in head.regions.values():
        assert 0 <= mask.min() < mask.max() <= 1


def test_everything_is_finite(head):
    for array in (head.mean, head.identity, head.expression, head.uv):
        assert np.isfinite(array).all()


def test_the_frame_is_the_one_of_the_records(head):
    left, right = (e.center for e in head.eyes)
    np.testing.assert_allclose(left + right, 0, atol=1e-6)
    assert 0.055 < left[0] - right[0] < 0.070
    nose = head.mean[head.regions["nose"] > 0.5]
    assert nose[:, 2].max() == pytest.approx(head.mean[:, 2].max())
    assert head.mean[head.regions["scalp"] > 0.5][:, 1].max() > 0.08


def test_identity_is_in_standard_deviations_of_people(head):
    """Distances between the eyes vary as in adults (3 to 4 mm), face heights by 6 to 8 mm."""
    apart = head.eyes[0].center_identity[:, 0] - head.eyes[1].center_identity[:, 0]
    assert 0.002 < np.linalg.norm(apart) < 0.006
    spread = np.sqrt((head.identity[:, head.regions["face"] > 0.5] ** 2).sum((0, 2)).mean())
    assert 0.003 < spread < 0.009


def test_components_are_symmetric_or_antisymmetric(head):
    mirrored = head.identity[:, head.symmetry] * [-1, 1, 1]
    same = np.abs(mirrored - head.identity).max((1, 2))
    opposite = np.abs(mirrored + head.identity).max((1, 2))
    assert np.minimum(same, opposite).max() < 5e-6


def test_expressions_mirror_each_other(head):
    names = head.expression_names
    for name in ("eyeBlink", "mouthSmile", "browDown", "noseSneer", "jaw"):
        left = head.expression[names.index(f"{name}Left")]
        right = head.expression[names.index(f"{name}Right")]
        np.testing.assert_allclose(left[head.symmetry] * [-1, 1, 1], right, atol=5e-6)


def test_left_is_the_subjects_left(head):
    for name in ("eyeBlinkLeft", "mouthSmileLeft", "browOuterUpLeft"):
        size = np.linalg.norm(head.expression[head.expression_names.index(name)], axis=1)
        assert size @ head.mean[:, 0] > 0


def test_all_parts_but_the_skin_are_closed_and_all_face_outward(head):
    for part in head.part_names:
        triangles = head.triangles[head.part_triangles(part)]
        border = mesh.boundary_edges(triangles)
        assert (len(border) > 0) == (part == "skin")
        p = head.mean[triangles] - head.mean[triangles].mean((0, 1))
        volume = np.einsum("ij,ij->", p[:, 0], np.cross(p[:, 1], p[:, 2]))
        assert volume > 0, part
    neck = head.mean[np.unique(mesh.boundary_edges(head.triangles[head.part_triangles("skin")]))]
    assert neck[:, 1].max() < -0.09  # the only opening is below


def test_no_triangle_is_without_area(head):
    assert mesh.triangle_areas(head.mean, head.triangles).min() > 1e-9
    assert uv.uv_areas(head.uv, head.uv_triangles).min() > 1e-8  # and none is flipped


def test_no_texel_is_used_twice(head):
    texels = uv.texel_map(head.uv, head.uv_triangles, 1024)
    area = uv.uv_areas(head.uv, head.uv_triangles).sum()
    assert texels.covered.mean() == pytest.approx(area, abs=2e-4)
    assert head.uv.min() >= 0.004
    assert head.uv.max() <= 0.996


def test_texture_islands_keep_apart(head):
    size, gutter = 1024, 4  # eight texels of 2048
    texels = uv.texel_map(head.uv, head.uv_triangles, size)
    number = uv.islands(head.uv_triangles, len(head.uv))
    at = np.where(texels.covered, number[texels.triangle], -1)
    for shift in ((0, gutter), (gutter, 0), (gutter, gutter), (gutter, -gutter)):
        moved = np.roll(at, shift, (0, 1))
        assert not ((at >= 0) & (moved >= 0) & (at != moved)).any()


def test_the_face_takes_about_half_of_the_texture(head):
    area = uv.uv_areas(head.uv, head.uv_triangles)
    face = head.regions["face"][head.triangles].mean(1)
    assert 0.45 < area[face > 0.5].sum() < 0.55


def test_the_face_stands_upright_in_the_middle_of_the_texture(head):
    corners = head.uv[head.uv_triangles].mean(1)

    def middle(region):
        return corners[head.regions[region][head.triangles].mean(1) > 0.5].mean(0)

    assert middle("nose")[0] == pytest.approx(0.5, abs=1e-3)
    assert middle("forehead")[1] > middle("nose")[1] > middle("lips")[1] > middle("chin")[1]
    assert middle("lid_upper_left")[0] > 0.55  # the subject's left is to the right, as seen


def test_the_eyes_are_each_others_mirror_image(head):
    left, right = (head.mean[e.vertices] for e in head.eyes)
    assert len(left) == len(right)
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=1e-7)


def test_the_iris_has_its_human_size_in_every_head(head):
    rim = (head.regions["iris"] == 1) & (head.regions["sclera"] == 1)
    for person in people(head, 5):
        vertices = head.evaluate(person)
        for eye, center in zip(head.eyes, head.eye_centers(person.identity), strict=True):
            own = vertices[eye.vertices][rim[eye.vertices]] - center
            diameter = 2 * np.linalg.norm(own[:, :2], axis=1)
            np.testing.assert_allclose(diameter, head.iris_diameter, atol=2e-5)
    assert head.iris_diameter == pytest.approx(0.0117)


def test_eyes_do_not_come_out_of_closed_lids(head):
    closed = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
    for person in people(head, 8, closed):
        vertices = head.evaluate(person)
        for side, center in zip(("left", "right"), head.eye_centers(person.identity), strict=True):
            for yaw in (-30, 0, 30):
                seen = seen_parts(head, vertices, center, yaw, 40)
                gap = (seen == PARTS.index(f"eye_{side}")).sum(0).max() * 0.1
                assert gap < 0.5  # mm


def test_open_eyes_show_iris_and_white(head):
    for person in people(head, 4):
        seen = seen_parts(head, head.evaluate(person), head.eyes[0].center, 0, 40)
        opening = (seen == PARTS.index("eye_left")).sum(0).max() * 0.1
        assert 5 < opening < 13


def test_the_neutral_mouth_is_closed(head):
    mouth = [0, -0.072, 0]
    inside = [PARTS.index(p) for p in ("tongue", "teeth_upper", "teeth_lower")]
    for person in people(head, 8):
        seen = seen_parts(head, head.evaluate(person), mouth)
        assert np.isin(seen, inside).mean() < 0.001


def test_the_lower_teeth_and_tongue_follow_the_jaw(head):
    jaw = head.expression[head.expression_names.index("jawOpen")]
    assert jaw[head.part_vertices("teeth_lower"), 1].max() < -0.008
    assert jaw[head.part_vertices("tongue"), 1].mean() < -0.008
    assert np.abs(jaw[head.part_vertices("teeth_upper")]).max() == 0
    chin = jaw[head.regions["chin"] > 0.9]
    front = head.part_vertices("teeth_lower")
    front = front[head.mean[front, 2] > 0.005]
    np.testing.assert_allclose(jaw[front].mean(0)[1], chin.mean(0)[1], atol=0.01)


def test_an_open_mouth_is_no_hole(head):
    weights = head.weights({"jawOpen": 1.0})
    vertices = head.evaluate(Coefficients(np.zeros(head.identity_count), weights))
    seen = seen_parts(head, vertices, [0, -0.085, 0])
    assert (seen >= 0).all()
    teeth = [PARTS.index("teeth_upper"), PARTS.index("teeth_lower")]
    assert np.isin(seen, teeth).mean() > 0.005
    assert (seen == PARTS.index("tongue")).mean() > 0.01


def test_no_expression_turns_the_skin_inside_out(head):
    """From the front no back of a triangle is seen in any of the 52 (but mouthClose alone)."""
    camera = Camera(200, 200, 200 * 0.6 / 0.19, (100, 100))
    for name, offsets in zip(head.expression_names, head.export_shapes(), strict=True):
        if name == "mouthClose":  # it belongs to an open jaw
            offsets = offsets + head.expression[head.expression_names.index("jawOpen")]
        points = (head.mean + offsets - [0, -0.03, 0]) * [1, -1, -1] + [0, 0, 0.6]
        seen = rasterize(points, head.triangles, camera, back_faces=True).triangle
        corners = points[head.triangles]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        away = np.einsum("ij,ij->i", normal, corners[:, 0]) > 0
        assert not away[seen[seen >= 0]].any(), name
