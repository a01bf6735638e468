"""Occlusion, roughness and masks, and the joints that follow from a head."""

import numpy as np
import pytest

from hrn_studio.export.skeleton import NECK, chosen, make_skeleton
from hrn_studio.geometry.uv import to_pixels


def at(asset, role, point):
    """The texel of a map where a vertex lies."""
    pixels = asset.textures[role].pixels
    for part in asset.parts:
        where = np.argwhere(part.triangles == point)
        if len(where):
            uv = asset.uv[part.uv_triangles[tuple(where[0])]]
            column, row = to_pixels(uv, *pixels.shape[1::-1]).astype(int)
            return pixels[row, column] / 255
    raise AssertionError("no such vertex")


def test_hidden_places_are_darker_than_open_ones(asset, head):
    nose = int(np.argmax(asset.vertices[:, 2] * (head.regions["nose"] > 0.5)))
    behind = int(np.argmin(asset.vertices[:, 2] + (head.regions["inner_mouth"] < 0.9)))
    assert at(asset, "orm", nose)[0] > 0.8
    assert at(asset, "orm", behind)[0] < 0.2


def test_eyes_are_smooth_and_skin_is_not(asset, head):
    eye = head.part_vertices("eye_left")[10]
    assert at(asset, "orm", eye)[1] == pytest.approx(0.08, abs=0.01)
    cheek = int(np.argmax(head.regions["cheeks"]))
    assert 0.4 < at(asset, "orm", cheek)[1] < 0.6
    assert not asset.textures["orm"].pixels[..., 2].any()


def test_masks_tell_skin_mouth_and_eyes(asset, head):
    for vertex, channel in (
        (head.part_vertices("eye_right")[5], 2),
        (head.part_vertices("tongue")[5], 1),
        (int(np.argmax(head.regions["lips"])), 1),
        (int(np.argmax(head.regions["forehead"])), 0),
    ):
        color = at(asset, "masks", vertex)
        assert np.argmax(color) == channel
        assert color[channel] > 0.9


def test_no_gap_is_left_empty(asset):
    assert (asset.textures["masks"].pixels.sum(-1) > 200).all()
    assert (asset.textures["orm"].pixels[..., 1] > 0).all()


def test_joints_lie_where_they_turn(asset, head):
    joints = {joint.name: joint.position for joint in asset.skeleton.joints}
    for side in ("left", "right"):
        ball = asset.vertices[head.part_vertices(f"eye_{side}")].astype(float)
        distance = np.linalg.norm(ball - joints[f"eye_{side}"], axis=1)
        assert distance.std() / distance.mean() < 0.1, "the middle of a globe"
    assert joints["eye_left"][0] > 0.02, "the subject's left is +x"
    np.testing.assert_allclose(joints["head"], NECK, atol=0.02)
    assert abs(joints["jaw"][0]) < 0.002
    assert -0.07 < joints["jaw"][1] < 0
    assert -0.1 < joints["jaw"][2] < -0.03


def test_the_jaw_joint_opens_the_mouth_like_the_shape(asset, head):
    """Turned about its joint, the jaw's vertices go where ``jawOpen`` takes them."""
    from scipy.optimize import minimize_scalar

    skeleton = asset.skeleton
    number = [j.name for j in skeleton.joints].index("jaw")
    pivot, weight = skeleton.joints[number].position, skeleton.weights[:, [number]]
    opening = next(m.deltas for m in asset.morphs if m.arkit == "jawOpen").astype(float)
    rest = asset.vertices.astype(float) - pivot

    def moved(angle):
        c, s = np.cos(angle), np.sin(angle)
        return weight * (rest @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T - rest)

    best = minimize_scalar(
        lambda a: float(((moved(a) - opening) ** 2).sum()), bounds=(0, 1), method="bounded"
    ).x
    teeth = head.part_vertices("teeth_lower")
    assert np.degrees(best) == pytest.approx(22, abs=6)
    wrong = np.linalg.norm(moved(best) - opening, axis=1)
    assert wrong[teeth].max() < 0.004
    assert np.median(wrong[weight[:, 0] > 0.1]) < 0.003


def test_weights_share_every_vertex_out(asset, head):
    weights = asset.skeleton.weights
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    assert weights.min() >= 0
    names = [joint.name for joint in asset.skeleton.joints]
    for part, joint in (
        ("eye_left", "eye_left"),
        ("eye_right", "eye_right"),
        ("teeth_lower", "jaw"),
        ("teeth_upper", "head"),
    ):
        assert (weights[head.part_vertices(part), names.index(joint)] == 1).all(), part
    forehead = head.regions["forehead"] > 0.9
    assert (weights[forehead, 0] > 0.95).all()


def test_a_head_without_a_jaw_or_ears_has_fewer_joints(tiny, tiny_person):
    skeleton = make_skeleton(tiny, tiny_person.neutral, None)
    assert [j.name for j in skeleton.joints] == ["head", "eye_left", "eye_right"]
    np.testing.assert_array_equal(skeleton.joints[0].position, NECK)
    assert chosen(skeleton, "none") is None
    assert len(chosen(skeleton, "head").joints) == 1
