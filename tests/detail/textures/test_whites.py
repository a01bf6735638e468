"""The whites of the eyes tell how dark skin is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.detail.light import LUMINANCE, plausible_skin
from hrn_studio.detail.shading import srgb_from_linear
from hrn_studio.detail.whites import white_luminance
from hrn_studio.records import Camera, Coefficients, FaceState, Frame, Track, View

GREY = np.full((80, 160, 3), 90, np.uint8)
NO_LIGHT = np.zeros((9, 3), np.float32)


def face(white: float, opening: float = 12.0) -> View:
    """Two drawn eyes, 60 px wide and ``opening`` px high, their irises 8 px in radius."""
    points = np.zeros((478, 2), np.float32)
    image = GREY.copy()
    rings = (
        (40, 468, (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)),
        (
            120,
            473,
            (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
        ),
    )
    y, x = np.mgrid[0:80, 0:160] + 0.5
    level = round(255 * float(srgb_from_linear(np.array(white))))
    for cx, iris, ring in rings:
        angle = np.linspace(np.pi, -np.pi, len(ring), endpoint=False)
        points[list(ring)] = np.stack([cx + 30 * np.cos(angle), 40 + opening * np.sin(angle)], 1)
        points[iris] = cx, 40
        points[iris + 1 : iris + 5] = [(cx + 8, 40), (cx, 32), (cx - 8, 40), (cx, 48)]
        eye = ((x - cx) / 30) ** 2 + ((y - 40) / opening) ** 2 < 1
        image[eye] = level
        image[np.hypot(x - cx, y - 40) < 8] = 20
    camera = Camera.from_hfov(160, 80, 60)
    state = FaceState(Coefficients(np.zeros(1), np.zeros(1)), np.eye(4), camera)
    track = Track(points, np.zeros(478, np.float32))
    return View(Frame(image), track, state, np.zeros((3, 3)), NO_LIGHT, np.ones((80, 160)))


@pytest.mark.parametrize("white", [0.1, 0.4, 0.7])
def test_the_white_is_read_between_lids_and_iris(white):
    assert white_luminance(face(white)) == pytest.approx(white, rel=0.05)


def test_closed_eyes_and_short_tracks_say_nothing():
    assert white_luminance(face(0.5, opening=0.01)) == 0
    seen = face(0.5)
    short = replace(seen, track=Track(seen.track.points_px[:468], np.zeros(468, np.float32)))
    assert white_luminance(short) == 0


def test_skin_far_darker_than_the_white_is_dark():
    seen = np.array([0.30, 0.19, 0.14])
    plain, dark = plausible_skin(seen) @ LUMINANCE, plausible_skin(seen, 3.5) @ LUMINANCE
    assert dark < 0.75 * plain
    assert dark == pytest.approx(0.4 / 3.5, rel=0.12)


def test_eyes_in_shade_do_not_make_skin_lighter():
    seen = np.array([0.30, 0.19, 0.14])
    np.testing.assert_allclose(plausible_skin(seen, 0.4), plausible_skin(seen))
