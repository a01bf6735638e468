import numpy as np
import pytest

from hrn_studio.face import gaze
from hrn_studio.face.model import load_head
from hrn_studio.face.tiny import tiny_head
from hrn_studio.records import Coefficients


@pytest.fixture(scope="module", params=["tiny", "default"])
def head(request):
    return tiny_head() if request.param == "tiny" else load_head()


def random_coefficients(head, seed=0, gaze=(0.0, 0.0)):
    random = np.random.default_rng(seed)
    return Coefficients(
        random.normal(size=head.identity_count),
        random.uniform(size=head.expression_count),
        np.tile(gaze, (2, 1)),
    )


def test_no_coefficients_give_the_mean(head):
    np.testing.assert_array_equal(head.evaluate(head.zero()), head.mean)


def test_heads_are_linear_in_their_coefficients(head):
    a, b = random_coefficients(head, 1), random_coefficients(head, 2)
    mixed = Coefficients(
        0.25 * a.identity + 0.75 * b.identity, 0.25 * a.expression + 0.75 * b.expression
    )
    expected = 0.25 * head.evaluate(a) + 0.75 * head.evaluate(b)
    np.testing.assert_allclose(head.evaluate(mixed), expected, atol=2e-7)


def test_scale_multiplies_the_whole_head(head):
    coefficients = random_coefficients(head)
    np.testing.assert_allclose(
        head.evaluate(coefficients, 1.1), 1.1 * head.evaluate(coefficients), atol=1e-7
    )


def test_fewer_identity_coefficients_are_the_first_ones(head):
    few = Coefficients(np.array([1.0, -2.0]), head.zero().expression)
    padded = np.zeros(head.identity_count, np.float32)
    padded[:2] = 1.0, -2.0
    all_of_them = Coefficients(padded, head.zero().expression)
    np.testing.assert_allclose(head.evaluate(few), head.evaluate(all_of_them), atol=1e-8)


def test_a_basis_of_some_vertices_says_the_same(head):
    some = np.array([0, 3, head.vertex_count - 1], np.int32)
    coefficients = random_coefficients(head)
    np.testing.assert_allclose(
        head.basis(some).evaluate(coefficients), head.evaluate(coefficients)[some], atol=1e-7
    )


def test_gaze_turns_the_eyes_about_their_centres_and_nothing_else(head):
    still, turned = random_coefficients(head), random_coefficients(head, gaze=(0.3, -0.2))
    before, after = head.evaluate(still), head.evaluate(turned)
    centers = head.eye_centers(still.identity)
    others = np.ones(head.vertex_count, bool)
    for eye, center in zip(head.eyes, centers, strict=True):
        others[eye.vertices] = False
        a, b = before[eye.vertices] - center, after[eye.vertices] - center
        np.testing.assert_allclose(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1), atol=1e-7)
        front = a[:, 2].argmax()
        assert b[front, 0] > a[front, 0] + 0.002  # to the subject's left
        assert b[front, 1] < a[front, 1] - 0.001  # down
    np.testing.assert_array_equal(before[others], after[others])


def test_symmetry_leads_back_and_to_the_mirrored_place(head):
    everywhere = np.arange(head.vertex_count)
    np.testing.assert_array_equal(head.symmetry[head.symmetry], everywhere)
    np.testing.assert_allclose(head.mean[head.symmetry] * [-1, 1, 1], head.mean, atol=1e-7)
    triangles = {tuple(sorted(t)) for t in head.triangles.tolist()}
    assert {tuple(sorted(t)) for t in head.symmetry[head.triangles].tolist()} == triangles


def test_arrays_cannot_be_changed(head):
    with pytest.raises(ValueError, match="read-only"):
        head.mean[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        head.regions["face"][0] = 0


def test_parts_share_no_vertices_and_leave_none_out(head):
    parts = [head.part_vertices(p) for p in head.part_names]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(head.vertex_count))
    assert head.part_names[0] == "skin"


def test_weights_by_name_and_unknown_names(head):
    weights = head.weights({"jawOpen": 0.5, "earWiggle": 1.0})
    assert weights[head.expression_names.index("jawOpen")] == 0.5
    assert weights.sum() == 0.5


def test_exported_look_shapes_turn_the_eye_and_others_do_not(head):
    shapes = head.export_shapes()
    up = head.expression_names.index("eyeLookUpLeft")
    left, right = (e.vertices for e in head.eyes)
    front = head.mean[left][:, 2].argmax()
    assert shapes[up][left][front, 1] > 0.003
    assert np.abs(shapes[up][right]).max() == 0
    jaw = head.expression_names.index("jawOpen")
    np.testing.assert_array_equal(shapes[jaw], head.expression[jaw])


@pytest.mark.parametrize(("yaw", "pitch"), [(0.2, 0.1), (-0.2, 0.1), (0.0, -0.3), (0.5, 0.0)])
def test_look_weights_give_the_gaze_back(yaw, pitch):
    weights = gaze.look_weights(np.tile([yaw, pitch], (2, 1)))
    for side in ("Left", "Right"):
        angles = [
            np.multiply(w, gaze.look_angles(name, side))
            for name, w in weights.items()
            if name.endswith(side)
        ]
        expected = np.clip([yaw, pitch], [-gaze.LOOK_YAW, -gaze.LOOK_DOWN], gaze.LOOK_YAW)
        np.testing.assert_allclose(np.sum(angles, axis=0), expected, atol=1e-9)
    assert all(0 <= w <= 1 for w in weights.values())


def test_gaze_rotation_looks_left_and_up():
    direction = gaze.gaze_rotation(0.3, 0.2) @ [0, 0, 1]
    assert direction[0] == pytest.approx(np.sin(0.3) * np.cos(0.2))
    assert direction[1] == pytest.approx(np.sin(0.2))
