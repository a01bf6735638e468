"""Mirrored pictures, landmarks, cameras and coefficients."""

from __future__ import annotations

import numpy as np
import pytest

from hrn_studio import paths
from hrn_studio.face.mirror import mirror_expressions, mirror_signs, other_side
from hrn_studio.face.model import load_head
from hrn_studio.live.cameras import camera_for
from hrn_studio.live.images import read_image
from hrn_studio.live.mirror import mirrored_camera, mirrored_frame, mirrored_track
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.records import Coefficients


def test_landmarks_of_a_mirror_image_are_where_the_tracker_sees_them():
    frame = read_image(paths.resources() / "demo" / "2_left.jpg")
    with MediaPipeTracker("still") as tracker:
        track, other = tracker.track(frame), tracker.track(mirrored_frame(frame))
    width, eyes = frame.image.shape[1], track.points_px[[33, 263], 0]
    found = mirrored_track(track, width)
    off = np.linalg.norm(found.points_px - other.points_px, axis=1)
    plain = np.linalg.norm(track.points_px - other.points_px, axis=1)
    assert np.median(off) < 0.05 * abs(eyes[1] - eyes[0]) < np.median(plain)
    back = mirrored_track(found, width)
    np.testing.assert_allclose(back.points_px, track.points_px, atol=1e-3)
    np.testing.assert_array_equal(back.depth_px, track.depth_px)
    camera = camera_for(frame)
    assert mirrored_camera(mirrored_camera(camera)).center_px == pytest.approx(camera.center_px)


def test_a_mirrored_head_is_the_head_of_mirrored_coefficients():
    head, rng = load_head(), np.random.default_rng(2)
    face = Coefficients(
        rng.normal(0, 1, head.identity_count).astype(np.float32),
        rng.uniform(0, 0.5, head.expression_count).astype(np.float32),
    )
    other = Coefficients(
        face.identity * mirror_signs(head), face.expression[mirror_expressions(head)]
    )
    skin = head.part_vertices("skin")
    image = head.evaluate(face)[head.symmetry] * np.array([-1, 1, 1], np.float32)
    np.testing.assert_allclose(head.evaluate(other)[skin], image[skin], atol=5e-4)


def test_sides_change_places():
    assert other_side("mouthSmileLeft") == "mouthSmileRight"
    assert other_side("jawLeft") == "jawRight"
    assert other_side("jawOpen") == "jawOpen"
